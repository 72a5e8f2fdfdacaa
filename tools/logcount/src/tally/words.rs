//! Records and lines per word, as the log spells it.

use std::collections::BTreeMap;

use logs::clock::Time;
use logs::line::Line;
use logs::records::Sink;
use logs::stream::Merge;

use super::{Cell, Cells, Levels, Mark, Tally};
use crate::plan::Plan;

/// What records without a word are counted as.
const NONE: &[u8] = b"(none)";
/// What further words are counted as.
const OTHER: &[u8] = b"(other)";

/// No logger has so many; a pattern that captures messages would fill the memory.
const MOST_WORDS: usize = 1000;

/// Counts per word.
#[derive(Debug, Clone, Default)]
pub(crate) struct Words {
    levels: Levels,
    cells: BTreeMap<Box<[u8]>, Cell>,
    /// The word of the last record; empty before the first.
    last: Vec<u8>,
    /// Lines before the first record.
    orphans: u64,
}

impl Words {
    /// The words with their counts, in alphabetical order.
    pub(crate) fn rows(&self) -> impl Iterator<Item = (&[u8], Cell)> {
        self.cells.iter().map(|(word, cell)| (&**word, *cell))
    }

    fn add(&mut self, word: &[u8], more: Cell) {
        let is_known = self.cells.contains_key(word) || self.cells.len() < MOST_WORDS;
        let word = if is_known { word } else { OTHER };
        // Boxing the word of every record would be the most expensive part of it.
        let cell = match self.cells.get_mut(word) {
            Some(cell) => cell,
            None => self.cells.entry(word.into()).or_default(),
        };
        cell.records += more.records;
        cell.lines += more.lines;
    }

    fn add_lines(&mut self, lines: u64) {
        if self.last.is_empty() {
            self.orphans += lines;
        } else if lines > 0 {
            let last = std::mem::take(&mut self.last);
            self.add(&last, Cell { records: 0, lines });
            self.last = last;
        }
    }
}

impl Sink for Words {
    fn record(&mut self, line: &Line<'_>, bytes: &[u8], lines: u64) {
        self.levels.record(line, bytes, lines);
        let word = if line.word.is_empty() { NONE } else { line.word };
        self.add(word, Cell { records: 1, lines });
        self.last.clear();
        self.last.extend_from_slice(word);
    }

    fn more(&mut self, bytes: &[u8], lines: u64) {
        self.levels.more(bytes, lines);
        self.add_lines(lines);
    }
}

impl Merge for Words {
    fn absorb(&mut self, next: Self) {
        self.add_lines(next.orphans);
        for (word, cell) in &next.cells {
            self.add(word, *cell);
        }
        if !next.last.is_empty() {
            self.last = next.last;
        }
        self.levels.absorb(next.levels);
    }
}

impl Tally for Words {
    fn new(_: &Plan, _: Time) -> Self {
        Self::default()
    }

    fn resume(&mut self, mark: &Mark) {
        self.levels.resume(mark);
        self.last = match (&mark.word, mark.level) {
            (Some(word), _) => word.clone().into_bytes(),
            // The run before did not look at words.
            (None, Some(_)) => NONE.to_vec(),
            (None, None) => Vec::new(),
        };
    }

    fn mark(&self) -> Mark {
        let word = (!self.last.is_empty()).then(|| String::from_utf8_lossy(&self.last).into_owned());
        Mark { word, ..self.levels.mark() }
    }

    fn levels(&self) -> Levels {
        self.levels.clone()
    }

    fn groups(self) -> Vec<(Option<i64>, Cells)> {
        vec![(None, Cells::Words(self))]
    }
}
