//! The command line.

use std::path::PathBuf;
use std::time::Duration;

use clap::Parser;
use clap::builder::{PossibleValuesParser, TypedValueParser};
use common::cli::Common;
use common::{Result, tool, units};
use logs::Level;
use logs::clock::Zone;
use logs::fields::Keys;
use logs::rules::{self, Format, Rules};
use regex::bytes::Regex;

use crate::plan::{By, Colour, Form, Plan, Remember, Task, Threshold};
use crate::walk::Walk;

/// Count log records by level
#[derive(Parser, Debug)]
#[command(name = "logcount", version)]
#[allow(clippy::struct_excessive_bools, reason = "each is a flag of its own on the command line")]
pub struct Args {
    /// Logs to count, `-` for standard input, which is also the default
    #[arg(value_name = "FILE")]
    files: Vec<PathBuf>,

    /// Count the words as the log spells them, not the levels they mean
    #[arg(long)]
    raw: bool,

    /// Also count the lines of the records: stack traces belong to theirs
    #[arg(long)]
    lines: bool,

    /// Count in groups: by file, or by the time of the records
    #[arg(long, value_name = "GROUP", value_parser = PossibleValuesParser::new(By::NAMES).map(|name| By::named(&name)))]
    by: Option<By>,

    /// How the counts are printed
    #[arg(
        long,
        value_name = "FORMAT",
        default_value = "text",
        value_parser = PossibleValuesParser::new(Form::NAMES).map(|name| Form::named(&name))
    )]
    format: Form,

    /// Short for --format json
    #[arg(long, conflicts_with = "format")]
    json: bool,

    /// Replace FILE with the counts, whole or not at all, instead of printing them
    #[arg(short, long, value_name = "FILE")]
    output: Option<PathBuf>,

    /// Colours in the table
    #[arg(
        long,
        value_name = "WHEN",
        default_value = "auto",
        value_parser = PossibleValuesParser::new(Colour::NAMES).map(|name| Colour::named(&name))
    )]
    color: Colour,

    /// End with status 1 when N records (1 unless given) are at or above LEVEL
    #[arg(long, value_name = "LEVEL[=N]", value_parser = threshold)]
    fail_on: Option<Threshold>,

    /// What kind of lines the logs hold
    #[arg(
        long,
        value_name = "NAME",
        default_value = "auto",
        help_heading = "Reading",
        value_parser = PossibleValuesParser::new(Format::NAMED.map(|(name, _)| name)).map(|name| Format::of_name(&name))
    )]
    input_format: Format,

    /// The field of JSON and logfmt records that carries the level; may be given more than once
    #[arg(long, value_name = "KEY", help_heading = "Reading")]
    level_key: Vec<String>,

    /// The level is what the one capture of REGEX matches
    #[arg(long, value_name = "REGEX", help_heading = "Reading", value_parser = rules::pattern)]
    level_pattern: Option<Regex>,

    /// Count WORD as LEVEL; may be given more than once
    #[arg(long, value_name = "WORD=LEVEL", help_heading = "Reading", value_parser = rules::own_word)]
    map: Vec<(Vec<u8>, Level)>,

    /// Show which rule found the level of the first N records (20 unless given), and count nothing
    #[arg(
        long,
        value_name = "N",
        num_args = 0..=1,
        require_equals = true,
        default_missing_value = "20",
        help_heading = "Reading",
        conflicts_with_all = ["raw", "lines", "by", "fail_on", "state", "follow"]
    )]
    explain: Option<u64>,

    /// The zone of stamps without one, and of the groups: UTC, local, +02:00, Europe/Berlin
    #[arg(long, value_name = "ZONE", help_heading = "Reading", value_parser = Zone::parse)]
    tz: Option<Zone>,

    /// The year of the first record, for stamps without one
    #[arg(long, value_name = "YEAR", help_heading = "Reading", value_parser = clap::value_parser!(i32).range(1970..=2261))]
    year: Option<i32>,

    /// Count the files in directories, and in the directories below
    #[arg(short, long, help_heading = "Files")]
    recursive: bool,

    /// Of those files, only the ones whose name matches; may be given more than once
    #[arg(long, value_name = "PATTERN", help_heading = "Files", requires = "recursive")]
    glob: Vec<String>,

    /// Count in so many threads; without it as many as there are processors
    #[arg(short, long, value_name = "N", help_heading = "Files", value_parser = clap::value_parser!(u16).range(1..=1024))]
    jobs: Option<u16>,

    /// Count only what was appended since the run that wrote FILE, and remember how far this one came
    #[arg(long, value_name = "FILE", help_heading = "Unattended")]
    state: Option<PathBuf>,

    /// How long to wait for another run that uses the same state
    #[arg(long, value_name = "TIME", default_value = "5s", help_heading = "Unattended", requires = "state", value_parser = units::duration)]
    lock_timeout: Duration,

    /// Go on counting what is appended, until SIGTERM or Ctrl-C
    #[arg(short, long, help_heading = "Unattended", conflicts_with = "fail_on")]
    follow: bool,

    /// How often --follow prints what is new
    #[arg(long, value_name = "TIME", default_value = "10s", help_heading = "Unattended", requires = "follow", value_parser = pause)]
    interval: Duration,

    /// What every tool takes.
    #[command(flatten)]
    common: Common,
}

