#![doc = include_str!("../README.md")]

mod backoff;
pub mod cli;
mod commands;
mod filesystem;
mod filing;
mod hands;
mod identity;
mod inbox;
mod json;
mod keeper;
mod lease;
mod ledger;
mod look;
mod message;
mod metrics;
mod place;
mod plan;
mod post;
mod queue;
mod ready;
mod scan;
mod select;
mod service;
mod template;
mod tree;
mod walk;
mod watch;

use common::{Out, Outcome, Result};

pub use cli::Args;
use plan::Plan;

/// The manual: the README, also behind `--help` and `--generate man`.
pub const MANUAL: &str = include_str!("../README.md");

/// Runs the tool.
///
/// # Errors
/// When nothing can be watched, the command cannot be run at all, or the ledger is held by another
/// watcher (75) or broken. Nothing that was recorded is lost.
pub fn run(args: &Args, out: &mut Out) -> Result<Outcome> {
    match args.plan()? {
        Plan::Watch(watch) => keeper::watch(*watch, out),
        Plan::Look(look) => look::run(&look, out),
    }
}
