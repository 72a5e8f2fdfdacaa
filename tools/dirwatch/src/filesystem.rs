//! What file system a folder is on, as far as it matters.

use std::io;
use std::path::Path;

use rustix::fs::statfs;

/// The file systems on which others write without this kernel knowing, by the magic numbers of
/// statfs(2): network and cluster file systems, those of user space, and those that hide a layer.
const SILENT: [(u32, &str); 26] = [
    (0x6969, "NFS"),
    (0x517b, "SMB"),
    (0xff53_4d42, "CIFS"),
    (0xfe53_4d42, "SMB2"),
    (0x6573_5546, "FUSE"),
    (0x794c_7630, "overlay"),
    (0x6175_6673, "aufs"),
    (0xf15f, "eCryptfs"),
    (0x0102_1997, "9p"),
    (0x00c3_6400, "Ceph"),
    (0x5346_414f, "AFS"),
    (0x6b41_4653, "AFS"),
    (0x0bd0_0bd0, "Lustre"),
    (0x4750_4653, "GPFS"),
    (0x1983_0326, "BeeGFS"),
    (0x2003_0528, "OrangeFS"),
    (0xaad7_aaea, "PanFS"),
    (0x7461_636f, "OCFS2"),
    (0x0116_1970, "GFS2"),
    (0x7375_7245, "Coda"),
    (0x564c, "NCP"),
    (0x786f_4256, "vboxsf"),
    (0xbacb_acbc, "vmhgfs"),
    (0x7c7c_6673, "prl_fs"),
    (0x9fa0, "proc"),
    (0x6265_6572, "sysfs"),
];

/// The name of the file system when the kernel does not report everything that happens in it, so
/// that it must be looked at again and again.
///
/// # Errors
/// Those of statfs(2).
pub(crate) fn trouble(path: &Path) -> io::Result<Option<&'static str>> {
    // The field is signed and of several widths, the numbers are 32 bits without a sign.
    let magic = u32::try_from(i128::from(statfs(path)?.f_type) & 0xffff_ffff).unwrap_or(0);
    Ok(named(magic))
}

fn named(magic: u32) -> Option<&'static str> {
    SILENT.iter().find(|(number, _)| *number == magic).map(|(_, name)| *name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_system_is_known_by_its_number() {
        let check = |magic: u32, want: Option<&str>| assert_eq!(named(magic), want, "{magic:x}");
        check(0x6969, Some("NFS"));
        check(0xff53_4d42, Some("CIFS"));
        check(0x6573_5546, Some("FUSE"));
        check(0xef53, None);
        check(0x0102_1994, None);
    }

    #[test]
    fn the_kernel_is_asked() {
        assert_eq!(trouble(Path::new("/proc")).unwrap(), Some("proc"));
        assert_eq!(trouble(Path::new("/proc/self/nowhere")).unwrap_err().kind(), io::ErrorKind::NotFound);
    }
}
