//! Numbers as they are written, exactly.
//!
//! Decimal arithmetic on the text: nothing passes through binary floating point, which would make
//! 0.1 + 0.2 another number, 2^53 + 1 an even one and 1e400 infinity.

use std::borrow::Cow;
use std::cmp::Ordering;
use std::fmt::{Display, Formatter};

/// The largest exponent, of either sign, that `add` writes out. The largest double has 308; beyond
/// 1000 a few characters would become a line that nobody reads.
const LARGEST_EXPONENT: usize = 1000;

/// Why a sum has no answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    number: String,
    reason: &'static str,
}

impl Display for Problem {
    /// A clause for behind `cannot increment PATH: `.
    fn fmt(&self, out: &mut Formatter<'_>) -> std::fmt::Result {
        write!(out, "`{}` {}", self.number, self.reason)
    }
}

/// The one spelling of all numbers that equal `text` (1, 1.0 and 10e-1 are one, -0 is 0): digits
/// without a zero at either end, then `e` and a power of ten unless that is 0. What is no JSON number
/// is its own.
pub(crate) fn canonical(text: &[u8]) -> Cow<'_, [u8]> {
    let Some(number) = Number::read(text) else { return Cow::Borrowed(text) };
    if number.fraction.is_empty() && number.exponent.is_empty() && !text.ends_with(b"0") {
        return Cow::Borrowed(text);
    }
    let digits = [number.whole, number.fraction].concat();
    let Some(first) = digits.iter().position(|digit| *digit != b'0') else { return Cow::Borrowed(b"0") };
    let last = digits.iter().rposition(|digit| *digit != b'0').unwrap_or(first);
    let zeros = digits.len() - 1 - last;
    let mut spelling = if number.negative { b"-".to_vec() } else { Vec::new() };
    spelling.extend_from_slice(&digits[first..=last]);
    let power = power(number.exponent, zeros, number.fraction.len());
    if power != b"0" {
        spelling.push(b'e');
        spelling.extend_from_slice(&power);
    }
    Cow::Owned(spelling)
}

/// `exponent` + `zeros` - `places`, of any length.
fn power(exponent: &[u8], zeros: usize, places: usize) -> Vec<u8> {
    let short = std::str::from_utf8(exponent).ok().filter(|text| text.len() < 18);
    let short = short.and_then(|text| if text.is_empty() { Some(0) } else { text.parse::<i64>().ok() });
    if let (Some(short), Ok(zeros), Ok(places)) = (short, i32::try_from(zeros), i32::try_from(places)) {
        return (short + i64::from(zeros) - i64::from(places)).to_string().into_bytes();
    }
    let places = Decimal { negative: true, ..Decimal::from(places) };
    Decimal::integer(exponent).plus(Decimal::from(zeros)).plus(places).text()
}

/// The exact sum of two JSON numbers of any length, with as many decimal places as the longer of the
/// two has: 1.50 + 1 is 2.50, and -0.5 + 0.5 is 0.0.
///
/// Exponents are written out: 1e3 + 1 is 1001, 1.5e-2 + 1 is 1.015. A zero has no sign.
///
/// # Errors
/// When one is no JSON number, or has an exponent beyond 1000 of either sign.
pub fn add(one: &[u8], other: &[u8]) -> Result<Vec<u8>, Problem> {
    let sum = Decimal::read(one)?.plus(Decimal::read(other)?);
    Ok(sum.text())
}

/// The parts of a JSON number.
struct Number<'t> {
    negative: bool,
    whole: &'t [u8],
    fraction: &'t [u8],
    /// With its sign; empty where there is none.
    exponent: &'t [u8],
}

impl<'t> Number<'t> {
    /// `None` when `text` is not one number as RFC 8259 has it.
    fn read(text: &'t [u8]) -> Option<Self> {
        let unsigned = text.strip_prefix(b"-");
        let (whole, rest) = digits(unsigned.unwrap_or(text));
        if whole.is_empty() || whole.len() > 1 && whole[0] == b'0' {
            return None;
        }
        let (fraction, rest) = match rest.strip_prefix(b".") {
            Some(rest) => Some(digits(rest)).filter(|(fraction, _)| !fraction.is_empty())?,
            None => (&rest[..0], rest),
        };
        let exponent = match rest {
            [] => rest,
            [b'e' | b'E', exponent @ ..] => {
                let unsigned = exponent.strip_prefix(b"+").or_else(|| exponent.strip_prefix(b"-"));
                let (power, rest) = digits(unsigned.unwrap_or(exponent));
                (!power.is_empty() && rest.is_empty()).then_some(exponent)?
            }
            _ => return None,
        };
        Some(Self { negative: unsigned.is_some(), whole, fraction, exponent })
    }
}

