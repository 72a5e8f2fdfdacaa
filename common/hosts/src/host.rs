//! What an inventory says about one host.

use std::collections::{BTreeMap, BTreeSet, btree_map};
use std::fmt::{self, Display, Formatter};
use std::ops::{Deref, DerefMut};
use std::path::PathBuf;
use std::sync::Arc;

type Values = BTreeMap<String, BTreeSet<String>>;

/// The tags of a host: each key with one value or more, used as the map it holds. The groups of
/// Ansible are the values of the key `group`.
///
/// Shared until it is changed: thousands of hosts have the same few tags, and a map of its own for
/// each would be most of the memory of an inventory.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Default)]
pub struct Tags(Arc<Values>);

impl Tags {
    /// Adds `value` to what `key` has.
    pub fn add(&mut self, key: impl Into<String>, value: impl Into<String>) {
        self.entry(key.into()).or_default().insert(value.into());
    }
}

impl Deref for Tags {
    type Target = Values;

    fn deref(&self) -> &Values {
        &self.0
    }
}

impl DerefMut for Tags {
    fn deref_mut(&mut self) -> &mut Values {
        Arc::make_mut(&mut self.0)
    }
}

impl From<Values> for Tags {
    fn from(values: Values) -> Self {
        Self(Arc::new(values))
    }
}

impl<'t> IntoIterator for &'t Tags {
    type Item = (&'t String, &'t BTreeSet<String>);
    type IntoIter = btree_map::Iter<'t, String, BTreeSet<String>>;

    fn into_iter(self) -> Self::IntoIter {
        self.0.iter()
    }
}

impl<K: Into<String>, V: Into<String>> FromIterator<(K, V)> for Tags {
    fn from_iter<I: IntoIterator<Item = (K, V)>>(pairs: I) -> Self {
        let mut tags = Self::default();
        pairs.into_iter().for_each(|(key, value)| tags.add(key, value));
        tags
    }
}

/// One host, as far as it was told. What is `None` or empty is for the SSH configuration and the
/// flags to say; see `remote::settings`.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Host {
    /// What people and results call it; unique in an inventory.
    pub name: String,
    /// Where it is, when the name is not the address: a name for DNS or an IP address.
    pub address: Option<String>,
    /// The port of its sshd.
    pub port: Option<u16>,
    /// The user to log in as.
    pub user: Option<String>,
    /// Files with private keys, in the order in which they are tried. `~` is already the home folder.
    pub keys: Vec<PathBuf>,
    /// The hosts to go through, nearest first, each `[user@]host[:port]` or the name of a host of the
    /// inventory, separated by commas, as in ssh_config(5); `none` for none.
    pub jump: Option<String>,
    /// What it is selected and counted by.
    pub tags: Tags,
    /// Where it stands.
    pub place: Place,
}

impl Host {
    /// A host of which nothing but the name is known.
    #[must_use]
    pub fn named(name: impl Into<String>, place: Place) -> Self {
        Self { name: name.into(), place, ..Self::default() }
    }
}

/// Where a host, or a fault, stands: `hosts.toml:12`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Place {
    /// The source as the operator named it: a path, `-`, `command line`, a command.
    pub source: Arc<str>,
    /// The line, from 1; 0 when the source has no lines.
    pub line: u64,
}

impl Default for Place {
    fn default() -> Self {
        Self { source: Arc::from("command line"), line: 0 }
    }
}

impl Display for Place {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self.line {
            0 => f.write_str(&self.source),
            line => write!(f, "{}:{line}", self.source),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_change_of_shared_tags_is_seen_by_one_host_only() {
        let shared: Tags = [("env", "prod"), ("role", "web")].into_iter().collect();
        let mut changed = shared.clone();
        changed.add("role", "edge");
        assert_eq!(shared["role"].len(), 1);
        assert_eq!(changed["role"].iter().collect::<Vec<_>>(), ["edge", "web"]);
    }

    #[test]
    fn a_place_without_lines_is_its_source() {
        assert_eq!(Place::default().to_string(), "command line");
        assert_eq!(Place { source: "hosts.toml".into(), line: 12 }.to_string(), "hosts.toml:12");
    }
}
