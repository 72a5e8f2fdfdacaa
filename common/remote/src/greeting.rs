//! What the other side says before any SSH: RFC 4253, section 4.2.
//!
//! libssh2 reads it byte by byte and without end: a host that sends lines for ever, or bytes without
//! a line, would keep it busy until the watchdog comes. So the lines before the version are read
//! here, and the library begins where the version stands.

use std::os::fd::BorrowedFd;

use rustix::io::Errno;
use rustix::net::{RecvFlags, recv};

use crate::bounds::{Deadline, told};
use crate::failure::{Class, Failure, Phase};
use crate::wire::wait_for;

/// OpenSSH takes 1,024 lines before the version (`SSH_MAX_PRE_BANNER_LINES`), each up to 8 kB.
const MOST_LINES: usize = 1024;
const MOST_BYTES: usize = 8192;

/// Reads from `socket` up to the version of an SSH server, which stays there to be read.
///
/// # Errors
/// When something else is sent, nothing within the deadline, or the connection ends.
pub(crate) fn pass_over(socket: BorrowedFd<'_>, deadline: Deadline) -> Result<(), Failure> {
    let mut line = Vec::new();
    let mut lines = 0;
    loop {
        let mut bytes = [0; 1024];
        let count = peek(socket, &mut bytes, &Seen { line: &line, lines }, deadline)?;
        let bytes = &bytes[..count];
        if line.is_empty() {
            if let Some(version) = bytes.strip_prefix(b"SSH-") {
                return version_is_ours(version);
            }
            if b"SSH-".starts_with(bytes) {
                // Two segments for four bytes: seldom enough to look again a little later.
                std::thread::sleep(std::time::Duration::from_millis(5));
                if deadline.left().is_none() {
                    return Err(late(&Seen { line: bytes, lines }, deadline));
                }
                continue;
            }
        }
        let taken = bytes.iter().position(|&byte| byte == b'\n').map_or(count, |end| end + 1);
        take(socket, taken)?;
        line.extend_from_slice(&bytes[..taken]);
        if let Some(failure) = nonsense(&line) {
            return Err(failure);
        }
        if line.ends_with(b"\n") {
            line.clear();
            lines += 1;
        }
        if lines == MOST_LINES {
            return Err(lost(format!("it sent {lines} lines and no SSH version")));
        }
    }
}

/// What came so far, for the sentence about what did not.
struct Seen<'a> {
    line: &'a [u8],
    lines: usize,
}

fn peek(
    socket: BorrowedFd<'_>,
    into: &mut [u8],
    seen: &Seen<'_>,
    deadline: Deadline,
) -> Result<usize, Failure> {
    loop {
        match recv(socket, &mut *into, RecvFlags::PEEK | RecvFlags::DONTWAIT) {
            Ok((0, _)) => return Err(ended(seen)),
            Ok((count, _)) if deadline.left().is_some() => return Ok(count),
            Ok(_) => return Err(late(seen, deadline)),
            Err(Errno::INTR) => {}
            Err(Errno::AGAIN) => {
                wait_for(socket, false, deadline).map_err(|_| late(seen, deadline))?;
            }
            Err(Errno::CONNRESET) => return Err(lost("it reset the connection before it said anything")),
            Err(error) => return Err(lost(format!("the connection failed: {error}"))),
        }
    }
}

/// Takes what was peeked at: it is there.
fn take(socket: BorrowedFd<'_>, count: usize) -> Result<(), Failure> {
    let mut bytes = [0; 1024];
    match recv(socket, &mut bytes[..count], RecvFlags::DONTWAIT) {
        Ok(_) => Ok(()),
        Err(error) => Err(lost(format!("the connection failed: {error}"))),
    }
}

fn version_is_ours(version: &[u8]) -> Result<(), Failure> {
    // RFC 4253, section 5.1: a server of both versions says 1.99.
    let is_ours =
        [&b"2."[..], b"1.99-"].iter().any(|ours| version.starts_with(ours) || ours.starts_with(version));
    if is_ours {
        return Ok(());
    }
    let told = String::from_utf8_lossy(&version[..version.len().min(3)]).into_owned();
    Err(Failure::new(
        Class::Algorithms,
        Phase::Handshake,
        format!("it speaks SSH {told} only, which is not secure and not spoken here"),
    ))
}

fn nonsense(line: &[u8]) -> Option<Failure> {
    if line.starts_with(b"HTTP/") || line.starts_with(b"<html") {
        return Some(lost("it answers like a web server, not like SSH; is the port right?"));
    }
    (line.len() > MOST_BYTES).then(|| lost(format!("it sent {MOST_BYTES} bytes that are no line and no SSH")))
}

fn ended(seen: &Seen<'_>) -> Failure {
    if seen.lines == 0 && seen.line.is_empty() {
        return lost(
            "it closed the connection without a word; too many connections (MaxStartups), or a filter",
        );
    }
    let line = String::from_utf8_lossy(seen.line);
    lost(format!("it closed the connection before any SSH; it said `{}`", line.trim_end()))
}

fn late(seen: &Seen<'_>, deadline: Deadline) -> Failure {
    let time = told(deadline.whole);
    let what = match (seen.lines, seen.line.len()) {
        (0, 0) => format!("it took the connection and said nothing for {time}"),
        (0, _) => format!("it sent bytes for {time} that are no line and no SSH"),
        (lines, _) => format!("it sent {lines} lines in {time} and no SSH version"),
    };
    Failure::new(Class::Timeout, Phase::Handshake, what)
}

fn lost(what: impl Into<String>) -> Failure {
    Failure::new(Class::Lost, Phase::Handshake, what)
}
