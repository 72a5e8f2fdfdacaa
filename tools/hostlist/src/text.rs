//! Hosts as a table.

use common::table::{self, Column};
use common::{Out, Result};
use hosts::Host;

use crate::csv;

const COLUMNS: [Column<'static>; 7] = [
    Column::Text("NAME"),
    Column::Text("ADDRESS"),
    Column::Number("PORT"),
    Column::Text("USER"),
    Column::Text("KEY"),
    Column::Text("JUMP"),
    Column::Text("TAGS"),
];

/// Writes a row for each host, with the columns that say something.
pub(crate) fn write(hosts: &[Host], out: &mut Out) -> Result<()> {
    let rows: Vec<Vec<String>> = hosts.iter().map(row).collect();
    table::write(&COLUMNS, &rows, out)
}

fn row(host: &Host) -> Vec<String> {
    let mut row = csv::fields(host, " ");
    row.push(tags(host));
    row
}

/// `env=prod role=db,web`
fn tags(host: &Host) -> String {
    let one =
        |values: &std::collections::BTreeSet<String>| values.iter().cloned().collect::<Vec<_>>().join(",");
    let tags: Vec<String> = host.tags.iter().map(|(key, values)| format!("{key}={}", one(values))).collect();
    tags.join(" ")
}
