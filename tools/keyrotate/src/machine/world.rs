//! A world to rotate in: a target, consumers and a journal that fail at any point, and look after every
//! effect whether somebody is cut off.

use std::collections::{BTreeMap, BTreeSet};
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use common::answer::Answer;
use common::{Error, Result};
use secrecy::ExposeSecret;

use super::{Begin, Clock, End, Keeper, Machine, Note};
use crate::clock::Now;
use crate::consumer::{Consumer, Named, Statement};
use crate::credential::{Credential, Fields};
use crate::provider::{Context, Key, Maker, Provider, Usage};
use crate::spec::Gates;
use crate::state::State;

/// What happens at a point.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Fault {
    /// The process is killed before the effect.
    KillBefore,
    /// It is killed after the effect, before it knows.
    KillAfter,
    /// The connection is lost before the effect; the journal cannot be written.
    LostBefore,
    /// It is lost after the effect.
    LostAfter,
}

/// The end of a process.
struct Killed;

/// Everything outside of the program.
pub(super) struct Reality {
    pub(super) maker: Maker,
    /// The keys of the target: id, secret, whether it is enabled.
    pub(super) keys: BTreeMap<String, (String, bool)>,
    /// What each consumer holds.
    pub(super) holds: BTreeMap<String, (String, String)>,
    /// Consumers whose writes go to another place.
    pub(super) misled: BTreeSet<String>,
    /// Consumers that do not work with any key but the first.
    pub(super) broken: BTreeSet<String>,
    /// Consumers that cannot be reached.
    pub(super) away: BTreeSet<String>,
    /// Consumers that the spec does not name.
    pub(super) strangers: BTreeSet<String>,
    /// Consumers whose file cannot be read.
    pub(super) closed: BTreeSet<String>,
    /// What the target answers to log-ins before it looks at them; the next one is the last.
    pub(super) whims: Vec<Answer>,
    /// Whether the target takes any secret.
    pub(super) is_gullible: bool,
    /// Whether the consumers believe that they work, such as by a session that is still open.
    pub(super) is_credulous: bool,
    pub(super) usage: Usage,
    pub(super) refusals: Option<u64>,
    /// What the spec says of where they are.
    pub(super) places: BTreeMap<String, String>,
    /// The journal.
    pub(super) state: State,
    pub(super) steps: Vec<String>,
    /// The time in milliseconds, and whether pausing lets it pass.
    pub(super) now_ms: i64,
    /// The points so far, and what happens at which.
    pub(super) points: u32,
    pub(super) faults: BTreeMap<u32, Fault>,
    made: u32,
    /// Who was cut off when; must be empty.
    pub(super) outages: Vec<String>,
}

/// A handle on reality.
#[derive(Clone)]
pub(super) struct World(Arc<Mutex<Reality>>);

pub(super) const OLD: &str = "old";

impl World {
    pub(super) fn new(maker: Maker, consumers: &[&str]) -> Self {
        let holds =
            consumers.iter().map(|name| ((*name).to_owned(), (OLD.to_owned(), secret_of(OLD)))).collect();
        Self(Arc::new(Mutex::new(Reality {
            maker,
            keys: [(OLD.to_owned(), (secret_of(OLD), true)), ("foreign".to_owned(), ("x".into(), true))]
                .into(),
            holds,
            misled: BTreeSet::new(),
            broken: BTreeSet::new(),
            away: BTreeSet::new(),
            strangers: BTreeSet::new(),
            closed: BTreeSet::new(),
            whims: Vec::new(),
            is_gullible: false,
            is_credulous: false,
            usage: Usage::None,
            refusals: None,
            places: BTreeMap::new(),
            state: State::default(),
            steps: Vec::new(),
            now_ms: 1_000_000_000_000,
            points: 0,
            faults: BTreeMap::new(),
            made: 0,
            outages: Vec::new(),
        })))
    }

    pub(super) fn look(&self) -> MutexGuard<'_, Reality> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// One run of the program; `None`: it was killed.
    pub(super) fn run(&self, gates: &Gates, begin: Begin) -> Option<Result<End>> {
        self.with(gates, |machine| machine.run(begin))
    }

