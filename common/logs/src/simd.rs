//! The scan, compiled for the processor at hand: the only `unsafe` of this crate.
//!
//! Two things need it, and both are confined to this file. A function compiled for AVX2 may only be
//! called where the processor has AVX2, which is asked at run time: that makes the hot loop a third
//! faster than what every x86-64 can run. And an unaligned vector load takes a pointer. Everything
//! else (the loop itself, the comparison with a template) is safe code that is inlined here and
//! vectorised by the compiler. Other processors, and x86-64 without AVX2, use the same loop with
//! memchr; the tests run both and compare.

#![allow(unsafe_code, reason = "calling code compiled for AVX2 after asking for it, and one vector load")]

use crate::fast::WIDTH;
use crate::records::{After, Scanner, Sink};

/// [`Scanner::scan`] with the fastest search for newlines that this processor has.
pub(crate) fn scan<S: Sink>(scanner: &mut Scanner<'_>, block: &[u8], after: After, sink: &mut S) -> usize {
    #[cfg(target_arch = "x86_64")]
    if std::is_x86_feature_detected!("avx2")
        && std::is_x86_feature_detected!("bmi1")
        && std::is_x86_feature_detected!("popcnt")
    {
        // SAFETY: the processor has the features that the function is compiled for.
        return unsafe { avx2::scan(scanner, block, after, sink) };
    }
    scanner.scan_lines(block, after, sink, portable, portable_spaces)
}

/// As much of a block as is searched for newlines at a time: it stays in the first-level cache.
const STEP: usize = 8 * 1024;

/// The newlines of a block, in order.
///
/// They are collected step by step before the lines are read. Searching for each line's end when
/// the line is read makes every line wait for the one before it, and each search ends with a branch
/// that no processor can predict; this way neither happens, and lines are read twice as fast.
#[derive(Debug)]
pub(crate) struct Ends {
    /// Newlines found in the last step, relative to its start.
    found: Vec<u32>,
    count: usize,
    index: usize,
    /// Where the last step began, and where the next begins.
    base: usize,
    next: usize,
}

impl Default for Ends {
    fn default() -> Self {
        // Some room more than a step can need, as they are written two at a time.
        Self { found: vec![0; STEP + 2], count: 0, index: 0, base: 0, next: 0 }
    }
}

impl Ends {
    /// Starts on a new block at `from`.
    pub(crate) fn restart(&mut self, from: usize) {
        (self.count, self.index, self.base, self.next) = (0, 0, from, from);
    }

    /// The first newline of `block` at or after `at`; `at` never goes back.
    #[inline(always)]
    #[allow(clippy::inline_always, reason = "part of the loop that is compiled for each processor")]
    pub(crate) fn after(
        &mut self,
        at: usize,
        block: &[u8],
        search: impl Fn(&[u8], &mut [u32]) -> usize,
    ) -> Option<usize> {
        loop {
            while self.index < self.count {
                let end = self.base + *self.found.get(self.index)? as usize;
                if end >= at {
                    return Some(end);
                }
                self.index += 1;
            }
            self.base = self.next.max(at);
            if self.base >= block.len() {
                return None;
            }
            self.next = block.len().min(self.base + STEP);
            self.count = search(block.get(self.base..self.next)?, &mut self.found);
            self.index = 0;
        }
    }
}

/// Writes where the newlines of `text` are into `found`, and returns how many there are. `text` is
/// at most a [`STEP`] long, and `found` two longer.
fn portable(text: &[u8], found: &mut [u32]) -> usize {
    let ends = memchr::memchr_iter(b'\n', text).filter_map(|end| u32::try_from(end).ok());
    found.iter_mut().zip(ends).map(|(slot, end)| *slot = end).count()
}

/// One bit for each space.
fn portable_spaces(text: &[u8; WIDTH]) -> u128 {
    text.iter().rev().fold(0, |bits, byte| bits << 1 | u128::from(*byte == b' '))
}

#[cfg(target_arch = "x86_64")]
mod avx2 {
    use std::arch::x86_64::{
        __m256i, _mm256_cmpeq_epi8, _mm256_loadu_si256, _mm256_movemask_epi8, _mm256_set1_epi8,
    };

