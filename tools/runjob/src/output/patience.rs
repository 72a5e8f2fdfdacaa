//! How long a reader is waited for who takes nothing.

use std::os::fd::BorrowedFd;
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, Timespec, poll};

use crate::signals::Signals;

/// Once runjob is to end, whoever takes nothing for so long is taken to hang.
const MOMENT: Duration = Duration::from_secs(1);

/// The job is over. A reader has all the time that it wants, as it has without runjob, until somebody asks for the
/// end: then it has as long as `--grace`, and is given up when it takes nothing for a second.
#[derive(Debug)]
pub(crate) struct Patience<'a> {
    signals: &'a Signals,
    grace: Duration,
    until: Option<Instant>,
}

impl<'a> Patience<'a> {
    /// With `is_stopped` somebody has asked already.
    pub(crate) fn new(signals: &'a Signals, grace: Duration, is_stopped: bool) -> Self {
        let mut patience = Self { signals, grace, until: None };
        if is_stopped {
            patience.end_soon();
        }
        patience.hear();
        patience
    }

    /// Waits until `out` takes more, or fails; false: it is given up.
    pub(crate) fn allows(&mut self, out: BorrowedFd<'_>) -> bool {
        loop {
            let left = self.until.map(|until| until.saturating_duration_since(Instant::now()).min(MOMENT));
            let left = left.and_then(|left| Timespec::try_from(left).ok());
            let mut both =
                [PollFd::from_borrowed_fd(out, PollFlags::OUT), PollFd::new(self.signals, PollFlags::IN)];
            match poll(&mut both, left.as_ref()) {
                Ok(0) => return false,
                Ok(_) if !both[0].revents().is_empty() => return true,
                Ok(_) => self.hear(),
                Err(rustix::io::Errno::INTR) => {}
                Err(_) => return false,
            }
        }
    }

    fn hear(&mut self) {
        while let Some(arrived) = self.signals.next() {
            if arrived.is_stop() {
                self.end_soon();
            }
        }
    }

    fn end_soon(&mut self) {
        self.until.get_or_insert(Instant::now() + self.grace);
    }
}
