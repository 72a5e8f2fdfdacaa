//! Both keys are good: time passes, then the old one goes.

use std::time::Duration;

use common::Result;
use common::answer::Answer;

use super::deploy::{Attested, against, pending, pending_without, told};
use super::forward::lost_its_key;
use super::gate::{Cleared, cleared};
use super::prove::Verdict;
use super::{End, HUMAN, Machine, Step, WAITING};
use crate::clock::Timer;
use crate::credential::Credential;
use crate::provider::Usage;
use crate::spec::Confirm;
use crate::state::{Phase, Used};

impl Machine<'_> {
    pub(super) fn soak(&mut self) -> Result<Step> {
        if self.old().is_none() {
            // The first key of all: there is no other that could go.
            self.finish(true)?;
            return Ok(Step::Over(End::Rotated));
        }
        let timer = Timer::begin(&self.clock.now());
        let refusals = self.refusals();
        self.record("SOAK", |rotation| {
            (rotation.timer, rotation.used, rotation.refusals) = (Some(timer), None, refusals);
            rotation.phase = Phase::Soak;
        })
    }

    pub(super) fn wait_for_soak(&mut self) -> Result<Step> {
        let passed = self.time_passes();
        let Some(new) = self.new_key() else { return Ok(lost_its_key()) };
        // Whoever uses it would fail all the time that is left.
        if let Answer::No(_) = self.check(&new)
            && let Some(step) = self.is_still_good(&new)?
        {
            return Ok(step);
        }
        if let Some(stop) = self.old_use(passed) {
            return Ok(stop);
        }
        if let Some(left) = self.gates.soak.checked_sub(passed).filter(|left| !left.is_zero()) {
            return Ok(Step::stop(WAITING, format!("both keys are good until {}", self.at(left))));
        }
        if let Some(stop) = self.held() {
            return Ok(stop);
        }
        let is_confirmed = self.rotation().is_some_and(|rotation| rotation.confirmed.is_some());
        if self.gates.confirm == Confirm::Manual && !is_confirmed {
            return Ok(Step::stop(WAITING, "the old key may go; `keyrotate confirm` has it go"));
        }
        self.reach(Phase::Confirmed)
    }

    /// Whether the old key has been unused for long enough; what stands against it.
    fn old_use(&mut self, passed: Duration) -> Option<Step> {
        if self.gates.unused.is_zero() {
            return None;
        }
        let old = self.old()?;
        let usage = match self.ask(|provider, context| provider.usage(&old, context)) {
            Answer::Yes(usage) => usage,
            Answer::No(why) => return Some(Step::stop(HUMAN, why)),
            Answer::Unknown(why) => return Some(Step::stop(self.unreached(), why)),
        };
        let now = self.clock.now().seconds();
        let before = self.rotation().and_then(|rotation| rotation.used);
        let ms = |time: Duration| u64::try_from(time.as_millis()).unwrap_or(u64::MAX);
        let (at_ms, count) = match usage {
            Usage::NotTold => {
                let why =
                    "the target does not tell when a key was used; leave out `unused`, or confirm by hand";
                return Some(Step::stop(HUMAN, why));
            }
            Usage::None => (before.map_or(0, |used| used.at_ms), None),
            Usage::Now(_) => (ms(passed), None),
            Usage::At(time) => {
                let ago = Duration::from_secs(u64::try_from(now.saturating_sub(time)).unwrap_or_default());
                (ms(passed.saturating_sub(ago)), None)
            }
            Usage::Count(count) if before.is_some_and(|used| used.count == Some(count)) => {
                (before.map_or(0, |used| used.at_ms), Some(count))
            }
            Usage::Count(count) => (ms(passed), Some(count)),
        };
        if let Some(rotation) = &mut self.state.rotation {
            rotation.used = Some(Used { at_ms, count });
        }
        let unused = passed.saturating_sub(Duration::from_millis(at_ms));
        let left = self.gates.unused.checked_sub(unused).filter(|left| !left.is_zero())?;
        let what = if let Usage::Now(how) = usage { format!(" ({how})") } else { String::new() };
        Some(Step::stop(
            WAITING,
            format!("the old key was in use{what}; unless that happens again it may go at {}", self.at(left)),
        ))
    }

    /// Everybody is asked once more, whatever they said before the soak; then the old key is disabled.
    pub(super) fn disable(&mut self) -> Result<Step> {
        if let Some(stop) = self.held() {
            return Ok(stop);
        }
        let (Some(old), Some(new)) = (self.old(), self.new_key()) else { return Ok(lost_its_key()) };
        let cleared = match self.ask_again(&new)? {
            Ok(cleared) => cleared,
            Err(stop) => return Ok(stop),
        };
        match self.prove(&new) {
            Verdict::Proved => {}
            Verdict::Interrupted => return Ok(Step::Over(End::Interrupted)),
            Verdict::Refused(why) | Verdict::Mixed(why) => {
                return Ok(Step::stop(HUMAN, format!("the target no longer accepts the new key: {why}")));
            }
            Verdict::Unknown(why) => return Ok(Step::stop(self.unreached(), why)),
        }
        let refusals = self.refusals();
        self.record("disabling", |rotation| {
            // Once it may be disabled, whoever misses it is refused, and that is no noise.
            rotation.is_noisy |= !rotation.is_disabling && rotation.refusals < refusals;
            rotation.is_disabling = true;
        })?;
        match self
            .take_away(&cleared, |machine| machine.ask(|provider, context| provider.disable(&old, context)))
        {
            Answer::Yes(()) => self.reach(Phase::Disabled),
            Answer::No(why) => Ok(Step::stop(HUMAN, why)),
            Answer::Unknown(why) => Ok(Step::stop(self.unreached(), why)),
        }
    }

    /// Asks every consumer anew. Who no longer uses the new key gets it again: the rotation is back at
    /// the record before that.
    fn ask_again(&mut self, new: &Credential) -> Result<std::result::Result<Cleared, Step>> {
        self.forget_statements();
        let names: Vec<String> = self.names().into_iter().collect();
        let open = self.attest(&names, new)?;
        if let Some(rotation) = self.rotation()
            && let Ok(cleared) = cleared(rotation, &names)
        {
            return Ok(Ok(cleared));
        }
        if self.rotation().is_some_and(|rotation| rotation.is_disabling) {
            // A run that was killed may have disabled it: as in WATCH.
            return match against(&open) {
                Some(reason) => self.turn_back(&reason, "keyrotate").map(Err),
                None => Ok(Err(pending_without(&open))),
            };
        }
        if !open.iter().any(|(_, attested)| matches!(attested, Attested::Other(_))) {
            return Ok(Err(pending(&open)));
        }
        log::warn!("{}: {}; something has put that there", self.name, told(&open));
        self.give_again(&open);
        self.record("PROVED", |rotation| {
            // What was confirmed is no longer so.
            (rotation.phase, rotation.confirmed) = (Phase::Proved, None);
        })
        .map(Err)
    }

    /// An effect that takes a key away: it demands the proof that nobody needs that key.
    fn take_away<T>(&mut self, _cleared: &Cleared, effect: impl FnOnce(&mut Self) -> T) -> T {
        self.has_touched = true;
        effect(self)
    }

    pub(super) fn see_it_refused(&mut self) -> Result<Step> {
        let Some(old) = self.old() else { return Ok(lost_its_key()) };
        match self.is_refused_if_it_can_be(&old) {
            Answer::Yes(()) => {}
            Answer::No(why) => return Ok(Step::stop(HUMAN, format!("{why}, though it is disabled"))),
            Answer::Unknown(why) => return Ok(Step::stop(self.unreached(), why)),
        }
        // Our own log-in with the old key was the last that counts before.
        let timer = Timer::begin(&self.clock.now());
        let refusals = self.refusals();
        self.record("WATCH", |rotation| {
            (rotation.timer, rotation.refusals, rotation.phase) = (Some(timer), refusals, Phase::Watch);
        })
    }

    /// Where nothing can refuse a key, there is nothing to see.
    fn is_refused_if_it_can_be(&mut self, old: &Credential) -> Answer {
        if self.provider.corrupted(old).is_none() {
            return Answer::Yes(());
        }
        self.is_refused(old)
    }

    pub(super) fn watch(&mut self) -> Result<Step> {
        let (Some(old), Some(new)) = (self.old(), self.new_key()) else { return Ok(lost_its_key()) };
        if self.rotation().is_some_and(|rotation| rotation.is_deleting) {
            // It may be gone already, and there is no way but forward.
            return match self.held().or_else(|| self.only_forward(&new)) {
                Some(stop) => Ok(stop),
                None => self.delete(&old),
            };
        }
        let passed = self.time_passes();
        if let Some(reason) = self.is_missed() {
            return self.turn_back(&reason, "keyrotate");
        }
        self.forget_statements();
        let names: Vec<String> = self.names().into_iter().collect();
        let open = self.attest(&names, &new)?;
        if let Some(reason) = against(&open) {
            return self.turn_back(&reason, "keyrotate");
        }
        if let Some(left) = self.gates.watch.checked_sub(passed).filter(|left| !left.is_zero()) {
            return Ok(Step::stop(
                WAITING,
                format!("the old key is disabled; it is deleted at {}", self.at(left)),
            ));
        }
        if let Some(stop) = self.held() {
            return Ok(stop);
        }
        let Some(Ok(cleared)) = self.rotation().map(|rotation| cleared(rotation, &names)) else {
            return Ok(pending_without(&open));
        };
        if let Some(step) = self.is_still_good(&new)? {
            return Ok(step);
        }
        self.record("deleting", |rotation| rotation.is_deleting = true)?;
        self.take_away(&cleared, |machine| machine.delete(&old))
    }

    /// What stands against the end of the old key where there is no way back: that the target does not
    /// accept the new one, so that what is called the old one may be in use again.
    fn only_forward(&mut self, new: &Credential) -> Option<Step> {
        match self.accepts(new) {
            Answer::Yes(()) => None,
            Answer::No(why) => {
                let why = format!("the target does not accept the new key, so the old one is kept: {why}");
                Some(Step::stop(HUMAN, why))
            }
            Answer::Unknown(why) => Some(Step::stop(self.unreached(), why)),
        }
    }

    fn delete(&mut self, old: &Credential) -> Result<Step> {
        self.has_touched = true;
        match self.ask(|provider, context| provider.delete(&old.id, context)) {
            Answer::Yes(()) => self.reach(Phase::Deleted),
            Answer::No(why) => Ok(Step::stop(HUMAN, why)),
            Answer::Unknown(why) => Ok(Step::stop(self.unreached(), why)),
        }
    }

    /// Whether somebody tries keys that are refused, and did not while the old one was good.
    fn is_missed(&mut self) -> Option<String> {
        let rotation = self.rotation()?;
        let (before, is_noisy) = (rotation.refusals?, rotation.is_noisy);
        let more = self.refusals()?.checked_sub(before).filter(|&more| more > 0)?;
        if is_noisy {
            log::debug!("{}: {more} refused log-ins, as there were while the old key was good", self.name);
            return None;
        }
        Some(format!(
            "the target has refused {more} log-ins since the old key is disabled: somebody still uses it"
        ))
    }

    /// The canary: it sings when the old key is refused and the new one works.
    pub(super) fn sing(&mut self) -> Result<Step> {
        let (Some(old), Some(new)) = (self.old(), self.new_key()) else { return Ok(lost_its_key()) };
        match self.is_refused_if_it_can_be(&old) {
            Answer::Yes(()) => {}
            Answer::No(why) => return Ok(Step::stop(HUMAN, format!("{why}, though it is deleted"))),
            Answer::Unknown(why) => return Ok(Step::stop(self.unreached(), why)),
        }
        match self.prove(&new) {
            Verdict::Proved => self.reach(Phase::Canary),
            Verdict::Interrupted => Ok(Step::Over(End::Interrupted)),
            Verdict::Refused(why) | Verdict::Mixed(why) => {
                Ok(Step::stop(HUMAN, format!("the target does not accept the new key: {why}")))
            }
            Verdict::Unknown(why) => Ok(Step::stop(self.unreached(), why)),
        }
    }

    /// The log-ins that the target has refused so far, where it counts them.
    fn refusals(&mut self) -> Option<u64> {
        match self.ask(|provider, context| provider.refusals(context)) {
            Answer::Yes(count) => count,
            Answer::No(why) | Answer::Unknown(why) => {
                log::debug!("{}: refused log-ins are not known: {why}", self.name);
                None
            }
        }
    }

    /// Brings the timer to now, and says how long it has run.
    fn time_passes(&mut self) -> Duration {
        let now = self.clock.now();
        let Some(rotation) = &mut self.state.rotation else { return Duration::ZERO };
        let timer = rotation.timer.as_ref().map_or_else(|| Timer::begin(&now), |timer| timer.until(&now));
        let passed = timer.passed();
        rotation.timer = Some(timer);
        passed
    }

    /// The time of day after `left`.
    fn at(&self, left: Duration) -> String {
        let left = i64::try_from(left.as_secs()).unwrap_or(i64::MAX);
        crate::clock::told(self.clock.now().seconds().saturating_add(left))
    }
}
