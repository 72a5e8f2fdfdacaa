//! What several parts of a spec must agree on.

use std::collections::BTreeMap;

use hosts::inventory::{Inventory, Source};
use specs::Table;

use super::{Environment, Spec};

/// Looks for what does not go together. `table` is the whole spec.
pub(super) fn check(spec: &Spec, table: &Table<'_>, has_inventory: bool) {
    if spec.after.contains(&spec.name) {
        table.fault(spec.lines.after, format!("`after` names `{}`, which is this spec", spec.name));
    }
    for (name, line) in &spec.lines.secrets {
        let tables = || spec.environments.iter().flat_map(Environment::tables);
        if spec.values.contains_key(name) || tables().any(|values| values.contains_key(name)) {
            table.fault(*line, format!("`{name}` is a value and a secret"));
        }
    }
    let mut known = BTreeMap::new();
    for (environment, line) in spec.environments.iter().zip(&spec.lines.environments) {
        if known.insert(environment.name.as_str(), *line).is_some() && !environment.name.is_empty() {
            table.fault(*line, format!("two environments are called `{}`", environment.name));
        }
    }
    times(spec, table);
    let mut all_good = true;
    for (line, names) in table.all_hosts() {
        if let Err(why) = spec.ssh.can_be_hosts(&names) {
            table.fault(line, format!("`hosts`: {why}"));
            all_good = false;
        }
    }
    if all_good && !has_inventory {
        let names: Vec<_> = spec.environments.iter().map(|environment| names(&environment.hosts)).collect();
        for (at, what) in strangers(spec, &names) {
            table.fault(at, what);
        }
    }
}

/// No command may take as long as the guard waits.
fn times(spec: &Spec, table: &Table<'_>) {
    let lines = &spec.lines;
    let remote = spec.validate.remote.as_ref().map(|remote| (lines.validate, "validate", remote.timeout));
    let reload = spec.reload.as_ref().map(|reload| (lines.reload, "reload", reload.timeout));
    let health = spec.health.iter().zip(&lines.health);
    let health = health.map(|(check, line)| (*line, "health", check.timeout));
    let all: Vec<_> = remote.into_iter().chain(reload).chain(health).collect();
    for environment in &spec.environments {
        let least = environment.strategy.confirm_within;
        for (line, key, time) in all.iter().filter(|(_, _, time)| *time >= least) {
            let what = format!(
                "`{key}.timeout` is {time:?}, and a host of `{}` goes back by itself after {least:?}: it has \
                 to be shorter than `strategy.confirm_within`",
                environment.name
            );
            table.fault(*line, what);
        }
    }
}

/// The hosts that `names` means without an inventory.
fn names(names: &[String]) -> Vec<String> {
    let inventory = Inventory::read(&[Source::Names(names.to_vec())], None).unwrap_or_default();
    inventory.hosts.into_iter().map(|host| host.name).collect()
}

/// What is wrong with `hosts`, the names of those of each environment: one that is in two of them, and
/// values for one that is in none; each with its line.
pub(crate) fn strangers(spec: &Spec, hosts: &[Vec<String>]) -> Vec<(usize, String)> {
    let mut found = Vec::new();
    let mut homes: BTreeMap<&str, &str> = BTreeMap::new();
    let all = spec.environments.iter().zip(&spec.lines.environments).zip(hosts);
    for ((environment, line), hosts) in all {
        for host in hosts {
            match homes.insert(host, &environment.name) {
                Some(home) if home != environment.name => found.push((
                    *line,
                    format!(
                        "{host} is in `{home}` and in `{}`; a host has one environment of a spec",
                        environment.name
                    ),
                )),
                _ => {}
            }
        }
        for name in environment.host_values.keys().filter(|name| !hosts.contains(name)) {
            let hint = common::near::did_you_mean(name, hosts.iter().map(String::as_str));
            found.push((
                *line,
                format!("`host_values.{name}`: `{}` has no such host{hint}", environment.name),
            ));
        }
    }
    found
}
