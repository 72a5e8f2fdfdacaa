#![doc = include_str!("../README.md")]

mod audit;
mod change;
pub mod cli;
mod clock;
mod consumer;
mod credential;
mod event;
mod folder;
mod journal;
mod machine;
mod plugin;
mod provider;
mod report;
mod rotate;
mod spec;
mod ssh;
mod state;
mod tasks;
mod template;
mod validate;
mod verify;

use common::{Out, Outcome, Result};
use rustix::process::DumpableBehavior;

pub use cli::Args;
use cli::Task;
use tasks::{Advance, Desk};

/// The manual: the README, also behind `--help` and `--generate man`.
pub const MANUAL: &str = include_str!("../README.md");

/// Runs the tool.
///
/// # Errors
/// When a spec cannot be read or has faults, when its state cannot be had or written, or when a human is
/// needed; whatever was begun is in the journal, and the next run goes on from there.
pub fn run(args: &Args, out: &mut Out) -> Result<Outcome> {
    // A core of this process would hold secrets. What it runs is not concerned: execve(2) undoes it.
    let _may_leave_a_core = rustix::process::set_dumpable_behavior(DumpableBehavior::NotDumpable);
    process::child::reserve();
    common::log::conceal_with(secrets::conceal::hide);
    // What only looks or decides has nothing to come to an end with, and dies of the signal at once.
    if matches!(&args.task, Task::Run(run) if !run.dry_run) || matches!(args.task, Task::Rollback { .. }) {
        common::stop::install()?;
    }
    let desk = Desk { state: args.state(), form: args.form() };
    match &args.task {
        Task::Run(run) if run.dry_run => {
            tasks::each(&run.specs, out, |path, out| tasks::plan(&desk, path, run.now, out))
        }
        Task::Run(run) => {
            let how = Advance { now: run.now, on_event: run.on_event.as_deref() };
            tasks::each(&run.specs, out, |path, out| tasks::advance(&desk, path, how, out))
        }
        Task::Status { specs } => tasks::status(&desk, specs, out),
        Task::Verify { spec } => tasks::verify(&desk, spec, out),
        Task::Confirm { spec } => {
            tasks::decide(&desk, spec, out, |case| rotate::confirm(&case.spec.name, &case.folder))
        }
        Task::Rollback { spec, reason } => tasks::roll_back(&desk, spec, reason, out),
        Task::Hold(hold) if hold.off => {
            tasks::decide(&desk, &hold.spec, out, |case| rotate::end_hold(&case.folder))
        }
        Task::Hold(hold) => {
            tasks::decide(&desk, &hold.spec, out, |case| rotate::hold(&case.folder, hold.until))
        }
        Task::Skip { spec, consumer, reason } => {
            tasks::decide(&desk, spec, out, |case| rotate::skip(&case.spec, &case.folder, consumer, reason))
        }
        Task::Log { spec, check } => tasks::log(&desk, spec, *check, out),
        Task::Validate { specs } => validate::all(specs, args.state(), args.form(), out),
    }
}
