//! Which files are there now, and where that cannot be told.

use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use common::{Error, OrCannot, Result};

use super::mounts;
use crate::identity::{Key, Kind, Stamp, version_key};
use crate::ledger::Entry;

/// Tells `found` of every file below `root`, whatever its name and in no order; of symbolic links
/// when they lead to a file. Links to folders are not entered. Returns what could not be read; a
/// folder that has vanished meanwhile is none of that, but `root` is.
///
/// # Errors
/// Those of `found`.
pub(super) fn files_below(
    root: &Path,
    found: &mut dyn FnMut(&Path, &Stamp) -> Result<()>,
) -> Result<Vec<Error>> {
    let mut troubles = Vec::new();
    let mut folders = vec![root.to_path_buf()];
    while let Some(folder) = folders.pop() {
        let names = match fs::read_dir(&folder) {
            Ok(names) => names,
            Err(gone) if gone.kind() == ErrorKind::NotFound && folder != root => continue,
            Err(cause) => {
                troubles.extend(Err::<(), _>(cause).or_cannot("read the folder", &folder).err());
                continue;
            }
        };
        for name in names {
            match name.and_then(|name| Ok((name.path(), Stamp::of(&name.path(), false)?))) {
                Ok((path, stamp)) if stamp.kind == Kind::Folder => folders.push(path),
                Ok((path, stamp)) => tell(&path, stamp, found)?,
                Err(gone) if gone.kind() == ErrorKind::NotFound => {}
                Err(cause) => {
                    troubles.extend(Err::<(), _>(cause).or_cannot("look into", &folder).err());
                }
            }
        }
    }
    Ok(troubles)
}

fn tell(path: &Path, stamp: Stamp, found: &mut dyn FnMut(&Path, &Stamp) -> Result<()>) -> Result<()> {
    let stamp = match stamp.kind {
        Kind::Link => Stamp::of(path, true).ok(),
        _ => Some(stamp),
    };
    match stamp {
        Some(stamp) if stamp.kind == Kind::File => found(path, &stamp),
        _ => Ok(()),
    }
}

/// Where the file of an entry is.
#[derive(Debug)]
pub(super) enum Whereabouts<'a> {
    /// It is there, perhaps under another name, or something else has its name.
    There,
    /// No file of this version is below the watched folders, and nothing has its name.
    Gone,
    /// It cannot be told, as this watched folder cannot be read.
    Unknown(&'a (PathBuf, Error)),
}

/// The versions of all files below the watched folders. Takes 8 bytes for each file.
#[derive(Debug)]
pub(super) struct Present {
    roots: Vec<PathBuf>,
    /// The second halves of the keys, sorted: the first halves are inode numbers. Two that are equal
    /// by chance keep an entry that could go, and lose none.
    versions: Vec<u64>,
    /// Of what is below these nothing is known, for this reason.
    unknown: Vec<(PathBuf, Error)>,
}

impl Present {
    /// Reads the folders. Of one that cannot be read, wholly or in part, or whose file system is not
    /// mounted, nothing is known.
    ///
    /// # Errors
    /// None of its own.
    pub(super) fn below(roots: Vec<PathBuf>) -> Result<Self> {
        let mut present = Self { roots: Vec::new(), versions: Vec::new(), unknown: Vec::new() };
        for root in &roots {
            // A file that is renamed while its old and its new folder are read may be seen in neither.
            let mut troubles = present.add(root)?;
            troubles.extend(present.add(root)?);
            troubles.extend(mounts::missing(root).map(|point| {
                let (root, point) = (root.display(), point.display());
                Error::failed(format!("{point} is not mounted, which {root} is on"))
            }));
            present.unknown.extend(troubles.into_iter().next().map(|trouble| (root.clone(), trouble)));
        }
        present.roots = roots;
        Ok(present)
    }

    fn add(&mut self, root: &Path) -> Result<Vec<Error>> {
        let troubles = files_below(root, &mut |_, stamp| {
            self.versions.push(half(&version_key(root, stamp)));
            Ok(())
        });
        self.versions.sort_unstable();
        self.versions.dedup();
        troubles
    }

    /// Where the file of `entry` is.
    pub(super) fn whereabouts(&self, entry: &Entry) -> Whereabouts<'_> {
        if let Some(unknown) = self.unknown.iter().find(|(root, _)| entry.path.starts_with(root)) {
            return Whereabouts::Unknown(unknown);
        }
        let is_there = self.versions.binary_search(&half(&entry.key)).is_ok()
            || !is_missing(&entry.path)
            || self.roots.iter().any(|root| is_behind_a_link(root, &entry.path));
        if is_there { Whereabouts::There } else { Whereabouts::Gone }
    }
}

/// Whether nothing has this name; not when that cannot be told.
pub(super) fn is_missing(path: &Path) -> bool {
    fs::symlink_metadata(path)
        .is_err_and(|cause| matches!(cause.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory))
}

