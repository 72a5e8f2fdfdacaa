//! Each file once: over restarts, under other names, with new content, after a kill.

use std::fs;
use std::path::Path;

use rustix::process::{Pid, Signal, kill_process, test_kill_process};

use super::desk::Desk;

/// A pass that takes these names.
fn takes(desk: &Desk, flags: &[&str], want: &str) {
    desk.once(flags, &["echo", "{name}"]).stdout(want).run();
}

#[test]
fn nothing_is_taken_twice_over_restarts() {
    let desk = Desk::with(&["in/a", "in/b"]);
    takes(&desk, &[], "a\nb\n");
    takes(&desk, &[], "");
    let mut watcher = desk.watch(&[], &["echo", "{name}"]).stdout("c\n").start();
    desk.put("in/c", "");
    watcher.wait_for_stdout("c\n");
    watcher.terminate();
    watcher.finish();
    takes(&desk, &[], "");
}

#[test]
fn another_content_is_another_file_and_another_name_is_not() {
    let desk = Desk::with(&["in/a", "in/b"]);
    takes(&desk, &["-r"], "a\nb\n");
    desk.put("in/a", "new");
    takes(&desk, &["-r"], "a\n");
    fs::create_dir(desk.path("in/x")).unwrap();
    fs::rename(desk.path("in/a"), desk.path("in/x/c")).unwrap();
    fs::hard_link(desk.path("in/b"), desk.path("in/d")).unwrap();
    takes(&desk, &["-r"], "");
    // The same bytes in a file of its own, and a file in the place of another one.
    fs::copy(desk.path("in/b"), desk.path("in/e")).unwrap();
    desk.put("new", "in/b");
    fs::rename(desk.path("new"), desk.path("in/b")).unwrap();
    takes(&desk, &["-r"], "b\ne\n");
    fs::remove_file(desk.path("in/e")).unwrap();
    takes(&desk, &["-r"], "");
}

#[test]
fn a_content_is_taken_once_under_any_name() {
    let flags = ["--identity=content"];
    let desk = Desk::new();
    desk.put("in/a", "one");
    desk.put("in/b", "one");
    takes(&desk, &flags, "a\n");
    fs::copy(desk.path("in/a"), desk.path("in/c")).unwrap();
    desk.put("in/a", "two");
    takes(&desk, &flags, "a\n");
    takes(&desk, &flags, "");
    let mut listed = desk.listed();
    listed.retain(|line| line.starts_with("same"));
    assert!(listed.contains(&"same b".into()) && listed.contains(&"same c".into()), "{listed:?}");
    desk.put("in/d", "");
    desk.put("in/e", "");
    takes(&desk, &flags, "d\n");
}

#[test]
fn a_path_is_taken_once_whatever_is_there() {
    let flags = ["--identity=path"];
    let desk = Desk::with(&["in/a"]);
    takes(&desk, &flags, "a\n");
    desk.put("in/a", "new");
    takes(&desk, &flags, "");
    fs::rename(desk.path("in/a"), desk.path("in/b")).unwrap();
    fs::hard_link(desk.path("in/b"), desk.path("in/c")).unwrap();
    takes(&desk, &flags, "b\nc\n");
}

#[test]
fn only_what_was_there_at_the_very_first_start_is_left() {
    let flags = ["--new-only"];
    let desk = Desk::with(&["in/old", "in/older"]);
    let mut watcher = desk.watch(&flags, &["echo", "{name}"]).stdout("new\n").start();
    desk.wait("the old ones are left", |desk| {
        desk.has("state") && desk.listed() == ["left old", "left older"]
    });
    desk.put("in/new", "");
    watcher.wait_for_stdout("new\n");
    watcher.terminate();
    watcher.finish();
    // What came while nobody watched is new, and so is a new version.
    desk.put("in/while-down", "");
    desk.put("in/older", "changed");
    takes(&desk, &flags, "older\nwhile-down\n");
    takes(&desk, &flags, "");
    desk.dirwatch(["--retry", "old", "in"]).run();
    takes(&desk, &flags, "old\n");
}

#[test]
fn what_comes_before_the_first_pass_has_ended_is_not_lost() {
    let desk = Desk::with(&["in/old"]);
    desk.once(&["--new-only"], &["echo", "{name}"]).run();
    desk.put("in/new", "");
    takes(&desk, &["--new-only"], "new\n");
    assert_eq!(desk.listed(), ["done new", "left old"]);
}

