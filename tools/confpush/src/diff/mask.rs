//! What may be shown of a line.
//!
//! The secrets of the new file are known, and so are the lines that they stand in. Those of the old one
//! may be others, and nobody says where they stand. So of a line that is taken away only what the new
//! file has, too, is shown, when it
//!
//! - is near to a line with a secret: in the same hunk, or
//! - has the word before a secret, such as `password`, as its own, or
//! - is a line with a secret of the new file, or
//! - looks like one: a word for secrets with something behind it, the password of a URL, the armour of a
//!   key, or a long word of letters and digits in a file that has secrets.
//!
//! What is left is a secret that the new file has no more, that looks like none, and stands alone.

use std::collections::BTreeSet;
use std::ops::Range;

use secrets::conceal::hide;

use super::{Run, Sides};

/// What [`hide`] puts in the place of a secret.
const MARK: &str = "[secret]";

/// What stands for text that may be a secret.
const MASKED: &str = "(masked)";

/// Of longer lines only the beginning is looked at: it is more than is shown, and secrets are looked for
/// in each byte of it.
const READ: usize = 16 * 1024;

/// What differs from a line without a secret in less than so many characters holds none that is worth
/// its name.
const LEAST: usize = 8;

/// So many lines that come in are compared with one that goes.
const MOST_COMPARED: usize = 200;

/// A word of so many letters and digits may be a key.
const KEY: usize = 16;

/// Words that stand before secrets.
const WORDS: &[&str] = &[
    "password",
    "passwd",
    "passphrase",
    "secret",
    "token",
    "credential",
    "private",
    "api_key",
    "apikey",
    "api-key",
    "access_key",
    "authorization",
    "requirepass",
    "masterauth",
];

/// What is known of the lines of two files.
pub(super) struct Mask<'a> {
    sides: &'a Sides<'a>,
    /// Lines with secrets.
    old: BTreeSet<usize>,
    new: BTreeSet<usize>,
    /// The lines with secrets of the new file as they are.
    texts: BTreeSet<&'a str>,
    /// The words before them.
    words: BTreeSet<String>,
}

/// Lines that come in, for those that go.
pub(super) struct Group {
    is_near: bool,
    has_secret: bool,
    patterns: Vec<Pattern>,
}

/// A line of the new file as others are compared with it.
struct Pattern {
    /// What has to stand at the beginning.
    prefix: String,
    /// And at the end; none: the whole line is `prefix`.
    suffix: Option<String>,
}

impl<'a> Mask<'a> {
    /// By the lines `old` and `new` that hold a secret.
    pub(super) fn new(sides: &'a Sides<'a>, old: BTreeSet<usize>, new: BTreeSet<usize>) -> Self {
        let lines = new.iter().filter_map(|at| sides.new.get(*at)).map(|line| body(line));
        let texts = lines.filter(|line| !line.is_empty()).collect();
        let mut mask = Self { sides, old, new, texts, words: BTreeSet::new() };
        mask.words = mask.new.iter().filter_map(|at| word_before(&mask.pattern(*at))).collect();
        mask
    }

    /// Whether one of these lines of the new file holds a secret.
    pub(super) fn has_secret(&self, lines: &Range<usize>) -> bool {
        self.new.range(lines.clone()).next().is_some()
    }

    /// A line of the new file, without its end.
    pub(super) fn new_line(&self, at: usize) -> String {
        let line = self.sides.new.get(at).map_or("", |line| body(line));
        if self.new.contains(&at) { without_secret(line) } else { hidden(line) }
    }

    /// What the lines of `run` that come in are to those that go; `is_near`: in a hunk that has a secret.
    pub(super) fn group(&self, run: &Run, is_near: bool) -> Group {
        let has_secret = self.has_secret(&run.new);
        // The work grows with the product of both sides, and so many lines are no edit of one.
        let compared = if run.old.is_empty() { 0 } else { MOST_COMPARED };
        let patterns = run.new.clone().take(compared).map(|at| self.pattern(at)).collect();
        Group { is_near, has_secret, patterns }
    }

    /// A line of the old file that is taken away, without its end.
    pub(super) fn old_line(&self, at: usize, group: &Group) -> String {
        let line = self.sides.old.get(at).map_or("", |line| body(line));
        let is_one = self.old.contains(&at)
            || self.texts.contains(line)
            || has_word(line, &self.words)
            || is_suspicious(line, !self.new.is_empty() || !self.old.is_empty());
        if !is_one && !group.is_near {
            return hidden(line);
        }
        let (prefix, suffix, is_plain) = group.shared(line);
        let end = line.len() - suffix;
        let middle = line.get(prefix..end).unwrap_or(line);
        if !is_one && is_plain && !group.has_secret && middle.chars().count() < LEAST {
            return hidden(line);
        }
        let part = |range: Range<usize>| line.get(range).unwrap_or_default();
        format!("{}{MASKED}{}", part(0..prefix), part(end..line.len()))
    }

