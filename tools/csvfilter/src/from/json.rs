//! An object as a row of cells.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fmt;
use std::ops::Range;

use serde::de::{DeserializeSeed, Deserializer as _, Error as _, IgnoredAny, MapAccess, Visitor};
use serde_json::Deserializer;
use serde_json::value::RawValue;

use crate::number;

/// Objects may be nested as deep as in most JSON libraries.
const DEEPEST: usize = 128;

/// Why a record is no row.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Fault {
    /// It is no JSON; the place is within the record, counted from 1.
    Syntax { line: usize, column: usize, reason: String },
    /// It is JSON, but no row.
    Record(String),
    /// It has a key that is no column, though all are known.
    NewKey,
}

/// The columns of a table, and one row of it.
#[derive(Debug, Clone, Default)]
pub(super) struct Sheet {
    /// All columns are known.
    pub(super) is_closed: bool,
    names: Vec<Vec<u8>>,
    places: BTreeMap<Vec<u8>, usize>,
    /// For each column where its cell stands in `text`; none where the row has no such key.
    cells: Vec<Option<Range<usize>>>,
    /// The cells as they are written in CSV.
    text: String,
    /// The column that is likely to be next: objects have their keys in the same order.
    next: usize,
    /// The name of the column that is being read.
    path: Vec<u8>,
    /// Why reading ended early, if that is not the grammar.
    fault: Option<Fault>,
}

impl Sheet {
    pub(super) fn names(&self) -> &[Vec<u8>] {
        &self.names
    }

    /// Reads an object; a fault leaves the columns as they were.
    pub(super) fn read(&mut self, record: &[u8]) -> Result<(), Fault> {
        let Ok(text) = simdutf8::basic::from_utf8(record) else {
            return Err(Fault::Record("the record is not UTF-8".into()));
        };
        self.cells.fill(None);
        self.text.clear();
        self.path.clear();
        self.next = 0;
        let known = self.names.len();
        let read = if text.starts_with('{') { self.object(text, 0) } else { Err(None) };
        let is_new = self.is_closed && self.names.len() > known;
        let fault = match read {
            Ok(()) if is_new => Fault::NewKey,
            Ok(()) => return Ok(()),
            Err(error) => self.fault.take().unwrap_or_else(|| why(text, error)),
        };
        for name in self.names.drain(known..) {
            self.places.remove(&name);
        }
        self.cells.truncate(known);
        Err(fault)
    }

    /// Adds the row as a line of CSV, unless the table has no columns.
    pub(super) fn write(&self, to: &mut Vec<u8>) -> bool {
        if self.cells.is_empty() {
            return false;
        }
        let start = to.len();
        for cell in &self.cells {
            let text = cell.clone().and_then(|range| self.text.get(range)).unwrap_or_default();
            to.extend_from_slice(text.as_bytes());
            to.push(b',');
        }
        // The last comma becomes the line end; a line with nothing else would be no row.
        to.pop();
        if to.len() == start {
            to.extend_from_slice(b"\"\"");
        }
        to.push(b'\n');
        true
    }

    fn object(&mut self, text: &str, depth: usize) -> Result<(), Option<serde_json::Error>> {
        let mut json = Deserializer::from_str(text);
        json.deserialize_map(Object { sheet: self, depth }).and_then(|()| json.end()).map_err(Some)
    }

    /// Reads the value of the key in `path`.
    fn value(&mut self, raw: &str, depth: usize) -> Result<(), Fault> {
        let inner = raw.get(1..raw.len() - 1).unwrap_or_default();
        match raw.as_bytes().first() {
            Some(b'{') if !inner.trim_ascii().is_empty() => self.nested(raw, depth + 1),
            Some(b'{') => self.cell(|text| text.push_str("{}")),
            Some(b'[') => self.cell(|text| quote(&compact(raw), text)),
            Some(b'"') => {
                let value = if inner.contains('\\') { unescape(raw)? } else { Cow::Borrowed(inner) };
                let is_plain = !value.is_empty() && !is_literal(&value);
                self.cell(
                    |text| if is_plain { quote(&value, text) } else { text.extend(["\"", &value, "\""]) },
                )
            }
            Some(b'n') => self.cell(|_| {}),
            _ => self.cell(|text| text.push_str(raw)),
        }
    }

    fn nested(&mut self, raw: &str, depth: usize) -> Result<(), Fault> {
        if depth >= DEEPEST {
            return Err(Fault::Record(format!("objects are nested deeper than {DEEPEST} levels")));
        }
        self.object(raw, depth).map_err(|error| self.fault.take().unwrap_or_else(|| why(raw, error)))
    }

