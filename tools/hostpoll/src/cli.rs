//! The command line.

use clap::Parser;
use common::cli::Common;
use hosts::cli::Hosts;

/// Collect metrics from many servers over SSH
#[derive(Parser, Debug)]
#[command(name = "hostpoll", version)]
pub struct Args {
    /// Which hosts.
    #[command(flatten)]
    pub hosts: Hosts,

    /// What every tool takes.
    #[command(flatten)]
    pub common: Common,
}

impl AsRef<Common> for Args {
    fn as_ref(&self) -> &Common {
        &self.common
    }
}
