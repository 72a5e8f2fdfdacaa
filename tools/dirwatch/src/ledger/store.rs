//! The store: a database of `SQLite`.
//!
//! What it has got of the journal is told by a generation, stored together with it: what was stored
//! once is never stored again, or it would undo what others have changed since.

use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

use common::Result;
use rusqlite::types::Type;
use rusqlite::{Connection, OptionalExtension, Row, TransactionBehavior, params};

use super::Entry;
use super::frame::{code, cut, state_of};
use super::journal::Pending;
use super::schema::{self, Use, cannot};
use crate::identity::Key;

/// A query for whole entries, which [`entry_of`] reads.
macro_rules! entries {
    ($which:literal) => {
        concat!(
            "SELECT key, path, size, modified, state, attempt, failures, at, due, took, note FROM file ",
            $which
        )
    };
}
pub(crate) use entries;

/// An open ledger: its database, and for who looks at it also what is in the journal only.
#[derive(Debug)]
pub(crate) struct Store {
    pub(crate) connection: Connection,
    pub(crate) path: PathBuf,
    /// Empty for the watcher, who knows better.
    pub(crate) pending: Pending,
}

/// Which ledger it is, and what of its journal it has got.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Mark {
    pub(crate) id: u64,
    pub(crate) generation: u64,
}

impl Store {
    /// Opens the database alone.
    ///
    /// # Errors
    /// Those of [`schema::open`].
    pub(crate) fn open(path: &Path, wanted: Use) -> Result<Self> {
        let connection = schema::open(path, wanted)?;
        Ok(Self { connection, path: path.to_path_buf(), pending: Pending::default() })
    }

    /// Gives an error of `SQLite` its sentence.
    pub(crate) fn or_cannot<T>(&self, verb: &str, result: rusqlite::Result<T>) -> Result<T> {
        result.map_err(|cause| cannot(verb, &self.path, cause))
    }

    /// Which ledger it is.
    pub(crate) fn mark(&self) -> Result<Mark> {
        let row = self.connection.query_row("SELECT id, generation FROM meta", [], |row| {
            let number = |at| row.get::<_, i64>(at).map(i64::cast_unsigned);
            Ok(Mark { id: number(0)?, generation: number(1)? })
        });
        self.or_cannot("read", row)
    }

    /// What the database holds of a file.
    pub(crate) fn stored(&self, key: &Key) -> Result<Option<Entry>> {
        let found = self
            .connection
            .prepare_cached(entries!("WHERE key = ?1"))
            .and_then(|mut query| query.query_row([&key.0[..]], entry_of).optional());
        self.or_cannot("read", found)
    }

    /// The open entries that the database holds, in no order.
    pub(crate) fn open_entries(&self) -> Result<Vec<Entry>> {
        // The number is the condition of the index, which SQLite takes only for the same words.
        let found = self
            .connection
            .prepare_cached(entries!("WHERE state < 16"))
            .and_then(|mut query| query.query_map([], entry_of)?.collect());
        self.or_cannot("read", found)
    }

    /// Stores entries, which the journal has had up to `generation`: all in one transaction.
    pub(crate) fn commit(&mut self, generation: u64, entries: &BTreeMap<Key, Entry>) -> rusqlite::Result<()> {
        let piece = self.connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
        {
            let mut insert =
                piece.prepare_cached("REPLACE INTO file VALUES (?1,?2,?3,?4,?5,?6,?7,?8,?9,?10,?11)")?;
            for entry in entries.values() {
                insert.execute(params![
                    &entry.key.0[..],
                    entry.path.as_os_str().as_bytes(),
                    entry.size.cast_signed(),
                    entry.modified,
                    code(entry.state),
                    entry.attempt,
                    entry.failures,
                    entry.at,
                    entry.due,
                    entry.took.cast_signed(),
                    cut(&entry.note),
                ])?;
            }
            let mut mark = piece.prepare_cached("UPDATE meta SET generation = ?1")?;
            mark.execute([generation.cast_signed()])?;
        }
        piece.commit()
    }

    /// Whether the backlog of a folder was dealt with, and since when it is watched; `None` when it
    /// never was.
    pub(crate) fn root(&self, root: &Path) -> Result<Option<(bool, i64)>> {
        let sql = "SELECT backlog, since FROM root WHERE path = ?1";
        let found = self
            .connection
            .query_row(sql, [root.as_os_str().as_bytes()], |row| Ok((row.get(0)?, row.get(1)?)));
        self.or_cannot("read", found.optional())
    }

    /// Records that a folder is watched since `since` unless it was before, and with `seen` that its
    /// backlog was dealt with.
    pub(crate) fn watch(&mut self, root: &Path, since: i64, seen: bool) -> rusqlite::Result<()> {
        let sql = "INSERT INTO root VALUES (?1, ?2, ?3)
                   ON CONFLICT DO UPDATE SET backlog = max(backlog, excluded.backlog)";
        self.connection.execute(sql, params![root.as_os_str().as_bytes(), since, seen]).map(drop)
    }

    /// The folders that were ever watched with this ledger, by name.
    ///
    /// # Errors
    /// When the ledger cannot be read.
    pub(crate) fn roots(&self) -> Result<Vec<PathBuf>> {
        let found = self
            .connection
            .prepare("SELECT path FROM root ORDER BY path")
            .and_then(|mut query| query.query_map([], |row| path_of(row, 0))?.collect());
        self.or_cannot("read", found)
    }

    /// A number that differs from the one before when another process has changed something.
    pub(crate) fn version(&self) -> rusqlite::Result<i64> {
        let mut query = self.connection.prepare_cached("PRAGMA data_version")?;
        query.query_row([], |row| row.get(0))
    }

    /// Brings all of the WAL into the database, and empties it.
    pub(crate) fn checkpoint(&self) -> rusqlite::Result<()> {
        self.connection.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(()))
    }
}

/// The entry in a row of [`entries`].
pub(crate) fn entry_of(row: &Row<'_>) -> rusqlite::Result<Entry> {
    let state: u8 = row.get(4)?;
    let unknown = || rusqlite::Error::IntegralValueOutOfRange(4, i64::from(state));
    Ok(Entry {
        key: key_of(row, 0)?,
        path: path_of(row, 1)?,
        size: row.get::<_, i64>(2)?.cast_unsigned(),
        modified: row.get(3)?,
        state: state_of(state).ok_or_else(unknown)?,
        attempt: row.get(5)?,
        failures: row.get(6)?,
        at: row.get(7)?,
        due: row.get(8)?,
        took: row.get::<_, i64>(9)?.cast_unsigned(),
        note: row.get(10)?,
    })
}

/// The key in a column.
pub(crate) fn key_of(row: &Row<'_>, column: usize) -> rusqlite::Result<Key> {
    let bytes = row.get_ref(column)?.as_blob()?;
    let wrong = || rusqlite::Error::InvalidColumnType(column, "key".into(), Type::Blob);
    bytes.try_into().map(Key).map_err(|_length| wrong())
}

fn path_of(row: &Row<'_>, column: usize) -> rusqlite::Result<PathBuf> {
    Ok(Path::new(OsStr::from_bytes(row.get_ref(column)?.as_blob()?)).to_path_buf())
}
