use super::*;
use crate::read::{Piece, Reader, Source};
use std::collections::VecDeque;
use std::io::{self, Cursor, Read};

/// Gives its bytes in pieces of these lengths.
struct Pieces(Cursor<Vec<u8>>, VecDeque<usize>);

impl Read for Pieces {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let length = self.1.pop_front().unwrap_or(buffer.len()).clamp(1, buffer.len());
        self.1.push_back(length);
        self.0.read(&mut buffer[..length])
    }
}

type Row = (u64, String, Option<Broken>);

fn collect(block: &Block, rows: &mut Vec<Row>) {
    let last = block.rows().wrapping_sub(1);
    let mut line = block.first_line;
    for row in 0..block.rows() {
        let broken = block.broken.filter(|_| row == last);
        rows.push((line, String::from_utf8_lossy(block.row(row)).into_owned(), broken));
        line += newlines(block.row(row));
    }
}

/// All rows of a text that arrives in pieces: their lines, bytes, and what is wrong with them.
fn rows(text: &[u8], pieces: &[usize], is_live: bool) -> Vec<Row> {
    let source = Pieces(Cursor::new(text.to_vec()), pieces.iter().copied().collect());
    let stream = Box::new(source);
    let pipe = std::fs::File::open("/dev/null").unwrap();
    let source = if is_live { Source::Pipe { stream, pipe } } else { Source::Stream(stream) };
    let mut reader = Reader::new(source, Vec::new());
    let mut cutter = Cutter::new(Cpu::best(), 0);
    let dialect = Dialect { comment: Some(b'#'), ..Dialect::delimited(b',') };
    cutter.turn_to(Opening { dialect, line: 1 });
    let (mut rows, mut block) = (Vec::new(), Block::default());
    loop {
        let (Piece { filled, end, .. }, read) = reader.read(&mut block);
        read.unwrap();
        let mut cut = cutter.cut(&mut block, filled, end);
        collect(&block, &mut rows);
        while cut == Cut::More {
            cut = cutter.rest(&mut block, end);
            collect(&block, &mut rows);
        }
        if end == End::Whole {
            return rows;
        }
    }
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

/// In pieces as they are read from a file, a pipe, and in odd ones.
const WAYS: [(&[usize], bool); 4] =
    [(&[], false), (&[64, 999], false), (&[65_536], true), (&[99_999, 7], true)];

#[test]
fn what_is_too_long_is_passed_over() {
    let long = "x".repeat(LEAST_LIMIT + 2 * BLOCK + 7);
    for (pieces, is_live) in WAYS {
        let found = rows(format!("a\n{long}\nb\n").as_bytes(), pieces, is_live);
        assert_eq!(found.first().unwrap().1, "a\n");
        assert_eq!(*found.last().unwrap(), (3, "b\n".into(), None));
        let parts = &found[1..found.len() - 1];
        assert!(parts.iter().enumerate().all(|(part, (line, _, broken))| {
            *line == 2 && *broken == Some(Broken::Long { is_first: part == 0 })
        }));
        let text: String = parts.iter().map(|(_, text, _)| text.as_str()).collect();
        assert_eq!(text, long.clone() + "\n");
    }
}

#[test]
fn rows_between_one_that_is_too_long_and_a_fault_are_passed_on() {
    let text = "x".repeat(LEAST_LIMIT + BLOCK) + "\nb\nc";
    let (mut cutter, mut block, mut found) = (Cutter::new(Cpu::best(), 0), Block::default(), Vec::new());
    let mut pieces = text.as_bytes().chunks(BLOCK).peekable();
    while let Some(piece) = pieces.next() {
        let filled = HEAD + piece.len();
        block.grow(filled);
        block.bytes[HEAD..filled].copy_from_slice(piece);
        let end = if pieces.peek().is_some() { End::No } else { End::Torn };
        let mut cut = cutter.cut(&mut block, filled, end);
        collect(&block, &mut found);
        while cut == Cut::More {
            cut = cutter.rest(&mut block, end);
            collect(&block, &mut found);
        }
    }
    assert_eq!(*found.last().unwrap(), (2, "b\n".into(), None));
}

#[test]
fn how_long_a_row_may_be_is_exact() {
    for (pieces, is_live) in WAYS {
        let most = "x".repeat(LEAST_LIMIT - 1) + "\n";
        let found = rows(format!("{most}a").as_bytes(), pieces, is_live);
        assert_eq!(found, [(1, most, None), (2, "a".into(), None)]);
        let most = "x".repeat(LEAST_LIMIT);
        assert_eq!(rows(most.as_bytes(), pieces, is_live), [(1, most, None)]);
        let more = "\"".to_owned() + &"x\n".repeat(LEAST_LIMIT / 2) + "\"\n";
        let found = rows(more.as_bytes(), pieces, is_live);
        assert_eq!(found[0], (1, "\"x\n".into(), Some(Broken::Quote { line: 1 })));
        assert_eq!(found.len(), LEAST_LIMIT / 2 + 1);
    }
}

#[test]
fn a_quote_open_for_too_long_costs_one_line() {
    let line = "1,2,3\n".repeat(LEAST_LIMIT / 3);
    for (pieces, is_live) in WAYS {
        let found = rows(format!("a,\"\n{line}").as_bytes(), pieces, is_live);
        assert_eq!(found[0], (1, "a,\"\n".into(), Some(Broken::Quote { line: 1 })));
        assert_eq!(found.len(), 1 + LEAST_LIMIT / 3);
        assert!((2..).zip(&found[1..]).all(|(line, found)| *found == (line, "1,2,3\n".into(), None)));
    }
}

#[test]
fn a_limit_within_a_doubled_quote_closes_nothing() {
    for (pieces, is_live) in WAYS {
        // The last byte within the limit is the first of two quotes, the second, and one behind them.
        for quotes_at in [LEAST_LIMIT - 1, LEAST_LIMIT - 2, LEAST_LIMIT - 3] {
            let begin = format!("\"{}\n", "x".repeat(quotes_at % 2));
            let text = begin.clone() + &"y\n".repeat((quotes_at - begin.len()) / 2) + "\"\"\n\"\"\nz\n";
            let found = rows(text.as_bytes(), pieces, is_live);
            assert_eq!((found[0].0, found[0].2), (1, Some(Broken::Quote { line: 1 })), "{quotes_at}");
            assert!(found[0].1 == begin && found[1] == (2, "y\n".into(), None), "{quotes_at}");
        }
    }
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

    #[test]
    fn nor_where_rows_are_long(
        lengths in proptest::collection::vec(0..40_000_usize, 1..8),
        pieces in proptest::collection::vec(1..100_000_usize, 1..5),
    ) {
        let row = |length: &usize| format!("\"{}\n\",{}\n", "x".repeat(*length), "\"\"\"".repeat(length % 3));
        let text: String = lengths.iter().map(row).collect();
        proptest::prop_assert_eq!(rows(text.as_bytes(), &pieces, true), rows(text.as_bytes(), &[], false));
    }
}
