//! The command line.

use std::path::PathBuf;

use clap::Parser;
use common::cli::Common;

/// Keep the rows of a CSV file that match, choose columns, convert
#[derive(Parser, Debug)]
#[command(name = "csvfilter", version)]
pub struct Args {
    /// Tables to read, plain or packed; `-` or none is standard input
    #[arg(value_name = "FILE")]
    pub(crate) files: Vec<PathBuf>,

    /// What every tool takes.
    #[command(flatten)]
    pub common: Common,
}

impl AsRef<Common> for Args {
    fn as_ref(&self) -> &Common {
        &self.common
    }
}
