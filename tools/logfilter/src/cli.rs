//! The command line.

use clap::Parser;
use common::cli::Common;

/// Keep log records by level and by time
#[derive(Parser, Debug)]
#[command(name = "logfilter", version)]
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
