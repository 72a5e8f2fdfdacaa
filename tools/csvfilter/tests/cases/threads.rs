//! What comes out is the same for every number of threads, all that the processor has, and however
//! the bytes arrive; and it is what the csv crate and a plain loop make of the input.
//!
//! The first run of each table is that of one thread, portable, from a file. `SRE_TURNS` is how many
//! tables of any kind there are besides the fixed ones: 1 unless set.

use std::fmt::Write as _;
use std::io::Write as _;
use std::path::Path;
use std::process::{Command, Stdio};
use std::thread;

use csvfilter::dialect::Dialect;
use csvfilter::simd::Cpu;
use memchr::memmem;
use tempfile::TempDir;

use crate::generated::{Dice, Odd, Text};
use crate::plainly::{Expected, Question, filter};

/// Several blocks.
const LENGTH: usize = 1_200_000;

const NAME: &str = "table.csv";

/// What is asked of the rows, and the same in Rust.
const QUESTIONS: [(&str, Question); 2] = [
    ("num >= 500", |row| number_in(&row[1], |number| number >= 500)),
    ("name == 'jo' or not empty(num) and num < 100", |row| {
        let is_small = || number_in(&row[1], |number| number < 100);
        if row[2] == b"jo" { Some(true) } else { is_small() }
    }),
];

fn number_in(value: &[u8], holds: fn(i64) -> bool) -> Option<bool> {
    if value.is_empty() {
        return Some(false);
    }
    std::str::from_utf8(value).ok()?.trim_ascii().parse().ok().map(holds)
}

/// What is done with the rows that are kept, or with the bad ones.
const MODES: [&[&str]; 13] = [
    &[],
    &["--reject", "rejected"],
    &["--bad", "keep"],
    &["--count"],
    &["--select", "$3,$1"],
    &["--to", "jsonl"],
    &["--head", "2500"],
    &["--tail", "300"],
    &["--distinct", "$2"],
    &["--sample", "50", "--seed", "7"],
    &["--max-bad", "40"],
    &["--bad", "fail"],
    &["--not", "--max-bad", "0.5%", "--head", "9000", "--normalize", "--reject", "rejected"],
];

/// How the bytes arrive.
#[derive(Debug, Clone, Copy)]
enum Source {
    File,
    Packed,
    Pipe,
}

/// All that must not matter.
#[derive(Debug, Clone, Copy)]
struct Way {
    jobs: &'static str,
    cpu: &'static str,
    source: Source,
}

const FIRST: Way = Way { jobs: "1", cpu: "portable", source: Source::File };

fn ways() -> Vec<Way> {
    let mut ways = Vec::new();
    for source in [Source::Pipe, Source::File, Source::Packed] {
        for jobs in ["3", "1", "8", "2"] {
            ways.extend(Cpu::all().into_iter().map(|(cpu, _)| Way { jobs, cpu, source }));
        }
    }
    ways
}

#[derive(PartialEq, Eq)]
struct Outcome {
    status: Option<i32>,
    stdout: Vec<u8>,
    stderr: Vec<u8>,
    rejected: Option<Vec<u8>>,
}

impl Outcome {
    /// Where it differs from another one, in a few words.
    fn difference(&self, other: &Self) -> String {
        let mut text = format!("status {:?} {:?}\n", self.status, other.status);
        let none = Vec::new();
        let rejected = [self, other].map(|outcome| outcome.rejected.as_ref().unwrap_or(&none));
        for (name, one, other) in [
            ("stdout", &self.stdout, &other.stdout),
            ("stderr", &self.stderr, &other.stderr),
            ("rejected", rejected[0], rejected[1]),
        ] {
            let same = one.iter().zip(other).take_while(|(one, other)| one == other).count();
            if one != other {
                let shown =
                    |bytes: &[u8]| bytes[same..bytes.len().min(same + 200)].escape_ascii().to_string();
                let (one, other) = (shown(one), shown(other));
                writeln!(text, "{name}, behind {same} bytes:\n  {one}\n  {other}").unwrap();
            }
        }
        text
    }
}

/// A table in a folder, plain and packed.
struct Table {
    folder: TempDir,
    text: Text,
    expression: &'static str,
    question: Question,
}

