//! JSON Merge Patch, RFC 7396.
//!
//! The objects of a patch name the members that change; each of them is one edit in the bytes, and
//! everything else stays. A new object is laid out like what stands around it; its arrays and scalars
//! are spelled as in the patch.

pub(crate) mod given;

use common::{Error, Result};

use crate::document::Document;
use crate::layout::{Lines, Style};
use crate::members::Part;
use crate::path::{Path, Token};
use crate::scan::{Kind, Syntax};
use crate::string;
use given::Given;

/// How deep the objects of a patch may be. The indentation of new ones grows with the square of it,
/// 2 MB at this depth; arrays have no limit.
const DEEPEST: usize = 1000;

/// Merges `patch`, which is JSON as `syntax` has it, into the document.
///
/// # Errors
/// When objects of the patch are nested deeper than 1000 levels, or a key in it is half a surrogate
/// pair; when the document is no JSON or cannot be read. It is then as it was.
pub fn apply(document: &mut Document, patch: &[u8], syntax: Syntax) -> Result<()> {
    let given = Given::new(patch, syntax, "the merge patch");
    if given.depth_of_objects()? > DEEPEST {
        let why = format!("its objects are nested deeper than {DEEPEST} levels");
        return Err(Error::failed(format!("cannot merge the patch: {why}")));
    }
    let mut merge = Merge { given, document: document.clone() };
    merge.run()?;
    *document = merge.document;
    Ok(())
}

struct Merge {
    given: Given,
    document: Document,
}

impl Merge {
    fn run(&mut self) -> Result<()> {
        // What is still to do, the next one at the end.
        let mut rest = vec![(Path::default(), self.given.whole()?)];
        while let Some((path, part)) = rest.pop() {
            let is_object = part.kind == Kind::Object;
            if part.kind == Kind::Null && !path.is_root() {
                self.document.remove(&path)?;
            } else if is_object && self.document.kind(&path)? == Some(Kind::Object) {
                let members = self.given.members(&part)?;
                let child = |(name, part)| (path.child(Token::Name(name)), part);
                rest.extend(members.into_iter().rev().map(child));
            } else {
                let value = if is_object { self.new_object(&path, &part)? } else { self.spelled(&part)? };
                self.document.set(&path, &value)?;
            }
        }
        Ok(())
    }

    /// The text of an object that comes to `path`: without the members that are null.
    fn new_object(&mut self, path: &Path, object: &Part) -> Result<Vec<u8>> {
        let Style { lines, colon, space } = self.document.style_at(path)?;
        // `Document::set` indents the lines to where they come.
        let lines = lines.map(|_| Lines { newline: b"\n", indent: Vec::new(), unit: b"  ".to_vec() });
        let style = Style { lines, colon, space };
        let mut text = Vec::new();
        let mut open = Vec::new();
        let mut next = Some(object.clone());
        loop {
            match next.take() {
                Some(part) if part.kind == Kind::Object => {
                    let mut members = self.given.members(&part)?;
                    members.retain(|(_, part)| part.kind != Kind::Null);
                    text.push(b'{');
                    open.push(members.into_iter().enumerate());
                }
                Some(part) => text.extend(style.value(&self.spelled(&part)?, open.len())),
                None => {}
            }
            let depth = open.len();
            let Some(members) = open.last_mut() else { return Ok(text) };
            if let Some((place, (name, part))) = members.next() {
                text.extend(before(&style, place, depth));
                text.extend_from_slice(&string::encode(&name));
                text.extend_from_slice(&style.colon);
                next = Some(part);
            } else {
                if !text.ends_with(b"{") {
                    text.extend(style.lines.as_ref().map(|lines| lines.begin(depth - 1)).unwrap_or_default());
                }
                text.push(b'}');
                open.pop();
            }
        }
    }

    fn spelled(&self, part: &Part) -> Result<Vec<u8>> {
        self.given.spelled(part, self.document.syntax())
    }
}

/// What stands before the member at `place` of an object whose members are so many levels in.
fn before(style: &Style, place: usize, levels: usize) -> Vec<u8> {
    let comma: &[u8] = if place == 0 { b"" } else { b"," };
    match &style.lines {
        Some(lines) => [comma, &lines.begin(levels)].concat(),
        None if place == 0 => Vec::new(),
        None => [comma, &style.space].concat(),
    }
}

#[cfg(test)]
mod tests;
