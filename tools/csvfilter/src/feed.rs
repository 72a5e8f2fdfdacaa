//! The inputs, one after the other, as blocks of rows.

use std::collections::BTreeMap;
use std::io;
use std::path::PathBuf;
use std::sync::Arc;

use common::input::Input;
use common::{Error, Result};

use crate::cut::Cutter;
use crate::from::{Keys, Waiting};
use crate::gate::Gate;
use crate::open::{Reading, Table};
use crate::read::{End, HEAD, Piece};
use crate::simd::Cpu;
use crate::work::Task;

/// Where blocks come from: the inputs in their order, as one stream.
pub(crate) struct Feed {
    paths: Vec<PathBuf>,
    /// The number of the input that is being read.
    current: usize,
    /// `None` before the first table was found, and behind the last one.
    table: Option<Table>,
    reading: Reading,
    /// The columns of inputs that are JSON.
    keys: Option<Keys>,
    /// Inputs that are JSON and whose rows were not yet read, by their number.
    waiting: BTreeMap<usize, Waiting>,
    /// What all inputs must have.
    shape: Option<Shape>,
    /// How many inputs before the first table could not be read.
    failed: usize,
    /// What went wrong since the last piece.
    troubles: Troubles,
    /// Nothing more is to be read.
    is_over: bool,
    /// Where pipes are waited for, so that this can be ended.
    gate: Option<Arc<Gate>>,
    /// Rows come out anew, so that the inputs need not be written alike.
    is_any_dialect: bool,
}

/// What went wrong with inputs. Threads read ahead, so it is told when the turn of the rows before it
/// has come.
#[derive(Debug, Default)]
pub(crate) struct Troubles {
    /// Why inputs cannot be read, or not to their end.
    pub(crate) missing: Vec<Error>,
    /// Why nothing more is to be read.
    pub(crate) failure: Option<Error>,
}

impl Troubles {
    pub(crate) fn is_empty(&self) -> bool {
        self.missing.is_empty() && self.failure.is_none()
    }
}

/// What inputs have in common.
struct Shape {
    name: String,
    delimiter: u8,
    names: Vec<Vec<u8>>,
}

impl Feed {
    /// Opens the first input that has a header.
    pub(crate) fn open(paths: Vec<PathBuf>, reading: Reading) -> Result<Self> {
        let keys = reading.json.map(|shape| Keys::new(shape, reading.limit));
        let mut feed = Self {
            paths,
            current: 0,
            table: None,
            reading,
            keys,
            waiting: BTreeMap::new(),
            shape: None,
            failed: 0,
            troubles: Troubles::default(),
            is_over: false,
            gate: None,
            is_any_dialect: false,
        };
        feed.read_keys()?;
        while feed.table.is_none() && feed.current < feed.paths.len() {
            match feed.open_current() {
                Ok(table) => feed.table = table,
                Err(error) => {
                    feed.failed += 1;
                    miss(error, feed.failed, feed.paths.len())?;
                }
            }
            feed.current += usize::from(feed.table.is_none());
        }
        feed.shape = feed.table.as_ref().map(|table| Shape {
            name: table.name.clone(),
            delimiter: table.dialect.delimiter,
            names: table.names.clone(),
        });
        Ok(feed)
    }

    /// Reads the keys of all inputs that are JSON: their columns are told by all of them together.
    fn read_keys(&mut self) -> Result<()> {
        let Some(keys) = &mut self.keys else { return Ok(()) };
        for (number, path) in self.paths.iter().enumerate() {
            match Input::open(path).and_then(|input| keys.read(input, path)) {
                Ok(waiting) => {
                    self.waiting.insert(number, waiting);
                }
                Err(error) => {
                    self.failed += 1;
                    miss(error, self.failed, self.paths.len())?;
                }
            }
        }
        Ok(())
    }

    /// The table of the current input; `None`: it is empty, or it was told why it cannot be read.
    fn open_current(&mut self) -> Result<Option<Table>> {
        let Some(keys) = &self.keys else { return Table::open(&self.paths[self.current], &self.reading) };
        let waiting = self.waiting.remove(&self.current);
        waiting.map(|waiting| keys.open(waiting).map(Table::of_json)).transpose()
    }

    /// Compares the headers of all inputs that can be opened twice, before anything is written.
    ///
    /// # Errors
    /// When one differs from that of the first input.
    pub(crate) fn look_ahead(&self) -> Result<()> {
        // Of standard input, what is read now is gone, also where a file has its name.
        let is_file = |path: &&PathBuf| path.as_os_str() != "-" && path.is_file();
        let others = self.paths.get(self.current + 1..).unwrap_or_default();
        for path in others.iter().filter(is_file).filter(|_| self.reading.json.is_none()) {
            // What cannot be opened is told when its turn comes.
            if let Ok(Some(table)) = Table::open(path, &self.reading) {
                self.fits(&table)?;
            }
        }
        Ok(())
    }

    /// The first table; `None`: all inputs are empty.
    pub(crate) fn table(&self) -> Option<&Table> {
        self.table.as_ref()
    }

    /// How many inputs there are, and how many of them could not be read before there was a table.
    pub(crate) fn inputs(&self) -> (usize, usize) {
        (self.paths.len(), self.failed)
    }

    /// What messages call the inputs.
    pub(crate) fn names(&self) -> Vec<String> {
        let name = |path: &PathBuf| {
            let is_stdin = path.as_os_str() == "-";
            if is_stdin { "standard input".into() } else { path.display().to_string() }
        };
        self.paths.iter().map(name).collect()
    }

