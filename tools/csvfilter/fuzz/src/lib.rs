//! What must hold for csvfilter on any bytes.
//!
//! The modules that cut rows are private to the tool, so they are compiled here once more, from their
//! own files: what is fuzzed is what ships. The rest is called as anybody can.
#![allow(dead_code, reason = "the tool uses the rest")]
#![allow(clippy::unwrap_used, clippy::missing_panics_doc, reason = "what must hold fails by a panic")]
#![allow(clippy::disallowed_methods, reason = "a file that is read at once needs not be whole or not at all")]

#[path = "../../src"]
mod tool {
    pub(crate) mod block;
    pub(crate) mod cut;
    pub(crate) mod dialect;
    pub(crate) mod kernel;
    pub(crate) mod scan;
    pub(crate) mod simd;
}
mod expressions;
mod filter;
#[path = "../../tests/cases/plainly.rs"]
mod plainly;
mod read;
#[path = "../../tests/cases/rows.rs"]
mod rows;
mod scanner;

use csvfilter::dialect::Dialect;
use tool::{block, cut, dialect, kernel, scan, simd};

pub use expressions::expressions_are_read_or_refused;
pub use filter::kept_dropped_and_bad_are_all_rows;
pub use scanner::rows_are_those_of_the_csv_crate;

/// The first byte chooses the dialect of the others.
fn chosen(data: &[u8]) -> Option<(Dialect, &[u8])> {
    let (&choice, text) = data.split_first()?;
    let one_of = |of: &[Option<u8>], by: u8| of[usize::from(by) % of.len()];
    let dialect = Dialect {
        delimiter: one_of(&[Some(b','), Some(b';'), Some(b'\t'), Some(b'x')], choice)?,
        quote: one_of(&[Some(b'"'), Some(b'"'), Some(b'\''), None], choice >> 2),
        comment: one_of(&[None, Some(b'#')], choice >> 4),
        escapes: false,
    };
    Some((dialect, text))
}