impl AsRef<Common> for Args {
    fn as_ref(&self) -> &Common {
        &self.common
    }
}

impl Args {
    /// The run that is asked for.
    ///
    /// # Errors
    /// When flags contradict each other in a way that clap does not see.
    pub(crate) fn plan(&self) -> Result<Plan> {
        let by = self.by.unwrap_or(By::Nothing);
        let form = if self.json { Form::Json } else { self.format };
        self.consistent(by, form)?;
        let mut files = self.files.clone();
        if files.is_empty() {
            files.push("-".into());
        }
        let skip = self.state.iter().chain(&self.output).cloned().collect();
        let task = match (self.explain, self.follow) {
            (Some(count), _) => Task::Explain(count),
            (None, true) => Task::Follow(self.interval),
            (None, false) => Task::Count,
        };
        Ok(Plan {
            files,
            walk: self.recursive.then(|| Walk::new(&self.glob, skip)).transpose()?,
            rules: self.rules(by),
            zone: self.tz.unwrap_or(Zone::Local),
            year: self.year,
            by,
            raw: self.raw,
            lines: self.lines,
            form,
            output: self.output.clone(),
            colour: self.color,
            fail_on: self.fail_on,
            jobs: self.jobs.map(usize::from),
            task,
            state: self.state.clone().map(|file| Remember { file, patience: self.lock_timeout }),
        })
    }

    fn rules(&self, by: By) -> Rules {
        Rules {
            format: self.input_format,
            keys: Keys {
                level: self.level_key.iter().map(|key| key.clone().into_bytes()).collect(),
                words: self.map.clone(),
            },
            pattern: self.level_pattern.clone(),
            want_time: by.is_time(),
        }
    }

    fn consistent(&self, by: By, form: Form) -> Result<()> {
        let prometheus = form == Form::Prometheus;
        let stdin = self.files.is_empty() || self.files.iter().any(|file| file.as_os_str() == "-");
        let wrong = [
            (
                stdin && self.state.is_some(),
                "cannot use --state with standard input, which has no place to go on from; name the FILE",
            ),
            (
                stdin && self.follow && self.files.len() > 1,
                "cannot follow standard input beside other files; give one or the other",
            ),
            (
                prometheus && by.is_time(),
                "cannot group by time for Prometheus, which gives every sample its own time; use --by file",
            ),
            (
                prometheus && self.raw && (self.state.is_some() || self.follow),
                "cannot keep counters of --raw words; leave out --raw or --state",
            ),
            (prometheus && self.explain.is_some(), "cannot explain to Prometheus; use text, json or csv"),
            (
                self.follow && prometheus != self.output.is_some(),
                "cannot follow into this output; use --format prometheus with --output FILE, or neither",
            ),
            (
                self.tz.is_some() && !by.is_time() && !self.follow,
                "cannot use --tz without --by minute, hour or day: nothing else looks at times",
            ),
            (
                self.year.is_some() && !by.is_time(),
                "cannot use --year without --by minute, hour or day: nothing else looks at times",
            ),
            (
                self.year.is_some() && (self.state.is_some() || self.follow),
                "cannot use --year with --state or --follow: new records have the year they are written in",
            ),
        ];
        match wrong.into_iter().find(|(is_wrong, _)| *is_wrong) {
            Some((_, problem)) => Err(tool::usage(problem)),
            None => Ok(()),
        }
    }
}

