//! Gives a new file the owner, mode, ACL and extended attributes of the one it will replace.
//!
//! What cannot be kept is never made up for with wider rights: the new file is readable by fewer,
//! and a warning says so.

use std::fs::{File, Metadata, Permissions};
use std::io;
use std::os::unix::fs::{MetadataExt, PermissionsExt, fchown};
use std::path::Path;

use rustix::fs::XattrFlags;
use rustix::fs::{fgetxattr, fremovexattr, fsetxattr, lgetxattr, llistxattr};
use rustix::io::Errno;

/// The access ACL as the kernel hands it out; with one, the group bits of the mode are its mask.
const ACL: &[u8] = b"system.posix_acl_access";

/// Signatures of the content, which changes: the kernel writes them anew.
const OF_THE_CONTENT: [&[u8]; 2] = [b"security.ima", b"security.evm"];

/// `XATTR_SIZE_MAX` and `XATTR_LIST_MAX` of limits.h: no value and no list of names is longer.
const LARGEST: usize = 65_536;

/// What of the access rights went over to the new file.
#[derive(Debug, Clone, Copy)]
struct Kept {
    owner: bool,
    group: bool,
    acl: bool,
}

/// Gives `new` what `target`, whose metadata is `old`, has.
///
/// The order is forced: chown(2) clears set-user-ID bits and capabilities, so it comes first; an ACL
/// must stand before the mode opens its mask, and attributes are written while the file is still
/// writable.
///
/// # Errors
/// When the attributes cannot be listed or the mode cannot be set. What the owner alone may do and
/// is refused is no error but a warning.
pub(crate) fn keep(target: &Path, old: &Metadata, new: &File) -> io::Result<()> {
    if old.nlink() > 1 {
        let names = old.nlink();
        log::warn!("{} is one of {names} hard links; the others keep the old content", target.display());
    }
    let names = attribute_names(target)?;
    let (owner, group) = keep_owner(old, new)?;
    let acl = keep_acl(target, names.iter().any(|name| name == ACL), group, new);
    let lost = keep_attributes(target, &names, new);
    let kept = Kept { owner, group, acl };
    let mode = narrowed(old.mode(), kept);
    new.set_permissions(Permissions::from_mode(mode))?;
    warn(target, old, kept, mode, &lost);
    Ok(())
}

fn warn(target: &Path, old: &Metadata, kept: Kept, mode: u32, lost: &[String]) {
    let target = target.display();
    if !kept.owner || !kept.group {
        let (uid, gid) = (old.uid(), old.gid());
        log::warn!("cannot keep the owner {uid}:{gid} of {target}; its mode is now {mode:04o}");
    }
    if !kept.acl {
        log::warn!("cannot keep the ACL of {target}; its mode is now {mode:04o}");
    }
    if !lost.is_empty() {
        log::warn!("cannot keep {} of {target}", lost.join(", "));
    }
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

/// Whether the rights that ACLs give are now those of the old file.
fn keep_acl(target: &Path, has_acl: bool, group_kept: bool, new: &File) -> bool {
    if has_acl && group_kept && copy(target, ACL, new).is_ok() {
        return true;
    }
    // The folder's default ACL may have given the new file one that the old file did not have.
    let none_left = matches!(fremovexattr(new, ACL), Ok(()) | Err(Errno::NODATA | Errno::NOTSUP));
    none_left && !has_acl
}

/// Copies what users and security modules attached; returns the names that could not be kept.
fn keep_attributes(target: &Path, names: &[Vec<u8>], new: &File) -> Vec<String> {
    names
        .iter()
        .filter(|name| name.starts_with(b"user.") || name.starts_with(b"security."))
        .filter(|name| !OF_THE_CONTENT.contains(&name.as_slice()))
        .filter(|name| copy(target, name, new).is_err())
        .map(|name| String::from_utf8_lossy(name).into_owned())
        .collect()
}

fn attribute_names(target: &Path) -> io::Result<Vec<Vec<u8>>> {
    let mut list = vec![0; LARGEST];
    match llistxattr(target, &mut list[..]) {
        Ok(length) => list.truncate(length),
        Err(Errno::NOTSUP) => list.clear(),
        Err(other) => return Err(other.into()),
    }
    Ok(list.split(|byte| *byte == 0).filter(|name| !name.is_empty()).map(<[u8]>::to_vec).collect())
}

fn copy(target: &Path, name: &[u8], new: &File) -> Result<(), Errno> {
    let mut value = vec![0; LARGEST];
    let length = lgetxattr(target, name, &mut value[..])?;
    value.truncate(length);
    // A security module labels new files itself, and may allow nobody to write the label it chose.
    let mut present = vec![0; LARGEST];
    if fgetxattr(new, name, &mut present[..]).is_ok_and(|length| present.get(..length) == Some(&value[..])) {
        return Ok(());
    }
    fsetxattr(new, name, &value, XattrFlags::empty())
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
