//! The command line.

use clap::{Parser, ValueEnum};
use common::cli::Common;
use hosts::cli::Hosts;

/// Show which hosts a selection means, and lint inventories
#[derive(Parser, Debug)]
#[command(name = "hostlist", version)]
#[allow(clippy::struct_excessive_bools, reason = "each is a flag of its own")]
pub struct Args {
    /// Which hosts.
    #[command(flatten)]
    pub hosts: Hosts,

    /// How the hosts are shown
    #[arg(
        short,
        long,
        value_name = "FORMAT",
        default_value = "text",
        hide_possible_values = true,
        long_help = "How the hosts are shown: text, json, csv, ssh_config or names"
    )]
    pub format: Format,

    /// JSON Lines: short for --format json
    #[arg(long, conflicts_with = "format")]
    pub json: bool,

    /// Also apply the SSH configuration, as the tools do that log in
    #[arg(long)]
    pub effective: bool,

    /// Count the hosts by a tag; given again, by several together
    #[arg(long, value_name = "KEY", conflicts_with_all = ["effective", "count", "fold", "lint"])]
    pub by: Vec<String>,

    /// Print how many hosts there are
    #[arg(short, long, conflicts_with_all = ["effective", "fold", "lint", "format", "json"])]
    pub count: bool,

    /// Print the names as ranges, web[01-06]
    #[arg(long, conflicts_with_all = ["effective", "lint", "format", "json"])]
    pub fold: bool,

    /// Print what is odd about the inventory, one line each; the status is 1 when anything is
    #[arg(long, conflicts_with_all = ["effective", "limit", "shard", "names"])]
    pub lint: bool,

    /// What every tool takes.
    #[command(flatten)]
    pub common: Common,
}

/// How hosts are shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Format {
    /// a table
    Text,
    /// an object in each line
    Json,
    /// a line for each host
    Csv,
    /// blocks for ssh -F
    #[value(name = "ssh_config")]
    SshConfig,
    /// a name in each line
    Names,
}

impl Args {
    /// How it is shown, `--json` counted in.
    #[must_use]
    pub fn form(&self) -> Format {
        if self.json { Format::Json } else { self.format }
    }
}

impl AsRef<Common> for Args {
    fn as_ref(&self) -> &Common {
        &self.common
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory;

    #[test]
    fn clap_finds_no_contradiction() {
        Args::command().debug_assert();
    }
}
