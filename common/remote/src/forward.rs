//! A TCP connection that the host makes, through the session's own, as `ssh -L` does it; and one that
//! is made from here.

use std::fmt::{self, Debug, Formatter};
use std::io::{self, ErrorKind, Read, Write};
use std::net::TcpStream;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use ssh2::{BlockDirections, Channel};

use crate::bounds::{Deadline, told};
use crate::connect;
use crate::failure::{Class, Failure, Phase};
use crate::session::{AGAIN, Session, is_later};
use crate::trouble::Trouble;
use crate::wire::Guarded;

/// The watchdog cuts the whole session only when the library has not come back so long after the deadline:
/// a stream that is late by itself is closed, and the session goes on.
const GRACE: Duration = Duration::from_secs(2);

/// Channels whose end the far side has not confirmed yet.
pub(crate) type Closing = Arc<Mutex<Vec<Channel>>>;

/// A TCP connection from the host to somewhere else: what is written here goes there.
///
/// Reading and writing wait until the deadline and fail with `TimedOut` then. `ConnectionAborted` says that
/// it was the session that ended, not the stream. It is closed when it is dropped; the session can run
/// commands before and after that.
pub struct Forwarded {
    channel: Channel,
    ssh: ssh2::Session,
    guarded: Arc<Guarded>,
    closing: Closing,
    deadline: Deadline,
}

impl Debug for Forwarded {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.debug_struct("Forwarded").finish_non_exhaustive()
    }
}

impl Session {
    /// Has the host connect to `host`, a name that it can look up or an address without brackets, and
    /// `port`. That, and all that is read and written, has to be done `within` so long.
    ///
    /// # Errors
    /// By its class: `Refused` when nothing there takes a connection, or the name has no address;
    /// `Config` when the host does not forward to there (`AllowTcpForwarding`, `PermitOpen`, options of the
    /// key). The session goes on after these. `Timeout` when there was no answer in time, and `Lost`
    /// when the session has ended: [`Session::is_over`] then, since the library gives up no opening.
    pub fn forward(&mut self, host: &str, port: u16, within: Duration) -> Result<Forwarded, Failure> {
        let place = if host.contains(':') { format!("[{host}]:{port}") } else { format!("{host}:{port}") };
        if host.contains('\0') {
            return Err(failure(Class::Config, "the name to forward to has a zero byte"));
        }
        let deadline = from_now(within);
        self.guarded.set(Some(late(deadline)));
        let opened = self.confirm_closing(deadline).and_then(|()| {
            let open = || self.ssh().channel_direct_tcpip(host, port, None);
            self.until(deadline, open).map_err(|trouble| self.not_opened(&trouble, &place, deadline))
        });
        match opened {
            Ok(channel) => Ok(Forwarded {
                channel,
                ssh: self.ssh().clone(),
                guarded: Arc::clone(&self.guarded),
                closing: Arc::clone(&self.closing),
                deadline,
            }),
            Err(failure) => {
                self.guarded.set(None);
                Err(failure)
            }
        }
    }

    fn not_opened(&self, trouble: &Trouble, place: &str, deadline: Deadline) -> Failure {
        // LIBSSH2_ERROR_CHANNEL_FAILURE, and of the reason in the packet only the library's words for it.
        if let Trouble::Ssh(error) = trouble
            && trouble.code() == -21
        {
            return match error.message() {
                words if words.contains("connect failed") => {
                    failure(Class::Refused, format!("nothing there takes a connection at {place}"))
                }
                words if words.contains("resource shortage") => {
                    failure(Class::Command, "it has no room for one more forwarded connection")
                }
                _ => failure(Class::Config, format!("it forwards no connection to {place}")),
            };
        }
        // LIBSSH2_ERROR_TIMEOUT: the library's own patience, after which it does give an opening up.
        if trouble.code() == -9 {
            return silent(place, deadline);
        }
        self.cut();
        if matches!(trouble, Trouble::Late) {
            return silent(place, deadline);
        }
        failure(Class::Lost, format!("the connection ended before it had one to {place}"))
    }
}

