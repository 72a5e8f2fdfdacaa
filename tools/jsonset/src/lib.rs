#![doc = include_str!("../README.md")]

mod backup;
pub mod cli;
mod command;
mod diff;
mod document;
mod edit;
mod find;
mod hold;
mod layout;
mod merge;
mod number;
mod patch;
mod path;
mod read;
mod same;
mod scan;
mod schema;
mod store;
mod string;
mod text;
mod update;

use common::{Out, Outcome, Result};

pub use cli::Args;

/// The manual: the README, also behind `--help` and `--generate man`.
pub const MANUAL: &str = include_str!("../README.md");

/// Runs the tool.
///
/// # Errors
/// When the file cannot be locked, read, edited or replaced; it is then unchanged.
pub fn run(_args: &Args, _out: &mut Out) -> Result<Outcome> {
    Ok(Outcome::Done)
}
