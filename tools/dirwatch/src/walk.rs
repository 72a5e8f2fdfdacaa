//! Reading folders: names, stamps, folders below.

use std::ffi::OsStr;
use std::io;
use std::mem::MaybeUninit;
use std::ops::Range;
use std::os::fd::OwnedFd;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

use rustix::fs::{AtFlags, CWD, FileType, Mode, OFlags, RawDir, ResolveFlags, StatxFlags};
use rustix::io::Errno;

use crate::identity::Stamp;

/// After this many names of one folder, or so many bytes of them, they are dealt with before more are
/// read: memory stays flat. The more there are, the nearer are neighbours in the ledger: of a million
/// names each fourth is there, and few queries find them all.
const ENOUGH: (usize, usize) = (1 << 18, 8 << 20);

/// Room for more names than this is given back after use.
const USUAL: usize = 1 << 14;

/// What getdents(2) may fill at once: up to 2,730 names.
const BUFFER: usize = 1 << 16;

/// `STATX_MNT_ID_UNIQUE` since Linux 6.8: a number that no later mount gets. Older kernels pass over it.
const UNIQUE_MOUNT: StatxFlags = StatxFlags::from_bits_retain(0x4000);

/// Which folder it is: another one when it was removed and made again, or mounted anew.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct FolderId {
    /// The device number.
    pub device: u64,
    /// The inode number.
    pub inode: u64,
    /// The birth time, as inode numbers are used again; 0 where there is none.
    born: (i64, u32),
    mount: u64,
}

/// Which folder is behind a path now.
///
/// # Errors
/// Those of statx(2), and when it is no folder.
pub(crate) fn folder_id(path: &Path, follow: bool) -> io::Result<FolderId> {
    statx(CWD, path, if follow { AtFlags::empty() } else { AtFlags::SYMLINK_NOFOLLOW })
}

fn statx(at: impl rustix::fd::AsFd, path: &Path, flags: AtFlags) -> io::Result<FolderId> {
    let wanted = StatxFlags::BASIC_STATS | StatxFlags::BTIME | StatxFlags::MNT_ID | UNIQUE_MOUNT;
    let found = rustix::fs::statx(at, path, flags, wanted)?;
    if FileType::from_raw_mode(found.stx_mode.into()) != FileType::Directory {
        return Err(Errno::NOTDIR.into());
    }
    let has_birth = found.stx_mask & StatxFlags::BTIME.bits() != 0;
    Ok(FolderId {
        device: u64::from(found.stx_dev_major) << 32 | u64::from(found.stx_dev_minor),
        inode: found.stx_ino,
        born: if has_birth { (found.stx_btime.tv_sec, found.stx_btime.tv_nsec) } else { (0, 0) },
        mount: found.stx_mnt_id,
    })
}

/// A folder that is open for reading.
#[derive(Debug)]
pub(crate) struct Folder {
    open: OwnedFd,
}

impl Folder {
    /// Opens the folder `relative` below `root`; the root itself when it is empty. Without `follow`
    /// no symbolic link below the root is passed, also none that has just taken the place of a folder.
    ///
    /// # Errors
    /// Those of open(2).
    pub(crate) fn open(root: &Path, relative: &Path, follow: bool) -> io::Result<Self> {
        let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
        let nothing = Mode::empty();
        if relative.as_os_str().is_empty() {
            return Ok(Self { open: rustix::fs::open(root, flags, nothing)? });
        }
        if follow {
            return Ok(Self { open: rustix::fs::open(root.join(relative), flags, nothing)? });
        }
        let base = rustix::fs::open(root, OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC, nothing)?;
        match rustix::fs::openat2(&base, relative, flags, nothing, ResolveFlags::NO_SYMLINKS) {
            // Older than Linux 5.6, or forbidden by a seccomp filter that does not know the call.
            Err(Errno::NOSYS | Errno::PERM) => {
                Ok(Self { open: rustix::fs::openat(&base, relative, flags | OFlags::NOFOLLOW, nothing)? })
            }
            opened => Ok(Self { open: opened? }),
        }
    }

    /// Which folder it is.
    ///
    /// # Errors
    /// Those of statx(2).
    pub(crate) fn id(&self) -> io::Result<FolderId> {
        statx(&self.open, Path::new(""), AtFlags::EMPTY_PATH)
    }

