//! Where a file cannot be changed, or somebody else does it: what is there stays, and nothing is left.

use std::fs::{self, Permissions};
use std::os::unix::fs::{PermissionsExt, chown};
use std::process::Command;

use testkit::{Case, Output};

const TOOL: &str = env!("CARGO_BIN_EXE_jsonset");
const OLD: &str = "{\"n\": 0}\n";
const NEW: &str = "{\"n\": 1}\n";
const NOBODY: u32 = 65_534;

/// Whether a command works here; one line says what is skipped where it does not.
fn works(command: &[&str]) -> bool {
    let works = Command::new(command[0]).args(&command[1..]).output().is_ok_and(|run| run.status.success());
    if !works {
        println!("skipped: `{}` does not work here", command.join(" "));
    }
    works
}

fn names_in(run: &Output, folder: &str) -> Vec<String> {
    let entries = fs::read_dir(run.path(folder)).unwrap();
    let mut names: Vec<_> = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names
}

/// A shell with mounts of its own, in which `$0` is the tool; `None` where they cannot be had.
fn with_mounts(script: &str) -> Option<Case> {
    let unshare = ["unshare", "--map-root-user", "--mount"];
    let script = format!("set -e; {script}");
    let case = Case::new(unshare[0]).args(&unshare[1..]).args(["sh", "-c", &script, TOOL]);
    works(&[&unshare[..], &["true"]].concat()).then_some(case)
}

#[test]
fn a_full_disk_leaves_the_old_file_and_nothing_beside_it() {
    let fill = "mkdir d; mount -t tmpfs -o size=64k none d; cd d
        old() { head -c 30000 /dev/zero | tr '\\0' x | sed 's/.*/{\"a\": \"&\"}/' ; }
        old >a.json
        for flag in --break-links --in-place; do
            status=0; \"$0\" a.json b=@../value $flag || status=$?
            [ $status -eq 2 ]; old | cmp - a.json; ls -A
        done
        \"$0\" a.json a=short; ls -A; cat a.json";
    let Some(case) = with_mounts(fill) else { return };
    let said = "No space left on device (os error 28)";
    let case = case.file("value", "y".repeat(40_000)).stderr_has(said);
    let run = case.stdout("a.json\na.json\na.json\n{\"a\": \"short\"}").run();
    let text = String::from_utf8(run.stderr).unwrap();
    assert_eq!(
        text.lines().filter(|line| line.contains("a.json") && line.ends_with(said)).count(),
        2,
        "{text}"
    );
}

#[test]
fn a_limit_of_the_file_size_tears_nothing() {
    let limited = |flags: &[&str]| {
        let script = "ulimit -f 1 && exec \"$0\" \"$@\"";
        let value = format!("b={}", "y".repeat(9_000));
        let case =
            Case::new("sh").file("a.json", OLD).args(["-c", script, TOOL, "a.json", &value]).args(flags);
        let run = case.status(2).stderr_has("a.json: File too large (os error 27)").run();
        assert_eq!(run.read("a.json"), OLD.as_bytes());
        assert_eq!(names_in(&run, ""), ["a.json"], "{flags:?}");
    };
    limited(&[]);
    limited(&["--in-place"]);
}

#[test]
fn a_read_only_mount_is_named() {
    let script = "mkdir d; mount -t tmpfs none d; cp a.json d; mount -o remount,ro d
        for flag in --break-links --in-place --backup; do
            status=0; \"$0\" d/a.json n=1 $flag || status=$?
            [ $status -eq 2 ]; cmp a.json d/a.json; ls -A d
        done
        \"$0\" d/a.json --get n";
    let Some(case) = with_mounts(script) else { return };
    let said = "Read-only file system (os error 30)";
    let run = case.file("a.json", OLD).stderr_has(said).stdout("a.json\na.json\na.json\n0\n").run();
    let text = String::from_utf8(run.stderr).unwrap();
    assert_eq!(
        text.lines().filter(|line| line.contains("d/a.json") && line.ends_with(said)).count(),
        3,
        "{text}"
    );
}

#[test]
fn a_file_at_the_root_of_a_mount_is_replaced_and_a_mounted_file_written_in_place() {
    let script = "mkdir d; mount --bind source d; ln -s ../d/a.json source/link
        \"$0\" d/link n=1; ls -A d; cat d/a.json
        : >file; mount --bind source/a.json file; \"$0\" file n=2; \"$0\" file --get n; ls -A";
    let Some(case) = with_mounts(script) else { return };
    let case = case.file("source/a.json", OLD).stdout("a.json\nlink\n{\"n\": 1}\n2\nd\nfile\nsource\n");
    let said = "file is a mount of its own: it was written in place, through a journal, not replaced\n";
    let run = case.stderr_has(said).run();
    assert_eq!(run.read("source/a.json"), b"{\"n\": 2}\n");
}

