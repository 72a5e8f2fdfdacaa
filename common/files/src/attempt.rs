//! The way to a lock: open, lock, compare, and again until the time is over.

use std::fs::{self, File, OpenOptions};
use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{self, Receiver, RecvTimeoutError};
use std::time::{Duration, Instant};

use common::{Error, OrCannot, Result};
use rustix::io::Errno;

use crate::holder;
use crate::lock::{try_lock, wait_lock};
use crate::path::{folder_of, metadata_of, resolve};
use crate::state::{Identity, Stamp};

/// So often who waits looks whether the name has gone to a file that nobody has locked.
const LOOK: Duration = Duration::from_millis(100);

/// The pause between two attempts where no thread can be had to wait.
const PAUSE: Duration = Duration::from_millis(10);

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
    /// Of the file, where it is known.
    pub(crate) stamp: Option<Stamp>,
}

/// More moves in a row than this are waited out.
const MOST_MOVES: u32 = 1000;

/// One way to lock: by the name that is given, waiting or not.
pub(crate) type Way<T> = fn(&Path, Patience) -> Result<Attempt<T>>;

/// What to do when somebody else holds the lock.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Patience {
    Give,
    Queue,
}

/// Tries until the lock is held or the time is over.
///
/// flock(2) knows no deadline, so a thread waits in the kernel's queue, and this waits for the
/// thread: whoever asks again and again instead comes too late, and last where many want the lock.
/// A thread that is given up ends when it has its turn.
pub(crate) fn patiently<T: Send + 'static>(path: &Path, wait: Wait, attempt: Way<T>) -> Result<T> {
    let deadline = match wait {
        Wait::Not => Some(Instant::now()),
        Wait::For(time) => Instant::now().checked_add(time),
        Wait::Forever => None,
    };
    let (mut queue, mut moves) = (None, Moves::default());
    loop {
        // Also while the thread waits: it may wait for a file that has lost its name.
        let rival = match attempt(path, Patience::Give)? {
            Attempt::Held(held) => return Ok(held),
            Attempt::Busy(rival) => Some(rival),
            Attempt::Moved => None,
        };
        let left = deadline.map_or(Duration::MAX, |end| end.saturating_duration_since(Instant::now()));
        if left.is_zero() {
            return Err(locked(path, wait, rival));
        }
        if rival.is_none() {
            moves.again();
            continue;
        }
        let queue = queue.get_or_insert_with(|| Queue::enter(path, attempt));
        if let Some(turn) = queue.wait(left.min(LOOK)) {
            return turn;
        }
    }
}

/// How often the name had gone to another file. Each time somebody else has got on, except on a file
/// system that never gives a file the same number twice: that must not cost all of a CPU.
#[derive(Debug, Default)]
struct Moves(u32);

impl Moves {
    fn again(&mut self) {
        self.0 = self.0.saturating_add(1);
        if self.0 > MOST_MOVES {
            std::thread::sleep(PAUSE);
        }
    }
}

/// A thread in the kernel's queue for a lock.
struct Queue<T> {
    turn: Receiver<Result<T>>,
    given_up: Arc<AtomicBool>,
}

impl<T: Send + 'static> Queue<T> {
    fn enter(path: &Path, attempt: Way<T>) -> Self {
        let (sender, turn) = mpsc::channel();
        let given_up = Arc::new(AtomicBool::new(false));
        let (path, over) = (path.to_owned(), Arc::clone(&given_up));
        let queue = move || {
            let mut moves = Moves::default();
            while !over.load(Ordering::Relaxed) {
                let turn = match attempt(&path, Patience::Queue) {
                    Ok(Attempt::Held(held)) => Ok(held),
                    Ok(Attempt::Busy(_) | Attempt::Moved) => {
                        moves.again();
                        continue;
                    }
                    Err(cause) => Err(cause),
                };
                // Where nobody waits any more the lock is released at once.
                let _given_up = sender.send(turn);
                break;
            }
        };
        // Without a thread nobody sends, and the caller asks again and again.
        let _alone = std::thread::Builder::new().name("lock".into()).spawn(queue);
        Self { turn, given_up }
    }

    /// Waits for the turn, no longer than `time`.
    fn wait(&self, time: Duration) -> Option<Result<T>> {
        match self.turn.recv_timeout(time) {
            Ok(turn) => Some(turn),
            Err(RecvTimeoutError::Timeout) => None,
            Err(RecvTimeoutError::Disconnected) => {
                std::thread::sleep(time.min(PAUSE));
                None
            }
        }
    }
}

