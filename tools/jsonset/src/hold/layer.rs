//! What one use of `--while` has changed, as it is kept beside the document.

use common::Result;
use json::{Path, Scanned, Text};
use serde::{Deserialize, Serialize};

use super::compare::{Compared, compare, difference};
use crate::store::Store;

/// The form of the file; one of another version was written by a newer jsonset.
const VERSION: u32 = 1;

/// A longer difference is undone field by field only: the file of a layer is read whole.
const LONGEST_SPLICE: u64 = 1 << 20;

/// A change that is to be undone.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct Layer {
    version: u32,
    /// There was no file before; it counts as `{}`, and there shall be none after.
    pub(super) created: bool,
    /// As long as the document is exactly what the change has made of it.
    pub(super) exact: Option<Exact>,
    pub(super) entries: Vec<Entry>,
}

/// How to get the bytes before the change from those after it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct Exact {
    /// The SHA-256 of the document after the change.
    pub(super) hash: String,
    /// The place in it that the change has made.
    pub(super) at: u64,
    pub(super) length: u64,
    /// What was there, a character for each byte.
    before: String,
}

/// A field that was changed, or that somebody wants to stay as it is.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct Entry {
    /// The keys that lead to it.
    pub(super) path: Vec<String>,
    /// Its value as it was written, if there was one.
    pub(super) before: Option<String>,
    pub(super) after: Option<String>,
}

impl Exact {
    /// The bytes that were there.
    pub(super) fn before(&self) -> Vec<u8> {
        self.before.chars().map(|byte| u8::try_from(byte).unwrap_or_default()).collect()
    }
}

impl Entry {
    /// The way to the field.
    pub(super) fn path(&self) -> Path {
        Path::pointer(&self.path)
    }

    /// Whether both have to do with one field: it is the same, or lies in the other.
    pub(super) fn overlaps(&self, other: &Self) -> bool {
        self.path.starts_with(&other.path) || other.path.starts_with(&self.path)
    }

    /// Whether nothing has changed: the field only has to stay.
    pub(super) fn is_claim(&self) -> bool {
        self.before == self.after
    }
}

impl Layer {
    /// What leads from `before` to `after`, two valid documents; an empty one counts as `{}`.
    ///
    /// # Errors
    /// When they cannot be read.
    pub(super) fn between(store: &Store, before: Option<&Text>, after: &Text) -> Result<Self> {
        let nothing = Text::new(b"{}".to_vec());
        let old = before.unwrap_or(&nothing);
        let compared = Compared { before: old, after, syntax: store.syntax };
        let entries = complained(store, after, compare(&compared))?;
        let (range, length) = difference(old, after)?;
        let exact = if range.end - range.start > LONGEST_SPLICE {
            None
        } else {
            let before = old.read(range.clone())?.into_iter().map(char::from).collect();
            Some(Exact { hash: after.sha256()?, at: range.start, length, before })
        };
        Ok(Self { version: VERSION, created: before.is_none(), exact, entries })
    }

    /// Whether there is nothing to undo and nothing to keep.
    pub(super) fn is_empty(&self) -> bool {
        self.entries.is_empty() && !self.created && self.exact.as_ref().is_none_or(Exact::is_empty)
    }

    /// This with `entries` alone, once others have been undone.
    pub(super) fn rest(&self, entries: Vec<Entry>) -> Self {
        Self { exact: None, entries, ..*self }
    }

    /// As it is kept in its file.
    pub(super) fn to_json(&self) -> Vec<u8> {
        let mut json = serde_json::to_vec(self).unwrap_or_default();
        json.push(b'\n');
        json
    }

    /// From its file; why not, where that is none.
    pub(super) fn of_json(json: &[u8]) -> std::result::Result<Self, String> {
        let layer: Self = serde_json::from_slice(json).map_err(|bad| bad.to_string())?;
        match layer.version {
            VERSION => Ok(layer),
            version => Err(format!("it has version {version}; this jsonset knows version {VERSION}")),
        }
    }
}

impl Exact {
    fn is_empty(&self) -> bool {
        self.length == 0 && self.before.is_empty()
    }
}

/// A fault in a document that was checked before: somebody else writes into the file.
pub(super) fn complained<T>(store: &Store, text: &Text, scanned: Scanned<T>) -> Result<T> {
    scanned.map_err(|fault| store.document(text.clone()).complain(fault))
}

#[cfg(test)]
mod tests {
    use std::path::Path as FilePath;

    use files::Wait;
    use proptest::prelude::*;

    use super::*;
    use crate::store::Links;
    use json::Syntax;

    fn store() -> Store {
        Store {
            path: FilePath::new("x.json").into(),
            syntax: Syntax::Strict,
            wait: Wait::Not,
            lock_file: None,
            links: Links::Refuse,
            lifts_immutable: false,
        }
    }

    #[test]
    fn the_bytes_before_come_back_from_those_after() {
        let check = |before: &str, after: &str| {
            let (before, after) = (Text::new(before.into()), Text::new(after.into()));
            let layer = Layer::between(&store(), Some(&before), &after).unwrap();
            let layer = Layer::of_json(&layer.to_json()).unwrap();
            let exact = layer.exact.unwrap();
            let mut text = after.clone();
            text.splice(exact.at..exact.at + exact.length, exact.before()).unwrap();
            assert!(text.same_as(&before).unwrap(), "{before:?}");
        };
        check("{}", "{}");
        check("", "{\"a\": 1}\n");
        check("{\"a\": \"é\"}", "{\"a\": \"è\"}");
        check("\u{feff}{\"a\":1}", "{\"a\":11}");
        check("{\"a\":[1,1]}", "{\"a\":[1,1,1]}");
    }

    #[test]
    fn one_of_another_version_is_not_read() {
        let bad = Layer::of_json(br#"{"version":2,"created":false,"exact":null,"entries":[]}"#);
        assert_eq!(bad.unwrap_err(), "it has version 2; this jsonset knows version 1");
        assert!(Layer::of_json(b"{").is_err());
    }

    proptest! {
        #[test]
        fn no_bytes_are_too_odd(bytes: Vec<u8>) {
            let before: String = bytes.iter().copied().map(char::from).collect();
            let exact = Exact { hash: String::new(), at: 0, length: 0, before };
            let layer = Layer { version: VERSION, created: false, exact: Some(exact), entries: Vec::new() };
            let again = Layer::of_json(&layer.to_json()).unwrap();
            prop_assert_eq!(again.exact.unwrap().before(), bytes);
        }
    }
}
