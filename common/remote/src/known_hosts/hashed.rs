//! Lines whose host is a hash, `|1|salt|hash`: HMAC-SHA1 of the name with the salt as its key.
//!
//! Whether a line means a name is only known by trying. To try every line for every host is the
//! product of both: for ten thousand of each some ten seconds. So the key is looked for first, which
//! names the line; a line that was found to be a host's is tried for no other one; and trying begins
//! where the last host was found, since files and inventories tend to have the same order.

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
    /// Where the last name was found.
    last: AtomicUsize,
    found: Mutex<BTreeMap<String, Found>>,
}

#[derive(Debug, Clone, Default)]
struct Found {
    lines: Vec<usize>,
    /// Whether all entries were tried.
    is_all: bool,
}

impl Hashed {
    pub(super) fn add(&mut self, hash: Hash, line: usize, key: &[u8]) {
        self.entries.push(Entry { hash, line, tail: tail(key), name: OnceLock::new() });
    }

    pub(super) fn sort(&mut self) {
        self.by_tail = (0..self.entries.len()).collect();
        self.by_tail.sort_by_key(|&entry| self.entries[entry].tail);
    }

    /// The lines of `name` that stand together where it is found first. All of them, where each host
    /// has its lines together; others, if any, are found by [`Self::of_key`] and [`Self::all`].
    pub(super) fn some(&self, name: &str) -> Vec<usize> {
        self.search(name, false)
    }

    /// All lines of `name`.
    pub(super) fn all(&self, name: &str) -> Vec<usize> {
        self.search(name, true)
    }

    /// A line of `name` whose key ends as `key` does, and maybe more of them.
    pub(super) fn of_key(&self, name: &str, key: &str) -> Vec<usize> {
        if self.entries.is_empty() {
            return Vec::new();
        }
        let mut lines = self.remembered(name).unwrap_or_default().lines;
        let tail = tail(key.as_bytes());
        let begin = self.by_tail.partition_point(|&entry| self.entries[entry].tail < tail);
        let equal = self.by_tail[begin..].iter().take_while(|&&entry| self.entries[entry].tail == tail);
        // Hosts that were made from one image have one key: those are not tried all.
        if !lines.iter().any(|&line| equal.clone().any(|&entry| self.entries[entry].line == line)) {
            lines.extend(
                equal.filter(|&&entry| self.is_of(entry, name)).map(|&entry| self.entries[entry].line),
            );
        }
        lines
    }

    fn search(&self, name: &str, is_all: bool) -> Vec<usize> {
        if self.entries.is_empty() {
            return Vec::new();
        }
        let before = self.remembered(name).unwrap_or_default();
        if before.is_all || (!is_all && !before.lines.is_empty()) {
            return before.lines;
        }
        let count = self.entries.len();
        let begin = self.last.load(Ordering::Relaxed);
        let mut lines = Vec::new();
        let mut tried = 0;
        while tried < count {
            let entry = (begin + tried) % count;
            tried += 1;
            if self.is_of(entry, name) {
                lines.push(self.entries[entry].line);
                self.last.store(entry + 1, Ordering::Relaxed);
            } else if !is_all && !lines.is_empty() {
                break;
            }
        }
        let found = Found { lines: lines.clone(), is_all: tried == count };
        self.lock().insert(name.to_owned(), found);
        lines
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
