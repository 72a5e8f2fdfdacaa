//! The stamps of ISO 8601 and RFC 3339 that stand in most tables, by their fixed places.
//!
//! What is read here means the same as in [`logs::clock`]; what is not may still be a time.

/// Seconds of a day.
pub(super) const DAY: i64 = 86_400;

/// A date and a time of day, as they are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Iso {
    /// Days since 1970-01-01.
    pub(super) day: i64,
    /// Of the day.
    pub(super) second: i64,
    /// Of the second.
    pub(super) nanos: i64,
    /// Seconds ahead of UTC, if that is told.
    pub(super) east: Option<i32>,
}

/// `2026-03-01`, `2026-03-01T10:30`, `2026-03-01 10:30:00.123 +02:00`.
#[inline]
pub(super) fn read(text: &[u8]) -> Option<Iso> {
    let (date, rest) = text.split_first_chunk::<10>()?;
    let day = day(date)?;
    if rest.is_empty() {
        return Some(Iso { day, second: 0, nanos: 0, east: None });
    }
    let ([b'T' | b't' | b' ', h1, h2, b':', m1, m2], rest) = rest.split_first_chunk::<6>()? else {
        return None;
    };
    let (hour, minute) = (pair(*h1, *h2)?, pair(*m1, *m2)?);
    let (second, nanos, rest) = seconds(rest)?;
    if hour > 23 || minute > 59 || second > 59 {
        return None;
    }
    let east = if rest.is_empty() { None } else { Some(zone(rest)?) };
    Some(Iso { day, second: hour * 3_600 + minute * 60 + second, nanos, east })
}

fn day(date: &[u8; 10]) -> Option<i64> {
    let [y1, y2, y3, y4, b'-', m1, m2, b'-', d1, d2] = *date else { return None };
    let year = pair(y1, y2)? * 100 + pair(y3, y4)?;
    days(year, pair(m1, m2)?, pair(d1, d2)?)
}

/// Days since 1970-01-01; `None` if there is no such day, or its year is not from 1678 to 2261.
fn days(year: i64, month: i64, day: i64) -> Option<i64> {
    let is_leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    let length = match month {
        2 => 28 + i64::from(is_leap),
        4 | 6 | 9 | 11 => 30,
        1..=12 => 31,
        _ => return None,
    };
    if !(1..=length).contains(&day) || !(1_678..=2_261).contains(&year) {
        return None;
    }
    // Years begin in March, so that the day that comes and goes is their last one.
    let year = year - i64::from(month <= 2);
    let months = (month + 9) % 12;
    Some(year * 365 + year / 4 - year / 100 + year / 400 + (153 * months + 2) / 5 + day - 719_469)
}

/// Seconds and nanoseconds, if they are told, and what follows. A leap second is not read here.
fn seconds(text: &[u8]) -> Option<(i64, i64, &[u8])> {
    let [b':', s1, s2, rest @ ..] = text else { return Some((0, 0, text)) };
    let second = pair(*s1, *s2)?;
    let [b'.', rest @ ..] = rest else { return Some((second, 0, rest)) };
    let digits = rest.iter().take_while(|byte| byte.is_ascii_digit()).count();
    if !(1..=9).contains(&digits) {
        return None;
    }
    let padded = rest.iter().take(digits).copied().chain(std::iter::repeat(b'0')).take(9);
    let nanos = padded.fold(0, |sum, digit| sum * 10 + i64::from(digit - b'0'));
    Some((second, nanos, rest.get(digits..)?))
}

/// Seconds ahead of UTC.
fn zone(text: &[u8]) -> Option<i32> {
    let (sign, hours, minutes) = match *text.strip_prefix(b" ").unwrap_or(text) {
        [b'Z' | b'z'] if text.len() == 1 => return Some(0),
        [sign @ (b'+' | b'-'), h1, h2] => (sign, pair(h1, h2)?, 0),
        [sign @ (b'+' | b'-'), h1, h2, m1, m2] | [sign @ (b'+' | b'-'), h1, h2, b':', m1, m2] => {
            (sign, pair(h1, h2)?, pair(m1, m2)?)
        }
        _ => return None,
    };
    if hours > 23 || minutes > 59 {
        return None;
    }
    let east = i32::try_from(hours * 3_600 + minutes * 60).ok()?;
    Some(if sign == b'-' { -east } else { east })
}

/// The value of two digits.
#[inline]
fn pair(tens: u8, ones: u8) -> Option<i64> {
    let (tens, ones) = (tens.wrapping_sub(b'0'), ones.wrapping_sub(b'0'));
    (tens <= 9 && ones <= 9).then(|| i64::from(tens * 10 + ones))
}
