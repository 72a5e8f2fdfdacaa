//! Answers that a word of a field gives.

use std::cmp::Ordering;

use crate::block::Block;
use crate::filter::Order;
use crate::kernel::Place;
use crate::number::{self, Number};
use crate::pattern::{Pattern, first_word};

/// The whole numbers of up to eight digits for which a comparison holds: these, or all but these.
pub(super) struct Near {
    first: u64,
    span: u64,
    is_outside: bool,
}

/// The largest of eight digits.
const MOST: u64 = 99_999_999;

impl Near {
    pub(super) fn of(order: Order, number: &Number) -> Self {
        // The first whole number that is at least `number`, and the first that is greater.
        let first = |is_beyond: fn(Ordering) -> bool| {
            let (mut low, mut high) = (0, MOST + 1);
            while low < high {
                let middle = low.midpoint(high);
                let found = number.compare(middle.to_string().as_bytes()).unwrap_or(Ordering::Less);
                if is_beyond(found) { high = middle } else { low = middle + 1 }
            }
            low
        };
        let (equal, greater) = (first(Ordering::is_ge), first(Ordering::is_gt));
        let below = |end: u64| (end, 0_u64.wrapping_sub(end).wrapping_sub(1), true);
        let (first, span, is_outside) = match order {
            Order::Equal if equal == greater => (u64::MAX, 0, false),
            Order::NotEqual if equal == greater => (u64::MAX, 0, true),
            Order::Equal => (equal, 0, false),
            Order::NotEqual => (equal, 0, true),
            Order::AtLeast => (equal, u64::MAX - equal, false),
            Order::Greater => (greater, u64::MAX - greater, false),
            Order::Less => below(equal),
            Order::AtMost => below(greater),
        };
        Self { first, span, is_outside }
    }

    /// The answer for a field that is a whole number of one to eight digits.
    #[inline]
    pub(super) fn word(&self, block: &Block, place: Place) -> Option<bool> {
        let word = block.bytes.get(place.start as usize..)?.first_chunk::<8>()?;
        let length = place.end.wrapping_sub(place.start) as usize;
        let value = number::small(u64::from_le_bytes(*word), length)?;
        Some(self.holds(value))
    }

    #[inline]
    fn holds(&self, value: u64) -> bool {
        (value.wrapping_sub(self.first) <= self.span) != self.is_outside
    }

    /// The same, also where it is in quotes.
    #[inline]
    pub(super) fn quoted_word(&self, block: &Block, place: Place) -> Option<bool> {
        let field = block.bytes.get(place.start as usize..)?;
        let [first, _, ..] = *field else { return None };
        let is_quoted = block.dialect.quote == Some(first);
        // Which fields are quoted cannot be foretold: no branch.
        let quotes = usize::from(is_quoted);
        let word = field.get(quotes..)?.first_chunk::<8>()?;
        let length = place.end.wrapping_sub(place.start) as usize;
        let value = number::small(u64::from_le_bytes(*word), length.wrapping_sub(2 * quotes))?;
        let is_closed = field.get(length.wrapping_sub(1)) == Some(&first);
        if is_quoted && !is_closed {
            return None;
        }
        Some(self.holds(value))
    }
}

/// A text that fields are equal to, or not.
pub(super) struct Same<'t> {
    text: &'t [u8],
    /// The text, where it is that short, and which bytes of a word it has.
    word: u64,
    mask: u64,
    /// What is answered where they are equal.
    answer: bool,
}

impl<'t> Same<'t> {
    pub(super) fn new(text: &'t [u8], answer: bool) -> Self {
        let (word, mask) = first_word(text);
        Self { text, word, mask, answer }
    }

    /// The answer for a field that is not quoted; for one that is, it is not known.
    #[inline]
    pub(super) fn field(&self, block: &Block, place: Place) -> Option<bool> {
        let word = block.bytes.get(place.start as usize..)?.first_chunk::<8>()?;
        let length = place.end.wrapping_sub(place.start) as usize;
        if length > 0 && block.dialect.quote == Some(word[0]) {
            return None;
        }
        let begins = u64::from_le_bytes(*word) & self.mask == self.word;
        let is_same =
            length == self.text.len() && begins && (length <= 8 || block.bytes_of(place) == self.text);
        Some(is_same == self.answer)
    }
}

/// The answer of a pattern for a field that is not quoted, where both ends of it tell.
#[inline]
pub(super) fn refused(pattern: &Pattern, block: &Block, place: Place) -> Option<bool> {
    let word = block.bytes.get(place.start as usize..)?.first_chunk::<8>()?;
    let last = (place.end as usize).checked_sub(1).and_then(|last| block.bytes.get(last))?;
    let is_known = place.start < place.end && block.dialect.quote != Some(word[0]);
    (is_known && pattern.refuses(u64::from_le_bytes(*word), *last)).then_some(false)
}
