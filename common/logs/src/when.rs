//! What operators type for a time: `2026-03-01`, `10:30`, `yesterday`, `-2h`.
//!
//! A time is a span as long as it was told exactly: `10:30` is that minute, `2026-03-01` the whole
//! day, whether clocks were changed in it or not. So a search from one time until another takes the
//! first nanosecond of the one and the last of the other.
//!
//! | form | span |
//! |---|---|
//! | `2026-03-01` `20260301` `1 Mar 2026` `Mar 1` | the day |
//! | `2026-03` | the month |
//! | `today` `yesterday` `tomorrow` `friday` `fri` | the day; the latest Friday, today included |
//! | `10:30` `10:30:05` `10:30:05.123` `9:30 PM` | the minute, second, millisecond, … of today |
//! | `yesterday 10:30` `friday 10:30` | the same of that day |
//! | `2026-03-01 10:30` `2026-03-01T10:30:05Z` and every form of [`crate::stamp`] | as told |
//! | `@1741944413` `@1741944413.123` | the second, the millisecond |
//! | `now` `-2h` `-1h30m` `+5m` `2 hours ago` | the point in time |
//!
//! A day back (`-1d`) is 24 hours back.

use crate::clock::calendar::{self, DAY};
use crate::clock::{Clock, SECOND, Time, Zone};
use crate::stamp::{self, Form, Precision, names, names::Name};
use common::units;
use std::time::Duration;

/// The first and the last nanosecond of a time that was told.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Span {
    /// For "since".
    pub first: Time,
    /// For "until"; not before `first`.
    pub last: Time,
}

impl From<Time> for Span {
    fn from(time: Time) -> Self {
        Self { first: time, last: time }
    }
}

/// Reads a time in one of the forms above; without a zone of its own it is in `zone`.
///
/// # Errors
/// A sentence for clap that shows the forms.
pub fn parse(text: &str, now: Time, zone: Zone) -> Result<Span, String> {
    let plain = text.trim().to_ascii_lowercase();
    let today = (now.secs() + i64::from(zone.east_of(now.secs()))).div_euclid(DAY);
    relative(&plain, now)
        .map(Span::from)
        .or_else(|| by_name(&plain, today, now, zone))
        .or_else(|| month(&plain, zone))
        .or_else(|| epoch(&plain, now, zone))
        .or_else(|| time_of(today, &plain.to_ascii_uppercase(), now, zone))
        .or_else(|| exact(text.trim(), now, zone))
        .or_else(|| exact(&plain.to_ascii_uppercase(), now, zone))
        .ok_or_else(|| match duration(&plain).filter(|_| !plain.is_empty()) {
            Some(_) => format!("`{text}` is no time; did you mean `-{}`, so long ago?", text.trim()),
            None => format!(
                "`{text}` is no time; write it as 2026-03-01, '2026-03-01 10:30', \
                 2026-03-01T10:30:05Z, 10:30, yesterday, friday, -2h or @1741944413"
            ),
        })
}

/// `now`, `-2h`, `+5m`, `2 hours ago`.
fn relative(text: &str, now: Time) -> Option<Time> {
    if text == "now" {
        return Some(now);
    }
    if let Some(length) = text.strip_prefix('+') {
        return Some(now.plus(duration(length)?));
    }
    let length = text.strip_prefix('-').or_else(|| text.strip_suffix("ago"))?;
    Some(now.minus(duration(length)?))
}

/// A duration whose units may be words and stand apart: `2 hours 30 min`.
fn duration(text: &str) -> Option<Duration> {
    let mut rest = text.trim();
    let mut short = String::new();
    while !rest.is_empty() {
        let (number, tail) = split(rest, |c| c.is_ascii_digit() || c == '.');
        let (word, tail) = split(tail.trim_start(), |c| c.is_ascii_alphabetic());
        let unit = match word {
            "second" | "seconds" | "secs" => "s",
            "minute" | "minutes" | "mins" => "m",
            "hour" | "hours" | "hr" | "hrs" => "h",
            "day" | "days" => "d",
            "week" | "weeks" => "w",
            "" => return None,
            _ => word,
        };
        short.push_str(number);
        short.push_str(unit);
        rest = tail.trim_start();
    }
    units::duration(&short).ok()
}

