//! Rows and fields, cut by every processor and from pieces of any length.

use std::io::{self, Cursor, Read};

use csvfilter::dialect::Dialect;

use crate::block::{Block, Broken};
use crate::cut::{Cut, Cutter, Opening};
use crate::read::{End, Reader, Source};
use crate::rows::{content, fields_by_reference, rows};
use crate::simd::Cpu;
use crate::{chosen, dialect};

/// Gives its bytes in pieces of these lengths, over and over.
struct Pieces {
    text: Cursor<Vec<u8>>,
    lengths: Vec<usize>,
    turn: usize,
}

impl Read for Pieces {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let length = self.lengths[self.turn % self.lengths.len()];
        self.turn += 1;
        let most = buffer.len().min(length);
        self.text.read(&mut buffer[..most])
    }
}

/// What is found of a row: where it ends, its values, and whether a quote of it never closes.
type Row = (usize, Vec<Vec<u8>>, bool);

/// Cut by every processor, and arriving in pieces of any length, a text has the rows that the csv
/// crate finds. The first two bytes tell the dialect and the pieces.
pub fn rows_are_those_of_the_csv_crate(data: &[u8]) {
    let Some((&pieces, data)) = data.split_first() else { return };
    let Some((dialect, text)) = chosen(data) else { return };
    let wanted = expected(&text, dialect);
    // A long text in single bytes would take all the time there is.
    let scale = text.len() / 300 + 1;
    let lengths = match pieces {
        0 => vec![usize::MAX],
        1 => vec![scale],
        _ => [usize::from(pieces), 64, usize::from(pieces) * 97 % 4099 + 1]
            .iter()
            .map(|length| length * scale)
            .collect(),
    };
    for (name, cpu) in Cpu::all() {
        for lengths in [&lengths[..], &[usize::MAX]] {
            let pieces = Pieces { text: Cursor::new(text.clone()), lengths: lengths.to_vec(), turn: 0 };
            assert_eq!(found(pieces, dialect, cpu), wanted, "{name} {lengths:?} {dialect:?}");
        }
    }
}

fn expected(text: &[u8], dialect: Dialect) -> Vec<Row> {
    let row = |(place, is_open): (std::ops::Range<usize>, bool)| {
        let fields = fields_by_reference(content(&text[place.clone()]), dialect);
        (place.end, if is_open { Vec::new() } else { fields }, is_open)
    };
    rows(text, dialect).into_iter().map(row).collect()
}

fn found(pieces: Pieces, dialect: Dialect, cpu: Cpu) -> Vec<Row> {
    let Dialect { delimiter, quote, comment, escapes } = dialect;
    let dialect = dialect::Dialect { delimiter, quote, comment, escapes };
    let is_live = pieces.lengths[0] != usize::MAX;
    let mut reader = Reader::new(Source::Stream { stream: Box::new(pieces), is_live }, Vec::new());
    let mut cutter = Cutter::new(cpu, 0);
    cutter.turn_to(Opening { dialect, line: 1 });
    let (mut rows, mut block, mut at) = (Vec::new(), Block::default(), 0);
    loop {
        let (piece, read) = reader.read(&mut block);
        read.unwrap();
        let mut cut = cutter.cut(&mut block, piece.filled, piece.end);
        at = collect(&block, at, &mut rows);
        while cut == Cut::More {
            cut = cutter.rest(&mut block, piece.end);
            at = collect(&block, at, &mut rows);
        }
        if piece.end == End::Whole {
            return rows;
        }
    }
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
