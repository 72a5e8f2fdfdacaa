//! Where the members of an object and the elements of an array are.

use std::collections::BTreeMap;
use std::ops::Range;

use crate::scan::{Kind, Next, Scanned, Scanner, Syntax};
use crate::string;
use crate::text::Text;

/// The members of an object by their keys, each with the bytes of its value; of those with one key
/// the last.
pub type Members = BTreeMap<String, Range<u64>>;

/// The members in the order of the document.
#[must_use]
pub fn in_order(members: &Members) -> Vec<(&String, &Range<u64>)> {
    let mut members: Vec<_> = members.iter().collect();
    members.sort_by_key(|(_, span)| span.start);
    members
}

/// The bytes of the value of a text. What stands behind it is not looked at.
///
/// # Errors
/// When it is no JSON or cannot be read.
pub fn root(text: &Text, syntax: Syntax) -> Scanned<Range<u64>> {
    let mut scanner = Scanner::new(text, syntax, 0);
    scanner.begin()?;
    let begin = scanner.offset();
    scanner.value()?;
    Ok(begin..scanner.offset())
}

/// The members of the object at `at`; `None` where something else is, or where a key is half a
/// surrogate pair, which no path can name.
///
/// # Errors
/// When it is no JSON or cannot be read.
pub fn members(text: &Text, syntax: Syntax, at: u64) -> Scanned<Option<Members>> {
    let mut scanner = Scanner::new(text, syntax, at);
    if scanner.open()? != Some(true) {
        return Ok(None);
    }
    let mut members = Members::new();
    let mut raw = Vec::new();
    let mut is_over = scanner.first(true)?.is_some();
    while !is_over {
        raw.clear();
        scanner.key(Some(&mut raw))?;
        let Some(key) = string::decode(&raw).and_then(|key| String::from_utf8(key).ok()) else {
            return Ok(None);
        };
        let begin = scanner.offset();
        scanner.value()?;
        members.insert(key, begin..scanner.offset());
        is_over = matches!(scanner.next(true)?, Next::Close { .. });
    }
    Ok(Some(members))
}

/// A member or an element.
#[derive(Debug, Clone)]
pub(crate) struct Part {
    /// What stands between the quotes of its key; nothing for an element.
    pub(crate) key: Vec<u8>,
    pub(crate) kind: Kind,
    pub(crate) span: Range<u64>,
}

/// The members or elements of the container that begins here, in their order; none where something
/// else does.
///
/// # Errors
/// When it is no JSON or cannot be read.
pub(crate) fn parts(scanner: &mut Scanner<'_>) -> Scanned<Vec<Part>> {
    let mut parts = Vec::new();
    let Some(is_object) = scanner.open()? else { return Ok(parts) };
    if scanner.first(is_object)?.is_some() {
        return Ok(parts);
    }
    loop {
        parts.push(part(scanner, is_object)?);
        if let Next::Close { .. } = scanner.next(is_object)? {
            return Ok(parts);
        }
    }
}

/// The member, or the value, that begins here.
///
/// # Errors
/// When it is no JSON or cannot be read.
pub(crate) fn part(scanner: &mut Scanner<'_>, is_member: bool) -> Scanned<Part> {
    let mut key = Vec::new();
    if is_member {
        scanner.key(Some(&mut key))?;
    }
    let begin = scanner.offset();
    let kind = scanner.value()?;
    Ok(Part { key, kind, span: begin..scanner.offset() })
}
