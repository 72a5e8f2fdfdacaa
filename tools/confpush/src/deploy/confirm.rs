//! Confirm: the guards of all hosts end together. See the [module above](super) for why it is done like this.

use std::collections::BTreeMap;
use std::time::Duration;

use common::answer::Answer;

use super::crew::{Breach, Crew, FOREVER, Report, State, Work};
use super::pulse::{self, Goal};
use super::{Course, Step};
use crate::witness::Witness;

/// Has the new file stay on all hosts that have it.
///
/// # Errors
/// When more hosts fail than may. Some may have confirmed then; they are to be brought back as well.
pub(super) fn all(
    crew: &mut Crew<'_>,
    course: &Course<'_>,
    witness: Option<&mut Box<dyn Witness>>,
) -> Result<(), Breach> {
    pulse::watch(crew, &crew.who(&State::Swapped), (course.checks, Goal::Once))?;
    // After the checks: from here on each guard is patient for the whole of its time.
    crew.refresh()?;
    let hosts = crew.who(&State::Swapped);
    if let Some(witness) = witness {
        let told = witness.confirm(&crew.names(&hosts), crew.spare());
        told.map_err(|why| Breach(format!("nobody could take over if this process is killed: {why}")))?;
    }
    crew.tell(None, Step::Decided);
    decided(crew, &hosts)
}

/// Confirms, all at once: the time between the first and the last one is what everything else is done for.
///
/// # Errors
/// When more hosts fail than may: it was too late there, or they do not answer until it must have been.
pub(super) fn decided(crew: &mut Crew<'_>, hosts: &[usize]) -> Result<(), Breach> {
    crew.let_go();
    for &host in hosts {
        crew.ask(host, Work::Confirm);
    }
    let mut open = hosts.len();
    let mut again: BTreeMap<usize, Duration> = BTreeMap::new();
    while open > 0 {
        let wake = again.values().copied().min().unwrap_or(FOREVER);
        if let Some(report) = crew.next(wake)?.filter(|report| report.work == Work::Confirm) {
            match take(crew, &report)? {
                Some(when) => drop(again.insert(report.host, when)),
                None => open -= 1,
            }
        }
        let now = crew.now();
        let due: Vec<usize> = again.iter().filter(|(_, when)| **when <= now).map(|(host, _)| *host).collect();
        for host in due {
            again.remove(&host);
            crew.ask(host, Work::Confirm);
        }
    }
    Ok(())
}

/// Takes an answer; says when to ask again, if that is to be done.
fn take(crew: &mut Crew<'_>, report: &Report) -> Result<Option<Duration>, Breach> {
    match &report.answer {
        Answer::Yes(()) => crew.keep(report.host),
        Answer::No(why) => crew.fail(report.host, format!("not confirmed: {why}"))?,
        Answer::Unknown(_) if report.began < crew.deadline(report.host) => {
            return Ok(Some(report.ended + crew.pause()));
        }
        Answer::Unknown(why) => crew.fail(report.host, format!("not known to be confirmed: {why}"))?,
    }
    Ok(None)
}
