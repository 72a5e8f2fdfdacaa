//! Regular expressions in an expression.

use regex::bytes::{Regex, RegexBuilder};

use super::problem::clip;
use super::{Place, Problem};

/// A regular expression, as it is written and ready for use.
#[derive(Debug, Clone)]
pub struct Pattern {
    /// Without the slashes around it.
    pub source: String,
    /// Of `i`, `s`, `m` and `x`.
    pub flags: String,
    /// The same, compiled.
    pub regex: Regex,
}

impl Pattern {
    /// Compiles a pattern that stands at `place`, without its slashes and flags.
    ///
    /// # Errors
    /// When it is no regular expression, at the place within it where that is known, or it would
    /// need too much memory.
    pub fn new(source: &str, flags: &str, place: Place) -> Result<Self, Problem> {
        let has = |flag: char| flags.contains(flag);
        let regex = RegexBuilder::new(source)
            .case_insensitive(has('i'))
            .dot_matches_new_line(has('s'))
            .multi_line(has('m'))
            .ignore_whitespace(has('x'))
            .build()
            .map_err(|error| refused(source, &error, place))?;
        Ok(Self { source: source.to_owned(), flags: flags.to_owned(), regex })
    }
}

fn refused(source: &str, error: &regex::Error, place: Place) -> Problem {
    let regex::Error::Syntax(report) = error else {
        return Problem::new(place, "the pattern needs too much memory; repeat less with {n,m}");
    };
    let reason = report.lines().rev().find_map(|line| line.strip_prefix("error: "));
    let sentence = match reason {
        Some(reason) => format!("`{}` is no regular expression: {reason}", clip(source)),
        None => format!("`{}` is no regular expression", clip(source)),
    };
    Problem::new(marked(source, report).map_or(place, |mark| mark.shifted(place.start)), sentence)
}

/// The part of the pattern that the report of the regex crate marks: it shows the pattern in one
/// line, set in by four columns, and a line of `^` below.
fn marked(source: &str, report: &str) -> Option<Place> {
    let mut lines = report.lines().skip_while(|line| line.strip_prefix("    ") != Some(source));
    let marks = lines.nth(1)?.strip_prefix("    ")?;
    let first = marks.find('^')?;
    let last = marks.rfind('^')? + 1;
    let byte = |column: usize| source.char_indices().map(|(at, _)| at).chain([source.len()]).nth(column);
    Some(Place { start: byte(first)?, end: byte(last).unwrap_or(source.len()) })
}
