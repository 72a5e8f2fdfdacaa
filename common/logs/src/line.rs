//! What one line is: its wrapper taken off, its colours taken out, its header read.

use std::ops::Range;

use memchr::memchr;

use crate::fields::{self, Keys};
use crate::header::{self, Header, Sort};
use crate::level::Level;
use crate::rules::{Format, Rules};
use crate::stamp::{self, Form};
use crate::wrapper::{self, Part};

/// One line and what it says of itself.
#[derive(Debug, Clone)]
pub struct Line<'a> {
    /// What kind of line it is.
    pub sort: Sort,
    /// The level, where there is one.
    pub level: Option<Level>,
    /// The level as the log spells it; empty when there is none.
    pub word: &'a [u8],
    /// The timestamp and its form.
    pub stamp: Option<(&'a [u8], Form)>,
    /// The rule that decided, for people.
    pub rule: &'static str,
    /// The part of a container's line that this is.
    pub part: Option<Part>,
    /// The bytes up to the word, the word and the one byte after it decided alone, and all of them
    /// stand in the line itself.
    pub settled: bool,
    /// How many bytes behind the word took part in that, at least one.
    pub tail: usize,
}

/// Room for lines that have to be rewritten before they can be read.
#[derive(Debug, Default)]
pub struct Scratch {
    unwrapped: Vec<u8>,
    plain: Vec<u8>,
}

/// Of a line that must be rewritten, only so much is looked at.
const REWRITTEN: usize = 64 * 1024;
/// Colour codes are taken out of the header, not of the message.
const COLOURED: usize = 1024;

/// Reads one line, without its line end.
pub fn read<'a>(line: &'a [u8], rules: &Rules, scratch: &'a mut Scratch) -> Line<'a> {
    let line = clean_start(line);
    if rules.pattern.is_some() {
        return by_pattern(line, rules);
    }
    let mut read = match outer(line, rules) {
        Outer::Whole(line) => line,
        Outer::Text(text, context) => inner(text, rules, &mut scratch.plain, &context),
        Outer::Escaped(string, context) => {
            scratch.unwrapped.clear();
            fields::unescape(&string[..string.len().min(REWRITTEN)], &mut scratch.unwrapped);
            let text = &scratch.unwrapped[..];
            let text = text.strip_suffix(b"\n").unwrap_or(text);
            inner(text, rules, &mut scratch.plain, &context)
        }
    };
    if let Some(level) = rules.keys.own(read.word) {
        read.level = Some(level);
    }
    read
}

/// A byte order mark at the start of the file, and the NULs that truncating an open log leaves.
fn clean_start(line: &[u8]) -> &[u8] {
    match line.first() {
        Some(0xef) => line.strip_prefix(b"\xef\xbb\xbf").unwrap_or(line),
        Some(0) => &line[line.iter().position(|b| *b != 0).unwrap_or(line.len())..],
        _ => line,
    }
}

/// What the wrapper knows that the inner line may not say.
#[derive(Default)]
struct Context<'a> {
    wrapped: bool,
    stamp: Option<(&'a [u8], Form)>,
    level: Option<(Level, &'a [u8])>,
    part: Option<Part>,
}

enum Outer<'a> {
    Whole(Line<'a>),
    Text(&'a [u8], Context<'a>),
    Escaped(&'a [u8], Context<'a>),
}

fn outer<'a>(line: &'a [u8], rules: &Rules) -> Outer<'a> {
    let wants = |format| rules.format == Format::Auto || rules.format == format;
    match line.first() {
        Some(b'{') if wants(Format::Docker) || rules.format == Format::Json => docker(line, rules),
        Some(b'<') if wants(Format::Syslog) => match wrapper::pri(line) {
            Some((level, digits, rest)) => {
                // RFC 5424 puts a version between the PRI and the time.
                let text = rest.strip_prefix(b"1 ").unwrap_or(rest);
                let level = Some((level, &line[digits]));
                Outer::Text(text, Context { wrapped: true, level, ..Context::default() })
            }
            None => Outer::Text(line, Context::default()),
        },
        Some(b'0'..=b'9') if wants(Format::Cri) => match wrapper::cri(line) {
            Some((length, form, part, inner)) => {
                let stamp = Some((&line[..length], form));
                Outer::Text(inner, Context { wrapped: true, stamp, part: Some(part), level: None })
            }
            None => Outer::Text(line, Context::default()),
        },
        Some(b'_' | b'P') if wants(Format::Journal) => match export(line) {
            Some(line) => Outer::Whole(line),
            None => Outer::Text(line, Context::default()),
        },
        Some(byte) if rules.format == Format::Auto && byte.is_ascii_alphanumeric() => {
            match wrapper::compose(line) {
                Some(inner) => Outer::Text(inner, Context::default()),
                None => Outer::Text(line, Context::default()),
            }
        }
        _ => Outer::Text(line, Context::default()),
    }
}

