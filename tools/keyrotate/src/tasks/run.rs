//! `run` and `rollback`: a rotation goes on, and people hear of it.

use std::path::Path;

use common::{Error, Out, Outcome, Result};
use serde::Serialize;

use super::{Case, Desk};
use crate::clock::{Now, told};
use crate::event::{Event, Kind};
use crate::machine::{Begin, End, ROLLED_BACK, WAITING};
use crate::report::{Form, KeyName};
use crate::rotate::{self, Advanced};
use crate::state::{State, Wait};

/// How rotations are advanced.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Advance<'a> {
    /// Whether one begins although none is due.
    pub(crate) now: bool,
    /// What is run when a person should know.
    pub(crate) on_event: Option<&'a str>,
}

/// What is printed of a run.
#[derive(Serialize)]
struct Told<'a> {
    name: &'a str,
    outcome: &'static str,
    rotation: Option<&'a str>,
    phase: String,
    status: u8,
    why: Option<&'a str>,
    key: Option<KeyName>,
    next_due: Option<String>,
}

/// Advances the rotation of the spec in `path`.
///
/// # Errors
/// When the spec, the journal or a secret cannot be had; the command for events has heard of it.
pub(crate) fn advance(desk: &Desk<'_>, path: &Path, how: Advance<'_>, out: &mut Out) -> Result<Outcome> {
    let failed = |name: &str, error: &Error| {
        let wait = Wait { status: error.status(), why: error.to_string() };
        if let Some(kind) = Kind::of(&wait, None) {
            announce(how.on_event, kind, name, (&wait, &State::default()));
        }
    };
    let shown = path.display().to_string();
    let case = desk.open(path).inspect_err(|error| failed(&shown, error))?;
    let name = &case.spec.name;
    let begin = if how.now { Begin::Now } else { Begin::After(case.spec.every) };
    let advanced = rotate::advance(&case.spec, &case.folder, begin);
    let Advanced { end, before, state } = advanced.inspect_err(|error| failed(name, error))?;
    let wait = stopped(&end);
    let kind = if end == End::Rotated { Some(Kind::Rotated) } else { Kind::of(&wait, before.as_ref()) };
    if let Some(kind) = kind {
        announce(how.on_event, kind, name, (&wait, &state));
    }
    print(&case, &end, &state, desk.form, out)?;
    Ok(ended(&end, wait.status))
}

/// Has the rotation of the spec in `path` go back; that it did is a success.
///
/// # Errors
/// As [`advance`]; when there is nothing to go back from.
pub(crate) fn roll_back(desk: &Desk<'_>, path: &Path, reason: &str, out: &mut Out) -> Result<Outcome> {
    let case = desk.open(path)?;
    let Advanced { end, state, .. } = rotate::roll_back(&case.spec, &case.folder, reason)?;
    print(&case, &end, &state, desk.form, out)?;
    let status = stopped(&end).status;
    Ok(ended(&end, if status == ROLLED_BACK { 0 } else { status }))
}

fn ended(end: &End, status: u8) -> Outcome {
    if *end == End::Interrupted { Outcome::Interrupted } else { Outcome::of(status) }
}

/// How it ended as a status and a sentence.
fn stopped(end: &End) -> Wait {
    match end {
        End::Idle | End::Rotated | End::Interrupted => Wait { status: 0, why: String::new() },
        End::Waits(wait) => wait.clone(),
    }
}

fn announce(command: Option<&str>, kind: Kind, name: &str, (wait, state): (&Wait, &State)) {
    let Some(command) = command else { return };
    let rotation = state.rotation.as_ref();
    let is_over = matches!(kind, Kind::Rotated | Kind::RolledBack);
    let last = state.last.as_ref().filter(|_| is_over).map(|last| last.rotation.as_str());
    let event = Event {
        kind,
        name,
        rotation: rotation.map(|rotation| rotation.id.as_str()).or(last),
        phase: rotation.map(|rotation| rotation.phase.to_string()),
        status: wait.status,
        why: Some(wait.why.as_str()).filter(|why| !why.is_empty()),
        key: key_of(state).map(Into::into).unwrap_or_default(),
        time: told(Now::read().seconds()),
    };
    process::event::tell(name, command, &event);
}

/// The key that is to be in use, or is.
fn key_of(state: &State) -> Option<KeyName> {
    let last = || state.last.as_ref();
    let last = || last().map(|last| KeyName { id: last.key.clone(), fingerprint: last.fingerprint.clone() });
    match &state.rotation {
        Some(rotation) => rotation.new.as_ref().or(rotation.old.as_ref()).map(KeyName::of),
        None => last(),
    }
}

/// Trouble goes to standard error, also when results are JSON.
fn print(case: &Case, end: &End, state: &State, form: Form, out: &mut Out) -> Result<()> {
    let name = &case.spec.name;
    let wait = stopped(end);
    match wait.status {
        0 | WAITING => {}
        11 => log::error!("{name}: {}", wait.why),
        _ => log::warn!("{name}: {}", wait.why),
    }
    let due = state.last.as_ref().map(|last| {
        let every = i64::try_from(case.spec.every.as_secs()).unwrap_or(i64::MAX);
        told(last.ended.saturating_add(every))
    });
    let rotation = state.rotation.as_ref();
    let phase = rotation.map_or_else(|| "IDLE".to_owned(), |rotation| rotation.phase.to_string());
    if form == Form::Json {
        let is_over = *end == End::Rotated || wait.status == ROLLED_BACK;
        let last = state.last.as_ref().filter(|_| is_over).map(|last| last.rotation.as_str());
        let told = Told {
            name,
            outcome: word(end, wait.status),
            rotation: rotation.map(|rotation| rotation.id.as_str()).or(last),
            phase,
            status: wait.status,
            why: Some(wait.why.as_str()).filter(|why| !why.is_empty()),
            key: key_of(state),
            next_due: due.filter(|_| rotation.is_none()),
        };
        return out.write_json(&told);
    }
    match end {
        End::Idle => writeln!(out, "{name}: nothing is due before {}", due.unwrap_or_default()),
        End::Rotated => {
            let key = key_of(state).map(|key| key.told()).unwrap_or_default();
            writeln!(out, "{name}: rotated; in use is {}", common::log::escape(&key))
        }
        End::Waits(wait) if wait.status == WAITING => {
            writeln!(out, "{name}: {phase}: {}", common::log::escape(&wait.why))
        }
        End::Waits(_) | End::Interrupted => Ok(()),
    }
}

fn word(end: &End, status: u8) -> &'static str {
    match (end, status) {
        (End::Idle, _) => "idle",
        (End::Rotated, _) => "rotated",
        (End::Interrupted, _) => "interrupted",
        (_, ROLLED_BACK) => "rolled_back",
        (_, 11) => "needs_human",
        (_, WAITING) => "waiting",
        (_, 23) => "pending",
        (_, 75) => "retry",
        _ => "failed",
    }
}
