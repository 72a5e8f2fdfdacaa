//! A host as a deployment sees it: what it can be asked, and what it answers.
//!
//! The order of a deployment on one host is [`look`](Station::look), [`stage`](Station::stage),
//! [`swap`](Station::swap), [`check`](Station::check), [`confirm`](Station::confirm); after `stage` the
//! host itself goes back when it hears nothing for `confirm_within`, until `confirm`.
//! Every answer but a yes leaves open whether the host heard it; every call may be repeated.

use std::time::Duration;

use common::answer::Answer;
use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

use crate::spec::Check;

/// A host.
pub(crate) trait Station: Send {
    /// Its name.
    fn name(&self) -> &str;

    /// What is there; opens the session, and changes nothing.
    fn look(&mut self) -> Answer<Seen>;

    /// The bytes of what is there.
    fn fetch(&mut self, piece: &Piece) -> Answer<Zeroizing<Vec<u8>>>;

    /// Brings back what a deployment that is no more has left: one that was killed with its guard, or
    /// whose host was rebooted. Yes: nothing of it is left, and how it ended. A no: its guard is alive,
    /// or somebody is needed.
    fn settle(&mut self) -> Answer<Settled>;

    /// Takes the lock, starts the guard, backs the file up, uploads the new one beside it and has it
    /// judged there. The file itself is not touched. After a no nothing of it is left.
    fn stage(&mut self, order: &Order) -> Answer;

    /// Arms the guard, puts the new file in its place, and reloads. After a no or an unknown
    /// [`restore`](Station::restore) is due.
    fn swap(&mut self) -> Answer;

    /// One health check, once.
    fn check(&mut self, check: &Check) -> Answer;

    /// Tells the guard that the deployer lives. A no: the guard has gone back, or is about to.
    fn beat(&mut self) -> Answer;

    /// Ends the guard: the new file stays. May be repeated. A no: it is too late, the old one is back.
    fn confirm(&mut self) -> Answer;

    /// Has the host go back now, or finds that it has: the old file is proven to be in its place with its
    /// mode and owner, it is reloaded, and nothing else is left. Also undoes a mere `stage`, and also a
    /// `confirm`. Opens a new session when there is none.
    fn restore(&mut self) -> Answer;
}

/// A deployment, as one host is to have it.
#[derive(Debug, Clone)]
pub(crate) struct Order {
    /// Its id.
    pub(crate) id: String,
    /// What the file is to be.
    pub(crate) content: Content,
    /// What of the spec it was made of: the SHA-256 of source and values, in hexadecimal digits; the
    /// same on all hosts.
    pub(crate) version: String,
    /// Who deploys, as `jan@box`.
    pub(crate) who: String,
    /// What was seen there by [`Station::look`]: it must still be so.
    pub(crate) seen: Option<FileState>,
    /// The guard goes back after so long without a word.
    pub(crate) confirm_within: Duration,
}

/// What the file is to be.
#[derive(Debug, Clone)]
pub(crate) enum Content {
    /// These bytes.
    Bytes(Zeroizing<Vec<u8>>),
    /// What the host itself keeps.
    Kept(Piece),
    /// No file: there was none before the first deployment.
    Nothing,
}

/// Bytes that a host has.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Piece {
    /// The file itself.
    Live,
    /// What was there before the deployment of this id.
    Before(String),
    /// What the deployment of this id put there.
    After(String),
}

/// A file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct FileState {
    /// The SHA-256 of its content, in hexadecimal digits.
    pub(crate) sha256: String,
    /// Its permissions.
    pub(crate) mode: u32,
    /// Its owner, by name, or by number where it has none.
    pub(crate) owner: String,
    /// Its group.
    pub(crate) group: String,
    /// In bytes.
    pub(crate) size: u64,
}

/// What is on a host.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Seen {
    /// The file; none: there is none.
    pub(crate) live: Option<FileState>,
    /// What was kept of deployments, the oldest first. The last one that is confirmed is current.
    pub(crate) kept: Vec<Kept>,
    /// A deployment that is neither confirmed nor undone.
    pub(crate) open: Option<Open>,
    /// A deployment of this file that is open by another spec with the same store.
    pub(crate) rival: Option<Elsewhere>,
    /// Deployments of this spec that a deployer who is no more has left, of files by another path: that of
    /// another host on this machine, or one that the spec had before.
    pub(crate) left: Vec<Elsewhere>,
    /// What the file would be when owner, group or mode of the spec are not those of `live`; `None`
    /// when they are, or the spec has none.
    pub(crate) wants: Option<String>,
}

/// What is kept of a confirmed deployment.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Kept {
    /// Its id; ids sort by time.
    pub(crate) id: String,
    /// See [`Order::version`].
    pub(crate) version: String,
    /// Who deployed.
    pub(crate) who: String,
    /// When it was staged there, by the clock of the deployer, as RFC 3339 in UTC.
    pub(crate) time: String,
    /// What was there before; none: no file.
    pub(crate) before: Option<FileState>,
    /// What it put there; none: no file.
    pub(crate) after: Option<FileState>,
}

/// A deployment that is neither confirmed nor undone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Open {
    /// Its id.
    pub(crate) id: String,
    /// Who deploys.
    pub(crate) who: String,
    /// When it began.
    pub(crate) time: String,
    /// Whether its guard is alive: it will end by itself.
    pub(crate) is_guarded: bool,
}

/// A deployment that is open, and is not the one that is asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Elsewhere {
    /// The name of its spec, when that is another one; else of its folder in that of the spec.
    pub(crate) place: String,
    /// Its file.
    pub(crate) file: String,
    /// The rest.
    pub(crate) open: Open,
}

/// How a deployment ended that nobody was there for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Settled {
    /// There was none.
    Nothing,
    /// The deployment of this id has been undone.
    Undone(String),
    /// It had been confirmed already, and only its leftovers were removed.
    Kept(String),
}

impl Seen {
    /// The deployment that is current.
    pub(crate) fn current(&self) -> Option<&Kept> {
        self.kept.last()
    }

    /// Whether somebody else has changed the file since the last deployment.
    pub(crate) fn has_drifted(&self) -> bool {
        self.current().is_some_and(|kept| kept.after != self.live)
    }
}
