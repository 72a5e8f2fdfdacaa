//! Headers that begin with the level, or have no timestamp at all.

use std::ops::Range;

use super::group::Group;
use super::{Found, Header, Sort, bracket, opening, token, zone};
use crate::level::Level;
use crate::stamp::{self, Form};

pub(super) fn read(text: &[u8]) -> Option<Header> {
    match text[0] {
        b'[' => bracket::read(text),
        b'(' | b'*' => bracket::glib(text),
        b'=' => erlang(text),
        b'0'..=b'9' => counter(text),
        byte if byte.is_ascii_alphabetic() => letters(text),
        _ => None,
    }
}

fn letters(text: &[u8]) -> Option<Header> {
    if let Some(found) = glog(text, 0) {
        let stamp = stamp::at(&text[1..])?;
        let end = 1 + stamp.len;
        // Behind a space and another one, or a digit, there is no zone that would belong to the stamp.
        let ends = matches!(text[end..], [b' ', b' ' | b'0'..=b'9', ..]);
        let found = if ends { found.settled_with(end + 1) } else { found };
        return Some(record(found).with_stamp(Some((1..end, stamp.form))));
    }
    if let Some(header) = letter(text).or_else(|| vdsm(text)) {
        return Some(header);
    }
    if let Some(found) = token::upper_word(text, 0) {
        return Some(upper(text, found));
    }
    if let Some(found) = token::mild_word(text, 0) {
        return mild(text, found);
    }
    named(text)
}

pub(super) fn record(found: Found) -> Header {
    Header::of(Sort::Record, "").with_level(found)
}

/// `I0314 09:26:53.123456 …` and with the year in two or four digits: klog, glog, `CockroachDB`.
pub(super) fn glog(text: &[u8], at: usize) -> Option<Found> {
    let rest = text.get(at..)?;
    let level = Level::of_letter(*rest.first()?)?;
    let digits = rest[1..].iter().take_while(|b| b.is_ascii_digit()).count();
    let is_time = matches!(rest.get(digits + 1..)?, [b' ', b'0'..=b'9', b'0'..=b'9', b':', ..]);
    let found = Found::new(level, at..at + 1, "letter before the date");
    (matches!(digits, 4 | 6 | 8) && is_time).then_some(found)
}

/// `I, [2025-03-14T… #1]  INFO -- : m` (Ruby), `E/AndroidRuntime( 1234): m`, `W( 1234) m`,
/// `E [04/Nov/2025:…] m` (CUPS), `E (6714) wifi: m` (ESP-IDF), `W: m`.
fn letter(text: &[u8]) -> Option<Header> {
    let level = Level::of_letter(text[0])?;
    let found = Found::new(level, 0..1, "letter first");
    match text[1..] {
        [b',', b' ', b'[', ..] => {
            let stamp = stamp::at(&text[4..]).map(|stamp| (4..4 + stamp.len, stamp.form));
            let word = text.windows(5).position(|w| w == b" -- :");
            // Ruby spells the level out before ` -- :`; count that word, which --raw shows.
            let found = word.and_then(|end| ruby_word(text, end)).unwrap_or(found);
            Some(record(found).with_stamp(stamp))
        }
        [b'/', name, ..] if name.is_ascii_alphanumeric() || name == b'_' => {
            let end = text[2..].iter().take(64).position(|b| matches!(b, b'(' | b':'))? + 2;
            // `I/O operations: 7` and `N/A: x` are prose; only in front of a process may a tag be short.
            let is_tag = match text[end] {
                b':' => {
                    end > 4 && b"VDIWEF".contains(&text[0]) && text[2..end].iter().all(|b| is_tag_byte(*b))
                }
                _ => Group::at(text, end).is_some_and(|group| is_number(&text[group.start..group.end])),
            };
            is_tag.then(|| record(found))
        }
        [b':', b' ', ..] => Some(Header { sort: Sort::Weak, ..record(found) }),
        [b' ', b'[', ..] => {
            let stamp = stamp::at(&text[3..])?;
            Some(record(found).with_stamp(Some((3..3 + stamp.len, stamp.form))))
        }
        [b'(', ..] | [b' ', b'(', ..] => {
            let group = Group::at(text, 1 + usize::from(text[1] == b' '))?;
            let number = is_number(&text[group.start..group.end]);
            (number && text.get(group.after) == Some(&b' ')).then(|| record(found))
        }
        _ => None,
    }
}

