//! Commands that fail, hang, cannot be run, or meddle with their file.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use rustix::process::{Pid, test_kill_process};
use testkit::Running;

use super::desk::Desk;

fn end(watcher: Running) -> String {
    watcher.terminate();
    String::from_utf8(watcher.finish().stdout).unwrap()
}

#[test]
fn a_file_is_tried_again_and_given_up() {
    let desk = Desk::with(&["in/a"]);
    let mut watcher = desk
        .watch(&["--retries=2", "--backoff=1ms..2ms"], &["sh", "-c", "echo $DIRWATCH_ATTEMPT; exit 7"])
        .stdout("1\n2\n3\n")
        .stderr_has("in/a: exit status 7; attempt=1, trying again in ")
        .stderr_has("in/a: exit status 7; attempt=3, giving up\n")
        .start();
    watcher.wait_for_stderr("giving up");
    desk.wait("it has failed", |desk| desk.listed() == ["failed a"]);
    end(watcher);
    desk.once(&[], &["echo", "{name}"]).run();
    // A later start goes on where the last one was.
    let desk = Desk::with(&["in/a"]);
    let failing = ["sh", "-c", "echo $DIRWATCH_ATTEMPT; kill -9 $$"];
    let flags = ["--retries=1", "--backoff=1ms"];
    desk.once(&flags, &failing).status(23).stdout("1\n").stderr_has("killed by signal 9").run();
    desk.once(&flags, &failing).status(23).stdout("2\n").stderr_has("attempt=2, giving up").run();
    desk.once(&flags, &failing).run();
}

#[test]
fn the_backoff_is_kept_over_a_restart() {
    let desk = Desk::with(&["in/a"]);
    desk.once(&["--backoff=1h"], &["false"]).status(23).stderr_has("trying again").run();
    let waits = desk.once(&["--backoff=1h"], &["echo", "{name}"]);
    waits.status(23).stderr_has("has failed before; a run in").run();
    assert_eq!(desk.listed(), ["retry a"]);
    desk.dirwatch(["--retry", "a"]).run();
    desk.once(&["--backoff=1h"], &["echo", "{name}"]).stdout("a\n").run();
}

#[test]
fn what_is_asked_for_is_done_while_the_watcher_runs() {
    let desk = Desk::with(&["in/a", "in/b"]);
    let script = r#"echo "$1 $DIRWATCH_ATTEMPT"; test -e good"#;
    let mut watcher = desk
        .watch(&["--retries=0", "--order=name"], &["sh", "-c", script, "sh", "{name}"])
        .stdout_has("")
        .stderr_has("giving up")
        .start();
    desk.wait("both have failed", |desk| desk.listed() == ["failed a", "failed b"]);
    desk.put("good", "");
    desk.dirwatch(["--retry", "a", "in"]).run();
    watcher.wait_for_stdout("a 2\n");
    desk.dirwatch(["--forget", "b", "in"]).run();
    watcher.wait_for_stdout("b 1\nb 1\n".strip_prefix("b 1\n").unwrap());
    desk.wait("both are done", |desk| desk.listed() == ["done a", "done b"]);
    desk.dirwatch(["--forget", "*"]).run();
    desk.wait("both are done again", |desk| desk.listed() == ["done a", "done b"]);
    let mut lines: Vec<_> = end(watcher).lines().map(str::to_owned).collect();
    lines.sort();
    assert_eq!(lines, ["a 1", "a 1", "a 2", "b 1", "b 1", "b 1"]);
}

#[test]
fn one_that_waits_can_be_asked_for_and_runs_once() {
    let desk = Desk::with(&["in/a", "in/b"]);
    let script = r#"echo "$1 $DIRWATCH_ATTEMPT"; test -e good"#;
    let mut watcher = desk
        .watch(&["--backoff=1h", "--order=name"], &["sh", "-c", script, "sh", "{name}"])
        .stdout_has("")
        .stderr_has("trying again in ")
        .start();
    desk.wait("both wait", |desk| desk.listed() == ["retry a", "retry b"]);
    desk.put("good", "");
    desk.dirwatch(["--retry", "a", "in"]).run();
    watcher.wait_for_stdout("a 2\n");
    desk.wait("a is done", |desk| desk.listed() == ["done a", "retry b"]);
    desk.dirwatch(["--forget", "b", "in"]).run();
    desk.wait("b is done", |desk| desk.listed() == ["done a", "done b"]);
    assert_eq!(end(watcher), "a 1\nb 1\na 2\nb 1\n");
}

