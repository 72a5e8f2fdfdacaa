//! The command line.

use std::path::PathBuf;

use clap::Parser;
use common::cli::Common;

/// Rotate a credential without a second of outage
#[derive(Parser, Debug)]
#[command(name = "keyrotate", version)]
pub struct Args {
    /// The spec.
    #[arg(value_name = "SPEC")]
    pub spec: PathBuf,

    /// What every tool takes.
    #[command(flatten)]
    pub common: Common,
}

impl AsRef<Common> for Args {
    fn as_ref(&self) -> &Common {
        &self.common
    }
}
