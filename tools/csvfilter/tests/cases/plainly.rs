//! The filter once more, written plainly: rows and fields are those of the csv crate.

use csvfilter::dialect::Dialect;
use memchr::memchr_iter;

use crate::rows::{content, fields_by_reference, rows};

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
