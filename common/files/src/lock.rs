//! A lock on a file that may be replaced while it is held, with a deadline.
//!
//! The lock is flock(2) on the file itself, so `flock FILE command` takes part, nothing is left
//! behind, and the kernel releases it when its holder dies. Three rules make it hold:
//!
//! 1. rename(2) gives the name to another file, and a lock on the old one guards nothing. So after
//!    locking, the file behind the name is compared with the locked one, and where they differ
//!    everything begins again. The numbers cannot be reused meanwhile: the locked file is open.
//! 2. A replacement is locked by its writer before it gets the name. From one holder's rename to
//!    its release, which for [`Lock::finish_with`] comes right after, whoever opens the name finds a
//!    locked file, and whoever waited on the old file gets it only with the release and then fails
//!    the comparison.
//! 3. A name without a file is locked through its folder, and the comparison is that the name is
//!    still free. The folder is released once the file exists, locked by rule 2. A program that
//!    creates the file without asking is not overwritten: the rename then refuses to replace.
//!
//! What is done without the lock is noticed as far as possible, and not overwritten: right before
//! the rename the file must still be the one that was locked, with the content that it had.
//!
//! Limits: `flock(1)` itself does not compare, so one that began to wait before a replacement may
//! run beside the next holder (not beside the one that replaced). Two names that do not exist yet
//! exclude each other when they are in the same folder. On NFS the kernel wants files open for
//! writing; folders never are, so there a file must exist before it is locked. Whoever has a
//! convention of his own names his lock file: [`Lock::acquire_beside`].

use std::cell::RefCell;
use std::fs::File;
use std::io::{self, ErrorKind, Write};
use std::path::{Path, PathBuf};

use common::{Error, OrCannot, Result};

use crate::attempt::{Place, Wait, attempt, attempt_beside, is_same, patiently};
use crate::inplace::{InPlace, recover};
use crate::path::resolve;
use crate::replace::{Expect, Put, Replacement};
use crate::state::{Condition, Seen, Stamp};

/// How a file got its new content.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Way {
    /// By a rename: whoever reads sees the old content or the new.
    Renamed,
    /// The file was written in place: who reads at that moment may see a part of each.
    InPlace,
}

/// A held lock; dropping it releases it, and so does the death of the process.
#[derive(Debug)]
#[must_use = "the lock is released when this is dropped"]
pub struct Lock {
    path: PathBuf,
    /// The file's own name, behind symbolic links, when it was locked.
    target: PathBuf,
    /// The file, and what is known of it; `None` while it does not exist.
    file: Option<(File, RefCell<Seen>)>,
    /// What holds the lock if it is not the file: the folder in which it does not exist yet.
    guard: Option<File>,
    /// The lock file of the caller's own convention.
    beside: Option<File>,
    /// The files that this lock has replaced: who waited for them waits until the release.
    replaced: Vec<File>,
}

impl Lock {
    /// Locks `path`, which need not exist, through symbolic links to the file itself.
    ///
    /// Waiting looks neither at signals nor at [`common::stop`]: what must be put back after a stop
    /// needs the lock too.
    ///
    /// # Errors
    /// Status 75 with the holder, where `/proc` tells it, when somebody else holds the lock all the
    /// time. Status 2 when `path` is no regular file or cannot be opened for reading, or when its
    /// file system keeps no locks. Nothing has changed.
    pub fn acquire(path: &Path, wait: Wait) -> Result<Self> {
        let place = patiently(path, wait, attempt)?;
        Self::hold(path, place, None)
    }

    /// Locks `lock_path` for work on `path`: for callers who have agreed on a lock file. It is
    /// created if it does not exist, with the mode that the umask gives, and never removed; a folder
    /// will do too. `path` itself is not locked, and what others do to it is noticed as ever.
    ///
    /// # Errors
    /// As [`Lock::acquire`] for `lock_path`; status 2 when both are the same file.
    pub fn acquire_beside(path: &Path, lock_path: &Path, wait: Wait) -> Result<Self> {
        if is_same(path, lock_path)? {
            let path = path.display();
            return Err(Error::failed(format!("{path} cannot be its own lock file: it will be replaced")));
        }
        let beside = patiently(lock_path, wait, attempt_beside)?;
        let target = resolve(path, "open")?;
        let file = match File::open(&target) {
            Err(missing) if missing.kind() == ErrorKind::NotFound => None,
            file => Some(file.or_cannot("open", path)?),
        };
        Self::hold(path, Place { target, file, guard: None, stamp: None }, Some(beside))
    }

