#![doc = include_str!("../README.md")]

pub mod cli;
mod count;
mod explain;
mod plan;
mod print;
mod tally;
mod walk;

use std::path::PathBuf;

use common::{Error, Out, Outcome, Result};

pub use cli::Args;
use count::count;
use plan::{By, Plan, Task};
use print::{Group, Key, Report};
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
        _ => count_once::<T>(plan, out),
    }
}

fn count_once<T: Tally>(plan: &Plan, out: &mut Out) -> Result<Outcome> {
    let (paths, mut failures) = walk::expand(&plan.files, plan.walk.as_ref());
    let counted = count::<T>(&paths, plan);
    failures.extend(counted.failures);
    let mut levels = Levels::default();
    for (_, tally) in &counted.tallies {
        levels.add_all(&tally.levels());
    }
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
