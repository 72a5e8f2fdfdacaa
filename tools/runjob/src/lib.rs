#![doc = include_str!("../README.md")]

mod again;
mod attempt;
pub mod cli;
mod input;
mod lock;
mod logs;
mod output;
mod reports;
mod run;
mod signals;
mod surroundings;
mod tree;

use std::os::fd::AsFd;

use common::{Error, Out, Outcome, Result};

use attempt::{Attempts, Told};
use output::patience::Patience;
use run::End;
use surroundings::Ready;

pub use cli::Args;

/// The manual: the README, also behind `--help` and `--generate man`.
pub const MANUAL: &str = include_str!("../README.md");

/// Runs the tool.
///
/// # Errors
/// When COMMAND did not run, or took too long: the status says which.
pub fn run(args: &Args, _out: &mut Out) -> Result<Outcome> {
    args.spare_files()?;
    let ready = Ready::judge(&args.surroundings)?;
    let id = run::id();
    let mut held = match &args.lock {
        Some(lock) => Some(lock::acquire(lock, args.wait, &id)?),
        None => None,
    };
    let told = Attempts::new(args, ready, id).and_then(|attempts| attempts.run(held.as_mut()));
    if let Some(held) = held {
        held.release();
    }
    let Told { run, why, mut output, signals, stopped } = told?;
    let tail = output.as_ref().map(|output| output.tail(output::TAIL)).unwrap_or_default();
    if let Some(output) = &mut output {
        output.end(&run);
    }
    // What --on-event starts is to hear signals.
    signals.unblocked(|| reports::tell(&args.reports, &run, &tail))?;
    // Last of all, since a reader may take nothing for ever.
    let mut patience = Patience::new(&signals, args.time.grace, stopped);
    if let Some(output) = &mut output {
        output.deliver(run.end.is_success(), &mut patience);
    }
    let why = why.filter(|_| patience.allows(std::io::stderr().as_fd()));
    outcome(run.end, why)
}

/// What the caller is to see: COMMAND's own status or signal, and of what runjob has done the reason.
fn outcome(end: End, why: Option<Error>) -> Result<Outcome> {
    match (end, why) {
        (_, Some(why)) => Err(why.with_status(end.status())),
        (End::Exit(0), None) => Ok(Outcome::Done),
        // The first process of a container dies of no signal that comes from inside (pid_namespaces(7)).
        (End::Signal(signal), None) if std::process::id() != 1 => {
            // A core of COMMAND's is there already. Of ours not even the program behind core_pattern(5) is to
            // hear, which a limit of zero would not keep from being started.
            let _a_core_too_many = nix::sys::prctl::set_dumpable(false);
            Ok(Outcome::Killed(signal))
        }
        (end, None) => Ok(Outcome::Own(end.status())),
    }
}
