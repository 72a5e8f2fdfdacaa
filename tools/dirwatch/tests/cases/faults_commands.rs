//! Commands that hang, vanish, change what they are given, or outlive their watcher.
//!
//! Items 9, 10, 11, 12 and 19 of the list in [`super::faults`].

use std::fs;

use rustix::process::Signal;

use super::faults::{Site, wait_until};

fn text(site: &Site, name: &str) -> String {
    fs::read_to_string(site.path(name)).unwrap_or_default()
}

/// The processes whose numbers stand in a file, as far as they have not ended.
fn alive(site: &Site, name: &str) -> Vec<String> {
    let numbers = text(site, name);
    let lives = |pid: &&str| {
        let status = fs::read_to_string(format!("/proc/{pid}/status")).unwrap_or_default();
        !status.is_empty() && !status.contains("State:\tZ")
    };
    numbers.split_whitespace().filter(lives).map(str::to_owned).collect()
}

/// Ignores SIGTERM, and so does what it starts: one of its group, and one with a session of its own that
/// holds its output.
const STUBBORN: &str = "trap '' TERM; echo $$ >>pids
    sh -c 'echo $$ >>pids; while :; do sleep 1; done' &
    setsid sh -c 'echo $$ >>pids; while :; do sleep 1; done' &
    while :; do sleep 1; done";

#[test]
fn who_hangs_and_ignores_sigterm_is_ended_with_all_it_has_started() {
    let mut site = Site::new();
    site.put("a", "a");
    site.start(&["--timeout=1s", "--retries=0"], &["sh", "-c", STUBBORN]);
    site.wait("three run", |site| text(site, "pids").lines().count() == 3);
    site.wait_said("timed out after 1s; attempt=1, giving up");
    wait_until("none is left", || alive(&site, "pids").is_empty());
    // And it goes on.
    site.put("b", "b");
    site.wait("the next one runs", |site| text(site, "pids").lines().count() == 6);
    site.wait_said("in/b: timed out after 1s");
    assert_eq!(site.end(), 0);
    wait_until("none is left", || alive(&site, "pids").is_empty());
}

#[test]
fn what_a_command_leaves_behind_does_not_keep_the_watcher() {
    let site = Site::new();
    site.put("a", "a");
    site.put("b", "b");
    // It holds standard output and error for long.
    let leave = "setsid sleep 1000 & echo $! >>pids";
    let mut line = site.line(&["--once"], &["sh", "-c", leave]);
    // Only a file can be waited for: a pipe would be held.
    line.stderr(fs::File::create(site.path("errors")).unwrap()).stdout(std::process::Stdio::null());
    assert!(line.status().unwrap().success(), "{}", site.said());
    let left = alive(&site, "pids");
    assert_eq!(left.len(), 2);
    for pid in left {
        std::process::Command::new("kill").args(["-KILL", &pid]).status().unwrap();
    }
}

#[test]
fn a_command_that_cannot_be_run_ends_the_watcher_and_spoils_no_file() {
    let check = |command: &[&str], want: &str| {
        let mut site = Site::new();
        site.put("a", "a");
        testkit::write(site.path("not-executable"), "#!/bin/sh\n");
        site.start(&[], command);
        assert_eq!(site.ended(), 2, "{}", site.said());
        assert!(site.said().contains(want), "{}", site.said());
        let (status, said) = site.once(&["--backoff=1ms"], &[]);
        assert_eq!(status, 0, "{said}");
        assert_eq!(site.noted()["a"], [1], "it was no attempt");
    };
    check(&["no-such-command"], "no-such-command");
    check(&["./not-executable"], "not-executable");
    check(&["./in"], "cannot run ./in");
    check(&["sh", "-c", "no-such-command"], "status 127");
    check(&["sh", "-c", "./not-executable"], "status 126");
}

/// Notes its start and its end, and goes on until there is a file `go`.
const SLOW: &str = "echo $$ >>pids; until test -e go; do sleep 0.01; done; echo done >>ended";

