#![doc = include_str!("../README.md")]

pub mod cli;
pub mod emit;
pub mod filter;
pub mod lane;
mod merge;
pub mod output;
pub mod seek;
pub mod select;
pub mod sieve;
pub mod source;
pub mod watch;

use std::path::Path;

use common::{Error, Out, Outcome, Result};
use logs::stream::Blocks;

pub use cli::Args;
use emit::Emit;
use lane::{Job, Lane};
use sieve::{Dropped, Keep};

/// The manual: the README, also behind `--help` and `--generate man`.
pub const MANUAL: &str = include_str!("../README.md");

/// Runs the tool.
///
/// # Errors
/// When the command line contradicts itself, no input can be read, or the output cannot be written.
pub fn run(args: &Args, out: &mut Out) -> Result<Outcome> {
    let job = args.job()?;
    let inputs = args.inputs();
    common::output::refuse_inputs(&inputs, args.output())?;
    if job.merge {
        output::refuse_two_stdins(&inputs)?;
    }
    let mut emit = Emit::new(out, args.output(), args.form(out.is_terminal()))?;
    let filter = if job.merge { merge::all } else { one_by_one };
    let passed = filter(&inputs, &job, &mut emit)?;
    report(passed.dropped, &job);
    let kept = emit.finish()?;
    Ok(match (passed.failed, kept) {
        (1.., _) => Outcome::Partial,
        (0, 0) => Outcome::No,
        _ => Outcome::Done,
    })
}

/// What came of all inputs together.
#[derive(Default)]
struct Passed {
    dropped: Dropped,
    /// How many inputs could not be read to their end.
    failed: usize,
}

impl Passed {
    /// Goes on without an input, unless it is the only one.
    fn without(&mut self, error: Error, inputs: &[&Path]) -> Result<()> {
        self.failed += 1;
        if inputs.len() == 1 {
            return Err(error);
        }
        log::error!("{error}");
        if self.failed == inputs.len() {
            return Err(Error::failed("no input could be read"));
        }
        Ok(())
    }

    fn add(&mut self, dropped: Dropped) {
        self.dropped.without_level += dropped.without_level;
        self.dropped.before_time += dropped.before_time;
    }
}

/// Filters one input after the other.
fn one_by_one(inputs: &[&Path], job: &Job, emit: &mut Emit<'_>) -> Result<Passed> {
    let mut passed = Passed::default();
    for input in inputs {
        if emit.is_full() {
            break;
        }
        let read = one(input, job, emit, &mut passed);
        emit.check()?;
        if let Err(error) = read {
            passed.without(error, inputs)?;
        }
    }
    Ok(passed)
}

fn one(input: &Path, job: &Job, emit: &mut Emit<'_>, passed: &mut Passed) -> Result<()> {
    let mut lane = Lane::open(input, job, Blocks::default(), emit)?;
    lane.sieve.keep.reads_from(&lane.source);
    let mut read = Ok(());
    while !lane.has_ended() && !lane.sieve.keep.has_failed() {
        if lane.source.is_live {
            lane.sieve.keep.flush();
        }
        read = lane.step();
    }
    passed.add(lane.sieve.dropped);
    read
}

/// Says what was dropped for want of knowledge.
fn report(dropped: Dropped, job: &Job) {
    let what = if job.filter.inverted { "kept" } else { "dropped" };
    if dropped.without_level > 0 {
        log::info!("{what} records without a level={}", dropped.without_level);
    }
    if dropped.before_time > 0 {
        log::info!("{what} records before the first time of their file={}", dropped.before_time);
    }
}
