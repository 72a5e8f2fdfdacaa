//! `verify`: every consumer is asked which key it uses, and the target whether it accepts that and what it
//! knows of the old one. Nothing is changed; the log-ins count as uses where the target counts.

use std::collections::BTreeSet;

use common::Result;
use common::answer::Answer;

use crate::consumer::{self, Consumer, Named, Statement};
use crate::credential::{Credential, Fields};
use crate::provider::{Context, Place, Provider};
use crate::report::KeyName;
use crate::report::verify::{Look, Uses, Verified};
use crate::rotate;
use crate::spec::Spec;
use crate::state::State;

/// What a consumer says, and what it holds where that must be known.
struct Told {
    name: String,
    statement: Answer<Option<Statement>>,
    held: Option<Answer<Option<Fields>>>,
}

/// The keys that there are to tell apart.
struct Known {
    new: Option<Credential>,
    old: Option<Credential>,
    current: Option<KeyName>,
}

/// Looks at everybody that `spec` names.
///
/// # Errors
/// When a secret or an inventory cannot be read.
pub(crate) fn verify(spec: &Spec, state: &State) -> Result<Verified> {
    let mut target = rotate::target(spec)?;
    let rotation = state.rotation.as_ref();
    let skipped: BTreeSet<String> = rotation.iter().flat_map(|one| one.skipped.keys().cloned()).collect();
    let known = Known::of(state);
    let place = Place { name: &spec.name, timeout: spec.timeout, jobs: spec.jobs, ssh: &spec.ssh };
    let told = ask(rotate::consumers(spec, &place)?, spec.jobs);
    let context = Context {
        token: rotation.map_or("", |rotation| rotation.id.as_str()),
        old: known.old.as_ref(),
        new: known.new.as_ref(),
        prefers_new: false,
        skipped: &skipped,
    };
    let mut consumers = Vec::new();
    for one in told {
        let mut look = look(one, &known, &mut *target, &context);
        look.is_skipped = skipped.contains(&look.name);
        consumers.push(look);
    }
    if rotation.is_none() && known.current.is_none() {
        take_as_current(&mut consumers);
    }
    let old_usage = known.old.as_ref().map(|old| target.usage(old, &context));
    Ok(Verified {
        name: spec.name.clone(),
        phase: rotation.map(|rotation| rotation.phase),
        key: known.new.as_ref().map(KeyName::of).or_else(|| known.current.clone()),
        old_key: known.old.as_ref().map(KeyName::of),
        consumers,
        old_usage,
    })
}

/// Before the first rotation the key in use is the one that works.
fn take_as_current(looks: &mut [Look]) {
    let works = looks.iter().find(|look| look.uses == Uses::Other && look.works == Some(true));
    let Some(key) = works.and_then(|look| look.key.clone()) else { return };
    let is_it = |look: &&mut Look| look.uses == Uses::Other && look.key.as_ref() == Some(&key);
    looks.iter_mut().filter(is_it).for_each(|look| look.uses = Uses::Current);
}

impl Known {
    fn of(state: &State) -> Self {
        let rotation = state.rotation.as_ref();
        // One that had no key to go back to has left none.
        let last = state.last.as_ref().filter(|last| rotation.is_none() && !last.key.is_empty());
        Self {
            new: rotation.and_then(|rotation| rotation.new.clone()),
            old: rotation.and_then(|rotation| rotation.old.clone()),
            current: last.map(|last| KeyName { id: last.key.clone(), fingerprint: last.fingerprint.clone() }),
        }
    }

    /// Which of them a consumer means by `key`.
    fn named(&self, key: &str) -> Uses {
        let is = |credential: &Option<Credential>| credential.as_ref().is_some_and(|one| one.is_named(key));
        let is_current = |current: &KeyName| {
            let key = key.trim().to_ascii_lowercase();
            key == current.id.to_ascii_lowercase() || key.starts_with(&current.fingerprint)
        };
        if is(&self.new) {
            Uses::New
        } else if is(&self.old) {
            Uses::Old
        } else if self.current.as_ref().is_some_and(is_current) {
            Uses::Current
        } else {
            Uses::Other
        }
    }

