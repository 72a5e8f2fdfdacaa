//! A block of whole rows, and where its rows and fields begin and end.

use memchr::{memchr, memchr_iter};

use crate::dialect::Dialect;
use crate::kernel::Place;
use crate::scan::{self, State};
use crate::simd::Cpu;

/// How many bytes behind the text of a block can be read, so that a field can be loaded as a whole
/// word wherever it ends.
pub const SLACK: usize = 64;

/// Whole rows of one input, with an index of their delimiters.
///
/// Row and field numbers count from 0. Comments and blank lines are rows here; what they are is told
/// by [`Block::is_blank`].
#[derive(Debug)]
pub struct Block {
    /// How it was cut.
    pub dialect: Dialect,
    /// The text of the rows from where the index begins, and behind it more than [`SLACK`] bytes of
    /// anything.
    pub(crate) bytes: Vec<u8>,
    pub(crate) index: Index,
    /// The line of its input on which the first row begins, counted from 1.
    pub(crate) first_line: u64,
    /// What is wrong with the last row, if it is none.
    pub(crate) broken: Option<Broken>,
}

/// Why the end of a row is not known.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Broken {
    /// A quote that opened on `line` never closes; the row ends with that line.
    Quote { line: u64 },
    /// The row is longer than a row may be. This is a part of it; the last part ends with a line end
    /// or with the input.
    Long { is_first: bool },
}

impl Default for Block {
    fn default() -> Self {
        let (index, bytes) = (Index::default(), Vec::new());
        Self { dialect: Dialect::delimited(b','), bytes, index, first_line: 1, broken: None }
    }
}

/// What the scan finds in the bytes of a block.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Index {
    /// Where the first row begins.
    pub(crate) begin: u32,
    /// One bit for each byte: it stands between two fields.
    pub(crate) delimiters: Vec<u64>,
    /// The number of delimiters before each word of `delimiters`, and in all of them.
    pub(crate) ranks: Vec<u32>,
    /// Where each row ends: behind its line end.
    pub(crate) ends: Vec<u32>,
    /// The number of delimiters before the end of each row; see [`crate::kernel::measure`].
    pub(crate) before_end: Vec<u32>,
    /// How many LF there are, in rows or in fields.
    pub(crate) newlines: u64,
    /// No byte is above 127.
    pub(crate) is_ascii: bool,
    /// There is a quote, whether it means something or not.
    pub(crate) has_quotes: bool,
}

impl Default for Index {
    fn default() -> Self {
        let (delimiters, ranks) = (Vec::new(), vec![0]);
        Self {
            begin: 0,
            delimiters,
            ranks,
            ends: Vec::new(),
            before_end: Vec::new(),
            newlines: 0,
            is_ascii: true,
            has_quotes: false,
        }
    }
}

impl Index {
    /// Forgets everything but the room it takes.
    pub(crate) fn clear(&mut self) {
        self.delimiters.clear();
        self.ranks.truncate(1);
        self.ends.clear();
        self.before_end.clear();
        (self.begin, self.newlines, self.is_ascii, self.has_quotes) = (0, 0, true, false);
    }

    /// Adds a text that need not begin with a word, to an index without any; `bytes` begins with it.
    pub(crate) fn add(
        &mut self,
        (bytes, begin, end): (&[u8], usize, usize),
        dialect: Dialect,
        cpu: Cpu,
    ) -> State {
        let aligned = begin.next_multiple_of(64).min(end);
        self.begin = u32::try_from(begin).unwrap_or(u32::MAX);
        let empty = begin / 64;
        self.delimiters.resize(empty, 0);
        self.ranks.resize(empty + 1, 0);
        let mut state = State::Row;
        if begin < aligned {
            let first = bytes.get(begin..aligned).unwrap_or_default();
            state = self.add_at(begin % 64, first, state, dialect);
        }
        if aligned < end {
            let (words, rest) = bytes.get(aligned..end).unwrap_or_default().as_chunks();
            state = cpu.scan(self, words, state, dialect);
            if !rest.is_empty() {
                state = self.add_at(0, rest, state, dialect);
            }
        }
        state
    }

