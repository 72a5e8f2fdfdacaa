//! Files as hosts have them.

use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{PermissionsExt, chown, symlink};
use std::path::PathBuf;
use std::process::Command;

use super::*;

const SOON: Duration = Duration::from_millis(20);

/// A folder as programs have theirs, whatever the umask.
fn folder() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    set_mode(folder.path(), 0o755);
    folder
}

fn set_mode(path: &Path, mode: u32) {
    fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
}

fn mode_of(path: &Path) -> u32 {
    fs::symlink_metadata(path).unwrap().mode() & 0o7777
}

fn put(path: &Path, text: &str) -> Answer {
    change(path, (0o640, SOON), |_| Ok(text.as_bytes().to_vec().into()))
}

/// It is changed, and nothing is left beside it.
#[track_caller]
fn check(path: &Path, text: &str) {
    assert_eq!(put(path, text), Answer::Yes(()));
    assert_eq!(fs::read(path).unwrap(), text.as_bytes());
    assert_eq!(read(path), Answer::Yes(Some(text.as_bytes().to_vec().into())));
    for entry in fs::read_dir(folder_of(path)).unwrap() {
        let name = entry.unwrap().file_name();
        assert!(!name.as_bytes().starts_with(b".") || path.ends_with(&name), "{name:?}");
    }
}

