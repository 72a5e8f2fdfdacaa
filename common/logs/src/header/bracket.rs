//! Headers that begin with a bracket without a timestamp in front.

use std::ops::Range;

use super::group::Group;
use super::{Found, Header, Sort, first, stamped, token};
use crate::level::Level;
use crate::stamp;

/// `[INFO] m`, `[ INFO] [1741944413.1]: m`, `[main] INFO c.x.Y - m`, `[I 2025-… Server] m`,
/// `[1234:5678:0314/092653.123:ERROR:file.cc(12)] m`, `[    0.123456] m`, `[app:warn,2025-…,node]m`.
pub(super) fn read(text: &[u8]) -> Option<Header> {
    let group = Group::at(text, 0)?;
    let inside = &text[group.start..group.end];
    if let [letter, b' ', rest @ ..] = inside
        && let (Some(level), Some(stamp)) = (Level::of_letter(*letter), stamp::at(rest))
    {
        let (word, at) = (group.start..group.start + 1, group.start + 2);
        let stamp = Some((at..at + stamp.len, stamp.form));
        return Some(first::record(Found::new(level, word, "letter before the date")).with_stamp(stamp));
    }
    let seconds =
        inside.split(|b| *b == b'.').all(|part| !part.is_empty() && part.iter().all(u8::is_ascii_digit));
    if seconds && inside.contains(&b'.') {
        return Some(uptime(text, group.after));
    }
    if let Some(found) = group.level(text).filter(|found| found.word.len() > 1) {
        // What stands behind the level may be a time, which the fast path would not see.
        let found = Found { settled: false, ..found };
        let stamp = first::stamp_near(text, found.word.end);
        return Some(first::record(found).with_stamp(stamp));
    }
    if inside.len() == 1
        && let Some(header) = letter(text, &group)
    {
        return Some(header);
    }
    if let Some(found) = located(text, &group).or_else(|| unified(text, &group)) {
        return Some(first::record(found));
    }
    if let Some(header) = couchbase(text, &group) {
        return Some(header);
    }
    if let Some(found) = chrome(text, &group) {
        return Some(first::record(found));
    }
    after_name(text, group.after)
}

/// `[2025-03-14 09:26:53,123 I 7 7] m`, `[2025-03-14 09:26:53.123 W acme.net] m`: behind the time a
/// letter, and numbers or a name of several parts.
pub(super) fn letter_inside(text: &[u8], stamp: &Range<usize>) -> Option<Found> {
    let [b' ', letter, b' ', rest @ ..] = &text[stamp.end..] else { return None };
    let level = Level::of_letter(*letter)?;
    let next = &rest[..rest.iter().position(|b| matches!(b, b' ' | b']')).unwrap_or(rest.len())];
    let word = stamp.end + 1..stamp.end + 2;
    let hard = next.first()?.is_ascii_digit() || next.contains(&b'.');
    hard.then(|| Found::new(level, word, "letter after the stamp"))
}

/// `[I] 2025-… m` and `[I][wifi:123]: m`: a letter alone, with a time or a name and a line behind it.
fn letter(text: &[u8], group: &Group) -> Option<Header> {
    let found = group.level(text)?;
    let found = Found { settled: false, ..found };
    if text.get(group.after) == Some(&b' ') {
        let at = group.after + 1;
        let stamp = stamp::at(text.get(at..)?).filter(|stamp| stamp.form.has_date())?;
        return Some(first::record(found).with_stamp(Some((at..at + stamp.len, stamp.form))));
    }
    let name = Group::at(text, group.after)?;
    let fits = is_location(&text[name.start..name.end]) && text.get(name.after) == Some(&b':');
    fits.then(|| first::record(found))
}

/// `[W acme.cpp:12] m`, `[W314 09:26:53.123 acme.cpp:12] m`: a letter, perhaps a time, a place in the
/// code.
fn located(text: &[u8], group: &Group) -> Option<Found> {
    let inside = &text[group.start..group.end];
    let level = Level::of_letter(*inside.first()?)?;
    let place = inside.iter().rposition(|b| *b == b' ')?;
    let fits = is_location(&inside[place + 1..])
        && inside[place + 1..].contains(&b'.')
        && inside[1..place].iter().all(|b| b.is_ascii_digit() || b" :.".contains(b));
    fits.then(|| Found::new(level, group.start..group.start + 1, "letter and place"))
}

/// `file.cc:12`, `wifi:12`.
fn is_location(text: &[u8]) -> bool {
    let Some(colon) = text.iter().rposition(|b| *b == b':') else { return false };
    let number = &text[colon + 1..];
    colon > 0 && !text.contains(&b' ') && !number.is_empty() && number.iter().all(u8::is_ascii_digit)
}

