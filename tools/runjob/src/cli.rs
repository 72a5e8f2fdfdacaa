//! The command line.

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::time::Duration;

use clap::{Parser, ValueHint};
use common::cli::Common;
use common::{Result, output, units};

use crate::surroundings::creds;

/// Run a command from cron or a timer as it should be run
#[derive(Parser, Debug)]
#[command(name = "runjob", version)]
pub struct Args {
    /// The command, and its arguments as they are
    #[arg(value_name = "COMMAND", required = true, trailing_var_arg = true, value_hint = ValueHint::CommandWithArguments)]
    pub(crate) command: Vec<OsString>,

    /// What it is called in reports [default: the name of COMMAND's file]
    #[arg(long, value_name = "NAME")]
    pub(crate) name: Option<String>,

    /// What it finds.
    #[command(flatten)]
    pub(crate) surroundings: Surroundings,

    /// Never two at once: NAME, or the path of a file
    #[arg(short, long, value_name = "NAME|FILE", help_heading = "Lock")]
    pub(crate) lock: Option<OsString>,

    /// Wait so long for the lock [default: not at all]
    #[arg(short, long, value_name = "TIME", help_heading = "Lock", requires = "lock", value_parser = units::duration)]
    pub(crate) wait: Option<Duration>,

    /// How long it may take.
    #[command(flatten)]
    pub(crate) time: Time,

    /// What follows a failure.
    #[command(flatten)]
    pub(crate) again: Again,

    /// What becomes of its output.
    #[command(flatten)]
    pub(crate) output: Output,

    /// Who is told.
    #[command(flatten)]
    pub(crate) reports: Reports,

    /// What every tool takes.
    #[command(flatten)]
    pub common: Common,
}

/// What COMMAND finds when it begins.
#[derive(clap::Args, Debug)]
pub(crate) struct Surroundings {
    /// Set a variable; may be given again
    #[arg(short, long = "env", value_name = "KEY=VALUE", help_heading = "Environment")]
    pub(crate) env: Vec<OsString>,

    /// Set variables by the lines KEY=VALUE of FILE; may be given again
    #[arg(long, value_name = "FILE", help_heading = "Environment")]
    pub(crate) env_file: Vec<PathBuf>,

    /// Refuse to run without this variable; may be given again
    #[arg(long, value_name = "KEY", help_heading = "Environment")]
    pub(crate) require_env: Vec<String>,

    /// Begin with an empty environment
    #[arg(long, help_heading = "Environment")]
    pub(crate) clean_env: bool,

    /// But for this variable; may be given again
    #[arg(long, value_name = "KEY", help_heading = "Environment", requires = "clean_env")]
    pub(crate) keep_env: Vec<String>,

    /// Hand over a secret: in a file NAME for it alone, or on descriptor N; may be given again
    #[arg(long, value_name = "NAME=FILE|@N=FILE", help_heading = "Environment")]
    pub(crate) cred: Vec<OsString>,

    /// Run it in this folder
    #[arg(long, value_name = "DIR", help_heading = "Environment", value_hint = ValueHint::DirPath)]
    pub(crate) chdir: Option<PathBuf>,

    /// Its file mode creation mask, such as 077
    #[arg(long, value_name = "MODE", help_heading = "Environment", value_parser = mode)]
    pub(crate) umask: Option<u32>,

    /// Add to its niceness, from -20 to 19
    #[arg(long, value_name = "N", help_heading = "Environment", allow_hyphen_values = true, value_parser = clap::value_parser!(i32).range(-20..=19))]
    pub(crate) nice: Option<i32>,

    /// Bound what it takes: nofile=1024, as=4GiB, cpu=60, core=0; may be given again
    #[arg(long, value_name = "NAME=N", help_heading = "Environment")]
    pub(crate) rlimit: Vec<String>,
}

/// How long it may take.
#[derive(clap::Args, Debug)]
pub(crate) struct Time {
    /// End it and all that it has started after so long; status 124
    #[arg(short, long, value_name = "TIME", help_heading = "Time", value_parser = some_time)]
    pub(crate) timeout: Option<Duration>,

    /// Kill what is still there so long after SIGTERM
    #[arg(short, long, value_name = "TIME", help_heading = "Time", default_value = "10s", value_parser = units::duration)]
    pub(crate) kill_after: Duration,

    /// When runjob is told to stop, so does COMMAND; kill it after so long
    #[arg(long, value_name = "TIME", help_heading = "Time", default_value = "30s", value_parser = units::duration)]
    pub(crate) grace: Duration,

    /// What becomes of processes that it leaves behind: leave, wait, kill
    #[arg(long, value_name = "HOW", help_heading = "Time", default_value = "leave")]
    pub(crate) leftovers: Leftovers,
}

/// What becomes of processes that COMMAND leaves behind when it ends by itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum Leftovers {
    /// They go on.
    Leave,
    /// They are waited for, within the time of COMMAND.
    Wait,
    /// They are ended.
    Kill,
}

/// What follows a failure.
#[derive(clap::Args, Debug)]
pub(crate) struct Again {
    /// Run it again after a failure, N times at most
    #[arg(short, long, value_name = "N", help_heading = "Again", default_value_t = 0)]
    pub(crate) retries: u32,

