//! JSON Schema: the drafts 4 to 2020-12 by `$schema`, and 2020-12 without one. `format` is asserted: who
//! writes `"format": "ipv4"` means it. Nothing is fetched; a `$ref` leads to a file beside the schema.

use std::error::Error as StdError;
use std::fs;
use std::path::{Path, PathBuf};

use jsonschema::{Retrieve, Uri, Validator};
use serde_json::Value;

use super::json;

/// What files beside the schema are called while references are followed.
const HERE: &str = "beside:///";

/// A schema that was read and understood.
pub(super) struct Schema {
    path: PathBuf,
    validator: Validator,
}

impl Schema {
    /// Reads the schema at `path` and what it refers to.
    ///
    /// # Errors
    /// When one cannot be read, or is none.
    pub(super) fn read(path: &Path) -> Result<Self, String> {
        let bytes = fs::read(path).map_err(|why| format!("cannot read {}: {why}", path.display()))?;
        let no_schema = |why: String| format!("{} is no JSON Schema: {why}", path.display());
        let schema = json::read(&bytes).map_err(no_schema)?;
        let folder = path.parent().unwrap_or(Path::new("")).to_owned();
        let validator = jsonschema::options()
            .with_base_uri(format!("{HERE}schema"))
            .with_retriever(Beside(folder))
            .should_validate_formats(true)
            .build(&schema)
            .map_err(|error| no_schema(::schema::sentence(&error)))?;
        Ok(Self { path: path.to_owned(), validator })
    }

    /// Judges `document`.
    ///
    /// # Errors
    /// The first violations, each with its place as a JSON Pointer.
    pub(super) fn judge(&self, document: &Value) -> Result<(), String> {
        match ::schema::violations(&self.validator, document) {
            None => Ok(()),
            Some(broken) => Err(format!("it is not as {} says: {broken}", self.path.display())),
        }
    }
}

/// Finds what a schema refers to in its folder.
struct Beside(PathBuf);

impl Retrieve for Beside {
    fn retrieve(&self, uri: &Uri<String>) -> Result<Value, Box<dyn StdError + Send + Sync>> {
        let name = uri.as_str().strip_prefix(HERE).filter(|name| !name.contains(['%', '?']));
        let name =
            name.ok_or("nothing is fetched; put it beside the schema and refer to it by its file name")?;
        let path = self.0.join(name);
        let bytes = fs::read(&path).map_err(|why| format!("cannot read {}: {why}", path.display()))?;
        Ok(json::read(&bytes).map_err(|why| format!("{}: {why}", path.display()))?)
    }
}
