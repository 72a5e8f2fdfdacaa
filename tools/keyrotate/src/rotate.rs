//! The subcommands: a spec, its journal, and what is done with both.

use std::collections::BTreeMap;
use std::path::Path;
use std::time::Duration;

use common::answer::Answer;
use common::{Error, Result};
use files::Wait as Patience;
use secrets::Source;

use crate::audit;
use crate::clock::Now;
use crate::consumer::{self, Consumer};
use crate::journal::{self, Journal};
use crate::machine::{Begin, Clock, End, HUMAN, Keeper, Machine, Note, UNWRITABLE, identity, is_due};
use crate::provider::{self, Place, Provider};
use crate::spec::Spec;
use crate::state::{Hold, Phase, Rotation, Skip, State, Wait};
use crate::validate;

/// How long a command of a person waits for a run that is at it.
const PATIENCE: Duration = Duration::from_secs(10);

/// What came of a run.
#[derive(Debug)]
pub(crate) struct Advanced {
    /// How it ended.
    pub(crate) end: End,
    /// What the run before it ended with, when it waited.
    pub(crate) before: Option<Wait>,
    /// What is remembered now.
    pub(crate) state: State,
}

/// The clocks of this machine.
struct Clocks;

impl Clock for Clocks {
    fn now(&self) -> Now {
        Now::read()
    }

    fn pause(&self, time: Duration) -> bool {
        if time.is_zero() { common::stop::requested() } else { common::stop::wait(time) }
    }
}

/// Advances the rotation of `spec`, whose state is in `folder`, as far as its gates allow.
///
/// # Errors
/// When the journal cannot be had or written, or a secret or an inventory cannot be read.
pub(crate) fn advance(spec: &Spec, folder: &Path, begin: Begin) -> Result<Advanced> {
    let (journal, state) = Journal::open(folder, Patience::Not)?;
    if state.rotation.is_none() && !is_due(&state, begin, &Now::read()) {
        return Ok(Advanced { end: End::Idle, before: None, state });
    }
    if state.rotation.is_none() {
        validate::nothing_is_in_the_way(spec)?;
        nothing_is_in_the_way_elsewhere(spec)?;
    }
    driven(spec, (journal, state), |machine| machine.run(begin))
}

/// That no program on another host would be cut off by a public key beside a private one that is to be
/// replaced. A host that is out of reach keeps no rotation from beginning.
fn nothing_is_in_the_way_elsewhere(spec: &Spec) -> Result<()> {
    if !matches!(spec.provider, provider::Config::Ssh(_)) {
        return Ok(());
    }
    let mut all = consumers(spec, &place(spec))?;
    let all = all.iter_mut().collect();
    let told = consumer::each(all, spec.jobs, |one| (one.name().to_owned(), one.offers_its_own()));
    let refused = told.into_iter().filter_map(|(name, answer)| match answer {
        Answer::No(why) => Some((name, why)),
        Answer::Yes(()) | Answer::Unknown(_) => None,
    });
    let (names, mut reasons): (Vec<String>, Vec<String>) = refused.unzip();
    reasons.dedup();
    if reasons.is_empty() {
        return Ok(());
    }
    let why = format!("{}: {}", names.join(", "), reasons.join("; "));
    Err(Error::failed(why).with_status(HUMAN))
}

/// Has the rotation of `spec` go back, and advances that.
///
/// # Errors
/// As [`advance`]; status 2 when nothing is under way, 11 when there is no way back.
pub(crate) fn roll_back(spec: &Spec, folder: &Path, reason: &str) -> Result<Advanced> {
    let (journal, state) = Journal::open(folder, Patience::For(PATIENCE))?;
    let rotation = under_way(&state, &spec.name)?;
    if !rotation.can_go_back() {
        let why = "the old key is deleted, so there is no way back; `keyrotate run` goes on";
        return Err(Error::failed(why).with_status(HUMAN));
    }
    let is_on_its_way = rotation.back.is_some();
    driven(spec, (journal, state), |machine| {
        if !is_on_its_way {
            if let Some(why) = machine.nothing_to_go_back_to() {
                return Err(Error::failed(why).with_status(HUMAN));
            }
            machine.turn_back(reason, &audit::who())?;
        }
        machine.run(Begin::Never)
    })
}

/// Does `act` with all that the spec names.
fn driven(
    spec: &Spec,
    (mut journal, state): (Journal, State),
    act: impl FnOnce(&mut Machine<'_>) -> Result<End>,
) -> Result<Advanced> {
    let before = state.rotation.as_ref().and_then(|rotation| rotation.waits.clone());
    let place = place(spec);
    let mut provider = spec.provider.build(&place)?;
    let (consumers, places) = placed(spec, &place)?;
    // Later on the journal knows it, and whoever kept it may have thrown it away.
    let current = spec.current.as_ref().filter(|_| state.rotation.is_none());
    let mut machine = Machine {
        name: &spec.name,
        gates: &spec.gates,
        jobs: spec.jobs,
        provider: &mut *provider,
        target: identity(&format!("{:?}", spec.provider)),
        places,
        consumers,
        current: current.map(Source::read).transpose()?,
        keeper: &mut journal,
        clock: &Clocks,
        state,
        has_begun_it: false,
        has_touched: false,
    };
    let end = act(&mut machine)?;
    Ok(Advanced { end, before, state: machine.state })
}

fn place(spec: &Spec) -> Place<'_> {
    Place { name: &spec.name, timeout: spec.timeout, jobs: spec.jobs, ssh: &spec.ssh }
}

