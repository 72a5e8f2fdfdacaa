//! How many hosts have which values of some tags.

use std::collections::{BTreeMap, BTreeSet};

use common::table::{self, Column};
use common::{Out, Result, near, tool};
use hosts::Host;

use crate::cli::Format;
use crate::{csv, json};

/// Values in the order of the keys; `None` where a host has no such tag.
type Values<'a> = Vec<Option<&'a str>>;

/// What a host without the tag has, in a table.
const NONE: &str = "(none)";

/// Writes the counts. A host with several values of a key counts for each; the total counts it once.
pub(crate) fn write(hosts: &[Host], keys: &[String], format: Format, out: &mut Out) -> Result<()> {
    warn_of_unknown(hosts, keys);
    let counts = counts(hosts, keys);
    match format {
        Format::Json => counts.iter().try_for_each(|(values, count)| {
            let values = keys.iter().zip(values).map(|(key, value)| (key.as_str(), (*value).into()));
            let fields: Vec<_> = values.chain([("hosts", (*count).into())]).collect();
            writeln!(out, "{}", json::object(&fields))
        }),
        Format::Csv => {
            let titles = keys.iter().map(String::as_str).chain(["hosts"]);
            csv::line(titles, out)?;
            counts.iter().try_for_each(|(values, count)| {
                let count = count.to_string();
                csv::line(values.iter().map(|value| value.unwrap_or_default()).chain([count.as_str()]), out)
            })
        }
        Format::Text => text(&counts, hosts.len(), keys, out),
        Format::SshConfig | Format::Names => {
            Err(tool::usage("cannot show counts in this format; say text, json or csv"))
        }
    }
}

/// A count by what no host has says nothing, and is mostly a slip.
fn warn_of_unknown(hosts: &[Host], keys: &[String]) {
    let known: BTreeSet<&str> = hosts.iter().flat_map(|host| host.tags.keys()).map(String::as_str).collect();
    for key in keys.iter().filter(|key| !known.contains(key.as_str())) {
        let near = near::did_you_mean(key, known.iter().copied());
        log::warn!("no host has a tag `{key}`{near}");
    }
}

fn text(counts: &BTreeMap<Values<'_>, usize>, total: usize, keys: &[String], out: &mut Out) -> Result<()> {
    let titles: Vec<String> = keys.iter().map(|key| common::log::escape(key).to_uppercase()).collect();
    let mut columns: Vec<Column<'_>> = titles.iter().map(|title| Column::Text(title)).collect();
    columns.push(Column::Number("HOSTS"));
    let row = |(values, count): (&Values<'_>, &usize)| {
        let values = values.iter().map(|value| value.unwrap_or(NONE).to_owned());
        values.chain([count.to_string()]).collect()
    };
    let mut rows: Vec<Vec<String>> = counts.iter().map(row).collect();
    let blanks = keys.iter().skip(1).map(|_| String::new());
    rows.push(["total".to_owned()].into_iter().chain(blanks).chain([total.to_string()]).collect());
    table::write(&columns, &rows, out)
}

fn counts<'a>(hosts: &'a [Host], keys: &[String]) -> BTreeMap<Values<'a>, usize> {
    let mut counts = BTreeMap::new();
    for host in hosts {
        let mut rows: Vec<Values<'a>> = vec![Vec::new()];
        for key in keys {
            let values: Values<'a> = match host.tags.get(key.as_str()) {
                Some(values) if !values.is_empty() => {
                    values.iter().map(|value| Some(value.as_str())).collect()
                }
                _ => vec![None],
            };
            let with = |row: &Values<'a>| {
                let row = row.clone();
                values.iter().map(move |value| [row.clone(), vec![*value]].concat()).collect::<Vec<_>>()
            };
            rows = rows.iter().flat_map(with).collect();
        }
        for row in rows {
            *counts.entry(row).or_default() += 1;
        }
    }
    counts
}
