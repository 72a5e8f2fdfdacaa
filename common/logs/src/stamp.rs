//! Timestamps in the forms that logs write them.
//!
//! A stamp is a date, what joins it to its time, the time, and a zone; any of them in any of its
//! spellings:
//!
//! | part | spellings |
//! |---|---|
//! | date, year first | `2025-03-14` `2025/03/14` `2025.03.14` `2025-Mar-14` `2025-073` `20250314` `250314` `2025 Mar 14` |
//! | date, year last | `14/Mar/2025` `14-Mar-25` `14Mar2025` `14 Mar 2025` `14.03.2025` `03/14/2025` `3/14/25` `17/06/09` `03-14-2025` `Mar 14, 2025` `Mar 14 2025` |
//! | date, no year | `Mar 14` `Mar  4` `14 Mar` `03-14` `03/14` `10.30` |
//! | weekday | any of these behind `Fri`, `Fri,` or `Friday,` |
//! | joint | one of ` ` `T` `_` `:` `::` `-` ` - ` ` -- ` `\|` `,` `, ` `][` ` at ` ` time=` or a tab; two spaces before `9:26:53` |
//! | time | `09:26:53` `9:26:53` `09:26` `092653`; behind `-` also `09.26.53` and `0:4:37` |
//! | fraction | `.1` to `.123456789`; `,123` `:123`, and six or nine digits |
//! | noon | `AM` `PM`, there or after a space |
//! | zone | `Z` `+02:00` `+0200` `+02` `+120` ` +0200` ` UTC` ` PDT` ` GMT+0100` ` +0000 UTC` |
//! | year at the end | `Fri Mar 14 09:26:53 2025`, `Fri Mar 14 09:26:53 PDT 2025` |
//! | whole stamps | `0314 09:26:53.123456` (glog), `0314/092653.123` (Chrome), `073/092653` (`HAProxy`), `20250314092653`, `09:26:53`, `9:26AM`, an epoch of 10, 13, 16 or 19 digits, TAI64N |
//!
//! Recognition is *digit-blind*: it tells digits from other bytes and looks at letters and
//! punctuation, but never at the value of a digit. Two texts alike but for their digits are
//! recognised alike, so a caller that has seen one record knows the form of all records of its
//! shape. That there is no 14th month is for [`crate::clock`] to say.

mod date;
mod form;
pub(crate) mod names;
#[cfg(test)]
mod tests;
mod time;
pub(crate) mod zone;

pub(crate) use form::{Field, Kind, Order, Suffix};
pub use form::{Form, Precision};

/// Only so many bytes are looked at; the longest stamp has about 60.
pub(crate) const LONGEST: usize = 80;

/// A timestamp at the beginning of a text.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Stamp {
    /// Its bytes, with fraction and zone.
    pub len: usize,
    /// Its form, for [`crate::clock::Clock::read`].
    pub form: Form,
}

/// Where the stamp stands decides what else may be one.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Extent {
    /// In front of other text.
    Header,
    /// Alone in a field of JSON or logfmt: a date of its own too.
    Value,
    /// Alone on a command line: `10:30` and `Mar 14` too.
    Typed,
}

/// The timestamp that begins at the first byte of `text`, as long as it goes.
///
/// Leading brackets, `<PRI>`, level letters and the like are the caller's to skip.
#[must_use]
pub fn at(text: &[u8]) -> Option<Stamp> {
    let form = find(text, Extent::Header)?;
    Some(Stamp { len: form.len(), form })
}

/// The form of a text that is a timestamp and nothing else: the value of a JSON or logfmt field,
/// without its quotes. A date alone will do here.
#[must_use]
pub fn whole(text: &[u8]) -> Option<Form> {
    find(text, Extent::Value).filter(|form| form.len() == text.len())
}

/// Like [`whole`], for what an operator types.
pub(crate) fn typed(text: &[u8]) -> Option<Form> {
    find(text, Extent::Typed).filter(|form| form.len() == text.len())
}