impl Table {
    fn new(text: Text, (expression, question): (&'static str, Question)) -> Self {
        let folder = tempfile::tempdir().unwrap();
        testkit::write(folder.path().join(NAME), &text.bytes);
        let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        gzip.write_all(&text.bytes).unwrap();
        testkit::write(folder.path().join("packed"), gzip.finish().unwrap());
        Self { folder, text, expression, question }
    }

    fn run(&self, mode: &[&str], way: Way, dice: &mut Dice) -> Outcome {
        let Dialect { delimiter, quote, comment, .. } = self.text.dialect;
        let character = |byte: Option<u8>| byte.map_or("none".into(), |byte| char::from(byte).to_string());
        let mut command = Command::new(env!("CARGO_BIN_EXE_csvfilter"));
        command.args(["-d", &character(Some(delimiter)), "--quote", &character(quote), "--jobs", way.jobs]);
        if comment.is_some() {
            command.args(["--comment", &character(comment)]);
        }
        let input = match way.source {
            Source::File => NAME,
            Source::Packed => "packed",
            Source::Pipe => "-",
        };
        command.args(mode).args([self.expression, input]).current_dir(self.folder.path());
        command.env("CSVFILTER_CPU", way.cpu).env("TZ", "UTC");
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().unwrap();
        let mut pipe = child.stdin.take().unwrap();
        let pieces: Vec<usize> = (0..40).map(|_| dice.one_of(&[1, 63, 64, 4097, 65_521, 300_000])).collect();
        let bytes = if matches!(way.source, Source::Pipe) { &self.text.bytes[..] } else { &[] };
        let output = thread::scope(|scope| {
            scope.spawn(move || write_in_pieces(bytes, &pieces, |piece| pipe.write_all(piece).is_ok()));
            child.wait_with_output().unwrap()
        });
        let path = self.folder.path().join("rejected");
        let rejected = read_and_remove(&path).map(|bytes| with_name(&bytes, way.source));
        let (status, stderr) = (output.status.code(), with_name(&output.stderr, way.source));
        Outcome { status, stdout: output.stdout, stderr, rejected }
    }

    /// Every mode, once in the first way and so often in others.
    fn check(&self, modes: &[&[&str]], turns: usize, dice: &mut Dice) {
        let ways = ways();
        let mut next = dice.below(ways.len());
        for mode in modes {
            let first = self.run(mode, FIRST, dice);
            for _ in 0..turns {
                next = (next + 1) % ways.len();
                let other = self.run(mode, ways[next], dice);
                assert!(first == other, "{mode:?} {:?}\n{}", ways[next], first.difference(&other));
            }
        }
        let expected = filter(&self.text.bytes, self.text.dialect, self.question);
        check_expected(&self.run(MODES[1], FIRST, dice), &expected);
    }
}

fn write_in_pieces(mut bytes: &[u8], pieces: &[usize], mut write: impl FnMut(&[u8]) -> bool) {
    for &length in pieces.iter().cycle() {
        let (piece, rest) = bytes.split_at(length.min(bytes.len()));
        if piece.is_empty() || !write(piece) {
            return;
        }
        bytes = rest;
        thread::yield_now();
    }
}

fn read_and_remove(path: &Path) -> Option<Vec<u8>> {
    let bytes = std::fs::read(path).ok()?;
    std::fs::remove_file(path).unwrap();
    Some(bytes)
}

/// What is said of a file, where it was said of this source.
fn with_name(said: &[u8], source: Source) -> Vec<u8> {
    let (name, more) = match source {
        Source::File => return said.to_vec(),
        Source::Packed => ("packed:", ":"),
        Source::Pipe => ("standard input:", ":"),
    };
    let mut text = Vec::new();
    let mut from = 0;
    for at in memmem::find_iter(said, name) {
        text.extend_from_slice(&said[from..at]);
        text.extend_from_slice(NAME.as_bytes());
        text.extend_from_slice(more.as_bytes());
        from = at + name.len();
    }
    text.extend_from_slice(&said[from..]);
    text
}

/// What came out with `--reject` is what was to be expected.
#[track_caller]
fn check_expected(found: &Outcome, expected: &Expected) {
    let mut rejected = Vec::new();
    let text = found.rejected.as_deref().unwrap_or_default();
    let mut rest = &text[text.len().min(expected.header().len())..];
    for (line, row) in &expected.bad {
        let reason = rest.split_inclusive(|byte| *byte == b'\n').next().unwrap_or_default();
        let place = format!("# {NAME}:{line}: ");
        let reason = if reason.starts_with(place.as_bytes()) { reason } else { place.as_bytes() };
        let line_end: &[u8] = if row.ends_with(b"\n") { b"" } else { b"\n" };
        let note = [reason, row, line_end].concat();
        rest = rest.get(note.len()..).unwrap_or_default();
        rejected.extend(note);
    }
    if !expected.bad.is_empty() {
        rejected.splice(..0, expected.header().iter().copied());
    }
    let status = if expected.bad.is_empty() { 0 } else { 23 };
    let count = expected.bad.len();
    let wanted = Outcome {
        status: Some(status),
        stdout: expected.kept.clone(),
        stderr: found.stderr.clone(),
        rejected: Some(rejected),
    };
    assert!(*found == wanted, "found and wanted: {}", found.difference(&wanted));
    let said = format!("skipped {count} bad row{} of {}", if count == 1 { "" } else { "s" }, expected.rows);
    let last = found.stderr.split(|byte| *byte == b'\n').rev().nth(1).unwrap_or_default();
    assert_eq!(memmem::find(last, said.as_bytes()).is_some(), count > 0, "{}", last.escape_ascii());
}

fn dialect(delimiter: u8, quote: Option<u8>, comment: Option<u8>) -> Dialect {
    Dialect { quote, comment, ..Dialect::delimited(delimiter) }
}

/// One table, in every mode.
#[track_caller]
fn check(odd: Odd, dialect: Dialect, seed: u64) {
    let mut dice = Dice::new(seed);
    let text = Text::generate(odd, dialect, LENGTH, &mut dice);
    let question = QUESTIONS[usize::try_from(seed % 2).unwrap()];
    Table::new(text, question).check(&MODES, 2, &mut dice);
}

const CSV: Dialect = Dialect::delimited(b',');

#[test]
fn plain_rows() {
    check(Odd::default(), CSV, 1);
}

#[test]
fn quoted_fields_with_line_ends_in_them() {
    let odd = Odd { quoted: 600, embedded: 300, crlf: 500, has_no_end: true, ..Odd::default() };
    check(odd, dialect(b';', Some(b'"'), None), 2);
}

#[test]
fn quotes_where_they_do_not_belong() {
    let odd = Odd { quoted: 200, embedded: 200, dirty: 80, ..Odd::default() };
    check(odd, dialect(b'|', Some(b'\''), None), 3);
    let odd = Odd { dirty: 80, not_numeric: 1, ..Odd::default() };
    check(odd, dialect(b'\t', None, Some(b'%')), 4);
}

#[test]
fn ragged_rows_comments_and_blank_lines() {
    let odd =
        Odd { quoted: 100, embedded: 100, ragged: 5, blank: 30, comment: 30, crlf: 1000, ..Odd::default() };
    check(odd, dialect(b',', Some(b'"'), Some(b'#')), 5);
}

#[test]
fn bytes_that_are_no_text_and_values_that_are_no_numbers() {
    let odd = Odd { quoted: 50, invalid: 2, not_numeric: 4, ..Odd::default() };
    check(odd, dialect(b':', Some(b'"'), None), 6);
}

#[test]
fn a_quote_that_never_closes() {
    let odd = Odd { quoted: 300, embedded: 50, open_quote: 1, has_no_end: true, ..Odd::default() };
    check(odd, CSV, 7);
    let only = Odd { quoted: 300, ..Odd::default() };
    let mut dice = Dice::new(8);
    let mut text = Text::generate(only, CSV, LENGTH, &mut dice);
    let at = text.bytes.len() / 3;
    let line = at + text.bytes[at..].iter().position(|byte| *byte == b'\n').unwrap();
    text.bytes.splice(line..line, *b"\n7,8,jo,\"never\n1,2,3");
    Table::new(text, QUESTIONS[0]).check(&MODES[..4], 2, &mut dice);
}

#[test]
fn a_quote_open_for_longer_than_a_row_may_be() {
    const LIMITED: [&[&str]; 5] = [
        &["--max-record", "1MiB"],
        &["--max-record", "1MiB", "--reject", "rejected"],
        &["--max-record", "1MiB", "--bad", "keep", "--to", "jsonl"],
        &["--max-record", "1MiB", "--head", "2500"],
        &["--max-record", "1MiB", "--max-bad", "40"],
    ];
    let mut dice = Dice::new(10);
    let odd = Odd { ragged: 5, not_numeric: 2, ..Odd::default() };
    let mut text = Text::generate(odd, CSV, 4 * LENGTH, &mut dice);
    let line = 1 + text.bytes.iter().position(|byte| *byte == b'\n').unwrap();
    text.bytes.splice(line..line, *b"7,8,jo,\"never\n");
    // A row that is longer than what is read at a time, within what is read once more.
    let row = [b"7,800,", &b"x".repeat(600_000)[..], b",\n"].concat();
    let line = LENGTH + text.bytes[LENGTH..].iter().position(|byte| *byte == b'\n').unwrap();
    text.bytes.splice(line + 1..=line, row);
    Table::new(text, QUESTIONS[0]).check(&LIMITED, 4, &mut dice);
}

#[test]
fn a_cell_of_5_mb_that_looks_like_rows() {
    let mut dice = Dice::new(9);
    let odd = Odd { quoted: 100, cell: 5_000_000, crlf: 100, ..Odd::default() };
    let text = Text::generate(odd, CSV, LENGTH, &mut dice);
    assert!(text.bytes.len() > 5_500_000);
    Table::new(text, QUESTIONS[0]).check(&[MODES[0], MODES[5]], 4, &mut dice);
}

#[test]
fn tables_of_any_kind() {
    let turns = std::env::var("SRE_TURNS").ok().and_then(|text| text.parse().ok()).unwrap_or(1_u64);
    for seed in (100..).take(usize::try_from(turns).unwrap()) {
        let mut dice = Dice::new(seed);
        let odd = Odd::any(&mut dice);
        let quote = dice.one_of(&[Some(b'"'), Some(b'"'), Some(b'\''), None]);
        let comment = dice.one_of(&[None, Some(b'#'), Some(b'%')]);
        let dialect = dialect(dice.one_of(b",;\t|:"), quote, comment);
        println!("seed {seed}: {dialect:?} {odd:?}");
        check(odd, dialect, seed);
    }
}
