//! Finds the part of a sorted file that a time range is in, without reading the rest.
//!
//! A file is sorted when no record is earlier than any before it by more than the slack. Then, if
//! a record is earlier than `start - slack`, all before it are earlier than `start`; and if one is
//! later than `end + slack`, all behind it are later than `end`. The first is what the search looks
//! for, by bisection; the second ends the reading, see [`crate::watch`]. Which record of those
//! before `start - slack` the search ends at does not matter, so it stops early and the last few
//! kilobytes are scanned.
//!
//! A line that has the header of a record and a time begins a record, whatever is before it, and
//! leaves a scanner in the same state. Only the rest of a line that a container runtime cut in parts
//! begins a record here and not in a scan; that makes no difference as long as its parts lie within
//! the slack.

mod fold;
mod lines;

use std::fs::File;
use std::io;
use std::ops::Range;
use std::time::Duration;

use logs::clock::{Clock, Time};
use logs::header::Sort;
use logs::line::{self, Line, Scratch};
use logs::records::{After, Scanner, Sink, State};
use logs::rules::Rules;
use logs::stamp::Form;

use lines::Lines;

/// How much is read at a time, and when it is not worth the search.
#[derive(Debug, Clone, Copy)]
pub struct Sizes {
    /// Bytes of one read. Two pages hold the next header in most logs.
    pub window: usize,
    /// The search ends when it is so near.
    pub near: u64,
    /// From any place on, a record with a time is looked for in so many bytes.
    pub head: usize,
    /// A smaller file is read as a whole: that takes no longer.
    pub least: u64,
}

impl Default for Sizes {
    fn default() -> Self {
        Self { window: 8 * 1024, near: 64 * 1024, head: 1024 * 1024, least: 512 * 1024 }
    }
}

/// Where a scan can begin.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Entry {
    /// The offset of its first record.
    pub at: u64,
    /// The state of a scanner there.
    pub state: State,
    /// The latest time that is known to lie before.
    pub latest: Time,
    /// How many records before the first time of the file are passed over.
    pub timeless: u64,
}

/// A place where a record begins, and its time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Mark {
    at: u64,
    time: Time,
}

/// What a search asks for: all records of a time range, in a file that is sorted but for the slack.
#[derive(Debug, Clone, Copy)]
pub struct Wanted {
    /// The first and the last nanosecond.
    pub span: (Time, Time),
    /// How much earlier than one before it a record may be.
    pub slack: Duration,
}

/// A plain file and how to look for times in it.
pub struct Search<'a> {
    file: &'a File,
    start: u64,
    end: u64,
    rules: &'a Rules,
    clock: &'a mut Clock,
    sizes: Sizes,
    scratch: Scratch,
    marks: Vec<Mark>,
    first: Option<(u64, Vec<u8>, Form)>,
    timeless: u64,
    has_headers: bool,
    /// Whether a part of the file has no times, so that looking for one would take long.
    is_lost: bool,
}

impl<'a> Search<'a> {
    /// Looks at the first and the last record with a time in a range of the file, and shows their
    /// stamps to the clock.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub fn begin(
        (file, Range { start, end }): (&'a File, Range<u64>),
        rules: &'a Rules,
        clock: &'a mut Clock,
        sizes: Sizes,
    ) -> io::Result<Self> {
        let (scratch, marks) = (Scratch::default(), Vec::new());
        let mut search = Self {
            file,
            start,
            end,
            rules,
            clock,
            sizes,
            scratch,
            marks,
            first: None,
            timeless: 0,
            has_headers: false,
            is_lost: false,
        };
        search.look_at_head()?;
        if let Some((_, stamp, form)) = &search.first {
            search.clock.begins_with(stamp, *form);
            search.look_at_tail()?;
        }
        Ok(search)
    }

    /// Whether the clock has been told the first stamp.
    #[must_use]
    pub fn has_begun(&self) -> bool {
        self.first.is_some()
    }

    /// How much earlier than one before it a record may be that was written in order, but for `slack`:
    /// more where clocks were put back near to what is looked for.
    #[must_use]
    pub fn slack_in(&self, (since, until): (Time, Time), slack: Duration) -> Duration {
        let Some(last) = self.marks.iter().map(|mark| mark.time).max() else { return slack };
        let (from, until) = (since.minus(slack * 2), until.min(last).plus(slack * 2));
        slack + fold::put_back(self.clock.zone(), from, until)
    }

