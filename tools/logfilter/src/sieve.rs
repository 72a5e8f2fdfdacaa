//! Judges the records that a scanner finds and hands on those that are kept.

use std::ops::Range;

use logs::Level;
use logs::clock::Time;
use logs::line::Line;
use logs::records::Sink;

use crate::filter::{Filter, Verdict};
use crate::watch::Watch;

/// A pattern is looked for in the first 4 MiB of a record: so much of it is held in memory.
const HELD: usize = 4 * 1024 * 1024;

/// The beginning of a kept record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Head<'a> {
    /// Its first line, or more of it.
    pub bytes: &'a [u8],
    /// Its time, or that of the record before it; none where no time was asked for.
    pub time: Option<Time>,
    /// Its level.
    pub level: Option<Level>,
    /// Where in `bytes` the level stands; empty when it does not stand there as such.
    pub word: Range<usize>,
}

/// Takes the kept records.
pub trait Keep {
    /// A kept record begins.
    fn begin(&mut self, head: &Head<'_>);
    /// More bytes of it.
    fn more(&mut self, bytes: &[u8]);
    /// Whether no further record is wanted.
    fn is_full(&self) -> bool;
}

impl<K: Keep> Keep for &mut K {
    fn begin(&mut self, head: &Head<'_>) {
        (**self).begin(head);
    }
    fn more(&mut self, bytes: &[u8]) {
        (**self).more(bytes);
    }
    fn is_full(&self) -> bool {
        (**self).is_full()
    }
}

/// What was dropped for want of knowledge.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Dropped {
    /// Records without a level.
    pub without_level: u64,
    /// Records before the first time of their file.
    pub before_time: u64,
}

/// What becomes of the bytes of the record that began last.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Fate {
    Drop,
    Keep,
    /// It passed by level and time, and waits for its end to be matched as a whole.
    Hold,
}

/// A sink that keeps what the filter keeps.
#[derive(Debug)]
pub struct Sieve<'f, K> {
    filter: &'f Filter,
    /// Tells times, where they are needed.
    pub watch: Option<Watch>,
    /// Takes what is kept.
    pub keep: K,
    /// What was dropped for want of knowledge.
    pub dropped: Dropped,
    fate: Fate,
    held: Vec<u8>,
    held_head: (Option<Time>, Option<Level>, Range<usize>),
    stopped: bool,
}

impl<'f, K: Keep> Sieve<'f, K> {
    /// A sieve at the start of an input.
    pub fn new(filter: &'f Filter, watch: Option<Watch>, keep: K) -> Self {
        Self {
            filter,
            watch,
            keep,
            dropped: Dropped::default(),
            fate: Fate::Drop,
            held: Vec::new(),
            held_head: (None, None, 0..0),
            stopped: false,
        }
    }

    /// Whether nothing that follows in this input can be kept.
    pub fn is_stopped(&self) -> bool {
        self.stopped
    }

    /// The input has ended: decides on what waits for it.
    pub fn finish(&mut self) {
        self.settle();
    }

    /// Matches what is held, which is a whole record or as much of it as is looked at.
    #[inline]
    fn settle(&mut self) {
        if self.fate == Fate::Hold {
            self.match_held();
        }
    }

    fn match_held(&mut self) {
        let kept = self.filter.keeps(Verdict::Pass, &self.held);
        if kept {
            let (time, level, word) = self.held_head.clone();
            self.keep.begin(&Head { bytes: &self.held, time, level, word });
        }
        self.fate = if kept { Fate::Keep } else { Fate::Drop };
        self.held.clear();
    }

    #[inline]
    fn judge(&mut self, line: &Line<'_>) -> Verdict {
        let time = match &mut self.watch {
            Some(watch) => watch.see(line.stamp),
            None => None,
        };
        let verdict = self.filter.judge(line.level, time);
        match verdict {
            Verdict::NoLevel => self.dropped.without_level += 1,
            Verdict::NoTime => self.dropped.before_time += 1,
            Verdict::Pass | Verdict::Fail => {}
        }
        verdict
    }
}

impl<K: Keep> Sink for Sieve<'_, K> {
    fn record(&mut self, line: &Line<'_>, bytes: &[u8], _lines: u64) {
        self.settle();
        if self.stopped || self.keep.is_full() {
            (self.stopped, self.fate) = (true, Fate::Drop);
            return;
        }
        let verdict = self.judge(line);
        if self.watch.as_ref().is_some_and(Watch::is_over) {
            (self.stopped, self.fate) = (true, Fate::Drop);
        } else if verdict == Verdict::Pass && self.filter.pattern.is_some() {
            self.fate = Fate::Hold;
            self.held.extend_from_slice(bytes);
            self.held_head = (self.time(), line.level, place(line.word, bytes));
        } else if (verdict == Verdict::Pass) != self.filter.inverted {
            self.fate = Fate::Keep;
            let word = place(line.word, bytes);
            self.keep.begin(&Head { bytes, time: self.time(), level: line.level, word });
        } else {
            self.fate = Fate::Drop;
        }
    }

    fn more(&mut self, bytes: &[u8], _lines: u64) {
        if self.fate == Fate::Hold {
            let room = HELD.saturating_sub(self.held.len());
            if bytes.len() <= room {
                self.held.extend_from_slice(bytes);
                return;
            }
            self.settle();
        }
        if self.fate == Fate::Keep {
            self.keep.more(bytes);
        }
    }
}

impl<K> Sieve<'_, K> {
    fn time(&self) -> Option<Time> {
        self.watch.as_ref().and_then(Watch::time)
    }
}

/// Where `word` stands in `bytes`; empty when it was read from a rewritten copy.
fn place(word: &[u8], bytes: &[u8]) -> Range<usize> {
    let start = (word.as_ptr() as usize).wrapping_sub(bytes.as_ptr() as usize);
    match start.checked_add(word.len()) {
        Some(end) if end <= bytes.len() => start..end,
        _ => 0..0,
    }
}
