//! What of a file is kept, and which files are refused.

use std::ffi::{OsStr, OsString};
use std::fs::{self, Permissions};
use std::io::Write;
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::os::unix::fs::{MetadataExt, PermissionsExt, chown, symlink};
use std::path::Path;
use std::process::Command;
use std::thread;

use rustix::fs::{XattrFlags, getxattr, setxattr};
use testkit::{Case, Output};

const TOOL: &str = env!("CARGO_BIN_EXE_jsonset");
const OLD: &str = "{\"n\": 0}\n";
const NEW: &str = "{\"n\": 1}\n";
const ACL: &str = "system.posix_acl_access";

fn case(args: &[&str]) -> Case {
    Case::new(TOOL).file("a.json", OLD).args(args)
}

fn names_in(folder: &Path) -> Vec<OsString> {
    let mut names: Vec<_> = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    names.sort();
    names
}

/// The file was left as it was, and nothing beside it.
#[track_caller]
fn untouched(run: &Output) {
    assert_eq!(String::from_utf8_lossy(&run.read("a.json")), OLD);
    assert_eq!(names_in(run.dir.path()), ["a.json"]);
}

fn is_root() -> bool {
    let root = rustix::process::geteuid().is_root();
    if !root {
        println!("skipped what only root can prepare");
    }
    root
}

/// An ACL in the kernel's form, in which user 4242 has `rights`.
fn acl(rights: u16) -> Vec<u8> {
    let none = u32::MAX;
    let entries = [(1, 6, none), (2, rights, 4242), (4, 4, none), (16, 6, none), (32, 0, none)];
    let mut bytes = 2_u32.to_le_bytes().to_vec();
    for (tag, rights, id) in entries {
        bytes.extend([u16::to_le_bytes(tag), u16::to_le_bytes(rights)].concat());
        bytes.extend(u32::to_le_bytes(id));
    }
    bytes
}

fn attribute(path: &Path, name: &str) -> Option<Vec<u8>> {
    let mut value = vec![0; 256];
    let length = getxattr(path, name, &mut value).ok()?;
    value.truncate(length);
    Some(value)
}

#[test]
fn keeps_mode_owner_and_attributes() {
    let check = |flags: &[&str]| {
        let case = case(&["a.json", "n=1"]).args(flags);
        let path = case.path("a.json");
        if rustix::process::geteuid().is_root() {
            chown(&path, Some(1234), Some(4321)).unwrap();
        }
        fs::set_permissions(&path, Permissions::from_mode(0o2750)).unwrap();
        let has_user = setxattr(&path, "user.origin", b"web01", XattrFlags::empty()).is_ok();
        let has_acl = setxattr(&path, ACL, &acl(6), XattrFlags::empty()).is_ok();
        if !has_user || !has_acl {
            println!("skipped attributes: {} keeps none", path.display());
        }
        let rights = |found: fs::Metadata| (found.mode(), found.uid(), found.gid());
        let before = rights(fs::metadata(&path).unwrap());
        let run = case.run();
        assert_eq!(rights(fs::metadata(&path).unwrap()), before, "{flags:?}");
        assert_eq!(attribute(&path, "user.origin").is_some_and(|value| value == b"web01"), has_user);
        assert_eq!(attribute(&path, ACL).is_some_and(|value| value == acl(6)), has_acl);
        assert_eq!(run.read("a.json"), NEW.as_bytes());
    };
    check(&[]);
    check(&["--in-place"]);
    check(&["--backup"]);
}

#[test]
fn a_new_file_takes_the_group_of_a_setgid_folder() {
    if !is_root() {
        return;
    }
    let case = Case::new(TOOL).args(["a.json", "n=1", "--create"]);
    chown(case.path(""), None, Some(4321)).unwrap();
    fs::set_permissions(case.path(""), Permissions::from_mode(0o2755)).unwrap();
    let run = case.run();
    assert_eq!(fs::metadata(run.path("a.json")).unwrap().gid(), 4321);
}

#[test]
fn links_stay_and_their_target_is_changed() {
    for flags in [&[][..], &["--in-place"], &["--backup"]] {
        let case = Case::new(TOOL).file("real/deep/a.json", OLD).args(["link", "n=1"]).args(flags);
        symlink("real/middle", case.path("link")).unwrap();
        symlink("deep/a.json", case.path("real/middle")).unwrap();
        let run = case.run();
        assert!(run.path("link").is_symlink() && run.path("real/middle").is_symlink());
        assert_eq!(run.read("real/deep/a.json"), NEW.as_bytes());
        assert_eq!(names_in(run.dir.path()), ["link", "real"]);
        let beside = if flags == ["--backup"] { 2 } else { 1 };
        assert_eq!(names_in(&run.path("real/deep")).len(), beside);
    }
}

