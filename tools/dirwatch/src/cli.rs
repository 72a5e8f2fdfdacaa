//! The command line.

use std::ffi::OsString;
use std::path::PathBuf;
use std::time::Duration;

use clap::builder::{PossibleValuesParser, TypedValueParser};
use clap::{ArgGroup, Parser, ValueHint};
use common::cli::Common;
use common::{Result, tool, units};

use crate::identity::Identity;
use crate::ledger::State;
use crate::place;
use crate::plan::{After, Backoff, Batch, Look, Order, Plan, Question, Watch, Where, Work};
use crate::select::Which;
use crate::template::Template;

/// The most files one command gets where only a time is given: their paths must fit its arguments.
const LARGEST_BATCH: usize = 1_000;

/// Run a command for each new file in a directory, once
#[derive(Parser, Debug)]
#[command(
    name = "dirwatch",
    version,
    override_usage = "dirwatch [OPTIONS] DIR... -- COMMAND [{}]\n       dirwatch [OPTIONS] DIR... --events\n       dirwatch --list|--status|--retry PATTERN|... DIR..."
)]
#[command(group = ArgGroup::new("looks").args(["list", "status", "retry", "forget", "prune", "verify"]))]
#[allow(clippy::struct_excessive_bools, reason = "each is a flag of its own on the command line")]
pub struct Args {
    /// The directories to watch
    #[arg(value_name = "DIR", value_hint = ValueHint::DirPath)]
    dirs: Vec<PathBuf>,

    /// The command for each file; {} is its path, also {name} {dir} {stem} {ext} {hash}
    #[arg(value_name = "COMMAND", last = true, value_hint = ValueHint::CommandWithArguments, conflicts_with_all = ["events", "looks"])]
    command: Vec<OsString>,

    /// Print a JSON object for each file instead of running a command
    #[arg(long)]
    events: bool,

    /// Give many files to one command: at most N, or those that come within DUR of the first
    #[arg(long, value_name = "N|DUR", value_parser = batch, conflicts_with_all = ["events", "looks"])]
    batch: Vec<Batch>,

    /// Give the content to the command on its standard input
    #[arg(long, conflicts_with_all = ["batch", "events", "looks"])]
    stdin: bool,

    /// Run up to N commands at the same time
    #[arg(short, long, value_name = "N", default_value = "1", value_parser = clap::value_parser!(u16).range(1..=1024))]
    jobs: u16,

