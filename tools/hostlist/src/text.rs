//! Hosts as a table.

use common::{Out, Result};
use hosts::Host;

use crate::table::{self, Column};

const COLUMNS: [Column<'static>; 7] = [
    ("NAME", false),
    ("ADDRESS", false),
    ("PORT", true),
    ("USER", false),
    ("KEY", false),
    ("JUMP", false),
    ("TAGS", false),
];

/// Writes a row for each host, with the columns that say something.
pub(crate) fn write(hosts: &[Host], out: &mut Out) -> Result<()> {
    let rows: Vec<Vec<String>> = hosts.iter().map(row).collect();
    table::write(&COLUMNS, &rows, out)
}

fn row(host: &Host) -> Vec<String> {
    let keys: Vec<String> = host.keys.iter().map(|key| key.display().to_string()).collect();
    vec![
        host.name.clone(),
        host.address.clone().unwrap_or_default(),
        host.port.map(|port| port.to_string()).unwrap_or_default(),
        host.user.clone().unwrap_or_default(),
        keys.join(" "),
        host.jump.clone().unwrap_or_default(),
        tags(host),
    ]
}

/// `env=prod role=db,web`
fn tags(host: &Host) -> String {
    let one =
        |values: &std::collections::BTreeSet<String>| values.iter().cloned().collect::<Vec<_>>().join(",");
    let tags: Vec<String> = host.tags.iter().map(|(key, values)| format!("{key}={}", one(values))).collect();
    tags.join(" ")
}
