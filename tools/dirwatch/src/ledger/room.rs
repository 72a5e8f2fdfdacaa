//! Room in the journal for what will become of the files in flight.
//!
//! A full disk keeps the store from taking the journal's halves, so a command may end when nothing
//! can be freed. Hence a claim is granted only where the records of its end fit too.

use std::collections::BTreeMap;

use super::frame::LONGEST_NOTE;
use super::{Entry, State};
use crate::identity::Key;

/// At most so many records follow a claim: the command has ended, and the file was moved.
const RECORDS: usize = 2;

/// A number that was small in the claim may be long in a later record; with this, none is longer.
const LONGER: usize = 32;

/// The records that are still to come for one file.
#[derive(Debug)]
struct Flight {
    each: usize,
    left: usize,
}

/// What is reserved, in bytes.
#[derive(Debug, Default)]
pub(crate) struct Room {
    flights: BTreeMap<Key, Flight>,
    reserved: usize,
}

impl Room {
    /// The bytes that are reserved.
    pub(crate) fn reserved(&self) -> usize {
        self.reserved
    }

    /// The bytes that a claim of `frame` bytes is to reserve.
    pub(crate) fn for_claim(frame: usize) -> usize {
        RECORDS * (frame + LONGEST_NOTE + LONGER)
    }

    /// Reserves what a claim of `frame` bytes needs.
    pub(crate) fn reserve(&mut self, key: Key, frame: usize) {
        self.free(key);
        let total = Self::for_claim(frame);
        self.reserved += total;
        self.flights.insert(key, Flight { each: total / RECORDS, left: RECORDS });
    }

    /// The bytes that are reserved for the next record of this file; 0 when none are.
    pub(crate) fn of(&self, key: Key) -> usize {
        self.flights.get(&key).map_or(0, |flight| flight.each)
    }

    /// Gives up what was reserved for `entry`, which has been written; for all of it unless the file is
    /// still to be moved.
    pub(crate) fn release(&mut self, entry: &Entry) {
        let goes_on = matches!(entry.state, State::Started | State::Passed | State::Rejected);
        match self.flights.get_mut(&entry.key) {
            Some(flight) if goes_on && flight.left > 1 => {
                flight.left -= 1;
                self.reserved -= flight.each;
            }
            _ => self.free(entry.key),
        }
    }

    fn free(&mut self, key: Key) {
        if let Some(flight) = self.flights.remove(&key) {
            self.reserved -= flight.each * flight.left;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn room_is_kept_until_nothing_more_can_come() {
        let check = |states: &[State], want: usize| {
            let mut room = Room::default();
            room.reserve(Key([1; 16]), 100);
            room.reserve(Key([2; 16]), 100);
            let each = room.of(Key([1; 16]));
            let mut entry = crate::ledger::tests::entry(1, State::Done);
            entry.key = Key([1; 16]);
            for &state in states {
                entry.state = state;
                room.release(&entry);
            }
            assert_eq!(room.reserved(), each * (want + RECORDS), "{states:?}");
        };
        check(&[], 2);
        check(&[State::Done], 0);
        check(&[State::Passed], 1);
        check(&[State::Passed, State::Done], 0);
        check(&[State::Rejected, State::Failed, State::Failed], 0);
        check(&[State::Retry], 0);
        check(&[State::Passed, State::Passed, State::Passed], 0);
    }

    #[test]
    fn a_second_claim_takes_the_place_of_the_first() {
        let mut room = Room::default();
        room.reserve(Key([1; 16]), 100);
        let first = room.reserved();
        room.reserve(Key([1; 16]), 100);
        assert_eq!(room.reserved(), first);
    }
}
