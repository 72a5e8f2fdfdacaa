//! `status`, `verify`, `log` and the plan of a run: what changes nothing.

use std::path::{Path, PathBuf};

use common::error::worse;
use common::{Out, Outcome, Result};

use super::{Case, Desk, RANKS, tell};
use crate::audit::{self, Checked};
use crate::clock::Now;
use crate::machine::{self, Begin, HUMAN};
use crate::report::status::{Subject, Terms};
use crate::report::{self, plan::Project};
use crate::state::State;
use crate::{folder, journal, provider, rotate, verify as look};

/// So often the log is checked when a run writes to it meanwhile.
const ATTEMPTS: usize = 5;

/// Prints how far the rotations of `specs` are; without any, all that have a state.
///
/// # Errors
/// When the folder of folders cannot be read, or the output not be written. A state that cannot be read is
/// told, and the others are shown.
pub(crate) fn status(desk: &Desk<'_>, specs: &[PathBuf], out: &mut Out) -> Result<Outcome> {
    let mut worst = 0;
    let mut known: Vec<(String, Option<Case>, State)> = Vec::new();
    let mut take = |found: Result<(String, Option<Case>, State)>| match found {
        Ok(found) => known.push(found),
        Err(error) => {
            tell(&error);
            worst = worse(&RANKS, worst, error.status());
        }
    };
    for path in specs {
        let case = desk.open(path);
        take(
            case.and_then(|case| Ok((case.spec.name.clone(), rotate::remembered(&case.folder)?, case)))
                .map(|(name, state, case)| (name, Some(case), state)),
        );
    }
    if specs.is_empty() {
        let root = folder::root(desk.state, None)?;
        for name in folder::names(&root)? {
            // A folder without a journal is somebody else's.
            if let Some(found) = journal::peek(&root.join(&name)).transpose() {
                take(found.map(|(state, _)| (name, None, state)));
            }
        }
    }
    let subjects: Vec<Subject<'_>> = known.iter().map(subject).collect();
    report::status::print(&subjects, &Now::read(), desk.form, out)?;
    Ok(Outcome::of(worst))
}

fn subject((name, case, state): &(String, Option<Case>, State)) -> Subject<'_> {
    let terms = case.as_ref().map(|case| Terms { every: case.spec.every, gates: &case.spec.gates });
    Subject { name, state, terms }
}

/// Prints which key each consumer of the spec in `path` uses.
///
/// # Errors
/// When the spec, the journal or a secret cannot be had, or the output not be written.
pub(crate) fn verify(desk: &Desk<'_>, path: &Path, out: &mut Out) -> Result<Outcome> {
    let case = desk.open(path)?;
    let verified = look::verify(&case.spec, &rotate::remembered(&case.folder)?)?;
    verified.print(desk.form, out)?;
    Ok(Outcome::of(verified.status()))
}

/// Prints every step that a run of the spec in `path` would take; touches nothing.
///
/// # Errors
/// As [`verify`].
pub(crate) fn plan(desk: &Desk<'_>, path: &Path, now: bool, out: &mut Out) -> Result<Outcome> {
    let Case { spec, folder } = desk.open(path)?;
    let state = rotate::remembered(&folder)?;
    let names = rotate::names(&spec)?;
    let project = Project {
        name: &spec.name,
        kind: kind(&spec.provider),
        maker: rotate::target(&spec)?.maker(),
        consumers: &names,
        gates: &spec.gates,
        state: &state,
    };
    let begin = if now { Begin::Now } else { Begin::After(spec.every) };
    let is_due = machine::is_due(&state, begin, &Now::read());
    report::plan::print(&project, is_due, desk.form, out)?;
    Ok(Outcome::Done)
}

/// The kind of a target, as the spec writes it.
fn kind(provider: &provider::Config) -> &'static str {
    match provider {
        provider::Config::Ssh(_) => "ssh-ed25519",
        provider::Config::Redis(_) => "redis-acl",
        provider::Config::Postgres(_) => "postgres",
        provider::Config::Aws(_) => "aws-iam",
        provider::Config::File(_) => "file",
        provider::Config::Exec(_) => "exec",
    }
}

/// Prints the audit log of the spec in `path`, or whether it is as it was written: status 11 when not.
///
/// # Errors
/// As [`verify`].
pub(crate) fn log(desk: &Desk<'_>, path: &Path, is_check: bool, out: &mut Out) -> Result<Outcome> {
    let Case { folder, .. } = desk.open(path)?;
    if !is_check {
        let tail = journal::peek(&folder)?.map(|(_, tail)| tail);
        let lines = audit::read(&folder.join(audit::NAME), tail.as_ref())?;
        report::log::print(&lines, desk.form, out)?;
        return Ok(Outcome::Done);
    }
    let checked = checked(&folder)?;
    report::log::print_checked(&checked, desk.form, out)?;
    Ok(if checked.fault.is_some() { Outcome::Own(HUMAN) } else { Outcome::Done })
}

/// A run that is at it may write between our looks at the journal and at the log: then both are looked at
/// again.
fn checked(folder: &Path) -> Result<Checked> {
    let log = folder.join(audit::NAME);
    let tail = || Ok(journal::peek(folder)?.map(|(_, tail)| tail).unwrap_or_default());
    let mut before = tail()?;
    for _ in 1..ATTEMPTS {
        let checked = audit::check(&log, Some(&before))?;
        let after = tail()?;
        if checked.fault.is_none() || after == before {
            return Ok(checked);
        }
        before = after;
    }
    audit::check(&log, Some(&before))
}