#[test]
fn a_single_pass_tells_how_it_went() {
    let desk = Desk::with(&["in/a", "in/bad"]);
    let command = ["grep", "-q", "in/a", "{}"];
    let failed = "bad: exit status 1; attempt=1, trying again by a later run\n";
    desk.once(&["--backoff=1ms"], &command).status(23).stderr_has(failed).run();
    desk.put("in/bad", "in/a");
    desk.once(&["--backoff=1ms"], &command).run();
    // Stopped before the end: try again.
    let desk = Desk::with(&["in/a", "in/b"]);
    let mut pass = desk
        .once(&[], &["sh", "-c", "echo here; until [ -e go ]; do sleep 0.01; done"])
        .status(75)
        .stdout("here\n")
        .stderr("dirwatch: stopped before everything was processed\n")
        .start();
    pass.wait_for_stdout("here");
    pass.terminate_now();
    desk.put("go", "");
    pass.finish();
    assert_eq!(desk.listed(), ["done a"]);
    takes(&desk, &[], "b\n");
}

#[test]
fn a_file_that_is_written_is_left_for_the_next_pass() {
    let desk = Desk::with(&["in/a"]);
    let writer = fs::File::options().append(true).open(desk.path("in/a")).unwrap();
    desk.once(&[], &["echo", "{name}"])
        .stderr_has("in/a is being written; it is left for the next run\n")
        .run();
    drop(writer);
    takes(&desk, &[], "a\n");
}

#[test]
fn a_ledger_has_one_watcher() {
    let desk = Desk::new();
    let mut watcher = desk.watch(&[], &["echo", "{name}"]).stdout("a\n").start();
    desk.put("in/a", "");
    watcher.wait_for_stdout("a");
    desk.once(&[], &["true"])
        .status(75)
        .stderr_has("is locked by another process")
        .stderr_has(format!("pid {}", watcher.id()))
        .run();
    watcher.terminate();
    watcher.finish();
}

/// A watcher that was killed while its command runs, and the pid of the command.
fn killed(desk: &Desk, flags: &[&str]) -> Pid {
    let script = "exec >/dev/null 2>&1; echo $$ >pid.new; mv pid.new pid; until [ -e go ]; do sleep 0.01; done; echo >>ended";
    let watcher = desk.watch(flags, &["sh", "-c", script]).status(137).start();
    desk.wait_for("pid");
    watcher.kill();
    watcher.finish();
    Pid::from_raw(desk.read("pid").trim().parse().unwrap()).unwrap()
}

#[test]
fn a_command_that_was_cut_off_is_repeated_and_told_so() {
    let desk = Desk::with(&["in/a"]);
    kill_process(killed(&desk, &[]), Signal::KILL).unwrap();
    desk.once(&[], &["sh", "-c", "echo $DIRWATCH_ATTEMPT"])
        .stdout("2\n")
        .stderr_has("in/a: its command was interrupted; attempt=1, trying again\n")
        .run();
    takes(&desk, &[], "");
}

#[test]
fn a_command_that_was_cut_off_is_not_repeated_where_that_is_wanted() {
    let flags = ["--on-interrupted=quarantine"];
    let desk = Desk::with(&["in/a"]);
    kill_process(killed(&desk, &flags), Signal::KILL).unwrap();
    desk.once(&flags, &["echo", "{name}"]).status(23).stderr_has("set aside").run();
    assert_eq!(desk.listed(), ["interrupted a"]);
    takes(&desk, &flags, "");
    desk.dirwatch(["--retry", "a", "in"]).run();
    desk.once(&flags, &["sh", "-c", "echo $DIRWATCH_ATTEMPT"]).stdout("2\n").run();
}

#[test]
fn a_command_that_outlives_its_watcher_is_waited_for() {
    let desk = Desk::with(&["in/a"]);
    let pid = killed(&desk, &[]);
    let script = r#"test -e ended && echo "$DIRWATCH_ATTEMPT""#;
    let mut next = desk.once(&[], &["sh", "-c", script]).stdout("2\n").stderr_has("trying again").start();
    next.wait_for_stderr(format!("still runs since the last start (pid {pid}); waiting for its end"));
    assert!(test_kill_process(pid).is_ok() && !desk.has("ended"));
    desk.put("go", "");
    next.finish();
}

#[test]
fn the_record_is_found_by_the_folder() {
    let desk = Desk::with(&["in/a"]);
    let home = desk.path("home");
    let run = |folder: &str, command: &[&str], want: &str| {
        testkit::Case::new(env!("CARGO_BIN_EXE_dirwatch"))
            .current_dir(desk.path(""))
            .env("XDG_STATE_HOME", &home)
            .args(["--once", folder, "--"])
            .args(command)
            .stdout(want)
            .run()
    };
    run("in", &["echo", "{name}"], "a\n");
    run("./in/../in/", &["echo", "{name}"], "");
    let names = desk.names("home/dirwatch");
    assert!(names.iter().any(|name| name.starts_with("in-") && Path::new(name).extension().is_some_and(|end| end == "db")));
}

#[test]
fn a_strict_start_is_on_the_disk_first() {
    let desk = Desk::with(&["in/a"]);
    kill_process(killed(&desk, &["--durability=strict"]), Signal::KILL).unwrap();
    desk.once(&["--durability=strict"], &["sh", "-c", "echo $DIRWATCH_ATTEMPT"])
        .stdout("2\n")
        .stderr_has("interrupted")
        .run();
}
