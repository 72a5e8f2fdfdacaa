//! The second of the last stamp: most records have that of the one before, or nearly so.
//!
//! Stamps of one second differ in the digits of their fraction alone. Where these stand is found
//! once for each second and proved by the clock itself, so telling the next time takes a comparison
//! and a few digits.

use std::ops::Range;

use logs::clock::{Clock, Time};
use logs::stamp::{Form, Precision};

/// The longest stamp that is remembered; a longer one is told by the clock.
const LONGEST: usize = 40;
const SECOND: i64 = 1_000_000_000;

/// A second and how its stamps are spelled.
#[derive(Debug)]
pub(super) struct Second {
    text: [u8; LONGEST],
    length: usize,
    /// Where the digits of the fraction stand.
    digits: Range<usize>,
    /// Nanoseconds that one in the last of these digits means.
    unit: i64,
    begins: i64,
    /// Whether the second itself is exact enough.
    is_enough: bool,
}

impl Second {
    /// Knows no second. With `is_enough` the times of a second need not be told from each other.
    pub(super) fn new(is_enough: bool) -> Self {
        Self { text: [0; LONGEST], length: 0, digits: 0..0, unit: 0, begins: 0, is_enough }
    }

    /// The time of a stamp, if it is of the second that is known.
    #[inline]
    pub(super) fn tell(&self, stamp: &[u8]) -> Option<Time> {
        let known = &self.text[..self.length];
        if stamp.len() != known.len() || !is_same(&stamp[..self.digits.start], &known[..self.digits.start]) {
            return None;
        }
        if self.digits.end != stamp.len() && stamp[self.digits.end..] != known[self.digits.end..] {
            return None;
        }
        let fraction = number(&stamp[self.digits.clone()])?;
        let fraction = if self.is_enough { 0 } else { fraction * self.unit };
        Some(Time::from_nanos(self.begins + fraction))
    }

    /// Gets to know the second of a stamp of which the clock says that it means `time`.
    pub(super) fn learn(&mut self, stamp: &[u8], form: Form, time: Time, clock: &mut Clock) {
        self.length = 0;
        let Some(text) = self.text.get_mut(..stamp.len()) else { return };
        text.copy_from_slice(stamp);
        (self.digits, self.unit) = (stamp.len()..stamp.len(), 0);
        if let Precision::Fraction(places) = form.precision() {
            let places = usize::from(places);
            let point = stamp.iter().rposition(|byte| matches!(byte, b'.' | b','));
            let Some(digits) = point.map(|point| point + 1..point + 1 + places) else { return };
            let Some(fraction) = stamp.get(digits.clone()).and_then(number) else { return };
            // With another fraction in these digits it is another time of the same second.
            text[digits.clone()].fill(b'0');
            let whole = clock.read(text, form).map(Time::nanos);
            let unit = 10_i64.pow(9_u32.saturating_sub(u32::try_from(places).unwrap_or(0)));
            if whole.is_none_or(|whole| whole % SECOND != 0 || whole + fraction * unit != time.nanos()) {
                return;
            }
            (self.digits, self.unit) = (digits, unit);
        } else if time.nanos() % SECOND != 0 {
            return;
        }
        self.begins = time.nanos() - time.nanos().rem_euclid(SECOND);
        self.length = stamp.len();
    }
}

/// The decimal number; none when other bytes are in it.
#[inline]
fn number(digits: &[u8]) -> Option<i64> {
    let mut sum = 0;
    for byte in digits {
        let digit = byte.wrapping_sub(b'0');
        if digit > 9 {
            return None;
        }
        sum = sum * 10 + i64::from(digit);
    }
    Some(sum)
}

/// Whether two texts of the same length are equal, word by word: a call of memcmp costs as much as
/// all the rest.
#[inline]
fn is_same(a: &[u8], b: &[u8]) -> bool {
    match (a.last_chunk::<8>(), b.last_chunk::<8>()) {
        (Some(a_end), Some(b_end)) => {
            let (a, b) = (a.as_chunks::<8>().0, b.as_chunks::<8>().0);
            a_end == b_end && a.iter().zip(b).all(|(a, b)| a == b)
        }
        _ => a == b,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use logs::clock::Zone;
    use logs::stamp;
    use proptest::prelude::*;

    const STAMPS: [&str; 14] = [
        "2025-03-14 09:26:53,123",
        "2025-03-14 09:26:53",
        "2025-03-14T09:26:53.123456Z",
        "2025-03-14T09:26:53.1+02:00",
        "29.08.2023 13:47:38.984",
        "29.08.2023 13:47:38:984",
        "2005-06-03-15.42.50.675872",
        "Fri Mar 14 09:26:53.123 2025",
        "Mar 14 09:26:53",
        "14 Mar 2025 09:26:53.123",
        "09:26:53.123",
        "1741944413",
        "1741944413.123",
        "1741944413123",
    ];

    proptest! {
        #[test]
        fn tells_what_the_clock_tells(pick in 0..STAMPS.len(), edits in prop::collection::vec((0_usize..30, 0_u8..10), 0..4)) {
            let stamp = STAMPS[pick].as_bytes();
            let form = stamp::whole(stamp).unwrap();
            let mut clock = Clock::new(Zone::Utc, Time::from_secs(1_767_225_598), None);
            let mut second = Second::new(false);
            second.learn(stamp, form, clock.read(stamp, form).unwrap(), &mut clock);
            let mut other = stamp.to_vec();
            for (back, digit) in edits {
                let at = other.len().saturating_sub(back + 1);
                if other[at].is_ascii_digit() {
                    other[at] = b'0' + digit;
                }
            }
            if let Some(told) = second.tell(&other) {
                prop_assert_eq!(Some(told), clock.read(&other, form), "{}", String::from_utf8_lossy(&other));
            }
        }
    }

    #[test]
    fn fractions_behind_a_point_or_comma_are_known() {
        let check = |text: &str, other: &str, want: bool| {
            let form = stamp::whole(text.as_bytes()).unwrap();
            let mut clock = Clock::new(Zone::Utc, Time::from_secs(1_767_225_598), None);
            let mut second = Second::new(false);
            second.learn(text.as_bytes(), form, clock.read(text.as_bytes(), form).unwrap(), &mut clock);
            assert_eq!(second.tell(other.as_bytes()).is_some(), want, "{text}");
        };
        check("2025-03-14 09:26:53,123", "2025-03-14 09:26:53,999", true);
        check("2025-03-14 09:26:53,123", "2025-03-14 09:26:54,123", false);
        check("2025-03-14T09:26:53.1+02:00", "2025-03-14T09:26:53.9+02:00", true);
        check("2025-03-14T09:26:53.1+02:00", "2025-03-14T09:26:53.9+01:00", false);
        check("2025-03-14T09:26:53.1+02:00", "2025-03-14T09:26:53.x+02:00", false);
        check("2025-03-14 09:26:53", "2025-03-14 09:26:53", true);
        check("29.08.2023 13:47:38:984", "29.08.2024 13:47:38:984", false);
        check("2025-03-14 09:26", "2025-03-14 09:26", true);
    }

    #[test]
    fn where_seconds_are_enough_they_are_told() {
        let text = b"2025-03-14 09:26:53,123";
        let form = stamp::whole(text).unwrap();
        let mut clock = Clock::new(Zone::Utc, Time::now(), None);
        let mut second = Second::new(true);
        second.learn(text, form, clock.read(text, form).unwrap(), &mut clock);
        assert_eq!(second.tell(text), Some(Time::from_secs(1_741_944_413)));
    }
}
