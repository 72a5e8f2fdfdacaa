//! What is added up: sinks for the scanner, as lean as the question allows.
//!
//! | sink | counts |
//! |---|---|
//! | [`Levels`] | records and lines per level: two additions for each record |
//! | [`Words`] | the same, and per word as the log spells it |
//! | [`Times`] | either of them, per minute, hour or day |
//!
//! What they counted of a file is a [`Kept`] until it is printed.

mod kept;
mod levels;
mod slots;
mod times;
mod words;

use logs::stream::Merge;
use serde::{Deserialize, Serialize};

use crate::plan::Plan;
pub(crate) use kept::Kept;
pub(crate) use levels::{Levels, NAMES};
pub(crate) use slots::{Slots, rfc3339};
pub(crate) use times::Times;
pub(crate) use words::Words;

/// Records and the lines they have.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Cell {
    pub(crate) records: u64,
    pub(crate) lines: u64,
}

/// The record that was read last: what follows it may belong to it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct Mark {
    /// Its level as an index; `None` before the first record.
    pub(crate) level: Option<u8>,
    /// Its word, where words are counted.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) word: Option<String>,
    /// The beginning of its group of time, in seconds since the epoch, where times are.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) time: Option<i64>,
}

/// A sink whose result can be printed.
pub(crate) trait Tally: Merge + Clone + Sync {
    /// Whether its groups are those of time.
    const HAS_TIMES: bool = false;

    /// An empty one for a log that was last written at `written`, counting as `plan` says.
    fn new(plan: &Plan, written: logs::clock::Time) -> Self;

    /// Looks at the first stamp of a log, to know the order of its days and months. Only tallies
    /// that look at times do anything.
    fn begins_with(&mut self, _stamp: &[u8], _form: logs::stamp::Form) {}

    /// Goes on behind a record that was counted earlier.
    fn resume(&mut self, mark: &Mark);

    /// The record that was counted last.
    fn mark(&self) -> Mark;

    /// The counts per level, all groups together.
    fn levels(&self) -> Levels;

    /// What is printed: a group and its cells, in order. Without groups of time that is one.
    fn groups(self) -> Vec<(Option<i64>, Cells)>;
}

/// The cells of one group.
#[derive(Debug, Clone)]
pub(crate) enum Cells {
    Levels(Levels),
    Words(Words),
}

impl Cells {
    /// Names with their counts, in the order of the output.
    pub(crate) fn rows(&self) -> Vec<(&[u8], Cell)> {
        match self {
            Self::Levels(levels) => levels.rows().map(|(name, cell)| (name.as_bytes(), cell)).collect(),
            Self::Words(words) => words.rows().collect(),
        }
    }

    /// All of them together.
    pub(crate) fn total(&self) -> Cell {
        let add = |sum: Cell, (_, cell): (&[u8], Cell)| Cell {
            records: sum.records + cell.records,
            lines: sum.lines + cell.lines,
        };
        self.rows().into_iter().fold(Cell::default(), add)
    }
}

#[cfg(test)]
mod tests;