    /// Where to begin; or why all of the file must be read.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub fn entry(mut self, wanted: Wanted) -> io::Result<Result<Entry, &'static str>> {
        let Some((at, stamp, form)) = self.first.take() else { return Ok(Err("no time was found")) };
        let Some(time) = self.clock.read(&stamp, form) else { return Ok(Err("its first time is none")) };
        if !form.has_date() {
            return Ok(Err("its times tell no date"));
        }
        if !self.has_headers {
            return Ok(Err("its beginning has no headers"));
        }
        let first = Mark { at, time };
        if !form.has_year() && !self.is_of_one_year(first)? {
            return Ok(Err("it is not sorted by time"));
        }
        self.marks.push(first);
        let (since, until) = wanted.span;
        // The second search is for the check of the order alone: it looks where the end will be.
        self.bisect(first, until.plus(wanted.slack))?;
        let since = since.minus(wanted.slack);
        let found = self.bisect(first, since)?;
        if self.is_lost {
            return Ok(Err("a part of it has no times"));
        }
        self.marks.sort_unstable_by_key(|mark| mark.at);
        if !is_sorted(&self.marks, wanted.slack) {
            return Ok(Err("it is not sorted by time"));
        }
        if found == first {
            return Ok(Ok(Entry { at: self.start, state: State::default(), latest: Time::MIN, timeless: 0 }));
        }
        let before = self.marks.iter().take_while(|mark| mark.at <= found.at);
        let latest = before.map(|mark| mark.time).max().unwrap_or(found.time);
        let state = State { begun: true, open: true, strict: true, ..State::default() };
        Ok(Ok(Entry { at: found.at, state, latest, timeless: self.timeless }))
    }

    /// Whether nothing is found to be earlier than the first record. Times without a year begin anew
    /// with each: in a log of more than one, the first record may be told to be of the last, so that
    /// a range before it seems to lie before the file.
    fn is_of_one_year(&mut self, first: Mark) -> io::Result<bool> {
        for eighth in 1..8 {
            self.mark_from(first.at + (self.end - first.at) / 8 * eighth, self.end)?;
            if self.is_lost {
                break;
            }
        }
        Ok(self.marks.iter().all(|mark| mark.time >= first.time))
    }

    /// A record earlier than `time` near to where later ones begin; `first` where there is none.
    fn bisect(&mut self, first: Mark, time: Time) -> io::Result<Mark> {
        let (mut early, mut late) = (first, self.end);
        while !self.is_lost && first.time < time && late - early.at > self.sizes.near.max(1) {
            let middle = early.at + (late - early.at) / 2;
            match self.mark_from(middle, late)? {
                Some(mark) if mark.time < time => early = mark,
                _ => late = middle,
            }
        }
        Ok(early)
    }

    /// The first record with a time that begins in a range of the file.
    fn mark_from(&mut self, from: u64, until: u64) -> io::Result<Option<Mark>> {
        let mut lines = Lines::from(self.file, from, self.sizes.window);
        while let Some((at, text)) = lines.next()? {
            if at >= until {
                break;
            }
            if at - from > self.sizes.head as u64 {
                self.is_lost = true;
                break;
            }
            let line = line::read(text, self.rules, &mut self.scratch);
            let stamp = line.stamp.filter(|_| matches!(line.sort, Sort::Record | Sort::Opens));
            if let Some(time) = stamp.and_then(|(stamp, form)| self.clock.read(stamp, form)) {
                let mark = Mark { at, time };
                self.marks.push(mark);
                return Ok(Some(mark));
            }
        }
        Ok(None)
    }

    /// Scans the beginning for the first stamp, and for headers.
    fn look_at_head(&mut self) -> io::Result<()> {
        let mut size = (self.sizes.window * 4).min(self.sizes.head);
        loop {
            let block = lines::block(self.file, self.start, size)?;
            if block.starts_with(b"__") && line::is_export(&block) {
                return Ok(());
            }
            let after = if block.len() < size { After::End } else { After::More };
            let mut head = Head { at: self.start, ..Head::default() };
            let mut scanner = Scanner::new(self.rules);
            scanner.scan(&block, after, &mut head);
            self.timeless = head.timeless;
            (self.first, self.has_headers) = (head.first, scanner.state.strict);
            if self.first.is_some() || block.len() < size || size >= self.sizes.head {
                return Ok(());
            }
            size = (size * 4).min(self.sizes.head);
        }
    }

    /// Marks the last record with a time, and shows its stamp to the clock.
    fn look_at_tail(&mut self) -> io::Result<()> {
        let mut size = self.sizes.window as u64;
        loop {
            let from = self.end.saturating_sub(size).max(self.start);
            let mut lines = Lines::from(self.file, from, self.sizes.window);
            let mut last: Option<(u64, Vec<u8>, Form)> = None;
            while let Some((at, text)) = lines.next()? {
                let line = line::read(text, self.rules, &mut self.scratch);
                if let (Sort::Record | Sort::Opens, Some((stamp, form))) = (line.sort, line.stamp) {
                    last = Some((at, stamp.to_vec(), form));
                }
            }
            if let Some((at, stamp, form)) = last {
                self.clock.learn(&stamp, form);
                self.marks.extend(self.clock.read(&stamp, form).map(|time| Mark { at, time }));
                return Ok(());
            }
            if from == self.start || size >= self.sizes.head as u64 {
                return Ok(());
            }
            size *= 4;
        }
    }
}

/// Whether no mark is earlier than any before it by more than the slack.
fn is_sorted(marks: &[Mark], slack: Duration) -> bool {
    let mut latest = Time::MIN;
    marks.iter().all(|mark| {
        let fits = mark.time >= latest.minus(slack);
        latest = latest.max(mark.time);
        fits
    })
}

/// Takes down the first record with a stamp.
#[derive(Default)]
struct Head {
    at: u64,
    first: Option<(u64, Vec<u8>, Form)>,
    timeless: u64,
}

impl Sink for Head {
    fn record(&mut self, line: &Line<'_>, bytes: &[u8], _lines: u64) {
        if let (None, Some((stamp, form))) = (&self.first, line.stamp) {
            self.first = Some((self.at, stamp.to_vec(), form));
        }
        self.timeless += u64::from(self.first.is_none());
        self.at += bytes.len() as u64;
    }

    fn more(&mut self, bytes: &[u8], _lines: u64) {
        self.at += bytes.len() as u64;
    }
}
