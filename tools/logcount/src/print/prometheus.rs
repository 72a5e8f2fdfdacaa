//! The text exposition of Prometheus, for the textfile collector of `node_exporter`.

use std::os::unix::ffi::OsStrExt;
use std::path::Path;

use common::Result;
use common::prometheus::label_value;

use super::{Group, Key, Look, Put, Report};
use crate::tally::Cell;

/// Writes all samples of a metric together, as the format wants it.
pub(super) fn write(report: &Report<'_>, look: &Look<'_>, put: &mut Put<'_>) -> Result<()> {
    let what = if look.plan.raw { "word" } else { "level" };
    let mut metric = |name: &str, help: &str, value: fn(&Cell) -> u64| -> Result<()> {
        let (name, sort) =
            if report.is_cumulative { (format!("{name}_total"), "counter") } else { (name.into(), "gauge") };
        put(format!("# HELP {name} {help} by {what}.\n# TYPE {name} {sort}\n").as_bytes())?;
        report.groups.each(|group| put(samples(group, look, &name, what, value).as_bytes()))
    };
    metric("log_records", "Log records", |cell| cell.records)?;
    if look.plan.lines {
        metric("log_lines", "Lines of log records", |cell| cell.lines)?;
    }
    Ok(())
}

fn samples(group: &Group, look: &Look<'_>, name: &str, what: &str, value: fn(&Cell) -> u64) -> String {
    let file = match &group.key {
        Key::File(path) => format!("file=\"{}\",", label_value(&spelled(path))),
        _ => String::new(),
    };
    let sample = |(label, cell): (&[u8], Cell)| {
        let label = String::from_utf8_lossy(label);
        // In lower case, as the metrics that logging libraries export have it.
        let label = if look.plan.raw { label.into_owned() } else { label.to_lowercase() };
        format!("{name}{{{file}{what}=\"{}\"}} {}\n", label_value(&label), value(&cell))
    };
    group.cells.rows().into_iter().map(sample).collect()
}

/// A path as text. Bytes that are no UTF-8 are told apart, or two files would have one sample.
fn spelled(path: &Path) -> String {
    let mut text = String::new();
    for chunk in path.as_os_str().as_bytes().utf8_chunks() {
        text.push_str(chunk.valid());
        text.extend(chunk.invalid().iter().map(|byte| format!("\\x{byte:02x}")));
    }
    text
}
