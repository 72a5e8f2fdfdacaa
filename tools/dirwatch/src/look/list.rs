//! The entries, one per line, in the order of their paths.
//!
//! They are sorted by `SQLite`, into a temporary table on the disk with a few megabytes of memory, and
//! printed from there: a watcher goes on meanwhile, however long somebody pages. The order of the keys
//! would need no sorting, but it is that of inode numbers.

use std::path::PathBuf;

use common::{Error, Out, Outcome, Result};
use rusqlite::ErrorCode;

use super::show;
use crate::identity::Key;
use crate::ledger::schema::cannot;
use crate::ledger::store::{Store, entry_of};
use crate::ledger::{Entry, State, frame};

/// Prints the entries of one state, or of all; [`Outcome::No`] when there are none.
///
/// # Errors
/// When the ledger cannot be read, or nothing can be printed.
pub(super) fn list(store: &Store, state: Option<State>, json: bool, out: &mut Out) -> Result<Outcome> {
    let mut count = 0_u64;
    each_by_path(store, state, &mut |entry| {
        count += 1;
        if json {
            return show::print_json(entry, out);
        }
        if count == 1 {
            writeln!(out, "{}", show::HEADER)?;
        }
        writeln!(out, "{}", show::line(entry))
    })?;
    Ok(if count == 0 { Outcome::No } else { Outcome::Done })
}

/// Tells the entries of one state, or all, in the order of the paths, and of one path the older first.
fn each_by_path(store: &Store, state: Option<State>, f: &mut dyn FnMut(&Entry) -> Result<()>) -> Result<()> {
    let which = state.map_or(String::new(), |state| format!("WHERE state = {}", frame::code(state)));
    let sql = format!(
        "DROP TABLE IF EXISTS temp.sorted;
         CREATE TEMP TABLE sorted AS SELECT * FROM file {which} ORDER BY path, at, key"
    );
    store.connection.execute_batch(&sql).map_err(|cause| match cause.sqlite_error_code() {
        Some(ErrorCode::DiskFull) => {
            Error::failed("no room for temporary files to sort the entries; name another folder with TMPDIR")
        }
        _ => cannot("read", &store.path, cause),
    })?;
    // What only the journal knows is newer than what the table has of it.
    let newer = &store.pending.entries;
    let meant = newer.values().filter(|entry| state.is_none_or(|state| entry.state == state));
    let mut newest: Vec<&Entry> = meant.collect();
    newest.sort_by_key(|entry| place(entry));
    let mut newest = newest.into_iter().peekable();
    let query = store.connection.prepare("SELECT * FROM temp.sorted ORDER BY rowid");
    let mut query = store.or_cannot("read", query)?;
    let mut rows = store.or_cannot("read", query.query_map([], entry_of))?;
    while let Some(entry) = store.or_cannot("read", rows.next().transpose())? {
        if newer.contains_key(&entry.key) {
            continue;
        }
        while let Some(before) = newest.next_if(|newest| place(newest) < place(&entry)) {
            f(before)?;
        }
        f(&entry)?;
    }
    newest.try_for_each(f)
}

fn place(entry: &Entry) -> (&PathBuf, i64, Key) {
    (&entry.path, entry.at, entry.key)
}
