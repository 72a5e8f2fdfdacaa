//! From the path a caller gives to the file behind it.

use std::fs::{self, Metadata};
use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};

use common::{Error, OrCannot, Result};

/// As many as the kernel follows, see `path_resolution(7)`.
const MOST_LINKS: usize = 40;

/// Follows symbolic links to the file itself, which need not exist.
pub(crate) fn resolve(path: &Path, verb: &str) -> Result<PathBuf> {
    find(path, verb).map(|(target, _)| target)
}

/// Follows symbolic links to the file itself; says whether it exists.
pub(crate) fn find(path: &Path, verb: &str) -> Result<(PathBuf, bool)> {
    // Mostly it is no link, and one call tells.
    if metadata_of(path).or_cannot(verb, path)?.is_some_and(|found| found.is_file()) {
        return Ok((path.to_path_buf(), true));
    }
    // The kernel first: it sees through /dev/stdout, whose links name no path.
    let exists = match fs::metadata(path) {
        Ok(found) => regular(&found, path, verb).map(|()| true)?,
        Err(missing) if missing.kind() == ErrorKind::NotFound => false,
        Err(cause) => return Err(cause).or_cannot(verb, path),
    };
    behind_links(path, verb).map(|target| (target, exists))
}

/// Follows symbolic links to a name that is none; whether something has that name is not asked.
///
/// # Errors
/// `cannot VERB PATH: …` when a link cannot be read, or there are more than the kernel follows.
pub fn behind_links(path: &Path, verb: &str) -> Result<PathBuf> {
    let mut target = path.to_path_buf();
    for _ in 0..MOST_LINKS {
        match fs::read_link(&target) {
            Ok(next) => target = folder_of(&target).join(next),
            Err(no_link) if matches!(no_link.kind(), ErrorKind::InvalidInput | ErrorKind::NotFound) => {
                return Ok(target);
            }
            Err(cause) => return Err(cause).or_cannot(verb, path),
        }
    }
    Err(Error::failed(format!("cannot {verb} {}: too many symbolic links", path.display())))
}

pub(crate) fn regular(found: &Metadata, path: &Path, verb: &str) -> Result<()> {
    if found.is_file() {
        return Ok(());
    }
    Err(Error::failed(format!("cannot {verb} {}: it is not a regular file", path.display())))
}

/// The folder of `path`, `.` when it names none.
#[must_use]
pub fn folder_of(path: &Path) -> &Path {
    path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."))
}

/// What the name itself stands for, a symbolic link not followed; `None` when nothing has it.
pub(crate) fn metadata_of(path: &Path) -> io::Result<Option<Metadata>> {
    match fs::symlink_metadata(path) {
        Err(missing) if missing.kind() == ErrorKind::NotFound => Ok(None),
        found => found.map(Some),
    }
}
