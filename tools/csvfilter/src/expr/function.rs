//! The functions of the language.

use common::near;

use super::{Part, Quality};
use crate::filter::Change;

/// What a function is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Function {
    /// A condition on one value.
    Is(Quality),
    /// A condition on a value and a text.
    Has(Part),
    /// A value made of another.
    Change(Change),
}

/// Every function by its name.
const ALL: [(&str, Function); 10] = [
    ("contains", Function::Has(Part::Anywhere)),
    ("empty", Function::Is(Quality::Empty)),
    ("ends", Function::Has(Part::End)),
    ("len", Function::Change(Change::Length)),
    ("lower", Function::Change(Change::Lower)),
    ("number", Function::Is(Quality::Number)),
    ("starts", Function::Has(Part::Beginning)),
    ("time", Function::Is(Quality::Time)),
    ("trim", Function::Change(Change::Trim)),
    ("upper", Function::Change(Change::Upper)),
];

/// What other languages call them.
const ELSEWHERE: [(&str, &str); 31] = [
    ("lenght", "len(x)"),
    ("length", "len(x)"),
    ("strlen", "len(x)"),
    ("size", "len(x)"),
    ("isempty", "empty(x)"),
    ("is_empty", "empty(x)"),
    ("isnull", "empty(x)"),
    ("is_null", "empty(x)"),
    ("null", "empty(x)"),
    ("blank", "empty(x)"),
    ("startswith", "starts(x, \"s\")"),
    ("starts_with", "starts(x, \"s\")"),
    ("endswith", "ends(x, \"s\")"),
    ("ends_with", "ends(x, \"s\")"),
    ("lowercase", "lower(x)"),
    ("tolower", "lower(x)"),
    ("lcase", "lower(x)"),
    ("uppercase", "upper(x)"),
    ("toupper", "upper(x)"),
    ("ucase", "upper(x)"),
    ("strip", "trim(x)"),
    ("includes", "contains(x, \"s\")"),
    ("has", "contains(x, \"s\")"),
    ("match", "x =~ /regex/"),
    ("matches", "x =~ /regex/"),
    ("regex", "x =~ /regex/"),
    ("isnumber", "number(x)"),
    ("is_number", "number(x)"),
    ("isdate", "time(x)"),
    ("is_date", "time(x)"),
    ("date", "x >= 2026-03-01"),
];

impl Function {
    /// The function of this name.
    ///
    /// # Errors
    /// A sentence with the one that may be meant.
    pub(super) fn named(name: &str) -> Result<Self, String> {
        if let Some((_, function)) = ALL.iter().find(|(known, _)| *known == name) {
            return Ok(*function);
        }
        let unknown = format!("no function `{}`", super::problem::clip(name));
        let folded = name.to_lowercase();
        if let Some((_, way_out)) = ELSEWHERE.iter().find(|(known, _)| *known == folded) {
            return Err(format!("{unknown}; write {way_out}"));
        }
        let near = near::did_you_mean(name, ALL.iter().map(|(known, _)| *known));
        if near.is_empty() {
            let all: Vec<&str> = ALL.iter().map(|(known, _)| *known).collect();
            return Err(format!("{unknown}; there are {}", all.join(", ")));
        }
        Err(format!("{unknown}{near}"))
    }

    /// How it is called.
    pub(super) fn name(self) -> &'static str {
        ALL.iter().find(|(_, function)| *function == self).map_or("", |(name, _)| name)
    }
}
