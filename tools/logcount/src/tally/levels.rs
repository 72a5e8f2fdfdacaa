//! Records and lines per level.

use logs::Level;
use logs::clock::Time;
use logs::line::Line;
use logs::records::Sink;
use logs::stream::Merge;

use super::{Cell, Cells, Mark, Tally};
use crate::plan::Plan;

/// What the levels are called in every output, in its order.
pub(crate) const NAMES: [&str; 8] =
    ["TRACE", "DEBUG", "INFO", "NOTICE", "WARNING", "ERROR", "CRITICAL", "UNKNOWN"];

/// The index of records without a level.
const UNKNOWN: usize = NAMES.len() - 1;

/// The index for lines before the first record: in a part of a file they belong to the last record
/// of the part before.
const ORPHANS: usize = NAMES.len();

/// Counts per level. Two additions for each record, one for each line more: this is what runs for
/// every line of a log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Levels {
    records: [u64; NAMES.len() + 1],
    lines: [u64; NAMES.len() + 1],
    last: usize,
}

impl Default for Levels {
    fn default() -> Self {
        Self { records: [0; NAMES.len() + 1], lines: [0; NAMES.len() + 1], last: ORPHANS }
    }
}

impl Levels {
    /// The names with their counts.
    pub(crate) fn rows(&self) -> impl Iterator<Item = (&'static str, Cell)> {
        let cells = self.records.iter().zip(&self.lines);
        NAMES.into_iter().zip(cells.map(|(records, lines)| Cell { records: *records, lines: *lines }))
    }

    /// Adds to the level of that name; a name that is no level is passed over.
    pub(crate) fn add(&mut self, name: &str, cell: Cell) {
        if let Some(index) = NAMES.iter().position(|known| *known == name) {
            self.records[index] += cell.records;
            self.lines[index] += cell.lines;
        }
    }

    /// Adds all that `other` counted.
    pub(crate) fn add_all(&mut self, other: &Self) {
        for index in 0..NAMES.len() {
            self.records[index] += other.records[index];
            self.lines[index] += other.lines[index];
        }
    }

    /// How many records are at `level` or above. Those without a level are not.
    pub(crate) fn at_or_above(&self, level: Level) -> u64 {
        self.records[level as usize..UNKNOWN].iter().sum()
    }
}

impl Sink for Levels {
    #[inline]
    fn record(&mut self, line: &Line<'_>, _: &[u8], lines: u64) {
        self.last = line.level.map_or(UNKNOWN, |level| level as usize);
        self.records[self.last] += 1;
        self.lines[self.last] += lines;
    }

    #[inline]
    fn more(&mut self, _: &[u8], lines: u64) {
        self.lines[self.last] += lines;
    }
}

impl Merge for Levels {
    fn absorb(&mut self, next: Self) {
        self.add_all(&next);
        self.lines[self.last] += next.lines[ORPHANS];
        if next.last != ORPHANS {
            self.last = next.last;
        }
    }
}

impl Tally for Levels {
    fn new(_: &Plan, _: Time) -> Self {
        Self::default()
    }

    fn resume(&mut self, mark: &Mark) {
        self.last = mark.level.map_or(ORPHANS, |level| usize::from(level).min(UNKNOWN));
    }

    fn mark(&self) -> Mark {
        let level = u8::try_from(self.last).ok().filter(|_| self.last != ORPHANS);
        Mark { level, ..Mark::default() }
    }

    fn levels(&self) -> Levels {
        self.clone()
    }

    fn groups(self) -> Vec<(Option<i64>, Cells)> {
        vec![(None, Cells::Levels(self))]
    }
}
