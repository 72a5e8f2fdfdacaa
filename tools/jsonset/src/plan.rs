//! What a run is asked to do.

use json::Path;
use std::ffi::OsString;
use std::path::PathBuf;
use std::time::Duration;

use crate::edit::{Edit, Source};
use crate::store::Store;

/// A run.
#[derive(Debug)]
pub(crate) struct Plan {
    pub(crate) store: Store,
    pub(crate) task: Task,
    pub(crate) trial: Option<Trial>,
    pub(crate) edits: Vec<Edit<Source>>,
    pub(crate) care: Care,
    /// A missing file is made.
    pub(crate) creates: bool,
    /// A file that is no JSON becomes a backup, and the edits begin with `{}`.
    pub(crate) resets_invalid: bool,
}

/// What is to be done.
#[derive(Debug)]
pub(crate) enum Task {
    /// Print values: as text where `raw`.
    Get {
        paths: Vec<Path>,
        raw: bool,
    },
    Type(Vec<Path>),
    Hash,
    History {
        json: bool,
    },
    /// Change the file.
    Update,
    /// Bring a backup back: the one of this name, else the last other one.
    Rollback(Option<String>),
    /// Write what the file would become, here or to standard output.
    Output(PathBuf),
    /// Finish what killed runs left.
    Recover,
    /// Change the file while a command runs.
    Hold(Vec<OsString>),
    /// Be the one who restores when the holder dies.
    Watch,
    /// Become the command of the holder, which is the process of this number.
    Start {
        holder: i32,
        command: Vec<OsString>,
    },
}

/// A run that only shows what would change.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Trial {
    /// The status is 0 whatever it shows.
    DryRun,
    /// The status is 1 when it shows something.
    Check,
}

/// What stands between a change and an accident.
#[derive(Debug)]
pub(crate) struct Care {
    /// How many backups are kept.
    pub(crate) backups: Option<usize>,
    pub(crate) schema: Option<PathBuf>,
    /// A command that judges the new content.
    pub(crate) validate: Option<String>,
    /// A command that runs after a change.
    pub(crate) on_change: Option<String>,
    /// How long either may take.
    pub(crate) timeout: Duration,
}
