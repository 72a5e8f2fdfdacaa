//! What is done when: requests before passes, passes before sleep.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use super::folders::Folders;
use super::look::Teller;
use super::requests::{Request, Requests};
use super::said::Said;
use super::visit::{Task, Walk, Why};
use crate::inbox::Inbox;
use crate::ledger::View;
use crate::message::{Message, Pass};
use crate::plan::Where;
use crate::post::Post;
use crate::walk::{FolderId, folder_id};
use crate::watch::Watcher;

/// How often the watched folders themselves are looked for: no event tells of an unmounted one, nor
/// of one that is made.
const LOOK: Duration = Duration::from_secs(1);

/// How often folders are read of which events do not tell everything.
const SILENT: Duration = Duration::from_secs(5);

/// How many requested folders come before the next part of a long pass.
const URGENT: usize = 16;

/// What a scanner is made of.
pub(super) struct Parts {
    pub(super) place: Arc<Where>,
    pub(super) view: Box<dyn View>,
    pub(super) messages: Post,
    pub(super) requests: Arc<Requests>,
    pub(super) inbox: Arc<Inbox>,
}

/// Runs a scanner until it is to end.
pub(super) fn run(parts: Parts) {
    let requests = Arc::clone(&parts.requests);
    let mut scan = Scan::new(parts);
    while !requests.is_stopped() {
        scan.answer();
        scan.tick();
        if !scan.work() {
            requests.wait(scan.next_due());
        }
    }
    drop(scan);
    requests.ended();
}

/// A pass over all watched folders, one after the other.
#[derive(Default)]
struct Full {
    walk: Walk,
    current: Option<usize>,
    next: usize,
}

pub(super) struct Scan {
    pub(super) place: Arc<Where>,
    pub(super) requests: Arc<Requests>,
    pub(super) teller: Teller,
    pub(super) watcher: Option<Watcher>,
    pub(super) folders: Folders,
    pub(super) said: Said,
    /// The number of the current pass, or of the last one.
    pub(super) pass: u64,
    /// The pass in which the kernel refused a watch: it is not asked again in the same one.
    pub(super) limit_in: u64,
    /// Which of the watched folders were read to their end in the current pass.
    pub(super) read: Vec<Option<FolderId>>,
    /// Whether something below the current one could not be read.
    pub(super) unread: bool,
    /// The file systems met in the current pass, by device number.
    pub(super) file_systems: BTreeMap<u64, Option<&'static str>>,
    urgent: Walk,
    full: Option<Full>,
    wants_pass: bool,
    next_pass: Instant,
    next_look: Instant,
    next_silent: Instant,
}

impl Scan {
    fn new(parts: Parts) -> Self {
        let now = Instant::now();
        let mut said = Said::default();
        let mut watcher = None;
        if !parts.place.once {
            match Watcher::new(Arc::clone(&parts.inbox), Arc::clone(&parts.requests)) {
                Ok(started) => watcher = Some(started),
                Err(why) => said.unwatched(&why, every(&parts.place)),
            }
        }
        Self {
            read: vec![None; parts.place.roots.len()],
            place: parts.place,
            teller: Teller::new(parts.view, parts.messages, Arc::clone(&parts.requests)),
            requests: parts.requests,
            watcher,
            folders: Folders::default(),
            said,
            pass: 0,
            limit_in: 0,
            unread: false,
            file_systems: BTreeMap::new(),
            urgent: Walk::default(),
            full: None,
            wants_pass: true,
            next_pass: now,
            next_look: now + LOOK,
            next_silent: now,
        }
    }

    /// Takes what was asked for.
    fn answer(&mut self) {
        let (waiting, everything) = self.requests.take();
        self.wants_pass |= everything;
        for request in waiting {
            match request {
                Request::Folder(path) => self.asked(path),
                Request::Gone(path) => {
                    self.forget(&path);
                    match self.id_of(&path) {
                        Ok(_) => self.asked(path),
                        Err(why) if self.place.roots.contains(&path) => self.said.missing(&path, &why),
                        Err(_) => {}
                    }
                }
            }
        }
    }

    fn asked(&mut self, path: PathBuf) {
        if let Some(root) = self.admits(&path) {
            self.urgent.push(Task { path, root, why: Why::Asked });
        }
    }

    /// Starts what is due.
    fn tick(&mut self) {
        let now = Instant::now();
        if !self.place.once {
            if now >= self.next_look {
                self.look_for_roots();
                self.next_look = now + LOOK;
            }
            self.wants_pass |= self.full.is_none() && now >= self.next_pass;
            if now >= self.next_silent && self.urgent.is_idle() && self.full.is_none() {
                for (root, path) in self.folders.silent() {
                    self.urgent.push(Task { path, root, why: Why::Silent });
                }
                self.next_silent = now + every(&self.place);
            }
        }
        if self.wants_pass && self.full.is_none() {
            self.wants_pass = false;
            self.pass += 1;
            self.file_systems.clear();
            self.full = Some(Full::default());
        }
    }

