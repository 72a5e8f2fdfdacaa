//! Days of the Gregorian calendar, counted from 1970-01-01.

/// Seconds of a day without a leap second.
pub(crate) const DAY: i64 = 86_400;

const LENGTHS: [i64; 12] = [31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];

/// Years that fit [`super::Time`] whole, in every zone.
const YEARS: std::ops::RangeInclusive<i64> = 1678..=2261;

/// The number of a day; none when there is no such day, or it is outside the years 1678 to 2261.
pub(crate) fn days(year: i64, month: i64, day: i64) -> Option<i64> {
    let length = LENGTHS.get(usize::try_from(month - 1).ok()?)? + i64::from(month == 2 && is_leap(year));
    if !YEARS.contains(&year) || !(1..=length).contains(&day) {
        return None;
    }
    // Years begin in March, so that the day that comes and goes is their last one
    // (Howard Hinnant, "chrono-compatible low-level date algorithms").
    let year = year - i64::from(month <= 2);
    let months = (month + 9) % 12;
    Some(year * 365 + year / 4 - year / 100 + year / 400 + (153 * months + 2) / 5 + day - 719_469)
}

/// The number of a day whose month may be 0: then `day` is that of the year.
pub(crate) fn day(year: i64, month: i64, day: i64) -> Option<i64> {
    if month > 0 {
        return days(year, month, day);
    }
    let length = 365 + i64::from(is_leap(year));
    Some(days(year, 1, 1)? + (1..=length).contains(&day).then_some(day - 1)?)
}

/// Year, month and day of a day number; the inverse of [`days`].
pub(crate) fn date(days: i64) -> (i64, i64, i64) {
    let shifted = days + 719_468;
    let era = shifted.div_euclid(146_097);
    let rest = shifted.rem_euclid(146_097);
    let years = (rest - rest / 1_460 + rest / 36_524 - rest / 146_096) / 365;
    let of_year = rest - (365 * years + years / 4 - years / 100);
    let months = (5 * of_year + 2) / 153;
    let day = of_year - (153 * months + 2) / 5 + 1;
    let month = if months < 10 { months + 3 } else { months - 9 };
    (years + era * 400 + i64::from(month <= 2), month, day)
}

/// The weekday of a day number, 0 is Monday.
pub(crate) fn weekday(days: i64) -> i64 {
    (days + 3).rem_euclid(7)
}

/// Has the year a 29th of February?
pub(crate) fn is_leap(year: i64) -> bool {
    year % 4 == 0 && (year % 100 != 0 || year % 400 == 0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use chrono::{Datelike, NaiveDate};

    #[test]
    fn every_day_of_six_centuries_is_the_one_of_chrono() {
        let mut want = NaiveDate::from_ymd_opt(1678, 1, 1).unwrap();
        for number in want.signed_duration_since(NaiveDate::default()).num_days().. {
            let (year, month, day) = date(number);
            assert_eq!((year, month, day), (want.year().into(), want.month().into(), want.day().into()));
            assert_eq!(days(year, month, day), Some(number), "{want}");
            assert_eq!(weekday(number), i64::from(want.weekday().num_days_from_monday()), "{want}");
            want = want.succ_opt().unwrap();
            if want.year() == 2262 {
                break;
            }
        }
    }

    #[test]
    fn days_that_are_not() {
        for (year, month, day) in [
            (2025, 2, 29),
            (1900, 2, 29),
            (2025, 0, 1),
            (2025, 13, 1),
            (2025, 4, 31),
            (2025, 1, 0),
            (1, 1, 1),
        ] {
            assert_eq!(days(year, month, day), None, "{year}-{month}-{day}");
        }
        assert!(days(2024, 2, 29).is_some() && days(2000, 2, 29).is_some());
    }
}
