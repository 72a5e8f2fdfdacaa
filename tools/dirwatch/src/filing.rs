//! Putting files away: moved or deleted, never over another.
//!
//! A file keeps its folder below the watched one and its name. Where that name is taken it becomes
//! `a.1.csv`, `a.2.csv`: the extension stays last, so that what takes `*.csv` takes it too when somebody
//! moves it back. A long name is cut so that it fits.
//!
//! What was killed in between is called again with the same file, at every step with the same result:
//!
//! | killed after | what is there | the next call |
//! |---|---|---|
//! | the sidecar | the file, and a sidecar without one | takes the same name and writes the sidecar again |
//! | the rename | the file in its new place | [`Filed::Gone`] |
//! | part of a copy | the file, and `.NAME.XXXXXX.replace.tmp` | removes that, and copies again |
//! | the copy | the file twice, the same bytes | finds the copy, and deletes the file |
//!
//! The sidecar comes before the file, so that no file is ever without its reason.
//!
//! Of a symbolic link the link is moved and not what it leads to; a relative one may lead nowhere from
//! there.

mod copy;
mod name;
mod why;

use std::fs::{self, DirBuilder};
use std::io::{self, ErrorKind};
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};

use common::{Error, OrCannot, Result};
use rustix::fs::{AtFlags, CWD, RenameFlags, linkat, renameat_with};
use rustix::io::Errno;

use crate::identity::{Kind, Stamp};
pub(crate) use why::Why;

/// Who else puts files there takes a name of ours at most so often in a row.
const MOST_TRIES: u32 = 100;

/// What became of a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Filed {
    /// It is here now.
    Moved(PathBuf),
    /// It is deleted.
    Deleted,
    /// It is another file or has another content by now: nothing was done.
    Changed,
    /// It was not there any more; perhaps the command has moved it.
    Gone,
}

/// Where files are put away to.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Shelf<'a> {
    /// This folder, and folders in it as they are below the watched one. They are made when they are
    /// missing.
    pub into: &'a Path,
    /// The watched folder.
    pub below: &'a Path,
    /// What the sidecar `NAME.why.json` says; without it there is none.
    pub why: Option<&'a Why>,
}

/// How one attempt to give a file a new place ended.
#[derive(Debug, PartialEq, Eq)]
enum Step {
    Moved,
    /// Something has the name by now.
    Taken,
    Changed,
    Gone,
}

/// Moves a file whose stamp was `stamp` when its command was started, with owner, mode, times, ACL and
/// attributes as far as that is allowed. To another file system it is copied, and deleted when the copy is
/// on the disk; a move within one is not waited for.
///
/// # Errors
/// When a folder cannot be made or written, or the disk is full: the file is where it was, and nothing
/// is left of the attempt.
pub(crate) fn put_away(path: &Path, stamp: &Stamp, shelf: &Shelf<'_>) -> Result<Filed> {
    let before = match look(path, stamp).or_cannot("look at", path)? {
        Ok(before) => before,
        Err(filed) => return Ok(filed),
    };
    let name =
        path.file_name().ok_or_else(|| Error::failed(format!("`{}` names no file", path.display())))?;
    let folder = path.parent().and_then(|folder| folder.strip_prefix(shelf.below).ok());
    let folder = folder.map_or_else(|| shelf.into.to_path_buf(), |folder| shelf.into.join(folder));
    DirBuilder::new().recursive(true).mode(0o755).create(&folder).or_cannot("make", &folder)?;
    let names = name::Names { folder: &folder, name, why: shelf.why };
    for _ in 0..MOST_TRIES {
        let number = names.first_free();
        // A run that was killed has brought it here, and only the deletion is missing.
        if let Some(last) = number.checked_sub(1).map(|last| names.path(last))
            && names.is_ours(&last)
            && copy::is_copy(path, &before, &last)
        {
            remove_if_same(path, &before).or_cannot("delete", path)?;
            return Ok(Filed::Moved(last));
        }
        let target = names.path(number);
        let Some(sidecar) = why::Sidecar::put(&target, shelf.why)? else { continue };
        match shift(path, &before, &target)? {
            Step::Moved => {
                sidecar.keep();
                return Ok(Filed::Moved(target));
            }
            Step::Taken => {}
            Step::Changed => return Ok(Filed::Changed),
            Step::Gone => return Ok(Filed::Gone),
        }
    }
    let (path, folder) = (path.display(), folder.display());
    Err(Error::retry(format!("cannot move {path} to {folder}: others take each name first")))
}

