//! What is odd about what was read, as warnings.

use std::collections::BTreeSet;

use crate::inventory::Finding;

/// More of them are no help: the inventory has another form than it was taken for.
const MOST: usize = 20;

/// Warns of each finding once, and counts those after the first ones.
pub(super) fn warn(findings: &[Finding]) {
    let mut seen = BTreeSet::new();
    let mut told = findings.iter().filter(|finding| seen.insert((&finding.place, &finding.what)));
    for finding in told.by_ref().take(MOST) {
        log::warn!("{}: {}", finding.place, finding.what);
    }
    let more = told.count();
    if more > 0 {
        log::warn!("and {more} more; hostlist --lint lists all of them");
    }
}
