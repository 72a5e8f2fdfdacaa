//! Rows of a Markdown table (GitHub's flavour). They are not aligned: no row waits for another.
//! Control characters and marks that steer a terminal are shown as escapes, as in a table.

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
    if value.iter().all(|byte| matches!(byte, b' '..=b'~')) && !has_any(value, *b"|\\\r\n") {
        return out.extend_from_slice(value);
    }
    let value = String::from_utf8_lossy(value);
    let mut text = String::with_capacity(value.len());
    let mut rest = value.chars();
    while let Some(c) = rest.next() {
        let after = rest.as_str();
        match c {
            '|' => text.push_str("\\|"),
            // Before anything else a backslash stands for itself.
            '\\' if after.starts_with(|c: char| c.is_ascii_punctuation()) => text.push_str("\\\\"),
            '\r' if after.starts_with('\n') => {}
            '\r' | '\n' => text.push_str("<br>"),
            _ => text.push(c),
        }
    }
    // It is read on a terminal too, which must not be steered by it.
    out.extend_from_slice(common::log::escape(&text).as_bytes());
}
