//! The thread that brings the journal into the store.
//!
//! It alone writes the database, so that nobody else waits for a disk. What cannot be stored is tried
//! again every second, for ever.

use std::collections::{BTreeMap, VecDeque};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{self, Receiver, RecvTimeoutError, Sender};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use common::{Error, OrCannot, Result};

use super::journal::{beside, inode_of};
use super::schema::{cannot, is_broken};
use super::store::Store;
use super::{Entry, Refused, Tidings};
use crate::identity::Key;

/// So often it is looked whether somebody has changed the database, and what failed is tried again.
const TICK: Duration = Duration::from_secs(1);

/// What one half of the journal holds: the last word on each file.
#[derive(Debug, Clone)]
pub(crate) struct Half {
    pub(crate) generation: u64,
    pub(crate) entries: Arc<BTreeMap<Key, Entry>>,
}

/// A folder is watched from now on, and with `seen` its backlog was dealt with.
#[derive(Debug)]
pub(crate) struct Watched {
    pub(crate) root: PathBuf,
    pub(crate) now: i64,
    pub(crate) seen: bool,
}

#[derive(Debug)]
enum Task {
    Half(Half),
    Watched(Watched, Sender<std::result::Result<(), Refused>>),
    Close(Sender<Result<()>>),
}

/// What the scribe has to tell.
#[derive(Debug, Default)]
struct Word {
    /// Why nothing can be stored now.
    trouble: Option<String>,
    /// Why nothing can ever be stored.
    broken: Option<String>,
    changed: bool,
}

#[derive(Debug, Default)]
struct Told {
    stored: AtomicU64,
    word: Mutex<Word>,
    bell: Condvar,
}

impl Told {
    fn word(&self) -> MutexGuard<'_, Word> {
        // Whoever panicked has left sentences and flags, whole ones.
        self.word.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn say(&self, change: impl FnOnce(&mut Word)) {
        change(&mut self.word());
        self.bell.notify_all();
    }
}

/// The scribe, as the keeper of the journal sees him. Dropped, he ends with what he is at.
#[derive(Debug)]
pub(crate) struct Scribe {
    tasks: Option<Sender<Task>>,
    told: Arc<Told>,
    thread: Option<JoinHandle<()>>,
}

impl Scribe {
    /// Starts the thread.
    ///
    /// # Errors
    /// When the system gives no thread.
    pub(crate) fn start(store: Store, generation: u64) -> Result<Self> {
        let (tasks, inbox) = mpsc::channel();
        let told = Arc::new(Told { stored: AtomicU64::new(generation), ..Told::default() });
        let desk = Desk::new(store, Arc::clone(&told));
        let path = desk.store.path.clone();
        let thread = std::thread::Builder::new().name("scribe".into()).spawn(move || desk.work(&inbox));
        let thread = thread.or_cannot("start a thread for", path)?;
        Ok(Self { tasks: Some(tasks), told, thread: Some(thread) })
    }

    /// Hands over a half that is not written any more.
    pub(crate) fn store(&self, half: Half) {
        self.send(Task::Half(half));
    }

    /// Records a folder, and waits until it is done.
    ///
    /// # Errors
    /// When it cannot be stored, for now or for ever.
    pub(crate) fn watch(&self, watched: Watched) -> std::result::Result<(), Refused> {
        self.ask(|answer| Task::Watched(watched, answer), Refused::Broken)
    }

    /// Has everything stored, and ends.
    ///
    /// # Errors
    /// When it cannot be stored; it has ended nevertheless.
    pub(crate) fn close(mut self) -> Result<()> {
        let done = self.ask(Task::Close, |gone| gone);
        self.end();
        done
    }

    /// The generation up to which everything is stored.
    pub(crate) fn stored(&self) -> u64 {
        self.told.stored.load(Ordering::Acquire)
    }

    /// Why nothing can be stored now, if so.
    ///
    /// # Errors
    /// When the ledger is broken.
    pub(crate) fn trouble(&self) -> Result<Option<Error>> {
        let word = self.told.word();
        match &word.broken {
            Some(broken) => Err(Error::failed(broken.clone())),
            None => Ok(word.trouble.clone().map(Error::failed)),
        }
    }

    /// What is wrong, or has changed; the change is told once.
    ///
    /// # Errors
    /// When the ledger is broken.
    pub(crate) fn tidings(&self) -> Result<Tidings> {
        let trouble = self.trouble()?;
        let changed = std::mem::take(&mut self.told.word().changed);
        Ok(Tidings { changed, trouble })
    }

