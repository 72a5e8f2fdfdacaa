//! Waiting for a command, for the end of its time, and for the order to end.

use std::fs;
use std::io;
use std::os::fd::{AsFd, OwnedFd};
use std::process::Child;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::{Duration, Instant};

use rustix::event::{EventfdFlags, PollFd, PollFlags, Timespec, eventfd, poll};
use rustix::io::Errno;
use rustix::process::{Pid, PidfdFlags, WaitId, WaitIdOptions, pidfd_open, waitid};
use signal_hook::consts::SIGCHLD;

/// How often is looked when the system has no descriptor to wait with.
const PAUSE: Duration = Duration::from_millis(20);

/// Why a wait is over. The command is still to be waited for with `Child::wait`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Waited {
    /// The command has ended.
    Ended,
    /// The bell has rung.
    Rung,
    /// Its time, this long, is over.
    Late(Duration),
}

/// A bell that, once rung, rings for ever and for everybody.
#[derive(Debug)]
pub(super) struct Bell(OwnedFd);

impl Bell {
    pub(super) fn new() -> io::Result<Self> {
        Ok(Self(eventfd(0, EventfdFlags::CLOEXEC | EventfdFlags::NONBLOCK)?))
    }

    pub(super) fn ring(&self) {
        // It fails only when it was rung 2^64 times.
        let _rung = rustix::io::write(&self.0, &1_u64.to_ne_bytes());
    }
}

/// Waits for the first of the three.
pub(super) fn wait(child: &Child, bell: &Bell, limit: Option<Duration>) -> Waited {
    let pid = Pid::from_child(child);
    // No room for a descriptor: the table of files is full.
    let fd = pidfd_open(pid, PidfdFlags::empty()).ok();
    let begun = Instant::now();
    loop {
        let left = limit.map(|limit| limit.saturating_sub(begun.elapsed()));
        let most = if fd.is_some() { left } else { Some(left.unwrap_or(PAUSE).min(PAUSE)) };
        let rung = ready(fd.as_ref(), bell, most);
        if has_ended(pid) {
            return Waited::Ended;
        }
        if rung {
            return Waited::Rung;
        }
        if let Some(limit) = limit.filter(|limit| begun.elapsed() >= *limit) {
            return Waited::Late(limit);
        }
    }
}

/// Waits until something happens or the time is over; says whether the bell has rung.
fn ready(fd: Option<&OwnedFd>, bell: &Bell, most: Option<Duration>) -> bool {
    let mut all = [PollFd::new(&bell.0, PollFlags::IN), PollFd::new(&bell.0, PollFlags::IN)];
    if let Some(fd) = fd {
        all[1] = PollFd::from_borrowed_fd(fd.as_fd(), PollFlags::IN);
    }
    let most = most.and_then(|most| Timespec::try_from(most).ok());
    match poll(&mut all, most.as_ref()) {
        // A signal: the caller looks and comes again.
        Err(Errno::INTR) => false,
        // No memory: not at full speed.
        Err(_) => {
            std::thread::sleep(PAUSE);
            false
        }
        Ok(_) => !all[0].revents().is_empty(),
    }
}

fn has_ended(pid: Pid) -> bool {
    let options = WaitIdOptions::EXITED | WaitIdOptions::NOWAIT | WaitIdOptions::NOHANG;
    !matches!(waitid(WaitId::Pid(pid), options), Ok(None))
}

/// Sees to it that the ends of commands can be waited for.
///
/// Who started us may have ignored SIGCHLD, which is inherited, and the kernel then forgets how children
/// end. With a handler it does not, and what we start has the default again. Without need there is none:
/// it would be called for every command.
pub(super) fn unignore_ends() -> io::Result<()> {
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    if is_ignored(&status, SIGCHLD) {
        signal_hook::flag::register(SIGCHLD, Arc::new(AtomicBool::new(false)))?;
    }
    Ok(())
}

/// Whether a signal is ignored, as `/proc/self/status` tells.
fn is_ignored(status: &str, signal: i32) -> bool {
    let mask = status.lines().find_map(|line| line.strip_prefix("SigIgn:"));
    let mask = mask.and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok()).unwrap_or(0);
    mask >> (signal - 1) & 1 == 1
}

#[cfg(test)]
mod tests {
    use std::process::Command;

    use super::*;

    #[test]
    fn an_ignored_signal_is_known() {
        assert!(is_ignored("Name:\tx\nSigIgn:\t0000000000011000\n", SIGCHLD));
        assert!(!is_ignored("SigIgn:\t0000000000001000\nSigCgt:\t0000000000010000\n", SIGCHLD));
        assert!(!is_ignored("", SIGCHLD));
    }

    #[test]
    fn without_a_descriptor_the_end_is_seen_too() {
        let bell = Bell::new().unwrap();
        assert!(!ready(None, &bell, Some(Duration::ZERO)));
        bell.ring();
        assert!(ready(None, &bell, None));
        assert!(ready(None, &bell, None), "it goes on ringing");
    }

    #[test]
    fn the_first_of_the_three_counts() {
        let check = |seconds: &str, limit: Option<Duration>, rung: bool, want: Waited| {
            let bell = Bell::new().unwrap();
            if rung {
                bell.ring();
            }
            let mut child = Command::new("sleep").arg(seconds).spawn().unwrap();
            assert_eq!(wait(&child, &bell, limit), want);
            child.kill().unwrap();
            child.wait().unwrap();
        };
        let (short, long) = (Duration::from_millis(10), Duration::from_mins(10));
        check("0", None, false, Waited::Ended);
        check("0", Some(long), false, Waited::Ended);
        check("1000", Some(short), false, Waited::Late(short));
        check("1000", Some(Duration::ZERO), false, Waited::Late(Duration::ZERO));
        check("1000", None, true, Waited::Rung);
        check("1000", Some(Duration::ZERO), true, Waited::Rung);
    }
}
