//! Room for many connections: the limit on open descriptors.

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

/// What a session holds at most: its socket and two more while it begins, and the other end of its
/// socket when it goes through a jump host.
const EACH: u64 = 4;

/// What the rest of the program holds: streams, inventories, files of keys.
const OTHERS: u64 = 64;

/// Raises the soft limit on open descriptors as far as `sessions` at a time need and the hard one
/// allows; distributions leave it at 1,024 for programs that use select(2). Says so when that is not
/// enough: connections fail then.
pub fn make_room(sessions: usize) {
    let needed = u64::try_from(sessions).unwrap_or(u64::MAX / EACH).saturating_mul(EACH) + OTHERS;
    let now = getrlimit(Resource::Nofile);
    let Some(soft) = now.current.filter(|soft| *soft < needed) else { return };
    let reachable = now.maximum.map_or(needed, |hard| hard.min(needed));
    let raised = setrlimit(Resource::Nofile, Rlimit { current: Some(reachable), maximum: now.maximum });
    let reached = if raised.is_ok() { reachable } else { soft };
    if reached < needed {
        log::warn!(
            "{reached} open files are allowed, and {sessions} hosts at a time may need {needed}; raise it with ulimit -n, or lower --jobs"
        );
    }
}
