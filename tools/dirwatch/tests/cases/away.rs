//! Where files go afterwards.

use std::fs;
use std::os::unix::fs::MetadataExt;

use super::desk::Desk;

#[test]
fn what_is_done_keeps_its_folder_and_overwrites_nothing() {
    let desk = Desk::with(&["in/a.csv", "in/x/y/a.csv", "in/x/b", "done/a.csv", "done/x/b", "done/x/b.1"]);
    desk.once(&["-r", "--done-dir=done"], &["true"]).run();
    assert_eq!(desk.names("done"), ["a.1.csv", "a.csv", "x"]);
    assert_eq!(desk.names("done/x"), ["b", "b.1", "b.2", "y"]);
    assert_eq!([desk.read("done/a.csv"), desk.read("done/a.1.csv")], ["done/a.csv", "in/a.csv"]);
    assert_eq!([desk.read("done/x/b.2"), desk.read("done/x/y/a.csv")], ["in/x/b", "in/x/y/a.csv"]);
    desk.once(&["-r", "--done-dir=done"], &["echo", "{}"]).run();
}

#[test]
fn what_has_failed_has_its_reason_beside_it() {
    let desk = Desk::with(&["in/x/a.csv", "failed/x/a.csv"]);
    let flags = ["-r", "--failed-dir=failed", "--retries=1", "--backoff=0s", "--done-dir=done"];
    let mut watcher =
        desk.watch(&flags, &["sh", "-c", "exit 3"]).stderr_has("exit status 3; attempt=2, giving up").start();
    watcher.wait_for_stderr("giving up");
    desk.wait_for("failed/x/a.1.csv");
    watcher.terminate();
    watcher.finish();
    assert_eq!(desk.names("failed/x"), ["a.1.csv", "a.1.csv.why.json", "a.csv"]);
    let why: serde_json::Value = serde_json::from_str(&desk.read("failed/x/a.1.csv.why.json")).unwrap();
    assert_eq!(why["path"], desk.path("in/x/a.csv").to_str().unwrap());
    assert_eq!((&why["attempts"], &why["reason"]), (&2.into(), &"exit status 3".into()));
    assert!(why["id"].as_str().unwrap().len() == 32 && why["elapsed_ms"].is_u64(), "{why}");
    assert!(why["failed_at"].as_str().unwrap().ends_with('Z'), "{why}");
    assert!(!desk.has("done") && desk.names("in/x").is_empty());
}

#[test]
fn files_are_put_away_across_file_systems() {
    let far = tempfile::tempdir_in("/dev/shm").unwrap();
    let desk = Desk::with(&["in/x/a", "in/bad"]);
    let device = |path: &std::path::Path| fs::metadata(path).unwrap().dev();
    assert_ne!(device(far.path()), device(&desk.path("in")), "set TMPDIR to a file system of its own");
    let [done, failed] = ["done", "failed"].map(|name| far.path().join(name));
    fs::create_dir_all(done.join("x")).unwrap();
    fs::write(done.join("x/a"), "other").unwrap();
    let before = fs::metadata(desk.path("in/x/a")).unwrap();
    desk.dirwatch(["--once", "-r", "--retries=0", "--done-dir"])
        .args([done.as_os_str(), "--failed-dir".as_ref(), failed.as_os_str(), "in".as_ref()])
        .args(["--", "grep", "-q", "x/a", "{}"])
        .status(23)
        .stderr_has("giving up")
        .run();
    assert_eq!(fs::read_to_string(done.join("x/a.1")).unwrap(), "in/x/a");
    assert_eq!(fs::read_to_string(done.join("x/a")).unwrap(), "other");
    assert_eq!(fs::metadata(done.join("x/a.1")).unwrap().modified().unwrap(), before.modified().unwrap());
    assert!(failed.join("bad").exists() && failed.join("bad.why.json").exists());
    assert_eq!(desk.names("in"), ["x"]);
    assert_eq!(desk.names("in/x"), [""; 0]);
}

#[test]
fn what_succeeded_is_deleted_and_nothing_else() {
    let desk = Desk::with(&["in/x/a", "in/bad", "in/b.part"]);
    desk.once(&["-r", "--delete", "--retries=0"], &["grep", "-q", "x/a", "{}"])
        .status(23)
        .stderr_has("giving up")
        .run();
    assert_eq!(
        (desk.names("in"), desk.names("in/x").len()),
        (vec!["b.part".into(), "bad".into(), "x".into()], 0)
    );
    assert_eq!(desk.listed(), ["done a", "failed bad"]);
}

#[test]
fn folders_inside_the_watched_one_are_not_watched() {
    let desk = Desk::with(&["in/a", "in/bad", "in/x/b"]);
    let flags = ["-r", "--done-dir=in/done", "--failed-dir=in/x/failed", "--retries=0"];
    let script = r#"echo "$1"; case "$1" in bad) exit 1; esac"#;
    let mut watcher = desk
        .watch(&flags, &["sh", "-c", script, "sh", "{name}"])
        .stdout_has("")
        .stderr_has("bad: exit status 1")
        .start();
    for path in ["in/done/a", "in/done/x/b", "in/x/failed/bad.why.json", "in/x/failed/bad"] {
        desk.wait_for(path);
    }
    desk.put("in/x/last", "");
    desk.wait_for("in/done/x/last");
    watcher.wait_for_stdout("last\n");
    watcher.terminate();
    let mut lines: Vec<_> =
        String::from_utf8(watcher.finish().stdout).unwrap().lines().map(str::to_owned).collect();
    lines.sort();
    assert_eq!(lines, ["a", "b", "bad", "last"]);
    desk.once(&flags, &["echo", "{}"]).run();
}

#[test]
fn a_folder_that_is_watched_takes_nothing_that_is_put_away() {
    let desk = Desk::with(&["in/a"]);
    for flag in ["--done-dir=in", "--failed-dir=./in/", "--done-dir=.", "--done-dir=new/../in"] {
        desk.once(&[flag], &["true"]).status(2).stderr_has("put away").run();
    }
    assert_eq!(desk.names("in"), ["a"]);
}

#[test]
fn what_cannot_be_put_away_is_said_and_tried_again() {
    let desk = Desk::with(&["in/a", "done"]);
    desk.once(&["--done-dir=done"], &["echo", "{name}"])
        .status(23)
        .stdout("a\n")
        .stderr_has("in/a: cannot make ")
        .stderr_has("it stays")
        .run();
    assert_eq!((desk.listed(), desk.names("in")), (vec!["passed a".into()], vec!["a".into()]));
    fs::remove_file(desk.path("done")).unwrap();
    desk.once(&["--done-dir=done"], &["echo", "{name}"]).run();
    assert_eq!((desk.listed(), desk.names("done")), (vec!["done a".into()], vec!["a".into()]));
}
