#![doc = include_str!("../README.md")]

pub mod cli;
pub mod families;
pub mod outcome;
pub mod parse;
pub mod probe;
pub mod push;
pub mod report;
pub mod rule;
pub mod sample;
pub mod values;

use common::{Out, Outcome, Result};

pub use cli::Args;

/// The manual: the README, also behind `--help` and `--generate man`.
pub const MANUAL: &str = include_str!("../README.md");

/// Runs the tool.
///
/// # Errors
/// When the hosts are not told, or the output cannot be written.
pub fn run(args: &Args, out: &mut Out) -> Result<Outcome> {
    for host in args.hosts.selected()? {
        writeln!(out, "{}", host.name)?;
    }
    Ok(Outcome::Done)
}
