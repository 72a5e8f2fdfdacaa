//! Bake: all hosts have the new file, and have to stay healthy with it for a while.

use std::time::Duration;

use super::crew::{Breach, Crew, State};
use super::pulse::{self, Goal, apart};
use super::{Course, Step};

/// Rounds of checks while it bakes are not closer together than this: they load the hosts.
const SHORTEST: Duration = Duration::from_secs(1);

/// And not farther apart where the spec does not say how far.
const LONGEST: Duration = Duration::from_secs(10);

/// Goes on with the checks for `bake`.
///
/// # Errors
/// When more hosts fail than may.
pub(super) fn all(crew: &mut Crew<'_>, course: &Course<'_>) -> Result<(), Breach> {
    if course.bake.is_zero() {
        return Ok(());
    }
    crew.tell(None, Step::Baking);
    let apart = apart(course.checks);
    let span = if apart.is_zero() { (course.bake / 10).min(LONGEST) } else { apart };
    let goal = Goal::Until(crew.now() + course.bake, span.max(SHORTEST));
    pulse::watch(crew, &crew.who(&State::Swapped), (course.checks, goal))
}
