//! Where the header of a text record carries its level.
//!
//! A logger writes a header (time, level, thread, logger name, in some order) and then the message.
//! The level is looked for in the header only, and only in the places where loggers put one; a word
//! in the message never counts. Three readers share the work:
//!
//! - this file finds the timestamp, at the start of the line or after a short prefix;
//! - [`zone`] walks over the tokens after it, until it finds a level or the message begins;
//! - [`first`] knows the headers that begin with the level.
//!
//! Everything up to the level is *digit-blind*: two lines alike but for their digits are read alike.
//! The fast path in `records` rests on that.

mod first;
mod group;
mod token;
mod zone;

use std::ops::Range;

use crate::level::Level;
use crate::stamp::{self, Form};

/// No header is longer: beyond this many bytes everything is message.
const LONGEST_HEADER: usize = 512;

/// What kind of line this is, as far as the line itself tells.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sort {
    /// Begins a record.
    Record,
    /// Begins a record whose level may stand at the start of the next line (`java.util.logging`).
    Opens,
    /// Begins a record, unless the line before [`Sort::Opens`] one: then it is that one's level.
    Fills,
    /// Begins a record in a log without timestamps; in a log that has them it is part of the
    /// message before (`ERROR 12` in a table, `Error: x` above a trace).
    Weak,
    /// Part of the record before it: indented, or the word of a stack trace.
    More,
    /// Neither stamp nor level: part of the record before it, or a record without a level in a log
    /// that has no headers at all.
    Plain,
}

/// What the header of one line says. Ranges are offsets in the text that was read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Header {
    /// What kind of line it is.
    pub sort: Sort,
    /// The level, where there is one.
    pub level: Option<Level>,
    /// The level as the log spells it; empty when there is none.
    pub word: Range<usize>,
    /// The timestamp and its form.
    pub stamp: Option<(Range<usize>, Form)>,
    /// The rule that decided, for people.
    pub rule: &'static str,
    /// Whether the bytes up to the word, the word and the one byte after it decided alone.
    pub settled: bool,
}

impl Header {
    fn of(sort: Sort, rule: &'static str) -> Self {
        Self { sort, level: None, word: 0..0, stamp: None, rule, settled: false }
    }

    fn with_level(mut self, found: Found) -> Self {
        self.level = Some(found.level);
        self.word = found.word;
        self.rule = found.rule;
        self.settled = found.settled;
        self
    }

    fn with_stamp(mut self, stamp: Option<(Range<usize>, Form)>) -> Self {
        self.stamp = stamp;
        self
    }
}

/// A level and where it stands.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Found {
    level: Level,
    word: Range<usize>,
    rule: &'static str,
    settled: bool,
}

impl Found {
    fn new(level: Level, word: Range<usize>, rule: &'static str) -> Self {
        Self { level, word, rule, settled: false }
    }

    /// The decision needed no byte beyond the one after the word.
    fn settled(mut self) -> Self {
        self.settled = true;
        self
    }
}

/// Reads the header of a line of text (not JSON, not wrapped, without colour codes).
#[must_use]
pub fn read(line: &[u8]) -> Header {
    let text = &line[..line.len().min(LONGEST_HEADER)];
    let Some(&byte) = text.first() else { return Header::of(Sort::More, "empty line") };
    if byte == b' ' || byte == b'\t' {
        return indented(text);
    }
    if let Some(stamped) = stamped(text, 0) {
        return stamped;
    }
    if let Some(first) = first::read(text) {
        return first;
    }
    if let Some(prefixed) = prefixed(text) {
        return prefixed;
    }
    if is_trace(text) {
        return Header::of(Sort::More, "stack trace");
    }
    Header::of(Sort::Plain, "no stamp, no level")
}

/// A record whose timestamp begins at `start`, or in a bracket that opens there.
fn stamped(text: &[u8], start: usize) -> Option<Header> {
    let at = start + opening(&text[start..]);
    let stamp = stamp::at(text.get(at..)?)?;
    let range = at..at + stamp.len;
    let header = match zone::Zone::after(text, &range).read() {
        zone::Verdict::Level(found) => Header::of(Sort::Record, "").with_level(found),
        zone::Verdict::Detail => Header::of(Sort::More, "detail of the record before"),
        zone::Verdict::None if is_jul(&text[range.clone()]) => {
            Header::of(Sort::Opens, "level on the next line")
        }
        zone::Verdict::None => Header::of(Sort::Record, "stamp without a level"),
    };
    Some(header.with_stamp(Some((range, stamp.form))))
}

/// Says this stamp its date, in other words than an epoch? Ten digits may be anything.
fn is_dated(text: &[u8], stamp: &Range<usize>, form: Form) -> bool {
    let digits = text[stamp.clone()].iter().take_while(|b| b.is_ascii_digit()).count();
    form.has_date() && !matches!(digits, 10 | 13 | 16 | 19)
}

