//! A lock on a file that may be replaced while it is held, with a deadline.
//!
//! The lock is flock(2) on the file itself, so `flock FILE command` takes part, nothing is left
//! behind, and the kernel releases it when its holder dies. Three rules make it hold:
//!
//! 1. rename(2) gives the name to another file, and a lock on the old one guards nothing. So after
//!    locking, the file behind the name is compared with the locked one, and where they differ
//!    everything begins again. The numbers cannot be reused meanwhile: the locked file is open.
//! 2. A replacement is locked by its writer before it gets the name. From one holder's rename to
//!    its release whoever opens the name finds a locked file, and whoever waited on the old file
//!    gets it only with the release and then fails the comparison.
//! 3. A name without a file is locked through its folder, and the comparison is that the name is
//!    still free. The folder is released once the file exists, locked by rule 2. A program that
//!    creates the file without asking is not overwritten: the rename then refuses to replace.
//!
//! Limits: `flock(1)` itself does not compare, so one that began to wait before a replacement may
//! run beside the next holder (not beside the one that replaced). Two names that do not exist yet
//! exclude each other when they are in the same folder. On NFS the kernel wants files open for
//! writing, so locking fails there.

use std::fs::{self, File};
use std::io::{self, ErrorKind, Read, Seek, Write};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use common::{Error, OrCannot, Result};

use crate::replace::{Expect, Identity, Replacement, folder_of, metadata_of, resolve};

/// The first pause between two attempts; each is twice as long as the one before.
const FIRST_PAUSE: Duration = Duration::from_micros(500);

/// The longest pause. Waiting takes 0.5 % of a CPU at 10 ms; at 50 ms it takes less, and eight
/// processes that count to 1600 take 5.8 s instead of 4.3 s.
const LONGEST_PAUSE: Duration = Duration::from_millis(10);

/// How long to wait for a lock that somebody else holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Wait {
    /// Not at all.
    Not,
    /// This long.
    For(Duration),
    /// Until it is free.
    Forever,
}

/// A held lock; dropping it releases it, and so does the death of the process.
#[derive(Debug)]
#[must_use = "the lock is released when this is dropped"]
pub struct Lock {
    path: PathBuf,
    /// The file, or the folder in which it does not exist yet.
    held: File,
    exists: bool,
    /// The files that this lock has replaced: who waited for them waits until the release.
    replaced: Vec<File>,
}

enum Attempt {
    Held(Lock),
    Busy(Identity),
    /// The name changed hands between opening and locking.
    Moved,
}

impl Lock {
    /// Locks `path`, which need not exist, through symbolic links to the file itself.
    ///
    /// Waiting looks neither at signals nor at [`common::stop`]: what must be put back after a stop
    /// needs the lock too.
    ///
    /// # Errors
    /// Status 75 with the holder's process number, where `/proc/locks` tells it, when somebody else
    /// holds the lock all the time. Status 2 when `path` is no regular file or cannot be opened for
    /// reading. Nothing has changed.
    pub fn acquire(path: &Path, wait: Wait) -> Result<Self> {
        let deadline = match wait {
            Wait::Not => Some(Instant::now()),
            Wait::For(time) => Instant::now().checked_add(time),
            Wait::Forever => None,
        };
        let mut pause = FIRST_PAUSE;
        loop {
            let rival = match attempt(path)? {
                Attempt::Held(lock) => return Ok(lock),
                Attempt::Busy(rival) => Some(rival),
                Attempt::Moved => None,
            };
            let left = deadline.map_or(Duration::MAX, |end| end.saturating_duration_since(Instant::now()));
            if left.is_zero() {
                return Err(locked(path, wait, rival));
            }
            if rival.is_none() {
                pause = FIRST_PAUSE;
            }
            std::thread::sleep(pause.min(left));
            pause = (pause * 2).min(LONGEST_PAUSE);
        }
    }

