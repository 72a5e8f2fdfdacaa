//! Writes a file in place, for names that cannot be given to another file: a single file that is
//! bind-mounted (rename(2) gives EBUSY), or one whose hard links shall stay.
//!
//! The order makes it recoverable. The [journal](crate::journal) appears whole, by a rename: from
//! then on the new content counts. Only then the file is written, cut if it becomes shorter, and
//! flushed, and then the journal goes. Who takes the lock and finds a journal completes the work,
//! unless somebody has written something else into the file since. The journal lies beside the name
//! that was locked: who knows the file by a name in another folder does not see it.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::{FileExt, MetadataExt};
use std::path::{Path, PathBuf};

use common::{Error, OrCannot, Result};
use rustix::fs::{FallocateFlags, fallocate};
use rustix::io::Errno;

use crate::journal::{self, Content, Found, Journal, SECTOR, piece};
use crate::lock::try_lock;
use crate::path::{folder_of, metadata_of};
use crate::replace::{Expect, Replacement};
use crate::state::{Identity, Seen, Stamp};
use crate::temp::random;

/// One write(2) up to this length: who reads meanwhile without asking for the journal then has the
/// least chance of seeing two halves.
const MOST_AT_ONCE: u64 = 8 << 20;

/// A file that is about to be written in place.
#[derive(Debug)]
pub(crate) struct InPlace<'a> {
    /// As the caller named it.
    pub(crate) path: &'a Path,
    /// Its own name, behind symbolic links.
    pub(crate) target: &'a Path,
    /// The file, locked.
    pub(crate) file: &'a File,
}

impl InPlace<'_> {
    /// Begins the journal. The new content is to be written into it, and nothing else.
    ///
    /// # Errors
    /// When the folder takes no file, or something has the name of the journal already;
    /// nothing has changed.
    pub(crate) fn begin(&self) -> Result<Replacement> {
        let journal = journal::path_of(self.target);
        if metadata_of(&journal).or_cannot("stat", &journal)?.is_some() {
            let (path, journal) = (self.path.display(), journal.display());
            let why = format!("{journal} is in the way");
            return Err(Error::failed(format!("cannot write {path} in place: {why}")));
        }
        Replacement::like(&journal, self.file).map_err(|cause| {
            let (path, folder) = (self.path.display(), folder_of(self.target).display());
            let what = format!("cannot write {path} in place: its journal must be created in {folder}");
            Error::failed(what).because(cause)
        })
    }

    /// Puts the new content into the file, which must still be what was `seen`.
    ///
    /// # Errors
    /// The file is as it was; where it could not be brought back the sentence says so, and the
    /// journal stays.
    pub(crate) fn put(&self, mut new: Replacement, seen: &mut Seen) -> Result<()> {
        let writable = self.open()?;
        let lengths = self.complete(&mut new)?;
        self.make_room(&writable, lengths, seen)?;
        let put = new.put(Expect::Journal(self.target, self.file, seen))?;
        let [new, old] = lengths;
        let flushed = put.named.flush().map_err(|cause| {
            let path = self.path.display();
            Error::failed(format!("cannot write {path} in place without its journal")).because(cause)
        });
        let path = journal::path_of(self.target);
        let journal = Journal { file: put.file, path, new, old, inode: seen.stamp.identity.inode };
        let written = flushed.and_then(|()| journal.redo(&writable).or_cannot("write", self.path));
        match written {
            Ok(()) => {
                journal.remove();
                Ok(())
            }
            Err(cause) => Err(journal.undo(&writable, self.path, cause)),
        }
    }

    /// The file, open for writing.
    fn open(&self) -> Result<File> {
        let writable = match OpenOptions::new().read(true).write(true).open(self.target) {
            Err(gone) if gone.kind() == io::ErrorKind::NotFound => return Err(conflict(self.path)),
            opened => opened.or_cannot("write", self.path)?,
        };
        let same = |one: &File| one.metadata().map(|found| Identity::of(&found)).or_cannot("stat", self.path);
        if same(&writable)? != same(self.file)? {
            return Err(conflict(self.path));
        }
        Ok(writable)
    }

    /// Adds the old content and the trailer to the journal; returns the lengths of new and old.
    fn complete(&self, journal: &mut Replacement) -> Result<[u64; 2]> {
        let new = journal.written();
        let found = self.file.metadata().or_cannot("stat", self.path)?;
        let old = found.len();
        let mut at = 0;
        while at < old {
            let bytes = piece(self.file, (0, old), at).or_cannot("read", self.path)?;
            journal.write_all(&bytes).or_cannot("write the journal of", self.path)?;
            at += bytes.len() as u64;
        }
        let trailer = journal::trailer(journal.content()?, [new, old, found.ino()]);
        let trailer = trailer.or_cannot("read the journal of", self.path)?;
        journal.write_all(&trailer).or_cannot("write the journal of", self.path)?;
        Ok([new, old])
    }

    /// Takes the space first: with the journal in place it is too late to find the disk full.
    fn make_room(&self, writable: &File, [new, old]: [u64; 2], seen: &mut Seen) -> Result<()> {
        if new <= old {
            return Ok(());
        }
        let found = writable.metadata().or_cannot("stat", self.path)?;
        if !seen.allows(&Stamp::of(&found)) {
            return Err(conflict(self.path));
        }
        match fallocate(writable, FallocateFlags::KEEP_SIZE, 0, new) {
            // Where it cannot be taken, a full disk is found later, and the old content put back.
            Ok(()) | Err(Errno::OPNOTSUPP | Errno::NOSYS | Errno::INVAL) => {}
            Err(full) => return Err(io::Error::from(full)).or_cannot("write", self.path),
        }
        // That has changed both times.
        seen.stamp = Stamp::of(&writable.metadata().or_cannot("stat", self.path)?);
        if seen.stamp.size != old {
            return Err(conflict(self.path));
        }
        Ok(())
    }
}

