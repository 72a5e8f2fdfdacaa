//! JSON Schema: whether a document is as it has to be, in one sentence that no document makes long.

mod beside;

use std::fmt::{self, Write as _};
use std::path::{Path, absolute};

use jsonschema::{ValidationError, Validator};
use serde_json::Value;

use beside::Beside;

/// So many violations are named; of the others the number.
const MOST_NAMED: usize = 5;

/// A violation is described in so many bytes: its sentence quotes the value, which may be the whole
/// document.
const LONGEST: usize = 200;

/// Makes a document of the bytes of a file; its first fault, when it is none.
pub type Parse = fn(&[u8]) -> Result<Value, String>;

/// A schema that was understood.
#[derive(Debug)]
pub struct Schema(Validator);

impl Schema {
    /// What `schema`, the document in the file `path`, asks for: by the drafts 4, 6, 7, 2019-09 and 2020-12,
    /// whichever `$schema` says, and by 2020-12 without one. `format` is asserted in all of them: who writes
    /// `"format": "ipv4"` means it.
    ///
    /// Nothing is ever fetched from the network; a `$ref` leads to a file beside the schema, which `parse`
    /// reads.
    ///
    /// # Errors
    /// Why it is no schema. When a file that it refers to cannot be read or is no document; when it refers
    /// to the network.
    pub fn new(path: &Path, schema: &Value, parse: Parse) -> Result<Self, String> {
        let path = absolute(path).map_err(|why| format!("its folder cannot be found: {why}"))?;
        let validator = jsonschema::options()
            .with_base_uri(beside::uri_of(&path))
            .with_retriever(Beside::of(schema, &path, parse))
            .should_validate_formats(true)
            .build(schema);
        validator.map(Self).map_err(|error| sentence(&error))
    }

    /// The first five violations, each with its place as a JSON Pointer, and the number of the others; none:
    /// `document` is as it has to be.
    #[must_use]
    pub fn violations(&self, document: &Value) -> Option<String> {
        let mut violations = self.0.iter_errors(document);
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
}

/// Place and rule of a violation: `/server/port: "x" is not of type "integer"`.
fn sentence(error: &ValidationError) -> String {
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
