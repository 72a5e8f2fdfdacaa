//! Numbers of any length, compared as they are written.

use std::cmp::Ordering;

/// A number as 0.`head``tail` times 10^`scale`.
///
/// The digits begin and end with another one than 0; zero has none.
#[derive(Debug)]
pub(super) struct Exact<'t> {
    is_negative: bool,
    head: &'t [u8],
    tail: &'t [u8],
    scale: Scale,
}

/// An integer of any size.
#[derive(Debug)]
enum Scale {
    Small(i128),
    /// More digits than are worth reading as a number; without leading zeros.
    Huge {
        is_negative: bool,
        digits: Vec<u8>,
    },
}

/// An exponent of more digits is not read as a number. Up to here it and the length of any text
/// together are far from the end of an `i128`.
const SMALL: usize = 30;

impl<'t> Exact<'t> {
    /// Reads a text without white space around it; `None` if it is no number.
    pub(super) fn of(text: &'t [u8]) -> Option<Self> {
        let (is_negative, text) = sign(text);
        let (whole, text) = digits(text);
        let (fraction, text) = match text {
            [b'.', rest @ ..] => digits(rest),
            _ => (&[][..], text),
        };
        if whole.is_empty() && fraction.is_empty() {
            return None;
        }
        let (is_small, exponent) = match text {
            [] => (false, &[][..]),
            [b'e' | b'E', rest @ ..] => exponent(rest)?,
            _ => return None,
        };
        let (head, mut tail) = (without_leading_zeros(whole), without_trailing_zeros(fraction));
        let mut shift = size(head);
        if head.is_empty() {
            let all = size(tail);
            tail = without_leading_zeros(tail);
            shift = size(tail) - all;
        }
        let head = if tail.is_empty() { without_trailing_zeros(head) } else { head };
        let is_zero = head.is_empty() && tail.is_empty();
        let scale = if is_zero { Scale::Small(0) } else { Scale::sum(is_small, exponent, shift) };
        Some(Self { is_negative: is_negative && !is_zero, head, tail, scale })
    }

    pub(super) fn compare(&self, other: &Self) -> Ordering {
        let signs = self.signum().cmp(&other.signum());
        if signs.is_ne() || self.signum() == 0 {
            return signs;
        }
        let sizes = self.scale.compare(&other.scale);
        let found = sizes.then_with(|| self.digits().cmp(other.digits()));
        if self.is_negative { found.reverse() } else { found }
    }

    /// The greatest integer that is not greater, and whether that is all of the number. Beyond the
    /// range of `i64` it is the end of it, which is then not all of the number.
    pub(super) fn floor(&self) -> (i64, bool) {
        let beyond = if self.is_negative { (i64::MIN, false) } else { (i64::MAX, false) };
        let places = match self.scale {
            Scale::Small(scale) if scale <= 19 => usize::try_from(scale).unwrap_or_default(),
            Scale::Huge { is_negative: true, .. } => 0,
            _ => return beyond,
        };
        let amount = self.leading(places);
        let is_whole = self.digits().count() <= places;
        let signed = if self.is_negative { -amount - i128::from(!is_whole) } else { amount };
        // The least one is kept apart for what is below all others.
        i64::try_from(signed)
            .ok()
            .filter(|floor| *floor != i64::MIN)
            .map_or(beyond, |floor| (floor, is_whole))
    }

    /// The number as an integer over a power of ten, and the exponent of that, if both the digits
    /// and the exponent are at most 18.
    pub(super) fn decimal(&self) -> Option<(i64, u32)> {
        let Scale::Small(scale) = self.scale else { return None };
        let count = i128::try_from(self.digits().count()).ok()?;
        let places = (count - scale).max(0);
        if places > 18 || scale + places > 18 {
            return None;
        }
        let amount = i64::try_from(self.leading(usize::try_from(scale + places).ok()?)).ok()?;
        Some((if self.is_negative { -amount } else { amount }, u32::try_from(places).ok()?))
    }

