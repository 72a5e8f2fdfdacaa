//! How long anything may take, and how much may come.

use std::time::{Duration, Instant};

use crate::failure::Phase;

/// What bounds one host. A phase ends at its own bound or at that of the whole, whichever is first.
#[derive(Debug, Clone)]
pub struct Bounds {
    /// For looking up the address, and for connecting, each.
    pub connect: Duration,
    /// For greetings, key exchange and host key.
    pub handshake: Duration,
    /// For logging in.
    pub auth: Duration,
    /// For one command, from asking for it to the end of its output.
    pub command: Duration,
    /// For all of that, with every attempt and the waiting between them.
    pub total: Duration,
    /// How often a failure before the command was sent is tried again.
    pub retries: u32,
    /// Bytes of output of one command.
    pub max_output: usize,
}

impl Default for Bounds {
    fn default() -> Self {
        Self {
            connect: Duration::from_secs(5),
            handshake: Duration::from_secs(5),
            auth: Duration::from_secs(10),
            command: Duration::from_secs(15),
            total: Duration::from_secs(30),
            retries: 2,
            max_output: 8 << 20,
        }
    }
}

impl Bounds {
    fn of(&self, phase: Phase) -> Duration {
        match phase {
            Phase::Queue => Duration::ZERO,
            Phase::Resolve | Phase::Connect => self.connect,
            Phase::Handshake => self.handshake,
            Phase::Auth => self.auth,
            Phase::Command => self.command,
        }
    }
}

/// The moment at which a phase of one host has to end.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Deadline {
    pub(crate) at: Instant,
    /// How long that was when it began, for messages.
    pub(crate) whole: Duration,
}

impl Deadline {
    /// Of `phase`, which begins now, for a host that has until `end`.
    pub(crate) fn of(phase: Phase, bounds: &Bounds, end: Instant) -> Self {
        let now = Instant::now();
        let whole = bounds.of(phase).min(end.saturating_duration_since(now));
        Self { at: now + whole, whole }
    }

    /// What is left; `None` when it has passed.
    pub(crate) fn left(self) -> Option<Duration> {
        let left = self.at.saturating_duration_since(Instant::now());
        (!left.is_zero()).then_some(left)
    }
}

/// `5s`, `1.5s`, `250ms`: a bound as a message tells it.
#[must_use]
pub fn told(time: Duration) -> String {
    let ms = time.as_millis();
    match (ms, ms % 1000) {
        (..1000, _) => format!("{ms}ms"),
        (_, 0) => format!("{}s", ms / 1000),
        _ => format!("{:.1}s", time.as_secs_f64()),
    }
}
