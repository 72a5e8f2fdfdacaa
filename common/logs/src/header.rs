//! Where the header of a text record carries its level.
//!
//! A logger writes a header (time, level, thread, logger name, in some order) and then the message.
//! The level is looked for in the header only, and only in the places where loggers put one; a word
//! in the message never counts. Four readers share the work:
//!
//! - `zone` walks over the tokens after the timestamp, until it finds a level or the message
//!   begins;
//! - `first` and `bracket` know the headers that begin with the level or with a name;
//! - `prefix` finds a timestamp, or a record of its own, behind a few names and numbers.
//!
//! Everything up to the level is *digit-blind*: two lines alike but for their digits are read alike.
//! The fast path in `records` rests on that.

mod bracket;
mod doubt;
mod first;
mod group;
mod prefix;
mod token;
mod zone;

use std::ops::Range;

use crate::level::Level;
use crate::stamp::{self, Form};
use group::Group;

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
    /// Whether the bytes up to the word, the word and [`Header::tail`] bytes behind it decided alone.
    pub settled: bool,
    /// How many bytes behind the word took part, at least one.
    pub tail: usize,
}

impl Header {
    fn of(sort: Sort, rule: &'static str) -> Self {
        Self { sort, level: None, word: 0..0, stamp: None, rule, settled: false, tail: 1 }
    }

    fn with_level(mut self, found: Found) -> Self {
        self.level = Some(found.level);
        self.word = found.word;
        self.rule = found.rule;
        (self.settled, self.tail) = (found.settled, found.tail);
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
    tail: usize,
}

impl Found {
    fn new(level: Level, word: Range<usize>, rule: &'static str) -> Self {
        Self { level, word, rule, settled: false, tail: 1 }
    }

    /// The decision needed no byte beyond the one after the word.
    fn settled(self) -> Self {
        self.settled_with(1)
    }

