//! SIGINT and SIGTERM as a flag, for what runs on or has something to put back.
//!
//! A one-shot tool with nothing to undo does not install this: the default disposition kills it,
//! and whatever it replaces is replaced whole. Whoever installs it must come back to
//! [`requested`] or [`wait`] within a moment. The second signal of either kind kills at once.

use std::io::Read;
use std::os::unix::net::UnixStream;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::time::Duration;

use signal_hook::consts::{SIGINT, SIGTERM};
use signal_hook::{flag, low_level};

use crate::error::{Error, Result};

struct Stop {
    asked: Arc<AtomicBool>,
    /// Whether the next signal kills.
    insisted: Arc<AtomicBool>,
    /// The number of the last signal; 0 before the first.
    last: Arc<AtomicUsize>,
    /// A byte arrives here with every signal, so that [`wait`] wakes at once.
    bell: Mutex<UnixStream>,
}

static STOP: OnceLock<Stop> = OnceLock::new();

/// From here on SIGINT and SIGTERM set the flag; the second one kills with the status of that
/// signal (130, 143).
///
/// # Errors
/// When the system refuses a descriptor or a handler; nothing is installed then that matters.
pub fn install() -> Result<()> {
    install_as(true)
}

/// As [`install`], but a second signal is the first one told twice until [`insist`] is called.
/// timeout(1) signals its child, and then the group that the child is in.
///
/// # Errors
/// As [`install`].
pub fn install_patiently() -> Result<()> {
    install_as(false)
}

/// After [`install_patiently`]: from here on the next signal kills.
pub fn insist() {
    if let Some(stop) = STOP.get() {
        stop.insisted.store(true, Ordering::SeqCst);
    }
}

fn install_as(insists: bool) -> Result<()> {
    if STOP.get().is_some() {
        return Ok(());
    }
    let asked = Arc::new(AtomicBool::new(false));
    let insisted = if insists { Arc::clone(&asked) } else { Arc::default() };
    let last = Arc::new(AtomicUsize::new(0));
    let cannot = |cause: std::io::Error| Error::failed("cannot listen for signals").because(cause);
    let (bell, ringer) = UnixStream::pair().map_err(cannot)?;
    for signal in [SIGINT, SIGTERM] {
        // The order matters: this handler looks at the flag before the next one sets it.
        flag::register_conditional_shutdown(signal, 128 + signal, Arc::clone(&insisted)).map_err(cannot)?;
        let number = usize::try_from(signal).unwrap_or_default();
        flag::register_usize(signal, Arc::clone(&last), number).map_err(cannot)?;
        flag::register(signal, Arc::clone(&asked)).map_err(cannot)?;
        low_level::pipe::register(signal, ringer.try_clone().map_err(cannot)?).map_err(cannot)?;
    }
    STOP.get_or_init(|| Stop { asked, insisted, last, bell: Mutex::new(bell) });
    Ok(())
}

/// Whether a stop was asked for. Always false before [`install`].
#[must_use]
pub fn requested() -> bool {
    STOP.get().is_some_and(|stop| stop.asked.load(Ordering::SeqCst))
}

/// The signal that asked for a stop: `SIGINT` or `SIGTERM`.
#[must_use]
pub fn signal() -> Option<i32> {
    let last = STOP.get()?.last.load(Ordering::SeqCst);
    i32::try_from(last).ok().filter(|&signal| signal != 0)
}

/// Dies of the signal that asked for a stop, as if it had never been caught: a shell that runs a loop
/// ends it only when the command was killed by Ctrl-C. Returns when no stop was asked for.
pub(crate) fn die() {
    if let Some(signal) = signal() {
        let _returns_only_for_unknown_ones = low_level::emulate_default_handler(signal);
    }
}

/// Dies of `signal`, be it caught, blocked or ignored. Returns when that is not to be had, as of real-time
/// signals.
pub(crate) fn die_of(signal: i32) {
    let _returns_only_for_unknown_ones = low_level::emulate_default_handler(signal);
}

/// Sleeps for `time`, or until a stop is asked for; says whether one was.
#[must_use]
pub fn wait(time: Duration) -> bool {
    let Some(stop) = STOP.get() else {
        std::thread::sleep(time);
        return false;
    };
    // A zero timeout means "for ever" to setsockopt(2), so the shortest wait is a microsecond.
    let time = time.max(Duration::from_micros(1));
    let mut bell = stop.bell.lock().unwrap_or_else(PoisonError::into_inner);
    if !requested() && bell.set_read_timeout(Some(time)).is_ok() {
        let _woken_or_timed_out = bell.read(&mut [0; 1]);
    }
    requested()
}
