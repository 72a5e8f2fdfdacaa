//! What commands are told: arguments, environment, standard input, batches, events.

use std::collections::BTreeSet;
use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

use testkit::Case;

use super::desk::Desk;

#[test]
fn a_placeholder_stands_for_a_part_of_the_path() {
    let desk = Desk::new();
    desk.put("in/a b.tar.gz", "hi");
    let words =
        ["{}", "{dir}", "{name}", "{stem}", "{ext}", "x{name}y{{}}", "{{name}}", "{a,b} { }", "{hash}"];
    let folder = desk.path("in");
    let folder = folder.to_str().unwrap();
    let hash = blake3::hash(b"hi").to_hex();
    let want = format!(
        "{folder}/a b.tar.gz\n{folder}\na b.tar.gz\na b.tar\ngz\nxa b.tar.gzy{{}}\n{{name}}\n{{a,b}} {{ }}\n{hash}\n"
    );
    desk.once(&[], &[&["printf", "%s\\n"], &words[..]].concat()).stdout(want).run();
}

#[test]
fn any_name_reaches_the_command_as_it_is() {
    let desk = Desk::new();
    let long = [b'\xfe'; 255];
    let names: [&[u8]; 10] = [
        b"line\nfeed",
        b"'quoted\"",
        b"-rf",
        b"--help",
        b"bad \xff utf",
        b"$(touch pwned)",
        b"*",
        b"{name}",
        b"{}",
        &long,
    ];
    for name in names {
        desk.put(Path::new("in").join(OsStr::from_bytes(name)), "");
    }
    let script = r#"printf '%s\0%s\0' "$1" "$DIRWATCH_PATH""#;
    let ran = desk.once(&[], &["sh", "-c", script, "sh", "{}"]).stdout_has("").run();
    let told: Vec<&[u8]> = ran.stdout.split_inclusive(|byte| *byte == 0).collect();
    let path = |name: &[u8]| [desk.path("in/").as_os_str().as_bytes(), name, b"\0"].concat();
    assert_eq!(told.len(), names.len() * 2);
    for name in names {
        assert_eq!(told.iter().filter(|one| **one == path(name)).count(), 2, "{}", name.escape_ascii());
    }
    assert!(!desk.has("pwned"));
}

#[test]
fn a_command_knows_its_attempt_and_a_key_that_stays() {
    let desk = Desk::with(&["in/a"]);
    let script = r#"echo "$DIRWATCH_ATTEMPT $DIRWATCH_ID"; test "$DIRWATCH_ATTEMPT" = 3"#;
    let mut watcher =
        desk.watch(&["--backoff=1ms"], &["sh", "-c", script]).stdout_has("").stderr_has("attempt=2").start();
    watcher.wait_for_stdout("\n3 ");
    desk.put("in/b", "");
    desk.wait("a and b are done", |desk| desk.listed() == ["done a", "done b"]);
    watcher.terminate();
    let ran = watcher.finish();
    let lines: Vec<&str> = std::str::from_utf8(&ran.stdout).unwrap().lines().collect();
    let attempts: Vec<&str> = lines.iter().map(|line| line.split_once(' ').unwrap().0).collect();
    assert_eq!(attempts, ["1", "2", "3", "1", "2", "3"]);
    let keys: BTreeSet<&str> = lines.iter().map(|line| line.split_once(' ').unwrap().1).collect();
    assert_eq!(keys.len(), 2, "{lines:?}");
    assert!(keys.iter().all(|key| key.len() == 32 && key.bytes().all(|byte| byte.is_ascii_hexdigit())));
}

#[test]
fn standard_input_is_empty_or_the_content() {
    let desk = Desk::new();
    desk.put("in/a", "one\n");
    desk.put("in/b", "");
    desk.once(&[], &["sh", "-c", "wc -c; readlink /proc/self/fd/0"])
        .stdout("0\n/dev/null\n0\n/dev/null\n")
        .run();
    desk.put("in/c", b"x\0\xffy");
    let script = r#"wc -c; echo "$1""#;
    desk.dirwatch_on(
        "other",
        ["--once", "--order=name", "--stdin", "in", "--", "sh", "-c", script, "sh", "{name}"],
    )
    .stdout("4\na\n0\nb\n4\nc\n")
    .run();
}