    /// The decision needed so many bytes after the word, and none beyond.
    fn settled_with(self, tail: usize) -> Self {
        Self { settled: true, tail, ..self }
    }
}

/// Reads the header of a line of text (not JSON, not wrapped, without colour codes).
#[must_use]
pub fn read(line: &[u8]) -> Header {
    let text = &line[..line.len().min(LONGEST_HEADER)];
    let mut header = read_text(text);
    let before = &text[..header.word.start];
    // What a bracket at the start is, its end decides, unless a time at its start did.
    let timed = header.stamp.as_ref().is_some_and(|(stamp, _)| stamp.start <= opening(text));
    header.settled = header.settled && !doubt::is_in(before) && (timed || !doubt::is_open(before));
    header
}

fn read_text(text: &[u8]) -> Header {
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
    if is_more(text) {
        return Header::of(Sort::More, "part of the record before");
    }
    if let Some(prefixed) = prefix::read(text) {
        return prefixed;
    }
    if let Some(found) = zone::cisco_anywhere(text) {
        return Header::of(Sort::Record, "").with_level(found);
    }
    Header::of(Sort::Plain, "no stamp, no level")
}

/// A record whose timestamp begins at `start`, or in a bracket that opens there.
fn stamped(text: &[u8], start: usize) -> Option<Header> {
    let at = start + opening(&text[start..]);
    let stamp = stamp::at(text.get(at..)?)?;
    let range = at..at + stamp.len;
    let verdict = redis(text, start, &range)
        .or_else(|| if at > start { bracket::letter_inside(text, &range) } else { None })
        .map_or_else(|| zone::Zone::after(text, &range, stamp.form).read(), zone::Verdict::Level);
    let header = match verdict {
        zone::Verdict::Level(found) => Header::of(Sort::Record, "").with_level(found),
        zone::Verdict::Detail => Header::of(Sort::More, "detail of the record before"),
        zone::Verdict::None if is_jul(&text[range.clone()]) => {
            Header::of(Sort::Opens, "level on the next line")
        }
        zone::Verdict::None if at > start => closing(text, start, range.end),
        zone::Verdict::None => match zone::csvlog(text, range.end) {
            Some(found) => Header::of(Sort::Record, "").with_level(found),
            None => Header::of(Sort::Record, "stamp without a level"),
        },
    };
    Some(header.with_stamp(Some((range, stamp.form))))
}

/// The bracket around the timestamp holds more: the level is its last word
/// (`[2025-03-14 09:26:53 'x' 1397 INFO]`), or stands right behind it (`<… user@db>ERROR:  m`).
fn closing(text: &[u8], start: usize, stamp_end: usize) -> Header {
    let unknown = Header::of(Sort::Record, "stamp without a level");
    let Some(group) = Group::at(text, start).filter(|group| group.after > stamp_end + 1) else {
        return unknown;
    };
    let last = text[stamp_end..group.end].iter().rposition(|b| *b == b' ').map(|space| stamp_end + space + 1);
    let found = last.and_then(|at| token::upper_word(text, at)).filter(|found| found.word.end == group.end);
    if let Some(found) = found.or_else(|| token::upper_word(text, group.after)) {
        let found = Found { settled: false, ..found };
        return Header::of(Sort::Record, "").with_level(found);
    }
    let behind = &text[group.after..];
    if first::is_detail(behind) {
        return Header::of(Sort::More, "detail of the record before");
    }
    if behind.starts_with(b"LOG:") {
        let word = group.after..group.after + 3;
        return Header::of(Sort::Record, "").with_level(Found::new(Level::Info, word, "PostgreSQL"));
    }
    unknown
}

/// Redis puts a sign behind its time, `14 Mar 2025 09:26:53.123 # message`. The line begins with
/// `1:M`, `[1234]` or nothing, and ends with the year or without.
fn redis(text: &[u8], start: usize, stamp: &Range<usize>) -> Option<Found> {
    let [b' ', sign, b' ', ..] = text[stamp.end..] else { return None };
    let level = match sign {
        b'.' => Level::Debug,
        b'-' if start > 0 => Level::Trace,
        b'*' => Level::Notice,
        b'#' => Level::Warning,
        _ => return None,
    };
    let date = &text[stamp.clone()];
    let day = date.iter().take_while(|b| b.is_ascii_digit()).count();
    let named = date.get(day) == Some(&b' ') && date.get(day + 1).is_some_and(u8::is_ascii_alphabetic);
    let word = stamp.end + 1..stamp.end + 2;
    (named && prefix::is_redis(&text[..start]))
        .then(|| Found::new(level, word, "sign after the stamp").settled())
}

/// Says this stamp its date, in other words than an epoch?
fn is_dated(text: &[u8], stamp: &Range<usize>, form: Form) -> bool {
    form.has_date() && !is_epoch(&text[stamp.clone()])
}

/// Ten digits may be anything.
fn is_epoch(stamp: &[u8]) -> bool {
    matches!(stamp.iter().take_while(|b| b.is_ascii_digit()).count(), 10 | 13 | 16 | 19)
}

/// `Mar 14, 2025 9:26:53 AM`: java.util.logging's `SimpleFormatter` puts the level on the next line.
fn is_jul(stamp: &[u8]) -> bool {
    stamp[0].is_ascii_alphabetic() && stamp.ends_with(b"M") && stamp.windows(2).any(|w| w == b", ")
}

/// How many bytes of bracket stand before a timestamp: `[`, `[ `, `(`, `<`, `####<`, `[#|`.
fn opening(text: &[u8]) -> usize {
    match text {
        [b'[', b' ', ..] => 2,
        // GlassFish: `[#|2025-…|SEVERE|…`.
        [b'[', b'#', b'|', ..] => 3,
        [b'[' | b'(' | b'<', ..] => 1,
        [b'#', b'#', b'#', b'#', b'<', ..] => 5,
        _ => 0,
    }
}

/// Few loggers indent their headers: tracing's pretty form, Consul, `ActiveMQ`, Vagrant.
fn indented(text: &[u8]) -> Header {
    let indent = text.iter().take_while(|b| **b == b' ').count();
    let rest = &text[indent..];
    if (1..=8).contains(&indent)
        && rest.first().is_some_and(|b| b.is_ascii_digit() || *b == b'[')
        && let Some(header) = stamped(text, indent)
        && (header.stamp.as_ref().is_some_and(|(_, form)| form.has_date())
            // Bitnami's scripts: one space, the time of day, the level.
            || (indent == 1 && header.level.is_some()))
    {
        return header;
    }
    if indent == 1
        && let Some(found) = token::upper_word(text, 1)
    {
        return Header::of(Sort::Weak, "").with_level(Found { settled: false, ..found });
    }
    Header::of(Sort::More, "indented")
}

/// The lines that belong to a record without being indented: stack traces, and what `PostgreSQL`
/// adds to an error.
fn is_more(text: &[u8]) -> bool {
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
    matches!(text[0], b'}' | b')' | b']')
        || STARTS.iter().any(|start| text.starts_with(start))
        || first::is_detail(text)
}

#[cfg(test)]
mod tests;
