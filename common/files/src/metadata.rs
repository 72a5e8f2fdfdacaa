//! Gives a new file the owner, mode, ACL and extended attributes of another, mostly of the one that it
//! will replace.
//!
//! What cannot be kept is never made up for with wider rights: the new file is readable by fewer,
//! and a warning says so.

use std::fs::{File, Metadata, Permissions};
use std::io;
use std::os::unix::fs::{MetadataExt, PermissionsExt, fchown};
use std::path::Path;

use rustix::fs::XattrFlags;
use rustix::fs::{fgetxattr, flistxattr, fremovexattr, fsetxattr, lgetxattr, llistxattr};
use rustix::io::Errno;

/// The access ACL as the kernel hands it out; with one, the group bits of the mode are its mask.
const ACL: &[u8] = b"system.posix_acl_access";

/// Signatures of the content, which changes: the kernel writes them anew.
const OF_THE_CONTENT: [&[u8]; 2] = [b"security.ima", b"security.evm"];

/// `XATTR_SIZE_MAX` and `XATTR_LIST_MAX` of limits.h: no value and no list of names is longer.
const LARGEST: usize = 65_536;

/// Where the metadata comes from.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Model<'a> {
    /// The file that is replaced; perhaps one that we may not open.
    Replaced(&'a Path),
    /// The file that a new one shall be like, and the name of the new one.
    Other(&'a File, &'a Path),
}

/// What of the access rights went over to the new file.
#[derive(Debug, Clone, Copy)]
struct Kept {
    owner: bool,
    group: bool,
    acl: bool,
}

impl Model<'_> {
    /// Gives `new` what this, whose metadata is `old`, has.
    ///
    /// The order is forced: chown(2) clears set-user-ID bits and capabilities, so it comes first; an
    /// ACL must stand before the mode opens its mask, and attributes are written while the file is
    /// still writable.
    ///
    /// # Errors
    /// When the attributes cannot be listed or the mode cannot be set. What the owner alone may do
    /// and is refused is no error but a warning.
    pub(crate) fn give(self, old: &Metadata, new: &File) -> io::Result<()> {
        let names = self.attribute_names()?;
        let (owner, group) = keep_owner(old, new)?;
        let acl = self.keep_acl(names.iter().any(|name| name == ACL), group, new);
        let lost = self.keep_attributes(&names, new);
        let kept = Kept { owner, group, acl };
        let mode = narrowed(old.mode(), kept);
        new.set_permissions(Permissions::from_mode(mode))?;
        self.warn(old, kept, mode, &lost);
        Ok(())
    }

    fn warn(self, old: &Metadata, kept: Kept, mode: u32, lost: &[String]) {
        let (verb, of, file) = match self {
            Self::Replaced(target) => ("keep", "of", target),
            Self::Other(_, new) => ("copy", "to", new),
        };
        let file = file.display();
        if !kept.owner || !kept.group {
            let (uid, gid) = (old.uid(), old.gid());
            log::warn!("cannot {verb} the owner {uid}:{gid} {of} {file}; its mode is now {mode:04o}");
        }
        if !kept.acl {
            log::warn!("cannot {verb} the ACL {of} {file}; its mode is now {mode:04o}");
        }
        if !lost.is_empty() {
            log::warn!("cannot {verb} {} {of} {file}", lost.join(", "));
        }
    }

    /// Whether the rights that ACLs give are now those of the old file.
    fn keep_acl(self, has_acl: bool, group_kept: bool, new: &File) -> bool {
        if has_acl && group_kept && self.copy(ACL, new).is_ok() {
            return true;
        }
        // The folder's default ACL may have given the new file one that the old file did not have.
        remove_acl(new).is_ok() && !has_acl
    }

    /// Copies what users and security modules attached; returns the names that could not be kept.
    fn keep_attributes(self, names: &[Vec<u8>], new: &File) -> Vec<String> {
        names
            .iter()
            .filter(|name| name.starts_with(b"user.") || name.starts_with(b"security."))
            .filter(|name| !OF_THE_CONTENT.contains(&name.as_slice()))
            .filter(|name| self.copy(name, new).is_err())
            .map(|name| String::from_utf8_lossy(name).into_owned())
            .collect()
    }

    fn attribute_names(self) -> io::Result<Vec<Vec<u8>>> {
        let list = filled(|buffer| match self {
            Self::Replaced(target) => llistxattr(target, buffer),
            Self::Other(file, _) => flistxattr(file, buffer),
        });
        match list {
            Ok(list) => {
                let names = list.split(|byte| *byte == 0).filter(|name| !name.is_empty());
                Ok(names.map(<[u8]>::to_vec).collect())
            }
            Err(Errno::NOTSUP) => Ok(Vec::new()),
            Err(other) => Err(other.into()),
        }
    }

    fn copy(self, name: &[u8], new: &File) -> Result<(), Errno> {
        let value = filled(|buffer| match self {
            Self::Replaced(target) => lgetxattr(target, name, buffer),
            Self::Other(file, _) => fgetxattr(file, name, buffer),
        })?;
        // A security module labels new files itself, and may allow nobody to write the label it chose.
        if filled(|buffer| fgetxattr(new, name, buffer)).is_ok_and(|present| present == value) {
            return Ok(());
        }
        fsetxattr(new, name, &value, XattrFlags::empty())
    }
}

