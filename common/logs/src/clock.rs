//! What time a stamp means: range checks, years, zones.
//!
//! - An offset or abbreviation in the stamp counts; a stamp without one is in the zone of the
//!   [`Clock`]. Local times that a clock shows twice are the earlier one; those it skips count on
//!   from before the skip.
//! - Without a year it is the latest one that does not put the stamp more than a day after the
//!   anchor, which is when the input was last written. Or the operator names the year of the first
//!   record, and what lies earlier in the calendar than that record is of the next year.
//! - Without a date it is the latest day that does not put the stamp more than a minute after the
//!   anchor.
//! - Of two digits, 69 to 99 are of the 20th century (POSIX, `strptime`).
//! - `03/14/2025` and `14/03/2025` tell themselves. `03/04/2025` is read month first or day first,
//!   `17/06/09` year first, month first or day first: the first of these that lies in the year
//!   before the anchor, or else the first that does not lie after it. When another stamp of the
//!   input has proved its order, that counts ([`Clock::learn`]). Between points (`14.03.2025`) and
//!   before ` -- ` the day is first.
//! - Second 60 is a leap second and counts as the last nanosecond of second 59.
//! - `CST`, `IST`, `BST`, `PST` and `CDT` mean several zones: the one with the offset that the
//!   clock's own zone has then, or else that of North America, India and Britain.

pub(crate) mod calendar;
pub(crate) mod order;
#[cfg(test)]
mod tests;
mod time;
pub(crate) mod zone;

use crate::stamp::{Field, Form, Kind, Order, Suffix, names, zone::meanings};
use calendar::{DAY, date};
use order::{Known, Three};
pub(crate) use time::SECOND;
pub use time::Time;
pub use zone::Zone;

/// How far a stamp without a year may lie after the anchor: clocks of hosts and zones differ.
const AHEAD: i64 = DAY;

/// The same for one without a date.
const AHEAD_TODAY: i64 = 60;

/// Longest text up to the minute that is remembered.
const LEAD: usize = 24;

/// Tells the time of the stamps of one input.
///
/// [`Clock::read`] gives the same time for the same text in whatever order it is asked: it is
/// `&mut` only to remember the last minute and the last hour.
#[derive(Clone, Debug)]
pub struct Clock {
    zone: Zone,
    anchor: i64,
    /// Seconds that the zone is east of UTC at the anchor.
    east_then: i32,
    year: Option<i64>,
    first: (i64, i64),
    known: Known,
    hour: (i64, i32),
    memo: Memo,
}

/// The last minute: most records have the date, hour and minute of the one before.
#[derive(Clone, Copy, Debug)]
struct Memo {
    form: Form,
    lead: [u8; LEAD],
    minute: i64,
}

impl Clock {
    /// A clock for an input that was last written at `anchor` (now, for a pipe), whose stamps are
    /// in `zone` unless they say otherwise, and whose first record is of `year` if it is known.
    #[must_use]
    pub fn new(zone: Zone, anchor: Time, year: Option<i32>) -> Self {
        Self {
            zone,
            anchor: anchor.secs(),
            east_then: zone.east_of(anchor.secs()),
            year: year.map(i64::from),
            first: (1, 1),
            known: Known::default(),
            hour: (i64::MIN, 0),
            memo: Memo { form: Form::default(), lead: [0; LEAD], minute: 0 },
        }
    }

    /// The zone of stamps that do not tell theirs.
    #[must_use]
    pub fn zone(&self) -> Zone {
        self.zone
    }

    /// Tells the clock the first stamp of the input: the named year counts from its day on, less
    /// one day for records that are late. It also learns from it. To be called before the first
    /// read.
    pub fn begins_with(&mut self, text: &[u8], form: Form) {
        self.learn(text, form);
        if let Some((None, month, day)) = self.fields(text, form, self.latest(form, text)) {
            self.first = (month, day);
        }
    }

    /// Shows the clock a stamp of the input, so that it knows the order of days and months for all
    /// of them. To be called before the first read, best with the first and the last stamp.
    pub fn learn(&mut self, text: &[u8], form: Form) {
        self.memo.form = Form::default();
        if let Some(three) = numbers(text, form) {
            self.known.learn(three, form.order, self.latest(form, text));
        }
    }

