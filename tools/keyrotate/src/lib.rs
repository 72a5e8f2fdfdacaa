#![doc = include_str!("../README.md")]

mod answer;
mod audit;
mod change;
mod child;
pub mod cli;
mod clock;
mod conceal;
mod consumer;
mod credential;
mod journal;
mod machine;
mod plugin;
mod provider;
mod rotate;
mod source;
mod spec;
mod ssh;
mod state;
mod template;

use common::{Out, Outcome, Result};

pub use cli::Args;

/// The manual: the README, also behind `--help` and `--generate man`.
pub const MANUAL: &str = include_str!("../README.md");

/// Runs the tool.
///
/// # Errors
/// When the spec cannot be read or has faults.
pub fn run(args: &Args, _out: &mut Out) -> Result<Outcome> {
    child::reserve();
    common::log::conceal_with(conceal::hide);
    spec::Spec::read(&args.spec)?;
    Ok(Outcome::Done)
}
