//! The way to a lock: open, lock, compare, and again until the time is over.

use std::fs::{self, File, OpenOptions};
use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use common::{Error, OrCannot, Result};
use rustix::io::Errno;

use crate::holder;
use crate::lock::try_lock;
use crate::path::{folder_of, metadata_of, resolve};
use crate::state::Identity;

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

pub(crate) enum Attempt<T> {
    Held(T),
    Busy(Identity),
    /// The name changed hands between opening and locking.
    Moved,
}

/// Where the file is or will be, locked.
#[derive(Debug)]
pub(crate) struct Place {
    /// The file's own name, behind symbolic links.
    pub(crate) target: PathBuf,
    pub(crate) file: Option<File>,
    /// What holds the lock if it is not the file: its folder.
    pub(crate) guard: Option<File>,
}

/// Tries until the lock is held or the time is over.
pub(crate) fn patiently<T>(
    path: &Path,
    wait: Wait,
    mut attempt: impl FnMut() -> Result<Attempt<T>>,
) -> Result<T> {
    let deadline = match wait {
        Wait::Not => Some(Instant::now()),
        Wait::For(time) => Instant::now().checked_add(time),
        Wait::Forever => None,
    };
    let mut pause = FIRST_PAUSE;
    loop {
        let rival = match attempt()? {
            Attempt::Held(held) => return Ok(held),
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

fn locked(path: &Path, wait: Wait, rival: Option<Identity>) -> Error {
    let waited = if let Wait::For(time) = wait { format!(" (waited {time:?})") } else { String::new() };
    let holder = rival.map(holder::clause).unwrap_or_default();
    Error::retry(format!("{} is locked by another process{waited}{holder}", path.display()))
}

/// Locks the file behind `path`, or its folder where there is none.
pub(crate) fn attempt(path: &Path) -> Result<Attempt<Place>> {
    let target = resolve(path, "lock")?;
    // For reading only: closing a file that was open for writing tells watchers that it changed.
    let (held, exists) = match File::open(&target) {
        Err(missing) if missing.kind() == ErrorKind::NotFound => {
            (File::open(folder_of(&target)).or_cannot("open", folder_of(&target))?, false)
        }
        file => (file.or_cannot("open", path)?, true),
    };
    let opened = if exists { &target } else { folder_of(&target) };
    let (held, free) = lock_somehow(held, opened).map_err(|cause| unlockable(path, exists, cause))?;
    let identity = Identity::of(&held.metadata().or_cannot("stat", path)?);
    if !free {
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
    let (file, guard) = if exists { (Some(held), None) } else { (None, Some(held)) };
    Ok(Attempt::Held(Place { target, file, guard }))
}

/// The locked file or folder `path`, created if there is none.
pub(crate) fn attempt_beside(path: &Path) -> Result<Attempt<File>> {
    let held = match fs::metadata(path) {
        // Opening another kind, a FIFO above all, could wait for ever.
        Ok(found) if found.is_file() || found.is_dir() => File::open(path).or_cannot("open", path)?,
        Err(missing) if missing.kind() == ErrorKind::NotFound => {
            OpenOptions::new().append(true).create(true).open(path).or_cannot("create", path)?
        }
        Err(cause) => return Err(cause).or_cannot("open", path),
        Ok(_) => {
            let path = path.display();
            return Err(Error::failed(format!("cannot lock {path}: it is neither a file nor a folder")));
        }
    };
    let (held, free) = lock_somehow(held, path).map_err(|cause| unlockable(path, true, cause))?;
    let identity = Identity::of(&held.metadata().or_cannot("stat", path)?);
    if !free {
        return Ok(Attempt::Busy(identity));
    }
    let agreed = fs::metadata(path).is_ok_and(|now| Identity::of(&now) == identity);
    Ok(if agreed { Attempt::Held(held) } else { Attempt::Moved })
}

/// Whether both names stand for one file, which need not exist.
pub(crate) fn is_same(path: &Path, other: &Path) -> Result<bool> {
    if let (Ok(one), Ok(other)) = (fs::metadata(path), fs::metadata(other)) {
        return Ok(Identity::of(&one) == Identity::of(&other));
    }
    let place = |path: &Path| -> Result<PathBuf> {
        let target = resolve(path, "lock")?;
        let folder = folder_of(&target).canonicalize().or_cannot("open", folder_of(&target))?;
        Ok(folder.join(target.file_name().unwrap_or_default()))
    };
    Ok(!other.is_dir() && place(path)? == place(other)?)
}

/// Locks `file`, opened from `path`, if nobody else has; false when somebody has. NFS makes a
/// byte-range lock of it, which takes a file that is open for writing: it is opened again then.
fn lock_somehow(file: File, path: &Path) -> io::Result<(File, bool)> {
    match try_lock(&file) {
        Err(cause) if is(&cause, Errno::BADF) => {
            let file = OpenOptions::new().read(true).write(true).open(path)?;
            let free = try_lock(&file)?;
            Ok((file, free))
        }
        free => Ok((file, free?)),
    }
}

fn is(error: &io::Error, errno: Errno) -> bool {
    error.raw_os_error() == Some(errno.raw_os_error())
}

fn unlockable(path: &Path, exists: bool, cause: io::Error) -> Error {
    let path = path.display();
    let reason = if [Errno::OPNOTSUPP, Errno::NOSYS, Errno::NOLCK].iter().any(|none| is(&cause, *none)) {
        "its file system keeps no locks, a lock file on another one would do"
    } else if !exists && is(&cause, Errno::ISDIR) {
        "it does not exist, and its file system locks no folders; create it first"
    } else {
        return Error::failed(format!("cannot lock {path}")).because(cause);
    };
    Error::failed(format!("cannot lock {path}: {reason}")).because(cause)
}
