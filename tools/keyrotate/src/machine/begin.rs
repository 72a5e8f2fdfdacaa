//! The beginning: which key is in use, whether the target accepts it, and whether it can take another.

use std::collections::{BTreeMap, BTreeSet};

use common::Result;
use common::answer::Answer;
use secrecy::SecretString;
use secrets::conceal;

use super::{HUMAN, LATER, Machine, Step};
use crate::credential::{Credential, Fields};
use crate::provider::{Context, Key};
use crate::state::{Phase, Rotation};

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
            Answer::Yes(keys) => keys.into_iter().map(|key: Key| key.id).collect::<Vec<_>>(),
            Answer::No(why) => return Ok(Step::stop(HUMAN, why)),
            Answer::Unknown(why) => return Ok(Step::stop(LATER, why)),
        };
        if let Some(stop) = self.left_behind(old.as_ref(), &ids_before) {
            return Ok(stop);
        }
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
            consumers: BTreeMap::new(),
            places: BTreeMap::new(),
            skipped: BTreeMap::new(),
            timer: None,
            used: None,
            is_disabling: false,
            is_deleting: false,
            confirmed: None,
            refusals: None,
            is_noisy: false,
            waits: None,
        });
        self.enlist();
        let kept = self.note("INTENT", "");
        if kept.is_err() {
            self.state.rotation = None;
        }
        self.has_begun_it = kept.is_ok();
        kept.map(|()| Step::Next)
    }

    /// A key of the last rotation that nobody is seen to hold: without it as the old one it would stay for
    /// good.
    fn left_behind(&self, old: Option<&Credential>, ids: &[String]) -> Option<Step> {
        let last = self.state.last.as_ref().filter(|last| old.is_none() && ids.contains(&last.key))?;
        let why = format!(
            "the target still has {}, in use since the last rotation, and no consumer is seen to hold it; \
             name it as `current` in the spec",
            last.key
        );
        Some(Step::stop(HUMAN, why))
    }

    /// The credential that the consumers hold and the target accepts; `None` when nobody holds one yet.
    fn in_use(&mut self) -> std::result::Result<Option<Credential>, Step> {
        let (found, unread) = self.held_by_consumers()?;
        if found.is_empty()
            && let Some(stop) = unread
        {
            return Err(stop);
        }
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
                    one.told(),
                    other.told()
                ),
            ));
        }
        // What cannot be asked, as a list of keys that is not there, has refused nothing.
        let sentences = refused.iter().map(|(holder, credential, why)| {
            format!("{holder} holds {}, which the target is not seen to accept: {why}", credential.told())
        });
        let mut sentences: Vec<String> = sentences.collect();
        // That of a stop is told by the stop.
        let last =
            if accepted.is_empty() && !sentences.is_empty() { Some(sentences.remove(0)) } else { None };
        for sentence in sentences {
            log::warn!("{}: {sentence}", self.name);
        }
        match last {
            Some(last) => Err(Step::stop(HUMAN, format!("{last}; no key in use is known to be good"))),
            None => Ok(accepted.pop().map(|(_, old)| old)),
        }
    }

    /// What the consumers hold, each credential once with the first who holds it; and, when some could not
    /// be read, how a run ends that knows of no key by the others.
    #[expect(clippy::type_complexity, reason = "a list and an end, read by the one caller")]
    fn held_by_consumers(&mut self) -> std::result::Result<(Vec<(String, Credential)>, Option<Step>), Step> {
        let mut found: Vec<(String, Credential)> = Vec::new();
        let (mut unread, mut refused) = (Vec::new(), Vec::new());
        if let Some(current) = self.current.clone() {
            let held: Fields = [("secret".to_owned(), current)].into();
            self.take_in("`current` of the spec", &held, &mut found)?;
        }
        for (name, answer) in self.each(|_| true, |consumer| consumer.read()) {
            match answer {
                Answer::Yes(None) => {}
                Answer::Yes(Some(held)) => self.take_in(&name, &held, &mut found)?,
                Answer::No(why) => refused.push(format!("{name}: {why}")),
                Answer::Unknown(why) => unread.push(format!("{name}: {why}")),
            }
        }
        for why in &refused {
            log::warn!("{}: {why}", self.name);
        }
        // Who cannot be read may hold a key, which would never go if this were the first one of all.
        let stop = match (refused.as_slice(), unread.as_slice()) {
            ([], []) => None,
            ([], unread) => Some(Step::stop(LATER, unread.join("; "))),
            (refused, _) => Some(Step::stop(
                HUMAN,
                format!(
                    "which key is in use is not known ({}); name it as `current` in the spec",
                    refused.join("; ")
                ),
            )),
        };
        Ok((found, stop))
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
        Ok(()) => secrets::hex(&bytes),
        // It names, and keeps nothing secret.
        Err(_) => secrets::hex(&crate::clock::Now::read().wall_ms.to_be_bytes()),
    }
}
