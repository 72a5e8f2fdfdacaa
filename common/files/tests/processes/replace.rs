//! Replacement where the world resists: metadata, links, a full disk, other users, kills.

use std::fs::{self, File, Permissions};
use std::io::Write;
use std::os::unix::fs::{MetadataExt, PermissionsExt, chown, symlink};
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::Output;

use files::{Replacement, replace};
use rustix::fs::{XattrFlags, getxattr, removexattr, setxattr};

use crate::{names_in, place, start, works};

const ACL: &str = "system.posix_acl_access";
const NOBODY: u32 = 65_534;

/// Longer than any buffer on the way, so that it takes more than one write.
pub(crate) fn new_text() -> Vec<u8> {
    b"new".repeat(10_000)
}

#[test]
#[ignore = "replaces in a process of its own"]
fn replaces() {
    let Some(path) = place() else { return };
    let mut new = Replacement::begin(&path).unwrap();
    for part in new_text().chunks(3_000) {
        new.write_all(part).unwrap();
    }
    new.commit().unwrap();
}

fn mode_of(path: &Path) -> u32 {
    fs::metadata(path).unwrap().mode() & 0o7777
}

/// An ACL in the kernel's form: user 1000 may do what `perm` says, the owner rw, others nothing.
fn acl(perm: u16) -> Vec<u8> {
    let mut bytes = 2_u32.to_le_bytes().to_vec();
    for (tag, perm, id) in
        [(1_u16, 6, u32::MAX), (2, perm, 1000), (4, 0, u32::MAX), (0x10, perm, u32::MAX), (0x20, 0, u32::MAX)]
    {
        bytes.extend([tag.to_le_bytes(), perm.to_le_bytes()].concat());
        bytes.extend(id.to_le_bytes());
    }
    bytes
}

fn attribute(path: &Path, name: &str) -> Option<Vec<u8>> {
    let mut value = [0; 256];
    getxattr(path, name, &mut value).ok().map(|length| value[..length].to_vec())
}

#[test]
fn owner_mode_acl_and_attributes_stay() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("app.json");
    replace(&path, b"old").unwrap();
    if rustix::process::geteuid().is_root() {
        chown(&path, Some(1234), Some(4321)).unwrap();
    }
    // A name of security.* takes CAP_SYS_ADMIN, and some file systems keep no attributes at all.
    let values = [("user.note", b"hello".to_vec()), ("security.note", b"x".to_vec()), (ACL, acl(4))];
    let kept: Vec<_> = values
        .into_iter()
        .filter(|(name, value)| setxattr(&path, *name, value, XattrFlags::CREATE).is_ok())
        .collect();
    fs::set_permissions(&path, Permissions::from_mode(0o4640)).unwrap();
    let before = fs::metadata(&path).unwrap();
    replace(&path, b"new").unwrap();
    let copy = folder.path().join("copy");
    Replacement::like(&copy, &File::open(&path).unwrap()).unwrap().commit().unwrap();
    assert_ne!(fs::metadata(&path).unwrap().ino(), before.ino());
    for path in [path, copy] {
        let after = fs::metadata(&path).unwrap();
        assert_eq!((after.mode(), after.uid(), after.gid()), (before.mode(), before.uid(), before.gid()));
        for (name, value) in &kept {
            assert_eq!(attribute(&path, name).as_ref(), Some(value), "{name}");
        }
    }
}

#[test]
fn the_default_acl_of_the_folder_opens_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("app.json");
    if setxattr(folder.path(), "system.posix_acl_default", &acl(6), XattrFlags::CREATE).is_err() {
        println!("skipped the default ACL: {} keeps none", folder.path().display());
        return;
    }
    replace(&path, b"new").unwrap();
    assert!(attribute(&path, ACL).is_some(), "a new file takes the default");
    removexattr(&path, ACL).unwrap();
    fs::set_permissions(&path, Permissions::from_mode(0o664)).unwrap();
    replace(&path, b"newer").unwrap();
    assert_eq!((attribute(&path, ACL), mode_of(&path)), (None, 0o664));
}

#[test]
fn a_new_file_is_as_open_as_any_other() {
    let folder = tempfile::tempdir().unwrap();
    let (path, other) = (folder.path().join("app.json"), folder.path().join("other"));
    replace(&path, b"new").unwrap();
    File::create(&other).unwrap();
    assert_eq!(mode_of(&path), mode_of(&other));
}

#[test]
fn a_symbolic_link_stays_one() {
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name);
    fs::create_dir(at("real")).unwrap();
    symlink("real/middle", at("link")).unwrap();
    symlink("app.json", at("real/middle")).unwrap();
    // It dangles the first time.
    for text in ["created", "replaced"] {
        replace(&at("link"), text.as_bytes()).unwrap();
        assert!(at("link").is_symlink() && at("real/middle").is_symlink());
        assert_eq!(fs::read_to_string(at("real/app.json")).unwrap(), text);
    }
    assert_eq!(names_in(&at("real")), ["app.json", "middle"]);
    symlink("loop", at("loop")).unwrap();
    let error = replace(&at("loop"), b"").unwrap_err().to_string();
    assert!(error.starts_with(&format!("cannot replace {}: ", at("loop").display())), "{error}");
}

