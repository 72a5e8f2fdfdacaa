//! The loops of the module `kernel`, compiled for the processor at hand: the only `unsafe` here.
//!
//! Two things need it. Code compiled for instructions that not every processor has may only be
//! called where they are, which is asked once, at the start. And an unaligned vector load takes a
//! pointer. All processors have the portable loops; the tests run every way that the machine has and
//! compare.

#![allow(unsafe_code, reason = "calling code compiled for a processor after asking for it, and vector loads")]

use crate::block::Index;
use crate::dialect::Dialect;
use crate::kernel::{self, Found, Place, Which, Words};
use crate::scan::State;

/// The instructions that are used.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Cpu(Set);

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Set {
    Portable,
    #[cfg(target_arch = "x86_64")]
    Avx2,
    #[cfg(target_arch = "x86_64")]
    Avx512,
}

impl Cpu {
    /// The best that this processor has.
    #[must_use]
    pub fn best() -> Self {
        Self::all().last().map_or(Self(Set::Portable), |(_, best)| *best)
    }

    /// Every way that this processor has, with its name: the slowest first.
    #[must_use]
    pub fn all() -> Vec<(&'static str, Self)> {
        let mut all = vec![("portable", Self(Set::Portable))];
        #[cfg(target_arch = "x86_64")]
        {
            use std::is_x86_feature_detected as has;
            if has!("avx2")
                && has!("bmi1")
                && has!("bmi2")
                && has!("popcnt")
                && has!("pclmulqdq")
                && has!("lzcnt")
            {
                all.push(("avx2", Self(Set::Avx2)));
                if has!("avx512f") && has!("avx512bw") && has!("avx512vl") {
                    all.push(("avx512", Self(Set::Avx512)));
                }
            }
        }
        all
    }

    /// The way of that name, if this processor has it.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        Self::all().into_iter().find(|(known, _)| *known == name).map(|(_, cpu)| cpu)
    }

    /// [`kernel::scan`].
    pub(crate) fn scan(self, index: &mut Index, text: &[[u8; 64]], state: State, dialect: Dialect) -> State {
        match self.0 {
            Set::Portable => kernel::scan(index, text, state, dialect, Portable(Bytes::of(dialect))),
            // SAFETY: a `Cpu` of this kind is made only where the processor has the instructions.
            #[cfg(target_arch = "x86_64")]
            Set::Avx2 => unsafe { x86::scan2(index, text, state, dialect) },
            // SAFETY: as above.
            #[cfg(target_arch = "x86_64")]
            Set::Avx512 => unsafe { x86::scan512(index, text, state, dialect) },
        }
    }

    /// [`kernel::measure`].
    pub(crate) fn measure(self, index: &mut Index, expected: u32, odd: &mut Vec<u32>) {
        match self.0 {
            Set::Portable => kernel::measure(index, expected, odd),
            // SAFETY: as in `scan`.
            #[cfg(target_arch = "x86_64")]
            Set::Avx2 | Set::Avx512 => unsafe { x86::measure(index, expected, odd) },
        }
    }

    /// [`kernel::locate`].
    pub(crate) fn locate(self, index: &Index, rows: &[u32], which: Which, places: &mut Vec<Place>) {
        match self.0 {
            Set::Portable => kernel::locate(index, rows, which, Portable(Bytes::default()), places),
            // SAFETY: as in `scan`.
            #[cfg(target_arch = "x86_64")]
            Set::Avx2 => unsafe { x86::locate2(index, rows, which, places) },
            // SAFETY: as in `scan`.
            #[cfg(target_arch = "x86_64")]
            Set::Avx512 => unsafe { x86::locate512(index, rows, which, places) },
        }
    }

    /// [`kernel::copy`].
    pub(crate) fn copy(self, bytes: &[u8], index: &Index, rows: &[u32], out: &mut Vec<u8>) -> usize {
        match self.0 {
            Set::Portable => kernel::copy(bytes, index, rows, out),
            // SAFETY: as in `scan`.
            #[cfg(target_arch = "x86_64")]
            Set::Avx2 => unsafe { x86::copy2(bytes, index, rows, out) },
            // SAFETY: as in `scan`.
            #[cfg(target_arch = "x86_64")]
            Set::Avx512 => unsafe { x86::copy512(bytes, index, rows, out) },
        }
    }
}

/// The bytes that are looked for.
#[derive(Debug, Clone, Copy, Default)]
struct Bytes {
    delimiter: u8,
    quote: u8,
    /// All bits, or none where no byte is a quote.
    quotes: u64,
}

impl Bytes {
    fn of(dialect: Dialect) -> Self {
        Self {
            delimiter: dialect.delimiter,
            quote: dialect.quote.unwrap_or_default(),
            quotes: if dialect.quote.is_some() { u64::MAX } else { 0 },
        }
    }
}

/// For every processor: eight bytes at a time in an integer.
#[derive(Clone, Copy)]
struct Portable(Bytes);

/// The highest bit of each of eight bytes.
const HIGH: u64 = 0x8080_8080_8080_8080;

/// One bit for each of eight bytes that are 0 or 1.
#[inline]
fn gather(bytes: u64) -> u64 {
    bytes.wrapping_mul(0x0102_0408_1020_4080) >> 56
}

/// One bit for each byte of a word that equals `byte`.
#[inline]
fn equal(word: &[u8; 64], byte: u8) -> u64 {
    // A comparison of bytes one by one is what compilers make vector instructions of.
    let found = word.map(|one| u8::from(one == byte));
    let eights = found.as_chunks::<8>().0.iter().rev();
    eights.fold(0, |bits, eight| bits << 8 | gather(u64::from_le_bytes(*eight)))
}

impl Words for Portable {
    #[inline]
    fn find(self, word: &[u8; 64]) -> Found {
        let high = word.as_chunks::<8>().0.iter().fold(0, |high, eight| high | u64::from_le_bytes(*eight));
        Found {
            quotes: equal(word, self.0.quote) & self.0.quotes,
            delimiters: equal(word, self.0.delimiter),
            newlines: equal(word, b'\n'),
            high: high & HIGH,
        }
    }

    #[inline]
    fn find_one(self, word: &[u8; 64], byte: u8) -> u64 {
        equal(word, byte)
    }

    #[inline]
    fn parity(self, mut bits: u64) -> u64 {
        for shift in [1, 2, 4, 8, 16, 32] {
            bits ^= bits << shift;
        }
        bits
    }

    #[inline]
    fn select(self, mut bits: u64, rank: u32) -> u32 {
        for _ in 0..rank {
            bits &= bits.wrapping_sub(1);
        }
        bits.trailing_zeros()
    }
}

#[cfg(target_arch = "x86_64")]
mod x86;

#[cfg(test)]
mod tests;
