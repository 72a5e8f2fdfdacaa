//! The audit log: who deployed what, where, and what came of it, in lines of JSON that are only ever
//! appended.
//!
//! An environment has one line when it begins, so that also a deployer that is killed has left its name,
//! and one when it has ended. An append that a kill or a full disk has torn leaves a last line without a
//! newline: readers pass over it, and the next append cuts it off. The folder is locked meanwhile, so
//! several deployers may write to one log.

mod append;
mod read;

use process::origin::Origin;
use secrets::conceal;
use serde::{Deserialize, Serialize};

use crate::report::Word;

pub(crate) use append::Log;
pub(crate) use read::read;

/// The name of the log in the folder of state.
pub(crate) const NAME: &str = "history.jsonl";

/// The longest reason, in characters.
const LONGEST_WHY: usize = 1000;

/// What was to be done.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Action {
    /// The file of the spec.
    Apply,
    /// What hosts had before.
    Rollback,
    /// An end to what a deployer that is no more had begun.
    Settle,
}

/// A line of the log.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Record {
    /// Its number, from 1.
    pub(crate) n: u64,
    /// When, as RFC 3339 in UTC with milliseconds.
    pub(crate) time: String,
    /// The user.
    pub(crate) who: String,
    /// The name of the machine that it was done from.
    pub(crate) host: String,
    /// The process.
    pub(crate) pid: u32,
    /// The rest.
    #[serde(flatten)]
    pub(crate) deed: Deed,
}

/// What was done, or is about to be.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Deed {
    /// The name of the spec.
    pub(crate) spec: String,
    /// The environment.
    pub(crate) env: String,
    /// What was to be done.
    pub(crate) action: Action,
    /// The id of the deployment.
    pub(crate) id: String,
    /// The SHA-256 of source and values; for a rollback that of the deployment which it goes back to, or
    /// empty.
    pub(crate) version: String,
    /// Where a rollback goes back to: the ids of deployments that left what is to be there, or `before` and an
    /// id.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) back_to: Option<String>,
    /// What came of it.
    pub(crate) outcome: Word,
    /// For which reason.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) why: Option<String>,
    /// How long it took.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) seconds: Option<f64>,
    /// What became of each host; in the line that it begins with only their names and what they have.
    pub(crate) hosts: Vec<HostRecord>,
}

/// What became of a host.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct HostRecord {
    /// Its name.
    pub(crate) host: String,
    /// What became of it, in one word.
    pub(crate) outcome: Word,
    /// The SHA-256 of what it had before; none: no file, or nobody knows.
    pub(crate) before: Option<String>,
    /// The SHA-256 of what it has now, as far as that is known.
    pub(crate) after: Option<String>,
    /// Why it is so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) why: Option<String>,
}

impl Record {
    fn new(n: u64, by: Origin, deed: &Deed) -> Self {
        let mut deed = deed.clone();
        deed.why = deed.why.as_deref().map(shown);
        for host in &mut deed.hosts {
            host.why = host.why.as_deref().map(shown);
        }
        Self { n, time: by.time, who: by.who, host: by.host, pid: by.pid, deed }
    }
}

/// A reason without the secrets that are known, and not without end.
fn shown(why: &str) -> String {
    conceal::hide(why).chars().take(LONGEST_WHY).collect()
}

#[cfg(test)]
mod tests;
