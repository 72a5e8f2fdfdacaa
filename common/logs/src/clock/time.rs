//! A point in time.

use super::calendar::{DAY, date};
use std::fmt;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// Nanoseconds in a second.
pub(crate) const SECOND: i64 = 1_000_000_000;

/// Nanoseconds since 1970-01-01T00:00:00Z without leap seconds: the years 1678 to 2262.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct Time(i64);

impl Time {
    /// Before every other time.
    pub const MIN: Self = Self(i64::MIN);
    /// After every other time.
    pub const MAX: Self = Self(i64::MAX);

    /// From nanoseconds since the epoch.
    #[must_use]
    pub const fn from_nanos(nanos: i64) -> Self {
        Self(nanos)
    }

    /// From seconds since the epoch; the nearest time there is when they are out of range.
    #[must_use]
    pub const fn from_secs(secs: i64) -> Self {
        Self(secs.saturating_mul(SECOND))
    }

    /// The time now.
    #[must_use]
    pub fn now() -> Self {
        Self::from(SystemTime::now())
    }

    /// Nanoseconds since the epoch.
    #[must_use]
    pub const fn nanos(self) -> i64 {
        self.0
    }

    /// Whole seconds since the epoch, rounded down.
    #[must_use]
    pub const fn secs(self) -> i64 {
        self.0.div_euclid(SECOND)
    }

    /// This much later, or [`Time::MAX`].
    #[must_use]
    pub fn plus(self, duration: Duration) -> Self {
        Self(self.0.saturating_add(nanos(duration)))
    }

    /// This much earlier, or [`Time::MIN`].
    #[must_use]
    pub fn minus(self, duration: Duration) -> Self {
        Self(self.0.saturating_sub(nanos(duration)))
    }
}

impl From<SystemTime> for Time {
    /// The nearest time there is when it is out of range.
    fn from(time: SystemTime) -> Self {
        match time.duration_since(UNIX_EPOCH) {
            Ok(since) => Self(nanos(since)),
            Err(before) => Self(-nanos(before.duration())),
        }
    }
}

/// Nanoseconds, at most `i64::MAX`.
fn nanos(duration: Duration) -> i64 {
    i64::try_from(duration.as_nanos()).unwrap_or(i64::MAX)
}

/// RFC 3339 in UTC, with no, three, six or nine decimal places, as few as tell it exactly.
impl fmt::Display for Time {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (secs, nanos) = (self.secs(), self.0.rem_euclid(SECOND));
        let (year, month, day) = date(secs.div_euclid(DAY));
        let (hour, minute, second) =
            (secs.rem_euclid(DAY) / 3_600, secs.rem_euclid(3_600) / 60, secs.rem_euclid(60));
        write!(f, "{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}")?;
        match nanos {
            0 => write!(f, "Z"),
            _ if nanos % 1_000_000 == 0 => write!(f, ".{:03}Z", nanos / 1_000_000),
            _ if nanos % 1_000 == 0 => write!(f, ".{:06}Z", nanos / 1_000),
            _ => write!(f, ".{nanos:09}Z"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn prints_as_few_places_as_are_exact() {
        let check = |nanos: i64, want: &str| assert_eq!(Time::from_nanos(nanos).to_string(), want);
        check(0, "1970-01-01T00:00:00Z");
        check(1_741_944_413_120_000_000, "2025-03-14T09:26:53.120Z");
        check(1_741_944_413_123_456_000, "2025-03-14T09:26:53.123456Z");
        check(1_741_944_413_123_456_789, "2025-03-14T09:26:53.123456789Z");
        check(-1, "1969-12-31T23:59:59.999999999Z");
        check(i64::MIN, "1677-09-21T00:12:43.145224192Z");
        check(i64::MAX, "2262-04-11T23:47:16.854775807Z");
    }

    #[test]
    fn sums_stop_at_the_ends() {
        let day = Duration::from_hours(24);
        assert_eq!(Time::from_secs(0).plus(day), Time::from_secs(86_400));
        assert_eq!(Time::from_secs(0).minus(day), Time::from_secs(-86_400));
        assert_eq!(Time::MAX.plus(day), Time::MAX);
        assert_eq!(Time::MIN.minus(Duration::MAX), Time::MIN);
        assert_eq!(Time::from(UNIX_EPOCH - day), Time::from_secs(-86_400));
    }
}