    fn hold(path: &Path, place: Place, beside: Option<File>) -> Result<Self> {
        let Place { target, file, guard, stamp } = place;
        let completed = recover(&target, file.as_ref())?;
        let file = match file {
            Some(file) => {
                let seen = match stamp {
                    Some(stamp) if !completed => Seen { stamp, bytes: None },
                    _ => Seen::of(&file).or_cannot("stat", path)?,
                };
                Some((file, RefCell::new(seen)))
            }
            None => None,
        };
        Ok(Self { path: path.into(), target, file, guard, beside, replaced: Vec::new() })
    }

    /// The locked file, for reading at any position; `None` when it does not exist yet.
    #[must_use]
    pub fn file(&self) -> Option<&File> {
        self.file.as_ref().map(|(file, _)| file)
    }

    /// What of the file matters before it is changed; see [`Condition`].
    ///
    /// # Errors
    /// When the system does not tell.
    pub fn condition(&self) -> Result<Condition> {
        self.file().map_or(Ok(Condition::NEW), Condition::of).or_cannot("stat", &self.path)
    }

    /// The bytes of the locked file; `None` when it does not exist yet. Up to 64 KiB are remembered,
    /// and compared before the file is replaced.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub fn read(&self) -> Result<Option<Vec<u8>>> {
        let Some((file, seen)) = &self.file else { return Ok(None) };
        let (now, bytes) = Seen::read(file).or_cannot("read", &self.path)?;
        seen.replace(now);
        Ok(Some(bytes))
    }

    /// Tells that the holder himself has changed attributes of the file (`chattr`, `setfattr`, an
    /// ACL), which only the change time shows: it is taken as it is now, and is no conflict. Size and
    /// modification time still are. chmod(2), chown(2) and link(2) need not be told.
    ///
    /// # Errors
    /// When the system does not tell the times.
    pub fn attributes_changed(&self) -> Result<()> {
        let Some((file, seen)) = &self.file else { return Ok(()) };
        let now = Stamp::of(&file.metadata().or_cannot("stat", &self.path)?);
        let mut seen = seen.borrow_mut();
        seen.stamp = seen.stamp.renamed(&now);
        Ok(())
    }

    /// Replaces the locked file as [`replace()`](crate::replace()) does, and goes on holding its
    /// lock. Costs one descriptor until the release.
    ///
    /// # Errors
    /// As [`replace()`](crate::replace()); and status 75, with nothing changed, when somebody who
    /// does not hold the lock has replaced, removed, created or written the file since it was locked
    /// or read.
    pub fn replace(&mut self, bytes: &[u8]) -> Result<()> {
        let path = self.path.clone();
        self.replace_with(|new| new.write_all(bytes).or_cannot("replace", &path))
    }

    /// Writes the file in place, through a journal from which an interrupted write is completed by
    /// whoever takes the lock next. The file stays the same one, with all its names. Not atomic for
    /// readers, except for [`Whole`](crate::Whole), so the answer says whether it was done so: a file
    /// that does not exist yet is created whole.
    ///
    /// # Errors
    /// As [`Lock::replace`]; and when the folder takes no journal. The file is as it was, or the
    /// sentence says that it is half written.
    pub fn replace_in_place(&mut self, bytes: &[u8]) -> Result<Way> {
        let path = self.path.clone();
        self.replace_in_place_with(|new| new.write_all(bytes).or_cannot("write", &path))
    }

    /// As [`Lock::replace_in_place`] with the bytes that `write` writes; when it fails nothing has
    /// changed.
    ///
    /// # Errors
    /// As [`Lock::replace_in_place`], and what `write` returns.
    pub fn replace_in_place_with(
        &mut self,
        write: impl FnOnce(&mut Replacement) -> Result<()>,
    ) -> Result<Way> {
        let Some((file, seen)) = &mut self.file else {
            return self.replace_with(write).map(|()| Way::Renamed);
        };
        let place = InPlace { path: &self.path, target: &self.target, file };
        let mut new = place.begin()?;
        write(&mut new)?;
        place.put(new, seen.get_mut())?;
        // It is done; where this fails the next change is refused as a conflict.
        if let Ok(now) = Seen::of(file) {
            *seen.get_mut() = now;
        }
        Ok(Way::InPlace)
    }

    /// As [`Lock::replace`] with the bytes that `write` writes; when it fails nothing has changed.
    ///
    /// # Errors
    /// As [`Lock::replace`], and what `write` returns.
    pub fn replace_with(&mut self, write: impl FnOnce(&mut Replacement) -> Result<()>) -> Result<()> {
        let put = self.put(write)?;
        let durable = put.named.flush();
        let seen = RefCell::new(Seen { stamp: put.stamp, bytes: None });
        let old = self.file.replace((put.file, seen));
        self.replaced.extend(old.map(|(file, _)| file));
        self.guard = None;
        durable
    }

    /// As [`Lock::replace_with`], for the last time: the lock is released as soon as the file has its
    /// new content, and only then the folder is flushed. Who comes next need not wait for that; what
    /// he flushes comes later, so no power failure can take this change and leave his. Eight
    /// processes that count get a third more done.
    ///
    /// # Errors
    /// As [`Lock::replace_with`]. Where the file is as it was, the lock is still held.
    pub fn finish_with(&mut self, write: impl FnOnce(&mut Replacement) -> Result<()>) -> Result<()> {
        let Put { file, named, .. } = self.put(write)?;
        // Who waits for the old file opens the new one next.
        drop(file);
        (self.file, self.guard, self.beside) = (None, None, None);
        self.replaced.clear();
        named.flush()
    }

    fn put(&self, write: impl FnOnce(&mut Replacement) -> Result<()>) -> Result<Put> {
        let mut new = Replacement::begin(&self.path)?;
        write(&mut new)?;
        match &self.file {
            Some((file, seen)) => new.put(Expect::Seen(file, &seen.borrow())),
            None => new.put(Expect::Nothing),
        }
    }
}

