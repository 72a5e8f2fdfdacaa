//! Puts new bytes in the place of a file: whole or not at all, durably, with its metadata kept.
//!
//! The steps, each checked: follow symbolic links to the final target; create a file of our own in
//! the same folder; write; give it owner, ACL, attributes and mode of the old file; fsync it (a
//! rename may reach the disk before the bytes do: xfs, and ext4 with `noauto_da_alloc`, then show
//! an empty file after a power failure); rename; fsync the folder (or the old file is back).
//!
//! A run that is killed may leave `.NAME.XXXXXX.replace.tmp` behind. Its writer holds a lock on it
//! as long as it lives, so the next replacement of `NAME` can tell, and removes it if it is among
//! the first thousand names of the folder.

use std::ffi::{OsStr, OsString};
use std::fs::{self, File, Metadata, OpenOptions};
use std::hash::{BuildHasher, Hasher, RandomState};
use std::io::{self, BufWriter, ErrorKind, Write};
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use common::{Error, OrCannot, Result};
use rustix::fs::{CWD, Mode, OFlags, RenameFlags, renameat_with};
use rustix::io::Errno;

use crate::{lock, metadata};

/// As many as the kernel follows, see `path_resolution(7)`.
const MOST_LINKS: usize = 40;

/// Names have at most 255 bytes (`NAME_MAX`); with the other parts of its name a temporary file
/// has room for this much of its target's.
const LONGEST_NAME: usize = 230;

/// So many names of a folder are looked at for what killed runs left: 0.1 ms. All of a folder with
/// 100,000 files would be 25 ms, and forty times what the replacement itself takes.
const MOST_NAMES: usize = 1000;

/// Distinct enough that what ends so can be removed without asking.
const SUFFIX: &[u8] = b".replace.tmp";

/// Puts `bytes` in the place of `path`: readers see the old file or the new one, never a part.
///
/// Follows a symbolic link to its target, so the link stays, and creates the target of one that
/// dangles. Keeps owner, group, mode, ACL, `user.*` and `security.*` attributes; a new file gets
/// the mode that the umask or the folder's default ACL gives. Without the right to keep the owner
/// or the group the new file is ours, with a mode that opens it to nobody who could not open the
/// old one, and a warning. Hard links are broken, with a warning. Survives a power failure once it
/// has returned.
///
/// # Errors
/// When `path` is no regular file, its folder is not writable, or the disk is full: `path` is then
/// unchanged and nothing is left beside it. Only when the folder cannot be flushed the new bytes
/// are in place, and the sentence says so.
pub fn replace(path: &Path, bytes: &[u8]) -> Result<()> {
    let mut new = Replacement::begin(path)?;
    new.write_all(bytes).or_cannot("replace", path)?;
    new.commit()
}

/// The new content of a file while it is written; [`Replacement::commit`] puts it in its place.
/// Dropped without that, it is removed, and the file stays as it was.
///
/// Writes are buffered. An error of theirs is final: drop the replacement.
#[derive(Debug)]
#[must_use = "without commit() the file stays as it was"]
pub struct Replacement {
    path: PathBuf,
    target: PathBuf,
    folder: File,
    writer: BufWriter<File>,
    temp: Temp,
}

impl Replacement {
    /// Begins to replace `path`; see [`replace()`] for what is kept.
    ///
    /// # Errors
    /// When `path` is no regular file or a file cannot be created beside it; nothing has changed.
    pub fn begin(path: &Path) -> Result<Self> {
        let target = resolve(path, "replace")?;
        let name =
            target.file_name().ok_or_else(|| Error::failed(format!("`{}` names no file", path.display())))?;
        let folder_path = folder_of(&target);
        let folder = File::open(folder_path).or_cannot("open", folder_path)?;
        sweep(folder_path, name);
        // What replaces a file is closed to others until it has that file's owner. What replaces
        // nothing is no secret from the start: the kernel applies umask and default ACL.
        let mode = if target.exists() { 0o600 } else { 0o666 };
        let (temp, file) = Temp::create(folder_path, name, mode).or_cannot("replace", path)?;
        Ok(Self { path: path.into(), target, folder, writer: BufWriter::new(file), temp })
    }

