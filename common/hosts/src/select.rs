//! `env=prod,role=web,!web07`: which hosts are meant.
//!
//! | term | means the hosts |
//! |---|---|
//! | `env=prod` | that have this tag with this value; `*` and `?` in the value |
//! | `web07`, `web*`, `web[01-09]` | with these names |
//! | `webservers` | that have the tag `group` with this value |
//! | `@FILE` | that are named in the file, one in a line |
//! | `!TERM`, `env!=prod` | without those |
//!
//! Several values of one key, and several names, files and groups, are alternatives. Different keys,
//! and keys and names, must all hold; what is taken away is taken away at last. A selection of which
//! nothing but exceptions is written means all other hosts.
//!
//! Upper and lower case are one in names of hosts, as in DNS, and two in tags.

mod parse;
#[cfg(test)]
mod tests;
mod unmatched;

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};

use crate::glob::Glob;
use crate::host::Host;

/// The tag whose values are the groups.
pub(crate) const GROUP: &str = "group";

/// Which hosts are meant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Selection {
    text: String,
    /// Of each key one of the values.
    tags: BTreeMap<String, Vec<Term>>,
    /// One of these.
    names: Vec<Term>,
    /// None of these.
    without: Vec<Term>,
}

/// A term, as it was written and as it is asked.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Term {
    text: String,
    test: Test,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Test {
    Tag { key: String, value: Glob },
    Names(Names),
}

/// Names in lower case, and the group of the same name.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
struct Names {
    exact: BTreeSet<String>,
    globs: Vec<Glob>,
    group: Option<Glob>,
    /// They come from a file: each of them was meant.
    is_list: bool,
}

impl Selection {
    /// Reads `env=prod,role=web,!web07`, and the files that it names.
    ///
    /// # Errors
    /// When a term is none, or a file cannot be read; the sentence says which and where.
    pub fn parse(text: &str) -> Result<Self, String> {
        parse::selection(text)
    }

    /// The selection as it was written.
    #[must_use]
    pub fn text(&self) -> &str {
        &self.text
    }

    /// Whether `host` is meant.
    #[must_use]
    pub fn matches(&self, host: &Host) -> bool {
        let any = |terms: &[Term]| terms.iter().any(|term| term.test.matches(host));
        self.tags.values().all(|terms| any(terms))
            && (self.names.is_empty() || any(&self.names))
            && !any(&self.without)
    }

    /// What of the selection means none of `hosts`, each as one sentence with the nearest thing that
    /// means one. Hosts are all that are known, not those that are left.
    #[must_use]
    pub fn unmatched(&self, hosts: &[Host]) -> Vec<String> {
        let wanted = self.tags.values().flatten().chain(&self.names);
        let wanted = wanted.filter_map(|term| unmatched::sentence(term, "", hosts));
        let without = self.without.iter().filter_map(|term| unmatched::sentence(term, "!", hosts));
        wanted.chain(without).collect()
    }
}

impl Test {
    fn matches(&self, host: &Host) -> bool {
        match self {
            Self::Tag { key, value } => has(host, key, value),
            Self::Names(names) => {
                let name = lower(&host.name);
                names.exact.contains(&*name)
                    || names.globs.iter().any(|glob| glob.matches(&name))
                    || names.group.as_ref().is_some_and(|group| has(host, GROUP, group))
            }
        }
    }
}

fn has(host: &Host, key: &str, value: &Glob) -> bool {
    let values = host.tags.get(key);
    values.is_some_and(|values| match value.literal() {
        Some(value) => values.contains(value),
        None => values.iter().any(|one| value.matches(one)),
    })
}

/// `name` in lower case; most are already.
fn lower(name: &str) -> Cow<'_, str> {
    if name.bytes().any(|byte| byte.is_ascii_uppercase()) {
        Cow::Owned(name.to_ascii_lowercase())
    } else {
        Cow::Borrowed(name)
    }
}
