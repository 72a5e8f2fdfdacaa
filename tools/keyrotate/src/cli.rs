//! The command line.

use std::path::{Path, PathBuf};

use chrono::{DateTime, Utc};
use clap::{Parser, Subcommand, ValueEnum};
use common::cli::Common;
use common::units;

use crate::report::Form;

/// Rotate a credential without a second of outage
#[derive(Parser, Debug)]
#[command(
    name = "keyrotate",
    version,
    disable_help_subcommand = true,
    mut_arg("verbose", |arg| arg.global(true)),
    mut_arg("quiet", |arg| arg.global(true)),
    mut_arg("log_format", |arg| arg.global(true)),
)]
pub struct Args {
    /// What is to be done.
    #[command(subcommand)]
    pub(crate) task: Task,

    /// The folder of the folders of state [default: that of the spec, of the unit, or of the user]
    #[arg(long, value_name = "DIR", global = true)]
    state: Option<PathBuf>,

    /// How results look: for people, or one JSON object a line
    #[arg(long, value_name = "FORMAT", global = true, default_value = "text")]
    format: Shape,

    /// Short for --format json
    #[arg(long, global = true, conflicts_with = "format")]
    json: bool,

    /// What every tool takes.
    #[command(flatten)]
    pub common: Common,
}

/// What is to be done.
#[derive(Subcommand, Debug)]
pub(crate) enum Task {
    /// Advance each rotation as far as its gates allow; begin one where it is due
    Run(Run),
    /// Show how far each rotation is, and what it waits for
    Status {
        /// The specs; none: every credential that has a state
        #[arg(value_name = "SPEC")]
        specs: Vec<PathBuf>,
    },
    /// Ask which key each consumer uses, and whether the old one is in use; change nothing
    Verify {
        /// The spec
        #[arg(value_name = "SPEC")]
        spec: PathBuf,
    },
    /// Say that the old key may go, where the spec leaves that to a human
    Confirm {
        /// The spec
        #[arg(value_name = "SPEC")]
        spec: PathBuf,
    },
    /// Go back to the old key, and delete the new one; not once the old one is deleted
    Rollback {
        /// The spec
        #[arg(value_name = "SPEC")]
        spec: PathBuf,

        /// Why
        #[arg(long, value_name = "TEXT", value_parser = said)]
        reason: String,
    },
    /// Have nothing disabled or deleted
    Hold(Hold),
    /// Give a consumer up: the rotation goes on although it does not use the new key
    Skip {
        /// The spec
        #[arg(value_name = "SPEC")]
        spec: PathBuf,

        /// The consumer: NAME, or NAME@HOST; or a site of the target
        #[arg(value_name = "CONSUMER")]
        consumer: String,

        /// Why
        #[arg(long, value_name = "TEXT", value_parser = said)]
        reason: String,
    },
    /// Show who did what to which key
    Log {
        /// The spec
        #[arg(value_name = "SPEC")]
        spec: PathBuf,

        /// Look whether a line was changed, removed, inserted or moved, instead
        #[arg(long)]
        check: bool,
    },
    /// Say every fault of the specs, each with its line
    Validate {
        /// The specs
        #[arg(value_name = "SPEC", required = true)]
        specs: Vec<PathBuf>,
    },
}

/// `run`.
#[derive(clap::Args, Debug)]
#[allow(clippy::struct_field_names, reason = "--dry-run is the word of all tools")]
pub(crate) struct Run {
    /// The specs, one after the other
    #[arg(value_name = "SPEC", required = true)]
    pub(crate) specs: Vec<PathBuf>,

    /// Begin a rotation although none is due
    #[arg(long)]
    pub(crate) now: bool,

    /// Print every step that would follow, and touch nothing
    #[arg(short = 'n', long)]
    pub(crate) dry_run: bool,

    /// Run CMD, with a JSON object on its standard input, when a person should know
    #[arg(long, value_name = "CMD", conflicts_with = "dry_run")]
    pub(crate) on_event: Option<String>,
}

/// `hold`.
#[derive(clap::Args, Debug)]
pub(crate) struct Hold {
    /// The spec
    #[arg(value_name = "SPEC")]
    pub(crate) spec: PathBuf,

