//! What is judged here, before any host is asked: that a file is what its ending says, that it follows its
//! schema, and that a command of the user's takes it.

mod ini;
mod json;
mod local;
mod schema;
mod toml;
mod yaml;

use secrets::conceal;
use serde_json::Value;

use crate::spec::{Kind, Spec};

pub(crate) use local::judge as judge_locally;

/// Judges `bytes` as a file of `spec`: its syntax, and then its schema.
///
/// # Errors
/// What is wrong with it, with line and column, or for a schema with the place in the document; what it
/// quotes is without secrets that are known.
pub(crate) fn judge(spec: &Spec, bytes: &[u8]) -> Result<(), String> {
    judge_whole(spec, bytes).map_err(|why| conceal::hide(&why))
}

fn judge_whole(spec: &Spec, bytes: &[u8]) -> Result<(), String> {
    let documents =
        documents(spec.kind, bytes).map_err(|why| format!("it is no {}: {why}", name(spec.kind)))?;
    let Some(path) = &spec.schema else { return Ok(()) };
    let schema = schema::Schema::read(path)?;
    if spec.kind == Kind::Toml {
        let cannot = |why| format!("it cannot be judged by {}: {why}", path.display());
        toml::is_like_json(text(bytes)?).map_err(cannot)?;
    }
    documents.iter().try_for_each(|document| schema.judge(document))
}

/// The documents of a file, of which YAML may have several; none where nothing is known of them.
fn documents(kind: Kind, bytes: &[u8]) -> Result<Vec<Value>, String> {
    match kind {
        Kind::Text => Ok(Vec::new()),
        Kind::Ini => ini::judge(bytes).map(|()| Vec::new()),
        Kind::Json => json::read(bytes).map(|value| vec![value]),
        Kind::Yaml => yaml::read(text(bytes)?),
        Kind::Toml => toml::read(text(bytes)?).map(|value| vec![value]),
    }
}

fn name(kind: Kind) -> &'static str {
    match kind {
        Kind::Text => "text",
        Kind::Ini => "INI",
        Kind::Json => "JSON",
        Kind::Yaml => "YAML",
        Kind::Toml => "TOML",
    }
}

fn text(bytes: &[u8]) -> Result<&str, String> {
    std::str::from_utf8(bytes).map_err(|error| {
        let (line, column) = place(bytes, error.valid_up_to());
        at(line, column, "not UTF-8")
    })
}

/// The line and the column of the byte `offset`, from 1; columns count characters.
fn place(bytes: &[u8], offset: usize) -> (usize, usize) {
    let before = bytes.get(..offset).unwrap_or(bytes);
    let line = before.split(|byte| *byte == b'\n').count();
    let start = before.iter().rposition(|byte| *byte == b'\n').map_or(0, |at| at + 1);
    (line, String::from_utf8_lossy(&before[start..]).chars().count() + 1)
}

fn at(line: usize, column: usize, why: &str) -> String {
    format!("line {line}, column {column}: {why}")
}

#[cfg(test)]
mod tests;