impl<T> Drop for Queue<T> {
    fn drop(&mut self) {
        self.given_up.store(true, Ordering::Relaxed);
    }
}

fn locked(path: &Path, wait: Wait, rival: Option<Identity>) -> Error {
    let waited = if let Wait::For(time) = wait { format!(" (waited {time:?})") } else { String::new() };
    let holder = rival.map(holder::clause).unwrap_or_default();
    Error::retry(format!("{} is locked by another process{waited}{holder}", path.display()))
}

/// Locks the file behind `path`, or its folder where there is none.
pub(crate) fn attempt(path: &Path, patience: Patience) -> Result<Attempt<Place>> {
    let target = resolve(path, "lock")?;
    // For reading only: closing a file that was open for writing tells watchers that it changed.
    let (held, exists) = match File::open(&target) {
        Err(missing) if missing.kind() == ErrorKind::NotFound => {
            (File::open(folder_of(&target)).or_cannot("open the folder of", path)?, false)
        }
        file => (file.or_cannot("open", path)?, true),
    };
    let opened = if exists { &target } else { folder_of(&target) };
    let (held, free) =
        lock_somehow(held, opened, patience).map_err(|cause| unlockable(path, exists, cause))?;
    let identity = Identity::of(&held.metadata().or_cannot("stat", path)?);
    if !free {
        return Ok(Attempt::Busy(identity));
    }
    // By the name the caller gave: a symbolic link on the way may have been turned elsewhere.
    if !exists {
        let free =
            resolve(path, "lock")? == target && metadata_of(&target).or_cannot("lock", path)?.is_none();
        let place = Place { target, file: None, guard: Some(held), stamp: None };
        return Ok(if free { Attempt::Held(place) } else { Attempt::Moved });
    }
    let stamp = fs::metadata(path).ok().map(|now| Stamp::of(&now));
    if stamp.is_none_or(|stamp| stamp.identity != identity) {
        return Ok(Attempt::Moved);
    }
    Ok(Attempt::Held(Place { target, file: Some(held), guard: None, stamp }))
}

/// The locked file or folder `path`, created if there is none.
pub(crate) fn attempt_beside(path: &Path, patience: Patience) -> Result<Attempt<File>> {
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
    let (held, free) = lock_somehow(held, path, patience).map_err(|cause| unlockable(path, true, cause))?;
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

/// Locks `file`, opened from `path`; false when somebody else has and that is not waited for. NFS makes a
/// byte-range lock of it, which takes a file that is open for writing: it is opened again then.
fn lock_somehow(file: File, path: &Path, patience: Patience) -> io::Result<(File, bool)> {
    let lock = |file: &File| match patience {
        Patience::Give => try_lock(file),
        Patience::Queue => wait_lock(file).map(|()| true),
    };
    match lock(&file) {
        Err(cause) if is(&cause, Errno::BADF) => {
            let file = OpenOptions::new().read(true).write(true).open(path)?;
            let free = lock(&file)?;
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Lock;

    #[test]
    fn a_lock_file_of_the_callers_own_excludes_its_users() {
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().join(name);
        let check = |guard: &Path| {
            let mut lock = Lock::acquire_beside(&at("app.json"), guard, Wait::Not).unwrap();
            let error = Lock::acquire_beside(&at("b.json"), guard, Wait::Not).unwrap_err();
            let want = format!("{} is locked by another process", guard.display());
            assert!(error.status() == 75 && error.to_string().starts_with(&want), "{error}");
            assert!(!try_lock(&File::open(guard).unwrap()).unwrap());
            lock.replace(b"one").unwrap();
            lock.replace(b"two").unwrap();
            File::create(at("app.json")).unwrap();
            assert_eq!(lock.replace(b"mine").unwrap_err().status(), 75);
            drop(lock);
            assert!(guard.exists() && try_lock(&File::open(guard).unwrap()).unwrap());
            fs::remove_file(at("app.json")).unwrap();
        };
        check(&at("lock"));
        check(&at("lock"));
        check(folder.path());
        let refused = |path: &Path, guard: &Path| {
            let error = Lock::acquire_beside(path, guard, Wait::Not).unwrap_err().to_string();
            assert!(error.ends_with("cannot be its own lock file: it will be replaced"), "{error}");
        };
        refused(&at("app.json"), &at("./app.json"));
        assert!(!at("app.json").exists());
        std::os::unix::fs::symlink("lock", at("link")).unwrap();
        refused(&at("link"), &at("lock"));
    }
}
