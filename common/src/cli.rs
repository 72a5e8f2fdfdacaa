//! The flags that every tool takes, and what clap is told about every tool alike.

use clap::builder::styling::{AnsiColor, Styles};
use clap::{ArgAction, Args, Command, CommandFactory};
use log::LevelFilter;

use crate::log::Format;
use crate::manual;

/// Flags of every tool; flatten it into the tool's own `Args`.
#[derive(Args, Debug, Clone)]
#[command(next_help_heading = "Common options")]
pub struct Common {
    /// Say more: -v what changed, -vv why, -vvv everything
    #[arg(short, long, action = ArgAction::Count, conflicts_with = "quiet", display_order = 900)]
    pub verbose: u8,

    /// Say less: errors only
    #[arg(short, long, display_order = 901)]
    pub quiet: bool,

    /// How messages on stderr look
    #[arg(
        long,
        value_name = "FORMAT",
        default_value = "auto",
        env = "SRE_LOG_FORMAT",
        hide_env = true,
        hide_possible_values = true,
        display_order = 902,
        long_help = "How messages on stderr look: auto, short, long, journal or json"
    )]
    pub log_format: Format,
}

impl Common {
    /// What `-v` and `-q` ask for; `None` leaves it to `RUST_LOG`.
    #[must_use]
    pub fn filter(&self) -> Option<LevelFilter> {
        match (self.quiet, self.verbose) {
            (true, _) => Some(LevelFilter::Error),
            (false, 0) => None,
            (false, 1) => Some(LevelFilter::Info),
            (false, 2) => Some(LevelFilter::Debug),
            (false, _) => Some(LevelFilter::Trace),
        }
    }
}

/// The command line of a tool with what is the same for all of them: the examples of its manual
/// below the help, and the colours.
#[must_use]
pub fn command<A: CommandFactory>(manual: &str) -> Command {
    let styles = Styles::styled()
        .header(AnsiColor::Green.on_default().bold())
        .usage(AnsiColor::Green.on_default().bold())
        .literal(AnsiColor::Cyan.on_default().bold())
        .placeholder(AnsiColor::Cyan.on_default());
    A::command().styles(styles).after_help(manual::help_examples(manual))
}
