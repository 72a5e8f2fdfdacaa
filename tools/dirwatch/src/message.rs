//! What the keeper, who decides everything, is told by the threads around it.

use std::path::PathBuf;

use common::Result;

use crate::filing::Filed;
use crate::identity::Stamp;
use crate::ledger::Entry;
use crate::queue::Item;

/// A file that was found in a folder, and of which the ledger knew nothing at that moment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Candidate {
    /// Which of the watched folders it is below.
    pub root: usize,
    /// Where it is.
    pub path: PathBuf,
    /// What it was then.
    pub stamp: Stamp,
}

/// How a pass over a whole watched folder ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Pass {
    /// Which of the watched folders.
    pub root: usize,
    /// Whether it could be read at all; if not it is tried again soon, and that was said.
    pub there: bool,
    /// Whether all that is in it could be read too; what could not was said.
    pub whole: bool,
}

/// How many folders are looked after.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Folders {
    /// Those whose changes the kernel tells.
    pub(crate) watched: u64,
    /// Those that are only looked at now and then.
    pub(crate) silent: u64,
}

/// Something happened.
#[derive(Debug)]
pub(crate) enum Message {
    /// The inbox of hints has something, and was empty before.
    Hints,
    /// Files that were found; the scanner goes on when it is told to ([`crate::scan::Scanner::more`]).
    Found(Vec<Candidate>),
    /// A pass over one watched folder has ended, and everything it found was told before.
    Passed(Pass),
    /// All watched folders were passed over once since the start, or since it was asked for.
    Settled(Folders),
    /// A command whose time was over, or that was to be interrupted, is ended with all its descendants;
    /// the number of its job.
    Hunted(u64),
    /// A file was hashed, or could not be read; what it was when it was opened.
    Hashed {
        /// What waited for it.
        item: Box<Item>,
        /// What was hashed.
        stamp: Stamp,
        /// The hash.
        hash: std::io::Result<blake3::Hash>,
    },
    /// A file was put away, or could not be.
    Filed {
        /// What the ledger says of it so far.
        entry: Box<Entry>,
        /// Where it is.
        filed: Result<Filed>,
    },
    /// SIGTERM or SIGINT: take nothing new, and end.
    Stop,
    /// SIGHUP: look at everything again.
    Hangup,
}
