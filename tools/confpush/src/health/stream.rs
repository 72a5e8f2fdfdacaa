//! A connection to the service, from the host or from here, with one deadline for all of it.

use std::fmt::Debug;
use std::io::{self, ErrorKind, Read, Write};
use std::net::TcpStream;
use std::time::{Duration, Instant};

use common::answer::Answer;
use remote::bounds::told;
use remote::{Class, Failure, Phase, forward};
use secrets::conceal;

use super::place::Place;
use super::{NO_SESSION, Through};
use crate::spec::{Check, From};

/// Bytes there and back, until the deadline.
pub(super) trait Stream: Read + Write + Debug + Send + Sync {}

impl<T: Read + Write + Debug + Send + Sync> Stream for T {}

/// Connects to `place` from where the check says.
///
/// # Errors
/// What it means for the check that there is no connection.
pub(super) fn open(place: &Place, check: &Check, through: Through) -> Result<Box<dyn Stream>, Answer> {
    let end = Instant::now() + check.timeout;
    match (check.from, through) {
        (From::Here, _) => match forward::from_here(&place.host, place.port, check.timeout) {
            Ok(stream) => Ok(Box::new(Direct { stream, end, whole: check.timeout })),
            Err(failure) => Err(not_from_here(&failure, check)),
        },
        (From::Host, Some((session, _))) => match session.forward(&place.host, place.port, check.timeout) {
            Ok(stream) => Ok(Box::new(stream)),
            Err(failure) => Err(not_from_there(&failure, check)),
        },
        (From::Host, None) => Err(Answer::Unknown(NO_SESSION.into())),
    }
}

fn not_from_there(failure: &Failure, check: &Check) -> Answer {
    match failure.class {
        Class::Refused => Answer::No("nothing takes a connection there, or the host has no way to it".into()),
        Class::Timeout => Answer::No(silent(check)),
        Class::Config => Answer::Unknown(
            "the host's sshd does not forward to it (AllowTcpForwarding, PermitOpen, or options of the key); \
             check by `command`, or from `here`"
                .into(),
        ),
        _ => Answer::Unknown(conceal::hide(&failure.what)),
    }
}

fn not_from_here(failure: &Failure, check: &Check) -> Answer {
    let what = conceal::hide(&failure.what);
    match (failure.class, failure.phase) {
        (Class::Refused, _) => Answer::No(what),
        (Class::Timeout, Phase::Connect) => Answer::No(silent(check)),
        // Of a name server that is down nothing follows.
        (Class::Dns, _) if !failure.what.contains("Temporary") => Answer::No(what),
        _ => Answer::Unknown(what),
    }
}

fn silent(check: &Check) -> String {
    format!("no connection within {}", told(check.timeout))
}

/// A connection from here.
#[derive(Debug)]
struct Direct {
    stream: TcpStream,
    end: Instant,
    whole: Duration,
}

impl Direct {
    fn left(&self) -> io::Result<Option<Duration>> {
        let left = self.end.saturating_duration_since(Instant::now());
        if left.is_zero() { Err(self.late()) } else { Ok(Some(left)) }
    }

    fn late(&self) -> io::Error {
        io::Error::new(ErrorKind::TimedOut, super::no_end(self.whole))
    }

    fn judged(&self, result: io::Result<usize>) -> io::Result<usize> {
        // That is how a limit of a socket ends (socket(7)).
        result.map_err(|error| if error.kind() == ErrorKind::WouldBlock { self.late() } else { error })
    }
}

impl Read for Direct {
    fn read(&mut self, bytes: &mut [u8]) -> io::Result<usize> {
        self.stream.set_read_timeout(self.left()?)?;
        let result = self.stream.read(bytes);
        self.judged(result)
    }
}

impl Write for Direct {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.stream.set_write_timeout(self.left()?)?;
        let result = self.stream.write(bytes);
        self.judged(result)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