    /// The time of the stamp that `text` begins with and `form` was recognised for; none when its
    /// numbers are out of range (a 14th month, a 30th of February), it is of another form, or the time
    /// lies outside of [`Time`].
    pub fn read(&mut self, text: &[u8], form: Form) -> Option<Time> {
        if form.is_empty() {
            return None;
        }
        match form.kind {
            Kind::Epoch => return epoch(text, form),
            Kind::Tai => return tai(text),
            Kind::Calendar => {}
        }
        let within = within_minute(text, form)?;
        let minute = self.minute(text, form)?;
        let east = match form.zone {
            Suffix::Offset => zone::offset(form.offset.of(text)?)?,
            Suffix::Named => self.meaning(form.offset.of(text)?, minute)?,
            Suffix::None | Suffix::Utc => 0,
        };
        let nanos = (minute - i64::from(east)).checked_mul(SECOND)?.checked_add(within)?;
        Some(Time::from_nanos(nanos))
    }

    /// The beginning of the minute: in UTC, or in the zone that the stamp tells.
    fn minute(&mut self, text: &[u8], form: Form) -> Option<i64> {
        let lead = text.get(..form.minute.end())?;
        if self.memo.form == form && self.memo.lead.get(..lead.len()) == Some(lead) {
            return Some(self.memo.minute);
        }
        let local = self.local(text, form)?;
        let minute = match form.zone {
            Suffix::None => local - i64::from(self.east(local)),
            Suffix::Utc | Suffix::Offset | Suffix::Named => local,
        };
        if lead.len() <= LEAD && depends_on_lead(form) {
            self.memo.form = form;
            self.memo.lead[..lead.len()].copy_from_slice(lead);
            self.memo.minute = minute;
        }
        Some(minute)
    }

    /// The beginning of the minute as the clock on the wall showed it.
    fn local(&self, text: &[u8], form: Form) -> Option<i64> {
        let of_day = hour(text, form)? * 3_600 + minute_of(text, form)? * 60;
        if form.day.len == 0 {
            let latest = self.anchor + AHEAD_TODAY + i64::from(self.east_at_anchor(text, form)?);
            return Some(latest - (latest - of_day).rem_euclid(DAY));
        }
        let latest = self.latest(form, text);
        let (year, month, day) = self.fields(text, form, latest)?;
        let day = match (year, self.year) {
            (Some(year), _) => calendar::day(year, month, day)?,
            (None, Some(year)) => {
                let (first_month, first_day) = self.first;
                let ahead = calendar::day(2_024, first_month, first_day)? - calendar::day(2_024, month, day)?;
                calendar::day(year + i64::from(ahead > 1), month, day)?
            }
            // Within eight years there is a 29th of February.
            (None, None) => {
                let (year, _, _) = date(latest.div_euclid(DAY));
                let then = |back| calendar::day(year - back, month, day);
                (0..=8).filter_map(then).find(|day| day * DAY + of_day <= latest)?
            }
        };
        Some(day * DAY + of_day)
    }

    /// Year, if there is one, month and day; the month is 0 when the day is that of the year.
    fn fields(&self, text: &[u8], form: Form, latest: i64) -> Option<(Option<i64>, i64, i64)> {
        if let Some(three) = numbers(text, form) {
            return self.known.reading(three, form.order, latest)?.apply(three);
        }
        let month = match form.month.of(text)? {
            [] => 0,
            name @ [first, ..] if first.is_ascii_alphabetic() => i64::from(names::month(name)?.0),
            _ => number(text, form.month).filter(|month| *month > 0)?,
        };
        let year = if form.year.len > 0 { Some(year(text, form.year)?) } else { None };
        Some((year, month, number(text, form.day)?))
    }

    /// The latest local time that a stamp may have whose year or order is to be found out.
    fn latest(&self, form: Form, text: &[u8]) -> i64 {
        self.anchor + AHEAD + i64::from(self.east_at_anchor(text, form).unwrap_or(0))
    }

    /// Seconds east of UTC at the anchor, in the zone of the stamp.
    fn east_at_anchor(&self, text: &[u8], form: Form) -> Option<i32> {
        match form.zone {
            Suffix::None => Some(self.east_then),
            Suffix::Utc => Some(0),
            Suffix::Offset => zone::offset(form.offset.of(text)?),
            Suffix::Named => Some(i32::from(*meanings(form.offset.of(text)?)?.first()?) * 900),
        }
    }

    /// Seconds east of UTC in the clock's own zone. Asking the zone takes longer than all the rest,
    /// so an hour without a change is remembered.
    fn east(&mut self, local: i64) -> i32 {
        let hour = local.div_euclid(3_600);
        if self.hour.0 == hour {
            return self.hour.1;
        }
        let shift = self.zone.shift_of(local);
        let ends = [self.zone.shift_of(hour * 3_600), self.zone.shift_of(hour * 3_600 + 3_599)];
        if ends.iter().all(|end| end.sure && end.east == shift.east) {
            self.hour = (hour, shift.east);
        }
        shift.east
    }

