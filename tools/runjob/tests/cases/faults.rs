//! runjob is killed before any of its system calls.

use std::fs;
use std::path::Path;

use serde_json::Value;
use testkit::Case;
use testkit::strace::{self, Call, Fault, Killer};
use testkit::sweep::{self, Sweep};

use crate::RUNJOB;

/// A job that fails once, and says which process it is.
const JOB: &str = "echo $$ > new; mv new job; echo x; sleep 0.05; test $JOB_ATTEMPT = 2";

/// What holds the lock next: what has become of that process.
const NEXT: &str = "test ! -e job || grep State: /proc/$(cat job)/status > state 2>&-; exit 0";

fn run(folder: &Path) -> Killer {
    let flags = "--lock ./lock --cred token=secret --status s.json --log logs -Q --timeout 1h --retries 1 --backoff 0s";
    testkit::write(folder.join("secret"), "hunter2");
    let killer = Killer::new(sweep::program(RUNJOB)).args(flags.split_whitespace());
    killer.args(["--", "sh", "-c", JOB]).current_dir(folder)
}

/// What is wrong after `fault` at `call`; none: it was not met.
fn strike(call: &Call, fault: Fault<'_>) -> Option<Vec<String>> {
    if fault != Fault::Kill {
        return None;
    }
    let folder = tempfile::tempdir().unwrap();
    let struck = run(folder.path()).strike(call.point(), fault);
    // It is not held by who is gone, and held by a job that goes on.
    let next = Case::new(RUNJOB).args(["-q", "--lock", "./lock", "--wait", "50s", "--", "sh", "-c", NEXT]);
    next.current_dir(folder.path()).run();
    let mut wrong = Vec::new();
    let state = fs::read_to_string(folder.path().join("state")).unwrap_or_default();
    if !state.is_empty() && !state.contains(['Z', 'X']) {
        wrong.push(format!("two at once: {state}"));
    }
    let report = fs::read(folder.path().join("s.json")).ok();
    if report.is_some_and(|report| serde_json::from_slice::<Value>(&report).is_err()) {
        wrong.push("a report that is not whole".into());
    }
    let said = String::from_utf8_lossy(&struck.stderr);
    let told = wrong.into_iter().map(|what| format!("{fault} at {}: {what}\n{said}", call.text));
    struck.hit.then(|| told.collect())
}

#[test]
fn no_kill_makes_two_or_none_for_ever() {
    if !strace::works() {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let calls = run(folder.path()).calls();
    let ours: Vec<Call> = calls.into_iter().filter(|call| call.thread == 0).collect();
    Sweep { faults: &[Fault::Kill], least: 150, met: 60, share: 100 }.run(&"runjob", &ours, strike);
}
