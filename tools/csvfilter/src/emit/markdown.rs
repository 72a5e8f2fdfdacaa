//! Rows of a Markdown table (GitHub's flavour). They are not aligned: no row waits for another.

use std::borrow::Cow;

use super::cells::has_any;

/// Appends the header, and the line that makes it one.
pub(super) fn header(names: &[Vec<u8>], out: &mut Vec<u8>) {
    row(names.iter().map(Cow::from), out);
    out.push(b'|');
    out.extend(b" --- |".repeat(names.len()));
    out.push(b'\n');
}

/// Appends a row.
pub(super) fn row<'v>(values: impl Iterator<Item = Cow<'v, [u8]>>, out: &mut Vec<u8>) {
    out.push(b'|');
    for value in values {
        out.push(b' ');
        cell(&value, out);
        out.extend_from_slice(b" |");
    }
    out.push(b'\n');
}

fn cell(value: &[u8], out: &mut Vec<u8>) {
    if !has_any(value, *b"|\\\r\n") {
        return out.extend_from_slice(value);
    }
    let mut rest = value;
    while let [byte, after @ ..] = rest {
        rest = after;
        match byte {
            b'|' => out.extend_from_slice(b"\\|"),
            // Before anything else a backslash stands for itself.
            b'\\' if after.first().is_some_and(u8::is_ascii_punctuation) => out.extend_from_slice(b"\\\\"),
            b'\r' if after.first() == Some(&b'\n') => {}
            b'\r' | b'\n' => out.extend_from_slice(b"<br>"),
            _ => out.push(*byte),
        }
    }
}
