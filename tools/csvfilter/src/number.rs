//! Decimal numbers, compared exactly.
//!
//! A number is `[+|-] digits [. digits] [e [+|-] digits]` with a digit before or behind the point;
//! white space around it is passed over. No value goes through binary floating point: ids beyond
//! 2^53 stay apart, and `0.1` is a tenth.

mod exact;
mod short;

use std::cmp::Ordering;

use exact::Exact;
pub(crate) use short::small;

/// A number that values are compared with.
#[derive(Debug, Clone)]
pub struct Number {
    /// As it is written, without white space.
    text: Vec<u8>,
    /// The greatest integer that is not greater; at the ends of the range beyond it.
    floor: i64,
    /// Whether it is `floor`.
    is_whole: bool,
    /// The same number as a multiple of a power of ten, if it is that short.
    decimal: Option<Decimal>,
}

/// `mantissa` / 10^`places`, at most 18 digits and as many places.
#[derive(Debug, Clone, Copy)]
struct Decimal {
    mantissa: i64,
    places: u32,
}

impl Number {
    /// Reads a number; `None` if the text is not one.
    #[must_use]
    pub fn parse(text: &[u8]) -> Option<Self> {
        let text = text.trim_ascii();
        let exact = Exact::of(text)?;
        let (floor, is_whole) = exact.floor();
        let decimal = exact.decimal().map(|(mantissa, places)| Decimal { mantissa, places });
        Some(Self { text: text.to_vec(), floor, is_whole, decimal })
    }

    /// How the number that is written as `text` compares with this one; `None` if it is not one.
    #[must_use]
    #[inline]
    pub fn compare(&self, text: &[u8]) -> Option<Ordering> {
        match short::whole(text) {
            Some(value) => Some(self.compare_whole(value)),
            None => self.compare_other(text),
        }
    }

    /// How an integer compares with this number. `i64::MIN` is beyond the range of values.
    #[must_use]
    #[inline]
    pub(crate) fn compare_whole(&self, value: i64) -> Ordering {
        if value == self.floor && !self.is_whole { Ordering::Less } else { value.cmp(&self.floor) }
    }

    /// What is no short run of digits.
    fn compare_other(&self, text: &[u8]) -> Option<Ordering> {
        let text = text.trim_ascii();
        let signed = short::signed(text);
        match (signed, self.decimal) {
            (Some((value, 0)), _) => Some(self.compare_whole(value)),
            (Some((mantissa, places)), Some(own)) => Some(Decimal { mantissa, places }.compare(own)),
            _ => Some(Exact::of(text)?.compare(&Exact::of(&self.text)?)),
        }
    }
}

impl PartialEq for Number {
    fn eq(&self, other: &Self) -> bool {
        self.compare(&other.text) == Some(Ordering::Equal)
    }
}

impl Decimal {
    #[inline]
    fn compare(self, other: Self) -> Ordering {
        let scaled = |own: Self, by: u32| i128::from(own.mantissa) * i128::from(short::power(by));
        scaled(self, other.places).cmp(&scaled(other, self.places))
    }
}

/// How two numbers compare; `None` if one of the texts is not a number.
#[must_use]
pub fn compare_texts(left: &[u8], right: &[u8]) -> Option<Ordering> {
    if let (Some(left), Some(right)) = (short::whole(left), short::whole(right)) {
        return Some(left.cmp(&right));
    }
    let (left, right) = (left.trim_ascii(), right.trim_ascii());
    let decimal = |(mantissa, places)| Decimal { mantissa, places };
    if let (Some(left), Some(right)) = (short::signed(left), short::signed(right)) {
        return Some(decimal(left).compare(decimal(right)));
    }
    Some(Exact::of(left)?.compare(&Exact::of(right)?))
}

/// Whether the text is a number.
#[must_use]
pub fn is_number(text: &[u8]) -> bool {
    short::whole(text).is_some() || Exact::of(text.trim_ascii()).is_some()
}

#[cfg(test)]
mod tests;
