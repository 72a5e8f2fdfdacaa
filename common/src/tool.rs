//! `main()` of every tool: parse, log, run, report, exit status.

use std::ffi::OsString;
use std::io::{self, Write as _};
use std::process::ExitCode;

use clap::{CommandFactory, FromArgMatches};

use crate::cli::{self, Common};
use crate::error::{Error, Outcome, Result};
use crate::out::Out;
use crate::{log, manual, stop, usage};

/// Runs a tool from its command line to its exit status.
///
/// `manual` is the tool's README: its examples stand below `--help`, and with `--generate man` it
/// becomes the man page.
pub fn main<A>(manual: &'static str, run: fn(&A, &mut Out) -> Result<Outcome>) -> ExitCode
where
    A: CommandFactory + FromArgMatches + AsRef<Common>,
{
    start(manual, run, FAILED)
}

/// As [`main`], for a tool that runs a command and passes its status through: a failure of the tool's own
/// is 125 where it would be 2, a usage error included, as env(1) and timeout(1) have it.
pub fn wrapper<A>(manual: &'static str, run: fn(&A, &mut Out) -> Result<Outcome>) -> ExitCode
where
    A: CommandFactory + FromArgMatches + AsRef<Common>,
{
    start(manual, run, WRAPPER_FAILED)
}

/// The status of [`Error::failed`].
const FAILED: u8 = 2;

/// The same of a [`wrapper`]: no command has it by custom.
const WRAPPER_FAILED: u8 = 125;

fn start<A>(manual: &'static str, run: fn(&A, &mut Out) -> Result<Outcome>, failed: u8) -> ExitCode
where
    A: CommandFactory + FromArgMatches + AsRef<Common>,
{
    let mut out = Out::stdout();
    let command = cli::command::<A>(manual);
    let name = tool_name(&command);
    let end = End { name, format: log::Format::Auto, failed };

    // Behind its own flags the words of a wrapper are its command's.
    let is_ours =
        |arg: &OsString| failed == FAILED || arg.to_str().is_some_and(|arg| arg.starts_with("--generate"));
    let asked = std::env::args_os().nth(1).filter(is_ours).and_then(|_| generate_asked(std::env::args_os()));
    if let Some(what) = asked {
        return end.conclude(manual::generate(&what, command, manual, &mut out), out);
    }
    let matches = command.try_get_matches().and_then(|matches| A::from_arg_matches(&matches));
    let args = match matches {
        Ok(args) => args,
        Err(asked) if !asked.use_stderr() => {
            // clap knows whether the help may have colours there.
            let printed = asked.print().and_then(|()| io::stdout().flush());
            return end
                .conclude(printed.map(|()| Outcome::Done).map_err(|cause| out.cannot_write(cause)), out);
        }
        Err(wrong) => {
            let format = log::Format::asked(std::env::args_os());
            let error = usage::sentence(name, &wrong, std::env::args_os());
            return End { format, ..end }.conclude(Err(error), out);
        }
    };
    let common = args.as_ref();
    log::start(name, common.log_format, common.filter());
    let result = run(&args, &mut out);
    End { format: common.log_format, ..end }.conclude(result, out)
}

/// How a tool says how its run ended.
struct End {
    name: &'static str,
    format: log::Format,
    /// The status of a failure that has none of its own.
    failed: u8,
}

impl End {
    /// Flushes, reports what went wrong, and turns the result into the exit status.
    fn conclude(&self, result: Result<Outcome>, mut out: Out) -> ExitCode {
        // Results that were already computed are printed even when the run then failed.
        let flushed = out.flush();
        let result = result.and_then(|outcome| flushed.map(|()| outcome));
        match result {
            Ok(outcome) => {
                match outcome {
                    Outcome::Interrupted => stop::die(),
                    Outcome::Killed(signal) => stop::die_of(signal),
                    _ => {}
                }
                ExitCode::from(outcome.status())
            }
            Err(error) => {
                if !error.is_silent() {
                    log::report(self.name, self.format, &error);
                }
                ExitCode::from(if error.status() == FAILED { self.failed } else { error.status() })
            }
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

/// A usage error that clap cannot see, such as a start after the end; status 2, or 125 of a [`wrapper`].
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