/// Locks `file` if nobody else has; false when somebody has.
pub(crate) fn try_lock(file: &File) -> io::Result<bool> {
    // In full: std's own methods of File shadow those of the trait, silently.
    match fs2::FileExt::try_lock_exclusive(file) {
        Err(busy) if busy.kind() == ErrorKind::WouldBlock => Ok(false),
        done => done.map(|()| true),
    }
}

/// Locks `file` as soon as nobody else has.
pub(crate) fn wait_lock(file: &File) -> io::Result<()> {
    loop {
        match fs2::FileExt::lock_exclusive(file) {
            Err(signal) if signal.kind() == ErrorKind::Interrupted => {}
            done => return done,
        }
    }
}

#[cfg(test)]
mod tests {
    use std::fs::{self, OpenOptions};
    use std::os::unix::fs::{MetadataExt, PermissionsExt};
    use std::time::Duration;

    use super::*;

    #[test]
    fn the_second_one_is_told_who_holds_it() {
        let folder = tempfile::tempdir().unwrap();
        let check = |path: &Path| {
            let _held = Lock::acquire(path, Wait::Not).unwrap();
            let name = path.display();
            let pid = std::process::id();
            for (wait, waited) in [(Wait::Not, ""), (Wait::For(Duration::from_millis(5)), " (waited 5ms)")] {
                let error = Lock::acquire(path, wait).unwrap_err();
                let want = format!("{name} is locked by another process{waited}; held by pid {pid} (`");
                let said = error.to_string();
                assert!(error.status() == 75 && said.starts_with(&want), "{said}");
                assert!(said.contains("`, running since 20") && said.ends_with("Z)"), "{said}");
            }
        };
        check(&folder.path().join("new.json"));
        File::create(folder.path().join("old.json")).unwrap();
        check(&folder.path().join("old.json"));
    }

