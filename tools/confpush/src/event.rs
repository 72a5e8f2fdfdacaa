//! What `--on-event CMD` is told of.

use serde::Serialize;

use crate::audit::{Action, HostRecord};
use crate::report::Word;

/// What became of an environment.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct Event<'a> {
    /// What it is: `done`, `partial`, `down`, `refused`, `failed`, `busy`, `rolled_back`, `not_rolled_back`.
    #[serde(rename = "event")]
    pub(crate) outcome: Word,
    /// The name of the spec.
    pub(crate) spec: &'a str,
    /// The environment.
    pub(crate) env: &'a str,
    /// What was to be done.
    pub(crate) action: Action,
    /// The id of the deployment.
    pub(crate) id: &'a str,
    /// The exit status of this environment alone.
    pub(crate) status: u8,
    /// For which reason.
    pub(crate) why: Option<&'a str>,
    /// How long it took.
    pub(crate) seconds: Option<f64>,
    /// What became of each host.
    pub(crate) hosts: &'a [HostRecord],
    /// When, as RFC 3339 in UTC.
    pub(crate) time: String,
}
