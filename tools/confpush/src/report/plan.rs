//! What a deployment would change, and where.

use common::{Out, Result};
use secrets::conceal::hide;
use serde::Serialize;

use super::fold::{fold, names, path};
use super::{Change, EnvPlan, Form, HostPlan, HostState, hosts, shown};
use crate::diff::{Shown, sum, unified};
use crate::station::Open;

/// Prints what would change: to people once for all hosts that are in the same state, to programs an
/// object for each host. How it ends is told by [`crate::status::of_plan`].
///
/// # Errors
/// When it cannot be printed.
pub(crate) fn plan<'p>(
    out: &mut Out,
    form: Form,
    plans: impl IntoIterator<Item = &'p EnvPlan>,
) -> Result<()> {
    for (at, plan) in plans.into_iter().enumerate() {
        if form == Form::Json {
            print_json(plan, out)?;
            continue;
        }
        if at > 0 {
            writeln!(out)?;
        }
        print_text(plan, out)?;
    }
    Ok(())
}

fn print_text(plan: &EnvPlan, out: &mut Out) -> Result<()> {
    let protected = if plan.is_protected { ", which is protected" } else { "" };
    let is_change = |host: &&HostPlan| matches!(host.state, HostState::Changes(_));
    let is_same = |host: &&HostPlan| matches!(host.state, HostState::Same);
    let (all, changed) = (plan.hosts.len(), plan.hosts.iter().filter(is_change).count());
    let count = match (changed, plan.hosts.iter().filter(is_same).count()) {
        (0, same) if same == all => format!("nothing would change on {}", hosts(all)),
        // Of a host that is down nobody knows.
        (0, 0) => format!("what would change on {} is not known", hosts(all)),
        (0, same) => format!("nothing would change on {same} of {}", hosts(all)),
        _ if changed == all => format!("{} would change", hosts(all)),
        _ => format!("{changed} of {} would change", hosts(all)),
    };
    writeln!(out, "{} to {}{protected}: {count}", shown(&plan.spec), shown(&plan.env))?;
    let mut all = fold(&plan.hosts, Told::of);
    all.sort_by_key(|(state, _)| state.rank());
    let mut is_below_diff = false;
    for (state, those) in all {
        // What is told next stands apart from the lines of the file.
        if is_below_diff {
            writeln!(out)?;
        }
        is_below_diff = matches!(state, Told::Changes(_));
        if let Told::Changes(change) = state {
            print_changes(change, &those, out)?;
        } else {
            let names = names(those.iter().map(|one| one.host.as_str()));
            writeln!(out, "  {names}: {}", state.sentence())?;
        }
    }
    Ok(())
}

