//! `--status FILE`: what came of a run, as one JSON object.

use chrono::{DateTime, SecondsFormat, Utc};
use nix::unistd::gethostname;
use serde::{Deserialize, Serialize};

use crate::run::{End, Run};

use super::History;

/// What is written: the keys are the interface.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub(super) struct Record {
    pub(super) name: String,
    pub(super) run: String,
    pub(super) host: String,
    pub(super) began: String,
    pub(super) ended: String,
    pub(super) elapsed_ms: u64,
    pub(super) outcome: &'static str,
    pub(super) status: u8,
    pub(super) signal: Option<i32>,
    pub(super) attempts: u32,
    pub(super) peak_bytes: u64,
    pub(super) cpu_user_ms: u64,
    pub(super) cpu_system_ms: u64,
    pub(super) fence: Option<u64>,
    pub(super) consecutive_failures: u64,
    pub(super) last_success: Option<String>,
    /// The same two times for who counts.
    #[serde(skip)]
    pub(super) ended_at: i64,
    #[serde(skip)]
    pub(super) success_at: Option<i64>,
}

/// What is read of the record before.
#[derive(Deserialize)]
struct Before {
    name: String,
    consecutive_failures: u64,
    last_success: Option<String>,
}

impl Record {
    pub(super) fn of(run: &Run, before: History) -> Self {
        let ended = DateTime::<Utc>::from(run.ended);
        let is_success = run.end.is_success();
        let success_at = if is_success { Some(ended.timestamp_millis()) } else { before.success };
        let millis = |time: std::time::Duration| u64::try_from(time.as_millis()).unwrap_or(u64::MAX);
        Self {
            name: run.name.clone(),
            run: run.id.clone(),
            host: gethostname().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default(),
            began: told(DateTime::from(run.began)),
            ended: told(ended),
            elapsed_ms: millis(run.took),
            outcome: outcome(run.end),
            status: run.end.status(),
            signal: if let End::Signal(signal) = run.end { Some(signal) } else { None },
            attempts: run.attempts,
            peak_bytes: run.usage.peak,
            cpu_user_ms: millis(run.usage.user),
            cpu_system_ms: millis(run.usage.system),
            fence: run.fence,
            consecutive_failures: if is_success { 0 } else { before.failures.saturating_add(1) },
            last_success: success_at.and_then(DateTime::from_timestamp_millis).map(told),
            ended_at: ended.timestamp_millis(),
            success_at,
        }
    }

    /// The object, on one line.
    pub(super) fn line(&self) -> String {
        let mut line = serde_json::to_string(self).unwrap_or_default();
        line.push('\n');
        line
    }
}

/// What a record says of the runs before the next one; nothing when it is that of another job, or
/// none.
pub(super) fn history(bytes: &[u8], name: &str) -> Option<History> {
    let before: Before = serde_json::from_slice(bytes).ok()?;
    let success = before.last_success.and_then(|time| DateTime::parse_from_rfc3339(&time).ok());
    let success = success.map(|time| time.timestamp_millis());
    (before.name == name).then_some(History { failures: before.consecutive_failures, success })
}

fn told(time: DateTime<Utc>) -> String {
    time.to_rfc3339_opts(SecondsFormat::Millis, true)
}

fn outcome(end: End) -> &'static str {
    match end {
        End::Exit(0) => "ok",
        End::Exit(_) => "failed",
        End::Signal(_) => "signal",
        End::Late => "timeout",
        End::NotStarted(_) => "not_started",
    }
}
