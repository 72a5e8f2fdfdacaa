//! Power failures: the file system is shut down by its own ioctl, and mounted again.
//!
//! Without root, loop devices, or `xfs_io` (package xfsprogs) a line says that this was skipped.

use std::fs;
use std::path::PathBuf;
use std::process::{Command, Stdio};

use files::{Lock, Wait, read_whole, replace};

use crate::faults::killed;
use crate::replace::{new_text, passes};
use crate::{fault_count, names_in, place, start, works};

/// A file system: how it is made, its image's size, and how it is mounted.
const SYSTEMS: [(&str, u64, &str); 3] = [
    ("mkfs.ext4 -q -F", 32 << 20, "loop"),
    ("mkfs.ext4 -q -F", 32 << 20, "loop,noauto_da_alloc"),
    ("mkfs.xfs -q -f", 300 << 20, "loop"),
];

/// What `xfs_io(8)` loses: everything since the last flush, or the data and not the log.
const LOSSES: [&str; 2] = ["shutdown", "shutdown -f"];

const WAYS: [&str; 3] =
    ["faults::replaces_locked", "faults::replaces_and_releases", "faults::writes_in_place"];

/// Where the process is killed before the power fails; at first nowhere.
const KILLS: [&str; 8] = [
    "",
    "fsync:signal=KILL:when=1",
    "fsync:signal=KILL:when=2",
    "fsync:signal=KILL:when=3",
    "/^rename:signal=KILL:when=1",
    "pwrite64:signal=KILL:when=1",
    "ftruncate:signal=KILL:when=1",
    "/^unlink:signal=KILL:when=1",
];

fn run(line: &str) {
    let words: Vec<&str> = line.split(' ').collect();
    let done = Command::new(words[0]).args(&words[1..]).output().unwrap();
    assert!(done.status.success(), "{line}: {}", String::from_utf8_lossy(&done.stderr));
}

struct System {
    image: PathBuf,
    mount: PathBuf,
    options: &'static str,
}

impl System {
    fn mount(&self) {
        run(&format!("mount -o {} {} {}", self.options, self.image.display(), self.mount.display()));
    }

    fn unmount(&self) {
        run(&format!("umount {}", self.mount.display()));
    }

    /// Changes a file in `way`, perhaps only as far as `kill`, and then the power fails.
    fn lose(&self, way: &str, kill: &str, loss: &str) {
        self.mount();
        let path = self.mount.join("app.json");
        let old = b"old".repeat(20_000);
        replace(&path, &old).unwrap();
        let inject = format!("inject={kill}");
        let strace = ["strace", "-f", "-qq", "-o", "/dev/null", "-e", &inject];
        let launcher = if kill.is_empty() { &[][..] } else { &strace[..] };
        let changed = start(launcher, way, &path).stdout(Stdio::null()).output().unwrap();
        let status =
            &Command::new("xfs_io").args(["-x", "-c", loss]).arg(&self.mount).output().unwrap().status;
        assert!(status.success());
        self.unmount();
        self.mount();
        let what = format!("{} {} {way} {kill} {loss}", self.image.display(), self.options);
        let text = read_whole(&path).unwrap();
        let success = changed.status.success();
        assert!(text == new_text() || text == old && !success, "{what}: {} bytes", text.len());
        assert!(success || killed(&changed), "{what}: {}", String::from_utf8_lossy(&changed.stderr));
        let mut lock = Lock::acquire(&path, Wait::Not).unwrap();
        assert!(fs::read(&path).unwrap() == text, "{what}");
        lock.replace(b"after").unwrap();
        assert_eq!(
            names_in(&self.mount).iter().filter(|name| name.contains("app.json")).count(),
            1,
            "{what}"
        );
        drop(lock);
        self.unmount();
    }
}

#[test]
#[ignore = "mounts file systems and shuts them down"]
fn loses_power() {
    let Some(folder) = place() else { return };
    for (number, (make, size, options)) in SYSTEMS.into_iter().enumerate() {
        let system = System {
            image: folder.join(format!("{number}.img")),
            mount: folder.join(format!("{number}")),
            options,
        };
        fs::create_dir(&system.mount).unwrap();
        fs::File::create(&system.image).unwrap().set_len(size).unwrap();
        run(&format!("{make} {}", system.image.display()));
        for way in WAYS {
            // The kills take turns where there are fewer turns than kills.
            let pairs = KILLS.iter().flat_map(|kill| LOSSES.map(|loss| (kill, loss)));
            let some = pairs.clone().cycle().skip(2 + number * 3).take(fault_count().div_ceil(10).min(16));
            for (kill, loss) in pairs.take(2).chain(some) {
                system.lose(way, kill, loss);
            }
        }
    }
}

#[test]
fn a_power_failure_leaves_old_or_new_and_new_after_success() {
    let folder = tempfile::tempdir().unwrap();
    // The mounts are gone with the last process of their namespace, and the loop devices with them.
    let own_mounts = ["unshare", "--mount"];
    let image = folder.path().join("probe");
    fs::File::create(&image).unwrap().set_len(32 << 20).unwrap();
    let probe = format!(
        "strace -V && mkfs.xfs -V && mkfs.ext4 -q -F {0} && mount -o loop {0} {1} && xfs_io -x -c shutdown {1}",
        image.display(),
        folder.path().display()
    );
    let probe = ["unshare", "--mount", "sh", "-c", &probe];
    if works(&probe, "the power failure") {
        passes(&start(&own_mounts, "power::loses_power", folder.path()).output().unwrap());
    }
}
