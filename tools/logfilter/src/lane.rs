//! One input on its way through the filter.

use std::path::Path;

use common::Result;
use logs::clock::{Clock, Zone};
use logs::records::Scanner;
use logs::rules::Rules;
use logs::stream::Blocks;

use crate::filter::Filter;
use crate::sieve::{Keep, Sieve};
use crate::source::Source;
use crate::watch::Watch;

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
}

/// An input with what reads it and what takes its records.
pub struct Lane<'j, K> {
    /// The input.
    pub source: Source,
    scanner: Scanner<'j>,
    /// What takes its records.
    pub sieve: Sieve<'j, K>,
}

impl<'j, K: Keep> Lane<'j, K> {
    /// Opens an input at the place where it is to be read from.
    ///
    /// # Errors
    /// When it cannot be opened or read.
    pub fn open(path: &Path, job: &'j Job, blocks: Blocks, keep: K) -> Result<Self> {
        let source = Source::open(path, blocks)?;
        let scanner = Scanner::new(&job.rules);
        let watch = job.rules.want_time.then(|| {
            let clock = Clock::new(job.zone, source.written, job.year);
            Watch::new(clock, false)
        });
        Ok(Self { source, scanner, sieve: Sieve::new(&job.filter, watch, keep) })
    }

    /// Reads once and lets the records through; false when there is nothing more to come.
    ///
    /// # Errors
    /// When it cannot be read or unpacked.
    pub fn step(&mut self) -> Result<bool> {
        let more = self.source.step(&mut self.scanner, &mut self.sieve);
        if matches!(more, Ok(true)) && !self.sieve.is_stopped() {
            return Ok(true);
        }
        self.sieve.finish();
        more.map(|_| false)
    }
}