    /// Wait between attempts: the first time, doubled up to the second
    #[arg(long, value_name = "TIME..TIME", help_heading = "Again", default_value = "1s..5m", value_parser = crate::again::backoff)]
    pub(crate) backoff: crate::again::Backoff,

    /// Wait a random part of that
    #[arg(long, help_heading = "Again")]
    pub(crate) jitter: bool,

    /// After these only: 75,69,timeout,signal
    #[arg(long, value_name = "LIST", help_heading = "Again", value_delimiter = ',', value_parser = crate::again::cause)]
    pub(crate) retry_on: Vec<crate::again::Cause>,

    /// Not after these
    #[arg(long, value_name = "LIST", help_heading = "Again", value_delimiter = ',', value_parser = crate::again::cause)]
    pub(crate) no_retry_on: Vec<crate::again::Cause>,
}

/// What becomes of its output.
#[derive(clap::Args, Debug)]
#[allow(clippy::struct_field_names, reason = "a field is called what its flag is called")]
pub(crate) struct Output {
    /// Show what it prints only when it fails, on standard error
    #[arg(short = 'Q', long, help_heading = "Output")]
    pub(crate) quiet_unless_fails: bool,

    /// Write what each run prints to a file in DIR
    #[arg(long, value_name = "DIR", help_heading = "Output", value_hint = ValueHint::DirPath)]
    pub(crate) log: Option<PathBuf>,

    /// Keep the files of the last N runs
    #[arg(long, value_name = "N", help_heading = "Output", default_value_t = 7, requires = "log", value_parser = clap::value_parser!(u32).range(1..))]
    pub(crate) keep: u32,

    /// Keep so much of its output, the beginning and the end
    #[arg(long, value_name = "SIZE", help_heading = "Output", value_parser = units::size)]
    pub(crate) max_output: Option<u64>,
}

/// Who is told.
#[derive(clap::Args, Debug)]
pub(crate) struct Reports {
    /// Replace FILE by one JSON object about this run
    #[arg(long, value_name = "FILE", help_heading = "Reports")]
    pub(crate) status: Option<PathBuf>,

    /// Replace FILE by the same as Prometheus' textfile collector reads it
    #[arg(long, value_name = "FILE", help_heading = "Reports")]
    pub(crate) metrics: Option<PathBuf>,

    /// Tell a dead man's monitor: URL, or URL/fail
    #[arg(long, value_name = "URL", help_heading = "Reports", value_hint = ValueHint::Url, value_parser = crate::reports::ping::url)]
    pub(crate) ping: Option<String>,

    /// The same with the URL that is the first line of FILE, where no list of processes shows it
    #[arg(long, value_name = "FILE", help_heading = "Reports", conflicts_with = "ping")]
    pub(crate) ping_file: Option<PathBuf>,

    /// Run CMD, with a JSON object on its standard input, when a person should know
    #[arg(long, value_name = "CMD", help_heading = "Reports", value_hint = ValueHint::CommandString)]
    pub(crate) on_event: Option<String>,
}

impl Args {
    /// What COMMAND is called.
    pub(crate) fn name(&self) -> String {
        let file = || {
            let path = self.command.first().map(Path::new)?;
            Some(path.file_name().unwrap_or(path.as_os_str()).to_string_lossy().into_owned())
        };
        self.name.clone().or_else(file).unwrap_or_default()
    }

    /// Refuses to write two reports into one file, or one over what is needed.
    ///
    /// # Errors
    /// As it says.
    pub(crate) fn spare_files(&self) -> Result<()> {
        let lock = self.lock.as_ref().map(Path::new).filter(|lock| lock.components().count() > 1);
        let Reports { status, metrics, .. } = &self.reports;
        let reports = [("--status", status.as_deref()), ("--metrics", metrics.as_deref())];
        output::refuse_twins(&[reports[0], reports[1], ("--lock", lock)])?;
        // What is no `NAME=FILE` is refused by who reads it.
        let creds = self.surroundings.cred.iter().filter_map(|flag| Some(creds::parts(flag).ok()?.1));
        let files = self.surroundings.env_file.iter().chain(&self.reports.ping_file).map(PathBuf::as_path);
        let needed: Vec<&Path> = files.chain(creds).collect();
        let one = |path| output::refuse_inputs(&needed, Some(path));
        reports.into_iter().filter_map(|(_, path)| path).try_for_each(one)
    }
}

#[cfg(test)]
impl Args {
    /// Of these flags, with some command.
    pub(crate) fn told(flags: &str) -> Self {
        Self::parse_from(["runjob"].into_iter().chain(flags.split_whitespace()).chain(["true"]))
    }
}

impl AsRef<Common> for Args {
    fn as_ref(&self) -> &Common {
        &self.common
    }
}

/// More than none: timeout(1) takes 0 for no limit, and others for no time.
fn some_time(text: &str) -> std::result::Result<Duration, String> {
    let time = units::duration(text)?;
    if time.is_zero() {
        Err("it is to be more than 0s; without this option there is no limit".into())
    } else {
        Ok(time)
    }
}

/// Permissions in octal digits.
fn mode(text: &str) -> std::result::Result<u32, String> {
    let mode = u32::from_str_radix(text, 8).ok().filter(|mode| *mode <= 0o777);
    mode.ok_or_else(|| "it is to be octal digits such as 077".into())
}
