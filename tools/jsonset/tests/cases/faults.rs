//! A fault at every system call of a change: whatever happens, the file has its old content or the new
//! one, no success is claimed falsely, and the next run leaves nothing behind.
//!
//! `SRE_RELEASE` and `SRE_SWEEP` are explained at [`testkit::sweep`]. In all there are some 2,330 for the binary that ships: 280 plain, 540 with a backup, 250 for a new file, 320 behind a
//! link, 450 in place, 480 for a mount.

use std::collections::BTreeSet;
use std::fs::{self, Permissions};
use std::os::unix::fs::{MetadataExt, PermissionsExt, chown, symlink};
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use serde_json::{Value, json};
use testkit::strace::{Call, Fate, Fault, Killer, Struck, works};
use testkit::sweep::{self, Sweep};

const FAULTS: [Fault<'_>; 6] = [
    Fault::Kill,
    Fault::Error("ENOSPC"),
    Fault::Error("EIO"),
    Fault::Error("EDQUOT"),
    Fault::Error("EROFS"),
    Fault::Error("EINTR"),
];

const OLD: &str = "{\"n\": 0, \"m\": 0, \"long\": \"some text that is cut in place\"}\n";

/// What the run that meets the fault makes of the file: `long` becomes shorter, so that the file is cut
/// where it is written in place.
const EDITS: [&str; 2] = ["n=1", "long=cut"];
const NEW: &str = "{\"n\": 1, \"m\": 0, \"long\": \"cut\"}\n";
const CREATED: &str = "{\n  \"n\": 1,\n  \"long\": \"cut\"\n}\n";

/// A way to change a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Way {
    Plain,
    Backup,
    Create,
    Link,
    InPlace,
    Mount,
}

/// A folder in which `etc/app.json` is to be changed.
struct Place {
    way: Way,
    folder: tempfile::TempDir,
}

impl Place {
    fn new(way: Way) -> Self {
        let place = Self { way, folder: tempfile::tempdir().unwrap() };
        fs::create_dir(place.path("etc")).unwrap();
        if way == Way::Link {
            symlink("../app.json", place.path("etc/app.json")).unwrap();
        }
        if way == Way::Mount {
            testkit::write(place.path("etc/app.json"), "");
        }
        if way != Way::Create {
            testkit::write(place.file(), OLD);
            fs::set_permissions(place.file(), Permissions::from_mode(0o640)).unwrap();
            // In its own user namespace the mount knows no other user.
            if rustix::process::geteuid().is_root() && way != Way::Mount {
                chown(place.file(), Some(1234), Some(4321)).unwrap();
            }
        }
        place
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// The file that has the content.
    fn file(&self) -> PathBuf {
        self.path(if matches!(self.way, Way::Link | Way::Mount) { "app.json" } else { "etc/app.json" })
    }

    fn flags(&self) -> &'static [&'static str] {
        match self.way {
            Way::Plain | Way::Link | Way::Mount => &["app.json"],
            Way::Backup => &["app.json", "--backup=2"],
            Way::Create => &["app.json", "--create"],
            Way::InPlace => &["app.json", "--in-place"],
        }
    }

    /// What runs the tool where it finds the file.
    fn launcher(&self) -> &'static [&'static str] {
        match self.way {
            Way::Mount => &MOUNT,
            _ => &[],
        }
    }

    fn killer(&self) -> Killer {
        let killer = Killer::new(program()).args(self.flags()).args(EDITS);
        killer.launcher(self.launcher()).current_dir(self.path("etc"))
    }

    /// A run that nothing happens to.
    fn run(&self, args: &[&str]) -> Output {
        let program = program();
        let mut line = self.launcher().iter().map(Path::new).chain([program.as_path()]);
        let mut command = Command::new(line.next().unwrap());
        command.args(line).args(args).current_dir(self.path("etc")).output().unwrap()
    }

    /// What a reader finds.
    fn content(&self) -> Option<Vec<u8>> {
        if matches!(self.way, Way::InPlace | Way::Mount) {
            let run = self.run(&["app.json", "--get", "."]);
            assert!(run.status.success(), "{run:?}");
            return Some(run.stdout);
        }
        fs::read(self.file()).ok()
    }

    /// The names of all files, and how many backups there are besides.
    fn names(&self) -> (BTreeSet<String>, usize) {
        let mut names = BTreeSet::new();
        let mut backups = 0;
        for entry in fs::read_dir(self.path("")).unwrap().chain(fs::read_dir(self.path("etc")).unwrap()) {
            let path = entry.unwrap().path();
            if path.extension() == Some("bak".as_ref()) {
                backups += 1;
            } else {
                names.insert(path.strip_prefix(self.path("")).unwrap().display().to_string());
            }
        }
        (names, backups)
    }

    /// Mode, owner and group.
    fn rights(&self) -> Option<(u32, u32, u32)> {
        fs::metadata(self.file()).ok().map(|found| (found.mode() & 0o7777, found.uid(), found.gid()))
    }
}

const MOUNT: [&str; 7] = [
    "unshare",
    "--map-root-user",
    "--mount",
    "sh",
    "-c",
    "mount --bind ../app.json app.json && exec \"$@\"",
    "sh",
];

