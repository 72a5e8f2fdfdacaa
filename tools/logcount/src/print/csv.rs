//! RFC 4180 with a header, a row for each group and level.

use common::Result;

use super::{Group, Groups, Key, Look, Put};

/// Writes the header and the rows.
pub(super) fn write(groups: &Groups<'_>, look: &Look<'_>, put: &mut Put<'_>) -> Result<()> {
    if !look.goes_on {
        put(header(look).as_bytes())?;
    }
    groups.each(|group| put(rows(group, look).as_bytes()))
}

fn header(look: &Look<'_>) -> String {
    let group = look.plan.by.name();
    let what = if look.plan.raw { "word" } else { "level" };
    let lines = if look.plan.lines { ",lines" } else { "" };
    let time = if look.time.is_some() { "time," } else { "" };
    format!("{time}{group}{}{what},records{lines}\n", if group.is_empty() { "" } else { "," })
}

fn rows(group: &Group, look: &Look<'_>) -> String {
    let key = match group.key {
        Key::All => String::new(),
        _ => format!("{},", escaped(&look.name(&group.key).unwrap_or_default())),
    };
    let key = look.time.map(|time| format!("{time},{key}")).unwrap_or(key);
    let row = |(name, cell): (&[u8], crate::tally::Cell)| {
        let lines = if look.plan.lines { format!(",{}", cell.lines) } else { String::new() };
        format!("{key}{},{}{lines}\n", escaped(&String::from_utf8_lossy(name)), cell.records)
    };
    group.cells.rows().into_iter().map(row).collect()
}

/// A field, in quotes where it needs them.
pub(crate) fn escaped(text: &str) -> String {
    if text.contains(['"', ',', '\n', '\r']) {
        format!("\"{}\"", text.replace('"', "\"\""))
    } else {
        text.into()
    }
}
