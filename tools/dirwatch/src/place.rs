//! From the words of the command line to absolute paths, and to the ledger that belongs to them.

use std::env;
use std::hash::Hasher;
use std::io::ErrorKind;
use std::os::unix::ffi::OsStrExt;
use std::path::{Component, Path, PathBuf};

use common::{Error, OrCannot, Result, tool};
use files::folder_of;
use siphasher::sip::SipHasher13;

/// `path` from the root of the file system, without `.` and `..` and, as far as it exists, without
/// symbolic links.
///
/// # Errors
/// When the current folder has no name any more, or what exists of the path cannot be resolved.
pub(crate) fn absolute(path: &Path) -> Result<PathBuf> {
    let whole = std::path::absolute(path).or_cannot("resolve", path)?;
    let mut missing = Vec::new();
    let mut known = whole.as_path();
    loop {
        match known.canonicalize() {
            Ok(found) => return Ok(plain(&missing.iter().rev().fold(found, |path, name| path.join(name)))),
            Err(error) if error.kind() == ErrorKind::NotFound => {}
            Err(error) => return Err(error).or_cannot("resolve", path),
        }
        missing.push(known.components().next_back().unwrap_or(Component::RootDir));
        known = known.parent().unwrap_or(Path::new("/"));
    }
}

/// Takes `..` out of a path that does not exist yet, where no symbolic link can lead elsewhere.
fn plain(path: &Path) -> PathBuf {
    let mut result = PathBuf::new();
    for part in path.components() {
        match part {
            Component::ParentDir => drop(result.pop()),
            other => result.push(other),
        }
    }
    result
}

/// The watched folders, each once.
///
/// # Errors
/// When one is inside another, which is then watched twice, or is there and no folder.
pub(crate) fn roots(dirs: &[PathBuf], recursive: bool) -> Result<Vec<PathBuf>> {
    let mut roots: Vec<PathBuf> = Vec::new();
    for dir in dirs {
        let root = absolute(dir)?;
        if root.metadata().is_ok_and(|found| !found.is_dir()) {
            return Err(tool::usage(format!(
                "{} is no directory; give the one that it is in, and --include for its name alone",
                dir.display()
            )));
        }
        if !roots.contains(&root) {
            roots.push(root);
        }
    }
    for (outer, inner) in roots.iter().flat_map(|outer| roots.iter().map(move |inner| (outer, inner))) {
        if recursive && outer != inner && inner.starts_with(outer) {
            let (outer, inner) = (outer.display(), inner.display());
            return Err(tool::usage(format!(
                "{inner} is inside {outer}; with --recursive give {outer} only"
            )));
        }
    }
    Ok(roots)
}

/// A folder into which files are put away. It may lie in a watched folder, which does not enter it.
///
/// # Errors
/// When it is a watched folder or above one, where what is put away would be found again.
pub(crate) fn outside(dir: &Path, roots: &[PathBuf]) -> Result<PathBuf> {
    let path = absolute(dir)?;
    match roots.iter().find(|root| root.starts_with(&path)) {
        Some(root) => {
            let (dir, root) = (dir.display(), root.display());
            Err(tool::usage(format!(
                "{dir} cannot be where files of {root} are put away: choose a directory of its own"
            )))
        }
        None => Ok(path),
    }
}

/// The ledger: where `--state` says, or a file of the user's own that is named after the folders.
///
/// # Errors
/// When neither a file nor a folder is given, or there is no place for files of that kind.
pub(crate) fn ledger_of(given: Option<&Path>, dirs: &[PathBuf]) -> Result<PathBuf> {
    if let Some(path) = given {
        return absolute(path);
    }
    let roots = roots(dirs, false)?;
    let Some(first) = roots.first() else {
        return Err(tool::usage("neither a directory nor --state FILE says which record is meant"));
    };
    let mut sorted: Vec<&PathBuf> = roots.iter().collect();
    sorted.sort();
    let mut hasher = SipHasher13::new();
    for root in sorted {
        hasher.write(root.as_os_str().as_bytes());
        hasher.write_u8(0);
    }
    let name = first.file_name().unwrap_or_default().to_string_lossy();
    Ok(state_home()?.join("dirwatch").join(format!("{name}-{:016x}.db", hasher.finish())))
}

