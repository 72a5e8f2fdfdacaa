//! Writing in place where a rename cannot work, and where the folder takes no journal.

use std::fs::{self, File};
use std::os::unix::fs::MetadataExt;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};

use files::{Lock, Wait, Way, read_whole};

use crate::lock::SURELY;
use crate::replace::{new_text, passes};
use crate::{names_in, place, start, turns, works};

/// A shell in mounts of its own, gone with its last process, that runs `setup` and then the rest.
fn with_mounts(setup: &str) -> [&str; 7] {
    ["unshare", "--map-root-user", "--mount", "sh", "-c", setup, "sh"]
}

/// Runs the test `name` on `file` with such mounts, where they can be had.
fn run_with_mounts(setup: &str, name: &str, file: &Path) {
    let launcher = with_mounts(setup);
    if works(&[&launcher[..], &["true"]].concat(), name) {
        passes(&start(&launcher, name, file).output().unwrap());
    }
}

#[test]
#[ignore = "has a file that is a mount of its own"]
fn writes_where_a_rename_cannot() {
    let Some(path) = place() else { return };
    let folder = path.parent().unwrap();
    let inode = fs::metadata(&path).unwrap().ino();
    let mut lock = Lock::acquire(&path, Wait::Not).unwrap();
    let condition = lock.condition().unwrap();
    assert_eq!((condition.mount_root, condition.hard_links), (true, 1));
    let error = lock.replace(b"new").unwrap_err().to_string();
    assert!(error.ends_with("Device or resource busy (os error 16)"), "{error}");
    for text in [new_text(), b"short".to_vec()] {
        assert_eq!(lock.replace_in_place(&text).unwrap(), Way::InPlace);
        assert_eq!((read_whole(&path).unwrap(), fs::metadata(&path).unwrap().ino()), (text, inode));
        assert_eq!(names_in(folder), ["app.json"]);
    }
}

#[test]
fn a_file_that_is_mounted_alone_is_written_in_place() {
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name);
    fs::create_dir(at("etc")).unwrap();
    let path = at("etc/app.json");
    File::create(&path).unwrap();
    files::replace(&at("source"), b"old").unwrap();
    let mount = format!("mount --bind {} {} && exec \"$@\"", at("source").display(), path.display());
    run_with_mounts(&mount, "inplace::writes_where_a_rename_cannot", &path);
    let source = fs::read(at("source")).unwrap();
    assert!(source == b"short" || source == b"old" && fs::read(&path).unwrap().is_empty());
}

#[test]
fn who_reads_without_the_lock_sees_one_content() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("app.json");
    let texts = [b"a".repeat(100_000), b"b".repeat(30_000), b"c".repeat(60_000)];
    files::replace(&path, &texts[0]).unwrap();
    fs::hard_link(&path, folder.path().join("other")).unwrap();
    let over = AtomicBool::new(false);
    std::thread::scope(|scope| {
        scope.spawn(|| {
            for text in texts.iter().cycle().take_while(|_| !over.load(Ordering::Relaxed)) {
                Lock::acquire(&path, SURELY).unwrap().replace_in_place(text).unwrap();
            }
        });
        let reads = turns() * 25;
        for number in 1..=reads {
            let seen = read_whole(&path);
            let whole = seen.as_ref().is_ok_and(|seen| texts.contains(seen));
            over.store(!whole || number == reads, Ordering::Relaxed);
            assert!(whole, "{:?}", seen.map(|seen| seen.len()));
        }
    });
    assert_eq!(names_in(folder.path()), ["app.json", "other"]);
}

#[test]
#[ignore = "has a folder that takes no files"]
fn is_refused_without_a_journal() {
    let Some(path) = place() else { return };
    let folder = path.parent().unwrap().display();
    let error = Lock::acquire(&path, Wait::Not).unwrap().replace_in_place(b"new").unwrap_err();
    let want = format!("cannot write {} in place: its journal must be created in {folder}: ", path.display());
    assert!(error.to_string().starts_with(&want), "{error}");
    assert!(error.to_string().ends_with("Read-only file system (os error 30)"), "{error}");
    assert_eq!(fs::read(&path).unwrap(), b"old");
}

#[test]
fn a_folder_without_room_for_a_journal_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name);
    fs::create_dir(at("etc")).unwrap();
    files::replace(&at("source"), b"old").unwrap();
    let (source, etc) = (at("source").display().to_string(), at("etc").display().to_string());
    let mount = format!(
        "mount -t tmpfs none {etc} && : >{etc}/app.json && mount --bind {source} {etc}/app.json \
         && mount -o remount,ro,bind {etc} && exec \"$@\""
    );
    run_with_mounts(&mount, "inplace::is_refused_without_a_journal", &at("etc/app.json"));
}

#[test]
#[ignore = "fills the disk that its parent has mounted for it alone"]
fn fills_the_disk() {
    let Some(folder) = place() else { return };
    let path = folder.join("app.json");
    let old = b"old".repeat(4_000);
    files::replace(&path, &old).unwrap();
    let mut lock = Lock::acquire(&path, Wait::Not).unwrap();
    // The journal of the first is too long; that of the second is not, but then the file is.
    for length in [60_000, 30_000] {
        let error = lock.replace_in_place(&b"n".repeat(length)).unwrap_err().to_string();
        assert!(error.ends_with("No space left on device (os error 28)"), "{error}");
        assert_eq!((fs::read(&path).unwrap(), names_in(&folder)), (old.clone(), vec!["app.json".to_owned()]));
    }
    lock.replace_in_place(&b"n".repeat(13_000)).unwrap();
    assert_eq!(fs::read(&path).unwrap(), b"n".repeat(13_000));
}

#[test]
fn a_full_disk_leaves_the_old_content() {
    let folder = tempfile::tempdir().unwrap();
    let mount = format!("mount -t tmpfs -o size=64k none {} && exec \"$@\"", folder.path().display());
    run_with_mounts(&mount, "inplace::fills_the_disk", folder.path());
}
