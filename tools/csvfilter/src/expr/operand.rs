//! The parts of a condition: values, literals, lists, and what functions are given.

use super::function::Function;
use super::parse::Parser;
use super::problem::clip;
use super::token::Token;
use super::{Expr, Given, Literal, Node, Part, Place, Problem, Quality, Value};
use crate::columns::Reference;
use crate::filter::Change;

/// One side of a comparison.
pub(super) enum Operand {
    Value(Value),
    Literal(Literal),
}

/// Where an operand is wanted.
#[derive(Clone, Copy)]
pub(super) enum Whence {
    /// At the beginning of a condition.
    Left,
    /// Behind the operator that stands there.
    Behind(Place),
}

impl Operand {
    pub(super) fn place(&self) -> Place {
        match self {
            Self::Value(value) => value.place,
            Self::Literal(literal) => literal.place,
        }
    }

    /// Why it is no condition without an operator.
    pub(super) fn alone(&self, shown: &str) -> String {
        match self {
            Self::Value(value) if value.changes.last() == Some(&Change::Length) => {
                format!("{shown} is a number and no condition; write {shown} > 5")
            }
            Self::Value(value) if value.changes.is_empty() => format!(
                "{shown} is a column and no condition; write {shown} == \"true\", or not empty({shown})"
            ),
            Self::Value(_) => format!("{shown} is a text and no condition; write {shown} == \"text\""),
            Self::Literal(_) => format!("{shown} is no condition; compare a column with it"),
        }
    }
}

