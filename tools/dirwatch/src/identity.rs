//! What a file is: its stamp as the file system tells it, and the key by which the ledger knows it.

use std::fmt;
use std::fs::File;
use std::hash::Hasher;
use std::io::{self, Read};
use std::os::fd::AsFd;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

use rustix::fs::{AtFlags, CWD, StatxFlags, StatxTimestamp, statx};
use serde::{Deserialize, Serialize};
use siphasher::sip128::{Hasher128, SipHasher13};

/// What makes two files the same one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Identity {
    /// Watched folder, inode, birth time, size and modification time: an inode used again is a new
    /// file, and so is the same name with new content. The device number is not in it, as it may
    /// change with a reboot.
    Version,
    /// The bytes: a second file with the same content is the same one, whatever its name.
    Content,
    /// The name: whatever comes under it later is the same file.
    Path,
}

/// The name of a file in the ledger: the same for as long as the file is the same one.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Key(pub [u8; 16]);

impl fmt::Display for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:032x}", u128::from_be_bytes(self.0))
    }
}

impl fmt::Debug for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// What kind of file it is, as far as it matters.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// A regular file.
    File,
    /// A directory.
    Folder,
    /// A symbolic link, where links are not followed.
    Link,
    /// A device, a socket or a pipe.
    Other,
}

/// What the file system tells about a file. Times are nanoseconds since 1970.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Stamp {
    /// What it is.
    pub kind: Kind,
    /// The device number: two files of one moment are the same only when it is the same.
    pub device: u64,
    /// The inode number.
    pub inode: u64,
    /// The birth time; 0 where the file system keeps none.
    pub born: i64,
    /// The size in bytes.
    pub size: u64,
    /// When the content was last changed, as it says.
    pub modified: i64,
    /// When content or attributes were last changed; nobody can set it.
    pub changed: i64,
}

impl Stamp {
    /// The stamp of `path`; of what it leads to when `follow` and it is a symbolic link.
    ///
    /// # Errors
    /// Those of statx(2).
    pub(crate) fn of(path: &Path, follow: bool) -> io::Result<Self> {
        Self::at(CWD, path, follow)
    }

    /// As [`Stamp::of`] for a path relative to `folder`.
    ///
    /// # Errors
    /// Those of statx(2).
    pub(crate) fn at(folder: impl AsFd, path: &Path, follow: bool) -> io::Result<Self> {
        let flags = if follow { AtFlags::empty() } else { AtFlags::SYMLINK_NOFOLLOW };
        Self::statx(folder, path, flags)
    }

    /// The stamp of an open file.
    ///
    /// # Errors
    /// Those of statx(2).
    pub(crate) fn of_open(file: impl AsFd) -> io::Result<Self> {
        Self::statx(file, Path::new(""), AtFlags::EMPTY_PATH)
    }

    fn statx(folder: impl AsFd, path: &Path, flags: AtFlags) -> io::Result<Self> {
        let wanted = StatxFlags::BASIC_STATS | StatxFlags::BTIME;
        let found = statx(folder, path, flags | AtFlags::NO_AUTOMOUNT, wanted)?;
        let has_birth = found.stx_mask & StatxFlags::BTIME.bits() != 0;
        Ok(Self {
            kind: match found.stx_mode & 0o170_000 {
                0o100_000 => Kind::File,
                0o040_000 => Kind::Folder,
                0o120_000 => Kind::Link,
                _ => Kind::Other,
            },
            device: u64::from(found.stx_dev_major) << 32 | u64::from(found.stx_dev_minor),
            inode: found.stx_ino,
            born: if has_birth { nanoseconds(found.stx_btime) } else { 0 },
            size: found.stx_size,
            modified: nanoseconds(found.stx_mtime),
            changed: nanoseconds(found.stx_ctime),
        })
    }

    /// Whether both are the same file with the same content, as far as a stamp can tell. Attributes
    /// may differ.
    #[must_use]
    pub(crate) fn is_same_version(&self, other: &Self) -> bool {
        (self.device, self.inode, self.born, self.size, self.modified)
            == (other.device, other.inode, other.born, other.size, other.modified)
    }
}

fn nanoseconds(time: StatxTimestamp) -> i64 {
    time.tv_sec.saturating_mul(1_000_000_000).saturating_add(i64::from(time.tv_nsec))
}

