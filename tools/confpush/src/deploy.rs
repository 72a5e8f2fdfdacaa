//! One deployment over the hosts of one environment: all of them get the new file, or none.
//!
//! | module | what it tells |
//! |---|---|
//! | [`stage`] | everything that can be refused is refused before a file is touched |
//! | [`waves`] | canary, then batch by batch: the new file, and whether the host stays healthy with it |
//! | [`pulse`] | health checks: K of N rounds |
//! | [`bake`] | the checks go on for a while |
//! | [`confirm`] | all guards end together |
//! | [`back`] | and what when something fails: everything of this environment goes back |
//! | [`crew`] | the hosts, each with a thread of its own, and whose turn it is to be heard |
//! | [`time`] | the clock, and whether somebody has asked to stop |
//!
//! # Why it can be all or none, and when it cannot
//!
//! "All confirm, or none" over a network that loses messages is the problem of the two generals, and has no
//! solution: whoever sends the last message never knows whether it arrived. What is done instead makes the
//! time in which that matters short, and the outcome known in every case but one:
//!
//! * Until the decision nothing has to arrive: a host that hears nothing goes back by itself. A deployer that
//!   is killed, cut off or stopped before it leaves every host on the old file.
//! * The decision is one moment on one machine: the witness, a process of its own, has been told to confirm.
//!   All hosts have passed, and all guards have just been heard from, so `confirm_within` is left. From here
//!   on either of the two processes confirms, and asks again until every host has said yes or no; a confirm
//!   may be repeated.
//! * A no (a guard that was too late) or no answer until the guard must have run out undoes the decision: the
//!   witness is told first, then those that are confirmed already are put back, too.
//! * What is left: a host that heard the confirm, was lost before its yes arrived, and stays lost while the
//!   others are put back. It cannot be told from one that has gone back. It is named, the verdict is
//!   [`Verdict::NotRolledBack`], and the next run sees what it has. The same holds when both processes die in
//!   the moment between the first confirm and the last, as when their machine loses power.

mod back;
mod bake;
mod confirm;
mod crew;
mod pulse;
mod stage;
mod time;
mod waves;

use std::time::Duration;

use crate::spec::{Check, Checks, Strategy};
use crate::station::{Order, Station};
use crate::witness::{Summon, Witness};
use crew::{Berth, Breach, Crew, Terms};
use time::{Real, Time};

/// A host that is to change. One that is down, or has the file already, is none.
pub(crate) struct Post {
    /// The host, which has been looked at.
    pub(crate) station: Box<dyn Station>,
    /// What it is to get.
    pub(crate) order: Order,
    /// What has to work there afterwards.
    pub(crate) checks: Vec<Check>,
}

/// How it is to go.
pub(crate) struct Course<'a> {
    /// How it goes over the hosts.
    pub(crate) strategy: Strategy,
    /// How many rounds of checks have to pass.
    pub(crate) checks: Checks,
    /// How long the hosts have to stay healthy before they are confirmed.
    pub(crate) bake: Duration,
    /// How many hosts at a time.
    pub(crate) jobs: usize,
    /// Told of each step, by the name of the host; an empty name: the whole environment.
    pub(crate) events: &'a dyn Fn(&str, Step),
    /// Who confirms the rest when this process is killed; none: nobody, the guards run out.
    pub(crate) witness: Option<&'a dyn Summon>,
}

/// What has just happened.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Step {
    /// The new file lies beside the old one, and has been judged there.
    Staged,
    /// Of the environment: wave `number` of `of`, from 1, begins.
    Wave {
        /// Which.
        number: usize,
        /// Of how many.
        of: usize,
    },
    /// The new file is in use.
    Swapped,
    /// Enough rounds of checks have passed.
    Healthy,
    /// Of the environment: all hosts have the new file and are watched for a while.
    Baking,
    /// Of the environment: it is decided that the new file stays.
    Decided,
    /// The new file stays.
    Confirmed,
    /// It did not work there: why.
    Failed(String),
    /// Of the environment: everything goes back: why.
    Back(String),
    /// The old file is in use, proven.
    RolledBack,
    /// It is not known to be: why.
    NotRolledBack(String),
}

/// What became of a host.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Fate {
    /// It has the new file.
    Deployed,
    /// It has the old one again: why it, or the environment, failed.
    RolledBack(String),
    /// It may have either: why it could not be brought back, or not be asked.
    NotRolledBack(String),
    /// Nothing was changed: why.
    Refused(String),
}

/// What became of the environment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// It has the new file.
    Done,
    /// Nothing was changed: why.
    Refused(String),
    /// Nothing was changed: another deployment is at it.
    Busy(String),
    /// It has the old file, every host verified: why.
    RolledBack(String),
    /// It is not known of all hosts that they are as they should be: why, and which.
    NotRolledBack(String),
}

