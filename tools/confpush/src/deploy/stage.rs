//! Stage: everything that can be refused is refused while no file has been touched.

use common::answer::Answer;

use super::crew::{Breach, Crew, State, Work};
use super::{Passage, Verdict, back};
use crate::host::BUSY;

/// Stages on all hosts.
///
/// # Errors
/// What came of it when one of them refused, did not answer, or somebody asked to stop. What was staged
/// elsewhere has been removed.
pub(super) fn all(crew: &mut Crew<'_>) -> Result<(), Passage> {
    let hosts = crew.who(&State::Ready);
    let staged = crew.each((&hosts, &State::Ready), Work::Stage, |crew, host, answer| match answer {
        Answer::Yes(()) => Ok(()),
        Answer::No(why) | Answer::Unknown(why) => Err(Breach(format!("{}: {why}", crew.hand(host).name))),
    });
    let staged = staged.and_then(|()| crew.heed());
    // A guard that went back while the others were staged: no file is touched yet, so it costs nothing
    // to begin anew.
    if staged.is_ok() && crew.failed() == 0 {
        return Ok(());
    }
    back::all(crew);
    Err(refused(crew, staged.err()))
}

/// Why nothing was changed: all that refused are told, also those that did so after the first.
fn refused(crew: &Crew<'_>, breach: Option<Breach>) -> Passage {
    let (mut busy, mut refusals, mut others) = (Vec::new(), Vec::new(), Vec::new());
    for hand in crew.hands() {
        let at = |why: &str| format!("{}: {why}", hand.name);
        match (&hand.staging, &hand.why) {
            (Some(Answer::No(why) | Answer::Unknown(why)), _) if why.starts_with(BUSY) => busy.push(at(why)),
            (Some(Answer::No(why)), _) => refusals.push(at(why)),
            (Some(Answer::Unknown(why)), _) | (_, Some(why)) => others.push(at(why)),
            _ => {}
        }
    }
    let is_busy = !busy.is_empty() && refusals.is_empty();
    refusals.extend(busy);
    refusals.extend(others);
    if refusals.is_empty() {
        refusals.extend(breach.map(|breach| breach.0));
    }
    let why = refusals.join("; ");
    let verdict = if is_busy { Verdict::Busy(why.clone()) } else { Verdict::Refused(why.clone()) };
    Passage { fates: crew.refusals(&why), verdict, is_partial: false }
}
