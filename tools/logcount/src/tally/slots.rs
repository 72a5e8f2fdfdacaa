//! Minutes, hours and days on the clocks of a zone.

use chrono::{FixedOffset, SecondsFormat, TimeZone};
use logs::clock::Zone;

use crate::plan::By;

const DAY: i64 = 86_400;

/// Tells in which minute, hour or day a time lies. Hours and days are those of the zone: where it
/// is half an hour off they begin at half past, and a day can have 23 hours.
#[derive(Debug, Clone)]
pub(crate) struct Slots {
    by: By,
    zone: Zone,
    /// The slot that was asked for last; most records lie in the one of the record before.
    last: (i64, i64),
}

impl Slots {
    pub(crate) fn new(by: By, zone: Zone) -> Self {
        Self { by, zone, last: (0, 0) }
    }

    /// The beginning of the slot of a time, both in seconds since the epoch.
    #[inline]
    pub(crate) fn of(&mut self, secs: i64) -> i64 {
        if !(self.last.0..self.last.1).contains(&secs) {
            self.last = self.around(secs);
        }
        self.last.0
    }

    fn around(&self, secs: i64) -> (i64, i64) {
        let length = match self.by {
            By::Minute => 60,
            By::Hour => 3_600,
            _ => {
                let date = (secs + i64::from(self.zone.east_of(secs))).div_euclid(DAY);
                return (self.midnight(date), self.midnight(date + 1));
            }
        };
        let east = i64::from(self.zone.east_of(secs));
        let start = (secs + east).div_euclid(length) * length - east;
        (start, start + length)
    }

    /// When the clocks of the zone begin the day that is `date` days after 1970-01-01.
    fn midnight(&self, date: i64) -> i64 {
        let local = date * DAY;
        let east = |utc| i64::from(self.zone.east_of(utc));
        // Where clocks are put forward at midnight this is the first second after it.
        local - east(local - east(local))
    }
}

/// A time as RFC 3339 in a zone, to the second: `2026-03-01T10:30:00Z`, `…+01:00`.
pub(crate) fn rfc3339(secs: i64, zone: Zone) -> String {
    let east = FixedOffset::east_opt(zone.east_of(secs));
    let time = east.and_then(|east| east.timestamp_opt(secs, 0).single());
    time.map_or_else(|| secs.to_string(), |time| time.to_rfc3339_opts(SecondsFormat::Secs, true))
}

#[cfg(test)]
mod tests {
    use super::*;
    use chrono::DateTime;

    #[test]
    fn slots_are_those_of_the_zone() {
        let check = |by: By, zone: &str, time: &str, want: &str| {
            let zone = Zone::parse(zone).unwrap();
            let secs = DateTime::parse_from_rfc3339(time).unwrap().timestamp();
            let mut slots = Slots::new(by, zone);
            let start = slots.of(secs);
            assert_eq!(rfc3339(start, zone), want, "{time}");
            assert!(slots.last.0 <= secs && secs < slots.last.1, "{time} lies in its slot");
            assert_eq!(slots.of(slots.last.1), slots.last.0, "{time}: one slot ends where the next begins");
        };
        check(By::Minute, "UTC", "2026-03-01T10:30:59Z", "2026-03-01T10:30:00Z");
        check(By::Hour, "UTC", "2026-03-01T10:30:59Z", "2026-03-01T10:00:00Z");
        check(By::Day, "UTC", "2026-03-01T10:30:59Z", "2026-03-01T00:00:00Z");
        check(By::Hour, "Asia/Kolkata", "2026-03-01T10:29:59Z", "2026-03-01T15:00:00+05:30");
        check(By::Day, "Europe/Berlin", "2026-03-01T23:30:00Z", "2026-03-02T00:00:00+01:00");
        check(By::Day, "Europe/Berlin", "2025-03-30T21:59:59Z", "2025-03-30T00:00:00+01:00");
        check(By::Hour, "Europe/Berlin", "2025-10-26T00:30:00Z", "2025-10-26T02:00:00+02:00");
        check(By::Hour, "Europe/Berlin", "2025-10-26T01:30:00Z", "2025-10-26T02:00:00+01:00");
        check(By::Day, "+02:00", "1969-12-31T21:59:59Z", "1969-12-31T00:00:00+02:00");
    }
}
