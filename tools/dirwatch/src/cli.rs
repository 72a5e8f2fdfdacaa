//! The command line.

use clap::Parser;
use common::cli::Common;

/// Run a command for each new file in a directory, once
#[derive(Parser, Debug)]
#[command(name = "dirwatch", version)]
pub struct Args {
    /// The flags of every tool.
    #[command(flatten)]
    common: Common,
}

impl AsRef<Common> for Args {
    fn as_ref(&self) -> &Common {
        &self.common
    }
}