    /// Only until then: 2026-03-14T09:26:53Z, or 2h from now
    #[arg(long, value_name = "TIME", value_parser = moment, conflicts_with = "off")]
    pub(crate) until: Option<i64>,

    /// End the hold
    #[arg(long)]
    pub(crate) off: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Shape {
    Text,
    Json,
}

impl AsRef<Common> for Args {
    fn as_ref(&self) -> &Common {
        &self.common
    }
}

impl Args {
    /// How results look.
    pub(crate) fn form(&self) -> Form {
        if self.json || self.format == Shape::Json { Form::Json } else { Form::Text }
    }

    /// `--state`.
    pub(crate) fn state(&self) -> Option<&Path> {
        self.state.as_deref()
    }
}

/// What a person gives as a reason: it is to be found again in the audit log.
fn said(text: &str) -> Result<String, String> {
    let text = text.trim();
    if text.is_empty() { Err("say why".into()) } else { Ok(text.to_owned()) }
}

/// A time to come, in seconds since 1970: as RFC 3339, or as a time from now, with or without `+`.
fn moment(text: &str) -> Result<i64, String> {
    let now = Utc::now().timestamp();
    let at = if let Ok(time) = DateTime::parse_from_rfc3339(text) {
        time.timestamp()
    } else {
        let bad = |_| {
            format!("`{text}` is no time; write it as 2026-03-14T09:26:53Z, or as 2h, 30m or 3d from now")
        };
        let wait = units::duration(text.strip_prefix('+').unwrap_or(text)).map_err(bad)?;
        now.saturating_add(i64::try_from(wait.as_secs()).unwrap_or(i64::MAX))
    };
    if at <= now { Err(format!("`{text}` is over")) } else { Ok(at) }
}

#[cfg(test)]
mod tests {
    use clap::error::ErrorKind;

    use super::*;

    fn check(line: &str, want: Result<&str, ErrorKind>) {
        let got = Args::try_parse_from(line.split(' '));
        match (got, want) {
            (Ok(args), Ok(part)) => {
                let text = format!("{args:?}");
                assert!(text.contains(part), "{line}: {text}");
            }
            (Err(error), Err(kind)) => assert_eq!(error.kind(), kind, "{line}: {error}"),
            (got, want) => panic!("{line}: {got:?} instead of {want:?}"),
        }
    }

    #[test]
    fn what_every_command_takes_may_stand_anywhere() {
        check("keyrotate -v status", Ok("verbose: 1"));
        check("keyrotate status -vv a.toml", Ok("verbose: 2"));
        check("keyrotate run a.toml --json --state /s", Ok("state: Some(\"/s\")"));
        check("keyrotate --format json run a.toml", Ok("format: Json"));
        check("keyrotate run a.toml -v -q", Err(ErrorKind::ArgumentConflict));
    }

    #[test]
    fn what_cannot_be_meant_is_refused() {
        check("keyrotate run", Err(ErrorKind::MissingRequiredArgument));
        check("keyrotate rollback a.toml", Err(ErrorKind::MissingRequiredArgument));
        check("keyrotate skip a.toml web --reason gone", Ok("consumer: \"web\""));
        check("keyrotate rollback a.toml --reason= ", Err(ErrorKind::ValueValidation));
        check("keyrotate hold a.toml --off --until 2h", Err(ErrorKind::ArgumentConflict));
        check("keyrotate run a.toml -n --on-event true", Err(ErrorKind::ArgumentConflict));
        check("keyrotate", Err(ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand));
    }

    #[test]
    fn a_time_to_come_is_a_date_or_a_while() {
        let in_a_day = Utc::now().timestamp() + 86_400;
        let is_near = |text: &str| moment(text).is_ok_and(|at| (in_a_day..in_a_day + 60).contains(&at));
        assert!(is_near("1d") && is_near("+24h"));
        assert_eq!(moment("2200-01-01T00:00:00Z"), Ok(7_258_118_400));
        assert_eq!(moment("2020-01-01T00:00:00Z"), Err("`2020-01-01T00:00:00Z` is over".into()));
        for bad in ["", "2h ago", "-2h", "tomorrow", "0s"] {
            assert!(moment(bad).is_err(), "{bad}");
        }
    }
}
