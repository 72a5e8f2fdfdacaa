//! What an inventory says about one host.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::{self, Display, Formatter};
use std::path::PathBuf;
use std::sync::Arc;

/// The tags of a host: each key with one value or more. The groups of Ansible are the values of the
/// key `group`.
pub type Tags = BTreeMap<String, BTreeSet<String>>;

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
