//! Moving where a rename cannot: by a copy that has everything, and that is on the disk before the file
//! is deleted.

use std::fs::{self, File, FileTimes};
use std::io::{self, BufReader, ErrorKind, Read};
use std::path::Path;

use common::{Error, OrCannot, Result};
use files::Replacement;
use rustix::fs::{Mode, OFlags, open};

use super::{Step, is_gone, remove_if_same};
use crate::identity::{Kind, Stamp};

/// Bytes that are read at once.
const PIECE: usize = 256 << 10;

/// The coarsest times of a file system in use (FAT), in nanoseconds.
const COARSEST: u64 = 2_000_000_000;

/// Moves by a copy. `before` is the stamp of the name.
pub(super) fn copy(path: &Path, before: &Stamp, target: &Path) -> Result<Step> {
    if before.kind == Kind::Link {
        return copy_link(path, before, target);
    }
    let source = match open_as_it_is(path) {
        Err(gone) if is_gone(&gone) => return Ok(Step::Gone),
        source => source.or_cannot("open", path)?,
    };
    let is_same = || Stamp::of_open(&source).is_ok_and(|now| now.is_same_version(before));
    if !is_same() {
        return Ok(Step::Changed);
    }
    let mut new = Replacement::like(target, &source)?;
    io::copy(&mut BufReader::with_capacity(PIECE, &source), &mut new).or_cannot("copy to", target)?;
    if !is_same() {
        return Ok(Step::Changed);
    }
    let old = source.metadata().or_cannot("look at", path)?;
    let (Ok(accessed), Ok(modified)) = (old.accessed(), old.modified()) else {
        return Err(Error::failed(format!("cannot copy {}: its times are unknown", path.display())));
    };
    let times = FileTimes::new().set_accessed(accessed).set_modified(modified);
    new.content()?.set_times(times).or_cannot("set the times of", target)?;
    match new.commit() {
        Err(_) if is_other(target, before) => return Ok(Step::Taken),
        done => done?,
    }
    remove_if_same(path, before).or_cannot("delete", path)?;
    Ok(Step::Moved)
}

/// Whether the copy could not have its name because something else has it.
fn is_other(target: &Path, before: &Stamp) -> bool {
    Stamp::of(target, false).is_ok_and(|there| !has_same_face(before, &there))
}

/// Opens a file, and waits for nobody should it be a pipe by now.
fn open_as_it_is(path: &Path) -> io::Result<File> {
    let flags = OFlags::RDONLY | OFlags::CLOEXEC | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::NOCTTY;
    Ok(File::from(open(path, flags, Mode::empty())?))
}

fn copy_link(path: &Path, before: &Stamp, target: &Path) -> Result<Step> {
    let leads_to = fs::read_link(path).or_cannot("read the link", path)?;
    match std::os::unix::fs::symlink(leads_to, target) {
        Err(taken) if taken.kind() == ErrorKind::AlreadyExists => return Ok(Step::Taken),
        done => done.or_cannot("make the link", target)?,
    }
    remove_if_same(path, before).or_cannot("delete", path)?;
    Ok(Step::Moved)
}

/// Whether `there` is `path` under another name, or a copy of it on another file system: what a run leaves
/// that is killed before it deletes the file.
pub(super) fn is_copy(path: &Path, before: &Stamp, there: &Path) -> bool {
    let Ok(stamp) = Stamp::of(there, false) else { return false };
    if (stamp.device, stamp.inode) == (before.device, before.inode) {
        return !is_same_name(path, there);
    }
    if stamp.device == before.device || stamp.kind != before.kind {
        return false;
    }
    if before.kind == Kind::Link {
        return fs::read_link(path).ok().is_some_and(|leads_to| fs::read_link(there).ok() == Some(leads_to));
    }
    has_same_face(before, &stamp) && has_same_bytes(path, there).unwrap_or(false)
}

/// Whether two paths are one name in one folder, which may be reached in several ways: then there is no
/// other, and to delete one is to lose the file.
fn is_same_name(path: &Path, there: &Path) -> bool {
    let folder = |path: &Path| path.parent().and_then(|folder| Stamp::of(folder, true).ok());
    let is_same_folder = match (folder(path), folder(there)) {
        (Some(one), Some(other)) => (one.device, one.inode) == (other.device, other.inode),
        _ => true,
    };
    is_same_folder && path.file_name() == there.file_name()
}

fn has_same_face(before: &Stamp, there: &Stamp) -> bool {
    there.size == before.size && there.modified.abs_diff(before.modified) < COARSEST
}

fn has_same_bytes(one: &Path, other: &Path) -> io::Result<bool> {
    let (mut one, mut other) = (open_as_it_is(one)?, open_as_it_is(other)?);
    let (mut left, mut right) = (Vec::with_capacity(PIECE), Vec::with_capacity(PIECE));
    loop {
        left.clear();
        right.clear();
        Read::by_ref(&mut one).take(PIECE as u64).read_to_end(&mut left)?;
        Read::by_ref(&mut other).take(PIECE as u64).read_to_end(&mut right)?;
        if left != right || left.is_empty() {
            return Ok(left == right);
        }
    }
}