#[test]
fn a_batch_is_full_or_all_there_is() {
    let files = ["in/a", "in/b", "in/c", "in/d", "in/e"];
    let check = |flags: &[&str], want: &str| {
        Desk::with(&files).once(flags, &["echo", "{name}", "/", "{name}"]).stdout(want).run();
    };
    check(&["--batch=2"], "a b / a b\nc d / c d\ne / e\n");
    check(&["--batch=1h"], "a b c d e / a b c d e\n");
    check(&["--batch=4", "--batch=1h"], "a b c d / a b c d\ne / e\n");
    check(&["--batch=1"], "a / a\nb / b\nc / c\nd / d\ne / e\n");
}

#[test]
fn a_batch_waits_for_more_until_it_is_full() {
    let desk = Desk::with(&["in/a"]);
    let script = r#"echo "$# $(echo $DIRWATCH_ID | wc -w) [$DIRWATCH_PATH]""#;
    let mut watcher = desk.watch(&["--batch=3", "--batch=1h"], &["sh", "-c", script, "sh", "{}"]);
    watcher = watcher.env("DIRWATCH_PATH", "of somebody else").stdout("3 3 []\n");
    let mut watcher = watcher.start();
    desk.put("in/b", "");
    desk.put("in/c", "");
    watcher.wait_for_stdout("3 3");
    watcher.terminate();
    watcher.finish();
    // With a time alone nothing waits for a number that never comes.
    let mut watcher =
        desk.dirwatch_on("other", ["--batch=20ms", "in", "--", "echo", "{name}"]).stdout_has("").start();
    watcher.wait_for_stdout("c");
    watcher.terminate();
    watcher.finish();
}

#[test]
fn the_files_of_a_failed_batch_go_one_by_one() {
    let desk = Desk::with(&["in/a", "in/bad", "in/c"]);
    let script = r#"for file; do case "$file" in *bad) exit 1; esac; done; echo "$#""#;
    let mut watcher = desk
        .watch(&["--batch=9", "--backoff=1ms", "--retries=1"], &["sh", "-c", script, "sh", "{}"])
        .stdout("1\n1\n")
        .stderr_has("bad: exit status 1; attempt=2, giving up")
        .start();
    watcher.wait_for_stderr("giving up");
    desk.wait("the others are done", |desk| desk.listed() == ["done a", "done c", "failed bad"]);
    watcher.terminate();
    watcher.finish();
}