/// The run that a command line asks for; its file is `x`.
#[cfg(test)]
pub(crate) fn planned(flags: &str) -> Plan {
    Args::parse_from(format!("logcount {flags} x").split_whitespace()).plan().unwrap()
}

/// Without any pause the rounds would take a whole processor, and print nothing but zeros.
fn pause(text: &str) -> std::result::Result<Duration, String> {
    let pause = units::duration(text)?;
    if pause.is_zero() { Err("it must be longer than 0s".into()) } else { Ok(pause) }
}

fn threshold(text: &str) -> std::result::Result<Threshold, String> {
    let (level, count) = text.split_once('=').unwrap_or((text, "1"));
    let count = count.parse().ok().filter(|count| *count > 0);
    let count = count.ok_or_else(|| format!("`{text}` has no number above 0 behind the `=`"))?;
    Ok(Threshold { level: level.parse()?, count })
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory;

    #[test]
    fn clap_finds_no_contradiction() {
        Args::command().debug_assert();
    }

    #[test]
    fn what_cannot_be_done_is_said_at_once() {
        let check = |line: &str, want: &str| {
            let args = Args::try_parse_from(line.split(' ')).map_err(|error| error.to_string());
            let said = args.and_then(|args| args.plan().map_err(|error| error.to_string()));
            let said = said.err().unwrap_or_default();
            assert!(said.contains(want) && said.is_empty() == want.is_empty(), "{line}: {said}");
        };
        check("logcount", "");
        check("logcount --state s -", "--state with standard input");
        check("logcount --state s", "--state with standard input");
        check("logcount --follow - x", "beside other files");
        check("logcount --by day --format prometheus x", "cannot group by time");
        check("logcount --raw --state s --format prometheus x", "counters of --raw words");
        check("logcount --explain --format prometheus x", "cannot explain");
        check("logcount --follow --format prometheus x", "cannot follow into this output");
        check("logcount --follow -o y x", "cannot follow into this output");
        check("logcount --follow --format prometheus -o y x", "");
        check("logcount --year 2025 x", "cannot use --year");
        check("logcount --tz UTC x", "cannot use --tz");
        check("logcount --year 2025 --by day --state s x", "cannot use --year with --state");
        check("logcount --year 2025 --by day x", "");
        check("logcount --glob *.log x", "--recursive");
        check("logcount --interval 5s x", "--follow");
        check("logcount --follow --interval 0s x", "longer than 0s");
        check("logcount --follow --interval 5 x", "is no duration");
        check("logcount --lock-timeout 5s x", "--state");
        check("logcount --level-pattern INFO x", "it has 0 captures");
        check("logcount --level-pattern (a)(b) x", "it has 2 captures");
        check("logcount --level-pattern (a x", "unclosed group");
        check("logcount --map X x", "WORD=LEVEL");
        check("logcount --map X=LOUD x", "is no level");
        check("logcount --fail-on ERROR=0 x", "no number above 0");
        check("logcount --fail-on ERROR=10 x", "");
        check("logcount --explain --by day x", "cannot be used with");
        check("logcount --json --format csv x", "cannot be used with");
    }
}