fn docker<'a>(line: &'a [u8], rules: &Rules) -> Outer<'a> {
    let Some(fields) = fields::json(line, &rules.keys, rules.want_time) else {
        return Outer::Text(line, Context::default());
    };
    let stamp = fields.stamp.clone().map(|(range, form)| (&line[range], form));
    if let Some(string) = fields.wrapped.clone().filter(|_| rules.format != Format::Json) {
        let goes_on = !line[string.clone()].ends_with(b"\\n");
        let part = Some(Part { is_stderr: fields.is_stderr, goes_on });
        return Outer::Escaped(&line[string], Context { wrapped: true, stamp, part, level: None });
    }
    let (level, word) = fields.level.map_or((None, 0..0), |(level, word)| (Some(level), word));
    let settled = fields.settled
        && level.is_some()
        && (!rules.want_time || stamp_is_before(fields.stamp.as_ref(), &word));
    let rule = if level.is_some() { "JSON field" } else { "JSON without a level" };
    Outer::Whole(Line {
        sort: Sort::Record,
        level,
        word: &line[word],
        stamp,
        rule,
        part: None,
        settled,
        tail: 1,
    })
}

fn stamp_is_before(stamp: Option<&(Range<usize>, Form)>, word: &Range<usize>) -> bool {
    stamp.is_some_and(|(range, _)| range.end <= word.start)
}

/// A record of the journal's export format; its lines have been joined by the caller.
fn export(record: &[u8]) -> Option<Line<'_>> {
    if !is_export(record) {
        return None;
    }
    let field = |name: &[u8]| {
        let mut lines = record.split(|b| *b == b'\n');
        lines.find_map(|line| line.strip_prefix(name).and_then(|value| value.strip_prefix(b"=")))
    };
    let word = field(b"PRIORITY").unwrap_or_default();
    let level = match word {
        [digit @ b'0'..=b'7'] => Level::of_syslog(u64::from(digit - b'0')),
        _ => None,
    };
    let time = field(b"__REALTIME_TIMESTAMP").and_then(|time| Some((time, stamp::whole(time)?)));
    let word = if level.is_some() { word } else { b"" };
    let (sort, rule) = (Sort::Record, "journal export");
    Some(Line { sort, level, word, stamp: time, rule, part: None, settled: false, tail: 1 })
}

/// Whether a record of the journal's export format begins here (systemd, `JOURNAL_EXPORT_FORMATS`).
#[must_use]
pub fn is_export(text: &[u8]) -> bool {
    text.starts_with(b"__CURSOR=") || text.starts_with(b"__REALTIME_TIMESTAMP=")
}

/// The line of the program itself: JSON, logfmt or text.
fn inner<'a>(text: &'a [u8], rules: &Rules, plain: &'a mut Vec<u8>, context: &Context<'a>) -> Line<'a> {
    let own = text.as_ptr();
    let text = decolour(text, plain);
    let copied = text.as_ptr() != own;
    let mut line = match structured(text, rules) {
        Some(line) => line,
        None if matches!(rules.format, Format::Json | Format::Logfmt) => of_header(text, more()),
        None => own_word(text, rules).unwrap_or_else(|| of_header(text, header::read(text))),
    };
    line.settled &= !context.wrapped && !copied;
    if let Some((level, word)) = context.level {
        (line.sort, line.level, line.word, line.rule) = (Sort::Record, Some(level), word, "syslog PRI");
    }
    line.stamp = context.stamp.or(line.stamp);
    line.part = context.part;
    line
}

fn more() -> Header {
    Header { sort: Sort::More, ..header::read(b"") }
}

fn of_header(text: &[u8], header: Header) -> Line<'_> {
    Line {
        sort: header.sort,
        level: header.level,
        word: &text[header.word],
        stamp: header.stamp.map(|(range, form)| (&text[range], form)),
        rule: header.rule,
        part: None,
        settled: header.settled,
        tail: header.tail,
    }
}

