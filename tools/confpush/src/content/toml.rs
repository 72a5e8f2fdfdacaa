//! TOML.

use serde_json::Value;
use specs::Faults;
use toml::de::DeTable;

/// The document that `text` is, as a schema sees it: dates are texts, and numbers that JSON cannot have are
/// left out.
///
/// # Errors
/// Its first fault, with its place.
pub(super) fn read(text: &str) -> Result<Value, String> {
    if let Err(error) = DeTable::parse(text) {
        let (line, column) = super::place(text.as_bytes(), error.span().map_or(0, |span| span.start));
        return Err(super::at(line, column, &error.message().replace('\n', ", ")));
    }
    let faults = Faults::of(text);
    Ok(Value::Object(specs::parse(text, &faults).into_values()))
}

/// Whether all of `text` is in what [`read`] makes of it.
///
/// # Errors
/// The first number that JSON, and so a schema, cannot have.
pub(super) fn is_like_json(text: &str) -> Result<(), String> {
    let faults = Faults::of(text);
    drop(specs::parse(text, &faults).into_values());
    let first = faults.into_sorted().into_iter().next();
    first.map_or(Ok(()), |fault| Err(format!("line {}: {}", fault.line, fault.what)))
}
