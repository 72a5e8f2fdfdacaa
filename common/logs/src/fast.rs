//! The fast path: what was learnt from one line is verified on the next with a few comparisons.
//!
//! A header is read alike in all lines that are alike but for their digits, up to the level. So when
//! a line was read whose decision rested on nothing else ([`Line::settled`]), its beginning is kept:
//! bytes that must be equal, digits that must be digits. A later line with that beginning has its
//! level at the same place, and if the word there with the bytes behind it was seen before, its level
//! is known. Whatever does not fit is read in full, so a wrong guess costs time and nothing else.
//!
//! Most logs have one beginning for all lines. Where it holds a thread or a host, there are as many
//! as those have names, and the right one is found by where its level would stand: so many spaces
//! and so many bytes into the line as in the lines before.

#![allow(clippy::inline_always, reason = "compiled anew for each processor, inside the loop of `simd`")]

use crate::level::Level;
use crate::line::Line;
use crate::stamp::Form;

/// The longest beginning that is compared.
pub(crate) const WIDTH: usize = 128;
/// So many bytes behind a line's start are looked at: a beginning, a word, and what is behind it.
pub(crate) const NEEDED: usize = WIDTH + TAIL + 8;
/// The most bytes behind a level that are compared: the date and time of klog.
const TAIL: usize = 32;

/// Beginnings that are kept; beyond that the log has no shape worth learning.
const MOST: usize = 128;
/// A power of two, larger than that.
const BUCKETS: usize = 256;
/// Level words kept for each beginning.
const SLOTS: usize = 32;
/// Places of the level that are tried: padding makes two of them.
const PLACES: usize = 2;

/// A level word and the bytes behind it, and what they mean.
#[derive(Debug, Clone, Copy, Default)]
struct Word {
    /// The word and the byte behind it; where it is one letter of a longer word, that letter.
    key: u64,
    level: Option<Level>,
    length: usize,
    /// More bytes behind the word, digits as `0`; none where the key says all.
    tail: [u8; TAIL],
    tail_length: usize,
}

/// A beginning that was read in full.
#[derive(Debug, Clone)]
struct Beginning {
    /// Its bytes, digits as `0`.
    bytes: [u8; WIDTH],
    /// 0xff where a byte counts.
    mask: [u8; WIDTH],
    /// Where the level stands.
    length: usize,
    /// The level is the first letter of a longer word, as in `I0314`.
    lettered: bool,
    stamp: Option<(usize, usize, Form)>,
    rule: &'static str,
    words: [Word; SLOTS],
    /// The number of another beginning in the same bucket and one more, or 0.
    next: u8,
}

/// Where a level stands: behind so many spaces, and so many bytes more.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
struct Place {
    spaces: u32,
    bytes: usize,
}

/// What a beginning tells about a line, as offsets in it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Hit {
    pub level: Option<Level>,
    pub word: (usize, usize),
    pub stamp: Option<(usize, usize, Form)>,
    pub rule: &'static str,
}

/// The beginnings learnt so far.
#[derive(Debug)]
pub(crate) struct Fast {
    known: Vec<Beginning>,
    /// The one that fitted last.
    last: usize,
    /// By the hash of a beginning's end: its number and one more, or 0.
    buckets: [u8; BUCKETS],
    /// Where levels stood, the latest first.
    places: [Place; PLACES],
}

impl Default for Fast {
    fn default() -> Self {
        Self { known: Vec::new(), last: 0, buckets: [0; BUCKETS], places: [Place::default(); PLACES] }
    }
}

impl Fast {
    /// What the line that begins `text` says, if it fits. `text` has at least [`NEEDED`] bytes,
    /// which may reach beyond the line: a line end fits no beginning. `spaces` tells where spaces
    /// are among so many bytes, the first in the lowest bit.
    #[inline(always)]
    pub(crate) fn read(&mut self, text: &[u8], spaces: impl Fn(&[u8; WIDTH]) -> u128) -> Option<Hit> {
        let hit = self.known.get(self.last)?.read(text);
        if hit.is_some() {
            return hit;
        }
        let spaces = spaces(text.first_chunk()?);
        for place in self.places {
            if let Some(length) = place.behind(spaces)
                && let Some(bucket) = bucket(text, length)
            {
                let mut number = *self.buckets.get(bucket)?;
                while let Some(known) = self.known.get(usize::from(number).wrapping_sub(1)) {
                    if known.length == length
                        && let Some(hit) = known.read(text)
                    {
                        self.last = usize::from(number) - 1;
                        return Some(hit);
                    }
                    number = known.next;
                }
            }
        }
        None
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
        let Some((word, lettered)) = Word::of(&text[length..], line) else { return };
        let stamp = line.stamp.map(|(bytes, form)| {
            let start = offset(text, bytes);
            (start, start + bytes.len(), form)
        });
        // A stamp behind the level has its form from the tail of the word, not from the beginning.
        let alike = |known: &Beginning| {
            (known.length, known.lettered, known.stamp, known.rule) == (length, lettered, stamp, line.rule)
        };
        let known = self.known.iter().position(|known| alike(known) && known.fits(text));
        if let Some(index) = known {
            self.known[index].keep(word);
            self.last = index;
            return;
        }
        let place = Place::before(&text[..length]);
        if self.places[0] != place {
            self.places = [place, self.places[0]];
        }
        if self.known.len() == MOST {
            // A log of ever new beginnings: start again, with what it looks like now.
            *self = Self { places: self.places, ..Self::default() };
        }
        self.last = self.known.len();
        let mut new = Beginning::new(&text[..length], stamp, line.rule);
        new.lettered = lettered;
        new.keep(word);
        if let Some(bucket) = bucket(text, length) {
            let number = u8::try_from(self.last + 1).unwrap_or_default();
            new.next = std::mem::replace(&mut self.buckets[bucket], number);
        }
        self.known.push(new);
    }
}

