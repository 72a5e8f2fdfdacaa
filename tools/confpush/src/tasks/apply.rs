//! `apply` and `rollback`.

use std::collections::{BTreeMap, BTreeSet};

use common::{Error, Out, Outcome, Result};

use super::campaign::Campaign;
use super::gates::{self, Keys};
use super::intent::{self, Intent};
use super::route::{Leg, Route};
use super::site::{Cargo, Pool, Site};
use super::{Desk, id, plan, told};
use crate::audit::{self, Action, Deed, HostRecord};
use crate::cli::{Apply, Plan, Rollback};
use crate::report::Word;
use crate::status::some;
use crate::validate::{Claims, Judge};

/// `apply`.
///
/// # Errors
/// When a spec has faults, or what it makes has; no host was asked then. When the output cannot be written.
pub(crate) fn apply(desk: &Desk, apply: &Apply, out: &mut Out) -> Result<Outcome> {
    if apply.dry_run {
        let which = apply.which.clone();
        return plan::until(desk, &Plan { which, check: false }, apply.until.as_deref(), out);
    }
    let route = Route::of(&apply.which, apply.until.as_deref())?;
    let cargo = judged(&route)?;
    let keys = Keys { leave: &apply.leave, confirmed: Some(&apply.confirm), in_order: true };
    campaign(desk, &route, (Intent::Apply, keys))?.go(&cargo, out)
}

/// `rollback`.
///
/// # Errors
/// When a spec has faults; when a host has nothing to go back to, and nothing was changed then. When the
/// output cannot be written.
pub(crate) fn rollback(desk: &Desk, rollback: &Rollback, out: &mut Out) -> Result<Outcome> {
    let route = Route::of(&rollback.which, None)?;
    let cargo = route.legs.iter().map(|leg| Cargo::make(&route, leg)).collect::<Result<Vec<_>>>()?;
    let intent = Intent::Rollback(rollback.to.as_deref());
    let keys = Keys { leave: &rollback.leave, confirmed: None, in_order: false };
    let campaign = campaign(desk, &route, (intent, keys))?;
    let seen = can_go_back(&campaign, &cargo)?;
    // What one environment has to be asked for is asked before the first one is touched: who then says it, and
    // comes again, means all of them.
    if seen.iter().any(|(_, shut)| shut.is_some()) {
        return campaign.refuse(&cargo, seen, out);
    }
    campaign.go(&cargo, out)
}

fn campaign<'a>(
    desk: &'a Desk,
    route: &'a Route,
    (intent, keys): (Intent<'a>, Keys<'a>),
) -> Result<Campaign<'a>> {
    let most = route.legs.iter().map(|leg| leg.targets.len()).max().unwrap_or_default();
    let (log, pool) = (desk.log()?, Pool::new(desk.jobs, most)?);
    Ok(Campaign { desk, route, intent, keys, log, pool })
}

/// What all hosts of all environments are to have, judged here: before the first host is asked everything
/// is known that can be known without one.
///
/// # Errors
/// All faults of what is made.
pub(crate) fn judged(route: &Route) -> Result<Vec<Cargo>> {
    let mut judges: Vec<Judge<'_>> = route.specs.iter().map(Judge::of).collect();
    let (mut all, mut faults, mut claims) = (Vec::new(), BTreeSet::new(), Claims::default());
    for leg in &route.legs {
        let cargo = Cargo::make(route, leg)?;
        let judge = &mut judges[leg.spec];
        for (target, made) in leg.targets.iter().zip(cargo.made()) {
            faults.extend(claims.claim(route.spec(leg), target, &made.path));
            faults.extend(judge.judge(made, &target.name).err());
        }
        all.push(cargo);
    }
    let faults: Vec<String> = faults.iter().map(ToString::to_string).collect();
    match &faults[..] {
        [] => Ok(all),
        [one] => Err(Error::failed(one)),
        more => Err(Error::failed(format!("what is made has {} faults", more.len())).showing(faults)),
    }
}