/// Refuses a record in a folder that is not there: the path is misspelt then, and with a new record every
/// file would be new.
///
/// # Errors
/// As it says.
pub(crate) fn has_folder(state: &Path) -> Result<()> {
    let folder = folder_of(state);
    let is_missing = folder.metadata().is_err_and(|why| why.kind() == ErrorKind::NotFound);
    if is_missing {
        let (state, folder) = (state.display(), folder.display());
        return Err(tool::usage(format!(
            "cannot keep the record {state}: there is no folder {folder}; make it, or mend --state"
        )));
    }
    Ok(())
}

/// The folder for what programs remember (XDG Base Directory Specification).
fn state_home() -> Result<PathBuf> {
    let set = |name: &str| env::var_os(name).map(PathBuf::from).filter(|path| path.is_absolute());
    set("XDG_STATE_HOME").or_else(|| set("HOME").map(|home| home.join(".local/state"))).ok_or_else(|| {
        Error::failed("neither XDG_STATE_HOME nor HOME is set; say with --state FILE where to record what was processed")
    })
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    #[test]
    fn what_exists_is_resolved_and_the_rest_is_kept() {
        let folder = tempfile::tempdir().unwrap();
        let base = folder.path().canonicalize().unwrap();
        fs::create_dir(base.join("real")).unwrap();
        std::os::unix::fs::symlink("real", base.join("link")).unwrap();
        let check = |path: &str, want: &str| {
            assert_eq!(absolute(&base.join(path)).unwrap(), base.join(want), "{path}");
        };
        check("real", "real");
        check("link", "real");
        check("link/new/deep", "real/new/deep");
        check("new/../other", "other");
        check("link/./x/", "real/x");
        assert_eq!(absolute(Path::new("/")).unwrap(), Path::new("/"));
    }

    #[test]
    fn a_folder_inside_another_is_refused_only_where_both_are_read() {
        let folder = tempfile::tempdir().unwrap();
        let (outer, inner) = (folder.path().to_path_buf(), folder.path().join("inner"));
        let both = [inner.clone(), outer, inner];
        assert_eq!(roots(&both, false).unwrap().len(), 2);
        assert!(roots(&both, true).unwrap_err().to_string().contains("is inside"));
        testkit::write(folder.path().join("file"), "");
        assert!(roots(&[folder.path().join("file")], false).is_err());
    }

    #[test]
    fn files_are_not_put_away_to_where_they_are_looked_for() {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path().canonicalize().unwrap().join("in");
        let roots = [root.clone()];
        assert_eq!(outside(&root.join("done"), &roots).unwrap(), root.join("done"));
        assert!(outside(&root.with_file_name("done"), &roots).is_ok());
        for bad in [&root, folder.path()] {
            assert!(outside(bad, &roots).unwrap_err().to_string().contains("put away"));
        }
    }

    #[test]
    fn the_same_folders_have_the_same_ledger_in_any_order() {
        let dirs = |names: [&str; 2]| names.map(PathBuf::from);
        let name = |path: PathBuf| path.to_string_lossy().rsplit_once('-').unwrap().1.to_owned();
        let [one, two] = [["/a", "/b"], ["/b", "/a"]].map(|names| ledger_of(None, &dirs(names)).unwrap());
        assert_eq!(name(one), name(two.clone()));
        assert_ne!(name(ledger_of(None, &dirs(["/a", "/c"])).unwrap()), name(two));
        assert_eq!(ledger_of(Some(Path::new("/x.db")), &[]).unwrap(), Path::new("/x.db"));
        assert!(ledger_of(None, &[]).is_err());
    }
}
