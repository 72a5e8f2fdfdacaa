//! What tells the zone behind a time: `Z`, ` UTC`, `+0200`, ` +02:00`, `-07`, ` PDT`, ` GMT+2`.

use super::form::{Field, Form, Suffix};
use super::{byte, run};

/// The quarters of an hour east of UTC that an abbreviation means, first those it most often does.
///
/// Only these words behind a time are taken for a zone. Any other belongs to the record, above all
/// `INFO`.
pub(crate) fn meanings(word: &[u8]) -> Option<&'static [i8]> {
    Some(match word {
        b"UTC" | b"GMT" | b"WET" => &[0],
        b"CET" | b"WEST" => &[4],
        b"CEST" | b"EET" => &[8],
        b"EEST" | b"MSK" => &[12],
        b"BST" => &[4, 24],    // Britain, Bangladesh
        b"IST" => &[22, 8, 4], // India, Israel, Ireland
        b"HKT" | b"SGT" => &[32],
        b"JST" | b"KST" => &[36],
        b"AEST" => &[40],
        b"AEDT" => &[44],
        b"BRT" => &[-12],
        b"EDT" => &[-16],
        b"EST" => &[-20],
        b"CDT" => &[-20, -16],     // North America, Cuba
        b"CST" => &[-24, 32, -20], // North America, China, Cuba
        b"MDT" => &[-24],
        b"MST" | b"PDT" => &[-28],
        b"PST" => &[-32, 32], // North America, Philippines
        _ => return None,
    })
}

/// The end of the zone that begins at `at`, there or after one space; `at` when there is none.
pub(super) fn zone(text: &[u8], at: usize, form: &mut Form) -> usize {
    let (start, spaced) = match byte(text, at) {
        b' ' => (at + 1, true),
        b'+' | b'-' | b'A'..=b'Z' | b'z' => (at, false),
        _ => return at,
    };
    let end = match byte(text, start) {
        b'Z' | b'z' if ends_word(text, start + 1) => {
            form.zone = Suffix::Utc;
            Some(start + 1)
        }
        b'+' | b'-' => offset(text, start, spaced, form).map(|end| again(text, end)),
        b'A'..=b'Z' => abbreviation(text, start, form),
        _ => None,
    };
    end.unwrap_or(at)
}

/// A sign and digits. Only ±mm, with no point or digit around, is taken for hours after a space,
/// and three digits are minutes (DB2).
fn offset(text: &[u8], at: usize, spaced: bool, form: &mut Form) -> Option<usize> {
    let digits = run(text, at + 1);
    let end = at + 1 + digits;
    let len = match digits {
        2 if byte(text, end) == b':' && run(text, end + 1) == 2 => 6,
        2 => 3,
        3 if !spaced => 4,
        4 => 5,
        _ => return None,
    };
    let goes_on = match byte(text, end) {
        b'-' | b':' | b'/' => byte(text, end + 1).is_ascii_alphanumeric(),
        next => next == b'%',
    };
    if (len == 3 && goes_on) || !ends_word(text, at + len) {
        return None;
    }
    form.zone = Suffix::Offset;
    form.offset = Field::new(at, len);
    Some(at + len)
}

/// Go prints `+0000 UTC`: the name behind the number adds nothing.
fn again(text: &[u8], at: usize) -> usize {
    if byte(text, at) != b' ' {
        return at;
    }
    known(text, at + 1).unwrap_or(at)
}

/// One of the [`meanings`]; `GMT+0100` and `UTC-5` are offsets.
fn abbreviation(text: &[u8], at: usize, form: &mut Form) -> Option<usize> {
    let end = known(text, at)?;
    let signed = matches!(byte(text, end), b'+' | b'-');
    form.offset = Field::new(at, end - at);
    form.zone = if is_utc(&text[at..end]) { Suffix::Utc } else { Suffix::Named };
    if !signed || form.zone != Suffix::Utc {
        return Some(end);
    }
    let len = match run(text, end + 1) {
        1 => 2,
        2 if byte(text, end + 3) == b':' && run(text, end + 4) == 2 => 6,
        2 => 3,
        4 => 5,
        _ => return Some(end),
    };
    if !ends_word(text, end + len) {
        return Some(end);
    }
    form.zone = Suffix::Offset;
    form.offset = Field::new(end, len);
    Some(end + len)
}

fn is_utc(word: &[u8]) -> bool {
    matches!(word, b"UTC" | b"GMT")
}

/// The end of the abbreviation that stands at `at`.
fn known(text: &[u8], at: usize) -> Option<usize> {
    let len = 3 + usize::from(byte(text, at + 3).is_ascii_uppercase());
    let word = text.get(at..at + len)?;
    meanings(word)?;
    let signed = || {
        is_utc(word)
            && matches!(byte(text, at + len), b'+' | b'-')
            && byte(text, at + len + 1).is_ascii_digit()
    };
    (ends_word(text, at + len) || signed()).then_some(at + len)
}

/// Does a word end before `at`? `UTC-server` and `UTC_1` go on.
pub(super) fn ends_word(text: &[u8], at: usize) -> bool {
    let next = byte(text, at);
    match next {
        b'.' | b'-' => !byte(text, at + 1).is_ascii_alphanumeric(),
        b'_' => false,
        _ => !next.is_ascii_alphanumeric(),
    }
}
