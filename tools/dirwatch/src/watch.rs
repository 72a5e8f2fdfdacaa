//! Hints from the kernel, through notify.
//!
//! Every folder is watched by itself: notify's own recursion adds watches after it has handed out the
//! events, and tells nothing of what is already in a new folder.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use notify::event::{AccessKind, AccessMode, CreateKind, ModifyKind, RemoveKind, RenameMode};
use notify::{
    Config, ErrorKind, Event, EventHandler, EventKind, EventKindMask, RecommendedWatcher, RecursiveMode,
    Watcher as _,
};

use crate::inbox::{Inbox, PathSet};
use crate::scan::Requests;

/// Whether a folder is watched now.
#[derive(Debug)]
pub(crate) enum Watched {
    /// It is.
    Yes,
    /// The kernel grants this user no more watches.
    LimitReached,
    /// Something else is wrong with it.
    No(io::Error),
}

/// What is to be told: not that a file is opened, read or written, which each command does.
const KINDS: EventKindMask = EventKindMask::CREATE
    .union(EventKindMask::REMOVE)
    .union(EventKindMask::MODIFY_NAME)
    .union(EventKindMask::ACCESS_CLOSE);

/// The watches of a run.
pub(crate) struct Watcher {
    notify: RecommendedWatcher,
    watched: Arc<PathSet>,
}

impl Watcher {
    /// Starts the thread of notify. Files go to `inbox`; new and removed folders, and everything when
    /// events were lost, to `requests`.
    ///
    /// # Errors
    /// When the user has too many watchers already (EMFILE), or the process too many open files.
    pub(crate) fn new(inbox: Arc<Inbox>, requests: Arc<Requests>) -> io::Result<Self> {
        let watched = Arc::new(PathSet::default());
        let handler = Handler { inbox, requests, watched: Arc::clone(&watched) };
        let config = Config::default().with_follow_symlinks(false).with_event_kinds(KINDS);
        let notify = RecommendedWatcher::new(handler, config).map_err(reason)?;
        Ok(Self { notify, watched })
    }

    /// Watches a folder, also when it is watched already: notify removes a watch by its path when the
    /// folder that had this path is removed, and by then another folder may have it.
    pub(crate) fn watch(&mut self, folder: &Path) -> Watched {
        // Before the watch, so that the removal of the folder finds it.
        self.watched.insert(folder);
        let Err(error) = self.notify.watch(folder, RecursiveMode::NonRecursive) else { return Watched::Yes };
        self.watched.remove(folder);
        match error.kind {
            ErrorKind::MaxFilesWatch => Watched::LimitReached,
            _ => Watched::No(reason(error)),
        }
    }

    /// Whether a folder is watched, as far as events tell: not when its name was lost to a removal.
    #[must_use]
    pub(crate) fn is_watched(&self, folder: &Path) -> bool {
        self.watched.contains(folder)
    }

    /// Ends the watch of a folder, if there is one.
    pub(crate) fn unwatch(&mut self, folder: &Path) {
        self.watched.remove(folder);
        // Mostly the kernel or notify has ended it before.
        let _may_be_gone = self.notify.unwatch(folder);
    }
}

fn reason(error: notify::Error) -> io::Error {
    match error.kind {
        ErrorKind::Io(error) => error,
        ErrorKind::PathNotFound => io::ErrorKind::NotFound.into(),
        other => io::Error::other(notify::Error::new(other)),
    }
}

/// Runs in the thread of notify, twice for each file that is written: it is to be quick, and to
/// wait for nothing.
struct Handler {
    inbox: Arc<Inbox>,
    requests: Arc<Requests>,
    watched: Arc<PathSet>,
}

impl EventHandler for Handler {
    fn handle_event(&mut self, event: notify::Result<Event>) {
        let Ok(mut event) = event else { return self.requests.everything() };
        // Events were lost; which, nobody knows: this one has no path.
        if event.need_rescan() {
            return self.requests.everything();
        }
        if let Some(path) = event.paths.pop() {
            self.happened(event.kind, path);
        }
    }
}

