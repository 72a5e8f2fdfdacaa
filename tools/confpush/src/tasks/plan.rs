//! `plan`: what would change, and where.

use std::collections::BTreeMap;

use common::answer::Answer;
use common::{Out, Outcome, Result};
use zeroize::Zeroizing;

use super::apply::judged;
use super::route::{Leg, Route};
use super::site::{Pool, Site};
use super::{Desk, told};
use crate::cli::Plan;
use crate::report::{self, Change, EnvPlan, Form, HostPlan, HostState};
use crate::station::Seen;
use crate::status;

/// The bytes of files by their SHA-256.
type Files = BTreeMap<String, Zeroizing<Vec<u8>>>;

/// `plan`.
///
/// # Errors
/// When a spec has faults, or what it makes has; when it would fail on a host, or somebody is at it there.
pub(crate) fn plan(desk: &Desk, plan: &Plan, out: &mut Out) -> Result<Outcome> {
    until(desk, plan, None, out)
}

/// The same, for no environment behind `until`.
///
/// # Errors
/// As [`plan`].
pub(crate) fn until(desk: &Desk, plan: &Plan, until: Option<&str>, out: &mut Out) -> Result<Outcome> {
    let route = Route::of(&plan.which, until)?;
    let cargo = judged(&route)?;
    // All hosts of all environments at once: one that is down costs its time once for all.
    let mut sites: Vec<Site> = Vec::new();
    for (leg, cargo) in route.legs.iter().zip(&cargo) {
        sites.extend(cargo.sites(&route, leg));
    }
    let pool = Pool::new(desk.jobs, sites.len())?;
    pool.look(&mut sites);
    let mut rest = sites.as_mut_slice();
    for leg in &route.legs {
        let (those, others) = rest.split_at_mut(leg.targets.len());
        route.sift(leg, those)?;
        rest = others;
    }
    let files = pool.fetch(&mut sites);
    let mut sites = sites.into_iter();
    let plans: Vec<EnvPlan> = route
        .legs
        .iter()
        .map(|leg| {
            let hosts = sites.by_ref().take(leg.targets.len());
            of_environment(&route, leg, hosts.map(|site| of_host(&site, &files)).collect())
        })
        .collect();
    // Who looks every hour wants to hear of what differs. Programs get what they always get.
    let is_told = |plan: &&EnvPlan| !desk.is_quiet || desk.form == Form::Json || !plan.changes_nothing();
    report::plan(out, desk.form, plans.iter().filter(is_told))?;
    status::of_plan(&plans, plan.check)
}

fn of_environment(route: &Route, leg: &Leg, hosts: Vec<HostPlan>) -> EnvPlan {
    let env = route.env(leg);
    EnvPlan {
        spec: route.spec(leg).name.clone(),
        env: env.name.clone(),
        is_protected: env.is_protected,
        hosts,
    }
}

fn of_host(site: &Site, files: &Files) -> HostPlan {
    let state = match &site.seen {
        Answer::Yes(seen) => state(site, seen, files),
        Answer::No(why) => HostState::Faulty(why.clone()),
        Answer::Unknown(why) => HostState::Down(why.clone()),
    };
    HostPlan { host: site.name().to_owned(), path: site.made.path.clone(), state }
}

fn state(site: &Site, seen: &Seen, files: &Files) -> HostState {
    if let Some(open) = &seen.open {
        let open = open.clone();
        return if open.is_guarded { HostState::Busy(open) } else { HostState::Unsettled(open) };
    }
    match &seen.rival {
        Some(rival) if rival.open.is_guarded => return HostState::Busy(rival.open.clone()),
        Some(rival) => return HostState::Faulty(told::left_by(rival)),
        None => {}
    }
    if let Some(left) = seen.left.first() {
        return HostState::Unsettled(left.open.clone());
    }
    if site.is_as_made() {
        return HostState::Same;
    }
    // Where the content is as it is to be nothing was fetched.
    let old = seen.live.as_ref().map(|live| files.get(&live.sha256).unwrap_or(&site.made.bytes).clone());
    let drift = seen.current().filter(|_| seen.has_drifted());
    HostState::Changes(Box::new(Change {
        old,
        new: Some(site.made.bytes.clone()),
        secret_lines: site.made.secret_lines.clone(),
        access: seen.wants.clone(),
        drift: drift.map(|kept| format!("{} at {}", kept.who, kept.time)),
    }))
}