    /// The bytes of the locked file; `None` when it does not exist yet.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub fn read(&self) -> Result<Option<Vec<u8>>> {
        if !self.exists {
            return Ok(None);
        }
        let mut file = &self.held;
        let mut bytes = Vec::new();
        file.rewind().and_then(|()| file.read_to_end(&mut bytes)).or_cannot("read", &self.path)?;
        Ok(Some(bytes))
    }

    /// Replaces the locked file as [`replace()`](crate::replace()) does, and goes on holding its
    /// lock. Costs one descriptor until the release.
    ///
    /// # Errors
    /// As [`replace()`](crate::replace()); and status 75, with nothing changed, when somebody who
    /// does not hold the lock has replaced, removed or created the file since.
    pub fn replace(&mut self, bytes: &[u8]) -> Result<()> {
        let path = self.path.clone();
        self.replace_with(|new| new.write_all(bytes).or_cannot("replace", &path))
    }

    /// As [`Lock::replace`] with the bytes that `write` writes; when it fails nothing has changed.
    ///
    /// # Errors
    /// As [`Lock::replace`], and what `write` returns.
    pub fn replace_with(&mut self, write: impl FnOnce(&mut Replacement) -> Result<()>) -> Result<()> {
        let locked = self.held.metadata().or_cannot("stat", &self.path)?;
        let expect = if self.exists { Expect::File(Identity::of(&locked)) } else { Expect::Nothing };
        let mut new = Replacement::begin(&self.path)?;
        write(&mut new)?;
        let (file, durable) = new.put(expect)?;
        let old = std::mem::replace(&mut self.held, file);
        if std::mem::replace(&mut self.exists, true) {
            self.replaced.push(old);
        }
        durable
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

fn attempt(path: &Path) -> Result<Attempt> {
    let target = resolve(path, "lock")?;
    // For reading only: closing a file that was open for writing tells watchers that it changed.
    let (held, exists) = match File::open(&target) {
        Err(missing) if missing.kind() == ErrorKind::NotFound => {
            (File::open(folder_of(&target)).or_cannot("open", folder_of(&target))?, false)
        }
        file => (file.or_cannot("open", path)?, true),
    };
    let identity = Identity::of(&held.metadata().or_cannot("stat", path)?);
    if !try_lock(&held).or_cannot("lock", path)? {
        return Ok(Attempt::Busy(identity));
    }
    // By the name the caller gave: a symbolic link on the way may have been turned elsewhere.
    let agreed = if exists {
        fs::metadata(path).is_ok_and(|now| Identity::of(&now) == identity)
    } else {
        resolve(path, "lock")? == target && metadata_of(&target).or_cannot("lock", path)?.is_none()
    };
    if !agreed {
        return Ok(Attempt::Moved);
    }
    Ok(Attempt::Held(Lock { path: path.into(), held, exists, replaced: Vec::new() }))
}

fn locked(path: &Path, wait: Wait, rival: Option<Identity>) -> Error {
    let waited = if let Wait::For(time) = wait { format!(" (waited {time:?})") } else { String::new() };
    let holder = fs::read_to_string("/proc/locks").ok().zip(rival);
    let holder = holder.and_then(|(locks, rival)| holder_of(rival, &locks));
    let holder = holder.map(|pid| format!("; held by pid {pid}")).unwrap_or_default();
    Error::retry(format!("{} is locked by another process{waited}{holder}", path.display()))
}

/// The process that holds the flock on a file, from the text of `/proc/locks`, see proc(5). Some
/// file systems (btrfs) show another device there than stat(2) does; then nobody is found.
fn holder_of(file: Identity, locks: &str) -> Option<u32> {
    let (major, minor) = (rustix::fs::major(file.device), rustix::fs::minor(file.device));
    let place = format!("{major:02x}:{minor:02x}:{}", file.inode);
    locks.lines().find_map(|line| {
        let fields: Vec<&str> = line.split_whitespace().collect();
        // One that waits has `->` in the second field. A process of another namespace is 0.
        match fields.as_slice() {
            [_, "FLOCK", _, _, pid, at, ..] if *at == place => pid.parse().ok().filter(|pid| *pid > 0),
            _ => None,
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_holder_is_found_in_proc_locks() {
        let check = |locks: &str, want: Option<u32>| {
            let file = Identity { device: rustix::fs::makedev(0xfe, 1), inode: 77 };
            assert_eq!(holder_of(file, locks), want, "{locks}");
        };
        check("1: FLOCK  ADVISORY  WRITE 4711 fe:01:77 0 EOF\n", Some(4711));
        check("1: -> FLOCK  ADVISORY  WRITE 4711 fe:01:77 0 EOF\n", None);
        check("1: POSIX  ADVISORY  WRITE 4711 fe:01:77 0 EOF\n", None);
        check("1: FLOCK  ADVISORY  WRITE 4711 fe:01:78 0 EOF\n", None);
        check("1: FLOCK  ADVISORY  WRITE 0 fe:01:77 0 EOF\n", None);
        check("1: FLOCK\n\n", None);
    }

    #[test]
    fn the_second_one_is_told_who_holds_it() {
        let folder = tempfile::tempdir().unwrap();
        let check = |path: &Path| {
            let _held = Lock::acquire(path, Wait::Not).unwrap();
            let name = path.display();
            let pid = std::process::id();
            for (wait, waited) in [(Wait::Not, ""), (Wait::For(Duration::from_millis(5)), " (waited 5ms)")] {
                let error = Lock::acquire(path, wait).unwrap_err();
                let want = format!("{name} is locked by another process{waited}; held by pid {pid}");
                assert_eq!((error.status(), error.to_string()), (75, want));
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
    }
}
