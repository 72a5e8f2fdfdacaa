//! A fault at every system call of a run with `--output` and `--reject`: whatever happens, each of the
//! two files has its old content or the new one, no success is claimed falsely, and the next run leaves
//! nothing behind.
//!
//! `SRE_RELEASE` and `SRE_SWEEP` are explained at [`testkit::sweep`].

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt;
use std::process::Command;

use tempfile::TempDir;
use testkit::Case;
use testkit::strace::{Call, Fate, Fault, Killer, Point, Struck, works};
use testkit::sweep::Sweep;

use super::live::program;

const FAULTS: [Fault<'_>; 4] =
    [Fault::Kill, Fault::Error("ENOSPC"), Fault::Error("EIO"), Fault::Error("EINTR")];

const OLD: &str = "of an earlier run\n";

/// Every tenth row is a bad one.
fn rows(length: u32) -> (String, String, String) {
    let (mut text, mut rejected) = ("id,name\n".to_owned(), "id,name\n".to_owned());
    for id in 0..length {
        if id % 10 == 3 {
            writeln!(text, "{id}").unwrap();
            writeln!(rejected, "# x.csv:{}: 1 field instead of 2\n{id}", id + 2).unwrap();
        } else {
            writeln!(text, "{id},somebody with a name").unwrap();
        }
    }
    let kept = text.replacen("0,somebody with a name\n", "", 1);
    (text, kept, rejected)
}

/// What is run, on a table of so many rows.
#[derive(Debug, Clone, Copy)]
struct Variant {
    args: &'static [&'static str],
    rows: u32,
}

/// A folder with the table and what earlier runs have left, and what it is to become.
struct Place {
    variant: Variant,
    folder: TempDir,
    new: [String; 2],
}

const OUTPUTS: [&str; 2] = ["out", "bad"];

impl Place {
    fn new(variant: Variant) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let (text, kept, rejected) = rows(variant.rows);
        testkit::write(folder.path().join("x.csv"), text);
        for name in OUTPUTS {
            testkit::write(folder.path().join(name), OLD);
            fs::set_permissions(folder.path().join(name), Permissions::from_mode(0o640)).unwrap();
        }
        Self { variant, folder, new: [kept, rejected] }
    }

    fn args(&self) -> Vec<&'static str> {
        // Kept, as a run that leaves rows out has a status of its own.
        let files = ["id > 0", "x.csv", "--output=out", "--reject=bad", "--bad=keep"];
        [self.variant.args, &files].concat()
    }

    fn killer(&self) -> Killer {
        Killer::new(program()).args(self.args()).current_dir(self.folder.path())
    }

    fn content(&self, name: &str) -> String {
        fs::read_to_string(self.folder.path().join(name)).unwrap_or_default()
    }

    fn names(&self) -> BTreeSet<String> {
        let entries = fs::read_dir(self.folder.path()).unwrap();
        entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect()
    }
}

/// The calls of a good run, from the first one on that names a file of ours: what comes before is the
/// loader and the start of the runtime.
fn calls(variant: Variant) -> Vec<Call> {
    let place = Place::new(variant);
    let calls = place.killer().calls();
    let found = OUTPUTS.map(|name| place.content(name));
    assert!(found == place.new, "a good run did not do it: {found:?}");
    let names_it = |call: &Call| call.syscall != "execve" && call.text.contains("x.csv");
    let (before, ours) = calls.split_at(calls.iter().position(names_it).unwrap());
    // A call of another thread is not told from the same one of the loader.
    let is_ours = |call: &&Call| !before.iter().any(|other| other.point() == call.point());
    ours.iter().filter(is_ours).cloned().collect()
}

fn sweep(variant: Variant, least: usize) {
    if works() {
        // Which thread makes a call is a matter of chance where there are several.
        let sweep = Sweep { faults: &FAULTS, least, met: 50, share: 100 };
        sweep.run(&variant, &calls(variant), |call, fault| strike(variant, call, fault));
    }
}

/// Runs it while a call meets `fault`, and once more. Returns what is wrong then; `None` when it did not
/// come to the fault.
fn strike(variant: Variant, call: &Call, fault: Fault<'_>) -> Option<Vec<String>> {
    let place = Place::new(variant);
    let struck = place.killer().strike(call.point(), fault);
    if !struck.hit {
        return None;
    }
    let said = String::from_utf8_lossy(&struck.stderr).into_owned();
    let mut wrong = judge(&place, &struck, &said);
    wrong.extend(go_on(&place));
    let what = format!("{variant:?}: {fault} at {} `{}`: {:?} {said}", call.point(), call.text, struck.fate);
    Some(wrong.into_iter().map(|wrong| format!("{wrong}: {what}")).collect())
}

