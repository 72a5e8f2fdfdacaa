//! The smallest parts of a header: tokens, words, and the words that stand in capitals.

use super::Found;
use crate::level::Level;

/// Where the token that begins at `at` ends: at a space, a tab, or the end of the line.
pub(super) fn end(text: &[u8], at: usize) -> usize {
    let rest = text.get(at..).unwrap_or_default();
    at + rest.iter().position(|b| is_blank(*b)).unwrap_or(rest.len())
}

/// As [`end`], or at a pipe.
pub(super) fn end_or_pipe(text: &[u8], at: usize) -> usize {
    let rest = text.get(at..).unwrap_or_default();
    at + rest.iter().position(|b| is_blank(*b) || *b == b'|').unwrap_or(rest.len())
}

fn is_blank(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t' | b'\r' | b'\n')
}

/// How many spaces and tabs `text` begins with.
pub(super) fn spaces(text: &[u8]) -> usize {
    text.iter().take_while(|b| matches!(b, b' ' | b'\t')).count()
}

/// How many letters `text` begins with, and how many of them are capitals.
pub(super) fn letters(text: &[u8]) -> (usize, usize) {
    let count = text.iter().take_while(|b| b.is_ascii_alphabetic()).count();
    (count, text[..count].iter().filter(|b| b.is_ascii_uppercase()).count())
}

/// A level word in capitals that stands alone: `INFO `, `WARN:`, `DEBUG]`, `INFO+2`.
pub(super) fn upper_word(text: &[u8], at: usize) -> Option<Found> {
    upper_of(text, at, letters(text.get(at..)?))
}

/// As [`upper_word`], for letters that were counted before.
pub(super) fn upper_of(text: &[u8], at: usize, (mut count, capitals): (usize, usize)) -> Option<Found> {
    if count < 3 || capitals != count {
        return None;
    }
    let rest = &text[at..];
    // PostgreSQL: DEBUG1 to DEBUG5.
    if rest.starts_with(b"DEBUG") && matches!(rest.get(count), Some(b'1'..=b'5')) {
        count += 1;
    }
    let level = Level::of_word(&rest[..count])?;
    let found = Found::new(level, at..at + count, "level in capitals");
    match rest.get(count) {
        None | Some(b' ' | b'\t' | b':' | b'|' | b',' | b']' | b'[' | b'(' | b')' | b'>' | b';') => {
            Some(found.settled())
        }
        Some(b'/' | b'\r' | b'\n') => Some(found),
        // slog: INFO+2, DEBUG-4.
        Some(b'+' | b'-') if rest.get(count + 1).is_some_and(u8::is_ascii_digit) => Some(found),
        _ => None,
    }
}

/// Letters in lower case or with one capital that spell a level.
pub(super) fn mild_word(text: &[u8], at: usize) -> Option<Found> {
    mild_of(text, at, letters(text.get(at..)?))
}

/// As [`mild_word`], for letters that were counted before.
pub(super) fn mild_of(text: &[u8], at: usize, (count, capitals): (usize, usize)) -> Option<Found> {
    let rest = &text[at..];
    let leading = usize::from(rest.first().is_some_and(u8::is_ascii_uppercase));
    if count < 3 || capitals > leading {
        return None;
    }
    // BGL alone spells FAILURE, java.util.logging FINE, and both in capitals; here they are prose.
    if rest[..count].eq_ignore_ascii_case(b"failure") || rest[..count].eq_ignore_ascii_case(b"fine") {
        return None;
    }
    let level = Level::of_word(&rest[..count])?;
    Some(Found::new(level, at..at + count, "level word"))
}

/// The facilities of syslog by name (syslog(3), rsyslog's property `syslogfacility-text`).
pub(super) fn is_facility(word: &[u8]) -> bool {
    const NAMES: [&[u8]; 13] = [
        b"kern",
        b"user",
        b"mail",
        b"daemon",
        b"auth",
        b"syslog",
        b"lpr",
        b"news",
        b"uucp",
        b"cron",
        b"authpriv",
        b"ftp",
        b"security",
    ];
    NAMES.contains(&word) || matches!(word, [b'l', b'o', b'c', b'a', b'l', b'0'..=b'9'])
}

/// A syslog severity by name.
pub(super) fn severity(word: &[u8]) -> Option<Level> {
    match word {
        b"debug" | b"info" | b"notice" | b"warning" | b"warn" | b"err" | b"error" | b"crit" | b"alert"
        | b"emerg" | b"panic" => Level::of_word(word),
        _ => None,
    }
}
