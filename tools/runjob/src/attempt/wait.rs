//! Waiting, while COMMAND runs or between two attempts.

use std::time::{Duration, Instant};

use common::{Error, Result};
use rustix::event::{PollFd, PollFlags, Timespec, poll};

use crate::output::Keeper;
use crate::signals::Signals;
use crate::tree::Tree;

/// Where something comes from.
#[derive(Debug)]
pub(super) struct Sources<'a> {
    pub(super) signals: &'a Signals,
    /// What COMMAND prints, when that is kept.
    pub(super) output: Option<&'a mut Keeper>,
}

impl Sources<'_> {
    /// Waits until a signal arrives, something was printed, which is taken, or it is `due`.
    ///
    /// # Errors
    /// When the system refuses to wait, or what was printed cannot be read.
    pub(super) fn wait(&mut self, due: Option<Instant>) -> Result<()> {
        let left = due.map(|due| due.saturating_duration_since(Instant::now()));
        let left = left.and_then(|left| Timespec::try_from(left).ok());
        let signals = PollFd::new(self.signals, PollFlags::IN);
        let printed = match &mut self.output {
            None => poll(&mut [signals], left.as_ref()).map(|_| false),
            Some(output) => {
                let descriptor = output.descriptor();
                let mut both = [signals, PollFd::from_borrowed_fd(descriptor, output.events())];
                poll(&mut both, left.as_ref()).map(|_| !both[1].revents().is_empty())
            }
        };
        match (printed, &mut self.output) {
            (Ok(true), Some(output)) => output.pump(),
            (Ok(_) | Err(rustix::io::Errno::INTR), _) => Ok(()),
            (Err(errno), _) => Err(Error::failed("cannot wait for the command").because(errno)),
        }
    }

    /// Waits so long, or until somebody asks for the end; says whether one did. What an attempt has left behind is
    /// read, and let go of when it ends.
    ///
    /// # Errors
    /// As [`Sources::wait`].
    pub(super) fn stop_within(&mut self, time: Duration, tree: &mut Tree) -> Result<bool> {
        let end = Instant::now() + time;
        loop {
            while let Some(arrived) = self.signals.next() {
                if arrived.is_stop() {
                    return Ok(true);
                }
            }
            tree.reap(None);
            if Instant::now() >= end {
                return Ok(false);
            }
            self.wait(Some(end))?;
        }
    }
}
