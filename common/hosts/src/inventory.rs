//! All hosts of all sources, merged, and what is odd about them.

use crate::host::{Host, Place};

/// Hosts in the order of their sources, each name once.
#[derive(Debug, Clone, Default)]
pub struct Inventory {
    /// The hosts.
    pub hosts: Vec<Host>,
    /// What reading them found odd, in the order of the lines.
    pub findings: Vec<Finding>,
}

/// One thing that is odd about an inventory.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// Where.
    pub place: Place,
    /// Whether a host is lost or wrong by it; else it is only suspicious.
    pub is_error: bool,
    /// What, as one sentence without the place.
    pub what: String,
}
