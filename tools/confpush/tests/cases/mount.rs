//! File systems of a test.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::process::Command;

/// A mount, until it goes out of scope.
pub(crate) struct Mount(PathBuf);

impl Mount {
    /// A disk of 64 KiB in the place of `folder`.
    pub(crate) fn small(folder: &Path) -> Option<Self> {
        let args = ["-t", "tmpfs", "-osize=64k,mode=700", "none"].map(OsStr::new);
        Self::new(folder, &args)
    }

    /// `file` over itself: what is mounted on cannot be renamed over, also by root: EBUSY.
    pub(crate) fn over_itself(file: &Path) -> Option<Self> {
        Self::new(file, &["--bind".as_ref(), file.as_ref()])
    }

    /// Mounts at `place`; none, and one line, where nobody may.
    fn new(place: &Path, args: &[&OsStr]) -> Option<Self> {
        let mounted = Command::new("mount").args(args).arg(place).output();
        if mounted.is_ok_and(|mounted| mounted.status.success()) {
            return Some(Self(place.to_owned()));
        }
        eprintln!("skipped: nobody may mount here");
        None
    }
}

impl Drop for Mount {
    fn drop(&mut self) {
        let _already_gone = Command::new("umount").arg("-l").arg(&self.0).output();
    }
}
