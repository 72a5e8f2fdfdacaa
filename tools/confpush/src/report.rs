//! How results look: for people, who may have been woken by it, and for programs.
//!
//! Texts of hosts and of commands are escaped, and secrets that are known are taken out of them.

mod fold;
mod history;
mod plan;
mod result;
mod status;
#[cfg(test)]
mod tests;

use std::collections::BTreeSet;

use common::answer::Answer;
use common::log::escape;
use common::{Out, Result, table};
use secrets::conceal::hide;
use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

use crate::station::{Open, Seen};

pub(crate) use history::history;
pub(crate) use plan::plan;
pub(crate) use result::result;
pub(crate) use status::status;

/// For whom.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Form {
    /// People.
    Text,
    /// Programs: one JSON object a line.
    Json,
}

/// What a deployment would do in an environment.
#[derive(Debug)]
pub(crate) struct EnvPlan {
    /// The name of the spec.
    pub(crate) spec: String,
    /// The environment.
    pub(crate) env: String,
    /// Whether it takes `--yes`.
    pub(crate) is_protected: bool,
    /// Its hosts, in the order in which they are told.
    pub(crate) hosts: Vec<HostPlan>,
}

impl EnvPlan {
    /// Whether it is known that nothing would change on any of its hosts.
    pub(crate) fn changes_nothing(&self) -> bool {
        self.hosts.iter().all(|host| matches!(host.state, HostState::Same))
    }
}

/// What a deployment would do on a host.
#[derive(Debug)]
pub(crate) struct HostPlan {
    /// Its name.
    pub(crate) host: String,
    /// The file there.
    pub(crate) path: String,
    /// What it would do.
    pub(crate) state: HostState,
}

/// What a deployment would do on a host.
#[derive(Debug)]
pub(crate) enum HostState {
    /// Nothing.
    Same,
    /// It would change the file, or what it is; or others have changed it.
    Changes(Box<Change>),
    /// The host is out of reach: why.
    Down(String),
    /// Somebody is at it.
    Busy(Open),
    /// A deployer that is no more has left it so.
    Unsettled(Open),
    /// It would fail: why.
    Faulty(String),
}

/// What would change in a file.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct Change {
    /// What is there; none: no file.
    pub(crate) old: Option<Zeroizing<Vec<u8>>>,
    /// What would be there; none: no file.
    pub(crate) new: Option<Zeroizing<Vec<u8>>>,
    /// The lines of `new`, from 0, that hold a secret.
    pub(crate) secret_lines: BTreeSet<usize>,
    /// What owner, group and mode would be, when they are not so.
    pub(crate) access: Option<String>,
    /// Who deployed last, and when, as `jan@box at 2026-03-14T09:26:53Z`, when somebody else has changed
    /// the file since.
    pub(crate) drift: Option<String>,
}

impl std::fmt::Debug for Change {
    // The contents may hold secrets.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Change")
            .field("access", &self.access)
            .field("drift", &self.drift)
            .finish_non_exhaustive()
    }
}

/// What came of a deployment or a rollback in an environment, or on a host; the words of the audit log.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Word {
    /// It has begun: another record tells how it ended, or somebody has killed the deployer.
    Begun,
    /// What was asked for is there.
    Done,
    /// The same but for hosts that were down, or of which no more failed than may.
    Partial,
    /// It was there already.
    Unchanged,
    /// Out of reach.
    Down,
    /// Its turn did not come.
    Untouched,
    /// A gate is closed: it takes `--yes` or `--confirm`, or another one failed before.
    Refused,
    /// Somebody else is at it; nothing was changed.
    Busy,
    /// It failed before anything was changed.
    Failed,
    /// It failed, and what was there before is proven to be there again.
    RolledBack,
    /// It failed, and nobody knows whether what was there before is there again.
    NotRolledBack,
}

/// What came of a deployment or a rollback in an environment.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct EnvResult {
    /// The name of the spec.
    pub(crate) spec: String,
    /// The environment.
    pub(crate) env: String,
    /// The id of the deployment; none: there was none.
    pub(crate) id: Option<String>,
    /// What was deployed: see [`crate::station::Order::version`].
    pub(crate) version: String,
    /// See [`crate::audit::Deed::back_to`].
    pub(crate) back_to: Option<String>,
    /// In one word.
    pub(crate) verdict: Word,
    /// Why it is so.
    pub(crate) why: Option<String>,
    /// How long it took.
    pub(crate) seconds: f64,
    /// What became of each host.
    pub(crate) hosts: Vec<HostResult>,
}

/// What became of a host.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct HostResult {
    /// Its name.
    pub(crate) host: String,
    /// In one word.
    pub(crate) fate: Word,
    /// Why it is so.
    pub(crate) why: Option<String>,
}

/// What is on a host.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct HostStatus {
    /// The name of the spec.
    pub(crate) spec: String,
    /// The environment.
    pub(crate) env: String,
    /// Its name.
    pub(crate) host: String,
    /// What was seen; a no: it refuses to be looked at.
    pub(crate) seen: Answer<Seen>,
    /// The file there.
    pub(crate) path: String,
}

impl HostStatus {
    /// What was seen; none: it is down, or refuses.
    pub(crate) fn seen(&self) -> Option<&Seen> {
        self.seen.yes()
    }
}

/// Prints the rows below their titles.
fn table(out: &mut Out, titles: &[&str], rows: &[Vec<String>]) -> Result<()> {
    let rows: Vec<Vec<String>> = rows.iter().map(|row| row.iter().map(|text| hide(text)).collect()).collect();
    table::texts(titles, &rows, out)
}

/// A text of somebody else as people see it, on one line.
fn shown(text: &str) -> String {
    escape(&hide(text))
}

/// A digest as people tell it from others.
fn short(digest: &str) -> &str {
    digest.get(..12).unwrap_or(digest)
}

/// `1 host`, `2 hosts`.
fn hosts(count: usize) -> String {
    format!("{count} {}", if count == 1 { "host" } else { "hosts" })
}