#[test]
fn only_regular_files_are_replaced() {
    let folder = tempfile::tempdir().unwrap();
    let fifo = folder.path().join("fifo");
    let mode = rustix::fs::Mode::RUSR | rustix::fs::Mode::WUSR;
    rustix::fs::mknodat(rustix::fs::CWD, &fifo, rustix::fs::FileType::Fifo, mode, 0).unwrap();
    let check = |path: &Path| {
        let want = format!("cannot replace {}: it is not a regular file", path.display());
        assert_eq!(replace(path, b"new").unwrap_err().to_string(), want);
    };
    check(&fifo);
    check(folder.path());
    check(Path::new("/dev/null"));
    check(Path::new("/"));
    assert_eq!(replace(Path::new(""), b"").unwrap_err().to_string(), "`` names no file");
    assert_eq!(names_in(folder.path()), ["fifo"]);
    let out = start(&[], "replace::replaces", Path::new("/dev/stdout")).output().unwrap();
    let said = String::from_utf8(out.stderr).unwrap();
    assert!(said.contains("cannot replace /dev/stdout: it is not a regular file"), "{said}");
}

#[test]
fn dropped_it_changes_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("app.json");
    replace(&path, b"old").unwrap();
    let mut new = Replacement::begin(&path).unwrap();
    new.write_all(&new_text()).unwrap();
    drop(new);
    assert_eq!(fs::read(&path).unwrap(), b"old");
    assert_eq!(names_in(folder.path()), ["app.json"]);
}

#[test]
#[ignore = "fills the disk that its parent has mounted for it alone"]
fn fills_the_disk() {
    let Some(folder) = place() else { return };
    let path = folder.join("app.json");
    let old = b"old".repeat(10_000);
    replace(&path, &old).unwrap();
    let error = replace(&path, &b"new".repeat(15_000)).unwrap_err().to_string();
    assert_eq!(error, format!("cannot replace {}: No space left on device (os error 28)", path.display()));
    assert_eq!(fs::read(&path).unwrap(), old);
    assert_eq!(names_in(&folder), ["app.json"]);
}

#[test]
fn a_full_disk_leaves_the_old_file() {
    let folder = tempfile::tempdir().unwrap();
    let mount = format!("mount -t tmpfs -o size=64k none {} && exec \"$@\"", folder.path().display());
    // The mount is gone with the last process of its namespace, however that ends.
    let own_mounts = ["unshare", "--map-root-user", "--mount", "sh", "-c", &mount, "sh"];
    if works(&[&own_mounts[..], &["true"]].concat(), "the full disk") {
        passes(&start(&own_mounts, "replace::fills_the_disk", folder.path()).output().unwrap());
    }
}

pub(crate) fn passes(run: &Output) {
    let said = String::from_utf8_lossy(&run.stdout) + String::from_utf8_lossy(&run.stderr);
    assert!(run.status.success() && said.contains("1 passed"), "{said}");
}

#[test]
fn a_limit_of_the_file_size_leaves_the_old_file() {
    let limit = ["sh", "-c", "ulimit -f 16 && exec \"$@\"", "sh"];
    for child in ["faults::replaces_locked", "faults::writes_in_place"] {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("app.json");
        replace(&path, b"old").unwrap();
        let run = start(&limit, child, &path).output().unwrap();
        let said = String::from_utf8_lossy(&run.stderr);
        assert!(run.status.code().is_some() && said.contains("File too large"), "{child}: {said}");
        assert_eq!(fs::read(&path).unwrap(), b"old");
        assert_eq!(names_in(folder.path()), ["app.json"]);
    }
}

#[test]
fn another_owner_is_warned_of_and_opens_nothing() {
    if !rustix::process::geteuid().is_root() {
        println!("skipped the other owner: only root can play two users");
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("app.json");
    chown(folder.path(), Some(NOBODY), Some(NOBODY)).unwrap();
    let check = |mode: u32, group: u32, has_acl: bool, want: u32| {
        File::create(&path).unwrap();
        chown(&path, Some(0), Some(group)).unwrap();
        fs::set_permissions(&path, Permissions::from_mode(mode)).unwrap();
        if has_acl && setxattr(&path, ACL, &acl(4), XattrFlags::CREATE).is_err() {
            return;
        }
        let mut nobody = start(&[], "replace::replaces", &path);
        passes(&nobody.uid(NOBODY).gid(NOBODY).output().unwrap());
        let now = fs::metadata(&path).unwrap();
        assert_eq!((now.uid(), now.gid(), mode_of(&path)), (NOBODY, NOBODY, want), "from {mode:o}");
        assert_eq!(attribute(&path, ACL).is_some(), has_acl && group == NOBODY);
        fs::remove_file(&path).unwrap();
    };
    // This binary may lie where nobody can reach it.
    let launcher = format!("setpriv --reuid={NOBODY} --regid={NOBODY} --clear-groups");
    let this = std::env::current_exe().unwrap();
    let mut probe: Vec<&str> = launcher.split(' ').collect();
    probe.extend([this.to_str().unwrap(), "--list"]);
    if works(&probe, "the other owner") {
        check(0o644, 0, false, 0o644);
        check(0o664, 0, false, 0o644);
        check(0o4640, 0, false, 0o600);
        check(0o640, NOBODY, false, 0o640);
        check(0o640, NOBODY, true, 0o640);
        check(0o640, 0, true, 0o600);
    }
}
