//! What goes on to our own standard output or error, as far as somebody reads it.

use std::fmt;
use std::fs::File;
use std::io;
use std::os::fd::{AsFd, BorrowedFd};

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::fs::{FileType, fstat};
use rustix::io::{Errno, write};

use super::patience::Patience;

/// A pipe that is ready takes so much at least without making the writer wait (pipe(7)).
const PIECE: usize = 4096;

/// More than this is not kept for a reader who takes nothing. No attempt comes to it, as it waits then; after each one
/// a pipe full of what it printed is added.
const MOST: usize = 1024 * 1024;

const AT_ONCE: Timespec = Timespec { tv_sec: 0, tv_nsec: 0 };

/// Standard output or error, written to only when it is ready: who waits in write(2) for a reader that hangs hears
/// neither the end of the time nor a signal. It is not made non-blocking, which would hold for all
/// others who have it.
#[derive(Debug)]
pub(super) struct Onward {
    out: File,
    piece: usize,
    waiting: Vec<u8>,
    at: usize,
    over: bool,
}

impl Onward {
    /// Our own standard output.
    ///
    /// # Errors
    /// Without a descriptor for it.
    pub(super) fn stdout() -> io::Result<Self> {
        Ok(Self::to(io::stdout().as_fd().try_clone_to_owned()?.into()))
    }

    fn to(out: File) -> Self {
        let piece = piece(&out);
        Self { out, piece, waiting: Vec::new(), at: 0, over: false }
    }

    /// Whether there is something that its reader has not taken yet.
    pub(super) fn is_behind(&self) -> bool {
        self.at < self.waiting.len()
    }

    /// Its descriptor.
    pub(super) fn as_fd(&self) -> BorrowedFd<'_> {
        self.out.as_fd()
    }

    /// Writes what its reader takes now, and keeps the rest.
    pub(super) fn add(&mut self, bytes: &[u8]) {
        if !self.over {
            self.waiting.extend_from_slice(bytes);
            self.push();
        }
        if self.waiting.len() - self.at > MOST {
            self.give_up("its reader takes nothing");
        }
    }

    /// Writes what its reader takes now.
    pub(super) fn push(&mut self) {
        while self.is_behind() && is_ready(&self.out, &AT_ONCE) {
            self.write_piece();
        }
        if !self.is_behind() {
            self.waiting.clear();
            self.at = 0;
        }
    }

    /// Writes what is left, and waits for its reader as long as `patience` does.
    pub(super) fn flush(&mut self, patience: &mut Patience<'_>) {
        let waiting = std::mem::take(&mut self.waiting);
        let at = std::mem::take(&mut self.at);
        if let Err(why) = write_all(self.as_fd(), &waiting[at..], patience) {
            self.fail(why);
        }
    }

    fn write_piece(&mut self) {
        let end = self.waiting.len().min(self.at.saturating_add(self.piece));
        match write(&self.out, &self.waiting[self.at..end]) {
            Ok(count) => self.at += count,
            Err(Errno::INTR | Errno::AGAIN) => {}
            Err(why) => self.fail(why.into()),
        }
    }

    /// A reader that has gone wants no more, and one that is given up may be that of standard error as well; everything
    /// else is told.
    fn fail(&mut self, why: io::Error) {
        match why.kind() {
            io::ErrorKind::BrokenPipe | io::ErrorKind::TimedOut => self.end(),
            _ => self.give_up(why),
        }
    }

    /// The log has it all.
    fn give_up(&mut self, why: impl fmt::Display) {
        if is_ready(io::stderr(), &AT_ONCE) {
            log::warn!("cannot write standard output: {why}; what COMMAND prints is in the log alone");
        }
        self.end();
    }

    fn end(&mut self) {
        self.over = true;
        self.waiting = Vec::new();
        self.at = 0;
    }
}

/// Writes all of `bytes`.
///
/// # Errors
/// When it cannot be written, or [`io::ErrorKind::TimedOut`]: `patience` was over.
pub(super) fn write_all(
    out: BorrowedFd<'_>,
    mut bytes: &[u8],
    patience: &mut Patience<'_>,
) -> io::Result<()> {
    let piece = piece(out);
    while !bytes.is_empty() {
        if !patience.allows(out) {
            return Err(io::ErrorKind::TimedOut.into());
        }
        match write(out, &bytes[..bytes.len().min(piece)]) {
            Ok(count) => bytes = &bytes[count..],
            Err(Errno::INTR | Errno::AGAIN) => {}
            Err(why) => return Err(why.into()),
        }
    }
    Ok(())
}

/// How much is written at once.
fn piece(out: impl AsFd) -> usize {
    let is_file = fstat(out).is_ok_and(|stat| FileType::from_raw_mode(stat.st_mode) == FileType::RegularFile);
    if is_file { usize::MAX } else { PIECE }
}

/// Whether a write would not wait; one that fails does not.
fn is_ready(out: impl AsFd, limit: &Timespec) -> bool {
    poll(&mut [PollFd::new(&out, PollFlags::OUT)], Some(limit)).is_ok_and(|count| count > 0)
}

#[cfg(test)]
mod tests {
    use std::io::Read;

    use super::*;

    #[test]
    fn a_reader_that_waits_makes_nobody_else_wait() {
        let (mut reader, writer) = io::pipe().unwrap();
        let mut onward = Onward::to(std::os::fd::OwnedFd::from(writer).into());
        let bytes = vec![b'x'; 200_000];
        onward.add(&bytes);
        assert!(onward.is_behind());
        let mut found = vec![0; 50_000];
        reader.read_exact(&mut found).unwrap();
        onward.push();
        assert!(onward.is_behind());
        let rest = std::thread::spawn(move || {
            let mut rest = Vec::new();
            reader.read_to_end(&mut rest).unwrap();
            rest.len()
        });
        let signals = crate::signals::Signals::collect().unwrap();
        onward.flush(&mut Patience::new(&signals, std::time::Duration::ZERO, false));
        assert!(!onward.is_behind());
        drop(onward);
        assert_eq!(rest.join().unwrap(), 150_000);
    }

    #[test]
    fn a_reader_that_has_gone_is_given_up() {
        let (reader, writer) = io::pipe().unwrap();
        drop(reader);
        let mut onward = Onward::to(std::os::fd::OwnedFd::from(writer).into());
        onward.add(b"unread");
        onward.add(b"as well");
        assert!(!onward.is_behind() && onward.over);
    }

    #[test]
    fn a_reader_that_hangs_is_given_up_when_all_is_to_end() {
        let signals = crate::signals::Signals::collect().unwrap();
        let (_reader, writer) = io::pipe().unwrap();
        let mut onward = Onward::to(std::os::fd::OwnedFd::from(writer).into());
        onward.add(&vec![b'x'; 200_000]);
        onward.flush(&mut Patience::new(&signals, std::time::Duration::ZERO, true));
        assert!(!onward.is_behind() && onward.over);
    }

    #[test]
    fn no_more_than_a_mebibyte_is_kept_for_a_reader() {
        let (_reader, writer) = io::pipe().unwrap();
        let mut onward = Onward::to(std::os::fd::OwnedFd::from(writer).into());
        for _ in 0..16 {
            onward.add(&vec![b'x'; 64 * 1024]);
        }
        assert!(onward.is_behind() && !onward.over);
        onward.add(&vec![b'x'; 128 * 1024]);
        assert!(onward.over && onward.waiting.is_empty());
    }
}
