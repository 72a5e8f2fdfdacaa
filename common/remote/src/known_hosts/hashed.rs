//! Lines whose host is a hash, `|1|salt|hash`: HMAC-SHA1 of the name with the salt as its key.
//!
//! Whether a line means a name is only known by trying. To try every line for every host is the
//! product of both: for ten thousand of each some ten seconds. So a host that shows its key is looked
//! for among the lines with that key. Before that only the type to ask for is needed, which is known
//! where all lines have one type; else the lines of one type are tried after those of the other, from
//! where the last host was found, since files and inventories tend to have the same order. A line
//! that was found to be a host's is tried for no other one.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, MutexGuard, OnceLock, PoisonError};

use base64ct::{Base64, Encoding};
use hmac::{Hmac, KeyInit, Mac};
use sha1::Sha1;

/// A hash, ready to be compared with that of a name.
#[derive(Debug, Clone)]
pub(super) struct Hash {
    /// With the salt taken in: half of the work.
    state: Hmac<Sha1>,
    hash: [u8; 20],
}

impl Hash {
    /// `None` when it is no hash that is known.
    pub(super) fn parse(names: &[u8]) -> Option<Self> {
        let text = std::str::from_utf8(names.strip_prefix(b"|1|")?).ok()?;
        let (salt, hash) = text.split_once('|')?;
        let salt = Base64::decode_vec(salt).ok()?;
        let hash = Base64::decode_vec(hash).ok()?.try_into().ok()?;
        Some(Self { state: Hmac::new_from_slice(&salt).ok()?, hash })
    }

    pub(super) fn is_of(&self, name: &str) -> bool {
        let mut state = self.state.clone();
        state.update(name.as_bytes());
        state.finalize().into_bytes()[..] == self.hash
    }
}

#[derive(Debug)]
struct Entry {
    hash: Hash,
    /// The number of its line in the index.
    line: usize,
    /// The end of its key, by which it is looked for.
    tail: u64,
    /// The name that it was found to be of.
    name: OnceLock<Box<str>>,
}

/// The hashed lines that know hosts.
#[derive(Debug, Default)]
pub(super) struct Hashed {
    entries: Vec<Entry>,
    /// Numbers of entries, sorted by the end of their keys.
    by_tail: Vec<usize>,
    /// Where among those with the same key the last name was found.
    last: AtomicUsize,
    /// By the type of their keys, the preferred one first.
    types: Vec<OfType>,
    found: Mutex<BTreeMap<String, Found>>,
}

#[derive(Debug)]
struct OfType {
    rank: usize,
    entries: Vec<usize>,
    /// Where the last name was found.
    last: AtomicUsize,
}

#[derive(Debug, Clone, Default)]
struct Found {
    lines: Vec<usize>,
    /// Whether all entries were tried.
    is_all: bool,
}

impl Hashed {
    /// `rank` says how much the type of the key is preferred; less is more.
    pub(super) fn add(&mut self, hash: Hash, line: usize, (rank, key): (usize, &[u8])) {
        let entry = self.entries.len();
        self.entries.push(Entry { hash, line, tail: tail(key), name: OnceLock::new() });
        match self.types.iter_mut().find(|of| of.rank == rank) {
            Some(of) => of.entries.push(entry),
            None => self.types.push(OfType { rank, entries: vec![entry], last: AtomicUsize::new(0) }),
        }
    }

    pub(super) fn sort(&mut self) {
        self.types.sort_by_key(|of| of.rank);
        self.by_tail = (0..self.entries.len()).collect();
        self.by_tail.sort_by_key(|&entry| self.entries[entry].tail);
    }

    /// A line with the type of key that is to be asked for at `name`: of those that are known for it
    /// the preferred one. Where all lines have one type it may be any line.
    pub(super) fn of_preferred_type(&self, name: &str) -> Option<usize> {
        if let [only] = self.types.as_slice() {
            return only.entries.first().map(|&entry| self.entries[entry].line);
        }
        if let Some(found) = self.remembered(name) {
            return found.lines.first().copied();
        }
        let line = self.types.iter().find_map(|of| self.search(of, name));
        let found = Found { lines: line.into_iter().collect(), is_all: line.is_none() };
        self.lock().insert(name.to_owned(), found);
        line
    }

    /// All lines of `name`, those of the preferred type first.
    pub(super) fn all(&self, name: &str) -> Vec<usize> {
        if let Some(found) = self.remembered(name).filter(|found| found.is_all) {
            return found.lines;
        }
        let entries = self.types.iter().flat_map(|of| &of.entries);
        let found = entries.filter(|&&entry| self.is_of(entry, name));
        let lines: Vec<usize> = found.map(|&entry| self.entries[entry].line).collect();
        self.lock().insert(name.to_owned(), Found { lines: lines.clone(), is_all: true });
        lines
    }

    /// A line of `name` whose key ends as `key` does.
    pub(super) fn of_key(&self, name: &str, key: &str) -> Option<usize> {
        let tail = tail(key.as_bytes());
        let begin = self.by_tail.partition_point(|&entry| self.entries[entry].tail < tail);
        let equal = &self.by_tail[begin..];
        let equal = &equal[..equal.partition_point(|&entry| self.entries[entry].tail == tail)];
        if let Some(found) = self.remembered(name)
            && let Some(&entry) = equal.iter().find(|&&entry| found.lines.contains(&self.entries[entry].line))
        {
            return Some(self.entries[entry].line);
        }
        // Hosts that were made from one image have one key.
        let last = self.last.load(Ordering::Relaxed).min(equal.len());
        let mut places = (last..equal.len()).chain(0..last);
        let at = places.find(|&at| self.is_of(equal[at], name))?;
        self.last.store(at + 1, Ordering::Relaxed);
        Some(self.entries[equal[at]].line)
    }

    fn search(&self, of: &OfType, name: &str) -> Option<usize> {
        let count = of.entries.len();
        let begin = of.last.load(Ordering::Relaxed);
        let mut places = (begin..begin + count).map(|at| at % count);
        let at = places.find(|&at| self.is_of(of.entries[at], name))?;
        of.last.store(at + 1, Ordering::Relaxed);
        Some(self.entries[of.entries[at]].line)
    }

    fn is_of(&self, entry: usize, name: &str) -> bool {
        let entry = &self.entries[entry];
        if let Some(found) = entry.name.get() {
            return **found == *name;
        }
        let is_of = entry.hash.is_of(name);
        if is_of {
            entry.name.get_or_init(|| name.into());
        }
        is_of
    }

    fn remembered(&self, name: &str) -> Option<Found> {
        self.lock().get(name).cloned()
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<String, Found>> {
        self.found.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The last eight characters of a key in base64, without its padding: chance enough to tell it from
/// others.
fn tail(key: &[u8]) -> u64 {
    let digits = key.iter().rev().filter(|byte| **byte != b'=').take(8);
    digits.fold(0, |tail, &byte| tail << 8 | u64::from(byte))
}
