//! Where the fields of a row begin and end, found for all of them at once.

use std::borrow::Cow;

use super::word::{self, is};
use crate::block::Block;

/// How many bytes are copied at once, whether they are all wanted or not: most fields are shorter,
/// and a copy of a fixed length is two instructions.
const CHUNK: usize = 32;

/// How many delimiters are taken out of a word of the index at once, whether there are as many or
/// not: so the number of them, which differs from word to word, is no branch to foretell.
const AT_ONCE: u32 = 8;

/// The fields of one row after the other.
#[derive(Debug)]
pub(super) struct Cells<'e> {
    pub(super) block: &'e Block,
    chosen: Option<&'e [usize]>,
    /// How many columns there should be.
    pub(super) width: usize,
    row: usize,
    start: usize,
    /// Where each field ends.
    ends: Vec<u32>,
}

impl<'e> Cells<'e> {
    pub(super) fn new(block: &'e Block, chosen: Option<&'e [usize]>, width: usize) -> Self {
        Self { block, chosen, width, row: 0, start: 0, ends: Vec::new() }
    }

    /// Visits rows.
    #[inline]
    pub(super) fn each(&mut self, rows: &[u32], mut visit: impl FnMut(&Self)) {
        for row in rows {
            self.read(*row as usize);
            visit(self);
        }
    }

    #[inline]
    fn read(&mut self, row: usize) {
        let (start, _) = self.block.bounds(row);
        let end = start.wrapping_add(self.block.content(row).len());
        let delimiters = &self.block.index.delimiters;
        self.row = row;
        self.start = start;
        self.ends.clear();
        let mut base = start & !63;
        let mut from = u64::MAX << (start % 64);
        while base < end {
            let to = if end.wrapping_sub(base) < 64 { !(u64::MAX << (end % 64)) } else { u64::MAX };
            let word = delimiters.get(base / 64).copied().unwrap_or_default();
            self.take(base, word & from & to);
            base = base.wrapping_add(64);
            from = u64::MAX;
        }
        self.ends.extend(u32::try_from(end));
    }

    /// Takes the delimiters of one word.
    #[inline]
    fn take(&mut self, base: usize, mut bits: u64) {
        let Ok(base) = u32::try_from(base) else { return };
        while bits != 0 {
            let behind = self.ends.len().wrapping_add(bits.count_ones().min(AT_ONCE) as usize);
            let ends: [u32; AT_ONCE as usize] = std::array::from_fn(|_| {
                let end = base.wrapping_add(bits.trailing_zeros());
                bits &= bits.wrapping_sub(1);
                end
            });
            self.ends.extend_from_slice(&ends);
            self.ends.truncate(behind);
        }
    }

    /// The number of fields that the row has.
    #[inline]
    pub(super) fn len(&self) -> usize {
        self.ends.len()
    }

    /// Whether the row has as many fields as it should, or it does not matter.
    #[inline]
    pub(super) fn is_regular(&self) -> bool {
        self.chosen.is_some() || self.len() == self.width
    }

