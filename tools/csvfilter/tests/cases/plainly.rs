//! The filter once more, written plainly: rows and fields are those of the csv crate.

use std::ops::Range;

use csvfilter::dialect::Dialect;
use memchr::memchr_iter;

use crate::reference::{ends_by_reference, fields_by_reference, reference};

/// What is to come out of a table.
pub(crate) struct Expected {
    /// The header and the rows that are kept.
    pub(crate) kept: Vec<u8>,
    /// The rows that are bad, and the line on which each begins.
    pub(crate) bad: Vec<(usize, Vec<u8>)>,
    pub(crate) rows: usize,
    header: usize,
}

impl Expected {
    pub(crate) fn header(&self) -> &[u8] {
        &self.kept[..self.header]
    }
}

/// What is asked of the fields of a row; `None`: one of them should be a number.
pub(crate) type Question = fn(&[Vec<u8>]) -> Option<bool>;

pub(crate) fn filter(text: &[u8], dialect: Dialect, question: Question) -> Expected {
    let mut rows = rows(text, dialect).into_iter();
    let (header, _) = rows.next().unwrap();
    let width = fields_by_reference(content(&text[header.clone()]), dialect).len();
    let header = text[header].to_vec();
    let mut expected = Expected { header: header.len(), kept: header, bad: Vec::new(), rows: 0 };
    let (mut line, mut at) = (1, 0);
    for (place, is_open) in rows {
        line += memchr_iter(b'\n', &text[at..place.start]).count();
        at = place.start;
        expected.rows += 1;
        let row = &text[place];
        let fields = fields_by_reference(content(row), dialect);
        let is_row = !is_open && fields.len() == width && std::str::from_utf8(row).is_ok();
        match is_row.then(|| question(&fields)).flatten() {
            Some(true) => expected.kept.extend_from_slice(row),
            Some(false) => {}
            None => expected.bad.push((line, row.to_vec())),
        }
    }
    expected
}

/// Where the rows are, and whether a quote of them never closes.
fn rows(text: &[u8], dialect: Dialect) -> Vec<(Range<usize>, bool)> {
    let mut rows = Vec::new();
    let mut from = 0;
    while from < text.len() {
        let rest = &text[from..];
        let mut start = 0;
        let first = rows.len();
        for end in ends_by_reference(rest, dialect) {
            start += lines_that_are_no_rows(&rest[start..end], dialect);
            rows.push((from + start..from + end, false));
            start = end;
        }
        let Some((last, is_open)) = rows[first..].last_mut() else { break };
        if !is_open_at_end(&text[last.clone()], dialect) {
            break;
        }
        *is_open = true;
        last.end = last.start + line_of_open_quote(&text[last.clone()], dialect);
        from = last.end;
    }
    rows
}

/// How many bytes of blank lines and comments stand before a row.
fn lines_that_are_no_rows(text: &[u8], dialect: Dialect) -> usize {
    let mut length = 0;
    for line in text.split_inclusive(|byte| *byte == b'\n') {
        let is_comment = dialect.comment.is_some_and(|comment| line.first() == Some(&comment));
        if !is_comment && !content(line).is_empty() {
            break;
        }
        length += line.len();
    }
    length
}

fn content(row: &[u8]) -> &[u8] {
    let row = row.strip_suffix(b"\n").unwrap_or(row);
    row.strip_suffix(b"\r").unwrap_or(row)
}

/// Whether a line behind the row would belong to it.
fn is_open_at_end(row: &[u8], dialect: Dialect) -> bool {
    let line_end: &[u8] = if row.ends_with(b"\n") { b"" } else { b"\n" };
    let more = [row, line_end, b"zz\n"].concat();
    reference(&more, dialect).byte_records().count() == 1
}

/// Where the line ends on which the quote opens that is open at the end of the row: the first line
/// end that lies within quotes and in the last field.
fn line_of_open_quote(row: &[u8], dialect: Dialect) -> usize {
    let fields = |part: &[u8]| fields_by_reference(part, dialect).len();
    let wanted = fields(row);
    let ends: Vec<usize> = (1..=row.len()).filter(|end| row[end - 1] == b'\n').collect();
    let first = ends.partition_point(|end| fields(&row[..*end]) < wanted);
    ends.get(first).copied().unwrap_or(row.len())
}
