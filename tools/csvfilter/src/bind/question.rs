//! What is asked on the command line: an expression, or one of the shortcuts.

use common::Result;

use super::Table;
use crate::expr::{self, Expr, Problem};
use crate::filter::Condition;

/// A condition as it was written, and its tree.
#[derive(Debug, Clone)]
pub struct Question {
    text: String,
    expr: Expr,
}

impl Question {
    /// An expression: `age >= 30 and country in ("DE", "FR")`.
    ///
    /// # Errors
    /// A usage error that shows the place in it.
    pub fn parse(text: &str) -> Result<Self> {
        Self::of(text, expr::parse)
    }

    /// `age=30`, for `age >= 30`. The value is a number or a time.
    ///
    /// # Errors
    /// A usage error that shows the place in it.
    pub fn at_least(text: &str) -> Result<Self> {
        Self::of(text, expr::at_least)
    }

    /// `age=60`, for `age <= 60`. The value is a number or a time.
    ///
    /// # Errors
    /// A usage error that shows the place in it.
    pub fn at_most(text: &str) -> Result<Self> {
        Self::of(text, expr::at_most)
    }

    /// `country=DE`, for `country == "DE"`. All behind the `=` is the text.
    ///
    /// # Errors
    /// A usage error that shows the place in it.
    pub fn equals(text: &str) -> Result<Self> {
        Self::of(text, expr::equals)
    }

    /// `name=^test`, for `name =~ /^test/`. All behind the `=` is the pattern.
    ///
    /// # Errors
    /// A usage error that shows the place in it.
    pub fn matches(text: &str) -> Result<Self> {
        Self::of(text, expr::matches)
    }

    fn of(text: &str, parse: fn(&str) -> std::result::Result<Expr, Problem>) -> Result<Self> {
        let expr = parse(text).map_err(|problem| problem.usage(text))?;
        Ok(Self { text: text.to_owned(), expr })
    }

    /// What it asks of a row of this table.
    ///
    /// # Errors
    /// A usage error that shows the place: a column that is not there, a literal of the wrong kind.
    pub fn bind(&self, table: &Table<'_>) -> Result<Condition> {
        table.bind(&self.expr).map_err(|problem| problem.usage(&self.text))
    }

    /// What all of them ask of a row of this table; every row answers to none.
    ///
    /// # Errors
    /// As [`Question::bind`], for the first of them.
    pub fn bind_all(questions: &[Self], table: &Table<'_>) -> Result<Condition> {
        let parts = questions.iter().map(|question| question.bind(table));
        Ok(super::all(parts.collect::<Result<_>>()?))
    }
}
