//! Never two at once.

use std::fs;
use std::path::Path;
use std::process::{Child, Command};

use testkit::{Case, Running};

use crate::{RUNJOB, is_alive, job, kill, wait_for_the_end_of};

const HELD: &str = "--lock ./lock";

/// A job that writes its number to `pid`, and ends with status 6 when there is a file `go`.
const UNTIL_GO: &str =
    "echo $$ > new; mv new pid; echo ready; while [ ! -e go ]; do sleep 0.01; done; exit 6";

/// Leaves a daemon behind, once that is in a session of its own.
const DAEMON: &str = "setsid sleep 1000 >&- 2>&- <&- & echo $! > daemon
    until grep -q sleep /proc/$!/comm; do sleep 0.01; done";

/// A run that has the lock.
fn holder(script: &str, status: i32) -> Running {
    let mut running = job(HELD, script).status(status).stdout_has("ready").start();
    running.wait_for_stdout("ready");
    running
}

fn pid(running: &Running) -> String {
    fs::read_to_string(running.path("pid")).unwrap().trim().to_owned()
}

fn go(running: &Running) {
    fs::write(running.path("go"), "").unwrap();
}

/// Whether the lock in `folder` is held, by somebody who is called so.
fn is_busy(folder: &Path, by: &str) {
    let case = job(HELD, "echo never").current_dir(folder).status(75);
    case.stderr_has(format!("lock is held by {by}")).run();
}

fn is_free(folder: &Path) {
    job(HELD, "echo mine").current_dir(folder).stdout("mine\n").run();
}

#[test]
fn that_it_is_busy_is_75_and_no_other_status() {
    let running = holder(UNTIL_GO, 6);
    is_busy(&running.path(""), &format!("runjob (pid {})", running.id()));
    job("--lock ./lock --wait 10ms", "echo never")
        .current_dir(running.path(""))
        .status(75)
        .stderr_has("; waited 10ms")
        .run();
    go(&running);
    is_free(running.finish().dir.path());
    job(HELD, "exit 1").status(1).run();
}

#[test]
fn what_is_left_behind_keeps_nothing() {
    let output = job(HELD, DAEMON).run();
    is_free(output.dir.path());
    kill("KILL", &String::from_utf8(output.read("daemon")).unwrap());
}

#[track_caller]
fn keeps_the_lock_when_its_wrapper_is_killed(script: &str) {
    let running = holder(script, 137);
    running.kill();
    wait_for_the_end_of(&running.id().to_string());
    let job = pid(&running);
    is_busy(&running.path(""), &format!("a job whose runjob is gone (pid {job})"));
    go(&running);
    wait_for_the_end_of(&job);
    is_free(running.finish().dir.path());
}

#[test]
fn a_wrapper_that_is_killed_frees_nothing_while_the_job_runs() {
    keeps_the_lock_when_its_wrapper_is_killed(UNTIL_GO);
}

#[test]
fn nor_when_the_job_has_closed_what_it_inherits() {
    let close = "for n in $(ls /proc/$$/fd); do [ $n -gt 2 ] && eval \"exec $n>&-\"; done; ";
    let script = format!("exec bash -c '{close}{UNTIL_GO}'");
    keeps_the_lock_when_its_wrapper_is_killed(&script);
}

#[test]
fn a_daemon_of_a_job_whose_wrapper_was_killed_keeps_nothing() {
    let running = holder(&format!("{DAEMON}; {UNTIL_GO}"), 137);
    running.kill();
    wait_for_the_end_of(&running.id().to_string());
    go(&running);
    wait_for_the_end_of(&pid(&running));
    let output = running.finish();
    let daemon = String::from_utf8(output.read("daemon")).unwrap();
    assert!(is_alive(&daemon));
    is_free(output.dir.path());
    kill("KILL", &daemon);
}

#[test]
fn both_killed_block_nobody_whatever_the_file_then_says() {
    let running = holder(UNTIL_GO, 137);
    running.kill();
    let job = pid(&running);
    kill("KILL", &job);
    wait_for_the_end_of(&format!("{} {job}", running.id()));
    let output = running.finish();
    is_free(output.dir.path());
    for torn in ["", "{\"fence\":", "\0\0\0"] {
        testkit::write(output.path("lock"), torn);
        is_free(output.dir.path());
    }
}

