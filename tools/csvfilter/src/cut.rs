//! Cuts the bytes of an input into blocks of whole rows.
//!
//! A block begins where a row begins, and so whoever reads it needs to know nothing of what came
//! before. What the rows are never depends on how the bytes arrive: a row that is not complete at
//! the end of a block begins the next one.

use std::io::{self, ErrorKind, Read};

use memchr::{memchr, memchr_iter};

use crate::block::{Block, Broken, SLACK};
use crate::dialect::Dialect;
use crate::scan::{self, State};
use crate::simd::Cpu;

/// How many bytes are read at a time: half of the second-level cache of small processors, so that a
/// block is still there when its rows are looked at. 128 KiB to 1 MiB are equally fast.
pub(crate) const BLOCK: usize = 256 * 1024;

/// The least limit of a row's length: every row within a block is shorter, so that what is too long
/// does not depend on where blocks begin.
pub(crate) const LEAST_LIMIT: usize = 4 * BLOCK;

/// The rest of an input, from the beginning of a row on.
pub(crate) struct Cutter {
    reader: Box<dyn Read + Send>,
    dialect: Dialect,
    cpu: Cpu,
    /// The longest row that is one, in bytes: at least [`LEAST_LIMIT`], and whole words.
    limit: usize,
    /// Rows are wanted as soon as they are there: a pipe.
    is_live: bool,
    /// What was read and belongs to the next block.
    carry: Vec<u8>,
    has_ended: bool,
    /// Why no more can be read.
    fault: Option<io::Error>,
    /// The line on which the next block begins, counted from 1.
    line: u64,
    /// Within a row that is too long.
    is_in_fragment: bool,
}

/// How to cut.
#[derive(Clone, Copy)]
pub(crate) struct Rules {
    pub(crate) dialect: Dialect,
    pub(crate) cpu: Cpu,
    pub(crate) limit: usize,
    pub(crate) is_live: bool,
}

impl Cutter {
    /// Of a reader, of which `carry` was read before, beginning on `line`.
    pub(crate) fn new(reader: Box<dyn Read + Send>, carry: Vec<u8>, line: u64, rules: Rules) -> Self {
        let Rules { dialect, cpu, limit, is_live } = rules;
        let limit = limit.max(LEAST_LIMIT).next_multiple_of(64);
        let (has_ended, fault, is_in_fragment) = (false, None, false);
        Self { reader, dialect, cpu, limit, is_live, carry, has_ended, fault, line, is_in_fragment }
    }

    /// Fills `block` with the next rows, at least one; `false` at the end of the input.
    ///
    /// # Errors
    /// When the input cannot be read any further; whole rows before that were returned.
    pub(crate) fn next(&mut self, block: &mut Block) -> io::Result<bool> {
        block.clear(self.dialect, self.line);
        let mut filled = self.carry.len();
        block.grow(filled.max(BLOCK));
        block.bytes[..filled].copy_from_slice(&self.carry);
        self.carry.clear();
        let mut state = State::Row;
        let mut scanned = 0;
        let mut capacity = BLOCK;
        loop {
            filled = self.fill(block, filled, capacity);
            if filled == 0 && self.has_ended {
                return Ok(false);
            }
            if self.is_in_fragment {
                if let Some(fault) = self.fault.take_if(|_| filled == 0) {
                    return Err(fault);
                }
                self.fragment(block, filled);
                return Ok(true);
            }
            let words = filled / 64 * 64;
            state = self.cpu.scan(
                &mut block.index,
                block.bytes[scanned..words].as_chunks().0,
                state,
                self.dialect,
            );
            scanned = words;
            let rest = &block.bytes[words..filled];
            let (marks, last) = scan::exact(rest, state, self.dialect);
            if self.has_ended || marks.ends != 0 || !block.index.ends.is_empty() {
                block.index.add_rest(rest, state, self.dialect);
                self.finish(block, filled, last);
                return Ok(true);
            }
            if let Some(fault) = self.fault.take() {
                return Err(fault);
            }
            if filled >= self.limit {
                self.give_up(block, filled, last);
                return Ok(true);
            }
            capacity = (filled * 2).next_multiple_of(64).clamp(BLOCK, self.limit);
            block.grow(capacity);
        }
    }

    /// Reads up to `capacity`; from a pipe only once.
    fn fill(&mut self, block: &mut Block, mut filled: usize, capacity: usize) -> usize {
        while filled < capacity && !self.has_ended && self.fault.is_none() {
            match self.reader.read(&mut block.bytes[filled..capacity]) {
                Ok(0) => self.has_ended = true,
                Ok(count) => filled += count,
                Err(error) if error.kind() == ErrorKind::Interrupted => continue,
                Err(error) => self.fault = Some(error),
            }
            if self.is_live {
                break;
            }
        }
        filled
    }

