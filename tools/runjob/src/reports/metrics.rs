//! `--metrics FILE`: the same for Prometheus, as `node_exporter`'s textfile collector reads it.
//!
//! Every number carries the label `name`: the collector refuses two files with the same names and labels. All of them
//! are gauges: each file is about the last run, and nothing here counts over a restart of anything.

use std::fmt::Write as _;

use common::prometheus::label_value;

use super::History;
use super::status::Record;

const SUCCESS: &str = "runjob_last_success_timestamp_seconds";
const FAILURES: &str = "runjob_consecutive_failures";

/// The text format of Prometheus, version 0.0.4. The time of the last success is left out while there
/// is none.
pub(super) fn text(record: &Record) -> String {
    let label = label_value(&record.name);
    let mut text = String::with_capacity(2048);
    let mut add = |name: &str, help: &str, value: String| {
        let _strings_never_refuse =
            write!(text, "# HELP {name} {help}\n# TYPE {name} gauge\n{name}{{name=\"{label}\"}} {value}\n");
    };
    if let Some(time) = record.success_at {
        add(SUCCESS, "When a run last succeeded.", thousandths(time));
    }
    add(FAILURES, "Runs that have failed since then.", record.consecutive_failures.to_string());
    add("runjob_last_run_timestamp_seconds", "When the last run ended.", thousandths(record.ended_at));
    add("runjob_last_run_status", "Its exit status.", record.status.to_string());
    add("runjob_last_run_duration_seconds", "How long it took.", thousandths(record.elapsed_ms));
    add("runjob_last_run_attempts", "How many attempts it made.", record.attempts.to_string());
    add("runjob_last_run_peak_bytes", "The memory of its largest process.", record.peak_bytes.to_string());
    let cpu = record.cpu_user_ms.saturating_add(record.cpu_system_ms);
    add("runjob_last_run_cpu_seconds", "The CPU time of all of its processes.", thousandths(cpu));
    text
}

/// What the numbers say of the runs before the next one; nothing when they are those of another job,
/// or none.
pub(super) fn history(bytes: &[u8], name: &str) -> Option<History> {
    let text = std::str::from_utf8(bytes).ok()?;
    let label = label_value(name);
    let value = |number: &str| {
        let prefix = format!("{number}{{name=\"{label}\"}} ");
        text.lines().find_map(|line| line.strip_prefix(&prefix))
    };
    let success = value(SUCCESS).and_then(in_thousandths);
    Some(History { failures: value(FAILURES)?.parse().ok()?, success })
}

/// Thousandths as a number with a point.
fn thousandths(number: impl TryInto<i64>) -> String {
    let number = number.try_into().unwrap_or(i64::MAX);
    format!("{}.{:03}", number.div_euclid(1000), number.rem_euclid(1000))
}

/// And back.
fn in_thousandths(text: &str) -> Option<i64> {
    let (whole, part) = text.split_once('.')?;
    let part = (part.len() == 3).then(|| part.parse::<i64>().ok())??;
    whole.parse::<i64>().ok()?.checked_mul(1000)?.checked_add(part)
}