impl Journal {
    /// Gives `file` the new content, and returns when it is on the disk.
    fn redo(&self, file: &File) -> io::Result<()> {
        self.overwrite(file, (0, self.new))?;
        if self.content_of(file, SECTOR)? != Content::New {
            return Err(io::Error::other("it reads differently from what was written"));
        }
        file.sync_all()
    }

    /// Gives `file` the old content again; returns what to say after `cause`.
    fn undo(&self, file: &File, path: &Path, cause: Error) -> Error {
        let undone = self.overwrite(file, (self.new, self.old)).and_then(|()| file.sync_all());
        if undone.is_ok() {
            self.remove();
            return cause;
        }
        let (path, journal) = (path.display(), self.path.display());
        let what = format!("{path} is half written; the next lock on it completes it from {journal}");
        Error::failed(what).because(cause)
    }

    /// Writes a part (first byte, length) of the journal over `file`, which then ends.
    fn overwrite(&self, file: &File, (start, length): (u64, u64)) -> io::Result<()> {
        let mut at = 0;
        while at < length {
            let size = usize::try_from((length - at).min(MOST_AT_ONCE)).map_err(io::Error::other)?;
            let mut bytes = vec![0; size];
            self.file.read_exact_at(&mut bytes, start + at)?;
            file.write_all_at(&bytes, at)?;
            at += bytes.len() as u64;
        }
        if file.metadata()?.len() > length { file.set_len(length) } else { Ok(()) }
    }

    /// The file is complete: the journal goes.
    fn remove(&self) {
        let folder = folder_of(&self.path);
        let removed = fs::remove_file(&self.path).and_then(|()| File::open(folder)?.sync_all());
        if let Err(cause) = removed {
            let path = self.path.display();
            log::warn!("cannot remove {path}, whose work is done: {cause}");
        }
    }

