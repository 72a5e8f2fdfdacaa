//! What the service manager and whoever sends signals are told, and what they tell.
//!
//! Without a service manager (no `$NOTIFY_SOCKET`) nothing is told, and nothing fails.
//!
//! SIGHUP is not announced as `RELOADING=1`: nothing is configured anew and the watcher stays ready,
//! while a pass over large folders may take longer than the service manager waits for a reload.

use std::cell::{Cell, RefCell};
use std::io::{self, Read};
use std::os::unix::net::UnixStream;
use std::time::{Duration, Instant};

use common::{Error, Result, stop};
use sd_notify::NotifyState;
use signal_hook::consts::SIGHUP;
use signal_hook::low_level::pipe;

use crate::message::Message;
use crate::post::Post;

/// What the service manager has put into the environment for this process alone. A command that
/// inherits it could speak in the name of the watcher, so whoever starts one takes these out.
pub(crate) const OWN_VARIABLES: [&str; 3] = ["NOTIFY_SOCKET", "WATCHDOG_PID", "WATCHDOG_USEC"];

/// How long the thread that waits for a stop sleeps at a time; a signal wakes it at once.
const NAP: Duration = Duration::from_secs(3_600);

/// A second signal within this time is the first one, told to us and then to our group.
const ONCE: Duration = Duration::from_millis(500);

/// The line to the service manager, for the one thread that decides: when that hangs, the watchdog
/// is to bite.
#[derive(Debug)]
pub(crate) struct Service {
    /// How long the service manager waits for a sign of life.
    patience: Option<Duration>,
    last_alive: Cell<Option<Instant>>,
    last_status: RefCell<String>,
    /// Whether it was said that the service manager cannot be reached.
    is_deaf: Cell<bool>,
}

impl Service {
    /// From here on SIGTERM and SIGINT become [`Message::Stop`], once, and SIGHUP becomes
    /// [`Message::Hangup`]. A second SIGTERM or SIGINT ends the process at once. Nobody else may call
    /// [`stop::wait`].
    ///
    /// # Errors
    /// When the system refuses a handler or a thread.
    pub(crate) fn start(messages: Post) -> Result<Self> {
        stop::install_patiently()?;
        let cannot = |cause: std::io::Error| Error::failed("cannot listen for signals").because(cause);
        // Not the iterator of signal-hook, which panics where its pipe cannot be read.
        let (mut hangups, ringer) = UnixStream::pair().map_err(cannot)?;
        pipe::register(SIGHUP, ringer).map_err(cannot)?;
        let stops = messages.clone();
        spawn("stop", move || {
            while !stop::wait(NAP) {}
            // Whoever has ended needs no telling.
            let _ended = stops.send(Message::Stop);
            std::thread::sleep(ONCE);
            stop::insist();
        })?;
        spawn("hangup", move || {
            loop {
                match hangups.read(&mut [0; 1]) {
                    Ok(0) => return,
                    Ok(_) if !messages.send(Message::Hangup) => return,
                    Ok(_) => {}
                    Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                    Err(_) => std::thread::sleep(ONCE),
                }
            }
        })?;
        Ok(Self::over(sd_notify::watchdog_enabled()))
    }

    fn over(patience: Option<Duration>) -> Self {
        Self {
            patience: patience.filter(|patience| !patience.is_zero()),
            last_alive: Cell::new(None),
            last_status: RefCell::default(),
            is_deaf: Cell::new(false),
        }
    }

    /// Everything is in place: what comes from here on is not missed.
    pub(crate) fn ready(&self) {
        self.tell(&[NotifyState::Ready]);
    }

    /// What the watcher is at, in one line for `systemctl status`. Told only when it has changed;
    /// still, to be called about once a second and not for each file.
    pub(crate) fn status(&self, text: &str) {
        if *self.last_status.borrow() != text {
            text.clone_into(&mut self.last_status.borrow_mut());
            self.tell(&[NotifyState::Status(&common::log::escape(text))]);
        }
    }

    /// How often [`Service::alive`] is to be called at least; `None` where nobody waits for it.
    #[must_use]
    pub(crate) fn watchdog_interval(&self) -> Option<Duration> {
        self.patience.map(|patience| patience / 3)
    }

