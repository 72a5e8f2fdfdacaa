//! The signals that reach runjob while COMMAND runs.
//!
//! They are blocked and read from a descriptor, so that one loop waits for them, for the output and for
//! the time, and knows where one came from. COMMAND inherits the mask that runjob was started with: while it
//! is started that one holds again, and handlers remember what arrives. What runjob was started to ignore,
//! as nohup(1) does, COMMAND ignores too.

use std::fs;
use std::os::fd::{AsFd, BorrowedFd};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use common::{Error, Result};
use nix::sys::signal::{SigSet, SigmaskHow, Signal};
use nix::sys::signalfd::{SfdFlags, SignalFd};
use signal_hook::SigId;

/// What asks a process to end.
const STOPS: [Signal; 4] = [Signal::SIGTERM, Signal::SIGINT, Signal::SIGHUP, Signal::SIGQUIT];

/// What means something to many commands, and would end runjob alone.
const OTHERS: [Signal; 2] = [Signal::SIGUSR1, Signal::SIGUSR2];

/// `si_code` of what the kernel sends by itself (`SI_KERNEL` of sigaction(2)): Ctrl-C, or a terminal that
/// went away.
const BY_KERNEL: i32 = 0x80;

/// A signal that has arrived.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Arrived {
    pub(crate) signal: Signal,
    /// It came from the terminal, and so to the whole process group.
    pub(crate) to_group: bool,
}

impl Arrived {
    /// Whether it asks for the end.
    pub(crate) fn is_stop(self) -> bool {
        STOPS.contains(&self.signal)
    }
}

/// All that arrives.
#[derive(Debug)]
pub(crate) struct Signals {
    descriptor: SignalFd,
    blocked: SigSet,
    /// The mask that runjob was started with.
    before: SigSet,
    /// Those that arrived while COMMAND was started.
    missed: Vec<(Signal, Arc<AtomicBool>)>,
}

impl Signals {
    /// From here on signals wait to be read, that of the end of a child included.
    ///
    /// # Errors
    /// When the system refuses a descriptor or a handler; then nothing is blocked.
    pub(crate) fn collect() -> Result<Self> {
        // Without /proc nothing is taken to be ignored: to pass a signal on to who ignores it does no harm.
        let ignored = ignored(&fs::read("/proc/self/stat").unwrap_or_default());
        let mut missed = Vec::new();
        for signal in STOPS.into_iter().chain(OTHERS).filter(|one| !is_in(ignored, *one)) {
            missed.push((signal, caught(signal)?));
        }
        if is_in(ignored, Signal::SIGCHLD) {
            // The kernel forgets how children end whose parent ignores that.
            caught(Signal::SIGCHLD)?;
        }
        if !is_in(ignored, Signal::SIGXFSZ) {
            // A file that may not grow is to us as a disk that is full: the write fails, and says so.
            caught(Signal::SIGXFSZ)?;
        }
        let mut blocked: SigSet = missed.iter().map(|(signal, _)| *signal).collect();
        blocked.add(Signal::SIGCHLD);
        let descriptor = SignalFd::with_flags(&blocked, SfdFlags::SFD_CLOEXEC | SfdFlags::SFD_NONBLOCK);
        let descriptor = descriptor.map_err(cannot)?;
        let before = blocked.thread_swap_mask(SigmaskHow::SIG_BLOCK).map_err(cannot)?;
        Ok(Self { descriptor, blocked, before, missed })
    }

    /// Calls `start` with the mask that a child is to inherit. Children that end meanwhile wake nobody
    /// afterwards.
    ///
    /// # Errors
    /// When the mask cannot be had.
    pub(crate) fn unblocked<T>(&self, start: impl FnOnce() -> T) -> Result<T> {
        self.before.thread_set_mask().map_err(cannot)?;
        let started = start();
        self.blocked.thread_block().map_err(cannot)?;
        Ok(started)
    }

