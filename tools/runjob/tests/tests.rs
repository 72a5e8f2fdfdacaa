//! Cases through the binary.
#![allow(
    clippy::unwrap_used,
    clippy::disallowed_methods,
    reason = "a test fails by a panic, and writes files into temporary folders"
)]

#[path = "cases/again.rs"]
mod again;
#[path = "cases/container.rs"]
mod container;
#[path = "cases/faults.rs"]
mod faults;
#[path = "cases/lock.rs"]
mod lock;
#[path = "cases/output.rs"]
mod output;
#[path = "cases/readers.rs"]
mod readers;
#[path = "cases/reports.rs"]
mod reports;
#[path = "cases/signals.rs"]
mod signals;
#[path = "cases/surroundings.rs"]
mod surroundings;
#[path = "cases/time.rs"]
mod time;

use testkit::Case;

const RUNJOB: &str = env!("CARGO_BIN_EXE_runjob");

/// A run of `runjob FLAGS -- sh -c SCRIPT`.
fn job(flags: &str, script: &str) -> Case {
    Case::new(RUNJOB).args(flags.split_whitespace()).args(["--", "sh", "-c", script])
}

/// The same, which hears all signals: what a shell without job control runs in the background ignores Ctrl-C.
fn hearing_job(flags: &str, script: &str) -> Case {
    let case = Case::new("env").args(["--default-signal=HUP,INT,QUIT,TERM", RUNJOB]);
    case.args(flags.split_whitespace()).args(["--", "sh", "-c", script])
}

/// Whether a process is there and has not ended.
fn is_alive(pid: &str) -> bool {
    let stat = std::fs::read_to_string(format!("/proc/{}/stat", pid.trim())).unwrap_or_default();
    stat.rsplit(')').next().and_then(|rest| rest.split_whitespace().next()).is_some_and(|state| state != "Z")
}

/// Waits until none of these processes is there. That it waits for ever is what the runner's limit is for.
fn wait_for_the_end_of(pids: &str) {
    while pids.split_whitespace().any(is_alive) {
        std::thread::sleep(std::time::Duration::from_millis(1));
    }
}

fn kill(signal: &str, pid: &str) {
    let status = std::process::Command::new("kill").args(["-s", signal, pid.trim()]).status().unwrap();
    assert!(status.success());
}

#[test]
fn the_examples_of_the_manual_run() {
    testkit::readme(RUNJOB, "README.md");
}
