//! How full memory and file systems are.

use crate::sample::{Filesystem, Sample};

use super::{percent, rounded};

/// File systems that are always full, because they were made to measure and nobody can write there.
const MADE_TO_MEASURE: [&str; 5] = ["squashfs", "iso9660", "udf", "cramfs", "erofs"];

/// How full a file system is, as df(1) counts: of what its users can have, in percent.
#[allow(clippy::cast_precision_loss, reason = "a double tells a petabyte to the byte")]
pub(crate) fn used_percent(filesystem: &Filesystem) -> Option<f64> {
    let used = filesystem.size.checked_sub(filesystem.free)? as f64;
    percent(used, used + filesystem.available as f64).map(rounded)
}

/// How many of its inodes are taken, in percent; `None` where it has no fixed number of them.
#[allow(clippy::cast_precision_loss, reason = "a double tells 2^53 inodes apart")]
pub(crate) fn inode_percent(filesystem: &Filesystem) -> Option<f64> {
    let used = filesystem.files.checked_sub(filesystem.files_free)?;
    percent(used as f64, filesystem.files as f64)
}

/// Puts the values of memory and disks; returns the mount point of the fullest file system.
#[allow(clippy::cast_precision_loss, reason = "a double tells a petabyte to the byte")]
pub(super) fn put<'s>(
    sample: &'s Sample,
    put: &mut impl FnMut(&'static str, Option<f64>),
) -> Option<&'s str> {
    if let Some(memory) = &sample.memory {
        let used = memory.total.saturating_sub(memory.available);
        put("mem_percent", percent(used as f64, memory.total as f64));
        put("mem_total_bytes", Some(memory.total as f64));
        put("mem_available_bytes", Some(memory.available as f64));
        let swapped = memory.swap_total.saturating_sub(memory.swap_free);
        put("swap_percent", percent(swapped as f64, memory.swap_total as f64));
        put("swap_total_bytes", Some(memory.swap_total as f64));
    }
    let fullest = fullest(&sample.filesystems, used_percent);
    put("disk_percent", fullest.map(|(percent, _)| percent));
    put("inode_percent", self::fullest(&sample.filesystems, inode_percent).map(|(percent, _)| percent));
    fullest.map(|(_, filesystem)| filesystem.mountpoint.as_str())
}

/// The fullest one of those that can be written to; of equals the first.
fn fullest(all: &[Filesystem], how_full: fn(&Filesystem) -> Option<f64>) -> Option<(f64, &Filesystem)> {
    let mut fullest: Option<(f64, &Filesystem)> = None;
    for filesystem in all.iter().filter(|one| !MADE_TO_MEASURE.contains(&one.fstype.as_str())) {
        let Some(percent) = how_full(filesystem) else { continue };
        if fullest.is_none_or(|(most, _)| percent > most) {
            fullest = Some((percent, filesystem));
        }
    }
    fullest
}
