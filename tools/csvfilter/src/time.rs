//! Points in time, as values are written and as an expression tells them.
//!
//! A value is a time when all of it is a stamp with a date and a year, in any of the spellings of
//! [`logs::stamp`]: `2026-03-01`, `2026-03-01T10:30:00Z`, `2026-03-01 10:30:00.5 +02:00`,
//! `14/Mar/2026:10:30:00 +0000`, `Sun, 01 Mar 2026 10:30:00 GMT`, an epoch of 10, 13, 16 or 19
//! digits. A date alone is its first instant.
//!
//! `03/04/2026` is no time: whether that is in March or in April no single value tells, and a guess
//! that changes from row to row would keep the wrong rows without a word.

mod iso;
#[cfg(test)]
mod tests;

use std::sync::OnceLock;
use std::sync::atomic::{AtomicI64, Ordering};

use logs::clock::Clock;
pub use logs::clock::{Time, Zone};
pub use logs::when::Span;
use logs::{stamp, when};

use iso::{DAY, Iso};

/// Reads what an expression tells as a time: as long as it is told exactly, so that `2026-03-01` is
/// the whole day and `10:30` that minute of today. `now` and `zone` count for what does not tell its
/// day or zone.
///
/// # Errors
/// A sentence that shows how times are written.
pub fn literal(text: &str, now: Time, zone: Zone) -> Result<Span, String> {
    if is_in_doubt(text.as_bytes()) {
        return Err(format!("`{text}` does not tell the day from the month; write it as 2026-03-01"));
    }
    when::parse(text, now, zone)
}

/// How many days are remembered; a power of two. 179 years, as rows need not be in order: birthdays.
const REMEMBERED: i64 = 65_536;

/// Reads the times of values; those that tell no zone of their own are in one and the same.
#[derive(Debug)]
pub struct Times {
    zone: Zone,
    clock: Clock,
    /// Each is a day and how far its clocks are ahead of UTC all day: 20 bits of seconds below the
    /// number of the day; 0 is none. Asking a zone takes longer than all the rest.
    days: OnceLock<Vec<AtomicI64>>,
}

impl Times {
    /// A reader of times that are in `zone` unless they say otherwise.
    #[must_use]
    pub fn new(zone: Zone) -> Self {
        // What is read always has a year, so that no time depends on the anchor.
        let clock = Clock::new(zone, Time::from_secs(0), None);
        Self { zone, clock, days: OnceLock::new() }
    }

    /// The time that a value means; `None` if it is no time, or there is no such day or hour.
    #[must_use]
    pub fn read(&self, value: &[u8]) -> Option<Time> {
        let text = value.trim_ascii();
        let fast = iso::read(text).and_then(|iso| self.time(&iso));
        fast.or_else(|| self.other(text))
    }

    fn time(&self, iso: &Iso) -> Option<Time> {
        let east = match iso.east {
            Some(east) => i64::from(east),
            None => self.east_all(iso.day)?,
        };
        let second = iso.day * DAY + iso.second - east;
        Some(Time::from_nanos(second.checked_mul(1_000_000_000)?.checked_add(iso.nanos)?))
    }

    /// Seconds that clocks are ahead of UTC on this day, if they are so all day.
    fn east_all(&self, day: i64) -> Option<i64> {
        const SECONDS: u32 = 20;
        match self.zone {
            Zone::Utc => return Some(0),
            Zone::Fixed(east) => return Some(i64::from(east)),
            Zone::Local | Zone::Named(_) => {}
        }
        let place = usize::try_from(day.rem_euclid(REMEMBERED)).ok()?;
        let days = self.days.get_or_init(|| (0..REMEMBERED).map(|_| AtomicI64::new(0)).collect());
        let slot = days.get(place)?;
        let known = slot.load(Ordering::Relaxed);
        if known != 0 && known >> SECONDS == day {
            return Some((known & ((1 << SECONDS) - 1)) - DAY);
        }
        let east = self.ask(day)?;
        // One word tells the whole of it, so threads need not wait for each other.
        slot.store((day << SECONDS) | (east + DAY), Ordering::Relaxed);
        Some(east)
    }

    /// The same from the zone. Changes of its clocks are hours apart.
    fn ask(&self, day: i64) -> Option<i64> {
        let at = |hour: i64| self.zone.east_of(day * DAY + hour * 3_600);
        let noon = at(12);
        // No zone is more than a day away from UTC, and a day is skipped or shown twice with what is
        // a day around it.
        (-25..=49).all(|hour| at(hour) == noon).then(|| i64::from(noon))
    }

    /// Every other form, and the days on which clocks are changed.
    #[cold]
    fn other(&self, text: &[u8]) -> Option<Time> {
        let form = stamp::whole(text).filter(|form| form.has_date() && form.has_year())?;
        if is_in_doubt(text) {
            return None;
        }
        // A copy, as reading changes what a clock remembers.
        self.clock.clone().read(text, form)
    }
}

/// Whether a date of three numbers is in the text whose first has at most two digits: `03/04/2026`,
/// `3-4-26`. Between points the day is first.
fn is_in_doubt(text: &[u8]) -> bool {
    let is_joint = |byte: Option<&u8>| byte.is_some_and(|byte| matches!(byte, b'/' | b'-'));
    let start = text.iter().position(u8::is_ascii_digit).unwrap_or(text.len());
    let (_, date) = text.split_at(start);
    let digits = |text: &[u8]| text.iter().take_while(|byte| byte.is_ascii_digit()).count();
    let first = digits(date);
    let rest = date.get(first + 1..).unwrap_or_default();
    let second = digits(rest);
    first <= 2 && is_joint(date.get(first)) && (1..=2).contains(&second) && is_joint(rest.get(second))
}