fn split(text: &str, belongs: impl Fn(char) -> bool) -> (&str, &str) {
    text.split_at(text.find(|c| !belongs(c)).unwrap_or(text.len()))
}

/// `yesterday`, `friday`, with or without a time.
fn by_name(text: &str, today: i64, now: Time, zone: Zone) -> Option<Span> {
    let (name, rest) = split(text, |c| c.is_ascii_alphabetic());
    let day = match name {
        "today" => today,
        "yesterday" => today - 1,
        "tomorrow" => today + 1,
        _ => {
            let (Name::Weekday(weekday), len) = names::find(name.as_bytes())? else { return None };
            let back = (calendar::weekday(today) - i64::from(weekday)).rem_euclid(7);
            (len == name.len()).then_some(today - back)?
        }
    };
    if rest.is_empty() {
        return Some(local(day * DAY, (day + 1) * DAY, zone));
    }
    time_of(day, &rest.strip_prefix(' ')?.trim_start().to_ascii_uppercase(), now, zone)
}

/// `2026-03`.
fn month(text: &str, zone: Zone) -> Option<Span> {
    let (year, month) = text.split_once('-')?;
    if (year.len(), month.len()) != (4, 2) || month.starts_with('+') {
        return None;
    }
    let (year, month) = (year.parse().ok()?, month.parse().ok()?);
    let next = if month == 12 { (year + 1, 1) } else { (year, month + 1) };
    let first = calendar::days(year, month, 1)?;
    Some(local(first * DAY, calendar::days(next.0, next.1, 1)? * DAY, zone))
}

/// `@0`, `@1741944413.123`, `@1741944413123`.
fn epoch(text: &str, now: Time, zone: Zone) -> Option<Span> {
    let digits = text.strip_prefix('@')?;
    let (secs, _) = split(digits, |c| c.is_ascii_digit());
    let zeros = "0".repeat(10_usize.saturating_sub(secs.len()));
    if secs.is_empty() {
        return None;
    }
    exact(&format!("{zeros}{digits}"), now, zone)
}

/// A time of day, of the day with this number.
fn time_of(day: i64, text: &str, now: Time, zone: Zone) -> Option<Span> {
    let form = stamp::typed(text.as_bytes())?;
    if form.has_date() {
        return None;
    }
    let (year, month, day) = calendar::date(day);
    exact(&format!("{year:04}-{month:02}-{day:02} {text}"), now, zone)
}

/// Any form of a stamp.
fn exact(text: &str, now: Time, zone: Zone) -> Option<Span> {
    let form: Form = stamp::typed(text.as_bytes())?;
    let first = Clock::new(zone, now, None).read(text.as_bytes(), form)?;
    let nanos = match form.precision() {
        Precision::Day => {
            let day = (first.secs() + i64::from(zone.east_of(first.secs()))).div_euclid(DAY);
            return Some(local(day * DAY, (day + 1) * DAY, zone));
        }
        Precision::Minute => 60 * SECOND,
        Precision::Second => SECOND,
        Precision::Fraction(digits) => 10_i64.pow(9_u32.saturating_sub(digits.into())),
    };
    Some(Span { first, last: Time::from_nanos(first.nanos().saturating_add(nanos - 1)) })
}