    /// Adds a word of which only the bytes from `bit` on are given.
    fn add_at(&mut self, bit: usize, bytes: &[u8], state: State, dialect: Dialect) -> State {
        let base = self.delimiters.len() * 64 + bit;
        let base = u32::try_from(base).unwrap_or(u32::MAX);
        let (marks, after) = scan::exact(bytes, state, dialect);
        let rank = self.ranks.last().copied().unwrap_or_default();
        self.delimiters.push(marks.delimiters << bit);
        self.ranks.push(rank.wrapping_add(marks.delimiters.count_ones()));
        self.ends
            .extend((0..64).filter(|bit| marks.ends >> bit & 1 == 1).map(|bit| base.wrapping_add(bit + 1)));
        self.newlines += memchr_iter(b'\n', bytes).count() as u64;
        self.is_ascii &= bytes.is_ascii();
        self.has_quotes |= dialect.quote.is_some_and(|quote| memchr(quote, bytes).is_some());
        after
    }
}

impl Block {
    /// A whole text as one block; what a quote that never closes leaves open ends with the text.
    #[must_use]
    pub fn of(text: &[u8], dialect: Dialect) -> Self {
        let mut index = Index::default();
        let mut state = State::Row;
        for word in text.chunks(64) {
            state = index.add_at(0, word, state, dialect);
        }
        let bytes = [text, &[0; SLACK + 1]].concat();
        let mut block = Self { dialect, bytes, index, ..Self::default() };
        block.end_with(text.len());
        block
    }

    /// The same, read as whole inputs are: many bytes at a time, by the instructions of `cpu`. The text
    /// is put `begin` bytes behind the beginning of the block, as if something had been there before.
    #[must_use]
    pub fn scanned(text: &[u8], begin: usize, dialect: Dialect, cpu: Cpu) -> Self {
        let mut block = Self { dialect, ..Self::default() };
        let end = begin + text.len();
        block.grow(end);
        block.bytes[begin..end].copy_from_slice(text);
        let _state = block.index.add((&block.bytes, begin, end), dialect, cpu);
        block.end_with(end);
        block
    }

    /// Ends the last row at `end`, where it has no line end.
    pub(crate) fn end_with(&mut self, end: usize) {
        if self.end() < end {
            self.index.ends.push(u32::try_from(end).unwrap_or(u32::MAX));
        }
    }

    /// Forgets its rows, but not the room they took.
    pub(crate) fn clear(&mut self, dialect: Dialect, first_line: u64) {
        self.index.clear();
        (self.dialect, self.first_line, self.broken) = (dialect, first_line, None);
    }

    /// Makes room for a text of `length` bytes.
    pub(crate) fn grow(&mut self, length: usize) {
        if self.bytes.len() < length + SLACK {
            self.bytes.resize(length + SLACK, 0);
        }
    }

    /// All rows.
    pub(crate) fn text(&self) -> &[u8] {
        self.bytes.get(self.begin()..self.end()).unwrap_or_default()
    }

    /// The bytes of a field that was located.
    #[inline]
    pub(crate) fn bytes_of(&self, place: Place) -> &[u8] {
        self.bytes.get(place.start as usize..place.end as usize).unwrap_or_default()
    }

    /// Where the first row begins.
    pub(crate) fn begin(&self) -> usize {
        self.index.begin as usize
    }

    /// Where the last row ends.
    pub(crate) fn end(&self) -> usize {
        self.index.ends.last().map_or(self.begin(), |end| *end as usize)
    }

    /// The number of rows.
    #[must_use]
    pub fn rows(&self) -> usize {
        self.index.ends.len()
    }

    /// The row as it came in, with its line end if it has one.
    #[must_use]
    pub fn row(&self, row: usize) -> &[u8] {
        let (start, end) = self.bounds(row);
        self.bytes.get(start..end).unwrap_or_default()
    }