/// `Mar 14, 2025 9:26:53 AM`: java.util.logging's `SimpleFormatter` puts the level on the next line.
fn is_jul(stamp: &[u8]) -> bool {
    stamp[0].is_ascii_alphabetic() && stamp.ends_with(b"M") && stamp.windows(2).any(|w| w == b", ")
}

/// How many bytes of bracket stand before a timestamp: `[`, `[ `, `(`, `<`, `####<`.
fn opening(text: &[u8]) -> usize {
    match text {
        [b'[', b' ', ..] => 2,
        [b'[' | b'(' | b'<', ..] => 1,
        [b'#', b'#', b'#', b'#', b'<', ..] => 5,
        _ => 0,
    }
}

/// Few loggers indent their headers: tracing's pretty form, Consul, `ActiveMQ`, Vagrant.
fn indented(text: &[u8]) -> Header {
    let indent = text.iter().take_while(|b| **b == b' ').count();
    let rest = &text[indent..];
    if (1..=8).contains(&indent) && rest.first().is_some_and(|b| b.is_ascii_digit() || *b == b'[') {
        if let Some(header) = stamped(text, indent)
            && header.stamp.as_ref().is_some_and(|(_, form)| form.has_date())
        {
            return header;
        }
    }
    if indent == 1
        && let Some(found) = token::upper_word(text, 1)
    {
        return Header::of(Sort::Weak, "").with_level(found);
    }
    Header::of(Sort::More, "indented")
}

/// A timestamp after one to three tokens that are no prose: `1:M 14 Mar…`, `nova-api.log 2017-…`,
/// `10.0.0.1 - - [11/Feb/2013:…]`, `- 1117838570 2005.06.03 …`.
fn prefixed(text: &[u8]) -> Option<Header> {
    let mut at = 0;
    for index in 0..4 {
        let end = token::end(text, at);
        if index == 3 || !is_prefix(&text[at..end], index) {
            return None;
        }
        at = end + token::spaces(&text[end..]);
        let from = at + opening(text.get(at..)?);
        if let Some(stamp) = stamp::at(text.get(from..)?) {
            let dated = is_dated(text, &(from..from + stamp.len), stamp.form) || is_label(&text[..end]);
            return if dated { stamped_after_prefix(text, at, &text[..end]) } else { None };
        }
    }
    None
}

fn stamped_after_prefix(text: &[u8], at: usize, prefix: &[u8]) -> Option<Header> {
    let mut header = stamped(text, at)?;
    let (stamp, _) = header.stamp.clone()?;
    if is_redis(prefix)
        && let [b' ', sign, b' ', ..] = text[stamp.end..]
    {
        let level = match sign {
            b'.' => Level::Debug,
            b'-' => Level::Trace,
            b'*' => Level::Notice,
            b'#' => Level::Warning,
            _ => return Some(header),
        };
        let word = stamp.end + 1..stamp.end + 2;
        header = header.with_level(Found::new(level, word, "sign after the stamp").settled());
    }
    Some(header)
}

/// `1:M`, `1234:signal-handler`, `[1234]`.
fn is_redis(prefix: &[u8]) -> bool {
    let digits = |text: &[u8]| text.iter().take_while(|b| b.is_ascii_digit()).count();
    match prefix {
        [b'[', rest @ ..] => digits(rest) > 0 && &rest[digits(rest)..] == b"]",
        _ => {
            let n = digits(prefix);
            n > 0 && matches!(prefix[n..], [b':', b'M' | b'S' | b'C' | b'X'] | [b':', b's', ..])
        }
    }
}

/// BGL and its kin begin with `-` or an alert label in capitals.
fn is_label(prefix: &[u8]) -> bool {
    prefix == b"-" || prefix.iter().all(u8::is_ascii_uppercase)
}

/// A token that may stand before the timestamp: a name, a number or an address, but no prose.
fn is_prefix(token: &[u8], index: usize) -> bool {
    match token {
        [] => false,
        b"-" | b"|" => true,
        [.., b':' | b',' | b'.' | b'!' | b'?'] => false,
        [b'"' | b'\'' | b'{' | b'<' | b'=', ..] => false,
        _ => {
            (index == 0 && is_label(token))
                || token.iter().any(|b| b.is_ascii_digit() || b"._-/:@|[".contains(b))
        }
    }
}

/// The lines that belong to a stack trace without being indented.
fn is_trace(text: &[u8]) -> bool {
    const STARTS: [&[u8]; 9] = [
        b"at ",
        b"Caused by:",
        b"Traceback ",
        b"... ",
        b"Suppressed:",
        b"During handling of",
        b"The above exception",
        b"goroutine ",
        b"stack backtrace:",
    ];
    matches!(text[0], b'}' | b')' | b']') || STARTS.iter().any(|start| text.starts_with(start))
}

#[cfg(test)]
mod tests;