    /// Which of them `held` is.
    fn held(&self, held: &Credential) -> Uses {
        let is = |credential: &Option<Credential>| credential.as_ref().is_some_and(|one| one.is(held));
        if is(&self.new) {
            Uses::New
        } else if is(&self.old) {
            Uses::Old
        } else if self.current.as_ref().is_some_and(|current| *current == KeyName::of(held)) {
            Uses::Current
        } else {
            Uses::Other
        }
    }
}

/// Asks all consumers, `jobs` at a time.
fn ask(mut consumers: Vec<Box<dyn Consumer>>, jobs: usize) -> Vec<Told> {
    let one = |consumer: &mut Box<dyn Consumer>| {
        let statement = consumer.attest();
        // What does not say whether it works is tried with what it holds.
        let is_enough = !matches!(&statement, Answer::Yes(None | Some(Statement { works: None, .. })));
        let held = (!is_enough).then(|| consumer.read());
        Told { name: consumer.name().to_owned(), statement, held }
    };
    consumer::each(consumers.iter_mut().collect(), jobs, one)
}

fn look(told: Told, known: &Known, target: &mut dyn Provider, context: &Context<'_>) -> Look {
    let mut look =
        Look { name: told.name, uses: Uses::Unknown, key: None, works: None, why: None, is_skipped: false };
    let held = match told.held {
        Some(Answer::Yes(Some(fields))) => target.recognise(&fields).map(Some),
        Some(Answer::Yes(None)) | None => Answer::Yes(None),
        Some(Answer::No(why) | Answer::Unknown(why)) => Answer::Unknown(why),
    };
    match told.statement {
        Answer::Yes(Some(Statement { key, works })) => {
            look.uses = match &key {
                Named::Text(text) => known.named(text),
                Named::Nothing => Uses::Nothing,
            };
            look.key = Some(key.to_string());
            look.works = works;
            if let (None, Named::Text(text)) = (works, &key) {
                let held = if let Answer::Yes(held) = held { held } else { None };
                try_it(&mut look, in_question(text, known, held), target, context);
            }
        }
        Answer::Yes(None) => match held {
            Answer::Yes(Some(credential)) => {
                look.uses = known.held(&credential);
                look.key = Some(credential.id.clone());
                try_it(&mut look, Some(credential), target, context);
            }
            Answer::Yes(None) => look.uses = Uses::Nothing,
            Answer::No(why) | Answer::Unknown(why) => look.why = Some(why),
        },
        Answer::No(why) => (look.works, look.why) = (Some(false), Some(why)),
        Answer::Unknown(why) => look.why = Some(why),
    }
    look
}

/// The credential that a consumer means by `text`, where its secret is known.
fn in_question(text: &str, known: &Known, held: Option<Credential>) -> Option<Credential> {
    let all = [known.new.clone(), known.old.clone(), held];
    all.into_iter().flatten().find(|one| one.is_named(text))
}

fn try_it(look: &mut Look, credential: Option<Credential>, target: &mut dyn Provider, context: &Context<'_>) {
    let Some(credential) = credential else {
        look.why = Some("it says which key it uses, and that key is not known here".into());
        return;
    };
    match target.check(&credential, context) {
        Answer::Yes(()) => look.works = Some(true),
        Answer::No(why) => (look.works, look.why) = (Some(false), Some(why)),
        Answer::Unknown(why) => look.why = Some(why),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::state::Last;

    #[test]
    fn a_rotation_that_left_no_key_has_none_that_is_current() {
        let check = |key: &str, fingerprint: &str, want: Uses| {
            let (key, fingerprint) = (key.to_owned(), fingerprint.to_owned());
            let last = Last { rotation: "r".into(), ended: 0, is_rotated: false, key, fingerprint };
            let known = Known::of(&State { last: Some(last), ..State::default() });
            assert!(known.named("3f9a1c0b77de") == want);
        };
        check("k1", "3f9a1c0b77de", Uses::Current);
        check("k1", "000000000000", Uses::Other);
        check("", "", Uses::Other);
    }
}
