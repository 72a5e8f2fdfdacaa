//! Strings: every byte of one is checked.

use super::{Fault, Scanned, Scanner};

impl Scanner<'_> {
    /// Reads a string from its first quote to behind its last one.
    #[inline]
    pub(crate) fn string(&mut self, mut keep: Option<&mut Vec<u8>>) -> Scanned<()> {
        let begin = self.offset();
        self.cursor.advance();
        loop {
            let window = self.cursor.window()?;
            let plain = plain(window);
            let next = window.get(plain).copied();
            let is_end = window.is_empty();
            if let Some(keep) = &mut keep {
                keep.extend_from_slice(&window[..plain]);
            }
            self.cursor.advance_by(plain);
            match next {
                Some(b'"') => break,
                Some(_) => self.special(keep.as_deref_mut())?,
                None if is_end => {
                    return Err(Fault::at(begin, "this string does not end"));
                }
                None => {}
            }
        }
        self.cursor.advance();
        Ok(())
    }

    /// An escape, or a character that is not ASCII.
    fn special(&mut self, mut keep: Option<&mut Vec<u8>>) -> Scanned<()> {
        let begin = self.offset();
        let first = self.peek()?.unwrap_or_default();
        let mut put = |byte| {
            if let Some(keep) = &mut keep {
                keep.push(byte);
            }
        };
        put(first);
        if first >= 0x80 {
            self.cursor.advance();
            let (count, mut allowed) = sequence(first).ok_or_else(|| not_utf8(begin))?;
            for _ in 0..count {
                let byte =
                    self.peek()?.filter(|byte| allowed.contains(byte)).ok_or_else(|| not_utf8(begin))?;
                put(byte);
                allowed = 0x80..=0xBF;
                self.cursor.advance();
            }
            return Ok(());
        }
        if first != b'\\' {
            let what =
                format!("the control character 0x{first:02x} must be written as \\u{first:04x} in a string");
            return Err(self.fault(&what));
        }
        self.cursor.advance();
        let letter = self.peek()?.unwrap_or_default();
        if !b"\"\\/bfnrtu".contains(&letter) {
            return Err(Fault::at(begin, "there is no such escape; a backslash is written as \\\\"));
        }
        put(letter);
        self.cursor.advance();
        for _ in 0..if letter == b'u' { 4 } else { 0 } {
            let digit = self.peek()?.filter(u8::is_ascii_hexdigit);
            put(digit.ok_or_else(|| Fault::at(begin, "\\u needs four hexadecimal digits"))?);
            self.cursor.advance();
        }
        Ok(())
    }
}

fn not_utf8(offset: u64) -> Fault {
    Fault::at(offset, "these bytes are no UTF-8")
}

/// How many bytes follow the first one of a UTF-8 sequence, and which the next may be: RFC 3629,
/// section 4.
fn sequence(first: u8) -> Option<(usize, std::ops::RangeInclusive<u8>)> {
    Some(match first {
        0xC2..=0xDF => (1, 0x80..=0xBF),
        0xE0 => (2, 0xA0..=0xBF),
        0xE1..=0xEC | 0xEE | 0xEF => (2, 0x80..=0xBF),
        0xED => (2, 0x80..=0x9F),
        0xF0 => (3, 0x90..=0xBF),
        0xF1..=0xF3 => (3, 0x80..=0xBF),
        0xF4 => (3, 0x80..=0x8F),
        _ => return None,
    })
}

/// How many bytes of a string stand for themselves: neither quote nor escape, control or UTF-8.
#[inline]
fn plain(bytes: &[u8]) -> usize {
    let mut eights = bytes.chunks_exact(8);
    let mut count = 0;
    for eight in &mut eights {
        let eight = u64_of(eight);
        let special = special_in(eight) | eight & HIGH;
        if special != 0 {
            return count + first_of(special);
        }
        count += 8;
    }
    let is_plain = |byte: u8| (0x20..0x80).contains(&byte) && byte != b'"' && byte != b'\\';
    count + eights.remainder().iter().take_while(|&&byte| is_plain(byte)).count()
}

/// The offset behind the closing quote of the string whose first byte is at `from`; `None` when it has
/// an escape, is wrong, or does not end in `bytes`.
#[inline]
pub(super) fn end_of(bytes: &[u8], from: usize) -> Option<usize> {
    let inside = bytes.get(from..)?;
    let (mut length, mut high) = (0, 0);
    let mut eights = inside.chunks_exact(8);
    let quote = loop {
        let Some(eight) = eights.next() else {
            let rest = eights.remainder();
            let end = rest.iter().position(|byte| *byte < 0x20 || matches!(byte, b'"' | b'\\'))?;
            high |= rest[..end].iter().fold(0, |all, byte| all | u64::from(*byte));
            break length + end;
        };
        let eight = u64_of(eight);
        let special = special_in(eight);
        if special != 0 {
            let place = first_of(special);
            high |= eight & !(u64::MAX << (8 * place));
            break length + place;
        }
        high |= eight;
        length += 8;
    };
    let is_text = high & HIGH == 0 || std::str::from_utf8(&inside[..quote]).is_ok();
    (inside[quote] == b'"' && is_text).then_some(from + quote + 1)
}

/// The highest bit of each byte.
const HIGH: u64 = 0x8080_8080_8080_8080;

fn u64_of(eight: &[u8]) -> u64 {
    eight.try_into().map_or(0, u64::from_le_bytes)
}

/// The highest bit of each byte that is a quote, a backslash or a control character. Above the first
/// one a borrow may set others.
fn special_in(eight: u64) -> u64 {
    let ones = u64::MAX / 255;
    let is_zero = |bytes: u64| bytes.wrapping_sub(ones) & !bytes;
    let quote = is_zero(eight ^ (ones * u64::from(b'"')));
    let backslash = is_zero(eight ^ (ones * u64::from(b'\\')));
    let control = eight.wrapping_sub(ones * 0x20) & !eight;
    (quote | backslash | control) & HIGH
}

/// The place of the first byte that is marked.
fn first_of(marks: u64) -> usize {
    marks.trailing_zeros() as usize / 8
}
