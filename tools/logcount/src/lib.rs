#![doc = include_str!("../README.md")]
#![allow(clippy::doc_markdown, reason = "the manual names products as their makers do")]

pub mod cli;
mod count;
mod explain;
mod follow;
mod plan;
mod print;
mod state;
mod tally;
mod walk;

use std::path::PathBuf;

use common::{Error, Out, Outcome, Result};

pub use cli::Args;
use count::count;
use logs::clock::Time;
use plan::{By, Form, Plan, Remember, Task};
use print::{Group, Key, Report};
use state::{Memory, Store};
use tally::{Levels, Tally, Times, Words};

/// The manual: the README, also behind `--help` and `--generate man`.
pub const MANUAL: &str = include_str!("../README.md");

/// Runs the tool.
///
/// # Errors
/// When no log could be read, the output cannot be written, or the state cannot be read, locked or
/// written. A file that was to be replaced is then unchanged, and so is the state.
pub fn run(args: &Args, out: &mut Out) -> Result<Outcome> {
    let plan = args.plan()?;
    // The sink is chosen once, so that what counts a record asks nothing.
    match (plan.by.is_time(), plan.raw) {
        (false, false) => run_with::<Levels>(&plan, out),
        (false, true) => run_with::<Words>(&plan, out),
        (true, false) => run_with::<Times<Levels>>(&plan, out),
        (true, true) => run_with::<Times<Words>>(&plan, out),
    }
}

fn run_with<T: Tally>(plan: &Plan, out: &mut Out) -> Result<Outcome> {
    match plan.task {
        Task::Explain(records) => {
            let (paths, mut failures) = walk::expand(&plan.files, plan.walk.as_ref());
            failures.extend(explain::explain(&paths, records, plan, out)?);
            let is_nothing = failures.len() >= paths.len();
            conclude(failures, is_nothing, None, plan)
        }
        Task::Follow(interval) if plan.files.iter().any(|file| file.as_os_str() == "-") => {
            follow::standard_input::<T>(plan, interval, out)
        }
        Task::Follow(interval) => follow::files::<T>(plan, interval, out),
        Task::Count => match &plan.state {
            Some(remember) => count_new::<T>(plan, remember, out),
            None => count_once::<T>(plan, out),
        },
    }
}

/// Counts what was appended since the run before. The state is replaced last of all.
fn count_new<T: Tally>(plan: &Plan, remember: &Remember, out: &mut Out) -> Result<Outcome> {
    let mut store = Store::open(remember)?;
    let (paths, mut failures) = walk::expand(&plan.files, plan.walk.as_ref());
    let round = store.round::<T>(&paths, plan)?;
    failures.extend(round.failures);
    let is_nothing = round.logs.is_empty();
    let levels = sum(round.logs.iter().map(|(_, tally)| tally));
    if !is_nothing || failures.is_empty() {
        print::print(&report_of(round.logs, &store.memory, plan), plan, out)?;
        store.commit()?;
    }
    conclude(failures, is_nothing, Some(&levels), plan)
}

/// What a round found, or for Prometheus the totals of all rounds: counters must never go back.
fn report_of<T: Tally>(logs: Vec<(PathBuf, T)>, memory: &Memory, plan: &Plan) -> Report {
    let is_cumulative = plan.form == Form::Prometheus;
    let groups = if is_cumulative {
        memory.groups(plan.by)
    } else {
        let (paths, tallies): (Vec<PathBuf>, Vec<T>) = logs.into_iter().unzip();
        groups(join(tallies, plan), &paths, plan)
    };
    Report { groups, is_cumulative }
}

/// One tally for each file by file, else one in all.
fn join<T: Tally>(tallies: Vec<T>, plan: &Plan) -> Vec<(usize, T)> {
    if plan.by == By::File {
        return tallies.into_iter().enumerate().collect();
    }
    let all = tallies.into_iter().reduce(|mut sum, next| {
        sum.absorb(next);
        sum
    });
    vec![(0, all.unwrap_or_else(|| T::new(plan, Time::now())))]
}

fn sum<'a, T: Tally + 'a>(tallies: impl Iterator<Item = &'a T>) -> Levels {
    let mut levels = Levels::default();
    for tally in tallies {
        levels.add_all(&tally.levels());
    }
    levels
}

fn count_once<T: Tally>(plan: &Plan, out: &mut Out) -> Result<Outcome> {
    let (paths, mut failures) = walk::expand(&plan.files, plan.walk.as_ref());
    let counted = count::<T>(&paths, plan);
    failures.extend(counted.failures);
    let levels = sum(counted.tallies.iter().map(|(_, tally)| tally));
    let is_nothing = counted.tallies.is_empty();
    if !is_nothing || failures.is_empty() {
        let report = Report { groups: groups(counted.tallies, &paths, plan), is_cumulative: false };
        print::print(&report, plan, out)?;
    }
    conclude(failures, is_nothing, Some(&levels), plan)
}

fn groups<T: Tally>(tallies: Vec<(usize, T)>, paths: &[PathBuf], plan: &Plan) -> Vec<Group> {
    let mut groups = Vec::with_capacity(tallies.len());
    for (index, tally) in tallies {
        groups.extend(tally.groups().into_iter().map(|(time, cells)| {
            let key = match plan.by {
                By::Nothing => Key::All,
                By::File => Key::File(paths[index].as_path().into()),
                By::Minute | By::Hour | By::Day => Key::Time(time),
            };
            Group { key, cells }
        }));
    }
    groups
}

/// Reports what could not be read, and says how the run ended.
fn conclude(
    mut failures: Vec<Error>,
    is_nothing: bool,
    levels: Option<&Levels>,
    plan: &Plan,
) -> Result<Outcome> {
    if is_nothing && let Some(last) = failures.pop() {
        report(&failures);
        return Err(last);
    }
    report(&failures);
    let reached = plan
        .fail_on
        .zip(levels)
        .is_some_and(|(limit, levels)| levels.at_or_above(limit.level) >= limit.count);
    match (failures.is_empty(), reached) {
        (false, _) => Ok(Outcome::Partial),
        (true, true) => Ok(Outcome::No),
        (true, false) => Ok(Outcome::Done),
    }
}

fn report(failures: &[Error]) {
    for failure in failures {
        log::error!("{failure}");
    }
}
