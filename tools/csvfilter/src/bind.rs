//! What an expression means for a table: its tree, bound to columns and to kinds of values.
//!
//! What a column is compared as is told by what stands on the other side: a number, a text, a time.
//! A pinned kind (`--types zip=text`) tells it instead, and then the literal is read as that kind:
//! `zip == 01234` is a comparison with the text `01234`.

mod check;
mod pins;
mod question;

use std::collections::BTreeMap;

use crate::columns::{Columns, Reference};
use crate::expr::{Expr, Node, Problem, Quality, Quoted, Side, Value, clip};
use crate::filter::{Change, Check, Condition, Kind, Operand, Order};
use crate::pattern::Pattern;
use crate::time::{Time, Zone};

pub use pins::Pins;
pub use question::Question;

/// What names and literals of an expression stand for.
#[derive(Debug, Clone, Copy)]
pub struct Table<'t> {
    /// The columns that names are looked for in.
    pub columns: &'t Columns,
    /// What columns are pinned to, counted from 0; see [`Pins::find`].
    pub kinds: &'t BTreeMap<usize, Kind>,
    /// What `now` is, and on which day `10:30` is.
    pub now: Time,
    /// The zone of times that do not tell theirs.
    pub zone: Zone,
}

/// A value, bound: what is looked at, and what kind it is if that is known without a literal.
struct Bound {
    operand: Operand,
    kind: Option<Kind>,
}

impl Table<'_> {
    /// What the expression asks of a row.
    ///
    /// # Errors
    /// When a column is not there, or a literal is not of the kind that is wanted.
    pub fn bind(&self, expr: &Expr) -> Result<Condition, Problem> {
        match &expr.node {
            Node::Always(value) => Ok(Condition::Always(*value)),
            Node::Not(inner) => self.bind(inner).map(negated),
            Node::All(parts) => self.bind_each(parts).map(all),
            Node::Any(parts) => self.bind_each(parts).map(any),
            Node::Compare { left, order, right: Side::Value(right) } => self.compare(left, *order, right),
            Node::Compare { left, order, right: Side::Literal(right) } => {
                let Bound { operand, kind } = self.value(left)?;
                let check = self.measure(left, kind, right)?;
                check::refuse_letters(left, (*order, kind), right)?;
                Ok(Condition::Test { operand, check: check.compared(*order) })
            }
            Node::Among(value, list) => {
                let Bound { operand, kind } = self.value(value)?;
                let measured = list.iter().map(|literal| self.measure(value, kind, literal));
                Ok(check::among(&operand, measured.collect::<Result<_, _>>()?))
            }
            Node::Matches(value, pattern) => {
                let check = check::plain(pattern).unwrap_or_else(|| {
                    Check::Matches(Pattern::new(pattern.regex.clone(), &pattern.source, &pattern.flags))
                });
                self.test(value, check)
            }
            Node::Is(value, quality) => self.test(
                value,
                match quality {
                    Quality::Empty => Check::IsEmpty,
                    Quality::Number => Check::IsNumber,
                    Quality::Time => Check::IsTime,
                },
            ),
            Node::Has(value, part, text) => self.test(value, check::part(*part, text)),
        }
    }

    fn bind_each(&self, parts: &[Expr]) -> Result<Vec<Condition>, Problem> {
        parts.iter().map(|part| self.bind(part)).collect()
    }

    fn test(&self, value: &Value, check: Check) -> Result<Condition, Problem> {
        Ok(Condition::Test { operand: self.value(value)?.operand, check })
    }

    fn value(&self, value: &Value) -> Result<Bound, Problem> {
        let found = self.columns.find(&value.column);
        let column = found.map_err(|sentence| Problem::new(value.column_place, sentence))?;
        let kind = match value.changes.last() {
            Some(Change::Length) => Some(Kind::Number),
            Some(_) => Some(Kind::Text),
            None => self.kinds.get(&column).copied(),
        };
        Ok(Bound { operand: Operand { column, changes: value.changes.clone() }, kind })
    }

    /// A comparison of two values of a row.
    fn compare(&self, left: &Value, order: Order, right: &Value) -> Result<Condition, Problem> {
        let place = left.place.to(right.place);
        let is_equality = matches!(order, Order::Equal | Order::NotEqual);
        let first = self.value(left)?;
        let second = self.value(right).map_err(|problem| self.perhaps_a_text(right, problem))?;
        let kind = match (first.kind, second.kind) {
            (Some(kind), Some(other)) if kind != other => {
                let (kind, other) = (pins::word(kind), pins::word(other));
                let sentence =
                    format!("{left} is a {kind} and {right} is a {other}; pin both alike with --types");
                return Err(Problem::new(place, sentence));
            }
            (Some(kind), _) | (None, Some(kind)) => kind,
            (None, None) if is_equality => Kind::Text,
            (None, None) => {
                let [left, right] = [&left.column, &right.column];
                let sentence = format!(
                    "what {left} and {right} are compared as is not known; \
                     write --types {left}=number,{right}=number, or time or text instead of number"
                );
                return Err(Problem::new(place, sentence));
            }
        };
        Ok(Condition::Compare { left: first.operand, order, right: second.operand, kind })
    }

    /// A bare word on the right is often a text without its quotes.
    fn perhaps_a_text(&self, value: &Value, problem: Problem) -> Problem {
        let Reference::Name(name) = &value.column else { return problem };
        if self.columns.find(&value.column).is_ok() {
            return problem;
        }
        let table = self.columns.table();
        let is_nothing = ["null", "nil", "none", "na"].contains(&name.to_lowercase().as_str());
        let sentence = match (problem.to_string().strip_suffix('?'), self.columns.is_foreign(name)) {
            _ if is_nothing => format!("no column `{name}` in {table}; a row without a value has empty(x)"),
            (Some(near), _) => format!("{near}, or the text {}?", Quoted(&clip(name))),
            (None, true) => {
                let name = clip(name);
                format!("no column `{name}` in {table}; a text stands in quotes: {}", Quoted(&name))
            }
            (None, false) => return problem,
        };
        Problem::new(problem.place, sentence)
    }
}

fn negated(condition: Condition) -> Condition {
    match condition {
        Condition::Always(value) => Condition::Always(!value),
        Condition::Not(inner) => *inner,
        other => Condition::Not(Box::new(other)),
    }
}

fn all(parts: Vec<Condition>) -> Condition {
    let mut kept = joined(parts, false);
    match kept.len() {
        0 => Condition::Always(true),
        1 => kept.swap_remove(0),
        _ => Condition::All(kept),
    }
}

fn any(parts: Vec<Condition>) -> Condition {
    let mut kept = joined(parts, true);
    match kept.len() {
        0 => Condition::Always(false),
        1 => kept.swap_remove(0),
        _ => Condition::Any(kept),
    }
}

/// The parts that matter for `or`, which is settled by what always holds, or for `and`, which is
/// settled by what never does. What comes before that stays: it can find a row bad.
fn joined(parts: Vec<Condition>, settling: bool) -> Vec<Condition> {
    let mut kept = Vec::new();
    for part in parts {
        match part {
            Condition::Always(value) if value != settling => {}
            Condition::All(inner) if !settling => kept.extend(inner),
            Condition::Any(inner) if settling => kept.extend(inner),
            other => kept.push(other),
        }
        if matches!(kept.last(), Some(Condition::Always(_))) {
            break;
        }
    }
    kept
}

#[cfg(test)]
mod tests;
