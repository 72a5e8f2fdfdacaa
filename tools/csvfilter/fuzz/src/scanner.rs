//! Rows and fields, cut by every processor and from pieces of any length.

use std::ops::Range;

use csvfilter::dialect::Dialect;

use crate::block::{Block, Broken};
use crate::cut::{Cut, Cutter, Opening};
use crate::read::{End, HEAD};
use crate::rows::{content, fields_by_reference, rows};
use crate::simd::Cpu;
use crate::{chosen, dialect};

/// What is found of a row: where it ends, its values, and whether a quote of it never closes.
type Row = (usize, Vec<Vec<u8>>, bool);

/// Cut by every processor, and arriving in pieces of any length, a text has the rows that the csv
/// crate finds. The first two bytes tell the dialect and the pieces.
pub fn rows_are_those_of_the_csv_crate(data: &[u8]) {
    let Some((&pieces, data)) = data.split_first() else { return };
    let Some((dialect, text)) = chosen(data) else { return };
    let wanted = expected(text, dialect);
    let lengths = match pieces {
        0 => vec![1],
        _ => vec![usize::from(pieces), 64, usize::from(pieces) * 97 % 4099 + 1],
    };
    let mut block = Block::default();
    for (name, cpu) in Cpu::all() {
        for lengths in [&lengths[..], &[usize::MAX]] {
            let mut cutter = Cutter::new(cpu, 0);
            let found = found((text, lengths), dialect, &mut cutter, &mut block);
            assert_eq!(found, wanted, "{name} {lengths:?} {dialect:?}");
        }
    }
}

fn expected(text: &[u8], dialect: Dialect) -> Vec<Row> {
    let row = |(place, is_open): (Range<usize>, bool)| {
        let fields = fields_by_reference(content(&text[place.clone()]), dialect);
        (place.end, if is_open { Vec::new() } else { fields }, is_open)
    };
    rows(text, dialect).into_iter().map(row).collect()
}

/// The rows of a text that arrives in pieces of these lengths, over and over.
fn found(
    (text, lengths): (&[u8], &[usize]),
    dialect: Dialect,
    cutter: &mut Cutter,
    block: &mut Block,
) -> Vec<Row> {
    let Dialect { delimiter, quote, comment, escapes } = dialect;
    let dialect = dialect::Dialect { delimiter, quote, comment, escapes };
    cutter.turn_to(Opening { dialect, line: 1 });
    let (mut rows, mut at, mut rest) = (Vec::new(), 0, text);
    for length in lengths.iter().cycle() {
        let (piece, behind) = rest.split_at(rest.len().min(*length));
        let filled = HEAD + piece.len();
        block.grow(filled);
        block.bytes[HEAD..filled].copy_from_slice(piece);
        let end = if behind.is_empty() { End::Whole } else { End::No };
        let mut cut = cutter.cut(block, filled, end);
        at = collect(block, at, &mut rows);
        while cut == Cut::More {
            cut = cutter.rest(block, end);
            at = collect(block, at, &mut rows);
        }
        rest = behind;
        if rest.is_empty() {
            break;
        }
    }
    assert_eq!(at, text.len());
    rows
}

/// Adds the rows of a block that begins at `at` in the text; returns where it ends.
fn collect(block: &Block, mut at: usize, rows: &mut Vec<Row>) -> usize {
    for row in 0..block.rows() {
        at += block.row(row).len();
        let is_open = row + 1 == block.rows() && matches!(block.broken, Some(Broken::Quote { .. }));
        let values = block.fields(row).map(|raw| block.dialect.value(raw).into_owned());
        if is_open {
            rows.push((at, Vec::new(), true));
        } else if !block.is_blank(row) {
            rows.push((at, values.collect(), false));
        }
    }
    at
}