    /// The first `count` digits as an integer; there are zeros behind the last. At most 19.
    fn leading(&self, count: usize) -> i128 {
        let padded = self.digits().copied().chain(std::iter::repeat(b'0'));
        padded.take(count).fold(0, |sum, digit| sum * 10 + i128::from(digit - b'0'))
    }

    fn digits(&self) -> impl Iterator<Item = &u8> {
        self.head.iter().chain(self.tail)
    }

    fn signum(&self) -> i8 {
        match (self.is_negative, self.head.is_empty() && self.tail.is_empty()) {
            (_, true) => 0,
            (true, _) => -1,
            _ => 1,
        }
    }
}

impl Scale {
    /// The sum of an exponent without leading zeros and a length.
    fn sum(is_negative: bool, exponent: &[u8], shift: i128) -> Self {
        if exponent.len() <= SMALL {
            let amount = exponent.iter().fold(0, |sum, digit| sum * 10 + i128::from(digit - b'0'));
            return Self::Small(if is_negative { shift - amount } else { shift + amount });
        }
        // The exponent is greater by far, so the sum keeps its sign; `carry` is what is still to be
        // added to the digits further left.
        let mut digits = exponent.to_vec();
        let mut carry = if is_negative { -shift } else { shift };
        for digit in digits.iter_mut().rev() {
            let sum = i128::from(*digit - b'0') + carry;
            *digit = b'0' + u8::try_from(sum.rem_euclid(10)).unwrap_or_default();
            carry = sum.div_euclid(10);
        }
        if carry > 0 {
            digits.insert(0, b'1');
        }
        Self::Huge { is_negative, digits: without_leading_zeros(&digits).to_vec() }
    }

    fn compare(&self, other: &Self) -> Ordering {
        if let (Self::Small(left), Self::Small(right)) = (self, other) {
            return left.cmp(right);
        }
        let (left, right) = (self.is_negative(), other.is_negative());
        if left != right {
            return right.cmp(&left);
        }
        let (own, others) = (self.magnitude(), other.magnitude());
        let found = own.len().cmp(&others.len()).then_with(|| own.cmp(&others));
        if left { found.reverse() } else { found }
    }

    fn is_negative(&self) -> bool {
        match self {
            Self::Small(scale) => *scale < 0,
            Self::Huge { is_negative, .. } => *is_negative,
        }
    }

    fn magnitude(&self) -> Vec<u8> {
        match self {
            Self::Small(scale) => scale.unsigned_abs().to_string().into_bytes(),
            Self::Huge { digits, .. } => digits.clone(),
        }
    }
}

/// What follows the `e`: whether the exponent is negative, and its digits without leading zeros.
fn exponent(text: &[u8]) -> Option<(bool, &[u8])> {
    let (is_negative, text) = sign(text);
    let (digits, rest) = digits(text);
    (!digits.is_empty() && rest.is_empty()).then(|| (is_negative, without_leading_zeros(digits)))
}

fn sign(text: &[u8]) -> (bool, &[u8]) {
    match text {
        [b'-', rest @ ..] => (true, rest),
        [b'+', rest @ ..] => (false, rest),
        _ => (false, text),
    }
}

/// The digits that a text begins with, and the rest.
fn digits(text: &[u8]) -> (&[u8], &[u8]) {
    let end = text.iter().position(|byte| !byte.is_ascii_digit()).unwrap_or(text.len());
    text.split_at(end)
}

fn without_leading_zeros(digits: &[u8]) -> &[u8] {
    let start = digits.iter().position(|digit| *digit != b'0').unwrap_or(digits.len());
    digits.get(start..).unwrap_or_default()
}

fn without_trailing_zeros(digits: &[u8]) -> &[u8] {
    let end = digits.iter().rposition(|digit| *digit != b'0').map_or(0, |last| last + 1);
    digits.get(..end).unwrap_or_default()
}

/// The length of a text; no text in memory has one that does not fit.
fn size(text: &[u8]) -> i128 {
    i128::try_from(text.len()).unwrap_or(i128::MAX >> 1)
}
