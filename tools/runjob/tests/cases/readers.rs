//! Those who read what runjob prints, and hang.

use std::os::unix::process::ExitStatusExt;
use std::path::Path;
use std::process::{Child, Command, ExitStatus, Stdio};

use crate::{RUNJOB, job, kill};

/// More than a pipe holds.
const MUCH: &str = "head -c 200000 /dev/zero | tr '\\0' x; : > ended;";

/// runjob, whose standard output and error nobody reads.
struct Unread(Child);

impl Unread {
    /// `runjob FLAGS -- sh -c SCRIPT` in `folder`, with one pipe for both.
    fn start(folder: &Path, flags: &str, script: &str) -> Self {
        let (unread, both) = std::io::pipe().unwrap();
        let mut command = Command::new("sh");
        // Its standard input is the reading end, which so stays open.
        command.args(["-c", "exec \"$0\" \"$@\" 2>&1", RUNJOB]).args(flags.split_whitespace());
        command.args(["--", "sh", "-c", script]).current_dir(folder).stdin(unread).stdout(both);
        Self(command.spawn().unwrap())
    }

    /// Its status, after SIGTERM.
    fn terminated(mut self) -> ExitStatus {
        kill("TERM", &self.0.id().to_string());
        self.0.wait().unwrap()
    }
}

impl Drop for Unread {
    fn drop(&mut self) {
        let _gone = self.0.kill();
        let _waited = self.0.wait();
    }
}

fn wait_until(is_so: impl Fn() -> bool) {
    while !is_so() {
        std::thread::sleep(std::time::Duration::from_millis(1));
    }
}

fn log_has(folder: &Path, part: &str) -> bool {
    let files = std::fs::read_dir(folder.join("logs")).into_iter().flatten().flatten();
    let mut texts = files.map(|file| std::fs::read_to_string(file.path()).unwrap_or_default());
    texts.any(|text| text.contains(part))
}

/// Runs a job whose last output nobody reads, and looks whether everybody else is done with it.
fn check(flags: &str, script: &str, status: i32) {
    let folder = tempfile::tempdir().unwrap();
    let flags = format!("{flags} --lock ./lock --status s.json --grace 1h");
    let unread = Unread::start(folder.path(), &flags, script);
    // The record comes after the lock is free, and before anybody is waited for.
    wait_until(|| folder.path().join("s.json").exists());
    job("--lock ./lock", "echo mine").current_dir(folder.path()).stdout("mine\n").run();
    let status_of_it = unread.terminated();
    assert_eq!(status_of_it.code().or_else(|| status_of_it.signal()), Some(status), "{flags}");
}

#[test]
fn one_who_hangs_holds_neither_the_lock_nor_the_end() {
    // COMMAND has ended, and what a pipe holds twice has not been read.
    let little = MUCH.replace("200000", "100000");
    check("--log logs", &little, 0);
    check("--log logs", &format!("{little} exit 3"), 3);
    check("-Q", &format!("{MUCH} exit 3"), 3);
    check("-Q --log logs", &format!("{MUCH} kill -9 $$"), 9);
    check("-Q --timeout 3s", &format!("{MUCH} exec sleep 1000"), 124);
}

#[test]
fn one_who_hangs_is_not_waited_for_by_who_was_told_to_stop_before() {
    let folder = tempfile::tempdir().unwrap();
    let script = format!("trap 'exit 7' TERM; {MUCH} while :; do sleep 0.01; done");
    let unread = Unread::start(folder.path(), "-Q", &script);
    wait_until(|| folder.path().join("ended").exists());
    assert_eq!(unread.terminated().code(), Some(7));
    // COMMAND itself waits to print.
    let folder = tempfile::tempdir().unwrap();
    let unread = Unread::start(folder.path(), "--log logs", ": > begun; exec yes");
    wait_until(|| folder.path().join("begun").exists());
    assert_eq!(unread.terminated().signal(), Some(15));
    assert!(log_has(folder.path(), "\n--- ended "));
}

#[test]
fn attempts_follow_each_other_although_nobody_reads() {
    let folder = tempfile::tempdir().unwrap();
    let script = format!("echo attempt $JOB_ATTEMPT; {} exit 3", MUCH.replace("200000", "60000"));
    let unread = Unread::start(folder.path(), "--log logs --retries 1 --backoff 0s", &script);
    wait_until(|| log_has(folder.path(), "\n--- ended "));
    assert!(log_has(folder.path(), "attempt 2\n"));
    assert_eq!(unread.terminated().code(), Some(3));
}

#[test]
fn one_who_is_slow_gets_everything() {
    let slow = |flags: &str, end: &str| {
        let script = format!("\"$0\" {flags} -- sh -c 'seq 60000; exit 3' 2>&1 {end}");
        let mut command = Command::new("sh");
        command.args(["-c", &script, RUNJOB]).current_dir(std::env::temp_dir()).stdin(Stdio::null());
        String::from_utf8(command.output().unwrap().stdout).unwrap()
    };
    let want: Vec<_> = (1..=60_000).map(|line: u32| line.to_string()).collect();
    let want = want.join("\n") + "\n";
    let folder = tempfile::tempdir().unwrap();
    let log = format!("--log {}", folder.path().display());
    for flags in ["-Q", &log] {
        let read = slow(flags, "| (head -c 1000; sleep 0.2; cat)");
        assert!(read == want, "{flags}: {} bytes", read.len());
    }
}
