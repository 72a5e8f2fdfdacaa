//! What a run is to do, as the command line has it, with everything parsed.

use std::path::PathBuf;
use std::time::Duration;

use crate::identity::Identity;

/// Where is looked, and for what.
#[derive(Debug, Clone)]
pub struct Where {
    /// The watched folders, absolute and without symbolic links where they exist.
    pub roots: Vec<PathBuf>,
    /// How many levels of folders below a root are watched too: 0 is the root alone.
    pub depth: u32,
    /// Whether symbolic links are followed, to files and to folders.
    pub follow: bool,
    /// Folders below the roots that are not entered: where files are put away to.
    pub outside: Vec<PathBuf>,
    /// Files below the roots that are never taken, such as the ledger.
    pub own_files: Vec<PathBuf>,
    /// Which of the names are taken.
    pub which: crate::select::Which,
    /// How often everything is looked at again.
    pub rescan: Duration,
    /// Whether nothing is watched: one pass, and that is all.
    pub once: bool,
    /// How files are told apart.
    pub identity: Identity,
}

/// In which order waiting files are taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Order {
    /// As they were found.
    Arrival,
    /// By name, byte by byte.
    Name,
    /// The oldest first, by the time of the last change of content.
    Time,
}

/// How many files one command gets.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Batch {
    /// At most this many.
    pub most: usize,
    /// How long is waited for more after the first one.
    pub wait: Duration,
}

/// What is done with a file whose command succeeded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum After {
    /// It stays.
    Keep,
    /// It is moved below this folder.
    Move(PathBuf),
    /// It is deleted.
    Delete,
}

/// How long is waited before another attempt: twice as long each time, from the first to the second.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Backoff {
    /// Before the second attempt.
    pub first: Duration,
    /// At most.
    pub most: Duration,
}

/// What is done for each file.
#[derive(Debug, Clone)]
#[allow(clippy::struct_excessive_bools, reason = "each is a flag of its own on the command line")]
pub struct Work {
    /// The command; `None` prints an event for each file instead.
    pub command: Option<crate::template::Template>,
    /// Whether the command gets the content on its standard input.
    pub stdin: bool,
    /// How many commands run at the same time.
    pub jobs: usize,
    /// Several files for one command.
    pub batch: Option<Batch>,
    /// Which file is next.
    pub order: Order,
    /// How long one command may run.
    pub timeout: Option<Duration>,
    /// How many attempts follow a failure.
    pub retries: u32,
    /// How long is waited before each of them.
    pub backoff: Backoff,
    /// What happens to a file whose command succeeded.
    pub after: After,
    /// Where a file is moved whose command failed for the last time.
    pub failed_dir: Option<PathBuf>,
    /// How long a file must have been quiet; `None` is not at all where leases work, and
    /// [`crate::ready::SETTLE`] elsewhere.
    pub settle: Option<Duration>,
    /// Whether what is there at the very first start is left.
    pub new_only: bool,
    /// Whether a file whose command was interrupted is set aside instead of taken again.
    pub quarantine: bool,
    /// How long running commands may go on when the watcher is to end.
    pub grace: Duration,
    /// Whether a start is on the disk before the command starts.
    pub strict: bool,
}

/// A run as a watcher.
#[derive(Debug, Clone)]
pub struct Watch {
    /// Where is looked, and for what.
    pub place: Where,
    /// What is done.
    pub work: Work,
    /// The ledger.
    pub state: PathBuf,
    /// Where the numbers for Prometheus go.
    pub metrics: Option<PathBuf>,
}

/// A run that looks at the ledger, or changes it.
#[derive(Debug, Clone)]
pub struct Look {
    /// The ledger.
    pub state: PathBuf,
    /// What is asked.
    pub question: Question,
    /// JSON Lines instead of text.
    pub json: bool,
}

/// What can be asked of a ledger.
#[derive(Debug, Clone)]
pub enum Question {
    /// The entries, of one state or of all.
    List(Option<crate::ledger::State>),
    /// How many entries there are of each state, and whether a watcher runs.
    Status,
    /// Take those again that failed or were set aside, whose path matches.
    Retry(String),
    /// Know nothing more of those whose path matches.
    Forget(String),
    /// Know nothing more of what was dealt with longer ago than this, and whose file is gone.
    Prune(Duration),
    /// Compare the ledger with itself and with the folders.
    Verify,
}

/// What a run is to do.
#[derive(Debug, Clone)]
pub enum Plan {
    /// Watch, and run commands.
    Watch(Box<Watch>),
    /// Look at the ledger.
    Look(Look),
}
