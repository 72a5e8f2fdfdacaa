//! Rows as tab-separated values, each in one line.

use super::cells::{Cells, has_any};

/// Appends a row.
#[inline]
pub(super) fn row(cells: &Cells<'_>, out: &mut Vec<u8>) {
    let dialect = cells.block.dialect;
    let other = if dialect.delimiter == b'\t' { b'\r' } else { b'\t' };
    let is_plain = !has_any(cells.content(), [dialect.quote.unwrap_or(b'\\'), b'\\', other, b'\r']);
    for column in cells.present() {
        match cells.bounds(column) {
            Some(bounds) if is_plain => cells.copy(bounds, out),
            _ => escaped(&dialect.value(cells.raw(column).unwrap_or_default()), out),
        }
        out.push(b'\t');
    }
    out.pop();
    out.push(b'\n');
}

/// Appends a row of values.
pub(super) fn values(values: &[Vec<u8>], out: &mut Vec<u8>) {
    for value in values {
        escaped(value, out);
        out.push(b'\t');
    }
    out.pop();
    out.push(b'\n');
}

/// Appends a value with escapes.
pub(super) fn escaped(value: &[u8], out: &mut Vec<u8>) {
    if !has_any(value, *b"\t\n\r\\") {
        return out.extend_from_slice(value);
    }
    for byte in value {
        match byte {
            b'\t' => out.extend_from_slice(b"\\t"),
            b'\n' => out.extend_from_slice(b"\\n"),
            b'\r' => out.extend_from_slice(b"\\r"),
            b'\\' => out.extend_from_slice(b"\\\\"),
            _ => out.push(*byte),
        }
    }
}
