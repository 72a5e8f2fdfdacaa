//! Where the records of a JSON text begin and end.
//!
//! In an array that is told by brackets and quotes alone; whether a record is JSON is seen later.

use std::io::{self, BufRead, Read as _};

use memchr::{memchr_iter, memrchr};

use super::Shape;

/// A record, and where it begins.
#[derive(Debug, Default)]
pub(super) struct Record {
    /// Without white space around it, and up to the limit.
    pub(super) bytes: Vec<u8>,
    /// Counted from 1.
    pub(super) line: u64,
    /// In bytes, counted from 1.
    pub(super) column: u64,
    /// Why it is none, where that is told by how it ends.
    pub(super) fault: Option<String>,
}

impl Record {
    /// An error at a place in the record, whose lines and columns are counted from 1.
    pub(super) fn error(&self, line: usize, column: usize, reason: &str) -> io::Error {
        let first = if line > 1 { 1 } else { self.column };
        error(self.line + (line as u64).saturating_sub(1), first + (column as u64).saturating_sub(1), reason)
    }
}

fn error(line: u64, column: u64, reason: &str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, format!("line {line}, column {column}: {reason}"))
}

/// The records of a text.
pub(super) struct Records<R> {
    reader: R,
    shape: Shape,
    limit: usize,
    /// The place of the next byte.
    line: u64,
    column: u64,
    within: Within,
}

/// Where the next record is looked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Within {
    Start,
    Text,
    /// Behind the bracket of an array.
    Opened,
    /// Behind a record in an array.
    Array,
}

impl<R: BufRead> Records<R> {
    pub(super) fn new(reader: R, shape: Shape, limit: usize) -> Self {
        Self { reader, shape, limit, line: 1, column: 1, within: Within::Start }
    }

    pub(super) fn shape(&self) -> Shape {
        self.shape
    }

    /// Reads the next record; `false` at the end. Where the input ends too early, that is the last
    /// record, with a fault and what there is of it.
    ///
    /// # Errors
    /// When the input cannot be read. In [`Shape::Json`] also when it has no such structure, or a
    /// record is longer than the limit.
    pub(super) fn next(&mut self, record: &mut Record) -> io::Result<bool> {
        if self.within == Within::Start {
            self.pass_over_mark()?;
            self.within = Within::Text;
        }
        record.bytes.clear();
        record.fault = None;
        match self.shape {
            Shape::Lines => self.line(record),
            Shape::Json => self.value(record),
        }
    }

    /// A byte order mark at the very beginning.
    fn pass_over_mark(&mut self) -> io::Result<()> {
        // What is buffered is a few bytes at least, but for pipes; and those are in memory.
        if self.reader.fill_buf()?.starts_with(b"\xef\xbb\xbf") {
            self.reader.consume(3);
        }
        Ok(())
    }

    /// The next line that is not blank.
    fn line(&mut self, record: &mut Record) -> io::Result<bool> {
        loop {
            record.bytes.clear();
            record.line = self.line;
            let most = (self.limit as u64).saturating_add(2);
            let count = self.reader.by_ref().take(most).read_until(b'\n', &mut record.bytes)?;
            if count == 0 {
                return Ok(false);
            }
            self.line += 1;
            let has_end = record.bytes.ends_with(b"\n");
            let text = record.bytes.trim_ascii();
            if text.is_empty() && has_end {
                continue;
            }
            if text.len() > self.limit || !has_end && count as u64 == most {
                record.fault = Some("the record is longer than --max-record".into());
                record.bytes.truncate(self.limit);
                self.pass_over_line(has_end)?;
                record.column = 1;
                return Ok(true);
            }
            if text.is_empty() {
                return Ok(false);
            }
            let start = record.bytes.len() - record.bytes.trim_ascii_start().len();
            record.column = start as u64 + 1;
            record.bytes.truncate(start + record.bytes.trim_ascii().len());
            record.bytes.drain(..start);
            return Ok(true);
        }
    }

    fn pass_over_line(&mut self, mut has_end: bool) -> io::Result<()> {
        while !has_end {
            let chunk = self.reader.fill_buf()?;
            let end = memchr::memchr(b'\n', chunk);
            let count = end.map_or(chunk.len(), |end| end + 1);
            has_end = end.is_some() || count == 0;
            self.reader.consume(count);
        }
        Ok(())
    }

    /// The next value of an array or outside of one.
    fn value(&mut self, record: &mut Record) -> io::Result<bool> {
        loop {
            let Some(byte) = self.first()? else {
                let is_cut = self.within != Within::Text;
                if is_cut {
                    self.cut(record);
                }
                return Ok(is_cut);
            };
            match (self.within, byte) {
                (Within::Text, b'[') => self.step(Within::Opened),
                (Within::Opened | Within::Array, b']') => self.step(Within::Text),
                (Within::Array, b',') => {
                    self.step(Within::Array);
                    return self.one(record);
                }
                (Within::Array, _) => return Err(self.fault("expected `,` or `]`")),
                _ => return self.one(record),
            }
        }
    }

