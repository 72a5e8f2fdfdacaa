//! Opening and watching a folder.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::folders::Known;
use super::run::{Scan, every, is_gone, is_loop};
use crate::filesystem;
use crate::walk::{Folder, FolderId, Names};
use crate::watch::Watched;

/// How many names are dealt with before other requests have their turn: some milliseconds.
const PART: usize = 2048;

/// Why a folder is visited.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Why {
    /// In a pass over everything: all folders below follow.
    Pass,
    /// It is new, or its watch may be lost: it is watched again in any case.
    Asked,
    /// It is below one of these, and was not known.
    Below,
    /// Events do not tell everything of it.
    Silent,
}

/// A folder to be visited.
pub(super) struct Task {
    pub(super) path: PathBuf,
    pub(super) root: usize,
    pub(super) why: Why,
}

/// A folder that is being read.
pub(super) struct Open {
    pub(super) task: Task,
    pub(super) id: FolderId,
    pub(super) folder: Folder,
    pub(super) names: Names,
    /// How many of the names were dealt with.
    at: usize,
    /// Whether the folder has more names.
    more: io::Result<bool>,
}

/// Folders to be visited, and the one that is being read.
#[derive(Default)]
pub(super) struct Walk {
    tasks: Vec<Task>,
    open: Option<Open>,
    /// The room for the names of the next one.
    names: Names,
}

impl Walk {
    pub(super) fn is_idle(&self) -> bool {
        self.tasks.is_empty() && self.open.is_none()
    }

    pub(super) fn push(&mut self, task: Task) {
        self.tasks.push(task);
    }
}

impl Scan {
    /// Opens the next folder, if none is open, and deals with the next part of its names.
    pub(super) fn step(&mut self, walk: &mut Walk) {
        let next = walk.open.take().or_else(|| {
            let mut open = self.visit(walk.tasks.pop()?)?;
            open.names = std::mem::take(&mut walk.names);
            Some(open)
        });
        let Some(mut open) = next else { return };
        if open.at == open.names.len() {
            (open.more, open.at) = (open.names.read(&open.folder), 0);
        }
        let end = open.names.len().min(open.at + PART);
        self.look(&open, open.at..end, walk);
        open.at = end;
        if end < open.names.len() || matches!(open.more, Ok(true)) {
            walk.open = Some(open);
            return;
        }
        match open.more {
            Ok(_) => {
                self.said.readable(&open.task.path);
                if self.is_root(&open.task) {
                    self.read[open.task.root] = Some(open.id);
                }
            }
            Err(why) => self.cannot_read(&open.task.path, "read", &why),
        }
        walk.names = open.names.cleared();
    }

    /// Opens a folder and watches it, in this order: what is made in it before the watch is read
    /// afterwards, what is made later comes as an event.
    fn visit(&mut self, task: Task) -> Option<Open> {
        let place = Arc::clone(&self.place);
        let relative = task.path.strip_prefix(&place.roots[task.root]).ok()?;
        let opened = Folder::open(&place.roots[task.root], relative, place.follow)
            .and_then(|folder| Ok((folder.id()?, folder)));
        let (id, folder) = match opened {
            Ok(opened) => opened,
            Err(why) => {
                self.not_opened(&task, &why);
                return None;
            }
        };
        if !self.is_root(&task) && (self.is_within_itself(&task, &id) || self.is_elsewhere(&task, &id)) {
            return None;
        }
        self.attend(&task, id);
        Some(Open { task, id, folder, names: Names::default(), at: 0, more: Ok(true) })
    }

    fn not_opened(&mut self, task: &Task, why: &io::Error) {
        let is_link = !self.place.follow && is_loop(why);
        if is_gone(why) || is_link {
            self.forget(&task.path);
            if self.is_root(task) && !self.place.once {
                self.said.missing(&task.path, why);
                return;
            }
            if !self.is_root(task) {
                return;
            }
        }
        if self.is_root(task) && self.place.once {
            // It is why the pass ends as it does, and is told then.
            self.unread = true;
        } else {
            self.cannot_read(&task.path, "read", why);
        }
        if let Some(known) = self.folders.get_mut(&task.path) {
            known.pass = self.pass;
        }
    }

