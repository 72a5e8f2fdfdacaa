//! `--on-event CMD`: a person is told when a run fails, and when one succeeds again.

use serde::Serialize;

use super::History;
use super::status::Record;

/// What a person is told.
#[derive(Debug, Serialize)]
struct Event<'a> {
    event: &'static str,
    #[serde(flatten)]
    record: &'a Record,
}

/// Has `command` told about the run of `record`, unless it is one more that succeeded.
pub(super) fn tell(command: &str, record: &Record, before: History) {
    if let Some(event) = kind(record, before) {
        process::event::tell(&record.name, command, &Event { event, record });
    }
}

/// That a run has failed is told each time; how often in a row is in the record.
fn kind(record: &Record, before: History) -> Option<&'static str> {
    match (record.consecutive_failures, before.failures) {
        (0, 0) => None,
        (0, _) => Some("recovered"),
        (_, _) => Some("failed"),
    }
}
