//! The ledger of one machine: a journal before a store.
//!
//! A record is written into the [`journal`], and then counts. What is in the journal
//! only is kept in memory too, and hides what the [store](super::store) has; when a half of the journal
//! is old or full enough the [scribe](super::scribe) brings it into the store.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime};

use common::{Error, Result};
use files::Lock;
use rustix::io::Errno;

use super::journal::{self, Journal};
use super::room::Room;
use super::schema::{self, Use};
use super::scribe::{Half, Scribe, Watched};
use super::store::Store;
use super::view::Keys;
use super::{Entry, Ledger, Refused, Tidings, View, frame};
use crate::identity::Key;

/// What is recorded goes to the store after this.
const AGE: Duration = Duration::from_millis(100);

/// So long a record waits for room while the store gets on: another process may be writing it. When
/// the store has trouble nothing waits.
const PATIENCE: Duration = Duration::from_secs(2);

/// At the end of each half, for records of claimed files that are longer than their claims foretold.
const SPARE: usize = 1 << 16;

/// So many of which nothing was known are written at once: far less than a half, whatever their names.
const RECORDS_AT_ONCE: usize = 64;

/// A ledger in a file of this machine.
#[derive(Debug)]
pub(crate) struct Local {
    path: PathBuf,
    strict: bool,
    store: Store,
    journal: Journal,
    room: Room,
    /// What the current half of the journal holds.
    fresh: BTreeMap<Key, Entry>,
    /// Since when.
    since: Instant,
    /// What the other half holds, and perhaps the store by now.
    sent: Option<Half>,
    /// Whether what was found in the journal is stored; before, neither half may be written.
    replayed: bool,
    frames: Vec<u8>,
    /// Before the lock: when it is dropped nothing is stored any more.
    scribe: Scribe,
    _lock: Lock,
}

impl Local {
    /// Opens the ledger at `path`, or creates it with its folder, readable for nobody else. With
    /// `strict` a claim is on the disk before it is granted.
    ///
    /// # Errors
    /// Status 75 with the holder when another watcher has it. Status 2 when it cannot be opened,
    /// created or written, or is something else, damaged, or of a newer version: the sentence names
    /// the way out. What was recorded is as it was.
    pub(crate) fn open(path: &Path, strict: bool) -> Result<Self> {
        // A file that grows beyond `ulimit -f` is then an error, and not the end of the process.
        let ignored = Arc::new(std::sync::atomic::AtomicBool::new(false));
        let _as_it_was = signal_hook::flag::register(signal_hook::consts::SIGXFSZ, ignored);
        let beside = journal::beside(path);
        schema::is_file(path)?;
        schema::make_folder(path)?;
        let lock = journal::lock(&beside)?;
        let writer = Store::open(path, Use::Create)?;
        let mark = writer.mark()?;
        let (journal, pending) = Journal::open(&beside, mark.id, mark.generation)?;
        let scribe = Scribe::start(writer, mark.generation)?;
        let sent = (!pending.entries.is_empty())
            .then(|| Half { generation: pending.generation, entries: Arc::new(pending.entries) });
        if let Some(half) = &sent {
            scribe.store(half.clone());
        }
        Ok(Self {
            path: path.to_path_buf(),
            strict,
            store: Store::open(path, Use::Read)?,
            journal,
            room: Room::default(),
            fresh: BTreeMap::new(),
            since: Instant::now(),
            replayed: sent.is_none(),
            sent,
            frames: Vec::new(),
            scribe,
            _lock: lock,
        })
    }

    /// Forgets what the store has got. Whether the other half of the journal is free.
    fn is_free(&mut self) -> bool {
        let stored = self.scribe.stored();
        if self.sent.as_ref().is_some_and(|half| half.generation <= stored) {
            self.sent = None;
        }
        self.replayed |= self.sent.is_none();
        self.sent.is_none()
    }