/// Whether `path` leads through a symbolic link below `root`: there it may have another name now,
/// which nobody has looked for.
fn is_behind_a_link(root: &Path, path: &Path) -> bool {
    let folders = path.ancestors().skip(1).take_while(|folder| *folder != root && folder.starts_with(root));
    path.starts_with(root) && folders.into_iter().any(Path::is_symlink)
}

fn half(key: &Key) -> u64 {
    key.0[8..].iter().fold(0, |number, byte| number << 8 | u64::from(*byte))
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::symlink;

    use super::*;
    use crate::identity::path_key;
    use crate::ledger::State;

    struct Tree {
        folder: tempfile::TempDir,
        roots: Vec<PathBuf>,
    }

    impl Tree {
        fn new() -> Self {
            let folder = tempfile::tempdir().unwrap();
            let root = folder.path().join("in");
            fs::create_dir_all(root.join("a/b")).unwrap();
            Self { folder, roots: vec![root] }
        }

        fn file(&self, name: &str) -> Entry {
            let path = self.roots[0].join(name);
            testkit::write(&path, name);
            let stamp = Stamp::of(&path, false).unwrap();
            entry(version_key(&self.roots[0], &stamp), path)
        }

        fn check(&self, entry: &Entry, gone: bool) {
            let present = Present::below(self.roots.clone()).unwrap();
            let found = present.whereabouts(entry);
            assert_eq!(matches!(found, Whereabouts::Gone), gone, "{} {found:?}", entry.path.display());
        }
    }

    fn entry(key: Key, path: PathBuf) -> Entry {
        Entry {
            key,
            path,
            size: 0,
            modified: 0,
            state: State::Done,
            attempt: 1,
            failures: 0,
            at: 0,
            due: 0,
            took: 0,
            note: String::new(),
        }
    }

    #[test]
    fn a_file_is_there_under_any_name() {
        let tree = Tree::new();
        let file = tree.file("a/x");
        tree.check(&file, false);
        fs::rename(&file.path, tree.roots[0].join("a/b/.y")).unwrap();
        tree.check(&file, false);
        fs::rename(tree.roots[0].join("a/b/.y"), tree.folder.path().join("x")).unwrap();
        tree.check(&file, true);
    }

    #[test]
    fn a_name_is_there_whatever_has_it() {
        let tree = Tree::new();
        let path = tree.roots[0].join("x");
        let file = entry(path_key(&path), path.clone());
        tree.check(&file, true);
        symlink("nowhere", &path).unwrap();
        tree.check(&file, false);
    }

    #[test]
    fn what_a_link_leads_to_is_there() {
        let tree = Tree::new();
        let target = tree.folder.path().join("target");
        testkit::write(&target, "1");
        symlink(&target, tree.roots[0].join("link")).unwrap();
        let stamp = Stamp::of(&target, false).unwrap();
        let old_name = tree.roots[0].join("old");
        tree.check(&entry(version_key(&tree.roots[0], &stamp), old_name), false);
    }

    #[test]
    fn what_was_behind_a_link_to_a_folder_is_kept() {
        let tree = Tree::new();
        fs::create_dir(tree.folder.path().join("else")).unwrap();
        symlink(tree.folder.path().join("else"), tree.roots[0].join("link")).unwrap();
        let path = tree.roots[0].join("link/x");
        tree.check(&entry(path_key(&path), path.clone()), false);
        fs::remove_file(tree.roots[0].join("link")).unwrap();
        tree.check(&entry(path_key(&path), path), true);
    }

    #[test]
    fn of_a_folder_that_is_missing_nothing_is_known() {
        let tree = Tree::new();
        let file = tree.file("x");
        fs::remove_dir_all(&tree.roots[0]).unwrap();
        let present = Present::below(tree.roots.clone()).unwrap();
        let Whereabouts::Unknown((root, _)) = present.whereabouts(&file) else { panic!("{present:?}") };
        assert_eq!(*root, tree.roots[0]);
        let elsewhere = tree.folder.path().join("other/x");
        let elsewhere = entry(path_key(&elsewhere), elsewhere);
        assert!(matches!(present.whereabouts(&elsewhere), Whereabouts::Gone));
    }

    #[test]
    fn what_cannot_be_read_is_told_and_the_rest_is_found() {
        let tree = Tree::new();
        tree.file("a/x");
        let mut found = Vec::new();
        let missing = tree.folder.path().join("missing");
        let mut collect = |path: &Path, _: &Stamp| {
            found.push(path.to_path_buf());
            Ok(())
        };
        let troubles = files_below(&missing, &mut collect).unwrap();
        assert_eq!(troubles.len(), 1);
        assert!(
            troubles[0].to_string().starts_with(&format!("cannot read the folder {}", missing.display()))
        );
        assert!(files_below(&tree.roots[0], &mut collect).unwrap().is_empty());
        assert_eq!(found, [tree.roots[0].join("a/x")]);
    }
}