/// Connects from here to `host`, a name or an address without brackets, and `port`: to the first of its
/// addresses that answers `within` so long. The stream blocks, and has no deadline of its own.
///
/// # Errors
/// By its class: `Refused`, `Dns`, `Timeout`, or `Lost` when it is this machine that has too little of
/// something.
pub fn from_here(host: &str, port: u16, within: Duration) -> Result<TcpStream, Failure> {
    let deadline = from_now(within);
    let addresses = connect::resolve(host, port, deadline)?;
    let stream = connect::connect(&addresses, deadline)?;
    stream.set_nonblocking(false).map_err(|error| failure(Class::Lost, error.to_string()))?;
    Ok(stream)
}

fn from_now(whole: Duration) -> Deadline {
    Deadline { at: Instant::now() + whole, whole }
}

fn failure(class: Class, what: impl Into<String>) -> Failure {
    Failure::new(class, Phase::Connect, what)
}

fn silent(place: &str, deadline: Deadline) -> Failure {
    failure(Class::Timeout, format!("it had no connection to {place} for {}", told(deadline.whole)))
}

fn late(deadline: Deadline) -> Deadline {
    Deadline { at: deadline.at + GRACE, ..deadline }
}

/// Whether the library is in the middle of a packet, and sends nothing else until that is out.
fn is_halfway(ssh: &ssh2::Session) -> bool {
    matches!(ssh.block_directions(), BlockDirections::Outbound | BlockDirections::Both)
}

impl Forwarded {
    /// An error once the deadline has passed: bytes may come faster than anybody waits.
    fn in_time(&self) -> io::Result<()> {
        self.deadline.left().map(|_| ()).ok_or_else(|| self.too_late())
    }

    fn too_late(&self) -> io::Error {
        io::Error::new(ErrorKind::TimedOut, format!("no end within {}", told(self.deadline.whole)))
    }

    /// Waits until the call can be made again. A packet that is not out by then makes the session useless.
    fn wait(&self) -> io::Result<()> {
        let writes = is_halfway(&self.ssh);
        self.guarded.wire.wait(writes, self.deadline).map_err(|_| {
            if writes {
                self.guarded.wire.cut();
            }
            self.too_late()
        })
    }

    fn lost(&self) -> io::Error {
        if self.guarded.wire.was_cut() {
            return self.too_late();
        }
        self.guarded.wire.cut();
        io::Error::new(ErrorKind::ConnectionAborted, "the connection to the host has ended")
    }
}

impl Read for Forwarded {
    fn read(&mut self, bytes: &mut [u8]) -> io::Result<usize> {
        loop {
            self.in_time()?;
            match self.channel.read(bytes) {
                Ok(0) if !bytes.is_empty() && !self.channel.eof() => self.wait()?,
                Ok(count) => return Ok(count),
                Err(error) if is_later(&error) => self.wait()?,
                Err(_) => return Err(self.lost()),
            }
        }
    }
}

impl Write for Forwarded {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        loop {
            self.in_time()?;
            match self.channel.write(bytes) {
                // The far side has no room.
                Ok(0) if !bytes.is_empty() => self.wait()?,
                Ok(count) => return Ok(count),
                Err(error) if is_later(&error) => self.wait()?,
                Err(_) if self.channel.eof() => return Err(ErrorKind::BrokenPipe.into()),
                Err(_) => return Err(self.lost()),
            }
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Drop for Forwarded {
    fn drop(&mut self) {
        self.guarded.set(None);
        let is_pending = matches!(self.channel.close(), Err(error) if error.code() == AGAIN);
        if is_pending {
            lock(&self.closing).push(self.channel.clone());
        }
    }
}

pub(crate) fn lock(closing: &Closing) -> MutexGuard<'_, Vec<Channel>> {
    closing.lock().unwrap_or_else(PoisonError::into_inner)
}
