//! Starting commands: as many as there is room for, each file claimed before.

use std::collections::HashSet;
use std::sync::Arc;
use std::time::{Duration, Instant};

use common::Result;

use crate::commands::{Job, JobFile};
use crate::identity::Stamp;
use crate::keeper::{Keeper, Taken};
use crate::ledger::{Entry, Refused, State};
use crate::queue::Item;
use crate::ready::Now;

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
    pub(super) fn is_paused(&self, now: Instant) -> bool {
        self.paused.is_some_and(|until| now < until)
    }

    fn dispatch_singly(&mut self, now: Now) -> Result<()> {
        let mut taken = Vec::new();
        while taken.len() < self.free() {
            let Some(one) = self.next_taken(now)? else { break };
            // Another name of a file that is about to be claimed: looked at when that is recorded.
            if taken.iter().any(|other: &Taken| other.entry.key == one.entry.key) {
                self.put_back(vec![one]);
                break;
            }
            taken.push(one);
        }
        let Some(taken) = self.claim(taken)? else { return Ok(()) };
        if self.watch.work.command.is_none() {
            return self.print(&taken);
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
            let late =
                !self.more_to_take && self.gathered_until().is_some_and(|until| until <= now.monotonic);
            if self.gathered.is_empty() || !(full || late) {
                return Ok(());
            }
            self.drop_changed_and_twins();
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

    /// Files that changed while their batch waited for more have their turn once more, and so have
    /// other names of a file that is in it: by then its claim is recorded.
    fn drop_changed_and_twins(&mut self) {
        let follow = self.watch.place.follow;
        let is_same =
            |one: &Taken| Stamp::of(&one.path, follow).is_ok_and(|now| now.is_same_version(&one.stamp));
        let mut keys = HashSet::with_capacity(self.gathered.len());
        let dropped: Vec<Taken> =
            self.gathered.extract_if(.., |one| !is_same(one) || !keys.insert(one.entry.key)).collect();
        self.put_back(dropped);
    }

    /// Until when a batch waits for more; what is there at the end of a single pass is all.
    pub(super) fn gathered_until(&self) -> Option<Instant> {
        let wait = self.watch.work.batch?.wait;
        let wait = if self.watch.place.once && self.settled { Duration::ZERO } else { wait };
        self.gathered_since.map(|since| since + wait)
    }

    /// How many more commands may be started.
    pub(super) fn free(&self) -> usize {
        match self.watch.work.command {
            Some(_) => self.watch.work.jobs.saturating_sub(self.flight.len()),
            None => 256,
        }
    }

    /// The next file that is complete and unknown.
    fn next_taken(&mut self, now: Now) -> Result<Option<Taken>> {
        while self.looks < LOOKS && self.in_hands < HASHED_AHEAD + self.watch.work.jobs {
            // Each further record would wait for the same room.
            if self.is_paused(now.monotonic) {
                return Ok(None);
            }
            let Some(item) = self.queue.pop() else { return Ok(None) };
            self.looks += 1;
            if let Some(taken) = self.consider(item, now)? {
                return Ok(Some(taken));
            }
        }
        self.more_to_take = self.looks >= LOOKS;
        Ok(None)
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
        self.jobs += 1;
        let job = Job { id: self.jobs, files: taken.iter().map(job_file).collect() };
        for one in &taken {
            log::debug!("starting {} attempt={}", one.path.display(), one.entry.attempt);
            self.flying.insert(Arc::clone(&one.path), false);
        }
        self.flight.insert(job.id, taken);
        if let Some(commands) = &mut self.around.commands {
            commands.start(job, &self.around.mail);
        }
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
