//! One attempt: COMMAND from its start to its end, or to that of all that it has started.
//!
//! One loop waits for signals (the end of a child is one), for what COMMAND prints, and for the next
//! moment at which something is due.

use std::time::{Duration, Instant};

use common::{Error, Result};
use rustix::process::{Pid, Signal, WaitStatus, getpgid, kill_process};

use super::Ended;
use super::wait::Sources;
use crate::cli::{Leftovers, Time};
use crate::run::End;
use crate::signals::Arrived;
use crate::tree::Tree;

/// Rounds of SIGKILL. What forks as fast as it is killed is caught within a few; what is still there after
/// these, 9 seconds, hangs in the kernel or belongs to another user.
const MOST_ROUNDS: u32 = 200;

/// The longest time between two of them; the first follow each other within milliseconds.
const SLOWEST: u32 = 50;

/// Sees COMMAND to its end. `name` is what it is called.
///
/// # Errors
/// When the system no longer says how its processes end.
pub(super) fn watch(
    command: Pid,
    (name, time): (&str, &Time),
    tree: &mut Tree,
    mut sources: Sources<'_>,
) -> Result<Ended> {
    let mut watch = Watch {
        command: Some(command),
        name,
        time,
        tree,
        status: None,
        late_at: time.timeout.map(|timeout| Instant::now() + timeout),
        kill_at: None,
        rounds: 0,
        late: None,
        all: time.leftovers == Leftovers::Wait,
        stopped: false,
    };
    loop {
        // Some may have arrived while COMMAND was started.
        while let Some(arrived) = sources.signals.next() {
            watch.pass_on(arrived);
        }
        // Before the time is looked at: runjob itself may have been stopped while COMMAND ended in time.
        if watch.is_over() {
            return Ok(watch.ended());
        }
        watch.keep_time();
        sources.wait(watch.due())?;
    }
}

struct Watch<'a> {
    /// As long as it has not ended, and its number is its own.
    command: Option<Pid>,
    name: &'a str,
    time: &'a Time,
    tree: &'a mut Tree,
    status: Option<WaitStatus>,
    /// When `--timeout` is over.
    late_at: Option<Instant>,
    /// When SIGKILL is due, again and again.
    kill_at: Option<Instant>,
    rounds: u32,
    /// It took too long: how many processes it had started.
    late: Option<usize>,
    /// It is over when nothing is left, not when COMMAND has ended.
    all: bool,
    stopped: bool,
}

impl Watch<'_> {
    /// Whether what is waited for has ended; begins to end what COMMAND has left behind.
    fn is_over(&mut self) -> bool {
        let reaped = self.tree.reap(self.command);
        if reaped.command.is_some() {
            self.status = reaped.command;
            self.command = None;
            self.begin_leftovers();
        }
        reaped.empty || self.rounds >= MOST_ROUNDS || (self.command.is_none() && !self.all)
    }

    fn begin_leftovers(&mut self) {
        if self.time.leftovers == Leftovers::Kill && !self.all {
            self.all = true;
            // It has ended by itself, and in time.
            self.late_at = None;
            self.end_by(self.time.kill_after);
        }
    }

    /// SIGTERM to all now, SIGKILL after `grace`. Returns how many processes COMMAND had started.
    fn end_by(&mut self, grace: Duration) -> usize {
        self.all = true;
        self.due_to_kill(grace);
        self.tell(&[Signal::TERM, Signal::CONT])
    }

    fn due_to_kill(&mut self, grace: Duration) {
        let new = Instant::now() + grace;
        self.kill_at = Some(self.kill_at.map_or(new, |old| old.min(new)));
    }

    fn tell(&mut self, signals: &[Signal]) -> usize {
        self.tree.signal(self.command, signals).unwrap_or_else(|error| {
            if self.rounds <= 1 {
                log::warn!("{error}");
            }
            0
        })
    }

    fn keep_time(&mut self) {
        let now = Instant::now();
        if self.late_at.is_some_and(|at| at <= now) {
            self.late_at = None;
            // What ends at this moment ends by itself, but it is too late.
            self.late = Some(self.end_by(self.time.kill_after));
        }
        if self.kill_at.is_some_and(|at| at <= now) {
            self.all = true;
            self.rounds += 1;
            self.tell(&[Signal::KILL]);
            self.kill_at = Some(now + Duration::from_millis(u64::from(self.rounds.min(SLOWEST))));
        }
    }

    /// When something is due next.
    fn due(&self) -> Option<Instant> {
        [self.late_at, self.kill_at].into_iter().flatten().min()
    }

    /// A signal that was sent to runjob alone is for COMMAND.
    fn pass_on(&mut self, arrived: Arrived) {
        self.stopped |= arrived.is_stop();
        if arrived.to_group && self.is_in_our_group() {
            return;
        }
        let Some(signal) = Signal::from_named_raw(arrived.signal as i32) else { return };
        let signals: &[Signal] = if arrived.is_stop() { &[signal, Signal::CONT] } else { &[signal] };
        match self.command {
            Some(command) => signals.iter().for_each(|signal| {
                if let Err(cause) = kill_process(command, *signal) {
                    log::warn!("cannot pass {signal:?} on to {}: {cause}", self.name);
                }
            }),
            None => drop(self.tell(signals)),
        }
        if arrived.is_stop() {
            self.due_to_kill(self.time.grace);
        }
    }

    fn is_in_our_group(&self) -> bool {
        let Some(command) = self.command else { return false };
        getpgid(Some(command)).ok() == getpgid(None).ok()
    }

    fn ended(self) -> Ended {
        if self.rounds >= MOST_ROUNDS {
            log::warn!("{}: not all of its processes could be killed", self.name);
        }
        let (end, why) = match (self.late, self.status.map(end)) {
            (Some(others), _) => (End::Late, Some(self.late_with(others))),
            (None, Some(end)) => (end, None),
            // It hangs in the kernel, and goes by this signal when it wakes.
            (None, None) => (End::Signal(Signal::KILL.as_raw()), None),
        };
        // Beside one that could not be killed there is no other attempt.
        Ended { end, why, stopped: self.stopped || self.command.is_some() }
    }

    fn late_with(&self, others: usize) -> Error {
        let timeout = self.time.timeout.unwrap_or_default();
        let with = match others {
            0 => String::new(),
            1 => " with 1 process that it had started".into(),
            _ => format!(" with {others} processes that it had started"),
        };
        Error::failed(format!("{} took longer than {timeout:?}, and was ended{with}", self.name))
    }
}

fn end(status: WaitStatus) -> End {
    match (status.exit_status(), status.terminating_signal()) {
        (Some(status), _) => End::Exit(u8::try_from(status).unwrap_or(u8::MAX)),
        (None, signal) => End::Signal(signal.unwrap_or_default()),
    }
}
