//! The command line.

use clap::Parser;
use common::cli::Common;

/// Change a JSON config safely, under a lock
#[derive(Parser, Debug)]
#[command(name = "jsonset", version)]
pub struct Args {
    #[command(flatten)]
    common: Common,
}

impl AsRef<Common> for Args {
    fn as_ref(&self) -> &Common {
        &self.common
    }
}
