//! Cuts the bytes of an input into blocks of whole rows.
//!
//! A block begins where a row begins, and so whoever reads it needs to know nothing of what came
//! before. What the rows are never depends on how the bytes arrive: a row that is not complete at
//! the end of a block begins the next one.

use memchr::{memchr, memchr_iter};

use crate::block::{Block, Broken, Index};
use crate::dialect::Dialect;
use crate::read::{BLOCK, End, HEAD};
use crate::scan::{self, State};
use crate::simd::Cpu;

/// The least limit of a row's length: more than is read at a time, so that only the first row of a
/// block can be too long.
pub(crate) const LEAST_LIMIT: usize = 4 * BLOCK;

/// Where an input begins to be one of rows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Opening {
    pub(crate) dialect: Dialect,
    /// The line of the first row, counted from 1.
    pub(crate) line: u64,
}

/// What came of cutting.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Cut {
    /// The block has the rows that are complete; what follows begins the next block.
    Done,
    /// There is more to cut before anything else is read: call [`Cutter::rest`].
    More,
}

/// Cuts one input after the other.
pub(crate) struct Cutter {
    cpu: Cpu,
    /// The longest row that is one, in bytes.
    limit: usize,
    dialect: Dialect,
    /// What was read and, from `at` on, is still to be cut. Where a long row turns out to be none it is
    /// as long as that, and gone through in pieces.
    held: Vec<u8>,
    /// A row begins here, unless `is_in_fragment`.
    at: usize,
    /// So many bytes from there on are known to end no row.
    seen: usize,
    /// The state behind those.
    state: State,
    /// The line on which what is held begins.
    line: u64,
    /// It continues a row that is too long.
    is_in_fragment: bool,
    /// The input could not be read further; what comes from behind the gap is no continuation.
    is_torn: bool,
    /// Tells whether a row ends in what was read, while it is not known where it began.
    probe: Index,
}

impl Cutter {
    /// A row of more than `limit` bytes will be none.
    pub(crate) fn new(cpu: Cpu, limit: usize) -> Self {
        Self {
            cpu,
            limit: limit.max(LEAST_LIMIT),
            dialect: Dialect::delimited(b','),
            held: Vec::new(),
            at: 0,
            seen: 0,
            state: State::Row,
            line: 1,
            is_in_fragment: false,
            is_torn: false,
            probe: Index::default(),
        }
    }

    /// Turns to another input; of the one before nothing is left.
    pub(crate) fn turn_to(&mut self, opening: Opening) {
        (self.dialect, self.line) = (opening.dialect, opening.line);
        (self.held, self.at) = (Vec::new(), 0);
        (self.is_in_fragment, self.is_torn) = (false, false);
        self.begin_row();
    }

    /// Whether what is read now is behind a fault.
    pub(crate) fn is_torn(&self) -> bool {
        self.is_torn
    }

    /// Makes rows of what was read into `block`: the bytes from [`HEAD`] to `filled`.
    pub(crate) fn cut(&mut self, block: &mut Block, filled: usize, end: End) -> Cut {
        block.clear(self.dialect, self.line);
        if self.is_torn {
            return Cut::Done;
        }
        self.is_torn = end == End::Torn;
        let is_long = self.left() > HEAD || filled - HEAD > BLOCK;
        if is_long || self.is_in_fragment {
            self.held.extend_from_slice(&block.bytes[HEAD..filled]);
            return self.next(block, end);
        }
        let begin = HEAD - self.left();
        block.bytes[begin..HEAD].copy_from_slice(&self.held[self.at..]);
        self.held.clear();
        self.at = 0;
        self.rows(block, (begin, filled), end)
    }

    /// Makes rows of what is left of what was read.
    pub(crate) fn rest(&mut self, block: &mut Block, end: End) -> Cut {
        block.clear(self.dialect, self.line);
        self.next(block, end)
    }

    /// How many bytes are held.
    fn left(&self) -> usize {
        self.held.len() - self.at
    }

    fn begin_row(&mut self) {
        (self.seen, self.state) = (0, State::Row);
    }

    /// Makes rows of the beginning of what is held.
    fn next(&mut self, block: &mut Block, end: End) -> Cut {
        if self.is_in_fragment {
            return self.fragment(block, 0, end);
        }
        let (first, left) = (self.first_end(), self.left());
        let length = first.unwrap_or(left);
        if length > self.limit {
            return self.give_up(block, end);
        }
        match (first, end) {
            (None, End::No | End::Torn) => return self.behind(end),
            (None, End::Whole) if self.state == State::Quoted => return self.break_off(block, end),
            _ => {}
        }
        // What is behind a row that was long is not much, and comes with it.
        let piece = if left - length <= BLOCK { left } else { length.max(BLOCK) };
        let bounds = self.hand(block, piece);
        self.rows(block, bounds, end)
    }