    /// A sign of life. May be called as often as one likes: it is passed on only now and then.
    pub(crate) fn alive(&self) {
        let Some(patience) = self.patience else { return };
        // Below the interval: a call at every interval is then always passed on, also one that comes
        // a little early.
        let is_recent = |last: Instant| last.elapsed() < patience / 4;
        if !self.last_alive.get().is_some_and(is_recent) {
            self.last_alive.set(Some(Instant::now()));
            self.tell(&[NotifyState::Watchdog]);
        }
    }

    /// Nothing new is taken from here on. `most` is how long the end may take: the service manager
    /// waits that long even when its own `TimeoutStopSec` is shorter.
    pub(crate) fn stopping(&self, most: Duration) {
        // The crate's own word for it ends at 71 minutes.
        let most = format!("EXTEND_TIMEOUT_USEC={}", most.as_micros());
        self.tell(&[NotifyState::Stopping, NotifyState::Custom(&most)]);
    }

    fn tell(&self, news: &[NotifyState<'_>]) {
        let Err(cause) = sd_notify::notify(news) else { return };
        if !self.is_deaf.replace(true) {
            log::warn!("cannot tell the service manager: {cause}");
        }
    }
}

fn spawn(name: &str, run: impl FnOnce() + Send + 'static) -> Result<()> {
    let builder = std::thread::Builder::new().name(name.into()).stack_size(64 * 1024);
    builder.spawn(run).map(drop).map_err(|cause| Error::failed("cannot start a thread").because(cause))
}

#[cfg(test)]
mod tests {
    use std::os::unix::net::UnixDatagram;
    use std::process::Command;

    use rustix::process::{Signal, getpid, kill_process};

    use super::*;

    /// What is read within a moment; empty when nothing came.
    fn next(socket: &UnixDatagram) -> String {
        let mut bytes = [0; 4096];
        let length = socket.recv(&mut bytes).unwrap_or(0);
        String::from_utf8_lossy(&bytes[..length]).into_owned()
    }

    /// The body of [`a_service_manager_is_told`], in a process whose environment has the socket.
    #[test]
    #[ignore = "another test runs it with the environment that it needs"]
    fn talk() {
        let (sender, messages) = crate::post::open().unwrap();
        let service = Service::start(sender).unwrap();
        assert_eq!(service.watchdog_interval(), Some(Duration::from_secs(100)));
        service.ready();
        service.status("3 files\nwait");
        service.status("3 files\nwait");
        service.alive();
        service.alive();
        kill_process(getpid(), Signal::HUP).unwrap();
        assert!(matches!(messages.next_within(Duration::from_secs(60)).unwrap(), Message::Hangup));
        kill_process(getpid(), Signal::TERM).unwrap();
        assert!(matches!(messages.next_within(Duration::from_secs(60)).unwrap(), Message::Stop));
        service.stopping(Duration::from_secs(9000));
    }

    #[test]
    fn a_service_manager_is_told() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("notify");
        let socket = UnixDatagram::bind(&path).unwrap();
        socket.set_read_timeout(Some(Duration::from_secs(10))).unwrap();
        let mut child = Command::new(std::env::current_exe().unwrap());
        child.args(["--exact", "service::tests::talk", "--ignored"]);
        child.env("NOTIFY_SOCKET", &path).env("WATCHDOG_USEC", "300000000").env_remove("WATCHDOG_PID");
        let output = child.output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stdout));
        assert_eq!(next(&socket), "READY=1\n");
        assert_eq!(next(&socket), "STATUS=3 files\\nwait\n");
        assert_eq!(next(&socket), "WATCHDOG=1\n");
        assert_eq!(next(&socket), "STOPPING=1\nEXTEND_TIMEOUT_USEC=9000000000\n");
        socket.set_nonblocking(true).unwrap();
        assert_eq!(next(&socket), "");
    }

    #[test]
    fn without_a_watchdog_there_is_no_interval() {
        assert_eq!(Service::over(None).watchdog_interval(), None);
        assert_eq!(Service::over(Some(Duration::ZERO)).watchdog_interval(), None);
        let third = Service::over(Some(Duration::from_secs(30))).watchdog_interval();
        assert_eq!(third, Some(Duration::from_secs(10)));
    }
}