    /// Waits until everything up to `generation` is stored, no longer than `patience`, and not while
    /// there is trouble. Whether it is.
    pub(crate) fn wait(&self, generation: u64, patience: Duration) -> bool {
        let waits =
            |word: &mut Word| self.stored() < generation && word.trouble.is_none() && word.broken.is_none();
        let waited = self.told.bell.wait_timeout_while(self.told.word(), patience, waits);
        drop(waited.unwrap_or_else(PoisonError::into_inner));
        self.stored() >= generation
    }

    fn ask<E>(
        &self,
        task: impl FnOnce(Sender<std::result::Result<(), E>>) -> Task,
        refuse: impl FnOnce(Error) -> E,
    ) -> std::result::Result<(), E> {
        let (answer, answered) = mpsc::channel();
        self.send(task(answer));
        let gone = |_gone| Err(refuse(Error::failed("the thread of the record has ended")));
        answered.recv().unwrap_or_else(gone)
    }

    fn send(&self, task: Task) {
        // Who is gone has said why, and is asked about it.
        let _gone = self.tasks.as_ref().map(|tasks| tasks.send(task));
    }

    fn end(&mut self) {
        self.tasks = None;
        let _ended = self.thread.take().map(JoinHandle::join);
    }
}

impl Drop for Scribe {
    fn drop(&mut self) {
        self.end();
    }
}

/// The thread's own.
struct Desk {
    store: Store,
    told: Arc<Told>,
    halves: VecDeque<Half>,
    version: Option<i64>,
    looked: Instant,
    files: [(PathBuf, Option<(u64, u64)>); 2],
}

impl Desk {
    fn new(store: Store, told: Arc<Told>) -> Self {
        let file = |path: &Path| (path.to_path_buf(), inode_of(path));
        let files = [file(&store.path), file(&beside(&store.path))];
        let version = store.version().ok();
        Self { store, told, halves: VecDeque::new(), version, looked: Instant::now(), files }
    }

    fn work(mut self, inbox: &Receiver<Task>) {
        loop {
            match inbox.recv_timeout(TICK) {
                Ok(Task::Half(half)) => self.halves.push_back(half),
                Ok(Task::Watched(watched, answer)) => {
                    let done = self.store.watch(&watched.root, watched.now, watched.seen);
                    let done = done.map_err(|cause| self.refused(cause));
                    // Who no longer waits needs no answer.
                    let _gone = answer.send(done);
                }
                Ok(Task::Close(answer)) => {
                    let _gone = answer.send(self.finish());
                    return;
                }
                Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => return,
            }
            self.store_halves();
            self.look();
        }
    }

    /// Stores what it was handed, the oldest first. Whether all of it is stored now.
    fn store_halves(&mut self) -> bool {
        while let Some(half) = self.halves.front() {
            if let Err(cause) = self.store.commit(half.generation, &half.entries) {
                self.fail(cause);
                return false;
            }
            self.told.stored.store(half.generation, Ordering::Release);
            self.halves.pop_front();
            self.told.say(|word| word.trouble = None);
        }
        true
    }

    fn fail(&self, cause: rusqlite::Error) {
        let broken = is_broken(&cause);
        let sentence = cannot("write", &self.store.path, cause).to_string();
        self.told.say(|word| {
            let place = if broken { &mut word.broken } else { &mut word.trouble };
            *place = Some(sentence);
        });
    }

    fn refused(&self, cause: rusqlite::Error) -> Refused {
        let refused = if is_broken(&cause) { Refused::Broken } else { Refused::NoRoom };
        refused(cannot("write", &self.store.path, cause))
    }

    /// Now and then: has somebody changed the database, or taken it away?
    fn look(&mut self) {
        if self.looked.elapsed() < TICK {
            return;
        }
        self.looked = Instant::now();
        for (path, inode) in &self.files {
            if inode_of(path) != *inode {
                let what = format!("{} was removed or replaced while it was used", path.display());
                self.told.say(|word| word.broken = Some(what));
            }
        }
        match self.store.version() {
            Ok(version) if self.version.is_some_and(|before| before != version) => {
                self.version = Some(version);
                self.told.say(|word| word.changed = true);
            }
            Ok(version) => self.version = Some(version),
            // What cannot be read now cannot be written either, and that is told.
            Err(_cause) => {}
        }
    }

    fn finish(&mut self) -> Result<()> {
        if !self.store_halves() {
            let word = self.told.word();
            let why = word.broken.as_ref().or(word.trouble.as_ref()).cloned().unwrap_or_default();
            return Err(Error::failed(why));
        }
        // A reader keeps it from being whole, and that is no harm.
        let _later = self.store.checkpoint();
        Ok(())
    }
}
