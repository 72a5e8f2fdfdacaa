//! Looking at a ledger, and changing it, beside its watcher or after his end.
//!
//! Nothing here holds the database for long: entries are read, retried and forgotten in pieces, so a
//! watcher goes on, and his WAL does not grow because somebody pages through a list.

use std::collections::BTreeMap;
use std::ops::Bound;
use std::path::Path;
use std::time::Duration;

use common::Result;
use files::{Lock, Wait};
use rusqlite::{CachedStatement, TransactionBehavior, params};

use super::frame::{code, state_of};
use super::journal::{self, Found, Pending};
use super::schema::{Use, cannot};
use super::store::{Store, entries, entry_of};
use super::{Entry, State};
use crate::identity::Key;

/// So many entries are read at once.
const PAGE: u16 = 500;

/// So many are changed in one transaction: about 20 ms of work and one fsync.
const PIECE: usize = 1000;

/// A watcher that waits for his turn looks every 1 to 100 ms.
const PAUSE: Duration = Duration::from_millis(10);

/// Who watches with the ledger at `path` now: a sentence that names the process where `/proc` tells
/// it. `None` when nobody does. Nothing is created.
///
/// # Errors
/// When the journal beside the ledger cannot be opened for reading.
pub(crate) fn holder(path: &Path) -> Result<Option<String>> {
    let journal = journal::beside(path);
    if journal::inode_of(&journal).is_none() {
        return Ok(None);
    }
    match Lock::acquire(&journal, Wait::Not) {
        Err(held) if held.status() == 75 => Ok(Some(held.to_string())),
        free => free.map(|_lock| None),
    }
}

impl Store {
    /// Opens a ledger that must exist, together with what its journal holds beyond the database: after
    /// a crash as well as beside a watcher, whose last moment is seen as of now. Changes nothing.
    ///
    /// # Errors
    /// Status 2 with a sentence that names the way out when it is missing, something else, damaged or
    /// of a newer version.
    pub(crate) fn open_existing(path: &Path) -> Result<Self> {
        let mut store = Self::open(path, Use::Change)?;
        store.pending = store.journalled()?;
        Ok(store)
    }

    /// What is in the journal only. It is read before the mark: what gets from the one to the other
    /// meanwhile is then seen in the database.
    fn journalled(&self) -> Result<Pending> {
        let found = Found::read(&journal::beside(&self.path))?;
        let mark = self.mark()?;
        Ok(found.pending(mark.id, mark.generation))
    }

    /// What is known of one file.
    ///
    /// # Errors
    /// When the ledger cannot be read.
    pub(crate) fn get(&self, key: &Key) -> Result<Option<Entry>> {
        match self.pending.entries.get(key) {
            Some(entry) => Ok(Some(entry.clone())),
            None => self.stored(key),
        }
    }

    /// Tells every entry, or those of one state, in the order of the keys, which for the versions of
    /// files is that of the inodes. Holds 500 of them in memory.
    ///
    /// # Errors
    /// When the ledger cannot be read; and the first error of `f`, which ends it.
    pub(crate) fn each(&self, state: Option<State>, f: &mut dyn FnMut(Entry) -> Result<()>) -> Result<()> {
        let mut after: Option<Key> = None;
        loop {
            let mut page = self.page(after, state)?;
            let last = if page.len() < usize::from(PAGE) { None } else { page.keys().next_back().copied() };
            let from = after.map_or(Bound::Unbounded, Bound::Excluded);
            let to = last.map_or(Bound::Unbounded, Bound::Included);
            let newer = self.pending.entries.range((from, to));
            page.extend(newer.map(|(key, entry)| (*key, entry.clone())));
            let meant = page.into_values().filter(|entry| state.is_none_or(|state| entry.state == state));
            meant.into_iter().try_for_each(&mut *f)?;
            if last.is_none() {
                return Ok(());
            }
            after = last;
        }
    }

    fn page(&self, after: Option<Key>, state: Option<State>) -> Result<BTreeMap<Key, Entry>> {
        let sql = entries!("WHERE key > ?1 AND (?2 IS NULL OR state = ?2) ORDER BY key LIMIT ?3");
        // A key is 16 bytes, and greater than none.
        let after = after.map_or(Vec::new(), |key| key.0.to_vec());
        let found = self.connection.prepare_cached(sql).and_then(|mut query| {
            let rows = query.query_map(params![after, state.map(code), i64::from(PAGE)], entry_of)?;
            rows.map(|row| row.map(|entry| (entry.key, entry))).collect()
        });
        self.or_cannot("read", found)
    }

