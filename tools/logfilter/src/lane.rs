//! One input on its way through the filter.

use std::path::Path;
use std::time::Duration;

use common::{OrCannot, Result};
use logs::clock::{Clock, Zone};
use logs::records::Scanner;
use logs::rules::Rules;
use logs::stream::Blocks;

use crate::filter::Filter;
use crate::seek::{Search, Sizes, Wanted};
use crate::sieve::{Keep, Sieve};
use crate::source::Source;
use crate::watch::{Exactly, Order, Watch};

/// What is to be done with each input.
#[derive(Debug, Clone)]
pub struct Job {
    /// How its lines are to be read.
    pub rules: Rules,
    /// Which records are kept.
    pub filter: Filter,
    /// The zone of stamps that do not tell theirs.
    pub zone: Zone,
    /// The year of the first record, where the stamps tell none.
    pub year: Option<i32>,
    /// How much earlier than one before it a record of a sorted file may be.
    pub slack: Duration,
    /// Whether all of a file is read, sorted or not.
    pub scan: bool,
    /// Whether the records of all inputs become one stream.
    pub merge: bool,
    /// How a sorted file is searched.
    pub sizes: Sizes,
}

/// An input with what reads it and what takes its records.
pub struct Lane<'j, K> {
    /// The input.
    pub source: Source,
    scanner: Scanner<'j>,
    /// What takes its records.
    pub sieve: Sieve<'j, K>,
    /// How much text was passed over by the search.
    begins: u64,
    has_ended: bool,
}

impl<'j, K: Keep> Lane<'j, K> {
    /// Opens an input at the place where it is to be read from.
    ///
    /// # Errors
    /// When it cannot be opened or read.
    pub fn open(path: &Path, job: &'j Job, blocks: Blocks, keep: K) -> Result<Self> {
        let source = Source::open(path, blocks)?;
        let scanner = Scanner::new(&job.rules);
        let clock = Clock::new(job.zone, source.written, job.year);
        let sieve = Sieve::new(&job.filter, None, keep);
        let mut lane = Self { source, scanner, sieve, begins: 0, has_ended: false };
        if job.rules.want_time {
            lane.sieve.watch = Some(lane.watch(clock, job)?);
        }
        Ok(lane)
    }

    /// Sets the clock, and goes to the place where the time range begins if the file is sorted.
    fn watch(&mut self, mut clock: Clock, job: &'j Job) -> Result<Watch> {
        let name = self.source.name.clone();
        let exactly =
            if job.merge { Exactly::Wholly } else { job.filter.span.map_or(Exactly::Wholly, Exactly::of) };
        let Some((file, range)) = self.source.plain() else {
            log::debug!("{name} is read as a whole: it is no plain file");
            return Ok(Watch::new(clock, false, exactly));
        };
        let search = Search::begin((file, range.clone()), &job.rules, &mut clock, job.sizes)
            .or_cannot("read", &name)?;
        let is_told = search.has_begun();
        let span = job.filter.span.filter(|_| !job.scan && !job.filter.inverted);
        let Some(span) = span.filter(|_| range.end - range.start >= job.sizes.least) else {
            return Ok(Watch::new(clock, is_told, exactly));
        };
        let slack = search.slack_in(span, job.slack);
        match search.entry(Wanted { span, slack }).or_cannot("read", &name)? {
            Err(reason) => {
                log::info!("{name} is read as a whole: {reason}");
                Ok(Watch::new(clock, is_told, exactly))
            }
            Ok(entry) => {
                log::debug!("{name} is read from byte {} of {} on", entry.at, range.end);
                self.source.start_at(entry.at);
                self.scanner.state = entry.state;
                self.begins = entry.at - range.start;
                self.sieve.dropped.before_time = entry.timeless;
                let mut watch = Watch::new(clock, is_told, exactly);
                watch.rely_on(Order { latest: entry.latest, slack, end: span.1.plus(slack), broken: false });
                Ok(watch)
            }
        }
    }

    /// Whether nothing more is to come.
    pub fn has_ended(&self) -> bool {
        self.has_ended
    }

    /// Reads once and lets the records through.
    ///
    /// # Errors
    /// When it cannot be read or unpacked.
    pub fn step(&mut self) -> Result<()> {
        let more = self.source.step(&mut self.scanner, &mut self.sieve);
        self.has_ended = !matches!(more, Ok(true)) || self.sieve.is_stopped();
        if !self.has_ended {
            return Ok(());
        }
        self.sieve.finish();
        if self.begins > 0 && self.sieve.watch.as_ref().is_some_and(Watch::was_wrong) {
            let (name, begins) = (&self.source.name, self.begins);
            log::warn!(
                "{name} is not sorted by time; its first {begins} bytes were not read, --scan reads all"
            );
        }
        more.map(|_| ())
    }
}

#[cfg(test)]
mod tests;
