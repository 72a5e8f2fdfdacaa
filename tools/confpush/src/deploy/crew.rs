//! The hosts of a deployment, and the one who leads it.
//!
//! Each host has a thread of its own, which does what it is told, one thing after the other. One thread leads:
//! it alone knows how far each host is, hears every answer, sees to it that no guard waits too long for a
//! word, and has hosts that failed brought back meanwhile. So a host that hangs holds up its own thread, and
//! nobody else's guard.

mod hand;
mod turn;

use std::collections::VecDeque;
use std::sync::mpsc::{self, Receiver};
use std::thread::{Builder, Scope};
use std::time::Duration;

use common::answer::Answer;

use super::time::Time;
use super::{Fate, Post, Step};
use crate::spec::Check;
use crate::station::{Order, Station};
use hand::{Hand, Worker};

pub(super) use hand::{Report, State, Work};

/// A session, OpenSSL and a name looked up; what is not touched takes no memory.
const STACK: usize = 1024 * 1024;

/// The clock of a host may be slower than ours, and a message may be on its way for so long.
pub(super) const SLACK: Duration = Duration::from_secs(10);

/// A guard that heard something within this part of its patience has as good as all of it before it.
const FRESH: u32 = 8;

/// So long as nothing happens.
pub(super) const FOREVER: Duration = Duration::MAX;

/// That the environment cannot become what it was to be: why.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Breach(pub(super) String);

/// A host that comes aboard.
pub(super) struct Berth {
    pub(super) station: Box<dyn Station>,
    pub(super) order: Option<Order>,
    pub(super) checks: Vec<Check>,
}

/// What holds for the whole deployment.
#[derive(Clone, Copy)]
pub(super) struct Terms<'a> {
    /// A guard goes back after so long without a word.
    pub(super) within: Duration,
    /// How many hosts at a time; words to guards go to all of them at once.
    pub(super) jobs: usize,
    /// So many hosts may fail.
    pub(super) spare: usize,
    /// Told of each step.
    pub(super) events: &'a dyn Fn(&str, Step),
    /// The clock.
    pub(super) time: &'a dyn Time,
}

/// The hosts of a deployment.
pub(super) struct Crew<'a> {
    terms: Terms<'a>,
    hands: Vec<Hand>,
    reports: Receiver<Report>,
    /// So many hosts are at something that counts.
    at_work: usize,
    /// So many hosts have failed.
    failed: usize,
    /// Whether the guards are kept from going back.
    keeps_guards: bool,
    /// Whether a wish to stop is heard.
    may_stop: bool,
}

impl From<Post> for Berth {
    fn from(post: Post) -> Self {
        Self { station: post.station, order: Some(post.order), checks: post.checks }
    }
}