    /// Which file is next: arrival, name or time
    #[arg(long, value_name = "ORDER", default_value = "arrival", hide_possible_values = true,
        value_parser = PossibleValuesParser::new(["arrival", "name", "time"]).map(|name| order(&name)))]
    order: Order,

    /// Process what is there, and end: for cron
    #[arg(long, conflicts_with = "looks")]
    once: bool,

    /// Leave what is there at the first start
    #[arg(long, conflicts_with = "looks")]
    new_only: bool,

    /// Also watch the directories below, DEPTH levels deep (all unless given)
    #[arg(short, long, value_name = "DEPTH", num_args = 0..=1, require_equals = true,
        default_missing_value = "4294967295", help_heading = "Which files")]
    recursive: Option<u32>,

    /// Only names or paths that match GLOB
    #[arg(long, value_name = "GLOB", help_heading = "Which files")]
    include: Vec<String>,

    /// No names, paths or directories that match GLOB
    #[arg(long, value_name = "GLOB", help_heading = "Which files")]
    exclude: Vec<String>,

    /// Only files of this size and larger
    #[arg(long, value_name = "SIZE", help_heading = "Which files", value_parser = units::size)]
    min_size: Option<u64>,

    /// Also hidden names and those of half-written files (*.part *.tmp *.filepart *~)
    #[arg(long, help_heading = "Which files")]
    all_names: bool,

    /// Wait for a marker beside the file, such as a.csv.ok for a.csv
    #[arg(long, value_name = "SUFFIX", help_heading = "Which files")]
    done_suffix: Option<OsString>,

    /// Follow symbolic links
    #[arg(short = 'L', long, help_heading = "Which files")]
    follow: bool,

    /// How long a file must have been quiet: 0s where leases tell about its writers, 2s elsewhere
    #[arg(long, value_name = "DUR", help_heading = "When", value_parser = units::duration)]
    settle: Option<Duration>,

    /// Look at everything again this often
    #[arg(long, value_name = "DUR", default_value = "30s", help_heading = "When", value_parser = units::duration)]
    rescan: Duration,

    /// Where is recorded what was processed (unless given, a file below `$XDG_STATE_HOME`)
    #[arg(long, value_name = "FILE", help_heading = "Once")]
    state: Option<PathBuf>,

    /// What makes two files the same one: version, content or path
    #[arg(long, value_name = "WHAT", default_value = "version", hide_possible_values = true, help_heading = "Once",
        value_parser = PossibleValuesParser::new(["version", "content", "path"]).map(|name| identity(&name)))]
    identity: Identity,

    /// What happens after a crash to a file whose command ran: retry or quarantine
    #[arg(long, value_name = "WHAT", default_value = "retry", hide_possible_values = true, help_heading = "Once",
        value_parser = PossibleValuesParser::new(["retry", "quarantine"]))]
    on_interrupted: String,

    /// How safe a start is recorded: normal (from a kill) or strict (also from a power failure)
    #[arg(long, value_name = "HOW", default_value = "normal", hide_possible_values = true, help_heading = "Once",
        value_parser = PossibleValuesParser::new(["normal", "strict"]))]
    durability: String,

    /// Try a file again N times
    #[arg(long, value_name = "N", default_value = "3", help_heading = "Failures")]
    retries: u32,

    /// How long is waited before that: twice as long each time, from MIN to MAX
    #[arg(long, value_name = "MIN..MAX", default_value = "1s..5m", help_heading = "Failures", value_parser = backoff)]
    backoff: Backoff,

    /// How long a command may run before all its processes are ended; 0s is for ever
    #[arg(long, value_name = "DUR", default_value = "1h", help_heading = "Failures", value_parser = units::duration)]
    timeout: Duration,

    /// Move a file there whose command failed for the last time, with a .why.json
    #[arg(long, value_name = "DIR", help_heading = "Failures", value_hint = ValueHint::DirPath, conflicts_with = "looks")]
    failed_dir: Option<PathBuf>,

    /// Move a file there whose command succeeded
    #[arg(long, value_name = "DIR", help_heading = "Afterwards", value_hint = ValueHint::DirPath, conflicts_with = "looks")]
    done_dir: Option<PathBuf>,

    /// Delete a file whose command succeeded
    #[arg(long, help_heading = "Afterwards", conflicts_with_all = ["done_dir", "looks"])]
    delete: bool,

    /// How long running commands may go on after SIGTERM
    #[arg(long, value_name = "DUR", default_value = "30s", help_heading = "As a service", value_parser = units::duration)]
    grace: Duration,

    /// Keep the numbers for Prometheus in FILE
    #[arg(long, value_name = "FILE", help_heading = "As a service", conflicts_with = "looks")]
    metrics: Option<PathBuf>,

    /// List what is recorded, of one STATE or all
    #[arg(long, value_name = "STATE", num_args = 0..=1, require_equals = true, help_heading = "Looking",
        value_parser = PossibleValuesParser::new(State::ALL.map(State::word)).map(|word| state(&word)))]
    #[allow(clippy::option_option, reason = "the flag, and what may follow it")]
    list: Option<Option<State>>,

    /// Say how many files are in which state, and who watches
    #[arg(long, help_heading = "Looking")]
    status: bool,

    /// Take those again that failed, whose name or path matches
    #[arg(long, value_name = "PATTERN", help_heading = "Looking")]
    retry: Option<String>,

    /// Know nothing more of those whose name or path matches
    #[arg(long, value_name = "PATTERN", help_heading = "Looking")]
    forget: Option<String>,

    /// Know nothing more of those that are gone, and were dealt with longer ago than AGE
    #[arg(long, value_name = "AGE", help_heading = "Looking", value_parser = units::duration)]
    prune: Option<Duration>,

    /// Compare the record with itself and with the directories
    #[arg(long, help_heading = "Looking")]
    verify: bool,

    /// Print --list, --status and --verify as JSON Lines
    #[arg(long, help_heading = "Looking", requires = "looks")]
    json: bool,

    /// The flags of every tool.
    #[command(flatten)]
    common: Common,
}

impl AsRef<Common> for Args {
    fn as_ref(&self) -> &Common {
        &self.common
    }
}

impl Args {
    /// The arguments as a plan, with everything parsed and checked that needs no directory.
    ///
    /// # Errors
    /// A sentence about what does not go together.
    pub fn plan(&self) -> Result<Plan> {
        if let Some(question) = self.question() {
            let state = place::ledger_of(self.state.as_deref(), &self.dirs)?;
            return Ok(Plan::Look(Look { state, question, json: self.json }));
        }
        if self.dirs.is_empty() {
            return Err(tool::usage("no directory is given; see `dirwatch --help`"));
        }
        if self.command.is_empty() && !self.events {
            return Err(tool::usage(
                "no command is given; write it behind `--`, as in `dirwatch in -- process {}`, or use --events",
            ));
        }
        let (work, place) = (self.work()?, self.place()?);
        let state = place::ledger_of(self.state.as_deref(), &self.dirs)?;
        if self.state.is_some() {
            place::has_folder(&state)?;
        }
        let metrics = self.metrics.as_deref().map(place::absolute).transpose()?;
        Ok(Plan::Watch(Box::new(Watch { place, work, state, metrics })))
    }

    fn question(&self) -> Option<Question> {
        if let Some(state) = self.list {
            return Some(Question::List(state));
        }
        if self.status {
            return Some(Question::Status);
        }
        if self.verify {
            return Some(Question::Verify);
        }
        let retry = self.retry.clone().map(Question::Retry);
        let forget = self.forget.clone().map(Question::Forget);
        retry.or(forget).or(self.prune.map(Question::Prune))
    }