    fn pattern(&self, at: usize) -> Pattern {
        let shown = self.new_line(at);
        if !self.new.contains(&at) && !shown.contains(MARK) {
            return Pattern { prefix: shown, suffix: None };
        }
        let (Some(first), Some(last)) = (shown.find(MARK), shown.rfind(MARK)) else {
            return Pattern { prefix: String::new(), suffix: Some(String::new()) };
        };
        let suffix = shown.get(last + MARK.len()..).unwrap_or_default().to_owned();
        let prefix = shown.get(..first).unwrap_or_default().to_owned();
        Pattern { prefix, suffix: Some(suffix) }
    }
}

impl Group {
    /// How many bytes at the beginning and at the end of `line` stand so in the one of its lines that
    /// shares most with it, outside of its secrets; and whether that holds none.
    fn shared(&self, line: &str) -> (usize, usize, bool) {
        let mut best = (0, 0, false);
        for pattern in &self.patterns {
            let (prefix, suffix) = pattern.shared(line);
            if prefix + suffix > best.0 + best.1 {
                best = (prefix, suffix, pattern.suffix.is_none());
            }
        }
        best
    }
}

impl Pattern {
    fn shared(&self, line: &str) -> (usize, usize) {
        let prefix = same(self.prefix.chars(), line.chars());
        let rest = line.get(prefix..).unwrap_or_default();
        let behind = match &self.suffix {
            Some(suffix) => suffix,
            None => self.prefix.get(prefix..).unwrap_or_default(),
        };
        (prefix, same(behind.chars().rev(), rest.chars().rev()))
    }
}

/// How many bytes both begin with.
fn same(one: impl Iterator<Item = char>, other: impl Iterator<Item = char>) -> usize {
    one.zip(other).take_while(|(one, other)| one == other).map(|(one, _)| one.len_utf8()).sum()
}

/// A line without its end.
fn body(line: &str) -> &str {
    line.strip_suffix('\n').unwrap_or(line)
}

/// A line without the secrets that are known. One that is too long ends somewhere, perhaps in a secret.
fn hidden(line: &str) -> String {
    if line.len() <= READ {
        return hide(line);
    }
    let end = (0..=READ).rev().find(|end| line.is_char_boundary(*end)).unwrap_or_default();
    let shown = hide(line.get(..end).unwrap_or_default());
    if shown.chars().count() > super::LONGEST { shown } else { MASKED.into() }
}

/// A line that holds a secret; when none is recognised in it, it is there in a form that nobody knows.
fn without_secret(line: &str) -> String {
    if line.len() > READ {
        return MASKED.into();
    }
    let shown = hide(line);
    if shown == line { MASKED.into() } else { shown }
}

/// The last word of what stands before the secret of a line, or else the first one behind it.
fn word_before(pattern: &Pattern) -> Option<String> {
    let suffix = pattern.suffix.as_deref()?;
    words(&pattern.prefix).last().or_else(|| words(suffix).next()).map(str::to_lowercase)
}

fn words(text: &str) -> impl Iterator<Item = &str> {
    text.split(|one: char| !one.is_alphanumeric() && !"_-.".contains(one)).filter(|word| !word.is_empty())
}

fn has_word(line: &str, known: &BTreeSet<String>) -> bool {
    !known.is_empty() && words(line).any(|word| known.contains(&word.to_lowercase()))
}

/// Whether a line looks as if it held a secret; `has_secrets`: its file does.
fn is_suspicious(line: &str, has_secrets: bool) -> bool {
    let lower = line.to_lowercase();
    let behind = |word: &&str| lower.find(*word).and_then(|at| lower.get(at + word.len()..));
    WORDS.iter().filter_map(behind).any(has_value)
        || lower.contains("-----begin")
        || lower.split("://").skip(1).any(has_login)
        || (has_secrets && line.split(|one: char| !one.is_alphanumeric()).any(is_key))
}

/// Whether something stands behind a name of which `rest` may still have some letters.
fn has_value(rest: &str) -> bool {
    let behind = rest.trim_start_matches(|one: char| one.is_alphanumeric() || "_-.".contains(one));
    words(behind).any(|word| !is_harmless(word))
}

/// A small number, perhaps with a unit, or a word that switches something.
fn is_harmless(value: &str) -> bool {
    let number = value.trim_end_matches(|one: char| one.is_ascii_alphabetic());
    let is_small = (1..4).contains(&number.len()) && number.bytes().all(|byte| byte.is_ascii_digit());
    (is_small && value.len() < LEAST)
        || ["true", "false", "null", "none", "yes", "no", "on", "off"].contains(&value)
}

/// Whether `user:password@` stands in what is behind the `://` of a URL.
fn has_login(rest: &str) -> bool {
    let place = rest.split([' ', '"', '\'']).next().unwrap_or_default();
    place.rsplit_once('@').is_some_and(|(login, _)| login.contains(':'))
}

/// A long word with letters and digits.
fn is_key(word: &str) -> bool {
    let has = |is: fn(char) -> bool| word.chars().any(is);
    word.chars().count() >= KEY && has(|one| one.is_ascii_digit()) && has(char::is_alphabetic)
}
