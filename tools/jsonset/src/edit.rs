//! The edits of one call.

use std::borrow::Cow;
use std::path::{Path as FilePath, PathBuf};

use common::{Error, OrCannot, Result};
use json::{Document, Fault, Numbers, Path, Syntax, Text, merge, number, patch, same, strict, string};

use crate::store::read_all;

/// Where a value comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Source {
    /// JSON where it is JSON, else a string.
    Loose(Given),
    /// JSON.
    Strict(Given),
}

/// A text on the command line or in a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Given {
    Text(String),
    File(PathBuf),
}

/// What is to be done with a document: with sources of values, or once they are read with values.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Edit<V> {
    Set(Path, V),
    Default(Path, V),
    Delete(Path),
    Increment(Path, V),
    Merge(V),
    Patch(V),
    /// Nothing is done at all unless an equal value is there before the first edit.
    If(Path, V),
    /// Nothing is done at all unless this is the SHA-256 of the text before the first edit.
    IfHash(String),
}

impl<V> Edit<V> {
    /// The path that it names, where it names one.
    pub(crate) fn path(&self) -> Option<&Path> {
        match self {
            Self::Set(path, _) | Self::Default(path, _) | Self::Increment(path, _) | Self::If(path, _) => {
                Some(path)
            }
            Self::Delete(path) => Some(path),
            Self::Merge(_) | Self::Patch(_) | Self::IfHash(_) => None,
        }
    }
}

impl Edit<Source> {
    /// Whether its value comes from standard input.
    pub(crate) fn reads_stdin(&self) -> bool {
        let (Self::Set(_, source)
        | Self::Default(_, source)
        | Self::Increment(_, source)
        | Self::If(_, source)
        | Self::Merge(source)
        | Self::Patch(source)) = self
        else {
            return false;
        };
        let (Source::Loose(given) | Source::Strict(given)) = source;
        matches!(given, Given::File(path) if path.as_os_str() == "-")
    }
}

/// A value as JSON, and where it came from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Value {
    pub(crate) json: Vec<u8>,
    pub(crate) syntax: Syntax,
    pub(crate) name: String,
}

impl Value {
    /// The value without comments where the document allows none.
    fn spelled_for(&self, document: &Document) -> Cow<'_, [u8]> {
        if self.syntax == Syntax::Comments && document.syntax() == Syntax::Strict {
            return Cow::Owned(strict(&self.json));
        }
        Cow::Borrowed(&self.json)
    }
}

/// Reads the sources. Slow ones are read before the lock is taken.
///
/// # Errors
/// When a file cannot be read, or what must be JSON is none.
pub(crate) fn load(edits: &[Edit<Source>]) -> Result<Vec<Edit<Value>>> {
    edits.iter().map(load_one).collect()
}

fn load_one(edit: &Edit<Source>) -> Result<Edit<Value>> {
    let at = |path: &Path, source: &Source| source.load(&format!("the value for `{path}`"));
    Ok(match edit {
        Edit::Set(path, source) => Edit::Set(path.clone(), at(path, source)?),
        Edit::Default(path, source) => Edit::Default(path.clone(), at(path, source)?),
        Edit::If(path, source) => Edit::If(path.clone(), at(path, source)?),
        Edit::Increment(path, source) => Edit::Increment(path.clone(), at(path, source)?),
        Edit::Merge(source) => Edit::Merge(source.load("the merge patch")?),
        Edit::Patch(source) => Edit::Patch(source.load("the patch")?),
        Edit::Delete(path) => Edit::Delete(path.clone()),
        Edit::IfHash(hash) => Edit::IfHash(hash.clone()),
    })
}

impl Source {
    fn load(&self, what: &str) -> Result<Value> {
        let (Self::Loose(given) | Self::Strict(given)) = self;
        let (bytes, name, syntax) = match given {
            Given::Text(text) => (text.clone().into_bytes(), what.to_owned(), Syntax::Strict),
            Given::File(path) => (read(path)?, path.display().to_string(), syntax_of(path)),
        };
        let text = Text::new(bytes);
        let mut document = Document::new(text.clone(), syntax, FilePath::new(&name));
        let json = match (document.check(&Path::of(&[])), self) {
            (Ok(()), _) => document.get(&Path::of(&[]))?.unwrap_or_default(),
            (Err(Fault::Syntax { .. } | Fault::Empty), Self::Loose(_)) => loose(text.all()?, given)?,
            (Err(fault), _) => return Err(document.complain(fault)),
        };
        Ok(Value { json, syntax, name })
    }
}