    /// How many bytes there are to read, where that is known.
    pub(crate) fn size(&self) -> Option<u64> {
        let first = self.table.as_ref()?.size?;
        let others = self.paths.get(self.current + 1..).unwrap_or_default();
        others.iter().try_fold(first, |sum, path| Some(sum + std::fs::metadata(path).ok()?.len()))
    }

    /// Whether rows are to be passed on as they come: an input is a pipe or a terminal, or will be.
    pub(crate) fn is_live(&self) -> bool {
        let is_pipe = |path: &PathBuf| path.as_os_str() == "-" || path.exists() && !path.is_file();
        let others = self.paths.get(self.current + 1..).unwrap_or_default();
        self.table.as_ref().is_some_and(|table| table.is_live) || others.iter().any(is_pipe)
    }

    /// What makes rows of what is read.
    pub(crate) fn cutter(&self) -> Cutter {
        Cutter::new(self.reading.cpu, self.reading.limit)
    }

    /// The instructions that are used.
    pub(crate) fn cpu(&self) -> Cpu {
        self.reading.cpu
    }

    /// Lets the inputs have different delimiters.
    pub(crate) fn allow_any_dialect(&mut self) {
        self.is_any_dialect = true;
    }

    /// Waits for pipes only until `gate` is opened.
    pub(crate) fn wait_at(&mut self, gate: Arc<Gate>) {
        self.gate = Some(gate);
    }

    /// Reads on into `task`; `false` at the end, or when something failed.
    pub(crate) fn read(&mut self, task: &mut Task) -> bool {
        if self.is_over {
            return false;
        }
        if self.table.is_none() {
            // Not as soon as the one before has ended: its last rows do not wait for a pipe.
            self.turn_over();
        }
        if !self.troubles.is_empty() {
            self.tell(task);
            return true;
        }
        let Some(table) = &mut self.table else { return false };
        if !table.reader.is_wanted(self.gate.as_deref()) {
            return false;
        }
        task.input = self.current;
        task.opening = table.opening.take();
        task.ledger.clone_from(&table.ledger);
        let (piece, read) = table.reader.read(&mut task.block);
        task.piece = piece;
        task.fault = read.err().map(|cause| self.fault(task.input, cause));
        if task.piece.end != End::No {
            self.table = None;
        }
        true
    }

    /// Passes on what went wrong between two tables, with no rows.
    fn tell(&mut self, task: &mut Task) {
        task.block.grow(HEAD);
        (task.input, task.piece) = (self.current, Piece::empty(End::No));
        (task.opening, task.ledger, task.fault) = (None, None, None);
        task.troubles = std::mem::take(&mut self.troubles);
        self.is_over = task.troubles.failure.is_some();
    }

    /// An input cannot be read to its end.
    pub(crate) fn fault(&self, input: usize, cause: io::Error) -> Error {
        let name = self.names().swap_remove(input);
        Error::failed(format!("cannot read {name}")).because(cause)
    }

    /// Opens the next input that has a row.
    fn turn_over(&mut self) {
        while self.table.is_none() && self.troubles.failure.is_none() && self.current + 1 < self.paths.len() {
            self.current += 1;
            match self.open_current() {
                Err(error) => self.troubles.missing.push(error),
                Ok(Some(table)) => match self.fits(&table) {
                    Ok(()) => self.table = Some(table),
                    Err(error) => self.troubles.failure = Some(error),
                },
                Ok(None) => {}
            }
        }
    }

    /// Refuses a table that does not continue the first one.
    fn fits(&self, table: &Table) -> Result<()> {
        let Some(shape) = &self.shape else { return Ok(()) };
        let (one, other) = (&shape.name, &table.name);
        if shape.names.len() != table.names.len() {
            let (wanted, found) = (shape.names.len(), table.names.len());
            let s = if found == 1 { "" } else { "s" };
            return Err(Error::failed(format!("{other} has {found} column{s} and {one} has {wanted}"))
                .showing(difference(&shape.names, &table.names)));
        }
        if shape.names != table.names {
            return Err(Error::failed(format!("{other} has another header than {one}"))
                .showing(difference(&shape.names, &table.names)));
        }
        if shape.delimiter != table.dialect.delimiter && !self.is_any_dialect {
            let (wanted, found) = (char::from(shape.delimiter), char::from(table.dialect.delimiter));
            return Err(Error::failed(format!(
                "{other} is delimited by {found:?} and {one} by {wanted:?}; --normalize writes both alike"
            )));
        }
        Ok(())
    }
}

/// Goes on without an input, unless there is no other; with this one, so many of all are missing.
///
/// # Errors
/// When nothing is left.
pub(crate) fn miss(error: Error, missing: usize, all: usize) -> Result<()> {
    if all == 1 {
        return Err(error);
    }
    log::error!("{error}");
    if missing == all { Err(Error::failed("no input could be read")) } else { Ok(()) }
}

/// The columns in which two headers differ, a line each.
fn difference(one: &[Vec<u8>], other: &[Vec<u8>]) -> Vec<String> {
    const MOST: usize = 10;
    let named = |names: &[Vec<u8>], column: usize| match names.get(column) {
        Some(name) => format!("`{}`", String::from_utf8_lossy(name)),
        None => "no column".into(),
    };
    let differs = |column: &usize| one.get(*column) != other.get(*column);
    let columns: Vec<usize> = (0..one.len().max(other.len())).filter(differs).collect();
    let line = |&column: &usize| {
        format!("${}: {} instead of {}", column + 1, named(other, column), named(one, column))
    };
    let mut lines: Vec<String> = columns.iter().take(MOST).map(line).collect();
    if columns.len() > MOST {
        lines.push(format!("and {} more", columns.len() - MOST));
    }
    lines
}
