#![doc = include_str!("../README.md")]

pub mod bind;
pub mod block;
pub mod cli;
pub mod columns;
mod cut;
pub mod detect;
pub mod dialect;
pub mod emit;
pub mod expr;
pub mod filter;
mod kernel;
mod near;
pub mod number;
pub mod pick;
mod scan;
pub mod simd;
pub mod time;

use common::{Out, Outcome, Result};

pub use cli::Args;

/// The manual: the README, also behind `--help` and `--generate man`.
pub const MANUAL: &str = include_str!("../README.md");

/// Runs the tool.
///
/// # Errors
/// When the command line is wrong, no input can be read, or the output cannot be written.
pub fn run(_args: &Args, _out: &mut Out) -> Result<Outcome> {
    Ok(Outcome::Done)
}
