//! Records: a header line with its continuation lines.
//!
//! The [`Scanner`] reads blocks of bytes line by line and tells a [`Sink`] where records begin and
//! what belongs to them. What a line is depends on the line itself and on a few bits of [`State`],
//! so a scan can stop at any line and go on from there: that is what `--state` saves, and what lets
//! `chunks` scan one file in parallel.

#![allow(clippy::inline_always, reason = "the loop is compiled anew for each processor in `simd`")]

use memchr::memchr;

use crate::fast::{Fast, NEEDED, WIDTH};
use crate::header::Sort;
use crate::line::{self, Line, Scratch};
use crate::rules::{Format, Rules};
use crate::simd::{self, Ends};

/// How the most frequent line of a stack trace begins that is not indented; `header` knows the rest.
const CAUSE: &[u8] = b"Caused by: ";

/// Takes what the scanner finds.
pub trait Sink {
    /// A record begins. `bytes` are its first line with its line end (or, for a record that is
    /// known by several lines, those), `lines` is how many lines they are.
    fn record(&mut self, line: &Line<'_>, bytes: &[u8], lines: u64);

    /// More of the record that began last: continuation lines, or with `lines` 0 the rest of a long
    /// line.
    fn more(&mut self, bytes: &[u8], lines: u64);
}

/// What a line needs to know of the lines before it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[allow(clippy::struct_excessive_bools, reason = "independent facts, saved as bits between runs")]
pub struct State {
    /// There has been a line.
    pub begun: bool,
    /// There has been a record with a header: lines without one belong to it.
    pub open: bool,
    /// There has been an unmistakable header: a bare level word at the start of a line is no record.
    pub strict: bool,
    /// The last line of stdout, and of stderr, goes on in the next one.
    pub parted: [bool; 2],
    /// The scan stopped inside a line.
    pub inside: bool,
}

/// What comes after the block.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum After {
    /// More bytes: an unfinished line at the end is left for the next call.
    More,
    /// More bytes, but the block cannot grow: an unfinished line that fills it is read from what
    /// there is of it.
    Full,
    /// Nothing: an unfinished line is the last one.
    End,
}

/// Scans blocks of lines.
pub struct Scanner<'r> {
    rules: &'r Rules,
    /// Where the scan stands; set it to go on from an earlier scan.
    pub state: State,
    fast: Fast,
    scratch: Scratch,
    second: Scratch,
    ends: Ends,
    quick: bool,
}

/// One line of a block and the line end that belongs to it.
struct Cut {
    end: usize,
    next: usize,
    lines: u64,
}

impl<'r> Scanner<'r> {
    /// A scanner at the start of a log.
    #[must_use]
    pub fn new(rules: &'r Rules) -> Self {
        let quick = rules.pattern.is_none() && rules.keys.words.is_empty();
        Self {
            rules,
            state: State::default(),
            fast: Fast::default(),
            scratch: Scratch::default(),
            second: Scratch::default(),
            ends: Ends::default(),
            quick,
        }
    }

    /// Reads the lines in `block` and returns how many bytes they were; the caller gives the rest
    /// again, with what follows it.
    pub fn scan(&mut self, block: &[u8], after: After, sink: &mut impl Sink) -> usize {
        simd::scan(self, block, after, sink)
    }

    /// The loop over the lines; `search` collects the newlines of a text, `spaces` tells where among
    /// [`WIDTH`] bytes the spaces are.
    #[inline(always)]
    pub(crate) fn scan_lines(
        &mut self,
        block: &[u8],
        after: After,
        sink: &mut impl Sink,
        search: impl Fn(&[u8], &mut [u32]) -> usize,
        spaces: impl Fn(&[u8; WIDTH]) -> u128,
    ) -> usize {
        let mut at = self.finish_line(block, sink);
        self.ends.restart(at);
        while let Some(rest) = block.get(at..).filter(|rest| !rest.is_empty()) {
            if let Some(end) = self.ends.after(at, block, &search)
                && let Some(line) = rest.get(..=end - at)
                && self.quick_line(rest, line, sink, &spaces)
            {
                at = end + 1;
                continue;
            }
            match self.full_line(rest, after, sink) {
                Some(next) => at += next,
                None if after == After::Full && at == 0 => return self.long_line(block, sink),
                None => break,
            }
        }
        at
    }

    /// The rest of a line that was begun in an earlier block.
    fn finish_line(&mut self, block: &[u8], sink: &mut impl Sink) -> usize {
        if !self.state.inside || block.is_empty() {
            return 0;
        }
        let newline = memchr(b'\n', block);
        let end = newline.map_or(block.len(), |newline| newline + 1);
        self.state.inside = newline.is_none();
        sink.more(&block[..end], 0);
        end
    }