/// A run of the tool by the user nobody; `None` where that cannot be had.
fn by_nobody(args: &[&str]) -> Option<Case> {
    let id = format!("--reuid={NOBODY} --regid={NOBODY} --clear-groups");
    let setpriv: Vec<&str> = ["setpriv"].into_iter().chain(id.split(' ')).chain([TOOL]).collect();
    // The tool may lie where nobody can reach it.
    if !works(&[&setpriv[..], &["--version"]].concat()) {
        return None;
    }
    let case = Case::new("setpriv").file("a.json", OLD).args(&setpriv[1..]).args(args);
    fs::set_permissions(case.path(""), Permissions::from_mode(0o755)).unwrap();
    Some(case)
}

#[test]
fn what_may_not_be_read_or_replaced_is_named() {
    let denied = "Permission denied (os error 13)";
    for (file_mode, args, said) in [
        (0o600, &["a.json", "n=1"][..], format!("jsonset: cannot open a.json: {denied}\n")),
        (0o600, &["a.json", "--get", "n"], format!("jsonset: cannot open a.json: {denied}\n")),
        (0o666, &["a.json", "n=1"], format!("jsonset: cannot replace a.json: {denied}\n")),
        (0o666, &["a.json", "n=1", "--backup"], denied.to_owned()),
        (0o666, &["a.json", "n=1", "--in-place"], "its journal must be created in .: ".to_owned()),
    ] {
        let Some(case) = by_nobody(args) else { return };
        fs::set_permissions(case.path("a.json"), Permissions::from_mode(file_mode)).unwrap();
        let run = case.status(2).stderr_has(said).run();
        assert_eq!((run.read("a.json"), names_in(&run, "")), (OLD.into(), vec!["a.json".to_owned()]));
    }
}

#[test]
fn an_owner_that_cannot_be_kept_is_warned_of() {
    let Some(case) = by_nobody(&["a.json", "n=1"]) else { return };
    chown(case.path(""), Some(NOBODY), Some(NOBODY)).unwrap();
    fs::set_permissions(case.path("a.json"), Permissions::from_mode(0o646)).unwrap();
    let run = case.stderr_has("cannot keep the owner 0:0 of a.json; its mode is now 0644").run();
    assert_eq!(run.read("a.json"), NEW.as_bytes());
}

#[test]
fn what_others_do_without_the_lock_is_not_overwritten() {
    let intruder = |script: &str, flags: &[&str], want: Option<&str>| {
        let args = ["a.json", "n=1", "--validate", script];
        let case = Case::new(TOOL).file("a.json", OLD).args(args).args(flags).status(75);
        let run = case.stderr_has("a.json was changed by a process that does not hold its lock").run();
        let found = fs::read_to_string(run.path("a.json")).ok();
        assert_eq!(found.as_deref(), want, "{script} {flags:?}");
        let names: Vec<String> =
            names_in(&run, "").into_iter().filter(|name| !name.contains("Z.bak")).collect();
        assert_eq!(names.len(), usize::from(want.is_some()), "{script} {flags:?}: {names:?}");
    };
    for flags in [&[][..], &["--in-place"], &["--backup"], &["--break-links"]] {
        intruder("echo '{\"n\": 7}' >$JSONSET_FILE", flags, Some("{\"n\": 7}\n"));
        intruder("echo '{\"longer\": 7}' >$JSONSET_FILE", flags, Some("{\"longer\": 7}\n"));
        intruder("echo '[]' >new && mv new $JSONSET_FILE", flags, Some("[]\n"));
        intruder(": >$JSONSET_FILE", flags, Some(""));
    }
    intruder("rm $JSONSET_FILE", &[], None);
    intruder("rm $JSONSET_FILE", &["--backup"], None);
}

#[test]
fn a_file_that_somebody_creates_meanwhile_is_not_overwritten() {
    let args = ["a.json", "n=1", "--create", "--validate", "echo '{\"n\": 7}' >a.json"];
    let run = Case::new(TOOL).args(args).status(75).stderr_has("a.json was changed by a process").run();
    assert_eq!(
        (run.read("a.json"), names_in(&run, "")),
        (b"{\"n\": 7}\n".to_vec(), vec!["a.json".to_owned()])
    );
}

#[test]
fn what_a_command_refuses_leaves_nothing_behind() {
    for flag in ["--break-links", "--in-place"] {
        let args = ["a.json", "n=1", "--validate", "grep -q 0 {}", flag];
        let run = Case::new(TOOL).file("a.json", OLD).args(args).status(2).stderr_has("says no: ").run();
        assert_eq!((run.read("a.json"), names_in(&run, "")), (OLD.into(), vec!["a.json".to_owned()]));
    }
}

#[test]
fn the_output_is_another_file() {
    for out in ["a.json", "./a.json", "link"] {
        let case = Case::new(TOOL).file("a.json", OLD).args(["a.json", "n=1", "-o", out]);
        std::os::unix::fs::symlink("a.json", case.path("link")).unwrap();
        let run =
            case.status(2).stderr_has("is the file itself, and would be changed without its lock").run();
        assert_eq!(run.read("a.json"), OLD.as_bytes(), "{out}");
    }
}
