//! What tells the zone behind a time: `Z`, ` UTC`, `+0200`, ` +02:00`, `-07`, ` PDT`, ` GMT+2`.

use super::form::{Field, Form, Suffix};
use super::{byte, run};

/// An abbreviation, its offset in quarters of an hour, and what else it means elsewhere.
pub(crate) struct Name {
    /// Three or four letters; the first is the lowest byte.
    word: u32,
    pub(crate) quarters: i8,
    pub(crate) others: &'static [i8],
}

const fn name<const N: usize>(text: &[u8; N], quarters: i8, others: &'static [i8]) -> Name {
    let fourth = if N == 4 { text[3] } else { 0 };
    let word = u32::from_le_bytes([text[0], text[1], text[2], fourth]);
    Name { word, quarters, others }
}

/// The abbreviations that are taken for a zone. Any other word behind a time belongs to the record,
/// above all `INFO`.
pub(crate) const NAMES: [Name; 26] = [
    name(b"UTC", 0, &[]),
    name(b"GMT", 0, &[]),
    name(b"EST", -20, &[]),
    name(b"EDT", -16, &[]),
    name(b"CST", -24, &[32, -20]), // China, Cuba
    name(b"CDT", -20, &[-16]),     // Cuba
    name(b"MST", -28, &[]),
    name(b"MDT", -24, &[]),
    name(b"PST", -32, &[32]), // Philippines
    name(b"PDT", -28, &[]),
    name(b"CET", 4, &[]),
    name(b"CEST", 8, &[]),
    name(b"EET", 8, &[]),
    name(b"EEST", 12, &[]),
    name(b"WET", 0, &[]),
    name(b"WEST", 4, &[]),
    name(b"MSK", 12, &[]),
    name(b"IST", 22, &[8, 4]), // Israel, Ireland
    name(b"JST", 36, &[]),
    name(b"KST", 36, &[]),
    name(b"AEST", 40, &[]),
    name(b"AEDT", 44, &[]),
    name(b"BST", 4, &[24]), // Bangladesh
    name(b"HKT", 32, &[]),
    name(b"SGT", 32, &[]),
    name(b"BRT", -12, &[]),
];

/// The first of [`NAMES`] mean UTC itself.
const UTC_NAMES: usize = 2;

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
    let hours_only = len == 3 && matches!(byte(text, end), b'-' | b':' | b'/' | b'%');
    if hours_only || !ends_word(text, at + len) {
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
    known(text, at + 1).map_or(at, |(_, end)| end)
}

/// One of [`NAMES`]; `GMT+0100` and `UTC-5` are offsets.
fn abbreviation(text: &[u8], at: usize, form: &mut Form) -> Option<usize> {
    let (index, end) = known(text, at)?;
    let utc = index < UTC_NAMES;
    if utc && matches!(byte(text, end), b'+' | b'-') {
        let len = match run(text, end + 1) {
            1 => 2,
            2 if byte(text, end + 3) == b':' && run(text, end + 4) == 2 => 6,
            2 => 3,
            4 => 5,
            _ => return None,
        };
        form.zone = Suffix::Offset;
        form.offset = Field::new(end, len);
        return ends_word(text, end + len).then_some(end + len);
    }
    form.zone = if utc { Suffix::Utc } else { Suffix::Named(u8::try_from(index).ok()?) };
    Some(end)
}

/// The abbreviation that stands at `at`, and its end.
fn known(text: &[u8], at: usize) -> Option<(usize, usize)> {
    let [a, b, c, rest @ ..] = text.get(at..)? else { return None };
    let d = rest.first().copied().filter(u8::is_ascii_uppercase);
    let word = u32::from_le_bytes([*a, *b, *c, d.unwrap_or(0)]);
    let index = NAMES.iter().position(|name| name.word == word)?;
    let len = 3 + usize::from(d.is_some());
    let signed = index < UTC_NAMES && matches!(byte(text, at + len), b'+' | b'-');
    (signed || ends_word(text, at + len)).then_some((index, at + len))
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
