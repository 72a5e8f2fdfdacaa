//! Time zones: what local time a point in time has, and the other way round.

use super::calendar::DAY;
use chrono::{DateTime, Local, MappedLocalTime, NaiveDateTime, Offset, TimeZone as _};
use std::path::Path;
use tz::TimeZone;

/// The zone of stamps that do not tell theirs.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Zone {
    /// UTC.
    Utc,
    /// That of this machine: `TZ`, or else `/etc/localtime`.
    Local,
    /// Seconds east of UTC, less than a day.
    Fixed(i32),
    /// A zone of the IANA database, as this machine has it.
    Named(&'static TimeZone),
}

/// What local time is that of UTC.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Shift {
    /// Seconds east of UTC.
    pub(crate) east: i32,
    /// Did clocks show this local time just once?
    pub(crate) sure: bool,
}

impl Zone {
    /// Reads `UTC`, `local`, `+02:00`, `-0530`, `+2` or a name as `Europe/Berlin`, in any case.
    ///
    /// # Errors
    /// A sentence for clap when it is none of these.
    pub fn parse(text: &str) -> Result<Self, String> {
        let known = |name: &str| text.eq_ignore_ascii_case(name);
        if ["utc", "z", "gmt"].iter().any(|name| known(name)) {
            return Ok(Self::Utc);
        }
        if known("local") {
            return Ok(Self::Local);
        }
        if let Some(east) = offset(text.as_bytes()) {
            return Ok(Self::Fixed(east));
        }
        named(text).map(Self::Named).ok_or_else(|| {
            format!(
                "`{text}` is no time zone; write it as UTC, local, +02:00 or Europe/Berlin (names need {DATABASE})"
            )
        })
    }

    /// Seconds that the local time is ahead of UTC at the second `utc` since the epoch.
    #[must_use]
    pub fn east_of(self, utc: i64) -> i32 {
        match self {
            Self::Utc => 0,
            Self::Fixed(east) => east,
            Self::Local => moment(utc).map_or(0, |at| east(Local.offset_from_utc_datetime(&at))),
            Self::Named(zone) => zone.find_local_time_type(utc).map_or(0, tz::LocalTimeType::ut_offset),
        }
    }

    /// The offsets with which local clocks showed `local`: those of a day before and after, if they
    /// lead back to it.
    fn mapped(self, local: i64) -> MappedLocalTime<i32> {
        let leads_back = |east: i32| self.east_of(local - i64::from(east)) == east;
        let (before, after) = (self.east_of(local - DAY), self.east_of(local + DAY));
        match (leads_back(before), leads_back(after)) {
            (true, true) if before != after => MappedLocalTime::Ambiguous(before, after),
            (true, _) => MappedLocalTime::Single(before),
            (_, true) => MappedLocalTime::Single(after),
            (false, false) => MappedLocalTime::None,
        }
    }

    /// The same for the second `local` since 1970 of the local clocks. What they showed twice is
    /// the earlier of the two; what they skipped counts on from before the skip, so that 02:30
    /// becomes 03:30.
    pub(crate) fn shift_of(self, local: i64) -> Shift {
        let found = match self {
            Self::Utc => return Shift { east: 0, sure: true },
            Self::Fixed(east) => return Shift { east, sure: true },
            Self::Local => moment(local).map(|at| Local.offset_from_local_datetime(&at).map(east)),
            Self::Named(_) => Some(self.mapped(local)),
        };
        match found {
            Some(MappedLocalTime::Single(east)) => Shift { east, sure: true },
            // The earlier point in time is the one further east.
            Some(MappedLocalTime::Ambiguous(a, b)) => Shift { east: a.max(b), sure: false },
            // A day before is before the skip in every zone: no skip was longer than a day, and
            // those of a day were west of UTC.
            _ => Shift { east: self.east_of(local - DAY), sure: false },
        }
    }
}

/// Where the system keeps its time zones: a file of ours would grow stale, and be a megabyte.
const DATABASE: &str = "/usr/share/zoneinfo";

/// The zone of that name, in the case of the database or in lower case.
fn named(name: &str) -> Option<&'static TimeZone> {
    let is_name = |byte: u8| byte.is_ascii_alphanumeric() || b"/_+-".contains(&byte);
    if name.starts_with('/') || !name.bytes().all(is_name) || !name.contains(|c: char| c.is_alphabetic()) {
        return None;
    }
    let folder = std::env::var_os("TZDIR").unwrap_or_else(|| DATABASE.into());
    let read = |name: &str| std::fs::read(Path::new(&folder).join(name)).ok();
    let file = read(name).or_else(|| read(&capitalised(name)))?;
    let zone = TimeZone::from_tz_data(&file).ok()?;
    // A run has one or two zones; as references they can be copied with every stamp.
    Some(Box::leak(Box::new(zone)))
}