    /// One run that does something else.
    pub(super) fn with<T>(&self, gates: &Gates, act: impl FnOnce(&mut Machine<'_>) -> T) -> Option<T> {
        let mut names: Vec<String> = self.look().holds.keys().cloned().collect();
        names.retain(|name| !self.look().strangers.contains(name));
        let consumer = |name: String| Box::new(Holder { name, world: self.clone() }) as Box<dyn Consumer>;
        let state = self.look().state.clone();
        let (mut target, mut keeper) = (self.clone(), self.clone());
        let mut machine = Machine {
            name: "world",
            gates,
            jobs: 1,
            provider: &mut target,
            target: "world".into(),
            places: self.look().places.clone(),
            consumers: names.into_iter().map(consumer).collect(),
            current: None,
            keeper: &mut keeper,
            clock: self,
            state,
            has_begun_it: false,
            has_touched: false,
        };
        catch_unwind(AssertUnwindSafe(|| act(&mut machine)))
            .map_err(|cause| {
                if !cause.is::<Killed>() {
                    resume_unwind(cause);
                }
            })
            .ok()
    }

    /// A point at which something may happen; `effect` is what happens otherwise.
    fn point(&self, effect: impl FnOnce(&mut Reality)) -> Answer {
        let mut reality = self.look();
        let number = reality.points;
        reality.points += 1;
        let fault = reality.faults.get(&number).copied();
        if fault == Some(Fault::KillBefore) {
            drop(reality);
            resume_unwind(Box::new(Killed));
        }
        if fault == Some(Fault::LostBefore) {
            return Answer::Unknown("lost before".into());
        }
        effect(&mut reality);
        reality.see_who_is_cut_off(number);
        match fault {
            Some(Fault::KillAfter) => {
                drop(reality);
                resume_unwind(Box::new(Killed));
            }
            Some(_) => Answer::Unknown("lost after".into()),
            None => Answer::Yes(()),
        }
    }
}

impl Reality {
    fn accepts(&self, id: &str, secret: &str) -> bool {
        self.is_gullible || self.keys.get(id).is_some_and(|(good, is_enabled)| good == secret && *is_enabled)
    }

    fn see_who_is_cut_off(&mut self, number: u32) {
        for (name, (id, secret)) in &self.holds {
            if !self.accepts(id, secret) {
                self.outages.push(format!("{name} holds {id} at {number}"));
            }
        }
        if !self.keys.contains_key("foreign") {
            self.outages.push(format!("a foreign key is gone at {number}"));
        }
    }
}

fn secret_of(id: &str) -> String {
    format!("secret of {id}")
}

fn credential(id: &str, secret: &str) -> Credential {
    Credential { id: id.into(), secret: secret.into(), public: BTreeMap::new() }
}

impl Clock for World {
    fn now(&self) -> Now {
        let now_ms = self.look().now_ms;
        Now { wall_ms: now_ms, boot_ms: now_ms, boot: "boot".into() }
    }

    fn pause(&self, time: Duration) -> bool {
        self.look().now_ms += i64::try_from(time.as_millis()).unwrap();
        false
    }
}

impl Keeper for World {
    fn record(&mut self, state: &State, notes: &[Note]) -> Result<()> {
        let state = serde_json::to_string(state).unwrap();
        let answer = self.point(|reality| {
            reality.state = serde_json::from_str(&state).unwrap();
            reality.steps.extend(notes.iter().map(|note| note.step.clone()));
        });
        if answer.is_yes() { Ok(()) } else { Err(Error::failed("cannot write the journal")) }
    }
}

impl Provider for World {
    fn maker(&self) -> Maker {
        self.look().maker
    }

    fn ready(&mut self, _context: &Context<'_>) -> Answer {
        self.point(|_| ())
    }

    fn make(&mut self, _old: Option<&Credential>) -> Answer<Credential> {
        let mut reality = self.look();
        reality.made += 1;
        let id = format!("new{}", reality.made);
        Answer::Yes(credential(&id, &secret_of(&id)))
    }

