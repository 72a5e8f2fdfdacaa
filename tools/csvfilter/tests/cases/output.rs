//! `--output`: whole or not at all.

use std::fs::{self, Permissions};
use std::os::unix::fs::{MetadataExt, PermissionsExt, chown, symlink};
use std::path::Path;

use tempfile::TempDir;
use testkit::Case;

use super::live::{Live, people};

const TOOL: &str = env!("CARGO_BIN_EXE_csvfilter");
const TEXT: &str = "id,n\n1,a\n2,b\n";

fn names(folder: &Path) -> Vec<String> {
    let entries = fs::read_dir(folder).unwrap();
    let mut names: Vec<_> = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names
}

/// A folder with a file `out`.
fn with_old() -> (TempDir, String) {
    let folder = tempfile::tempdir().unwrap();
    testkit::write(folder.path().join("out"), "old");
    let out = folder.path().join("out").to_str().unwrap().to_owned();
    (folder, out)
}

#[test]
fn the_old_content_is_there_until_the_end() {
    let (folder, out) = with_old();
    for (jobs, old) in [("-j1", "old"), ("-j4", TEXT)] {
        let mut run = Live::start(&["--all", jobs, "-o", &out]);
        run.say(TEXT);
        while names(folder.path()).len() < 2 {
            std::thread::yield_now();
        }
        assert_eq!(fs::read_to_string(&out).unwrap(), old);
        assert_eq!(run.end(), (Some(0), Vec::new()));
        assert_eq!(fs::read_to_string(&out).unwrap(), TEXT);
    }
    assert_eq!(names(folder.path()), ["out"]);
}

#[test]
fn two_at_once_do_not_mix() {
    let (folder, out) = with_old();
    let mut runs = ["a", "b"].map(|letter| {
        let mut run = Live::start(&["--all", "-o", &out]);
        run.say(format!("n\n{}", format!("{letter}\n").repeat(100_000)));
        run
    });
    for run in &mut runs {
        run.say("last\n");
    }
    let [a, b] = runs;
    assert_eq!((a.end().0, b.end().0), (Some(0), Some(0)));
    assert_eq!(fs::read_to_string(&out).unwrap(), format!("n\n{}last\n", "b\n".repeat(100_000)));
    assert_eq!(names(folder.path()), ["out"]);
}

#[test]
fn a_failed_run_leaves_what_was_there() {
    let kept = |text: &str, args: &[&str]| {
        let case = Case::new(TOOL).file("out", "old").file("x.csv", text).args(["-o", "out", "x.csv"]);
        let run = case.args(args).status(2).stderr_has("csvfilter: ").run();
        assert_eq!(run.read("out"), b"old", "{args:?}");
        let is_there = |name: &String| !["out", "x.csv", "bad"].contains(&name.as_str());
        assert!(!names(run.dir.path()).iter().any(is_there), "{:?}", names(run.dir.path()));
    };
    kept("id\nx\n1\n", &["--expr", "id > 0", "--bad", "fail"]);
    kept("id\nx\n1\n", &["--expr", "id > 0", "--max-bad", "0", "--reject", "bad"]);
    kept(TEXT, &["--all", "--select", "zz"]);
    kept(TEXT, &["--all", "--reject", "no/bad"]);
    kept("[1,]", &["--all", "--from", "json"]);
}

#[test]
fn owner_and_mode_and_link_are_kept() {
    let case = Case::new(TOOL).file("file", "old").file("x.csv", TEXT).args(["--all", "x.csv", "-o", "out"]);
    symlink("file", case.path("out")).unwrap();
    fs::set_permissions(case.path("file"), Permissions::from_mode(0o640)).unwrap();
    let is_root = chown(case.path("file"), Some(1234), Some(4321)).is_ok();
    let run = case.run();
    let about = fs::metadata(run.path("file")).unwrap();
    assert_eq!(about.mode() & 0o7777, 0o640);
    assert!(!is_root || (about.uid(), about.gid()) == (1234, 4321));
    assert!(fs::symlink_metadata(run.path("out")).unwrap().is_symlink());
    assert_eq!(run.read("out"), TEXT.as_bytes());
}

#[test]
fn what_keeps_nothing_writes_its_header() {
    let case = |text: &str| Case::new(TOOL).file("out", "old").stdin(text).args(["id == 7", "-o", "out"]);
    assert_eq!(case(TEXT).status(1).run().read("out"), b"id,n\n");
    assert_eq!(case("").status(1).run().read("out"), b"");
    assert_eq!(case(TEXT).args(["--count"]).status(1).run().read("out"), b"0\n");
    let refused = Case::new(TOOL).stdin(TEXT).args(["--all", "-o", "."]).status(2);
    refused.stderr_has("cannot replace .: ").run();
    let refused = Case::new(TOOL).stdin(TEXT).args(["--all", "-o", "/dev/full"]).status(2);
    refused.stderr_has("cannot replace /dev/full: ").run();
}

#[test]
fn a_stopped_run_leaves_what_was_there_and_the_next_one_tidies_up() {
    for jobs in ["-j1", "-j4"] {
        let case = Case::new(TOOL).file("out", "old").file("x.csv", people(1 << 20));
        let (pipe, out) = (case.path("pipe"), case.path("out"));
        let made = std::process::Command::new("mkfifo").arg(&pipe).status().unwrap();
        assert!(made.success());
        let run =
            case.args(["--all", "x.csv", "pipe", "-o", "out", "--reject", "bad", jobs]).status(143).start();
        let folder = out.parent().unwrap().to_owned();
        while names(&folder).len() < 5 {
            std::thread::yield_now();
        }
        run.terminate();
        let run = run.finish();
        assert_eq!(run.read("out"), b"old");
        let again = Case::new(TOOL).current_dir(run.dir.path()).stdin(TEXT);
        again.args(["--all", "-o", "out", "--reject", "bad"]).run();
        assert_eq!(run.read("out"), TEXT.as_bytes());
        assert_eq!(names(&folder), ["bad", "out", "pipe", "x.csv"]);
    }
}
