//! What was counted before, and how far.
//!
//! The file holds, for each log, the totals of all runs and the *segments* that were read: the log
//! itself and the files that it was rotated into. It is replaced as a whole, under a lock held for
//! the whole run, after the output was written: a run that is killed before that has counted
//! nothing, and the next one prints the same records again.

mod family;
mod listing;
mod matching;
mod reading;
mod round;
mod segment;

use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::io::Write;
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::path::{Path, PathBuf};

use common::{Error, Result};
use files::{Lock, Wait};
use serde::de::IgnoredAny;
use serde::{Deserialize, Serialize, Serializer};

use crate::plan::{By, Plan, Remember};
use crate::print::{Group, Key};
use crate::tally::{Cell, Cells, Levels, Tally};
pub(crate) use round::{Round, round};
use segment::Segment;

/// The format of the file; another number is not read.
const VERSION: u32 = 1;

/// What is known of all logs, by absolute path.
#[derive(Debug, Clone, Default)]
pub(crate) struct Memory {
    pub(crate) logs: BTreeMap<PathBuf, Log>,
}

/// What is known of one log.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct Log {
    /// What all runs counted.
    pub(crate) totals: Levels,
    /// The files that it was found in, in no order.
    segments: Vec<Segment>,
}

/// A memory in a file, locked as long as this lives.
#[derive(Debug)]
pub(crate) struct Store {
    pub(crate) memory: Memory,
    lock: Lock,
}

impl Store {
    /// Locks the file, which need not exist, and reads it.
    ///
    /// # Errors
    /// Status 75 when another run holds the lock for longer than the caller's patience; status 2
    /// when the file cannot be read or is not ours.
    pub(crate) fn open(remember: &Remember) -> Result<Self> {
        let lock = Lock::acquire(&remember.file, Wait::For(remember.patience))?;
        // An empty file, as mktemp leaves it, is a new one.
        let bytes = lock.read()?.filter(|bytes| !bytes.is_empty());
        let memory =
            bytes.map_or(Ok(Memory::default()), |bytes| Memory::from_json(&bytes, &remember.file))?;
        Ok(Self { memory, lock })
    }

    /// Counts what is new in `paths`. Logs that were never seen are noted in the file first.
    ///
    /// # Errors
    /// When the file cannot be replaced; nothing was counted then.
    pub(crate) fn round<T: Tally>(&mut self, paths: &[PathBuf], plan: &Plan) -> Result<Round<T>> {
        if round::enrol(&mut self.memory, paths) {
            self.commit()?;
        }
        Ok(round(&mut self.memory, paths, plan))
    }

    /// Puts the memory in the place of the file.
    ///
    /// # Errors
    /// When that fails; the file is then unchanged.
    pub(crate) fn commit(&mut self) -> Result<()> {
        let memory = &self.memory;
        self.lock.replace_with(|new| memory.write(new))
    }
}

/// What a file of any version has, and what is in no other.
#[derive(Deserialize)]
struct Header {
    version: u32,
    #[serde(rename = "logs")]
    _logs: IgnoredAny,
}

#[derive(Deserialize)]
struct File {
    logs: Vec<Entry>,
}

#[derive(Deserialize)]
struct Entry {
    path: Name,
    /// Records and lines by level.
    totals: BTreeMap<String, (u64, u64)>,
    segments: Vec<Segment>,
}

/// A path: text where it is text, else its bytes.
#[derive(Serialize, Deserialize)]
#[serde(untagged)]
enum Name {
    Text(String),
    Bytes(Vec<u8>),
}

impl From<&Path> for Name {
    fn from(path: &Path) -> Self {
        match path.to_str() {
            Some(text) => Self::Text(text.into()),
            None => Self::Bytes(path.as_os_str().as_bytes().to_vec()),
        }
    }
}

impl From<Name> for PathBuf {
    fn from(name: Name) -> Self {
        match name {
            Name::Text(text) => text.into(),
            Name::Bytes(bytes) => std::ffi::OsString::from_vec(bytes).into(),
        }
    }
}