fn is_tag_byte(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"_.-$".contains(&byte)
}

fn is_number(text: &[u8]) -> bool {
    !text.is_empty() && text.iter().all(u8::is_ascii_digit)
}

fn ruby_word(text: &[u8], end: usize) -> Option<Found> {
    let start = text[..end].iter().rposition(|b| *b == b' ')? + 1;
    Some(Found::new(Level::of_word(&text[start..end])?, start..end, "Ruby logger"))
}

/// `Thread-1950::DEBUG::2011-12-07 12:14:15,018::…`.
fn vdsm(text: &[u8]) -> Option<Header> {
    let token = &text[..token::end(text, 0)];
    let first = token.iter().position(|b| *b == b':')? + 2;
    if token.get(first - 1) != Some(&b':') {
        return None;
    }
    let found = token::upper_word(text, first)?;
    let rest = text[found.word.end..].strip_prefix(b"::")?;
    let at = text.len() - rest.len();
    let stamp = stamp::at(rest)?;
    Some(record(found).with_stamp(Some((at..at + stamp.len, stamp.form))))
}

/// `INFO  [main] 2025-…`, `WARNING:root:m`, `INFO[0000] m`, `INFO [03-14|09:26:53] m`, `INFO m`.
fn upper(text: &[u8], found: Found) -> Header {
    let end = found.word.end;
    let found = Found { rule: "level first", settled: false, ..found };
    if let Some(stamp) = stamp_near(text, end) {
        return record(found).with_stamp(Some(stamp));
    }
    let header = record(found);
    match text[end..] {
        [b':', ..] => Header { sort: Sort::Fills, ..header },
        // logrus on a terminal counts the seconds since its start.
        [b'[', b'0'..=b'9', ..] => header,
        _ => Header { sort: Sort::Weak, ..header },
    }
}

/// A timestamp within the next few brackets and separators: `[main] 2025-…`, `| jvm 1 | 2015/…`.
pub(super) fn stamp_near(text: &[u8], from: usize) -> Option<(Range<usize>, Form)> {
    let mut at = from;
    for _ in 0..4 {
        while matches!(text.get(at), Some(b' ' | b'\t' | b'|' | b',' | b'-' | b':' | b']')) {
            at += 1;
        }
        let inside = at + opening(text.get(at..)?);
        if let Some(stamp) = stamp::at(text.get(inside..)?) {
            return Some((inside..inside + stamp.len, stamp.form));
        }
        at = match text.get(at)? {
            b'[' | b'(' | b'<' => Group::at(text, at)?.after,
            // The wrapper of Tanuki: `INFO   | jvm 1    | 2015/…`.
            b'a'..=b'z' if text[..at].contains(&b'|') => at + text[at..].iter().position(|b| *b == b'|')?,
            _ => return None,
        };
    }
    None
}

/// `info: Microsoft.Hosting.Lifetime[0]`, `error: message`, `Warning: message`.
fn mild(text: &[u8], found: Found) -> Option<Header> {
    let end = found.word.end;
    let found = Found { rule: "level first", ..found };
    match text[end..] {
        [b':', b' ', ..] => {
            // The .NET console: four letters, the category, the event number in brackets.
            let category = text.trim_ascii_end();
            let dotnet = end == 4
                && category.ends_with(b"]")
                && category.iter().rposition(|b| *b == b'[').is_some_and(|open| {
                    category[open + 1..category.len() - 1].iter().all(u8::is_ascii_digit)
                        && !category[6..open].contains(&b' ')
                });
            let sort = if dotnet { Sort::Record } else { Sort::Weak };
            Some(Header { sort, ..record(found) })
        }
        _ => stamp_near(text, end).map(|stamp| record(found).with_stamp(Some(stamp))),
    }
}