impl Place {
    /// The place that `text` leads up to.
    fn before(text: &[u8]) -> Self {
        let spaces = u32::try_from(memchr::memchr_iter(b' ', text).count()).unwrap_or_default();
        let last = memchr::memrchr(b' ', text).map_or(0, |last| last + 1);
        Self { spaces, bytes: text.len() - last }
    }

    /// Where this place is in a line with these spaces.
    #[inline(always)]
    fn behind(self, mut spaces: u128) -> Option<usize> {
        for _ in 1..self.spaces {
            spaces &= spaces.wrapping_sub(1);
        }
        (spaces != 0 && self.spaces > 0).then(|| spaces.trailing_zeros() as usize + 1 + self.bytes)
    }
}

impl Word {
    /// What was learnt of the word that begins `text`, and whether it is a letter of a longer one.
    fn of(text: &[u8], line: &Line<'_>) -> Option<(Self, bool)> {
        let length = line.word.len();
        let (key, size) = word_key(u64_at(text))?;
        let lettered = length == 1 && size > 1;
        let key = if lettered { u64::from(text[0]) } else { key };
        let tail_length = if lettered || line.tail > 1 { line.tail } else { 0 };
        if (size != length && !lettered) || tail_length > TAIL {
            return None;
        }
        let mut tail = [0; TAIL];
        for (own, byte) in tail.iter_mut().zip(&text[length..length + tail_length]) {
            *own = alike(*byte);
        }
        Some((Self { key, level: line.level, length, tail, tail_length }, lettered))
    }

    #[inline(always)]
    fn has_tail(&self, text: &[u8]) -> bool {
        let Some(tail) = text.get(self.length..self.length + self.tail_length) else { return false };
        tail.iter().zip(&self.tail).all(|(byte, own)| alike(*byte) == *own)
    }
}

/// The byte, or `0` for any digit.
#[inline(always)]
fn alike(byte: u8) -> u8 {
    if byte.wrapping_sub(b'0') < 10 { b'0' } else { byte }
}

/// Where to look for a beginning of this length: by its last eight bytes, digits alike.
#[inline(always)]
fn bucket(text: &[u8], length: usize) -> Option<usize> {
    let word = u64_at(text.get(length.checked_sub(8)?..)?);
    // A digit and the five bytes after it differ only here, and a collision only costs time.
    let alike = (word & !(0x0f * ONES)) ^ length as u64;
    Some((alike.wrapping_mul(FIBONACCI) >> 56) as usize)
}

impl Beginning {
    fn new(text: &[u8], stamp: Option<(usize, usize, Form)>, rule: &'static str) -> Self {
        let (mut bytes, mut mask) = ([0; WIDTH], [0; WIDTH]);
        for (index, byte) in text.iter().enumerate() {
            bytes[index] = alike(*byte);
            mask[index] = 0xff;
        }
        let words = [Word { key: NO_KEY, ..Word::default() }; SLOTS];
        Self { bytes, mask, length: text.len(), lettered: false, stamp, rule, words, next: 0 }
    }

    /// Each word has two slots, so that two levels do not drive each other out.
    fn keep(&mut self, word: Word) {
        let first = slot(word.key);
        let free = [first, first ^ 1].into_iter().find(|slot| self.words[*slot].length == 0);
        self.words[free.unwrap_or(first)] = word;
    }

    #[inline(always)]
    fn read(&self, text: &[u8]) -> Option<Hit> {
        if !self.fits(text) {
            return None;
        }
        let rest = text.get(self.length..)?;
        let key = if self.lettered { u64::from(*rest.first()?) } else { word_key(u64_at(rest))?.0 };
        let mut word = &self.words[slot(key)];
        if word.key != key {
            word = &self.words[slot(key) ^ 1];
        }
        let known = word.key == key && (word.tail_length == 0 || word.has_tail(rest));
        known.then_some(Hit {
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
            difference |= (alike(*byte) ^ wanted) & mask;
        }
        difference == 0
    }
}

/// The key of no word: a key has one byte that is no letter or digit. It is not 0, which is what a
/// NUL in the place of the level has.
const NO_KEY: u64 = u64::MAX;
/// One in every byte.
const ONES: u64 = 0x0101_0101_0101_0101;
/// The golden ratio in 64 bits: its product spreads every bit to the top (Knuth, 6.4).
const FIBONACCI: u64 = 0x9e37_79b9_7f4a_7c15;

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
    (key.wrapping_mul(FIBONACCI) >> 59) as usize
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