/// What came of a deployment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Passage {
    /// What became of each host, in the order in which they came.
    pub(crate) fates: Vec<(String, Fate)>,
    /// What became of the environment.
    pub(crate) verdict: Verdict,
    /// Whether it is done, but not on all hosts: no more of them failed than may. Their fates tell.
    pub(crate) is_partial: bool,
}

/// What is left to be done of a deployment when its deployer is gone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Left {
    /// It was decided that the new file stays; so many hosts may fail.
    Confirm(usize),
    /// Everything was to go back.
    Back,
}

/// Deploys. Returns when every host has the new file, or the old one, or is named.
pub(crate) fn environment(posts: Vec<Post>, course: &Course<'_>) -> Passage {
    deploy(posts, course, &Real::new())
}

/// Ends a deployment of which every host of `stations` has the new file, with a guard that is patient for
/// `within`; `jobs` at a time. `events` is told of each step.
pub(crate) fn finish(
    stations: Vec<Box<dyn Station>>,
    left: Left,
    (within, jobs): (Duration, usize),
    events: &dyn Fn(&str, Step),
) -> Passage {
    let spare = if let Left::Confirm(spare) = left { spare } else { 0 };
    end(stations, left, Terms { within, jobs, spare, events, time: &Real::new() })
}

fn deploy(posts: Vec<Post>, course: &Course<'_>, time: &dyn Time) -> Passage {
    let (strategy, names) = (course.strategy, names(posts.iter().map(|post| &post.station)));
    let spare = strategy.max_failures.of(posts.len());
    let terms =
        Terms { within: strategy.confirm_within, jobs: course.jobs, spare, events: course.events, time };
    let mut witness = match course.witness.map(Summon::summon).transpose() {
        Ok(witness) => witness,
        Err(why) => return refused(names, &why),
    };
    let berths = posts.into_iter().map(Berth::from).collect();
    let passage = std::thread::scope(|scope| match Crew::board(scope, berths, terms) {
        Ok(mut crew) => sail(&mut crew, course, &mut witness),
        Err(why) => refused(names, &why),
    });
    if let Some(witness) = witness {
        witness.done();
    }
    passage
}

fn sail(crew: &mut Crew<'_>, course: &Course<'_>, witness: &mut Option<Box<dyn Witness>>) -> Passage {
    if let Err(passage) = stage::all(crew) {
        return passage;
    }
    let course = waves::all(crew, course)
        .and_then(|()| bake::all(crew, course))
        .and_then(|()| confirm::all(crew, course, witness.as_mut()));
    if let (Err(_), Some(witness)) = (&course, witness) {
        // Before the first host is put back: from here on either process puts back what is left.
        witness.back(&crew.names(&crew.aboard()));
    }
    arrive(crew, course)
}

fn end(stations: Vec<Box<dyn Station>>, left: Left, terms: Terms<'_>) -> Passage {
    let names = names(stations.iter());
    let berths =
        stations.into_iter().map(|station| Berth { station, order: None, checks: Vec::new() }).collect();
    std::thread::scope(|scope| match Crew::board(scope, berths, terms) {
        Ok(mut crew) => {
            let hosts = crew.take_over();
            let way = match left {
                Left::Confirm(_) => confirm::decided(&mut crew, &hosts),
                Left::Back => Err(Breach("the deployment had failed".into())),
            };
            arrive(&mut crew, way)
        }
        Err(why) => refused(names, &why),
    })
}

/// Ends it, well or not.
fn arrive(crew: &mut Crew<'_>, way: Result<(), Breach>) -> Passage {
    match &way {
        Ok(()) => crew.settle(),
        Err(Breach(why)) => {
            crew.tell(None, Step::Back(why.clone()));
            back::all(crew);
        }
    }
    let why = way.err().map(|breach| breach.0);
    let fates = crew.fates(why.as_deref());
    let lost = crew.lost(why.is_some());
    let verdict = match why {
        None if lost.is_empty() => Verdict::Done,
        Some(why) if lost.is_empty() => Verdict::RolledBack(why),
        why => {
            let why = why.map(|why| format!("{why}; ")).unwrap_or_default();
            Verdict::NotRolledBack(format!("{why}not known to be back: {}", lost.join(", ")))
        }
    };
    let is_whole = fates.iter().all(|(_, fate)| *fate == Fate::Deployed);
    Passage { is_partial: verdict == Verdict::Done && !is_whole, fates, verdict }
}

fn names<'a>(stations: impl Iterator<Item = &'a Box<dyn Station>>) -> Vec<String> {
    stations.map(|station| station.name().to_owned()).collect()
}

/// Nothing was begun.
fn refused(names: Vec<String>, why: &str) -> Passage {
    let fates = names.into_iter().map(|name| (name, Fate::Refused(why.into()))).collect();
    Passage { fates, verdict: Verdict::Refused(why.into()), is_partial: false }
}

#[cfg(test)]
mod tests;