    /// The next one that has arrived; the end of a child is none, it only wakes who waits.
    pub(crate) fn next(&self) -> Option<Arrived> {
        let missed = self.missed.iter().find(|(_, flag)| flag.swap(false, Ordering::SeqCst));
        if let Some((signal, _)) = missed {
            return Some(Arrived { signal: *signal, to_group: false });
        }
        loop {
            let read = self.descriptor.read_signal().ok()??;
            let signal =
                i32::try_from(read.ssi_signo).ok().and_then(|number| Signal::try_from(number).ok())?;
            if signal != Signal::SIGCHLD {
                return Some(Arrived { signal, to_group: read.ssi_code == BY_KERNEL });
            }
        }
    }
}

impl AsFd for Signals {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.descriptor.as_fd()
    }
}

/// The first process of a container before it collects signals: none ends it that it does not catch
/// (`pid_namespaces(7)`). All others die of them, which is as it should be.
#[derive(Debug)]
pub(crate) struct Unkillable(Vec<(Signal, SigId, Arc<AtomicBool>)>);

impl Unkillable {
    /// From here on what asks for the end is remembered; none: this is no such process.
    pub(crate) fn listen() -> Option<Self> {
        if std::process::id() != 1 {
            return None;
        }
        let flags = STOPS.map(|signal| {
            let flag = Arc::new(AtomicBool::new(false));
            let id = signal_hook::flag::register(signal as i32, Arc::clone(&flag)).ok()?;
            Some((signal, id, flag))
        });
        Some(Self(flags.into_iter().flatten().collect()))
    }

    /// The signal that asked for the end.
    pub(crate) fn signal(&self) -> Option<u8> {
        let asked = self.0.iter().find(|(.., flag)| flag.load(Ordering::SeqCst));
        asked.and_then(|(signal, ..)| u8::try_from(*signal as i32).ok())
    }
}

impl Drop for Unkillable {
    fn drop(&mut self) {
        for (_, id, _) in &self.0 {
            signal_hook::low_level::unregister(*id);
        }
    }
}

fn cannot(cause: impl Into<std::io::Error>) -> Error {
    Error::failed("cannot listen for signals").because(cause.into())
}

/// A flag that is set when the signal arrives while it is not blocked.
fn caught(signal: Signal) -> Result<Arc<AtomicBool>> {
    let flag = Arc::new(AtomicBool::new(false));
    signal_hook::flag::register(signal as i32, Arc::clone(&flag)).map_err(cannot)?;
    Ok(flag)
}

/// The first 31 signals that a process ignores, a bit each, from `/proc/PID/stat`.
fn ignored(stat: &[u8]) -> u64 {
    let end = stat.iter().rposition(|byte| *byte == b')').map_or(0, |end| end + 1);
    let rest = stat.get(end..).and_then(|rest| std::str::from_utf8(rest).ok()).unwrap_or_default();
    // Field 33 of proc(5); the first one here is its field 3.
    rest.split_ascii_whitespace().nth(30).and_then(|mask| mask.parse().ok()).unwrap_or(0)
}

fn is_in(mask: u64, signal: Signal) -> bool {
    mask >> (signal as i32 - 1) & 1 == 1
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_ignored_signal_is_known() {
        let stat = |mask: u32| format!("7 (a) 1) S {}{mask} 0 0", "0 ".repeat(29));
        let check = |mask: u32, signal, want| {
            assert_eq!(is_in(ignored(stat(mask).as_bytes()), signal), want, "{mask:#x}");
        };
        check(0x0001_0000, Signal::SIGCHLD, true);
        check(0x0001_0000, Signal::SIGHUP, false);
        check(1, Signal::SIGHUP, true);
        check(0, Signal::SIGTERM, false);
        assert_eq!(ignored(b"7 (torn"), 0);
        assert_eq!(ignored(b""), 0);
    }

    #[test]
    fn the_field_is_that_of_proc() {
        // Rust ignores SIGPIPE from the start, and nothing else.
        let own = ignored(&fs::read("/proc/self/stat").unwrap());
        assert!(is_in(own, Signal::SIGPIPE));
        assert!(!is_in(own, Signal::SIGTERM));
    }
}