    use super::{After, Scanner, Sink, WIDTH};

    #[target_feature(enable = "avx2,bmi1,popcnt")]
    pub(super) fn scan<S: Sink>(
        scanner: &mut Scanner<'_>,
        block: &[u8],
        after: After,
        sink: &mut S,
    ) -> usize {
        scanner.scan_lines(block, after, sink, |text, found| newlines(text, found), |text| spaces(text))
    }

    #[target_feature(enable = "avx2,bmi1,popcnt")]
    fn newlines(text: &[u8], found: &mut [u32]) -> usize {
        let mut count = 0;
        let (chunks, rest) = text.as_chunks::<64>();
        let mut base = 0_u32;
        for chunk in chunks {
            let mut bits = mask(chunk, b'\n');
            let more = count + bits.count_ones() as usize;
            // Few lines are so short that 64 bytes hold three newlines: two are written always,
            // which costs less than asking whether they are there.
            let Some([first, second]) = found.get_mut(count..count + 2) else { break };
            *first = base.wrapping_add(bits.trailing_zeros());
            bits &= bits.wrapping_sub(1);
            *second = base.wrapping_add(bits.trailing_zeros());
            bits &= bits.wrapping_sub(1);
            if bits != 0 {
                for slot in found.iter_mut().take(more).skip(count + 2) {
                    *slot = base.wrapping_add(bits.trailing_zeros());
                    bits &= bits.wrapping_sub(1);
                }
            }
            count = more;
            base = base.wrapping_add(64);
        }
        for (end, _) in (base..).zip(rest).filter(|(_, byte)| **byte == b'\n') {
            if let Some(slot) = found.get_mut(count) {
                *slot = end;
                count += 1;
            }
        }
        count
    }

    #[target_feature(enable = "avx2,bmi1,popcnt")]
    #[inline]
    fn spaces(text: &[u8; WIDTH]) -> u128 {
        let (chunks, _) = text.as_chunks::<64>();
        chunks.iter().rev().fold(0, |bits, chunk| bits << 64 | u128::from(mask(chunk, b' ')))
    }

    /// One bit for each `wanted` in 64 bytes.
    #[target_feature(enable = "avx2,bmi1,popcnt")]
    #[inline]
    fn mask(chunk: &[u8; 64], wanted: u8) -> u64 {
        let wanted = _mm256_set1_epi8(wanted.cast_signed());
        let half = |from: usize| {
            #[allow(clippy::cast_ptr_alignment, reason = "loadu takes any address")]
            // SAFETY: `from` is 0 or 32, so the 32 bytes of the load lie within the 64 of `chunk`.
            let bytes = unsafe { _mm256_loadu_si256(chunk.as_ptr().add(from).cast::<__m256i>()) };
            u64::from(_mm256_movemask_epi8(_mm256_cmpeq_epi8(bytes, wanted)).cast_unsigned())
        };
        half(0) | half(32) << 32
    }

    #[cfg(test)]
    proptest::proptest! {
        #[test]
        fn finds_the_newlines_that_the_portable_search_finds(
            text in proptest::collection::vec(proptest::sample::select(b"\n\n\x8a\x0bxyz".to_vec()), 0..700),
        ) {
            if std::is_x86_feature_detected!("avx2") && std::is_x86_feature_detected!("bmi1") {
                let (mut ours, mut theirs) = (vec![0; 702], vec![0; 702]);
                // SAFETY: the processor has the features, as was just asked.
                let count = unsafe { newlines(&text, &mut ours) };
                proptest::prop_assert_eq!(count, super::portable(&text, &mut theirs));
                proptest::prop_assert_eq!(&ours[..count], &theirs[..count]);
                if let Some(chunk) = text.first_chunk() {
                    let chunk = chunk.map(|byte| if byte == b'x' { b' ' } else { byte });
                    // SAFETY: as above.
                    let ours = unsafe { spaces(&chunk) };
                    proptest::prop_assert_eq!(ours, super::portable_spaces(&chunk));
                }
            }
        }
    }
}
