//! Columns whose kind the operator tells: `--types age=number,zip=text`.

use std::collections::BTreeMap;

use crate::columns::{Columns, Reference, split_assignment, split_list};
use crate::filter::Kind;

/// Columns and their kinds, as they were written.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Pins(Vec<(Reference, Kind)>);

impl Pins {
    /// Parses `age=number,zip=text,ts=time`.
    ///
    /// # Errors
    /// A sentence for clap when a part has no column or no kind that there is.
    pub fn parse(text: &str) -> Result<Self, String> {
        let pin = |text: &str| {
            let (column, word) = split_assignment(text.trim())?;
            Ok((column, kind(word.trim())?))
        };
        split_list(text).map(pin).collect::<Result<_, _>>().map(Self)
    }

    /// The kinds of the columns of a table, which are counted from 0.
    ///
    /// # Errors
    /// A sentence when a column is not there, or is pinned to two kinds.
    pub fn find(several: &[Self], columns: &Columns) -> Result<BTreeMap<usize, Kind>, String> {
        let mut kinds = BTreeMap::new();
        for (column, kind) in several.iter().flat_map(|pins| &pins.0) {
            let before = kinds.insert(columns.find(column)?, *kind);
            if let Some(other) = before.filter(|other| other != kind) {
                let (kind, other) = (word(*kind), word(other));
                return Err(format!("{column} is pinned to {other} and to {kind}; pin it to one"));
            }
        }
        Ok(kinds)
    }
}

/// What a kind is called.
pub(super) fn word(kind: Kind) -> &'static str {
    match kind {
        Kind::Text => "text",
        Kind::Number => "number",
        Kind::Time => "time",
    }
}

fn kind(text: &str) -> Result<Kind, String> {
    match text {
        "text" => Ok(Kind::Text),
        "number" => Ok(Kind::Number),
        "time" => Ok(Kind::Time),
        _ => {
            let meant = match text.to_lowercase().as_str() {
                "string" | "str" | "texts" | "bytes" => "text",
                "int" | "integer" | "float" | "double" | "decimal" | "num" | "numeric" | "numbers" => {
                    "number"
                }
                "date" | "datetime" | "timestamp" | "times" => "time",
                _ => "number, text or time",
            };
            Err(format!("`{text}` is no kind of value; write {meant}"))
        }
    }
}
