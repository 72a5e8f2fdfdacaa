//! The start: what the last run has left undone.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Instant;

use common::{Out, Outcome, Result};

use crate::commands::{self, Commands, Settings};
use crate::hands::Hands;
use crate::identity::{Key, Stamp};
use crate::keeper::{Around, Keeper, Since};
use crate::lease;
use crate::ledger::local::Local;
use crate::ledger::{Entry, Ledger, State};
use crate::plan::Watch;
use crate::post;
use crate::queue::Item;
use crate::scan::Scanner;
use crate::service::Service;
use crate::tree;

/// What was due longer ago is not on its way, in milliseconds.
const OVERDUE_MS: i64 = 10_000;

/// Watches as `watch` says.
///
/// # Errors
/// When the ledger is held by another watcher (75) or cannot be used, or the command cannot be run.
pub(crate) fn watch(mut watch: Watch, out: &mut Out) -> Result<Outcome> {
    lease::ignore_breaks()?;
    let ledger = Local::open(&watch.state, watch.work.strict)?;
    watch.place.own_files = own_files(&watch);
    let (post, mail) = post::open()?;
    let service = Service::start(post.clone())?;
    let commands = match &watch.work.command {
        Some(template) => {
            let (stdin, timeout) = (watch.work.stdin, watch.work.timeout);
            let (follow, grace) = (watch.place.follow, tree::GRACE);
            let settings = Settings { template: template.clone(), stdin, follow, timeout, grace };
            commands::must_be_there(&settings)?;
            Some(Commands::new(settings, post.clone())?)
        }
        None => None,
    };
    let hands = Hands::start(&post)?;
    let scanner = Scanner::start(Arc::new(watch.place.clone()), ledger.view()?, post)?;
    let around = Around { mail, scanner, commands, hands, service };
    Keeper::new(&watch, out, around, Box::new(ledger)).run()
}

/// Files of ours that may lie in a watched folder.
fn own_files(watch: &Watch) -> Vec<PathBuf> {
    let ledger = ["", "-wal", "-shm", "-journal", ".run"].iter().map(|suffix| {
        let mut path = watch.state.clone().into_os_string();
        path.push(suffix);
        PathBuf::from(path)
    });
    ledger.chain(watch.metrics.clone()).collect()
}