/// What remains of lines that begin with a name: `fail: Category[1]`, `npm ERR! m`, `LOG:  m`,
/// `kern  :warn  : m`, `nginx: [emerg] m`.
fn named(text: &[u8]) -> Option<Header> {
    let (count, _) = token::letters(text);
    let name = &text[..count];
    let rest = &text[count..];
    match name {
        b"fail" if rest.starts_with(b": ") && text.trim_ascii_end().ends_with(b"]") => {
            Some(record(Found::new(Level::Error, 0..4, "level first")))
        }
        b"LOG" if rest.starts_with(b":  ") => Some(weak(Level::Info, 0..3, "PostgreSQL")),
        b"npm" if rest.starts_with(b" ") => {
            let (length, _) = token::letters(&rest[1..]);
            Some(weak(Level::of_word(&rest[1..=length])?, count + 1..count + 1 + length, "npm"))
        }
        b"PHP" if rest.starts_with(b" ") => {
            let (level, length) = zone::php_level(&rest[1..])?;
            Some(weak(level, count + 1..count + 1 + length, "PHP"))
        }
        _ => facility(text, count).or_else(|| tagged(text)).or_else(|| behind_name(text)),
    }
}

fn weak(level: Level, word: Range<usize>, rule: &'static str) -> Header {
    Header { sort: Sort::Weak, ..record(Found::new(level, word, rule)) }
}

/// dmesg -x: `kern  :warn  : [    0.123] m`.
fn facility(text: &[u8], count: usize) -> Option<Header> {
    let colon = count + token::spaces(&text[count..]);
    if text.get(colon) != Some(&b':') || !token::is_facility(&text[..count]) {
        return None;
    }
    let (length, _) = token::letters(&text[colon + 1..]);
    let word = colon + 1..colon + 1 + length;
    let level = token::severity(&text[word.clone()])?;
    let closed = text[word.end..].trim_ascii_start().starts_with(b": ");
    closed.then(|| record(Found::new(level, word, "facility:severity")))
}

/// A program's name, and a level that is marked as one: `nginx: [emerg] m`, `mobileassetd[83]
/// <Notice>: m`, `log4j:WARN m`, `SLF4J(W): m`.
fn tagged(text: &[u8]) -> Option<Header> {
    let token = &text[..token::end(text, 0)];
    if let Some(colon) = token.iter().position(|b| *b == b':')
        && let Some(found) = token::upper_word(token, colon + 1)
        && found.word.end == token.len()
    {
        return Some(weak(found.level, found.word, "name:LEVEL"));
    }
    if let [name @ .., b'(', letter, b')', b':'] = token
        && !name.is_empty()
        && name.iter().all(u8::is_ascii_alphanumeric)
    {
        return Some(weak(Level::of_letter(*letter)?, name.len() + 1..name.len() + 2, "name(LEVEL)"));
    }
    if !matches!(token.last(), Some(b':' | b']')) {
        return None;
    }
    let at = token.len() + token::spaces(&text[token.len()..]);
    let group = match text.get(at) {
        Some(b'<') => Group::at(text, at)?,
        Some(b'[') if token.ends_with(b":") => Group::at(text, at)?,
        _ => return None,
    };
    let found = token::mild_word(text, group.start).filter(|found| found.word.end == group.end)?;
    Some(weak(found.level, found.word, "level in brackets"))
}

/// `acme.worker - WARNING - m`, `acme.worker DEBUG 2025-… m`, `acme:info  2025-…: m`.
fn behind_name(text: &[u8]) -> Option<Header> {
    let name = token::end(text, 0);
    let at = name + token::spaces(&text[name..]);
    if let Some(found) = token::upper_word(text, at).filter(|_| text[..name].contains(&b'.')) {
        let found = Found { settled: false, ..found };
        let (stamp, form) = stamp_near(text, found.word.end).filter(|(_, form)| form.has_year())?;
        return Some(record(found).with_stamp(Some((stamp, form))));
    }
    if let Some(found) = text[at..].strip_prefix(b"- ").and_then(|_| token::upper_word(text, at + 2)) {
        let fits = text[found.word.end..].starts_with(b" - ");
        return fits.then(|| weak(found.level, found.word, "between dashes"));
    }
    if let Some(colon) = text[..name].iter().position(|b| *b == b':')
        && let Some(found) = token::mild_word(text, colon + 1).filter(|found| found.word.end == name)
    {
        let stamp = stamp::at(&text[at..]).filter(|stamp| stamp.form.has_year())?;
        return Some(record(found).with_stamp(Some((at..at + stamp.len, stamp.form))));
    }
    None
}

