//! Rows and fields are those that the csv crate finds.

use csvfilter::block::Block;
use csvfilter::dialect::Dialect;
use csvfilter::simd::Cpu;
use proptest::option;
use proptest::prelude::*;
use proptest::sample::select;

use crate::rows::{ends_by_reference, fields_by_reference};

#[track_caller]
fn check(text: &[u8], dialect: Dialect) {
    let block = Block::of(text, dialect);
    let rows: Vec<usize> = (0..block.rows()).filter(|row| !block.is_blank(*row)).collect();
    let ends: Vec<usize> = rows.iter().map(|row| block.bounds(*row).1).collect();
    assert_eq!(ends, ends_by_reference(text, dialect), "{} {dialect:?}", text.escape_ascii());
    for row in rows {
        let fields: Vec<Vec<u8>> = block.fields(row).map(|raw| dialect.value(raw).into_owned()).collect();
        let want = fields_by_reference(block.content(row), dialect);
        assert_eq!(fields, want, "row {row} of {} {dialect:?}", text.escape_ascii());
    }
}

/// Every way to read a text finds the same rows and fields as reading it byte by byte.
#[track_caller]
fn check_scanned(text: &[u8], dialect: Dialect, begin: usize) {
    let block = Block::of(text, dialect);
    for (name, cpu) in Cpu::all() {
        let scanned = Block::scanned(text, begin, dialect, cpu);
        assert_eq!(scanned.rows(), block.rows(), "{name} {begin} {} {dialect:?}", text.escape_ascii());
        for row in 0..block.rows() {
            let (start, end) = block.bounds(row);
            let text = || block.row(row).escape_ascii();
            assert_eq!(scanned.bounds(row), (start + begin, end + begin), "{name} {begin} {}", text());
            assert!(scanned.fields(row).eq(block.fields(row)), "{name} {begin} {} {dialect:?}", text());
        }
    }
}

/// Every text of up to 7 of these bytes, at the beginning of a block and across a border of 64 bytes,
/// there also with so many bytes behind it that they are read at once.
fn check_every_text_of(alphabet: [u8; 4]) {
    let first_row = [[b'y'; 60].as_slice(), b"\n"].concat();
    let more = [b'z'; 70];
    for length in 0..=7 {
        for number in 0..4_usize.pow(length) {
            let text: Vec<u8> = (0..length).map(|place| alphabet[number >> (2 * place) & 3]).collect();
            check(&text, Dialect::delimited(b','));
            check(&[&first_row, &*text].concat(), Dialect::delimited(b','));
            check_scanned(&[&first_row, &*text, &more].concat(), Dialect::delimited(b','), 0);
        }
    }
}

#[test]
fn every_short_text_is_cut_as_by_the_csv_crate() {
    check_every_text_of(*b"\",\nx");
}

#[test]
fn every_short_text_with_cr_is_cut_as_by_the_csv_crate() {
    check_every_text_of(*b"\",\n\r");
}

fn dialects() -> impl Strategy<Value = Dialect> {
    let quotes = option::weighted(0.8, select(b"\"'".as_slice()));
    let comments = option::of(select(b"#%".as_slice()));
    (select(b",;\t| x".as_slice()), quotes, comments).prop_map(|(delimiter, quote, comment)| Dialect {
        quote,
        comment,
        ..Dialect::delimited(delimiter)
    })
}

/// Texts of what has a meaning in the dialect, or would have in another, and of runs that carry it
/// over the borders of 64 bytes.
fn texts(dialect: Dialect) -> impl Strategy<Value = Vec<u8>> {
    let (quote, comment) = (dialect.quote.unwrap_or(b'"'), dialect.comment.unwrap_or(b'#'));
    let of = |text: &[u8]| Just(text.to_vec());
    let piece = prop_oneof![
        6 => of(&[quote]),
        5 => of(&[dialect.delimiter]),
        3 => of(b"\n"),
        1 => of(b"\r\n"),
        1 => of(b"\r"),
        2 => of(b"x"),
        1 => of(&[comment]),
        1 => select(vec![b" ".to_vec(), b"\0".to_vec(), "é".into(), "\u{feff}".into(), b"\xff".to_vec()]),
        2 => (0_usize..70).prop_map(|length| vec![b'x'; length]),
    ];
    prop::collection::vec(piece, 0..100).prop_map(|pieces| pieces.concat())
}

/// Short texts, each a few bytes before or behind a border: of a word of 64 bytes, or of a group of 64
/// words. Between them is what has no meaning, or rows that have little.
fn texts_at_borders(dialect: Dialect) -> impl Strategy<Value = Vec<u8>> {
    let quote = dialect.quote.unwrap_or(b'"');
    let bytes =
        select(vec![quote, quote, dialect.delimiter, b'\n', b'\r', b'x', dialect.comment.unwrap_or(b'#')]);
    let short = prop::collection::vec(bytes, 1..9);
    let filler =
        select(vec![b"x".to_vec(), [[b'y'; 90].as_slice(), &[dialect.delimiter, b'\r', b'\n']].concat()]);
    let piece = (select(vec![64_usize, 4096]), 0_usize..9, filler, short);
    prop::collection::vec(piece, 1..6).prop_map(|pieces| {
        let mut text = Vec::new();
        for (size, before, filler, short) in pieces {
            let border = (text.len() + before + 1).next_multiple_of(size) - before;
            let missing = border - text.len();
            text.extend(filler.iter().cycle().take(missing));
            text.extend(short);
        }
        text
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]

    #[test]
    fn long_texts_in_any_dialect_are_cut_as_by_the_csv_crate(
        (dialect, text) in dialects().prop_flat_map(|dialect| (Just(dialect), texts(dialect))),
        begin in 0_usize..130,
    ) {
        check(&text, dialect);
        check_scanned(&text, dialect, begin);
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(500))]

    #[test]
    fn texts_at_the_borders_of_words_and_groups_are_cut_as_by_the_csv_crate(
        (dialect, text) in dialects().prop_flat_map(|dialect| (Just(dialect), texts_at_borders(dialect))),
        begin in select(vec![0_usize, 0, 63]),
    ) {
        check(&text, dialect);
        check_scanned(&text, dialect, begin);
    }
}