#[test]
fn one_that_was_asked_for_is_not_taken_again_when_its_time_comes() {
    let desk = Desk::with(&["in/a"]);
    let script = r#"echo "$1 $DIRWATCH_ATTEMPT"; case "$1" in a) test -e good;; *) false; esac"#;
    let mut watcher = desk
        .watch(&["--backoff=3s..3s"], &["sh", "-c", script, "sh", "{name}"])
        .stdout_has("")
        .stderr_has("trying again in ")
        .start();
    desk.wait("a waits", |desk| desk.listed() == ["retry a"]);
    desk.put("good", "");
    desk.dirwatch(["--retry", "a", "in"]).run();
    watcher.wait_for_stdout("a 2\n");
    // Its times come after that of the file before it.
    desk.put("in/b", "");
    watcher.wait_for_stdout("b 4\n");
    watcher.terminate();
    let told = String::from_utf8(watcher.finish().stdout).unwrap();
    assert_eq!(told.matches("a ").count(), 2, "{told}");
}

#[test]
fn a_command_that_cannot_be_run_is_not_the_files_fault() {
    let desk = Desk::with(&["in/a", "plain", "script"]);
    desk.put("script", "#!/no/such/interpreter\n");
    fs::set_permissions(desk.path("script"), fs::Permissions::from_mode(0o755)).unwrap();
    let check = |command: &[&str], want: &str| {
        desk.once(&[], command).status(2).stderr_has(want).run();
    };
    check(&["no-such-command", "{}"], "cannot run no-such-command: no such command in PATH");
    check(&["./plain"], "is not executable; give it the right with chmod +x");
    check(&["./script"], "its interpreter /no/such/interpreter is not there");
    check(&["sh", "-c", "exit 127"], "`sh` ended with status 127");
    check(&["sh", "-c", "exit 126"], "`sh` ended with status 126");
    desk.watch(&[], &["no-such-command"]).status(2).stderr_has("cannot run no-such-command").run();
    desk.once(&[], &["sh", "-c", "echo $DIRWATCH_ATTEMPT"]).stdout("1\n").run();
}

#[test]
fn the_whole_tree_is_ended_after_its_time() {
    let desk = Desk::with(&["in/a"]);
    let script = "trap '' TERM; setsid sh -c 'echo $$ >far.new; mv far.new far; sleep 1000' & \
                  sleep 1000 & echo $! >near; until [ -e far ]; do sleep 0.01; done; wait; sleep 1000";
    desk.once(&["--timeout=2s", "--retries=0"], &["sh", "-c", script])
        .status(23)
        .stderr_has("in/a: ")
        .stderr_has("2s")
        .stderr_has("giving up")
        .run();
    for name in ["near", "far"] {
        let pid = Pid::from_raw(desk.read(name).trim().parse().unwrap()).unwrap();
        // A process that init has not collected yet is dead too.
        let is_dead = |_: &Desk| {
            let state = fs::read_to_string(format!("/proc/{pid}/status")).unwrap_or_default();
            test_kill_process(pid).is_err() || state.contains("State:\tZ") || state.contains("State:\tX")
        };
        desk.wait(name, is_dead);
    }
}

#[test]
fn a_file_that_somebody_changes_meanwhile_is_taken_again() {
    for flags in [&[][..], &["--done-dir=done"], &["--delete"], &["--retries=0", "--failed-dir=failed"]] {
        let desk = Desk::with(&["in/a"]);
        let script = r#"cat "$1"; echo; until [ -e go ]; do sleep 0.01; done; test -z "$FAIL""#;
        let fails = flags.len() == 2;
        let mut watcher = desk
            .watch(flags, &["sh", "-c", script, "sh", "{}"])
            .env("FAIL", if fails { "yes" } else { "" })
            .stdout("in/a\nnew content\n")
            .stderr_has("")
            .start();
        watcher.wait_for_stdout("in/a\n");
        desk.put("in/a", "new content");
        desk.put("go", "");
        watcher.wait_for_stdout("new content\n");
        match flags.last() {
            Some(&"--done-dir=done") => desk.wait_for("done/a"),
            Some(&"--failed-dir=failed") => desk.wait_for("failed/a"),
            Some(_) => desk.wait("it is deleted", |desk| !desk.has("in/a")),
            None => desk.wait("both are done", |desk| desk.listed() == ["done a", "done a"]),
        }
        end(watcher);
        let kept = ["in/a", "done/a", "failed/a"].into_iter().find(|path| desk.has(path));
        assert_eq!(kept.map(|path| desk.read(path)), (flags != ["--delete"]).then(|| "new content".into()));
    }
}

