//! Files on this host that hold secrets: read, and changed under their locks.

use std::collections::BTreeSet;
use std::fs::{self, File};
use std::io::{self, ErrorKind, Write};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use common::{Error, OrCannot, Result};
use files::{Lock, Replacement, Wait, behind_links, folder_of, read_whole};
use zeroize::Zeroizing;

use common::answer::Answer;

/// In bytes; a longer file is none that programs read their secrets from.
const LARGEST: u64 = 16 * 1024 * 1024;

/// Files that everybody may read, each of which is told once.
static TOLD: Mutex<BTreeSet<PathBuf>> = Mutex::new(BTreeSet::new());

/// The bytes of `path`, never half written; `None` when there is no such file. A folder that is not there
/// is an unknown: perhaps it is not mounted.
pub(crate) fn read(path: &Path) -> Answer<Option<Zeroizing<Vec<u8>>>> {
    let found = match fs::metadata(path) {
        Ok(found) => found,
        Err(missing) if missing.kind() == ErrorKind::NotFound => {
            let folder = behind_links(path, "read").and_then(|target| opened(folder_of(&target)));
            return folder.map_or_else(told, |_| Answer::Yes(None));
        }
        Err(cause) => return told(Error::failed(format!("cannot read {}", path.display())).because(cause)),
    };
    if found.len() > LARGEST {
        return Answer::No(format!("{} is larger than 16 MiB", path.display()));
    }
    read_whole(path).map_or_else(told, |bytes| Answer::Yes(Some(Zeroizing::new(bytes))))
}

/// Makes the content of `path` what `edit` makes of it, durably and whole: readers see the old bytes or
/// the new ones. The lock that others take, too, is waited for no longer than `limit`. Owner, mode and
/// attributes stay; a new file has `mode`, and never a wider one. Symbolic links are followed to the file.
/// Where nothing changes, nothing is written. An error of `edit` is a no.
///
/// A folder in which others than its owner may replace files is a no: what they put there is read instead.
pub(crate) fn change(
    path: &Path,
    (mode, limit): (u32, Duration),
    edit: impl FnOnce(Option<&[u8]>) -> std::result::Result<Zeroizing<Vec<u8>>, String>,
) -> Answer {
    let locked = || {
        let target = behind_links(path, "write")?;
        closed(folder_of(path))?;
        closed(folder_of(&target))?;
        let lock = Lock::acquire(path, Wait::For(limit))?;
        changeable(&lock, path)?;
        let old = lock.read()?.map(Zeroizing::new);
        Ok((target, lock, old))
    };
    let (target, lock, old) = match locked() {
        Ok(locked) => locked,
        Err(error) => return told(error),
    };
    let new = match edit(old.as_ref().map(|bytes| bytes.as_slice())) {
        Ok(new) => new,
        Err(why) => return Answer::No(format!("cannot write {}: {why}", path.display())),
    };
    let done = match old {
        Some(old) if old == new => flushed(&lock, path, &target),
        Some(_) => replaced(lock, path, &new),
        None => created(&target, mode, &new),
    };
    done.map_or_else(told, Answer::Yes)
}

fn replaced(mut lock: Lock, path: &Path, new: &[u8]) -> Result<()> {
    let mode = lock.file().and_then(|file| file.metadata().ok()).map_or(0, |found| found.mode());
    lock.replace(new)?;
    let is_news = || TOLD.lock().unwrap_or_else(PoisonError::into_inner).insert(path.to_owned());
    if mode & 0o004 != 0 && is_news() {
        let path = path.display();
        log::warn!("everybody may read {path}, which holds a secret; chmod o= {path}");
    }
    Ok(())
}

fn created(target: &Path, mode: u32, new: &[u8]) -> Result<()> {
    let mut file = Replacement::with_mode(target, mode)?;
    file.write_all(new).or_cannot("create", target)?;
    file.commit()
}

/// What somebody wrote, perhaps we before we were killed, may not be on the disk yet.
fn flushed(lock: &Lock, path: &Path, target: &Path) -> Result<()> {
    lock.file().map_or(Ok(()), File::sync_all).or_cannot("flush", path)?;
    let folder = folder_of(target);
    opened(folder)?.sync_all().or_cannot("flush", folder)
}

/// An error with the way out where the file cannot be replaced.
fn changeable(lock: &Lock, path: &Path) -> Result<()> {
    let found = lock.condition()?;
    let length = lock.file().and_then(|file| file.metadata().ok()).map_or(0, |found| found.len());
    let path = path.display();
    let why = if found.immutable || found.append_only {
        format!("{path} is immutable; chattr -ia {path} ends that")
    } else if found.mount_root {
        format!("{path} is a mount of its own and cannot be replaced; mount its folder instead")
    } else if length > LARGEST {
        format!("{path} is larger than 16 MiB")
    } else {
        return Ok(());
    };
    Err(Error::failed(why))
}

fn opened(folder: &Path) -> Result<File> {
    File::open(folder).or_cannot("open", folder)
}

/// An error when others than its owner may give the names in `folder` to other files.
fn closed(folder: &Path) -> Result<()> {
    let mode = fs::metadata(folder).or_cannot("write to", folder)?.mode();
    let is_sticky = mode & 0o1000 != 0;
    if mode & 0o022 == 0 || is_sticky {
        return Ok(());
    }
    let who = if mode & 0o002 == 0 { "its group" } else { "everybody" };
    let folder = folder.display();
    Err(Error::failed(format!(
        "{who} may replace files in {folder}, also with a secret; chmod go-w {folder}"
    )))
}

/// A no where only a human can help.
#[expect(clippy::needless_pass_by_value, reason = "for map_or_else")]
fn told<T>(error: Error) -> Answer<T> {
    let source = std::error::Error::source(&error);
    let kind = source.and_then(|cause| cause.downcast_ref::<io::Error>()).map(io::Error::kind);
    let is_definite = match kind {
        None => error.status() != 75,
        Some(kind) => matches!(
            kind,
            ErrorKind::PermissionDenied
                | ErrorKind::ReadOnlyFilesystem
                | ErrorKind::NotADirectory
                | ErrorKind::IsADirectory
                | ErrorKind::InvalidFilename
                | ErrorKind::InvalidInput
        ),
    };
    let why = error.to_string();
    if is_definite { Answer::No(why) } else { Answer::Unknown(why) }
}

#[cfg(test)]
mod tests;