/// The key of one version of a file below `root`.
///
/// It begins with the inode number, so that keys in the order of inodes, in which a folder is best
/// read, are neighbours in the ledger.
#[must_use]
pub(crate) fn version_key(root: &Path, stamp: &Stamp) -> Key {
    let mut hasher = SipHasher13::new();
    hasher.write(root.as_os_str().as_bytes());
    hasher.write_u8(0);
    for number in [stamp.inode, stamp.size] {
        hasher.write(&number.to_le_bytes());
    }
    for time in [stamp.born, stamp.modified] {
        hasher.write(&time.to_le_bytes());
    }
    let mut key = [0; 16];
    key[..8].copy_from_slice(&stamp.inode.to_be_bytes());
    key[8..].copy_from_slice(&hasher.finish128().h1.to_be_bytes());
    Key(key)
}

/// The key of a name.
#[must_use]
pub(crate) fn path_key(path: &Path) -> Key {
    let mut hasher = SipHasher13::new();
    hasher.write(path.as_os_str().as_bytes());
    Key(hasher.finish128().as_u128().to_be_bytes())
}

/// The BLAKE3 hash of what `file` holds from here on.
///
/// # Errors
/// When it cannot be read.
pub(crate) fn content_hash(file: &mut File) -> io::Result<blake3::Hash> {
    let mut hasher = blake3::Hasher::new();
    let mut buffer = vec![0; 1 << 16];
    loop {
        match file.read(&mut buffer) {
            Ok(0) => return Ok(hasher.finalize()),
            Ok(length) => hasher.update(&buffer[..length]),
            Err(signal) if signal.kind() == io::ErrorKind::Interrupted => continue,
            Err(error) => return Err(error),
        };
    }
}

/// The key of a content.
#[must_use]
pub(crate) fn content_key(hash: &blake3::Hash) -> Key {
    let mut key = [0; 16];
    key.copy_from_slice(&hash.as_bytes()[..16]);
    Key(key)
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::time::{Duration, SystemTime};

    use super::*;

    fn key_of(path: &Path) -> Key {
        version_key(Path::new("/in"), &Stamp::of(path, false).unwrap())
    }

    #[test]
    fn a_version_is_known_by_what_changes_with_its_content() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a");
        testkit::write(&path, "1");
        let first = key_of(&path);
        fs::rename(&path, folder.path().join("b")).unwrap();
        assert_eq!(key_of(&folder.path().join("b")), first, "another name, the same file");
        fs::rename(folder.path().join("b"), &path).unwrap();
        let file = fs::OpenOptions::new().write(true).open(&path).unwrap();
        file.set_modified(SystemTime::UNIX_EPOCH + Duration::from_secs(9)).unwrap();
        assert_ne!(key_of(&path), first, "another time");
        let second = key_of(&path);
        file.set_len(7).unwrap();
        file.set_modified(SystemTime::UNIX_EPOCH + Duration::from_secs(9)).unwrap();
        assert_ne!(key_of(&path), second, "another size");
        let other_root = version_key(Path::new("/out"), &Stamp::of(&path, false).unwrap());
        assert_ne!(other_root, key_of(&path));
    }

    #[test]
    fn keys_are_the_same_in_every_version_of_the_program() {
        let stamp =
            Stamp { kind: Kind::File, device: 1, inode: 0x1234, born: 5, size: 6, modified: -7, changed: 8 };
        let other_device = Stamp { device: 9, changed: 9, ..stamp };
        assert_eq!(version_key(Path::new("/in"), &stamp), version_key(Path::new("/in"), &other_device));
        let key = version_key(Path::new("/in"), &stamp).to_string();
        assert!(key.starts_with("0000000000001234") && key.len() == 32, "{key}");
        assert_eq!(path_key(Path::new("/in/a")).to_string().len(), 32);
    }

    #[test]
    fn a_link_is_followed_only_when_asked() {
        let folder = tempfile::tempdir().unwrap();
        let (file, link) = (folder.path().join("a"), folder.path().join("l"));
        testkit::write(&file, "1");
        std::os::unix::fs::symlink(&file, &link).unwrap();
        assert_eq!(Stamp::of(&link, false).unwrap().kind, Kind::Link);
        assert_eq!(Stamp::of(&link, true).unwrap().kind, Kind::File);
        assert_eq!(Stamp::of(folder.path(), false).unwrap().kind, Kind::Folder);
        let open = File::open(&file).unwrap();
        assert_eq!(Stamp::of_open(&open).unwrap(), Stamp::of(&file, false).unwrap());
    }
}
