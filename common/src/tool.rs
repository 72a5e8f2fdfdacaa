//! `main()` of every tool: parse, log, run, report, exit status.

use std::ffi::OsString;
use std::process::ExitCode;

use clap::{CommandFactory, FromArgMatches};

use crate::cli::{self, Common};
use crate::error::{Error, Outcome, Result};
use crate::out::Out;
use crate::{log, manual, stop};

/// Runs a tool from its command line to its exit status.
///
/// `manual` is the tool's README: its examples stand below `--help`, and with `--generate man` it
/// becomes the man page.
pub fn main<A>(manual: &'static str, run: fn(&A, &mut Out) -> Result<Outcome>) -> ExitCode
where
    A: CommandFactory + FromArgMatches + AsRef<Common>,
{
    let mut out = Out::stdout();
    let command = cli::command::<A>(manual);
    let name = tool_name(&command);

    if let Some(what) = generate_asked(std::env::args_os()) {
        return conclude(name, log::Format::Auto, manual::generate(&what, command, manual, &mut out), out);
    }
    let args = match A::from_arg_matches(&command.get_matches()) {
        Ok(args) => args,
        Err(usage) => usage.exit(),
    };
    let common = args.as_ref();
    log::start(name, common.log_format, common.filter());
    let result = run(&args, &mut out);
    conclude(name, common.log_format, result, out)
}

/// Flushes, reports what went wrong, and turns the result into the exit status.
fn conclude(name: &str, format: log::Format, result: Result<Outcome>, mut out: Out) -> ExitCode {
    // Results that were already computed are printed even when the run then failed.
    let flushed = out.flush();
    let result = result.and_then(|outcome| flushed.map(|()| outcome));
    match result {
        Ok(outcome) => {
            if outcome == Outcome::Interrupted {
                stop::die();
            }
            ExitCode::from(outcome.status())
        }
        Err(error) => {
            if !error.is_silent() {
                log::report(name, format, &error);
            }
            ExitCode::from(error.status())
        }
    }
}

fn tool_name(command: &clap::Command) -> &'static str {
    // The name comes from CARGO_PKG_NAME by way of clap's derive; leaking eight bytes once makes it
    // usable by the logger, which lives as long as the process.
    Box::leak(command.get_name().to_owned().into_boxed_str())
}

/// `--generate` is looked for before clap parses, so that it does not appear in the completions
/// that it generates, and works without the operands that a tool requires.
fn generate_asked(args: impl Iterator<Item = OsString>) -> Option<String> {
    let mut args = args.skip(1).map_while(|arg| arg.into_string().ok()).take_while(|arg| arg != "--");
    while let Some(arg) = args.next() {
        if arg == "--generate" {
            return Some(args.next().unwrap_or_default());
        }
        if let Some(what) = arg.strip_prefix("--generate=") {
            return Some(what.to_owned());
        }
    }
    None
}

/// A usage error that clap cannot see, such as a start after the end; status 2.
#[must_use]
pub fn usage(problem: impl Into<String>) -> Error {
    Error::failed(problem)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn generate_is_seen_before_the_operands() {
        let check = |line: &str, want: Option<&str>| {
            let args = line.split(' ').map(OsString::from);
            assert_eq!(generate_asked(args).as_deref(), want, "{line}");
        };
        check("tool --generate man", Some("man"));
        check("tool -v --generate=zsh", Some("zsh"));
        check("tool --generate", Some(""));
        check("tool -- --generate man", None);
        check("tool app.log", None);
    }
}