fn find(text: &[u8], extent: Extent) -> Option<Form> {
    let mut form = Form::default();
    let shown = text.get(..LONGEST).unwrap_or(text);
    let end = match shown.first()? {
        b'0'..=b'9' => iso(shown, &mut form).or_else(|| numeric(shown, extent, &mut form)),
        b'A'..=b'Z' | b'a'..=b'z' => worded(shown, extent, &mut form),
        b'@' => tai(shown, &mut form),
        _ => None,
    }?;
    form.len = u8::try_from(end).ok()?;
    Some(form)
}

/// `2025-03-14 09:26:53`, with a `T` or with slashes, as most stamps are: [`numeric`] says the same
/// of them, in thrice the time.
fn iso(text: &[u8], form: &mut Form) -> Option<usize> {
    const DIGITS: u128 = 0xFFFF_00FF_FF00_FFFF_00FF_FF00_FFFF_FFFF;
    let sixteen = text.first_chunk()?;
    let date = sixteen[4] == sixteen[7] && matches!(sixteen[4], b'-' | b'/');
    let time = matches!(sixteen[10], b' ' | b'T') && sixteen[13] == b':' && byte(text, 16) == b':';
    let digits = not_digits(u128::from_le_bytes(*sixteen)) & DIGITS == 0;
    if !date || !time || !digits || run(text, 17) != 2 {
        return None;
    }
    (form.year, form.month, form.day) = (Field::new(0, 4), Field::new(5, 2), Field::new(8, 2));
    (form.hour, form.minute, form.second) = (Field::new(11, 2), Field::new(14, 2), Field::new(17, 2));
    Some(time::rest(text, 19, form))
}

/// A stamp that begins with a digit.
fn numeric(text: &[u8], extent: Extent, form: &mut Form) -> Option<usize> {
    let digits = run(text, 0);
    match (digits, byte(text, digits)) {
        (1 | 2, b':') => time::alone(text, extent, form),
        (4, b' ') if run(text, 5) == 2 => glog(text, form),
        (3 | 4, b'/') if run(text, digits + 1) == 6 => chrome(text, digits, form),
        (10 | 13 | 16 | 19, _) => epoch(text, digits, form),
        (14, _) => {
            let date = date::compact(Field::new(0, 8), 4, form);
            let end = time::compact(text, date, true, form);
            let end = time::fraction(text, end, form);
            let end = zone::zone(text, end, form);
            ends(text, end).then_some(end)
        }
        _ => day_and_time(text, 0, extent, form),
    }
}

/// A stamp that begins with a letter: a weekday, a month.
fn worded(text: &[u8], extent: Extent, form: &mut Form) -> Option<usize> {
    let (names::Name::Weekday(_), len) = names::find(text)? else {
        return day_and_time(text, 0, extent, form);
    };
    let comma = usize::from(matches!(byte(text, len), b',' | b'.'));
    let at = len + comma + 1;
    if byte(text, at - 1) != b' ' {
        return None;
    }
    let end = day_and_time(text, at + usize::from(byte(text, at) == b' '), extent, form)?;
    if form.year.len > 0 || form.hour.len == 0 || byte(text, end) != b' ' || run(text, end + 1) != 4 {
        return Some(end);
    }
    if !zone::ends_word(text, end + 5) {
        return Some(end);
    }
    form.year = Field::new(end + 1, 4);
    Some(if form.zone == Suffix::None { zone::zone(text, end + 5, form) } else { end + 5 })
}

