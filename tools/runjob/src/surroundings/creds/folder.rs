//! A folder for secrets, which is gone with those who use it.
//!
//! It is removed when runjob ends. What a runjob that was killed has left is removed by the next one, unless the job
//! goes on: both hold an flock(2) on the folder, the job by a descriptor that it inherits. A process number would not tell:
//! containers that share a file system have numbers of their own.

use std::env;
use std::fs::{self, File, OpenOptions, Permissions};
use std::io;
use std::os::fd::OwnedFd;
use std::os::unix::fs::{MetadataExt, OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};

use common::{Error, OrCannot, Result};
use rustix::fs::{FlockOperation, OFlags, flock};
use rustix::io::fcntl_dupfd_cloexec;
use rustix::process::getuid;
use tempfile::TempDir;

use super::PREFIX;

/// Somebody who sweeps may take a folder before it is locked; not so often.
const ATTEMPTS: u32 = 20;

/// Descriptors below are for `--cred @N`.
const LEAST_DESCRIPTOR: i32 = 100;

/// A folder for this process and COMMAND alone.
#[derive(Debug)]
pub(super) struct Folder {
    folder: TempDir,
    lock: File,
}

impl Folder {
    /// A new one, on a file system in memory.
    ///
    /// # Errors
    /// When none can be made.
    pub(super) fn make() -> Result<Self> {
        let runtime = env::var_os("XDG_RUNTIME_DIR").map(PathBuf::from).filter(|path| path.is_absolute());
        let own = if getuid().is_root() { Some(PathBuf::from("/run")) } else { runtime };
        let base = own.filter(|path| path.is_dir()).unwrap_or_else(|| "/dev/shm".into());
        Self::make_in(&base)
    }

    fn make_in(base: &Path) -> Result<Self> {
        sweep(base);
        for _ in 0..ATTEMPTS {
            let alone = Permissions::from_mode(0o700);
            let folder = tempfile::Builder::new().prefix(PREFIX).permissions(alone).tempdir_in(base);
            let folder = folder.or_cannot("make a folder in", base)?;
            let Some(lock) = locked(folder.path()) else { continue };
            if lock.metadata().is_ok_and(|found| found.nlink() > 0) {
                return Ok(Self { folder, lock });
            }
        }
        Err(Error::failed(format!("cannot keep a folder in {}", base.display())))
    }

    pub(super) fn path(&self) -> &Path {
        self.folder.path()
    }

    /// What COMMAND inherits: as long as it has that, nobody removes what a killed runjob has left.
    ///
    /// # Errors
    /// Out of descriptors.
    pub(super) fn in_use(&self) -> Result<OwnedFd> {
        let high = fcntl_dupfd_cloexec(&self.lock, LEAST_DESCRIPTOR).map_err(io::Error::from);
        let copy = high.or_else(|_| self.lock.try_clone().map(OwnedFd::from));
        copy.map_err(|cause| Error::failed("cannot hand over the folder of secrets").because(cause))
    }
}

/// The lock on a folder, unless somebody has it.
fn locked(path: &Path) -> Option<File> {
    let flags = i32::try_from((OFlags::NOFOLLOW | OFlags::DIRECTORY).bits()).unwrap_or_default();
    let folder = OpenOptions::new().read(true).custom_flags(flags).open(path).ok()?;
    flock(&folder, FlockOperation::NonBlockingLockExclusive).ok()?;
    Some(folder)
}

/// Removes what a runjob that was killed has left.
fn sweep(base: &Path) {
    let Ok(entries) = fs::read_dir(base) else { return };
    let ours = |name: &std::ffi::OsStr| name.to_str().is_some_and(|name| name.starts_with(PREFIX));
    for entry in entries.flatten().filter(|entry| ours(&entry.file_name())) {
        // That of another user cannot be opened, and need not.
        if let Some(_lock) = locked(&entry.path()) {
            let _removed = fs::remove_dir_all(entry.path());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_killed_one_has_left_is_removed_and_nothing_else() {
        let base = tempfile::tempdir().unwrap();
        let make = |name: String| {
            fs::create_dir(base.path().join(&name)).unwrap();
            base.path().join(name)
        };
        let left = make(format!("{PREFIX}left"));
        testkit::write(left.join("token"), "hunter2");
        let other = make("other".into());
        let own = Folder::make_in(base.path()).unwrap();
        let second = Folder::make_in(base.path()).unwrap();
        assert_eq!((left.exists(), other.exists(), own.path().exists()), (false, true, true));
        let (path, of_the_job) = (own.path().to_owned(), own.in_use().unwrap());
        // As SIGKILL leaves it.
        let Folder { folder, lock } = own;
        let _kept = folder.keep();
        drop(lock);
        sweep(base.path());
        assert!(path.exists() && second.path().exists());
        drop(of_the_job);
        sweep(base.path());
        assert!(!path.exists() && second.path().exists());
    }

    #[test]
    fn many_at_once_have_each_their_own() {
        let base = tempfile::tempdir().unwrap();
        std::thread::scope(|scope| {
            let all = || {
                for _ in 0..50 {
                    let folder = Folder::make_in(base.path()).unwrap();
                    assert!(folder.path().exists());
                }
            };
            (0..4).for_each(|_| drop(scope.spawn(all)));
        });
        assert_eq!(fs::read_dir(base.path()).unwrap().count(), 0);
    }
}