impl Parser<'_> {
    pub(super) fn operand(&mut self, whence: Whence) -> Result<Operand, Problem> {
        let is_call = matches!(self.ahead(1), Token::Open);
        match self.token().clone() {
            Token::Word(name) if is_call => self.call(&name).map(Operand::Value),
            Token::Word(name) => Ok(Operand::Value(self.column(Reference::Name(name)))),
            Token::Column(column) => Ok(Operand::Value(self.column(column))),
            Token::Literal(given) => Ok(Operand::Literal(Literal { place: self.advance(), given })),
            _ => Err(self.no_operand(whence)),
        }
    }

    fn column(&mut self, column: Reference) -> Value {
        let place = self.advance();
        Value { place, column, column_place: place, changes: Vec::new() }
    }

    /// A function whose result is a value.
    fn call(&mut self, name: &str) -> Result<Value, Problem> {
        let function = self.function(name)?;
        let Function::Change(change) = function else {
            let sentence = format!("{name}() is a condition and no value; write it by itself");
            return Err(Problem::new(self.place(), sentence));
        };
        self.enter()?;
        let start = self.advance();
        let mut value = self.argument(function)?;
        self.close(function)?;
        self.leave();
        if value.changes.last() == Some(&Change::Length) {
            let sentence = format!("len() makes a number, and {name}() takes a text");
            return Err(Problem::new(start, sentence));
        }
        value.changes.push(change);
        value.place = start.to(self.before());
        Ok(value)
    }

    /// `(` and the column, or the function of one, that stands behind it.
    fn argument(&mut self, function: Function) -> Result<Value, Problem> {
        let open = self.advance();
        let name = function.name();
        match self.token() {
            Token::Close | Token::End => {
                return Err(Problem::new(
                    open,
                    format!("{name}() takes a column; write {}", usage(function)),
                ));
            }
            Token::Pattern(_) | Token::Bool(_) => {}
            _ => match self.operand(Whence::Behind(open))? {
                Operand::Value(value) => return Ok(value),
                Operand::Literal(literal) => {
                    let sentence = format!("{name}() takes a column; write {}", usage(function));
                    return Err(Problem::new(literal.place, sentence));
                }
            },
        }
        Err(Problem::new(self.place(), format!("{name}() takes a column; write {}", usage(function))))
    }

    fn close(&mut self, function: Function) -> Result<(), Problem> {
        if matches!(self.token(), Token::Close) {
            self.advance();
            return Ok(());
        }
        let (name, usage) = (function.name(), usage(function));
        let sentence = match self.token() {
            Token::End => format!("{name}( is never closed; write {usage}"),
            Token::Comma => format!("{name}() takes nothing more; write {usage}"),
            _ => format!("behind this stands `)`; write {usage}"),
        };
        let place = match self.token() {
            Token::Comma | Token::End => self.place(),
            _ => self.before(),
        };
        Err(Problem::new(place, sentence))
    }

    /// `empty(x)`, `number(x)`, `time(x)`
    pub(super) fn is(&mut self, quality: Quality) -> Result<Expr, Problem> {
        let function = Function::Is(quality);
        let start = self.advance();
        let value = self.argument(function)?;
        self.close(function)?;
        let place = start.to(self.before());
        if let (Token::Order(_), Quality::Number | Quality::Time) = (self.token(), quality) {
            let name = function.name();
            let inner = self.source(value.place);
            let sentence =
                format!("{name}() asks whether it is a {name}; to compare it, write {inner} alone");
            return Err(Problem::new(place, sentence));
        }
        Ok(Expr { place, node: Node::Is(value, quality) })
    }

    /// `contains(x, "s")`, `starts(x, "s")`, `ends(x, "s")`
    pub(super) fn has(&mut self, part: Part) -> Result<Expr, Problem> {
        let function = Function::Has(part);
        let start = self.advance();
        let value = self.argument(function)?;
        let name = function.name();
        if !matches!(self.token(), Token::Comma) {
            let sentence = format!("{name}() takes a column and a text; write {}", usage(function));
            return Err(Problem::new(start, sentence));
        }
        self.advance();
        let way_out = match self.token().clone() {
            Token::Literal(Given::Text(text)) => {
                self.advance();
                self.close(function)?;
                return Ok(Expr { place: start.to(self.before()), node: Node::Has(value, part, text) });
            }
            Token::Literal(Given::Number(spelling) | Given::Time(spelling)) => {
                format!("write \"{}\"", clip(&spelling))
            }
            Token::Word(word) => format!("write \"{}\"", clip(&word)),
            Token::Pattern(_) => "write x =~ /regex/".into(),
            _ => format!("write {}", usage(function)),
        };
        Err(Problem::new(self.place(), format!("{name}() looks for a text; {way_out}")))
    }

    /// The list behind the `in` that stands at `operator`.
    pub(super) fn list(&mut self, operator: Place) -> Result<Vec<Literal>, Problem> {
        if !matches!(self.token(), Token::Open) {
            let sentence = "behind `in` stands a list in parentheses; write in (\"a\", \"b\") or in (1, 2)";
            return Err(Problem::new(operator, sentence));
        }
        let open = self.advance();
        let mut list: Vec<Literal> = Vec::new();
        loop {
            let literal = self.listed()?;
            if let Some(first) = list.first().filter(|first| !first.is_kin(&literal)) {
                return Err(mixed(first, &literal));
            }
            list.push(literal);
            match self.token() {
                Token::Comma => self.advance(),
                Token::Close => break,
                Token::End => {
                    return Err(Problem::new(open, "this list is never closed; close it with `)`"));
                }
                _ => return Err(Problem::new(self.place(), "`,` is missing before this in the list")),
            };
        }
        self.advance();
        Ok(list)
    }

    fn listed(&mut self) -> Result<Literal, Problem> {
        let sentence = match self.token().clone() {
            Token::Literal(given) => return Ok(Literal { place: self.advance(), given }),
            Token::Word(word) => format!("a text in a list stands in quotes: \"{}\"", clip(&word)),
            Token::Bool(value) => format!("a text in a list stands in quotes: \"{value}\""),
            Token::Column(_) => "a list has no columns; write x == y or x == z".into(),
            Token::Pattern(_) => "a list has no patterns; write x =~ /a/ or x =~ /b/, or x =~ /a|b/".into(),
            Token::Close => "a value is missing in the list; write in (\"a\", \"b\") or in (1, 2)".into(),
            _ => "a value is missing here; write in (\"a\", \"b\") or in (1, 2)".into(),
        };
        Err(Problem::new(self.place(), sentence))
    }

    fn no_operand(&self, whence: Whence) -> Problem {
        let shown = self.source(self.place());
        match (self.token(), whence) {
            (Token::Bool(value), Whence::Behind(operator)) => {
                let sign = self.source(operator);
                Problem::new(
                    self.place(),
                    format!("a value is no truth but a text; write {sign} \"{value}\""),
                )
            }
            (Token::Pattern(_), Whence::Behind(_)) => {
                Problem::new(self.place(), "a pattern stands behind `=~` or `!~`; write x =~ /regex/")
            }
            (Token::Pattern(_), Whence::Left) => {
                Problem::new(self.place(), "before a pattern stands a column; write x =~ /regex/")
            }
            (Token::Open, Whence::Behind(_)) => Problem::new(
                self.place(),
                "`(` begins a list only behind `in`, and there is no arithmetic; write the value itself",
            ),
            (_, Whence::Behind(operator)) => {
                let sign = self.source(operator);
                Problem::new(operator, format!("a value is missing behind `{sign}`"))
            }
            (Token::End, Whence::Left) => {
                let before = self.source(self.before());
                Problem::new(self.place(), format!("a condition is missing behind `{before}`"))
            }
            (Token::And | Token::Or | Token::Close | Token::Comma, Whence::Left) => {
                Problem::new(self.place(), format!("a condition is missing before `{shown}`"))
            }
            (_, Whence::Left) => Problem::new(self.place(), format!("a column is missing before `{shown}`")),
        }
    }
}

impl Literal {
    /// Whether both are numbers, both are texts, or both are times.
    fn is_kin(&self, other: &Self) -> bool {
        std::mem::discriminant(&self.given) == std::mem::discriminant(&other.given)
    }
}

fn mixed(first: &Literal, other: &Literal) -> Problem {
    let kinds = |literal: &Literal| match literal.given {
        Given::Number(_) => "numbers",
        Given::Text(_) => "texts",
        Given::Time(_) => "times",
    };
    let way_out = match (&first.given, &other.given) {
        (Given::Text(_), Given::Number(text) | Given::Time(text))
        | (Given::Number(text) | Given::Time(text), Given::Text(_)) => {
            format!("if all are texts, write \"{}\"", clip(text))
        }
        _ => "write two lists and join them with `or`".into(),
    };
    let sentence = format!("a list of {} has no {} in it; {way_out}", kinds(first), kinds(other));
    Problem::new(other.place, sentence)
}

/// A function as it is written.
fn usage(function: Function) -> String {
    match function {
        Function::Has(_) => format!("{}(x, \"s\")", function.name()),
        _ => format!("{}(x)", function.name()),
    }
}
