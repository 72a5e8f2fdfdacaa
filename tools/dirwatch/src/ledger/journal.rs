//! The journal: what is not in the store yet, safe from a kill.
//!
//! It lies beside the ledger as `STATE.run` and is written over and over, in two halves: while one
//! is brought into the store, the other is written. A half is used again only when the store has it.
//! The file is as long as it will be, and written with zeros, before anything relies on it: a full
//! disk cannot hit a write inside, and bringing one to the disk moves data alone.

use std::collections::BTreeMap;
use std::fs::{self, File, OpenOptions};
use std::os::unix::fs::{FileExt, MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use common::{Error, OrCannot, Result};
use files::{Lock, Wait};

use super::{Entry, frame};
use crate::identity::Key;

/// The last byte is the version of the format.
const MAGIC: &[u8; 8] = b"dirwrun1";

/// Magic, the ledger it belongs to (8 bytes), the length of a half (8), a CRC of these (4).
const HEADER: usize = 28;

/// The halves begin here: a page of the header's own.
const START: u64 = 4096;

/// The length of a half, about 6,000 records. It grows when a batch needs more.
pub(crate) const HALF: u64 = 1 << 20;

/// No half grows beyond this for what is in flight: all of it is read at the next start.
pub(crate) const LONGEST_HALF: u64 = 64 << 20;

/// Who asks whether a watcher runs holds the lock for a moment; that must not end a start.
const MOMENT: Wait = Wait::For(std::time::Duration::from_millis(100));

/// What the journal holds that the store has not got.
#[derive(Debug, Default)]
pub(crate) struct Pending {
    /// That of its newest record; what the store has got if there is none.
    pub(crate) generation: u64,
    /// The last word on each file.
    pub(crate) entries: BTreeMap<Key, Entry>,
}

/// The name of the journal of a ledger.
#[must_use]
pub(crate) fn beside(ledger: &Path) -> PathBuf {
    let mut name = ledger.as_os_str().to_owned();
    name.push(".run");
    name.into()
}

/// Locks the ledger by its journal, which is created if there is none.
///
/// # Errors
/// Status 75 with the holder when another watcher has it; status 2 when it cannot be created.
pub(crate) fn lock(path: &Path) -> Result<Lock> {
    let mut options = OpenOptions::new();
    options.write(true).create(true).truncate(false).mode(0o600);
    drop(options.open(path).or_cannot("create", path)?);
    Lock::acquire(path, MOMENT)
}

/// The journal of a ledger that is locked.
#[derive(Debug)]
pub(crate) struct Journal {
    file: File,
    path: PathBuf,
    ledger: u64,
    half: u64,
    /// Which half is written: 0 or 1.
    current: u64,
    used: u64,
    generation: u64,
    chain: u32,
}

impl Journal {
    /// Opens the journal that was [locked](lock), of the ledger with the number `ledger`, and tells what
    /// it holds beyond the generation `applied`. One that another ledger has left is emptied.
    ///
    /// # Errors
    /// When it cannot be read or written, is no journal, or the disk has no room for it.
    pub(crate) fn open(path: &Path, ledger: u64, applied: u64) -> Result<(Self, Pending)> {
        let file = OpenOptions::new().read(true).write(true).open(path).or_cannot("open", path)?;
        let found = Found::read(path)?;
        let mut pending = found.pending(ledger, applied);
        pending.generation = pending.generation.max(applied);
        let half = found.header.map_or(HALF, |header| header.half);
        let mut journal = Self {
            file,
            path: path.to_path_buf(),
            ledger,
            half,
            current: 0,
            used: 0,
            generation: pending.generation + 1,
            chain: 0,
        };
        if found.header.is_none_or(|header| header.ledger != ledger) {
            if found.header.is_some() {
                log::warn!("{} was left by another record; what it held is dropped", path.display());
            }
            journal.lay_out(0, half)?;
        } else {
            journal.lay_out(found.bytes.len() as u64, half)?;
        }
        Ok((journal, pending))
    }

    /// Makes the file as long as two halves of this length, zeros from `from` on, and then tells the
    /// length in the header. What was in the halves must be in the store, unless the length stays.
    fn lay_out(&mut self, from: u64, half: u64) -> Result<()> {
        let zeros = vec![0; 1 << 16];
        let (mut at, end) = (from, START + 2 * half);
        while at < end {
            let piece = (end - at).min(zeros.len() as u64);
            let piece = zeros.get(..usize::try_from(piece).unwrap_or(0)).unwrap_or(&zeros);
            self.file.write_all_at(piece, at).or_cannot("write", &self.path)?;
            at += piece.len() as u64;
        }
        self.file.sync_all().or_cannot("flush", &self.path)?;
        let header = Header { ledger: self.ledger, half }.bytes();
        self.file.write_all_at(&header, 0).or_cannot("write", &self.path)?;
        self.file.sync_data().or_cannot("flush", &self.path)?;
        self.half = half;
        Ok(())
    }

    /// Makes both halves long enough for `need` bytes. Both must be in the store.
    ///
    /// # Errors
    /// When the disk has no room; the halves are as long as before, and empty.
    pub(crate) fn grow(&mut self, need: u64) -> Result<()> {
        let half = need.next_power_of_two().max(self.half);
        // Before: zeros may lie where records were, and what follows zeros is not found.
        self.begin(self.current);
        // The whole file anew: the second half begins elsewhere, and must not begin with old records.
        self.lay_out(START, half)
    }

    /// Writes frames, which are sealed by this; with `flush` they are on the disk when it returns.
    ///
    /// # Errors
    /// Those of the system; the frames count as not written.
    pub(crate) fn append(&mut self, frames: &mut [u8], flush: bool) -> std::io::Result<()> {
        let chain = frame::seal(frames, self.generation, self.chain);
        self.file.write_all_at(frames, START + self.current * self.half + self.used)?;
        if flush {
            self.file.sync_data()?;
        }
        self.used += frames.len() as u64;
        self.chain = chain;
        Ok(())
    }

    /// Goes on in the other half, which must be in the store; returns the generation of this one.
    pub(crate) fn turn(&mut self) -> u64 {
        let full = self.generation;
        self.begin(self.current ^ 1);
        full
    }

    fn begin(&mut self, half: u64) {
        self.current = half;
        self.generation += 1;
        (self.used, self.chain) = (0, 0);
    }

    /// The length of a half, and how much of the current one is used.
    pub(crate) fn fill(&self) -> (u64, u64) {
        (self.half, self.used)
    }

    /// Where it is.
    pub(crate) fn path(&self) -> &Path {
        &self.path
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Header {
    ledger: u64,
    half: u64,
}

impl Header {
    fn bytes(self) -> [u8; HEADER] {
        let mut bytes = [0; HEADER];
        bytes[..8].copy_from_slice(MAGIC);
        bytes[8..16].copy_from_slice(&self.ledger.to_le_bytes());
        bytes[16..24].copy_from_slice(&self.half.to_le_bytes());
        let sum = crc32fast::hash(&bytes[..24]);
        bytes[24..].copy_from_slice(&sum.to_le_bytes());
        bytes
    }

    fn of(bytes: &[u8]) -> Option<Self> {
        let number = |at: usize| Some(u64::from_le_bytes(bytes.get(at..at + 8)?.try_into().ok()?));
        let header = Self { ledger: number(8)?, half: number(16)? };
        // A length that no file can have would be a header that was made up.
        (header.bytes() == *bytes.get(..HEADER)? && header.half <= 1 << 40).then_some(header)
    }
}

/// What was found under the name of a journal.
#[derive(Debug)]
pub(crate) struct Found {
    bytes: Vec<u8>,
    header: Option<Header>,
}

impl Found {
    /// Reads the journal; one that is missing or was never finished holds nothing. May be done while a
    /// watcher writes it: what he has half written is not whole yet.
    ///
    /// # Errors
    /// When it cannot be read, or is something else.
    pub(crate) fn read(path: &Path) -> Result<Self> {
        let bytes = match fs::read(path) {
            Err(missing) if missing.kind() == std::io::ErrorKind::NotFound => Vec::new(),
            read => read.or_cannot("read", path)?,
        };
        let header = Header::of(&bytes);
        let begun = bytes.get(..HEADER.min(bytes.len())).unwrap_or(&bytes);
        if header.is_none() && begun.iter().any(|&byte| byte != 0) {
            let path = path.display();
            let what = format!("{path} is no journal that this version can read; move it away");
            return Err(Error::failed(what));
        }
        Ok(Self { bytes, header })
    }

    /// What it holds of the ledger with this number beyond the generation `applied`.
    pub(crate) fn pending(&self, ledger: u64, applied: u64) -> Pending {
        let Some(header) = self.header.filter(|header| header.ledger == ledger) else {
            return Pending::default();
        };
        let half = |number: u64| {
            let start = usize::try_from(START + number * header.half).ok()?;
            let end = usize::try_from(START + (number + 1) * header.half).ok()?.min(self.bytes.len());
            frame::read(self.bytes.get(start..end)?)
        };
        let mut halves: Vec<_> = [half(0), half(1)].into_iter().flatten().collect();
        halves.sort_by_key(|(generation, _)| *generation);
        let mut pending = Pending::default();
        for (generation, entries) in halves {
            pending.generation = generation;
            if generation > applied {
                pending.entries.extend(entries.into_iter().map(|entry| (entry.key, entry)));
            }
        }
        pending
    }
}

/// The number of the file behind `path`, by which it is seen that it was replaced.
pub(crate) fn inode_of(path: &Path) -> Option<(u64, u64)> {
    fs::metadata(path).ok().map(|found| (found.dev(), found.ino()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ledger::State;
    use crate::ledger::tests::entry;

    fn append(journal: &mut Journal, numbers: std::ops::Range<u64>) {
        let mut frames = Vec::new();
        for number in numbers {
            frame::push(&mut frames, &entry(number, State::Done)).unwrap();
        }
        journal.append(&mut frames, false).unwrap();
    }

    fn open(path: &Path, applied: u64) -> (Journal, Vec<u64>) {
        drop(lock(path).unwrap());
        let (journal, pending) = Journal::open(path, 77, applied).unwrap();
        (journal, pending.entries.values().map(|entry| entry.size).collect())
    }

    #[test]
    fn both_halves_are_told_in_order_and_only_what_is_new() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("j.run");
        let (mut journal, none) = open(&path, 0);
        assert!(none.is_empty());
        append(&mut journal, 0..3);
        assert_eq!(journal.turn(), 1);
        append(&mut journal, 2..5);
        assert_eq!(journal.turn(), 2);
        append(&mut journal, 5..6);
        let check = |applied: u64, want: &[u64]| {
            let found = Found::read(&path).unwrap().pending(77, applied);
            let got: Vec<u64> = found.entries.values().map(|entry| entry.size).collect();
            assert_eq!((got.as_slice(), found.generation), (want, 3));
        };
        check(0, &[2, 3, 4, 5]);
        check(1, &[2, 3, 4, 5]);
        check(2, &[5]);
        check(3, &[]);
        let (journal, pending) = open(&path, 2);
        assert_eq!((journal.generation, pending), (4, vec![5]));
        assert_eq!(open(&path, 9).0.generation, 10);
    }

    #[test]
    fn a_longer_half_keeps_nothing_old() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("j.run");
        let mut journal = open(&path, 0).0;
        append(&mut journal, 0..3);
        journal.turn();
        append(&mut journal, 3..4);
        journal.grow(3 << 20).unwrap();
        assert_eq!(journal.fill(), (4 << 20, 0));
        append(&mut journal, 7..9);
        let length = fs::metadata(&path).unwrap().len();
        let (journal, pending) = open(&path, 2);
        assert_eq!((journal.fill().0, pending, length), (4 << 20, vec![7, 8], START + (8 << 20)));
    }

    #[test]
    fn what_is_no_journal_is_left_alone() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("j.run");
        let write = |bytes: &[u8]| {
            let file = OpenOptions::new().write(true).create(true).truncate(true).open(&path).unwrap();
            file.write_all_at(bytes, 0).unwrap();
        };
        write(b"#!/bin/sh\n");
        let said = Journal::open(&path, 77, 0).unwrap_err().to_string();
        assert!(said.ends_with("is no journal that this version can read; move it away"), "{said}");
        assert_eq!(fs::read(&path).unwrap(), b"#!/bin/sh\n");
        write(b"");
        append(&mut open(&path, 0).0, 0..2);
        let whole = fs::read(&path).unwrap();
        write(&whole[..usize::try_from(START).unwrap() + 60]);
        assert!(open(&path, 0).1.len() < 2, "cut in the first records");
        assert_eq!(fs::metadata(&path).unwrap().len(), START + 2 * HALF);
        assert_eq!(Journal::open(&path, 78, 0).unwrap().1.entries.len(), 0, "of another ledger");
        assert!(open(&path, 0).1.is_empty(), "and it was emptied");
    }

    #[test]
    fn what_cannot_grow_loses_nothing_that_is_written_then() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("j.run");
        let mut journal = open(&path, 0).0;
        append(&mut journal, 0..3);
        let whole = std::mem::replace(&mut journal.file, File::open(&path).unwrap());
        assert!(journal.grow(3 << 20).is_err());
        journal.file = whole;
        // As far as a full disk lets it come.
        let zeros = vec![0; usize::try_from(2 * HALF).unwrap()];
        journal.file.write_all_at(&zeros, START).unwrap();
        append(&mut journal, 3..5);
        assert_eq!((journal.half, open(&path, 1).1), (HALF, vec![3, 4]));
    }
}
