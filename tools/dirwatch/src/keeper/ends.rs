//! What became of files: recorded, put away, tried again.

use std::io::ErrorKind;
use std::path::Path;
use std::time::{Duration, Instant, SystemTime};

use common::{Error, Result};

use crate::backoff;
use crate::commands::{End, Ended};
use crate::filing::Filed;
use crate::hands::{Away, Task};
use crate::identity::Stamp;
use crate::keeper::{Keeper, PAUSE, Taken, Unfiled};
use crate::ledger::{Entry, State};
use crate::plan::After;
use crate::queue::Item;

/// How soon what could not be put away is tried again: the disk may be full for a while.
const FILE_AGAIN: Duration = Duration::from_secs(30);

/// Longer than anything here waits.
const NEVER: Duration = Duration::from_secs(86_400);

impl Keeper<'_> {
    /// Records how commands ended, all at once, and does what follows from it.
    pub(super) fn ended(&mut self, ended: Vec<Ended>) -> Result<()> {
        let mut results = Vec::new();
        for one in ended {
            let Some(taken) = self.flight.remove(&one.job.id) else { continue };
            self.judge(taken, &one, &mut results);
            if let End::NotRunnable(error) = one.end {
                self.fail(error);
            }
        }
        let entries: Vec<Entry> = results.iter().map(|taken| taken.entry.clone()).collect();
        if !entries.is_empty() {
            self.record(&entries)?;
        }
        for taken in results {
            self.follow_up(taken);
        }
        Ok(())
    }

    /// The command cannot be run at all: nothing more is taken, and that is how the run ends.
    pub(super) fn fail(&mut self, error: Error) {
        if self.failed.is_none() {
            self.failed = Some(error);
        }
        self.stop();
    }

    /// What the end of a command means for each of its files.
    fn judge(&mut self, taken: Vec<Taken>, ended: &Ended, results: &mut Vec<Taken>) {
        let now = self.wall();
        for mut one in taken {
            one.entry.at = now;
            one.entry.took = u64::try_from(ended.took.as_millis()).unwrap_or(u64::MAX);
            match &ended.end {
                End::Success => self.succeeded(&mut one),
                End::Failure(why) => self.attempt_failed(&mut one, why.clone()),
                End::Unreadable(error) if error.kind() == ErrorKind::NotFound => {
                    one.entry.state = State::Gone;
                }
                End::Unreadable(error) => self.attempt_failed(&mut one, format!("cannot open it: {error}")),
                // It stays as it is recorded: started, and without an end.
                End::Interrupted => {
                    self.flying.remove(&one.path);
                    continue;
                }
                // It was none of the file's fault, and no attempt.
                End::NotRunnable(_) => unstarted(&mut one, now),
                End::NoRoom(error) => {
                    unstarted(&mut one, now);
                    // Within a single pass there is no other attempt.
                    self.undone += 1;
                    self.pause(&Error::failed("cannot start a command").because(error.to_string()));
                }
            }
            results.push(one);
        }
    }

    fn succeeded(&mut self, taken: &mut Taken) {
        self.numbers.done += 1;
        self.numbers.last_success = Some(SystemTime::now());
        taken.entry.note = String::new();
        taken.entry.state = match self.watch.work.after {
            After::Keep => State::Done,
            After::Move(_) | After::Delete => State::Passed,
        };
        log::debug!("done with {} took_ms={}", taken.path.display(), taken.entry.took);
    }

    fn attempt_failed(&mut self, taken: &mut Taken, why: String) {
        let work = &self.watch.work;
        let (path, entry) = (taken.path.display(), &mut taken.entry);
        entry.failures = entry.failures.saturating_add(1);
        if entry.failures <= work.retries {
            let wait = backoff::wait_after(work.backoff, entry.failures, fastrand::f64());
            entry.state = State::Retry;
            entry.due = entry.at.saturating_add(i64::try_from(wait.as_millis()).unwrap_or(i64::MAX));
            let again =
                if self.watch.place.once { "by a later run".into() } else { format!("in {wait:.1?}") };
            log::warn!("{path}: {why}; attempt={}, trying again {again}", entry.attempt);
            self.numbers.retried += 1;
        } else {
            entry.state = if work.failed_dir.is_some() { State::Rejected } else { State::Failed };
            log::error!("{path}: {why}; attempt={}, giving up", entry.attempt);
            self.numbers.failed += 1;
        }
        entry.note = why;
        self.undone += 1;
    }

    /// What follows from an end that is recorded.
    fn follow_up(&mut self, taken: Taken) {
        let dirty = self.flying.remove(&taken.path).unwrap_or_default();
        let now = Instant::now();
        let mut item = Item::new(taken.root, taken.path.clone(), now);
        match taken.entry.state {
            State::Retry => {
                self.has_changed_meanwhile(&taken.path, &taken.stamp);
                let wall = self.wall();
                let wait = backoff::remaining(taken.entry.due, wall, self.watch.work.backoff.most);
                item.earlier = Some(Box::new(taken.entry));
                if !self.watch.place.once {
                    self.later.push(now + wait, item);
                }
            }
            State::Passed | State::Rejected => {
                self.has_changed_meanwhile(&taken.path, &taken.stamp);
                self.put_away(taken.root, taken.stamp, taken.entry);
            }
            _ => self.look_for_own_change(&taken, dirty, item),
        }
    }

    /// A file that changed meanwhile is a new one. Whether its own command did that shows when it
    /// happens again and again.
    fn look_for_own_change(&mut self, taken: &Taken, dirty: bool, item: Item) {
        if self.has_changed_meanwhile(&taken.path, &taken.stamp) || dirty {
            self.queue.push(item, || taken.stamp.modified);
        }
    }

    /// Whether a file is another version than before its command; counts how often in a row.
    fn has_changed_meanwhile(&mut self, path: &Path, before: &Stamp) -> bool {
        let changed = Stamp::of(path, self.watch.place.follow).is_ok_and(|now| !now.is_same_version(before));
        if changed && self.watch.work.command.is_some() {
            *self.changing.entry(path.into()).or_default() += 1;
        } else if !self.changing.is_empty() {
            self.changing.remove(path);
        }
        changed
    }

    /// Moves or deletes a file whose command has had its last word.
    pub(super) fn put_away(&mut self, root: usize, stamp: Stamp, entry: Entry) {
        let place = &self.watch.place;
        let away = match (&self.watch.work.after, entry.state, &self.watch.work.failed_dir) {
            (_, State::Rejected, Some(into)) => Away::Reject(into.clone()),
            (After::Move(into), State::Passed, _) => Away::Move(into.clone()),
            (After::Delete, State::Passed, _) => Away::Delete,
            // The command line has changed since: it stays where it is.
            _ => Away::Nowhere,
        };
        let marker = place.which.marker_of(&entry.path);
        self.task(Task::PutAway {
            root: place.roots[root].clone(),
            entry: Box::new(entry),
            stamp,
            away,
            marker,
        });
    }

    /// A file was put away, or could not be.
    pub(super) fn filed(&mut self, entry: Entry, filed: &Result<Filed>) -> Result<()> {
        self.in_hands -= 1;
        let state = if entry.state == State::Rejected { State::Failed } else { State::Done };
        if let Err(error) = filed {
            self.not_filed(entry, error);
            return Ok(());
        }
        self.unfiled.remove(&entry.key);
        let path = entry.path.display();
        match filed {
            Ok(Filed::Moved(to)) => log::info!("moved {path} to {}", to.display()),
            Ok(Filed::Deleted) => log::info!("deleted {path}"),
            // Of one that changes each time, that is said when it is held back.
            Ok(Filed::Changed) if self.changing.get(&*entry.path).is_none_or(|times| *times <= 1) => {
                log::warn!("{path} changed while its command ran; it stays");
            }
            _ => {}
        }
        let again = matches!(filed, Ok(Filed::Changed)).then(|| entry.path.clone());
        let at = self.wall();
        self.record(&[Entry { state, at, ..entry }])?;
        if let Some((root, path)) = again.and_then(|path| self.subject_of(path.into())) {
            self.queue.push(Item::new(root, path, Instant::now()), || at);
        }
        Ok(())
    }

    /// It stays where it is, and that is tried again; said once.
    fn not_filed(&mut self, entry: Entry, error: &Error) {
        if let Some(known) = self.unfiled.get_mut(&entry.key) {
            known.again = Instant::now() + FILE_AGAIN;
            return;
        }
        log::error!("{}: {error}; it stays, and that is tried again", entry.path.display());
        self.undone += 1;
        let Some(root) = self.root_of(&entry.path) else { return };
        let follow = self.watch.place.follow;
        let Ok(stamp) = Stamp::of(&entry.path, follow) else { return };
        // A new file in its place is not to be put away before its command has run.
        if !self.is_still(&entry, root, &stamp) {
            return;
        }
        let again = Instant::now() + FILE_AGAIN;
        self.unfiled.insert(entry.key, Unfiled { root, stamp, entry, again });
    }

    /// Tries again to put away what could not be.
    pub(super) fn put_away_again(&mut self, now: Instant) {
        let due = self.unfiled.values_mut().filter(|unfiled| unfiled.again <= now);
        let due: Vec<_> = due.map(|one| (one.root, one.stamp, one.entry.clone())).collect();
        for (root, stamp, entry) in due {
            if let Some(known) = self.unfiled.get_mut(&entry.key) {
                // Not again before this one is answered.
                known.again = now + NEVER;
            }
            self.put_away(root, stamp, entry);
        }
    }

    /// A file was hashed, or could not be.
    pub(super) fn hashed(&mut self, mut item: Item, stamp: Stamp, hash: std::io::Result<blake3::Hash>) {
        self.in_hands -= 1;
        match hash {
            Ok(hash) => {
                item.hashed = Some(Box::new((stamp, hash)));
                self.queue.push_front(item, || stamp.modified);
            }
            Err(error) => {
                self.unreadable(item, &format!("read it: {error}"), Instant::now() + PAUSE);
            }
        }
    }
}

/// Nothing was started after all.
fn unstarted(taken: &mut Taken, now: i64) {
    let entry = &mut taken.entry;
    entry.attempt = entry.attempt.saturating_sub(1);
    (entry.state, entry.due, entry.took) = (State::Retry, now, 0);
}
