//! runjob as the first process of a container.

use std::fs;
use std::process::Command;

use testkit::Case;

use crate::{RUNJOB, job, kill};

/// Whether a namespace of processes can be had here.
#[allow(clippy::print_stderr, reason = "a test says what it skips")]
fn has_namespaces() -> bool {
    let tried = Command::new("unshare").args(["--pid", "--fork", "--mount-proc", "true"]).output();
    let has = tried.is_ok_and(|tried| tried.status.success());
    if !has {
        eprintln!("skipped: no namespace of processes can be had");
    }
    has
}

/// `runjob FLAGS -- sh -c SCRIPT` as process 1.
fn first(flags: &str, script: &str) -> Case {
    let case = Case::new("unshare").args(["--pid", "--fork", "--mount-proc", RUNJOB]);
    case.args(flags.split_whitespace()).args(["--", "sh", "-c", script])
}

/// The number of its first process as it is here, once there is one that is runjob.
fn outside(unshare: u32) -> String {
    loop {
        let list = fs::read_to_string(format!("/proc/{unshare}/task/{unshare}/children")).unwrap_or_default();
        let name = fs::read_to_string(format!("/proc/{}/comm", list.trim())).unwrap_or_default();
        if name.trim() == "runjob" {
            return list.trim().to_owned();
        }
        std::thread::sleep(std::time::Duration::from_millis(1));
    }
}

#[test]
fn it_tells_how_the_command_ended() {
    if !has_namespaces() {
        return;
    }
    first("", "echo $PPID; exit 3").stdout("1\n").status(3).run();
    first("", "kill -9 $$").status(137).run();
    first("", "kill -ABRT $$").status(134).run();
    first("-Q --retries 1 --backoff 0s --lock ./lock", "echo $JOB_ATTEMPT; test $JOB_ATTEMPT = 2").run();
}

#[test]
fn it_reaps_whoever_loses_a_parent() {
    if !has_namespaces() {
        return;
    }
    let script = "n=0; while [ $n -lt 50 ]; do (true &); n=$((n + 1)); done
        zombies() { cat /proc/[0-9]*/stat 2>&- | grep -c ' Z 1 '; }
        while [ \"$(zombies)\" != 0 ]; do sleep 0.01; done; exit 5";
    first("", script).status(5).run();
}

#[test]
fn it_hears_signals_from_inside_and_from_outside() {
    if !has_namespaces() {
        return;
    }
    let script = "trap 'exit 5' TERM; kill -TERM 1; while :; do sleep 0.01; done";
    first("", script).status(5).run();
    let case = first("", "trap 'exit 6' TERM; echo ready; while :; do sleep 0.01; done").status(6);
    let mut running = case.stdout("ready\n").start();
    running.wait_for_stdout("ready");
    kill("TERM", &outside(running.id()));
    running.finish();
}

#[test]
fn it_ends_when_it_waits_for_a_lock() {
    if !has_namespaces() {
        return;
    }
    let mut holder =
        job("--lock ./lock", "echo ready; exec sleep 1000").status(143).stdout("ready\n").start();
    holder.wait_for_stdout("ready");
    let case = first("--lock ./lock --wait 1h", "echo never").current_dir(holder.path(""));
    let running = case.status(143).stderr("runjob: stopped while waiting for ./lock\n").start();
    let pid = outside(running.id());
    // Bit 14 is SIGTERM, of those that it catches.
    let catches = || {
        let text = fs::read_to_string(format!("/proc/{pid}/status")).unwrap();
        let mask = text.lines().find_map(|line| line.strip_prefix("SigCgt:")).unwrap().trim().to_owned();
        u64::from_str_radix(&mask, 16).unwrap() >> 14 & 1 == 1
    };
    while !catches() {
        std::thread::sleep(std::time::Duration::from_millis(1));
    }
    kill("TERM", &pid);
    running.finish();
    holder.terminate();
    holder.finish();
}

#[test]
fn it_ends_all_that_takes_too_long() {
    if !has_namespaces() {
        return;
    }
    let script = "trap '' TERM; setsid sleep 1000 & wait";
    let late = "runjob: sh took longer than 3s, and was ended with 1 process that it had started\n";
    first("--timeout 3s --kill-after 0s", script).status(124).stderr(late).run();
    // Where /proc is that of the host nobody is taken for one of ours.
    let case = Case::new("unshare").args(["--pid", "--fork", RUNJOB, "--timeout", "1s", "sleep", "1000"]);
    case.status(124).stderr_has("/proc is that of another pid namespace").run();
}
