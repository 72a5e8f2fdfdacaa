//! Whether a file is known, for who asks for a million of them one after the other.
//!
//! One query costs as much for one key as for the next ones too. Who reads a folder asks in the order
//! of the keys, so the keys that follow are read along, the more the better that went; who asks in no
//! order gets one at a time. No query stays open: an open one keeps the WAL from being emptied.

use std::path::Path;
use std::time::{Duration, Instant};

use common::Result;

use super::frame;
use super::schema::Use;
use super::store::{Store, key_of};
use super::{State, View};
use crate::identity::Key;

/// At most so many keys are read along: 16 KiB.
const MOST: usize = 1024;

/// What was read longer ago is read again.
const OLD: Duration = Duration::from_millis(200);

/// A connection of its own, and the keys that were read along.
#[derive(Debug)]
pub(crate) struct Keys {
    store: Store,
    window: Window,
    read: Instant,
}

impl Keys {
    /// Opens the ledger.
    pub(crate) fn open(path: &Path) -> Result<Self> {
        let store = Store::open(path, Use::Read)?;
        Ok(Self { store, window: Window::default(), read: Instant::now() })
    }

    fn load(&mut self, key: &Key) -> Result<()> {
        let most = i64::try_from(self.window.begin(*key)).unwrap_or(1);
        let keys = &mut self.window.keys;
        // What had vanished and is back is to be looked at.
        let sql = "SELECT key FROM file WHERE key >= ?1 AND state <> ?3 ORDER BY key LIMIT ?2";
        let read = self.store.connection.prepare_cached(sql).and_then(|mut query| {
            let mut rows = query.query(rusqlite::params![&key.0[..], most, frame::code(State::Gone)])?;
            while let Some(row) = rows.next()? {
                keys.push(key_of(row, 0)?);
            }
            Ok(())
        });
        if read.is_err() {
            self.window = Window::default();
        }
        self.read = Instant::now();
        self.store.or_cannot("read", read)
    }
}

impl View for Keys {
    fn is_known(&mut self, key: &Key) -> Result<bool> {
        if self.read.elapsed() < OLD
            && let Some(known) = self.window.look(key)
        {
            return Ok(known);
        }
        self.load(key)?;
        // What was just read begins with it, if there is such a key at all.
        Ok(self.window.look(key).unwrap_or(false))
    }
}

/// All known keys from one on, up to some number of them.
#[derive(Debug, Default)]
struct Window {
    from: Option<Key>,
    keys: Vec<Key>,
    /// How many were asked for; fewer were found at the end of the table.
    most: usize,
    /// Where the last one was found, and how many were looked at.
    at: usize,
    asked: usize,
}

impl Window {
    /// Whether the key is known; `None` when it lies outside.
    fn look(&mut self, key: &Key) -> Option<bool> {
        if self.from.is_none_or(|from| *key < from) {
            return None;
        }
        let last = self.keys.last();
        if self.keys.len() == self.most && last.is_none_or(|last| key > last) {
            return None;
        }
        self.asked += 1;
        // Mostly the next one; the search is for all others.
        let next = self.keys.get(self.at);
        if next.is_some_and(|next| next == key) {
            self.at += 1;
            return Some(true);
        }
        let found = self.keys.binary_search(key);
        self.at = found.map_or_else(|place| place, |place| place + 1);
        Some(found.is_ok())
    }

    /// Begins anew at `from`; returns how many keys are to be read.
    fn begin(&mut self, from: Key) -> usize {
        let was_used = self.asked * 2 >= self.most;
        let most = if was_used { self.most * 2 } else { self.most / 2 };
        let follows = self.keys.last().is_some_and(|last| from > *last);
        self.most = if follows { most.clamp(1, MOST) } else { (self.most / 2).max(1) };
        self.keys.clear();
        (self.from, self.at, self.asked) = (Some(from), 0, 0);
        self.most
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(number: u64) -> Key {
        let mut key = [0; 16];
        key[..8].copy_from_slice(&number.to_be_bytes());
        Key(key)
    }

    /// What a table with the even numbers below 20,000 tells, and how many queries that took.
    fn ask(numbers: impl Iterator<Item = u64>) -> usize {
        let (mut window, mut queries) = (Window::default(), 0);
        for number in numbers {
            let known = window.look(&key(number)).unwrap_or_else(|| {
                queries += 1;
                let most = window.begin(key(number));
                window.keys.extend((number.next_multiple_of(2)..20_000).step_by(2).take(most).map(key));
                window.look(&key(number)).unwrap_or(false)
            });
            assert_eq!(known, number % 2 == 0 && number < 20_000, "{number}");
        }
        queries
    }

    #[test]
    fn keys_in_order_take_few_queries() {
        assert!(ask((0..20_000).step_by(2)) < 30);
        assert!(ask(0..20_000) < 30, "unknown ones in between");
        assert!(ask(20_000..30_000) < 30, "behind the last");
        let mut random = fastrand::Rng::with_seed(1);
        let _any = ask((0..2000).rev().chain(std::iter::repeat_with(|| random.u64(0..21_000)).take(5000)));
    }
}
