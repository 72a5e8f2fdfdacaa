//! The way forward, one record at a time.

use common::Result;
use common::answer::Answer;

use super::deploy::{Attested, pending};
use super::prove::Verdict;
use super::{End, HUMAN, LATER, Machine, Step, WAITING};
use crate::credential::Credential;
use crate::provider::Maker;
use crate::state::Phase;

impl Machine<'_> {
    /// The step that follows `phase`.
    pub(super) fn go_on(&mut self, phase: Phase) -> Result<Step> {
        if phase < Phase::Created
            && let Some(stop) = self.held()
        {
            return Ok(stop);
        }
        match phase {
            Phase::Intent => self.make(),
            Phase::Staged => self.create(),
            Phase::Created => self.prove_new(),
            Phase::Proved => self.hand_out(),
            Phase::Deployed => self.ask_all(),
            Phase::Attested => self.soak(),
            Phase::Soak => self.wait_for_soak(),
            Phase::Confirmed => self.disable(),
            Phase::Disabled => self.see_it_refused(),
            Phase::Watch => self.watch(),
            Phase::Deleted => self.sing(),
            Phase::Canary => {
                self.finish(true)?;
                Ok(Step::Over(End::Rotated))
            }
        }
    }

    fn make(&mut self) -> Result<Step> {
        if self.provider.maker() == Maker::Target {
            return self.have_it_made();
        }
        let old = self.old();
        match self.provider.make(old.as_ref()) {
            Answer::Yes(new) => {
                secrets::conceal::secret(&new.secret);
                self.record("STAGED", |rotation| (rotation.new, rotation.phase) = (Some(new), Phase::Staged))
            }
            Answer::No(why) => self.turn_back(&why, "keyrotate"),
            Answer::Unknown(why) => Ok(Step::stop(LATER, why)),
        }
    }

    /// The target makes it. That it is about to be asked is durable first, with what it has now.
    fn have_it_made(&mut self) -> Result<Step> {
        if self.rotation().is_some_and(|rotation| rotation.asked.is_some()) {
            return self.remove_lost();
        }
        let ids = match self.ask(|provider, context| provider.list(context)) {
            Answer::Yes(keys) => keys.into_iter().map(|key| key.id).collect(),
            Answer::No(why) => return Ok(Step::stop(HUMAN, why)),
            Answer::Unknown(why) => return Ok(Step::stop(LATER, why)),
        };
        let now = self.clock.now().seconds();
        self.record("asking", |rotation| (rotation.ids_before, rotation.asked) = (ids, Some(now)))?;
        self.has_touched = true;
        match self.ask(|provider, context| provider.create(context)) {
            Answer::Yes(new) => {
                secrets::conceal::secret(&new.secret);
                self.record("CREATED", |rotation| {
                    (rotation.new, rotation.asked, rotation.phase) = (Some(new), None, Phase::Created);
                })
            }
            Answer::No(why) => {
                self.record("refused", |rotation| rotation.asked = None)?;
                self.turn_back(&why, "keyrotate")
            }
            Answer::Unknown(why) => Ok(Step::stop(LATER, why)),
        }
    }

    /// What is made may take the place of something else, such as the password of a role that takes turns.
    /// So the key in use has to be the one that it was when the rotation began: a journal that comes from a
    /// backup tells of keys that have had another turn since.
    fn create(&mut self) -> Result<Step> {
        // A run that has begun the rotation has just seen that.
        if let Some(old) = self.old().filter(|_| !self.has_begun_it) {
            match self.accepts(&old) {
                Answer::Yes(()) => {}
                Answer::No(why) => {
                    let why = format!("the target no longer accepts the old key, so none is made: {why}");
                    return Ok(Step::stop(HUMAN, why));
                }
                Answer::Unknown(why) => return Ok(Step::stop(self.unreached(), why)),
            }
        }
        self.has_touched = true;
        match self.ask(|provider, context| provider.create(context)) {
            Answer::Yes(_) => self.reach(Phase::Created),
            Answer::No(why) => self.turn_back(&why, "keyrotate"),
            Answer::Unknown(why) => Ok(Step::stop(self.unreached(), why)),
        }
    }

    fn prove_new(&mut self) -> Result<Step> {
        let Some(new) = self.new_key() else { return Ok(lost_its_key()) };
        match self.can_refuse(&new) {
            Answer::Yes(()) => {}
            Answer::No(why) => return self.turn_back(&why, "keyrotate"),
            Answer::Unknown(why) => return Ok(Step::stop(self.unreached(), why)),
        }
        match self.prove(&new) {
            Verdict::Proved => self.reach(Phase::Proved),
            Verdict::Refused(why) => {
                self.turn_back(&format!("the target refuses the new key: {why}"), "keyrotate")
            }
            Verdict::Mixed(why) => {
                Ok(Step::stop(WAITING, format!("the new key works at times, and at times not: {why}")))
            }
            Verdict::Unknown(why) => Ok(Step::stop(self.unreached(), why)),
            Verdict::Interrupted => Ok(Step::Over(End::Interrupted)),
        }
    }

    /// Wave by wave. Who cannot be reached holds nobody up as soon as one consumer works with the new key;
    /// who says that he uses another one does.
    fn hand_out(&mut self) -> Result<Step> {
        let Some(new) = self.new_key() else { return Ok(lost_its_key()) };
        if let Some(step) = self.is_still_good(&new)? {
            return Ok(step);
        }
        let mut held_up: Vec<(String, Attested)> = Vec::new();
        for wave in self.waves() {
            let open = self.deploy(&wave, &new)?;
            if let Some((name, Attested::Broken(why))) =
                open.iter().find(|(_, attested)| matches!(attested, Attested::Broken(_)))
            {
                let reason = format!("{name} does not work with the new key: {why}");
                return self.turn_back(&reason, "keyrotate");
            }
            self.give_again(&open);
            let has_doubt = open.iter().any(|(_, attested)| matches!(attested, Attested::Other(_)));
            let is_silent = !self.has_one_that_works();
            held_up.extend(open);
            if has_doubt || is_silent {
                return Ok(pending(&held_up));
            }
        }
        if !held_up.is_empty() {
            return Ok(pending(&held_up));
        }
        self.reach(Phase::Deployed)
    }

    /// Whether the target accepts `new` at this moment; what follows when not. It was proved, but maybe
    /// long ago: a target that was set back to an earlier day, and a journal that was, do not know that.
    pub(super) fn is_still_good(&mut self, new: &Credential) -> Result<Option<Step>> {
        match self.accepts(new) {
            Answer::Yes(()) => Ok(None),
            Answer::No(why) => {
                let reason = format!("the target no longer accepts the new key: {why}");
                match self.nothing_to_go_back_to() {
                    Some(none) => Ok(Some(Step::stop(HUMAN, format!("{reason}; {none}")))),
                    None => self.turn_back(&reason, "keyrotate").map(Some),
                }
            }
            Answer::Unknown(why) => Ok(Some(Step::stop(self.unreached(), why))),
        }
    }

    /// Why a way back would end nowhere: the target refuses the old key, which nobody has disabled here.
    pub(crate) fn nothing_to_go_back_to(&mut self) -> Option<String> {
        let is_disabled = self.rotation()?.phase >= Phase::Confirmed;
        let old = self.old().filter(|_| !is_disabled)?;
        match self.accepts(&old) {
            Answer::No(why) => {
                Some(format!("the target refuses the old key, so there is no way back: {why}"))
            }
            Answer::Yes(()) | Answer::Unknown(_) => None,
        }
    }

    /// Whether any consumer has attested the new key.
    fn has_one_that_works(&self) -> bool {
        let rotation = self.rotation();
        rotation.is_some_and(|rotation| rotation.consumers.values().any(|progress| progress.is_attested))
    }

    /// Has those who say something else get the key again in the next run.
    pub(super) fn give_again(&mut self, open: &[(String, Attested)]) {
        let Some(rotation) = &mut self.state.rotation else { return };
        for (name, _) in open.iter().filter(|(_, attested)| matches!(attested, Attested::Other(_))) {
            rotation.consumers.entry(name.clone()).or_default().is_written = false;
        }
    }

    /// The consumers that have not attested the new key, in waves: the canary first.
    fn waves(&self) -> Vec<Vec<String>> {
        let names = self.names();
        let all: Vec<String> = self
            .consumers
            .iter()
            .map(|one| one.name().to_owned())
            .filter(|name| names.contains(name))
            .collect();
        let is_open = |name: &&String| !self.progress(name).is_attested;
        let open = |wave: &[String]| wave.iter().filter(is_open).cloned().collect::<Vec<String>>();
        self.gates.waves(&all).into_iter().map(open).filter(|wave| !wave.is_empty()).collect()
    }

    /// Everybody who has not said so yet.
    fn ask_all(&mut self) -> Result<Step> {
        let Some(new) = self.new_key() else { return Ok(lost_its_key()) };
        let open: Vec<String> =
            self.names().into_iter().filter(|name| !self.progress(name).is_attested).collect();
        let open = self.attest(&open, &new)?;
        if open.is_empty() {
            return self.reach(Phase::Attested);
        }
        if open.iter().any(|(_, attested)| matches!(attested, Attested::Other(_))) {
            // It has been named in the spec since, or was given another key.
            self.give_again(&open);
            return self.record("PROVED", |rotation| rotation.phase = Phase::Proved);
        }
        Ok(pending(&open))
    }

    pub(super) fn old(&self) -> Option<Credential> {
        self.rotation()?.old.clone()
    }

    pub(super) fn new_key(&self) -> Option<Credential> {
        self.rotation()?.new.clone()
    }
}

/// A journal that no run of ours has written.
pub(super) fn lost_its_key() -> Step {
    Step::stop(HUMAN, "the journal does not hold the keys that its phase needs; see where it came from")
}
