//! Records: a header line with its continuation lines.
//!
//! The [`Scanner`] reads blocks of bytes line by line and tells a [`Sink`] where records begin and
//! what belongs to them. What a line is depends on the line itself and on a few bits of [`State`],
//! so a scan can stop at any line and go on from there: that is what `--state` saves, and what lets
//! `chunks` scan one file in parallel.

use memchr::memchr;

use crate::fast::{Fast, NEEDED};
use crate::header::Sort;
use crate::line::{self, Line, Scratch};
use crate::rules::Rules;

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
    quick: bool,
}

/// One line of a block and the line end that belongs to it.
struct Cut {
    end: usize,
    next: usize,
}

impl<'r> Scanner<'r> {
    /// A scanner at the start of a log.
    #[must_use]
    pub fn new(rules: &'r Rules) -> Self {
        let quick = rules.pattern.is_none() && rules.map.is_empty();
        Self {
            rules,
            state: State::default(),
            fast: Fast::default(),
            scratch: Scratch::default(),
            second: Scratch::default(),
            quick,
        }
    }

    /// Reads the lines in `block` and returns how many bytes they were; the caller gives the rest
    /// again, with what follows it.
    pub fn scan(&mut self, block: &[u8], after: After, sink: &mut impl Sink) -> usize {
        let mut at = self.finish_line(block, sink);
        while at < block.len() {
            let rest = &block[at..];
            let next = match self.quick_line(rest, sink) {
                Some(next) => Some(next),
                None => self.full_line(rest, after, sink),
            };
            match next {
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

    /// A line that fits a template, or is indented as no header is. Returns where the next begins.
    #[inline(always)]
    fn quick_line(&mut self, rest: &[u8], sink: &mut impl Sink) -> Option<usize> {
        if rest.len() < NEEDED || !self.quick {
            return None;
        }
        if let Some(hit) = self.fast.read(rest) {
            // The line ends behind its level.
            let next = hit.word.1 + memchr(b'\n', &rest[hit.word.1..])? + 1;
            let line = Line {
                sort: Sort::Record,
                level: hit.level,
                word: &rest[hit.word.0..hit.word.1],
                stamp: hit.stamp.map(|(start, end, form)| (&rest[start..end], form)),
                rule: hit.rule,
                part: None,
                settled: true,
            };
            sink.record(&line, &rest[..next], 1);
            return Some(next);
        }
        if self.state.open && is_indented(rest) {
            let next = memchr(b'\n', rest)? + 1;
            sink.more(&rest[..next], 1);
            return Some(next);
        }
        None
    }

    /// Reads one line in full; `None` when it is not complete.
    #[inline(never)]
    fn full_line(&mut self, rest: &[u8], after: After, sink: &mut impl Sink) -> Option<usize> {
        let cut = cut(rest, after)?;
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
                let second = match self::cut(next, after) {
                    Some(second) => second,
                    None if after == After::More => return None,
                    None => Cut { end: 0, next: 0 },
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
            let lines = lines_in(&rest[..cut.next]);
            sink.record(&line, &rest[..cut.next], lines);
        } else {
            sink.more(&rest[..cut.next], 1);
        }
        Some(cut.next)
    }

    /// A line longer than any block: what its level is stands at its beginning.
    fn long_line(&mut self, block: &[u8], sink: &mut impl Sink) -> usize {
        let read = self.full_line(block, After::End, sink);
        self.state.inside = true;
        read.unwrap_or(block.len())
    }
}

/// Where the line that begins `rest` ends; a record of the journal's export format ends with its
/// empty line.
fn cut(rest: &[u8], after: After) -> Option<Cut> {
    if rest.first() == Some(&b'_') && line::is_export(rest) {
        if let Some(end) = memchr::memmem::find(rest, b"\n\n") {
            return Some(Cut { end: end + 1, next: end + 2 });
        }
        return (after == After::End).then_some(Cut { end: rest.len(), next: rest.len() });
    }
    match memchr(b'\n', rest) {
        Some(newline) => {
            let end = if newline > 0 && rest[newline - 1] == b'\r' { newline - 1 } else { newline };
            Some(Cut { end, next: newline + 1 })
        }
        None if after == After::End && !rest.is_empty() => Some(Cut { end: rest.len(), next: rest.len() }),
        None => None,
    }
}

fn lines_in(bytes: &[u8]) -> u64 {
    let newlines = memchr::memchr_iter(b'\n', bytes).count() as u64;
    newlines + u64::from(!bytes.ends_with(b"\n"))
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
