//! The command line.

use clap::Parser;
use common::cli::Common;

/// Count log records by level
#[derive(Parser, Debug)]
#[command(name = "logcount", version)]
pub struct Args {
    /// What every tool takes.
    #[command(flatten)]
    pub common: Common,
}

impl AsRef<Common> for Args {
    fn as_ref(&self) -> &Common {
        &self.common
    }
}
