//! JSON and JSON Lines as a table.
//!
//! The columns are the keys of all objects of all inputs, in the order in which they first appear; what is nested
//! has a dotted name. So the input is read twice: once for its keys, and once for its rows. A pipe
//! and what is packed is held in memory for that; otherwise no more than one record is.
//!
//! | JSON | cell |
//! |---|---|
//! | `"text"` | the text; in quotes where it is empty, or would read as one of those below |
//! | `1.50` `true` | as it is written, without quotes |
//! | `null`, no such key | nothing, without quotes |
//! | `{"a": …}` | the cells of its members, named `key.a` |
//! | `[…]` `{}` | JSON without white space |
//!
//! An object that says a column twice is a bad record, as one of the values would be lost:
//! `{"a":1,"a":2}`, `{"a":{"b":1},"a.b":2}`. A null in a table of one column is written as an empty
//! text, as a blank line is no row.

mod json;
mod ledger;
mod records;
#[cfg(test)]
mod tests;

use std::fs::File;
use std::io::{self, BufRead, BufReader, Cursor, Read};
use std::os::unix::fs::FileExt as _;
use std::sync::{Arc, Mutex, PoisonError};

use common::input::Input;
use common::{Error, OrCannot as _, Result};

use json::{Fault, Sheet};
pub use ledger::{Bad, Ledger, Notes};
use records::{Record, Records};

/// How objects stand in a text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Shape {
    /// Each on a line of its own. A line that is no object is a bad record.
    Lines,
    /// In an array, or one after the other. What is no JSON ends the run; what is JSON and no object
    /// is a bad record.
    Json,
}

/// The objects of an input as a table.
pub struct Table {
    /// What messages call the input.
    pub name: String,
    /// The names of the columns. There are none if there is no key in the input; nor are there rows.
    pub columns: Vec<Vec<u8>>,
    /// The rows as CSV.
    pub rows: Rows,
    /// What was met beside the rows.
    pub ledger: Arc<Mutex<Ledger>>,
}

impl Table {
    /// Reads the keys of all inputs, so that their tables have the same columns; `limit` is the
    /// longest record in bytes.
    ///
    /// # Errors
    /// When one cannot be read, is in UTF-16, or is no JSON where [`Shape::Json`] is asked for.
    pub fn open_all(inputs: Vec<Input>, shape: Shape, limit: usize) -> Result<Vec<Self>> {
        let named = inputs.into_iter().map(|input| Ok((input.name.clone(), Text::of(input)?)));
        Self::of(named.collect::<Result<_>>()?, shape, limit)
    }

    fn of(texts: Vec<(String, Text)>, shape: Shape, limit: usize) -> Result<Vec<Self>> {
        let mut sheet = Sheet::default();
        for (name, text) in &texts {
            if matches!(text.start().or_cannot("read", name)?, [0xff, 0xfe, _] | [0xfe, 0xff, _]) {
                return Err(Error::failed(format!(
                    "{name} is in UTF-16; convert it first: iconv -f UTF-16 -t UTF-8"
                )));
            }
            let mut pass = Pass::new(text.records(shape, limit), sheet);
            while pass.next().or_cannot("read", name)?.is_some() {}
            sheet = pass.sheet;
        }
        sheet.is_closed = true;
        let columns = sheet.names().to_vec();
        let table = |(name, text): (String, Text)| {
            let ledger = Arc::new(Mutex::new(Ledger::default()));
            let pass = Pass::new(text.records(shape, limit), sheet.clone());
            let rows = Rows { pass, ledger: Arc::clone(&ledger), text: Vec::new(), at: 0 };
            Self { name, columns: columns.clone(), rows, ledger }
        };
        Ok(texts.into_iter().map(table).collect())
    }
}

/// The rows of a table as CSV: commas, LF, no header and no comments.
///
/// An error says why, and not in which input.
pub struct Rows {
    pass: Pass,
    ledger: Arc<Mutex<Ledger>>,
    /// Rows that were made and, from `at` on, not yet handed out.
    text: Vec<u8>,
    at: usize,
}

/// So much is made at once, and what the last record takes.
const ENOUGH: usize = 64 * 1024;

