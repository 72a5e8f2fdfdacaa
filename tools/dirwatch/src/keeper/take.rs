//! Taking files: what is really there, against the ledger.

use std::io::ErrorKind;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use common::Result;

use crate::backoff;
use crate::hands::Task;
use crate::identity::{Identity, Key, Kind, Stamp, content_key, path_key, version_key};
use crate::keeper::{Keeper, ROOM, Taken};
use crate::ledger::{Entry, Refused, State};
use crate::queue::Item;
use crate::ready::{How, Now, Verdict, look};

/// How soon a file that is being written is looked at again, should nobody tell that it was closed:
/// twice as late each time, up to [`SELDOM`].
const SOON: Duration = Duration::from_millis(50);
const SELDOM: Duration = Duration::from_secs(5);

/// How often in a row a file may change while its own command runs, before the next start waits.
const OWN_CHANGES: u32 = 5;

impl Keeper<'_> {
    /// What is really there, against the ledger; `None` when there is nothing to do now.
    pub(super) fn consider(&mut self, item: Item, now: Now) -> Result<Option<Taken>> {
        let place = &self.watch.place;
        if let Some(dirty) = self.flying.get_mut(&item.path) {
            *dirty = true;
            return Ok(None);
        }
        let stamp = match Stamp::of(&item.path, place.follow) {
            Ok(stamp) => stamp,
            Err(error) => return self.unreachable(item, &error, now),
        };
        if stamp.kind == Kind::Folder {
            self.around.scanner.folder(item.path.to_path_buf());
        }
        if stamp.kind != Kind::File {
            return self.vanished(item);
        }
        let marked = place.which.marker_of(&item.path).is_none_or(|marker| marker.exists());
        if !place.which.takes_size(stamp.size) || !marked {
            return Ok(None);
        }
        let Some(item) = self.against_ledger(item, &stamp, now)? else { return Ok(None) };
        self.complete(item, stamp, now)
    }

    fn unreachable(&mut self, item: Item, error: &std::io::Error, now: Now) -> Result<Option<Taken>> {
        if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory) {
            return self.vanished(item);
        }
        self.unreadable(item, &format!("look at it: {error}"), now.monotonic + SELDOM);
        Ok(None)
    }

    /// What cannot be read waits for a later moment, which a single pass does not have; said once.
    pub(super) fn unreadable(&mut self, item: Item, what: &str, again: Instant) {
        if self.unreadable.len() >= ROOM {
            self.unreadable.clear();
        }
        let once = self.watch.place.once;
        if self.unreadable.insert(Arc::clone(&item.path)) {
            let when = if once { "it is left for the next run" } else { "trying again" };
            log::warn!("{}: cannot {what}; {when}", item.path.display());
            self.undone += 1;
        }
        if !once {
            self.later.push(again, item);
        }
    }

    /// There is no file of this name now.
    fn vanished(&mut self, item: Item) -> Result<Option<Taken>> {
        if !self.changing.is_empty() {
            self.changing.remove(&item.path);
        }
        self.gone(item).map(|()| None)
    }

    /// What is to be attempted again is recorded as gone; of others nothing is known.
    pub(super) fn gone(&mut self, item: Item) -> Result<()> {
        let Some(earlier) = item.earlier else { return Ok(()) };
        // Under another name of it, its command may have been started again, or have succeeded.
        if !self.ledger.get(&earlier.key)?.is_some_and(|known| is_wanted(&known, &earlier)) {
            return Ok(());
        }
        log::info!("{} is gone; there is no other attempt", earlier.path.display());
        let at = self.wall();
        self.record(&[Entry { state: State::Gone, due: 0, at, ..*earlier }])
    }

    /// The key by which a file is known before anybody reads it.
    pub(super) fn key_of(&self, root: usize, path: &Path, stamp: &Stamp) -> Key {
        match self.watch.place.identity {
            Identity::Version | Identity::Content => version_key(&self.watch.place.roots[root], stamp),
            Identity::Path => path_key(path),
        }
    }

    /// Whether the file behind a name is the one that is to be attempted again. Of a content, only size
    /// and time are known before it is read.
    fn is_unchanged(&self, earlier: &Entry, key: Key, stamp: &Stamp) -> bool {
        match self.watch.place.identity {
            Identity::Content => (earlier.size, earlier.modified) == (stamp.size, stamp.modified),
            Identity::Version | Identity::Path => earlier.key == key,
        }
    }

    /// Whether the file at the path of an entry is the one whose command has run. Another one may have
    /// the same size and time.
    pub(super) fn is_still(&self, entry: &Entry, root: usize, stamp: &Stamp) -> bool {
        (entry.size, entry.modified) == (stamp.size, stamp.modified)
            && self.is_unchanged(entry, self.key_of(root, &entry.path, stamp), stamp)
    }

    /// Whether the file is to be taken, as far as the ledger knows; `None` when it is not, or not yet.
    fn against_ledger(&mut self, mut item: Item, stamp: &Stamp, now: Now) -> Result<Option<Item>> {
        let key = self.key_of(item.root, &item.path, stamp);
        if let Some(earlier) = &item.earlier {
            if self.is_unchanged(earlier, key, stamp) {
                return self.attempt_again(item);
            }
            // Something else has its name by now.
            let replaced = Item {
                earlier: item.earlier.take(),
                ..Item::new(item.root, Arc::clone(&item.path), item.found)
            };
            self.gone(replaced)?;
        }
        let Some(known) = self.ledger.get(&key)? else {
            return if self.is_backlog(item.root, stamp) {
                self.leave(item, key, stamp)
            } else {
                Ok(Some(item))
            };
        };
        if !matches!(known.state, State::Retry | State::Again | State::Gone) {
            return Ok(None);
        }
        let wait = backoff::remaining(known.due, now.milliseconds(), self.watch.work.backoff.most);
        item.earlier = Some(Box::new(Entry { path: item.path.to_path_buf(), ..known }));
        if wait.is_zero() {
            return Ok(Some(item));
        }
        if !self.watch.place.once {
            self.later.push(now.monotonic + wait, item);
        }
        Ok(None)
    }

    /// Another attempt, if the record still wants it: meanwhile somebody may have asked for it, which was
    /// done at once, or have it forgotten, and then it is new.
    fn attempt_again(&mut self, mut item: Item) -> Result<Option<Item>> {
        let Some(earlier) = item.earlier.take() else { return Ok(Some(item)) };
        let Some(known) = self.ledger.get(&earlier.key)? else { return Ok(Some(item)) };
        let is_wanted = is_wanted(&known, &earlier);
        item.earlier = Some(Box::new(Entry { path: item.path.to_path_buf(), ..known }));
        Ok(is_wanted.then_some(item))
    }

    /// Whether it was there before its folder was ever watched, and is to be left for that.
    fn is_backlog(&self, root: usize, stamp: &Stamp) -> bool {
        let since = &self.since[root];
        self.watch.work.new_only && !since.dealt_with && stamp.changed / 1_000_000 < since.first
    }

    fn leave(&mut self, item: Item, key: Key, stamp: &Stamp) -> Result<Option<Item>> {
        let entry = self.entry_of(&item, key, stamp);
        match self.ledger.record(&[Entry { state: State::Left, attempt: 0, ..entry }]) {
            Ok(()) | Err(Refused::Taken) => {}
            // Dropped it would be new when it is found again, with the backlog dealt with by then.
            Err(Refused::NoRoom(error)) => {
                self.pause(&error);
                self.queue.push_front(item, || stamp.modified);
            }
            Err(Refused::Broken(error)) => return Err(error),
        }
        Ok(None)
    }

    /// Whether nobody writes it any more; hashed where the command or the identity wants that.
    fn complete(&mut self, mut item: Item, was: Stamp, now: Now) -> Result<Option<Taken>> {
        let follow = self.watch.place.follow;
        let how = How { follow, settle: self.watch.work.settle, seen: item.seen.as_deref().copied() };
        let (stamp, file) = match look(&item.path, was, &how, now) {
            Ok(Verdict::Complete(stamp, file)) => (stamp, file),
            Ok(Verdict::Busy) => return Ok(self.busy(item, now)),
            Ok(Verdict::Unquiet(stamp, wait)) => {
                if item.seen.as_ref().is_none_or(|seen| seen.0 != stamp) {
                    item.seen = Some(Box::new((stamp, now.monotonic)));
                }
                self.later.push(now.monotonic + wait, item);
                return Ok(None);
            }
            Ok(Verdict::Gone | Verdict::NoFile) => return self.vanished(item),
            Err(error) => return self.unreachable(item, &error, now),
        };
        if !stamp.is_same_version(&was) {
            self.queue.push_front(item, || stamp.modified);
            return Ok(None);
        }
        if self.holds_back(&item, now) {
            return Ok(None);
        }
        if self.wants_hash() && item.hashed.as_ref().is_none_or(|hashed| !hashed.0.is_same_version(&stamp)) {
            match file {
                Some(file) => self.task(Task::Hash { item: Box::new(item), stamp, file }),
                None => {
                    self.unreadable(item, "read it to hash it: Permission denied", now.monotonic + SELDOM);
                }
            }
            return Ok(None);
        }
        self.taken(item, stamp)
    }

    fn wants_hash(&self) -> bool {
        let command = self.watch.work.command.as_ref();
        self.watch.place.identity == Identity::Content
            || command.is_some_and(crate::template::Template::wants_hash)
    }

    /// Somebody writes it: it is looked at again when he has closed it, and now and then before.
    fn busy(&mut self, mut item: Item, now: Now) -> Option<Taken> {
        if self.watch.place.once && self.settled {
            log::warn!("{} is being written; it is left for the next run", item.path.display());
            return None;
        }
        let wait = SOON.saturating_mul(1 << item.busy.min(10)).min(SELDOM);
        item.busy += 1;
        self.later.push(now.monotonic + wait, item);
        None
    }

    /// Whether a file is held back because its own command changes it each time it runs.
    fn holds_back(&mut self, item: &Item, now: Now) -> bool {
        let Some(times) = self.changing.get_mut(&item.path).filter(|times| **times >= OWN_CHANGES) else {
            return false;
        };
        let backoff = self.watch.work.backoff;
        let wait = backoff::wait_after(backoff, *times - OWN_CHANGES + 1, 1.0);
        let until = item.found + wait;
        if until <= now.monotonic {
            return false;
        }
        // A single pass would not end for it.
        let is_first = self.watch.place.once || self.later.push(until, item.clone());
        if is_first && *times == OWN_CHANGES {
            let path = item.path.display();
            log::warn!(
                "{path} changes each time its command runs, and is a new file then; taking it less and less often"
            );
        }
        true
    }

    fn entry_of(&mut self, item: &Item, key: Key, stamp: &Stamp) -> Entry {
        let (attempt, failures) =
            item.earlier.as_ref().map_or((0, 0), |known| (known.attempt, known.failures));
        Entry {
            key,
            path: item.path.to_path_buf(),
            size: stamp.size,
            modified: stamp.modified,
            state: State::Started,
            attempt: attempt.saturating_add(1),
            failures,
            at: self.wall(),
            due: 0,
            took: 0,
            note: String::new(),
        }
    }

    /// A complete file with its entry; `None` when its content is known under another name.
    fn taken(&mut self, item: Item, stamp: Stamp) -> Result<Option<Taken>> {
        if !self.unreadable.is_empty() {
            self.unreadable.remove(&item.path);
        }
        let version = self.key_of(item.root, &item.path, &stamp);
        let hash = item.hashed.as_ref().map(|hashed| hashed.1);
        let key = match (self.watch.place.identity, &hash) {
            (Identity::Content, Some(hash)) => content_key(hash),
            _ => version,
        };
        let entry = self.entry_of(&item, key, &stamp);
        if key != version
            && item.earlier.as_ref().is_none_or(|earlier| earlier.key != key)
            && self.ledger.get(&key)?.is_some()
        {
            log::info!("{} has a content that is known", item.path.display());
            self.record(&[Entry { key: version, state: State::Same, attempt: 0, ..entry }])?;
            return Ok(None);
        }
        let alias = (key != version).then_some(version);
        let hash = hash.map(|hash| hash.to_hex().to_string());
        Ok(Some(Taken { root: item.root, path: item.path, stamp, entry, hash, alias }))
    }
}

/// Whether nothing has happened since to a file that is to be attempted again.
fn is_wanted(known: &Entry, earlier: &Entry) -> bool {
    matches!(known.state, State::Retry | State::Again | State::Started | State::Gone)
        && known.attempt == earlier.attempt
}
