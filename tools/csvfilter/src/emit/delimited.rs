//! Rows as CSV: chosen fields as they came in, or all of it written anew.

use std::borrow::Cow;

use memchr::memchr_iter;

use super::cells::{Cells, has_any};
use super::tsv::escaped;
use crate::dialect::Dialect;
use crate::scan;

/// Chosen fields as they are written.
#[derive(Debug)]
pub(super) struct Picked {
    dialect: Dialect,
}

impl Picked {
    pub(super) fn new(dialect: Dialect) -> Self {
        Self { dialect }
    }

    #[inline]
    pub(super) fn row(&self, cells: &Cells<'_>, out: &mut Vec<u8>) {
        let before = out.len();
        for column in cells.present() {
            if let Some(bounds) = cells.bounds(column) {
                cells.copy(bounds, out);
            }
            out.push(self.dialect.delimiter);
        }
        out.pop();
        if self.is_safe(out.get(before..).unwrap_or_default(), cells) {
            out.extend_from_slice(cells.line_end());
            return;
        }
        out.truncate(before);
        let raw = |column| Cow::Borrowed(cells.raw(column).unwrap_or_default());
        let fields: Vec<_> = cells.present().map(raw).collect();
        self.fields(&fields, cells.line_end(), out);
    }

    /// Whether the fields mean in a row of their own what they meant before.
    fn is_safe(&self, row: &[u8], cells: &Cells<'_>) -> bool {
        let (Some(first), Some(last)) = (row.first(), row.last()) else { return false };
        // No other field can be open: what follows an open quote is part of its field.
        let is_open = || cells.raw(cells.len().wrapping_sub(1)).is_some_and(|raw| self.is_open(raw));
        *last != b'\r' && self.dialect.comment != Some(*first) && !is_open()
    }

    fn is_open(&self, raw: &[u8]) -> bool {
        let Some(quote) = self.dialect.quote.filter(|quote| raw.first() == Some(quote)) else { return false };
        // An open field has its first quote, and else only doubled ones.
        memchr_iter(quote, raw).count() % 2 == 1 && scan::open_quote(raw, self.dialect).is_some()
    }

    /// Appends raw fields as a row, and writes anew what would mean something else in its place.
    pub(super) fn fields(&self, fields: &[Cow<'_, [u8]>], line_end: &[u8], out: &mut Vec<u8>) {
        let last = fields.len().wrapping_sub(1);
        for (place, raw) in fields.iter().enumerate() {
            if place > 0 {
                out.push(self.dialect.delimiter);
            }
            let is_comment =
                place == 0 && raw.first().is_some_and(|first| self.dialect.comment == Some(*first));
            let is_lost = last == 0 && raw.is_empty() || place == last && raw.last() == Some(&b'\r');
            if is_comment || is_lost || self.is_open(raw) {
                self.anew(raw, out);
            } else {
                out.extend_from_slice(raw);
            }
        }
        out.extend_from_slice(line_end);
    }

    /// Appends the value of a raw field so that nothing around it matters, as far as the dialect can.
    fn anew(&self, raw: &[u8], out: &mut Vec<u8>) {
        let value = self.dialect.value(raw);
        match self.dialect.quote {
            Some(quote) => quoted(&value, quote, out),
            None if self.dialect.escapes => escaped(&value, out),
            None => out.extend_from_slice(raw),
        }
    }

    /// A value as a raw field, in quotes where it needs them.
    pub(super) fn quotable<'v>(&self, value: &'v [u8]) -> Cow<'v, [u8]> {
        let Dialect { delimiter, quote, escapes, .. } = self.dialect;
        let mut raw = Vec::new();
        match quote {
            Some(quote) if has_any(value, [delimiter, quote, b'\r', b'\n']) => quoted(value, quote, &mut raw),
            None if escapes => escaped(value, &mut raw),
            _ => return Cow::Borrowed(value),
        }
        Cow::Owned(raw)
    }
}

/// CSV that is written anew.
#[derive(Debug)]
pub(super) struct Quotes {
    pub(super) delimiter: u8,
    /// What the first field of a row does not begin with outside of quotes.
    pub(super) comment: Option<u8>,
    /// Whether quotes that are not needed stay.
    pub(super) keep: bool,
}

impl Quotes {
    /// Appends a row.
    #[inline]
    pub(super) fn row(&self, cells: &Cells<'_>, out: &mut Vec<u8>) {
        let before = out.len();
        if self.is_plain(cells) {
            for column in cells.present() {
                if let Some(bounds) = cells.bounds(column) {
                    cells.copy(bounds, out);
                }
                out.push(self.delimiter);
            }
            out.pop();
            if out.get(before).is_some_and(|first| self.comment != Some(*first)) {
                return out.push(b'\n');
            }
            out.truncate(before);
        }
        let dialect = cells.block.dialect;
        for column in cells.present() {
            let raw = cells.raw(column).unwrap_or_default();
            let is_first = out.len() == before;
            self.field(&dialect.value(raw), is_first, self.keep && dialect.is_quoted(raw), out);
            out.push(self.delimiter);
        }
        end(before, out);
    }

    /// Whether no field of the row is in quotes, or has to be.
    #[inline]
    fn is_plain(&self, cells: &Cells<'_>) -> bool {
        let dialect = cells.block.dialect;
        let own = if dialect.escapes { b'\\' } else { dialect.quote.unwrap_or(b'"') };
        let other = if self.delimiter == dialect.delimiter { b'"' } else { self.delimiter };
        !has_any(cells.content(), [b'"', own, other, b'\r'])
    }

    /// Appends a row of values.
    pub(super) fn values(&self, values: &[Vec<u8>], out: &mut Vec<u8>) {
        let before = out.len();
        for value in values {
            self.field(value, out.len() == before, false, out);
            out.push(self.delimiter);
        }
        end(before, out);
    }

    fn field(&self, value: &[u8], is_first: bool, was_quoted: bool, out: &mut Vec<u8>) {
        let is_comment = is_first && value.first().is_some_and(|first| self.comment == Some(*first));
        if was_quoted || is_comment || has_any(value, [self.delimiter, b'"', b'\r', b'\n']) {
            quoted(value, b'"', out);
        } else {
            out.extend_from_slice(value);
        }
    }
}

/// Puts the line end in the place of the last delimiter. An empty line would be no row.
fn end(before: usize, out: &mut Vec<u8>) {
    out.pop();
    if out.len() == before {
        out.extend_from_slice(b"\"\"");
    }
    out.push(b'\n');
}

/// Appends a value in quotes.
fn quoted(value: &[u8], quote: u8, out: &mut Vec<u8>) {
    out.push(quote);
    let mut from = 0;
    for at in memchr_iter(quote, value) {
        out.extend_from_slice(value.get(from..=at).unwrap_or_default());
        from = at;
    }
    out.extend_from_slice(value.get(from..).unwrap_or_default());
    out.push(quote);
}
