//! Consumers: they get a key, take it up, and say which one they use.

use std::collections::BTreeMap;

use common::Result;
use common::answer::Answer;

use super::{Machine, PENDING, Step};
use crate::consumer::{self, Consumer, Named, Statement};
use crate::credential::Credential;
use crate::state::{Phase, Progress};

/// What a consumer's answer means for a key that it is to use.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Attested {
    /// It uses it, and works.
    Yes,
    /// It uses it, and does not work.
    Broken(String),
    /// It says that it uses another one.
    Other(String),
    /// Nobody knows.
    Unknown(String),
}

/// Why somebody who vanished from the spec is not asked.
const GONE: &str = "it is no longer in the spec; put it back, or `keyrotate skip` it";

impl Machine<'_> {
    /// Asks the consumers that `which` means the same, some at a time; what each answers, by name.
    pub(super) fn each<T: Send>(
        &mut self,
        which: impl Fn(&str) -> bool,
        ask: impl Fn(&mut dyn Consumer) -> T + Sync,
    ) -> Vec<(String, T)> {
        let meant = self.consumers.iter_mut().filter(|one| which(one.name())).collect();
        consumer::each(meant, self.jobs, |one| {
            let answer = ask(one.as_mut());
            (one.name().to_owned(), answer)
        })
    }

    /// Gives `credential` to `wave`, and asks each for it. What came of it is durable; the sentences say
    /// who is pending.
    pub(super) fn deploy(
        &mut self,
        wave: &[String],
        credential: &Credential,
    ) -> Result<Vec<(String, Attested)>> {
        let to_write: Vec<String> =
            wave.iter().filter(|name| !self.progress(name).is_written).cloned().collect();
        let mut pending = Vec::new();
        if !to_write.is_empty() {
            self.touch(&to_write)?;
            self.has_touched = true;
            let answers = self.each(
                |name| to_write.iter().any(|one| one == name),
                |consumer| consumer.write(credential).and_then(|()| consumer.reload()),
            );
            self.wrote(answers, &mut pending)?;
        }
        let is_pending = |name: &String| pending.iter().any(|(other, _)| other == name);
        let to_ask: Vec<String> = wave.iter().filter(|name| !is_pending(name)).cloned().collect();
        pending.extend(self.attest(&to_ask, credential)?);
        Ok(pending)
    }

    /// Writes down that the key may be with these from here on.
    fn touch(&mut self, names: &[String]) -> Result<()> {
        let Some(rotation) = &mut self.state.rotation else { return Ok(()) };
        for name in names {
            rotation.consumers.entry(name.clone()).or_default().is_touched = true;
            if let Some(place) = self.places.get(name) {
                rotation.places.insert(name.clone(), place.clone());
            }
        }
        self.note("deploying", &names.join(", "))
    }

    fn wrote(&mut self, answers: Vec<(String, Answer)>, pending: &mut Vec<(String, Attested)>) -> Result<()> {
        let mut done = Vec::new();
        for (name, answer) in answers {
            match answer {
                Answer::Yes(()) => done.push(name),
                // A refusal of the file system is no word of the consumer: it may still use what it had.
                Answer::No(why) | Answer::Unknown(why) => pending.push((name, Attested::Unknown(why))),
            }
        }
        self.mark(&done, "deployed", |progress| progress.is_written = true)
    }

    /// Asks these consumers until they all use `credential` and work, as often as the gates say. Who does
    /// not is told why.
    pub(super) fn attest(
        &mut self,
        names: &[String],
        credential: &Credential,
    ) -> Result<Vec<(String, Attested)>> {
        let mut open: BTreeMap<String, Attested> = BTreeMap::new();
        for name in names {
            open.insert(name.clone(), Attested::Unknown(GONE.into()));
        }
        for attempt in 0..self.gates.tries {
            if open.is_empty() || attempt > 0 && self.clock.pause(self.gates.pause()) {
                break;
            }
            let mut done = Vec::new();
            for (name, attested) in self.statements(&open, credential) {
                if attested == Attested::Yes {
                    open.remove(&name);
                    done.push(name);
                } else {
                    open.insert(name, attested);
                }
            }
            self.mark(&done, "attested", |progress| progress.is_attested = true)?;
            // Who cannot be asked now is not waited for here: the next run asks again.
            if open.values().all(|attested| matches!(attested, Attested::Unknown(_))) {
                break;
            }
        }
        if let Some(rotation) = &mut self.state.rotation {
            // What they said in an earlier run is no longer so.
            for name in open.keys() {
                rotation.consumers.entry(name.clone()).or_default().is_attested = false;
            }
        }
        Ok(open.into_iter().collect())
    }

    fn statements(
        &mut self,
        open: &BTreeMap<String, Attested>,
        credential: &Credential,
    ) -> Vec<(String, Attested)> {
        let answers = self.each(
            |name| open.contains_key(name),
            |consumer| match consumer.attest() {
                Answer::Yes(None) => held(consumer),
                Answer::Yes(Some(statement)) => Answer::Yes(Told::Said(statement)),
                Answer::No(why) => Answer::No(why),
                Answer::Unknown(why) => Answer::Unknown(why),
            },
        );
        let mut all = Vec::new();
        for (name, answer) in answers {
            let attested = match answer {
                Answer::Yes(told) => self.judge(told, credential),
                Answer::No(why) => Attested::Broken(why),
                Answer::Unknown(why) => Attested::Unknown(why),
            };
            all.push((name, attested));
        }
        all
    }

    /// What a statement means for `credential`.
    fn judge(&mut self, told: Told, credential: &Credential) -> Attested {
        let works = match told {
            Told::Said(Statement { key: Named::Text(key), works }) if credential.is_named(&key) => works,
            Told::Said(Statement { key, .. }) => {
                return Attested::Other(format!("it uses {}", self.called(&key)));
            }
            Told::Holds(None) => return Attested::Other("it holds no key".into()),
            Told::Holds(Some(fields)) => match self.provider.recognise(&fields) {
                Answer::Yes(held) if held.is(credential) => None,
                Answer::Yes(held) => {
                    return Attested::Other(format!("it holds {}", self.called(&Named::Text(held.id))));
                }
                Answer::No(why) | Answer::Unknown(why) => return Attested::Unknown(why),
            },
        };
        match works {
            Some(true) => Attested::Yes,
            Some(false) => Attested::Broken("it says that it does not work with it".into()),
            None => match self.check(credential) {
                Answer::Yes(()) => Attested::Yes,
                Answer::No(why) => Attested::Broken(why),
                Answer::Unknown(why) => Attested::Unknown(why),
            },
        }
    }

    /// A key as messages call it.
    pub(super) fn called(&self, key: &Named) -> String {
        let Named::Text(text) = key else { return key.to_string() };
        let is = |known: Option<&Credential>| known.is_some_and(|known| known.is_named(text));
        let rotation = self.rotation();
        if is(rotation.and_then(|rotation| rotation.old.as_ref())) {
            return format!("the old key {text}");
        }
        if is(rotation.and_then(|rotation| rotation.new.as_ref())) {
            return format!("the new key {text}");
        }
        text.clone()
    }

    pub(super) fn progress(&self, name: &str) -> Progress {
        self.rotation().and_then(|rotation| rotation.consumers.get(name)).copied().unwrap_or_default()
    }

    /// Writes down how far consumers are. What was so before, and was only asked again, is no news.
    fn mark(&mut self, names: &[String], step: &str, change: impl Fn(&mut Progress)) -> Result<()> {
        let mut notes = Vec::new();
        for name in names {
            let mut note = self.noted(step, "");
            note.consumer = Some(name.clone());
            let Some(rotation) = &mut self.state.rotation else { break };
            let is_past = rotation.phase >= Phase::Attested && rotation.back.is_none();
            let progress = rotation.consumers.entry(name.clone()).or_default();
            let is_known = step == "attested" && (is_past || progress.is_attested);
            change(progress);
            if !is_known {
                notes.push(note);
            }
        }
        if notes.is_empty() { Ok(()) } else { self.keep(&notes) }
    }

    /// Marks every consumer as one that is to be asked again.
    pub(super) fn forget_statements(&mut self) {
        if let Some(rotation) = &mut self.state.rotation {
            rotation.consumers.values_mut().for_each(|progress| progress.is_attested = false);
        }
    }
}