    /// The value that must come now.
    fn one(&mut self, record: &mut Record) -> io::Result<bool> {
        if self.first()?.is_none() && self.within != Within::Text {
            self.cut(record);
            return Ok(true);
        }
        (record.line, record.column) = (self.line, self.column);
        let mut extent = Extent::default();
        let mut is_over = false;
        while !is_over {
            let chunk = self.reader.fill_buf()?;
            if chunk.is_empty() {
                break;
            }
            let end = extent.end(chunk);
            is_over = end.is_some();
            let count = end.unwrap_or(chunk.len());
            let taken = chunk.get(..count).unwrap_or_default();
            record.bytes.extend_from_slice(taken);
            self.reader.consume(count);
            if record.bytes.len() > self.limit {
                return Err(record.error(1, 1, "the record that begins here is longer than --max-record"));
            }
        }
        if !is_over && (extent.is_open() || self.within != Within::Text) {
            record.fault = Some(format!("column {}: what begins here does not end", record.column));
            self.within = Within::Text;
            return Ok(true);
        }
        if record.bytes.is_empty() {
            return Err(self.fault("expected a value"));
        }
        self.advance(&record.bytes);
        if self.within == Within::Opened {
            self.within = Within::Array;
        }
        Ok(true)
    }

    /// The input ends within an array, between two records: nobody knows how many are missing.
    fn cut(&mut self, record: &mut Record) {
        (record.line, record.column) = (self.line, self.column);
        record.fault = Some(format!("column {}: the array does not end", self.column));
        self.within = Within::Text;
    }

    /// The next byte that is no white space.
    fn first(&mut self) -> io::Result<Option<u8>> {
        loop {
            let chunk = self.reader.fill_buf()?;
            let Some(first) = chunk.first() else { return Ok(None) };
            if !matches!(first, b' ' | b'\t' | b'\n' | b'\r') {
                return Ok(Some(*first));
            }
            let blank = chunk.iter().take_while(|byte| matches!(byte, b' ' | b'\t' | b'\n' | b'\r')).count();
            let newlines = memchr_iter(b'\n', &chunk[..blank]).count() as u64;
            let behind = memrchr(b'\n', &chunk[..blank]).map(|at| (blank - at) as u64);
            self.line += newlines;
            self.column = behind.unwrap_or(self.column + blank as u64);
            self.reader.consume(blank);
        }
    }

    /// Passes over one byte of punctuation.
    fn step(&mut self, within: Within) {
        self.reader.consume(1);
        self.column += 1;
        self.within = within;
    }

    fn advance(&mut self, bytes: &[u8]) {
        self.line += memchr_iter(b'\n', bytes).count() as u64;
        let behind = memrchr(b'\n', bytes).map(|at| (bytes.len() - at) as u64);
        self.column = behind.unwrap_or(self.column + bytes.len() as u64);
    }

    fn fault(&self, reason: &str) -> io::Error {
        error(self.line, self.column, reason)
    }
}

/// How far a value goes.
#[derive(Debug, Default)]
struct Extent {
    /// Brackets that are open.
    depth: usize,
    is_string: bool,
    is_escaped: bool,
    has_begun: bool,
}

impl Extent {
    /// Where the value ends in the bytes that come next, if it does.
    fn end(&mut self, bytes: &[u8]) -> Option<usize> {
        for (at, &byte) in bytes.iter().enumerate() {
            if self.is_string {
                self.is_string = self.is_escaped || byte != b'"';
                self.is_escaped = byte == b'\\' && !self.is_escaped;
                if !self.is_string && self.depth == 0 {
                    return Some(at + 1);
                }
                continue;
            }
            match byte {
                // What has no brackets or quotes of its own ends before those of others.
                b' ' | b'\t' | b'\n' | b'\r' | b',' | b']' | b'}' if self.depth == 0 => return Some(at),
                b'"' | b'{' | b'[' if self.depth == 0 && self.has_begun => return Some(at),
                b'"' => self.is_string = true,
                b'{' | b'[' => self.depth += 1,
                b'}' | b']' if self.depth == 1 => return Some(at + 1),
                b'}' | b']' => self.depth -= 1,
                _ => {}
            }
            self.has_begun = true;
        }
        None
    }

    fn is_open(&self) -> bool {
        self.is_string || self.depth > 0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The records of a text that ends too early: what there is of them, and what is told of the last.
    fn check(text: &str, whole: &[&str], (line, told, part): (u64, &str, &str)) {
        let mut records = Records::new(text.as_bytes(), Shape::Json, 100);
        let (mut record, mut found) = (Record::default(), Vec::new());
        while records.next(&mut record).unwrap() {
            found.push((
                record.line,
                record.fault.take(),
                String::from_utf8_lossy(&record.bytes).into_owned(),
            ));
        }
        assert_eq!(found.pop(), Some((line, Some(told.into()), part.into())), "{text}");
        assert!(found.iter().all(|(_, fault, _)| fault.is_none()), "{text}");
        assert_eq!(found.iter().map(|(.., text)| text.as_str()).collect::<Vec<_>>(), whole, "{text}");
    }

    #[test]
    fn an_input_that_ends_too_early_has_a_fault_behind_its_records() {
        let ends = |column: u8, what: &str| format!("column {column}: {what} does not end");
        let (value, array) = ("what begins here", "the array");
        check("[{\"a\":1},\n{\"b\":", &["{\"a\":1}"], (2, &ends(1, value), "{\"b\":"));
        check("[{\"a\":1}, \"b", &["{\"a\":1}"], (1, &ends(11, value), "\"b"));
        check("[{\"a\":1}, tru", &["{\"a\":1}"], (1, &ends(11, value), "tru"));
        check("{\"a\":1}{", &["{\"a\":1}"], (1, &ends(8, value), "{"));
        check("[{\"a\":1},", &["{\"a\":1}"], (1, &ends(10, array), ""));
        check("[{\"a\":1}\n ", &["{\"a\":1}"], (2, &ends(2, array), ""));
        check("[", &[], (1, &ends(2, array), ""));
    }
}