#[test]
fn a_file_that_is_removed_or_made_again_frees_nothing() {
    let running = holder(UNTIL_GO, 6);
    let by = format!("runjob (pid {})", running.id());
    fs::remove_file(running.path("lock")).unwrap();
    is_busy(&running.path(""), &by);
    fs::remove_file(running.path("lock")).unwrap();
    testkit::write(running.path("lock"), "another");
    is_busy(&running.path(""), &by);
    // By another way to the same folder.
    std::os::unix::fs::symlink(running.path(""), running.path("link")).unwrap();
    let case = job("--lock link/lock", "echo never").current_dir(running.path("")).status(75);
    case.stderr_has(format!("lock is held by {by}")).run();
    go(&running);
    is_free(running.finish().dir.path());
}

/// So many at once, in one folder.
fn many(folder: &Path, flags: &str, script: &str) -> Vec<Child> {
    let start = |_| {
        let mut command = Command::new(RUNJOB);
        command.args(flags.split_whitespace()).args(["-q", "--", "sh", "-c", script]);
        command.current_dir(folder).stderr(std::process::Stdio::null()).spawn().unwrap()
    };
    (0..8).map(start).collect()
}

#[test]
fn of_many_at_once_one_runs() {
    for _ in 0..5 {
        let folder = tempfile::tempdir().unwrap();
        let script = "mkdir inside || exit 99; while [ ! -e go ]; do sleep 0.01; done";
        let mut running = many(folder.path(), HELD, script);
        let mut statuses: Vec<i32> = Vec::new();
        while statuses.len() < 8 {
            let ended: Vec<_> =
                running.iter_mut().map(|one| one.try_wait().unwrap().and_then(|end| end.code())).collect();
            statuses.extend(ended.iter().flatten());
            let mut ended = ended.into_iter();
            running.retain(|_| ended.next().flatten().is_none());
            if statuses.len() == 7 {
                testkit::write(folder.path().join("go"), "");
            }
            std::thread::sleep(std::time::Duration::from_millis(1));
        }
        assert_eq!(statuses, [75, 75, 75, 75, 75, 75, 75, 0]);
    }
}

#[test]
fn those_who_wait_run_one_after_the_other_and_numbers_grow() {
    let folder = tempfile::tempdir().unwrap();
    let script = "mkdir inside || exit 99; echo $FENCE >> fences; rmdir inside";
    for flags in ["--lock ./lock --wait 1h", "--lock ./lock --wait 50s --timeout 1h -Q"] {
        for mut one in many(folder.path(), flags, script) {
            assert_eq!(one.wait().unwrap().code(), Some(0));
        }
        // The numbers go on growing when the file is lost.
        fs::remove_file(folder.path().join("lock")).unwrap();
    }
    let text = fs::read_to_string(folder.path().join("fences")).unwrap();
    let fences: Vec<u64> = text.lines().map(|line| line.parse().unwrap()).collect();
    assert_eq!(fences.len(), 16);
    assert!(fences.windows(2).all(|pair| pair[0] < pair[1]), "{fences:?}");
}

#[test]
fn what_takes_too_long_is_gone_when_the_lock_is_free() {
    let script = "trap '' TERM; setsid sleep 1000 & echo $$ $! > pids; wait";
    let flags = "--lock ./lock --timeout 3s --kill-after 0s";
    let output = job(flags, script).status(124).stderr_has("took longer than 3s").run();
    let pids = String::from_utf8(output.read("pids")).unwrap();
    assert!(!pids.split_whitespace().any(is_alive), "{pids}");
    is_free(output.dir.path());
}

#[test]
fn those_who_use_flock_take_part() {
    if !testkit::has("flock") {
        return;
    }
    job(HELD, "flock -n ./lock echo never").status(1).run();
    let case = Case::new("flock").args(["./lock", RUNJOB, "--lock", "./lock", "--", "echo", "never"]);
    case.status(75).stderr_has("lock is held by another process").run();
}

#[test]
fn who_finds_it_busy_has_touched_nothing() {
    let running = holder(UNTIL_GO, 6);
    let made = Command::new("mkfifo").arg(running.path("secret")).status().unwrap();
    assert!(made.success());
    // Nobody writes into that pipe: to read it would be to wait.
    let flags = "--lock ./lock --cred token=secret --log logs --status s --on-event false";
    let case = job(flags, "echo never").current_dir(running.path("")).status(75);
    case.stderr_has("lock is held by runjob").run();
    assert!(!running.path("logs").exists() && !running.path("s").exists());
    go(&running);
    running.finish();
}