/// `[0.123s][info][gc] m`: the JVM's unified log, with the time since its start.
fn unified(text: &[u8], group: &Group) -> Option<Found> {
    let time = text[group.start..group.end].strip_suffix(b"s")?;
    if !time.first()?.is_ascii_digit() || !time.iter().all(|b| b.is_ascii_digit() || b".,m".contains(b)) {
        return None;
    }
    let level = Group::at(text, group.after).filter(|_| text[group.after] == b'[')?;
    let found = level.level(text).filter(|found| found.word == (level.start..level.end))?;
    (text.get(level.after) == Some(&b'[')).then_some(Found { settled: false, ..found })
}

/// The kernel's and X.Org's seconds since boot.
fn uptime(text: &[u8], after: usize) -> Header {
    let at = after + token::spaces(&text[after..]);
    let found = (text.get(at) == Some(&b'(')).then(|| Group::at(text, at)?.level(text)).flatten();
    match found {
        Some(found) => first::record(found),
        None => Header::of(Sort::Record, "seconds since boot"),
    }
}

/// Chromium: process, thread, a date without a year, the level; `VERBOSE1` is its debug output.
fn chrome(text: &[u8], group: &Group) -> Option<Found> {
    let inside = &text[group.start..group.end];
    let slash = inside.iter().position(|b| *b == b'/')?;
    let date = slash >= 4 && inside[slash - 4..slash].iter().all(u8::is_ascii_digit);
    let colon = slash + inside[slash..].iter().position(|b| *b == b':')?;
    let start = group.start + colon + 1;
    let (count, capitals) = token::letters(&text[start..]);
    let digits = text[start + count..].iter().take_while(|b| b.is_ascii_digit()).count();
    let fits = date && count == capitals && text[start + count + digits..].starts_with(b":");
    let level = Level::of_word(&text[start..start + count]).filter(|_| fits)?;
    Some(Found::new(level, start..start + count + digits, "Chromium"))
}

/// `[ns_server:warn,2025-03-14T…,node]message`: a component, the level, the time (Couchbase).
fn couchbase(text: &[u8], group: &Group) -> Option<Header> {
    let inside = &text[group.start..group.end];
    let colon = inside.iter().position(|b| !(b.is_ascii_alphanumeric() || *b == b'_'))?;
    let found = token::mild_word(text, group.start + colon + 1).filter(|_| inside[colon] == b':')?;
    let at = found.word.end + 1;
    if text.get(found.word.end) != Some(&b',') {
        return None;
    }
    let stamp = stamp::at(text.get(at..)?)?;
    let found = Found { rule: "level and time in brackets", ..found };
    Some(first::record(found).with_stamp(Some((at..at + stamp.len, stamp.form))))
}

/// `[main] INFO c.x.Y - m`, `[GIN-debug] [WARNING] m`, `[pod/web/app] E0314 09:26:53.1 …`,
/// `[pod/web/app] 2025-… INFO m`.
fn after_name(text: &[u8], after: usize) -> Option<Header> {
    // `[rank0]:E0314 09:26:53.1 …`
    if text.get(after) == Some(&b':')
        && let Some(found) = first::glog(text, after + 1)
    {
        return Some(first::record(found));
    }
    let at = after + token::spaces(&text[after..]);
    if at == after {
        return None;
    }
    if let Some(found) = token::upper_word(text, at) {
        return Some(Header { sort: Sort::Weak, ..first::record(Found { settled: false, ..found }) });
    }
    if let Some(stamped) = stamped(text, at) {
        return Some(stamped);
    }
    if let Some(found) = first::inner(text, at) {
        return Some(first::record(found));
    }
    let group = Group::at(text, at).filter(|_| text[at] == b'[')?;
    let found = group.level(text).filter(|found| found.word == (group.start..group.end))?;
    let found = Found { settled: false, ..found };
    (found.word.len() > 2).then(|| Header { sort: Sort::Weak, ..first::record(found) })
}

/// `GLib`'s default handler: `(gedit:1234): Gtk-WARNING **: 09:26:53.123: m`, `** (app:1): DEBUG: m`;
/// and X.Org's first lines: `(EE) m`.
pub(super) fn glib(text: &[u8]) -> Option<Header> {
    let start = if text.starts_with(b"** (") { 3 } else { 0 };
    let group = Group::at(text, start)?;
    let weak = |found| Some(Header { sort: Sort::Weak, ..first::record(found) });
    let inside = &text[group.start..group.end];
    if start == 0 && inside.len() == 2 && text.get(group.after) == Some(&b' ') {
        return weak(group.level(text)?);
    }
    let colon = inside.iter().rposition(|b| *b == b':')?;
    let at = group.after + 2;
    if !text[group.after..].starts_with(b": ") || !inside[colon + 1..].iter().all(u8::is_ascii_digit) {
        return None;
    }
    // The domain comes first and may have dashes of its own: `GLib-GObject-CRITICAL`.
    let token = &text[at..token::end(text, at)];
    let word = at + token.iter().rposition(|b| *b == b'-').map_or(0, |dash| dash + 1);
    let found = token::upper_word(text, word)?;
    let tail = &text[found.word.end..];
    let fits = tail.starts_with(b" **:") || (start > 0 && tail.starts_with(b":"));
    if fits { weak(Found { rule: "GLib", settled: false, ..found }) } else { None }
}
