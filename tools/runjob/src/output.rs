//! What becomes of the output: kept until it is known whether anybody wants it, logged, or both.
//!
//! Standard output and error of COMMAND are one pipe, so their order is exact. It is read whenever there is
//! something in it, whatever becomes of that: COMMAND never waits for a disk that is full or a log that cannot be
//! written. When several attempts were made all of them are shown, each below a line that says which: the first is
//! mostly the one that tells what happened, and the last what it came to.

mod onward;
pub(crate) mod patience;
pub(crate) mod spool;
mod store;

use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

use common::{Error, Result};
use rustix::event::PollFlags;
use rustix::fs::{OFlags, fcntl_setfl};
use rustix::io::{Errno, ioctl_fionread, read};
use rustix::pipe::{PipeFlags, pipe_with};

use crate::cli;
use crate::logs;
use crate::run::Run;
use onward::Onward;
use patience::Patience;
use store::Store;

/// What a pipe holds; more is not read at once.
const PIECE: usize = 64 * 1024;

/// So much of the end is kept when nothing else is, for whoever is told that it failed; in bytes.
pub(crate) const TAIL: u64 = 10_000;

/// Takes the output of all attempts of a run.
#[derive(Debug)]
pub(crate) struct Keeper {
    from: OwnedFd,
    /// Ours, so that the pipe outlives an attempt.
    to: OwnedFd,
    piece: Vec<u8>,
    store: Store,
    log: Option<logs::File>,
    onward: Option<Onward>,
    attempts: (u32, u32),
}

impl Keeper {
    /// The one that `output` asks for, with the log of the run `id` of the job `name`; that there can be no log is
    /// a warning.
    ///
    /// # Errors
    /// As [`Keeper::new`].
    pub(crate) fn begin(output: &cli::Output, name: &str, id: &str) -> Result<Option<Self>> {
        let begun = output.log.as_deref().map(|folder| logs::File::begin(folder, name, id, output.keep));
        let log = begun.transpose().unwrap_or_else(|why| {
            log::warn!("{why}; this run has no log");
            None
        });
        Self::new(output, log)
    }

    /// The one that `output` asks for; none when COMMAND is to have our own standard output and error.
    ///
    /// # Errors
    /// When `--max-output` is to cut what is neither kept nor logged, or there is no pipe.
    pub(crate) fn new(output: &cli::Output, log: Option<logs::File>) -> Result<Option<Self>> {
        let is_quiet = output.quiet_unless_fails;
        if !is_quiet && output.log.is_none() && output.max_output.is_some() {
            return Err(Error::failed(
                "--max-output is for what is kept: it needs --quiet-unless-fails or --log DIR",
            ));
        }
        if !is_quiet && log.is_none() {
            return Ok(None);
        }
        let cannot = |cause| Error::failed("cannot make a pipe for the output").because(cause);
        let (from, to) = pipe_with(PipeFlags::CLOEXEC).map_err(|cause| cannot(io::Error::from(cause)))?;
        // Its own end alone: COMMAND's may wait.
        fcntl_setfl(&from, OFlags::NONBLOCK).map_err(|cause| cannot(cause.into()))?;
        let store = match (is_quiet, output.max_output) {
            (true, None) => Store::new(u64::MAX, 0),
            (true, Some(most)) => Store::new(most - most / 2, most / 2),
            (false, None) => Store::new(0, TAIL),
            (false, Some(most)) => Store::new(0, most / 2),
        };
        let log = log.map(|log| log.limited(output.max_output.map(|most| most - most / 2)));
        let onward = if is_quiet { None } else { Some(Onward::stdout().map_err(cannot)?) };
        Ok(Some(Self { from, to, piece: vec![0; PIECE], store, log, onward, attempts: (0, 0) }))
    }

    /// A descriptor to be COMMAND's standard output, and another to be its standard error.
    ///
    /// # Errors
    /// Out of descriptors.
    pub(crate) fn writer(&self) -> Result<OwnedFd> {
        let copy = self.to.try_clone();
        copy.map_err(|cause| Error::failed("cannot copy the pipe for the output").because(cause))
    }

