//! The day, in every order.

use super::form::{Field, Form, Order};
use super::{byte, names, run};

/// The end of the date that begins at `at`.
pub(super) fn date(text: &[u8], at: usize, form: &mut Form) -> Option<usize> {
    let first = Field::new(at, run(text, at));
    match (first.len, byte(text, first.end())) {
        (4, sep @ (b'-' | b'/' | b'.')) => year_first(text, first, sep, form),
        (4, b' ') => {
            form.year = first;
            month_and_day(text, first.end() + 1, form)
        }
        (1 | 2, sep @ (b'-' | b'/' | b'.')) => day_or_month_first(text, first, sep, form),
        (1 | 2, b' ') => day_and_month(text, first, 1, form),
        (1 | 2, _) => day_and_month(text, first, 0, form),
        (6, _) => Some(compact(first, 2, form)),
        (8, _) => Some(compact(first, 4, form)),
        (0, _) => {
            let end = month_and_day(text, at, form)?;
            Some(comma_year(text, end, form).unwrap_or(end))
        }
        _ => None,
    }
}

/// `2025-03-14`, `2025/3/4`, `2025.03.14`, `2025-Mar-14`, `2025-073`.
fn year_first(text: &[u8], year: Field, sep: u8, form: &mut Form) -> Option<usize> {
    form.year = year;
    let at = year.end() + 1;
    let digits = run(text, at);
    if digits == 3 && sep == b'-' {
        form.day = Field::new(at, 3);
        return Some(at + 3);
    }
    form.month = match digits {
        1 | 2 => Field::new(at, digits),
        0 => Field::new(at, names::month(text.get(at..)?)?.1),
        _ => return None,
    };
    if byte(text, form.month.end()) != sep {
        return None;
    }
    form.day = short(text, form.month.end() + 1)?;
    Some(form.day.end())
}

/// `03/14/2025`, `14.03.25`, `14-Mar-2025`, `14/Mar/25`; without a year `03-14`, `3/14`, `10.30`.
fn day_or_month_first(text: &[u8], first: Field, sep: u8, form: &mut Form) -> Option<usize> {
    let at = first.end() + 1;
    if run(text, at) == 0 {
        form.day = first;
        form.month = Field::new(at, names::month(text.get(at..)?)?.1);
        let end = form.month.end();
        form.year = Field::new(end + 1, run(text, end + 1));
        return (byte(text, end) == sep && matches!(form.year.len, 2 | 4)).then_some(form.year.end());
    }
    let second = short(text, at)?;
    (form.month, form.day, form.order) = (first, second, Order::DayOrMonth);
    let end = second.end();
    if byte(text, end) != sep || !byte(text, end + 1).is_ascii_digit() {
        return (first.len == 2 && second.len == 2).then_some(end);
    }
    form.year = Field::new(end + 1, run(text, end + 1));
    match form.year.len {
        2 | 4 if sep == b'.' => (form.day, form.month, form.order) = (first, second, Order::Sure),
        2 if first.len == 2 && second.len == 2 => form.order = Order::Unknown,
        2 | 4 => {}
        _ => return None,
    }
    Some(form.year.end())
}

/// `14 Mar`, `14 Mar 2025`, `14Mar2025`: with `gap` spaces between.
fn day_and_month(text: &[u8], day: Field, gap: usize, form: &mut Form) -> Option<usize> {
    let at = day.end() + gap;
    form.day = day;
    form.month = Field::new(at, names::month(text.get(at..)?)?.1);
    let end = form.month.end();
    let year = end + gap;
    if (byte(text, end) == b' ' || gap == 0) && run(text, year) == 4 {
        form.year = Field::new(year, 4);
        return Some(year + 4);
    }
    (gap == 1).then_some(end)
}

/// `Mar 14`, `Mar  4`, `March 4`.
fn month_and_day(text: &[u8], at: usize, form: &mut Form) -> Option<usize> {
    form.month = Field::new(at, names::month(text.get(at..)?)?.1);
    let end = form.month.end();
    let pad = usize::from(byte(text, end + 1) == b' ');
    if byte(text, end) != b' ' {
        return None;
    }
    form.day = short(text, end + 1 + pad)?;
    Some(form.day.end())
}

/// The year in `Mar 14, 2025 9:26:53` and `Mar 14 2025 09:26:53`.
fn comma_year(text: &[u8], end: usize, form: &mut Form) -> Option<usize> {
    let at = end + usize::from(byte(text, end) == b',');
    (byte(text, at) == b' ' && run(text, at + 1) == 4).then(|| {
        form.year = Field::new(at + 1, 4);
        at + 5
    })
}

/// `20250314`, `250314`.
pub(super) fn compact(digits: Field, year: usize, form: &mut Form) -> usize {
    let at = usize::from(digits.at);
    form.year = Field::new(at, year);
    form.month = Field::new(at + year, 2);
    form.day = Field::new(at + year + 2, 2);
    at + year + 4
}

/// One or two digits.
fn short(text: &[u8], at: usize) -> Option<Field> {
    let digits = run(text, at);
    (1..=2).contains(&digits).then(|| Field::new(at, digits))
}
