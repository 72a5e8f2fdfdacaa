//! JSON Patch, RFC 6902.
//!
//! Each operation is one edit in the bytes. Either all of them are applied or none.

mod operations;

use common::{Error, Result};

use crate::document::Document;
use crate::path::Path;
use crate::same::{Numbers, same};
use crate::scan::{Kind, Syntax};
use operations::Operation;

/// Applies the operations of `patch`, which is JSON as `syntax` has it; false when a `test` among
/// them does not hold, also because there is nothing at its path.
///
/// # Errors
/// When it is no patch, or one of its operations cannot be applied: the sentence counts them from 1.
/// Whenever the answer is not true the document is as it was.
pub fn apply(document: &mut Document, patch: &[u8], syntax: Syntax) -> Result<bool> {
    let operations = operations::read(patch, syntax, document.syntax())?;
    let mut edited = document.clone();
    for (place, operation) in operations.iter().enumerate() {
        if !operation.apply(&mut edited).map_err(|error| in_operation(place, error))? {
            log::info!("test {} of the patch does not hold; nothing is changed", place + 1);
            return Ok(false);
        }
    }
    *document = edited;
    Ok(true)
}

/// Names the operation at `place`, counted from 0, in front of what is wrong with it.
fn in_operation(place: usize, error: Error) -> Error {
    Error::failed(format!("cannot apply operation {} of the patch", place + 1)).because(error)
}

impl Operation {
    /// Makes an edit; false when it is a test that does not hold.
    fn apply(&self, document: &mut Document) -> Result<bool> {
        match self {
            Self::Add(path, value) => document.add(path, value)?,
            Self::Remove(path) if path.is_root() => {
                return Err(document.refuse("remove", path, "it is the whole document"));
            }
            Self::Remove(path) => {
                if !document.remove(path)? {
                    return Err(missing(document, "remove", path));
                }
            }
            Self::Replace(path, value) => {
                document.kind(path)?.ok_or_else(|| missing(document, "replace", path))?;
                document.set(path, value)?;
            }
            Self::Move { from, path } => move_value(document, from, path)?,
            Self::Copy { from, path } => {
                let value = document.get(from)?.ok_or_else(|| missing(document, "copy", from))?;
                document.add(path, &value)?;
            }
            Self::Test(path, value) => {
                let found = document.get(path)?;
                return Ok(found.is_some_and(|found| same(&found, value, Numbers::Equal)));
            }
        }
        Ok(true)
    }
}

fn move_value(document: &mut Document, from: &Path, path: &Path) -> Result<()> {
    let value = document.get(from)?.ok_or_else(|| missing(document, "move", from))?;
    if path == from {
        return Ok(());
    }
    if path.starts_with(from) {
        return Err(document.refuse("move", from, &format!("`{path}` is inside of it")));
    }
    // An object that is never empty keeps its layout. An index may mean another place meanwhile, and
    // what is overwritten takes along what was in it.
    if is_member(document, from)? && is_member(document, path)? && !from.starts_with(path) {
        document.add(path, &value)?;
        return document.remove(from).map(|_| ());
    }
    document.remove(from)?;
    document.add(path, &value)
}

fn is_member(document: &mut Document, path: &Path) -> Result<bool> {
    let parent = path.parent().map(|parent| document.kind(&parent)).transpose()?;
    Ok(parent.flatten() == Some(Kind::Object))
}

/// There is nothing at `path`, as far as an operation asks for something.
fn missing(document: &Document, verb: &str, path: &Path) -> Error {
    document.refuse(verb, path, "there is none")
}

#[cfg(test)]
mod tests;
