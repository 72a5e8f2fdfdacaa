//! The state machine: from one durable record to the next, each step an effect that may be repeated.
//!
//! A run goes on from whatever record it finds, as far as the gates allow. It is killed at any point
//! without harm: before the record that follows an effect, the next run does the same effect again.
//!
//! | record | the effect that follows |
//! |---|---|
//! | `INTENT` | a secret is made, by us or by the target |
//! | `STAGED` | the target is told of it |
//! | `CREATED` | the new key logs in, and a corrupted copy of it is refused |
//! | `PROVED` | consumers get the new key, the canary first, then wave by wave, and say that they use it |
//! | `DEPLOYED` | the last of them are asked |
//! | `ATTESTED`, `SOAK` | time passes, the old key must be unused |
//! | `CONFIRMED` | everybody is asked once more, then the old key is disabled |
//! | `DISABLED`, `WATCH` | the target must refuse it, and nobody may miss it |
//! | `DELETED` | the old key must be refused for good, the new one must work |

mod after;
mod back;
mod begin;
mod deploy;
mod forward;
mod gate;
mod lost;
mod prove;
#[cfg(test)]
mod tests;
#[cfg(test)]
mod world;

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use common::Result;
use secrecy::SecretString;
use secrets::hex;
use sha2::{Digest, Sha256};

use crate::clock::Now;
use crate::consumer::Consumer;
use crate::credential::Credential;
use crate::provider::{Context, Provider};
use crate::spec::Gates;
use crate::state::{Back, Last, Phase, Rotation, State, Wait};

/// Rolled back: the old key is proved everywhere, ours is gone.
pub(crate) const ROLLED_BACK: u8 = 10;
/// A human is needed.
pub(crate) const HUMAN: u8 = 11;
/// It waits for time to pass, for a confirmation, or for the end of a hold.
pub(crate) const WAITING: u8 = 12;
/// The journal cannot be written, and nothing was touched.
pub(crate) const UNWRITABLE: u8 = 13;
/// Some consumers or hosts are pending; the old key is kept.
pub(crate) const PENDING: u8 = 23;
/// It may go better later.
pub(crate) const LATER: u8 = 75;

/// Where the state is kept.
pub(crate) trait Keeper {
    /// Makes `state` durable, and `notes` part of the audit log with it: both or neither.
    ///
    /// # Errors
    /// When it cannot be written; what was recorded before is still there.
    fn record(&mut self, state: &State, notes: &[Note]) -> Result<()>;
}

/// What the audit log is to hear.
#[derive(Debug, Clone)]
pub(crate) struct Note {
    /// The id of the rotation.
    pub(crate) rotation: Option<String>,
    /// What was done.
    pub(crate) step: String,
    /// The key that it was done to; its secret is not told.
    pub(crate) key: Option<Credential>,
    /// The consumer that it was done at.
    pub(crate) consumer: Option<String>,
    /// The exit status where it was not done.
    pub(crate) status: Option<u8>,
    /// Why.
    pub(crate) why: Option<String>,
}

/// The time, and waiting for it to pass.
pub(crate) trait Clock {
    /// This moment.
    fn now(&self) -> Now;

    /// Waits; true when the run is to end.
    fn pause(&self, time: Duration) -> bool;
}

/// What a run is about. Everything it does goes through these.
pub(crate) struct Machine<'a> {
    /// The name of the credential.
    pub(crate) name: &'a str,
    /// What must be true.
    pub(crate) gates: &'a Gates,
    /// How many consumers are spoken to at once.
    pub(crate) jobs: usize,
    /// The target.
    pub(crate) provider: &'a mut dyn Provider,
    /// What tells this target from another: a rotation ends where it began.
    pub(crate) target: String,
    /// What tells the place of each consumer from others, by its name.
    pub(crate) places: BTreeMap<String, String>,
    /// The consumers, in the order of the spec.
    pub(crate) consumers: Vec<Box<dyn Consumer>>,
    /// The secret in use, where no consumer can be read.
    pub(crate) current: Option<SecretString>,
    /// Where the state is kept.
    pub(crate) keeper: &'a mut dyn Keeper,
    /// The time.
    pub(crate) clock: &'a dyn Clock,
    /// What is remembered.
    pub(crate) state: State,
    /// Whether the rotation began in this run.
    pub(crate) has_begun_it: bool,
    /// Whether this run has done anything to the target or a consumer.
    pub(crate) has_touched: bool,
}

/// When a new rotation begins.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Begin {
    /// So long after the last one.
    After(Duration),
    /// Now.
    Now,
    /// Not at all: only what is under way goes on.
    Never,
}

/// How a run ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum End {
    /// There is nothing to do: none is due.
    Idle,
    /// The new key is in use, the old one is gone.
    Rotated,
    /// It stopped before that; also when it was rolled back.
    Waits(Wait),
    /// A signal asked for its end.
    Interrupted,
}

