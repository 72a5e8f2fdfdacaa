//! What came of a run: what all parts of the tool tell each other.

use std::fmt;
use std::time::{Duration, SystemTime};

use chrono::Utc;

/// How COMMAND ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum End {
    /// By itself, with this status.
    Exit(u8),
    /// By this signal.
    Signal(i32),
    /// We ended it: `--timeout` was over.
    Late,
    /// It could not be started: 126 or 127.
    NotStarted(u8),
}

/// What it took, with all of its descendants that it has waited for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Usage {
    /// The largest process, in bytes.
    pub(crate) peak: u64,
    /// In user mode.
    pub(crate) user: Duration,
    /// In the kernel.
    pub(crate) system: Duration,
}

/// A whole run.
#[derive(Debug, Clone)]
pub(crate) struct Run {
    /// What it is called.
    pub(crate) name: String,
    /// Its id: `JOB_RUN`.
    pub(crate) id: String,
    /// When it began.
    pub(crate) began: SystemTime,
    /// When it ended.
    pub(crate) ended: SystemTime,
    /// How long that was, by a clock that nobody sets.
    pub(crate) took: Duration,
    /// How the last attempt ended.
    pub(crate) end: End,
    /// How many attempts there were.
    pub(crate) attempts: u32,
    /// All attempts together; the largest process of any.
    pub(crate) usage: Usage,
    /// `FENCE`, with a lock.
    pub(crate) fence: Option<u64>,
}

/// The id of a new run, `20261121T113812Z-3f9a1c`: in the order of time, and another one on every host.
pub(crate) fn id() -> String {
    format!("{}-{:06x}", Utc::now().format("%Y%m%dT%H%M%SZ"), fastrand::u32(..1 << 24))
}

impl Usage {
    /// What came after `before`. The largest process is that of both: the system does not tell them apart.
    pub(crate) fn since(self, before: Self) -> Self {
        Self {
            peak: self.peak,
            user: self.user.saturating_sub(before.user),
            system: self.system.saturating_sub(before.system),
        }
    }
}

impl fmt::Display for End {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Exit(status) => write!(f, "ended with status {status}"),
            Self::Signal(signal) => write!(f, "was killed by signal {signal}"),
            Self::Late => f.write_str("took too long"),
            Self::NotStarted(_) => f.write_str("could not be started"),
        }
    }
}

impl End {
    /// Whether it is a success.
    pub(crate) fn is_success(self) -> bool {
        self == Self::Exit(0)
    }

    /// The exit status that says so; of a signal what a shell makes of it.
    pub(crate) fn status(self) -> u8 {
        match self {
            Self::Exit(status) | Self::NotStarted(status) => status,
            Self::Signal(signal) => u8::try_from(128 + signal).unwrap_or(u8::MAX),
            Self::Late => 124,
        }
    }
}
