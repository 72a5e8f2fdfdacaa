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
    /// What was read and begins the next block.
    carry: Vec<u8>,
    /// The state behind `carry`.
    state: State,
    /// The line on which `carry` begins.
    line: u64,
    /// `carry` continues a row that is too long.
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
            carry: Vec::new(),
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
        self.carry.clear();
        (self.state, self.is_in_fragment, self.is_torn) = (State::Row, false, false);
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
        let is_long = self.carry.len() > HEAD;
        if is_long && !self.is_in_fragment && end == End::No && !self.ends_in(block, filled) {
            self.carry.extend_from_slice(&block.bytes[HEAD..filled]);
            return Cut::Done;
        }
        if is_long {
            self.carry.extend_from_slice(&block.bytes[HEAD..filled]);
            return self.carried(block, end);
        }
        let begin = HEAD - self.carry.len();
        block.bytes[begin..HEAD].copy_from_slice(&self.carry);
        self.carry.clear();
        self.rows(block, (begin, filled), end)
    }

    /// Makes rows of what is left of what was read.
    pub(crate) fn rest(&mut self, block: &mut Block, end: End) -> Cut {
        block.clear(self.dialect, self.line);
        self.carried(block, end)
    }

    /// Makes rows of what was carried, which may be long: it changes hands and is not copied.
    fn carried(&mut self, block: &mut Block, end: End) -> Cut {
        let filled = self.carry.len();
        std::mem::swap(&mut block.bytes, &mut self.carry);
        block.grow(filled);
        self.carry.clear();
        self.rows(block, (0, filled), end)
    }

    /// Whether what was read ends a row that began before, or makes it too long. If not, the state
    /// is that behind it.
    fn ends_in(&mut self, block: &Block, filled: usize) -> bool {
        self.probe.clear();
        let (words, rest) = block.bytes[HEAD..filled].as_chunks();
        let state = self.cpu.scan(&mut self.probe, words, self.state, self.dialect);
        let (marks, state) = scan::exact(rest, state, self.dialect);
        let ends = !self.probe.ends.is_empty() || marks.ends != 0;
        if !ends {
            self.state = state;
        }
        ends || self.carry.len() + filled - HEAD > self.limit
    }

    fn rows(&mut self, block: &mut Block, (begin, filled): (usize, usize), end: End) -> Cut {
        block.index.begin = u32::try_from(begin).unwrap_or(u32::MAX);
        if begin == filled {
            return Cut::Done;
        }
        if self.is_in_fragment {
            return self.fragment(block, begin, filled);
        }
        self.state = block.index.add((&block.bytes, begin, filled), self.dialect, self.cpu);
        match self.first_too_long(block, (begin, filled)) {
            None => {}
            Some(0) => return self.give_up(block, filled),
            Some(row) => {
                block.index.ends.truncate(row);
                self.keep(block, filled);
                return Cut::More;
            }
        }
        match end {
            End::Whole if self.state == State::Quoted => return self.break_off(block, filled),
            End::Whole => block.end_with(filled),
            End::Torn => return Cut::Done,
            End::No => {}
        }
        self.keep(block, filled);
        Cut::Done
    }

    /// The first row that is longer than a row may be, whether it has ended or not.
    fn first_too_long(&self, block: &Block, (begin, filled): (usize, usize)) -> Option<usize> {
        if filled - begin <= self.limit {
            return None;
        }
        let ends = block.index.ends.iter().map(|end| *end as usize).chain([filled]);
        ends.scan(begin, |start, end| Some(end - std::mem::replace(start, end)))
            .position(|length| length > self.limit)
    }

    /// Keeps for the next block what follows the last row.
    fn keep(&mut self, block: &Block, filled: usize) {
        let kept = &block.bytes[block.end()..filled];
        self.carry.extend_from_slice(kept);
        self.line += block.index.newlines - newlines(kept);
    }

    /// A quote is still open at the end: the row ends with the line on which it opened.
    fn break_off(&mut self, block: &mut Block, filled: usize) -> Cut {
        let start = block.end();
        let row = &block.bytes[start..filled];
        let opened = scan::open_quote(row, self.dialect).unwrap_or_default();
        let length = memchr(b'\n', &row[opened..]).map_or(row.len(), |end| opened + end + 1);
        let line = block.first_line + newlines(&block.bytes[block.begin()..start + opened]);
        block.end_with(start + length);
        block.broken = Some(Broken::Quote { line });
        self.keep(block, filled);
        if self.carry.is_empty() { Cut::Done } else { Cut::More }
    }

    /// The first row does not end within the limit. That is told by its first bytes, up to the limit
    /// and one more, whatever is known of what follows.
    fn give_up(&mut self, block: &mut Block, filled: usize) -> Cut {
        let begin = block.begin();
        let row = &block.bytes[begin..=begin + self.limit];
        // A quote right before the limit closes nothing if the next byte doubles it.
        let open = |row| scan::open_quote(row, self.dialect);
        let opened = open(&row[..self.limit]).or_else(|| open(row));
        let length = opened.and_then(|at| memchr(b'\n', &row[at..]).map(|end| at + end + 1));
        block.index.ends.clear();
        let Some(length) = length else {
            return self.fragment(block, begin + self.limit, filled);
        };
        let line = block.first_line + opened.map_or(0, |at| newlines(&row[..at]));
        block.end_with(begin + length);
        block.broken = Some(Broken::Quote { line });
        self.keep(block, filled);
        Cut::More
    }

    /// Makes one row of what was read of a row that is too long, up to its first line end at or
    /// behind `from`.
    fn fragment(&mut self, block: &mut Block, from: usize, filled: usize) -> Cut {
        let line_end = memchr(b'\n', &block.bytes[from..filled]);
        let length = line_end.map_or(filled, |at| from + at + 1);
        block.broken = Some(Broken::Long { is_first: !self.is_in_fragment });
        self.is_in_fragment = line_end.is_none();
        block.end_with(length);
        self.line += newlines(&block.bytes[block.begin()..length]);
        self.carry.extend_from_slice(&block.bytes[length..filled]);
        if self.carry.is_empty() { Cut::Done } else { Cut::More }
    }
}

fn newlines(bytes: &[u8]) -> u64 {
    memchr_iter(b'\n', bytes).count() as u64
}

#[cfg(test)]
mod tests;