    /// How many entries there are of each state; states without any are left out.
    ///
    /// # Errors
    /// When the ledger cannot be read.
    pub(crate) fn counts(&self) -> Result<BTreeMap<&'static str, u64>> {
        let read = self.connection.unchecked_transaction();
        let _one_moment = self.or_cannot("read", read)?;
        let sql = "SELECT state, count(*) FROM file GROUP BY state";
        let found: rusqlite::Result<Vec<(u8, i64)>> = self
            .connection
            .prepare(sql)
            .and_then(|mut query| query.query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?.collect());
        let mut counts: BTreeMap<&'static str, u64> = BTreeMap::new();
        for (number, count) in self.or_cannot("read", found)? {
            let word = state_of(number).map_or("unknown", State::word);
            counts.insert(word, count.cast_unsigned());
        }
        for entry in self.pending.entries.values() {
            if let Some(old) = self.stored(&entry.key)? {
                counts.entry(old.state.word()).and_modify(|count| *count = count.saturating_sub(1));
            }
            *counts.entry(entry.state.word()).or_default() += 1;
        }
        counts.retain(|_, count| *count > 0);
        Ok(counts)
    }

    /// Asks for these again: their state becomes [`State::Again`], without failures, due at once. What
    /// a command is being run for, or what is still to be moved, is left as it is. Returns how many
    /// were changed.
    ///
    /// # Errors
    /// When the ledger cannot be written; some may have been changed.
    pub(crate) fn retry(&mut self, keys: &[Key], now: i64) -> Result<u64> {
        let [again, started, passed, rejected] =
            [State::Again, State::Started, State::Passed, State::Rejected].map(code);
        let sql = format!(
            "UPDATE file SET state = {again}, failures = 0, due = 0, at = {now} WHERE key = ?1
             AND state NOT IN ({again}, {started}, {passed}, {rejected})"
        );
        self.change(&sql, keys)
    }

    /// Knows nothing more of these, whatever their state. Returns how many there were.
    ///
    /// # Errors
    /// When the ledger cannot be written; some may be gone.
    pub(crate) fn delete(&mut self, keys: &[Key]) -> Result<u64> {
        self.change("DELETE FROM file WHERE key = ?1", keys)
    }

    fn change(&mut self, sql: &str, keys: &[Key]) -> Result<u64> {
        self.absorb()?;
        let mut changed = 0;
        for (number, piece) in keys.chunks(PIECE).enumerate() {
            if number > 0 {
                std::thread::sleep(PAUSE);
            }
            let done = self.change_piece(sql, piece);
            changed += self.or_cannot("write", done)?;
        }
        Ok(changed)
    }

    fn change_piece(&mut self, sql: &str, keys: &[Key]) -> rusqlite::Result<u64> {
        let piece = self.connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
        let change = |statement: &mut CachedStatement<'_>, key: &Key| statement.execute([&key.0[..]]);
        let mut changed = 0;
        {
            let mut statement = piece.prepare_cached(sql)?;
            for key in keys {
                changed += change(&mut statement, key)? as u64;
            }
        }
        piece.commit()?;
        Ok(changed)
    }

    /// Brings what a dead watcher has left in the journal into the database, so that it can be changed
    /// there. A living one does that himself.
    fn absorb(&mut self) -> Result<()> {
        if self.pending.entries.is_empty() {
            return Ok(());
        }
        let _held = match Lock::acquire(&journal::beside(&self.path), Wait::Not) {
            Err(held) if held.status() == 75 => return Ok(()),
            free => free?,
        };
        let pending = self.journalled()?;
        if !pending.entries.is_empty() {
            let done = self.commit(pending.generation, &pending.entries);
            done.map_err(|cause| cannot("write", &self.path, cause))?;
        }
        self.pending = Pending::default();
        Ok(())
    }

    /// What is wrong with the database itself, a line for each thing; empty when nothing is.
    ///
    /// # Errors
    /// When it cannot even be read.
    pub(crate) fn integrity(&self) -> Result<Vec<String>> {
        let found: rusqlite::Result<Vec<String>> = self
            .connection
            .prepare("PRAGMA integrity_check")
            .and_then(|mut query| query.query_map([], |row| row.get(0))?.collect());
        let mut lines = self.or_cannot("read", found)?;
        lines.retain(|line| line != "ok");
        Ok(lines)
    }
}
