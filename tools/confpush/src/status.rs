//! What is to be said of a host, and what the hosts come to.

use std::fmt::{self, Display};

use common::answer::Answer;
use common::{Error, Outcome, Result};

use crate::report::{EnvPlan, HostState, HostStatus};
use crate::station::{Elsewhere, FileState, Open};

/// What is to be said of a host.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum State<'a> {
    /// The file is what the last deployment left.
    Ok,
    /// Others have changed it since: in what.
    Drifted(String),
    /// Somebody is at it.
    Open(&'a Open),
    /// A deployer that is no more has left it half way.
    Unsettled(&'a Open),
    /// The same, of this file by another spec.
    Rival(&'a Elsewhere),
    /// The same, by a path that the spec had before.
    Left(&'a Elsewhere),
    /// Nothing was deployed there; whether there is a file.
    Nothing(bool),
    /// It is out of reach: why.
    Down(&'a str),
    /// It refuses to be looked at: why.
    Faulty(&'a str),
}

impl<'a> State<'a> {
    /// That of `host`.
    pub(crate) fn of(host: &'a HostStatus) -> Self {
        let seen = match &host.seen {
            Answer::Yes(seen) => seen,
            Answer::No(why) => return Self::Faulty(why),
            Answer::Unknown(why) => return Self::Down(why),
        };
        match (&seen.open, seen.current()) {
            (Some(open), _) if open.is_guarded => Self::Open(open),
            (Some(open), _) => Self::Unsettled(open),
            (None, _) if seen.rival.is_some() || !seen.left.is_empty() => match &seen.rival {
                Some(rival) => Self::Rival(rival),
                None => Self::Left(&seen.left[0]),
            },
            (None, None) => Self::Nothing(seen.live.is_some()),
            (None, Some(_)) if !seen.has_drifted() => Self::Ok,
            (None, Some(kept)) => Self::Drifted(drift(kept.after.as_ref(), seen.live.as_ref())),
        }
    }

    /// In one word, for programs.
    pub(crate) fn word(&self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::Drifted(_) => "drifted",
            Self::Open(_) => "open",
            Self::Rival(rival) if rival.open.is_guarded => "open",
            Self::Unsettled(_) | Self::Rival(_) | Self::Left(_) => "unsettled",
            Self::Nothing(_) => "none",
            Self::Down(_) => "down",
            Self::Faulty(_) => "failed",
        }
    }

    /// What the word does not say.
    pub(crate) fn why(&self) -> Option<String> {
        let left = |open: &Open| format!("{} since {} ({})", open.who, open.time, open.id);
        match self {
            Self::Ok => None,
            Self::Drifted(what) => Some(what.clone()),
            Self::Open(open) => Some(left(open)),
            Self::Unsettled(open) => Some(format!("left by {}", left(open))),
            Self::Rival(Elsewhere { place, open, .. }) => {
                Some(format!("{}, by the spec {place}", left(open)))
            }
            Self::Left(Elsewhere { file, open, .. }) => Some(format!("{file}, left by {}", left(open))),
            Self::Nothing(true) => Some("a file that was not deployed".into()),
            Self::Nothing(false) => Some("no file".into()),
            Self::Down(why) | Self::Faulty(why) => Some((*why).to_owned()),
        }
    }
}

impl Display for State<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.why() {
            Some(why) => write!(f, "{}: {why}", self.word()),
            None => f.write_str(self.word()),
        }
    }
}

/// In what a file differs from what a deployment left.
fn drift(left: Option<&FileState>, live: Option<&FileState>) -> String {
    let (left, live) = match (left, live) {
        (Some(left), Some(live)) => (left, live),
        (Some(_), None) => return "the file is gone".into(),
        _ => return "there is a file again".into(),
    };
    let mut all = Vec::new();
    if left.sha256 != live.sha256 || left.size != live.size {
        all.push("other content".to_owned());
    }
    if left.mode != live.mode {
        all.push(format!("mode {:04o} instead of {:04o}", live.mode, left.mode));
    }
    if (&left.owner, &left.group) != (&live.owner, &live.group) {
        all.push(format!("{}:{} instead of {}:{}", live.owner, live.group, left.owner, left.group));
    }
    all.join(", ")
}

/// How `status` ends: 0, also where hosts have drifted, since it was asked what there is; 23 when some
/// are down.
///
/// # Errors
/// Status 2 when one refuses to be looked at, 75 when all are down.
pub(crate) fn of_hosts(hosts: &[HostStatus]) -> Result<Outcome> {
    let refuses = |host: &&HostStatus| matches!(host.seen, Answer::No(_));
    let faulty: Vec<&str> = hosts.iter().filter(refuses).map(|host| host.host.as_str()).collect();
    if !faulty.is_empty() {
        return Err(Error::failed(format!("cannot look at {}", some(&faulty))));
    }
    reached(hosts.len(), hosts.iter().filter(|host| !host.seen.is_yes()).count())
}

/// How `plan` ends: 0, and with `is_check` 1 when something would change, also where a deployment is to
/// be brought to an end first; 23 when some hosts are down, unless it is 1.
///
/// # Errors
/// Status 2 when it would fail on a host, 75 when somebody is at it on one, or when all are down.
pub(crate) fn of_plan(plans: &[EnvPlan], is_check: bool) -> Result<Outcome> {
    let (mut all, mut down, mut changed) = (0, 0, false);
    let (mut faulty, mut busy) = (Vec::new(), Vec::new());
    for host in plans.iter().flat_map(|plan| &plan.hosts) {
        all += 1;
        match &host.state {
            HostState::Same => {}
            HostState::Changes(_) | HostState::Unsettled(_) => changed = true,
            HostState::Down(_) => down += 1,
            HostState::Busy(_) => busy.push(host.host.as_str()),
            HostState::Faulty(_) => faulty.push(host.host.as_str()),
        }
    }
    if !faulty.is_empty() {
        return Err(Error::failed(format!("it would fail on {}", some(&faulty))));
    }
    if !busy.is_empty() {
        return Err(Error::retry(format!("another deployment is at {}", some(&busy))));
    }
    let outcome = reached(all, down)?;
    Ok(if is_check && changed { Outcome::No } else { outcome })
}

fn reached(all: usize, down: usize) -> Result<Outcome> {
    match down {
        0 => Ok(Outcome::Done),
        _ if down == all => Err(Error::retry("all hosts are down")),
        _ => Ok(Outcome::Partial),
    }
}

/// The first ones, and how many more there are.
pub(crate) fn some(hosts: &[&str]) -> String {
    const MOST: usize = 10;
    let first = hosts.iter().take(MOST).copied().collect::<Vec<_>>().join(", ");
    match hosts.len().saturating_sub(MOST) {
        0 => first,
        more => format!("{first} and {more} more"),
    }
}

#[cfg(test)]
mod tests;