/// Runs a use of `--while` on `current/a.json`, where `current` is turned from `one` to `two` meanwhile.
fn turned(command: &str, status: i32, said: &str) {
    let old = "{\"n\": 1}\n";
    let case = Case::new(TOOL).file("one/a.json", old).file("two/a.json", old);
    std::os::unix::fs::symlink("one", case.path("current")).unwrap();
    let command = format!("ln -sfn two current; {command}");
    let case = case.args(["current/a.json", "n=2", "--while", "--", "sh", "-c", &command]);
    let case = case.status(status);
    let run = if said.is_empty() { case.run() } else { case.stderr_has(said).run() };
    for folder in ["one", "two"] {
        assert_eq!(run.read(format!("{folder}/a.json")), old.as_bytes(), "{folder}");
        assert_eq!(names_in(&run.path(folder)), ["a.json"]);
    }
}

#[test]
fn a_change_is_undone_where_it_was_made() {
    turned("true", 0, "");
    turned("kill -9 $PPID; exec sleep 1000", 137, "one/a.json has died; the change is undone");
    let script = "mv ../one ../two; cat ../two/a.json";
    let moved = Case::new(TOOL).file("one/a.json", "{}").current_dir("one");
    let moved = moved.args(["a.json", ".=[]", "--while", "--", "sh", "-c", script]);
    let run = moved.stdout("[]").run();
    assert_eq!((run.read("two/a.json"), names_in(&run.path("two"))), (b"{}".to_vec(), vec!["a.json".into()]));
}

#[test]
fn a_dangling_link_gets_its_target_when_asked() {
    let dangling = |flags: &[&str]| {
        let case = Case::new(TOOL).file("real/b.json", "").args(["link", "n=1"]).args(flags);
        symlink("real/a.json", case.path("link")).unwrap();
        case
    };
    let run = dangling(&[]).status(2).stderr("jsonset: there is no link; --create makes it\n").run();
    assert_eq!(names_in(&run.path("real")), ["b.json"]);
    let run = dangling(&["--create"]).run();
    assert!(run.path("link").is_symlink());
    assert_eq!(run.read("real/a.json"), b"{\n  \"n\": 1\n}\n");
    let case = Case::new(TOOL).args(["loop", "n=1", "--create"]);
    symlink("loop", case.path("loop")).unwrap();
    case.status(2).stderr_has("loop: Too many levels of symbolic links").run();
}

#[test]
fn hard_links_are_broken_or_kept_only_when_asked() {
    let linked = |args: &[&str]| {
        let case = case(&["a.json", "n=1"]).args(args);
        fs::hard_link(case.path("a.json"), case.path("b.json")).unwrap();
        case
    };
    let said = "a.json is one of 2 hard links; --break-links";
    let run = linked(&[]).status(2).stderr_has(said).run();
    assert_eq!((run.read("a.json"), names_in(run.dir.path()).len()), (OLD.into(), 2));
    let run = linked(&["--break-links"]).stderr_has("").run();
    assert_eq!((run.read("a.json"), run.read("b.json")), (NEW.into(), OLD.into()));
    let run = linked(&["--in-place"]).run();
    assert_eq!((run.read("a.json"), run.read("b.json")), (NEW.into(), NEW.into()));
    assert_eq!(fs::metadata(run.path("b.json")).unwrap().nlink(), 2);
    // What changes nothing need not be refused.
    linked(&["--if", "n=1"]).status(1).run();
}

/// A case whose file has an attribute of chattr(1); `None` where that cannot be had.
fn with_attribute(flag: &str, args: &[&str]) -> Option<Case> {
    let case = case(args);
    let set = Command::new("chattr").arg(flag).arg(case.path("a.json")).output();
    if !set.is_ok_and(|run| run.status.success()) {
        println!("skipped `chattr {flag}`: it does not work here");
        return None;
    }
    Some(case)
}

fn lift(path: &Path) {
    Command::new("chattr").arg("-ia").arg(path).status().unwrap();
}

