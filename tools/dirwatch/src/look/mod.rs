//! Looking at a ledger, and changing it by hand, while a watcher runs or not.

mod change;
mod list;
mod mounts;
mod pattern;
mod present;
mod prune;
mod show;
mod status;
mod verify;

use common::{Out, Outcome, Result};

use crate::ledger::store::Store;
use crate::plan::{Look, Question};

/// Answers the question, or does what it asks for. [`Outcome::No`] when nothing matched or, for
/// [`Question::Verify`], something is wrong; [`Outcome::Partial`] when something was left as it is,
/// which was then said.
///
/// # Errors
/// When there is no ledger, it cannot be read or written, or what is found cannot be printed.
pub(crate) fn run(look: &Look, out: &mut Out) -> Result<Outcome> {
    let state = &look.state;
    match &look.question {
        Question::List(which) => list::list(&Store::open_existing(state)?, *which, look.json, out),
        Question::Status => status::status(&Store::open_existing(state)?, look.json, out),
        Question::Retry(pattern) => change::retry(state, pattern),
        Question::Forget(pattern) => change::forget(state, pattern),
        Question::Prune(age) => prune::prune(state, *age),
        Question::Verify => verify::verify(state, look.json, out),
    }
}

#[cfg(test)]
mod tests;
