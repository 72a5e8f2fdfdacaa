//! The time of each record in its turn, and whether the order of the file keeps its promise.

use std::time::Duration;

use logs::clock::{Clock, Time};
use logs::stamp::Form;

/// Tells the time of the records of one input.
#[derive(Debug)]
pub struct Watch {
    clock: Clock,
    /// Whether the clock has been told the first stamp.
    begun: bool,
    time: Option<Time>,
    order: Option<Order>,
}

/// What is relied on in a file that is read in part: no record is earlier than one before it by
/// more than the slack.
#[derive(Debug, Clone, Copy)]
pub struct Order {
    /// The latest time so far.
    pub latest: Time,
    /// How much earlier a later record may be.
    pub slack: Duration,
    /// Behind a record later than this nothing is asked for.
    pub end: Time,
    /// Whether a record was earlier than it may be.
    pub broken: bool,
}

impl Watch {
    /// A watch at the start of an input. A `clock` that has not yet been told the first stamp is
    /// told the first one that is seen.
    #[must_use]
    pub fn new(clock: Clock, is_told: bool) -> Self {
        Self { clock, begun: is_told, time: None, order: None }
    }

    /// Relies on the order of the file from here on.
    pub fn rely_on(&mut self, order: Order) {
        self.order = Some(order);
    }

    /// The time of the record whose stamp this is: of the record before it when there is none, or
    /// one that is no time, such as the 30th of February.
    #[inline]
    pub fn see(&mut self, stamp: Option<(&[u8], Form)>) -> Option<Time> {
        if let Some((text, form)) = stamp {
            if !self.begun {
                self.clock.begins_with(text, form);
                self.begun = true;
            }
            if let Some(time) = self.clock.read(text, form) {
                self.time = Some(time);
                if let Some(order) = &mut self.order {
                    order.broken |= time < order.latest.minus(order.slack);
                    order.latest = order.latest.max(time);
                }
            }
        }
        self.time
    }

    /// The time of the last record that was seen.
    #[must_use]
    pub fn time(&self) -> Option<Time> {
        self.time
    }

    /// Whether the order of the file promises that nothing of the time range follows.
    #[inline]
    #[must_use]
    pub fn is_over(&self) -> bool {
        self.order.is_some_and(|order| !order.broken && self.time.is_some_and(|time| time > order.end))
    }

    /// Whether the order was relied on, and wrongly.
    #[must_use]
    pub fn was_wrong(&self) -> bool {
        self.order.is_some_and(|order| order.broken)
    }
}
