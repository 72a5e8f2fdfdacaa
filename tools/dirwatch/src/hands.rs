//! What may wait for a disk, done beside the keeper: hashing, putting away, writing the numbers.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::sync::mpsc::{self, Receiver, Sender};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use common::{Error, Result};

use crate::filing::{self, Filed, Shelf, Why};
use crate::identity::{Stamp, content_hash};
use crate::ledger::Entry;
use crate::message::Message;
use crate::metrics::{self, Numbers};
use crate::post::Post;
use crate::queue::Item;

/// Where a file goes.
#[derive(Debug, Clone)]
pub(crate) enum Away {
    /// It stays.
    Nowhere,
    /// Below this folder.
    Move(PathBuf),
    /// Below this folder, with a file beside it that says why.
    Reject(PathBuf),
    /// It is deleted.
    Delete,
}

/// Something to do.
#[derive(Debug)]
pub(crate) enum Task {
    /// Hash an open file; answered with [`Message::Hashed`].
    Hash { item: Box<Item>, stamp: Stamp, file: File },
    /// Put a file away that is below `root`, and its marker; answered with [`Message::Filed`].
    PutAway { root: PathBuf, entry: Box<Entry>, stamp: Stamp, away: Away, marker: Option<PathBuf> },
    /// Write the numbers; not answered.
    Numbers { path: PathBuf, ledger: PathBuf, numbers: Box<Numbers> },
}

/// Two threads: what is read does not wait for what is written.
#[derive(Debug)]
pub(crate) struct Hands {
    reader: Sender<Task>,
    writer: Sender<Task>,
    writing: JoinHandle<()>,
}

impl Hands {
    /// # Errors
    /// When the system refuses a thread.
    pub(crate) fn start(messages: &Post) -> Result<Self> {
        let (reader, _reading) = thread_for("reader", messages.clone())?;
        let (writer, writing) = thread_for("writer", messages.clone())?;
        Ok(Self { reader, writer, writing })
    }

    pub(crate) fn take(&self, task: Task) {
        let hand = if matches!(task, Task::Hash { .. }) { &self.reader } else { &self.writer };
        // The thread ends only after the sender.
        let _sent = hand.send(task);
    }

    /// Waits for everything that is still to be written.
    pub(crate) fn finish(self) {
        drop(self.writer);
        // A panic has aborted the process.
        let _joined = self.writing.join();
    }
}

fn thread_for(name: &str, messages: Post) -> Result<(Sender<Task>, JoinHandle<()>)> {
    let (sender, tasks) = mpsc::channel();
    let thread = thread::Builder::new()
        .name(name.into())
        .spawn(move || work(&tasks, &messages))
        .map_err(|cause| Error::failed("cannot start a thread").because(cause))?;
    Ok((sender, thread))
}

fn work(tasks: &Receiver<Task>, messages: &Post) {
    let mut said = false;
    for task in tasks {
        let answer = match task {
            Task::Hash { item, stamp, mut file } => {
                Message::Hashed { hash: content_hash(&mut file), item, stamp }
            }
            Task::PutAway { root, entry, stamp, away, marker } => {
                let filed = put_away(&root, &entry, &stamp, &away);
                // Only after its file: the marker may be that of a new one which has taken its name.
                if let (Ok(Filed::Moved(_) | Filed::Deleted), Some(marker)) = (&filed, marker) {
                    follow(&root, &marker, &away);
                }
                Message::Filed { entry, filed }
            }
            Task::Numbers { path, ledger, numbers } => {
                let written = metrics::write(&path, &ledger, &numbers);
                if let (Err(error), false) = (&written, said) {
                    log::warn!("{error}");
                }
                said = written.is_err();
                continue;
            }
        };
        if !messages.send(answer) {
            return;
        }
    }
}

fn put_away(root: &Path, entry: &Entry, stamp: &Stamp, away: &Away) -> Result<Filed> {
    let why = Why {
        path: entry.path.clone(),
        id: entry.key,
        attempts: entry.attempt,
        reason: entry.note.clone(),
        elapsed: Duration::from_millis(entry.took),
        failed_at: entry.at,
    };
    match away {
        Away::Nowhere => Ok(Filed::Gone),
        Away::Delete => filing::delete(&entry.path, stamp),
        Away::Move(into) => filing::put_away(&entry.path, stamp, &Shelf { into, below: root, why: None }),
        Away::Reject(into) => {
            filing::put_away(&entry.path, stamp, &Shelf { into, below: root, why: Some(&why) })
        }
    }
}

/// The marker of a file goes where the file went.
fn follow(root: &Path, marker: &Path, away: &Away) {
    let Ok(stamp) = Stamp::of(marker, false) else { return };
    let followed = match away {
        Away::Nowhere => return,
        Away::Delete => filing::delete(marker, &stamp),
        Away::Move(into) | Away::Reject(into) => {
            filing::put_away(marker, &stamp, &Shelf { into, below: root, why: None })
        }
    };
    if let Err(error) = followed {
        log::warn!("{error}");
    }
}
