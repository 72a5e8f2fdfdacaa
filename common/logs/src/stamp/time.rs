//! The time of day, what may stand between it and its date, and what may stand behind it.

use super::form::{Field, Form};
use super::zone::{ends_word, zone};
use super::{Extent, byte, run};

/// The end of what joins a date that ends at `at` to its time; none when no time can follow.
pub(super) fn joint(text: &[u8], at: usize) -> Option<usize> {
    let rest = text.get(at..)?;
    let len = match rest {
        [b' ', b't', b'i', b'm', b'e', b'=', ..] => 6,
        [b' ', b' ', hour, ..] if hour.is_ascii_digit() => 2,
        [b' ', b'-', b'-', b' ', ..] | [b' ', b'a', b't', b' ', ..] => 4,
        [b' ', b'-', b' ', ..] => 3,
        [b',', b' ', ..] | [b':', b':', ..] | [b']', b'[', ..] => 2,
        [b' ' | b'T' | b't' | b'\t' | b':' | b'-' | b'_' | b'|' | b',', ..] => 1,
        _ => return None,
    };
    Some(at + len)
}

/// The end of the time of a date, with fraction, AM and zone; it begins at `at`, behind the joint.
pub(super) fn dated(text: &[u8], at: usize, extent: Extent, form: &mut Form) -> Option<usize> {
    let before = byte(text, at.checked_sub(1)?);
    let digits = run(text, at);
    let sep = byte(text, at + digits);
    let end = match (digits, sep) {
        (1 | 2, b':') => spread(text, at, b':', before == b'-', form)?,
        (2, b'.' | b'-') if matches!(before, b'-' | b'_') => spread(text, at, sep, false, form)?,
        (6, _) => compact(text, at, true, form),
        (4, _) if before == b'T' => compact(text, at, false, form),
        _ => return None,
    };
    let end = rest(text, end, form);
    // `123456 10:30` is two numbers, not a minute of a day.
    let vague = form.second.len == 0 && form.year.len < 4 && form.meridiem == 0;
    let open = (digits > 2 || form.second.len == 0) && !ends_word(text, end);
    (!open && (!vague || extent == Extent::Typed)).then_some(end)
}

/// The end of a time without a date. It must stand alone: `00:11:22:33:44:55` is no time, and
/// `9:26` is one only with AM or when an operator types it.
pub(super) fn alone(text: &[u8], extent: Extent, form: &mut Form) -> Option<usize> {
    let digits = run(text, 0);
    let end = spread(text, 0, b':', false, form)?;
    let end = rest(text, end, form);
    let exact = digits == 2 && form.second.len > 0;
    if !exact && form.meridiem == 0 && extent != Extent::Typed {
        return None;
    }
    let goes_on = matches!(byte(text, end), b':' | b'/' | b'+') && byte(text, end + 1).is_ascii_digit();
    (ends_word(text, end) && !goes_on).then_some(end)
}

/// The end of fraction, AM and zone behind a time that ends at `at`.
pub(super) fn rest(text: &[u8], at: usize, form: &mut Form) -> usize {
    let end = if form.second.len > 0 { fraction(text, at, form) } else { at };
    let noon = meridiem(text, end, form);
    zone(text, noon, form)
}

/// `09:26:53` or `09:26`; `loose` lets minutes and seconds be one digit (`0:4:37:4`).
fn spread(text: &[u8], at: usize, sep: u8, loose: bool, form: &mut Form) -> Option<usize> {
    let fits = |digits: usize| digits == 2 || (loose && digits == 1);
    form.hour = Field::new(at, run(text, at));
    let minute = Field::new(form.hour.end() + 1, run(text, form.hour.end() + 1));
    if !fits(usize::from(minute.len)) {
        return None;
    }
    form.minute = minute;
    let end = minute.end();
    if byte(text, end) != sep || !byte(text, end + 1).is_ascii_digit() {
        return Some(end);
    }
    form.second = Field::new(end + 1, run(text, end + 1));
    fits(usize::from(form.second.len)).then_some(form.second.end())
}

/// `092653` or `0926`.
pub(super) fn compact(text: &[u8], at: usize, seconds: bool, form: &mut Form) -> usize {
    debug_assert!(run(text, at) >= 4);
    form.hour = Field::new(at, 2);
    form.minute = Field::new(at + 2, 2);
    if seconds {
        form.second = Field::new(at + 4, 2);
        return at + 6;
    }
    at + 4
}

/// The end of the fraction behind the seconds, `at` when there is none. A comma or a colon also
/// divides fields, so behind them only milli-, micro- and nanoseconds in full are a fraction,
/// except that behind a time with loose digits any count of milliseconds is.
pub(super) fn fraction(text: &[u8], at: usize, form: &mut Form) -> usize {
    let digits = match byte(text, at) {
        b'.' | b',' | b':' => run(text, at + 1),
        _ => return at,
    };
    let end = at + 1 + digits;
    let loose = form.hour.at > 0 && byte(text, usize::from(form.hour.at) - 1) == b'-';
    let fits = match byte(text, at) {
        b'.' => (1..=12).contains(&digits),
        b':' if byte(text, end) == b':' && byte(text, end + 1).is_ascii_alphanumeric() => false,
        b':' if loose && digits < 3 => digits > 0,
        _ => matches!(digits, 3 | 6 | 9),
    };
    if !fits {
        return at;
    }
    form.fraction = Field::new(at + 1, digits.min(9));
    end
}

/// The end of AM or PM at `at`, there or after a space; `at` when there is none. Behind `Mar 14
/// 09:26:53` there is the name of a host, and `pm` is one.
fn meridiem(text: &[u8], at: usize, form: &mut Form) -> usize {
    let rest = text.get(at..).unwrap_or_default();
    let skip = match rest {
        // Java and JavaScript put a narrow no-break space there since CLDR 42.
        [0xE2, 0x80, 0xAF, ..] => 3,
        [b' ', ..] => 1,
        _ => 0,
    };
    let syslog = form.year.len == 0 && form.month.len > 2;
    match rest.get(skip..) {
        Some([b'a' | b'p', ..]) if syslog => at,
        Some([b'A' | b'a' | b'P' | b'p', b'M' | b'm', ..]) if ends_word(text, at + skip + 2) => {
            form.meridiem = u8::try_from(at + skip).unwrap_or(0);
            at + skip + 2
        }
        _ => at,
    }
}
