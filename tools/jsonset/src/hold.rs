//! A change that holds while a command runs.
//!
//! | module | what it is |
//! |---|---|
//! | `layer` | what one use has changed, as it is kept beside the document |
//! | `shelf` | the folder of layers; who still holds one |
//! | `place` | where the document is, whatever its name leads to later |
//! | `compare` | what differs between two documents, by field |
//! | `undo` | a layer taken back, field by field |
//! | `settle` | all layers that nobody holds, undone under the lock |
//! | `starter` | COMMAND, which begins when the watcher knows of it |
//! | `signals` | signals on their way to COMMAND |
//! | `watcher` | the process that undoes the change when its holder is killed |
//!
//! A layer is durable before the document changes, and goes when the document is durable again, so
//! whoever comes next can end what was begun, wherever it was interrupted. No lock is held while
//! COMMAND runs.

mod compare;
mod layer;
mod place;
mod settle;
mod shelf;
mod signals;
mod starter;
mod undo;
mod watcher;

use std::ffi::OsString;
use std::os::unix::process::ExitStatusExt;

use common::{Error, Outcome, Result};
use files::Lock;
use json::{Path, Text};
use layer::{Entry, Layer};
use place::Place;
use settle::{settle, without_layers};
use shelf::{Held, Shelf};
use signals::{Ended, Forwarder};
use starter::{release, starter};
use watcher::Watcher;

use crate::store::Store;

/// The status of a failure of our own, where that of COMMAND passes through.
const OWN_FAILURE: u8 = 125;

/// Undoes what killed holders have left. Costs one stat(2) where there is nothing.
///
/// # Errors
/// When the document cannot be read or replaced; what is left stays for the next call.
pub(crate) fn recover(store: &Store, lock: &mut Lock) -> Result<()> {
    let shelf = Shelf::of(&store.path)?;
    if !shelf.is_used() {
        return Ok(());
    }
    settle(store, &shelf, lock).map(|_| ())
}

/// What `--recover` answers once [`recover`] was called.
///
/// # Errors
/// When there is something to undo in a document that is no JSON: it is left to a later call.
pub(crate) fn recovered(store: &Store, lock: &Lock) -> Result<Outcome> {
    if Shelf::of(&store.path)?.is_used()
        && let Some(text) = store.read(lock)?
    {
        let mut document = store.document(text);
        document.check(&Path::default()).map_err(|fault| document.complain(fault))?;
    }
    Ok(Outcome::Done)
}

/// Is the watcher of a holder that has started it.
///
/// # Errors
/// When a change cannot be undone; it is then left to the next call.
pub(crate) fn watch(store: &Store) -> Result<Outcome> {
    watcher::watch(store)
}

/// Becomes `command` for the holder with this process number, which has started us.
pub(crate) fn start(holder: i32, command: &[OsString]) -> Outcome {
    starter::start(holder, command)
}

/// Gives a failure of ours its status, where that of a command passes through.
pub(crate) fn failed(error: Error) -> Error {
    error.with_status(OWN_FAILURE)
}

/// A use of `--while`.
#[derive(Clone, Copy)]
pub(crate) struct Use<'a> {
    pub(crate) store: &'a Store,
    pub(crate) command: &'a [OsString],
    /// What the edits make of a text, or of a file that does not exist; `None` where a condition does
    /// not hold.
    pub(crate) make: &'a Make<'a>,
    /// Replaces the locked document by a text.
    pub(crate) put: &'a dyn Fn(&mut Lock, &Text) -> Result<()>,
}

type Make<'a> = dyn Fn(Option<&Text>) -> Result<Option<Text>> + 'a;

