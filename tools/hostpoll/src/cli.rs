//! The command line.

use std::collections::BTreeSet;
use std::io::IsTerminal;
use std::path::{Path, PathBuf};
use std::time::Duration;

use clap::builder::{PossibleValuesParser, TypedValueParser};
use clap::{Parser, ValueEnum};
use common::cli::Common;
use common::{Result, tool, units};
use hosts::cli::Hosts;
use remote::cli::Ssh;

use crate::push::{Push, Taker};
use crate::report::{self, Format, Sort};
use crate::rule::Rule;
use crate::sample::{Collector, Wanted};

/// Collect metrics from many servers over SSH
#[derive(Parser, Debug)]
#[command(name = "hostpoll", version)]
pub struct Args {
    /// Which hosts.
    #[command(flatten)]
    pub hosts: Hosts,

    /// Ask for these only
    #[arg(
        short, long, value_name = "LIST", value_delimiter = ',',
        value_parser = PossibleValuesParser::new(Collector::ALL.map(|(name, _)| name)).map(|name| collector(&name))
    )]
    metrics: Vec<Collector>,

    /// Time between the two readings of the CPU; 0 for counters only [default: 1s; with --interval, for the first sample]
    #[arg(long, value_name = "TIME", value_parser = window)]
    cpu_window: Option<Duration>,

    /// Run CMD there too: it prints a number, key=value, or JSON; may be given again
    #[arg(short, long = "command", value_name = "NAME=CMD", value_parser = command)]
    commands: Vec<(String, String)>,

    /// How results look
    #[arg(long, value_name = "FORMAT", help_heading = "Output", default_value = "table")]
    format: Shape,

    /// Short for --format json
    #[arg(long, help_heading = "Output", conflicts_with = "format")]
    json: bool,

    /// Sort the table or the CSV by a value, largest first, or by host; - before it turns that round
    #[arg(long, value_name = "NAME", help_heading = "Output", allow_hyphen_values = true)]
    sort: Option<String>,

    /// Show the first N rows of the table or the CSV only
    #[arg(long, value_name = "N", help_heading = "Output", value_parser = clap::value_parser!(u32).range(1..))]
    top: Option<u32>,

    /// Colour the table: auto is on a terminal
    #[arg(
        long,
        value_name = "WHEN",
        help_heading = "Output",
        default_value = "auto",
        hide_default_value = true
    )]
    color: Color,

    /// Make the tag KEY of the inventory a label of the exposition; may be given again
    #[arg(long = "label", value_name = "KEY", help_heading = "Output")]
    labels: Vec<String>,

    /// Put the result of each round into FILE, whole or not at all
    #[arg(short, long, value_name = "FILE", help_heading = "Output")]
    output: Option<PathBuf>,

    /// Send each round to a Pushgateway (.../metrics/job/NAME) or to InfluxDB (.../write?db=NAME)
    #[arg(long, value_name = "URL", help_heading = "Output")]
    push: Option<String>,

    /// Show who pushes by the token in FILE
    #[arg(long, value_name = "FILE", help_heading = "Output", requires = "push")]
    push_token_file: Option<PathBuf>,

    /// End with status 1 when this holds for any host, `cpu_percent>90`, or of the hosts, `unreachable>10%`
    #[arg(long, value_name = "RULE", help_heading = "Output")]
    fail_on: Vec<String>,

    /// Take a sample every TIME, on kept sessions, until stopped
    #[arg(long, value_name = "TIME", help_heading = "Rounds", value_parser = interval)]
    interval: Option<Duration>,

    /// Stop after N samples
    #[arg(long, value_name = "N", help_heading = "Rounds", value_parser = clap::value_parser!(u64).range(1..))]
    samples: Option<u64>,

    /// Redraw the table, every 2s or --interval, until stopped, as far as the terminal has lines
    #[arg(short, long, help_heading = "Rounds", conflicts_with_all = ["format", "json", "output", "push"])]
    watch: bool,

    /// How hosts are reached.
    #[command(flatten)]
    pub ssh: Ssh,

    /// What every tool takes.
    #[command(flatten)]
    pub common: Common,
}

