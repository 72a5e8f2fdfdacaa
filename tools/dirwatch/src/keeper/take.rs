//! Taking files: what is really there, against the ledger.

use std::io::ErrorKind;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use common::Result;

use crate::backoff;
use crate::hands::Task;
use crate::identity::{Identity, Key, Kind, Stamp, content_key, path_key, version_key};
use crate::keeper::{Keeper, Taken};
use crate::ledger::{Entry, Refused, State};
use crate::queue::Item;
use crate::ready::{How, Now, Verdict, look};
use crate::worker::{Job, JobFile};

/// How soon a file that is being written is looked at again, should nobody tell that it was closed:
/// twice as late each time, up to [`SELDOM`].
const SOON: Duration = Duration::from_millis(50);
const SELDOM: Duration = Duration::from_secs(5);

/// How often in a row a file may change while its own command runs, before the next start waits.
const OWN_CHANGES: u32 = 5;

/// How many files are looked at before others have their turn: some milliseconds.
const LOOKS: usize = 512;

/// How many files are hashed ahead of the commands that want them.
const HASHED_AHEAD: usize = 4;

impl Keeper<'_> {
    /// Starts commands as long as there is room for them and something to start.
    pub(super) fn dispatch(&mut self) -> Result<()> {
        let now = self.clock.now();
        (self.looks, self.more_to_take) = (0, false);
        if self.ending.is_some() || self.must_know_all() || self.is_paused(now.monotonic) {
            return Ok(());
        }
        match self.watch.work.batch {
            Some(batch) => self.dispatch_batches(batch.most, now),
            None => self.dispatch_singly(now),
        }
    }

    /// Whether there is room again shows with the next claim.
    fn is_paused(&self, now: Instant) -> bool {
        self.paused.is_some_and(|until| now < until)
    }

    fn dispatch_singly(&mut self, now: Now) -> Result<()> {
        let mut taken = Vec::new();
        while taken.len() < self.free() {
            let Some(one) = self.next_taken(now)? else { break };
            taken.push(one);
        }
        let Some(taken) = self.claim(taken)? else { return Ok(()) };
        if self.watch.work.command.is_none() {
            return self.print(taken);
        }
        for one in taken {
            self.start_job(vec![one]);
        }
        Ok(())
    }

    fn dispatch_batches(&mut self, most: usize, now: Now) -> Result<()> {
        while self.free() > 0 {
            while self.gathered.len() < most {
                let Some(one) = self.next_taken(now)? else { break };
                if one.entry.failures > 0 {
                    // A batch failed: each of its files goes alone, so that one cannot spoil the others.
                    if let Some(alone) = self.claim(vec![one])? {
                        self.start_job(alone);
                    }
                    if self.free() == 0 {
                        return Ok(());
                    }
                    continue;
                }
                self.gathered_since.get_or_insert(now.monotonic);
                self.flying.insert(Arc::clone(&one.path), false);
                self.gathered.push(one);
            }
            let full = self.gathered.len() >= most;
            let late = self.gathered_until().is_some_and(|until| until <= now.monotonic);
            if self.gathered.is_empty() || !(full || late) {
                return Ok(());
            }
            self.drop_changed();
            let files: Vec<JobFile> = self.gathered.iter().map(job_file).collect();
            let command = self.watch.work.command.as_ref();
            let fits = command.map_or(1, |command| command.fits(&files, self.arguments)).max(1);
            let rest = self.gathered.split_off(fits.min(self.gathered.len()));
            let batch = std::mem::replace(&mut self.gathered, rest);
            self.gathered_since = (!self.gathered.is_empty()).then_some(now.monotonic);
            if let Some(batch) = self.claim(batch)? {
                self.start_job(batch);
            }
        }
        Ok(())
    }

    /// Files that changed while their batch waited for more have their turn once more.
    fn drop_changed(&mut self) {
        let follow = self.watch.place.follow;
        let is_same =
            |one: &mut Taken| Stamp::of(&one.path, follow).is_ok_and(|now| now.is_same_version(&one.stamp));
        let changed: Vec<Taken> = self.gathered.extract_if(.., |one| !is_same(one)).collect();
        self.put_back(changed);
    }

    /// Until when a batch waits for more; what is there at the end of a single pass is all.
    pub(super) fn gathered_until(&self) -> Option<Instant> {
        let wait = self.watch.work.batch?.wait;
        let wait = if self.watch.place.once && self.settled { Duration::ZERO } else { wait };
        self.gathered_since.map(|since| since + wait)
    }

    /// How many more commands may be started.
    fn free(&self) -> usize {
        match self.watch.work.command {
            Some(_) => self.watch.work.jobs.saturating_sub(self.flight.len()),
            None => 256,
        }
    }

    /// The next file that is complete and unknown.
    fn next_taken(&mut self, now: Now) -> Result<Option<Taken>> {
        while self.looks < LOOKS && self.in_hands < HASHED_AHEAD + self.watch.work.jobs {
            let Some(item) = self.queue.pop() else { return Ok(None) };
            self.looks += 1;
            if let Some(taken) = self.consider(item, now)? {
                return Ok(Some(taken));
            }
        }
        self.more_to_take = self.looks >= LOOKS;
        Ok(None)
    }

    /// What is really there, against the ledger; `None` when there is nothing to do now.
    fn consider(&mut self, item: Item, now: Now) -> Result<Option<Taken>> {
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
        let marked = place.which.marker_of(&item.path).is_none_or(|marker| marker.exists());
        if stamp.kind != Kind::File || !place.which.takes_size(stamp.size) || !marked {
            return Ok(None);
        }
        let Some(item) = self.against_ledger(item, &stamp, now)? else { return Ok(None) };
        self.complete(item, stamp, now)
    }

    fn unreachable(&mut self, item: Item, error: &std::io::Error, now: Now) -> Result<Option<Taken>> {
        if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory) {
            self.gone(item)?;
        } else {
            log::warn!("cannot look at {}: {error}; trying again", item.path.display());
            self.later.push(now.monotonic + SELDOM, item);
        }
        Ok(None)
    }

    /// What is to be attempted again is recorded as gone; of others nothing is known.
    pub(super) fn gone(&mut self, item: Item) -> Result<()> {
        let Some(earlier) = item.earlier else { return Ok(()) };
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

    /// Whether the file is to be taken, as far as the ledger knows; `None` when it is not, or not yet.
    fn against_ledger(&mut self, mut item: Item, stamp: &Stamp, now: Now) -> Result<Option<Item>> {
        let key = self.key_of(item.root, &item.path, stamp);
        if let Some(earlier) = &item.earlier {
            if self.is_unchanged(earlier, key, stamp) {
                return Ok(Some(item));
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
                self.leave(&item, key, stamp)
            } else {
                Ok(Some(item))
            };
        };
        if !matches!(known.state, State::Retry | State::Again) {
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

    /// Whether it was there before its folder was ever watched, and is to be left for that.
    fn is_backlog(&self, root: usize, stamp: &Stamp) -> bool {
        let since = &self.since[root];
        self.watch.work.new_only && !since.dealt_with && stamp.changed / 1_000_000 < since.first
    }

    fn leave(&mut self, item: &Item, key: Key, stamp: &Stamp) -> Result<Option<Item>> {
        let entry = self.entry_of(item, key, stamp);
        self.record(&[Entry { state: State::Left, attempt: 0, ..entry }])?;
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
            Ok(Verdict::Gone) => return self.gone(item).map(|()| None),
            Ok(Verdict::NoFile) => return Ok(None),
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
                Some(file) => self.task(Task::Hash { item, stamp, file }),
                None => log::error!("cannot read {} to hash it: Permission denied", item.path.display()),
            }
            return Ok(None);
        }
        self.taken(item, stamp)
    }

    fn wants_hash(&self) -> bool {
        let command = self.watch.work.command.as_ref();
        self.watch.place.identity == Identity::Content || command.is_some_and(|command| command.wants_hash())
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
        if *times == OWN_CHANGES {
            let path = item.path.display();
            log::warn!(
                "{path} changes each time its command runs, and is a new file then; taking it less and less often"
            );
        }
        let until = item.found + wait;
        if until > now.monotonic {
            self.later.push(until, item.clone());
        }
        until > now.monotonic
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

    /// Claims files; `None` when there is no room to record that, and they wait again.
    fn claim(&mut self, taken: Vec<Taken>) -> Result<Option<Vec<Taken>>> {
        let entries: Vec<Entry> = taken.iter().map(|one| one.entry.clone()).collect();
        if entries.is_empty() {
            return Ok(None);
        }
        match self.ledger.claim(&entries) {
            Ok(()) => {}
            Err(Refused::Broken(error)) => return Err(error),
            Err(refused) => {
                self.put_back(taken);
                if let Refused::NoRoom(error) = refused {
                    self.pause(&error);
                }
                return Ok(None);
            }
        }
        if self.paused.take().is_some() {
            log::warn!("there is room again; going on");
        }
        let aliases: Vec<Entry> = taken.iter().filter_map(alias_of).collect();
        if !aliases.is_empty() {
            self.record(&aliases)?;
        }
        self.numbers.seen += taken.iter().filter(|one| one.entry.attempt == 1).count() as u64;
        Ok(Some(taken))
    }

    fn put_back(&mut self, taken: Vec<Taken>) {
        for one in taken.into_iter().rev() {
            self.flying.remove(&one.path);
            let mut item = Item::new(one.root, one.path, Instant::now());
            if one.entry.attempt > 1 || one.entry.failures > 0 {
                item.earlier = Some(Box::new(Entry { attempt: one.entry.attempt - 1, ..one.entry }));
            }
            self.queue.push_front(item, || one.stamp.modified);
        }
    }

    fn start_job(&mut self, taken: Vec<Taken>) {
        let Some(workers) = &self.around.workers else { return };
        self.jobs += 1;
        let job = Job { id: self.jobs, files: taken.iter().map(job_file).collect() };
        for one in &taken {
            log::debug!("starting {} attempt={}", one.path.display(), one.entry.attempt);
            self.flying.insert(Arc::clone(&one.path), false);
        }
        self.flight.insert(job.id, taken);
        workers.submit(job);
    }
}

fn job_file(taken: &Taken) -> JobFile {
    JobFile {
        path: taken.path.to_path_buf(),
        key: taken.entry.key,
        attempt: taken.entry.attempt,
        hash: taken.hash.clone(),
    }
}

fn alias_of(taken: &Taken) -> Option<Entry> {
    let key = taken.alias?;
    Some(Entry { key, state: State::Same, ..taken.entry.clone() })
}
