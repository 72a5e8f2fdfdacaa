//! Counts per minute, hour or day.

use std::collections::BTreeMap;

use logs::clock::{Clock, Time};
use logs::line::Line;
use logs::records::Sink;
use logs::stamp::Form;
use logs::stream::Merge;

use super::{Cells, Levels, Mark, Slots, Tally};
use crate::plan::Plan;

/// A tally for each slot of time. A record whose stamp cannot be read counts in the slot of the
/// record before it.
#[derive(Debug, Clone)]
pub(crate) struct Times<T> {
    clock: Clock,
    /// Whether the clock has seen the first stamp of the log.
    begun: bool,
    slots: Slots,
    empty: T,
    /// Records before the first stamp.
    head: T,
    /// The slot of the last record.
    now: Option<(i64, T)>,
    /// The other slots.
    done: BTreeMap<i64, T>,
}

impl<T: Tally> Times<T> {
    fn current(&mut self) -> &mut T {
        match &mut self.now {
            Some((_, tally)) => tally,
            None => &mut self.head,
        }
    }

    #[inline]
    fn turn_to(&mut self, slot: i64) {
        if self.now.as_ref().is_none_or(|(now, _)| *now != slot) {
            let tally = self.done.remove(&slot).unwrap_or_else(|| self.empty.clone());
            self.close(Some((slot, tally)));
        }
    }

    /// Puts the current slot to the others.
    fn close(&mut self, next: Option<(i64, T)>) {
        if let Some((slot, tally)) = std::mem::replace(&mut self.now, next) {
            self.add(slot, tally);
        }
    }

    fn add(&mut self, slot: i64, tally: T) {
        match self.done.get_mut(&slot) {
            Some(known) => known.absorb(tally),
            None => {
                self.done.insert(slot, tally);
            }
        }
    }
}

impl<T: Tally> Sink for Times<T> {
    fn record(&mut self, line: &Line<'_>, bytes: &[u8], lines: u64) {
        if let Some((stamp, form)) = line.stamp {
            if !self.begun {
                self.begins_with(stamp, form);
            }
            if let Some(time) = self.clock.read(stamp, form) {
                let slot = self.slots.of(time.secs());
                self.turn_to(slot);
            }
        }
        self.current().record(line, bytes, lines);
    }

    fn more(&mut self, bytes: &[u8], lines: u64) {
        self.current().more(bytes, lines);
    }
}

impl<T: Tally> Merge for Times<T> {
    fn absorb(&mut self, next: Self) {
        self.current().absorb(next.head);
        for (slot, tally) in next.done {
            match &mut self.now {
                Some((now, current)) if *now == slot => current.absorb(tally),
                _ => self.add(slot, tally),
            }
        }
        if let Some((slot, tally)) = next.now {
            self.turn_to(slot);
            self.current().absorb(tally);
        }
    }
}

impl<T: Tally> Tally for Times<T> {
    const HAS_TIMES: bool = true;

    fn new(plan: &Plan, written: Time) -> Self {
        let empty = T::new(plan, written);
        Self {
            clock: Clock::new(plan.zone, written, plan.year),
            begun: false,
            slots: Slots::new(plan.by, plan.zone),
            head: empty.clone(),
            empty,
            now: None,
            done: BTreeMap::new(),
        }
    }

    fn begins_with(&mut self, stamp: &[u8], form: Form) {
        self.clock.begins_with(stamp, form);
        self.begun = true;
    }

    fn resume(&mut self, mark: &Mark) {
        if let Some(slot) = mark.time {
            self.turn_to(slot);
        }
        self.current().resume(mark);
    }

    fn mark(&self) -> Mark {
        match &self.now {
            Some((slot, tally)) => Mark { time: Some(*slot), ..tally.mark() },
            None => self.head.mark(),
        }
    }

    fn levels(&self) -> Levels {
        let mut levels = self.head.levels();
        for tally in self.done.values().chain(self.now.as_ref().map(|(_, tally)| tally)) {
            levels.add_all(&tally.levels());
        }
        levels
    }

    fn groups(mut self) -> Vec<(Option<i64>, Cells)> {
        self.close(None);
        let cells = |tally: T| tally.groups().into_iter().map(|(_, cells)| cells);
        let head = cells(self.head).map(|cells| (None, cells));
        let slots =
            self.done.into_iter().flat_map(|(slot, tally)| cells(tally).map(move |c| (Some(slot), c)));
        head.chain(slots).filter(|(_, cells)| cells.total() != super::Cell::default()).collect()
    }
}