    /// Seconds east of UTC that an abbreviation means.
    fn meaning(&mut self, word: &[u8], local: i64) -> Option<i32> {
        let meanings = meanings(word)?;
        let own = if meanings.len() > 1 { self.east(local) } else { 0 };
        let fits = meanings.iter().find(|quarters| i32::from(**quarters) * 900 == own);
        fits.or(meanings.first()).map(|quarters| i32::from(*quarters) * 900)
    }
}

/// Is the minute told by the text up to it alone? AM, a year at the end and a zone that shifts the
/// anchor are behind it.
fn depends_on_lead(form: Form) -> bool {
    let year_in_front = form.year.len > 0 && form.year.at < form.hour.at;
    let anchored = form.year.len == 0 || form.order != Order::Sure;
    form.meridiem == 0
        && (year_in_front || form.year.len == 0)
        && !(anchored && matches!(form.zone, Suffix::Offset | Suffix::Named))
}

/// The three fields whose order is in doubt; the year is none when there is none.
fn numbers(text: &[u8], form: Form) -> Option<Three> {
    if form.order == Order::Sure {
        return None;
    }
    let last = if form.year.len > 0 { Some(number(text, form.year)?) } else { None };
    Some((number(text, form.month)?, number(text, form.day)?, last))
}

/// Nanoseconds since the beginning of the minute.
fn within_minute(text: &[u8], form: Form) -> Option<i64> {
    if form.second.len == 0 {
        return Some(0);
    }
    let nanos = fraction(text, form)?;
    match number(text, form.second)? {
        second @ 0..=59 => Some(second * SECOND + nanos),
        60 => Some(60 * SECOND - 1),
        _ => None,
    }
}

/// The fraction in nanoseconds.
fn fraction(text: &[u8], form: Form) -> Option<i64> {
    const SCALE: [i64; 10] = [0, 100_000_000, 10_000_000, 1_000_000, 100_000, 10_000, 1_000, 100, 10, 1];
    let digits = form.fraction.len;
    if digits == 0 {
        return Some(0);
    }
    // `0:4:37:4` counts milliseconds.
    let before = text.get(usize::from(form.fraction.at) - 1)?;
    let scale = if digits < 3 && *before == b':' { 1_000_000 } else { *SCALE.get(usize::from(digits))? };
    Some(number(text, form.fraction)? * scale)
}

/// The hour on a clock of 24 hours. Some print 13 PM; that is 13.
fn hour(text: &[u8], form: Form) -> Option<i64> {
    let hour = number(text, form.hour).filter(|hour| *hour < 24)?;
    let letter = if form.meridiem > 0 { *text.get(usize::from(form.meridiem))? | 0x20 } else { 0 };
    Some(match (letter, hour) {
        (b'a', 12) => 0,
        (b'p', 0..=11) => hour + 12,
        _ => hour,
    })
}

fn minute_of(text: &[u8], form: Form) -> Option<i64> {
    number(text, form.minute).filter(|minute| *minute < 60)
}

fn year(text: &[u8], field: Field) -> Option<i64> {
    Some(order::century(number(text, field)?, field.len))
}

/// Seconds and their fraction since the epoch.
fn epoch(text: &[u8], form: Form) -> Option<Time> {
    let secs = number(text, form.second)?;
    Some(Time::from_nanos(secs.checked_mul(SECOND)?.checked_add(fraction(text, form)?)?))
}

/// TAI64N as `multilog` and `tai64n` write it: they take the clock of the system, which knows no
/// leap seconds, and add ten seconds whatever the year.
fn tai(text: &[u8]) -> Option<Time> {
    let hex = |range| u64::from_str_radix(std::str::from_utf8(text.get(range)?).ok()?, 16).ok();
    let secs = hex(1..17)?.checked_sub((1 << 62) + 10)?;
    let nanos = i64::try_from(hex(17..25)?).ok().filter(|nanos| *nanos < SECOND)?;
    Some(Time::from_nanos(i64::try_from(secs).ok()?.checked_mul(SECOND)?.checked_add(nanos)?))
}

/// The decimal number in a field of at most ten digits; none when other bytes are in it.
fn number(text: &[u8], field: Field) -> Option<i64> {
    let mut sum = 0;
    for byte in field.of(text)? {
        let digit = byte.wrapping_sub(b'0');
        if digit > 9 {
            return None;
        }
        sum = sum * 10 + i64::from(digit);
    }
    Some(sum)
}
