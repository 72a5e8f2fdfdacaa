//! Evaluates a condition for all rows of a block, one test after the other.
//!
//! A test runs over all rows for which it matters before the next one begins: its loop is short, and
//! what it branches on is the same for every row.

mod quick;

use std::borrow::Cow;
use std::cmp::Ordering;

use crate::block::{Block, without_line_end};
use crate::filter::{Change, Check, Condition, Kind, Operand, Order};
use crate::judge::{Bad, Fault, Law, Verdict};
use crate::kernel::{Place, Which};
use crate::number::{self, Number};
use crate::time::{Span, Time};
use quick::{Near, Same};

/// What a test says of a row.
const NO: u8 = 0;
const YES: u8 = 1;
/// The row is a bad one.
const BAD: u8 = 2;

/// The room that evaluating takes; one for each thread.
pub(crate) struct Evaluation<'l> {
    law: &'l Law,
    /// A copy of our own: threads that share a regex get into each other's way.
    condition: Condition,
    work: Work<'l>,
}

struct Work<'l> {
    law: &'l Law,
    /// For each row of the block what was said of it last.
    answers: Vec<u8>,
    places: Vec<Place>,
    bad: Vec<Bad>,
    /// Lists of rows that are not in use.
    spare: Vec<Vec<u32>>,
}

impl<'l> Evaluation<'l> {
    pub(crate) fn new(law: &'l Law) -> Self {
        let (answers, places, bad, spare) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
        Self { law, condition: law.condition.clone(), work: Work { law, answers, places, bad, spare } }
    }

    /// Appends to the verdict which of `rows` are kept and which are bad.
    pub(crate) fn evaluate(&mut self, block: &Block, rows: &[u32], verdict: &mut Verdict) {
        if matches!(self.law.condition, Condition::Always(true)) {
            return verdict.kept.extend_from_slice(rows);
        }
        self.work.answers.resize(self.work.answers.len().max(block.rows()), NO);
        self.work.answer(&self.condition, block, rows);
        self.work.choose(rows, YES, &mut verdict.kept);
        verdict.bad.append(&mut self.work.bad);
    }
}

