//! The clock of a deployment.

use std::sync::mpsc::Receiver;
use std::time::{Duration, Instant};

use super::crew::Report;

/// A signal does not wake who waits for a host, so it is looked for that often.
const LOOK: Duration = Duration::from_millis(100);

/// A clock, and somebody who may ask to stop.
pub(super) trait Time: Sync {
    /// The time since some beginning.
    fn now(&self) -> Duration;

    /// The next report, or none: at `until`, or before it. `asked` hosts still have an answer to give; a
    /// clock that is not the real one stands still until then.
    fn wait(&self, reports: &Receiver<Report>, until: Duration, asked: usize) -> Option<Report>;

    /// Whether somebody has asked to stop.
    fn is_stopped(&self) -> bool;
}

/// The real one.
pub(super) struct Real(Instant);

impl Real {
    /// It begins now.
    pub(super) fn new() -> Self {
        Self(Instant::now())
    }
}

impl Time for Real {
    fn now(&self) -> Duration {
        self.0.elapsed()
    }

    fn wait(&self, reports: &Receiver<Report>, until: Duration, _asked: usize) -> Option<Report> {
        reports.recv_timeout(until.saturating_sub(self.now()).min(LOOK)).ok()
    }

    fn is_stopped(&self) -> bool {
        common::stop::requested()
    }
}
