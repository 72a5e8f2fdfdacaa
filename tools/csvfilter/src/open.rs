//! Opens an input: what it is delimited by, its header, and the rows behind it.

use std::io::{ErrorKind, Read};
use std::ops::Range;
use std::path::Path;
use std::sync::{Arc, Mutex};

use common::input::{Input, Packing};
use common::{Error, OrCannot, Result};
use memchr::{memchr, memchr_iter};

use crate::bad::shown;
use crate::block::{Block, without_line_end};
use crate::cut::Opening;
use crate::detect;
use crate::dialect::Dialect;
use crate::from::{self, Ledger, Shape};
use crate::read::{Reader, Source};
use crate::scan::{self, State};
use crate::simd::Cpu;

/// How inputs are to be read.
#[derive(Debug, Clone)]
pub(crate) struct Reading {
    /// `None`: the first row tells.
    pub(crate) delimiter: Option<u8>,
    pub(crate) quote: Option<u8>,
    pub(crate) comment: Option<u8>,
    pub(crate) escapes: bool,
    /// Lines that are passed over at the beginning of each input.
    pub(crate) skip: u64,
    /// The first row is one, and no header.
    pub(crate) no_header: bool,
    /// The longest row that is one, in bytes.
    pub(crate) limit: usize,
    pub(crate) cpu: Cpu,
    /// Inputs are JSON.
    pub(crate) json: Option<Shape>,
}

/// An opened input.
pub(crate) struct Table {
    /// What messages call it.
    pub(crate) name: String,
    pub(crate) dialect: Dialect,
    /// The header as it stands, with its line end, if there is one that was written as CSV.
    pub(crate) header: Option<Vec<u8>>,
    /// The names of the columns; with `--no-header` empty ones.
    pub(crate) names: Vec<Vec<u8>>,
    /// Until it was told: where the rows begin.
    pub(crate) opening: Option<Opening>,
    pub(crate) reader: Reader,
    /// How many bytes there are to read; unknown for a pipe and for what is packed.
    pub(crate) size: Option<u64>,
    /// It is a pipe or a terminal, and comes bit by bit.
    pub(crate) is_live: bool,
    /// What is known of rows that were JSON.
    pub(crate) ledger: Option<Arc<Mutex<Ledger>>>,
}

/// How many bytes are read at first; then as many again, as all of them are looked at each time.
const START: usize = 64 * 1024;

impl Table {
    /// Opens `path`; `-` is standard input. `None`: there is no row in it, not even a header.
    ///
    /// # Errors
    /// When it cannot be read, is in UTF-16, or has a header longer than a row may be.
    pub(crate) fn open(path: &Path, reading: &Reading) -> Result<Option<Self>> {
        let input = Input::open(path)?;
        let name = input.name.clone();
        let about = input.file().metadata().or_cannot("read", &name)?;
        let size = (about.is_file() && input.packing == Packing::Plain).then_some(about.len());
        let is_live = input.packing == Packing::Plain && !about.is_file();
        let file = match input.seekable() {
            Some(file) => Some(Arc::new(file.try_clone().or_cannot("read", &name)?)),
            None => None,
        };
        let pipe = if is_live { Some(input.file().try_clone().or_cannot("read", &name)?) } else { None };
        let mut reader = input.reader()?;
        let mut start = Start::default();
        start.skip(&mut reader, reading, &name)?;
        let Some((dialect, first)) = start.first_row(&mut reader, reading, &name)? else { return Ok(None) };
        let row = Block::of(start.bytes.get(first.clone()).unwrap_or_default(), dialect);
        let mut names: Vec<Vec<u8>> = row.fields(0).map(|field| dialect.value(field).into_owned()).collect();
        let behind = if reading.no_header { first.start } else { first.end };
        let header = (!reading.no_header).then(|| row.row(0).to_vec());
        if reading.no_header {
            names.iter_mut().for_each(Vec::clear);
        }
        let line = start.line + memchr_iter(b'\n', &start.bytes[..behind]).count() as u64;
        start.bytes.drain(..behind);
        let opening = Some(Opening { dialect, line });
        let source = match file {
            Some(file) => Source::File { file, offset: start.read, size: about.len() },
            None => match pipe {
                Some(pipe) => Source::Pipe { stream: reader, pipe },
                None => Source::Stream(reader),
            },
        };
        let reader = Reader::new(source, start.bytes);
        Ok(Some(Self { name, dialect, header, names, opening, reader, size, is_live, ledger: None }))
    }

    /// What is wrong with the header, if it has names that are no UTF-8: an expression cannot name them.
    pub(crate) fn odd_names(&self) -> Option<String> {
        let is_odd = |name: &&Vec<u8>| std::str::from_utf8(name).is_err();
        let first = self.names.iter().position(|name| is_odd(&name))?;
        let others = self.names.iter().filter(is_odd).count() - 1;
        let lines = self.header.as_ref().map_or(0, |header| memchr_iter(b'\n', header).count() as u64);
        let line = self.opening.map_or(1, |opening| opening.line.saturating_sub(lines));
        let (table, shown) = (&self.name, shown(&self.names[first]));
        let more = if others > 0 { format!("; nor are {others} more") } else { String::new() };
        Some(format!("{table}:{line}: the name of column ${}, `{shown}`, is no UTF-8{more}", first + 1))
    }

