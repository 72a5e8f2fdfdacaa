//! What is asked of a row: the expression of the command line, bound to the columns of a table.

use std::cmp::Ordering;
use std::collections::BTreeSet;

use memchr::memmem::Finder;

use crate::number::Number;
use crate::pattern::Pattern;
use crate::time::Span;

/// A condition on a row.
///
/// Conditions are tried from the left, and only as far as needed: in `not empty(age) and age >= 30`
/// the comparison does not see an empty field, and in `a or b` the second is not tried where the
/// first holds.
#[derive(Debug, Clone)]
#[allow(clippy::large_enum_variant, reason = "there are few, and they are built once")]
pub enum Condition {
    /// Holds for every row, or for none.
    Always(bool),
    /// It does not hold.
    Not(Box<Condition>),
    /// All of them hold.
    All(Vec<Condition>),
    /// At least one holds.
    Any(Vec<Condition>),
    /// A test of one value.
    Test {
        /// What is looked at.
        operand: Operand,
        /// What it must be.
        check: Check,
    },
    /// A comparison of two values of the row.
    Compare {
        /// On the left.
        left: Operand,
        /// How they must compare.
        order: Order,
        /// On the right.
        right: Operand,
        /// What both are compared as.
        kind: Kind,
    },
}

/// A column, and what is made of its value before it is looked at, in this order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Operand {
    /// Counted from 0.
    pub column: usize,
    /// In this order; mostly none.
    pub changes: Vec<Change>,
}

/// A function from text to text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Change {
    /// All letters small, by Unicode's rules.
    Lower,
    /// All letters capital, by Unicode's rules.
    Upper,
    /// Without white space at both ends.
    Trim,
    /// The number of characters, in decimal.
    Length,
}

/// What a value is compared as.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Byte by byte.
    Text,
    /// Exactly, as decimal numbers.
    Number,
    /// As points in time.
    Time,
}

/// How two values must compare.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Order {
    /// As much.
    Equal,
    /// Not as much.
    NotEqual,
    /// Less.
    Less,
    /// As much or less.
    AtMost,
    /// More.
    Greater,
    /// As much or more.
    AtLeast,
}

impl Order {
    /// Whether this is how they compare.
    #[must_use]
    #[inline]
    pub fn holds(self, found: Ordering) -> bool {
        match self {
            Self::Equal => found.is_eq(),
            Self::NotEqual => found.is_ne(),
            Self::Less => found.is_lt(),
            Self::AtMost => found.is_le(),
            Self::Greater => found.is_gt(),
            Self::AtLeast => found.is_ge(),
        }
    }
}

/// A test of one value.
#[derive(Debug, Clone)]
#[allow(clippy::large_enum_variant, reason = "there are few, and they are built once")]
pub enum Check {
    /// Compare with a number. An empty value is like no number: only `!=` holds. Another value that
    /// is no number makes the row a bad one.
    Number(Order, Number),
    /// Compare byte by byte.
    Text(Order, Vec<u8>),
    /// Compare with a stretch of time: `<` is before its beginning, `<=` before its end, `==` within
    /// it. What is no time is treated as what is no number.
    Time(Order, Span),
    /// Is one of these, byte for byte.
    AmongTexts(BTreeSet<Vec<u8>>),
    /// Equals one of these numbers.
    AmongNumbers(Vec<Number>),
    /// Matches somewhere.
    Matches(Pattern),
    /// It is somewhere in it.
    Contains(Finder<'static>),
    /// Begins with this.
    Begins(Vec<u8>),
    /// Ends with this.
    Ends(Vec<u8>),
    /// Has no byte.
    IsEmpty,
    /// Is a number.
    IsNumber,
    /// Is a time.
    IsTime,
}