/// `DETAIL:  m` and the other lines that `PostgreSQL` writes below an error.
pub(super) fn is_detail(text: &[u8]) -> bool {
    const WORDS: [&[u8]; 6] = [b"DETAIL", b"HINT", b"STATEMENT", b"CONTEXT", b"QUERY", b"LOCATION"];
    WORDS.iter().any(|word| text.strip_prefix(*word).is_some_and(|rest| rest.starts_with(b":  ")))
}

/// A record without a time of its own, behind the name that somebody else printed: klog, JSON or
/// logfmt.
pub(super) fn inner(text: &[u8], at: usize) -> Option<Found> {
    let found = match text.get(at)? {
        b'{' => zone::json_level(text, at),
        _ => glog(text, at).or_else(|| zone::logfmt_level(text, at)),
    };
    found.map(|found| Found { settled: false, ..found })
}

/// `0 [main] INFO c.x - m`, `123 INFO: m`: a counter, then the level in capitals.
fn counter(text: &[u8]) -> Option<Header> {
    let digits = text.iter().take_while(|b| b.is_ascii_digit()).count();
    if text.get(digits) == Some(&b':') {
        return gstreamer(text);
    }
    let mut at = digits + token::spaces(&text[digits..]);
    if at == digits {
        return epoch(text);
    }
    let group = (text.get(at) == Some(&b'[')).then(|| Group::at(text, at)).flatten();
    let named = group.is_some();
    if let Some(group) = group {
        at = group.after + token::spaces(&text[group.after..]);
    }
    let found = token::upper_word(text, at)?;
    let strong = named || text.get(found.word.end) == Some(&b':');
    strong.then(|| Header { sort: Sort::Weak, ..record(Found { settled: false, ..found }) })
}

/// `1.7419444135123456e+09\tINFO\tm`: zap's console, with the seconds as it prints a number.
fn epoch(text: &[u8]) -> Option<Header> {
    let end = text.iter().position(|b| *b == b'\t')?;
    let float = text[..end].strip_suffix(b"e+09")?;
    let found = token::upper_word(text, end + 1).or_else(|| token::mild_word(text, end + 1))?;
    let fits =
        float.iter().all(|b| b.is_ascii_digit() || *b == b'.') && text.get(found.word.end) == Some(&b'\t');
    fits.then(|| record(Found { settled: false, ..found }))
}

/// `0:00:00.452100000   987 0xffffa8000b70 WARN  category file.c:12:f:<x> m`: the time since the
/// start in nanoseconds, the process, the thread.
fn gstreamer(text: &[u8]) -> Option<Header> {
    let time = &text[..token::end(text, 0)];
    let point = time.len().checked_sub(10)?;
    let process = time.len() + token::spaces(&text[time.len()..]);
    let end = token::end(text, process);
    let thread = end + token::spaces(&text[end..]);
    let level = token::end(text, thread);
    let found = token::upper_word(text, level + token::spaces(&text[level..]))?;
    let fits = time[point] == b'.'
        && end > process
        && text[process..end].iter().all(u8::is_ascii_digit)
        && text[thread..].starts_with(b"0x");
    fits.then(|| record(Found { rule: "GStreamer", ..found }))
}

/// `=ERROR REPORT==== 14-Mar-2025::09:26:53 ===`; the reports without a level in their name have
/// the one that OTP's logger gives them.
fn erlang(text: &[u8]) -> Option<Header> {
    let (count, _) = token::letters(&text[1..]);
    let word = 1..1 + count;
    let level = match &text[word.clone()] {
        b"CRASH" | b"SUPERVISOR" => Level::Error,
        b"PROGRESS" => Level::Info,
        other => Level::of_word(other)?,
    };
    let rest = text[word.end..].strip_prefix(b" REPORT==== ")?;
    let at = text.len() - rest.len();
    let stamp = stamp::at(rest).map(|stamp| (at..at + stamp.len, stamp.form));
    Some(record(Found::new(level, word, "Erlang report")).with_stamp(stamp))
}
