//! One host of a deployment: what is known of it, and the thread that speaks to it.

use std::sync::mpsc::{Receiver, Sender};
use std::time::Duration;

use common::answer::Answer;

use crate::deploy::time::Time;
use crate::host::BUSY;
use crate::spec::Check;
use crate::station::{Order, Station};

/// So often a guard hears something while it is patient: three may get lost.
pub(super) const BEATS: u32 = 4;

/// What can be asked of a host.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::deploy) enum Work {
    /// See [`Station::stage`].
    Stage,
    /// See [`Station::swap`].
    Swap,
    /// All checks, once.
    Round,
    /// See [`Station::beat`].
    Beat,
    /// See [`Station::confirm`].
    Confirm,
    /// See [`Station::restore`].
    Restore,
}

/// What came of it.
#[derive(Debug)]
pub(in crate::deploy) struct Report {
    /// The host, by its place.
    pub(in crate::deploy) host: usize,
    /// What was asked.
    pub(in crate::deploy) work: Work,
    /// When.
    pub(in crate::deploy) began: Duration,
    /// When it was answered.
    pub(in crate::deploy) ended: Duration,
    /// When the last word was sent that the guard is known to have heard.
    pub(in crate::deploy) heard: Duration,
    /// The answer.
    pub(in crate::deploy) answer: Answer,
}

/// A host, as the one who leads knows it.
pub(in crate::deploy) struct Hand {
    /// Its name.
    pub(in crate::deploy) name: String,
    /// How far it is.
    pub(in crate::deploy) state: State,
    /// What it said when it was staged; none: it was not asked, or has not said.
    pub(in crate::deploy) staging: Option<Answer>,
    /// Why it, itself, failed.
    pub(in crate::deploy) why: Option<String>,
    /// Which of the last rounds of checks have passed, the last one last.
    pub(in crate::deploy) pulse: Vec<bool>,
    /// Whether its file may have been replaced.
    pub(super) is_touched: bool,
    /// The guard is known to have heard something that was sent then.
    pub(super) heard: Duration,
    /// Later than then it can have heard nothing.
    pub(super) word: Duration,
    /// Since when it is to go back, if it is.
    pub(super) returning_since: Duration,
    /// How often it was asked to after its time.
    pub(super) late: u32,
    /// When it is to be spoken to again, if nothing else is asked of it.
    pub(super) due: Duration,
    /// So much was asked of it and is not answered yet.
    pub(super) asked: usize,
    pub(super) works: Sender<Work>,
}

/// How far a host is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::deploy) enum State {
    /// Nothing was changed.
    Ready,
    /// Everything is there for the swap.
    Staged,
    /// The new file is in use.
    Swapped,
    /// And stays.
    Confirmed,
    /// It is to go back.
    Returning,
    /// It has the old file, proven.
    Back,
    /// It was never changed, but what was staged there is not known to be removed: why.
    Left(String),
    /// It cannot go back: why.
    Stuck(String),
    /// It does not answer, and its guard must have taken it back by now: why.
    Lost(String),
}

impl Hand {
    pub(super) fn new(name: String, works: Sender<Work>, now: Duration) -> Self {
        Self {
            name,
            state: State::Ready,
            staging: None,
            why: None,
            pulse: Vec::new(),
            is_touched: false,
            heard: now,
            word: now,
            returning_since: now,
            late: 0,
            due: now,
            asked: 0,
            works,
        }
    }

    /// Whether something may be staged there: it has said so, or not said that nothing is. What is in
    /// somebody else's hands has taken nothing of ours.
    pub(in crate::deploy) fn may_be_staged(&self) -> bool {
        match &self.staging {
            Some(Answer::Yes(())) => true,
            Some(Answer::No(_)) => false,
            Some(Answer::Unknown(why)) => !why.starts_with(BUSY),
            None => self.asked > 0,
        }
    }

    /// Whether a guard there has to hear something now and then.
    pub(super) fn is_guarded(&self) -> bool {
        matches!(self.state, State::Staged | State::Swapped)
    }
}

/// The host's own thread: does one thing after the other, until nobody can ask for more.
pub(super) struct Worker<'a> {
    pub(super) host: usize,
    pub(super) station: Box<dyn Station>,
    pub(super) order: Option<Order>,
    pub(super) checks: Vec<Check>,
    pub(super) within: Duration,
    pub(super) time: &'a dyn Time,
    pub(super) heard: Duration,
}

impl Worker<'_> {
    pub(super) fn serve(mut self, works: &Receiver<Work>, reports: &Sender<Report>) {
        for work in works {
            let began = self.time.now();
            let answer = self.work(work);
            if answer.is_yes() && matches!(work, Work::Stage | Work::Swap | Work::Beat) {
                self.heard = began;
            }
            let (host, heard, ended) = (self.host, self.heard, self.time.now());
            if reports.send(Report { host, work, began, ended, heard, answer }).is_err() {
                return;
            }
        }
    }

    fn work(&mut self, work: Work) -> Answer {
        match work {
            // The content is of no use afterwards, and may be secret.
            Work::Stage => match self.order.take() {
                Some(order) => self.station.stage(&order),
                None => Answer::No("it has been staged before".into()),
            },
            Work::Swap => self.station.swap(),
            Work::Round => self.round(),
            Work::Beat => self.station.beat(),
            Work::Confirm => self.station.confirm(),
            Work::Restore => self.station.restore(),
        }
    }

    /// All checks. One may take nearly as long as the guard is patient, and there may be many.
    fn round(&mut self) -> Answer {
        for check in &self.checks {
            let now = self.time.now();
            if now >= self.heard + self.within / BEATS {
                match self.station.beat() {
                    Answer::Yes(()) => self.heard = now,
                    other => return other,
                }
            }
            let answer = self.station.check(check);
            if !answer.is_yes() {
                return answer;
            }
        }
        Answer::Yes(())
    }
}