    /// What to wait for: that this descriptor is ready as [`Keeper::events`] says, before each
    /// [`Keeper::pump`].
    pub(crate) fn descriptor(&self) -> BorrowedFd<'_> {
        self.behind().map_or(self.from.as_fd(), Onward::as_fd)
    }

    /// What [`Keeper::descriptor`] is to be ready for: there is something to read, or the reader of our
    /// own standard output takes more; until it does COMMAND waits as it would without us.
    pub(crate) fn events(&self) -> PollFlags {
        if self.behind().is_some() { PollFlags::OUT } else { PollFlags::IN }
    }

    fn behind(&self) -> Option<&Onward> {
        self.onward.as_ref().filter(|onward| onward.is_behind())
    }

    /// Says that an attempt begins: the first is 1, of so many at most.
    pub(crate) fn begin_attempt(&mut self, attempt: u32, of: u32) {
        self.attempts = (attempt, of);
        if attempt > 1 {
            let newline = if self.store.ends_a_line() { "" } else { "\n" };
            let line = format!("{newline}--- attempt {attempt} of {of}\n");
            self.keep(line.as_bytes());
        }
    }

    /// Takes what there is, a pipe full of it at most, and never waits.
    ///
    /// # Errors
    /// When the pipe cannot be read.
    pub(crate) fn pump(&mut self) -> Result<()> {
        if let Some(onward) = &mut self.onward {
            onward.push();
        }
        if self.behind().is_none() {
            self.take()?;
        }
        Ok(())
    }

    /// Takes some of what is in the pipe, and says how much.
    fn take(&mut self) -> Result<usize> {
        match read(&self.from, &mut self.piece) {
            Ok(count) => {
                let piece = std::mem::take(&mut self.piece);
                self.keep(&piece[..count]);
                if let Some(onward) = &mut self.onward {
                    onward.add(&piece[..count]);
                }
                self.piece = piece;
                Ok(count)
            }
            Err(Errno::AGAIN | Errno::INTR) => Ok(0),
            Err(cause) => {
                Err(Error::failed("cannot read the output of the command").because(io::Error::from(cause)))
            }
        }
    }

    fn keep(&mut self, bytes: &[u8]) {
        self.store.add(bytes);
        if let Some(log) = &mut self.log {
            log.add(bytes);
        }
    }

    /// Takes what is in the pipe now that COMMAND is over. What a daemon that it left behind prints from here on is
    /// taken by nobody, and makes nobody wait. Nor does the reader of our own standard output: [`Keeper::deliver`] does.
    ///
    /// # Errors
    /// As [`Keeper::pump`].
    pub(crate) fn drain(&mut self) -> Result<()> {
        let mut left = ioctl_fionread(&self.from).unwrap_or_default();
        loop {
            match self.take()? {
                0 => return Ok(()),
                count if (count as u64) < left => left -= count as u64,
                _ => return Ok(()),
            }
        }
    }

    /// Gives the last to whoever reads it: what goes on to standard output, or of a failure all that was kept, to
    /// standard error. That nobody reads is nobody's fault.
    pub(crate) fn deliver(&mut self, is_success: bool, patience: &mut Patience<'_>) {
        if let Some(onward) = &mut self.onward {
            onward.flush(patience);
        } else if !is_success {
            self.show(patience);
        }
    }

    fn show(&self, patience: &mut Patience<'_>) {
        let (attempts, of) = self.attempts;
        let first = if attempts > 1 { format!("--- attempt 1 of {of}\n") } else { String::new() };
        let stderr = io::stderr();
        let mut tell = |piece: &[u8]| onward::write_all(stderr.as_fd(), piece, patience);
        let shown = tell(first.as_bytes()).and_then(|()| self.store.read(&mut tell));
        if let Err(why) = shown
            && !matches!(why.kind(), io::ErrorKind::BrokenPipe | io::ErrorKind::TimedOut)
        {
            log::warn!("cannot show what it printed: {why}");
        }
    }

    /// The last of what it printed, so many bytes at most: of all that is kept, or of [`TAIL`].
    pub(crate) fn tail(&self, bytes: u64) -> Vec<u8> {
        self.store.tail(bytes)
    }

    /// Ends the log.
    pub(crate) fn end(&mut self, run: &Run) {
        if let Some(mut log) = self.log.take() {
            let logged = log.added();
            if logged < self.store.total() {
                let read = self.store.read_end(logged, &mut |piece| {
                    log.add_end(piece);
                    Ok(())
                });
                if let Err(why) = read {
                    log::warn!("the end of the output is not in the log: {why}");
                }
            }
            log.end(run);
        }
    }
}

#[cfg(test)]
mod tests;
