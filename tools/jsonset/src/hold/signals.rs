//! Signals to the holder go on to COMMAND, and none of them ends the holder before it has undone
//! its change.
//!
//! SIGKILL and SIGSTOP cannot be caught: the watcher is for the one, and the other is left alone with
//! SIGTSTP, so that Ctrl-Z stops holder and COMMAND as any job. SIGPIPE is ignored by every Rust
//! program. COMMAND gets all signals as the holder got them: what was ignored stays ignored.

use std::fs::{self, File};
use std::process::{Command, ExitStatus};
use std::sync::atomic::AtomicBool;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use common::{Error, Result};
use rustix::process::{Pid, Signal, WaitId, WaitIdOptions, getpgrp, kill_process, waitid};
use rustix::termios::tcgetpgrp;
use signal_hook::consts::{
    SIGABRT, SIGALRM, SIGCHLD, SIGHUP, SIGINT, SIGPROF, SIGQUIT, SIGTERM, SIGUSR1, SIGUSR2, SIGVTALRM,
    SIGXCPU, SIGXFSZ,
};
use signal_hook::flag;
use signal_hook::iterator::Signals;

/// What would end a program and can be caught. Who sends one to the holder means COMMAND.
const FORWARDED: [i32; 11] =
    [SIGABRT, SIGALRM, SIGHUP, SIGINT, SIGPROF, SIGQUIT, SIGTERM, SIGUSR1, SIGUSR2, SIGVTALRM, SIGXCPU];

/// Where signals go.
#[derive(Debug)]
pub(super) struct Forwarder(Arc<Mutex<Goal>>);

#[derive(Debug, Default)]
struct Goal {
    /// COMMAND, from its start until it has ended; it is not reaped before that, so that the number
    /// stays its own.
    command: Option<Pid>,
    /// A signal that came before there was a COMMAND.
    early: Option<i32>,
}

/// How COMMAND has ended.
#[derive(Debug)]
pub(super) enum Ended {
    /// It was started.
    Started(ExitStatus),
    /// This signal came first.
    Never(i32),
}

impl Forwarder {
    /// From here on no signal that can be caught ends this process.
    ///
    /// # Errors
    /// When the system refuses a handler.
    pub(super) fn install() -> Result<Self> {
        let cannot = |cause: std::io::Error| Error::failed("cannot listen for signals").because(cause);
        let ignored = ignored_signals(&fs::read_to_string("/proc/self/status").unwrap_or_default());
        let heard = FORWARDED.iter().copied().filter(|signal| ignored >> (signal - 1) & 1 == 0);
        let mut signals = Signals::new(heard).map_err(cannot)?;
        // A full quota is then an error of write(2). And who ignores SIGCHLD has no children to wait for.
        for signal in [SIGXFSZ, SIGCHLD] {
            flag::register(signal, Arc::new(AtomicBool::new(false))).map_err(cannot)?;
        }
        let forwarder = Self(Arc::default());
        let goal = Arc::clone(&forwarder.0);
        let spawned = std::thread::Builder::new().spawn(move || {
            for signal in signals.forever() {
                locked(&goal).take(signal);
            }
        });
        spawned.map(|_runs_to_the_end| forwarder).map_err(cannot)
    }

    /// Runs `command`, shows its number to `started`, and waits for its end.
    ///
    /// # Errors
    /// When it cannot be started.
    pub(super) fn run(&self, command: &mut Command, started: impl FnOnce(Pid)) -> std::io::Result<Ended> {
        let mut goal = locked(&self.0);
        if let Some(signal) = goal.early {
            return Ok(Ended::Never(signal));
        }
        let mut child = command.spawn()?;
        let pid = Pid::from_child(&child);
        goal.command = Some(pid);
        drop(goal);
        started(pid);
        let options = WaitIdOptions::EXITED | WaitIdOptions::NOWAIT;
        let _ended = rustix::io::retry_on_intr(|| waitid(WaitId::Pid(pid), options));
        locked(&self.0).command = None;
        child.wait().map(Ended::Started)
    }
}

impl Goal {
    fn take(&mut self, number: i32) {
        let Some(pid) = self.command else {
            self.early.get_or_insert(number);
            return;
        };
        // A terminal sends its signals to all of the foreground: COMMAND has it already, and many
        // programs take a second one for impatience.
        if matches!(number, SIGINT | SIGQUIT) && is_in_foreground() {
            return;
        }
        if let Some(signal) = Signal::from_named_raw(number) {
            let _ended_already = kill_process(pid, signal);
        }
    }
}

fn locked(goal: &Mutex<Goal>) -> MutexGuard<'_, Goal> {
    goal.lock().unwrap_or_else(PoisonError::into_inner)
}

fn is_in_foreground() -> bool {
    let Ok(terminal) = File::open("/dev/tty") else { return false };
    tcgetpgrp(terminal).is_ok_and(|group| group == getpgrp())
}

/// The signals that this process was started to ignore, a bit each, from `/proc/self/status`: nohup(1)
/// and shells that run jobs in the background do that, and COMMAND must not lose it.
fn ignored_signals(status: &str) -> u64 {
    let mask = status.lines().find_map(|line| line.strip_prefix("SigIgn:"));
    mask.and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok()).unwrap_or(0)
}

/// From here on no signal that can be caught ends this process, and none is heard of.
///
/// # Errors
/// When the system refuses a handler.
pub(super) fn be_deaf() -> Result<()> {
    let cannot = |cause: std::io::Error| Error::failed("cannot listen for signals").because(cause);
    for signal in FORWARDED.into_iter().chain([SIGXFSZ, SIGCHLD]) {
        flag::register(signal, Arc::new(AtomicBool::new(false))).map_err(cannot)?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_ignored_is_read_from_proc() {
        let check = |status: &str, want: u64| assert_eq!(ignored_signals(status), want, "{status}");
        check("Name:\tx\nSigIgn:\t0000000000001001\nSigCgt:\t1\n", 1 << 12 | 1);
        check("SigIgn:\t\n", 0);
        check("", 0);
    }

    #[test]
    fn every_forwarded_signal_has_a_name() {
        for signal in FORWARDED {
            assert!(Signal::from_named_raw(signal).is_some(), "{signal}");
        }
    }
}
