//! Scanning: whatever the bytes and the blocks they come in, every byte is told once and in order.

#![no_main]

use fuzz::Draw;
use libfuzzer_sys::fuzz_target;
use logs::Level;
use logs::fields::Keys;
use logs::line::Line;
use logs::records::{After, Scanner, Sink, State};
use logs::rules::{Format, Rules};
use logs::stamp::Form;
use logs::stream::Blocks;

fuzz_target!(|data: &[u8]| {
    let mut draw = Draw::of(data);
    // The same lines again with other digits: that is what the fast path has learnt to read.
    let text = [data, &draw.other_digits(data)].concat();
    let formats = [
        Format::Auto,
        Format::Auto,
        Format::Auto,
        Format::Text,
        Format::Json,
        Format::Logfmt,
        Format::Syslog,
        Format::Docker,
        Format::Cri,
        Format::Journal,
    ];
    let rules = Rules { format: *draw.one_of(&formats), want_time: draw.below(2) == 0, ..Rules::default() };
    let told = in_order(&text, &rules);
    told.assert_is(&text);
    told.assert_same(&in_order(&text, &slow(&rules)), "read in full");
    told.assert_same(&in_blocks(&text, &rules, 1 + draw.below(300), usize::MAX / 4), "in blocks");
    told.assert_same(&stopped(&text, &rules, &mut draw), "stopped on the way");
    in_blocks(&text, &rules, 1 + draw.below(64), 1 + draw.below(512)).assert_is(&text);
});

/// Writes down everything it is told.
#[derive(Debug, Default, PartialEq)]
struct Told {
    records: Vec<Record>,
}

/// The first may have no rule: bytes before any record.
#[derive(Debug, Default, PartialEq)]
struct Record {
    level: Option<Level>,
    word: Vec<u8>,
    stamp: Option<(Vec<u8>, Form)>,
    rule: &'static str,
    bytes: Vec<u8>,
    lines: u64,
}

impl Sink for Told {
    fn record(&mut self, line: &Line<'_>, bytes: &[u8], lines: u64) {
        let stamp = line.stamp.map(|(stamp, form)| (stamp.to_vec(), form));
        let (level, word, rule) = (line.level, line.word.to_vec(), line.rule);
        self.records.push(Record { level, word, stamp, rule, bytes: bytes.to_vec(), lines });
    }

    fn more(&mut self, bytes: &[u8], lines: u64) {
        if self.records.is_empty() {
            self.records.push(Record::default());
        }
        if let Some(last) = self.records.last_mut() {
            last.bytes.extend(bytes);
            last.lines += lines;
        }
    }
}

impl Told {
    fn assert_same(&self, other: &Self, how: &str) {
        let pairs = self.records.iter().zip(&other.records);
        for (number, (left, right)) in pairs.enumerate() {
            assert_eq!(left, right, "record {number} {how}: {:?}", String::from_utf8_lossy(&left.bytes));
        }
        assert_eq!(self.records.len(), other.records.len(), "records {how}");
    }

    /// All bytes of `text` and all its lines, each once.
    fn assert_is(&self, text: &[u8]) {
        let bytes: Vec<u8> = self.records.iter().flat_map(|record| &record.bytes).copied().collect();
        assert_eq!(bytes, text, "not the bytes that were scanned");
        let lines = text.split_inclusive(|byte| *byte == b'\n').count() as u64;
        assert_eq!(self.records.iter().map(|record| record.lines).sum::<u64>(), lines, "lines");
    }
}

/// The same rules, under which every line is read in full: a word of the caller's own rules the fast
/// path out, and this one stands in no line.
fn slow(rules: &Rules) -> Rules {
    let words = vec![(b"\n".to_vec(), Level::Info)];
    Rules { keys: Keys { words, ..Keys::default() }, ..rules.clone() }
}

fn in_order(text: &[u8], rules: &Rules) -> Told {
    let mut told = Told::default();
    let used = Scanner::new(rules).scan(text, After::End, &mut told);
    assert_eq!(used, text.len(), "bytes are left");
    told
}

fn in_blocks(text: &[u8], rules: &Rules, block: usize, longest: usize) -> Told {
    let mut told = Told::default();
    let mut rest = text;
    let read = |buffer: &mut [u8]| std::io::Read::read(&mut rest, buffer);
    let mut scanner = Scanner::new(rules);
    let taken = Blocks::with_sizes(block, longest).scan(read, &mut scanner, After::End, &mut told);
    assert_eq!(taken.ok(), Some(text.len() as u64), "bytes are left");
    told
}

/// A scan that stops somewhere, and another that goes on from its state.
fn stopped(text: &[u8], rules: &Rules, draw: &mut Draw) -> Told {
    let mut told = Told::default();
    let mut state = State::default();
    let mut at = 0;
    for after in [After::More, After::More, After::End] {
        let end = if after == After::End { text.len() } else { at + draw.below(text.len() - at + 1) };
        let mut scanner = Scanner::new(rules);
        scanner.state = state;
        at += scanner.scan(&text[at..end], after, &mut told);
        state = scanner.state;
    }
    assert_eq!(at, text.len(), "bytes are left");
    told
}
