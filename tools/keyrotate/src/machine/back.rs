//! The way back: the old key is good again and with everybody, then ours is deleted.

use common::Result;
use common::answer::Answer;

use super::deploy::{Attested, told};
use super::gate::cleared;
use super::prove::Verdict;
use super::{End, HUMAN, LATER, Machine, PENDING, ROLLED_BACK, Step};
use crate::credential::Credential;
use crate::provider::Maker;
use crate::state::{Phase, Progress, Wait};

impl Machine<'_> {
    /// The whole way back. Each part may be repeated, so it begins anew with each run.
    pub(super) fn go_back(&mut self) -> Result<Step> {
        let Some(rotation) = self.rotation() else { return Ok(Step::Next) };
        let phase = rotation.phase;
        if let Some(old) = self.old() {
            if let Some(stop) = self.restore(&old)? {
                return Ok(stop);
            }
        } else if !self.touched().is_empty() {
            let why =
                "there was no key before this one, so there is none to go back to; skip its consumers first";
            return Ok(Step::stop(HUMAN, why));
        }
        if let Some(stop) = self.held() {
            return Ok(stop);
        }
        match self.remove_ours(phase)? {
            Step::Next => {}
            stop => return Ok(stop),
        }
        let reason =
            self.rotation().and_then(|rotation| rotation.back.as_ref()).map(|back| back.reason.clone());
        self.finish(false)?;
        let why = format!("rolled back: {}", reason.unwrap_or_default());
        Ok(Step::Over(End::Waits(Wait { status: ROLLED_BACK, why })))
    }

    /// Whoever may have the new key and was not given up.
    fn touched(&self) -> Vec<String> {
        let Some(rotation) = self.rotation() else { return Vec::new() };
        let is_meant =
            |name: &str, progress: &Progress| progress.is_touched && !rotation.skipped.contains_key(name);
        let all = rotation.consumers.iter().filter(|(name, progress)| is_meant(name, progress));
        all.map(|(name, _)| name.clone()).collect()
    }

    /// The old key works at the target, and everybody who may have the new one uses it; what stands
    /// against that.
    fn restore(&mut self, old: &Credential) -> Result<Option<Step>> {
        if self.rotation().is_some_and(|rotation| rotation.is_disabling) {
            self.has_touched = true;
            match self.ask(|provider, context| provider.enable(old, context)) {
                Answer::Yes(()) => {}
                Answer::No(why) => return Ok(Some(Step::stop(HUMAN, why))),
                Answer::Unknown(why) => return Ok(Some(Step::stop(self.unreached(), why))),
            }
        }
        match self.prove(old) {
            Verdict::Proved => {}
            Verdict::Interrupted => return Ok(Some(Step::Over(End::Interrupted))),
            Verdict::Refused(why) | Verdict::Mixed(why) => {
                let why = format!(
                    "the target does not accept the old key, so nobody can go back to it: {why}; have it accept {} again, and run this again",
                    old.id
                );
                return Ok(Some(Step::stop(HUMAN, why)));
            }
            Verdict::Unknown(why) => return Ok(Some(Step::stop(self.unreached(), why))),
        }
        let touched = self.touched();
        let open = self.deploy(&touched, old)?;
        if open.iter().any(|(_, attested)| matches!(attested, Attested::Broken(_))) {
            return Ok(Some(Step::stop(HUMAN, format!("back to the old key, but {}", told(&open)))));
        }
        self.give_again(&open);
        let Some(rotation) = self.rotation() else { return Ok(None) };
        if cleared(rotation, &touched).is_ok() {
            return Ok(None);
        }
        Ok(Some(Step::stop(PENDING, format!("back to the old key; the new one is kept for {}", told(&open)))))
    }

    /// The new key goes: nobody has it any more.
    fn remove_ours(&mut self, phase: Phase) -> Result<Step> {
        if phase == Phase::Intent && self.provider.maker() == Maker::Target {
            return self.remove_lost();
        }
        let Some(new) = self.new_key() else { return Ok(Step::Next) };
        self.has_touched = true;
        Ok(match self.ask(|provider, context| provider.delete(&new.id, context)) {
            Answer::Yes(()) => Step::Next,
            Answer::No(why) => Step::stop(HUMAN, why),
            Answer::Unknown(why) => Step::stop(LATER, why),
        })
    }
}
