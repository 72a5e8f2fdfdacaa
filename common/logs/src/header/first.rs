//! Headers that begin with the level, or have no timestamp at all.

use super::group::Group;
use super::{Found, Header, Sort, opening, token};
use crate::level::Level;
use crate::stamp::{self, Form};

pub(super) fn read(text: &[u8]) -> Option<Header> {
    match text[0] {
        b'[' => bracket(text),
        b'=' => erlang(text),
        b'0'..=b'9' => counter(text),
        byte if byte.is_ascii_alphabetic() => letters(text),
        _ => None,
    }
}

fn letters(text: &[u8]) -> Option<Header> {
    if let Some(found) = glog(text, 0) {
        let at = 1;
        let stamp = stamp::at(&text[at..])?;
        return Some(record(found).with_stamp(Some((at..at + stamp.len, stamp.form))));
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

fn record(found: Found) -> Header {
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

/// `I, [2025-03-14T… #1]  INFO -- : m` (Ruby), `E/AndroidRuntime( 1234): m`, `W: m`.
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
            let is_tag = text[end] == b':' || text[end..].iter().take(10).any(|b| *b == b')');
            is_tag.then(|| record(found))
        }
        [b':', b' ', ..] => Some(Header { sort: Sort::Weak, ..record(found) }),
        _ => None,
    }
}

fn ruby_word(text: &[u8], end: usize) -> Option<Found> {
    let start = text[..end].iter().rposition(|b| *b == b' ')? + 1;
    Some(Found::new(Level::of_word(&text[start..end])?, start..end, "Ruby logger"))
}

/// `Thread-1950::DEBUG::2011-12-07 12:14:15,018::…`.
fn vdsm(text: &[u8]) -> Option<Header> {
    let token = &text[..token::end(text, 0)];
    let first = token.windows(2).position(|w| w == b"::")? + 2;
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
fn stamp_near(text: &[u8], from: usize) -> Option<(std::ops::Range<usize>, Form)> {
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

/// What remains of lines that begin with a name: `fail: Category[1]`, `npm ERR! m`, `kern  :warn  : m`.
fn named(text: &[u8]) -> Option<Header> {
    let (count, _) = token::letters(text);
    let name = &text[..count];
    let rest = &text[count..];
    if name == b"fail" && rest.starts_with(b": ") && text.trim_ascii_end().ends_with(b"]") {
        return Some(record(Found::new(Level::Error, 0..4, "level first")));
    }
    let weak = |level, start: usize, length: usize, rule| {
        Some(Header { sort: Sort::Weak, ..record(Found::new(level, start..start + length, rule)) })
    };
    if name == b"npm" && rest.starts_with(b" ") {
        let (length, _) = token::letters(&rest[1..]);
        return weak(Level::of_word(&rest[1..=length])?, count + 1, length, "npm");
    }
    if name == b"PHP" && rest.starts_with(b" ") {
        let (length, _) = token::letters(&rest[1..]);
        let after = &rest[1 + length..];
        let level = match &rest[1..=length] {
            b"Fatal" | b"Parse" if after.starts_with(b" error:") => Level::Critical,
            word if after.starts_with(b":") => Level::of_word(word)?,
            _ => return None,
        };
        return weak(level, count + 1, length, "PHP");
    }
    // dmesg -x: `kern  :warn  : [    0.123] m`.
    let colon = count + token::spaces(rest);
    if text.get(colon) == Some(&b':') && token::is_facility(name) {
        let (length, _) = token::letters(&text[colon + 1..]);
        let word = colon + 1..colon + 1 + length;
        let tail = text[word.end..].trim_ascii_start();
        if tail.starts_with(b": ") {
            let level = token::severity(&text[word.clone()])?;
            return Some(record(Found::new(level, word, "facility:severity")));
        }
    }
    None
}

/// `[INFO] m`, `[ INFO] [1741944413.1]: m`, `[main] INFO c.x.Y - m`, `[I 2025-… Server] m`,
/// `[1234:5678:0314/092653.123:ERROR:file.cc(12)] m`, `[    0.123456] m`.
fn bracket(text: &[u8]) -> Option<Header> {
    let group = Group::at(text, 0)?;
    let inside = &text[group.start..group.end];
    if let [letter, b' ', rest @ ..] = inside
        && let (Some(level), Some(stamp)) = (Level::of_letter(*letter), stamp::at(rest))
    {
        let (word, at) = (group.start..group.start + 1, group.start + 2);
        let stamp = Some((at..at + stamp.len, stamp.form));
        return Some(record(Found::new(level, word, "letter before the date")).with_stamp(stamp));
    }
    let seconds =
        inside.split(|b| *b == b'.').all(|part| !part.is_empty() && part.iter().all(u8::is_ascii_digit));
    if seconds && inside.contains(&b'.') {
        return Some(uptime(text, group.after));
    }
    if let Some(found) = group.level(text).filter(|found| found.word.len() > 1) {
        let stamp = stamp_near(text, found.word.end);
        let sort = if stamp.is_some() { Sort::Record } else { Sort::Weak };
        return Some(Header { sort, ..record(found) }.with_stamp(stamp));
    }
    if let Some(found) = chrome(text, &group) {
        return Some(record(found));
    }
    after_name(text, group.after)
}

/// The kernel's and X.Org's seconds since boot.
fn uptime(text: &[u8], after: usize) -> Header {
    let at = after + token::spaces(&text[after..]);
    let found = (text.get(at) == Some(&b'(')).then(|| Group::at(text, at)?.level(text)).flatten();
    match found {
        Some(found) => record(found),
        None => Header::of(Sort::Record, "seconds since boot"),
    }
}

fn chrome(text: &[u8], group: &Group) -> Option<Found> {
    let inside = &text[group.start..group.end];
    let slash = inside.iter().position(|b| *b == b'/')?;
    let date = slash >= 4 && inside[slash - 4..slash].iter().all(u8::is_ascii_digit);
    let colon = slash + inside[slash..].iter().position(|b| *b == b':')?;
    let found = token::upper_word(text, group.start + colon + 1)?;
    date.then_some(Found { rule: "Chromium", settled: false, ..found })
}

/// `[main] INFO c.x.Y - m`, `[pod/web/app] 2025-… INFO m`.
fn after_name(text: &[u8], after: usize) -> Option<Header> {
    let at = after + token::spaces(&text[after..]);
    if at == after {
        return None;
    }
    if let Some(found) = token::upper_word(text, at) {
        return Some(Header { sort: Sort::Weak, ..record(Found { settled: false, ..found }) });
    }
    super::stamped(text, at)
}

/// `0 [main] INFO c.x - m`, `123 INFO: m`: a counter, then the level in capitals.
fn counter(text: &[u8]) -> Option<Header> {
    let digits = text.iter().take_while(|b| b.is_ascii_digit()).count();
    let mut at = digits + token::spaces(&text[digits..]);
    if at == digits {
        return None;
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

/// `=ERROR REPORT==== 14-Mar-2025::09:26:53 ===`.
fn erlang(text: &[u8]) -> Option<Header> {
    let found = token::upper_word(text, 1)?;
    let rest = text[found.word.end..].strip_prefix(b" REPORT==== ")?;
    let at = text.len() - rest.len();
    let stamp = stamp::at(rest).map(|stamp| (at..at + stamp.len, stamp.form));
    Some(record(Found { settled: false, ..found }).with_stamp(stamp))
}
