//! The lock of a job: never two at once.
//!
//! It is an flock(2) on a file, on a descriptor that COMMAND inherits. So it outlives a runjob that is
//! killed, as long as the job goes on; and since such a lock belongs to the open file and not to a
//! process, runjob frees it at the end of the job for everybody, also for a daemon that still has the
//! descriptor. Three cases are left, and each has its answer:
//!
//! - runjob was killed, the job is over, and a daemon that it left behind keeps the lock: the file says
//!   which process the job was ([`record`]), and one that is gone holds no lock. The next run makes the
//!   file anew.
//! - The job has closed all descriptors that it inherited, and runjob was killed: the file says that the
//!   job is alive.
//! - Somebody removed the file while the job runs, as cleaners of /tmp do: runjob also holds a name that
//!   lies in no folder ([`name`]).
//!
//! A lock that several hosts share would be another kind of [`Place`], with the same [`Held`] behind it.

mod name;
mod place;
mod record;

use std::ffi::OsStr;
use std::fs::{self, File, OpenOptions};
use std::io::{self, ErrorKind};
use std::os::fd::{AsFd, BorrowedFd};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::Path;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use common::{Error, OrCannot, Result};
use files::folder_of;
use rustix::fs::{FlockOperation, OFlags, flock};
use rustix::io::{Errno, fcntl_dupfd_cloexec};

use name::{Name, Taken};
use place::Place;
use record::{Alive, Record};

use crate::signals::Unkillable;

/// Between two looks at a lock that is waited for.
const PAUSE: Duration = Duration::from_millis(50);

/// How often the folder is tried to be locked within that time.
const TURNS: u32 = 50;

/// Descriptors below are for `--cred @N`.
const LEAST_DESCRIPTOR: i32 = 100;

/// A lock that is held.
#[derive(Debug)]
pub(crate) struct Held {
    file: File,
    record: Record,
    /// Let go of before the file is.
    name: Option<Name>,
}

/// What keeps a lock from being taken.
enum Busy {
    /// Another run: what it wrote down.
    By(Record),
    /// The file changed meanwhile: look again at once.
    Changed,
}

/// Takes the lock `name`, a name or with a slash a path, for the run of this id; waits for it at most
/// `wait`, or not at all.
///
/// # Errors
/// When another run holds it, with status 75; or when its file cannot be made or written, with 125. The first process of
/// a container that is told to stop meanwhile: with the status of that signal.
pub(crate) fn acquire(name: &OsStr, wait: Option<Duration>, run: &str) -> Result<Held> {
    let place = Place::of(name).map_err(own)?;
    let end = wait.map(|wait| Instant::now() + wait);
    let stop = wait.and_then(|_| Unkillable::listen());
    loop {
        match attempt(place.path(), run).map_err(own)? {
            Ok(held) => return Ok(held),
            Err(Busy::Changed) => {}
            Err(Busy::By(record)) => {
                if end.is_none_or(|end| Instant::now() >= end) {
                    return Err(busy(&place, &record, wait));
                }
                std::thread::sleep(PAUSE);
                if let Some(signal) = stop.as_ref().and_then(Unkillable::signal) {
                    let why = format!("stopped while waiting for {}", place.shown());
                    return Err(Error::retry(why).with_status(128 + signal));
                }
            }
        }
    }
}

fn own(error: Error) -> Error {
    error.with_status(125)
}

fn busy(place: &Place, record: &Record, wait: Option<Duration>) -> Error {
    let (path, holder) = (place.shown(), record.holder());
    let hint = match wait {
        None => "; --wait TIME waits for it".to_owned(),
        Some(wait) => format!("; waited {wait:?}"),
    };
    Error::retry(format!("{path} is held by {holder}{hint}"))
}

fn attempt(path: &Path, run: &str) -> Result<std::result::Result<Held, Busy>> {
    // Between getting the lock and writing that down nobody may judge by what was written before. Where
    // this cannot be had the name in the kernel still lets one of two go on.
    let turn = Turn::take(path);
    let file = open(path)?;
    match flock(&file, FlockOperation::NonBlockingLockExclusive) {
        Ok(()) => {}
        Err(Errno::WOULDBLOCK) => return occupied(path, &file, turn.as_ref()).map(Err),
        Err(error) => return Err(io::Error::from(error)).or_cannot("lock", path),
    }
    if !is_same(path, &file)? {
        return Ok(Err(Busy::Changed));
    }
    let before = Record::read(&file).or_cannot("read", path)?;
    if before.job_is_alive() {
        return Ok(Err(Busy::By(before)));
    }
    let name = match Name::take(path) {
        Ok(name) => Some(name),
        Err(Taken::By(pid)) => return Ok(Err(Busy::By(before.of_process(pid)))),
        // It adds to the lock of the file; what keeps it from being had takes nothing from that.
        Err(Taken::Never(cause)) => {
            log::debug!("no name in the kernel for the lock: {cause}");
            None
        }
    };
    let record = Record::of(run, before.next_fence(now_us()));
    let held = Held { file: moved(file), record, name };
    held.write();
    Ok(Ok(held))
}

