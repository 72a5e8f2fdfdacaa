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
use std::os::unix::fs::{FileExt as _, MetadataExt as _};
use std::path::{Path, PathBuf};
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
    /// is a bad record, and so is the last one where the input ends within it or its array.
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

/// The columns of several inputs, which are read one after the other: first all of them for their
/// keys, and then for their rows.
pub struct Keys {
    shape: Shape,
    limit: usize,
    sheet: Sheet,
}

/// An input whose keys were read.
pub struct Waiting {
    name: String,
    place: Place,
}

/// Where an input is until its turn comes: there may be more of them than files can be open.
enum Place {
    Memory(Text),
    File { path: PathBuf, size: u64, identity: (u64, u64) },
}

impl Keys {
    /// No columns yet; `limit` is the longest record in bytes.
    #[must_use]
    pub fn new(shape: Shape, limit: usize) -> Self {
        Self { shape, limit, sheet: Sheet::default() }
    }

    /// Reads the keys of an input that was opened as `path`.
    ///
    /// # Errors
    /// When it cannot be read, is in UTF-16, or is no JSON where [`Shape::Json`] is asked for.
    pub fn read(&mut self, input: Input, path: &Path) -> Result<Waiting> {
        let name = input.name.clone();
        let text = Text::of(input)?;
        self.learn(&name, &text)?;
        let place = match text {
            Text::File(file, size) => {
                let identity = identity(&file).or_cannot("read", &name)?;
                Place::File { path: path.into(), size, identity }
            }
            memory @ Text::Memory(_) => Place::Memory(memory),
        };
        Ok(Waiting { name, place })
    }

    fn learn(&mut self, name: &str, text: &Text) -> Result<()> {
        if matches!(text.start().or_cannot("read", name)?, [0xff, 0xfe, _] | [0xfe, 0xff, _]) {
            return Err(Error::failed(format!(
                "{name} is in UTF-16; convert it first: iconv -f UTF-16 -t UTF-8"
            )));
        }
        let mut pass = Pass::new(text.records(self.shape, self.limit), std::mem::take(&mut self.sheet));
        let read = loop {
            match pass.next() {
                Ok(Some(_)) => {}
                Ok(None) => break Ok(()),
                Err(cause) => break Err(cause),
            }
        };
        // Without this input, the columns of those before it remain.
        self.sheet = pass.sheet;
        read.or_cannot("read", name)
    }

    /// The table of an input, when the keys of all of them were read.
    ///
    /// # Errors
    /// When it cannot be opened again, or is another file by now.
    pub fn open(&self, waiting: Waiting) -> Result<Table> {
        let Waiting { name, place } = waiting;
        let text = match place {
            Place::Memory(text) => text,
            Place::File { path, size, identity: known } => {
                let file = File::open(path).or_cannot("open", &name)?;
                if identity(&file).or_cannot("read", &name)? != known {
                    return Err(Error::failed(format!("{name} was replaced while its columns were read")));
                }
                Text::File(Arc::new(file), size)
            }
        };
        let mut sheet = self.sheet.clone();
        sheet.is_closed = true;
        let columns = sheet.names().to_vec();
        let ledger = Arc::new(Mutex::new(Ledger::default()));
        let pass = Pass::new(text.records(self.shape, self.limit), sheet);
        let rows = Rows { pass, ledger: Arc::clone(&ledger), text: Vec::new(), at: 0 };
        Ok(Table { name, columns, rows, ledger })
    }
}

/// What tells a file from all others, as long as it is there: device and inode.
fn identity(file: &File) -> io::Result<(u64, u64)> {
    file.metadata().map(|about| (about.dev(), about.ino()))
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
        if let Some(fault) = record.fault.take() {
            return Ok(Some(Err(fault)));
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
