//! Takes changes back, field by field.
//!
//! A field is put back where it is still what the change has made of it. Where it is what it was
//! before there is nothing to do, which makes undoing twice harmless. All else somebody else has
//! written since: it stays.

use common::Result;
use json::{Document, Kind, Members, Numbers, Path, Syntax, Text, Token, in_order, members, same};

use super::compare::DEEPEST;
use super::layer::{Entry, Layer};
use crate::store::Store;

/// What has become of a change.
#[derive(Debug, Default, PartialEq)]
pub(super) struct Undone {
    /// What has to wait for changes that were made later.
    pub(super) deferred: Vec<Entry>,
    /// What somebody else has changed.
    pub(super) kept: Vec<String>,
    /// The document was made by the change and holds nothing else.
    pub(super) leaves_nothing: bool,
}

/// Undoes `layer` in `text`, but for what overlaps with changes `above` it.
///
/// # Errors
/// When the text is no JSON or cannot be read; it is then unchanged.
pub(super) fn undo(layer: &Layer, store: &Store, text: &mut Text, above: &[Entry]) -> Result<Undone> {
    let waits = |entry: &Entry| above.iter().any(|other| other.overlaps(entry));
    let (deferred, ready): (Vec<_>, Vec<_>) = layer.entries.iter().cloned().partition(waits);
    let mut undone = Undone { deferred, ..Undone::default() };
    if ready.is_empty() && !undone.deferred.is_empty() {
        return Ok(undone);
    }
    let makes_nothing = layer.created && above.is_empty();
    if undone.deferred.is_empty()
        && layer.created == makes_nothing
        && let Some(exact) = &layer.exact
        && exact.hash == text.sha256()?
    {
        undone.leaves_nothing = makes_nothing;
        text.splice(exact.at..exact.at + exact.length, exact.before())?;
        return Ok(undone);
    }
    let mut undoing = Undoing { document: store.document(text.clone()), kept: Vec::new() };
    for entry in ready.iter().filter(|entry| !entry.is_claim()) {
        let (before, after) = (entry.before.as_deref(), entry.after.as_deref());
        undoing.field(&entry.path(), before.map(str::as_bytes), after.map(str::as_bytes))?;
    }
    undone.leaves_nothing = makes_nothing && undoing.is_empty(&Path::of(&[]))?;
    undone.kept = undoing.kept;
    *text = undoing.document.into_text();
    Ok(undone)
}

struct Undoing {
    document: Document,
    kept: Vec<String>,
}

impl Undoing {
    fn field(&mut self, path: &Path, before: Option<&[u8]>, after: Option<&[u8]>) -> Result<()> {
        let now = self.document.get(path)?;
        let now = now.as_deref();
        if is_same(now, after) {
            return self.put_back(path, before);
        }
        if is_same(now, before) {
            return Ok(());
        }
        // What has become another object while others worked on it is undone in its members.
        let is_object = path.tokens().len() < DEEPEST && now.and_then(members_of).is_some();
        let ours = match (before, after) {
            (None, Some(value)) | (Some(value), None) if is_object => members_of(value),
            _ => None,
        };
        let Some(ours) = ours else {
            self.keep(path);
            return Ok(());
        };
        for (key, value) in ours {
            let (path, value) = (path.child(Token::Name(key)), Some(&value[..]));
            let (before, after) = if before.is_some() { (value, None) } else { (None, value) };
            self.field(&path, before, after)?;
        }
        if before.is_none() && !path.is_root() && self.is_empty(path)? {
            self.document.remove(path)?;
        }
        Ok(())
    }

    fn put_back(&mut self, path: &Path, before: Option<&[u8]>) -> Result<()> {
        let Some(before) = before else {
            self.document.remove(path)?;
            return Ok(());
        };
        // An object that is gone was taken away by somebody else, with all that is in it.
        let Some(parent) = path.parent() else { return self.document.set(path, before) };
        if self.document.kind(&parent)? != Some(Kind::Object) {
            self.keep(path);
            return Ok(());
        }
        self.document.set(path, before)
    }

    fn keep(&mut self, path: &Path) {
        self.kept.push(path.to_string());
    }

    fn is_empty(&mut self, path: &Path) -> Result<bool> {
        Ok(self.document.get(path)?.is_some_and(|value| same(&value, b"{}", Numbers::Spelled)))
    }
}

fn is_same(one: Option<&[u8]>, other: Option<&[u8]>) -> bool {
    match (one, other) {
        (None, None) => true,
        (Some(one), Some(other)) => same(one, other, Numbers::Equal),
        _ => false,
    }
}

/// The members of an object and their values, in order; `None` for all else.
fn members_of(value: &[u8]) -> Option<Vec<(String, Vec<u8>)>> {
    let text = Text::new(value.to_vec());
    let found: Members = members(&text, Syntax::Comments, 0).ok()??;
    let read =
        |(key, span): (&String, &std::ops::Range<u64>)| Some((key.clone(), text.read(span.clone()).ok()?));
    in_order(&found).into_iter().map(read).collect()
}

#[cfg(test)]
mod tests;
