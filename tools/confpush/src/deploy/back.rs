//! Back: everything of this environment gets its old file again, and has to prove it.
//!
//! A host that does not answer is asked until its guard must have taken it back: after that it does not
//! answer because it is gone, and not because it had no time.

use super::crew::{Crew, State};

/// Brings back every host that may have heard of this deployment, also those that have confirmed it.
pub(super) fn all(crew: &mut Crew<'_>) {
    crew.let_go();
    for host in 0..crew.hands().len() {
        let hand = crew.hand(host);
        let is_due = match hand.state {
            State::Ready => hand.may_be_staged(),
            State::Staged | State::Swapped | State::Confirmed => true,
            // On its way already, or there.
            _ => false,
        };
        if is_due {
            crew.give_back(host);
        }
    }
    crew.settle();
}
