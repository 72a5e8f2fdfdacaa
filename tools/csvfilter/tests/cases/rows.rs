//! Rows and fields as the csv crate finds them.
//!
//! It is told that rows end with LF, so that a CR is data for it as it is here, with one difference: a
//! CR in front of the LF that ends a row, or at the end of the text, belongs to the line end. So each
//! row is compared without its line end, and a line with nothing but a CR is a blank one. A quote that
//! never closes takes the rest of the text with it, for both. A comment that ends with the text, and
//! not with a line end, is an empty row for the csv crate, and a comment here.

use std::borrow::Cow;
use std::ops::Range;

use csv::{ByteRecord, Reader, ReaderBuilder, Terminator};
use csvfilter::dialect::Dialect;

/// A reader of the csv crate for this dialect, whose first row is a row.
fn reference(text: &[u8], dialect: Dialect) -> Reader<&[u8]> {
    ReaderBuilder::new()
        .has_headers(false)
        .flexible(true)
        .terminator(Terminator::Any(b'\n'))
        .delimiter(dialect.delimiter)
        .quoting(dialect.quote.is_some())
        .quote(dialect.quote.unwrap_or(b'"'))
        .comment(dialect.comment)
        .from_reader(text)
}

/// The csv crate takes a byte order mark away; behind a blank line it is what it is here, data.
fn kept_whole(text: &[u8]) -> Cow<'_, [u8]> {
    if text.starts_with(b"\xef\xbb\xbf") { Cow::Owned([b"\n", text].concat()) } else { Cow::Borrowed(text) }
}

/// Where the rows end that are neither blank nor comments.
pub(crate) fn ends_by_reference(text: &[u8], dialect: Dialect) -> Vec<usize> {
    let whole = kept_whole(text);
    let added = whole.len() - text.len();
    let (mut reader, mut record, mut ends) = (reference(&whole, dialect), ByteRecord::new(), Vec::new());
    while reader.read_byte_record(&mut record).unwrap() {
        let end = usize::try_from(reader.position().byte()).unwrap() - added;
        if !is_no_row(&record, &text[..end], dialect) {
            ends.push(end);
        }
    }
    ends
}

/// Whether the record that `text` ends with is a CR on a line of its own, or a comment.
fn is_no_row(record: &ByteRecord, text: &[u8], dialect: Dialect) -> bool {
    let Some(field) = record.get(0).filter(|_| record.len() == 1) else { return false };
    let line = text.strip_suffix(b"\n").unwrap_or(text).rsplit(|byte| *byte == b'\n').next();
    match (field, line) {
        (b"\r", line) => line == Some(b"\r"),
        (b"", Some([first, ..])) => Some(*first) == dialect.comment,
        _ => false,
    }
}

/// The only row of `content`, which has no line end.
pub(crate) fn fields_by_reference(content: &[u8], dialect: Dialect) -> Vec<Vec<u8>> {
    let whole = kept_whole(content);
    let records: Vec<ByteRecord> = reference(&whole, dialect).byte_records().map(Result::unwrap).collect();
    let [record] = &records[..] else { panic!("{} rows in {}", records.len(), content.escape_ascii()) };
    record.iter().map(<[u8]>::to_vec).collect()
}

/// Where the rows are, and whether a quote of them never closes.
pub(crate) fn rows(text: &[u8], dialect: Dialect) -> Vec<(Range<usize>, bool)> {
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

pub(crate) fn content(row: &[u8]) -> &[u8] {
    let row = row.strip_suffix(b"\n").unwrap_or(row);
    row.strip_suffix(b"\r").unwrap_or(row)
}

/// Whether a line behind the row would belong to it.
fn is_open_at_end(row: &[u8], dialect: Dialect) -> bool {
    let line_end: &[u8] = if row.ends_with(b"\n") { b"" } else { b"\n" };
    let more = [row, line_end, b"zz\n"].concat();
    reference(&kept_whole(&more), dialect).byte_records().count() == 1
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