    /// The journal keeps its content under a name that says what became of it.
    fn set_aside(path: &Path) -> Result<PathBuf> {
        let mut aside = path.as_os_str().to_owned();
        aside.push(format!(".not-applied.{:06x}", random() & 0xff_ffff));
        fs::rename(path, &aside).or_cannot("rename", path)?;
        Ok(aside.into())
    }
}

/// Completes what an interrupted run began to write into `target`, which `file` holds the lock on.
/// What somebody else has written since is left alone, and the journal set aside. Returns whether the
/// file was written.
///
/// # Errors
/// Status 75 when the run is alive, status 2 when the work cannot be completed; the journal stays.
pub(crate) fn recover(target: &Path, file: Option<&File>) -> Result<bool> {
    let path = journal::path_of(target);
    let (shown, named) = (target.display(), path.display());
    let journal = match Journal::find(target, file).or_cannot("read", &path)? {
        Found::Nothing => return Ok(false),
        Found::Whole(journal) => journal,
        Found::Damaged => {
            let aside = Journal::set_aside(&path)?;
            log::warn!("{named} is damaged, it is now {}; {shown} is left as it is", aside.display());
            return Ok(false);
        }
    };
    // Its writer holds a lock on it as long as it lives; it came with another lock than ours.
    if !try_lock(&journal.file).unwrap_or(true) {
        return Err(Error::retry(format!("{shown} is being written in place by another process")));
    }
    let is_ours = file.map_or(Ok(false), |file| belongs(&journal, file)).or_cannot("read", target)?;
    if !is_ours {
        let aside = Journal::set_aside(&path)?.display().to_string();
        log::warn!("{shown} was changed after an interrupted change of it, which is now in {aside}");
        return Ok(false);
    }
    let writable = OpenOptions::new().read(true).write(true).open(target);
    writable.and_then(|file| journal.redo(&file)).or_cannot("complete the interrupted change of", target)?;
    journal.remove();
    log::warn!("completed a change of {shown} that had been interrupted");
    Ok(true)
}

/// Whether `file` is the one that the journal was written for, with one of its contents or parts of
/// both. Wholly old it must also be the same inode: a torn one can be no other, whatever number it
/// has now.
fn belongs(journal: &Journal, file: &File) -> io::Result<bool> {
    Ok(match journal.content_of(file, SECTOR)? {
        Content::New | Content::Torn => true,
        Content::Old => file.metadata()?.ino() == journal.inode,
        Content::Foreign => false,
    })
}

