//! Connections to servers: over TCP, by a socket of this host, or in TLS, and never longer than a deadline.

mod address;
mod socket;
mod tls;

use std::io::{self, BufRead, BufReader, Read, Write};
use std::time::Duration;

pub(super) use address::Address;
use native_tls::{HandshakeError, TlsConnector, TlsStream};
use socket::Socket;
pub(super) use tls::{Tls, Trust};

use common::answer::Answer;
use secrets::conceal;

/// Why there is no yes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Fault {
    /// A definite no.
    No(String),
    /// It could not be found out, or it may or may not be done.
    Unknown(String),
}

/// What came of a request.
pub(super) type Told<T = ()> = Result<T, Fault>;

/// `told` as the answer of a provider.
pub(super) fn answer<T>(told: Told<T>) -> Answer<T> {
    match told {
        Ok(value) => Answer::Yes(value),
        Err(Fault::No(why)) => Answer::No(why),
        Err(Fault::Unknown(why)) => Answer::Unknown(why),
    }
}

impl Fault {
    /// What broke off while something was `done` with the server.
    pub(super) fn broken(done: &str, error: &io::Error) -> Self {
        let why = match error.kind() {
            io::ErrorKind::UnexpectedEof => "the server closed the connection".into(),
            _ => conceal::quoted(error.to_string().as_bytes()),
        };
        Self::Unknown(format!("cannot {done}: {why}"))
    }
}

/// A connection. Every request has the whole of the timeout to itself.
pub(super) struct Wire {
    stream: BufReader<Stream>,
    timeout: Duration,
}

enum Stream {
    Plain(Socket),
    Tls(Box<TlsStream<Socket>>),
}

impl Wire {
    /// Connects to `address`; what listens there has not said anything yet.
    ///
    /// # Errors
    /// When nobody listens there, or the timeout passes.
    pub(super) fn connect(address: &Address, timeout: Duration) -> Told<Self> {
        let socket = Socket::connect(address, timeout).map_err(|error| Fault::broken("connect", &error))?;
        Ok(Self { stream: BufReader::new(Stream::Plain(socket)), timeout })
    }

    /// The same connection in TLS, with the server's certificate checked as `connector` was told to. What
    /// was read ahead of it is thrown away: whoever sent it could have been anybody.
    ///
    /// # Errors
    /// When the server speaks no TLS, or its certificate does not do.
    pub(super) fn secured(self, connector: &TlsConnector, host: &str) -> Told<Self> {
        let socket = match self.stream.into_inner() {
            Stream::Plain(socket) => socket,
            stream @ Stream::Tls(_) => {
                return Ok(Self { stream: BufReader::new(stream), timeout: self.timeout });
            }
        };
        match connector.connect(host, socket) {
            Ok(stream) => {
                let stream = BufReader::new(Stream::Tls(Box::new(stream)));
                Ok(Self { stream, timeout: self.timeout })
            }
            Err(HandshakeError::Failure(error)) => {
                let why = conceal::quoted(error.to_string().as_bytes());
                Err(Fault::Unknown(format!("cannot speak TLS: {why}")))
            }
            Err(HandshakeError::WouldBlock(_)) => Err(Fault::Unknown("cannot speak TLS: no answer".into())),
        }
    }

    /// Whether nobody between here and the server can listen: it is TLS, or a socket of this host.
    pub(super) fn is_private(&self) -> bool {
        match self.stream.get_ref() {
            Stream::Plain(socket) => socket.is_local(),
            Stream::Tls(_) => true,
        }
    }

    /// What binds a log-in to the certificate of this connection (RFC 5929, `tls-server-end-point`).
    pub(super) fn end_point(&self) -> Option<Vec<u8>> {
        match self.stream.get_ref() {
            Stream::Plain(_) => None,
            Stream::Tls(stream) => stream.tls_server_end_point().ok().flatten(),
        }
    }

    /// Sends a request; the time for it and its answer begins now.
    ///
    /// # Errors
    /// When the connection is broken, or the timeout passes.
    pub(super) fn send(&mut self, request: &[u8]) -> io::Result<()> {
        let timeout = self.timeout;
        let stream = self.stream.get_mut();
        stream.socket().renew(timeout);
        stream.write_all(request)?;
        stream.flush()
    }
}

impl Stream {
    fn socket(&mut self) -> &mut Socket {
        match self {
            Self::Plain(socket) => socket,
            Self::Tls(stream) => stream.get_mut(),
        }
    }
}

impl Read for Wire {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.stream.read(buffer)
    }
}

impl BufRead for Wire {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        self.stream.fill_buf()
    }

    fn consume(&mut self, count: usize) {
        self.stream.consume(count);
    }
}

impl Read for Stream {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        match self {
            Self::Plain(socket) => socket.read(buffer),
            Self::Tls(stream) => stream.read(buffer),
        }
    }
}

impl Write for Stream {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match self {
            Self::Plain(socket) => socket.write(bytes),
            Self::Tls(stream) => stream.write(bytes),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        match self {
            Self::Plain(socket) => socket.flush(),
            Self::Tls(stream) => stream.flush(),
        }
    }
}