impl Use<'_> {
    /// Makes the change, runs COMMAND without a lock, and undoes the change. The status is that of
    /// COMMAND, or 1 where a condition does not hold.
    ///
    /// # Errors
    /// When the change cannot be made, or cannot be undone; the sentence then says how it can.
    pub(crate) fn run(self) -> Result<Outcome> {
        let place = Place::of(&self.store.path)?;
        // First, because it needs a moment until it watches.
        let mut watcher = Watcher::start(self.store)?;
        let (outcome, undone) = match self.run_watched(&mut watcher) {
            Ok((outcome, held)) => {
                (outcome, held.map_or(Ok(()), |held| end(&place.of_store(self.store), held)))
            }
            Err(error) => (Err(error), Ok(())),
        };
        // What could not be undone the watcher tries once more: it is not sent away.
        if undone.is_ok() {
            watcher.dismiss();
        }
        undone.and(outcome)
    }

    fn run_watched(self, watcher: &mut Watcher) -> Result<(Result<Outcome>, Option<Held>)> {
        let mut lock = self.store.lock()?;
        recover(self.store, &mut lock)?;
        let old = self.store.read(&lock)?;
        let Some(new) = (self.make)(old.as_ref())? else { return Ok((Ok(Outcome::No), None)) };
        let change = Change::between(self, old, new)?;
        watcher.ready()?;
        let signals = Forwarder::install()?;
        let held = change.make(self, &mut lock)?;
        drop(lock);
        let ended = signals.run(&mut starter(self.store, self.command), |pid| {
            release(pid, || watcher.guards(pid));
        });
        let outcome = match ended {
            Ok(ended) => Ok(Outcome::Own(status_of(&ended))),
            Err(cause) => Err(Error::failed("cannot start a command").because(cause)),
        };
        Ok((outcome, held))
    }
}

/// A change that is to be made.
struct Change {
    shelf: Shelf,
    new: Text,
    is_same: bool,
    layer: Layer,
}

impl Change {
    fn between(of: Use, old: Option<Text>, new: Text) -> Result<Self> {
        let store = of.store;
        let shelf = Shelf::of(&store.path)?;
        let mut layer = Layer::between(store, old.as_ref(), &new)?;
        if let Some(old) = &old
            && let Some(base) = without_layers(store, &shelf, old)?
        {
            layer.entries.extend(claims(of, &layer, &new, &base));
        }
        let is_same = old.map_or(Ok(false), |old| new.same_as(&old))?;
        Ok(Self { shelf, new, is_same, layer })
    }

    /// Makes it; `None` where there is nothing to undo.
    fn make(self, of: Use, lock: &mut Lock) -> Result<Option<Held>> {
        if self.layer.is_empty() {
            return Ok(None);
        }
        let held = self.shelf.add(&self.layer, lock.file())?;
        if self.is_same {
            return Ok(Some(held));
        }
        let Err(error) = (of.put)(lock, &self.new) else { return Ok(Some(held)) };
        drop(held);
        settle(of.store, &self.shelf, lock).map_err(|again| left_behind(of.store, &again))?;
        Err(error)
    }
}

/// The fields that have the wanted value already, but only as long as others hold it: what the edits
/// change in `base`, where nobody holds anything.
fn claims(of: Use, layer: &Layer, new: &Text, base: &Text) -> Vec<Entry> {
    // Edits may well make no sense there; then there is nothing to claim.
    let Ok(Some(changed)) = (of.make)(Some(base)) else { return Vec::new() };
    let Ok(wanted) = Layer::between(of.store, Some(base), &changed) else { return Vec::new() };
    let mut document = of.store.document(new.clone());
    let free = |entry: &Entry| !layer.entries.iter().any(|other| other.overlaps(entry));
    let claim = |entry: Entry| {
        let now = document.get(&entry.path()).ok()?;
        let now = now.map(String::from_utf8).transpose().ok()?;
        Some(Entry { before: now.clone(), after: now, ..entry })
    };
    wanted.entries.into_iter().filter(free).filter_map(claim).collect()
}

/// Undoes the change of a use that is over.
fn end(store: &Store, held: Held) -> Result<()> {
    let undone = store.lock().and_then(|mut lock| {
        let shelf = Shelf::of(&store.path)?.needing(&held);
        drop(held);
        settle(store, &shelf, &mut lock)
    });
    undone.map(|_| ()).map_err(|error| left_behind(store, &error))
}

fn left_behind(store: &Store, error: &Error) -> Error {
    let path = store.path.display();
    Error::failed(format!(
        "the change of {path} is not undone; `jsonset {path} --recover` does that: {error}"
    ))
}

/// The exit status of COMMAND as a shell has it.
fn status_of(ended: &Ended) -> u8 {
    let (code, signal) = match ended {
        Ended::Started(status) => (status.code(), status.signal()),
        Ended::Never(signal) => (None, Some(*signal)),
    };
    let status = code.or(signal.map(|signal| 128 + signal));
    status.and_then(|status| u8::try_from(status).ok()).unwrap_or(OWN_FAILURE)
}