    /// Takes a line that fits a template, or that is indented as no header is. `rest` is the line
    /// and what follows it, `bytes` the line with its line end.
    #[inline(always)]
    fn quick_line(
        &mut self,
        rest: &[u8],
        bytes: &[u8],
        sink: &mut impl Sink,
        spaces: impl Fn(&[u8; WIDTH]) -> u128,
    ) -> bool {
        if rest.len() < NEEDED || !self.quick {
            return false;
        }
        // First, as it asks for one byte only, and a stack trace has many such lines.
        if is_indented(rest) {
            if self.state.open {
                sink.more(bytes, 1);
            }
            return self.state.open;
        }
        if let Some(hit) = self.fast.read(rest, spaces) {
            // No indexing here: a sink that does not look at the word must not pay for its bounds.
            let line = Line {
                sort: Sort::Record,
                level: hit.level,
                word: rest.get(hit.word.0..hit.word.1).unwrap_or_default(),
                stamp: hit.stamp.and_then(|(start, end, form)| Some((rest.get(start..end)?, form))),
                rule: hit.rule,
                part: None,
                settled: true,
                tail: 1,
            };
            sink.record(&line, bytes, 1);
            return true;
        }
        if self.state.open && bytes.starts_with(CAUSE) {
            sink.more(bytes, 1);
            return true;
        }
        false
    }

    /// Reads one line in full; `None` when it is not complete.
    #[inline(never)]
    fn full_line(&mut self, rest: &[u8], after: After, sink: &mut impl Sink) -> Option<usize> {
        let cut = cut(rest, after, self.rules.format)?;
        let line = line::read(&rest[..cut.end], self.rules, &mut self.scratch);
        if let Some(part) = line.part {
            let parted = &mut self.state.parted[usize::from(part.is_stderr)];
            if std::mem::replace(parted, part.goes_on) {
                sink.more(&rest[..cut.next], 1);
                return Some(cut.next);
            }
        }
        let record = match line.sort {
            Sort::Opens => {
                let next = &rest[cut.next..];
                let second = match self::cut(next, after, self.rules.format) {
                    Some(second) => second,
                    None if after == After::More => return None,
                    None => Cut { end: 0, next: 0, lines: 0 },
                };
                let fill = line::read(&next[..second.end], self.rules, &mut self.second);
                if fill.sort == Sort::Fills && fill.part.is_none() {
                    let line = Line { level: fill.level, word: fill.word, ..line };
                    (self.state.begun, self.state.open, self.state.strict) = (true, true, true);
                    let both = cut.next + second.next;
                    sink.record(&line, &rest[..both], 2);
                    return Some(both);
                }
                true
            }
            Sort::Record | Sort::Fills => true,
            Sort::Weak => !self.state.strict,
            Sort::Plain => !self.state.open,
            Sort::More => !self.state.begun,
        };
        self.state.begun = true;
        if record {
            self.state.strict |= matches!(line.sort, Sort::Record | Sort::Opens | Sort::Fills);
            self.state.open |= self.state.strict || line.sort == Sort::Weak;
            if self.quick && line.sort == Sort::Record {
                self.fast.learn(rest, &line);
            }
            sink.record(&line, &rest[..cut.next], cut.lines);
        } else {
            sink.more(&rest[..cut.next], cut.lines);
        }
        Some(cut.next)
    }

    /// A line longer than any block: what its level is stands at its beginning.
    fn long_line(&mut self, block: &[u8], sink: &mut impl Sink) -> usize {
        let read = self.full_line(block, After::End, sink).unwrap_or(block.len());
        // A record of several lines may fill the block too, and end there with a line.
        self.state.inside = !block[..read].ends_with(b"\n");
        read
    }
}

/// Where the line that begins `rest` ends; a record of the journal's export format ends with its
/// empty line.
fn cut(rest: &[u8], after: After, format: Format) -> Option<Cut> {
    let whole = Cut { end: rest.len(), next: rest.len(), lines: 1 };
    let joins = matches!(format, Format::Auto | Format::Journal);
    if rest.first() == Some(&b'_') && joins && line::is_export(rest) {
        let record = match memchr::memmem::find(rest, b"\n\n") {
            Some(end) => Cut { end: end + 1, next: end + 2, ..whole },
            None if after == After::End => whole,
            None => return None,
        };
        let text = &rest[..record.next];
        let lines = memchr::memchr_iter(b'\n', text).count() as u64 + u64::from(!text.ends_with(b"\n"));
        return Some(Cut { lines, ..record });
    }
    match memchr(b'\n', rest) {
        Some(newline) => {
            let end = if newline > 0 && rest[newline - 1] == b'\r' { newline - 1 } else { newline };
            Some(Cut { end, next: newline + 1, lines: 1 })
        }
        None if after == After::End && !rest.is_empty() => Some(whole),
        None => None,
    }
}