    /// Keeps for the next block what follows the last whole row.
    fn finish(&mut self, block: &mut Block, filled: usize, state: State) {
        if self.has_ended {
            if state == State::Quoted {
                return self.break_off(block, filled);
            }
            block.index.end_with(filled);
        }
        self.keep_from(block, block.end(), filled);
    }

    fn keep_from(&mut self, block: &mut Block, end: usize, filled: usize) {
        let kept = &block.bytes[end..filled];
        self.carry.extend_from_slice(kept);
        self.line += block.index.newlines - newlines(kept);
    }

    /// A quote is still open at the end: the row ends with the line on which it opened.
    fn break_off(&mut self, block: &mut Block, filled: usize) {
        let start = block.end();
        let row = &block.bytes[start..filled];
        let opened = scan::open_quote(row, self.dialect).unwrap_or_default();
        let length = memchr(b'\n', &row[opened..]).map_or(row.len(), |end| opened + end + 1);
        let line = block.first_line + newlines(&block.bytes[..start + opened]);
        block.index.end_with(start + length);
        block.broken = Some(Broken::Quote { line });
        self.keep_from(block, start + length, filled);
    }

    /// A row of `filled` bytes has no end yet.
    fn give_up(&mut self, block: &mut Block, filled: usize, state: State) {
        let opened = (state == State::Quoted).then(|| scan::open_quote(&block.bytes[..filled], self.dialect));
        let has_line_end =
            opened.flatten().is_some_and(|at| memchr(b'\n', &block.bytes[at..filled]).is_some());
        if has_line_end {
            return self.break_off(block, filled);
        }
        block.broken = Some(Broken::Long { is_first: true });
        self.fragment(block, filled);
    }

    /// Makes one row of what was read of a row that is too long, up to its line end.
    fn fragment(&mut self, block: &mut Block, filled: usize) {
        let end = memchr(b'\n', &block.bytes[..filled]);
        let length = end.map_or(filled, |end| end + 1);
        let is_first = !self.is_in_fragment;
        self.is_in_fragment = end.is_none() && !(self.has_ended && length == filled);
        block.index.ends.clear();
        block.index.end_with(length);
        block.broken = Some(Broken::Long { is_first });
        self.line += newlines(&block.bytes[..length]);
        self.carry.extend_from_slice(&block.bytes[length..filled]);
    }
}

fn newlines(bytes: &[u8]) -> u64 {
    memchr_iter(b'\n', bytes).count() as u64
}