    /// Where the row begins and where it ends, behind its line end.
    #[must_use]
    pub fn bounds(&self, row: usize) -> (usize, usize) {
        let end_of = |row: usize| self.index.ends.get(row).map_or(self.begin(), |end| *end as usize);
        (row.checked_sub(1).map_or(self.begin(), end_of), end_of(row))
    }

    /// The row without its line end.
    #[must_use]
    pub fn content(&self, row: usize) -> &[u8] {
        without_line_end(self.row(row))
    }

    /// The line end of the row: `\r\n`, `\n`, or nothing at the end of an input.
    #[must_use]
    pub fn line_end(&self, row: usize) -> &[u8] {
        let whole = self.row(row);
        whole.get(self.content(row).len()..).unwrap_or_default()
    }

    /// Whether it is an empty line or a comment, and so no row of the table.
    #[must_use]
    pub fn is_blank(&self, row: usize) -> bool {
        let content = self.content(row);
        content.is_empty() || self.dialect.comment.is_some_and(|comment| content.first() == Some(&comment))
    }

    /// The fields of a row as they are written, quotes and all. A blank line has one, which is empty.
    #[must_use]
    pub fn fields(&self, row: usize) -> Fields<'_> {
        let (start, _) = self.bounds(row);
        let end = start + self.content(row).len();
        let word = start / 64;
        let bits = self.index.delimiters.get(word).map_or(0, |bits| bits & (u64::MAX << (start % 64)));
        Fields { block: self, at: start, end, word, bits, is_over: false }
    }
}

/// The row without `\n`, `\r\n` or, at the end of an input, `\r`.
#[must_use]
pub fn without_line_end(row: &[u8]) -> &[u8] {
    let row = row.strip_suffix(b"\n").unwrap_or(row);
    row.strip_suffix(b"\r").unwrap_or(row)
}

/// The fields of one row; see [`Block::fields`].
#[derive(Debug, Clone)]
pub struct Fields<'b> {
    block: &'b Block,
    at: usize,
    end: usize,
    /// The word of the index that is being read, and what of it was not read yet.
    word: usize,
    bits: u64,
    is_over: bool,
}

impl<'b> Iterator for Fields<'b> {
    type Item = &'b [u8];

    #[inline]
    fn next(&mut self) -> Option<&'b [u8]> {
        if self.is_over {
            return None;
        }
        let delimiters = &self.block.index.delimiters;
        while self.bits == 0 && (self.word + 1) * 64 < self.end {
            self.word += 1;
            self.bits = delimiters.get(self.word).copied().unwrap_or_default();
        }
        let next = self.word * 64 + self.bits.trailing_zeros() as usize;
        let bytes = &self.block.bytes;
        if self.bits == 0 || next >= self.end {
            self.is_over = true;
            return bytes.get(self.at..self.end);
        }
        self.bits &= self.bits - 1;
        let field = bytes.get(self.at..next);
        self.at = next + 1;
        field
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, rows: &[&[&str]]) {
        let block = Block::of(text.as_bytes(), Dialect { comment: Some(b'#'), ..Dialect::delimited(b',') });
        let texts = |row| block.fields(row).map(|field| std::str::from_utf8(field).unwrap()).collect();
        let found: Vec<Vec<&str>> =
            (0..block.rows()).filter(|row| !block.is_blank(*row)).map(texts).collect();
        assert_eq!(found, rows, "{text:?}");
    }

    #[test]
    fn rows_have_their_fields_as_they_are_written() {
        check("", &[]);
        check("a,b\n1,2\n", &[&["a", "b"], &["1", "2"]]);
        check("a,b\r\n1,", &[&["a", "b"], &["1", ""]]);
        check("\n,\n\r\n# no, \" row\nx", &[&["", ""], &["x"]]);
        check("\"a,\n\"\"b\",c\n", &[&["\"a,\n\"\"b\"", "c"]]);
        check("jo\"hn,\"c\"x\"y,\n", &[&["jo\"hn", "\"c\"x\"y", ""]]);
        let long = "x".repeat(200);
        check(&format!("{long},{long}\n,,{long}"), &[&[&long, &long], &["", "", &long]]);
    }
}