    /// The stamp of a file in it.
    ///
    /// # Errors
    /// Those of statx(2).
    pub(crate) fn stamp(&self, name: &OsStr, follow: bool) -> io::Result<Stamp> {
        Stamp::at(&self.open, Path::new(name), follow)
    }
}

/// What a folder says of a name, without a look at the file itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Seems {
    /// A regular file.
    File,
    /// A folder, of this inode number unless something is mounted there.
    Folder(u64),
    /// A symbolic link.
    Link,
    /// A device, a socket or a pipe.
    Other,
    /// The file system does not say.
    Unknown,
}

/// 16 bytes, as there may be many.
#[derive(Debug, Clone, Copy)]
struct Slot {
    inode: u64,
    from: u32,
    length: u16,
    kind: Kind,
}

#[derive(Debug, Clone, Copy)]
enum Kind {
    File,
    Folder,
    Link,
    Other,
    Unknown,
}

/// Some names of a folder, in the order of their inode numbers.
#[derive(Default)]
pub(crate) struct Names {
    buffer: Vec<MaybeUninit<u8>>,
    bytes: Vec<u8>,
    slots: Vec<Slot>,
}

impl Names {
    /// Replaces the names by the next of `folder`, 262,144 or 8 MiB at most, and says whether there
    /// may be more.
    ///
    /// They are sorted by their inode numbers: inodes that are neighbours on the disk are read
    /// together, and so are their keys in the ledger.
    ///
    /// # Errors
    /// Those of getdents(2); the names read before are there.
    pub(crate) fn read(&mut self, folder: &Folder) -> io::Result<bool> {
        self.bytes.clear();
        self.slots.clear();
        self.buffer.resize(BUFFER, MaybeUninit::uninit());
        let mut more = Ok(true);
        while self.slots.len() < ENOUGH.0 && self.bytes.len() < ENOUGH.1 && matches!(more, Ok(true)) {
            more = self.fill(folder);
        }
        self.slots.sort_unstable_by_key(|slot| slot.inode);
        more
    }

    /// What one call of getdents(2) yields: [`RawDir`] is dropped only when its buffer is empty.
    fn fill(&mut self, folder: &Folder) -> io::Result<bool> {
        let mut entries = RawDir::new(&folder.open, &mut self.buffer);
        loop {
            let entry = match entries.next() {
                // With the error the folder was removed while it was open.
                None | Some(Err(Errno::NOENT)) => return Ok(false),
                Some(entry) => entry?,
            };
            let name = entry.file_name().to_bytes();
            if name != b"." && name != b".." {
                let (from, length) = (small(self.bytes.len())?, small(name.len())?);
                self.bytes.extend_from_slice(name);
                self.slots.push(Slot { inode: entry.ino(), from, length, kind: kind(entry.file_type()) });
            }
            if entries.is_buffer_empty() {
                return Ok(true);
            }
        }
    }

    /// How many there are.
    pub(crate) fn len(&self) -> usize {
        self.slots.len()
    }

    /// Some of the names, by their places from 0.
    pub(crate) fn part(&self, part: Range<usize>) -> impl Iterator<Item = (Seems, &OsStr)> {
        self.slots.get(part).unwrap_or_default().iter().map(|slot| {
            let from = slot.from as usize;
            let name = &self.bytes[from..from + usize::from(slot.length)];
            (slot.seems(), OsStr::from_bytes(name))
        })
    }

    /// No names, and the room for as many as are usual.
    #[must_use]
    pub(crate) fn cleared(mut self) -> Self {
        self.bytes.clear();
        self.slots.clear();
        if self.slots.capacity() > USUAL { Self { buffer: self.buffer, ..Self::default() } } else { self }
    }
}

impl Slot {
    fn seems(&self) -> Seems {
        match self.kind {
            Kind::File => Seems::File,
            Kind::Folder => Seems::Folder(self.inode),
            Kind::Link => Seems::Link,
            Kind::Other => Seems::Other,
            Kind::Unknown => Seems::Unknown,
        }
    }
}

