//! Which rows of a block are kept, and which are no rows as they should be.

use simdutf8::basic::from_utf8;

use crate::block::{Block, Broken};
use crate::eval::Evaluation;
use crate::filter::Condition;
use crate::simd::Cpu;
use crate::time::Times;

/// Why a row is a bad one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Fault {
    /// It has this many fields, which is not as many as the header has.
    Fields(usize),
    /// The value of this column is compared as a number, and is none.
    NoNumber { column: usize },
    /// The value of this column is compared as a time, and is none.
    NoTime { column: usize },
    /// A byte of it is no UTF-8.
    NoText,
    /// A quote that opened on `line` never closes.
    OpenQuote { line: u64 },
    /// It is longer than a row may be; of such a row every part is reported.
    TooLong { is_first: bool },
}

/// A row that is a bad one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Bad {
    pub(crate) row: u32,
    pub(crate) fault: Fault,
}

/// What every row is judged by.
#[derive(Debug)]
pub(crate) struct Law {
    pub(crate) condition: Condition,
    /// How many fields a row has.
    pub(crate) columns: usize,
    pub(crate) times: Times,
    pub(crate) cpu: Cpu,
}

/// What came of a block.
#[derive(Debug, Default)]
pub(crate) struct Verdict {
    /// The rows for which the condition holds, in order.
    pub(crate) kept: Vec<u32>,
    /// The bad ones, in order.
    pub(crate) bad: Vec<Bad>,
    /// Blank lines and comments, in order; and parts of a row that is too long, but the first.
    pub(crate) no_rows: Vec<u32>,
    /// How many rows the block has, with those.
    pub(crate) count: u32,
}

impl Verdict {
    /// How many rows there are up to this one, with it.
    pub(crate) fn rows_up_to(&self, row: u32) -> u64 {
        self.rows_before(u64::from(row) + 1)
    }

    /// How many rows there are before this one.
    pub(crate) fn rows_before(&self, row: u64) -> u64 {
        row - self.no_rows.partition_point(|other| u64::from(*other) < row) as u64
    }

    /// Forgets the rows from this one on.
    pub(crate) fn end_at(&mut self, row: u32) {
        self.kept.truncate(self.kept.partition_point(|kept| *kept < row));
        self.bad.truncate(self.bad.partition_point(|bad| bad.row < row));
        self.no_rows.truncate(self.no_rows.partition_point(|other| *other < row));
        self.count = self.count.min(row);
    }

    /// How many rows there are.
    pub(crate) fn rows(&self) -> u64 {
        u64::from(self.count) - self.no_rows.len() as u64
    }
}

/// Judges blocks, one after the other; one for each thread.
pub(crate) struct Judge<'l> {
    law: &'l Law,
    evaluation: Evaluation<'l>,
    odd: Vec<u32>,
    active: Vec<u32>,
    /// 0, 1, 2, ...: what is judged of a block in which no row is odd.
    all: Vec<u32>,
}

impl<'l> Judge<'l> {
    pub(crate) fn new(law: &'l Law) -> Self {
        let evaluation = Evaluation::new(law);
        Self { law, evaluation, odd: Vec::new(), active: Vec::new(), all: Vec::new() }
    }

    /// Fills `verdict` with what is to be said of the rows of `block`.
    pub(crate) fn judge(&mut self, block: &mut Block, verdict: &mut Verdict) {
        verdict.kept.clear();
        verdict.bad.clear();
        verdict.no_rows.clear();
        let count = u32::try_from(block.rows()).unwrap_or(u32::MAX);
        verdict.count = count;
        self.set_aside(block, verdict);
        self.active.clear();
        let known = u32::try_from(self.all.len()).unwrap_or(u32::MAX);
        self.all.extend(known..count);
        let mut active = self.all.get(..count as usize).unwrap_or_default();
        if !self.odd.is_empty() {
            let mut from = 0;
            for &row in &self.odd {
                self.active.extend(from..row);
                from = row + 1;
            }
            self.active.extend(from..count);
            active = &self.active;
        }
        self.evaluation.evaluate(block, active, verdict);
        verdict.bad.sort_unstable_by_key(|bad| bad.row);
    }

    /// Collects in `odd`, in order, the rows that cannot be judged; those that are not just blank
    /// are also bad ones.
    fn set_aside(&mut self, block: &mut Block, verdict: &mut Verdict) {
        self.odd.clear();
        let delimiters = u32::try_from(self.law.columns.saturating_sub(1)).unwrap_or(u32::MAX);
        self.law.cpu.measure(&mut block.index, delimiters, &mut self.odd);
        let count = verdict.count;
        let last = count.saturating_sub(1);
        if self.law.columns <= 1 {
            // A blank line has no delimiter less than it should.
            self.odd.extend((0..count).filter(|row| block.is_blank(*row as usize)));
        }
        if !block.index.is_ascii && from_utf8(block.text()).is_err() {
            self.odd.extend((0..count).filter(|row| from_utf8(block.row(*row as usize)).is_err()));
        }
        if block.broken.is_some() {
            self.odd.push(last);
        }
        self.odd.sort_unstable();
        self.odd.dedup();
        for &row in &self.odd {
            let broken = block.broken.filter(|_| row == last);
            let fault = fault(block, row as usize, broken, self.law);
            if matches!(fault, None | Some(Fault::TooLong { is_first: false })) {
                verdict.no_rows.push(row);
            }
            verdict.bad.extend(fault.map(|fault| Bad { row, fault }));
        }
    }
}

/// What is wrong with a row; `None`: it is a blank line.
fn fault(block: &Block, row: usize, broken: Option<Broken>, law: &Law) -> Option<Fault> {
    match broken {
        Some(Broken::Quote { line }) => return Some(Fault::OpenQuote { line }),
        Some(Broken::Long { is_first }) => return Some(Fault::TooLong { is_first }),
        None if block.is_blank(row) => return None,
        None => {}
    }
    let fields = block.fields(row).count();
    Some(if fields == law.columns { Fault::NoText } else { Fault::Fields(fields) })
}
