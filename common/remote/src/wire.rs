//! The connection below a session: waiting on it with a deadline, and cutting it from outside.

use std::collections::BTreeMap;
use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::net::{Shutdown, shutdown};

use crate::bounds::Deadline;

/// How often the watchdog looks. Whoever waits in poll(2) sees its own deadline to the millisecond;
/// this is for what never comes back to it.
const WATCH: Duration = Duration::from_millis(250);

/// For a connection that nobody waits for.
const NEVER: u64 = u64::MAX;

/// A connected socket.
pub(crate) struct Wire {
    socket: Arc<OwnedFd>,
    /// When the watchdog cuts it, in milliseconds since the watchdog began.
    cut_at: AtomicU64,
    was_cut: AtomicBool,
    is_over: AtomicBool,
}

impl Wire {
    /// Waits until the socket can be read, or written when `writes`.
    ///
    /// # Errors
    /// `TimedOut` when the deadline passed first.
    pub(crate) fn wait(&self, writes: bool, deadline: Deadline) -> io::Result<()> {
        wait_for(self.socket.as_fd(), writes, deadline)
    }

    /// The socket, to wait for it together with others.
    pub(crate) fn socket(&self) -> BorrowedFd<'_> {
        self.socket.as_fd()
    }

    /// Ends the connection in both directions: whoever reads or writes comes back at once.
    pub(crate) fn cut(&self) {
        self.is_over.store(true, Ordering::Release);
        // It fails when the other side was faster, which is as good.
        let _has_ended = shutdown(&self.socket, Shutdown::Both);
    }

    /// Whether anybody has cut it.
    pub(crate) fn is_over(&self) -> bool {
        self.is_over.load(Ordering::Acquire)
    }

    /// Whether the watchdog had to cut it.
    pub(crate) fn was_cut(&self) -> bool {
        self.was_cut.load(Ordering::Acquire)
    }
}

/// Waits until `socket` can be read, or written when `writes`.
///
/// # Errors
/// `TimedOut` when the deadline passed first.
pub(crate) fn wait_for(socket: BorrowedFd<'_>, writes: bool, deadline: Deadline) -> io::Result<()> {
    let mut flags = PollFlags::IN;
    flags.set(PollFlags::OUT, writes);
    loop {
        let left = deadline.left().ok_or(io::ErrorKind::TimedOut)?;
        let left = Timespec::try_from(left).map_err(|_| io::ErrorKind::TimedOut)?;
        match poll(&mut [PollFd::from_borrowed_fd(socket, flags)], Some(&left)) {
            Ok(0) | Err(rustix::io::Errno::INTR) => {}
            Ok(_) => return Ok(()),
            Err(error) => return Err(error.into()),
        }
    }
}

/// Cuts connections whose deadline has passed while the library was busy with them: libssh2 looks at
/// no clock as long as bytes keep coming.
#[derive(Clone)]
pub(crate) struct Watchdog {
    inner: Arc<Inner>,
}

struct Inner {
    begun: Instant,
    wires: Mutex<Wires>,
    bell: Condvar,
}

#[derive(Default)]
struct Wires {
    watched: BTreeMap<u64, Arc<Wire>>,
    next: u64,
    /// The thread is begun with the first connection and ends with the watchdog.
    is_awake: bool,
}

impl Watchdog {
    pub(crate) fn new() -> Self {
        let inner = Inner { begun: Instant::now(), wires: Mutex::default(), bell: Condvar::new() };
        Self { inner: Arc::new(inner) }
    }

    /// Takes `socket` under guard until the guard is dropped. It has no deadline yet.
    ///
    /// # Errors
    /// When the thread of the watchdog cannot be begun.
    pub(crate) fn guard(&self, socket: Arc<OwnedFd>) -> io::Result<Guarded> {
        let (was_cut, is_over) = (AtomicBool::new(false), AtomicBool::new(false));
        let wire = Wire { socket, cut_at: AtomicU64::new(NEVER), was_cut, is_over };
        let wire = Arc::new(wire);
        let mut wires = self.inner.lock();
        if !wires.is_awake {
            let inner = Arc::downgrade(&self.inner);
            let watch = move || {
                while let Some(inner) = inner.upgrade() {
                    inner.look();
                }
            };
            std::thread::Builder::new().name("watchdog".into()).stack_size(64 * 1024).spawn(watch)?;
            wires.is_awake = true;
        }
        let id = wires.next;
        wires.next += 1;
        let is_first = wires.watched.is_empty();
        wires.watched.insert(id, Arc::clone(&wire));
        drop(wires);
        if is_first {
            self.inner.bell.notify_all();
        }
        Ok(Guarded { wire, id, inner: Arc::clone(&self.inner) })
    }
}

impl Inner {
    fn lock(&self) -> MutexGuard<'_, Wires> {
        self.wires.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn now(&self) -> u64 {
        millis(self.begun.elapsed())
    }

    fn look(&self) {
        let wires = self.lock();
        let now = self.now();
        for wire in wires.watched.values().filter(|wire| wire.cut_at.load(Ordering::Acquire) <= now) {
            wire.was_cut.store(true, Ordering::Release);
            wire.cut_at.store(NEVER, Ordering::Release);
            wire.cut();
        }
        // With nothing to watch it is woken by the first connection, and sees now and then whether
        // the watchdog is still there.
        let pause = if wires.watched.is_empty() { Duration::from_secs(5) } else { WATCH };
        drop(self.bell.wait_timeout(wires, pause));
    }
}

fn millis(time: Duration) -> u64 {
    u64::try_from(time.as_millis()).unwrap_or(NEVER - 1)
}

/// A connection under the watchdog's eyes.
pub(crate) struct Guarded {
    pub(crate) wire: Arc<Wire>,
    id: u64,
    inner: Arc<Inner>,
}

impl Guarded {
    /// From here on the connection is cut when `deadline` has passed; `None`: it never is.
    pub(crate) fn set(&self, deadline: Option<Deadline>) {
        // Who waits in poll(2) is faster and says it better: the watchdog comes second.
        let at = deadline.map_or(NEVER, |deadline| {
            millis(deadline.at.saturating_duration_since(self.inner.begun)).saturating_add(100)
        });
        self.wire.cut_at.store(at, Ordering::Release);
    }
}

impl Drop for Guarded {
    fn drop(&mut self) {
        self.inner.lock().watched.remove(&self.id);
    }
}
