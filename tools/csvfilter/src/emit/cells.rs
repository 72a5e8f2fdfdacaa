//! Where the fields of a row begin and end.

use std::borrow::Cow;

use super::word::{self, is};
use crate::block::Block;

/// How many bytes are copied at once, whether they are all wanted or not: most fields are shorter,
/// and a copy of a fixed length is two instructions.
const CHUNK: usize = 32;

/// How many delimiters are taken out of a word of the index at once, whether there are as many or
/// not: so the number of them, which differs from word to word, is no branch to foretell.
const AT_ONCE: u32 = 8;

/// As many delimiters are left behind before they are dropped.
const PAST: usize = 4096;

/// The fields of one row after the other.
#[derive(Debug)]
pub(super) struct Cells<'e> {
    pub(super) block: &'e Block,
    chosen: Option<&'e [usize]>,
    /// How many columns there should be.
    width: usize,
    row: usize,
    /// Where the row begins, and where it ends without its line end.
    start: usize,
    end: usize,
    /// Delimiters, taken out of the index a word at a time, up to the word `next`. Those of the row
    /// are `count` from `first` on.
    delimiters: Vec<u32>,
    next: usize,
    first: usize,
    count: usize,
}

impl<'e> Cells<'e> {
    pub(super) fn new(block: &'e Block, chosen: Option<&'e [usize]>, width: usize) -> Self {
        let count = width.saturating_sub(1);
        let delimiters = Vec::new();
        Self { block, chosen, width, row: 0, start: 0, end: 0, delimiters, next: 0, first: 0, count }
    }

    /// Visits rows.
    #[inline]
    pub(super) fn each(&mut self, rows: &[u32], mut visit: impl FnMut(&Self)) {
        for row in rows {
            self.read(*row as usize);
            visit(self);
        }
    }

    /// Goes on to a row.
    #[inline]
    fn read(&mut self, row: usize) {
        let (start, _) = self.block.bounds(row);
        self.row = row;
        self.start = start;
        self.end = start.wrapping_add(self.block.content(row).len());
        if start / 64 >= self.next {
            self.delimiters.clear();
            self.first = 0;
            self.next = start / 64;
            self.take(u64::MAX << (start % 64));
        } else if self.first > PAST {
            self.delimiters.drain(..self.first);
            self.first = 0;
        }
        while self.next.wrapping_mul(64) < self.end {
            self.take(u64::MAX);
        }
        self.find();
    }

    /// Takes the delimiters of the next word that are not masked.
    #[inline]
    fn take(&mut self, mask: u64) {
        let mut bits = self.block.index.delimiters.get(self.next).copied().unwrap_or_default() & mask;
        let base = u32::try_from(self.next.wrapping_mul(64)).unwrap_or_default();
        self.next = self.next.wrapping_add(1);
        while bits != 0 {
            let behind = self.delimiters.len().wrapping_add(bits.count_ones().min(AT_ONCE) as usize);
            let taken: [u32; AT_ONCE as usize] = std::array::from_fn(|_| {
                let delimiter = base.wrapping_add(bits.trailing_zeros());
                bits &= bits.wrapping_sub(1);
                delimiter
            });
            self.delimiters.extend_from_slice(&taken);
            self.delimiters.truncate(behind);
        }
    }

    /// Finds the delimiters of the row among those taken: after those of the row before, and most
    /// often as many.
    #[inline]
    fn find(&mut self) {
        let is_before =
            |place: usize, end: usize| self.delimiters.get(place).is_some_and(|at| (*at as usize) < end);
        let mut first = self.first;
        if is_before(first.wrapping_add(self.count), self.start) {
            first = first.wrapping_add(self.count);
        }
        while is_before(first, self.start) {
            first = first.wrapping_add(1);
        }
        let mut behind = first.wrapping_add(self.count);
        if self.count > 0 && !is_before(behind.wrapping_sub(1), self.end) {
            behind = first;
        }
        while is_before(behind, self.end) {
            behind = behind.wrapping_add(1);
        }
        self.first = first;
        self.count = behind.wrapping_sub(first);
    }

    /// The number of fields that the row has.
    #[inline]
    pub(super) fn len(&self) -> usize {
        self.count.wrapping_add(1)
    }

    /// Whether the row has as many fields as it should, or it does not matter.
    #[inline]
    pub(super) fn is_regular(&self) -> bool {
        self.chosen.is_some() || self.len() == self.width
    }

    /// The row without its line end.
    #[inline]
    pub(super) fn content(&self) -> &'e [u8] {
        self.block.bytes.get(self.start..self.end).unwrap_or_default()
    }

    pub(super) fn line_end(&self) -> &'e [u8] {
        self.block.line_end(self.row)
    }

    /// Where a field begins and ends; `None` where the row is too short.
    #[inline]
    pub(super) fn bounds(&self, column: usize) -> Option<(usize, usize)> {
        if column > self.count {
            return None;
        }
        let delimiter =
            |column: usize| self.delimiters.get(self.first.wrapping_add(column)).map(|at| *at as usize);
        let end = if column == self.count { self.end } else { delimiter(column)? };
        let start = if column == 0 { self.start } else { delimiter(column.wrapping_sub(1))?.wrapping_add(1) };
        Some((start, end))
    }

    /// Where the last field ends.
    #[inline]
    pub(super) fn end(&self) -> usize {
        self.end
    }

    /// A field as it is written; `None` where the row is too short.
    #[inline]
    pub(super) fn raw(&self, column: usize) -> Option<&'e [u8]> {
        let (start, end) = self.bounds(column)?;
        self.block.bytes.get(start..end)
    }

    /// The fields to write, one by one.
    #[inline]
    pub(super) fn fields(&self) -> Fields<'_> {
        let behind = self.first.wrapping_add(self.count);
        let ends = self.delimiters.get(self.first..behind).unwrap_or_default();
        Fields { cells: self, ends, place: 0, start: self.start }
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
}

/// The fields to write of one row.
#[derive(Debug)]
pub(super) struct Fields<'c> {
    cells: &'c Cells<'c>,
    /// Where all fields but the last end.
    ends: &'c [u32],
    place: usize,
    /// Where the next one begins, unless columns are chosen.
    start: usize,
}

impl<'c> Fields<'c> {
    /// Where all fields but the last end, and where the first begins, unless columns are chosen.
    #[inline]
    pub(super) fn ends(&self) -> Option<(&'c [u32], usize)> {
        self.cells.chosen.is_none().then_some((self.ends, self.start))
    }

    /// Where the next field begins and ends; nowhere, if the row does not have it.
    #[inline]
    pub(super) fn next_or_empty(&mut self) -> (usize, usize) {
        let place = self.place;
        self.place = place.wrapping_add(1);
        if let Some(chosen) = self.cells.chosen {
            return chosen.get(place).and_then(|column| self.cells.bounds(*column)).unwrap_or_default();
        }
        let start = self.start;
        let end = match self.ends.get(place) {
            Some(end) => *end as usize,
            None if place == self.ends.len() => self.cells.end,
            None => return (0, 0),
        };
        self.start = end.wrapping_add(1);
        (start, end)
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
