//! The fast path: what was learnt from one line is verified on the next with a few comparisons.
//!
//! A header is read alike in all lines that are alike but for their digits, up to the level. So when
//! a line was read whose decision rested on nothing else ([`Line::settled`]), its beginning becomes a
//! *template*: bytes that must be equal, digits that must be digits. A later line that fits has its
//! level at the same place, and if the word there with the byte after it was seen before, its level
//! is known. Whatever does not fit is read in full, so a wrong guess costs time and nothing else.

#![allow(clippy::inline_always, reason = "compiled anew for each processor, inside the loop of `simd`")]

use crate::level::Level;
use crate::line::Line;
use crate::stamp::Form;

/// The longest beginning that is compared.
pub(crate) const WIDTH: usize = 64;
/// A template needs these bytes behind the line's start: its own, and a word with its delimiter.
pub(crate) const NEEDED: usize = WIDTH + 8;

/// Most logs have one shape of header; a mixture of two programs has two.
const TEMPLATES: usize = 2;
const SLOTS: usize = 32;

/// A level word and the byte after it, and what they mean.
#[derive(Debug, Clone, Copy, Default)]
struct Word {
    key: u64,
    level: Option<Level>,
    length: usize,
}

#[derive(Debug, Clone)]
struct Template {
    /// The beginning, digits as `0`.
    bytes: [u8; WIDTH],
    /// 0xff where a byte counts.
    mask: [u8; WIDTH],
    /// Where the level stands.
    length: usize,
    stamp: Option<(usize, usize, Form)>,
    rule: &'static str,
    words: [Word; SLOTS],
}

/// What a template tells about a line, as offsets in it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Hit {
    pub level: Option<Level>,
    pub word: (usize, usize),
    pub stamp: Option<(usize, usize, Form)>,
    pub rule: &'static str,
}

/// The templates learnt so far, the one that fitted last in front.
#[derive(Debug, Default)]
pub(crate) struct Fast {
    templates: Vec<Template>,
}

impl Fast {
    /// What the line that begins `text` says, if it fits. `text` has at least [`NEEDED`] bytes,
    /// which may reach beyond the line: a line end fits no template.
    #[inline(always)]
    pub(crate) fn read(&mut self, text: &[u8]) -> Option<Hit> {
        let hit = self.templates.first()?.read(text);
        if hit.is_some() {
            return hit;
        }
        self.read_second(text)
    }

    #[inline(never)]
    fn read_second(&mut self, text: &[u8]) -> Option<Hit> {
        let hit = self.templates.get(1)?.read(text)?;
        self.templates.swap(0, 1);
        Some(hit)
    }

    /// Remembers how `line`, which was read in full from `text`, is to be read.
    pub(crate) fn learn(&mut self, text: &[u8], line: &Line<'_>) {
        if !line.settled || text.len() < NEEDED {
            return;
        }
        let length = offset(text, line.word);
        if length > WIDTH {
            return;
        }
        let word = &text[length..length + 8];
        let Some(key) = word_key(u64_at(word)).filter(|(_, size)| *size == line.word.len()) else { return };
        let new = Word { key: key.0, level: line.level, length: line.word.len() };
        let known = self.templates.iter_mut().find(|t| t.length == length && t.fits(text));
        if let Some(known) = known {
            known.words[slot(key.0)] = new;
            return;
        }
        let mut template = Template {
            bytes: [0; WIDTH],
            mask: [0; WIDTH],
            length,
            stamp: line.stamp.map(|(bytes, form)| {
                let start = offset(text, bytes);
                (start, start + bytes.len(), form)
            }),
            rule: line.rule,
            words: [Word::default(); SLOTS],
        };
        for (index, byte) in text[..length].iter().enumerate() {
            template.bytes[index] = if byte.is_ascii_digit() { b'0' } else { *byte };
            template.mask[index] = 0xff;
        }
        template.words[slot(key.0)] = new;
        self.templates.truncate(TEMPLATES - 1);
        self.templates.insert(0, template);
    }
}

impl Template {
    #[inline(always)]
    fn read(&self, text: &[u8]) -> Option<Hit> {
        if !self.fits(text) {
            return None;
        }
        let (key, _) = word_key(u64_at(text.get(self.length..self.length + 8)?))?;
        let word = &self.words[slot(key)];
        (word.key == key).then_some(Hit {
            level: word.level,
            word: (self.length, self.length + word.length),
            stamp: self.stamp,
            rule: self.rule,
        })
    }

    #[inline(always)]
    fn fits(&self, text: &[u8]) -> bool {
        if self.length <= WIDTH / 2 {
            self.fits_in::<{ WIDTH / 2 }>(text)
        } else {
            self.fits_in::<WIDTH>(text)
        }
    }

    /// Written so that the compiler makes it a handful of vector instructions.
    #[inline(always)]
    fn fits_in<const N: usize>(&self, text: &[u8]) -> bool {
        let Some(text) = text.first_chunk::<N>() else { return false };
        let mut difference = 0;
        for ((byte, wanted), mask) in text.iter().zip(&self.bytes).zip(&self.mask) {
            let digit = byte.wrapping_sub(b'0') < 10;
            let byte = if digit { b'0' } else { *byte };
            difference |= (byte ^ wanted) & mask;
        }
        difference == 0
    }
}

/// Where `part` of `text` begins in it.
fn offset(text: &[u8], part: &[u8]) -> usize {
    (part.as_ptr() as usize).wrapping_sub(text.as_ptr() as usize)
}

#[inline(always)]
fn u64_at(bytes: &[u8]) -> u64 {
    bytes.first_chunk().map_or(0, |chunk| u64::from_le_bytes(*chunk))
}

/// The letters and digits that `word` begins with and the one byte after them, the rest zeroed, and
/// how many letters and digits there are. `None` when all eight bytes are letters and digits.
#[inline(always)]
fn word_key(word: u64) -> Option<(u64, usize)> {
    const ONES: u64 = 0x0101_0101_0101_0101;
    const HIGH: u64 = 0x80 * ONES;
    let low = word & !HIGH;
    let lower = low | (0x20 * ONES);
    // A sum sets the high bit of each byte that reaches the bound; no sum carries into the next byte.
    let letter = (lower + (0x80 - 0x61) * ONES) & !(lower + (0x80 - 0x7b) * ONES);
    let digit = (low + (0x80 - 0x30) * ONES) & !(low + (0x80 - 0x3a) * ONES);
    let other = !((letter | digit) & !word) & HIGH;
    if other == 0 {
        return None;
    }
    let end = other.trailing_zeros();
    Some((word & (u64::MAX >> (63 - end)), (end / 8) as usize))
}

#[inline(always)]
fn slot(key: u64) -> usize {
    (key.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 59) as usize
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_word_ends_at_its_delimiter() {
        let check = |text: &[u8; 8], want: Option<(&[u8], usize)>| {
            let want = want.map(|(key, size)| {
                let mut bytes = [0; 8];
                bytes[..key.len()].copy_from_slice(key);
                (u64::from_le_bytes(bytes), size)
            });
            assert_eq!(word_key(u64::from_le_bytes(*text)), want);
        };
        check(b"INFO  [m", Some((b"INFO ", 4)));
        check(b"WARNING:", Some((b"WARNING:", 7)));
        check(b"30,\"time", Some((b"30,", 2)));
        check(b" INFO ab", Some((b" ", 0)));
        check(b"INFO\xff\x80\0b", Some((b"INFO\xff", 4)));
        check(b"a[z`{@/:", Some((b"a[", 1)));
        check(b"CRITICAL", None);
    }
}
