//! What is known of the rows of a JSON input beside their text: their lines, and what became no row.

use std::collections::VecDeque;

use super::records::Record;

/// A record that is no row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Bad {
    /// How many of the rows that were asked for stand before it.
    pub before: u64,
    /// Where it begins, counted from 1.
    pub line: u64,
    /// The same in bytes, on that line.
    pub column: u64,
    /// What is wrong, as a clause.
    pub reason: String,
    /// As it was read, without the line end; its beginning where it is too long.
    pub bytes: Vec<u8>,
}

impl Bad {
    fn counted_from(self, row: u64) -> Self {
        Self { before: self.before.saturating_sub(row), ..self }
    }
}

/// Bad records and line numbers, until they are asked for.
#[derive(Debug, Default)]
pub struct Ledger {
    /// Rows that were written.
    written: u64,
    /// Rows that were asked for.
    taken: u64,
    /// `before` counts from the first row of the input.
    bad: VecDeque<Bad>,
    runs: VecDeque<Run>,
}

/// Rows whose lines are evenly apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Run {
    row: u64,
    line: u64,
    step: u64,
}

impl Run {
    fn line(self, row: u64) -> u64 {
        self.line.saturating_add(row.saturating_sub(self.row).saturating_mul(self.step))
    }
}

/// What is known of some rows that follow each other.
#[derive(Debug, Default)]
pub struct Notes {
    /// The bad records before, between and behind them, in order.
    pub bad: Vec<Bad>,
    /// The number of the first row.
    first: u64,
    runs: Vec<Run>,
}

impl Notes {
    /// The line on which the record of a row begins; the row is counted from 0, as those asked for.
    #[must_use]
    pub fn line(&self, row: u64) -> u64 {
        let row = self.first + row;
        let behind = self.runs.partition_point(|run| run.row <= row);
        behind.checked_sub(1).and_then(|at| self.runs.get(at)).map_or(0, |run| run.line(row))
    }
}

impl Ledger {
    /// What is known of the next `rows` rows, which were read. Bad records behind the last of them
    /// come with the next ones; at the end of the input see [`Ledger::take_last`].
    pub fn take(&mut self, rows: u64) -> Notes {
        let (first, end) = (self.taken, self.taken.saturating_add(rows).min(self.written));
        self.taken = end;
        let mut notes = Notes { first, ..Notes::default() };
        let count = self.bad.partition_point(|bad| bad.before < end);
        notes.bad = self.bad.drain(..count).map(|bad| bad.counted_from(first)).collect();
        notes.runs = self.runs.iter().take_while(|run| run.row < end).copied().collect();
        // The last run may go on behind these rows.
        while self.runs.get(1).is_some_and(|next| next.row <= end) {
            self.runs.pop_front();
        }
        notes
    }

    /// The same of the last `rows` rows of the input, with the bad records behind them.
    pub fn take_last(&mut self, rows: u64) -> Notes {
        let mut notes = self.take(rows);
        notes.bad.extend(self.bad.drain(..).map(|bad| bad.counted_from(notes.first)));
        notes
    }

    /// A row was written whose record begins on `line`.
    pub(super) fn row(&mut self, line: u64) {
        let row = self.written;
        self.written += 1;
        match self.runs.back_mut() {
            Some(run) if run.line(row) == line => {}
            // The second row of a run says how far apart they are.
            Some(run) if row == run.row + 1 => run.step = line.saturating_sub(run.line),
            _ => self.runs.push_back(Run { row, line, step: 1 }),
        }
    }

    pub(super) fn bad(&mut self, record: &Record, reason: String) {
        let Record { line, column, ref bytes, .. } = *record;
        self.bad.push_back(Bad { before: self.written, line, column, reason, bytes: bytes.clone() });
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn every_row_keeps_its_line(steps in proptest::collection::vec((0_u64..4, 1_usize..20), 0..8), sizes in proptest::collection::vec(0_u64..9, 0..30)) {
            let mut lines: Vec<u64> = vec![];
            for (step, count) in steps {
                for _ in 0..count {
                    lines.push(lines.last().map_or(1, |line| line + step));
                }
            }
            let (mut ledger, mut found) = (Ledger::default(), vec![]);
            let mut written = 0;
            for size in sizes {
                let end = lines.len().min(written + 2 * usize::try_from(size).unwrap());
                lines[written..end].iter().for_each(|line| ledger.row(*line));
                written = end;
                let size = size.min((written - found.len()) as u64);
                let notes = ledger.take(size);
                found.extend((0..size).map(|row| notes.line(row)));
            }
            prop_assert_eq!(&found[..], &lines[..found.len()]);
        }
    }

    #[test]
    fn even_lines_take_no_room() {
        let mut ledger = Ledger::default();
        (0..1000).for_each(|row| ledger.row(2 + row * 7));
        assert_eq!(ledger.runs.len(), 1);
        assert_eq!(ledger.take(500).line(499), 2 + 499 * 7);
        assert_eq!(ledger.take(500).line(0), 2 + 500 * 7);
    }

    #[test]
    fn bad_records_come_with_the_row_behind_them() {
        let record = |line| Record { line, ..Record::default() };
        let mut ledger = Ledger::default();
        ledger.bad(&record(1), "a".into());
        ledger.row(2);
        ledger.bad(&record(3), "b".into());
        ledger.row(4);
        ledger.bad(&record(5), "c".into());
        let told = |bad: Vec<Bad>| bad.iter().map(|bad| (bad.before, bad.line)).collect::<Vec<_>>();
        assert_eq!(told(ledger.take(1).bad), [(0, 1)]);
        assert_eq!(told(ledger.take(1).bad), [(0, 3)]);
        ledger.row(6);
        ledger.bad(&record(7), "d".into());
        assert_eq!(told(ledger.take_last(1).bad), [(0, 5), (1, 7)]);
        assert_eq!(told(ledger.take_last(0).bad), []);
    }
}
