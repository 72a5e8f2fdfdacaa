//! Hints that wait for the keeper.

use std::collections::{HashSet, VecDeque};
use std::hash::{BuildHasher, RandomState};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use crate::message::Message;
use crate::post::Post;
use crate::scan::Requests;

/// How long after its making a file is looked at, if nobody has closed it: a hard link or a symbolic
/// link is never closed. Most writers close within this time, and these files are looked at once.
const UNCLOSED: Duration = Duration::from_millis(50);

/// More paths are not kept: then everything is looked at, which finds the same.
const MOST: usize = 65_536;

#[derive(Default)]
struct Waiting {
    closed: Vec<PathBuf>,
    /// What was made and when it is due, the oldest first; no longer meant when not in `unclosed`.
    made: VecDeque<(Instant, u64, PathBuf)>,
    /// The hashes of what is in `closed` and in `made`: a collision costs one hint, and a hint is no
    /// more than that.
    hashes: HashSet<u64>,
    unclosed: HashSet<u64>,
    /// A message is under way, and the keeper will come.
    is_told: bool,
    /// The keeper knows when the next of `made` is due.
    is_timed: bool,
}

/// Paths at which something happened, until the keeper takes them. The same path waits once.
pub(crate) struct Inbox {
    waiting: Mutex<Waiting>,
    hasher: RandomState,
    messages: Post,
    requests: Arc<Requests>,
}

impl Inbox {
    /// An empty one. It tells through `messages` that there is something, and asks for a look at
    /// everything when there is too much.
    #[must_use]
    pub(crate) fn new(messages: Post, requests: Arc<Requests>) -> Self {
        Self { waiting: Mutex::default(), hasher: RandomState::new(), messages, requests }
    }

    /// A file was closed after writing, or renamed to this: to be looked at now.
    pub(crate) fn close(&self, path: PathBuf) {
        let hash = self.hasher.hash_one(&path);
        let mut waiting = self.waiting();
        waiting.unclosed.remove(&hash);
        if waiting.hashes.insert(hash) {
            waiting.closed.push(path);
            self.admitted(waiting, true);
        }
    }

    /// A file was made: to be looked at when it is not closed soon.
    pub(crate) fn created(&self, path: PathBuf) {
        let hash = self.hasher.hash_one(&path);
        let mut waiting = self.waiting();
        if !waiting.hashes.contains(&hash) && waiting.unclosed.insert(hash) {
            waiting.made.push_back((Instant::now() + UNCLOSED, hash, path));
            let is_news = !waiting.is_timed;
            self.admitted(waiting, is_news);
        }
    }

    /// Adds to `into` what is to be looked at now, and says when there may be more without another
    /// message.
    pub(crate) fn take(&self, into: &mut Vec<PathBuf>) -> Option<Instant> {
        let now = Instant::now();
        let mut waiting = self.waiting();
        into.append(&mut waiting.closed);
        waiting.hashes.clear();
        waiting.is_told = false;
        while let Some((due, hash, _)) = waiting.made.front() {
            let (due, hash) = (*due, *hash);
            let is_meant = waiting.unclosed.contains(&hash);
            if is_meant && due > now {
                waiting.is_timed = true;
                return Some(due);
            }
            let path = waiting.made.pop_front().map(|(_, _, path)| path);
            if is_meant {
                waiting.unclosed.remove(&hash);
                into.extend(path);
            }
        }
        waiting.is_timed = false;
        None
    }

    /// Tells the keeper, if it must come and was not told, or gives up when there is too much.
    fn admitted(&self, mut waiting: MutexGuard<'_, Waiting>, is_news: bool) {
        if waiting.closed.len() + waiting.made.len() > MOST {
            let (is_told, is_timed) = (waiting.is_told, waiting.is_timed);
            *waiting = Waiting { is_told, is_timed, ..Waiting::default() };
            drop(waiting);
            self.requests.everything();
        } else if is_news && !std::mem::replace(&mut waiting.is_told, true) {
            drop(waiting);
            // Without a keeper there is nobody to hint to.
            let _nobody_listens = self.messages.send(Message::Hints);
        }
    }