/// Deletes a file whose stamp was `stamp` when its command was started. Between the last look and the
/// deletion are some microseconds in which a new file of that name would be taken for the old one.
///
/// # Errors
/// When the folder is not writable; the file is where it was.
pub(crate) fn delete(path: &Path, stamp: &Stamp) -> Result<Filed> {
    match look(path, stamp).or_cannot("look at", path)? {
        Err(filed) => Ok(filed),
        Ok(_) => match fs::remove_file(path) {
            Err(gone) if gone.kind() == ErrorKind::NotFound => Ok(Filed::Gone),
            done => done.or_cannot("delete", path).map(|()| Filed::Deleted),
        },
    }
}

/// The stamp of the name itself, if what is behind it still is the same version.
fn look(path: &Path, stamp: &Stamp) -> io::Result<std::result::Result<Stamp, Filed>> {
    let now = match Stamp::of(path, false) {
        Err(gone) if is_gone(&gone) => return Ok(Err(Filed::Gone)),
        now => now?,
    };
    let behind = if now.kind == Kind::Link { Stamp::of(path, true) } else { Ok(now) };
    Ok(if behind.is_ok_and(|behind| behind.is_same_version(stamp)) { Ok(now) } else { Err(Filed::Changed) })
}

fn is_gone(cause: &io::Error) -> bool {
    matches!(cause.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory)
}

/// Gives the file the name `target`, within its file system or by a copy.
fn shift(path: &Path, before: &Stamp, target: &Path) -> Result<Step> {
    let cannot = |cause: io::Error| {
        Error::failed(format!("cannot move {} to {}", path.display(), target.display())).because(cause)
    };
    match rename_to_free(path, target) {
        Ok(false) => Ok(Step::Taken),
        Ok(true) => {
            // Not by its inode and birth: an overlay gives a file of its lower layer new ones with a rename.
            // What cannot be looked at there is moved all the same: who waits for it may be quick.
            let Ok(now) = Stamp::of(target, false) else { return Ok(Step::Moved) };
            if (now.size, now.modified) == (before.size, before.modified) {
                return Ok(Step::Moved);
            }
            // Somebody renamed a new file over it in the last microseconds: it was never processed.
            if !rename_to_free(target, path).unwrap_or(false) {
                let (path, target) = (path.display(), target.display());
                log::warn!("{path} was replaced while it was moved; the new file is {target} now");
            }
            Ok(Step::Changed)
        }
        Err(Errno::XDEV) => copy::copy(path, before, target),
        Err(Errno::NOENT) if Stamp::of(path, false).is_err_and(|gone| is_gone(&gone)) => Ok(Step::Gone),
        Err(cause) => Err(cannot(cause.into())),
    }
}

/// Gives a file another name if nothing has it; false when something has. `XDEV` where that cannot be done
/// without a copy.
fn rename_to_free(from: &Path, to: &Path) -> std::result::Result<bool, Errno> {
    match renameat_with(CWD, from, CWD, to, RenameFlags::NOREPLACE) {
        Ok(()) => Ok(true),
        Err(Errno::EXIST) => Ok(false),
        // NFS and some FUSE file systems know no such rename; a link is never made over anything either.
        Err(Errno::INVAL | Errno::NOSYS | Errno::OPNOTSUPP) => link_to_free(from, to),
        Err(cause) => Err(cause),
    }
}

fn link_to_free(from: &Path, to: &Path) -> std::result::Result<bool, Errno> {
    match linkat(CWD, from, CWD, to, AtFlags::empty()) {
        Ok(()) => rustix::fs::unlink(from).map(|()| true),
        Err(Errno::EXIST) => Ok(false),
        Err(Errno::PERM | Errno::MLINK | Errno::NOSYS | Errno::OPNOTSUPP) => Err(Errno::XDEV),
        Err(cause) => Err(cause),
    }
}

/// Deletes the file if the name still stands for it.
fn remove_if_same(path: &Path, before: &Stamp) -> io::Result<()> {
    if !Stamp::of(path, false).is_ok_and(|now| now.is_same_version(before)) {
        return Ok(());
    }
    match fs::remove_file(path) {
        Err(gone) if is_gone(&gone) => Ok(()),
        done => done,
    }
}

#[cfg(test)]
mod tests;