    /// The row without its line end.
    #[inline]
    pub(super) fn content(&self) -> &'e [u8] {
        let end = self.ends.last().map_or(self.start, |end| *end as usize);
        self.block.bytes.get(self.start..end).unwrap_or_default()
    }

    pub(super) fn line_end(&self) -> &'e [u8] {
        self.block.line_end(self.row)
    }

    /// Where a field begins and ends.
    #[inline]
    pub(super) fn bounds(&self, column: usize) -> Option<(usize, usize)> {
        let end = *self.ends.get(column)? as usize;
        let before = column.checked_sub(1).and_then(|before| self.ends.get(before));
        Some((before.map_or(self.start, |end| (*end as usize).wrapping_add(1)), end))
    }

    /// A field as it is written; `None` where the row is too short.
    #[inline]
    pub(super) fn raw(&self, column: usize) -> Option<&'e [u8]> {
        let (start, end) = self.bounds(column)?;
        self.block.bytes.get(start..end)
    }

    /// The columns to write: those chosen, or those of the table.
    #[inline]
    pub(super) fn columns(&self) -> impl Iterator<Item = usize> + use<'e> {
        let all = if self.chosen.is_some() { 0 } else { self.width };
        self.chosen.unwrap_or_default().iter().copied().chain(0..all)
    }

    /// The columns to write: those chosen, or all that the row has.
    #[inline]
    pub(super) fn present(&self) -> impl Iterator<Item = usize> + use<'e> {
        let all = if self.chosen.is_some() { 0 } else { self.len() };
        self.chosen.unwrap_or_default().iter().copied().chain(0..all)
    }

    /// The columns of fields that are too many.
    pub(super) fn extra(&self) -> std::ops::Range<usize> {
        let first = if self.chosen.is_some() { self.len() } else { self.width };
        first..self.len()
    }

    /// What is in the block from a place on, beyond the row too.
    #[inline]
    pub(super) fn from(&self, start: usize) -> &'e [u8] {
        self.block.bytes.get(start..).unwrap_or_default()
    }

    /// What the fields mean: those of the table, empty where they are missing, and the extra ones.
    pub(super) fn values(&self) -> impl Iterator<Item = Cow<'e, [u8]>> {
        let value = |column| self.block.dialect.value(self.raw(column).unwrap_or_default());
        self.columns().chain(self.extra()).map(value)
    }

    /// Appends a field as it is written.
    #[inline]
    pub(super) fn copy(&self, (start, end): (usize, usize), out: &mut Vec<u8>) {
        copy(self.from(start), end.wrapping_sub(start), out);
    }

    /// Where the fields begin and end, from the first on.
    #[inline]
    pub(super) fn all(&self) -> impl Iterator<Item = (usize, usize)> {
        let mut start = self.start;
        self.ends.iter().map(move |end| {
            let end = *end as usize;
            (std::mem::replace(&mut start, end.wrapping_add(1)), end)
        })
    }

    /// Whether all columns are written.
    #[inline]
    pub(super) fn are_all(&self) -> bool {
        self.chosen.is_none()
    }
}

/// Appends the first `len` bytes. It is fastest where more than 32 follow in all.
#[inline]
pub(super) fn copy(bytes: &[u8], len: usize, out: &mut Vec<u8>) {
    match bytes.first_chunk::<CHUNK>() {
        Some(chunk) if len <= CHUNK => append(chunk, len, out),
        _ => out.extend_from_slice(bytes.get(..len).unwrap_or_default()),
    }
}

/// Appends the first `len` bytes of a chunk.
#[inline]
fn append(chunk: &[u8; CHUNK], len: usize, out: &mut Vec<u8>) {
    let end = out.len().wrapping_add(len);
    out.extend_from_slice(chunk);
    out.truncate(end);
}

/// A text that is appended often.
#[derive(Debug)]
pub(super) struct Piece {
    chunk: [u8; CHUNK],
    text: Vec<u8>,
}

impl Piece {
    pub(super) fn new(text: &[u8]) -> Self {
        let mut chunk = [0; CHUNK];
        chunk.iter_mut().zip(text).for_each(|(to, from)| *to = *from);
        Self { chunk, text: text.to_vec() }
    }

    #[inline]
    pub(super) fn append(&self, out: &mut Vec<u8>) {
        if self.text.len() <= CHUNK {
            append(&self.chunk, self.text.len(), out);
        } else {
            out.extend_from_slice(&self.text);
        }
    }
}

/// Whether one of these bytes is in a text.
#[inline]
pub(super) fn has_any(text: &[u8], [a, b, c, d]: [u8; 4]) -> bool {
    word::all(text, |word| is(word, a) | is(word, b) | is(word, c) | is(word, d)) != 0
}
