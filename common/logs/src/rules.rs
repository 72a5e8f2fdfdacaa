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

impl Format {
    /// Every format by the name that it has on a command line.
    pub const NAMED: [(&'static str, Self); 8] = [
        ("auto", Self::Auto),
        ("text", Self::Text),
        ("json", Self::Json),
        ("logfmt", Self::Logfmt),
        ("syslog", Self::Syslog),
        ("docker", Self::Docker),
        ("cri", Self::Cri),
        ("journal", Self::Journal),
    ];

    /// The format of that name; any other is [`Format::Auto`].
    #[must_use]
    pub fn of_name(name: &str) -> Self {
        Self::NAMED.iter().find(|(known, _)| *known == name).map_or(Self::Auto, |(_, format)| *format)
    }
}

/// Reads a pattern whose one capture is the level.
///
/// # Errors
/// A sentence for clap when it is no regular expression, or has no capture or several.
pub fn pattern(text: &str) -> Result<Regex, String> {
    let regex = Regex::new(text).map_err(|error| refused(text, &error))?;
    match regex.captures_len() - 1 {
        1 => Ok(regex),
        count => Err(format!(
            "it has {count} captures; put one pair of parentheses around the level, (?:...) elsewhere"
        )),
    }
}

/// Why `text` is no regular expression, of the several lines that the regex crate says.
#[must_use]
pub fn refused(text: &str, error: &regex::Error) -> String {
    let regex::Error::Syntax(report) = error else {
        return "it needs too much memory; repeat less with {n,m}".into();
    };
    match report.lines().rev().find_map(|line| line.strip_prefix("error: ")) {
        Some(reason) => format!("`{text}` is no regular expression: {reason}"),
        None => format!("`{text}` is no regular expression"),
    }
}

/// Reads `WORD=LEVEL`, for [`Keys::words`].
///
/// # Errors
/// A sentence for clap when a part is missing or the level is none.
pub fn own_word(text: &str) -> Result<(Vec<u8>, Level), String> {
    let (word, level) =
        text.rsplit_once('=').filter(|(word, _)| !word.is_empty()).ok_or("write it as WORD=LEVEL")?;
    Ok((word.as_bytes().to_vec(), level.parse()?))
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
