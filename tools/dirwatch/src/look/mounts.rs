//! Whether a folder lacks the file system that belongs there: an empty mount point looks like a
//! folder whose files are all gone.

use std::ffi::OsString;
use std::fs;
use std::os::unix::ffi::OsStringExt;
use std::path::{Path, PathBuf};

/// The mount point of /etc/fstab that `folder` is on or below, when nothing is mounted there. What is
/// mounted by other means is not known.
pub(super) fn missing(folder: &Path) -> Option<PathBuf> {
    let read = |path| fs::read(path).unwrap_or_default();
    missing_of(folder, &read("/etc/fstab"), &read("/proc/self/mounts"))
}

/// Both texts are as fstab(5) says.
fn missing_of(folder: &Path, wanted: &[u8], mounted: &[u8]) -> Option<PathBuf> {
    let mounted: Vec<PathBuf> = points(mounted).collect();
    points(wanted).find(|point| folder.starts_with(point) && !mounted.contains(point))
}

/// The mount points of a table.
fn points(table: &[u8]) -> impl Iterator<Item = PathBuf> {
    let lines = table.split(|byte| *byte == b'\n').filter(|line| !line.trim_ascii().starts_with(b"#"));
    let points =
        lines.filter_map(|line| line.split(u8::is_ascii_whitespace).filter(|field| !field.is_empty()).nth(1));
    points
        .filter(|point| point.starts_with(b"/"))
        .map(|point| PathBuf::from(OsString::from_vec(plain(point))))
}

/// A field without its escapes: `\040` is a space.
fn plain(field: &[u8]) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(field.len());
    let mut rest = field;
    while let Some((&first, tail)) = rest.split_first() {
        let digits = tail.get(..3).and_then(|digits| std::str::from_utf8(digits).ok());
        let code = digits.and_then(|digits| u8::from_str_radix(digits, 8).ok());
        if let Some(code) = code.filter(|_| first == b'\\') {
            bytes.push(code);
            rest = &tail[3..];
        } else {
            bytes.push(first);
            rest = tail;
        }
    }
    bytes
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_mount_point_without_a_mount_is_found() {
        let check = |folder: &str, wanted: &str, mounted: &str, want: Option<&str>| {
            let found = missing_of(Path::new(folder), wanted.as_bytes(), mounted.as_bytes());
            assert_eq!(found.as_deref(), want.map(Path::new), "{folder} {wanted} {mounted}");
        };
        let table = "# a b\nUUID=1 / ext4 defaults 0 1\n\n/dev/b\t/srv/in  xfs defaults 0 0\n\
                     /dev/c none swap sw 0 0\nx:/y /srv/a\\040b nfs noauto 0 0";
        let root = "/dev/a / ext4 rw 0 0\n";
        let srv = "/dev/a / ext4 rw 0 0\n/dev/b /srv/in xfs rw 0 0\n";
        check("/srv/in", table, root, Some("/srv/in"));
        check("/srv/in/x", table, root, Some("/srv/in"));
        check("/srv/inner", table, root, None);
        check("/srv/in", table, srv, None);
        check("/srv/a b/c", table, srv, Some("/srv/a b"));
        check("/srv/a b/c", table, &format!("{srv}x:/y /srv/a\\040b nfs4 rw 0 0\n"), None);
        check("/srv/in", "", "", None);
        check("/srv/in", "#x /srv/in xfs", root, None);
    }

    proptest! {
        #[test]
        fn any_table_is_read(wanted: Vec<u8>, mounted: Vec<u8>) {
            let _whatever = missing_of(Path::new("/srv/in"), &wanted, &mounted);
        }

        #[test]
        fn what_is_not_escaped_stays(field in "[^\\\\]*") {
            prop_assert_eq!(plain(field.as_bytes()), field.as_bytes());
        }
    }
}
