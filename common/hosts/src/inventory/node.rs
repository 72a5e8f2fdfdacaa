//! A tree with lines: what TOML, JSON and YAML have in common.

use std::borrow::Cow;
use std::collections::BTreeMap;

/// Lists and maps within each other, at most: deeper ones are no inventory, and are read by recursion.
pub(super) const DEEPEST: usize = 64;

/// A value and the line on which it begins, from 1.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Node<'t> {
    pub(super) line: u64,
    pub(super) value: Value<'t>,
}

/// The entries of a map in the order of the text; a key may occur twice.
pub(super) type Entries<'t> = Vec<(Cow<'t, str>, Node<'t>)>;

#[derive(Debug, Clone, PartialEq)]
pub(super) enum Value<'t> {
    /// Null, or nothing at all.
    Nothing,
    /// A text, a number or a boolean, as written.
    Scalar(Cow<'t, str>),
    List(Vec<Node<'t>>),
    Map(Entries<'t>),
    /// A value of ansible-vault.
    Vault,
}

impl<'t> Node<'t> {
    /// The text of a scalar.
    pub(super) fn scalar(&self) -> Option<&str> {
        match &self.value {
            Value::Scalar(text) => Some(text),
            _ => None,
        }
    }

    /// The entries of a map; of what is nothing, none.
    pub(super) fn into_entries(self) -> Result<Entries<'t>, Self> {
        match self.value {
            Value::Map(entries) => Ok(entries),
            Value::Nothing => Ok(Vec::new()),
            _ => Err(self),
        }
    }

    /// What it is, for a sentence.
    pub(super) fn kind(&self) -> &'static str {
        match self.value {
            Value::Nothing => "nothing",
            Value::Scalar(_) => "a single value",
            Value::List(_) => "a list",
            Value::Map(_) => "a mapping",
            Value::Vault => "encrypted with ansible-vault",
        }
    }

    /// Keys that one map has twice, with the line of the second: the last one counts.
    pub(super) fn twice(&self) -> Vec<(u64, String)> {
        let mut found = Vec::new();
        self.look_for_twice(&mut found);
        found
    }

    fn look_for_twice(&self, found: &mut Vec<(u64, String)>) {
        match &self.value {
            Value::List(nodes) => nodes.iter().for_each(|node| node.look_for_twice(found)),
            Value::Map(entries) => {
                let mut seen: BTreeMap<&str, u64> = BTreeMap::new();
                for (key, node) in entries {
                    if let Some(first) = seen.insert(key, node.line) {
                        let what = format!("`{key}` is already there on line {first}; the last one counts");
                        found.push((node.line, what));
                    }
                    node.look_for_twice(found);
                }
            }
            Value::Nothing | Value::Scalar(_) | Value::Vault => {}
        }
    }
}

/// Tells the line of a place in a text.
pub(super) struct Lines {
    ends: Vec<usize>,
}

impl Lines {
    pub(super) fn of(text: &str) -> Self {
        Self { ends: text.bytes().enumerate().filter(|(_, byte)| *byte == b'\n').map(|(at, _)| at).collect() }
    }

    /// The line, from 1, of the byte at `offset`.
    pub(super) fn line(&self, offset: usize) -> u64 {
        self.ends.partition_point(|end| *end < offset) as u64 + 1
    }
}
