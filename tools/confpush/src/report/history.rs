//! Who deployed what, when, and what came of it.

use common::{Out, Outcome, Result};
use serde::Serialize;

use super::fold::fold;
use super::{Form, Word, short, table};
use crate::audit::{HostRecord, Record};

/// Prints the records, the oldest first: to people a line for each, to programs as they are.
///
/// # Errors
/// When it cannot be printed.
pub(crate) fn history(out: &mut Out, form: Form, records: &[Record]) -> Result<Outcome> {
    if form == Form::Json {
        records.iter().try_for_each(|record| out.write_json(record))?;
    } else if !records.is_empty() {
        let rows: Vec<Vec<String>> = records.iter().map(row).collect();
        let titles =
            ["TIME", "WHO", "SPEC", "ENV", "ACTION", "OUTCOME", "VERSION", "DEPLOYMENT", "HOSTS", "WHY"];
        table(out, &titles, &rows)?;
    }
    Ok(Outcome::Done)
}

fn row(record: &Record) -> Vec<String> {
    let deed = &record.deed;
    vec![
        record.time.clone(),
        format!("{}@{}", record.who, record.host),
        deed.spec.clone(),
        deed.env.clone(),
        word(&deed.action),
        word(&deed.outcome),
        short(&deed.version).to_owned(),
        deed.id.clone(),
        counted(&deed.hosts),
        deed.why.clone().unwrap_or_default(),
    ]
}

/// The word that the log has for it, as people write it.
fn word(value: &impl Serialize) -> String {
    let value = serde_json::to_value(value).unwrap_or_default();
    value.as_str().unwrap_or_default().replace('_', " ")
}

/// `3 done, 1 down`.
fn counted(hosts: &[HostRecord]) -> String {
    let all = fold(hosts, |host| host.outcome);
    let told = |(outcome, those): &(Word, Vec<_>)| format!("{} {}", those.len(), word(outcome));
    all.iter().map(told).collect::<Vec<_>>().join(", ")
}