/// Why nobody can tell which deployment of the environment was the last one: by the audit log it is on hosts
/// that are down, and on no other.
///
/// # Errors
/// When the log cannot be read.
fn out_of_sight(
    campaign: &Campaign<'_>,
    leg: &Leg,
    sites: &[Site],
    last: Option<&str>,
) -> Result<Option<String>> {
    let down: Vec<&str> = sites.iter().filter(|site| site.is_down()).map(Site::name).collect();
    if down.is_empty() || down.len() == sites.len() {
        return Ok(None);
    }
    let (place, log) = (campaign.route.place(leg), &campaign.log);
    let (spec, env) = (&campaign.route.spec(leg).name, &campaign.route.env(leg).name);
    let told = audit::read(log.folder())?;
    let told = told.iter().map(|record| &record.deed).filter(|deed| deed.spec == *spec && deed.env == *env);
    let Some((id, hosts)) = newest(told, &down).filter(|(id, _)| Some(*id) > last) else {
        let down = down.join(", ");
        log::warn!(
            "{place}: which deployment was the last one is told by hosts in reach and by {}; not asked: {down}",
            log.path().display()
        );
        return Ok(None);
    };
    let hosts = hosts.join(", ");
    Ok(Some(format!(
        "{place}: the last deployment is {id}, and only on {hosts}, out of reach; wait for that, or say by --to \
         which one is to be back"
    )))
}

/// The newest of `deeds` that any of `hosts` has, with those that have it.
fn newest<'a>(deeds: impl Iterator<Item = &'a Deed>, hosts: &[&str]) -> Option<(&'a str, Vec<&'a str>)> {
    let of_deed = |deed: &'a Deed| {
        let has = |host: &&HostRecord| host.outcome == Word::Done && hosts.contains(&host.host.as_str());
        let have: Vec<&str> = deed.hosts.iter().filter(has).map(|host| host.host.as_str()).collect();
        (!have.is_empty() && deed.action != Action::Settle).then_some((deed.id.as_str(), have))
    };
    deeds.filter_map(of_deed).max_by_key(|(id, _)| *id)
}

/// That every host in reach keeps what it is to go back to, and that nobody is at one: who is may be about to
/// change what is kept. Of each environment its hosts, and why the gate before it is shut.
fn can_go_back(campaign: &Campaign<'_>, cargo: &[Cargo]) -> Result<Vec<(Vec<Site>, Option<String>)>> {
    let (mut all, mut lacks) = (Vec::new(), Vec::new());
    let mut cannot: BTreeMap<String, Vec<String>> = BTreeMap::new();
    let (route, pool) = (campaign.route, &campaign.pool);
    for (leg, cargo) in route.legs.iter().zip(cargo) {
        let mut sites = cargo.sites(route, leg);
        pool.look(&mut sites);
        let place = route.place(leg);
        if let Err(busy) = told::nobody_is_at_it(&sites) {
            return Err(Error::retry(format!("{place}: {}", busy.why)));
        }
        let last = intent::last(&sites);
        if campaign.intent == Intent::Rollback(None) {
            lacks.extend(out_of_sight(campaign, leg, &sites, last.as_deref())?);
            if let Some(last) = last.as_deref().filter(|last| id::is_rollback(last)) {
                cannot.entry(intent::no_further(&sites, last)).or_default().push(place);
                continue;
            }
        }
        let mut changes = false;
        let mut those: BTreeMap<String, Vec<&str>> = BTreeMap::new();
        for (site, seen) in sites.iter().filter_map(|site| Some((site, site.seen()?))) {
            match campaign.intent.want(site, (seen, last.as_deref()), &cargo.version) {
                Ok(want) => changes |= want.is_some() || site.is_left(),
                Err(why) => those.entry(why).or_default().push(site.name()),
            }
        }
        for (why, hosts) in those {
            cannot.entry(why).or_default().push(format!("{place} ({})", some(&hosts)));
        }
        let shut = changes.then(|| gates::shut((route, leg), &campaign.keys, None, pool)).transpose()?;
        all.push((sites, shut.flatten()));
    }
    // What many hosts lack is told once.
    lacks.extend(cannot.iter().map(|(why, places)| format!("{}: {why}", places.join(", "))));
    if lacks.is_empty() {
        return Ok(all);
    }
    Err(Error::failed(format!("cannot roll back, and nothing was changed: {}", lacks.join("; "))))
}