/// From one second of the local clocks to just before another.
fn local(first: i64, end: i64, zone: Zone) -> Span {
    let utc = |local: i64| Time::from_secs(local - i64::from(zone.shift_of(local).east));
    Span { first: utc(first), last: utc(end).minus(Duration::from_nanos(1)) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// Friday, in summer time.
    const NOW: i64 = 1_741_944_413; // 2025-03-14T09:26:53Z

    fn span(text: &str, zone: &str) -> Result<String, String> {
        let span = parse(text, Time::from_secs(NOW), Zone::parse(zone).unwrap())?;
        Ok(if span.first == span.last {
            span.first.to_string()
        } else {
            format!("{} {}", span.first, span.last)
        })
    }

    fn check(text: &str, first: &str, last: &str) {
        let want = if last.is_empty() { first.to_owned() } else { format!("{first} {last}") };
        assert_eq!(span(text, "UTC"), Ok(want), "{text}");
    }

    #[test]
    fn days_and_months() {
        let same = [
            "2025-03-12",
            "20250312",
            "2025/03/12",
            "12/Mar/2025",
            "12 Mar 2025",
            "March 12, 2025",
            "12.03.2025",
            "Mar 12",
            "12 mar",
            "wed",
            " Wednesday ",
        ];
        for text in same {
            check(text, "2025-03-12T00:00:00Z", "2025-03-12T23:59:59.999999999Z");
        }
        check("today", "2025-03-14T00:00:00Z", "2025-03-14T23:59:59.999999999Z");
        check("friday", "2025-03-14T00:00:00Z", "2025-03-14T23:59:59.999999999Z");
        check("saturday", "2025-03-08T00:00:00Z", "2025-03-08T23:59:59.999999999Z");
        check("yesterday", "2025-03-13T00:00:00Z", "2025-03-13T23:59:59.999999999Z");
        check("tomorrow", "2025-03-15T00:00:00Z", "2025-03-15T23:59:59.999999999Z");
        check("Dec 31", "2024-12-31T00:00:00Z", "2024-12-31T23:59:59.999999999Z");
        check("2024-02", "2024-02-01T00:00:00Z", "2024-02-29T23:59:59.999999999Z");
        check("2024-12", "2024-12-01T00:00:00Z", "2024-12-31T23:59:59.999999999Z");
    }

    #[test]
    fn times_as_exactly_as_told() {
        check("10:30", "2025-03-14T10:30:00Z", "2025-03-14T10:30:59.999999999Z");
        check("9:30 pm", "2025-03-14T21:30:00Z", "2025-03-14T21:30:59.999999999Z");
        check("yesterday 9:30 pm", "2025-03-13T21:30:00Z", "2025-03-13T21:30:59.999999999Z");
        check("mar 14 9:30 pm", "2025-03-14T21:30:00Z", "2025-03-14T21:30:59.999999999Z");
        check("2026-03-01 10:30 cet", "2026-03-01T09:30:00Z", "2026-03-01T09:30:59.999999999Z");
        check("09:30 utc", "2025-03-14T09:30:00Z", "2025-03-14T09:30:59.999999999Z");
        check("9:30 PM", "2025-03-14T21:30:00Z", "2025-03-14T21:30:59.999999999Z");
        check("10:30:05", "2025-03-14T10:30:05Z", "2025-03-14T10:30:05.999999999Z");
        check("10:30:05.123", "2025-03-14T10:30:05.123Z", "2025-03-14T10:30:05.123999999Z");
        check("yesterday 10:30", "2025-03-13T10:30:00Z", "2025-03-13T10:30:59.999999999Z");
        check("fri 10:30", "2025-03-14T10:30:00Z", "2025-03-14T10:30:59.999999999Z");
        check("2026-03-01 10:30", "2026-03-01T10:30:00Z", "2026-03-01T10:30:59.999999999Z");
        check("2026-03-01T10:30:05", "2026-03-01T10:30:05Z", "2026-03-01T10:30:05.999999999Z");
        check("2026-03-01T10:30:05.123456789+02:00", "2026-03-01T08:30:05.123456789Z", "");
        check("14/Mar/2026:10:30:00 +0000", "2026-03-14T10:30:00Z", "2026-03-14T10:30:00.999999999Z");
        check("Mar 14 10:30", "2025-03-14T10:30:00Z", "2025-03-14T10:30:59.999999999Z");
        check("Dec 24 10:30:00", "2024-12-24T10:30:00Z", "2024-12-24T10:30:00.999999999Z");
        check("@1741944413", "2025-03-14T09:26:53Z", "2025-03-14T09:26:53.999999999Z");
        check("@1741944413.123", "2025-03-14T09:26:53.123Z", "2025-03-14T09:26:53.123999999Z");
        check("@1741944413123", "2025-03-14T09:26:53.123Z", "2025-03-14T09:26:53.123999999Z");
        check("@0", "1970-01-01T00:00:00Z", "1970-01-01T00:00:00.999999999Z");
    }

    #[test]
    fn points_relative_to_now() {
        check("now", "2025-03-14T09:26:53Z", "");
        for text in ["-2h", "2h ago", "2 hours ago", "120 min ago", "-1h60m", "1 hour 60 minutes ago", "-2 h"]
        {
            check(text, "2025-03-14T07:26:53Z", "");
        }
        check("-7d", "2025-03-07T09:26:53Z", "");
        check("1 week ago", "2025-03-07T09:26:53Z", "");
        check("+5m", "2025-03-14T09:31:53Z", "");
        check("-1.5h", "2025-03-14T07:56:53Z", "");
    }

    #[test]
    fn days_with_a_changed_clock_are_whole() {
        let check =
            |zone: &str, text: &str, want: &str| assert_eq!(span(text, zone).unwrap(), want, "{text}");
        check("Europe/Berlin", "2025-03-30", "2025-03-29T23:00:00Z 2025-03-30T21:59:59.999999999Z");
        check("Europe/Berlin", "2025-10-26", "2025-10-25T22:00:00Z 2025-10-26T22:59:59.999999999Z");
        check("Europe/Berlin", "2025-03", "2025-02-28T23:00:00Z 2025-03-31T21:59:59.999999999Z");
        check("Europe/Berlin", "10:30", "2025-03-14T09:30:00Z 2025-03-14T09:30:59.999999999Z");
        // Clocks went from 23:59:59 to 01:00:00, and from 00:59:59 to 00:00:00.
        check("Asia/Beirut", "2022-03-27", "2022-03-26T22:00:00Z 2022-03-27T20:59:59.999999999Z");
        check("America/Havana", "2024-11-03", "2024-11-03T04:00:00Z 2024-11-04T04:59:59.999999999Z");
        check("Asia/Kolkata", "today", "2025-03-13T18:30:00Z 2025-03-14T18:29:59.999999999Z");
        check("Pacific/Auckland", "today", "2025-03-13T11:00:00Z 2025-03-14T10:59:59.999999999Z");
    }

    #[test]
    fn what_is_no_time_is_told_the_forms() {
        let said = parse("5m", Time::now(), Zone::Local).unwrap_err();
        assert_eq!(said, "`5m` is no time; did you mean `-5m`, so long ago?");
        let bad = [
            "",
            "foo",
            "2026-02-30",
            "25:00",
            "10:60",
            "-",
            "-2",
            "ago",
            "5 ago",
            "2026",
            "2026-13",
            "today foo",
            "friday friday",
            "@",
            "@x",
            "+2x",
            "-99999w",
            "2026-03-01 10:30 foo",
            "10.30",
            "03/14",
            "frid",
            "é",
            "2026-+3",
            "@1741944413x",
        ];
        for text in bad {
            let message = span(text, "UTC").unwrap_err();
            assert!(
                message.starts_with(&format!("`{text}` is no time; write it as 2026-03-01")),
                "{message}"
            );
        }
    }

    proptest! {
        #[test]
        fn reads_back_what_times_print(nanos in i64::MIN / 2..i64::MAX / 2, places in 0_u32..4) {
            let time = Time::from_nanos(nanos - nanos.rem_euclid(10_i64.pow(9 - 3 * places)));
            let span = parse(&time.to_string(), Time::from_secs(NOW), Zone::Local);
            prop_assert_eq!(span.map(|span| span.first), Ok(time));
        }

        #[test]
        fn spans_do_not_run_backwards(text in "[-+@]?[0-9a-z:. /-]{0,24}", now in any::<i64>(), east in -86_399..86_400) {
            if let Ok(span) = parse(&text, Time::from_nanos(now), Zone::Fixed(east)) {
                prop_assert!(span.first <= span.last);
            }
        }

        #[test]
        fn never_panics(text in ".{0,40}", now in any::<i64>()) {
            let _ = parse(&text, Time::from_nanos(now), Zone::parse("Europe/Berlin").unwrap());
        }
    }
}
