//! Keys that the target made for us and whose secret was lost on the way.

use common::Result;
use common::answer::Answer;

use super::{HUMAN, LATER, Machine, Step};
use crate::provider::Key;

/// How far the clock of a target may be from ours, in seconds.
const SKEW: i64 = 600;

/// How long after it was asked for a key may have been made, in seconds: the longest request, repeated.
const LATE: i64 = 3600;

impl Machine<'_> {
    /// Removes what the target has made since it was asked, by the list of what was there before. Only
    /// [`Step::Next`] says that nothing of ours is left there.
    pub(super) fn remove_lost(&mut self) -> Result<Step> {
        let Some(asked) = self.rotation().and_then(|rotation| rotation.asked) else { return Ok(Step::Next) };
        let more = match self.made_since() {
            Answer::Yes(more) => more,
            Answer::No(why) => return Ok(Step::stop(HUMAN, why)),
            Answer::Unknown(why) => return Ok(Step::stop(LATER, why)),
        };
        let is_ours = |key: &Key| key.made.is_none_or(|made| (asked - SKEW..=asked + LATE).contains(&made));
        match more.as_slice() {
            [] => {}
            [key] if is_ours(key) => {
                let id = key.id.clone();
                log::info!("{}: the secret of {id} was lost on its way here; it is deleted", self.name);
                self.has_touched = true;
                match self.ask(|provider, context| provider.delete(&id, context)) {
                    Answer::Yes(()) => {}
                    Answer::No(why) => return Ok(Step::stop(HUMAN, why)),
                    Answer::Unknown(why) => return Ok(Step::stop(LATER, why)),
                }
            }
            foreign => {
                let ids: Vec<_> = foreign.iter().map(|key| key.id.as_str()).collect();
                let ids = ids.join(", ");
                let why = format!("somebody else made {ids} meanwhile; see whose that is, and delete it");
                return Ok(Step::stop(HUMAN, why));
            }
        }
        self.record("lost key removed", |rotation| rotation.asked = None)
    }

    /// The keys that were not there before. A target that is slow to list a new one is asked again.
    fn made_since(&mut self) -> Answer<Vec<Key>> {
        let before = self.rotation().map(|rotation| rotation.ids_before.clone()).unwrap_or_default();
        let mut more = Vec::new();
        for attempt in 0..self.gates.checks {
            if attempt > 0 && self.clock.pause(self.gates.pause()) {
                return Answer::Unknown("the run was told to end".into());
            }
            match self.ask(|provider, context| provider.list(context)) {
                Answer::Yes(keys) => more = keys,
                other => return other,
            }
            more.retain(|key| !before.contains(&key.id));
            if !more.is_empty() {
                break;
            }
        }
        Answer::Yes(more)
    }
}
