//! What came of asking one host once.

use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, Utc};
use remote::{Failure, session};

use crate::sample::Sample;

/// What came of asking one host once.
#[derive(Debug, Clone)]
pub struct Polled {
    /// The host, as the inventory calls it.
    pub name: Arc<str>,
    /// Its tags, `key=value`, for labels.
    pub tags: Arc<Vec<(String, String)>>,
    /// When the answer was there, or the failure.
    pub time: DateTime<Utc>,
    /// How long the phases took.
    pub took: Took,
    /// The answer, or why there is none.
    pub result: Result<Sample, Failure>,
    /// Whether the answer was cut off at the deadline: the gaps say where it hung.
    pub is_cut: bool,
    /// The sample before this one of the same host and boot, with `--interval`; for rates.
    pub before: Option<Arc<(DateTime<Utc>, Sample)>>,
}

/// How long the phases took. Zero for those that were not entered, as on a kept session.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Took {
    /// The phases until the login.
    pub opening: session::Took,
    /// The command, from asking for it to the end of its output; its window is part of it.
    pub command: Duration,
    /// All of it, also waiting for another attempt.
    pub total: Duration,
}