/// Gives `new` this mode and nothing else: neither umask nor default ACL has a say.
///
/// # Errors
/// When the mode cannot be set.
pub(crate) fn set_mode(new: &File, mode: u32) -> io::Result<()> {
    remove_acl(new)?;
    new.set_permissions(Permissions::from_mode(mode))
}

fn remove_acl(file: &File) -> Result<(), Errno> {
    // Removing none takes a transaction of the file system, asking does not.
    if matches!(fgetxattr(file, ACL, &mut [0; 256][..]), Err(Errno::NODATA | Errno::NOTSUP)) {
        return Ok(());
    }
    match fremovexattr(file, ACL) {
        Err(Errno::NODATA | Errno::NOTSUP) => Ok(()),
        done => done,
    }
}

/// What `get` writes into a buffer, and a larger one if the first is too small.
fn filled(get: impl Fn(&mut [u8]) -> Result<usize, Errno>) -> Result<Vec<u8>, Errno> {
    // Almost always enough, and nothing to clear 64 KiB for.
    let mut buffer = vec![0; 256];
    let length = match get(&mut buffer) {
        Err(Errno::RANGE) => {
            buffer = vec![0; LARGEST];
            get(&mut buffer)?
        }
        length => length?,
    };
    buffer.truncate(length);
    Ok(buffer)
}

/// Whether the owner and the group are now those of `old`.
fn keep_owner(old: &Metadata, new: &File) -> io::Result<(bool, bool)> {
    let now = new.metadata()?;
    let wanted = (Some(old.uid()), Some(old.gid()));
    if (Some(now.uid()), Some(now.gid())) == wanted || fchown(new, wanted.0, wanted.1).is_ok() {
        return Ok((true, true));
    }
    // Without CAP_CHOWN the owner is ours for good; the group may be any we are a member of.
    Ok((now.uid() == old.uid(), fchown(new, None, wanted.1).is_ok()))
}

/// The mode of the new file: that of the old one, or less where its owner, group or ACL is lost.
fn narrowed(mode: u32, kept: Kept) -> u32 {
    let mut mode = mode & 0o7777;
    if !kept.owner {
        mode &= !0o4000;
    }
    if !kept.group {
        // Members of the old group now count as others, and members of the new group were others
        // before: neither may gain what the old mode refused them.
        let both = (mode >> 3) & mode & 0o7;
        mode = (mode & 0o5700) | (both << 3) | both;
    }
    if !kept.acl {
        // The group bits were the mask of the ACL, and others may have been refused by name.
        mode &= !0o77;
    }
    mode
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rights_only_ever_shrink() {
        let check = |mode: u32, [owner, group, acl]: [bool; 3], want: u32| {
            let mode_now = narrowed(mode, Kept { owner, group, acl });
            assert_eq!(mode_now, want, "{mode:o} became {mode_now:o} instead of {want:o}");
        };
        check(0o100_640, [true, true, true], 0o640);
        check(0o106_755, [true, true, true], 0o6755);
        check(0o106_755, [false, true, true], 0o2755);
        check(0o106_755, [true, false, true], 0o4755);
        check(0o100_640, [false, false, true], 0o600);
        check(0o100_604, [true, false, true], 0o600);
        check(0o100_664, [false, false, true], 0o644);
        check(0o100_664, [true, true, false], 0o600);
    }
}