fn kind(kind: FileType) -> Kind {
    match kind {
        FileType::RegularFile => Kind::File,
        FileType::Directory => Kind::Folder,
        FileType::Symlink => Kind::Link,
        FileType::Unknown => Kind::Unknown,
        _ => Kind::Other,
    }
}

/// No name has 64 KiB, and all of them have little more than [`ENOUGH`].
fn small<N: TryFrom<usize>>(number: usize) -> io::Result<N> {
    N::try_from(number).map_err(|_| Errno::NAMETOOLONG.into())
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;
    use std::ffi::OsString;
    use std::fs::{self, File};
    use std::os::unix::fs::symlink;

    use super::*;

    /// With long names more than are read at once.
    const MANY: usize = 40_000;

    fn names(folder: &Folder) -> (Vec<(Seems, OsString)>, usize) {
        let (mut names, mut all, mut parts) = (Names::default(), Vec::new(), 0);
        loop {
            let more = names.read(folder).unwrap();
            all.extend(names.part(0..names.len()).map(|(seems, name)| (seems, name.to_owned())));
            parts += 1;
            if !more {
                return (all, parts);
            }
        }
    }

    #[test]
    fn every_name_comes_once_and_in_parts() {
        let place = tempfile::tempdir().unwrap();
        let want: BTreeSet<_> = (0..MANY).map(|n| OsString::from(format!("{n:0>240}"))).collect();
        for name in &want {
            File::create(place.path().join(name)).unwrap();
        }
        let folder = Folder::open(place.path(), Path::new(""), false).unwrap();
        let (all, parts) = names(&folder);
        assert_eq!(all.len(), MANY);
        assert_eq!(all.into_iter().map(|(_, name)| name).collect::<BTreeSet<_>>(), want);
        assert!(parts >= 2, "{parts}");
    }

    #[test]
    fn names_are_bytes_and_kinds_are_known() {
        let place = tempfile::tempdir().unwrap();
        let odd = OsStr::from_bytes(b"-\xff\n\x1b ");
        File::create(place.path().join(odd)).unwrap();
        fs::create_dir(place.path().join("d")).unwrap();
        symlink("nowhere", place.path().join("l")).unwrap();
        let folder = Folder::open(place.path(), Path::new(""), false).unwrap();
        let kind_of = |name: &OsStr| {
            names(&Folder::open(place.path(), Path::new(""), false).unwrap())
                .0
                .into_iter()
                .find(|(_, found)| found == name)
                .unwrap()
                .0
        };
        assert_eq!(kind_of(odd), Seems::File);
        assert!(matches!(kind_of(OsStr::new("d")), Seems::Folder(_)));
        assert_eq!(kind_of(OsStr::new("l")), Seems::Link);
        assert_eq!(folder.stamp(odd, false).unwrap(), Stamp::of(&place.path().join(odd), false).unwrap());
    }

    #[test]
    fn no_link_below_the_root_is_passed() {
        let place = tempfile::tempdir().unwrap();
        let root = place.path();
        fs::create_dir_all(root.join("a/b")).unwrap();
        symlink("a", root.join("l")).unwrap();
        let check = |relative: &str, follow: bool, opened: bool| {
            assert_eq!(Folder::open(root, Path::new(relative), follow).is_ok(), opened, "{relative}");
        };
        check("a/b", false, true);
        check("l/b", false, false);
        check("l", false, false);
        check("l/b", true, true);
        symlink(root, root.join("a/root")).unwrap();
        assert!(Folder::open(&root.join("a/root"), Path::new("a"), false).is_ok(), "the root may be a link");
    }

    #[test]
    fn a_folder_made_again_is_another_one() {
        let place = tempfile::tempdir().unwrap();
        let path = place.path().join("a");
        fs::create_dir(&path).unwrap();
        let first = folder_id(&path, false).unwrap();
        let open = Folder::open(place.path(), Path::new("a"), false).unwrap();
        assert_eq!(open.id().unwrap(), first);
        fs::remove_dir(&path).unwrap();
        assert!(!Names::default().read(&open).unwrap());
        fs::create_dir(&path).unwrap();
        assert_ne!(folder_id(&path, false).unwrap(), first);
        File::create(place.path().join("f")).unwrap();
        assert!(folder_id(&place.path().join("f"), false).is_err());
    }
}