#[track_caller]
fn refused(path: &Path, sentence: &str) {
    match put(path, "new") {
        Answer::No(why) => assert!(why.contains(sentence), "{why}"),
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_new_file_has_the_mode_and_an_old_one_keeps_its_own() {
    let folder = folder();
    let path = folder.path().join("key");
    check(&path, "one");
    assert_eq!(mode_of(&path), 0o640);
    set_mode(&path, 0o604);
    check(&path, "two");
    assert_eq!(mode_of(&path), 0o604);
}

#[test]
fn the_owner_and_the_attributes_stay() {
    let folder = folder();
    let path = folder.path().join("key");
    check(&path, "one");
    if chown(&path, Some(12_345), Some(23_456)).is_err() {
        println!("skipped: only root gives files away");
        return;
    }
    let has_attributes =
        rustix::fs::setxattr(&path, "user.sre", b"x", rustix::fs::XattrFlags::empty()).is_ok();
    check(&path, "two");
    let found = fs::metadata(&path).unwrap();
    assert_eq!((found.uid(), found.gid(), found.mode() & 0o777), (12_345, 23_456, 0o640));
    let mut value = [0; 8];
    let length = rustix::fs::getxattr(&path, "user.sre", &mut value);
    assert!(!has_attributes || length == Ok(1));
}

#[test]
fn names_are_bytes() {
    let folder = folder();
    for name in [&b"-rf"[..], b"two\nlines", b"caf\xe9", b"{secret}", b"$(id)"] {
        check(&folder.path().join(OsStr::from_bytes(name)), "s3cret");
    }
}

#[test]
fn links_lead_to_the_file() {
    let folder = folder();
    let real = folder.path().join("real");
    fs::create_dir(&real).unwrap();
    set_mode(&real, 0o755);
    let link = folder.path().join("link");
    symlink("real/key", &link).unwrap();
    for text in ["created", "changed"] {
        assert_eq!(put(&link, text), Answer::Yes(()));
        assert_eq!(fs::read(real.join("key")).unwrap(), text.as_bytes());
        assert_eq!(mode_of(&real.join("key")), 0o640);
        assert!(link.is_symlink());
    }
    let circle = folder.path().join("circle");
    symlink("circle", &circle).unwrap();
    assert!(!put(&circle, "x").is_yes());
    // Who may replace the link, or the file that it leads to, may read what is written.
    set_mode(&real, 0o777);
    refused(&link, "everybody may replace files in ");
    set_mode(&real, 0o755);
    set_mode(folder.path(), 0o775);
    refused(&link, "its group may replace files in ");
    assert_eq!(fs::read(real.join("key")).unwrap(), b"changed");
    set_mode(folder.path(), 0o1777);
    assert_eq!(put(&link, "sticky"), Answer::Yes(()));
}

#[test]
fn what_is_no_file_is_refused() {
    let folder = folder();
    let fifo = folder.path().join("fifo");
    let mode = rustix::fs::Mode::RUSR | rustix::fs::Mode::WUSR;
    rustix::fs::mknodat(rustix::fs::CWD, &fifo, rustix::fs::FileType::Fifo, mode, 0).unwrap();
    for path in [fifo.as_path(), folder.path(), Path::new("/dev/null")] {
        refused(path, "it is not a regular file");
        assert!(matches!(read(path), Answer::No(_)));
    }
    let file = folder.path().join("file");
    check(&file, "x");
    refused(&file.join("below"), "Not a directory");
    let long = folder.path().join("x".repeat(300));
    refused(&long, "File name too long");
    // Sparse: it takes no room.
    File::options().write(true).open(&file).unwrap().set_len(LARGEST + 1).unwrap();
    refused(&file, "is larger than 16 MiB");
    assert!(matches!(read(&file), Answer::No(_)));
}

#[test]
fn nothing_is_not_the_same_as_nobody_knows() {
    let folder = folder();
    let path = folder.path().join("key");
    assert_eq!(read(&path), Answer::Yes(None));
    symlink("gone/key", folder.path().join("link")).unwrap();
    for path in [folder.path().join("gone/key"), folder.path().join("link")] {
        assert!(matches!(read(&path), Answer::Unknown(_)));
        assert!(matches!(put(&path, "x"), Answer::Unknown(_)));
    }
}

#[test]
fn a_lock_is_waited_for_until_the_limit() {
    let folder = folder();
    let path = folder.path().join("key");
    check(&path, "old");
    let held = Lock::acquire(&path, Wait::Not).unwrap();
    match put(&path, "new") {
        Answer::Unknown(why) => assert!(why.contains("is locked by another process (waited 20ms)"), "{why}"),
        other => panic!("{other:?}"),
    }
    drop(held);
    check(&path, "new");
}

#[test]
fn what_is_there_already_is_not_written() {
    let folder = folder();
    let path = folder.path().join("key");
    check(&path, "same");
    let before = fs::metadata(&path).unwrap();
    assert_eq!(put(&path, "same"), Answer::Yes(()));
    let after = fs::metadata(&path).unwrap();
    assert_eq!((before.ino(), before.mtime_nsec()), (after.ino(), after.mtime_nsec()));
    let edited = change(&path, (0o600, SOON), |old| Err(format!("{} bytes are too few", old.unwrap().len())));
    assert_eq!(edited, Answer::No(format!("cannot write {}: 4 bytes are too few", path.display())));
}

#[test]
fn an_immutable_file_is_a_no_with_the_way_out() {
    let folder = folder();
    let path = folder.path().join("key");
    check(&path, "old");
    let chattr = |flag: &str| Command::new("chattr").arg(flag).arg(&path).output();
    if !chattr("+i").is_ok_and(|run| run.status.success()) {
        println!("skipped: `chattr +i` does not work here");
        return;
    }
    refused(&path, "is immutable; chattr -ia ");
    chattr("-i").unwrap();
    check(&path, "new");
}

/// Names the folder for the tests that begin anew in a place of their own.
const PLACE: &str = "KEYROTATE_TEST_FOLDER";

/// Runs the test `name` again where `prepare` has made `d`; says whether that could be had.
fn again_where(prepare: &str, name: &str) -> bool {
    let folder = folder();
    let script = format!("set -e; mkdir d; {prepare}; exec \"$0\" --exact {name} --nocapture");
    let run = Command::new("unshare")
        .args(["--map-root-user", "--mount", "sh", "-c", &script])
        .arg(std::env::current_exe().unwrap())
        .env(PLACE, folder.path().join("d"))
        .current_dir(folder.path())
        .output();
    let can_mount = Command::new("unshare").args(["--map-root-user", "--mount", "true"]).output();
    if !can_mount.is_ok_and(|run| run.status.success()) {
        println!("skipped: there are no mounts of one's own here");
        return false;
    }
    let run = run.unwrap();
    assert!(run.status.success(), "{}", String::from_utf8_lossy(&run.stdout));
    assert!(String::from_utf8_lossy(&run.stdout).contains("1 passed"), "the name of the test has changed");
    true
}

fn place() -> Option<PathBuf> {
    std::env::var_os(PLACE).map(PathBuf::from)
}

#[test]
fn a_full_disk_leaves_the_old_file() {
    let Some(folder) = place() else {
        again_where(
            "mount -t tmpfs -o size=64k,mode=755 none d",
            "change::tests::a_full_disk_leaves_the_old_file",
        );
        return;
    };
    let path = folder.join("key");
    check(&path, "old");
    for (path, is_there) in [(&path, true), (&folder.join("new"), false)] {
        match put(path, &"x".repeat(100_000)) {
            Answer::Unknown(why) => assert!(why.contains("No space left on device"), "{why}"),
            other => panic!("{other:?}"),
        }
        assert_eq!(path.exists(), is_there);
    }
    assert_eq!(fs::read_dir(&folder).unwrap().count(), 1);
    check(&path, "new");
}

#[test]
fn a_read_only_disk_and_a_mounted_file_are_refused() {
    let Some(folder) = place() else {
        let prepare = "mount -t tmpfs -o mode=755 none d; echo old >d/key; echo old >d/own; touch own
            mount --bind own d/own; mount -o remount,ro d";
        again_where(prepare, "change::tests::a_read_only_disk_and_a_mounted_file_are_refused");
        return;
    };
    refused(&folder.join("key"), "Read-only file system");
    refused(&folder.join("own"), "is a mount of its own and cannot be replaced");
    assert_eq!(fs::read(folder.join("key")).unwrap(), b"old\n");
}
