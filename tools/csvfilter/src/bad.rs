//! What is said of bad rows, and where they go.

use std::io::Write as _;
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use common::log::escape;
use common::{Error, OrCannot, Result};
use files::Replacement;
use memchr::memchr_iter;

use crate::block::Block;
use crate::columns::Columns;
use crate::from;
use crate::judge::{Bad, Fault};
use crate::work::Task;

/// What becomes of bad rows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum OnBad {
    /// They are left out.
    Skip,
    /// They come out as they are.
    Keep,
    /// The first one ends the run.
    Fail,
}

/// So many bad rows end the run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Most {
    /// More than this.
    Rows(u64),
    /// More than so many in a million rows.
    PerMillion(u64),
}

/// A share is not judged by fewer rows than this, except at the end.
const ENOUGH: u64 = 1000;

/// How many bad rows are told one by one.
const TOLD: u64 = 10;

/// Longer values are shown up to here.
const SHOWN: usize = 40;

/// Tells of bad rows, collects and counts them.
pub(crate) struct Bads {
    on_bad: OnBad,
    most: Option<Most>,
    reject: Option<Reject>,
    /// What inputs are called.
    inputs: Vec<String>,
    /// What columns are called in messages.
    columns: Arc<[String]>,
    count: u64,
    /// How many of them became no row, and so cannot be kept.
    lost: u64,
    /// A row that is too long cannot be kept either.
    pub(crate) loses_long: bool,
    /// By kind, in the order of [`KINDS`].
    counts: [u64; KINDS.len()],
    /// How many rows there were up to the one that was one too many.
    ended: Option<u64>,
}

/// What the last line counts.
const KINDS: [&str; 7] = [
    "with a wrong number of fields",
    "with what is no number",
    "with what is no time",
    "with bytes that are no UTF-8",
    "with a quote that never closes",
    "longer than --max-record",
    "that are no JSON object",
];

/// Of [`KINDS`], the last.
const RECORD: usize = KINDS.len() - 1;

struct Reject {
    path: PathBuf,
    file: Replacement,
    is_empty: bool,
    header: Vec<u8>,
}

impl Bads {
    pub(crate) fn new(on_bad: OnBad, most: Option<Most>, inputs: Vec<String>, columns: &Columns) -> Self {
        let called = |column: usize| match columns.name(column) {
            Some(name) => format!("`{}`", String::from_utf8_lossy(name)),
            None => format!("${}", column + 1),
        };
        let columns = (0..columns.count()).map(called).collect();
        let (reject, counts) = (None, [0; KINDS.len()]);
        Self {
            on_bad,
            most,
            reject,
            inputs,
            columns,
            count: 0,
            lost: 0,
            loses_long: true,
            counts,
            ended: None,
        }
    }

    /// Collects bad rows in `path`, under `header`.
    ///
    /// # Errors
    /// When no file can be created there.
    pub(crate) fn reject_to(&mut self, path: &Path, header: &[u8]) -> Result<()> {
        let (file, header) = (Replacement::begin(path)?, header.to_vec());
        self.reject = Some(Reject { path: path.into(), file, is_empty: true, header });
        Ok(())
    }

    /// Whether what is left out is kept in a file.
    pub(crate) fn collects(&self) -> bool {
        self.reject.is_some()
    }

    /// How many were left out.
    pub(crate) fn skipped(&self) -> u64 {
        if self.on_bad == OnBad::Keep { self.lost } else { self.count }
    }

    /// Takes the bad rows of a block, before which there were so many `rows`. Where they are too
    /// many, the number of the row that was one too many comes with the error.
    pub(crate) fn take(&mut self, task: &Task, rows: u64) -> std::result::Result<(), (u32, Error)> {
        let Task { block, verdict, input, notes, .. } = task;
        let input = self.inputs.get(*input).cloned().unwrap_or_default();
        let records = notes.as_ref().map_or(&[][..], |notes| &notes.bad);
        let (mut line, mut at, mut record) = (block.first_line, block.begin(), 0);
        // How many there were of all kinds, up to a record and with it.
        let up_to = |at: usize, record: &from::Bad| rows + verdict.rows_before(record.before) + at as u64 + 1;
        for &bad in &verdict.bad {
            let before = records.partition_point(|record| record.before <= u64::from(bad.row));
            self.records((record..before, records), &input, up_to)?;
            record = before;
            let (start, _) = block.bounds(bad.row as usize);
            line += memchr_iter(b'\n', block.bytes.get(at..start).unwrap_or_default()).count() as u64;
            at = start;
            let line = notes.as_ref().map_or(line, |notes| notes.line(u64::from(bad.row)));
            let with_row = |error| (bad.row, error);
            self.one(bad, block, &format!("{input}:{line}")).map_err(with_row)?;
            if bad.fault != (Fault::TooLong { is_first: false }) {
                self.bounds(rows + record as u64 + verdict.rows_up_to(bad.row)).map_err(with_row)?;
            }
        }
        self.records((record..records.len(), records), &input, up_to)
    }

