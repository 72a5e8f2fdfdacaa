//! Strings in a JSON document, comments in it allowed; what is not changed keeps its bytes.

use std::path::Path as FilePath;

use json::{Document, Kind, Path, Syntax, Text, Token};
use zeroize::Zeroizing;

/// A document of which strings are read and set.
pub(super) struct Members(Document);

/// The way to a string that is to be set, as the spec has it.
///
/// # Errors
/// When it is no way, or leads behind the last element, where each run would add another.
pub(super) fn path(text: &str) -> Result<Path, String> {
    let path = Path::parse(text)?;
    if path.tokens().contains(&Token::End) {
        return Err(format!("`{text}` is another place each time"));
    }
    Ok(path)
}

impl Members {
    pub(super) fn of(bytes: &[u8]) -> Self {
        let text = Text::new(bytes.to_vec());
        Self(Document::new(text, Syntax::Comments, FilePath::new("the file")).discreet())
    }

    /// The string at `path`; `None` where there is nothing, or null.
    ///
    /// # Errors
    /// When something else is there, or the document is no JSON: where, without what is there.
    pub(super) fn get(&mut self, path: &Path) -> Result<Option<Zeroizing<String>>, String> {
        let kind = self.0.kind(path).map_err(|error| error.to_string())?;
        if kind == Some(Kind::Null) {
            return Ok(None);
        }
        let text = self.0.string(path).map_err(|error| error.to_string())?;
        Ok(text.map(Zeroizing::new))
    }

    /// Makes `value` the string at `path`, with the objects that are missing on the way.
    ///
    /// # Errors
    /// When the path leads through something that has no members; as [`Members::get`].
    pub(super) fn set(&mut self, path: &Path, value: &str) -> Result<(), String> {
        self.0.set_string(path, value).map_err(|error| error.to_string())
    }

    pub(super) fn into_bytes(self) -> Result<Zeroizing<Vec<u8>>, String> {
        self.0.into_text().all().map(Zeroizing::new).map_err(|error| error.to_string())
    }
}
