//! When a backup was made, as the name that it has for people and in its file name.

use std::fmt;

use chrono::{DateTime, NaiveDateTime, SubsecRound, TimeDelta, Timelike, Utc};

/// Sorts as text as it does in time, needs no quotes in a shell and no colon, which Windows shares
/// and `rsync` hosts do not take.
const FORM: &str = "%Y%m%dT%H%M%S%.6fZ";

/// The ID of a backup: a time of UTC in microseconds, `20260314T092653.589793Z`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Id(NaiveDateTime);

impl Id {
    /// The time now, but later than `newest`; `None` past the year 9999.
    pub(super) fn now_after(newest: Option<Self>) -> Option<Self> {
        Self::at_or_after(Utc::now(), newest)
    }

    fn at_or_after(now: DateTime<Utc>, newest: Option<Self>) -> Option<Self> {
        let now = now.naive_utc().trunc_subsecs(6);
        let next = match newest {
            Some(Self(newest)) => now.max(newest.checked_add_signed(TimeDelta::microseconds(1))?),
            None => now,
        };
        // The years that cannot be read again end here.
        Self::parse(&Self(next).to_string())
    }

    /// Reads exactly what [`Id`] prints.
    pub(super) fn parse(text: &str) -> Option<Self> {
        let id = Self(NaiveDateTime::parse_from_str(text, FORM).ok()?);
        // A leap second is 59 and more than a second to chrono, and no clock of ours makes one.
        (id.0.nanosecond() < 1_000_000_000 && id.to_string() == text).then_some(id)
    }
}

impl fmt::Display for Id {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Through a string, so that a width counts.
        f.pad(&self.0.format(FORM).to_string())
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn only_its_own_form_is_an_id() {
        let check = |text: &str, want: bool| assert_eq!(Id::parse(text).is_some(), want, "{text}");
        check("20260314T092653.589793Z", true);
        check("20240229T000000.000000Z", true);
        for bad in [
            "",
            "20260314T092653Z",
            "20260314T092653.589Z",
            "20260314T092653.589793",
            "20260314t092653.589793Z",
            "20260230T092653.589793Z",
            "20260314T246053.589793Z",
            "20260314T092660.589793Z",
            " 20260314T092653.589793Z",
            "+20260314T092653.58979Z",
            "2026-0314T09265.589793Z",
        ] {
            check(bad, false);
        }
    }

    #[test]
    fn an_id_is_later_than_all_before() {
        let check = |now: &str, newest: Option<&str>, want: Option<&str>| {
            let now = Id::parse(now).unwrap().0.and_utc();
            let newest = newest.map(|text| Id::parse(text).unwrap());
            let id = Id::at_or_after(now, newest).map(|id| id.to_string());
            assert_eq!(id.as_deref(), want);
        };
        let now = "20260314T092653.589793Z";
        check(now, None, Some(now));
        check(now, Some("20260314T092653.589792Z"), Some(now));
        check(now, Some(now), Some("20260314T092653.589794Z"));
        check(now, Some("20261231T235959.999999Z"), Some("20270101T000000.000000Z"));
        check(now, Some("99991231T235959.999999Z"), None);
    }

    proptest! {
        #[test]
        fn the_order_of_the_text_is_that_of_time(a in 0_i64..253_402_300_800_000_000, b in 0_i64..253_402_300_800_000_000) {
            let id = |micros| Id(DateTime::from_timestamp_micros(micros).unwrap().naive_utc());
            prop_assert_eq!(Id::parse(&id(a).to_string()), Some(id(a)));
            prop_assert_eq!(id(a).to_string().cmp(&id(b).to_string()), a.cmp(&b));
        }
    }
}
