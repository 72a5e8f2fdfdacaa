//! How a document breaks a JSON Schema, in one sentence that no document makes long.

use std::fmt::{self, Write as _};

use jsonschema::{ValidationError, Validator};
use serde_json::Value;

/// So many violations are named; of the others the number.
const MOST_NAMED: usize = 5;

/// A violation is described in so many bytes: its sentence quotes the value, which may be the whole
/// document.
const LONGEST: usize = 200;

/// The first five violations, each with its place as a JSON Pointer, and the number of the others; none:
/// `document` is as it has to be.
#[must_use]
pub fn violations(validator: &Validator, document: &Value) -> Option<String> {
    let mut violations = validator.iter_errors(document);
    let named: Vec<String> = violations.by_ref().take(MOST_NAMED).map(|error| sentence(&error)).collect();
    if named.is_empty() {
        return None;
    }
    let more = match violations.count() {
        0 => String::new(),
        more => format!("; and {more} more"),
    };
    Some(format!("{}{more}", named.join("; ")))
}

/// Place and rule of a violation: `/server/port: "x" is not of type "integer"`.
#[must_use]
pub fn sentence(error: &ValidationError) -> String {
    let mut rule = Short(String::new());
    if write!(rule, "{error}").is_err() {
        rule = Short(String::new());
        if write!(rule, "{}", error.masked_with("this value")).is_err() {
            rule.0.push_str("...");
        }
    }
    match error.instance_path().as_str() {
        "" => rule.0,
        place => format!("{place}: {}", rule.0),
    }
}

/// Text that refuses to become longer than [`LONGEST`].
struct Short(String);

impl fmt::Write for Short {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        let room = text.len().min(LONGEST - self.0.len());
        let room = (0..=room).rev().find(|at| text.is_char_boundary(*at)).unwrap_or_default();
        self.0.push_str(&text[..room]);
        if room < text.len() { Err(fmt::Error) } else { Ok(()) }
    }
}
