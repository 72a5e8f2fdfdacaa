//! Waits for a command, and passes on to it what kills us meanwhile.
//!
//! SIGINT, SIGTERM and SIGHUP end us by default, and the command would live on, unheard. So while it
//! runs they are caught and passed on to its group; then we die of the same signal, as the shell
//! expects. What was ignored at the start (nohup(1)) stays ignored. What somebody else in this
//! process catches (`common::stop`, installed before the first command) is passed on too, but we do
//! not die of it: that is theirs to decide.
//!
//! A handler cannot be taken back, so when no command runs ours does what the default would.

use std::io::{self, ErrorKind, Read, Write};
use std::os::unix::net::UnixStream;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, OnceLock};
use std::thread;
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, WaitId, WaitIdOptions, waitid};
use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};
use signal_hook::{SigId, flag, low_level};

/// The byte for the end of the command; signals ring with another one.
const END: u8 = b'E';

/// What ended the waiting.
#[derive(Debug, Clone, Copy)]
pub(super) enum Event {
    /// The command ended and is to be waited for.
    Ended,
    /// The time is over.
    Late,
    /// This signal came.
    Signal(Signal),
}

/// Watches for signals until it is dropped.
pub(super) struct Watch {
    /// A byte arrives here with every signal and at the end of the command.
    bell: UnixStream,
    ringer: UnixStream,
    last: Arc<AtomicUsize>,
    actions: Vec<SigId>,
}

/// The signals whose default was in force when the first command began.
struct Taken {
    signals: Vec<i32>,
    /// True while no command runs: the default applies.
    idle: Arc<AtomicBool>,
}

static TAKEN: OnceLock<Taken> = OnceLock::new();

impl Watch {
    /// Begins to watch.
    ///
    /// # Errors
    /// When the system refuses a descriptor or a handler.
    pub(super) fn begin() -> io::Result<Self> {
        let (ignored, caught) = dispositions();
        let heard = [SIGINT, SIGTERM, SIGHUP].into_iter().filter(|signal| !has(ignored, *signal));
        let heard: Vec<i32> = heard.collect();
        let taken = take(heard.iter().copied().filter(|signal| !has(caught, *signal)).collect())?;
        let (bell, ringer) = UnixStream::pair()?;
        let mut watch = Self { bell, ringer, last: Arc::default(), actions: Vec::new() };
        // From here on dropping it puts the default back in force.
        taken.idle.store(false, Ordering::SeqCst);
        for signal in heard {
            // The number first: whoever hears the bell looks at it.
            let number = usize::try_from(signal).unwrap_or_default();
            watch.actions.push(flag::register_usize(signal, Arc::clone(&watch.last), number)?);
            watch.actions.push(low_level::pipe::register(signal, watch.ringer.try_clone()?)?);
        }
        Ok(watch)
    }

    /// Waits for the end of `child`, but not longer than `limit`.
    pub(super) fn wait(&self, child: Pid, limit: Duration) -> Event {
        let ringer = self.ringer.try_clone();
        let waiter = thread::Builder::new().spawn(move || {
            // Not reaped: until the group is no longer needed its number must stay taken.
            let options = WaitIdOptions::EXITED | WaitIdOptions::NOWAIT;
            let _ended = rustix::io::retry_on_intr(|| waitid(WaitId::Pid(child), options));
            let _nobody_listens = ringer.and_then(|mut ringer| ringer.write_all(&[END]));
        });
        if let Err(cause) = waiter {
            log::warn!("cannot start a thread, so a command is waited for until its deadline: {cause}");
        }
        self.listen(limit, false)
    }

    /// Waits for the end of the command alone, after [`Watch::wait`] has returned without it.
    pub(super) fn wait_for_end(&self, limit: Duration) {
        let _ended_or_late = self.listen(limit, true);
    }

    fn listen(&self, limit: Duration, end_only: bool) -> Event {
        let deadline = Instant::now().checked_add(limit);
        loop {
            let left = deadline.map_or(Duration::MAX, |end| end.saturating_duration_since(Instant::now()));
            if left.is_zero() {
                return Event::Late;
            }
            let mut byte = [0];
            // A time too long for setsockopt(2) is for ever.
            let heard = self.bell.set_read_timeout(Some(left)).and_then(|()| (&self.bell).read(&mut byte));
            match heard {
                Ok(_) if byte == [END] => return Event::Ended,
                Ok(_) if end_only => {}
                Ok(_) => {
                    let last = i32::try_from(self.last.load(Ordering::SeqCst)).unwrap_or(SIGTERM);
                    return Event::Signal(Signal::from_named_raw(last).unwrap_or(Signal::TERM));
                }
                Err(again) if matches!(again.kind(), ErrorKind::WouldBlock | ErrorKind::Interrupted) => {}
                Err(_) => return Event::Late,
            }
        }
    }
}

/// Dies of `signal` where that is its default; else returns.
pub(super) fn die_of(signal: Signal) {
    if TAKEN.get().is_some_and(|taken| taken.signals.contains(&signal.as_raw())) {
        let _returns_only_for_unknown_ones = low_level::emulate_default_handler(signal.as_raw());
    }
}

impl Drop for Watch {
    fn drop(&mut self) {
        for action in self.actions.drain(..) {
            low_level::unregister(action);
        }
        if let Some(taken) = TAKEN.get() {
            taken.idle.store(true, Ordering::SeqCst);
        }
    }
}

/// Handles `signals` in place of their default; the first call decides for the whole process.
fn take(signals: Vec<i32>) -> io::Result<&'static Taken> {
    if let Some(taken) = TAKEN.get() {
        return Ok(taken);
    }
    let idle = Arc::new(AtomicBool::new(true));
    for signal in &signals {
        flag::register_conditional_default(*signal, Arc::clone(&idle))?;
    }
    Ok(TAKEN.get_or_init(|| Taken { signals, idle }))
}

fn has(mask: u64, signal: i32) -> bool {
    mask >> (signal - 1) & 1 == 1
}

/// The signals that are ignored and those that are caught, as the bits of `/proc/self/status`; none
/// where it cannot be read. sigaction(2) would tell as well, but has no safe wrapper that only asks.
fn dispositions() -> (u64, u64) {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let mask = |name: &str| {
        let line = status.lines().find_map(|line| line.strip_prefix(name));
        line.and_then(|hex| u64::from_str_radix(hex.trim(), 16).ok()).unwrap_or_default()
    };
    (mask("SigIgn:"), mask("SigCgt:"))
}