/// A text that is no JSON as a string; a file's without the line end that editors put there.
fn loose(mut bytes: Vec<u8>, given: &Given) -> Result<Vec<u8>> {
    if let Given::File(_) = given
        && bytes.ends_with(b"\n")
    {
        bytes.truncate(bytes.len() - if bytes.ends_with(b"\r\n") { 2 } else { 1 });
    }
    let no_text = |_| Error::failed(format!("{} holds bytes that are no UTF-8", given.name()));
    Ok(string::encode(&String::from_utf8(bytes).map_err(no_text)?))
}

impl Given {
    fn name(&self) -> String {
        match self {
            Self::Text(_) => "the value".into(),
            Self::File(path) => path.display().to_string(),
        }
    }
}

fn read(path: &FilePath) -> Result<Vec<u8>> {
    if path.as_os_str() != "-" {
        return std::fs::read(path).or_cannot("read", path);
    }
    read_all(std::io::stdin().lock(), FilePath::new("standard input"))
}

/// What programs allow in a file of this name.
pub(crate) fn syntax_of(path: &FilePath) -> Syntax {
    let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
    let in_folder = |folder: &str| path.parent().is_some_and(|parent| parent.ends_with(folder));
    let stem = name.strip_suffix(".json");
    let is_json = |begin: &str| stem.is_some_and(|stem| stem.starts_with(begin));
    let has_comments =
        [".jsonc", ".hujson", ".code-workspace", ".code-snippets"].iter().any(|end| name.ends_with(end))
            || is_json("tsconfig")
            || is_json("jsconfig")
            || is_json("devcontainer")
            || (in_folder(".vscode") && is_json(""));
    if has_comments { Syntax::Comments } else { Syntax::Strict }
}

/// Whether the conditions among `edits` hold.
///
/// # Errors
/// When the document is no JSON or cannot be read.
pub(crate) fn holds(
    edits: &[Edit<Value>],
    document: &mut Document,
    hash: impl Fn() -> Result<String>,
) -> Result<bool> {
    for edit in edits {
        let holds = match edit {
            Edit::If(path, value) => {
                document.get(path)?.is_some_and(|found| same(&found, &value.json, Numbers::Equal))
            }
            Edit::IfHash(wanted) => *wanted == hash()?,
            _ => true,
        };
        if !holds {
            match edit {
                Edit::If(path, _) => log::info!("`{path}` is something else; nothing is changed"),
                _ => log::info!("the hash is another; nothing is changed"),
            }
            return Ok(false);
        }
    }
    Ok(true)
}

/// Applies `edits` in their order; false when a test in a patch does not hold.
///
/// # Errors
/// When one of them cannot be applied.
pub(crate) fn apply(edits: &[Edit<Value>], document: &mut Document) -> Result<bool> {
    for edit in edits {
        match edit {
            Edit::Set(path, value) => document.set(path, &value.spelled_for(document))?,
            Edit::Default(path, value) if document.kind(path)?.is_none() => {
                document.set(path, &value.spelled_for(document))?;
            }
            Edit::Delete(path) => {
                document.remove(path)?;
            }
            Edit::Increment(path, by) => increment(document, path, &by.json)?,
            Edit::Merge(value) => merge::apply(document, &value.json, value.syntax)?,
            Edit::Patch(value) => {
                if !patch::apply(document, &value.json, value.syntax)? {
                    return Ok(false);
                }
            }
            Edit::Default(..) | Edit::If(..) | Edit::IfHash(_) => {}
        }
    }
    Ok(true)
}

/// Adds to a number; one that is missing counts as 0.
fn increment(document: &mut Document, path: &Path, by: &[u8]) -> Result<()> {
    let old = document.get(path)?.unwrap_or_else(|| b"0".to_vec());
    let sum =
        number::add(&old, by).map_err(|problem| document.refuse("increment", path, &problem.to_string()))?;
    document.set(path, &sum)
}
