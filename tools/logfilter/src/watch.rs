//! The time of each record in its turn, and whether the order of the file keeps its promise.

mod second;

use std::time::Duration;

use logs::clock::{Clock, Time};
use logs::stamp::Form;

use second::Second;

/// Tells the time of the records of one input.
#[derive(Debug)]
pub struct Watch {
    clock: Clock,
    second: Second,
    /// Whether the clock has been told the first stamp.
    begun: bool,
    time: Option<Time>,
    order: Option<Order>,
}

/// How exactly times are asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Exactly {
    /// Within a second they need not be told from each other.
    Seconds,
    /// They are.
    Wholly,
}

impl Exactly {
    /// What a time range needs: its ends lie between seconds, or within one.
    #[must_use]
    pub fn of((first, last): (Time, Time)) -> Self {
        let between = |time: Time| time.nanos().rem_euclid(1_000_000_000) == 0 || time == Time::MIN;
        let ends_between = last == Time::MAX || between(Time::from_nanos(last.nanos() + 1));
        if between(first) && ends_between { Self::Seconds } else { Self::Wholly }
    }
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
    /// told the first one that is seen. Where times are only asked for as `exactly` as seconds, the
    /// beginning of its second may be told for a time.
    #[must_use]
    pub fn new(clock: Clock, is_told: bool, exactly: Exactly) -> Self {
        let second = Second::new(exactly == Exactly::Seconds);
        Self { clock, second, begun: is_told, time: None, order: None }
    }

    /// Relies on the order of the file from here on.
    pub fn rely_on(&mut self, order: Order) {
        self.second = Second::new(false);
        self.order = Some(order);
    }

    /// The time of the record whose stamp this is: of the record before it when there is none, or
    /// one that is no time, such as the 30th of February.
    #[inline]
    pub fn see(&mut self, stamp: Option<(&[u8], Form)>) -> Option<Time> {
        if let Some((text, form)) = stamp {
            let told = self.second.tell(text).or_else(|| self.read(text, form));
            if let Some(time) = told {
                self.time = Some(time);
                if let Some(order) = &mut self.order {
                    order.broken |= time < order.latest.minus(order.slack);
                    order.latest = order.latest.max(time);
                }
            }
        }
        self.time
    }

    #[inline(never)]
    fn read(&mut self, text: &[u8], form: Form) -> Option<Time> {
        if !self.begun {
            self.clock.begins_with(text, form);
            self.begun = true;
        }
        let time = self.clock.read(text, form)?;
        self.second.learn(text, form, time, &mut self.clock);
        Some(time)
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