    fn waiting(&self) -> MutexGuard<'_, Waiting> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Paths as a set of their hashes: to be asked often and from two threads, at 8 bytes for a path.
#[derive(Default)]
pub(crate) struct PathSet {
    hashes: Mutex<HashSet<u64>>,
    hasher: RandomState,
}

impl PathSet {
    pub(crate) fn insert(&self, path: &Path) {
        self.hashes().insert(self.hasher.hash_one(path));
    }

    /// Whether it was there.
    pub(crate) fn remove(&self, path: &Path) -> bool {
        self.hashes().remove(&self.hasher.hash_one(path))
    }

    pub(crate) fn contains(&self, path: &Path) -> bool {
        self.hashes().contains(&self.hasher.hash_one(path))
    }

    fn hashes(&self) -> MutexGuard<'_, HashSet<u64>> {
        self.hashes.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {

    use std::iter;

    use super::*;
    use crate::post::{Mail, open};

    fn inbox() -> (Inbox, Mail, Arc<Requests>) {
        let (sender, receiver) = open().unwrap();
        let requests = Arc::new(Requests::default());
        (Inbox::new(sender, Arc::clone(&requests)), receiver, requests)
    }

    fn taken(inbox: &Inbox) -> (Vec<PathBuf>, Option<Instant>) {
        let mut into = Vec::new();
        let next = inbox.take(&mut into);
        (into, next)
    }

    #[test]
    fn a_path_waits_once_and_the_keeper_is_told_once() {
        let (inbox, messages, _) = inbox();
        for path in ["a", "b", "a", "b"] {
            inbox.close(path.into());
        }
        assert_eq!(iter::from_fn(|| messages.next()).count(), 1);
        assert_eq!(taken(&inbox), (vec!["a".into(), "b".into()], None));
        assert_eq!(taken(&inbox), (vec![], None));
        inbox.close("a".into());
        assert_eq!(iter::from_fn(|| messages.next()).count(), 1);
    }

    #[test]
    fn what_is_closed_soon_is_looked_at_once() {
        let (inbox, messages, _) = inbox();
        inbox.created("a".into());
        assert_eq!(iter::from_fn(|| messages.next()).count(), 1);
        let (now, next) = taken(&inbox);
        assert!(now.is_empty() && next.is_some());
        inbox.created("b".into());
        assert_eq!(iter::from_fn(|| messages.next()).count(), 0, "the keeper comes for `a` anyway");
        inbox.close("a".into());
        assert_eq!(
            iter::from_fn(|| messages.next()).count(),
            1,
            "a closed file does not wait for a made one"
        );
        assert_eq!(taken(&inbox).0, [PathBuf::from("a")]);
        inbox.close("b".into());
        assert_eq!(taken(&inbox), (vec!["b".into()], None));
        inbox.created("c".into());
        assert_eq!(iter::from_fn(|| messages.next()).count(), 2, "one for the closing of `b`, one for `c`");
    }

    #[test]
    fn what_nobody_closes_is_looked_at_later() {
        let (inbox, _messages, _) = inbox();
        inbox.created("link".into());
        let (now, mut next) = taken(&inbox);
        let mut found = now;
        while let Some(due) = next {
            std::thread::sleep(due.saturating_duration_since(Instant::now()));
            next = inbox.take(&mut found);
        }
        assert_eq!(found, [PathBuf::from("link")]);
    }

    #[test]
    fn too_many_hints_are_a_look_at_everything() {
        let (inbox, _messages, requests) = inbox();
        for number in 0..=MOST {
            inbox.close(PathBuf::from(number.to_string()));
        }
        assert!(requests.take().1);
        assert_eq!(taken(&inbox), (vec![], None));
        for number in 0..=MOST {
            inbox.created(PathBuf::from(number.to_string()));
        }
        assert!(requests.take().1);
        inbox.close("a".into());
        assert_eq!(taken(&inbox).0, [PathBuf::from("a")]);
    }
}
