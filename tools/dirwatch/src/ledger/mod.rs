//! The ledger: what is known of every file that was ever taken, and what became of it.
//!
//! Everything goes through the small trait [`Ledger`]. Whoever keeps it elsewhere than in a local file
//! (a server that several nodes share) implements these calls and nothing else changes: a claim that
//! another node holds is answered with [`Refused::Taken`].

pub(crate) mod frame;
pub(crate) mod inspect;
pub(crate) mod journal;
pub(crate) mod local;
pub(crate) mod room;
pub(crate) mod schema;
pub(crate) mod scribe;
pub(crate) mod store;
pub(crate) mod view;

use std::path::{Path, PathBuf};

use common::{Error, Result};
use serde::{Deserialize, Serialize};

use crate::identity::Key;

/// What became of a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum State {
    /// A command was started for it, and no end is known: it runs, or the watcher was killed.
    Started,
    /// The command failed; there will be another attempt.
    Retry,
    /// The command succeeded; the file is still to be moved or deleted.
    Passed,
    /// The command failed for the last time; the file is still to be moved.
    Rejected,
    /// The command succeeded, and nothing is left to do.
    Done,
    /// The command failed for the last time.
    Failed,
    /// The watcher was killed while the command ran, and it is not to be repeated.
    Interrupted,
    /// It was there before the first start with `--new-only`.
    Left,
    /// This version has the content of a file that is known under another key.
    Same,
    /// It had vanished before another attempt.
    Gone,
    /// Somebody asked for it again with `--retry`.
    Again,
}

impl State {
    /// All of them, in the order in which they are listed.
    pub const ALL: [Self; 11] = [
        Self::Started,
        Self::Retry,
        Self::Again,
        Self::Passed,
        Self::Rejected,
        Self::Failed,
        Self::Interrupted,
        Self::Done,
        Self::Gone,
        Self::Left,
        Self::Same,
    ];

    /// Whether the watcher has something left to do for it.
    #[must_use]
    pub fn is_open(self) -> bool {
        matches!(self, Self::Started | Self::Retry | Self::Passed | Self::Rejected | Self::Again)
    }

    /// The word for it, as it is listed.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Started => "started",
            Self::Retry => "retry",
            Self::Passed => "passed",
            Self::Rejected => "rejected",
            Self::Done => "done",
            Self::Failed => "failed",
            Self::Interrupted => "interrupted",
            Self::Left => "left",
            Self::Same => "same",
            Self::Gone => "gone",
            Self::Again => "again",
        }
    }
}

/// What the ledger holds of one file. Times are milliseconds since 1970.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Entry {
    /// The file.
    pub key: Key,
    /// Where it was last seen, from the root of the file system.
    pub path: PathBuf,
    /// Its size in bytes.
    pub size: u64,
    /// When its content was last changed, in nanoseconds since 1970.
    pub modified: i64,
    /// What became of it.
    pub state: State,
    /// How many commands were started for it so far.
    pub attempt: u32,
    /// How many of these failed since somebody last asked for it again.
    pub failures: u32,
    /// When it got this state.
    pub at: i64,
    /// When there will be another attempt; 0 when there will be none.
    pub due: i64,
    /// How long the last command ran, in milliseconds.
    pub took: u64,
    /// Why it failed, in a few words; empty when it did not.
    pub note: String,
}

/// Why a claim was not granted.
#[derive(Debug)]
pub(crate) enum Refused {
    /// The disk is full: try again later. Nothing was recorded, and nothing may be started.
    NoRoom(Error),
    /// Another node is at it.
    #[allow(dead_code, reason = "there is only one node where the ledger is a local file")]
    Taken,
    /// The ledger is broken.
    Broken(Error),
}

impl Refused {
    /// The same where a refusal is no more than an error; who has something taken has it recorded.
    ///
    /// # Errors
    /// Always, but for [`Refused::Taken`].
    pub(crate) fn into_error(self) -> Result<()> {
        match self {
            Self::NoRoom(error) | Self::Broken(error) => Err(error),
            Self::Taken => Ok(()),
        }
    }
}

/// What [`Ledger::tend`] has to tell.
#[derive(Debug, Default)]
pub(crate) struct Tidings {
    /// Another process (`--retry`, `--forget`) has changed entries: look at [`Ledger::open_entries`]
    /// again, and at the folders.
    pub changed: bool,
    /// Why entries cannot be stored at the moment; they are kept, and it is tried again.
    pub trouble: Option<Error>,
}

/// A second pair of eyes on the ledger, for another thread.
pub(crate) trait View: Send {
    /// Whether there is an entry for this file, in whatever state. May lag by a moment behind what
    /// was claimed: the claimant looks again.
    ///
    /// # Errors
    /// When the ledger cannot be read.
    fn is_known(&mut self, key: &Key) -> Result<bool>;
}

/// Where it is recorded which files were taken, and what became of them.
///
/// One process writes at a time. What [`Ledger::claim`] and [`Ledger::record`] have returned from
/// survives a kill of the process at any later moment; after a power failure the last moments may be
/// missing, unless the ledger was opened as a strict one: then no claim is.
pub(crate) trait Ledger {
    /// What is known of a file.
    ///
    /// # Errors
    /// When the ledger cannot be read.
    fn get(&mut self, key: &Key) -> Result<Option<Entry>>;

    /// Records that a command is about to be started for these: all of them or none. Room for what
    /// becomes of them is reserved.
    ///
    /// # Errors
    /// See [`Refused`]; nothing was recorded.
    fn claim(&mut self, entries: &[Entry]) -> std::result::Result<(), Refused>;

    /// Records what became of claimed files, or what is known of others.
    ///
    /// # Errors
    /// When the ledger is broken. A full disk is no error for what was claimed before.
    fn record(&mut self, entries: &[Entry]) -> std::result::Result<(), Refused>;

    /// The entries for which [`State::is_open`], the oldest first.
    ///
    /// # Errors
    /// When the ledger cannot be read.
    fn open_entries(&mut self) -> Result<Vec<Entry>>;

    /// Whether the backlog of `root` was dealt with, and since when the folder is watched, in
    /// milliseconds since 1970. The first call for a folder records the present.
    ///
    /// # Errors
    /// When the ledger cannot be read or written.
    fn watched_since(&mut self, root: &Path) -> Result<(bool, i64)>;

    /// Records that the backlog of `root` was dealt with.
    ///
    /// # Errors
    /// See [`Refused`]; on a full disk it is to be tried again.
    fn backlog_seen(&mut self, root: &Path) -> std::result::Result<(), Refused>;

    /// Does what must be done now and then; to be called about every 50 milliseconds while there is
    /// something to do, and every second otherwise. Does not wait for a disk.
    ///
    /// # Errors
    /// When the ledger is broken.
    fn tend(&mut self) -> Result<Tidings>;

    /// A view for another thread.
    ///
    /// # Errors
    /// When it cannot be opened.
    fn view(&self) -> Result<Box<dyn View>>;

    /// Stores everything, and lets go of the ledger.
    ///
    /// # Errors
    /// When it cannot be stored; what was recorded is not lost, and is stored by the next start.
    fn close(self: Box<Self>) -> Result<()>;
}

#[cfg(test)]
pub(crate) mod tests;