#[test]
fn sigterm_takes_nothing_new_and_waits_for_what_runs() {
    let mut site = Site::new();
    site.put("a", "a");
    site.start(&[], &["sh", "-c", SLOW]);
    site.wait("it has begun", |site| site.path("pids").exists());
    site.put("b", "b");
    site.signal(Signal::TERM);
    site.put("c", "c");
    testkit::write(site.path("go"), "");
    assert_eq!(site.ended(), 0, "{}", site.said());
    assert_eq!(text(&site, "ended").lines().count(), 1);
    assert_eq!(site.count("done"), 1);
    let (status, said) = site.once(&[], &[]);
    assert_eq!((status, said.as_str()), (0, ""));
    assert_eq!(site.noted().keys().collect::<Vec<_>>(), ["b", "c"]);
}

#[test]
fn after_the_grace_what_runs_is_ended_and_taken_again() {
    let mut site = Site::new();
    site.put("a", "a");
    site.start(&["--grace=1s"], &["sh", "-c", STUBBORN]);
    site.wait("three run", |site| text(site, "pids").lines().count() == 3);
    assert_eq!(site.end(), 0, "{}", site.said());
    assert!(alive(&site, "pids").is_empty(), "{}", site.said());
    let (status, said) = site.once(&[], &[]);
    assert_eq!(status, 0, "{said}");
    assert_eq!(site.noted()["a"], [2]);
}

#[test]
fn a_second_sigterm_ends_it_at_once_and_loses_nothing() {
    let mut site = Site::new();
    site.put("a", "a");
    site.start(&["-v"], &["sh", "-c", SLOW]);
    site.wait("it has begun", |site| site.path("pids").exists());
    site.signal(Signal::TERM);
    site.wait_said("stopping; 1 command");
    let status = format!("/proc/{}/status", site.pid());
    // Within half a second a second one is the first one, told twice.
    wait_until("it ends", || {
        site.signal(Signal::TERM);
        fs::read_to_string(&status).unwrap().contains("State:\tZ")
    });
    assert_eq!(site.ended(), 143, "{}", site.said());
    testkit::write(site.path("go"), "");
    wait_until("the command is gone", || alive(&site, "pids").is_empty());
    let (status, said) = site.once(&[], &[]);
    assert_eq!(status, 0, "{said}");
    assert_eq!(site.noted()["a"], [2]);
}

#[test]
fn who_is_killed_while_a_command_runs_sets_it_aside_if_that_is_wanted() {
    let mut site = Site::new();
    site.put("a", "a");
    site.start(&[], &["sh", "-c", SLOW]);
    site.wait("it has begun", |site| site.path("pids").exists());
    site.kill();
    testkit::write(site.path("go"), "");
    wait_until("the command is gone", || alive(&site, "pids").is_empty());
    let (status, said) = site.once(&["--on-interrupted=quarantine"], &[]);
    assert_eq!(status, 23, "{said}");
    assert!(said.contains("set aside") && site.notes().is_empty(), "{said}");
    assert_eq!(site.count("interrupted"), 1);
}

#[test]
fn a_command_that_changes_its_own_file_does_not_keep_others_waiting() {
    let mut site = Site::new();
    let change = r#"echo x >>times; echo more >>"$1""#;
    site.start(&["--backoff=100ms..1h"], &["sh", "-c", change, "sh", "{}"]);
    site.put("self", "x");
    site.wait_said("self changes each time its command runs");
    let times = text(&site, "times").lines().count();
    assert!((5..20).contains(&times), "{times}");
    for number in 0..5 {
        site.put(format!("other{number}"), "x");
    }
    site.wait("the others are taken", |site| site.look("--list=done").1.matches("in/other").count() >= 5);
    assert_eq!(site.end(), 0);
    assert_eq!(site.times_said("self changes each time"), 1, "{}", site.said());
}

#[test]
fn a_command_may_delete_its_file_and_make_others() {
    let mut site = Site::new();
    let notes = r#"echo "$2" >>names; rm "$1"; case $2 in *.src) echo x >in/"$2".out;; esac"#;
    site.start(&["--done-dir=done"], &["sh", "-c", notes, "sh", "{}", "{name}"]);
    for number in 0..20 {
        site.put(format!("{number}.src"), "x");
    }
    site.wait("all are taken", |site| text(site, "names").lines().count() >= 40);
    assert_eq!(site.end(), 0, "{}", site.said());
    assert_eq!(site.said(), "");
    let (status, said) = site.once(&[], &[]);
    assert_eq!((status, said.as_str(), site.notes().len()), (0, "", 0));
    assert_eq!(text(&site, "names").lines().count(), 40, "each once");
}
