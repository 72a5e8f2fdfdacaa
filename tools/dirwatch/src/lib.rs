#![doc = include_str!("../README.md")]

pub mod backoff;
pub mod cli;
pub mod filesystem;
pub mod filing;
pub mod identity;
pub mod inbox;
pub mod keeper;
pub mod lease;
pub mod ledger;
pub mod look;
pub mod message;
pub mod metrics;
pub mod plan;
pub mod queue;
pub mod ready;
pub mod scan;
pub mod select;
pub mod service;
pub mod template;
pub mod tree;
pub mod walk;
pub mod watch;
pub mod worker;

/// The manual: the README, also behind `--help` and `--generate man`.
pub const MANUAL: &str = include_str!("../README.md");

use common::{Out, Outcome, Result};

pub use cli::Args;

/// Runs the tool.
///
/// # Errors
/// When nothing can be watched, the command cannot be run at all, or the ledger is held by another
/// watcher (75), broken or full.
pub fn run(_args: &Args, _out: &mut Out) -> Result<Outcome> {
    Ok(Outcome::Done)
}
