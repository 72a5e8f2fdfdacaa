//! What is deployed after what: specs by their `after`, environments by the order in which specs list them.

#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, BTreeSet};

use common::near::did_you_mean;
use common::{Error, Result};

use crate::spec::Spec;

/// How far a run goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Extent<'a> {
    /// To all environments.
    All,
    /// To those of these names.
    Only(&'a [String]),
    /// To this one, and those before it.
    Until(&'a str),
}

impl<'a> Extent<'a> {
    /// By `--env`, which none was given of, and `--until`.
    pub(crate) fn of(envs: &'a [String], until: Option<&'a str>) -> Self {
        match until {
            Some(until) => Self::Until(until),
            None if envs.is_empty() => Self::All,
            None => Self::Only(envs),
        }
    }
}

/// The places of `specs` in the order in which they are deployed: each behind those that its `after`
/// names, and otherwise as they are given. A name that is not among them is warned of, and ignored.
///
/// # Errors
/// When specs are after each other in a circle; the sentence has it.
pub(crate) fn order(specs: &[Spec]) -> Result<Vec<usize>> {
    let places: BTreeMap<&str, usize> =
        specs.iter().enumerate().map(|(at, spec)| (spec.name.as_str(), at)).collect();
    let mut before = vec![BTreeSet::new(); specs.len()];
    for (at, spec) in specs.iter().enumerate() {
        for name in &spec.after {
            match places.get(name.as_str()) {
                Some(place) => {
                    before[at].insert(*place);
                }
                None => log::warn!("{} is after `{name}`, which is not among the given specs", spec.name),
            }
        }
    }
    sorted(&before).map_err(|circle| {
        let names: Vec<&str> = circle.iter().map(|at| specs[*at].name.as_str()).collect();
        let circle = names.join(" -> ");
        Error::failed(format!("cannot order the specs: each of {circle} is `after` the next one; drop one"))
    })
}

/// What is to be deployed, one step after the other: the places of a spec and of one of its environments.
/// Environments are in the order in which specs list them, and within one the specs are as [`order`] has
/// them.
///
/// # Errors
/// When [`order`] finds none, when two specs list environments in contradicting orders, or when none of
/// `specs` has an environment that `extent` names.
pub(crate) fn steps(specs: &[Spec], extent: Extent<'_>) -> Result<Vec<(usize, usize)>> {
    let order = order(specs)?;
    let envs = environments(specs)?;
    let envs = chosen(&envs, extent)?;
    let mut steps = Vec::new();
    for env in envs {
        for &spec in &order {
            let at = specs[spec].environments.iter().position(|one| one.name == env);
            steps.extend(at.map(|at| (spec, at)));
        }
    }
    Ok(steps)
}

/// The names of all environments, in one order that is that of each spec.
fn environments(specs: &[Spec]) -> Result<Vec<&str>> {
    let mut names: Vec<&str> = Vec::new();
    for name in specs.iter().flat_map(|spec| spec.environments.iter().map(|env| env.name.as_str())) {
        if !names.contains(&name) {
            names.push(name);
        }
    }
    let place = |name: &str| names.iter().position(|one| *one == name).unwrap_or_default();
    let mut before = vec![BTreeSet::new(); names.len()];
    for pair in specs.iter().flat_map(|spec| spec.environments.windows(2)) {
        before[place(&pair[1].name)].insert(place(&pair[0].name));
    }
    let sorted = sorted(&before).map_err(|circle| {
        // Each step of the circle is a place and one before it, which some spec says.
        let says = |pair: &[usize]| said(specs, names[pair[1]], names[pair[0]]);
        let all: Vec<String> = circle.windows(2).filter_map(says).collect();
        let all = all.join(", and ");
        Error::failed(format!("cannot order the environments: {all}; list them alike"))
    })?;
    Ok(sorted.into_iter().map(|at| names[at]).collect())
}

/// Which spec lists `first` right before `second`.
fn said(specs: &[Spec], first: &str, second: &str) -> Option<String> {
    let is_pair = |spec: &&Spec| {
        spec.environments.windows(2).any(|pair| pair[0].name == first && pair[1].name == second)
    };
    let spec = specs.iter().find(is_pair)?;
    Some(format!("{} has {first} before {second}", spec.name))
}

fn chosen<'a>(envs: &[&'a str], extent: Extent<'_>) -> Result<Vec<&'a str>> {
    let place = |wanted: &str| {
        if wanted.is_empty() {
            return Err(Error::failed(
                "the name of the environment is empty; is a variable of the shell not set?",
            ));
        }
        envs.iter().position(|env| *env == wanted).ok_or_else(|| {
            let near = did_you_mean(wanted, envs.iter().copied());
            Error::failed(format!("no spec has an environment `{wanted}`{near}"))
        })
    };
    match extent {
        Extent::All => Ok(envs.to_vec()),
        Extent::Until(last) => Ok(envs.iter().take(place(last)? + 1).copied().collect()),
        Extent::Only(names) => {
            let places: BTreeSet<usize> = names.iter().map(|name| place(name)).collect::<Result<_>>()?;
            Ok(places.into_iter().map(|at| envs[at]).collect())
        }
    }
}

/// The places `0..before.len()`, each behind those that `before` has for it, and otherwise ascending; or
/// a circle: places each of which has the next one before it, the first of them at its end again.
fn sorted(before: &[BTreeSet<usize>]) -> std::result::Result<Vec<usize>, Vec<usize>> {
    let mut sorted = Vec::with_capacity(before.len());
    let mut left: BTreeSet<usize> = (0..before.len()).collect();
    while let Some(&first) = left.first() {
        let is_next = |at: &&usize| before[**at].iter().all(|other| !left.contains(other));
        let Some(&next) = left.iter().find(is_next) else { return Err(circle(before, &left, first)) };
        left.remove(&next);
        sorted.push(next);
    }
    Ok(sorted)
}

/// Each of `left` waits for another of them, so the way from `first` comes back to where it has been.
fn circle(before: &[BTreeSet<usize>], left: &BTreeSet<usize>, first: usize) -> Vec<usize> {
    let mut way = vec![first];
    while let Some(next) = way.last().and_then(|at| before[*at].iter().find(|one| left.contains(one))) {
        let been = way.iter().position(|at| at == next);
        way.push(*next);
        if let Some(start) = been {
            return way.split_off(start);
        }
    }
    way
}