/// A date and its time; a date alone where that will do.
fn day_and_time(text: &[u8], at: usize, extent: Extent, form: &mut Form) -> Option<usize> {
    let end = date::date(text, at, form)?;
    if let Some(start) = time::joint(text, end) {
        let over = time::dated(text, start, extent, form)?;
        form.order = match form.order {
            // Suricata puts the day first.
            Order::DayOrMonth if text.get(end..start)? == b" -- " => {
                (form.day, form.month) = (form.month, form.day);
                Order::Sure
            }
            // WebSphere and Americans put the year last.
            Order::Unknown if byte(text, form.second.end()) == b':' || form.meridiem > 0 => Order::DayOrMonth,
            order => order,
        };
        return Some(over);
    }
    let year = form.year.len == 4 && form.month.len > 0;
    let alone = match extent {
        Extent::Header => false,
        // Eight digits in a field are more often a number.
        Extent::Value => year && run(text, at) < 8,
        Extent::Typed => year || form.month.len > 2,
    };
    (alone && end == text.len()).then_some(end)
}

/// `0314 09:26:53.123456` (glog, whose level letter the caller has skipped). The fraction is what
/// tells it from a number and a time.
fn glog(text: &[u8], form: &mut Form) -> Option<usize> {
    date::compact(Field::new(0, 4), 0, form);
    let end = time::dated(text, 5, Extent::Header, form)?;
    (form.fraction.len > 0).then_some(end)
}

/// `0314/092653.123` (Chrome); `073/092653`, with the day of the year (`HAProxy`).
fn chrome(text: &[u8], digits: usize, form: &mut Form) -> Option<usize> {
    if digits == 3 {
        form.day = Field::new(0, 3);
    } else {
        date::compact(Field::new(0, 4), 0, form);
    }
    let end = time::compact(text, digits + 1, true, form);
    let end = time::fraction(text, end, form);
    let exact = digits == 3 || form.fraction.len > 0;
    (exact && zone::ends_word(text, end)).then_some(end)
}

/// Ten digits of seconds with or without a fraction; 13, 16 and 19 digits are milli-, micro- and
/// nanoseconds.
fn epoch(text: &[u8], digits: usize, form: &mut Form) -> Option<usize> {
    form.kind = Kind::Epoch;
    form.second = Field::new(0, 10);
    form.fraction = Field::new(10, digits - 10);
    let end = if digits == 10 && byte(text, 10) == b'.' { time::fraction(text, 10, form) } else { digits };
    ends(text, end).then_some(end)
}

/// `@` and 24 hexadecimal digits (`multilog`, `tai64n`).
fn tai(text: &[u8], form: &mut Form) -> Option<usize> {
    let digits = text.get(1..)?.iter().take_while(|byte| byte.is_ascii_hexdigit()).count();
    form.kind = Kind::Tai;
    form.second = Field::new(1, 16);
    form.fraction = Field::new(17, 8);
    (digits == 24 && ends(text, 25)).then_some(25)
}

/// Is a number over before `at`? An identifier, a version, a path or a share goes on.
fn ends(text: &[u8], at: usize) -> bool {
    let next = byte(text, at);
    matches!(next, 0 | b',' | b';' | b':' | b')' | b']' | b'}' | b'>' | b'"' | b'\'' | b'|')
        || next.is_ascii_whitespace()
}

/// The byte at `at`, or NUL behind the end: no form has one.
fn byte(text: &[u8], at: usize) -> u8 {
    text.get(at).copied().unwrap_or(0)
}

/// How many digits stand at `at`, up to 20.
fn run(text: &[u8], at: usize) -> usize {
    let rest = text.get(at..).unwrap_or_default();
    let Some(eight) = rest.first_chunk() else { return count(rest) };
    match not_digits(u64::from_le_bytes(*eight).into()).trailing_zeros() / 8 {
        8 => 8 + count(&rest[8..]),
        digits => digits as usize,
    }
}

fn count(text: &[u8]) -> usize {
    text.iter().take(12).take_while(|byte| byte.is_ascii_digit()).count()
}

/// Non-zero bytes where `bytes` are no digits. Those are 0x30 to 0x3F, and still are when 6 is added.
fn not_digits(bytes: u128) -> u128 {
    const EACH: u128 = u128::MAX / 0xFF;
    let high = |bytes: u128| (bytes & (EACH * 0xF0)) ^ (EACH * 0x30);
    high(bytes) | high((bytes & (EACH * 0x7F)) + EACH * 6)
}
