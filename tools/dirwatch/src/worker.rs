//! The threads that run commands.

use std::path::PathBuf;
use std::time::Duration;

use crate::identity::Key;

/// A file for a command.
#[derive(Debug, Clone)]
pub struct JobFile {
    /// Where it is.
    pub path: PathBuf,
    /// The file.
    pub key: Key,
    /// Which attempt this is, from 1.
    pub attempt: u32,
    /// The BLAKE3 hash of its content in hexadecimal digits, where the command or the identity wants it.
    pub hash: Option<String>,
}

/// A command to run.
#[derive(Debug, Clone)]
pub struct Job {
    /// Tells the jobs of a run apart.
    pub id: u64,
    /// One file, or those of a batch.
    pub files: Vec<JobFile>,
}

/// How a command ended.
#[derive(Debug)]
pub enum End {
    /// With status 0.
    Success,
    /// With another status, by a signal, or because its time was over; in a few words such as
    /// `exit status 3`, `killed by signal 9`, `timed out after 5m`.
    Failure(String),
    /// It was ended because the watcher is to end: an interruption and no failure.
    Interrupted,
    /// It cannot be run at all, for no file: not found, not executable, or status 126 or 127. The
    /// sentence says why.
    NotRunnable(common::Error),
    /// The file could not be opened for its standard input.
    Unreadable(std::io::Error),
    /// The system has no room for another process at the moment.
    NoRoom(std::io::Error),
}

/// A command that has ended.
#[derive(Debug)]
pub struct Ended {
    /// What was run.
    pub job: Job,
    /// How it ended.
    pub end: End,
    /// How long it ran.
    pub took: Duration,
}
