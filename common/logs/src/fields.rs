//! The level and the time of a structured record, JSON or logfmt, without a full parse.
//!
//! Only keys of the record itself count: never a nested object (but for ECS' `log.level` and
//! `MongoDB`'s `t.$date`), and never text inside a string.

mod json;
mod keys;
mod logfmt;

use std::ops::Range;

use crate::level::Level;
use crate::stamp::Form;

pub use json::{json, unescape};
pub use logfmt::{logfmt, pair};

/// What a structured record says of itself. Ranges are offsets in the text that was read.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Fields {
    /// The level and its value as spelled.
    pub level: Option<(Level, Range<usize>)>,
    /// The time field.
    pub stamp: Option<(Range<usize>, Form)>,
    /// The string that a container runtime wrapped around the program's own line, still escaped.
    pub wrapped: Option<Range<usize>>,
    /// For a wrapped line: whether it came from stderr, and whether it goes on in the next one.
    pub is_stderr: bool,
    /// Whether the level depends on nothing but the bytes up to one after its value.
    pub settled: bool,
}

/// One `key=value` of a logfmt record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pair {
    /// Where the key stands.
    pub key: Range<usize>,
    /// Where the value stands, without its quotes.
    pub value: Range<usize>,
}

/// What the caller says about levels, where the log is unlike others.
#[derive(Debug, Clone, Default)]
pub struct Keys {
    /// The exact names of the fields that carry the level; empty means the names that loggers are
    /// known to use.
    pub level: Vec<Vec<u8>>,
    /// Words that stand for a level, in any case.
    pub words: Vec<(Vec<u8>, Level)>,
}

impl Keys {
    /// The level that the caller gave to this word.
    #[must_use]
    pub fn own(&self, word: &[u8]) -> Option<Level> {
        self.words.iter().find(|(own, _)| own.eq_ignore_ascii_case(word)).map(|(_, level)| *level)
    }
}

/// Is this one of the names that loggers give to the level?
pub(crate) fn is_level_key(name: &[u8]) -> bool {
    keys::LevelKey::of(name).is_some()
}

/// What a level field says: a word, or a number that its key explains.
fn level_of(key: keys::LevelKey, value: &[u8], record: &mut Option<&[u8]>, names: &Keys) -> Option<Level> {
    let value = value.trim_ascii();
    if let Some(own) = names.own(value) {
        return Some(own);
    }
    let digits = !value.is_empty() && value.len() < 6 && value.iter().all(u8::is_ascii_digit);
    if digits {
        let number = value.iter().fold(0, |n, b| n * 10 + u64::from(b - b'0'));
        return key.number(number, record);
    }
    let value = value.strip_prefix(b"\\u001b[").map_or(value, |coloured| {
        let end = coloured.iter().position(|b| *b == b'm').map_or(0, |m| m + 1);
        &coloured[end..]
    });
    let letters = value.iter().take_while(|b| b.is_ascii_alphanumeric()).count();
    match value.get(letters) {
        // slog writes what lies between its levels as an offset: DEBUG-4, INFO+2.
        None | Some(b'+' | b'-' | b'\\' | b' ') => Level::of_value(&value[..letters]),
        _ => None,
    }
}