    #[test]
    fn the_lock_goes_with_the_name_when_the_file_is_replaced() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("app.json");
        let mut lock = Lock::acquire(&path, Wait::Not).unwrap();
        assert_eq!(lock.read().unwrap(), None);
        for text in ["created", "replaced", "again"] {
            let old = File::open(&path).ok();
            lock.replace(text.as_bytes()).unwrap();
            assert_eq!(lock.read().unwrap().unwrap(), text.as_bytes());
            assert!(old.is_none_or(|old| !try_lock(&old).unwrap()), "who waits for it may not run yet");
            assert_eq!(Lock::acquire(&path, Wait::Not).unwrap_err().status(), 75);
        }
        // The folder is free again: another name in it can be locked before it exists.
        let _other = Lock::acquire(&folder.path().join("b.json"), Wait::Not).unwrap();
        drop(lock);
        assert_eq!(Lock::acquire(&path, Wait::Not).unwrap().read().unwrap().unwrap(), b"again");
    }

    #[test]
    fn the_last_replacement_releases_the_lock() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("app.json");
        for text in [&b"created"[..], b"replaced"] {
            let mut lock = Lock::acquire(&path, Wait::Not).unwrap();
            lock.finish_with(|new| new.write_all(text).or_cannot("write", &path)).unwrap();
            assert_eq!(fs::read(&path).unwrap(), text);
            assert!(Lock::acquire(&path, Wait::Not).is_ok());
        }
        let mut lock = Lock::acquire(&path, Wait::Not).unwrap();
        assert!(lock.finish_with(|_| Err(Error::failed("no"))).is_err());
        assert_eq!(Lock::acquire(&path, Wait::Not).unwrap_err().status(), 75);
        drop(lock);
        assert_eq!(Lock::acquire(&path, Wait::Not).unwrap().read().unwrap().unwrap(), b"replaced");
    }

    #[test]
    fn what_others_did_without_the_lock_is_not_overwritten() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("app.json");
        let check = |intrude: &dyn Fn()| {
            let mut lock = Lock::acquire(&path, Wait::Not).unwrap();
            intrude();
            let error = lock.replace(b"mine").unwrap_err();
            assert_eq!(error.status(), 75);
            assert_ne!(fs::read(&path).unwrap_or_default(), b"mine");
        };
        check(&|| drop(File::create(&path).unwrap()));
        check(&|| crate::replace(&path, b"theirs").unwrap());
        check(&|| fs::remove_file(&path).unwrap());
        crate::replace(&path, b"old").unwrap();
        check(&|| write_into(&path, b"longer than before"));
        check(&|| File::create(&path).unwrap().set_len(7).unwrap());
    }

    /// As an editor does that knows no locks: the file stays the same one.
    fn write_into(path: &Path, bytes: &[u8]) {
        OpenOptions::new().write(true).open(path).unwrap().write_all(bytes).unwrap();
    }

    #[test]
    fn a_write_that_no_stamp_shows_is_not_overwritten() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("app.json");
        crate::replace(&path, b"old").unwrap();
        let mut lock = Lock::acquire(&path, Wait::Not).unwrap();
        assert_eq!(lock.read().unwrap().unwrap(), b"old");
        let before = fs::metadata(&path).unwrap();
        write_into(&path, b"NEW");
        // As within one tick of the kernel's clock.
        if let Some((_, seen)) = &lock.file {
            seen.borrow_mut().stamp = Stamp::of(&fs::metadata(&path).unwrap());
        }
        assert_eq!(before.len(), fs::metadata(&path).unwrap().len());
        assert_eq!(lock.replace(b"mine").unwrap_err().status(), 75);
        assert_eq!(fs::read(&path).unwrap(), b"NEW");
        // Read again, it is known, and may be replaced.
        assert_eq!(lock.read().unwrap().unwrap(), b"NEW");
        lock.replace(b"mine").unwrap();
        assert_eq!(fs::read(&path).unwrap(), b"mine");
    }

    #[test]
    fn what_changes_no_content_is_no_conflict() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("app.json");
        crate::replace(&path, b"old").unwrap();
        let mut lock = Lock::acquire(&path, Wait::Not).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o640)).unwrap();
        fs::hard_link(&path, folder.path().join("other")).unwrap();
        fs::remove_file(folder.path().join("other")).unwrap();
        lock.replace(b"mine").unwrap();
        lock.replace(b"again").unwrap();
        assert_eq!(fs::metadata(&path).unwrap().mode() & 0o777, 0o640);
        // Only the change time shows it, as it shows times that were set back.
        let file = File::open(&path).unwrap();
        let before = file.metadata().unwrap();
        while Stamp::of(&file.metadata().unwrap()) == Stamp::of(&before) {
            file.set_modified(before.modified().unwrap()).unwrap();
        }
        assert_eq!(lock.replace(b"more").unwrap_err().status(), 75);
        lock.attributes_changed().unwrap();
        lock.replace(b"more").unwrap();
    }
}