    /// How long the first row that is held is; `None`: it does not end there.
    fn first_end(&mut self) -> Option<usize> {
        while self.seen < self.left() {
            let from = self.at + self.seen;
            let piece = &self.held[from..self.held.len().min(from + BLOCK)];
            let (words, rest) = piece.as_chunks();
            self.probe.clear();
            let state = self.cpu.scan(&mut self.probe, words, self.state, self.dialect);
            let (marks, state) = scan::exact(rest, state, self.dialect);
            let in_rest = piece.len() - rest.len() + marks.ends.trailing_zeros() as usize + 1;
            let in_words = self.probe.ends.first().map(|end| *end as usize);
            if let Some(end) = in_words.or((marks.ends != 0).then_some(in_rest)) {
                return Some(self.seen + end);
            }
            self.state = state;
            self.seen += piece.len();
        }
        None
    }

    /// Puts the first so many bytes that are held into a block, and says where. Of a long buffer the
    /// smaller part is copied, and the other one changes hands.
    fn hand(&mut self, block: &mut Block, length: usize) -> (usize, usize) {
        let (begin, end) = (self.at, self.at + length);
        let others = self.held.len() - length;
        if length <= BLOCK || length < others {
            block.grow(HEAD + length);
            block.bytes[HEAD..HEAD + length].copy_from_slice(&self.held[begin..end]);
            self.at = end;
            return (HEAD, HEAD + length);
        }
        std::mem::swap(&mut block.bytes, &mut self.held);
        self.held.clear();
        self.held.extend_from_slice(&block.bytes[end..]);
        self.at = 0;
        block.grow(end);
        (begin, end)
    }

    /// Makes rows of what is in the block, and holds what follows the last one.
    fn rows(&mut self, block: &mut Block, (begin, filled): (usize, usize), end: End) -> Cut {
        self.state = block.index.add((&block.bytes, begin, filled), self.dialect, self.cpu);
        if end == End::Whole && self.left() == 0 && self.state != State::Quoted {
            block.end_with(filled);
        }
        let tail = &block.bytes[block.end()..filled];
        self.line += block.index.newlines - newlines(tail);
        self.seen = tail.len();
        if let Some(at) = self.at.checked_sub(tail.len()) {
            self.at = at;
        } else {
            drop(self.held.splice(..self.at, tail.iter().copied()));
            self.at = 0;
        }
        self.behind(end)
    }

    /// What is to be done behind a block.
    fn behind(&mut self, end: End) -> Cut {
        let left = self.left();
        if left > 0 && (self.seen < left || end == End::Whole) {
            return Cut::More;
        }
        if self.at > 0 && left <= BLOCK && self.held.capacity() > LEAST_LIMIT {
            self.held = self.held.split_off(self.at);
        } else {
            self.held.drain(..self.at);
        }
        self.at = 0;
        Cut::Done
    }

    /// A quote is still open at the end: the row ends with the line on which it opened.
    fn break_off(&mut self, block: &mut Block, end: End) -> Cut {
        let row = &self.held[self.at..];
        let opened = scan::open_quote(row, self.dialect).unwrap_or_default();
        let length = memchr(b'\n', &row[opened..]).map_or(row.len(), |end| opened + end + 1);
        self.broken(block, (opened, length), end)
    }

    /// The first row does not end within the limit. That is told by its first bytes, up to the limit
    /// and one more, whatever is known of what follows.
    fn give_up(&mut self, block: &mut Block, end: End) -> Cut {
        let row = &self.held[self.at..=self.at + self.limit];
        // A quote right before the limit closes nothing if the next byte doubles it.
        let open = |row| scan::open_quote(row, self.dialect);
        let opened = open(&row[..self.limit]).or_else(|| open(row));
        let line = opened.and_then(|at| memchr(b'\n', &row[at..]).map(|end| (at, at + end + 1)));
        match line {
            Some(line) => self.broken(block, line, end),
            None => self.fragment(block, self.limit, end),
        }
    }

    /// Makes one row of the first `length` bytes, in which a quote opens that never closes.
    fn broken(&mut self, block: &mut Block, (opened, length): (usize, usize), end: End) -> Cut {
        let row = &self.held[self.at..self.at + length];
        let line = self.line + newlines(&row[..opened]);
        self.line += newlines(row);
        let (begin, filled) = self.hand(block, length);
        let _is_open = block.index.add((&block.bytes, begin, filled), self.dialect, self.cpu);
        block.end_with(filled);
        block.broken = Some(Broken::Quote { line });
        self.begin_row();
        self.behind(end)
    }

    /// Makes one row of what was read of a row that is too long, up to its first line end at or
    /// behind `from`.
    fn fragment(&mut self, block: &mut Block, from: usize, end: End) -> Cut {
        let part = &self.held[self.at..];
        let line_end = memchr(b'\n', &part[from..]);
        let length = line_end.map_or(part.len(), |at| from + at + 1);
        self.line += newlines(&part[..length]);
        if length > 0 {
            block.broken = Some(Broken::Long { is_first: !self.is_in_fragment });
        }
        self.is_in_fragment = line_end.is_none();
        let (begin, filled) = self.hand(block, length);
        block.index.begin = u32::try_from(begin).unwrap_or(u32::MAX);
        block.end_with(filled);
        self.begin_row();
        self.behind(end)
    }
}

fn newlines(bytes: &[u8]) -> u64 {
    memchr_iter(b'\n', bytes).count() as u64
}

#[cfg(test)]
mod tests;