    /// Takes some of what was no JSON object; `up_to` counts the rows up to one, with it.
    fn records(
        &mut self,
        (some, records): (Range<usize>, &[from::Bad]),
        input: &str,
        up_to: impl Fn(usize, &from::Bad) -> u64,
    ) -> std::result::Result<(), (u32, Error)> {
        for (at, record) in some.clone().zip(&records[some]) {
            let with_row = |error| (u32::try_from(record.before).unwrap_or(u32::MAX), error);
            self.lost += 1;
            let text = [&record.bytes[..], b"\n"].concat();
            let place = format!("{input}:{}: {}", record.line, record.reason);
            self.note(RECORD, || place, &text).map_err(with_row)?;
            self.bounds(up_to(at, record)).map_err(with_row)?;
        }
        Ok(())
    }

    fn one(&mut self, bad: Bad, block: &Block, place: &str) -> Result<()> {
        let row = block.row(bad.row as usize);
        let kind = match bad.fault {
            Fault::TooLong { is_first: false } => return self.reject(None, row),
            Fault::Fields(_) => 0,
            Fault::NoNumber { .. } => 1,
            Fault::NoTime { .. } => 2,
            Fault::NoText => 3,
            Fault::OpenQuote { .. } => 4,
            Fault::TooLong { .. } => 5,
        };
        let is_lost = self.loses_long && matches!(bad.fault, Fault::TooLong { .. });
        self.lost += u64::from(is_lost);
        let columns = Arc::clone(&self.columns);
        let reason = reason(bad, block, &columns);
        // A part of a row that is too long is followed by the next one.
        if row.ends_with(b"\n") || matches!(bad.fault, Fault::TooLong { .. }) {
            return self.note(kind, || format!("{place}: {}", reason()), row);
        }
        self.note(kind, || format!("{place}: {}", reason()), &[row, b"\n"].concat())
    }

    /// Counts, tells and rejects a bad row.
    fn note(&mut self, kind: usize, reason: impl FnOnce() -> String, row: &[u8]) -> Result<()> {
        self.count += 1;
        self.counts[kind] += 1;
        if self.reject.is_none() && self.count > TOLD {
            return Ok(());
        }
        let reason = reason();
        self.reject(Some(&reason), row)?;
        if self.on_bad == OnBad::Fail {
            return Err(Error::failed(reason));
        }
        if self.count <= TOLD {
            log::warn!("{reason}");
        }
        Ok(())
    }

    /// Ends the run when this row was one too many.
    fn bounds(&mut self, rows: u64) -> Result<()> {
        let found = match self.most {
            Some(Most::Rows(most)) if self.count > most => Err(self.too_many(rows)),
            Some(Most::PerMillion(_)) if rows >= ENOUGH => self.share(rows),
            _ => Ok(()),
        };
        self.ended = found.is_err().then_some(rows);
        found
    }

    fn share(&self, rows: u64) -> Result<()> {
        let Some(Most::PerMillion(most)) = self.most else { return Ok(()) };
        let is_more = u128::from(self.count) * 1_000_000 > u128::from(most) * u128::from(rows);
        if is_more { Err(self.too_many(rows)) } else { Ok(()) }
    }

    fn too_many(&self, rows: u64) -> Error {
        let (count, s) = (self.count, if self.count == 1 { "" } else { "s" });
        Error::failed(format!("{count} bad row{s} among {rows}, which is more than --max-bad allows"))
    }

    fn reject(&mut self, reason: Option<&str>, row: &[u8]) -> Result<()> {
        let Some(reject) = &mut self.reject else { return Ok(()) };
        let mut text = Vec::with_capacity(row.len() + 100);
        if std::mem::take(&mut reject.is_empty) {
            text.extend_from_slice(&reject.header);
        }
        if let Some(reason) = reason {
            text.extend_from_slice(format!("# {}\n", escape(reason)).as_bytes());
        }
        text.extend_from_slice(row);
        let written = reject.file.write_all(&text).or_cannot("write", &reject.path);
        if written.is_err() {
            // What is missing in it must not take the place of what is there.
            self.reject = None;
        }
        written
    }

