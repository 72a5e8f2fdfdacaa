//! What a file was, to notice who changes it without holding its lock.
//!
//! Somebody who replaces the file shows by another inode, somebody who writes into it by size and
//! times. The times alone do not do: the kernel counts them in ticks of some milliseconds (before
//! Linux 6.13 always), so a small file is also remembered byte for byte.

use std::fs::{File, Metadata};
use std::io;
use std::os::unix::fs::{FileExt, MetadataExt};

use rustix::fs::{AtFlags, StatxAttributes, StatxFlags, statx};

/// Longer files are not remembered byte for byte: comparing this much takes 20 us.
pub(crate) const MOST_REMEMBERED: u64 = 65_536;

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

/// What stat(2) tells of a file, as far as an edit would show in it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Stamp {
    pub(crate) identity: Identity,
    pub(crate) size: u64,
    modified: (i64, i64),
    changed: (i64, i64),
    /// Mode, owner, group and hard links: a change of theirs explains another `changed`.
    standing: (u32, u32, u32, u64),
}

impl Stamp {
    pub(crate) fn of(metadata: &Metadata) -> Self {
        Self {
            identity: Identity::of(metadata),
            size: metadata.size(),
            modified: (metadata.mtime(), metadata.mtime_nsec()),
            changed: (metadata.ctime(), metadata.ctime_nsec()),
            standing: (metadata.mode(), metadata.uid(), metadata.gid(), metadata.nlink()),
        }
    }

    /// Whether the content is still the same, as far as this can tell. What chmod(2), chown(2) and
    /// link(2) do is no change of the content; a change time that nothing explains is taken for one:
    /// the modification time can be set back.
    fn same_content(&self, now: &Self) -> bool {
        self.same_size_and_time(now) && (self.changed == now.changed || self.standing != now.standing)
    }

    fn same_size_and_time(&self, now: &Self) -> bool {
        self.identity == now.identity && self.size == now.size && self.modified == now.modified
    }

    /// This, with the change time of `later`: rename(2) sets it, which is no change of the content.
    pub(crate) fn renamed(self, later: &Self) -> Self {
        Self { changed: later.changed, standing: later.standing, ..self }
    }
}

/// What was known of the content when it was last looked at.
#[derive(Debug)]
pub(crate) struct Seen {
    pub(crate) stamp: Stamp,
    /// The content, if it was read and is short.
    pub(crate) bytes: Option<Vec<u8>>,
}

impl Seen {
    pub(crate) fn of(file: &File) -> io::Result<Self> {
        Ok(Self { stamp: Stamp::of(&file.metadata()?), bytes: None })
    }

    /// Reads `file`. The stamp is older than the bytes, so that who writes meanwhile is noticed.
    pub(crate) fn read(file: &File) -> io::Result<(Self, Vec<u8>)> {
        let stamp = Stamp::of(&file.metadata()?);
        let bytes = read_all(file, stamp.size)?;
        let remembered = (bytes.len() as u64 <= MOST_REMEMBERED).then(|| bytes.clone());
        Ok((Self { stamp, bytes: remembered }, bytes))
    }

    /// Whether a file with the stamp `now` may hold what was seen.
    pub(crate) fn allows(&self, now: &Stamp) -> bool {
        // Where the bytes are compared too, the change time tells nothing more.
        self.stamp.same_content(now) || (self.bytes.is_some() && self.stamp.same_size_and_time(now))
    }

    /// Whether `file` still holds the remembered bytes; true when none are.
    pub(crate) fn same_bytes(&self, file: &File) -> io::Result<bool> {
        let Some(bytes) = &self.bytes else { return Ok(true) };
        Ok(read_all(file, bytes.len() as u64)? == *bytes)
    }
}

/// The bytes of `file`, about `size` of them, wherever its position is.
pub(crate) fn read_all(file: &File, size: u64) -> io::Result<Vec<u8>> {
    let room = usize::try_from(size).map_err(io::Error::other)?.saturating_add(1);
    let mut bytes = vec![0; room];
    let mut end = 0;
    loop {
        match file.read_at(&mut bytes[end..], end as u64) {
            Ok(0) => break,
            Ok(count) => end += count,
            Err(again) if again.kind() == io::ErrorKind::Interrupted => {}
            Err(other) => return Err(other),
        }
        if end == bytes.len() {
            bytes.resize(end.saturating_mul(2), 0);
        }
    }
    bytes.truncate(end);
    Ok(bytes)
}

/// What of a locked file matters to who wants to change it. Where the kernel does not tell
/// (attributes before Linux 4.11, mounts before 5.8), nothing is the matter.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Condition {
    /// The length in bytes; 0 when the file does not exist yet.
    pub size: u64,
    /// How many names the file has; replacing it leaves the old content to all names but one.
    pub hard_links: u64,
    /// `chattr +i`: nobody may write or replace it.
    pub immutable: bool,
    /// `chattr +a`: nobody may replace it or write into it except at its end.
    pub append_only: bool,
    /// A mount of its own (`mount --bind FILE FILE`, as containers do): it cannot be replaced, only
    /// written in place.
    pub mount_root: bool,
}

impl Condition {
    /// Of a file that does not exist yet.
    pub(crate) const NEW: Self =
        Self { size: 0, hard_links: 1, immutable: false, append_only: false, mount_root: false };

    pub(crate) fn of(file: &File) -> io::Result<Self> {
        let wanted = StatxFlags::SIZE | StatxFlags::NLINK;
        let Ok(found) = statx(file, "", AtFlags::EMPTY_PATH, wanted) else {
            // No statx(2): an old kernel, or a filter that does not know it.
            let found = file.metadata()?;
            return Ok(Self { size: found.size(), hard_links: found.nlink(), ..Self::NEW });
        };
        let has = |attribute| found.stx_attributes.contains(attribute);
        Ok(Self {
            size: found.stx_size,
            hard_links: u64::from(found.stx_nlink),
            immutable: has(StatxAttributes::IMMUTABLE),
            append_only: has(StatxAttributes::APPEND),
            mount_root: has(StatxAttributes::MOUNT_ROOT),
        })
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;
    use crate::{Lock, Wait};

    #[test]
    fn rights_and_names_are_no_content() {
        let old = Stamp {
            identity: Identity { device: 1, inode: 2 },
            size: 3,
            modified: (10, 0),
            changed: (10, 0),
            standing: (0o600, 0, 0, 1),
        };
        let check = |now: Stamp, want: bool| assert_eq!(old.same_content(&now), want, "{now:?}");
        check(old, true);
        check(Stamp { identity: Identity { device: 1, inode: 3 }, ..old }, false);
        check(Stamp { size: 4, ..old }, false);
        check(Stamp { modified: (10, 1), changed: (10, 1), ..old }, false);
        check(Stamp { changed: (11, 0), standing: (0o644, 0, 0, 1), ..old }, true);
        check(Stamp { changed: (11, 0), standing: (0o600, 0, 0, 2), ..old }, true);
        check(Stamp { changed: (11, 0), ..old }, false);
    }

    #[test]
    fn its_condition_is_told() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("app.json");
        let condition = || Lock::acquire(&path, Wait::Not).unwrap().condition().unwrap();
        assert_eq!(condition(), Condition::NEW);
        crate::replace(&path, b"four").unwrap();
        assert_eq!(condition(), Condition { size: 4, ..Condition::NEW });
        fs::hard_link(&path, folder.path().join("other")).unwrap();
        assert_eq!(condition(), Condition { size: 4, hard_links: 2, ..Condition::NEW });
    }
}
