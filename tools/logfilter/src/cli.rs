//! The command line.

use std::path::{Path, PathBuf};
use std::time::Duration;

use clap::builder::{PossibleValuesParser, TypedValueParser};
use clap::{Parser, ValueEnum, ValueHint};
use common::cli::Common;
use common::{Result, tool, units};
use logs::Level;
use logs::clock::{Time, Zone};
use logs::fields::Keys;
use logs::rules::{self, Format, Rules};
use logs::when;
use regex::bytes::{Regex, RegexBuilder};

use crate::emit::Form;
use crate::filter::Filter;
use crate::lane::Job;
use crate::seek::Sizes;
use crate::select::Levels;

/// Keep log records by level and by time
#[derive(Parser, Debug)]
#[command(name = "logfilter", version)]
#[allow(clippy::struct_excessive_bools, reason = "each is a flag of its own on the command line")]
pub struct Args {
    /// Logs to read, plain or packed; `-` or none is standard input
    #[arg(value_name = "FILE")]
    files: Vec<PathBuf>,

    /// One more FILE
    #[arg(short, long, value_name = "FILE")]
    input: Vec<PathBuf>,

    /// Put the result into FILE, whole or not at all
    #[arg(short, long, value_name = "FILE")]
    output: Option<PathBuf>,

    /// Keep these levels: WARNING (and above), =INFO, DEBUG..INFO, or a list of these
    #[arg(short, long, value_name = "LEVELS", value_hint = ValueHint::Other)]
    level: Option<Levels>,

    /// Keep records from TIME on: 2026-03-01, '2026-03-01 10:30', 10:30, yesterday, -2h, @1741944413
    #[arg(short, long, visible_alias = "since", value_name = "TIME", value_hint = ValueHint::Other, allow_hyphen_values = true)]
    start_date: Option<String>,

    /// Keep records until TIME, included as far as it is told: 2026-03-01 is the whole day
    #[arg(short, long, visible_alias = "until", value_name = "TIME", value_hint = ValueHint::Other, allow_hyphen_values = true)]
    end_date: Option<String>,

    /// Keep records that match REGEX, trace and all; ^ and $ are the ends of each line
    #[arg(short = 'm', long = "match", value_name = "REGEX", value_hint = ValueHint::Other, value_parser = pattern)]
    pattern: Option<Regex>,

    /// Keep what would be dropped, and drop the rest
    #[arg(long)]
    not: bool,

    /// Print the number of records instead of the records
    #[arg(short, long)]
    count: bool,

