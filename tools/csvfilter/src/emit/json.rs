//! Rows as JSON objects, with their keys in the order of the columns.
//!
//! No key is there twice: the second column of the name `a` is `a_2`, or the next number that is
//! free. A field that is too much is under the number of its column, as `$11`. A missing one is the
//! empty text, or `null` where types are inferred. In strings, what is no UTF-8 becomes U+FFFD.

mod number;
mod text;

use std::collections::{BTreeMap, BTreeSet};

use super::Infer;
use super::cells::{Cells, Piece, copy};
pub(super) use number::is_number;
use text::{Look, Quotes};

/// Writes rows as objects.
#[derive(Debug)]
pub(super) struct Objects {
    infer: Infer,
    is_array: bool,
    names: BTreeSet<String>,
    /// What stands before the value of each column: the key, and the end of the value before.
    keys: Vec<Piece>,
    /// What stands behind the last value.
    end: Piece,
}

impl Objects {
    /// One object in each line.
    pub(super) fn lines(names: &[Vec<u8>], infer: Infer) -> Self {
        Self::new(names, infer, false)
    }

    /// An array of objects, one in each line.
    pub(super) fn array(names: &[Vec<u8>], infer: Infer) -> Self {
        Self::new(names, infer, true)
    }

    fn new(names: &[Vec<u8>], infer: Infer, is_array: bool) -> Self {
        let mut taken: BTreeSet<String> = names.iter().map(|name| lossy(name)).collect();
        // For each name the next number to try: all below it are taken and stay so.
        let mut next: BTreeMap<String, u64> = BTreeMap::new();
        let mut objects =
            Self { infer, is_array, names: BTreeSet::new(), keys: Vec::new(), end: Piece::new(b"") };
        for name in names {
            let name = lossy(name);
            let from = next.get(&name).copied();
            let (key, number) = from.map_or_else(|| (name.clone(), 1), |from| free(&name, from, &taken));
            next.insert(name, number + 1);
            taken.insert(key.clone());
            let piece = Piece::new(objects.key(&key, objects.keys.is_empty()).as_slice());
            objects.keys.push(piece);
        }
        objects.names = taken;
        let quote = if infer == Infer::Strings { "\"" } else { "" };
        let line_end = if is_array { "" } else { "\n" };
        objects.end = Piece::new(format!("{quote}}}{line_end}").as_bytes());
        objects
    }

    /// What stands before the value of a key.
    fn key(&self, key: &str, is_first: bool) -> Vec<u8> {
        let (close, open) = if self.infer == Infer::Strings { ("\"", "\"") } else { ("", "") };
        let before = match (is_first, self.is_array) {
            (true, true) => ",\n{".to_owned(),
            (true, false) => "{".to_owned(),
            (false, _) => format!("{close},"),
        };
        let mut piece = before.into_bytes();
        piece.push(b'"');
        text::escape(key.as_bytes(), &mut piece);
        piece.extend_from_slice(b"\":");
        piece.extend_from_slice(open.as_bytes());
        piece
    }

    pub(super) fn header(&self, out: &mut Vec<u8>) {
        if self.is_array {
            out.push(b'[');
        }
    }

    pub(super) fn footer(&self, out: &mut Vec<u8>) {
        if self.is_array {
            out.extend_from_slice(b"\n]\n");
        }
    }

    pub(super) fn separator_len(&self) -> usize {
        usize::from(self.is_array)
    }

    /// Appends rows.
    pub(super) fn rows(&self, cells: &mut Cells<'_>, kept: &[u32], out: &mut Vec<u8>) {
        match self.infer {
            Infer::Strings => self.rows_with(cells, kept, out, Self::strings),
            Infer::Types => self.rows_with(cells, kept, out, Self::types),
        }
    }