    /// The column that `path` names; a new one if it is not known.
    fn place(&mut self) -> usize {
        if self.names.get(self.next) == Some(&self.path) {
            return self.next;
        }
        if let Some(place) = self.places.get(&self.path) {
            return *place;
        }
        self.places.insert(self.path.clone(), self.names.len());
        self.names.push(self.path.clone());
        self.cells.push(None);
        self.names.len() - 1
    }

    /// Puts what `write` writes in the column that `path` names.
    fn cell(&mut self, write: impl FnOnce(&mut String)) -> Result<(), Fault> {
        let place = self.place();
        self.next = place + 1;
        let start = self.text.len();
        write(&mut self.text);
        let old = self.cells.get_mut(place).and_then(|cell| cell.replace(start..self.text.len()));
        if old.is_some() {
            let name = String::from_utf8_lossy(&self.path);
            return Err(Fault::Record(format!("column `{name}` is told twice")));
        }
        Ok(())
    }
}

/// What is wrong with a record.
fn why(text: &str, error: Option<serde_json::Error>) -> Fault {
    match (serde_json::from_str::<IgnoredAny>(text), error) {
        (Err(error), _) => {
            Fault::Syntax { line: error.line(), column: error.column(), reason: sentence(&error) }
        }
        (Ok(_), Some(error)) => Fault::Record(sentence(&error)),
        (Ok(_), None) => Fault::Record("the record is no object".into()),
    }
}

/// The message without the place.
fn sentence(error: &serde_json::Error) -> String {
    let whole = error.to_string();
    whole.rsplit_once(" at line ").map_or(whole.as_str(), |(message, _)| message).to_owned()
}

fn unescape(raw: &str) -> Result<Cow<'_, str>, Fault> {
    serde_json::from_str::<String>(raw).map(Cow::Owned).map_err(|error| Fault::Record(sentence(&error)))
}

/// Whether a text without quotes would be read as something else than a text.
fn is_literal(text: &str) -> bool {
    matches!(text, "true" | "false" | "null") || number::is_number(text.as_bytes())
}

/// Writes a cell, in quotes if it needs them.
fn quote(value: &str, to: &mut String) {
    if !value.contains([',', '"', '\n', '\r']) {
        return to.push_str(value);
    }
    to.push('"');
    for (count, part) in value.split('"').enumerate() {
        if count > 0 {
            to.push_str("\"\"");
        }
        to.push_str(part);
    }
    to.push('"');
}

/// JSON without the white space between its parts.
fn compact(raw: &str) -> String {
    let (mut is_string, mut is_escaped) = (false, false);
    let is_kept = |letter: &char| {
        if is_string {
            is_string = is_escaped || *letter != '"';
            is_escaped = *letter == '\\' && !is_escaped;
            return true;
        }
        is_string = *letter == '"';
        !matches!(letter, ' ' | '\t' | '\n' | '\r')
    };
    raw.chars().filter(is_kept).collect()
}

/// Reads the members of an object into a row.
struct Object<'s> {
    sheet: &'s mut Sheet,
    depth: usize,
}

impl<'de> Visitor<'de> for Object<'_> {
    type Value = ();

    fn expecting(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        to.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<(), A::Error> {
        let Self { sheet, depth } = self;
        let own = sheet.path.len();
        loop {
            sheet.path.truncate(own);
            if depth > 0 {
                sheet.path.push(b'.');
            }
            if members.next_key_seed(Key(&mut sheet.path))?.is_none() {
                sheet.path.truncate(own);
                return Ok(());
            }
            let raw: &RawValue = members.next_value()?;
            if let Err(fault) = sheet.value(raw.get(), depth) {
                sheet.fault = Some(fault);
                return Err(A::Error::custom("the record is no row"));
            }
        }
    }
}

/// Adds a key to a path.
struct Key<'p>(&'p mut Vec<u8>);

impl<'de> DeserializeSeed<'de> for Key<'_> {
    type Value = ();

    fn deserialize<D: serde::Deserializer<'de>>(self, json: D) -> Result<(), D::Error> {
        json.deserialize_str(self)
    }
}

impl Visitor<'_> for Key<'_> {
    type Value = ();

    fn expecting(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        to.write_str("a key")
    }

    fn visit_str<E>(self, key: &str) -> Result<(), E> {
        self.0.extend_from_slice(key.as_bytes());
        Ok(())
    }
}