    /// Stop after N records
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..))]
    max: Option<u64>,

    /// What becomes of records without a level: with --level they are dropped, else kept
    #[arg(long, value_name = "WHAT")]
    unknown: Option<Unknown>,

    /// Join all inputs into one stream in the order of time
    #[arg(long)]
    merge: bool,

    /// Write the name of its input before each line
    #[arg(long, conflicts_with = "count")]
    with_name: bool,

    /// Colour the levels: auto is on a terminal
    #[arg(long, value_name = "WHEN", default_value = "auto", hide_default_value = true)]
    color: Color,

    /// The zone of times that tell none: UTC, local, +02:00, Europe/Berlin
    #[arg(long, value_name = "ZONE", help_heading = "Reading", default_value = "local", value_parser = Zone::parse, allow_hyphen_values = true)]
    tz: Zone,

    /// The year of the first record, for logs whose times tell none
    #[arg(long, value_name = "YEAR", help_heading = "Reading", value_parser = clap::value_parser!(i32).range(1970..=2261))]
    year: Option<i32>,

    /// How far a sorted file may be out of order
    #[arg(long, value_name = "TIME", value_hint = ValueHint::Other, default_value = "60s", help_heading = "Reading", value_parser = units::duration)]
    slack: Duration,

    /// Read whole files, also sorted ones of which a part would do
    #[arg(long, help_heading = "Reading")]
    scan: bool,

    /// What the lines are; auto tells them apart
    #[arg(
        long,
        value_name = "FORMAT",
        help_heading = "Reading",
        default_value = "auto",
        hide_default_value = true,
        value_parser = PossibleValuesParser::new(Format::NAMED.map(|(name, _)| name)).map(|name| Format::of_name(&name))
    )]
    input_format: Format,

    /// The field with the level, in JSON and logfmt; may be given again
    #[arg(long, value_name = "NAME", help_heading = "Reading")]
    level_key: Vec<String>,

    /// Take the level from the one capture of REGEX; a line that matches begins a record
    #[arg(long, value_name = "REGEX", value_hint = ValueHint::Other, help_heading = "Reading", value_parser = rules::pattern)]
    level_pattern: Option<Regex>,

    /// Read WORD as this level; may be given again
    #[arg(long, value_name = "WORD=LEVEL", help_heading = "Reading", value_parser = rules::own_word)]
    map: Vec<(Vec<u8>, Level)>,

    /// What every tool takes.
    #[command(flatten)]
    pub common: Common,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Unknown {
    Keep,
    Drop,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Color {
    Auto,
    Always,
    Never,
}

impl AsRef<Common> for Args {
    fn as_ref(&self) -> &Common {
        &self.common
    }
}

impl Args {
    /// The inputs in their order, operands first.
    #[must_use]
    pub fn inputs(&self) -> Vec<&Path> {
        let named: Vec<_> = self.files.iter().chain(&self.input).map(PathBuf::as_path).collect();
        if named.is_empty() { vec![Path::new("-")] } else { named }
    }

    /// Where the result is put; none is standard output.
    #[must_use]
    pub fn output(&self) -> Option<&Path> {
        self.output.as_deref()
    }

    /// How the result is written to an output that is a terminal, or is not.
    #[must_use]
    pub fn form(&self, is_terminal: bool) -> Form {
        let colour = match self.color {
            Color::Always => true,
            Color::Never => false,
            Color::Auto => self.output.is_none() && wants_colour(is_terminal, |name| std::env::var_os(name)),
        };
        Form { count: self.count, colour, max: self.max, named: self.with_name }
    }

    /// What is to be done with each input.
    ///
    /// # Errors
    /// When a time cannot be read, or the start lies after the end.
    pub fn job(&self) -> Result<Job> {
        let span = self.span(Time::now())?;
        let rules = Rules {
            format: self.input_format,
            keys: Keys {
                level: self.level_key.iter().map(|name| name.clone().into_bytes()).collect(),
                words: self.map.clone(),
            },
            pattern: self.level_pattern.clone(),
            want_time: span.is_some() || self.merge,
        };
        let keep_unknown = self.unknown.map_or(self.level.is_none(), |unknown| unknown == Unknown::Keep);
        let pattern = self.pattern.clone();
        let filter = Filter { levels: self.level, keep_unknown, span, pattern, inverted: self.not };
        Ok(Job {
            rules,
            filter,
            zone: self.tz,
            year: self.year,
            slack: self.slack,
            scan: self.scan,
            merge: self.merge,
            sizes: Sizes::default(),
        })
    }

    fn span(&self, now: Time) -> Result<Option<(Time, Time)>> {
        let read = |flags: [&'static str; 2], text: &Option<String>| {
            let span = text.as_ref().map(|text| when::parse(text, now, self.tz));
            let wrong = |problem| tool::usage(format!("{}: {problem}", typed(flags)));
            span.transpose().map_err(wrong)
        };
        let start = read(["--start-date", "--since"], &self.start_date)?.map(|span| span.first);
        let end = read(["--end-date", "--until"], &self.end_date)?.map(|span| span.last);
        match (start, end) {
            (None, None) => Ok(None),
            (Some(start), Some(end)) if start > end => {
                Err(tool::usage(format!("the start, {start}, lies after the end, {end}")))
            }
            _ => Ok(Some((start.unwrap_or(Time::MIN), end.unwrap_or(Time::MAX)))),
        }
    }
}

/// Which name of an option was typed, which clap does not tell.
fn typed([name, alias]: [&'static str; 2]) -> &'static str {
    let is_alias = |arg: std::ffi::OsString| arg.as_encoded_bytes().starts_with(alias.as_bytes());
    if std::env::args_os().any(is_alias) { alias } else { name }
}

/// Whether colours are wanted where the flag leaves it open (no-color.org, bixense.com/clicolors).
fn wants_colour(is_terminal: bool, env: impl Fn(&str) -> Option<std::ffi::OsString>) -> bool {
    let is_set = |name| env(name).is_some_and(|value| !value.is_empty());
    if is_set("NO_COLOR") {
        return false;
    }
    let forced = env("CLICOLOR_FORCE").is_some_and(|value| !value.is_empty() && value != "0");
    forced || (is_terminal && env("TERM").is_some_and(|term| term != "dumb"))
}

/// A pattern for records, which have several lines and may end in CRLF.
fn pattern(text: &str) -> std::result::Result<Regex, String> {
    RegexBuilder::new(text).multi_line(true).crlf(true).build().map_err(|error| rules::refused(text, &error))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn colours_are_for_terminals_unless_told_otherwise() {
        let check = |is_terminal: bool, vars: &[(&str, &str)], want: bool| {
            let env = |name: &str| vars.iter().find(|(var, _)| *var == name).map(|(_, value)| value.into());
            assert_eq!(wants_colour(is_terminal, env), want, "{is_terminal} {vars:?}");
        };
        check(true, &[("TERM", "xterm")], true);
        check(false, &[("TERM", "xterm")], false);
        check(true, &[("TERM", "dumb")], false);
        check(true, &[("TERM", "xterm"), ("NO_COLOR", "1")], false);
        check(true, &[("TERM", "xterm"), ("NO_COLOR", "")], true);
        check(false, &[("CLICOLOR_FORCE", "1")], true);
        check(false, &[("CLICOLOR_FORCE", "0")], false);
        check(false, &[("CLICOLOR_FORCE", "1"), ("NO_COLOR", "1")], false);
    }
}
