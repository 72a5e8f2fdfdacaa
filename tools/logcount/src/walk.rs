//! The files in directories.

use std::fs;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

use common::{Error, OrCannot, Result, output, tool};
use globset::{Glob, GlobSet, GlobSetBuilder};

/// How directories are searched.
#[derive(Debug)]
pub(crate) struct Walk {
    /// Which names are wanted; empty is all of them.
    globs: GlobSet,
    /// The tool's own files.
    skip: Vec<PathBuf>,
}

impl Walk {
    /// Searches for names that match one of `globs`, or for all when there are none. The files in
    /// `skip` are passed over.
    ///
    /// # Errors
    /// When a pattern cannot be read.
    pub(crate) fn new(globs: &[String], skip: Vec<PathBuf>) -> Result<Self> {
        let bad = |error: globset::Error| tool::usage("cannot read --glob").because(error);
        let mut set = GlobSetBuilder::new();
        for glob in globs {
            set.add(Glob::new(glob).map_err(bad)?);
        }
        Ok(Self { globs: set.build().map_err(bad)?, skip })
    }

    /// Adds the files below `folder` to `files`, sorted, and returns what could not be searched.
    ///
    /// Links to files count, as in `/var/log/containers`; links to directories are not followed,
    /// which may lead in circles. What is neither a file nor a directory is passed over.
    fn below(&self, folder: &Path, files: &mut Vec<PathBuf>) -> Vec<Error> {
        let entries = fs::read_dir(folder).and_then(Iterator::collect::<std::io::Result<Vec<_>>>);
        let mut entries = match entries.or_cannot("read", folder) {
            Ok(entries) => entries,
            Err(error) => return vec![error],
        };
        entries.sort_by_key(fs::DirEntry::file_name);
        let mut failures = Vec::new();
        for entry in entries {
            let path = entry.path();
            match entry.file_type() {
                Ok(kind) if kind.is_dir() => failures.extend(self.below(&path, files)),
                Ok(kind) if kind.is_file() || (kind.is_symlink() && path.is_file()) => {
                    if self.wants(&path) {
                        files.push(path);
                    }
                }
                _ => log::debug!("passed over {}: it is no file", path.display()),
            }
        }
        failures
    }

    fn wants(&self, path: &Path) -> bool {
        let named = self.globs.is_empty() || path.file_name().is_some_and(|name| self.globs.is_match(name));
        named && !self.skip.iter().any(|own| output::is_same(own, path))
    }
}

/// The files that `paths` stand for, in their order, and what could not be searched.
pub(crate) fn expand(paths: &[PathBuf], walk: Option<&Walk>) -> (Vec<PathBuf>, Vec<Error>) {
    let Some(walk) = walk else { return (paths.to_vec(), Vec::new()) };
    let mut files = Vec::new();
    let mut failures = Vec::new();
    for path in paths {
        if path.as_os_str().as_bytes() != b"-" && path.is_dir() {
            failures.extend(walk.below(path, &mut files));
        } else {
            files.push(path.clone());
        }
    }
    (files, failures)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_come_sorted_and_only_those_that_match() {
        let folder = tempfile::tempdir().unwrap();
        for name in ["b.log", "a/x.log", "a/x.txt", "c.log.1", "own.log"] {
            let path = folder.path().join(name);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::File::create(path).unwrap();
        }
        std::os::unix::fs::symlink(folder.path(), folder.path().join("circle")).unwrap();
        std::os::unix::fs::symlink("b.log", folder.path().join("z.log")).unwrap();
        let check = |globs: &[&str], want: &[&str]| {
            let globs: Vec<String> = globs.iter().map(ToString::to_string).collect();
            let walk = Walk::new(&globs, vec![folder.path().join("./own.log")]).unwrap();
            let (files, failures) = expand(&[folder.path().to_path_buf()], Some(&walk));
            let want: Vec<PathBuf> = want.iter().map(|name| folder.path().join(name)).collect();
            assert_eq!((files, failures.len()), (want, 0));
        };
        check(&["*.log"], &["a/x.log", "b.log", "z.log"]);
        check(&["*.log.*", "*.txt"], &["a/x.txt", "c.log.1"]);
        check(&[], &["a/x.log", "a/x.txt", "b.log", "c.log.1", "z.log"]);
        assert!(Walk::new(&["[".into()], Vec::new()).is_err());
    }
}
