//! JSON Schema.

use std::fs;
use std::path::{Path, PathBuf};

use serde_json::Value;

use super::json;

/// A schema that was read and understood.
pub(super) struct Schema {
    path: PathBuf,
    schema: ::schema::Schema,
}

impl Schema {
    /// Reads the schema at `path` and what it refers to.
    ///
    /// # Errors
    /// When one cannot be read, or is none.
    pub(super) fn read(path: &Path) -> Result<Self, String> {
        let bytes = fs::read(path).map_err(|why| format!("cannot read {}: {why}", path.display()))?;
        let schema = json::read(&bytes).and_then(|schema| ::schema::Schema::new(path, &schema, json::read));
        let schema = schema.map_err(|why| format!("{} is no JSON Schema: {why}", path.display()))?;
        Ok(Self { path: path.to_owned(), schema })
    }

    /// Judges `document`.
    ///
    /// # Errors
    /// The first violations, each with its place as a JSON Pointer.
    pub(super) fn judge(&self, document: &Value) -> Result<(), String> {
        match self.schema.violations(document) {
            None => Ok(()),
            Some(broken) => Err(format!("it is not as {} says: {broken}", self.path.display())),
        }
    }
}