/// What came of a step.
pub(super) enum Step {
    /// There is a new record.
    Next,
    /// The rotation cannot go on now.
    Stop(Wait),
    /// The rotation is over.
    Over(End),
}

impl Step {
    fn stop(status: u8, why: impl Into<String>) -> Self {
        Self::Stop(Wait { status, why: why.into() })
    }
}

impl Machine<'_> {
    /// Goes on as far as the gates allow.
    ///
    /// # Errors
    /// When the journal cannot be written: with status 13 before anything was touched. Whatever was done
    /// since the last record is done again by the next run.
    pub(crate) fn run(&mut self, begin: Begin) -> Result<End> {
        let now = self.clock.now();
        if self.state.rotation.is_some() {
            self.enlist();
            // An effect whose outcome cannot be written down is not begun.
            self.keep(&[])?;
        } else if !is_due(&self.state, begin, &now) {
            return Ok(End::Idle);
        }
        let mut has_begun = self.state.rotation.is_some();
        loop {
            if self.clock.pause(Duration::ZERO) {
                return Ok(End::Interrupted);
            }
            if let Some(why) = self.rotation().and_then(|rotation| self.changed(rotation)) {
                return self.stopped(Wait { status: HUMAN, why });
            }
            let step = match &self.state.rotation {
                None if has_begun => return Ok(End::Idle),
                None => self.begin()?,
                Some(rotation) if rotation.back.is_some() => self.go_back()?,
                Some(rotation) => self.go_on(rotation.phase)?,
            };
            has_begun = true;
            match step {
                Step::Next => {}
                Step::Over(end) => return Ok(end),
                Step::Stop(wait) => return self.stopped(wait),
            }
        }
    }

    /// What of the spec is no longer as it was, and must be: a rotation ends where it began, and who was
    /// given the new key at one place is not given the old one back at another.
    fn changed(&self, rotation: &Rotation) -> Option<String> {
        let until = "put it back until the rotation is over";
        if is_another(&rotation.target, &self.target) {
            return Some(format!(
                "[provider] of the spec is not what it was when this rotation began; {until}"
            ));
        }
        let is_moved = |(name, place): &(&String, &String)| {
            self.places.get(*name).is_some_and(|now| is_another(place, now))
        };
        let (name, _) = rotation.places.iter().find(is_moved)?;
        Some(format!("{name} of the spec is not where it was when it was given the new key; {until}"))
    }

    /// Remembers why a run ended; the audit log hears of it once, however often it is so.
    fn stopped(&mut self, wait: Wait) -> Result<End> {
        let Some(rotation) = &mut self.state.rotation else { return Ok(End::Waits(wait)) };
        let is_known = rotation.waits.as_ref().is_some_and(|known| known.is_like(&wait));
        rotation.waits = Some(wait.clone());
        let mut note = self.noted("waits", &wait.why);
        note.status = Some(wait.status);
        self.keep(if is_known { &[] } else { std::slice::from_ref(&note) })?;
        Ok(End::Waits(wait))
    }

    /// The rotation that is under way; steps are taken only within one.
    fn rotation(&self) -> Option<&Rotation> {
        self.state.rotation.as_ref()
    }

    /// Changes the rotation and makes that durable, as the end of the step `step`.
    fn record(&mut self, step: &str, change: impl FnOnce(&mut Rotation)) -> Result<Step> {
        if let Some(rotation) = &mut self.state.rotation {
            change(rotation);
            rotation.waits = None;
        }
        self.note(step, "")?;
        Ok(Step::Next)
    }

    /// The end of a phase.
    fn reach(&mut self, phase: Phase) -> Result<Step> {
        log::info!("{}: {phase}", self.name);
        self.record(&phase.to_string(), |rotation| rotation.phase = phase)
    }

    /// Makes the state durable as it is, after `step`.
    fn note(&mut self, step: &str, why: &str) -> Result<()> {
        let note = self.noted(step, why);
        self.keep(&[note])
    }

    fn noted(&self, step: &str, why: &str) -> Note {
        let rotation = self.rotation();
        // The key that the step is about.
        let is_old = matches!(step, "disabling" | "DISABLED" | "WATCH" | "deleting" | "DELETED");
        let key = rotation.and_then(|rotation| {
            let (old, new) = (rotation.old.as_ref(), rotation.new.as_ref());
            if is_old { old.or(new) } else { new.or(old) }
        });
        Note {
            rotation: rotation.map(|rotation| rotation.id.clone()),
            step: step.into(),
            key: key.cloned(),
            consumer: None,
            status: None,
            why: (!why.is_empty()).then(|| why.into()),
        }
    }

    fn keep(&mut self, notes: &[Note]) -> Result<()> {
        let has_touched = self.has_touched;
        self.keeper
            .record(&self.state, notes)
            .map_err(|error| if has_touched { error } else { error.with_status(UNWRITABLE) })
    }

    /// Has it go back, for `reason`. Whoever has the new key is to get the old one again. When the old key
    /// may be gone for good it stays as it is.
    pub(crate) fn turn_back(&mut self, reason: &str, by: &str) -> Result<Step> {
        if !self.rotation().is_some_and(Rotation::can_go_back) {
            let why = "the old key is deleted, so there is no way back; `keyrotate run` goes on";
            return Ok(Step::stop(HUMAN, why));
        }
        log::warn!("{}: going back: {reason}", self.name);
        let back = Back { reason: reason.into(), by: by.into() };
        if let Some(rotation) = &mut self.state.rotation {
            rotation.back = Some(back);
            rotation.waits = None;
            for progress in rotation.consumers.values_mut() {
                (progress.is_written, progress.is_attested) = (false, false);
            }
        }
        self.note("back", reason)?;
        Ok(Step::Next)
    }

    /// The end of the rotation: what it knew of secrets is forgotten with it.
    fn finish(&mut self, is_rotated: bool) -> Result<()> {
        let note = self.noted(if is_rotated { "IDLE" } else { "rolled back" }, "");
        let Some(rotation) = self.state.rotation.take() else { return Ok(()) };
        let key = if is_rotated { rotation.new } else { rotation.old };
        self.state.last = Some(Last {
            rotation: rotation.id,
            ended: self.clock.now().seconds(),
            is_rotated,
            key: key.as_ref().map(|key| key.id.clone()).unwrap_or_default(),
            fingerprint: key.as_ref().map(Credential::fingerprint).unwrap_or_default(),
        });
        self.keep(&[note])
    }

    /// Whether a hold is in force, and what it says.
    fn held(&self) -> Option<Step> {
        let hold = self.state.hold.as_ref()?;
        let now = self.clock.now().seconds();
        if hold.until.is_some_and(|until| until <= now) {
            return None;
        }
        let until = hold.until.map_or_else(|| "`keyrotate hold --off`".to_owned(), crate::clock::told);
        Some(Step::stop(WAITING, format!("{} holds it until {until}", hold.by)))
    }

    /// Writes down who is concerned: whoever vanishes from the spec or an inventory while the rotation
    /// lasts may use the old key all the same, and only a human knows that he does not.
    fn enlist(&mut self) {
        let Some(rotation) = &mut self.state.rotation else { return };
        for consumer in &self.consumers {
            rotation.consumers.entry(consumer.name().to_owned()).or_default();
        }
    }

    /// The names of all that must use the new key: everybody but those that were given up.
    fn names(&self) -> BTreeSet<String> {
        let Some(rotation) = self.rotation() else { return BTreeSet::new() };
        let names = rotation.consumers.keys().filter(|name| !rotation.skipped.contains_key(*name));
        names.cloned().collect()
    }

    /// Asks the target something; `what` gets it, and what it must know.
    fn ask<T>(&mut self, what: impl FnOnce(&mut dyn Provider, &Context<'_>) -> T) -> T {
        let none = BTreeSet::new();
        let Some(rotation) = &self.state.rotation else {
            let context = Context { token: "", old: None, new: None, prefers_new: false, skipped: &none };
            return what(&mut *self.provider, &context);
        };
        let skipped = rotation.skipped.keys().cloned().collect();
        let context = Context {
            token: &rotation.id,
            old: rotation.old.as_ref(),
            new: rotation.new.as_ref(),
            prefers_new: rotation.back.is_none() && rotation.phase >= Phase::Proved,
            skipped: &skipped,
        };
        what(&mut *self.provider, &context)
    }

    /// The status for a target that is out of reach: one of several sites is not the whole target.
    fn unreached(&self) -> u8 {
        if self.provider.sites().len() > 1 { PENDING } else { LATER }
    }
}

/// A few digits that tell `text` from others, with the version that made it: another one may say the same
/// in other words.
pub(crate) fn identity(text: &str) -> String {
    format!("{} {}", env!("CARGO_PKG_VERSION"), &hex(&Sha256::digest(text))[..16])
}

/// Whether an identity is another than before, as far as one version can tell.
fn is_another(before: &str, now: &str) -> bool {
    let version = |identity: &str| identity.split_once(' ').map(|(version, _)| version.to_owned());
    version(before) == version(now) && before != now
}

/// Whether a rotation is to begin.
pub(crate) fn is_due(state: &State, begin: Begin, now: &Now) -> bool {
    match (begin, &state.last) {
        (Begin::Never, _) => false,
        (Begin::Now, _) | (_, None) => true,
        (Begin::After(every), Some(last)) => {
            let every = i64::try_from(every.as_secs()).unwrap_or(i64::MAX);
            // One that was rolled back is not tried again by itself before its time.
            now.seconds() >= last.ended.saturating_add(every)
        }
    }
}
