//! The command line.

use std::path::{Path, PathBuf};

use clap::{Parser, Subcommand, ValueEnum};
use common::cli::Common;
use hosts::select::Selection;

use crate::report::Form;

/// Deploy a config to environments over SSH, checked, and back by itself when it fails
#[derive(Parser, Debug)]
#[command(
    name = "confpush",
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

    /// The folder of the audit log [default: that of the unit, or of the user]
    #[arg(long, value_name = "DIR", global = true)]
    state: Option<PathBuf>,

    /// How many hosts at a time
    #[arg(short, long, value_name = "N", global = true, default_value = "64", value_parser = clap::value_parser!(u16).range(1..=4096))]
    jobs: u16,

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
    /// Show what would change, and where; touch nothing
    Plan(Plan),
    /// Deploy, environment by environment
    Apply(Apply),
    /// Give hosts back what an earlier deployment left there
    Rollback(Rollback),
    /// Show which version is on which host, what was changed by others, and who is at it
    Status(Which),
    /// Show who deployed what, when, and what came of it
    History {
        /// The specs; none: all
        #[arg(value_name = "SPEC")]
        specs: Vec<PathBuf>,
    },
    /// Say every fault of the specs and of what they make, each with its line
    Validate {
        /// The specs
        #[arg(value_name = "SPEC", required = true)]
        specs: Vec<PathBuf>,
    },
    /// Confirm what a killed deployment had decided; it is started by `apply` itself
    #[command(hide = true)]
    Witness,
}

/// Which hosts of which environments.
#[derive(clap::Args, Debug, Clone)]
pub(crate) struct Which {
    /// The specs
    #[arg(value_name = "SPEC", required = true)]
    pub(crate) specs: Vec<PathBuf>,

    /// Only this environment; may be given again
    #[arg(short, long = "env", value_name = "ENV")]
    pub(crate) envs: Vec<String>,

    /// Only these of its hosts: role=web,!web07
    #[arg(long, value_name = "EXPR", value_parser = Selection::parse)]
    pub(crate) limit: Vec<Selection>,
}

/// `plan`.
#[derive(clap::Args, Debug)]
pub(crate) struct Plan {
    /// Which hosts.
    #[command(flatten)]
    pub(crate) which: Which,

    /// End with status 1 when something would change
    #[arg(long)]
    pub(crate) check: bool,
}

/// `apply`.
#[derive(clap::Args, Debug)]
pub(crate) struct Apply {
    /// Which hosts.
    #[command(flatten)]
    pub(crate) which: Which,

    /// Stop behind this environment
    #[arg(long, value_name = "ENV", conflicts_with = "envs")]
    pub(crate) until: Option<String>,

    /// Pass the gate before this environment, which waits for a person; may be given again
    #[arg(long, value_name = "ENV")]
    pub(crate) confirm: Vec<String>,

    /// How it may go.
    #[command(flatten)]
    pub(crate) leave: Leave,

    /// Show what would change, and touch nothing: `plan`
    #[arg(short = 'n', long)]
    pub(crate) dry_run: bool,
}

/// `rollback`.
#[derive(clap::Args, Debug)]
pub(crate) struct Rollback {
    /// Which hosts.
    #[command(flatten)]
    pub(crate) which: Which,

    /// To what the deployment ID left there [default: to what was there before the last one; a rollback behind a rollback takes an ID]
    #[arg(long, value_name = "ID")]
    pub(crate) to: Option<String>,

    /// How it may go.
    #[command(flatten)]
    pub(crate) leave: Leave,
}

/// What a person takes upon themselves.
#[derive(clap::Args, Debug, Clone)]
pub(crate) struct Leave {
    /// Touch environments that are protected, too
    #[arg(short, long)]
    pub(crate) yes: bool,

    /// Replace files that others have changed since the last deployment; their bytes are kept
    #[arg(long)]
    pub(crate) accept_drift: bool,

    /// Run CMD, with a JSON object on its standard input, when a person should know
    #[arg(long, value_name = "CMD")]
    pub(crate) on_event: Option<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Shape {
    Text,
    Json,
}

impl Args {
    /// The folder of the audit log, where a flag names one.
    pub(crate) fn state(&self) -> Option<&Path> {
        self.state.as_deref()
    }

    /// How many hosts at a time.
    pub(crate) fn jobs(&self) -> usize {
        usize::from(self.jobs)
    }

    /// How results look.
    pub(crate) fn form(&self) -> Form {
        if self.json || self.format == Shape::Json { Form::Json } else { Form::Text }
    }
}

impl AsRef<Common> for Args {
    fn as_ref(&self) -> &Common {
        &self.common
    }
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;
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
    fn clap_finds_no_contradiction() {
        Args::command().debug_assert();
    }

    #[test]
    fn what_every_command_takes_may_stand_anywhere() {
        check("confpush -v status a.toml", Ok("verbose: 1"));
        check("confpush status -vv a.toml", Ok("verbose: 2"));
        check("confpush apply a.toml --state /s", Ok("state: Some(\"/s\")"));
        check("confpush --jobs 8 plan a.toml", Ok("jobs: 8"));
        check("confpush plan a.toml -j 8", Ok("jobs: 8"));
        check("confpush plan a.toml", Ok("jobs: 64"));
        check("confpush plan a.toml -v -q", Err(ErrorKind::ArgumentConflict));
    }

    #[test]
    fn each_command_has_its_own() {
        check("confpush plan a.toml b.toml --check", Ok("specs: [\"a.toml\", \"b.toml\"]"));
        check("confpush apply a.toml -e dev --env prod -y", Ok("envs: [\"dev\", \"prod\"]"));
        check("confpush apply a.toml --until dev", Ok("until: Some(\"dev\")"));
        check(
            "confpush apply a.toml --confirm staging --confirm prod",
            Ok("confirm: [\"staging\", \"prod\"]"),
        );
        check("confpush apply a.toml -n --accept-drift", Ok("dry_run: true"));
        check("confpush rollback a.toml --to x-1 --yes", Ok("to: Some(\"x-1\")"));
        check("confpush history", Ok("specs: []"));
        check("confpush witness", Ok("task: Witness"));
    }

    #[test]
    fn what_cannot_be_meant_is_refused() {
        let missing = Err(ErrorKind::MissingRequiredArgument);
        for command in ["plan", "apply", "rollback", "status", "validate"] {
            check(&format!("confpush {command}"), missing);
        }
        check("confpush", Err(ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand));
        check("confpush apply a.toml --until dev --env dev", Err(ErrorKind::ArgumentConflict));
        check("confpush plan a.toml --json --format text", Err(ErrorKind::ArgumentConflict));
        check("confpush plan a.toml --yes", Err(ErrorKind::UnknownArgument));
        check("confpush status a.toml --check", Err(ErrorKind::UnknownArgument));
        check("confpush plan a.toml -j 0", Err(ErrorKind::ValueValidation));
        check("confpush plan a.toml -j 4097", Err(ErrorKind::ValueValidation));
        check("confpush plan a.toml --limit ,,", Err(ErrorKind::ValueValidation));
    }

    #[test]
    fn results_are_for_people_unless_programs_ask() {
        let check = |line: &str, want: Form| {
            assert_eq!(Args::try_parse_from(line.split(' ')).unwrap().form(), want, "{line}");
        };
        check("confpush plan a.toml", Form::Text);
        check("confpush plan a.toml --json", Form::Json);
        check("confpush --format json plan a.toml", Form::Json);
        check("confpush plan a.toml --format text", Form::Text);
    }
}