    fn place(&self) -> Result<Where> {
        let roots = place::roots(&self.dirs, self.recursive.is_some())?;
        let outside = [&self.failed_dir, &self.done_dir];
        let outside = outside.into_iter().flatten().map(|dir| place::outside(dir, &roots));
        let outside: Result<Vec<_>> = outside.collect();
        let marker = self.done_suffix.clone();
        Ok(Where {
            roots,
            depth: self.recursive.unwrap_or(0),
            follow: self.follow,
            outside: outside?,
            own_files: Vec::new(),
            which: Which::new(
                &self.include,
                &self.exclude,
                self.all_names,
                self.min_size.unwrap_or(0),
                marker,
            )
            .map_err(tool::usage)?,
            rescan: self.rescan.max(Duration::from_millis(100)),
            once: self.once,
            identity: self.identity,
        })
    }

    fn work(&self) -> Result<Work> {
        let after = match &self.done_dir {
            Some(dir) => After::Move(place::absolute(dir)?),
            None if self.delete => After::Delete,
            None => After::Keep,
        };
        let batch = Batch::of(&self.batch);
        let command = match self.command.as_slice() {
            [] => None,
            command => Some(Template::parse(command, batch.is_some()).map_err(tool::usage)?),
        };
        Ok(Work {
            command,
            stdin: self.stdin,
            jobs: self.jobs.into(),
            batch,
            order: self.order,
            timeout: Some(self.timeout).filter(|timeout| !timeout.is_zero()),
            retries: self.retries,
            backoff: self.backoff,
            after,
            failed_dir: self.failed_dir.as_deref().map(place::absolute).transpose()?,
            settle: self.settle,
            new_only: self.new_only,
            quarantine: self.on_interrupted == "quarantine",
            grace: self.grace,
            strict: self.durability == "strict",
        })
    }
}

impl Batch {
    /// What several `--batch` say together: the last number and the last time.
    fn of(given: &[Self]) -> Option<Self> {
        let last = given.last()?;
        let most =
            given.iter().rev().find(|batch| batch.wait.is_zero()).map_or(last.most, |batch| batch.most);
        let wait =
            given.iter().rev().find(|batch| !batch.wait.is_zero()).map_or(last.wait, |batch| batch.wait);
        Some(Self { most, wait })
    }
}

fn batch(text: &str) -> std::result::Result<Batch, String> {
    if let Ok(most) = text.parse() {
        return match most {
            1..=LARGEST_BATCH => Ok(Batch { most, wait: Duration::ZERO }),
            _ => Err(format!("a batch has 1 to {LARGEST_BATCH} files")),
        };
    }
    let wait = units::duration(text)
        .map_err(|_| format!("`{text}` is neither a number of files nor a duration such as 5s"))?;
    if wait.is_zero() {
        return Err("a batch that waits for nothing is none".into());
    }
    Ok(Batch { most: LARGEST_BATCH, wait })
}

fn backoff(text: &str) -> std::result::Result<Backoff, String> {
    let (first, most) = text.split_once("..").unwrap_or((text, text));
    let (first, most) = (units::duration(first)?, units::duration(most)?);
    if first > most {
        return Err(format!("`{text}` ends before it begins"));
    }
    Ok(Backoff { first, most })
}

fn order(name: &str) -> Order {
    match name {
        "name" => Order::Name,
        "time" => Order::Time,
        _ => Order::Arrival,
    }
}

fn identity(name: &str) -> Identity {
    match name {
        "content" => Identity::Content,
        "path" => Identity::Path,
        _ => Identity::Version,
    }
}

fn state(word: &str) -> State {
    State::ALL.into_iter().find(|state| state.word() == word).unwrap_or(State::Done)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_batch_is_a_number_a_time_or_both() {
        let check = |given: &[&str], most: usize, wait_s: u64| {
            let given: Vec<Batch> = given.iter().map(|text| batch(text).unwrap()).collect();
            assert_eq!(Batch::of(&given), Some(Batch { most, wait: Duration::from_secs(wait_s) }));
        };
        check(&["7"], 7, 0);
        check(&["5s"], 1_000, 5);
        check(&["5s", "7"], 7, 5);
        check(&["7", "5s"], 7, 5);
        assert_eq!(Batch::of(&[]), None);
        for bad in ["0", "1001", "0s", "x"] {
            assert!(batch(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn a_backoff_has_two_ends_or_one() {
        let of = |first, most| Backoff { first: Duration::from_secs(first), most: Duration::from_secs(most) };
        assert_eq!(backoff("1s..5m"), Ok(of(1, 300)));
        assert_eq!(backoff("2s"), Ok(of(2, 2)));
        assert!(backoff("5m..1s").is_err() && backoff("1..2").is_err());
    }
}
