//! Temporary files beside their target, and what killed runs left of them.
//!
//! Such a file is called `.NAME.XXXXXX.replace.tmp`. Its writer holds a lock on it as long as it
//! lives, so the next replacement of `NAME` can tell, and removes it if it is among the first
//! thousand names of the folder.

use std::ffi::{OsStr, OsString};
use std::fs::{self, File, OpenOptions};
use std::hash::{BuildHasher, Hasher, RandomState};
use std::io::{self, ErrorKind};
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use rustix::fs::{Mode, OFlags, RawDir};

use crate::{journal, lock};

/// Names have at most 255 bytes (`NAME_MAX`); with the other parts of its name a temporary file
/// has room for this much of its target's.
pub(crate) const LONGEST_NAME: usize = 230;

/// So many names of a folder are looked at for what killed runs left: 0.1 ms. All of a folder with
/// 100,000 files would be 25 ms, and forty times what the replacement itself takes.
const MOST_NAMES: usize = 1000;

/// Bytes for the entries that the kernel hands over at once: a hundred or more.
const ROOM: usize = 8192;

/// Distinct enough that what ends so can be removed without asking.
const SUFFIX: &[u8] = b".replace.tmp";

/// The path of a file that is removed when this is dropped; empty once it has its final name.
#[derive(Debug)]
pub(crate) struct Temp(PathBuf);

impl Temp {
    /// Creates a file for `name` and locks it, which says that its writer lives.
    pub(crate) fn create(folder: &Path, name: &OsStr, mode: u32) -> io::Result<(Self, File)> {
        loop {
            let path = folder.join(temp_name(name, random()));
            let opened = OpenOptions::new().read(true).write(true).create_new(true).mode(mode).open(&path);
            let file = match opened {
                Err(taken) if taken.kind() == ErrorKind::AlreadyExists => continue,
                opened => opened?,
            };
            let temp = Self(path);
            // Between open and lock a sweeper may have taken it for one left behind. Where the file
            // system has no locks nobody sweeps either.
            if lock::try_lock(&file).unwrap_or(true) && file.metadata()?.nlink() > 0 {
                return Ok((temp, file));
            }
        }
    }

    pub(crate) fn path(&self) -> &Path {
        &self.0
    }

    /// It has another name now, or none: nothing is removed.
    pub(crate) fn renamed(&mut self) {
        self.0.clear();
    }
}

impl Drop for Temp {
    fn drop(&mut self) {
        if !self.0.as_os_str().is_empty() {
            let _gone_already = fs::remove_file(&self.0);
        }
    }
}

/// 64 bits that no other process has.
pub(crate) fn random() -> u64 {
    RandomState::new().build_hasher().finish()
}

fn temp_prefix(name: &OsStr) -> Vec<u8> {
    let name = name.as_bytes();
    [b".", &name[..name.len().min(LONGEST_NAME)], b"."].concat()
}

fn temp_name(name: &OsStr, random: u64) -> OsString {
    let random = format!("{:06x}", random & 0xff_ffff);
    OsString::from_vec([&temp_prefix(name), random.as_bytes(), SUFFIX].concat())
}

/// Whether a file was the beginning of NAME, or of a file beside it that is named after it, such as a
/// backup: who made it is dead or holds its lock, so the wide look takes nothing from anybody.
fn is_temp_of(prefix: &[u8], file_name: &OsStr) -> bool {
    let rest = file_name.as_bytes().strip_prefix(prefix).and_then(|rest| rest.strip_suffix(SUFFIX));
    rest.and_then(<[u8]>::split_last_chunk::<6>).is_some_and(|(before, random)| {
        (before.is_empty() || before.ends_with(b".")) && random.iter().all(u8::is_ascii_hexdigit)
    })
}

/// Removes what killed runs left behind for `name` and its journal. Best effort: what stays is harmless.
pub(crate) fn sweep(folder: &File, path: &Path, name: &OsStr) {
    let journal = journal::path_of(Path::new(name));
    let prefixes = [Some(name), journal.file_name()].map(|name| temp_prefix(name.unwrap_or_default()));
    let mut room = Vec::with_capacity(ROOM);
    let mut entries = RawDir::new(folder, room.spare_capacity_mut());
    for _ in 0..MOST_NAMES {
        let Some(Ok(entry)) = entries.next() else { return };
        let name = OsStr::from_bytes(entry.file_name().to_bytes());
        if !prefixes.iter().any(|prefix| is_temp_of(prefix, name)) {
            continue;
        }
        let path = path.join(name);
        if remove_if_dead(&path).unwrap_or(false) {
            log::info!("removed {}, which a killed run had left behind", path.display());
        }
    }
}

fn remove_if_dead(path: &Path) -> io::Result<bool> {
    // Neither follow what somebody else put there nor wait for it.
    let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC;
    let file = File::from(rustix::fs::open(path, flags, Mode::empty())?);
    // When its writer has renamed it since, the name is gone and nothing is removed.
    if !file.metadata()?.is_file() || !lock::try_lock(&file)? {
        return Ok(false);
    }
    fs::remove_file(path).map(|()| true)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_temporary_file_is_known_by_its_name() {
        let check = |name: &str, file_name: &str, want: bool| {
            assert_eq!(
                is_temp_of(&temp_prefix(OsStr::new(name)), OsStr::new(file_name)),
                want,
                "{file_name}"
            );
        };
        check("app", ".app.00c0de.replace.tmp", true);
        check("app", ".app.json.00c0de.replace.tmp", true);
        check("app", ".apps.00c0de.replace.tmp", false);
        check("app", ".app.json00c0de.replace.tmp", false);
        check("app", ".app.backup.replace.tmp", false);
        check("app", ".app.00c0de.tmp", false);
        check("app", "app.00c0de.replace.tmp", false);
        check("app", ".app.replace.tmp", false);
        let long = "x".repeat(255);
        let temp = temp_name(OsStr::new(&long), u64::MAX);
        assert!(temp.len() <= 255);
        check(&long, temp.to_str().unwrap(), true);
    }
}
