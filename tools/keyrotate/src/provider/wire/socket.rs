//! A socket whose every wait ends at a deadline.

use std::io::{self, Read, Write};
use std::net::TcpStream;
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::time::{Duration, Instant};

use remote::forward;
use rustix::net::{AddressFamily, SocketAddrUnix, SocketFlags, SocketType};

use super::Address;

/// A connected socket.
#[derive(Debug)]
pub(super) struct Socket {
    kind: Kind,
    deadline: Instant,
    timeout: Duration,
}

#[derive(Debug)]
enum Kind {
    Tcp(TcpStream),
    Unix(UnixStream),
}

impl Socket {
    /// Connects to `address`, trying all that its name means.
    ///
    /// # Errors
    /// When nobody listens there, or `timeout` passes.
    pub(super) fn connect(address: &Address, timeout: Duration) -> io::Result<Self> {
        let deadline = after(timeout);
        let kind = match address {
            Address::Tcp { host, port } => {
                let stream = forward::from_here(host, *port, timeout);
                Kind::Tcp(stream.map_err(|failure| io::Error::other(failure.what))?)
            }
            Address::Unix(path) => Kind::Unix(unix(path)?),
        };
        Ok(Self { kind, deadline, timeout })
    }

    /// Whether it is a socket of this host.
    pub(super) fn is_local(&self) -> bool {
        matches!(self.kind, Kind::Unix(_))
    }

    /// Sets the deadline to `timeout` from now.
    pub(super) fn renew(&mut self, timeout: Duration) {
        self.deadline = after(timeout);
        self.timeout = timeout;
    }

    fn left(&self) -> io::Result<Duration> {
        let left = self.deadline.saturating_duration_since(Instant::now());
        if left.is_zero() { Err(self.late()) } else { Ok(left) }
    }

    fn late(&self) -> io::Error {
        let time = format!("no answer within {}s", self.timeout.as_secs_f64());
        io::Error::new(io::ErrorKind::TimedOut, time)
    }

    /// What a socket with a timeout says when it passes is no fault of a socket without one.
    fn bounded<T>(&self, result: io::Result<T>) -> io::Result<T> {
        result.map_err(|error| match error.kind() {
            io::ErrorKind::WouldBlock | io::ErrorKind::TimedOut => self.late(),
            _ => error,
        })
    }
}

impl Read for Socket {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let left = self.left()?;
        let result = match &mut self.kind {
            Kind::Tcp(stream) => stream.set_read_timeout(Some(left)).and_then(|()| stream.read(buffer)),
            Kind::Unix(stream) => stream.set_read_timeout(Some(left)).and_then(|()| stream.read(buffer)),
        };
        self.bounded(result)
    }
}

impl Write for Socket {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let left = self.left()?;
        let result = match &mut self.kind {
            Kind::Tcp(stream) => stream.set_write_timeout(Some(left)).and_then(|()| stream.write(bytes)),
            Kind::Unix(stream) => stream.set_write_timeout(Some(left)).and_then(|()| stream.write(bytes)),
        };
        self.bounded(result)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// The moment when `timeout` has passed; a day for one that is longer than time can be told.
fn after(timeout: Duration) -> Instant {
    let now = Instant::now();
    now.checked_add(timeout).unwrap_or(now + Duration::from_secs(86_400))
}

/// connect(2) waits without end for a server whose queue is full, unless the socket never waits.
fn unix(path: &Path) -> io::Result<UnixStream> {
    let flags = SocketFlags::CLOEXEC | SocketFlags::NONBLOCK;
    let socket = rustix::net::socket_with(AddressFamily::UNIX, SocketType::STREAM, flags, None)?;
    rustix::net::connect(&socket, &SocketAddrUnix::new(path)?)?;
    let stream = UnixStream::from(socket);
    stream.set_nonblocking(false)?;
    Ok(stream)
}

#[cfg(test)]
mod tests {
    use std::net::TcpListener;

    use super::*;

    const SHORT: Duration = Duration::from_millis(50);

    #[test]
    fn a_server_that_says_nothing_is_given_up() {
        let server = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = server.local_addr().unwrap().port();
        let mut socket = Socket::connect(&Address::Tcp { host: "localhost".into(), port }, SHORT).unwrap();
        assert_eq!(socket.read(&mut [0]).unwrap_err().to_string(), "no answer within 0.05s");
        assert_eq!(socket.write(&[0]).unwrap_err().kind(), io::ErrorKind::TimedOut);
        socket.renew(SHORT);
        assert_eq!(socket.write(&[0]).unwrap(), 1);
    }

    #[test]
    fn nobody_listens() {
        let folder = tempfile::tempdir().unwrap();
        let address = Address::Unix(folder.path().join("none"));
        let error = Socket::connect(&address, SHORT).unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::NotFound);
        let address = Address::Tcp { host: "127.0.0.1".into(), port: 1 };
        let error = Socket::connect(&address, SHORT).unwrap_err();
        assert_eq!(error.to_string(), "nothing listens on port 1 of 127.0.0.1");
    }
}
