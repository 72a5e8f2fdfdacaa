//! The database: what is in it, how it is opened, and what is said when it cannot be used.

use std::fs::{self, DirBuilder, OpenOptions};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::Path;
use std::time::Duration;

use common::{Error, OrCannot, Result};
use files::folder_of;
use rusqlite::config::DbConfig;
use rusqlite::{Connection, ErrorCode, OpenFlags};

use super::frame::FIRST_CLOSED;

/// `dirw`: tells file(1) and us whose database it is.
const APPLICATION: i32 = 0x6469_7277;

/// The version of the tables.
const VERSION: i32 = 1;

/// So long another process may be at it. All of ours write in short pieces.
const PATIENCE: Duration = Duration::from_secs(5);

/// A checkpoint follows when the WAL has so many pages (8 MiB), and cuts it back to that.
const WAL_PAGES: i64 = 2000;

/// For what a connection is used.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Use {
    /// It is created if it does not exist. Only for who holds the lock.
    Create,
    /// It must exist. Where it is read-only it can still be looked at.
    Change,
    /// It must exist, and nothing is written.
    Read,
}

/// Opens the database, and creates it if that is asked.
///
/// # Errors
/// Status 2 with a sentence that names the way out when it is missing, something else, damaged, of a
/// newer version, or cannot be written.
pub(crate) fn open(path: &Path, wanted: Use) -> Result<Connection> {
    if wanted == Use::Create {
        create(path)?;
    }
    if !is_file(path)? {
        return Err(Error::failed(format!(
            "there is no record {}; name the directories, or --state, as the watcher does",
            path.display()
        )));
    }
    let access = match wanted {
        Use::Read => OpenFlags::SQLITE_OPEN_READ_ONLY,
        Use::Create | Use::Change => OpenFlags::SQLITE_OPEN_READ_WRITE,
    };
    let connection = Connection::open_with_flags(path, access | OpenFlags::SQLITE_OPEN_NO_MUTEX);
    let connection = connection.map_err(|cause| cannot("open", path, cause))?;
    prepare(&connection, path, wanted)?;
    Ok(connection)
}

/// Whether there is a file at `path`.
///
/// # Errors
/// When something else is there.
pub(crate) fn is_file(path: &Path) -> Result<bool> {
    let kind = match fs::metadata(path) {
        Err(missing) if missing.kind() == std::io::ErrorKind::NotFound => return Ok(false),
        found => found.or_cannot("open", path)?.file_type(),
    };
    if kind.is_file() {
        return Ok(true);
    }
    let what = if kind.is_dir() { "a folder" } else { "not a regular file" };
    let path = path.display();
    Err(Error::failed(format!("the record {path} is {what}; name a file with --state")))
}

/// Makes the folder of a ledger, for nobody else: who may read a ledger sees the names of all files.
///
/// # Errors
/// When the system refuses.
pub(crate) fn make_folder(path: &Path) -> Result<()> {
    let folder = folder_of(path);
    let made = DirBuilder::new().recursive(true).mode(0o700).create(folder);
    made.or_cannot("create the folder", folder)
}

/// An empty file, for nobody else.
fn create(path: &Path) -> Result<()> {
    // Only if it is not there: closing a file that SQLite has open would take its locks away.
    match OpenOptions::new().write(true).create_new(true).mode(0o600).open(path) {
        Err(there) if there.kind() == std::io::ErrorKind::AlreadyExists => Ok(()),
        made => made.map(drop).or_cannot("create", path),
    }
}

fn prepare(connection: &Connection, path: &Path, wanted: Use) -> Result<()> {
    let sentence = |cause| cannot("open", path, cause);
    connection.busy_timeout(PATIENCE).map_err(sentence)?;
    connection.set_prepared_statement_cache_capacity(32);
    let number = |name| connection.pragma_query_value(None, name, |row| row.get::<_, i32>(0));
    let (application, version) =
        (number("application_id").map_err(sentence)?, number("user_version").map_err(sentence)?);
    let tables = "SELECT count(*) FROM sqlite_schema";
    let tables: i64 = connection.query_row(tables, [], |row| row.get(0)).map_err(sentence)?;
    let shown = path.display();
    if tables > 0 && application != APPLICATION {
        let what = format!("{shown} is a database of another program; name another file with --state");
        return Err(Error::failed(what));
    }
    if version > VERSION {
        let what = format!("the record {shown} was made by a newer version; use that, or name another file");
        return Err(Error::failed(format!("{what} with --state")));
    }
    if wanted == Use::Create && connection.is_readonly("main").map_err(sentence)? {
        return Err(Error::failed(format!(
            "the record {shown} is read-only; name another file with --state"
        )));
    }
    if wanted == Use::Create {
        lay_out(connection, tables == 0).map_err(sentence)?;
    } else if tables == 0 {
        return Err(Error::failed(format!("there is nothing in the record {shown} yet")));
    }
    tune(connection, wanted).map_err(sentence)
}

