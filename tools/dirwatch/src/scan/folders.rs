//! The folders that are known: those that are watched, and those that can only be looked at.

use std::collections::BTreeMap;
use std::ops::Bound;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::message;
use crate::walk::FolderId;

/// What is known of a folder.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Known {
    /// Which folder it was when it was last opened.
    pub(super) id: FolderId,
    /// Which of the watched folders it is below.
    pub(super) root: usize,
    /// The last pass that has seen it.
    pub(super) pass: u64,
    /// It has to be looked at often, as events do not tell everything that happens in it.
    pub(super) is_silent: bool,
}

/// Folders by path and by inode. Memory is that of their paths.
#[derive(Debug, Default)]
pub(super) struct Folders {
    by_path: BTreeMap<Arc<Path>, Known>,
    by_id: BTreeMap<FolderId, Arc<Path>>,
}

impl Folders {
    pub(super) fn get(&self, path: &Path) -> Option<&Known> {
        self.by_path.get(path)
    }

    pub(super) fn get_mut(&mut self, path: &Path) -> Option<&mut Known> {
        self.by_path.get_mut(path)
    }

    /// The path under which a folder is known.
    pub(super) fn path_of(&self, id: &FolderId) -> Option<Arc<Path>> {
        self.by_id.get(id).cloned()
    }

    pub(super) fn insert(&mut self, path: &Path, known: Known) {
        let path: Arc<Path> = Arc::from(path);
        self.remove(&path);
        self.by_id.insert(known.id, Arc::clone(&path));
        self.by_path.insert(path, known);
    }

    pub(super) fn remove(&mut self, path: &Path) {
        let Some((path, known)) = self.by_path.remove_entry(path) else { return };
        if self.by_id.get(&known.id) == Some(&path) {
            self.by_id.remove(&known.id);
        }
    }

    /// `path` itself and everything below.
    pub(super) fn below(&self, path: &Path) -> Vec<Arc<Path>> {
        self.range(path).map(|(path, _)| Arc::clone(path)).collect()
    }

    /// What of `root` a pass has not seen.
    pub(super) fn unseen(&self, root: (usize, &Path), pass: u64) -> Vec<Arc<Path>> {
        let unseen = |known: &Known| known.root == root.0 && known.pass != pass;
        self.range(root.1).filter(|(_, known)| unseen(known)).map(|(path, _)| Arc::clone(path)).collect()
    }

    /// How many there are of each kind.
    pub(super) fn count(&self) -> message::Folders {
        let silent = self.by_path.values().filter(|known| known.is_silent).count() as u64;
        message::Folders { watched: self.by_path.len() as u64 - silent, silent }
    }

    /// What has to be looked at often.
    pub(super) fn silent(&self) -> Vec<(usize, PathBuf)> {
        let silent = self.by_path.iter().filter(|(_, known)| known.is_silent);
        silent.map(|(path, known)| (known.root, path.to_path_buf())).collect()
    }

    /// Paths are ordered by their components, so that what is below a folder follows it.
    fn range(&self, path: &Path) -> impl Iterator<Item = (&Arc<Path>, &Known)> {
        let from: (Bound<&Path>, Bound<&Path>) = (Bound::Included(path), Bound::Unbounded);
        self.by_path.range::<Path, _>(from).take_while(move |(below, _)| below.starts_with(path))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::walk::folder_id;

    #[test]
    fn what_is_below_a_folder_is_found_and_no_more() {
        let mut folders = Folders::default();
        let id = folder_id(Path::new("/"), true).unwrap();
        let known = Known { id, root: 0, pass: 1, is_silent: false };
        for path in ["/a", "/a b", "/a/b", "/a/b/c", "/a-b", "/b"] {
            folders.insert(Path::new(path), known);
        }
        let below = folders.below(Path::new("/a"));
        assert_eq!(below, [Path::new("/a"), Path::new("/a/b"), Path::new("/a/b/c")].map(Arc::from));
        folders.insert(Path::new("/a/b"), Known { pass: 2, is_silent: true, ..known });
        let unseen = folders.unseen((0, Path::new("/a")), 2);
        assert_eq!(unseen, [Path::new("/a"), Path::new("/a/b/c")].map(Arc::from));
        assert_eq!(folders.silent(), [(0, PathBuf::from("/a/b"))]);
        assert!(folders.unseen((1, Path::new("/a")), 2).is_empty());
    }

    #[test]
    fn a_folder_is_known_by_its_last_name() {
        let mut folders = Folders::default();
        let id = folder_id(Path::new("/"), true).unwrap();
        let known = Known { id, root: 0, pass: 1, is_silent: false };
        folders.insert(Path::new("/a"), known);
        folders.insert(Path::new("/b"), known);
        folders.remove(Path::new("/a"));
        assert_eq!(folders.path_of(&id), Some(Arc::from(Path::new("/b"))));
        folders.remove(Path::new("/b"));
        assert_eq!((folders.path_of(&id), folders.get(Path::new("/b"))), (None, None));
    }
}
