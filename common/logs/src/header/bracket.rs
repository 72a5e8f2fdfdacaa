//! Headers that begin with a bracket without a timestamp in front.

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
    if let Some(header) = couchbase(text, &group) {
        return Some(header);
    }
    if let Some(found) = chrome(text, &group) {
        return Some(first::record(found));
    }
    after_name(text, group.after)
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