    /// Appends rows, with `plain` those whose fields can be copied as they are.
    ///
    /// It is a function of its own, whatever calls it: what is inlined into it, and so its speed,
    /// should not depend on all other forms.
    #[inline(never)]
    fn rows_with<P>(&self, cells: &mut Cells<'_>, kept: &[u32], out: &mut Vec<u8>, plain: P)
    where
        P: Fn(&Self, &Cells<'_>, &mut Vec<u8>),
    {
        let quote = cells.block.dialect.quote.unwrap_or(b'"');
        cells.each(kept, |cells| match text::look(cells.content(), quote) {
            Look::Plain if cells.is_regular() => plain(self, cells, out),
            look => self.any(cells, look, out),
        });
    }

    /// Appends a row whose fields need no escapes, as strings.
    ///
    /// It is a function of its own, so that all it needs stays in registers.
    #[inline(never)]
    fn strings(&self, cells: &Cells<'_>, out: &mut Vec<u8>) {
        let mut fields = cells.fields();
        let Some((ends, mut start)) = fields.ends() else {
            for key in &self.keys {
                key.append(out);
                cells.copy(fields.next_or_empty(), out);
            }
            return self.end.append(out);
        };
        for (key, end) in self.keys.iter().zip(ends) {
            let end = *end as usize;
            key.append(out);
            cells.copy((start, end), out);
            start = end.wrapping_add(1);
        }
        if let Some(key) = self.keys.last() {
            key.append(out);
        }
        cells.copy((start, cells.end()), out);
        self.end.append(out);
    }

    /// Visits keys with their fields; a missing field is an empty one.
    ///
    /// There is one place that visits, or the visit would not be inlined: a third of the speed.
    #[inline]
    fn each(&self, cells: &Cells<'_>, mut visit: impl FnMut(&Piece, (usize, usize))) {
        let mut fields = cells.fields();
        for key in &self.keys {
            visit(key, fields.next_or_empty());
        }
    }

    /// Appends a row whose fields need no escapes, with their types.
    #[inline]
    fn types(&self, cells: &Cells<'_>, out: &mut Vec<u8>) {
        self.each(cells, |key, (start, end)| {
            key.append(out);
            let (bytes, len) = (cells.from(start), end.wrapping_sub(start));
            if len == 0 {
                return out.extend_from_slice(b"null");
            }
            if number::is_literal(bytes, len) {
                return copy(bytes, len, out);
            }
            out.push(b'"');
            copy(bytes, len, out);
            out.push(b'"');
        });
        self.end.append(out);
    }

    /// Appends any row.
    #[inline(never)]
    fn any(&self, cells: &Cells<'_>, look: Look, out: &mut Vec<u8>) {
        self.each(cells, |key, bounds| {
            key.append(out);
            self.value(cells, bounds, look, out);
        });
        for column in cells.extra() {
            let name = String::from_utf8(super::nameless(column)).unwrap_or_default();
            let name = if self.names.contains(&name) { free(&name, 2, &self.names).0 } else { name };
            out.extend_from_slice(&self.key(&name, self.keys.is_empty() && column == 0));
            self.value(cells, cells.bounds(column).unwrap_or_default(), look, out);
        }
        self.end.append(out);
    }

    #[inline]
    fn value(&self, cells: &Cells<'_>, (start, end): (usize, usize), look: Look, out: &mut Vec<u8>) {
        let (bytes, len) = (cells.from(start), end.wrapping_sub(start));
        if self.infer == Infer::Strings {
            return string(cells, bytes, len, look, out);
        }
        if len == 0 {
            out.extend_from_slice(b"null");
        } else if number::is_literal(bytes, len) {
            copy(bytes, len, out);
        } else {
            out.push(b'"');
            string(cells, bytes, len, look, out);
            out.push(b'"');
        }
    }
}

/// Appends the inside of a string.
#[inline]
fn string(cells: &Cells<'_>, bytes: &[u8], len: usize, look: Look, out: &mut Vec<u8>) {
    let before = out.len();
    let dialect = &cells.block.dialect;
    let raw = bytes.get(..len).unwrap_or_default();
    let is_copied = match raw {
        _ if look == Look::Broken || dialect.escapes => false,
        [b'"', .., b'"'] if dialect.quote == Some(b'"') => text::escape_field(
            bytes.get(1..).unwrap_or_default(),
            len.wrapping_sub(2),
            Quotes::AreDoubled,
            out,
        ),
        _ if dialect.is_quoted(raw) => false,
        _ => text::escape_field(bytes, len, Quotes::AreData, out),
    };
    if !is_copied {
        out.truncate(before);
        text::escape(&dialect.value(raw), out);
    }
}

fn lossy(name: &[u8]) -> String {
    String::from_utf8_lossy(name).into_owned()
}

/// The name with the first number from `from` on that makes it one of its own, and that number.
fn free(name: &str, from: u64, taken: &BTreeSet<String>) -> (String, u64) {
    let mut numbered = (from..).map(|number| (format!("{name}_{number}"), number));
    numbered.find(|(name, _)| !taken.contains(name)).unwrap_or_default()
}
