//! Rows as a table with aligned columns, for people.
//!
//! A column is as wide as its widest value, and is aligned to the right if all its values are JSON
//! numbers or empty. Control characters and marks that steer a terminal are shown as escapes, such
//! as `\n` and `\u{1b}`; nothing is cut. All rows are remembered until the table is printed.

use std::borrow::Cow;

use common::Result;
use unicode_width::UnicodeWidthStr;

use super::json;

/// What stands between two columns.
const GAP: usize = 2;

/// As much as is printed at once.
const BATCH: usize = 64 * 1024;

/// Appends the cells of a row, for [`Table::add`]: with a tab behind each and LF behind the last,
/// neither of which a cell contains.
pub(super) fn row<'v>(values: impl Iterator<Item = Cow<'v, [u8]>>, out: &mut Vec<u8>) {
    for value in values {
        cell(&value, out);
        out.push(b'\t');
    }
    out.push(b'\n');
}

fn cell(value: &[u8], out: &mut Vec<u8>) {
    if value.iter().all(|byte| matches!(byte, b' '..=b'~')) {
        out.extend_from_slice(value);
    } else {
        out.extend_from_slice(common::log::escape(&String::from_utf8_lossy(value)).as_bytes());
    }
}

/// The rows of a table, until all of them are known.
#[derive(Debug)]
pub struct Table {
    rows: Vec<u8>,
    columns: Vec<Column>,
    /// Whether the next row is the header.
    awaits_header: bool,
}

/// What is known of a column.
#[derive(Debug, Clone, Copy)]
struct Column {
    width: usize,
    has_text: bool,
    has_number: bool,
}

impl Table {
    /// A table without rows.
    pub(super) fn new(has_header: bool) -> Self {
        Self { rows: Vec::new(), columns: Vec::new(), awaits_header: has_header }
    }

    /// Takes rows, as [`super::Emit::header`] and [`super::Emit::rows`] have written them. The header
    /// comes first.
    pub fn add(&mut self, rows: &[u8]) {
        self.rows.extend_from_slice(rows);
        for row in rows.split_inclusive(|byte| *byte == b'\n') {
            let is_header = std::mem::replace(&mut self.awaits_header, false);
            for (place, cell) in cells(row).enumerate() {
                self.note(place, cell, is_header);
            }
        }
    }

    fn note(&mut self, place: usize, cell: &[u8], is_header: bool) {
        if place == self.columns.len() {
            self.columns.push(Column { width: 0, has_text: false, has_number: false });
        }
        let Some(column) = self.columns.get_mut(place) else { return };
        column.width = column.width.max(width(cell));
        if !is_header && !cell.is_empty() {
            let is_number = json::is_number(cell);
            column.has_number |= is_number;
            column.has_text |= !is_number;
        }
    }

    /// Prints all rows, in pieces of some 64 KiB.
    ///
    /// # Errors
    /// When `put` fails.
    pub fn print(&self, mut put: impl FnMut(&[u8]) -> Result<()>) -> Result<()> {
        let mut out = Vec::new();
        for row in self.rows.split_inclusive(|byte| *byte == b'\n') {
            self.line(row, &mut out);
            if out.len() >= BATCH {
                put(&out)?;
                out.clear();
            }
        }
        put(&out)
    }

    /// Appends a row. Spaces are written only before something: no line ends with them.
    fn line(&self, row: &[u8], out: &mut Vec<u8>) {
        let (mut start, mut written) = (0, 0);
        for (column, cell) in self.columns.iter().zip(cells(row)) {
            let width = width(cell);
            let is_right = column.has_number && !column.has_text;
            let at = start + if is_right { column.width.saturating_sub(width) } else { 0 };
            if !cell.is_empty() {
                out.resize(out.len() + (at - written), b' ');
                out.extend_from_slice(cell);
                written = at + width;
            }
            start += column.width + GAP;
        }
        out.push(b'\n');
    }
}

fn cells(row: &[u8]) -> impl Iterator<Item = &[u8]> {
    let row = row.strip_suffix(b"\n").unwrap_or(row);
    let row = row.strip_suffix(b"\t").unwrap_or(row);
    row.split(|byte| *byte == b'\t')
}

fn width(cell: &[u8]) -> usize {
    match std::str::from_utf8(cell) {
        Ok(text) if !text.is_ascii() => text.width(),
        _ => cell.len(),
    }
}