impl AsRef<Common> for Args {
    fn as_ref(&self) -> &Common {
        &self.common
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Shape {
    Table,
    Json,
    Csv,
    Prometheus,
    Influx,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Color {
    Auto,
    Always,
    Never,
}

/// The time between the two readings of the CPU.
const WINDOW: Duration = Duration::from_secs(1);

/// How often the table is redrawn when nothing else is said.
const REDRAW: Duration = Duration::from_secs(2);

/// When samples are taken.
#[derive(Debug, Clone, Copy)]
pub struct Rounds {
    /// The time from the beginning of one to that of the next; `None` for a single one.
    pub interval: Option<Duration>,
    /// How many; `None` until stopped.
    pub count: Option<u64>,
    /// Whether each replaces the one before on the terminal.
    pub redraws: bool,
}

impl Args {
    /// What is asked for.
    #[must_use]
    pub fn wanted(&self) -> Wanted {
        let all = Collector::ALL.map(|(_, one)| one);
        let chosen = if self.metrics.is_empty() { &all[..] } else { &self.metrics };
        let collectors = chosen.iter().copied().collect::<BTreeSet<_>>();
        // The first of several samples must be over when the next one is due.
        let usual = self.rounds().interval.map_or(WINDOW, |interval| WINDOW.min(interval / 2));
        let window = self.cpu_window.unwrap_or(usual);
        let window = if collectors.contains(&Collector::Cpu) { window } else { Duration::ZERO };
        Wanted { collectors, window, commands: self.commands.clone() }
    }

    /// What is asked of a host whose last sample is there; `None` when there is one sample only.
    #[must_use]
    pub fn wanted_next(&self) -> Option<Wanted> {
        self.rounds().interval?;
        Some(Wanted { window: self.cpu_window.unwrap_or_default(), ..self.wanted() })
    }

    /// When samples are taken.
    #[must_use]
    pub fn rounds(&self) -> Rounds {
        match (self.interval, self.watch) {
            (None, false) => Rounds { interval: None, count: Some(1), redraws: false },
            (interval, redraws) => {
                Rounds { interval: Some(interval.unwrap_or(REDRAW)), count: self.samples, redraws }
            }
        }
    }

    /// How results look.
    #[must_use]
    pub fn format(&self) -> Format {
        match self.format {
            _ if self.json => Format::Json,
            Shape::Table => Format::Table,
            Shape::Json => Format::Json,
            Shape::Csv => Format::Csv,
            Shape::Prometheus => Format::Prometheus,
            Shape::Influx => Format::Influx,
        }
    }

    /// What the look depends on; `is_terminal`: whether a person reads the output.
    ///
    /// # Errors
    /// When `--sort` names no column.
    pub fn options(&self, is_terminal: bool) -> Result<report::Options> {
        let is_seen = is_terminal && self.output.is_none();
        let plain = std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty())
            || std::env::var_os("TERM").is_some_and(|term| term == "dumb");
        let terminal = is_seen.then(terminal_size).flatten();
        let options = report::Options {
            wanted: self.wanted(),
            has_rates: self.rounds().interval.is_some(),
            colour: match self.color {
                Color::Always => true,
                Color::Never => false,
                Color::Auto => is_seen && !plain,
            },
            width: terminal.map(|(width, _)| width),
            height: terminal.map(|(_, height)| height).filter(|_| self.watch),
            sort: Sort::parse(self.sort.as_deref().unwrap_or_default()),
            top: self.top.and_then(|top| usize::try_from(top).ok()),
            labels: self.labels.clone(),
        };
        options.sort.check(&options)?;
        Ok(options)
    }

    /// What ends the run with status 1.
    ///
    /// # Errors
    /// When a rule is none, or speaks of a value that there is not.
    pub fn rules(&self) -> Result<Vec<Rule>> {
        let names: Vec<String> = self.commands.iter().map(|(name, _)| name.clone()).collect();
        let wanted = self.wanted().collectors;
        let one = |text: &String| {
            let rule = Rule::parse(text, &names).map_err(|problem| problem.usage())?;
            match rule.metric().filter(|metric| !wanted.contains(&metric.collector)) {
                Some(metric) => Err(tool::usage(format!(
                    "--fail-on '{text}' could never hold: {} is not asked for; add {} to --metrics",
                    metric.name,
                    metric.collector.name()
                ))),
                None => Ok(rule),
            }
        };
        self.fail_on.iter().map(one).collect()
    }

    /// Whether the result tells of hosts that failed already, to the same reader.
    #[must_use]
    pub fn tells_failures(&self) -> bool {
        self.format() == Format::Table && self.output.is_none()
    }

    /// Where the result goes, other than to standard output.
    #[must_use]
    pub fn output(&self) -> Option<&Path> {
        self.output.as_deref()
    }

    /// Where each round is sent, within the time of one host. `--format` tells who takes it where
    /// the URL does not.
    ///
    /// # Errors
    /// When the URL is none, or the token cannot be read.
    pub fn push(&self) -> Result<Option<Push>> {
        let Some(url) = &self.push else { return Ok(None) };
        let taker = match self.format() {
            Format::Prometheus => Some(Taker::Pushgateway),
            Format::Influx => Some(Taker::Influx),
            _ => None,
        };
        let push = Push::parse(url, taker, self.ssh.bounds().total)?;
        match &self.push_token_file {
            Some(path) => push.with_token_file(path).map(Some),
            None => Ok(Some(push)),
        }
    }

    /// Refuses what contradicts itself and clap cannot see.
    ///
    /// # Errors
    /// As it says.
    pub fn check(&self) -> Result<()> {
        if self.samples.is_some() && self.rounds().interval.is_none() {
            return Err(tool::usage("--samples counts rounds; give --interval or --watch too"));
        }
        if self.watch && !std::io::stdout().is_terminal() {
            return Err(tool::usage(
                "--watch redraws a terminal, and standard output is none; use --interval",
            ));
        }
        let mut names: Vec<&str> = self.commands.iter().map(|(name, _)| name.as_str()).collect();
        names.sort_unstable();
        let twice = names.iter().zip(names.iter().skip(1)).find(|(name, next)| name == next);
        if let Some((twice, _)) = twice {
            return Err(tool::usage(format!("--command `{twice}` is given twice")));
        }
        Ok(())
    }
}

/// Columns and lines.
fn terminal_size() -> Option<(usize, usize)> {
    let size = rustix::termios::tcgetwinsize(std::io::stdout()).ok()?;
    (size.ws_col > 0 && size.ws_row > 0).then(|| (size.ws_col.into(), size.ws_row.into()))
}

fn collector(name: &str) -> Collector {
    let found = Collector::ALL.iter().find(|(one, _)| *one == name);
    // clap has refused every other name.
    found.map_or(Collector::Cpu, |(_, collector)| *collector)
}

fn interval(text: &str) -> std::result::Result<Duration, String> {
    match units::duration(text) {
        Ok(Duration::ZERO) => Err("samples without any time between them have no clock; give 1s".into()),
        other => other,
    }
}

/// Nothing needs no unit.
fn window(text: &str) -> std::result::Result<Duration, String> {
    if text == "0" { Ok(Duration::ZERO) } else { units::duration(text) }
}

fn command(text: &str) -> std::result::Result<(String, String), String> {
    let Some((name, command)) = text.split_once('=') else {
        return Err("it is NAME=CMD, such as errors='logcount --json /var/log/app.log'".into());
    };
    let is_name = name.starts_with(|c: char| c.is_ascii_lowercase())
        && name.bytes().all(|byte| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'_'));
    if !is_name {
        return Err(format!("`{name}` is no NAME: it begins with a-z and goes on with a-z, 0-9 and _"));
    }
    if crate::values::is_taken(name) {
        return Err(format!("`{name}` is the name of a value that every host has"));
    }
    if command.trim().is_empty() {
        return Err(format!("`{name}` has no command"));
    }
    Ok((name.to_owned(), command.to_owned()))
}