impl Handler {
    fn happened(&self, kind: EventKind, path: PathBuf) {
        match kind {
            EventKind::Access(AccessKind::Close(AccessMode::Write))
            | EventKind::Modify(ModifyKind::Name(RenameMode::To)) => self.inbox.close(path),
            EventKind::Create(CreateKind::Folder) => self.requests.folder(path),
            EventKind::Create(_) => self.inbox.created(path),
            EventKind::Remove(RemoveKind::File) => {}
            // Of a rename it is not told whether it was one of a folder.
            EventKind::Remove(_) | EventKind::Modify(ModifyKind::Name(RenameMode::From))
                if self.watched.remove(&path) =>
            {
                self.requests.gone(path);
            }
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::io::Write as _;
    use std::time::{Duration, Instant};

    use super::*;

    fn write(path: &Path) {
        fs::File::create(path).unwrap().write_all(b"1").unwrap();
    }

    struct Watching {
        place: tempfile::TempDir,
        inbox: Arc<Inbox>,
        requests: Arc<Requests>,
        watcher: Watcher,
    }

    fn watching() -> Watching {
        let requests = Arc::new(Requests::default());
        let inbox = Arc::new(Inbox::new(crate::post::open().unwrap().0, Arc::clone(&requests)));
        let mut watcher = Watcher::new(Arc::clone(&inbox), Arc::clone(&requests)).unwrap();
        let place = tempfile::tempdir().unwrap();
        assert!(matches!(watcher.watch(place.path()), Watched::Yes));
        Watching { place, inbox, requests, watcher }
    }

    impl Watching {
        /// What is hinted at until `last` is, by name.
        fn until(&self, last: &str) -> Vec<String> {
            let (mut hints, end) = (Vec::new(), Instant::now() + Duration::from_secs(20));
            while !hints.iter().any(|path: &PathBuf| path.ends_with(last)) {
                assert!(Instant::now() < end, "{hints:?}");
                self.inbox.take(&mut hints);
                std::thread::yield_now();
            }
            hints.dedup();
            hints.iter().map(|path| path.file_name().unwrap().to_string_lossy().into_owned()).collect()
        }

        fn requests_until(&self, last: &crate::scan::requests::Request) {
            let end = Instant::now() + Duration::from_secs(20);
            while !self.requests.take().0.contains(last) {
                assert!(Instant::now() < end, "{last:?}");
                std::thread::yield_now();
            }
        }
    }

    #[test]
    fn a_written_file_and_one_renamed_to_are_hinted_at_once() {
        let watching = watching();
        let at = |name: &str| watching.place.path().join(name);
        write(&at("a"));
        fs::read(at("a")).unwrap();
        fs::rename(at("a"), at("b")).unwrap();
        write(&at("c"));
        assert_eq!(watching.until("c"), ["a", "b", "c"]);
        fs::hard_link(at("c"), at("d")).unwrap();
        assert_eq!(watching.until("d"), ["d"]);
    }

    #[test]
    fn new_and_lost_folders_are_for_the_scanner() {
        use crate::scan::requests::Request::{Folder, Gone};
        let mut watching = watching();
        let (a, b) = (watching.place.path().join("a"), watching.place.path().join("b"));
        fs::create_dir(&a).unwrap();
        watching.requests_until(&Folder(a.clone()));
        assert!(matches!(watching.watcher.watch(&a), Watched::Yes));
        fs::remove_dir(&a).unwrap();
        watching.requests_until(&Gone(a.clone()));
        fs::create_dir(&b).unwrap();
        assert!(matches!(watching.watcher.watch(&b), Watched::Yes));
        fs::rename(&b, &a).unwrap();
        watching.requests_until(&Gone(b));
        assert_eq!(watching.until("a"), ["a"]);
        assert!(matches!(watching.watcher.watch(Path::new("/nowhere")), Watched::No(_)));
    }
}
