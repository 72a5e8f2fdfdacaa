//! Reading the log, and finding what was changed in it.

use std::fs;
use std::io::ErrorKind;
use std::path::Path;

use common::{OrCannot, Result};

use super::{Record, Tail, digest};

/// A line of the log as it is found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Line {
    /// Its bytes, without the newline.
    pub(crate) bytes: Vec<u8>,
    /// What it says, when it is a line of this log.
    pub(crate) record: Option<Record>,
}

/// What a look at the whole log came to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Checked {
    /// How many lines there are.
    pub(crate) lines: u64,
    /// The first that is not what was written.
    pub(crate) fault: Option<Fault>,
}

/// A line that is not what was written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Fault {
    /// Its number, from 1.
    pub(crate) line: u64,
    /// What is wrong with it, to be read after the number.
    pub(crate) what: String,
}

/// The lines of the log at `path`, and those of `tail` that are not in it yet; none when there is no log.
///
/// # Errors
/// When it cannot be read.
pub(crate) fn read(path: &Path, tail: Option<&Tail>) -> Result<Vec<Line>> {
    let bytes = bytes_of(path)?;
    let (mut lines, _) = split(&bytes);
    if let Some(tail) = tail {
        let settled = usize::try_from(tail.settled().lines).unwrap_or_default();
        let there = lines.len().saturating_sub(settled);
        lines.extend(tail.pending.iter().skip(there).map(String::as_bytes));
    }
    Ok(lines.into_iter().map(Line::of).collect())
}

/// Looks at every line of the log at `path`. Without `tail`, which the journal has, a change of the last
/// line, and lines missing behind it, cannot be seen.
///
/// A run that is at work meanwhile may have written more than `tail` says, which then looks like a fault:
/// read the journal again, and when it has changed, check again.
///
/// # Errors
/// When it cannot be read.
pub(crate) fn check(path: &Path, tail: Option<&Tail>) -> Result<Checked> {
    let bytes = bytes_of(path)?;
    let (lines, rest) = split(&bytes);
    let count = lines.len() as u64;
    let fault = match tail {
        None => fault_in(&lines, None).or_else(|| torn(count, rest)),
        Some(tail) => fault_by(tail, &lines, &bytes),
    };
    Ok(Checked { lines: count, fault })
}

impl Line {
    fn of(bytes: &[u8]) -> Self {
        Self { bytes: bytes.to_vec(), record: serde_json::from_slice(bytes).ok() }
    }
}

fn bytes_of(path: &Path) -> Result<Vec<u8>> {
    match fs::read(path) {
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(Vec::new()),
        read => read.or_cannot("read", path),
    }
}

/// The whole lines, and what stands behind the last of them.
fn split(bytes: &[u8]) -> (Vec<&[u8]>, &[u8]) {
    let mut lines: Vec<_> = bytes.split(|&byte| byte == b'\n').collect();
    let rest = lines.pop().unwrap_or_default();
    (lines, rest)
}

fn torn(count: u64, rest: &[u8]) -> Option<Fault> {
    (!rest.is_empty()).then(|| Fault { line: count + 1, what: "has no end".into() })
}

/// The first fault of a log that is to end as `tail` says.
fn fault_by(tail: &Tail, lines: &[&[u8]], bytes: &[u8]) -> Option<Fault> {
    let settled = tail.settled();
    let due = usize::try_from(settled.lines).unwrap_or(usize::MAX);
    if lines.len() < due {
        let missing = Fault {
            line: lines.len() as u64 + 1,
            what: format!("is missing, or has no end: there are to be {} lines", settled.lines),
        };
        return fault_in(lines, None).or(Some(missing));
    }
    let (known, behind) = lines.split_at(due);
    if let Some(fault) = fault_in(known, Some(&settled.hash)) {
        return Some(fault);
    }
    let length: usize = known.iter().map(|line| line.len() + 1).sum();
    let rest = bytes.get(length..).unwrap_or_default();
    if tail.pending_bytes().starts_with(rest) {
        return None;
    }
    let what = if behind.is_empty() { "has no end" } else { "was added: the journal does not know it" };
    Some(Fault { line: settled.lines + 1, what: what.into() })
}

/// The first line that is none of this log, has the wrong number, or does not fit its neighbours; `end` is
/// the hash that the last one is to have.
fn fault_in(lines: &[&[u8]], end: Option<&str>) -> Option<Fault> {
    let mut records = Vec::new();
    let mut misfit = None;
    for (line, number) in lines.iter().zip(1..) {
        match serde_json::from_slice::<Record>(line) {
            Ok(record) if record.n == number => records.push(record),
            Ok(record) => {
                let what = format!("has the number {}: lines were removed, inserted or moved", record.n);
                misfit = Some(Fault { line: number, what });
                break;
            }
            Err(_) => {
                misfit = Some(Fault { line: number, what: "is no line of an audit log".into() });
                break;
            }
        }
    }
    let end = end.filter(|_| misfit.is_none());
    broken_link(&lines[..records.len()], &records, end).or(misfit)
}

/// The line to blame for the first hash that is wrong. Whoever changes the hash in a line changes the line
/// too, and then two hashes are wrong.
fn broken_link(lines: &[&[u8]], records: &[Record], end: Option<&str>) -> Option<Fault> {
    let mut hash = String::new();
    let mut is_good = Vec::new();
    for (line, record) in lines.iter().zip(records) {
        is_good.push(record.previous == hash);
        hash = digest(line);
    }
    is_good.extend(end.map(|end| end == hash));
    // The place in the list is the number of the line before the hash: 0 is before the first one.
    let first = is_good.iter().position(|good| !good)?;
    let is_the_hash_wrong = first == 0 || is_good.get(first + 1) == Some(&false);
    let line = if is_the_hash_wrong { first + 1 } else { first };
    Some(Fault { line: line as u64, what: "was changed: its hash is another".into() })
}
