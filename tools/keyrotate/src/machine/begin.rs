//! The beginning: which key is in use, whether the target accepts it, and whether it can take another.

use std::collections::{BTreeMap, BTreeSet};

use common::Result;
use secrecy::SecretString;

use super::{HUMAN, LATER, Machine, Step};
use crate::answer::Answer;
use crate::conceal;
use crate::credential::{Credential, Fields};
use crate::provider::{Context, Key};
use crate::state::{Phase, Progress, Rotation};

/// So often the key in use is tried before the target counts as out of reach.
const TRIES: u32 = 3;

impl Machine<'_> {
    /// Writes down which keys there are; nothing is touched before that, and by that.
    pub(super) fn begin(&mut self) -> Result<Step> {
        if let Some(stop) = self.held() {
            return Ok(stop);
        }
        let old = match self.in_use() {
            Ok(old) => old,
            Err(stop) => return Ok(stop),
        };
        let none = BTreeSet::new();
        let context = Context { token: "", old: old.as_ref(), new: None, prefers_new: false, skipped: &none };
        let ids_before = match self.provider.ready(&context).and_then(|()| self.provider.list(&context)) {
            Answer::Yes(keys) => keys.into_iter().map(|key: Key| key.id).collect(),
            Answer::No(why) => return Ok(Step::stop(HUMAN, why)),
            Answer::Unknown(why) => return Ok(Step::stop(LATER, why)),
        };
        self.state.rotation = Some(Rotation {
            id: random_word(),
            begun: self.clock.now().seconds(),
            phase: Phase::Intent,
            target: self.target.clone(),
            back: None,
            ids_before,
            asked: None,
            old,
            new: None,
            consumers: self
                .consumers
                .iter()
                .map(|one| (one.name().to_owned(), Progress::default()))
                .collect(),
            skipped: BTreeMap::new(),
            timer: None,
            used: None,
            is_deleting: false,
            confirmed: None,
            refusals: None,
            is_noisy: false,
            waits: None,
        });
        let kept = self.note("INTENT", "");
        if kept.is_err() {
            self.state.rotation = None;
        }
        kept.map(|()| Step::Next)
    }

    /// The credential that the consumers hold and the target accepts; `None` when nobody holds one yet.
    fn in_use(&mut self) -> std::result::Result<Option<Credential>, Step> {
        let (found, unread) = self.held_by_consumers()?;
        let mut accepted: Vec<(String, Credential)> = Vec::new();
        let mut refused = Vec::new();
        for (holder, credential) in found {
            match self.accepts(&credential) {
                Answer::Yes(()) => accepted.push((holder, credential)),
                Answer::No(why) => refused.push((holder, credential, why)),
                Answer::Unknown(why) => return Err(Step::stop(LATER, why)),
            }
        }
        if let [(first, one), (second, other), ..] = accepted.as_slice() {
            return Err(Step::stop(
                HUMAN,
                format!(
                    "{first} uses {}, and {second} uses {}: both are accepted, and only one can be rotated; \
                     give them the same key, or each a spec of its own",
                    one.id, other.id
                ),
            ));
        }
        for (holder, credential, why) in &refused {
            log::warn!("{}: {holder} holds {}, which the target refuses: {why}", self.name, credential.id);
        }
        match (accepted.pop(), refused.first()) {
            (Some((_, old)), _) => Ok(Some(old)),
            (None, Some((holder, credential, why))) => Err(Step::stop(
                HUMAN,
                format!(
                    "{holder} holds {}, which the target refuses: {why}; no key in use is known to be good",
                    credential.id
                ),
            )),
            (None, None) if unread.is_empty() => Ok(None),
            (None, None) => Err(Step::stop(LATER, unread.join("; "))),
        }
    }

    /// What the consumers hold, each credential once with the first who holds it; and who could not be read.
    #[expect(clippy::type_complexity, reason = "two lists, read by the one caller")]
    fn held_by_consumers(&mut self) -> std::result::Result<(Vec<(String, Credential)>, Vec<String>), Step> {
        let mut found: Vec<(String, Credential)> = Vec::new();
        let mut unread = Vec::new();
        if let Some(current) = self.current.clone() {
            let held: Fields = [("secret".to_owned(), current)].into();
            self.take_in("`current` of the spec", &held, &mut found)?;
        }
        for (name, answer) in self.each(|_| true, |consumer| consumer.read()) {
            match answer {
                Answer::Yes(None) => {}
                Answer::Yes(Some(held)) => self.take_in(&name, &held, &mut found)?,
                Answer::No(why) => log::debug!("{name}: {why}"),
                Answer::Unknown(why) => unread.push(format!("{name}: {why}")),
            }
        }
        Ok((found, unread))
    }

    fn take_in(
        &self,
        holder: &str,
        held: &Fields,
        found: &mut Vec<(String, Credential)>,
    ) -> std::result::Result<(), Step> {
        held.get("secret").into_iter().for_each(|secret: &SecretString| conceal::secret(secret));
        match self.provider.recognise(held) {
            Answer::Yes(credential) => {
                if !found.iter().any(|(_, known)| known.is(&credential)) {
                    found.push((holder.to_owned(), credential));
                }
                Ok(())
            }
            Answer::No(why) => Err(Step::stop(HUMAN, format!("{holder} holds no whole credential: {why}"))),
            Answer::Unknown(why) => Err(Step::stop(LATER, format!("{holder}: {why}"))),
        }
    }

    /// Whether the target accepts a key, as far as a few log-ins tell.
    pub(super) fn accepts(&mut self, credential: &Credential) -> Answer {
        let mut answer = Answer::Unknown(String::new());
        for attempt in 0..TRIES {
            if attempt > 0 && self.clock.pause(self.gates.pause()) {
                break;
            }
            answer = self.check(credential);
            if answer.is_yes() {
                break;
            }
        }
        answer
    }
}

/// A word that no other rotation has.
fn random_word() -> String {
    let mut bytes = [0; 8];
    match getrandom::fill(&mut bytes) {
        Ok(()) => crate::credential::hex(&bytes),
        // It names, and keeps nothing secret.
        Err(_) => crate::credential::hex(&crate::clock::Now::read().wall_ms.to_be_bytes()),
    }
}
