//! What a literal means for the value that it is compared with.

use std::collections::BTreeSet;

use memchr::memmem::Finder;

use super::Table;
use crate::expr::{Given, Literal, Part, Pattern, Problem, Quoted, Value, clip};
use crate::filter::{Check, Condition, Kind, Operand, Order};
use crate::number::Number;
use crate::time::{self, Span};

/// A literal, read as the kind that is compared.
pub(super) enum Measured {
    Number(Number),
    Text(Vec<u8>),
    Time(Span),
}

impl Measured {
    pub(super) fn compared(self, order: Order) -> Check {
        match self {
            Self::Number(number) => Check::Number(order, number),
            Self::Text(text) => Check::Text(order, text),
            Self::Time(span) => Check::Time(order, span),
        }
    }
}

impl Table<'_> {
    /// Reads a literal as what `value` is compared as: its kind if that is known, else the
    /// literal's own.
    pub(super) fn measure(
        &self,
        value: &Value,
        kind: Option<Kind>,
        literal: &Literal,
    ) -> Result<Measured, Problem> {
        let is_made = !value.changes.is_empty();
        match (kind, &literal.given) {
            (None | Some(Kind::Text), Given::Text(text)) => Ok(Measured::Text(text.clone().into_bytes())),
            (None, Given::Time(text))
            | (Some(Kind::Time), Given::Time(text) | Given::Text(text) | Given::Number(text)) => {
                self.time(literal, text)
            }
            (Some(Kind::Number), Given::Text(text)) if is_made => {
                let way_out = match Number::parse(text.as_bytes()) {
                    Some(_) => format!("write {text} without quotes"),
                    None => "compare it with a number".into(),
                };
                Err(Problem::new(literal.place, format!("{value} is a number; {way_out}")))
            }
            (None, Given::Number(text)) | (Some(Kind::Number), Given::Number(text) | Given::Text(text)) => {
                number(literal, text)
            }
            (Some(Kind::Number), Given::Time(_)) if is_made => {
                Err(Problem::new(literal.place, format!("{value} is a number; compare it with one")))
            }
            (Some(Kind::Number), Given::Time(_)) => {
                let column = &value.column;
                let sentence =
                    format!("{column} is pinned to numbers, and this is a time; pin {column}=time");
                Err(Problem::new(literal.place, sentence))
            }
            (Some(Kind::Text), Given::Number(text) | Given::Time(text)) if is_made => {
                let (column, text) = (&value.column, Quoted(text));
                let sentence = format!("{value} is a text; write {text}, or compare {column} itself");
                Err(Problem::new(literal.place, sentence))
            }
            (Some(Kind::Text), Given::Time(text)) if text.starts_with("now") => {
                let column = &value.column;
                let sentence = format!("{column} is pinned to texts, and now is none; pin {column}=time");
                Err(Problem::new(literal.place, sentence))
            }
            (Some(Kind::Text), Given::Number(text) | Given::Time(text)) => {
                Ok(Measured::Text(text.clone().into_bytes()))
            }
        }
    }

    fn time(&self, literal: &Literal, text: &str) -> Result<Measured, Problem> {
        // `now - 2h` is told as `-2h` elsewhere.
        let told: String = match text.strip_prefix("now ") {
            Some(length) => length.chars().filter(|c| *c != ' ').collect(),
            None => text.to_owned(),
        };
        time::literal(&told, self.now, self.zone)
            .map(Measured::Time)
            .map_err(|sentence| Problem::new(literal.place, sentence))
    }
}

fn number(literal: &Literal, text: &str) -> Result<Measured, Problem> {
    Number::parse(text.as_bytes()).map(Measured::Number).ok_or_else(|| {
        let way_out = if text.is_empty() { "; a row without a value has empty(x)" } else { "" };
        Problem::new(literal.place, format!("`{}` is no number{way_out}", clip(text)))
    })
}

/// Refuses `age >= "30"`: letter by letter, 9 comes after 30, and nobody means that.
pub(super) fn refuse_letters(
    value: &Value,
    (order, kind): (Order, Option<Kind>),
    literal: &Literal,
) -> Result<(), Problem> {
    let Given::Text(text) = &literal.given else { return Ok(()) };
    let is_order = !matches!(order, Order::Equal | Order::NotEqual);
    if !is_order || kind.is_some() || Number::parse(text.as_bytes()).is_none() {
        return Ok(());
    }
    let (column, shown) = (&value.column, clip(text.trim()));
    let sentence = format!(
        "in quotes this is a text, and as texts \"9\" comes after \"30\"; write {shown} without quotes, \
         or --types {column}=text if it is meant"
    );
    Err(Problem::new(literal.place, sentence))
}

/// Is one of a list, whose items are of one kind.
pub(super) fn among(operand: &Operand, list: Vec<Measured>) -> Condition {
    let mut words = BTreeSet::new();
    let mut numbers = Vec::new();
    let mut parts = Vec::new();
    let part = |check: Check| Condition::Test { operand: operand.clone(), check };
    for measured in list {
        match measured {
            Measured::Number(number) => numbers.push(number),
            Measured::Time(span) => parts.push(part(Check::Time(Order::Equal, span))),
            Measured::Text(word) => {
                words.insert(word);
            }
        }
    }
    if !words.is_empty() {
        parts.push(part(Check::AmongTexts(words)));
    }
    if !numbers.is_empty() {
        parts.push(part(Check::AmongNumbers(numbers)));
    }
    super::any(parts)
}

pub(super) fn part(part: Part, text: &str) -> Check {
    match part {
        Part::Anywhere => Check::Contains(Finder::new(text.as_bytes()).into_owned()),
        Part::Beginning => Check::Begins(text.as_bytes().to_vec()),
        Part::End => Check::Ends(text.as_bytes().to_vec()),
    }
}

/// The same as a pattern that is a plain text, perhaps at the beginning or the end: that is looked
/// for without the regex engine.
pub(super) fn plain(pattern: &Pattern) -> Option<Check> {
    let source = pattern.source.as_str();
    let (begins, rest) = source.strip_prefix('^').map_or((false, source), |rest| (true, rest));
    let (ends, text) = rest.strip_suffix('$').map_or((false, rest), |text| (true, text));
    if !pattern.flags.is_empty() || text.is_empty() || text.contains(is_special) {
        return None;
    }
    Some(match (begins, ends) {
        (false, false) => part(Part::Anywhere, text),
        (true, false) => part(Part::Beginning, text),
        (false, true) => part(Part::End, text),
        (true, true) => Check::Text(Order::Equal, text.as_bytes().to_vec()),
    })
}

fn is_special(c: char) -> bool {
    matches!(c, '\\' | '.' | '+' | '*' | '?' | '(' | ')' | '|' | '[' | ']' | '{' | '}' | '^' | '$')
}