/// Indented as only continuation lines are; `line` decides on everything that is less clear.
#[inline(always)]
fn is_indented(text: &[u8]) -> bool {
    match text[0] {
        b'\t' => true,
        b' ' => {
            let spaces = text.iter().take(9).take_while(|b| **b == b' ').count();
            match text[spaces] {
                b'0'..=b'9' | b'[' | 0x1b => false,
                b'A'..=b'Z' => spaces > 1,
                _ => true,
            }
        }
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::told::{LINES, Told, text_of};
    use proptest::prelude::*;

    #[test]
    fn each_stamp_behind_a_level_has_its_own_form() {
        struct Lengths(Vec<usize>);
        impl Sink for Lengths {
            fn record(&mut self, line: &Line<'_>, _: &[u8], _: u64) {
                self.0.extend(line.stamp.map(|(stamp, form)| stamp.len().min(form.len())));
            }
            fn more(&mut self, _: &[u8], _: u64) {}
        }
        let line = |(level, fraction)| {
            format!("{level}0314 09:26:53.{fraction}  7 x.go:1] {}\n", "x".repeat(NEEDED))
        };
        let text: String =
            [("I", "123456"), ("E", "1234"), ("I", "654321"), ("E", "4321"), ("I", "1")].map(line).concat();
        let (rules, mut lengths) = (Rules::default(), Lengths(Vec::new()));
        Scanner::new(&rules).scan(text.as_bytes(), After::End, &mut lengths);
        assert_eq!(lengths.0, [20, 18, 20, 18, 15]);
    }

    #[test]
    fn a_nul_is_no_word_that_was_learnt() {
        let filler = "x".repeat(NEEDED);
        let text = ["INFO x", "INFO x", "\0@x WARN [main] x", "INFO x"]
            .map(|rest| format!("2025-03-14 09:26:53 {rest}{filler}\n"));
        let told = |quick| {
            let (rules, mut told) = (Rules::default(), Told::default());
            let mut scanner = Scanner { quick, ..Scanner::new(&rules) };
            scanner.scan(text.concat().as_bytes(), After::End, &mut told);
            told
        };
        assert_eq!(told(true), told(false));
    }

    #[test]
    fn only_records_of_the_journal_hold_many_lines() {
        let text = b"__CURSOR=s=1\nPRIORITY=3\n2025-03-14 09:26:53 WARN x\n\n";
        let check = |rules: Rules, want: &[(&str, u64)]| {
            let mut told = Told::default();
            Scanner::new(&rules).scan(text, After::End, &mut told);
            let got: Vec<_> = told.records.iter().map(|(what, lines, _)| (what.as_str(), *lines)).collect();
            assert_eq!((got.as_slice(), told.orphans.0), (want, 0));
        };
        let of = |format| Rules { format, ..Rules::default() };
        check(of(Format::Auto), &[("Some(Error) 3", 4)]);
        check(of(Format::Journal), &[("Some(Error) 3", 4)]);
        check(of(Format::Text), &[("None ", 1), ("None ", 1), ("Some(Warning) WARN", 2)]);
        let pattern = regex::bytes::Regex::new("level is (x)").ok();
        check(Rules { pattern, ..Rules::default() }, &[("None ", 4)]);
    }

    proptest! {
        /// Digits and level words change from line to line, as they do in a log: what is learnt
        /// from one line must say of the next what reading it in full says.
        #[test]
        fn the_fast_path_tells_what_reading_in_full_tells(
            picks in prop::collection::vec(0..LINES.len(), 1..6),
            words in prop::collection::vec(prop::sample::select(vec![
                "INFO", "WARN", "ERROR", "INFOX", "info", "Error", "CRITICAL", "I", "30", "", "GET", "INFO_X", "x",
            ]), 1..40),
            digits: [u8; 16],
        ) {
            let mut text = Vec::new();
            for (turn, word) in words.iter().enumerate() {
                let line = text_of(&[picks[turn % picks.len()]]);
                let line = String::from_utf8(line).unwrap();
                let level = ["INFO", "ERROR", "WARN", "error"].iter().find(|level| line.contains(**level));
                let line = level.filter(|_| turn % 3 > 0).map_or(line.clone(), |level| line.replacen(*level, word, 1));
                let mut digit = digits.iter().cycle().skip(turn);
                text.extend(line.bytes().map(|byte| match byte {
                    b'0'..=b'9' if turn % 2 > 0 => b'0' + digit.next().unwrap() % 10,
                    _ => byte,
                }));
            }
            let rules = Rules::default();
            let told = |quick| {
                let mut told = Told::default();
                let mut scanner = Scanner { quick, ..Scanner::new(&rules) };
                scanner.scan(&text, After::End, &mut told);
                told
            };
            prop_assert_eq!(told(true), told(false));
        }
    }
}
