//! Paths into a document: JSON Pointer and dotted.
//!
//! `/server/port` is a JSON Pointer (RFC 6901), `server.port` the same path dotted. A path says what
//! was written, not where it leads: whether `0` is a key or an index depends on the document.

mod dotted;
mod show;

use std::borrow::Cow;

/// The way from the root of a document to a value.
///
/// Paths compare by what was written: `tags.0` and `tags[0]` differ and lead to one place where
/// `tags` is an array.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Path(Vec<Token>);

/// One step of a path.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Token {
    /// A key of an object; in an array an index (`index_of`), or `-` for the end.
    Name(String),
    /// `[3]`: in arrays only, counted from 0.
    Index(usize),
    /// `[-1]` is `Last(1)`, the last element: in arrays only, counted from 1 at the end, never 0.
    Last(usize),
    /// `[-]`: behind the last element, in arrays only.
    End,
}

/// What an assignment puts at its path.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Assign<'a> {
    /// `PATH=VALUE`: JSON where it is JSON, else a string.
    Value(&'a str),
    /// `PATH:=JSON`: JSON or an error.
    Json(&'a str),
    /// `PATH=@FILE`: the name of a file, not empty.
    File(&'a str),
    /// `PATH:=@FILE`: the name of a file that must hold JSON, not empty.
    JsonFile(&'a str),
}

impl Path {
    /// Parses a path: nothing or `.` is the whole document, `/…` a JSON Pointer, all else is dotted.
    ///
    /// Dotted: `server.port`, `.server.port`, `tags[0]`, `tags[-1]` (the last), `tags[-]` (behind the
    /// last), and quotes around odd keys: `"odd.key".b`, `a["odd.key"]` with JSON's escapes, `a['x']`
    /// without any.
    ///
    /// # Errors
    /// A sentence with the character, counted from 1, and a way out.
    pub fn parse(text: &str) -> Result<Self, String> {
        if text.starts_with('/') {
            return Self::parse_pointer(text);
        }
        let (path, _) = dotted::read(text, dotted::Until::End).map_err(|bad| bad.sentence(text))?;
        Ok(path)
    }

    /// Parses a JSON Pointer and nothing else, as documents that hold paths have them.
    ///
    /// # Errors
    /// A sentence when `text` is neither empty nor begins with `/`, or a `~` is not part of `~0` or
    /// `~1`.
    pub(crate) fn parse_pointer(text: &str) -> Result<Self, String> {
        if text.is_empty() {
            return Ok(Self::default());
        }
        let Some(names) = text.strip_prefix('/') else {
            return Err(format!("`{text}` is no JSON Pointer; begin it with `/`"));
        };
        if let Some(at) = stray_tilde(text) {
            let bad = Bad { at, reason: "`~` stands alone; write ~0 for `~` and ~1 for `/`".into() };
            return Err(bad.sentence(text));
        }
        let name = |token: &str| Token::Name(token.replace("~1", "/").replace("~0", "~"));
        Ok(Self(names.split('/').map(name).collect()))
    }

    /// The path of these names, as they are: nothing in them is an escape.
    pub fn pointer(names: &[impl AsRef<str>]) -> Self {
        Self(names.iter().map(|name| Token::Name(name.as_ref().to_owned())).collect())
    }

    /// Splits `PATH=VALUE`, `PATH:=JSON`, `PATH=@FILE` and `PATH:=@FILE` at the first `=` that
    /// stands in no quotes.
    ///
    /// In a JSON Pointer the first `=` splits: quote a key that holds one and write it dotted.
    ///
    /// # Errors
    /// A sentence when there is no `=`, no path before it (an unset shell variable would
    /// else replace the whole document; `.` says it aloud), no file behind `@`, or no path at all.
    pub fn split_assignment(text: &str) -> Result<(Self, Assign<'_>), String> {
        if text.starts_with('=') || text.starts_with(":=") {
            return Err(format!("`{text}` has no path before `=`; the whole document is `.`"));
        }
        let (path, end) = if text.starts_with('/') {
            let end = text.find('=').map_or(text.len(), |at| dotted::before_colon(text, at));
            (Self::parse_pointer(&text[..end])?, end)
        } else {
            dotted::read(text, dotted::Until::Assignment).map_err(|bad| bad.sentence(text))?
        };
        let assign = assign(&text[end..])
            .ok_or_else(|| format!("`{text}` sets nothing; write PATH=VALUE, PATH:=JSON or PATH=@FILE"))?;
        if let Assign::File("") | Assign::JsonFile("") = assign {
            return Err(format!("`{text}` names no file behind `@`; write the string as PATH:='\"@\"'"));
        }
        Ok((path, assign))
    }

    /// The path of these steps.
    #[must_use]
    pub fn of(tokens: &[Token]) -> Self {
        Self(tokens.to_vec())
    }

    /// The path of the first `count` steps.
    pub(crate) fn prefix(&self, count: usize) -> Self {
        Self(self.0[..count].to_vec())
    }

    /// The steps from the root.
    #[must_use]
    pub fn tokens(&self) -> &[Token] {
        &self.0
    }

    /// Whether this is the whole document.
    #[must_use]
    pub fn is_root(&self) -> bool {
        self.0.is_empty()
    }

    /// The path one step further.
    #[must_use]
    pub fn child(&self, token: Token) -> Self {
        Self(self.0.iter().cloned().chain([token]).collect())
    }

    /// The path one step back; `None` for the whole document.
    #[must_use]
    pub fn parent(&self) -> Option<Self> {
        let (_, before) = self.0.split_last()?;
        Some(Self(before.to_vec()))
    }

    /// Whether `other` is this path or one above it, as they are written.
    pub(crate) fn starts_with(&self, other: &Self) -> bool {
        self.0.starts_with(&other.0)
    }
}

/// The index that `name` is in an array: digits without a leading zero (RFC 6901, section 4);
/// `None` for all else, and for what no array can hold.
pub(crate) fn index_of(name: &str) -> Option<usize> {
    let digits = !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_digit());
    let leads = name.len() > 1 && name.starts_with('0');
    if digits && !leads { name.parse().ok() } else { None }
}

/// What is wrong with a path, and at which byte.
struct Bad {
    at: usize,
    reason: Cow<'static, str>,
}

impl Bad {
    fn sentence(&self, text: &str) -> String {
        let before = text.get(..self.at).unwrap_or(text);
        format!("`{text}` is no path: character {}: {}", before.chars().count() + 1, self.reason)
    }
}

/// Where a `~` is not part of `~0` or `~1`.
fn stray_tilde(text: &str) -> Option<usize> {
    let after = |at: usize| text.as_bytes().get(at + 1);
    text.match_indices('~').map(|(at, _)| at).find(|at| !matches!(after(*at), Some(b'0' | b'1')))
}

/// The operator at the beginning of `text` and what stands behind it.
fn assign(text: &str) -> Option<Assign<'_>> {
    if let Some(value) = text.strip_prefix(":=") {
        return Some(value.strip_prefix('@').map_or(Assign::Json(value), Assign::JsonFile));
    }
    let value = text.strip_prefix('=')?;
    Some(value.strip_prefix('@').map_or(Assign::Value(value), Assign::File))
}

#[cfg(test)]
mod tests;
