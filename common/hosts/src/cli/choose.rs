//! Which of the known hosts are meant.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use common::{Error, Result, near, tool};

use crate::host::Host;
use crate::select::Selection;
use crate::shard::Shard;

/// Names that may be compared in search of slips: a list of thousands that the inventory does not know
/// is no slip, and each would be compared with each.
const COMPARED: usize = 1_000_000;

/// Refuses what was meant as something else.
///
/// # Errors
/// As it says.
pub(super) fn may_be_a_name(name: &str) -> Result<()> {
    if name.is_empty() {
        return Err(tool::usage("the name of a host is empty; is a variable of the shell not set?"));
    }
    if name.contains('/') && Path::new(name).is_file() {
        return Err(tool::usage(format!("`{name}` is a file and no host; an inventory is told with -H")));
    }
    Ok(())
}

/// The hosts that are told, each once: as the inventory knows them, with what was told beside the name.
pub(super) fn named(told: &[Host], known: &[Host]) -> Vec<Host> {
    let by_name: BTreeMap<String, &Host> =
        known.iter().rev().map(|host| (host.name.to_ascii_lowercase(), host)).collect();
    let mut seen = BTreeSet::new();
    let mut hosts = Vec::with_capacity(told.len());
    let (mut compared, mut others) = (0, 0);
    for host in told {
        let found = by_name.get(&host.name.to_ascii_lowercase());
        if found.is_none() && compared < COMPARED {
            compared += known.len();
            warn_of_a_slip(&host.name, known);
        } else if found.is_none() && !known.is_empty() {
            others += 1;
        }
        let mut chosen = found.map_or_else(|| host.clone(), |found| (*found).clone());
        chosen.user = host.user.clone().or(chosen.user);
        chosen.port = host.port.or(chosen.port);
        if seen.insert(chosen.name.clone()) {
            hosts.push(chosen);
        }
    }
    if others > 0 {
        log::warn!("{others} more names are not in the inventory and are taken as hosts");
    }
    hosts
}

/// A name that the inventory does not know may well be meant; one that is nearly known hardly is.
fn warn_of_a_slip(name: &str, known: &[Host]) {
    // `web7` beside `web1` to `web6` is another host, and no slip.
    let shape = |name: &str| {
        name.split(|letter: char| letter.is_ascii_digit()).map(str::to_owned).collect::<Vec<_>>()
    };
    let names = known.iter().map(|host| host.name.as_str()).filter(|other| shape(other) != shape(name));
    if let Some(near) = near::best(name, 1, names) {
        log::warn!("`{name}` is not in the inventory and is taken as a host; did you mean `{near}`?");
    }
}

/// The hosts that all of the selections mean.
pub(super) fn limited(mut hosts: Vec<Host>, known: &[Host], limits: &[Selection]) -> Result<Vec<Host>> {
    if limits.is_empty() {
        return Ok(hosts);
    }
    let count = hosts.len();
    // What was named beside the inventory is known too.
    let all = if known.is_empty() { &hosts } else { known };
    let mut told: Vec<String> = limits.iter().flat_map(|limit| limit.unmatched(all)).collect();
    let mut seen = BTreeSet::new();
    told.retain(|sentence| seen.insert(sentence.clone()));
    hosts.retain(|host| limits.iter().all(|limit| limit.matches(host)));
    // One fault is told once: what may have been meant stands behind what came of it.
    let hint = match (limits, &told[..]) {
        ([limit], [told]) if hosts.is_empty() => way_out(told, limit),
        _ => None,
    };
    let hint = hint.unwrap_or_default().to_owned();
    for sentence in told.iter().filter(|_| hint.is_empty()) {
        log::warn!("--limit {sentence}");
    }
    if hosts.is_empty() {
        let texts: Vec<String> = limits.iter().map(|limit| format!("`{}`", limit.text())).collect();
        let mean = if texts.len() == 1 { "means" } else { "together mean" };
        let of = if count == 1 { "the one host".into() } else { format!("the {count} hosts") };
        let what = format!("no host is selected: {} {mean} none of {of}{hint}", texts.join(" and "));
        return Err(Error::failed(what));
    }
    Ok(hosts)
}

/// What stands behind the term in a sentence of [`Selection::unmatched`], if it is of use, and the term is all
/// that there is of `limit`.
fn way_out<'t>(sentence: &'t str, limit: &Selection) -> Option<&'t str> {
    let rest = sentence.strip_prefix(&*format!("`{}`", limit.text()))?;
    rest.find(": none has ").or_else(|| rest.find("; ")).and_then(|at| rest.get(at..))
}

/// The part of the hosts that is this shard's.
pub(super) fn shard(mut hosts: Vec<Host>, shard: Option<Shard>) -> Result<Vec<Host>> {
    let Some(shard) = shard else { return Ok(hosts) };
    let (count, part) = (hosts.len(), shard.of(hosts.len()));
    if part.is_empty() {
        return Err(Error::failed(format!("shard {shard} has no host: there are only {count}")));
    }
    Ok(hosts.drain(part).collect())
}