    /// Puts what was written in the place of the file, and returns when it is on the disk.
    ///
    /// # Errors
    /// As [`replace()`].
    pub fn commit(self) -> Result<()> {
        let (_released, durable) = self.put(Expect::Anything)?;
        durable
    }

    /// Commits if the file is still what `expect` says. Returns the new file, locked since before
    /// it had its name, and whether the folder could be flushed.
    pub(crate) fn put(self, expect: Expect) -> Result<(File, Result<()>)> {
        let Self { path, target, folder, writer, mut temp } = self;
        let file = writer.into_inner().map_err(io::IntoInnerError::into_error).or_cannot("replace", &path)?;
        if let Some(old) = metadata_of(&target).or_cannot("replace", &path)? {
            regular(&old, &path, "replace")?;
            metadata::keep(&target, &old, &file).or_cannot("keep the metadata of", &path)?;
        }
        // An fsync that failed is not tried again: the kernel has already dropped the pages.
        file.sync_all().or_cannot("replace", &path)?;
        if !expect.rename(&temp.0, &target).or_cannot("replace", &path)? {
            let path = path.display();
            return Err(Error::retry(format!("{path} was changed by a process that does not hold its lock")));
        }
        temp.0.clear();
        let durable = match folder.sync_all() {
            // Some network and FUSE file systems know no fsync of folders.
            Err(cause) if cause.kind() != ErrorKind::InvalidInput => {
                let path = path.display();
                let what = format!("{path} is replaced, but a power failure may bring the old one back");
                Err(Error::failed(what).because(cause))
            }
            _ => Ok(()),
        };
        Ok((file, durable))
    }
}

impl Write for Replacement {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.writer.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.writer.flush()
    }
}

/// Which file it is: device and inode. A number can be used again once nobody has the file open.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Identity {
    pub(crate) device: u64,
    pub(crate) inode: u64,
}

impl Identity {
    pub(crate) fn of(metadata: &Metadata) -> Self {
        Self { device: metadata.dev(), inode: metadata.ino() }
    }
}

/// What must be behind the name when it is given to the new file.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Expect {
    Anything,
    Nothing,
    File(Identity),
}

impl Expect {
    /// Renames, or returns false where the name is not what was expected.
    fn rename(self, from: &Path, to: &Path) -> io::Result<bool> {
        match self {
            Self::Anything => {}
            Self::Nothing => match renameat_with(CWD, from, CWD, to, RenameFlags::NOREPLACE) {
                // File systems that cannot (NFS): look first, as below.
                Err(Errno::INVAL | Errno::NOSYS) if metadata_of(to)?.is_none() => {}
                Err(Errno::INVAL | Errno::NOSYS | Errno::EXIST) => return Ok(false),
                done => return Ok(done.map(|()| true)?),
            },
            // rename(2) cannot compare; who replaces the file without its lock has this moment left.
            Self::File(identity) => {
                if metadata_of(to)?.map(|now| Identity::of(&now)) != Some(identity) {
                    return Ok(false);
                }
            }
        }
        fs::rename(from, to).map(|()| true)
    }
}

/// The path of a file that is removed when this is dropped; empty once it has its final name.
#[derive(Debug)]
struct Temp(PathBuf);