const _: () = assert!(BLOCK.is_multiple_of(64) && SLACK >= 8, "blocks are whole words");

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::VecDeque;
    use std::io::Cursor;

    /// Gives its bytes in pieces of these lengths.
    struct Pieces(Cursor<Vec<u8>>, VecDeque<usize>);

    impl Read for Pieces {
        fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
            let length = self.1.pop_front().unwrap_or(buffer.len()).clamp(1, buffer.len());
            self.1.push_back(length);
            self.0.read(&mut buffer[..length])
        }
    }

    /// Cannot be read.
    struct Unreadable;

    impl Read for Unreadable {
        fn read(&mut self, _: &mut [u8]) -> io::Result<usize> {
            Err(ErrorKind::BrokenPipe.into())
        }
    }

    type Row = (u64, String, Option<Broken>);

    /// All rows of a text that arrives in pieces: their lines, bytes, and what is wrong with them.
    fn rows(text: &[u8], pieces: &[usize], is_live: bool) -> Vec<Row> {
        let reader = Pieces(Cursor::new(text.to_vec()), pieces.iter().copied().collect());
        let dialect = Dialect { comment: Some(b'#'), ..Dialect::delimited(b',') };
        let rules = Rules { dialect, cpu: Cpu::best(), limit: 0, is_live };
        let mut cutter = Cutter::new(Box::new(reader), Vec::new(), 1, rules);
        let (mut rows, mut block) = (Vec::new(), Block::default());
        while cutter.next(&mut block).unwrap() {
            let last = block.rows() - 1;
            for row in 0..=last {
                let line = block.first_line + newlines(&block.bytes[..block.bounds(row).0]);
                let broken = block.broken.filter(|_| row == last);
                rows.push((line, String::from_utf8_lossy(block.row(row)).into_owned(), broken));
            }
        }
        rows
    }

    fn check(text: &str, want: &[(u64, &str, Option<Broken>)]) {
        let want: Vec<Row> = want.iter().map(|(line, row, broken)| (*line, (*row).into(), *broken)).collect();
        assert_eq!(rows(text.as_bytes(), &[], false), want, "{text:?}");
        assert_eq!(rows(text.as_bytes(), &[1], true), want, "{text:?}");
    }

    #[test]
    fn rows_are_whole_and_know_their_lines() {
        check("", &[]);
        check("a\n\"b\n\"\r\nc", &[(1, "a\n", None), (2, "\"b\n\"\r\n", None), (4, "c", None)]);
        check("# \"\na\n", &[(1, "# \"\n", None), (2, "a\n", None)]);
    }

    #[test]
    fn a_quote_that_never_closes_costs_the_lines_up_to_its_own() {
        let broken = |line| Some(Broken::Quote { line });
        check(
            "a\nb,\"c\nd,e\nf",
            &[(1, "a\n", None), (2, "b,\"c\n", broken(2)), (3, "d,e\n", None), (4, "f", None)],
        );
        check("\"a\nb\",\"c\nd\n", &[(1, "\"a\nb\",\"c\n", broken(2)), (3, "d\n", None)]);
        check("a,\"", &[(1, "a,\"", broken(1))]);
        check("a\n\"\"\"b", &[(1, "a\n", None), (2, "\"\"\"b", broken(2))]);
    }

    #[test]
    fn what_is_too_long_is_passed_over() {
        let long = "x".repeat(LEAST_LIMIT + 2 * BLOCK + 7);
        for (text, pieces) in
            [(format!("a\n{long}\nb\n"), vec![]), (format!("a\n{long}\nb\n"), vec![64, 999])]
        {
            let found = rows(text.as_bytes(), &pieces, false);
            assert_eq!(found.first().unwrap().1, "a\n");
            assert_eq!(*found.last().unwrap(), (3, "b\n".into(), None));
            let parts = &found[1..found.len() - 1];
            assert!(parts.iter().enumerate().all(|(part, (line, _, broken))| {
                *line == 2 && *broken == Some(Broken::Long { is_first: part == 0 })
            }));
            assert_eq!(
                parts.iter().map(|(_, text, _)| text.as_str()).collect::<String>(),
                long.clone() + "\n"
            );
        }
        let most = "x".repeat(LEAST_LIMIT - 1) + "\n";
        let found = rows(format!("{most}a").as_bytes(), &[], false);
        assert_eq!(found, [(1, most, None), (2, "a".into(), None)]);
    }

    #[test]
    fn an_input_that_breaks_within_a_long_row_ends() {
        let long = "x".repeat(LEAST_LIMIT + BLOCK + 7);
        let reader = Cursor::new(long.clone()).chain(Unreadable);
        let rules = Rules { dialect: Dialect::delimited(b','), cpu: Cpu::best(), limit: 0, is_live: false };
        let mut cutter = Cutter::new(Box::new(reader), Vec::new(), 1, rules);
        let (mut length, mut block) = (0, Block::default());
        let found = loop {
            match cutter.next(&mut block) {
                Ok(true) => length += block.end(),
                other => break other,
            }
            assert!(block.rows() > 0, "nothing more comes");
        };
        assert_eq!((found.unwrap_err().kind(), length), (ErrorKind::BrokenPipe, long.len()));
    }

    #[test]
    fn a_quote_open_for_too_long_costs_one_line() {
        let line = "1,2,3\n".repeat(LEAST_LIMIT / 3);
        let found = rows(format!("a,\"\n{line}").as_bytes(), &[], false);
        assert_eq!(found[0], (1, "a,\"\n".into(), Some(Broken::Quote { line: 1 })));
        assert_eq!(found.len(), 1 + LEAST_LIMIT / 3);
        assert!((2..).zip(&found[1..]).all(|(line, found)| *found == (line, "1,2,3\n".into(), None)));
    }

    proptest::proptest! {
        #[test]
        fn how_the_bytes_arrive_is_no_matter(
            text in proptest::collection::vec(proptest::sample::select(b"\"\",,\n\n\r#x".to_vec()), 0..400),
            pieces in proptest::collection::vec(1..150_usize, 1..20),
        ) {
            let whole = rows(&text, &[], false);
            proptest::prop_assert_eq!(&rows(&text, &pieces, false), &whole);
            proptest::prop_assert_eq!(&rows(&text, &pieces, true), &whole);
            let bytes: String = whole.iter().map(|(_, text, _)| text.as_str()).collect();
            proptest::prop_assert_eq!(bytes.as_bytes(), &text);
        }
    }
}
