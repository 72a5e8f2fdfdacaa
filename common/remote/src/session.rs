//! One SSH session: connect, verify the host, log in, run commands.

use std::io::{self, ErrorKind, Read};
use std::os::fd::{AsFd, AsRawFd, OwnedFd, RawFd};
use std::os::unix::net::UnixStream;
use std::sync::Arc;
use std::time::{Duration, Instant};

use rustix::io::{Errno, dup2};
use ssh2::{BlockDirections, ErrorCode, MethodType};

use crate::auth;
use crate::bounds::{Bounds, Deadline};
use crate::command::{Command, Output};
use crate::failure::{Class, Failure, Phase};
use crate::forward::{Closing, lock};
use crate::known_hosts::{KnownHosts, Peer};
use crate::reach::Reach;
use crate::target::Target;
use crate::trouble::{self, Trouble};
use crate::wire::Guarded;
use crate::{greeting, offers};

mod exchange;
mod feed;

/// `LIBSSH2_ERROR_EAGAIN`.
pub(crate) const AGAIN: ErrorCode = ErrorCode::Session(-37);

/// Whether the same call is to be made again later: [`AGAIN`] as the library's streams say it, too.
pub(crate) fn is_later(error: &io::Error) -> bool {
    matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::Interrupted)
}

/// How long the phases of opening a session took, all attempts together.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Took {
    /// Looking up the address.
    pub resolve: Duration,
    /// Connecting, also through other hosts.
    pub connect: Duration,
    /// Greetings, key exchange and host key.
    pub handshake: Duration,
    /// Logging in.
    pub auth: Duration,
}

/// What came of one command.
#[derive(Debug)]
pub struct Answer {
    /// Its status, or why it did not come to an end.
    pub ended: Result<i32, Failure>,
    /// Whether the command may have begun there: one that was never sent can be asked for again.
    pub was_sent: bool,
    /// Whether the shell there has begun: what ends before that is not the command, but who was to run it.
    pub has_begun: bool,
    /// What it printed between the marks, as far as it came.
    pub stdout: Vec<u8>,
    /// The first 4 kB of its standard error.
    pub stderr: Vec<u8>,
    /// How long it took, from asking for it to the end of its output.
    pub took: Duration,
}

/// A session that is logged in.
pub struct Session {
    ssh: ssh2::Session,
    pub(crate) guarded: Arc<Guarded>,
    /// The channels that are over, until the far side has confirmed their end.
    pub(crate) closing: Closing,
    /// The channel of a shell that waits for its next script.
    coprocess: Option<ssh2::Channel>,
    /// What the key is called that it was logged in with.
    key: Option<String>,
}

/// The number of the socket that stands in for the connection, and outlives it.
struct Number(RawFd);

impl AsRawFd for Number {
    fn as_raw_fd(&self) -> RawFd {
        self.0
    }
}

impl Session {
    /// Opens a session on `socket`, which is connected and does not block: greets, exchanges keys,
    /// verifies the host and logs in, all before `end`.
    ///
    /// # Errors
    /// A failure of the phase in which it ended; the connection is closed then.
    pub(crate) fn begin(
        socket: OwnedFd,
        target: &Target,
        reach: &Reach,
        (end, took): (Instant, &mut Took),
    ) -> Result<Self, Failure> {
        let mut session = timed(&mut took.handshake, || {
            let deadline = Deadline::of(Phase::Handshake, &reach.bounds, end);
            let known = reach.known_hosts(&target.trust)?;
            let session = Self::greet(socket, target, (reach, &known), deadline)?;
            session.verify(target, &known).map(|()| session)
        })?;
        session.key = timed(&mut took.auth, || {
            let deadline = Deadline::of(Phase::Auth, &reach.bounds, end);
            session.guarded.set(Some(deadline));
            session.log_in(target, reach, deadline)
        })?;
        session.guarded.set(None);
        Ok(session)
    }

    /// Greetings and key exchange.
    fn greet(
        socket: OwnedFd,
        target: &Target,
        (reach, known): (&Reach, &KnownHosts),
        deadline: Deadline,
    ) -> Result<Self, Failure> {
        let local = |what: &str| {
            Failure::new(Class::Lost, Phase::Handshake, format!("cannot begin a session: {what}"))
        };
        // Made first, so that it is closed last: also at its end the library sets a flag of it, and its
        // number may be another host's as soon as it is closed.
        let (stand_in, ours) = UnixStream::pair().map_err(|error| local(&error.to_string()))?;
        let mut place = OwnedFd::from(stand_in);
        let mut ssh = ssh2::Session::new().map_err(|error| local(error.message()))?;
        let algorithms = known.algorithms(peer(target));
        if !algorithms.is_empty() {
            ssh.method_pref(MethodType::HostKey, &algorithms.join(","))
                .map_err(|error| local(error.message()))?;
        }
        ssh.set_blocking(false);

        // The library sends its greeting and then reads that of the other side, in one call and
        // without bounds. So it greets a socket of ours first; what it said goes out at once, the
        // other side's lines are looked at here, and then the connection takes that socket's place.
        ssh.set_tcp_stream(Number(place.as_raw_fd()));
        match ssh.handshake() {
            Err(error) if error.code() == AGAIN => {}
            other => return Err(local(other.err().map_or("no greeting".into(), |e| e.to_string()).as_str())),
        }
        send_greeting(&ours, &socket).map_err(|error| trouble::at_greeting(&error))?;
        greeting::pass_over(socket.as_fd(), deadline)?;
        dup2(&socket, &mut place).map_err(|error| local(&error.to_string()))?;
        drop(socket);

        // Channels keep the library's session, and that the socket, whatever is dropped first.
        let place = Arc::new(place);
        ssh.set_tcp_stream(Arc::clone(&place));
        let guarded = reach.watchdog.guard(place).map_err(|error| local(&error.to_string()))?;
        let guarded = Arc::new(guarded);
        guarded.set(Some(deadline));
        let session = Self { ssh, guarded, closing: Closing::default(), coprocess: None, key: None };
        let mut ssh = session.ssh.clone();
        match session.until(deadline, || ssh.handshake()) {
            Ok(()) => Ok(session),
            Err(trouble) => {
                drop(ssh);
                session.cut();
                Err(trouble::at_handshake(&trouble, deadline, || offers::of(target, reach, &algorithms)))
            }
        }
    }

