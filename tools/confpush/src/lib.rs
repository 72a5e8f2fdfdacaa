#![doc = include_str!("../README.md")]

mod audit;
pub mod cli;
mod content;
mod deploy;
mod diff;
mod event;
mod health;
mod host;
mod order;
mod render;
mod report;
mod spec;
mod station;
mod status;
mod tasks;
mod validate;
mod values;
mod witness;

use common::{Out, Outcome, Result};

pub use cli::Args;
use cli::Task;
use tasks::Desk;

/// The manual: the README, also behind `--help` and `--generate man`.
pub const MANUAL: &str = include_str!("../README.md");

/// Runs the tool.
///
/// # Errors
/// When a spec cannot be read or has faults, when nothing could be changed, or when a host is left on
/// neither its old nor its new file; the sentence names it.
pub fn run(args: &Args, out: &mut Out) -> Result<Outcome> {
    common::log::conceal_with(secrets::conceal::hide);
    // What only looks has nothing to come to an end with, and dies of the signal at once.
    if matches!(args.task, Task::Apply(_) | Task::Rollback(_) | Task::Witness) {
        common::stop::install()?;
    }
    let desk = Desk::of(args);
    match &args.task {
        Task::Plan(plan) => tasks::plan(&desk, plan, out),
        Task::Apply(apply) => tasks::apply(&desk, apply, out),
        Task::Rollback(rollback) => tasks::rollback(&desk, rollback, out),
        Task::Status(which) => tasks::status(&desk, which, out),
        Task::History { specs } => tasks::history(&desk, specs, out),
        Task::Validate { specs } => tasks::validate(specs, &desk, out),
        Task::Witness => witness::run(),
    }
}