/// Runs a command that edits its own file until it is held back, and how often it ran.
fn edits_itself(flags: &[&str], script: &str) -> usize {
    let desk = Desk::with(&["in/a"]);
    let mut watcher =
        desk.watch(flags, &["sh", "-c", script, "sh", "{}"]).stdout_has("").stderr_has("").start();
    watcher.wait_for_stderr("changes each time its command runs");
    desk.put("in/b", "other");
    watcher.wait_for_stdout("other");
    watcher.terminate();
    let ran = watcher.finish();
    let told = String::from_utf8(ran.stderr).unwrap();
    assert_eq!(told.matches("changes each time").count(), 1, "{told}");
    assert!(told.matches("changed while").count() <= 1, "{told}");
    ran.stdout.split(|byte| *byte == b'.').count() - 1
}

#[test]
fn a_command_that_edits_its_file_is_held_back() {
    let edit = r#"case "$1" in *b) echo other;; *) echo .; echo >>"$1"; esac"#;
    for flags in [&["--backoff=1h"][..], &["--backoff=1h", "--done-dir=done"], &["--backoff=1h", "--delete"]]
    {
        assert_eq!(edits_itself(flags, edit), 5, "{flags:?}");
    }
    let fail = format!("{edit}; exit 1");
    assert_eq!(edits_itself(&["--backoff=1h", "--retries=0"], &fail), 5);
    // Where the next attempt is only milliseconds away, it may come before the end.
    let ran = edits_itself(&["--backoff=1ms..1h"], &fail);
    assert!((5..8).contains(&ran), "{ran}");
}

#[test]
fn a_single_pass_ends_though_a_command_edits_its_file() {
    let desk = Desk::with(&["in/a"]);
    let edit = ["sh", "-c", r#"echo .; echo >>"$1""#, "sh", "{}"];
    desk.once(&[], &edit).stdout_has(".\n").stderr_has("changes each time").run();
    desk.once(&["--identity=path"], &edit).stdout(".\n").run();
    desk.once(&["--identity=path"], &edit).run();
}

#[test]
fn a_command_may_remove_or_move_its_file() {
    for after in [&[][..], &["--done-dir=done"], &["--delete"], &["--failed-dir=failed"]] {
        let desk = Desk::with(&["in/a", "in/b", "out/x"]);
        let script = r#"case "$1" in *a) rm "$1";; *) mv "$1" out; esac"#;
        desk.once(after, &["sh", "-c", script, "sh", "{}"]).run();
        assert_eq!((desk.listed(), desk.names("in").len()), (vec!["done a".into(), "done b".into()], 0));
        assert_eq!(desk.names("out"), ["b", "x"]);
    }
    let desk = Desk::with(&["in/a"]);
    let flags = ["--failed-dir=failed", "--retries=0"];
    desk.once(&flags, &["sh", "-c", r#"rm "$1"; exit 1"#, "sh", "{}"])
        .status(23)
        .stderr_has("giving up")
        .run();
    assert_eq!(desk.listed(), ["failed a"]);
    assert!(!desk.has("failed/a"));
}

#[test]
fn files_that_a_command_makes_are_files_too() {
    let desk = Desk::with(&["in/a"]);
    let script = r#"echo "$1"; case "$1" in a) echo b >in/b; esac"#;
    let mut watcher = desk.watch(&[], &["sh", "-c", script, "sh", "{name}"]).stdout("a\nb\n").start();
    watcher.wait_for_stdout("b\n");
    end(watcher);
    assert!(Path::new(&desk.path("in/b")).exists());
}