    fn list(&mut self, _context: &Context<'_>) -> Answer<Vec<Key>> {
        let answer = self.point(|_| ());
        let reality = self.look();
        let key = |(id, (_, is_enabled)): (&String, &(String, bool))| Key {
            id: id.clone(),
            is_enabled: *is_enabled,
            made: None,
        };
        answer.map(|()| reality.keys.iter().map(key).collect())
    }

    fn recognise(&self, held: &Fields) -> Answer<Credential> {
        let part = |name: &str| held.get(name).map(|value| value.expose_secret().to_owned());
        Answer::Yes(credential(&part("id").unwrap(), &part("secret").unwrap()))
    }

    fn create(&mut self, context: &Context<'_>) -> Answer<Credential> {
        let new = match context.new {
            Some(new) => new.clone(),
            None => match self.make(None) {
                Answer::Yes(new) => new,
                other => return other,
            },
        };
        let made = new.clone();
        self.point(|reality| {
            reality.keys.insert(made.id, (made.secret.expose_secret().into(), true));
        })
        .map(|()| new)
    }

    fn check(&mut self, credential: &Credential, _context: &Context<'_>) -> Answer {
        self.point(|_| ()).and_then(|()| {
            let mut reality = self.look();
            if let Some(whim) = reality.whims.pop() {
                return whim;
            }
            if reality.accepts(&credential.id, credential.secret.expose_secret()) {
                Answer::Yes(())
            } else {
                Answer::No("refused".into())
            }
        })
    }

    fn corrupted(&mut self, credential: &Credential) -> Option<Credential> {
        Some(Credential { secret: "wrong".into(), ..credential.clone() })
    }

    fn disable(&mut self, old: &Credential, _context: &Context<'_>) -> Answer {
        self.point(|reality| reality.keys.get_mut(&old.id).unwrap().1 = false)
    }

    fn enable(&mut self, old: &Credential, _context: &Context<'_>) -> Answer {
        let is_there = self.look().keys.contains_key(&old.id);
        if !is_there {
            return Answer::No("it is gone".into());
        }
        self.point(|reality| reality.keys.get_mut(&old.id).unwrap().1 = true)
    }

    fn delete(&mut self, id: &str, _context: &Context<'_>) -> Answer {
        self.point(|reality| {
            reality.keys.remove(id);
        })
    }

    fn usage(&mut self, _credential: &Credential, _context: &Context<'_>) -> Answer<Usage> {
        self.point(|_| ()).map(|()| self.look().usage.clone())
    }

    fn refusals(&mut self, _context: &Context<'_>) -> Answer<Option<u64>> {
        Answer::Yes(self.look().refusals)
    }
}

/// A consumer.
struct Holder {
    name: String,
    world: World,
}

impl Holder {
    fn reached(&self) -> Answer {
        if self.world.look().away.contains(&self.name) {
            return Answer::Unknown("it is away".into());
        }
        Answer::Yes(())
    }
}

impl Consumer for Holder {
    fn name(&self) -> &str {
        &self.name
    }

    fn read(&mut self) -> Answer<Option<Fields>> {
        if self.world.look().closed.contains(&self.name) {
            return Answer::No("permission denied".into());
        }
        self.reached().map(|()| {
            let (id, secret) = self.world.look().holds[&self.name].clone();
            Some([("id".to_owned(), id.into()), ("secret".to_owned(), secret.into())].into())
        })
    }

    fn write(&mut self, credential: &Credential) -> Answer {
        self.reached().and_then(|()| {
            self.world.point(|reality| {
                if !reality.misled.contains(&self.name) {
                    let held = (credential.id.clone(), credential.secret.expose_secret().into());
                    reality.holds.insert(self.name.clone(), held);
                }
            })
        })
    }

    fn reload(&mut self) -> Answer {
        self.world.point(|_| ())
    }

    fn attest(&mut self) -> Answer<Option<Statement>> {
        self.reached().and_then(|()| self.world.point(|_| ())).map(|()| {
            let reality = self.world.look();
            let (id, secret) = &reality.holds[&self.name];
            let works = reality.is_credulous
                || reality.accepts(id, secret) && (id == OLD || !reality.broken.contains(&self.name));
            Some(Statement { key: Named::Text(id.clone()), works: Some(works) })
        })
    }
}