fn program() -> PathBuf {
    sweep::program(env!("CARGO_BIN_EXE_jsonset"))
}

/// The calls of a good run, from the first one on that names the file: what comes before is the loader
/// and the start of the runtime.
fn calls(way: Way) -> Vec<Call> {
    let place = Place::new(way);
    let calls = place.killer().calls();
    let wanted = if way == Way::Create { CREATED } else { NEW };
    assert_eq!(String::from_utf8(place.content().unwrap()).unwrap(), wanted);
    let names_it = |call: &Call| call.syscall != "execve" && call.text.contains("app.json");
    let first = calls.iter().position(names_it).unwrap();
    let begun = |(index, call): &(usize, Call)| *index >= first || call.thread != 0;
    calls.into_iter().enumerate().filter(begun).map(|(_, call)| call).collect()
}

fn sweep(way: Way, least: usize) {
    if works() {
        let sweep = Sweep { faults: &FAULTS, least, met: 90, share: 100 };
        sweep.run(&way, &calls(way), |call, fault| strike(way, call, fault));
    }
}

/// Changes the file while a call meets `fault`, and once more. Returns what is wrong then; `None` when
/// it did not come to the fault.
fn strike(way: Way, call: &Call, fault: Fault<'_>) -> Option<Vec<String>> {
    let place = Place::new(way);
    let rights = place.rights();
    let struck = place.killer().strike(call.point(), fault);
    if !struck.hit {
        return None;
    }
    let said = String::from_utf8_lossy(&struck.stderr).into_owned();
    let mut wrong = judge(&place, &struck, &said);
    if rights.is_some() && place.rights() != rights && !said.contains("cannot keep") {
        wrong.push("other rights");
    }
    let found = go_on(&place);
    let what = format!("{way:?}: {fault} at {} `{}`: {:?} {said}", call.point(), call.text, struck.fate);
    Some(wrong.into_iter().map(str::to_owned).chain(found).map(|wrong| format!("{wrong}: {what}")).collect())
}

/// What the struck run may have left, and what it must have said.
fn judge(place: &Place, struck: &Struck, said: &str) -> Vec<&'static str> {
    let found = place.content();
    let (old, new) = if place.way == Way::Create { (None, CREATED) } else { (Some(OLD), NEW) };
    let is_new = found.as_deref() == Some(new.as_bytes());
    let is_old = found.as_deref() == old.map(str::as_bytes);
    // The standard library ends a process that cannot close a folder, which no file system refuses.
    let excused = said.contains("unexpected error during closedir");
    let failed = matches!(struck.fate, Fate::Finished(status) if status != 0) && !excused;
    let checks = [
        (!is_new && !is_old, "torn"),
        (struck.fate == Fate::Finished(0) && !is_new, "false success"),
        (failed && is_new && !said.contains("is replaced"), "false failure"),
        (failed && !said.contains("app.json"), "unnamed"),
    ];
    checks.into_iter().filter_map(|(wrong, what)| wrong.then_some(what)).collect()
}

/// The next run succeeds, and leaves the file and nothing else.
fn go_on(place: &Place) -> Option<String> {
    let before = place.content().unwrap_or_else(|| b"{}".to_vec());
    let mut wanted: Value = serde_json::from_slice(&before).ok()?;
    wanted["m"] = json!(2);
    let run = place.run(&[place.flags(), &["m=2"]].concat());
    if !run.status.success() {
        return Some(format!("the next one fails, {}", String::from_utf8_lossy(&run.stderr)));
    }
    let found = place.content().unwrap_or_default();
    if serde_json::from_slice::<Value>(&found).ok() != Some(wanted) {
        return Some(format!("then `{}`", found.escape_ascii()));
    }
    let expected = match place.way {
        Way::Link | Way::Mount => &["app.json", "etc", "etc/app.json"][..],
        _ => &["etc", "etc/app.json"],
    };
    let (names, backups) = place.names();
    let most = if place.way == Way::Backup { 2 } else { 0 };
    (!names.iter().eq(expected) || backups > most).then(|| format!("litter {names:?}, {backups} backups"))
}

#[test]
fn a_change_leaves_old_or_new_whatever_fails() {
    sweep(Way::Plain, 200);
}

#[test]
fn a_change_with_a_backup_leaves_old_or_new_whatever_fails() {
    sweep(Way::Backup, 300);
}

#[test]
fn a_new_file_is_there_whole_or_not_at_all_whatever_fails() {
    sweep(Way::Create, 150);
}

#[test]
fn a_change_behind_a_link_leaves_old_or_new_whatever_fails() {
    sweep(Way::Link, 200);
}

#[test]
fn a_change_in_place_leaves_old_or_new_whatever_fails() {
    sweep(Way::InPlace, 200);
}

#[test]
fn a_change_of_a_mount_leaves_old_or_new_whatever_fails() {
    let probe = Command::new(MOUNT[0]).args(&MOUNT[1..3]).arg("true").output();
    if probe.is_ok_and(|run| run.status.success()) {
        sweep(Way::Mount, 200);
    } else {
        println!("skipped the mount: `unshare --map-root-user --mount` does not work here");
    }
}