impl Keeper<'_> {
    /// Takes up what the last run has left undone; the folders are being read meanwhile.
    pub(super) fn start(&mut self) -> Result<()> {
        for root in &self.watch.place.roots {
            // Recorded in any case: who asks for --new-only later does not mean what came since.
            let (dealt_with, first) = self.ledger.watched_since(root)?;
            self.since.push(Since { first, passed: false, dealt_with });
        }
        let started: Vec<Entry> = self.take_up_others()?;
        let keys: Vec<Key> = started.iter().map(|entry| entry.key).collect();
        let alive = if keys.is_empty() { BTreeMap::default() } else { tree::survivors(&keys) };
        for entry in started {
            if let Some(pid) = alive.get(&entry.key) {
                let path = entry.path.display();
                log::warn!(
                    "the command for {path} still runs since the last start (pid {pid}); waiting for its end"
                );
                self.survivors.push(entry);
            } else {
                self.interrupted(entry)?;
            }
        }
        Ok(())
    }

    /// Takes up entries that another process has opened again.
    pub(super) fn take_up_again(&mut self) -> Result<()> {
        self.take_up_others().map(drop)
    }

    /// Takes up open entries except for those that were started, which are returned.
    fn take_up_others(&mut self) -> Result<Vec<Entry>> {
        let mut started = Vec::new();
        for entry in self.ledger.open_entries()? {
            let Some(root) = self.root_of(&entry.path) else { continue };
            match entry.state {
                State::Started => started.push(entry),
                State::Passed | State::Rejected => self.take_up_filing(root, entry)?,
                _ => self.again(root, entry),
            }
        }
        Ok(started)
    }

    /// Takes up what should have been attempted again by now and waits nowhere, such as what came to its
    /// turn while a newer version of it ran.
    pub(super) fn take_up_overdue(&mut self) -> Result<()> {
        if self.ending.is_some() || !self.has_room() {
            return Ok(());
        }
        let long_ago = self.wall() - OVERDUE_MS;
        for entry in self.ledger.open_entries()? {
            let waits = matches!(entry.state, State::Retry | State::Again) && entry.due < long_ago;
            let Some(root) = self.root_of(&entry.path).filter(|_| waits) else { continue };
            if !self.flying.contains_key(entry.path.as_path()) {
                self.again(root, entry);
            }
        }
        Ok(())
    }

    fn again(&mut self, root: usize, entry: Entry) {
        let path: Arc<Path> = entry.path.as_path().into();
        let modified = entry.modified;
        let mut item = Item::new(root, path, Instant::now());
        let wait = crate::backoff::remaining(entry.due, self.wall(), self.watch.work.backoff.most);
        item.earlier = Some(Box::new(entry));
        if wait.is_zero() {
            self.queue.push(item, || modified);
        } else if self.watch.place.once {
            log::warn!(
                "{} has failed before; a run in {wait:.0?} or later takes it again",
                item.path.display()
            );
            self.undone += 1;
        } else {
            self.later.push(Instant::now() + wait, item);
        }
    }

    /// A file whose command had its last word, and which was not put away.
    fn take_up_filing(&mut self, root: usize, entry: Entry) -> Result<()> {
        match Stamp::of(&entry.path, self.watch.place.follow) {
            Ok(stamp) if self.is_still(&entry, root, &stamp) => {
                self.put_away(root, stamp, entry);
                Ok(())
            }
            // It was moved in the last moment, or it is another file by now.
            _ => {
                let state = if entry.state == State::Rejected { State::Failed } else { State::Done };
                self.record(&[Entry { state, ..entry }])
            }
        }
    }

    /// A file whose command was started, and nobody knows how it ended.
    fn interrupted(&mut self, entry: Entry) -> Result<()> {
        self.numbers.interrupted += 1;
        let path = entry.path.display();
        if self.watch.work.quarantine {
            log::error!("{path}: its command was interrupted; attempt={}, set aside", entry.attempt);
            self.undone += 1;
            let at = self.wall();
            let note = "interrupted".into();
            return self.record(&[Entry { state: State::Interrupted, at, note, ..entry }]);
        }
        log::warn!("{path}: its command was interrupted; attempt={}, trying again", entry.attempt);
        if let Some(root) = self.root_of(&entry.path) {
            self.again(root, Entry { due: 0, ..entry });
        }
        Ok(())
    }

    /// Looks whether commands of the last run have ended.
    pub(super) fn look_at_survivors(&mut self) -> Result<()> {
        if self.survivors.is_empty() {
            return Ok(());
        }
        let keys: Vec<Key> = self.survivors.iter().map(|entry| entry.key).collect();
        // What a command has left in the background looks like the command itself.
        let is_late = self.watch.work.timeout.is_some_and(|most| self.started.elapsed() > most);
        let alive = if is_late { BTreeMap::new() } else { tree::survivors(&keys) };
        let (alive, ended) = std::mem::take(&mut self.survivors)
            .into_iter()
            .partition::<Vec<_>, _>(|entry| alive.contains_key(&entry.key));
        self.survivors = alive;
        ended.into_iter().try_for_each(|entry| self.interrupted(entry))
    }

    /// Which watched folder a path is below.
    pub(super) fn root_of(&self, path: &Path) -> Option<usize> {
        let roots = self.watch.place.roots.iter().enumerate();
        roots
            .filter(|(_, root)| path.starts_with(root))
            .max_by_key(|(_, root)| root.as_os_str().len())
            .map(|(at, _)| at)
    }

    /// The file that a hint is about, if it is one to be taken: that of a marker is the marked one.
    pub(super) fn subject_of(&self, path: Arc<Path>) -> Option<(usize, Arc<Path>)> {
        let place = &self.watch.place;
        let root = self.root_of(&path)?;
        let path = match path.file_name().and_then(|name| place.which.subject_of_marker(name)) {
            Some(subject) => path.with_file_name(subject).into(),
            None => path,
        };
        let relative = path.strip_prefix(&place.roots[root]).ok()?;
        let own = place.own_files.iter().any(|own| **own == *path);
        (!own && place.which.takes_name(relative)).then_some((root, path))
    }

    /// The wall clock in milliseconds since 1970.
    pub(super) fn wall(&mut self) -> i64 {
        self.clock.now().milliseconds()
    }
}