/// What is known of the key that a consumer uses.
enum Told {
    /// It said so itself.
    Said(Statement),
    /// That is what it holds.
    Holds(Option<crate::credential::Fields>),
}

fn held(consumer: &mut dyn Consumer) -> Answer<Told> {
    match consumer.read() {
        Answer::Yes(held) => Answer::Yes(Told::Holds(held)),
        // It cannot be read, so nothing is known of it; that is no word against the key.
        Answer::No(why) | Answer::Unknown(why) => Answer::Unknown(why),
    }
}

/// Who is known not to use the key that it is to use, or not to work with it.
pub(super) fn against(open: &[(String, Attested)]) -> Option<String> {
    let one = open.iter().find(|(_, attested)| !matches!(attested, Attested::Unknown(_)))?;
    Some(format!("without the old key, {}", told(std::slice::from_ref(one))))
}

/// So many are named in a sentence; `status` and the audit log name all.
const NAMED: usize = 10;

/// One sentence of those who are pending.
pub(super) fn told(pending: &[(String, Attested)]) -> String {
    let one = |(name, attested): &(String, Attested)| match attested {
        Attested::Yes => format!("{name}: done"),
        Attested::Broken(why) | Attested::Other(why) | Attested::Unknown(why) => format!("{name}: {why}"),
    };
    let mut all: Vec<_> = pending.iter().take(NAMED).map(one).collect();
    if let Some(more) = pending.len().checked_sub(NAMED).filter(|&more| more > 0) {
        all.push(format!("and {more} more"));
    }
    all.join("; ")
}

/// The end of a run that some consumers hold up while the old key is, or may be, disabled.
pub(super) fn pending_without(pending: &[(String, Attested)]) -> Step {
    Step::stop(
        PENDING,
        format!("the old key is disabled, and not deleted before it is known of {}", told(pending)),
    )
}

/// The end of a run that some consumers hold up.
pub(super) fn pending(pending: &[(String, Attested)]) -> Step {
    Step::stop(PENDING, format!("the old key is kept for {}", told(pending)))
}