#[test]
fn immutable_files_are_changed_only_when_asked() {
    let Some(case) = with_attribute("+i", &["a.json", "n=1"]) else { return };
    let path = case.path("a.json");
    let refused = case.status(2).stderr_has("a.json is immutable (chattr +i); --immutable lifts that").run();
    untouched(&refused);
    for args in [&["a.json", "n=1", "--immutable"][..], &["a.json", "n=2", "--immutable", "--in-place"]] {
        Case::new(TOOL).current_dir(refused.dir.path()).args(args).run();
        let still = fs::OpenOptions::new().append(true).open(&path);
        assert!(still.is_err(), "it must be immutable again after {args:?}");
    }
    assert_eq!(refused.read("a.json"), b"{\"n\": 2}\n");
    // Nothing is lifted when the new content is refused.
    let args = ["a.json", "n=3", "--immutable", "--validate", "false"];
    Case::new(TOOL).current_dir(refused.dir.path()).args(args).status(2).stderr_has("says no").run();
    assert!(fs::OpenOptions::new().append(true).open(&path).is_err());
    lift(&path);
}

#[test]
fn files_that_only_grow_are_refused() {
    let Some(case) = with_attribute("+a", &["a.json", "n=1", "--immutable"]) else { return };
    let run = case.status(2).stderr("jsonset: a.json can only be appended to; `chattr -a` ends that\n").run();
    lift(&run.path("a.json"));
    untouched(&run);
}

#[test]
fn what_is_no_file_is_refused_by_name() {
    let refused = |name: &str| {
        let case = Case::new(TOOL).args([name, "n=1"]).status(2);
        make_fifo(&case.path("fifo"));
        fs::create_dir(case.path("folder")).unwrap();
        let run = case.stderr_has(format!("{name}: it is not a regular file")).run();
        assert_eq!(names_in(run.dir.path()), ["fifo", "folder"]);
    };
    for name in ["fifo", "folder", "/dev/null", "/dev/stdin", "/"] {
        refused(name);
    }
    Case::new(TOOL).args(["no/such/a.json", "n=1", "--create"]).status(2).stderr_has("no/such").run();
    case(&["a.json/b.json", "n=1"]).status(2).stderr_has("a.json/b.json").run();
    Case::new(TOOL)
        .args(["", "n=1"])
        .status(2)
        .stderr_has("the value of `<FILE>` is empty; is a variable")
        .run();
    let said = "or PATH=@FILE; the COMMAND of --while stands behind `--`\n";
    Case::new(TOOL).args(["x", "n=1", "--while", "sleep", "5"]).status(2).stderr_has(said).run();
}

fn make_fifo(path: &Path) {
    let mode = rustix::fs::Mode::RUSR | rustix::fs::Mode::WUSR;
    rustix::fs::mknodat(rustix::fs::CWD, path, rustix::fs::FileType::Fifo, mode, 0).unwrap();
}

#[test]
fn a_pipe_can_be_read() {
    let case = Case::new(TOOL).args(["fifo", "--get", "n"]).stdout("0\n");
    let path = case.path("fifo");
    make_fifo(&path);
    let writer = thread::spawn(move || {
        fs::OpenOptions::new().write(true).open(path).unwrap().write_all(OLD.as_bytes())
    });
    case.run();
    writer.join().unwrap().unwrap();
}

#[test]
fn odd_names_work_and_harm_no_terminal() {
    let check = |name: &[u8], said: &str| {
        let name = OsStr::from_bytes(name);
        let args = [name, OsStr::new("n=1")];
        let run = Case::new(TOOL).file(name, OLD).args(args).run();
        assert_eq!(run.read(name), NEW.as_bytes());
        assert_eq!(names_in(run.dir.path()), [name]);
        testkit::write(run.path(name), "[");
        let bad = Case::new(TOOL).current_dir(run.dir.path()).args(args).status(2);
        let said =
            format!("jsonset: {said}:1:2 is no JSON: a value is expected, the text ends here\n  [\n   ^\n");
        bad.stderr(said).run();
    };
    check(b"caf\xe9.json", "caf\u{fffd}.json");
    check(b"two\nlines.json", "two\\nlines.json");
    check(b"\x1b[31mred\x1b]0;x\x07.json", r"\u{1b}[31mred\u{1b}]0;x\u{7}.json");
    check(" turned \u{202e}".as_bytes(), r" turned \u{202e}");
    check(&[b'x'; 255], &"x".repeat(255));
    check(b"*", "*");
}

#[test]
fn a_name_that_looks_like_a_flag_needs_its_folder() {
    for name in ["-", "-n", "--check"] {
        let run = Case::new(TOOL).file(name, OLD).args([&format!("./{name}"), "n=1"]).run();
        assert_eq!(run.read(name), NEW.as_bytes());
    }
    let name = OsString::from_vec(vec![b'x'; 256]);
    let long = Case::new(TOOL).args([&name, OsStr::new("n=1"), OsStr::new("--create")]).status(2);
    long.stderr_has("File name too long").run();
}