/// Splits after the leading digits.
fn digits(text: &[u8]) -> (&[u8], &[u8]) {
    let end = text.iter().position(|byte| !byte.is_ascii_digit()).unwrap_or(text.len());
    text.split_at(end)
}

/// `digits` divided by ten to the `scale`; zeros in front are allowed.
struct Decimal {
    negative: bool,
    digits: Vec<u8>,
    scale: usize,
}

impl From<usize> for Decimal {
    fn from(number: usize) -> Self {
        Self::integer(number.to_string().as_bytes())
    }
}

impl Decimal {
    fn read(text: &[u8]) -> Result<Self, Problem> {
        let problem = |reason| Problem { number: excerpt(text), reason };
        let number = Number::read(text).ok_or_else(|| problem("is no number"))?;
        let mut digits = [number.whole, number.fraction].concat();
        let mut scale = number.fraction.len();
        let power = Self::integer(number.exponent);
        let size = std::str::from_utf8(&power.digits).ok().and_then(|digits| digits.parse::<usize>().ok());
        let size = size
            .filter(|size| *size <= LARGEST_EXPONENT)
            .ok_or_else(|| problem("has an exponent beyond 1000"))?;
        if power.negative {
            scale += size;
        } else {
            digits.resize(digits.len() + size.saturating_sub(scale), b'0');
            scale = scale.saturating_sub(size);
        }
        Ok(Self { negative: number.negative, digits, scale })
    }

    /// Digits behind a sign or none; nothing is 0.
    fn integer(text: &[u8]) -> Self {
        let digits = text.strip_prefix(b"-").or_else(|| text.strip_prefix(b"+")).unwrap_or(text);
        let digits = trim(digits).to_vec();
        let digits = if digits.is_empty() { b"0".to_vec() } else { digits };
        Self { negative: text.starts_with(b"-"), digits, scale: 0 }
    }

    fn plus(mut self, mut other: Self) -> Self {
        let scale = self.scale.max(other.scale);
        for part in [&mut self, &mut other] {
            part.digits.resize(part.digits.len() + scale - part.scale, b'0');
        }
        let (large, small) =
            if by_size(&self.digits, &other.digits).is_lt() { (other, self) } else { (self, other) };
        let opposed = large.negative != small.negative;
        Self { negative: large.negative, digits: combine(&large.digits, &small.digits, opposed), scale }
    }

    /// The number without exponent.
    fn text(&self) -> Vec<u8> {
        let digits = trim(&self.digits);
        let mut text = if self.negative && !digits.is_empty() { b"-".to_vec() } else { Vec::new() };
        let zeros = (self.scale + 1).saturating_sub(digits.len());
        let digits = [vec![b'0'; zeros].as_slice(), digits].concat();
        let (whole, fraction) = digits.split_at(digits.len() - self.scale);
        text.extend_from_slice(whole);
        if !fraction.is_empty() {
            text.push(b'.');
            text.extend_from_slice(fraction);
        }
        text
    }
}

/// `digits` without the zeros in front.
fn trim(digits: &[u8]) -> &[u8] {
    let start = digits.iter().position(|digit| *digit != b'0').unwrap_or(digits.len());
    &digits[start..]
}

fn by_size(one: &[u8], other: &[u8]) -> Ordering {
    let (one, other) = (trim(one), trim(other));
    one.len().cmp(&other.len()).then_with(|| one.cmp(other))
}

/// `large` plus `small`, or minus where they are opposed; `small` must not be the larger.
fn combine(large: &[u8], small: &[u8], opposed: bool) -> Vec<u8> {
    let small = trim(small).iter().rev().copied().chain(std::iter::repeat(b'0'));
    let mut sum = Vec::with_capacity(large.len() + 1);
    let mut carry = 0;
    for (one, other) in large.iter().rev().zip(small) {
        let (one, other) = (one - b'0', other - b'0' + carry);
        let (digit, next) = match opposed {
            true if one < other => (one + 10 - other, 1),
            true => (one - other, 0),
            false => ((one + other) % 10, (one + other) / 10),
        };
        sum.push(b'0' + digit);
        carry = next;
    }
    sum.push(b'0' + carry);
    sum.reverse();
    sum
}

/// The beginning of `text`, for a message.
fn excerpt(text: &[u8]) -> String {
    let shown = String::from_utf8_lossy(&text[..text.len().min(40)]);
    if text.len() > 40 { format!("{shown}...") } else { shown.into_owned() }
}

#[cfg(test)]
mod tests;