impl Work<'_> {
    /// Writes an answer for each of `rows`, and leaves those of all others as they are.
    fn answer(&mut self, condition: &Condition, block: &Block, rows: &[u32]) {
        match condition {
            Condition::Always(yes) => self.each(rows, |_| u8::from(*yes)),
            Condition::Not(inner) => {
                self.answer(inner, block, rows);
                self.each(rows, |answer| if answer == BAD { BAD } else { answer ^ 1 });
            }
            Condition::All(all) => self.in_turn(all, YES, block, rows),
            Condition::Any(any) => self.in_turn(any, NO, block, rows),
            Condition::Test { operand, check } => self.test(operand, check, block, rows),
            Condition::Compare { left, order, right, kind } => {
                for &row in rows {
                    let value = |operand: &Operand| value_of(operand, block, row);
                    let answer =
                        compare((left, &value(left)), *order, (right, &value(right)), (*kind, self.law));
                    self.note(row, answer);
                }
            }
        }
    }

    /// Tries one condition after the other, each for those rows whose answer so far is `open`.
    fn in_turn(&mut self, conditions: &[Condition], open: u8, block: &Block, rows: &[u32]) {
        let Some((first, others)) = conditions.split_first() else { return self.each(rows, |_| open) };
        self.answer(first, block, rows);
        let mut left = self.spare.pop().unwrap_or_default();
        let mut next = self.spare.pop().unwrap_or_default();
        left.clear();
        self.choose(rows, open, &mut left);
        for condition in others {
            self.answer(condition, block, &left);
            next.clear();
            self.choose(&left, open, &mut next);
            std::mem::swap(&mut left, &mut next);
        }
        self.spare.extend([left, next]);
    }

    /// Appends those of `rows` whose answer is `wanted`.
    fn choose(&self, rows: &[u32], wanted: u8, chosen: &mut Vec<u32>) {
        let mut count = chosen.len();
        chosen.resize(count + rows.len(), 0);
        for &row in rows {
            // Half of the rows are chosen or not, and nothing tells which: no branch.
            if let Some(slot) = chosen.get_mut(count) {
                *slot = row;
            }
            count = count.wrapping_add(usize::from(self.answers.get(row as usize) == Some(&wanted)));
        }
        chosen.truncate(count);
    }

    fn each(&mut self, rows: &[u32], change: impl Fn(u8) -> u8) {
        for &row in rows {
            if let Some(answer) = self.answers.get_mut(row as usize) {
                *answer = change(*answer);
            }
        }
    }

    fn note(&mut self, row: u32, answer: Result<bool, Fault>) {
        let answer = answer.map_or_else(
            |fault| {
                self.bad.push(Bad { row, fault });
                BAD
            },
            u8::from,
        );
        if let Some(slot) = self.answers.get_mut(row as usize) {
            *slot = answer;
        }
    }

    /// Finds the column of all `rows`.
    fn locate(&mut self, column: usize, block: &Block, rows: &[u32]) {
        let is_last = column + 1 == self.law.columns;
        let which = Which { column: u32::try_from(column).unwrap_or(u32::MAX), is_last };
        self.law.cpu.locate(&block.index, rows, which, &mut self.places);
        if is_last {
            for place in &mut self.places {
                let field = without_line_end(block.bytes_of(*place));
                place.end = place.start.wrapping_add(u32::try_from(field.len()).unwrap_or(u32::MAX));
            }
        }
    }

    /// Runs one test for all `rows`.
    fn test(&mut self, operand: &Operand, check: &Check, block: &Block, rows: &[u32]) {
        self.locate(operand.column, block, rows);
        let plain = operand.changes.is_empty() && !block.dialect.escapes;
        match check {
            Check::Number(order, number) if plain => {
                let near = Near::of(*order, number);
                let slow = |raw: &[u8]| {
                    number_holds(&block.dialect.value(raw), *order, number)
                        .ok_or(Fault::NoNumber { column: operand.column })
                };
                if block.index.has_quotes {
                    self.run(block, rows, |place| near.quoted_word(block, place), slow);
                } else {
                    self.run(block, rows, |place| near.word(block, place), slow);
                }
            }
            Check::Text(order @ (Order::Equal | Order::NotEqual), text) if plain => {
                let same = Same::new(text, *order == Order::Equal);
                self.run(
                    block,
                    rows,
                    |place| same.field(block, place),
                    |raw| Ok(order.holds((*block.dialect.value(raw)).cmp(text))),
                );
            }
            Check::Matches(pattern) if plain => {
                self.run(
                    block,
                    rows,
                    |place| quick::refused(pattern, block, place),
                    |raw| Ok(pattern.is_match(&block.dialect.value(raw))),
                );
            }
            _ => {
                let law = self.law;
                self.run(
                    block,
                    rows,
                    |_| None,
                    |raw| {
                        let value = block.dialect.value(raw);
                        let value =
                            if operand.changes.is_empty() { value } else { changed(value, &operand.changes) };
                        holds(&value, check, operand.column, law)
                    },
                );
            }
        }
    }

    /// Answers for all `rows`, whose fields were located: by `quick` where it knows, else by `slow`.
    fn run(
        &mut self,
        block: &Block,
        rows: &[u32],
        quick: impl Fn(Place) -> Option<bool>,
        slow: impl Fn(&[u8]) -> Result<bool, Fault>,
    ) {
        let Self { answers, places, bad, .. } = self;
        for (&row, &place) in rows.iter().zip(&*places) {
            let answer = match quick(place) {
                Some(yes) => u8::from(yes),
                None => match slow(block.bytes_of(place)) {
                    Ok(yes) => u8::from(yes),
                    Err(fault) => {
                        bad.push(Bad { row, fault });
                        BAD
                    }
                },
            };
            if let Some(slot) = answers.get_mut(row as usize) {
                *slot = answer;
            }
        }
    }
}

