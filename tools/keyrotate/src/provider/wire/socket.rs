//! A socket whose every wait ends at a deadline.

use std::io::{self, Read, Write};
use std::net::{IpAddr, SocketAddr, TcpStream, ToSocketAddrs};
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::sync::mpsc;
use std::time::{Duration, Instant};

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
            Address::Tcp { host, port } => Kind::Tcp(tcp(host, *port, deadline)?),
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

/// The first address of `host` that answers, each with its share of the time that is left.
fn tcp(host: &str, port: u16, deadline: Instant) -> io::Result<TcpStream> {
    let addresses = resolve(host, port, deadline)?;
    let mut failure = io::Error::new(io::ErrorKind::NotFound, format!("{host} has no address"));
    for (index, address) in addresses.iter().enumerate() {
        let left = deadline.saturating_duration_since(Instant::now());
        let share = left / u32::try_from(addresses.len() - index).unwrap_or(u32::MAX);
        if share.is_zero() {
            break;
        }
        match TcpStream::connect_timeout(address, share) {
            Ok(stream) => {
                stream.set_nodelay(true)?;
                return Ok(stream);
            }
            Err(error) => failure = error,
        }
    }
    Err(failure)
}

/// The addresses of a name. The resolver of the system knows no deadline, so it runs in a thread that is
/// left behind when it takes too long.
fn resolve(host: &str, port: u16, deadline: Instant) -> io::Result<Vec<SocketAddr>> {
    if let Ok(address) = host.parse::<IpAddr>() {
        return Ok(vec![SocketAddr::new(address, port)]);
    }
    let (sender, receiver) = mpsc::channel();
    let name = host.to_owned();
    std::thread::Builder::new().name("resolve".into()).spawn(move || {
        let found = (name.as_str(), port).to_socket_addrs().map(Iterator::collect);
        // Nobody waits any more when the deadline was first.
        let _is_heard = sender.send(found);
    })?;
    let left = deadline.saturating_duration_since(Instant::now());
    receiver.recv_timeout(left).unwrap_or_else(|_| {
        Err(io::Error::new(io::ErrorKind::TimedOut, format!("the name service says nothing about {host}")))
    })
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
        assert_eq!(error.kind(), io::ErrorKind::ConnectionRefused);
    }
}