#[test]
fn a_batch_is_no_longer_than_a_command_line_may_be() {
    let desk = Desk::new();
    let deep = vec!["d".repeat(250); 12].join("/");
    for number in 0..900 {
        desk.put(format!("in/{deep}/{number}"), "");
    }
    let ran =
        desk.once(&["-r", "--batch=1000"], &["sh", "-c", r#"echo "$#""#, "sh", "{}"]).stdout_has("").run();
    let counts: Vec<usize> =
        std::str::from_utf8(&ran.stdout).unwrap().lines().map(|line| line.parse().unwrap()).collect();
    assert_eq!(counts.iter().sum::<usize>(), 900);
    assert!((2..20).contains(&counts.len()), "{counts:?}");
}

#[test]
fn jobs_run_at_the_same_time_and_no_more() {
    let meet = r#"touch "out/$1"; until [ "$(ls out | wc -l)" = 3 ]; do sleep 0.01; done"#;
    let desk = Desk::with(&["in/a", "in/b", "in/c", "out/.keep"]);
    desk.once(&["--jobs=3"], &["sh", "-c", meet, "sh", "{name}"]).run();
    let desk = Desk::with(&["in/a", "in/b", "in/c", "in/d"]);
    desk.once(&[], &["sh", "-c", "mkdir alone && sleep 0.02 && rmdir alone"]).run();
}

/// The order in which files are taken that come while the one before runs.
fn check_order(order: &str, want: &str) {
    let desk = Desk::with(&["in/first"]);
    let script = r#"echo "$1"; touch "$1"; until [ -e go ]; do sleep 0.01; done"#;
    let mut watcher = desk
        .watch(&["--order", order, "--metrics=numbers"], &["sh", "-c", script, "sh", "{name}"])
        .stdout(want)
        .start();
    desk.wait_for("first");
    for (name, second) in [("c", 20), ("a", 30), ("b", 10)] {
        let new = desk.path(name);
        desk.put(&new, "");
        let time = std::time::UNIX_EPOCH + std::time::Duration::from_secs(second);
        std::fs::File::options().write(true).open(&new).unwrap().set_modified(time).unwrap();
        std::fs::rename(new, desk.path("in").join(name)).unwrap();
    }
    desk.wait("three wait", |desk| {
        desk.has("numbers") && desk.read("numbers").contains("\"} 3\n# HELP dirwatch_waiting")
    });
    desk.put("go", "");
    watcher.wait_for_stdout(want);
    watcher.terminate();
    watcher.finish();
}

#[test]
fn what_waits_is_taken_in_the_order_of_arrival() {
    check_order("arrival", "first\nc\na\nb\n");
}

#[test]
fn what_waits_is_taken_in_the_order_of_names() {
    check_order("name", "first\na\nb\nc\n");
}

#[test]
fn what_waits_is_taken_in_the_order_of_times() {
    check_order("time", "first\nb\nc\na\n");
}

#[test]
fn what_was_there_is_taken_in_order() {
    let check = |order: &str, want: &str| {
        let desk = Desk::with(&["in/b", "in/z/a", "in/c"]);
        for (name, second) in [("b", 20), ("z/a", 30), ("c", 10)] {
            let time = std::time::UNIX_EPOCH + std::time::Duration::from_secs(second);
            let file = std::fs::File::options().write(true).open(desk.path("in").join(name)).unwrap();
            file.set_modified(time).unwrap();
        }
        desk.dirwatch(["--once", "-r", "--order", order, "in", "--", "echo", "{name}"]).stdout(want).run();
    };
    check("time", "c\nb\na\n");
    check("name", "b\nc\na\n");
}

#[test]
fn an_event_tells_all_of_a_file() {
    let desk = Desk::new();
    desk.put("in/a", "hello");
    desk.put(Path::new("in").join(OsStr::from_bytes(b"b\xff")), "");
    let ran = desk.dirwatch(["--once", "--order=name", "--events", "in"]).stdout_has("").run();
    let events: Vec<serde_json::Value> = ran
        .stdout
        .split_inclusive(|byte| *byte == b'\n')
        .map(|line| serde_json::from_slice(line).unwrap())
        .collect();
    assert_eq!(events.len(), 2);
    assert_eq!(events[0]["path"], desk.path("in/a").to_str().unwrap());
    assert_eq!((&events[0]["size_bytes"], &events[0]["attempt"]), (&5.into(), &1.into()));
    assert_eq!(events[0]["id"].as_str().unwrap().len(), 32);
    assert!(events[0]["modified"].as_str().unwrap().ends_with('Z') && events[0]["path_bytes"].is_null());
    assert!(events[1]["path_bytes"].as_str().unwrap().ends_with("2f62ff"), "{}", events[1]);
    desk.dirwatch(["--once", "--events", "in"]).run();
}

#[test]
fn what_nobody_read_is_told_again() {
    let desk = Desk::new();
    for number in 0..2000 {
        desk.put(format!("in/{number:0200}"), "");
    }
    let line = r#"{ "$0" "$@"; echo "? $?" >&2; } | head -n 1"#;
    let dirwatch = env!("CARGO_BIN_EXE_dirwatch");
    let first = Case::new("sh")
        .current_dir(desk.path(""))
        .args(["-c", line, dirwatch, "--state=state", "--once", "--events", "in"])
        .stdout_has("{\"path\":")
        .stderr("? 0\n")
        .run();
    assert_eq!(first.stdout.split(|byte| *byte == b'\n').count() - 1, 1);
    let known = desk.listed().iter().filter(|line| line.starts_with("done")).count();
    let second = desk.dirwatch(["--once", "--events", "in"]).stdout_has("").run();
    let told = second.stdout.split(|byte| *byte == b'\n').count() - 1;
    // A pipe holds 64 KiB that its reader never asked for.
    assert!(known < 600 && known + told == 2000, "{known} {told}");
}
