//! Clocks that were put back: the hour that they show twice.
//!
//! A stamp without a zone does not tell which of the two hours is meant and is read as of the first.
//! So the records of a sorted file step back once, by what the clocks were put back.

use std::time::Duration;

use logs::clock::{Time, Zone};

/// No clock was ever put back further in one go, but for whole days.
const MOST: Duration = Duration::from_secs(3 * 3_600);
/// Clocks are not put back and forth again within a day.
const STEP: Duration = Duration::from_secs(24 * 3_600);
/// What is looked at of a range: the latest changes, in no time that a person would notice.
const LOOK_BACK: Duration = Duration::from_secs(20 * 365 * 24 * 3_600);

/// By how much the clocks of `zone` were put back, at most, between two times or near to them.
pub(super) fn put_back(zone: Zone, from: Time, until: Time) -> Duration {
    let until = until.plus(MOST);
    let mut at = from.minus(MOST).max(until.minus(LOOK_BACK));
    let mut east = zone.east_of(at.secs());
    let mut most = 0;
    while at < until {
        at = at.plus(STEP).min(until);
        let next = zone.east_of(at.secs());
        most = most.max(i64::from(east) - i64::from(next));
        east = next;
    }
    Duration::from_secs(most.unsigned_abs())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The clocks of Berlin were put back at this time in 2025.
    const BACK: i64 = 1_761_440_400;
    const HOUR: i64 = 3_600;

    fn check(zone: &str, from: i64, until: i64, hours: u64) {
        let zone = Zone::parse(zone).unwrap();
        let found = put_back(zone, Time::from_secs(from), Time::from_secs(until));
        assert_eq!(found, Duration::from_secs(hours * 3_600), "{zone:?} {from} {until}");
    }

    #[test]
    fn near_the_change_and_across_it() {
        check("Europe/Berlin", BACK - HOUR, BACK - HOUR, 1);
        check("Europe/Berlin", BACK + HOUR, BACK + HOUR, 1);
        check("Europe/Berlin", BACK - 100 * HOUR, BACK + 100 * HOUR, 1);
        check("Europe/Berlin", BACK + 4 * HOUR, BACK + 100 * HOUR, 0);
        check("Europe/Berlin", BACK - 100 * HOUR, BACK - 4 * HOUR, 0);
        check("UTC", BACK, BACK, 0);
    }

    #[test]
    fn clocks_put_forward_and_all_times() {
        check("Europe/Berlin", 1_774_746_000, 1_774_746_000, 0);
        let zone = Zone::parse("Europe/Berlin").unwrap();
        assert_eq!(put_back(zone, Time::MIN, Time::from_secs(BACK)), Duration::from_secs(3_600));
        assert_eq!(put_back(zone, Time::MAX, Time::MAX), Duration::ZERO);
    }
}