    fn next_due(&self) -> Instant {
        if self.place.once {
            return Instant::now() + LOOK;
        }
        self.next_look.min(self.next_pass).min(self.next_silent)
    }

    /// Does the next part of the work; false when there is none.
    fn work(&mut self) -> bool {
        let mut urgent = std::mem::take(&mut self.urgent);
        let has_urgent = !urgent.is_idle();
        for _ in 0..URGENT {
            if urgent.is_idle() || self.requests.is_stopped() {
                break;
            }
            self.step(&mut urgent);
        }
        self.urgent = urgent;
        self.teller.flush();
        let Some(full) = self.full.take() else { return has_urgent };
        self.full = self.advance(full);
        true
    }

    /// The next part of a pass; what is left of it.
    fn advance(&mut self, mut full: Full) -> Option<Full> {
        if !full.walk.is_idle() {
            self.step(&mut full.walk);
            self.teller.flush();
            return Some(full);
        }
        if let Some(root) = full.current.take() {
            let there = self.end_root(root);
            let whole = there && !self.unread;
            self.teller.say(Message::Passed(Pass { root, there, whole }));
        }
        let Some(path) = self.place.roots.get(full.next) else {
            self.teller.say(Message::Settled(self.folders.count()));
            // From the end of this one, so that a pass that takes long is not followed by the next.
            self.next_pass = Instant::now() + self.place.rescan;
            self.next_silent = Instant::now() + every(&self.place);
            return None;
        };
        (self.read[full.next], self.unread) = (None, false);
        full.walk.push(Task { path: path.clone(), root: full.next, why: Why::Pass });
        full.current = Some(full.next);
        full.next += 1;
        Some(full)
    }

    /// Whether it was read, and is still there; then whatever was not seen below is gone.
    fn end_root(&mut self, root: usize) -> bool {
        let place = Arc::clone(&self.place);
        let path = &place.roots[root];
        let Some(id) = self.read[root] else { return false };
        if self.id_of(path).ok() != Some(id) {
            return false;
        }
        for unseen in self.folders.unseen((root, path), self.pass) {
            self.forget_one(&unseen);
        }
        true
    }

    /// Looks whether the watched folders are there, and are those that are watched.
    fn look_for_roots(&mut self) {
        let place = Arc::clone(&self.place);
        for root in &place.roots {
            match self.id_of(root) {
                Err(why) if is_gone(&why) => {
                    self.said.missing(root, &why);
                    self.forget(root);
                }
                Err(why) => self.said.unreadable(root, "look at", &why),
                Ok(id) => {
                    let is_another = self.folders.get(root).is_some_and(|known| known.id != id);
                    self.wants_pass |= self.said.there(root) || is_another;
                }
            }
        }
    }

    /// A folder, or what is in it, cannot be read.
    pub(super) fn cannot_read(&mut self, folder: &Path, verb: &'static str, why: &std::io::Error) {
        self.unread = true;
        self.said.unreadable(folder, verb, why);
    }

    /// Ends the watch of a folder and of all that are below.
    pub(super) fn forget(&mut self, path: &Path) {
        for below in self.folders.below(path) {
            self.forget_one(&below);
        }
        self.said.gone(path);
    }

    fn forget_one(&mut self, path: &Path) {
        if let Some(watcher) = &mut self.watcher {
            watcher.unwatch(path);
        }
        self.folders.remove(path);
    }

    /// Which folder is under a path now. A watched folder itself may be a symbolic link.
    pub(super) fn id_of(&self, path: &Path) -> std::io::Result<FolderId> {
        folder_id(path, self.place.follow || self.place.roots.iter().any(|root| root == path))
    }
}

/// Whether the folder is not there, which needs no explanation.
pub(super) fn is_gone(why: &std::io::Error) -> bool {
    matches!(why.kind(), std::io::ErrorKind::NotFound | std::io::ErrorKind::NotADirectory)
}

/// Whether a symbolic link was met where none is followed, or one that leads to itself.
pub(super) fn is_loop(why: &std::io::Error) -> bool {
    why.raw_os_error() == Some(rustix::io::Errno::LOOP.raw_os_error())
}

/// How often folders are read of which events do not tell everything.
pub(super) fn every(place: &Where) -> Duration {
    place.rescan.min(SILENT)
}
