//! Mounts and the space of file systems, on all systems.

use super::{Answer, count};
use crate::sample::{Collector, Filesystem};

/// A mount, its mount point unescaped.
struct Mount {
    device: String,
    point: String,
    fstype: String,
    is_readonly: bool,
}

/// Linux: /proc/mounts, and one line of stat(1) per file system, or df(1) where there is none.
pub(super) fn read_statfs(answer: &mut Answer<'_>) {
    if !answer.wants(Collector::Disk) {
        return;
    }
    let Some(mounts) = answer.sections.files().get("mounts").map(linux_mounts) else {
        return answer.gap(Collector::Disk, "files", "cannot read /proc/mounts");
    };
    let Some(text) = answer.sections.get("filesystems") else {
        return answer.gap(Collector::Disk, "filesystems", "its file systems were not asked");
    };
    if text.lines().any(|line| line.starts_with("Filesystem")) {
        return from_df(answer, text, &mounts);
    }
    for line in text.lines().filter(|line| !line.is_empty()) {
        if let Some(why) = line.strip_prefix("stat: ") {
            // Without any path it complains that there is none.
            if why.contains('/') && !is_known_to_be_left_out(why, &mounts) {
                answer.gap(Collector::Disk, "filesystems", why);
            }
        } else if let Some(space) = statfs(line, &mounts) {
            keep(answer, space);
        } else if line.starts_with(|char: char| char.is_ascii_digit()) {
            answer.gap(Collector::Disk, "filesystems", &format!("`{line}` is not understood"));
        }
    }
    if answer.sample.filesystems.is_empty() {
        answer.gap(Collector::Disk, "filesystems", "it has no local file system that could be asked");
    }
}

/// Everything else: df(1), and mount(8) for the types.
pub(super) fn read_df(answer: &mut Answer<'_>) {
    if !answer.wants(Collector::Disk) {
        return;
    }
    let mounts: Vec<Mount> =
        answer.sections.get("mounts").unwrap_or_default().lines().filter_map(bsd_mount).collect();
    match answer.sections.get("filesystems") {
        Some(text) => from_df(answer, text, &mounts),
        None => answer.gap(Collector::Disk, "filesystems", "df tells nothing"),
    }
}

fn from_df(answer: &mut Answer<'_>, text: &str, mounts: &[Mount]) {
    let has_inodes = text.contains("iused");
    let spaces = text.lines().filter_map(|line| df_line(line, has_inodes, mounts));
    // What has no size stores nothing: devices, maps of automounters.
    for space in spaces.filter(|space| space.size > 0) {
        keep(answer, space);
    }
    if answer.sample.filesystems.is_empty() {
        answer.gap(Collector::Disk, "filesystems", "df tells of no local file system");
    }
}

/// A path can be asked twice, when something is mounted on it twice; what is no path is broken output.
fn keep(answer: &mut Answer<'_>, space: Filesystem) {
    let point = &space.mountpoint;
    let is_known = answer.sample.filesystems.iter().any(|known| known.mountpoint == *point);
    if point.starts_with('/')
        && !is_known
        && !is_left_out(point)
        && !matches!(space.fstype.as_str(), "devfs" | "autofs")
    {
        answer.sample.filesystems.push(space);
    }
}

/// What `node_exporter` leaves out:
/// `^/(dev|proc|run/credentials/.+|sys|var/lib/docker/.+|var/lib/containers/storage/.+)($|/)`.
fn is_left_out(point: &str) -> bool {
    let is_beneath = |root: &str| point.strip_prefix(root).is_some_and(|rest| rest.starts_with('/'));
    let wholly = ["/dev", "/proc", "/sys"];
    let beneath = ["/run/credentials", "/var/lib/docker", "/var/lib/containers/storage"];
    wholly.contains(&point) || wholly.into_iter().chain(beneath).any(is_beneath)
}

/// Whether a complaint of stat(1) is about a mount point that is left out anyway, as those of
/// containers, which only root can ask.
fn is_known_to_be_left_out(why: &str, mounts: &[Mount]) -> bool {
    let named = mounts.iter().filter(|mount| why.contains(&mount.point));
    named.max_by_key(|mount| mount.point.len()).is_some_and(|mount| is_left_out(&mount.point))
}

/// The mounts in their order: of several on one mount point the last one hides the others.
fn linux_mounts(text: &str) -> Vec<Mount> {
    let mut mounts = Vec::new();
    for line in text.lines() {
        let mut words = line.split_ascii_whitespace();
        let (Some(device), Some(point), Some(fstype), Some(options)) =
            (words.next(), words.next(), words.next(), words.next())
        else {
            continue;
        };
        mounts.push(Mount {
            device: unescaped(device),
            point: unescaped(point),
            fstype: fstype.to_owned(),
            is_readonly: options.split(',').any(|option| option == "ro"),
        });
    }
    mounts
}

/// The kernel writes space, tab, newline, backslash and `#` as three octal digits.
fn unescaped(text: &str) -> String {
    let mut plain = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, after)) = rest.split_once('\\') {
        plain.push_str(before);
        let digits = after.get(..3).filter(|digits| digits.bytes().all(|byte| matches!(byte, b'0'..=b'7')));
        let byte = digits.and_then(|digits| u8::from_str_radix(digits, 8).ok()).filter(u8::is_ascii);
        plain.push(byte.map_or('\\', char::from));
        rest = if byte.is_some() { &after[3..] } else { after };
    }
    plain + rest
}