impl Read for Rows {
    fn read(&mut self, to: &mut [u8]) -> io::Result<usize> {
        if self.at == self.text.len() {
            self.make()?;
        }
        let count = self.text.get(self.at..).unwrap_or_default().read(to)?;
        self.at += count;
        Ok(count)
    }
}

impl Rows {
    fn make(&mut self) -> io::Result<()> {
        self.at = 0;
        self.text.clear();
        while self.text.len() < ENOUGH {
            let Some(found) = self.pass.next()? else { break };
            let record = &self.pass.record;
            let mut ledger = self.ledger.lock().unwrap_or_else(PoisonError::into_inner);
            match found {
                Ok(()) => {
                    if self.pass.sheet.write(&mut self.text) {
                        ledger.row(record.line);
                    }
                }
                Err(reason) => ledger.bad(record, reason),
            }
        }
        Ok(())
    }
}

/// One reading of an input, record by record.
struct Pass {
    records: Records<Box<dyn BufRead + Send>>,
    record: Record,
    sheet: Sheet,
}

impl Pass {
    fn new(records: Records<Box<dyn BufRead + Send>>, sheet: Sheet) -> Self {
        Self { records, record: Record::default(), sheet }
    }

    /// Reads the next record into the sheet, or says why it is a bad one; `None` at the end.
    fn next(&mut self) -> io::Result<Option<std::result::Result<(), String>>> {
        let Self { records, record, sheet } = self;
        if !records.next(record)? {
            return Ok(None);
        }
        if record.is_long {
            return Ok(Some(Err("the record is longer than --max-record".into())));
        }
        match sheet.read(&record.bytes) {
            Ok(()) => Ok(Some(Ok(()))),
            Err(Fault::Record(reason)) => Ok(Some(Err(reason))),
            Err(Fault::Syntax { column, reason, .. }) if records.shape() == Shape::Lines => {
                Ok(Some(Err(format!("column {column}: {reason}"))))
            }
            Err(Fault::Syntax { line, column, reason }) => Err(record.error(line, column, &reason)),
            Err(Fault::NewKey) => Err(io::Error::other("it was changed while it was read")),
        }
    }
}

/// An input that can be read twice.
enum Text {
    /// A file, as long as it was when it was opened.
    File(Arc<File>, u64),
    Memory(Arc<[u8]>),
}

impl Text {
    fn of(input: Input) -> Result<Self> {
        let name = input.name.clone();
        if let Some(file) = input.seekable() {
            let size = file.metadata().or_cannot("read", &name)?.len();
            return Ok(Self::File(Arc::new(file.try_clone().or_cannot("open", &name)?), size));
        }
        let mut bytes = Vec::new();
        input.reader()?.read_to_end(&mut bytes).or_cannot("read", &name)?;
        Ok(Self::Memory(bytes.into()))
    }

    fn reader(&self) -> Box<dyn BufRead + Send> {
        match self {
            Self::File(file, size) => {
                let stretch = Stretch { file: Arc::clone(file), at: 0 }.take(*size);
                Box::new(BufReader::with_capacity(ENOUGH, stretch))
            }
            Self::Memory(bytes) => Box::new(Cursor::new(Arc::clone(bytes))),
        }
    }

    /// The first three bytes; zeros where there are fewer.
    fn start(&self) -> io::Result<[u8; 3]> {
        let mut start = Vec::with_capacity(3);
        self.reader().take(3).read_to_end(&mut start)?;
        start.resize(3, 0);
        Ok([0, 1, 2].map(|at| start.get(at).copied().unwrap_or_default()))
    }

    fn records(&self, shape: Shape, limit: usize) -> Records<Box<dyn BufRead + Send>> {
        Records::new(self.reader(), shape, limit)
    }
}

/// A file from some place on, whatever others do with its position.
struct Stretch {
    file: Arc<File>,
    at: u64,
}

impl Read for Stretch {
    fn read(&mut self, to: &mut [u8]) -> io::Result<usize> {
        let count = self.file.read_at(to, self.at)?;
        self.at += count as u64;
        Ok(count)
    }
}