impl Temp {
    /// Creates a file for `name` and locks it, which says that its writer lives.
    fn create(folder: &Path, name: &OsStr, mode: u32) -> io::Result<(Self, File)> {
        loop {
            let path = folder.join(temp_name(name, RandomState::new().build_hasher().finish()));
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
}

impl Drop for Temp {
    fn drop(&mut self) {
        if !self.0.as_os_str().is_empty() {
            let _gone_already = fs::remove_file(&self.0);
        }
    }
}

fn temp_prefix(name: &OsStr) -> Vec<u8> {
    let name = name.as_bytes();
    [b".", &name[..name.len().min(LONGEST_NAME)], b"."].concat()
}

fn temp_name(name: &OsStr, random: u64) -> OsString {
    let random = format!("{:06x}", random & 0xff_ffff);
    OsString::from_vec([&temp_prefix(name), random.as_bytes(), SUFFIX].concat())
}

fn is_temp_of(prefix: &[u8], file_name: &OsStr) -> bool {
    let random = file_name.as_bytes().strip_prefix(prefix).and_then(|rest| rest.strip_suffix(SUFFIX));
    random.is_some_and(|random| random.len() == 6 && random.iter().all(u8::is_ascii_hexdigit))
}

/// Removes what killed runs left behind for `name`. Best effort: what stays is harmless.
fn sweep(folder: &Path, name: &OsStr) {
    let prefix = temp_prefix(name);
    let Ok(entries) = fs::read_dir(folder) else { return };
    for entry in entries.take(MOST_NAMES).flatten().filter(|entry| is_temp_of(&prefix, &entry.file_name())) {
        let path = entry.path();
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

/// Follows symbolic links to the file itself, which need not exist.
pub(crate) fn resolve(path: &Path, verb: &str) -> Result<PathBuf> {
    // The kernel first: it sees through /dev/stdout, whose links name no path.
    match fs::metadata(path) {
        Ok(found) => regular(&found, path, verb)?,
        Err(missing) if missing.kind() == ErrorKind::NotFound => {}
        Err(cause) => return Err(cause).or_cannot(verb, path),
    }
    let mut target = path.to_path_buf();
    for _ in 0..MOST_LINKS {
        match fs::read_link(&target) {
            Ok(next) => target = folder_of(&target).join(next),
            Err(no_link) if matches!(no_link.kind(), ErrorKind::InvalidInput | ErrorKind::NotFound) => {
                return Ok(target);
            }
            Err(cause) => return Err(cause).or_cannot(verb, path),
        }
    }
    Err(Error::failed(format!("cannot {verb} {}: too many symbolic links", path.display())))
}

fn regular(found: &Metadata, path: &Path, verb: &str) -> Result<()> {
    if found.is_file() {
        return Ok(());
    }
    Err(Error::failed(format!("cannot {verb} {}: it is not a regular file", path.display())))
}

/// The folder of `path`, `.` when it names none.
pub(crate) fn folder_of(path: &Path) -> &Path {
    path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."))
}

/// What the name itself stands for, a symbolic link not followed; `None` when nothing has it.
pub(crate) fn metadata_of(path: &Path) -> io::Result<Option<Metadata>> {
    match fs::symlink_metadata(path) {
        Err(missing) if missing.kind() == ErrorKind::NotFound => Ok(None),
        found => found.map(Some),
    }
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
        check("app", ".app.json.00c0de.replace.tmp", false);
        check("app", ".app.backup.replace.tmp", false);
        check("app", ".app.00c0de.tmp", false);
        check("app", "app.00c0de.replace.tmp", false);
        check("app", ".app.replace.tmp", false);
        let long = "x".repeat(255);
        let temp = temp_name(OsStr::new(&long), u64::MAX);
        assert!(temp.len() <= 255);
        check(&long, temp.to_str().unwrap(), true);
    }

    #[test]
    fn what_a_live_writer_holds_is_not_swept() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("app.json");
        let mut live = Replacement::begin(&path).unwrap();
        let dead = folder.path().join(".app.json.00dead.replace.tmp");
        File::create(&dead).unwrap();
        replace(&path, b"second").unwrap();
        assert!(!dead.exists());
        live.write_all(b"first").unwrap();
        live.commit().unwrap();
        assert_eq!(fs::read(&path).unwrap(), b"first");
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
    }

    #[test]
    fn nothing_is_created_over_what_came_meanwhile() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("app.json");
        let new = Replacement::begin(&path).unwrap();
        File::create(&path).unwrap();
        assert_eq!(new.put(Expect::Nothing).unwrap_err().status(), 75);
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
    }
}