    fn verify(&self, target: &Target, known: &KnownHosts) -> Result<(), Failure> {
        let Some((key, _)) = self.ssh.host_key() else {
            return Err(Failure::new(Class::Hostkey, Phase::Handshake, "it showed no host key"));
        };
        crate::hostkey::verify(known, peer(target), key, target.trust.accepts_new)
    }

    fn log_in(&self, target: &Target, reach: &Reach, deadline: Deadline) -> Result<Option<String>, Failure> {
        let attempt = auth::Attempt { user: &target.user, login: &target.login, ring: &reach.ring };
        auth::log_in(&self.ssh, &attempt, &Patient { session: self, deadline })
    }

    /// Repeats `call` until it no longer asks to be called again.
    pub(crate) fn until<T>(
        &self,
        deadline: Deadline,
        mut call: impl FnMut() -> Result<T, ssh2::Error>,
    ) -> Result<T, Trouble> {
        loop {
            match call() {
                Err(error) if error.code() == AGAIN => self.wait(deadline)?,
                Err(_) if self.guarded.wire.was_cut() => return Err(Trouble::Late),
                other => return other.map_err(Trouble::Ssh),
            }
        }
    }

    fn wait(&self, deadline: Deadline) -> Result<(), Trouble> {
        let writes = matches!(self.ssh.block_directions(), BlockDirections::Outbound | BlockDirections::Both);
        self.guarded.wire.wait(writes, deadline).map_err(|_| Trouble::Late)
    }

    /// What the key is called that opened this session: its file, or the name of a key in memory.
    /// `None` when the host lets everybody in.
    #[must_use]
    pub fn key(&self) -> Option<&str> {
        self.key.as_deref()
    }

    /// Runs `command`, gives it its input and reads its output until its end mark, at most until `end`.
    /// After a failure the session is of no more use.
    pub fn run(&mut self, command: &Command, bounds: &Bounds, end: Instant) -> Answer {
        let begun = Instant::now();
        let deadline = Deadline::of(Phase::Command, bounds, end);
        self.guarded.set(Some(deadline));
        let mut output = Output::default();
        let mut stderr = Vec::new();
        let ended = self.exchange(command, bounds.max_output, deadline, (&mut output, &mut stderr));
        self.guarded.set(None);
        let took = begun.elapsed();
        if ended.is_err() {
            self.cut();
        }
        let (was_sent, has_begun) = (output.was_asked_for, output.has_begun);
        Answer { ended, was_sent, has_begun, stdout: output.into_bytes(), stderr, took }
    }

    /// Whether it has ended by itself or was ended after a failure: it is of no more use. A host that has
    /// gone without a word is not noticed before something is asked of it.
    #[must_use]
    pub fn is_over(&self) -> bool {
        self.guarded.wire.is_over()
    }

    pub(crate) fn ssh(&self) -> &ssh2::Session {
        &self.ssh
    }

    pub(crate) fn cut(&self) {
        self.guarded.wire.cut();
    }
}

impl Drop for Session {
    fn drop(&mut self) {
        // sshd logs a goodbye as one, and a bare end as a fault. It is written at once or not at all.
        let _is_said = self.ssh.disconnect(None, "done", None);
        // The library frees a session only when its channels need no more writing or reading.
        self.cut();
        self.coprocess = None;
        lock(&self.closing).clear();
    }
}

/// Does `work` and adds how long that took, however it ends.
pub(crate) fn timed<T>(took: &mut Duration, work: impl FnOnce() -> T) -> T {
    let begun = Instant::now();
    let done = work();
    *took += begun.elapsed();
    done
}

/// Patience for one phase: what [`auth`] repeats its calls with.
struct Patient<'a> {
    session: &'a Session,
    deadline: Deadline,
}

impl auth::Patience for Patient<'_> {
    fn until<T>(&self, call: impl FnMut() -> Result<T, ssh2::Error>) -> Result<T, Trouble> {
        self.session.until(self.deadline, call)
    }

    fn bound(&self) -> Duration {
        self.deadline.whole
    }
}

/// What the library said to `from` goes to `to`. It is some 30 bytes, and the socket is new.
fn send_greeting(from: &UnixStream, to: &OwnedFd) -> std::io::Result<()> {
    let mut greeting = [0; 256];
    let count = { from }.read(&mut greeting)?;
    let mut rest = &greeting[..count];
    while !rest.is_empty() {
        match rustix::io::write(to, rest) {
            Ok(written) => rest = &rest[written..],
            Err(Errno::INTR) => {}
            Err(error) => return Err(error.into()),
        }
    }
    Ok(())
}

/// What the host is known by. An alias is looked up without a port, as ssh(1) does it.
fn peer(target: &Target) -> Peer<'_> {
    match &target.key_alias {
        Some(alias) => Peer { host: alias, port: 22 },
        None => Peer { host: &target.address, port: target.port },
    }
}