fn lay_out(connection: &Connection, new: bool) -> rusqlite::Result<()> {
    connection.pragma_update_and_check(None, "journal_mode", "WAL", |_| Ok(()))?;
    if !new {
        return Ok(());
    }
    let id = i64::from_ne_bytes(fastrand::u64(..).to_ne_bytes());
    connection.execute_batch(&format!(
        "BEGIN IMMEDIATE;
         CREATE TABLE file (
             key BLOB PRIMARY KEY, path BLOB NOT NULL, size INTEGER NOT NULL, modified INTEGER NOT NULL,
             state INTEGER NOT NULL, attempt INTEGER NOT NULL, failures INTEGER NOT NULL,
             at INTEGER NOT NULL, due INTEGER NOT NULL, took INTEGER NOT NULL, note TEXT NOT NULL
         ) WITHOUT ROWID;
         CREATE INDEX open ON file (state) WHERE state < {FIRST_CLOSED};
         CREATE TABLE root (path BLOB PRIMARY KEY, since INTEGER NOT NULL, backlog INTEGER NOT NULL)
             WITHOUT ROWID;
         CREATE TABLE meta (id INTEGER NOT NULL, generation INTEGER NOT NULL);
         INSERT INTO meta VALUES ({id}, 0);
         PRAGMA application_id = {APPLICATION};
         PRAGMA user_version = {VERSION};
         COMMIT;"
    ))
}

fn tune(connection: &Connection, wanted: Use) -> rusqlite::Result<()> {
    // A million files are 130 MB of table: mapped, or in a large cache, they would be our memory. 8 MiB
    // hold what lies above the leaves.
    connection.pragma_update(None, "mmap_size", 0)?;
    connection.pragma_update(None, "cache_size", -8192)?;
    // Or each value that is bound to a range has the query planned anew: 3 us of 7.
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_QPSG, true)?;
    if wanted == Use::Read {
        return Ok(());
    }
    connection.pragma_update(None, "synchronous", "FULL")?;
    connection.pragma_update(None, "wal_autocheckpoint", WAL_PAGES)?;
    let limit = WAL_PAGES * 4096;
    connection.pragma_update_and_check(None, "journal_size_limit", limit, |_| Ok(()))
}

/// What is said when `SQLite` refuses.
pub(crate) fn cannot(verb: &str, path: &Path, cause: rusqlite::Error) -> Error {
    let path = path.display();
    match cause.sqlite_error_code() {
        Some(ErrorCode::NotADatabase) => {
            Error::failed(format!("{path} is no record of dirwatch; name another file with --state"))
        }
        Some(ErrorCode::DatabaseCorrupt) => Error::failed(format!(
            "the record {path} is damaged; save what `sqlite3 {path} .recover` finds, or move it away: \
             then every file is new"
        )),
        Some(ErrorCode::ReadOnly) => Error::failed(format!(
            "cannot {verb} the record {path}: it or its folder is read-only; name another file with --state"
        )),
        Some(ErrorCode::DiskFull) => {
            Error::failed(format!("cannot {verb} the record {path}: the disk is full"))
        }
        Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => Error::retry(format!(
            "cannot {verb} the record {path}: another process has held it for {PATIENCE:?}"
        )),
        _ => Error::failed(format!("cannot {verb} the record {path}")).because(cause),
    }
}

/// Whether trying again is of no use: what is there is damaged, or is no ledger any more.
pub(crate) fn is_broken(cause: &rusqlite::Error) -> bool {
    matches!(cause.sqlite_error_code(), Some(ErrorCode::NotADatabase | ErrorCode::DatabaseCorrupt))
}