fn conflict(path: &Path) -> Error {
    Expect::Nothing.disappointed(path)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Lock, Wait, Way, Whole, read_whole};

    fn names_in(folder: &Path) -> Vec<String> {
        let entries = fs::read_dir(folder).unwrap();
        entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect()
    }

    fn put(path: &Path, bytes: &[u8]) {
        File::create(path).unwrap().write_all(bytes).unwrap();
    }

    #[test]
    fn the_file_stays_the_same_one() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("app.json");
        let mut lock = Lock::acquire(&path, Wait::Not).unwrap();
        assert_eq!(lock.replace_in_place(b"old").unwrap(), Way::Renamed);
        let inode = fs::metadata(&path).unwrap().ino();
        for text in [&b"longer"[..], b"short", b"", &b"long".repeat(50_000), b"again"] {
            assert_eq!(lock.replace_in_place(text).unwrap(), Way::InPlace);
            assert_eq!(fs::read(&path).unwrap(), text);
            assert_eq!(lock.read().unwrap().unwrap(), text);
            assert_eq!((fs::metadata(&path).unwrap().ino(), names_in(folder.path()).len()), (inode, 1));
        }
        put(&path, b"theirs");
        assert_eq!(lock.replace_in_place(b"longer than theirs").unwrap_err().status(), 75);
        assert_eq!(lock.replace_in_place(b"mine").unwrap_err().status(), 75);
        assert_eq!(fs::read(&path).unwrap(), b"theirs");
        assert_eq!(names_in(folder.path()), ["app.json"]);
    }

    /// A journal for `target`, as a run leaves it that is interrupted.
    fn interrupt(target: &Path, [old, new]: [&[u8]; 2], inode: u64) {
        let path = journal::path_of(target);
        put(&path, &[new, old].concat());
        let lengths = [new.len() as u64, old.len() as u64, inode];
        let trailer = journal::trailer(&File::open(&path).unwrap(), lengths).unwrap();
        OpenOptions::new().append(true).open(&path).unwrap().write_all(&trailer).unwrap();
    }

    #[test]
    fn the_next_lock_completes_what_was_interrupted_and_nothing_else() {
        let (old, new) = (vec![b'o'; 2000], vec![b'n'; 1500]);
        let check = |now: &[u8], same_inode: bool, want: &[u8]| {
            let folder = tempfile::tempdir().unwrap();
            let path = folder.path().join("app.json");
            put(&path, now);
            interrupt(&path, [&old, &new], fs::metadata(&path).unwrap().ino() + u64::from(!same_inode));
            assert_eq!(read_whole(&path).unwrap(), if want == new { &new } else { now });
            assert_eq!(Whole::open(&path).unwrap().length(), want.len() as u64);
            let lock = Lock::acquire_beside(&path, &folder.path().join("lock"), Wait::Not).unwrap();
            assert_eq!(lock.read().unwrap().unwrap(), want);
            let mut names = names_in(folder.path());
            names.retain(|name| name.contains(".inplace.journal"));
            let kept: Vec<_> = names.iter().filter(|name| name.contains(".not-applied.")).collect();
            assert_eq!((names.len(), kept.len()), if want == new { (0, 0) } else { (1, 1) });
        };
        let torn = [&new[..1024], &old[1024..]].concat();
        check(&old, true, &new);
        check(&torn, true, &new);
        check(&torn, false, &new);
        check(&new, true, &new);
        check(&new, false, &new);
        check(b"somebody else's", true, b"somebody else's");
        check(&b"x".repeat(1600), true, &b"x".repeat(1600));
    }

    #[test]
    fn another_file_with_the_old_content_stays() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("app.json");
        put(&path, b"old");
        interrupt(&path, [b"old", b"new"], 0);
        assert_eq!(Lock::acquire(&path, Wait::Not).unwrap().read().unwrap().unwrap(), b"old");
        assert_eq!(names_in(folder.path()).len(), 2);
        fs::remove_file(&path).unwrap();
        interrupt(&path, [b"old", b"new"], 0);
        assert_eq!(Lock::acquire(&path, Wait::Not).unwrap().read().unwrap(), None);
    }

    #[test]
    fn what_lies_in_the_way_of_the_journal_is_named_and_left_alone() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("app.json");
        put(&path, b"old");
        let journal = journal::path_of(&path);
        let check = || {
            let mut lock = Lock::acquire(&path, Wait::Not).unwrap();
            let error = lock.replace_in_place(b"new").unwrap_err();
            let said = error.to_string();
            assert!(error.status() == 2 && said.ends_with(".inplace.journal is in the way"), "{said}");
            assert_eq!((fs::read(&path).unwrap(), names_in(folder.path()).len()), (b"old".to_vec(), 2));
        };
        put(&journal, b"somebody else's");
        check();
        fs::remove_file(&journal).unwrap();
        std::os::unix::fs::symlink("planted", &journal).unwrap();
        check();
    }

    #[test]
    fn a_live_writer_is_waited_for_by_nobody() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("app.json");
        put(&path, b"old");
        interrupt(&path, [b"old", b"new"], 0);
        let journal = File::open(journal::path_of(&path)).unwrap();
        assert!(try_lock(&journal).unwrap());
        let error = Lock::acquire(&path, Wait::Not).unwrap_err();
        let want = format!("{} is being written in place by another process", path.display());
        assert_eq!((error.status(), error.to_string()), (75, want));
    }
}
