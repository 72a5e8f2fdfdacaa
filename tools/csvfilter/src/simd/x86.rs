//! The loops with AVX2 and with AVX-512.
//!
//! A value of [`Avx2`] or [`Avx512`] is made in this file only, by functions that are compiled for
//! these instructions; so where there is one, the processor has them. That is the proof for every
//! `unsafe` below.

#![allow(
    clippy::inline_always,
    reason = "an instruction is inlined only into a function that is compiled for it"
)]

use std::arch::x86_64::{
    __m256i, __m512i, _mm_clmulepi64_si128, _mm_cvtsi128_si64, _mm_set_epi64x, _mm_set1_epi8,
    _mm256_cmpeq_epi8, _mm256_loadu_si256, _mm256_movemask_epi8, _mm256_set1_epi8, _mm512_cmpeq_epi8_mask,
    _mm512_loadu_si512, _mm512_movepi8_mask, _mm512_set1_epi8, _pdep_u64,
};

use super::{Bytes, Portable};
use crate::block::Index;
use crate::dialect::Dialect;
use crate::kernel::{self, Found, Place, Which, Words};
use crate::scan::State;

#[target_feature(enable = "avx2,bmi1,bmi2,popcnt,pclmulqdq,lzcnt")]
pub(super) fn scan2(index: &mut Index, text: &[[u8; 64]], state: State, dialect: Dialect) -> State {
    kernel::scan(index, text, state, dialect, Avx2(Bytes::of(dialect)))
}

#[target_feature(enable = "avx512f,avx512bw,avx512vl,avx2,bmi1,bmi2,popcnt,pclmulqdq,lzcnt")]
pub(super) fn scan512(index: &mut Index, text: &[[u8; 64]], state: State, dialect: Dialect) -> State {
    kernel::scan(index, text, state, dialect, Avx512(Bytes::of(dialect)))
}

#[target_feature(enable = "avx2,bmi1,bmi2,popcnt,lzcnt")]
pub(super) fn measure(index: &mut Index, expected: u32, odd: &mut Vec<u32>) {
    kernel::measure(index, expected, odd);
}

#[target_feature(enable = "avx2,bmi1,bmi2,popcnt,pclmulqdq,lzcnt")]
pub(super) fn locate2(index: &Index, rows: &[u32], which: Which, places: &mut Vec<Place>) {
    kernel::locate(index, rows, which, Avx2(Bytes::default()), places);
}

#[target_feature(enable = "avx512f,avx512bw,avx512vl,avx2,bmi1,bmi2,popcnt,pclmulqdq,lzcnt")]
pub(super) fn locate512(index: &Index, rows: &[u32], which: Which, places: &mut Vec<Place>) {
    kernel::locate(index, rows, which, Avx512(Bytes::default()), places);
}

#[target_feature(enable = "avx2,bmi1,bmi2,popcnt,lzcnt")]
pub(super) fn copy2(bytes: &[u8], index: &Index, rows: &[u32], out: &mut Vec<u8>) -> usize {
    kernel::copy(bytes, index, rows, out)
}

#[target_feature(enable = "avx512f,avx512bw,avx512vl,avx2,bmi1,bmi2,popcnt,lzcnt")]
pub(super) fn copy512(bytes: &[u8], index: &Index, rows: &[u32], out: &mut Vec<u8>) -> usize {
    kernel::copy(bytes, index, rows, out)
}

#[derive(Clone, Copy)]
struct Avx2(Bytes);

impl Avx2 {
    /// One bit for each byte of `word` that equals `byte`.
    #[inline(always)]
    fn equal(halves: [__m256i; 2], byte: u8) -> u64 {
        // SAFETY: see the module.
        let [low, high] = halves.map(|half| unsafe {
            _mm256_movemask_epi8(_mm256_cmpeq_epi8(half, _mm256_set1_epi8(byte.cast_signed())))
                .cast_unsigned()
        });
        u64::from(low) | u64::from(high) << 32
    }

    #[inline(always)]
    fn load(word: &[u8; 64]) -> [__m256i; 2] {
        // SAFETY: see the module; 0 and 32 with 32 bytes each lie within the 64 of `word`.
        [0, 32].map(|from| unsafe { _mm256_loadu_si256(word.as_ptr().add(from).cast()) })
    }
}

impl Words for Avx2 {
    #[inline(always)]
    fn find(self, word: &[u8; 64]) -> Found {
        let halves = Self::load(word);
        // SAFETY: see the module.
        let [low, high] = halves.map(|half| unsafe { _mm256_movemask_epi8(half).cast_unsigned() });
        Found {
            quotes: Self::equal(halves, self.0.quote) & self.0.quotes,
            delimiters: Self::equal(halves, self.0.delimiter),
            newlines: Self::equal(halves, b'\n'),
            high: u64::from(low | high),
        }
    }

    #[inline(always)]
    fn find_one(self, word: &[u8; 64], byte: u8) -> u64 {
        Self::equal(Self::load(word), byte)
    }

    #[inline(always)]
    fn parity(self, bits: u64) -> u64 {
        carryless(bits)
    }

    /// Of the processors with AVX2, some have a PDEP that takes a hundred cycles.
    #[inline(always)]
    fn select(self, bits: u64, rank: u32) -> u32 {
        Portable(self.0).select(bits, rank)
    }
}

#[derive(Clone, Copy)]
struct Avx512(Bytes);

impl Avx512 {
    #[inline(always)]
    fn load(word: &[u8; 64]) -> __m512i {
        // SAFETY: see the module; the 64 bytes are those of `word`.
        unsafe { _mm512_loadu_si512(word.as_ptr().cast()) }
    }

    #[inline(always)]
    fn equal(bytes: __m512i, byte: u8) -> u64 {
        // SAFETY: see the module.
        unsafe { _mm512_cmpeq_epi8_mask(bytes, _mm512_set1_epi8(byte.cast_signed())) }
    }
}

impl Words for Avx512 {
    #[inline(always)]
    fn find(self, word: &[u8; 64]) -> Found {
        let bytes = Self::load(word);
        Found {
            quotes: Self::equal(bytes, self.0.quote) & self.0.quotes,
            delimiters: Self::equal(bytes, self.0.delimiter),
            newlines: Self::equal(bytes, b'\n'),
            // SAFETY: see the module.
            high: unsafe { _mm512_movepi8_mask(bytes) },
        }
    }

    #[inline(always)]
    fn find_one(self, word: &[u8; 64], byte: u8) -> u64 {
        Self::equal(Self::load(word), byte)
    }

    #[inline(always)]
    fn parity(self, bits: u64) -> u64 {
        carryless(bits)
    }

    #[inline(always)]
    fn select(self, bits: u64, rank: u32) -> u32 {
        // SAFETY: see the module.
        unsafe { _pdep_u64(1_u64.wrapping_shl(rank), bits) }.trailing_zeros()
    }
}

/// A product without carries with all ones adds up, for each bit, those below it.
#[inline(always)]
fn carryless(bits: u64) -> u64 {
    // SAFETY: see the module.
    unsafe {
        let product = _mm_clmulepi64_si128(
            _mm_set_epi64x(0, bits.cast_signed()),
            _mm_set1_epi8(u8::MAX.cast_signed()),
            0,
        );
        _mm_cvtsi128_si64(product).cast_unsigned()
    }
}