impl<'a> Crew<'a> {
    /// Gives each host a thread.
    ///
    /// # Errors
    /// Why there is none for all of them. Nothing has been asked of any.
    pub(super) fn board<'scope>(
        scope: &'scope Scope<'scope, '_>,
        berths: Vec<Berth>,
        terms: Terms<'a>,
    ) -> Result<Self, String>
    where
        'a: 'scope,
    {
        let (sender, reports) = mpsc::channel();
        let (now, mut hands) = (terms.time.now(), Vec::with_capacity(berths.len()));
        for (host, Berth { station, order, checks }) in berths.into_iter().enumerate() {
            let (works, orders) = mpsc::channel();
            hands.push(Hand::new(station.name().to_owned(), works, now));
            let (within, time) = (terms.within, terms.time);
            let worker = Worker { host, station, order, checks, within, time, heard: now };
            let sender = sender.clone();
            let thread = Builder::new().name("host".into()).stack_size(STACK);
            thread
                .spawn_scoped(scope, move || worker.serve(&orders, &sender))
                .map_err(|cause| format!("cannot begin a thread: {cause}"))?;
        }
        Ok(Self { terms, hands, reports, at_work: 0, failed: 0, keeps_guards: true, may_stop: true })
    }

    /// Tells of a step: of one host, or of the environment.
    pub(super) fn tell(&self, host: Option<usize>, step: Step) {
        (self.terms.events)(host.map_or("", |host| self.hands[host].name.as_str()), step);
    }

    /// The time.
    pub(super) fn now(&self) -> Duration {
        self.terms.time.now()
    }

    /// A host.
    pub(super) fn hand(&self, host: usize) -> &Hand {
        &self.hands[host]
    }

    /// All hosts.
    pub(super) fn hands(&self) -> &[Hand] {
        &self.hands
    }

    /// Those that are so far.
    pub(super) fn who(&self, state: &State) -> Vec<usize> {
        (0..self.hands.len()).filter(|&host| self.hands[host].state == *state).collect()
    }

    /// The names of `hosts`.
    pub(super) fn names(&self, hosts: &[usize]) -> Vec<String> {
        hosts.iter().map(|&host| self.hands[host].name.clone()).collect()
    }

    /// How many more hosts may fail.
    pub(super) fn spare(&self) -> usize {
        self.terms.spare.saturating_sub(self.failed)
    }

    /// How many have failed.
    pub(super) fn failed(&self) -> usize {
        self.failed
    }

    /// Notes a round of checks; says how many of the last `of` have failed, with this one.
    pub(super) fn record(&mut self, host: usize, has_passed: bool, of: u32) -> usize {
        let pulse = &mut self.hands[host].pulse;
        pulse.push(has_passed);
        let surplus = pulse.len().saturating_sub(usize::try_from(of).unwrap_or(usize::MAX));
        pulse.drain(..surplus);
        pulse.iter().filter(|has_passed| !**has_passed).count()
    }

    /// Has `work` done by all of `who` that are in `state`, some at a time, in this order, and hands every
    /// answer to `take`. The first breach ends it; what has begun goes on.
    pub(super) fn each(
        &mut self,
        (who, state): (&[usize], &State),
        work: Work,
        mut take: impl FnMut(&mut Self, usize, Answer) -> Result<(), Breach>,
    ) -> Result<(), Breach> {
        let mut queue: VecDeque<usize> = who.iter().copied().collect();
        let mut open = 0;
        loop {
            while self.has_room() {
                let Some(host) = queue.pop_front() else { break };
                if self.hands[host].state == *state {
                    self.ask(host, work);
                    open += 1;
                }
            }
            if queue.is_empty() && open == 0 {
                return Ok(());
            }
            if let Some(report) = self.next(FOREVER)?.filter(|report| report.work == work) {
                open -= 1;
                take(self, report.host, report.answer)?;
            }
        }
    }

    /// The host has failed: it goes back at once.
    ///
    /// # Errors
    /// When that is one too many.
    pub(super) fn fail(&mut self, host: usize, why: String) -> Result<(), Breach> {
        if !self.hands[host].is_guarded() {
            return Ok(());
        }
        self.tell(Some(host), Step::Failed(why.clone()));
        self.give_back(host);
        // Before anybody else gets the new file.
        self.bring_back();
        self.failed += 1;
        let breach = Breach(format!("{}: {why}", self.hands[host].name));
        self.hands[host].why = Some(why);
        if self.failed > self.terms.spare || self.failed == self.hands.len() { Err(breach) } else { Ok(()) }
    }

    /// The host stays as it is now.
    pub(super) fn keep(&mut self, host: usize) {
        self.hands[host].state = State::Confirmed;
        self.tell(Some(host), Step::Confirmed);
    }

    /// The host is to go back.
    pub(super) fn give_back(&mut self, host: usize) {
        let now = self.now();
        let hand = &mut self.hands[host];
        (hand.state, hand.due, hand.returning_since) = (State::Returning, now, now);
    }

    /// Those that may have heard of this deployment.
    pub(super) fn aboard(&self) -> Vec<usize> {
        let is_aboard = |hand: &Hand| hand.state != State::Ready || hand.may_be_staged();
        (0..self.hands.len()).filter(|&host| is_aboard(&self.hands[host])).collect()
    }

    /// All hosts have the new file, and a guard that may have heard something just now.
    pub(super) fn take_over(&mut self) -> Vec<usize> {
        for hand in &mut self.hands {
            (hand.state, hand.is_touched) = (State::Swapped, true);
        }
        (0..self.hands.len()).collect()
    }

    /// Those that are not known to be as they should be, and why. When the environment did not fail, and all
    /// others could be brought back, one that is merely gone is none: its guard has been left to itself, and
    /// it is told as down.
    pub(super) fn lost(&self, has_failed: bool) -> Vec<String> {
        let has_failed = has_failed || self.hands.iter().any(|hand| matches!(hand.state, State::Stuck(_)));
        let lost = |hand: &Hand| match &hand.state {
            State::Stuck(why) | State::Lost(why) if has_failed => Some(format!("{} ({why})", hand.name)),
            _ => None,
        };
        self.hands.iter().filter_map(lost).collect()
    }

    /// From here on no guard hears from us, and a wish to stop has been heard, or comes too late.
    pub(super) fn let_go(&mut self) {
        (self.keeps_guards, self.may_stop) = (false, false);
    }

    /// Has every guard hear something that is sent from now on, but for those that have just heard something.
    /// Those that do not hear it fail.
    ///
    /// # Errors
    /// When they are too many, or somebody asks to stop.
    pub(super) fn refresh(&mut self) -> Result<(), Breach> {
        let start = self.now();
        let is_stale = |hand: &Hand| hand.is_guarded() && hand.heard + self.terms.within / FRESH < start;
        let stale: Vec<usize> = (0..self.hands.len()).filter(|&host| is_stale(&self.hands[host])).collect();
        for &host in &stale {
            self.hands[host].due = start;
        }
        let waits = |hand: &Hand| hand.is_guarded() && hand.heard < start;
        while stale.iter().any(|&host| waits(&self.hands[host])) {
            self.next(FOREVER)?;
        }
        self.heed()
    }

    /// Waits until each host that is to go back is, or cannot.
    pub(super) fn settle(&mut self) {
        while self.hands.iter().any(|hand| hand.state == State::Returning) {
            // A breach changes nothing any more: whatever else has failed goes back already, too.
            let _heard = self.next(FOREVER);
        }
    }

    /// When the guard of a host must have gone back.
    pub(super) fn deadline(&self, host: usize) -> Duration {
        self.hands[host].word + self.terms.within + SLACK
    }

    /// How long a host that is to go back is asked: a moment in any case, and until its guard must have taken
    /// it back where there is something to be taken back.
    fn patience(&self, host: usize) -> Duration {
        let hand = &self.hands[host];
        let moment = hand.returning_since + self.terms.within.min(SLACK) / 2;
        if hand.is_touched { moment.max(self.deadline(host)) } else { moment }
    }

    /// How long to wait before a host is asked again that did not answer.
    pub(super) fn pause(&self) -> Duration {
        (self.terms.within / 16).clamp(Duration::from_millis(50), Duration::from_secs(2))
    }

    /// What became of each host when nothing was changed: `why`.
    pub(super) fn refusals(&self, why: &str) -> Vec<(String, Fate)> {
        let fate = |hand: &Hand| {
            let fate = match &hand.state {
                State::Left(how) => {
                    format!("{why}; what was staged may lie there until its guard ends: {how}")
                }
                _ => why.to_owned(),
            };
            (hand.name.clone(), Fate::Refused(fate))
        };
        self.hands.iter().map(fate).collect()
    }

    /// What became of each host, when `why` is why the environment failed, if it did.
    pub(super) fn fates(&self, why: Option<&str>) -> Vec<(String, Fate)> {
        let fate = |hand: &Hand| {
            let own = hand.why.as_deref().or(why).unwrap_or_default();
            let fate = match &hand.state {
                State::Confirmed => Fate::Deployed,
                State::Stuck(how) | State::Lost(how) => Fate::NotRolledBack(format!("{own}; {how}")),
                State::Left(how) => Fate::RolledBack(left(own, how)),
                _ => Fate::RolledBack(own.to_owned()),
            };
            (hand.name.clone(), fate)
        };
        self.hands.iter().map(fate).collect()
    }
}

fn left(why: &str, how: &str) -> String {
    format!("{why}; what was staged may lie there until its guard ends: {how}")
}