/// `/dev/ada0p2 on / (ufs, local, journaled soft-updates)`.
fn bsd_mount(line: &str) -> Option<Mount> {
    let (device, rest) = line.split_once(" on ")?;
    let (point, options) = rest.rsplit_once(" (")?;
    let mut options = options.trim_end_matches(')').split(", ");
    Some(Mount {
        device: device.to_owned(),
        point: point.to_owned(),
        fstype: options.next()?.to_owned(),
        is_readonly: options.any(|option| option == "read-only"),
    })
}

/// The answer of stat(1): block size, blocks, free, available, inodes, free inodes, mount point.
fn statfs(line: &str, mounts: &[Mount]) -> Option<Filesystem> {
    let mut words = line.splitn(7, ' ');
    let mut next = || count(words.next()?);
    let (block, blocks, free, available, files, files_free) =
        (next()?, next()?, next()?, next()?, next()?, next()?);
    let point = words.next()?;
    let mount = mounts.iter().rfind(|mount| mount.point == point)?;
    Some(Filesystem {
        size: blocks.checked_mul(block)?,
        free: free.checked_mul(block)?,
        available: available.checked_mul(block)?,
        files,
        files_free,
        ..labelled(mount)
    })
}

fn labelled(mount: &Mount) -> Filesystem {
    Filesystem {
        device: mount.device.clone(),
        mountpoint: mount.point.clone(),
        fstype: mount.fstype.clone(),
        is_readonly: mount.is_readonly,
        ..Filesystem::default()
    }
}

/// Device, blocks of 1024 bytes, used, available, percent; with inodes used, free and percent, too;
/// mount point. Device and mount point can hold spaces. What is reserved makes the available negative.
fn df_line(line: &str, has_inodes: bool, mounts: &[Mount]) -> Option<Filesystem> {
    let (left, mut right) = line.split_once("% ")?;
    let words: Vec<&str> = left.split_ascii_whitespace().collect();
    let at = words.len().checked_sub(4)?;
    let (size, used) = (count(words[at])?, count(words[at + 1])?);
    let available = count(words[at + 2].trim_start_matches('-'))?;
    let available = if words[at + 2].starts_with('-') { 0 } else { available };
    let (mut files, mut files_free) = (0, 0);
    if has_inodes {
        let used;
        (used, right) = word(right)?;
        let free;
        (free, right) = word(right)?;
        (_, right) = word(right)?;
        files_free = count(free)?;
        files = count(used)?.checked_add(files_free)?;
    }
    let point = right.trim_start();
    let device = words[..at].join(" ");
    let unlabelled = Mount { device, point: point.to_owned(), fstype: String::new(), is_readonly: false };
    let mount = mounts.iter().rfind(|mount| mount.point == point).unwrap_or(&unlabelled);
    Some(Filesystem {
        size: size.checked_mul(1024)?,
        free: size.saturating_sub(used).checked_mul(1024)?,
        available: available.checked_mul(1024)?,
        files,
        files_free,
        ..labelled(mount)
    })
}

/// The next word, and what follows it.
fn word(text: &str) -> Option<(&str, &str)> {
    text.trim_start().split_once(' ')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mount_point_is_unescaped() {
        let check = |text: &str, want: &str| assert_eq!(unescaped(text), want);
        check("/mnt/a\\040b\\011c\\134d", "/mnt/a b\tc\\d");
        check("/mnt/\\04", "/mnt/\\04");
        check("/mnt/\\999\\é\\", "/mnt/\\999\\é\\");
        check("/mnt/\\377", "/mnt/\\377");
    }

    #[test]
    fn leaves_out_what_node_exporter_does() {
        let check = |point, want| assert_eq!(is_left_out(point), want, "{point}");
        for point in ["/dev", "/dev/shm", "/proc/x", "/sys/fs", "/run/credentials/a", "/var/lib/docker/a/b"] {
            check(point, true);
        }
        for point in ["/", "/devices", "/run", "/run/credentials", "/var/lib/docker", "/srv/dev"] {
            check(point, false);
        }
    }

    #[test]
    fn df_is_read_from_both_sides() {
        let check = |line: &str, has_inodes, want: Option<(&str, &str, u64, u64, u64)>| {
            let got = df_line(line, has_inodes, &[]);
            let got = got.map(|one| (one.device, one.mountpoint, one.size, one.available, one.files));
            let want = want.map(|(a, b, c, d, e)| (a.to_owned(), b.to_owned(), c, d, e));
            assert_eq!(got, want, "{line}");
        };
        check("/dev/sda1  100  40  -5  108%  /a b", false, Some(("/dev/sda1", "/a b", 102_400, 0, 0)));
        check("tank/my data 8 4 4 50% 3 5 38% /", true, Some(("tank/my data", "/", 8192, 4096, 8)));
        check("map auto_home 0 0 0 100% 0 0 100%   /home", true, Some(("map auto_home", "/home", 0, 0, 0)));
        check("Filesystem 1024-blocks Used Available Capacity Mounted on", false, None);
        check("- 1% /", false, None);
        check("x 99999999999999999999 1 1 1% /", false, None);
    }
}