/// `None`: it is no number.
fn number_holds(value: &[u8], order: Order, number: &Number) -> Option<bool> {
    match number.compare(value) {
        Some(found) => Some(order.holds(found)),
        None if value.is_empty() => Some(order == Order::NotEqual),
        None => None,
    }
}

fn holds(value: &[u8], check: &Check, column: usize, law: &Law) -> Result<bool, Fault> {
    Ok(match check {
        Check::Number(order, number) => {
            return number_holds(value, *order, number).ok_or(Fault::NoNumber { column });
        }
        Check::Time(order, span) => match law.times.read(value) {
            Some(time) => within(time, *order, *span),
            None if value.is_empty() => *order == Order::NotEqual,
            None => return Err(Fault::NoTime { column }),
        },
        Check::Text(order, text) => order.holds(value.cmp(text)),
        Check::AmongTexts(texts) => texts.contains(value),
        Check::AmongNumbers(_) if value.is_empty() => false,
        Check::AmongNumbers(numbers) => {
            let equal = numbers.iter().map(|number| number.compare(value).map(Ordering::is_eq));
            return equal
                .reduce(|one, other| Some(one? || other?))
                .flatten()
                .ok_or(Fault::NoNumber { column });
        }
        Check::Matches(regex) => regex.is_match(value),
        Check::Contains(finder) => finder.find(value).is_some(),
        Check::Begins(text) => value.starts_with(text),
        Check::Ends(text) => value.ends_with(text),
        Check::IsEmpty => value.is_empty(),
        Check::IsNumber => number::is_number(value),
        Check::IsTime => law.times.read(value).is_some(),
    })
}

/// How a time lies to a stretch that ends with its last instant.
fn within(time: Time, order: Order, span: Span) -> bool {
    match order {
        Order::Equal => span.first <= time && time <= span.last,
        Order::NotEqual => time < span.first || span.last < time,
        Order::Less => time < span.first,
        Order::AtMost => time <= span.last,
        Order::Greater => time > span.last,
        Order::AtLeast => time >= span.first,
    }
}

/// Compares two values of a row. An empty one equals nothing but an empty one.
fn compare(
    (left, left_value): (&Operand, &[u8]),
    order: Order,
    (right, right_value): (&Operand, &[u8]),
    (kind, law): (Kind, &Law),
) -> Result<bool, Fault> {
    if kind != Kind::Text && (left_value.is_empty() || right_value.is_empty()) {
        let is_equal = left_value.is_empty() && right_value.is_empty();
        return Ok(match order {
            Order::Equal => is_equal,
            Order::NotEqual => !is_equal,
            _ => false,
        });
    }
    let found = match kind {
        Kind::Text => left_value.cmp(right_value),
        Kind::Number => number::compare_texts(left_value, right_value).ok_or_else(|| {
            let wrong = if number::is_number(left_value) { right } else { left };
            Fault::NoNumber { column: wrong.column }
        })?,
        Kind::Time => {
            let time = |operand: &Operand, value| {
                law.times.read(value).ok_or(Fault::NoTime { column: operand.column })
            };
            time(left, left_value)?.cmp(&time(right, right_value)?)
        }
    };
    Ok(order.holds(found))
}

fn value_of<'b>(operand: &Operand, block: &'b Block, row: u32) -> Cow<'b, [u8]> {
    let raw = block.fields(row as usize).nth(operand.column).unwrap_or_default();
    changed(block.dialect.value(raw), &operand.changes)
}

/// What the functions make of a value.
fn changed<'v>(value: Cow<'v, [u8]>, changes: &[Change]) -> Cow<'v, [u8]> {
    changes.iter().fold(value, |value, change| match change {
        Change::Lower => Cow::Owned(String::from_utf8_lossy(&value).to_lowercase().into_bytes()),
        Change::Upper => Cow::Owned(String::from_utf8_lossy(&value).to_uppercase().into_bytes()),
        Change::Trim => Cow::Owned(value.trim_ascii().to_vec()),
        Change::Length => {
            Cow::Owned(String::from_utf8_lossy(&value).chars().count().to_string().into_bytes())
        }
    })
}

#[cfg(test)]
mod tests;
