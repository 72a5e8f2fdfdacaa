//! Text within a JSON string.

use crate::emit::cells::copy;
use crate::emit::word::{self, HIGHS, is, special};

/// Whether rows can be copied into strings.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Look {
    /// As they are.
    Plain,
    /// They have quotes, backslashes or control characters.
    Special,
    /// They have what is no UTF-8.
    Broken,
}

/// Looks through the content of a row.
#[inline]
pub(super) fn look(content: &[u8], quote: u8) -> Look {
    let found = word::all(content, |word| (special(word) | is(word, quote)) >> 7 | word & HIGHS);
    if found & HIGHS != 0 && simdutf8::basic::from_utf8(content).is_err() {
        Look::Broken
    } else if found & !HIGHS != 0 {
        Look::Special
    } else {
        Look::Plain
    }
}

/// Appends a text with escapes; what is no UTF-8 becomes U+FFFD.
pub(super) fn escape(value: &[u8], out: &mut Vec<u8>) {
    let text = String::from_utf8_lossy(value);
    escape_field(text.as_bytes(), text.len(), Quotes::AreData, out);
}

/// What a quote within a text is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Quotes {
    AreData,
    /// Two of them stand for one.
    AreDoubled,
}

/// Appends the first `len` bytes with escapes. They are UTF-8, and there should be more bytes behind
/// them.
///
/// Returns whether all quotes are what they should be; if not, what was appended is of no use.
#[inline]
pub(super) fn escape_field(mut bytes: &[u8], mut len: usize, quotes: Quotes, out: &mut Vec<u8>) -> bool {
    loop {
        let plain = plain_len(bytes, len);
        copy(bytes, plain, out);
        let Some(byte) = bytes.get(plain).filter(|_| plain < len) else { return true };
        let mut done = plain.wrapping_add(1);
        if *byte == b'"' && quotes == Quotes::AreDoubled {
            if done >= len || bytes.get(done) != Some(&b'"') {
                return false;
            }
            done = done.wrapping_add(1);
        }
        escape_byte(*byte, out);
        bytes = bytes.get(done..).unwrap_or_default();
        len = len.wrapping_sub(done);
    }
}

/// How many of the first `len` bytes stand before the first one that has to be escaped.
#[inline]
fn plain_len(bytes: &[u8], len: usize) -> usize {
    let mut at = 0_usize;
    while at < len {
        let rest = bytes.get(at..).unwrap_or_default();
        let Some(chunk) = rest.first_chunk::<16>() else {
            let found = rest.iter().position(|byte| needs_escape(*byte));
            return at.wrapping_add(found.unwrap_or(rest.len())).min(len);
        };
        let found = word::first_special(chunk);
        at = at.wrapping_add(found);
        // A short text ends here, whether there is something in what follows it or not.
        if at >= len || found < 16 {
            break;
        }
    }
    at.min(len)
}

fn needs_escape(byte: u8) -> bool {
    byte < 0x20 || matches!(byte, b'"' | b'\\')
}

fn escape_byte(byte: u8, out: &mut Vec<u8>) {
    let short = match byte {
        b'"' | b'\\' => byte,
        b'\n' => b'n',
        b'\r' => b'r',
        b'\t' => b't',
        8 => b'b',
        12 => b'f',
        _ => {
            let digit = |nibble: u8| b"0123456789abcdef".get(usize::from(nibble)).copied().unwrap_or(b'0');
            return out.extend_from_slice(&[b'\\', b'u', b'0', b'0', digit(byte >> 4), digit(byte & 15)]);
        }
    };
    out.extend_from_slice(&[b'\\', short]);
}
