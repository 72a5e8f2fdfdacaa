//! Hosts as RFC 4180 with a header, which are an inventory again.

use std::collections::BTreeSet;

use common::{Out, Result};
use hosts::Host;

/// The columns that are no tags.
const COLUMNS: [&str; 6] = ["name", "address", "port", "user", "key", "jump"];

/// What inventories read as fields: a tag with such a name stands in the column `tags`.
const TAKEN: [&str; 3] = ["keys", "tags", ""];

/// Writes a line for each host: its fields, then a column for each tag. Several keys, and several values
/// of a tag, are separated by semicolons.
pub(crate) fn write(hosts: &[Host], out: &mut Out) -> Result<()> {
    let keys: BTreeSet<&str> =
        hosts.iter().flat_map(|host| &host.tags).map(|(key, _)| key.as_str()).collect();
    let (taken, tags): (Vec<&str>, Vec<&str>) =
        keys.into_iter().partition(|key| COLUMNS.contains(key) || TAKEN.contains(key));
    let more = if taken.is_empty() { None } else { Some("tags") };
    line(COLUMNS.into_iter().chain(tags.iter().copied()).chain(more), out)?;
    hosts.iter().try_for_each(|host| {
        let mut fields = fields(host, ";");
        fields.extend(tags.iter().map(|key| values(host, key).join(";")));
        let pairs = |key: &&str| {
            values(host, key).into_iter().map(|value| format!("{key}={value}")).collect::<Vec<_>>()
        };
        if more.is_some() {
            fields.push(taken.iter().flat_map(pairs).collect::<Vec<_>>().join(";"));
        }
        line(fields.iter().map(String::as_str), out)
    })
}

/// What is told of a host besides its tags, in the order of [`COLUMNS`]; several keys are joined.
pub(crate) fn fields(host: &Host, between_keys: &str) -> Vec<String> {
    let keys: Vec<String> = host.keys.iter().map(|key| key.display().to_string()).collect();
    vec![
        host.name.clone(),
        host.address.clone().unwrap_or_default(),
        host.port.map(|port| port.to_string()).unwrap_or_default(),
        host.user.clone().unwrap_or_default(),
        keys.join(between_keys),
        host.jump.clone().unwrap_or_default(),
    ]
}

fn values(host: &Host, key: &str) -> Vec<String> {
    host.tags.get(key).into_iter().flatten().cloned().collect()
}

/// Writes the fields of one line, in quotes where they need them: as they are for programs, harmless
/// for a terminal.
pub(crate) fn line<'f>(fields: impl Iterator<Item = &'f str>, out: &mut Out) -> Result<()> {
    let is_terminal = out.is_terminal();
    let safe = |field: &str| if is_terminal { common::log::escape(field) } else { field.to_owned() };
    let fields: Vec<String> = fields.map(|field| escaped(&safe(field))).collect();
    writeln!(out, "{}", fields.join(","))
}

fn escaped(field: &str) -> String {
    if field.contains(['"', ',', '\n', '\r']) {
        format!("\"{}\"", field.replace('"', "\"\""))
    } else {
        field.to_owned()
    }
}