/// All consumers of the spec, one for each host.
///
/// # Errors
/// When an inventory cannot be read, a name means no host, or two are called the same.
pub(crate) fn consumers(spec: &Spec, place: &Place<'_>) -> Result<Vec<Box<dyn Consumer>>> {
    placed(spec, place).map(|(consumers, _)| consumers)
}

type Consumers = Vec<Box<dyn Consumer>>;

/// The same, and what tells the place of each from others.
fn placed(spec: &Spec, place: &Place<'_>) -> Result<(Consumers, BTreeMap<String, String>)> {
    let (mut all, mut places) = (Vec::new(), BTreeMap::new());
    for config in &spec.consumers {
        let identity = identity(&config.place());
        let some = config.build(place)?;
        places.extend(some.iter().map(|one| (one.name().to_owned(), identity.clone())));
        all.extend(some);
    }
    Ok((all, places))
}

/// The names of the consumers of the spec, without a question to any of them.
///
/// # Errors
/// As for a run.
pub(crate) fn names(spec: &Spec) -> Result<Vec<String>> {
    Ok(consumers(spec, &place(spec))?.iter().map(|one| one.name().to_owned()).collect())
}

/// The target of the spec.
///
/// # Errors
/// When a secret for its administration, or an inventory, cannot be read.
pub(crate) fn target(spec: &Spec) -> Result<Box<dyn Provider>> {
    spec.provider.build(&place(spec))
}

/// What `folder` remembers; nothing yet is as good as any.
///
/// # Errors
/// When the journal cannot be read.
pub(crate) fn remembered(folder: &Path) -> Result<State> {
    Ok(journal::peek(folder)?.map(|(state, _)| state).unwrap_or_default())
}

/// The rotation of the spec `name`.
///
/// # Errors
/// Status 2 when there is none: what was asked for cannot be meant, and nothing is wrong with the keys.
fn under_way<'s>(state: &'s State, name: &str) -> Result<&'s Rotation> {
    let none = || Error::failed(format!("{name}: no rotation is under way"));
    state.rotation.as_ref().ok_or_else(none)
}

/// Writes down what a person has decided.
fn decided(
    folder: &Path,
    step: &str,
    why: &str,
    change: impl FnOnce(&mut State) -> Result<()>,
) -> Result<()> {
    let (mut journal, mut state) = Journal::open(folder, Patience::For(PATIENCE))?;
    change(&mut state)?;
    let rotation = state.rotation.as_ref();
    let note = Note {
        rotation: rotation.map(|rotation| rotation.id.clone()),
        step: step.into(),
        key: rotation.and_then(|rotation| rotation.new.clone()),
        consumer: None,
        status: None,
        why: (!why.is_empty()).then(|| why.to_owned()),
    };
    journal.record(&state, &[note]).map_err(|error| error.with_status(UNWRITABLE))
}

/// The old key of the spec `name` may go.
///
/// # Errors
/// Status 2 when no rotation is under way, 11 when one goes back or is not as far; else when the journal cannot
/// be had or written.
pub(crate) fn confirm(name: &str, folder: &Path) -> Result<()> {
    decided(folder, "confirmed", "", |state| {
        under_way(state, name)?;
        let Some(rotation) = &mut state.rotation else { return Ok(()) };
        if rotation.back.is_some() {
            return Err(
                Error::failed("the rotation goes back; there is nothing to confirm").with_status(HUMAN)
            );
        }
        if rotation.phase < Phase::Soak {
            let phase = rotation.phase;
            let why = format!("the rotation is at {phase}; confirm it when every consumer uses the new key");
            return Err(Error::failed(why).with_status(HUMAN));
        }
        rotation.confirmed = Some(audit::who());
        Ok(())
    })
}

/// Nothing is disabled or deleted `until` then, in seconds since 1970, or for ever.
///
/// # Errors
/// When the journal cannot be had or written.
pub(crate) fn hold(folder: &Path, until: Option<i64>) -> Result<()> {
    decided(folder, "hold", "", |state| {
        state.hold = Some(Hold { until, by: audit::who() });
        Ok(())
    })
}

/// Ends a hold; that there is none is as good.
///
/// # Errors
/// When the journal cannot be had or written.
pub(crate) fn end_hold(folder: &Path) -> Result<()> {
    decided(folder, "hold ended", "", |state| {
        state.hold = None;
        Ok(())
    })
}

/// The rotation goes on without the consumer or the site `name`.
///
/// # Errors
/// Status 2 when no rotation is under way, or there is nobody of that name; else when the journal cannot be had
/// or written.
pub(crate) fn skip(spec: &Spec, folder: &Path, name: &str, reason: &str) -> Result<()> {
    let mut known = names(spec)?;
    known.extend(target(spec)?.sites());
    decided(folder, "skipped", &format!("{name}: {reason}"), |state| {
        under_way(state, &spec.name)?;
        let Some(rotation) = &mut state.rotation else { return Ok(()) };
        if !known.iter().any(|one| one == name) && !rotation.consumers.contains_key(name) {
            let hint = common::near::did_you_mean(name, known.iter().map(String::as_str));
            return Err(Error::failed(format!("there is no consumer and no site `{name}`{hint}")));
        }
        let skip = Skip { reason: reason.into(), by: audit::who() };
        rotation.skipped.insert(name.into(), skip);
        Ok(())
    })
}
