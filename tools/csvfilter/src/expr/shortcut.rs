//! Conditions that need no language: `--min age=30`, `-w country=DE`.

use super::{Expr, Given, Literal, Node, Pattern, Place, Problem, Side, Value, clip, parse_measure};
use crate::columns::split_assignment;
use crate::filter::Order;

/// `age=30`
pub(crate) fn at_least(text: &str) -> Result<Expr, Problem> {
    bound(text, Order::AtLeast)
}

/// `age=60`
pub(crate) fn at_most(text: &str) -> Result<Expr, Problem> {
    bound(text, Order::AtMost)
}

/// `country=DE`
pub(crate) fn equals(text: &str) -> Result<Expr, Problem> {
    let (left, right, place) = halves(text)?;
    let literal = Literal { place, given: Given::Text(right.to_owned()) };
    Ok(compared(text, left, Order::Equal, literal))
}

/// `name=^test`
pub(crate) fn matches(text: &str) -> Result<Expr, Problem> {
    let (value, right, place) = halves(text)?;
    if right.is_empty() {
        return Err(Problem::new(place, "an empty pattern matches everything; write COLUMN=REGEX"));
    }
    let node = Node::Matches(value, Pattern::new(right, "", place)?);
    Ok(Expr { place: whole(text), node })
}

fn bound(text: &str, order: Order) -> Result<Expr, Problem> {
    let (left, right, place) = halves(text)?;
    let Some(literal) = parse_measure(right) else {
        let shown = clip(right);
        let sentence = format!("`{shown}` is no number and no time; write COLUMN=30 or COLUMN=2026-03-01");
        return Err(Problem::new(place, sentence));
    };
    let literal = Literal { place: literal.place.shifted(place.start), ..literal };
    Ok(compared(text, left, order, literal))
}

fn compared(text: &str, left: Value, order: Order, literal: Literal) -> Expr {
    Expr { place: whole(text), node: Node::Compare { left, order, right: Side::Literal(literal) } }
}

/// The column before `=`, and what stands behind it and where.
fn halves(text: &str) -> Result<(Value, &str, Place), Problem> {
    let (column, rest) = split_assignment(text).map_err(|sentence| Problem::new(whole(text), sentence))?;
    let right = Place { start: text.len() - rest.len(), end: text.len() };
    let place = Place { start: 0, end: right.start.saturating_sub(1) };
    Ok((Value { place, column, column_place: place, changes: Vec::new() }, rest, right))
}

fn whole(text: &str) -> Place {
    Place { start: 0, end: text.len() }
}