/// A state, so that equal ones can be told once.
#[derive(PartialEq)]
enum Told<'a> {
    Changes(&'a Change),
    Same,
    Down(&'a str),
    Busy(&'a Open),
    Unsettled(&'a Open),
    Faulty(&'a str),
}

impl<'a> Told<'a> {
    fn of(host: &'a HostPlan) -> Self {
        match &host.state {
            HostState::Same => Self::Same,
            HostState::Changes(change) => Self::Changes(change),
            HostState::Down(why) => Self::Down(why),
            HostState::Busy(open) => Self::Busy(open),
            HostState::Unsettled(open) => Self::Unsettled(open),
            HostState::Faulty(why) => Self::Faulty(why),
        }
    }

    /// The word for programs.
    fn word(&self) -> &'static str {
        match self {
            Self::Changes(_) => "changes",
            Self::Same => "same",
            Self::Down(_) => "down",
            Self::Busy(_) => "busy",
            Self::Unsettled(_) => "unsettled",
            Self::Faulty(_) => "faulty",
        }
    }

    /// What is worst is told last: it is what still stands on the screen below a long diff.
    fn rank(&self) -> u8 {
        match self {
            Self::Changes(_) => 0,
            Self::Same => 1,
            Self::Unsettled(_) => 2,
            Self::Down(_) => 3,
            Self::Busy(_) => 4,
            Self::Faulty(_) => 5,
        }
    }

    fn sentence(&self) -> String {
        match self {
            Self::Changes(_) | Self::Same => "as it is to be".into(),
            Self::Down(why) => format!("down: {}", shown(why)),
            Self::Busy(open) => {
                format!("{} is at it since {} ({})", shown(&open.who), shown(&open.time), shown(&open.id))
            }
            Self::Unsettled(open) => format!(
                "left half way by {} at {} ({}); the next `apply` or `rollback` brings it to an end first",
                shown(&open.who),
                shown(&open.time),
                shown(&open.id)
            ),
            Self::Faulty(why) => format!("would fail: {}", shown(why)),
        }
    }
}

/// Hosts with the same change, told once for each path that they do not have in common.
fn print_changes(change: &Change, those: &[&HostPlan], out: &mut Out) -> Result<()> {
    let places: Vec<(&str, &str)> = those.iter().map(|one| (&*one.host, &*one.path)).collect();
    if let Some(path) = path(&places) {
        return print_change(change, those, &path, out);
    }
    for (at, (path, those)) in fold(those.iter().copied(), |one| &one.path).into_iter().enumerate() {
        if at > 0 {
            writeln!(out)?;
        }
        print_change(change, &those, path, out)?;
    }
    Ok(())
}

fn print_change(change: &Change, those: &[&HostPlan], path: &str, out: &mut Out) -> Result<()> {
    writeln!(out, "  {}: {}", names(those.iter().map(|one| one.host.as_str())), verb(change))?;
    if let Some(drift) = &change.drift {
        writeln!(
            out,
            "  somebody has changed the file since the deployment by {}; to replace it takes --accept-drift",
            shown(drift)
        )?;
    }
    if let Some(access) = &change.access {
        writeln!(out, "  owner, group and mode would be {}", shown(access))?;
    }
    write!(out, "{}", diff(change, path))
}

/// What would be done.
fn verb(change: &Change) -> &'static str {
    match (&change.old, &change.new) {
        (None, Some(_)) => "a new file",
        (Some(_), None) => "the file would go",
        (old, new) if old == new && change.access.is_some() => "same content, other owner, group or mode",
        (old, new) if old == new => "same content",
        _ => "other content",
    }
}

fn diff(change: &Change, path: &str) -> String {
    let none = std::collections::BTreeSet::new();
    let old = change.old.as_ref().map(|bytes| Shown { bytes, secret_lines: &none });
    let new = change.new.as_ref().map(|bytes| Shown { bytes, secret_lines: &change.secret_lines });
    unified(old.as_ref(), new.as_ref(), path)
}

#[derive(Serialize)]
struct Object<'a> {
    spec: &'a str,
    env: &'a str,
    is_protected: bool,
    host: &'a str,
    path: &'a str,
    state: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    why: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    open: Option<Deployment<'a>>,
    #[serde(flatten, skip_serializing_if = "Option::is_none")]
    change: Option<Difference>,
}

/// A deployment that is neither confirmed nor undone.
#[derive(Serialize)]
pub(super) struct Deployment<'a> {
    id: &'a str,
    who: &'a str,
    time: &'a str,
    is_guarded: bool,
}

impl<'a> Deployment<'a> {
    pub(super) fn of(open: &'a Open) -> Self {
        Self { id: &open.id, who: &open.who, time: &open.time, is_guarded: open.is_guarded }
    }
}

#[derive(Serialize)]
struct Difference {
    /// None: no file.
    old_sha256: Option<String>,
    new_sha256: Option<String>,
    access: Option<String>,
    drift: Option<String>,
    diff: String,
}

fn print_json(plan: &EnvPlan, out: &mut Out) -> Result<()> {
    // Equal hosts mostly have equal paths, and a diff of a large file takes its time.
    let mut last: Option<(&Change, &str, String)> = None;
    for host in &plan.hosts {
        let state = Told::of(host);
        let change = if let Told::Changes(change) = state {
            let known = last.take().filter(|(of, path, _)| *of == change && *path == host.path);
            let text = known.map_or_else(|| diff(change, &host.path), |(_, _, text)| text);
            last = Some((change, &host.path, text.clone()));
            Some(difference(change, text))
        } else {
            None
        };
        let (why, open) = match &state {
            Told::Down(why) | Told::Faulty(why) => (Some(hide(why)), None),
            Told::Busy(open) | Told::Unsettled(open) => (None, Some(Deployment::of(open))),
            Told::Changes(_) | Told::Same => (None, None),
        };
        let EnvPlan { spec, env, is_protected, .. } = plan;
        let (host, path) = (&host.host, &host.path);
        let is_protected = *is_protected;
        out.write_json(&Object {
            spec,
            env,
            is_protected,
            host,
            path,
            state: state.word(),
            why,
            open,
            change,
        })?;
    }
    Ok(())
}

fn difference(change: &Change, diff: String) -> Difference {
    Difference {
        old_sha256: change.old.as_ref().map(|bytes| sum(bytes)),
        new_sha256: change.new.as_ref().map(|bytes| sum(bytes)),
        access: change.access.as_deref().map(hide),
        drift: change.drift.as_deref().map(hide),
        diff,
    }
}