    /// Says how many there were among so many `rows`, and puts what was rejected in its file, unless a
    /// `failure` that has nothing to do with bad rows has ended the run: that file stays as it was.
    ///
    /// # Errors
    /// When that file cannot be written, or the share of bad rows is too large.
    pub(crate) fn finish(&mut self, rows: u64, failure: Option<&Error>) -> Result<()> {
        let has_ended_it = self.ended.is_some() || self.on_bad == OnBad::Fail && self.count > 0;
        let is_whole = has_ended_it || failure.is_none_or(Error::is_silent);
        let rows = self.ended.unwrap_or(rows);
        if let Some(reject) = self.reject.take().filter(|_| is_whole) {
            reject.file.commit()?;
        }
        if self.count > 0 && self.on_bad != OnBad::Fail {
            let kinds = self.counts.iter().zip(KINDS).filter(|(count, _)| **count > 0);
            let kinds: Vec<String> = kinds.map(|(count, kind)| format!("{count} {kind}")).collect();
            let (count, s) = (self.count, if self.count == 1 { "" } else { "s" });
            let verb = match count - self.skipped() {
                0 => format!("skipped {count}"),
                kept if kept == count => format!("kept {count}"),
                kept => format!("kept {kept} and skipped {}", count - kept),
            };
            log::warn!("{verb} bad row{s} of {rows}: {}", kinds.join(", "));
        }
        self.share(rows)
    }
}

/// What is wrong with a row, as a clause.
fn reason<'r>(bad: Bad, block: &'r Block, columns: &'r [String]) -> impl FnOnce() -> String + 'r {
    let row = bad.row as usize;
    // An open quote may stand behind the last column.
    let column =
        move |column: usize| columns.get(column).cloned().unwrap_or_else(|| format!("${}", column + 1));
    let value =
        move |column: usize| shown(&block.dialect.value(block.fields(row).nth(column).unwrap_or_default()));
    move || match bad.fault {
        Fault::Fields(found) => {
            let wanted = columns.len();
            format!("{found} field{} instead of {wanted}", if found == 1 { "" } else { "s" })
        }
        Fault::NoNumber { column: at } => format!("column {}: `{}` is no number", column(at), value(at)),
        Fault::NoTime { column: at } => format!("column {}: `{}` is no time", column(at), value(at)),
        Fault::NoText => {
            let at = block.fields(row).position(|field| std::str::from_utf8(field).is_err());
            let at = at.unwrap_or_default();
            format!("column {}: `{}` is no UTF-8", column(at), value(at))
        }
        Fault::OpenQuote { line } => {
            let at = block.fields(row).count().saturating_sub(1);
            format!("column {}: the quote on line {line} never closes", column(at))
        }
        Fault::TooLong { .. } => "the row is longer than --max-record".into(),
    }
}

/// The beginning of a value, for a message.
pub(crate) fn shown(value: &[u8]) -> String {
    let start = value.get(..SHOWN).unwrap_or(value);
    let more = if start.len() < value.len() { "..." } else { "" };
    let text = std::str::from_utf8(start).or_else(|error| match error.error_len() {
        // Cut within a character.
        None => std::str::from_utf8(start.get(..error.valid_up_to()).unwrap_or_default()),
        Some(_) => Err(error),
    });
    text.map_or_else(|_| format!("{}{more}", start.escape_ascii()), |text| format!("{text}{more}"))
}

/// Refuses to put a result in the place of its input when some of that would then be nowhere.
///
/// # Errors
/// When rows are left out and nowhere else, or inputs could not be read to their end.
pub(crate) fn keep_what_is_lost(path: &Path, rows: u64, inputs: usize) -> Result<()> {
    let path = path.display();
    let (what, way_out) = match (rows, inputs) {
        (0, 0) => return Ok(()),
        (0, _) => ("not all inputs could be read to their end".into(), "name another --output"),
        (1, _) => ("a bad row of the inputs would be lost".into(), "--reject FILE or --bad keep saves it"),
        _ => {
            (format!("{rows} bad rows of the inputs would be lost"), "--reject FILE or --bad keep saves them")
        }
    };
    Err(Error::failed(format!("cannot replace the input {path}: {what}; {way_out}")))
}
