//! The language of conditions: `age >= 30 and country in ("DE", "FR")`.
//!
//! | written | is |
//! |---|---|
//! | `name` `` `any name` `` `$3` | a column |
//! | `30` `-1.5` `1e3` | a number |
//! | `"text"` `'text'` with `\\` `\"` `\'` `\n` `\t` `\r` | a text |
//! | `2026-03-01` `2026-03-01T10:30:00Z` `now` `now - 2h` | a time |
//! | `/regex/` with the flags `i` `s` `m` `x` behind it | a pattern; `\/` is a slash in it |
//! | `==` `=` `!=` `<` `<=` `>` `>=` | a comparison |
//! | `=~` `!~` | matches a pattern, or does not |
//! | `in (1, 2)` `not in ("a", "b")` | is one of a list, or is not |
//! | `lower(x)` `upper(x)` `trim(x)` `len(x)` | a value made of another |
//! | `empty(x)` `number(x)` `time(x)` | what a value is |
//! | `contains(x, "s")` `starts(x, "s")` `ends(x, "s")` | what is in it |
//! | `not` `and` `or`, also `!` `&&` <code>&#124;&#124;</code> | from the tightest to the loosest |
//!
//! The tree is what was written, with the place of each part; what it means for a table is told by
//! [`crate::bind`].

mod function;
mod habit;
mod literal;
mod operand;
mod parse;
mod pattern;
mod problem;
mod shortcut;
mod show;
mod token;

pub use pattern::Pattern;
pub use problem::Problem;
pub(crate) use problem::clip;
pub(crate) use shortcut::{at_least, at_most, equals, matches};
pub(crate) use show::Quoted;
pub(crate) use token::is_bare;

use crate::columns::Reference;
use crate::filter::{Change, Order};

/// Where something stands in an expression, in bytes: from `start` until before `end`.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Place {
    /// Of the first byte.
    pub start: usize,
    /// Behind the last byte.
    pub end: usize,
}

impl Place {
    /// From the beginning of this one to the end of another.
    #[must_use]
    pub fn to(self, other: Self) -> Self {
        Self { start: self.start, end: other.end }
    }

    /// The same, `by` bytes further.
    #[must_use]
    pub(crate) fn shifted(self, by: usize) -> Self {
        Self { start: self.start + by, end: self.end + by }
    }
}

/// A condition as it is written. Nested no deeper than [`parse()`] allows.
#[derive(Debug, Clone)]
pub struct Expr {
    /// Where it stands.
    pub place: Place,
    /// What it is.
    pub node: Node,
}

/// What a condition is made of.
#[derive(Debug, Clone)]
pub enum Node {
    /// `true` or `false`.
    Always(bool),
    /// `not`
    Not(Box<Expr>),
    /// `and`: two or more.
    All(Vec<Expr>),
    /// `or`: two or more.
    Any(Vec<Expr>),
    /// A literal on the left was turned round: `30 <= age` is `age >= 30`.
    Compare {
        /// What is compared.
        left: Value,
        /// How it must compare.
        order: Order,
        /// With what.
        right: Side,
    },
    /// `=~`
    Matches(Value, Pattern),
    /// `in`: the literals are of one kind, and at least one.
    Among(Value, Vec<Literal>),
    /// `empty(x)`, `number(x)`, `time(x)`
    Is(Value, Quality),
    /// `contains(x, "s")`, `starts(x, "s")`, `ends(x, "s")`
    Has(Value, Part, String),
}

/// A column, or what functions make of it.
#[derive(Debug, Clone)]
pub struct Value {
    /// Where it stands, with its functions.
    pub place: Place,
    /// The column.
    pub column: Reference,
    /// Where the column itself stands.
    pub column_place: Place,
    /// In the order in which they are made: `lower(trim(x))` trims first.
    pub changes: Vec<Change>,
}

/// The right side of a comparison.
#[derive(Debug, Clone)]
pub enum Side {
    /// Another value of the row.
    Value(Value),
    /// The same for every row.
    Literal(Literal),
}

/// A value that is written out.
#[derive(Debug, Clone)]
pub struct Literal {
    /// Where it stands.
    pub place: Place,
    /// What it is.
    pub given: Given,
}

/// What kind a literal is, as it is spelled; of a text what it means.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Given {
    /// As it is spelled: `030`.
    Number(String),
    /// What it means, without quotes and escapes.
    Text(String),
    /// A date, a date and time, `now`, `now - 2h` or `now + 1d`.
    Time(String),
}

/// What a value can be asked to be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Quality {
    /// Nothing: not a byte.
    Empty,
    /// A number.
    Number,
    /// A time.
    Time,
}

/// Where in a value a text is looked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Part {
    /// Anywhere in it.
    Anywhere,
    /// It begins with it.
    Beginning,
    /// It ends with it.
    End,
}

/// Parses an expression.
///
/// # Errors
/// What is wrong first, where, and the way out; also when it is nested deeper than 200 levels.
pub fn parse(text: &str) -> Result<Expr, Problem> {
    parse::parse(text)
}

/// The literal that a text is, if it is a number or a time and nothing else.
pub(crate) fn parse_measure(text: &str) -> Option<Literal> {
    match token::lex(text).ok()?.as_slice() {
        [token::Lexed { token: token::Token::Literal(given), place }, _end] => {
            let is_text = matches!(given, Given::Text(_));
            (!is_text).then(|| Literal { place: *place, given: given.clone() })
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests;
