#![doc = include_str!("../README.md")]

mod backup;
pub mod cli;
mod command;
mod diff;
mod edit;
mod hold;
mod plan;
mod read;
mod schema;
mod store;
mod update;

use common::{Out, Outcome, Result};

pub use cli::Args;
use plan::Task;

/// The manual: the README, also behind `--help` and `--generate man`.
pub const MANUAL: &str = include_str!("../README.md");

/// Runs the tool.
///
/// # Errors
/// When the file cannot be locked, read, edited or replaced; it is then unchanged.
pub fn run(args: &Args, out: &mut Out) -> Result<Outcome> {
    let plan = args.plan()?;
    match &plan.task {
        Task::Get { .. } | Task::Type(_) | Task::Hash | Task::History { .. } => read::run(&plan, out),
        Task::Hold(_) => update::run(&plan, out).map_err(hold::failed),
        Task::Watch => hold::watch(&plan.store),
        Task::Start { holder, command } => Ok(hold::start(*holder, command)),
        _ => update::run(&plan, out),
    }
}