    /// Hands the current half to the scribe, and goes on in the other one, which must be free.
    fn turn(&mut self) {
        if self.fresh.is_empty() {
            return;
        }
        let entries = Arc::new(std::mem::take(&mut self.fresh));
        let half = Half { generation: self.journal.turn(), entries };
        self.scribe.store(half.clone());
        self.sent = Some(half);
    }

    /// Turns when it is time.
    fn turn_in_time(&mut self) {
        let (half, used) = self.journal.fill();
        let is_time = used > half / 4 || self.since.elapsed() >= AGE;
        if !self.fresh.is_empty() && is_time && self.is_free() {
            self.turn();
        }
    }

    /// Whether `need` bytes more fit into the current half, beside what is reserved.
    fn fits(&self, need: usize, spare: usize) -> bool {
        let (half, used) = self.journal.fill();
        self.replayed && used + (need + self.room.reserved() + spare) as u64 <= half
    }

    /// Whether records fit for which room was reserved. Only where there are more of one file than can
    /// be, or longer ones than its claim foretold, that is a question.
    fn fits_reserved(&self, entries: &[&Entry]) -> bool {
        let need = self.frames.len();
        let foreseen: usize = entries.iter().map(|entry| self.room.of(entry.key)).sum();
        let (half, used) = self.journal.fill();
        self.fits(need.saturating_sub(foreseen), 0) && used + need as u64 <= half
    }

    /// Makes room for `need` bytes that nothing was reserved for.
    fn make_room(&mut self, need: usize) -> std::result::Result<(), Refused> {
        if self.fits(need, SPARE) {
            return Ok(());
        }
        self.wait_for_room()?;
        self.turn();
        if self.fits(need, SPARE) {
            return Ok(());
        }
        let whole = (need + self.room.reserved() + SPARE) as u64;
        if self.room.reserved() > 0 && whole > journal::LONGEST_HALF {
            let path = self.journal.path().display();
            let what = format!("{path} is full of what is being worked on; it goes on when that has ended");
            return Err(Refused::NoRoom(Error::failed(what)));
        }
        self.wait_for_room()?;
        self.journal.grow(whole).map_err(Refused::NoRoom)
    }

    /// Waits until the other half is free, as long as the store gets on.
    fn wait_for_room(&mut self) -> std::result::Result<(), Refused> {
        if let Some(half) = &self.sent {
            self.scribe.wait(half.generation, PATIENCE);
        }
        if self.is_free() {
            return Ok(());
        }
        let trouble = self.scribe.trouble().map_err(Refused::Broken)?;
        let path = self.path.display();
        let slow = || Error::failed(format!("cannot write the record {path} as fast as files are recorded"));
        Err(Refused::NoRoom(trouble.unwrap_or_else(slow)))
    }

    /// Encodes entries; returns the length of each frame.
    fn encode(&mut self, entries: &[&Entry]) -> std::result::Result<Vec<usize>, Refused> {
        self.frames.clear();
        let lengths = entries.iter().map(|entry| frame::push(&mut self.frames, entry)).collect();
        let path = &self.path;
        let endless = || Error::failed(format!("cannot write the record {}: too long", path.display()));
        let lengths: Option<Vec<usize>> = lengths;
        lengths.ok_or_else(|| Refused::Broken(endless()))
    }

    /// Writes what was encoded, and keeps it in memory.
    fn write(&mut self, entries: &[&Entry], flush: bool) -> std::result::Result<(), Refused> {
        self.journal.append(&mut self.frames, flush).map_err(|cause| {
            let full = [Errno::NOSPC, Errno::DQUOT].map(|errno| Some(errno.raw_os_error()));
            let is_full = full.contains(&cause.raw_os_error());
            let path = self.journal.path().display();
            let error = Error::failed(format!("cannot write {path}")).because(cause);
            if is_full { Refused::NoRoom(error) } else { Refused::Broken(error) }
        })?;
        if self.fresh.is_empty() {
            self.since = Instant::now();
        }
        self.fresh.extend(entries.iter().map(|&entry| (entry.key, entry.clone())));
        Ok(())
    }