/// Who holds the lock on `file`, once that is not a mere leftover: that file is taken away.
fn occupied(path: &Path, file: &File, turn: Option<&Turn>) -> Result<Busy> {
    let record = Record::read(file).or_cannot("read", path)?;
    if turn.is_none() || !record.is_left_over() {
        return Ok(Busy::By(record));
    }
    if is_same(path, file)? {
        log::info!("{} was held by what an earlier run has left behind", path.display());
        let fresh = path.with_extension(format!("new.{}", std::process::id()));
        // The numbers go on growing in the new file.
        let made = open(&fresh)?;
        record.write(&made).or_cannot("write", &fresh)?;
        fs::rename(&fresh, path).or_cannot("replace", path)?;
    }
    Ok(Busy::Changed)
}

/// A lock on the folder, for the moment in which a lock in it is looked at and taken.
struct Turn {
    _folder: File,
}

impl Turn {
    /// None: the folder cannot be locked; then no lock in it is ever taken for a leftover.
    fn take(path: &Path) -> Option<Self> {
        let folder = File::open(folder_of(path)).ok()?;
        // Ours last for microseconds; another program may lock the folder for as long as it likes.
        for _ in 0..TURNS {
            match flock(&folder, FlockOperation::NonBlockingLockExclusive) {
                Ok(()) => return Some(Self { _folder: folder }),
                Err(Errno::WOULDBLOCK) => std::thread::sleep(PAUSE / TURNS),
                Err(_) => break,
            }
        }
        None
    }
}

fn open(path: &Path) -> Result<File> {
    let flags = i32::try_from(OFlags::NOFOLLOW.bits()).unwrap_or_default();
    let mut options = OpenOptions::new();
    options.read(true).write(true).create(true).mode(0o600).custom_flags(flags);
    let opened = options.open(path);
    let is_folder_missing = opened.as_ref().is_err_and(|why| why.kind() == ErrorKind::NotFound);
    let file = opened.or_cannot(if is_folder_missing { "open the folder of" } else { "open" }, path)?;
    let kind = file.metadata().or_cannot("open", path)?;
    if kind.is_file() { Ok(file) } else { Err(Error::failed(format!("{} is no file", path.display()))) }
}

/// Whether `path` still leads to `file`.
fn is_same(path: &Path, file: &File) -> Result<bool> {
    let ours = file.metadata().or_cannot("read", path)?;
    match fs::symlink_metadata(path) {
        Ok(there) => Ok((there.dev(), there.ino()) == (ours.dev(), ours.ino())),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(false),
        Err(error) => Err(error).or_cannot("read", path),
    }
}

/// The same open file under a number that nobody asks for, if there may be so many.
fn moved(file: File) -> File {
    fcntl_dupfd_cloexec(&file, LEAST_DESCRIPTOR).map_or(file, File::from)
}

fn now_us() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    u64::try_from(since.as_micros()).unwrap_or(u64::MAX)
}

impl Held {
    /// The number of this run, larger than that of every run before it with this lock.
    pub(crate) fn fence(&self) -> u64 {
        self.record.fence
    }

    /// What COMMAND inherits, and with it the lock.
    pub(crate) fn descriptor(&self) -> BorrowedFd<'_> {
        self.file.as_fd()
    }

    /// Writes down that COMMAND is about to be started: until it is known which process that is, nobody
    /// can know that it is over.
    pub(crate) fn starting(&mut self) {
        self.record.job = None;
        self.write();
    }

    /// Writes down that COMMAND is the process `pid`.
    pub(crate) fn started(&mut self, pid: u32) {
        self.record.job = Alive::now(pid);
        self.write();
    }

    /// Frees it, for everybody who has the descriptor: COMMAND is over.
    /// A job that could not be ended keeps it.
    pub(crate) fn release(mut self) {
        if self.record.job_is_alive() {
            log::warn!("the lock stays with the job, which goes on");
            return;
        }
        self.record.wrapper = None;
        self.record.job = None;
        self.write();
        drop(self.name.take());
        if let Err(error) = flock(&self.file, FlockOperation::Unlock) {
            log::warn!("cannot free the lock: {error}");
        }
    }

    /// What it says matters only when runjob is killed: a disk that is full must not keep the job from
    /// running.
    fn write(&self) {
        if let Err(error) = self.record.write(&self.file) {
            log::warn!("cannot write down who holds the lock: {error}");
        }
    }
}

#[cfg(test)]
mod tests;