    /// Objects as a table.
    pub(crate) fn of_json(table: from::Table) -> Self {
        let from::Table { name, columns: names, rows, ledger } = table;
        let dialect = Dialect::delimited(b',');
        let opening = Some(Opening { dialect, line: 1 });
        let source = Source::Stream(Box::new(rows));
        let reader = Reader::new(source, Vec::new());
        let (header, size, is_live, ledger) = (None, None, false, Some(ledger));
        Self { name, dialect, header, names, opening, reader, size, is_live, ledger }
    }
}

/// The beginning of an input, as far as it was read.
#[derive(Default)]
struct Start {
    bytes: Vec<u8>,
    /// The line on which `bytes` begins, counted from 1.
    line: u64,
    /// How many bytes were read, those that were passed over included.
    read: u64,
    has_ended: bool,
}

impl Start {
    /// Reads on; in any case as much as is there.
    fn read(&mut self, reader: &mut dyn Read, name: &str) -> Result<()> {
        let filled = self.bytes.len();
        self.bytes.resize(filled + filled.max(START), 0);
        let count = loop {
            match reader.read(&mut self.bytes[filled..]) {
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                other => break other.or_cannot("read", name)?,
            }
        };
        self.bytes.truncate(filled + count);
        self.read += count as u64;
        self.has_ended = count == 0;
        Ok(())
    }

    /// Passes over the byte order mark and the lines that are to be skipped.
    fn skip(&mut self, reader: &mut dyn Read, reading: &Reading, name: &str) -> Result<()> {
        self.line = 1;
        while self.bytes.len() < 3 && !self.has_ended {
            self.read(reader, name)?;
        }
        if let [0xff, 0xfe, ..] | [0xfe, 0xff, ..] = self.bytes[..] {
            return Err(Error::failed(format!(
                "{name} is in UTF-16; convert it first: iconv -f UTF-16 -t UTF-8"
            )));
        }
        if self.bytes.starts_with(b"\xef\xbb\xbf") {
            self.bytes.drain(..3);
        }
        while self.line <= reading.skip {
            match memchr(b'\n', &self.bytes) {
                Some(end) => {
                    self.bytes.drain(..=end);
                    self.line += 1;
                }
                None if self.has_ended => {
                    self.bytes.clear();
                    return Ok(());
                }
                None => {
                    self.bytes.clear();
                    self.read(reader, name)?;
                }
            }
        }
        Ok(())
    }

    /// Reads until the first row is there that is neither blank nor a comment, and says where it is.
    fn first_row(
        &mut self,
        reader: &mut dyn Read,
        reading: &Reading,
        name: &str,
    ) -> Result<Option<(Dialect, Range<usize>)>> {
        let Reading { quote, comment, escapes, .. } = *reading;
        loop {
            let delimiter =
                reading.delimiter.or_else(|| detect::delimiter(&self.bytes, quote, comment, self.has_ended));
            let dialect = delimiter.map(|delimiter| Dialect { delimiter, quote, comment, escapes });
            if let Some(dialect) = dialect
                && let Some(row) = first_row(&self.bytes, dialect, self.has_ended)
            {
                // As below, however much was read beyond the limit.
                return if row.end > reading.limit { Err(too_long(name)) } else { Ok(Some((dialect, row))) };
            }
            if self.has_ended {
                return self.no_row(dialect, name);
            }
            if self.bytes.len() > reading.limit {
                return Err(too_long(name));
            }
            // All is looked at again each time; a pipe gives 64 KiB at a time, however long the row.
            let twice = (self.bytes.len() * 2).min(reading.limit + START);
            let enough = if self.bytes.len() < START { 0 } else { twice };
            self.read(reader, name)?;
            while self.bytes.len() < enough && !self.has_ended {
                self.read(reader, name)?;
            }
        }
    }

    /// There are only blank lines and comments, or a row that does not end.
    fn no_row<T>(&self, dialect: Option<Dialect>, name: &str) -> Result<Option<T>> {
        if dialect.and_then(|dialect| scan::open_quote(&self.bytes, dialect)).is_none() {
            return Ok(None);
        }
        Err(Error::failed(format!(
            "a quote in the first row of {name} never closes; --quote names another one"
        )))
    }
}

fn too_long(name: &str) -> Error {
    Error::failed(format!(
        "the first row of {name} does not end within --max-record; is it a table, and is the quote right?"
    ))
}

/// The first row that is neither blank nor a comment, with its line end; `None` if it is not whole.
fn first_row(bytes: &[u8], dialect: Dialect, has_ended: bool) -> Option<Range<usize>> {
    let (mut state, mut start) = (State::Row, 0);
    for (at, &byte) in bytes.iter().enumerate() {
        let next = state.after(byte, dialect);
        if next == State::Row && byte == b'\n' {
            let is_blank = state == State::Comment || without_line_end(&bytes[start..=at]).is_empty();
            if !is_blank {
                return Some(start..at + 1);
            }
            start = at + 1;
        }
        state = next;
    }
    let rest = &bytes[start..];
    let is_row = !matches!(state, State::Quoted | State::Comment) && !without_line_end(rest).is_empty();
    (has_ended && is_row).then_some(start..bytes.len())
}