/// `america/new_york` as `America/New_York`.
fn capitalised(name: &str) -> String {
    let mut first = true;
    let letters = name.chars().map(|letter| {
        let own = if first { letter.to_ascii_uppercase() } else { letter };
        first = !letter.is_ascii_alphanumeric();
        own
    });
    letters.collect()
}

fn moment(secs: i64) -> Option<NaiveDateTime> {
    DateTime::from_timestamp(secs, 0).map(|time| time.naive_utc())
}

#[expect(clippy::needless_pass_by_value, reason = "it is what chrono's map() hands over")]
fn east(offset: impl Offset) -> i32 {
    offset.fix().local_minus_utc()
}

/// Seconds east of UTC: `+2`, `+02`, `+0200`, `+02:00`, or minutes as `+120`.
pub(crate) fn offset(text: &[u8]) -> Option<i32> {
    let (sign, digits) = match text {
        [b'+', digits @ ..] => (1, digits),
        [b'-', digits @ ..] => (-1, digits),
        _ => return None,
    };
    let digit = |byte: u8| byte.is_ascii_digit().then(|| i32::from(byte - b'0'));
    let (hours, minutes) = match *digits {
        [h] => (digit(h)?, 0),
        [h, i] => (digit(h)? * 10 + digit(i)?, 0),
        [a, b, c] => (0, digit(a)? * 100 + digit(b)? * 10 + digit(c)?),
        [h, i, m, n] | [h, i, b':', m, n] => {
            let minutes = digit(m)? * 10 + digit(n)?;
            (digit(h)? * 10 + digit(i)?, (minutes < 60).then_some(minutes)?)
        }
        _ => return None,
    };
    let seconds = hours * 3_600 + minutes * 60;
    (seconds < 86_400).then_some(sign * seconds)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn zones_by_name_and_offset() {
        let check = |text: &str, want: Option<Zone>| assert_eq!(Zone::parse(text).ok(), want, "{text}");
        check("UTC", Some(Zone::Utc));
        check("local", Some(Zone::Local));
        check("+02:00", Some(Zone::Fixed(7_200)));
        check("-0530", Some(Zone::Fixed(-19_800)));
        check("+2", Some(Zone::Fixed(7_200)));
        check("+14", Some(Zone::Fixed(50_400)));
        assert!(matches!(Zone::parse("Europe/Berlin"), Ok(Zone::Named(_))));
        assert_eq!(Zone::parse("america/new_york"), Zone::parse("America/New_York"));
        for bad in [
            "",
            "Berlin",
            "+",
            "+2x",
            "02:00",
            "+02:60",
            "+24:00",
            "+02:0",
            "Mars/Phobos",
            "/etc/localtime",
            "../x",
        ] {
            check(bad, None);
        }
    }

    #[test]
    fn skipped_and_repeated_hours() {
        let check = |zone: &str, local: &str, utc: &str, sure: bool| {
            let zone = Zone::parse(zone).unwrap();
            let secs = |text: &str| text.parse::<NaiveDateTime>().unwrap().and_utc().timestamp();
            let shift = zone.shift_of(secs(local));
            assert_eq!(secs(local) - i64::from(shift.east), secs(utc), "{zone:?} {local}");
            assert_eq!(shift.sure, sure, "{zone:?} {local}");
        };
        check("Europe/Berlin", "2025-03-30T01:59:59", "2025-03-30T00:59:59", true);
        check("Europe/Berlin", "2025-03-30T02:30:00", "2025-03-30T01:30:00", false);
        check("Europe/Berlin", "2025-03-30T03:00:00", "2025-03-30T01:00:00", true);
        check("Europe/Berlin", "2025-10-26T02:30:00", "2025-10-26T00:30:00", false);
        check("Europe/Berlin", "2025-10-26T03:00:00", "2025-10-26T02:00:00", true);
        check("America/New_York", "2025-03-09T02:30:00", "2025-03-09T07:30:00", false);
        check("America/New_York", "2025-11-02T01:30:00", "2025-11-02T05:30:00", false);
        check("Australia/Lord_Howe", "2025-10-05T02:15:00", "2025-10-04T15:45:00", false);
        check("Pacific/Apia", "2011-12-30T10:00:00", "2011-12-30T20:00:00", false);
        check("+05:30", "2025-03-14T00:00:00", "2025-03-13T18:30:00", true);
    }

    #[test]
    fn this_machine_is_what_chrono_says() {
        for secs in (0..2_000_000_000).step_by(7_777_777) {
            let want = Local.timestamp_opt(secs, 0).unwrap().offset().local_minus_utc();
            assert_eq!(Zone::Local.east_of(secs), want, "{secs}");
        }
    }
}
