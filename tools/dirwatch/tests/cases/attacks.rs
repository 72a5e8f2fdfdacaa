//! What a hostile or unlucky neighbour does to a watched folder.

use std::fs;
use std::os::unix::fs::MetadataExt;
use std::thread::sleep;
use std::time::Duration;

use super::desk::Desk;

/// The lines of a file that commands append to, in order.
fn lines(desk: &Desk, path: &str) -> Vec<String> {
    let mut lines: Vec<String> = desk.read(path).lines().map(str::to_owned).collect();
    lines.sort();
    lines
}

#[test]
fn names_of_one_file_that_wait_together_are_one_file() {
    let check = |flags: &[&str]| {
        let desk = Desk::with(&["in/a", "in/other"]);
        for name in ["in/b", "in/c"] {
            fs::hard_link(desk.path("in/a"), desk.path(name)).unwrap();
        }
        let script = r#"for file; do echo "$(cat "$file")"; done >>notes"#;
        desk.once(flags, &["sh", "-c", script, "sh", "{}"]).run();
        assert_eq!(lines(&desk, "notes"), ["in/a", "in/other"], "{flags:?}");
        desk.once(flags, &["echo", "again", "{}"]).run();
    };
    check(&["--jobs=8"]);
    check(&["--batch=8"]);
    check(&["--batch=2", "--jobs=2"]);
    check(&["--batch=8", "--identity=content"]);
    check(&["--jobs=8", "--identity=content"]);
}

#[test]
fn copies_of_one_content_that_wait_together_are_one_file() {
    let check = |flags: &[&str]| {
        let desk = Desk::new();
        for name in ["in/a", "in/b", "in/c"] {
            desk.put(name, "same");
        }
        let flags = [&["--identity=content"], flags].concat();
        desk.once(&flags, &["sh", "-c", r#"for file; do echo "$file" >>notes; done"#, "sh", "{name}"]).run();
        assert_eq!(lines(&desk, "notes").len(), 1, "{flags:?}");
        assert_eq!(desk.listed().iter().filter(|line| line.starts_with("same ")).count(), 3);
    };
    check(&["--jobs=8"]);
    check(&["--batch=8"]);
}

#[test]
fn a_twin_of_what_was_to_be_put_away_is_processed_first() {
    let desk = Desk::with(&["in/a"]);
    // Nothing can be put where a file stands: what has succeeded waits for its place.
    desk.put("done", "in the way");
    let flags = ["--done-dir=done"];
    desk.once(&flags, &["true"]).status(23).stderr_has("it stays, and that is tried again").run();
    assert_eq!(desk.listed(), ["passed a"]);
    let before = fs::metadata(desk.path("in/a")).unwrap();
    desk.put("twin", "IN/A");
    let time = fs::FileTimes::new().set_modified(before.modified().unwrap());
    fs::File::options().write(true).open(desk.path("twin")).unwrap().set_times(time).unwrap();
    fs::rename(desk.path("twin"), desk.path("in/a")).unwrap();
    let after = fs::metadata(desk.path("in/a")).unwrap();
    assert_eq!((before.size(), before.mtime_nsec()), (after.size(), after.mtime_nsec()));
    fs::remove_file(desk.path("done")).unwrap();
    desk.once(&flags, &["cat", "{}"]).stdout("IN/A").run();
    assert_eq!(desk.names("done"), ["a"]);
}

#[test]
fn what_has_succeeded_under_a_new_name_is_not_gone_for_its_old_one() {
    let desk = Desk::with(&["in/z"]);
    let script = r#"echo "$1 $DIRWATCH_ATTEMPT" >>notes
        case $1 in
            wait) while ! test -e go; do sleep 0.01; done ;;
            z) exit 1 ;;
        esac"#;
    let flags = ["--retries=0", "--order=name"];
    let watcher = desk.watch(&flags, &["sh", "-c", script, "sh", "{name}"]).stderr_has("giving up").start();
    desk.wait("it has failed", |desk| desk.listed() == ["failed z"]);
    desk.put("in/wait", "");
    desk.wait("another command runs", |desk| desk.read("notes").contains("wait"));
    desk.dirwatch(["--retry", "z", "in"]).run();
    // The watcher looks for what was asked for once a second; then both names wait.
    sleep(Duration::from_secs(2));
    fs::rename(desk.path("in/z"), desk.path("in/a")).unwrap();
    desk.put("in/zz", "");
    sleep(Duration::from_millis(200));
    desk.put("go", "");
    desk.wait("all others have their turn", |desk| desk.read("notes").contains("zz"));
    watcher.terminate();
    watcher.finish();
    assert_eq!(lines(&desk, "notes"), ["a 2", "wait 1", "z 1", "zz 1"]);
    assert_eq!(desk.listed(), ["done a", "done wait", "done zz"]);
}
