//! Days and months that may be each other: `03/04/2025`, `17/06/09`.

use super::calendar::{DAY, days};
use crate::stamp::Order;

/// Three fields in the order they stand; the last is none when there is no year.
pub(crate) type Three = (i64, i64, Option<i64>);

/// What the fields are, in the order they stand.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Reading {
    MonthDayYear,
    DayMonthYear,
    YearMonthDay,
}

use Reading::{DayMonthYear, MonthDayYear, YearMonthDay};

/// What the stamps that were learnt from say about all of them.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Known {
    reading: Option<Reading>,
    proved: bool,
}

impl Known {
    /// Learns from one stamp. Only one proof counts, the first; until there is one, the first guess.
    pub(crate) fn learn(&mut self, three: Three, order: Order, latest: i64) {
        let possible = candidates(order).iter().filter(|reading| reading.day(three).is_some()).count();
        let proof = possible == 1;
        if (proof && !self.proved) || self.reading.is_none() {
            self.reading = guess(three, order, latest);
            self.proved = proof;
        }
    }

    /// How a stamp is to be read: as learnt, and when that is impossible as it looks by itself.
    pub(crate) fn reading(self, three: Three, order: Order, latest: i64) -> Option<Reading> {
        let learnt = self.reading.filter(|reading| candidates(order).contains(reading));
        learnt.filter(|reading| reading.day(three).is_some()).or_else(|| guess(three, order, latest))
    }
}

impl Reading {
    /// Year, month and day.
    pub(crate) fn apply(self, (a, b, c): Three) -> Option<(Option<i64>, i64, i64)> {
        let year = |year: i64| century(year, if year < 100 { 2 } else { 4 });
        Some(match self {
            MonthDayYear => (c.map(year), a, b),
            DayMonthYear => (c.map(year), b, a),
            YearMonthDay => (Some(year(a)), b, c?),
        })
    }

    /// The day number; without a year that of a leap year, as any day will do.
    fn day(self, three: Three) -> Option<i64> {
        let (year, month, day) = self.apply(three)?;
        days(year.unwrap_or(2_024), month, day)
    }
}

/// The readings that the form allows, the likelier ones first.
fn candidates(order: Order) -> &'static [Reading] {
    match order {
        Order::Unknown => &[YearMonthDay, MonthDayYear, DayMonthYear],
        Order::DayOrMonth | Order::Sure => &[MonthDayYear, DayMonthYear],
    }
}

/// The reading of one stamp by itself: the first that lies in the year before `latest` (seconds of
/// local time), or else the first that does not lie after it, or else the first there is.
fn guess(three: Three, order: Order, latest: i64) -> Option<Reading> {
    let latest = if three.2.is_some() { latest.div_euclid(DAY) } else { i64::MAX };
    let first = |earliest: i64, latest: i64| {
        let fits =
            |reading: &&Reading| reading.day(three).is_some_and(|day| (earliest..=latest).contains(&day));
        candidates(order).iter().find(fits).copied()
    };
    first(latest - 366, latest).or_else(|| first(i64::MIN, latest)).or_else(|| first(i64::MIN, i64::MAX))
}

/// A year of two digits is one of 1969 to 2068.
pub(crate) fn century(year: i64, digits: u8) -> i64 {
    match (digits, year) {
        (2, 69..) => year + 1_900,
        (2, _) => year + 2_000,
        _ => year,
    }
}