fn structured<'a>(text: &'a [u8], rules: &Rules) -> Option<Line<'a>> {
    let (fields, rule) = match (text.first()?, rules.format) {
        (_, Format::Text | Format::Syslog) | (b'{', Format::Logfmt) => return None,
        (b'{', _) => (fields::json(text, &rules.keys, rules.want_time)?, "JSON field"),
        (_, Format::Json) => return None,
        (byte, format) if byte.is_ascii_alphabetic() || b"_@".contains(byte) => {
            let fields = fields::logfmt(text, &rules.keys, rules.want_time)?;
            let known = fields.level.is_some() || fields.stamp.is_some() || has_time(text);
            if !known && format != Format::Logfmt {
                return None;
            }
            (fields, "logfmt field")
        }
        _ => return None,
    };
    let (level, word) = fields.level.map_or((None, 0..0), |(level, word)| (Some(level), word));
    Some(Line {
        sort: Sort::Record,
        level,
        word: &text[word.clone()],
        stamp: fields.stamp.clone().map(|(range, form)| (&text[range], form)),
        rule,
        part: None,
        settled: fields.settled
            && level.is_some()
            && (!rules.want_time || stamp_is_before(fields.stamp.as_ref(), &word)),
        tail: 1,
    })
}

/// Tokens in which the caller's own word is looked for.
const OWN_TOKENS: usize = 12;

/// A text whose header has no level that is known, but a word that the caller gave one.
fn own_word<'a>(text: &'a [u8], rules: &Rules) -> Option<Line<'a>> {
    if rules.keys.words.is_empty() {
        return None;
    }
    let line = of_header(text, header::read(text));
    if line.level.is_some() || line.sort == Sort::More {
        return Some(line);
    }
    let is_border = |byte: &u8| byte.is_ascii_whitespace() || b"[](){}<>|:,;".contains(byte);
    let header = &text[..text.len().min(COLOURED)];
    let mut tokens = header.split(is_border).filter(|token| !token.is_empty()).take(OWN_TOKENS);
    let found = tokens.find_map(|token| Some((token, rules.keys.own(token)?)));
    let Some((word, level)) = found else { return Some(line) };
    let first = word.as_ptr() == text.as_ptr() || line.sort != Sort::Plain;
    let sort = if line.sort == Sort::Plain { Sort::Weak } else { line.sort };
    first.then_some(Line { sort, level: Some(level), word, rule: "--map", settled: false, ..line })
}

/// A logfmt record without a level is told from a message such as `a=1` by its time.
fn has_time(text: &[u8]) -> bool {
    fields::logfmt(text, &Keys::default(), true).is_some_and(|fields| fields.stamp.is_some())
}

/// `text` without SGR sequences (`ESC [ … m`) in its first kilobyte.
fn decolour<'a>(text: &'a [u8], plain: &'a mut Vec<u8>) -> &'a [u8] {
    let head = &text[..text.len().min(COLOURED)];
    let Some(mut escape) = memchr(0x1b, head) else {
        plain.clear();
        return text;
    };
    plain.clear();
    let mut rest = text;
    let end = loop {
        plain.extend_from_slice(&rest[..escape]);
        let sequence = &rest[escape + 1..];
        let length = sequence.iter().skip(1).position(|b| !b.is_ascii_digit() && !b";:".contains(b));
        rest = match (sequence.first(), length) {
            (Some(b'['), Some(length)) => &sequence[length + 2..],
            _ => sequence,
        };
        match memchr(0x1b, &rest[..rest.len().min(COLOURED)]) {
            Some(next) if plain.len() < COLOURED => escape = next,
            _ => break rest.len().min(REWRITTEN),
        }
    };
    plain.extend_from_slice(&rest[..end]);
    plain
}

/// The caller's own pattern decides: a line that it matches begins a record.
fn by_pattern<'a>(line: &'a [u8], rules: &Rules) -> Line<'a> {
    let captures = rules.pattern.as_ref().and_then(|pattern| pattern.captures(line));
    let Some(word) = captures.and_then(|captures| captures.get(1)) else {
        let header = header::read(line);
        let sort = if header.stamp.is_some() { Sort::Record } else { header.sort };
        let sort = if sort == Sort::Weak || sort == Sort::Fills { Sort::Plain } else { sort };
        return of_header(line, Header { sort, level: None, word: 0..0, rule: "no match", ..header });
    };
    let stamp = header::read(line).stamp.map(|(range, form)| (&line[range], form));
    let word = &line[word.range()];
    let level = rules.level_of(word);
    Line {
        sort: Sort::Record,
        level,
        word,
        stamp,
        rule: "--level-pattern",
        part: None,
        settled: false,
        tail: 1,
    }
}

#[cfg(test)]
mod tests;