/// What the struck run may have left, and what it must have said.
fn judge(place: &Place, struck: &Struck, said: &str) -> Vec<String> {
    let found = OUTPUTS.map(|name| place.content(name));
    let is_new = [found[0] == place.new[0], found[1] == place.new[1]];
    let is_torn = |at: usize| !is_new[at] && found[at] != OLD;
    let has_failed = matches!(struck.fate, Fate::Finished(status) if status != 0);
    // Of several threads, the fault may meet another write: that of the message, whose beginning is lost.
    let told = [": cannot ", " is replaced, but a power failure"];
    let statuses = [Fate::Killed, Fate::Finished(0), Fate::Finished(2)];
    let checks = [
        (is_torn(0), "a torn output"),
        (is_torn(1), "a torn reject file"),
        (struck.fate == Fate::Finished(0) && is_new != [true, true], "false success"),
        (has_failed && is_new[0] && !said.contains("is replaced"), "false failure"),
        (has_failed && !told.iter().any(|told| said.contains(told)), "unsaid"),
        (!statuses.contains(&struck.fate), "another status"),
    ];
    checks.into_iter().filter(|(wrong, _)| *wrong).map(|(_, what)| what.to_owned()).collect()
}

/// The next run succeeds, and leaves the two files and nothing else.
fn go_on(place: &Place) -> Option<String> {
    let run = Command::new(program()).args(place.args()).current_dir(place.folder.path()).output().unwrap();
    let found = OUTPUTS.map(|name| place.content(name));
    let names = place.names();
    if !run.status.success() || found != place.new {
        return Some(format!("the next one fails, {}", String::from_utf8_lossy(&run.stderr)));
    }
    (!names.iter().eq(["bad", "out", "x.csv"])).then(|| format!("litter {names:?}"))
}

#[test]
fn one_thread_leaves_old_or_new_whatever_fails() {
    sweep(Variant { args: &["-j1"], rows: 20_000 }, 100);
}

#[test]
fn threads_leave_old_or_new_whatever_fails() {
    sweep(Variant { args: &["-j3"], rows: 50_000 }, 100);
}

#[test]
fn rows_written_late_leave_old_or_new_whatever_fails() {
    sweep(Variant { args: &["-j1", "--tail=20000"], rows: 20_000 }, 100);
}

#[test]
fn where_no_more_threads_are_allowed_it_goes_on_with_those_there_are() {
    if !works() {
        return;
    }
    // The third of four; each of them.
    for nth in [2, 0] {
        let place = Place::new(Variant { args: &["-j4"], rows: 50_000 });
        let struck = place.killer().strike(Point { syscall: "clone3", nth }, Fault::Error("EAGAIN"));
        if !struck.hit {
            println!("skipped: threads are not started by clone3 here");
            return;
        }
        let said = String::from_utf8_lossy(&struck.stderr);
        assert_eq!(struck.fate, Fate::Finished(0), "{said}");
        assert!(OUTPUTS.map(|name| place.content(name)) == place.new, "other rows: {said}");
    }
}

#[test]
fn a_full_disk_under_either_file_leaves_both_as_they_were() {
    let own_mounts = ["--map-root-user", "--mount"];
    let probe =
        Command::new("unshare").args(own_mounts).args(["mount", "-t", "tmpfs", "none", "/mnt"]).output();
    if !probe.is_ok_and(|run| run.status.success()) {
        println!("skipped: `unshare --map-root-user --mount` cannot mount here");
        return;
    }
    let script = "set -e; mkdir d; mount -t tmpfs -o size=64k none d; echo old | tee d/out >d/bad
        for files in '-o d/out --reject bad' '-o out --reject d/bad'; do
            status=0; \"$0\" 'id > 0' x.csv $files --bad keep || status=$?
            echo $status; ls -A d; cat d/out d/bad
        done; test ! -e out";
    let (text, ..) = rows(50_000);
    let case = Case::new("unshare").args(own_mounts).args(["sh", "-c", script]).args([program()]);
    let case = case.file("x.csv", text).stdout("2\nbad\nout\nold\nold\n".repeat(2));
    let reason = "No space left on device (os error 28)";
    let case = case.stderr_has(format!("d/out: {reason}")).stderr_has(format!("d/bad: {reason}"));
    case.run();
}