    /// Records entries for which room was reserved, or for which none was: never both.
    fn record_all(&mut self, entries: &[&Entry], reserved: bool) -> std::result::Result<(), Refused> {
        if entries.is_empty() {
            return Ok(());
        }
        self.encode(entries)?;
        if !(reserved && self.fits_reserved(entries)) {
            self.make_room(self.frames.len())?;
        }
        self.write(entries, false)?;
        for entry in entries {
            self.room.release(entry);
        }
        Ok(())
    }
}

impl Ledger for Local {
    fn get(&mut self, key: &Key) -> Result<Option<Entry>> {
        if let Some(entry) = self.fresh.get(key) {
            return Ok(Some(entry.clone()));
        }
        self.is_free();
        match self.sent.as_ref().and_then(|half| half.entries.get(key)) {
            Some(entry) => Ok(Some(entry.clone())),
            None => self.store.stored(key),
        }
    }

    fn claim(&mut self, entries: &[Entry]) -> std::result::Result<(), Refused> {
        let entries: Vec<&Entry> = entries.iter().collect();
        let lengths = self.encode(&entries)?;
        let later: usize = lengths.iter().map(|&length| Room::for_claim(length)).sum();
        self.make_room(self.frames.len() + later)?;
        self.write(&entries, self.strict)?;
        for (entry, length) in entries.iter().zip(lengths) {
            self.room.reserve(entry.key, length);
        }
        self.turn_in_time();
        Ok(())
    }

    fn record(&mut self, entries: &[Entry]) -> std::result::Result<(), Refused> {
        // First what there is room for in any case.
        let (claimed, others): (Vec<&Entry>, Vec<&Entry>) =
            entries.iter().partition(|entry| self.room.of(entry.key) > 0);
        self.record_all(&claimed, true)?;
        for piece in others.chunks(RECORDS_AT_ONCE) {
            self.record_all(piece, false)?;
        }
        self.turn_in_time();
        Ok(())
    }

    fn open_entries(&mut self) -> Result<Vec<Entry>> {
        self.is_free();
        let stored = self.store.open_entries()?;
        let mut all: BTreeMap<Key, Entry> = stored.into_iter().map(|entry| (entry.key, entry)).collect();
        let sent = self.sent.iter().flat_map(|half| half.entries.values());
        all.extend(sent.chain(self.fresh.values()).map(|entry| (entry.key, entry.clone())));
        let mut open: Vec<Entry> = all.into_values().filter(|entry| entry.state.is_open()).collect();
        open.sort_by_key(|entry| entry.at);
        Ok(open)
    }

    fn watched_since(&mut self, root: &Path) -> Result<(bool, i64)> {
        if let Some(known) = self.store.root(root)? {
            return Ok(known);
        }
        let now = now();
        let watched = self.scribe.watch(Watched { root: root.to_path_buf(), now, seen: false });
        watched.or_else(Refused::into_error)?;
        Ok(self.store.root(root)?.unwrap_or((false, now)))
    }

    fn backlog_seen(&mut self, root: &Path) -> std::result::Result<(), Refused> {
        self.scribe.watch(Watched { root: root.to_path_buf(), now: now(), seen: true })
    }

    fn tend(&mut self) -> Result<Tidings> {
        self.turn_in_time();
        self.is_free();
        self.scribe.tidings()
    }

    fn view(&self) -> Result<Box<dyn View>> {
        Ok(Box::new(Keys::open(&self.path)?))
    }

    fn close(mut self: Box<Self>) -> Result<()> {
        // Whether the other half is free or not: nothing more is written.
        self.turn();
        let Self { store, scribe, .. } = *self;
        drop(store);
        scribe.close()
    }
}

/// The present, in milliseconds since 1970.
fn now() -> i64 {
    let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since.as_millis()).unwrap_or(i64::MAX)
}
