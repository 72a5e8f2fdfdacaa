//! Events instead of commands: one JSON object a line.

use chrono::SecondsFormat;
use common::Result;
use serde::Serialize;

use crate::json::{PathText, print_object, utc};
use crate::keeper::{Keeper, Taken};
use crate::ledger::{Entry, State};

/// A file as it is told.
#[derive(Debug, Serialize)]
struct Event<'a> {
    #[serde(flatten)]
    path: PathText<'a>,
    id: String,
    attempt: u32,
    size_bytes: u64,
    modified: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    hash: Option<&'a str>,
}

impl Keeper<'_> {
    /// Prints files, and records them as done once the reader has them.
    pub(super) fn print(&mut self, taken: &[Taken]) -> Result<()> {
        let told = taken.iter().try_for_each(|one| print_object(&event(one), self.out));
        let told = told.and_then(|()| self.out.flush());
        let at = self.wall();
        if let Err(error) = told {
            // The reader has gone. The next one is told, and that is no other attempt.
            let untold = |one: &Taken| {
                let attempt = one.entry.attempt.saturating_sub(1);
                Entry { state: State::Retry, attempt, at, due: at, ..one.entry.clone() }
            };
            self.record(&taken.iter().map(untold).collect::<Vec<_>>())?;
            return Err(error);
        }
        let done = |one: &Taken| Entry { state: State::Done, at, ..one.entry.clone() };
        self.record(&taken.iter().map(done).collect::<Vec<_>>())?;
        self.numbers.done += taken.len() as u64;
        Ok(())
    }
}

fn event(taken: &Taken) -> Event<'_> {
    Event {
        path: PathText::of(&taken.path),
        id: taken.entry.key.to_string(),
        attempt: taken.entry.attempt,
        size_bytes: taken.entry.size,
        modified: utc(taken.entry.modified, 1_000_000_000, SecondsFormat::Nanos),
        hash: taken.hash.as_deref(),
    }
}
