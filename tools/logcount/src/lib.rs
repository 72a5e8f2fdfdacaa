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

use std::collections::HashSet;
use std::path::PathBuf;

use common::{Error, Out, Outcome, Result};

pub use cli::Args;
use count::count;
use logs::clock::Time;
use plan::{By, Form, Plan, Remember, Task};
use print::{Group, Groups, Key, Report};
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
    plan.spare_inputs()?;
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
    let mut levels = Levels::default();
    for (_, tally) in &round.logs {
        levels.add_all(&tally.levels());
    }
    if !is_nothing || failures.is_empty() {
        print::print(&report_of(round.logs, &store.memory, plan), plan, out)?;
        store.commit()?;
    }
    conclude(failures, is_nothing, Some(&levels), plan)
}

/// What a round found, or for Prometheus the totals of all rounds: counters must never go back.
fn report_of<'a, T: Tally>(logs: Vec<(PathBuf, T)>, memory: &Memory, plan: &Plan) -> Report<'a> {
    let is_cumulative = plan.form == Form::Prometheus;
    let groups = if is_cumulative {
        memory.groups(plan.by)
    } else if plan.by == By::File {
        let one = |(path, tally): (PathBuf, T)| groups(tally, &Key::File(path.into()));
        logs.into_iter().flat_map(one).collect()
    } else {
        let all = logs.into_iter().map(|(_, tally)| tally).reduce(|mut sum, next| {
            sum.absorb(next);
            sum
        });
        groups(all.unwrap_or_else(|| T::new(plan, Time::now())), &Key::All)
    };
    Report { groups: Groups::Few(groups), is_cumulative }
}

/// The groups of a tally: those of time that it has, or the one with this key.
fn groups<T: Tally>(tally: T, key: &Key) -> Vec<Group> {
    let one = |(time, cells)| Group { key: if T::HAS_TIMES { Key::Time(time) } else { key.clone() }, cells };
    tally.groups().into_iter().map(one).collect()
}

fn count_once<T: Tally>(plan: &Plan, out: &mut Out) -> Result<Outcome> {
    let (mut paths, mut failures) = walk::expand(&plan.files, plan.walk.as_ref());
    if plan.by == By::File && plan.form == Form::Prometheus {
        // A sample that is there twice makes Prometheus refuse all of them.
        let mut seen = HashSet::new();
        paths.retain(|path| seen.insert(path.clone()));
    }
    let counted = count::<T>(&paths, plan);
    let is_nothing = counted.is_nothing();
    failures.extend(counted.failures);
    if !is_nothing || failures.is_empty() {
        let groups = match counted.all {
            Some(all) => Groups::Few(groups(all, &Key::All)),
            None => Groups::Files(&paths, counted.files),
        };
        print::print(&Report { groups, is_cumulative: false }, plan, out)?;
    }
    conclude(failures, is_nothing, Some(&counted.levels), plan)
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