impl Memory {
    /// The totals as they are printed: of each log by file, else of all together.
    pub(crate) fn groups(&self, by: By) -> Vec<Group> {
        if by == By::File {
            let group = |(path, log): (&PathBuf, &Log)| Group {
                key: Key::File(path.as_path().into()),
                cells: Cells::Levels(log.totals.clone()),
            };
            return self.logs.iter().map(group).collect();
        }
        let mut sum = Levels::default();
        for log in self.logs.values() {
            sum.add_all(&log.totals);
        }
        vec![Group { key: Key::All, cells: Cells::Levels(sum) }]
    }

    fn from_json(bytes: &[u8], path: &Path) -> Result<Self> {
        let shown = path.display();
        // It may be a log that was named by mistake: nobody is told to remove that.
        let foreign = |_reason| {
            Error::failed(format!("{shown} is no state of logcount; name another file with --state"))
        };
        let Header { version, .. } = serde_json::from_slice(bytes).map_err(foreign)?;
        if version != VERSION {
            return Err(Error::failed(format!(
                "{shown} is a state of another logcount, of version {version} and not {VERSION}; \
                 remove it to count from the start"
            )));
        }
        let file: File = serde_json::from_slice(bytes).map_err(foreign)?;
        let log = |entry: Entry| {
            let mut totals = Levels::default();
            for (name, (records, lines)) in entry.totals {
                totals.add(&name, Cell { records, lines });
            }
            (entry.path.into(), Log { totals, segments: entry.segments })
        };
        Ok(Self { logs: file.logs.into_iter().map(log).collect() })
    }

    fn write(&self, writer: impl Write) -> Result<()> {
        let file = Written { version: VERSION, logs: &self.logs };
        serde_json::to_writer(writer, &file)
            .map_err(|error| Error::failed("cannot write the state").because(error))
    }
}

/// What [`File`] is read from, written without a copy of it.
#[derive(Serialize)]
struct Written<'a> {
    version: u32,
    #[serde(serialize_with = "in_turn")]
    logs: &'a BTreeMap<PathBuf, Log>,
}

#[derive(Serialize)]
struct WrittenEntry<'a> {
    path: Name,
    totals: BTreeMap<&'static str, (u64, u64)>,
    segments: &'a [Segment],
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde passes it so")]
fn in_turn<S: Serializer>(
    logs: &&BTreeMap<PathBuf, Log>,
    serializer: S,
) -> std::result::Result<S::Ok, S::Error> {
    serializer.collect_seq(logs.iter().map(|(path, log)| {
        let counted = log.totals.rows().filter(|(_, cell)| *cell != Cell::default());
        WrittenEntry {
            path: path.as_path().into(),
            totals: counted.map(|(name, cell)| (name, (cell.records, cell.lines))).collect(),
            segments: &log.segments,
        }
    }))
}

/// The name of a file in its folder.
fn name_of(path: &Path) -> &OsStr {
    path.file_name().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_read_back() {
        let mut memory = Memory::default();
        for path in [OsStr::new("/var/log/app.log"), OsStr::from_bytes(b"/var/log/\xff")] {
            let mut log = Log::default();
            log.totals.add("ERROR", Cell { records: 3, lines: 8 });
            let mut segment = Segment::default();
            (segment.offset, segment.live) = (7, true);
            log.segments.push(segment);
            memory.logs.insert(path.into(), log);
        }
        let mut bytes = Vec::new();
        memory.write(&mut bytes).unwrap();
        assert_eq!(Memory::from_json(&bytes, Path::new("s")).unwrap().logs, memory.logs);
    }

    #[test]
    fn a_foreign_file_is_refused() {
        let check = |bytes: &str, want: &str| {
            let error = Memory::from_json(bytes.as_bytes(), Path::new("s")).unwrap_err().to_string();
            assert_eq!(error, want, "{bytes}");
        };
        let none = "s is no state of logcount; name another file with --state";
        check("{}", none);
        check("2026-03-14 09:26:50 INFO one\n", none);
        check("{\"version\":2,\"name\":\"app\"}", none);
        check("{\"version\":1,\"logs\":[", none);
        check("{\"version\":1,\"logs\":[7]}", none);
        let other =
            "s is a state of another logcount, of version 2 and not 1; remove it to count from the start";
        check("{\"version\":2,\"logs\":[]}", other);
    }
}