    /// Whether a followed link leads to a folder above itself.
    fn is_within_itself(&self, task: &Task, id: &FolderId) -> bool {
        let root = &self.place.roots[task.root];
        let mut above = task.path.ancestors().skip(1).take_while(|above| above.starts_with(root));
        self.place.follow && above.any(|above| self.id_of(above).is_ok_and(|other| other == *id))
    }

    /// Whether the folder is known under another path that still leads to it: one of them is enough.
    fn is_elsewhere(&self, task: &Task, id: &FolderId) -> bool {
        let Some(other) = self.folders.path_of(id) else { return false };
        *other != *task.path
            && self.folders.get(&other).is_some_and(|known| known.root == task.root)
            && self.id_of(&other).is_ok_and(|now| now == *id)
    }

    /// Watches a folder, unless that was done.
    fn attend(&mut self, task: &Task, id: FolderId) {
        let same = self.folders.get(&task.path).filter(|known| known.id == id).copied();
        if same.is_some() && self.is_cared_for(task) {
            if let Some(known) = self.folders.get_mut(&task.path) {
                known.pass = self.pass;
            }
            return;
        }
        if same.is_none() {
            self.forget(&task.path);
        }
        // To the kernel a moved folder is still watched, and to notify under its old path.
        if let Some(old) = self.folders.path_of(&id)
            && *old != *task.path
            && self.id_of(&old).ok() != Some(id)
        {
            self.forget(&old);
        }
        let is_unwatched = !self.watch(task);
        let is_silent = !self.place.once && (self.is_on_silent(task, &id) || is_unwatched);
        self.folders.insert(&task.path, Known { id, root: task.root, pass: self.pass, is_silent });
        if !is_unwatched && self.id_of(&task.path).ok() != Some(id) {
            // Another folder has taken its name in between: it may be that one that is watched.
            self.requests.gone(task.path.clone());
        }
    }

    /// Whether a known folder needs no new watch.
    fn is_cared_for(&self, task: &Task) -> bool {
        let Some(watcher) = &self.watcher else { return true };
        match task.why {
            Why::Asked => false,
            Why::Silent => true,
            Why::Pass | Why::Below => watcher.is_watched(&task.path),
        }
    }

    /// Whether the folder is watched now.
    fn watch(&mut self, task: &Task) -> bool {
        let Some(watcher) = &mut self.watcher else { return false };
        if task.why == Why::Pass && self.limit_in == self.pass {
            return false;
        }
        match watcher.watch(&task.path) {
            Watched::Yes => return true,
            Watched::LimitReached => {
                self.limit_in = self.pass;
                self.said.limit(every(&self.place));
            }
            Watched::No(why) if is_gone(&why) => {}
            Watched::No(why) => self.said.unreadable(&task.path, "watch", &why),
        }
        false
    }

    /// Whether the folder is on a file system that does not tell everything.
    fn is_on_silent(&mut self, task: &Task, id: &FolderId) -> bool {
        let ask = || filesystem::trouble(&task.path).unwrap_or(None);
        let name = *self.file_systems.entry(id.device).or_insert_with(ask);
        if let Some(name) = name {
            let root = (task.root, self.place.roots[task.root].as_path());
            self.said.silent(root, name, every(&self.place));
        }
        name.is_some()
    }

    fn is_root(&self, task: &Task) -> bool {
        self.place.roots[task.root] == task.path
    }

    /// The watched folder below which this one is, if it is one of those that are entered.
    pub(super) fn admits(&self, path: &Path) -> Option<usize> {
        let above = self.place.roots.iter().enumerate().filter(|(_, root)| path.starts_with(root));
        let (number, root) = above.max_by_key(|(_, root)| root.as_os_str().len())?;
        let mut below = path.ancestors().take_while(|folder| *folder != root.as_path());
        below.all(|folder| self.enters(folder, root)).then_some(number)
    }

    /// Whether a folder below `root` is entered; those between them are asked for themselves.
    pub(super) fn enters(&self, folder: &Path, root: &Path) -> bool {
        let Ok(relative) = folder.strip_prefix(root) else { return false };
        let depth = u32::try_from(relative.components().count()).unwrap_or(u32::MAX);
        depth <= self.place.depth
            && self.place.which.enters(relative)
            && !self.place.outside.iter().any(|outside| outside == folder)
            && !self.place.roots.iter().any(|root| root == folder)
    }
}
