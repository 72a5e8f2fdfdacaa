//! One object, or an object per line for each group.

use common::Result;

use super::{Group, Groups, Key, Look, Put};

/// Writes one line for each group.
pub(super) fn write(groups: &Groups<'_>, look: &Look<'_>, put: &mut Put<'_>) -> Result<()> {
    groups.each(|group| put(line(group, look).as_bytes()))
}

fn line(group: &Group, look: &Look<'_>) -> String {
    let mut fields = Vec::new();
    fields.extend(look.time.map(|time| format!("\"time\":{}", quoted(time))));
    if group.key != Key::All {
        let name = look.name(&group.key).map_or_else(|| "null".into(), |name| quoted(&name));
        fields.push(format!("\"{}\":{name}", look.plan.by.name()));
    }
    let rows = group.cells.rows();
    let field = |name: &[u8], count: u64| format!("{}:{count}", quoted(&String::from_utf8_lossy(name)));
    fields.extend(rows.iter().map(|(name, cell)| field(name, cell.records)));
    if look.plan.lines {
        let lines: Vec<String> = rows.iter().map(|(name, cell)| field(name, cell.lines)).collect();
        fields.push(format!("\"lines\":{{{}}}", lines.join(",")));
    }
    format!("{{{}}}\n", fields.join(","))
}

/// A JSON string.
pub(crate) fn quoted(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}
