//! What the caller says about the log: usually nothing.

use regex::bytes::Regex;

use crate::fields::Keys;
use crate::level::Level;

/// What kinds of line are expected.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Format {
    /// All of them, in any mixture.
    #[default]
    Auto,
    /// Text with headers; a line that begins with `{` or `key=` is text too.
    Text,
    /// One JSON object per line; other lines belong to the record before.
    Json,
    /// `key=value`; other lines belong to the record before.
    Logfmt,
    /// Text behind a syslog PRI.
    Syslog,
    /// Docker's json-file.
    Docker,
    /// The container runtime interface of Kubernetes.
    Cri,
    /// The export format of the journal.
    Journal,
}

/// How lines are to be read.
#[derive(Debug, Clone, Default)]
pub struct Rules {
    /// What kinds of line are expected.
    pub format: Format,
    /// The field names and words that the caller calls levels.
    pub keys: Keys,
    /// Finds the level in its first capture.
    pub pattern: Option<Regex>,
    /// Whether the time of each record is needed, and not only its level.
    pub want_time: bool,
}

impl Rules {
    /// The level of a word: by the caller's own words, else by what loggers mean with it.
    #[must_use]
    pub fn level_of(&self, word: &[u8]) -> Option<Level> {
        self.keys.own(word).or_else(|| Level::of_value(word))
    }
}
