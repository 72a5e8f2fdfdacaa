//! What becomes of the output, whatever happens to those who take it.

use std::fs;
use std::path::Path;
use std::process::Command;

use rustix::process::geteuid;
use testkit::Case;

use crate::{RUNJOB, job, kill};

#[test]
fn nobody_hears_of_a_success() {
    job("-Q", "echo out; echo err >&2").run();
    job("", "echo out; echo err >&2").stdout("out\n").stderr("err\n").run();
}

#[test]
fn a_failure_shows_both_streams_in_their_order() {
    let script = "for i in 1 2 3 4 5; do echo out $i; echo err $i >&2; done; exit 7";
    let want: String = (1..=5).flat_map(|i| [format!("out {i}\n"), format!("err {i}\n")]).collect();
    job("-Q", script).status(7).stderr(want).run();
    job("-Q", "echo last words; kill -9 $$").status(137).stderr("last words\n").run();
    job("-Q", "exit 3").status(3).run();
}

#[test]
fn every_attempt_is_shown_when_the_last_one_fails() {
    let script = "echo this is $JOB_ATTEMPT; exit $JOB_ATTEMPT";
    let want =
        "--- attempt 1 of 3\nthis is 1\n--- attempt 2 of 3\nthis is 2\n--- attempt 3 of 3\nthis is 3\n";
    job("-Q --retries 2 --backoff 0s", script).status(3).stderr(want).run();
    job("-Q --retries 2 --no-retry-on 1", script).status(1).stderr("this is 1\n").run();
    job("-Q --retries 2 --backoff 0s", "echo $JOB_ATTEMPT; test $JOB_ATTEMPT = 2").run();
}

#[test]
fn much_output_goes_into_a_file() {
    let script = "head -c 200000000 /dev/zero; grep VmHWM /proc/$PPID/status >&2; exit 9";
    let output = Command::new(RUNJOB).args(["-Q", "--", "sh", "-c", script]).output().unwrap();
    assert_eq!((output.status.code(), output.stdout.len()), (Some(9), 0));
    let (zeros, peak) = output.stderr.split_at(200_000_000);
    assert!(zeros.iter().all(|byte| *byte == 0));
    let peak: u64 = String::from_utf8_lossy(peak).split_whitespace().nth(1).unwrap().parse().unwrap();
    // Of a debug build, whose code alone is larger than the program that ships.
    assert!(peak < 16 * 1024, "{peak} KiB");
}

#[test]
fn what_is_too_much_is_left_out_in_the_middle() {
    let want = "1\n2\n3\n4\n5\n\n--- 272 bytes of output were left out, by --max-output\n98\n99\n100\n";
    job("-Q --max-output 20B", "seq 100; exit 1").status(1).stderr(want).run();
    let status = job("--max-output 1KiB", "echo never").status(125);
    status.stderr_has("--max-output is for what is kept").run();
}

#[test]
fn a_daemon_that_keeps_the_output_open_keeps_nobody_waiting() {
    let output =
        job("-Q", "echo begun; sleep 1000 & echo $! > pid; exit 4").status(4).stderr("begun\n").run();
    kill("KILL", &String::from_utf8(output.read("pid")).unwrap());
}

#[test]
fn a_full_disk_costs_output_and_not_the_run() {
    let folder = tempfile::tempdir().unwrap();
    let mounted = geteuid().is_root()
        && Command::new("mount")
            .args(["-t", "tmpfs", "-o", "size=64k", "none"])
            .arg(folder.path())
            .status()
            .is_ok_and(|status| status.success());
    if !mounted {
        eprintln!("skipped: a small file system cannot be mounted");
        return;
    }
    let _unmount = Unmount(folder.path());
    let script = "head -c 5000000 /dev/zero | tr '\\0' '.'; echo; echo last words; exit 6";
    let output = job("-Q", script).env("TMPDIR", folder.path()).status(6).stderr_has("\nlast words\n").run();
    let text = String::from_utf8(output.stderr).unwrap();
    assert!(text.contains(" bytes of output were lost: No space left on device\n"), "{}", &text[..100]);
    assert!(text.len() > 896 * 1024, "{} bytes", text.len());

    let status = format!("--status {}/s.json", folder.path().display());
    job(&status, "true").run();
    let log = format!("--log {}", folder.path().display());
    let script = "head -c 500000 /dev/zero | tr '\\0' '.'; exit 5";
    let output = job(&log, script).status(5).stdout_has(".").stderr_has("No space left on device").run();
    assert_eq!(output.stdout.len(), 500_000);
    // A report is whole or that of the run before.
    job(&status, "exit 4").status(4).stderr_has("No space left on device").run();
    let report = fs::read_to_string(folder.path().join("s.json")).unwrap();
    assert!(report.contains("\"outcome\":\"ok\"") && report.ends_with("}\n"), "{report}");
}

#[test]
fn without_a_folder_for_it_much_output_costs_no_run() {
    let case = job("-Q", "head -c 3000000 /dev/zero | tr '\\0' x; exit 7").status(7);
    case.env("TMPDIR", "/no/such").stderr_has(vec![b'x'; 3_000_000]).run();
}

struct Unmount<'a>(&'a Path);

impl Drop for Unmount<'_> {
    fn drop(&mut self) {
        let _left = Command::new("umount").arg(self.0).status();
    }
}

#[test]
fn closed_outputs_change_nothing() {
    job("-Q", "echo unseen; exit 3").stderr_closed().status(3).run();
    let log = "--log logs --name n";
    let script = "i=0; while [ $i -lt 30000 ]; do echo line $i; i=$((i+1)); done; exit 3";
    let output = job(log, script).stdout_closed_after(6).stdout("line 0").status(3).run();
    assert!(only_log(&output.path("logs")).contains("\nline 29999\n--- ended "));
    let output = job(log, "echo to nobody; exit 2").stdout_to_full_disk().status(2);
    output.stderr_has("cannot write standard output: No space left on device").run();
}

/// The one log in a folder.
fn only_log(folder: &Path) -> String {
    let mut files = fs::read_dir(folder).unwrap();
    let text = fs::read_to_string(files.next().unwrap().unwrap().path()).unwrap();
    assert!(files.next().is_none());
    text
}

#[test]
fn a_log_is_kept_of_the_last_runs() {
    let folder = tempfile::tempdir().unwrap();
    let flags = format!("--log {} --keep 2 --name n", folder.path().display());
    for run in 1..=4 {
        job(&flags, &format!("echo run {run}")).stdout(format!("run {run}\n")).run();
    }
    testkit::write(folder.path().join("other.log"), "not ours");
    job(&format!("-Q {flags}"), "echo run 5; exit 1").status(1).stderr("run 5\n").run();
    let logs = fs::read_dir(folder.path()).unwrap().map(|entry| entry.unwrap().path());
    let mut texts: Vec<_> = logs.map(|path| fs::read_to_string(path).unwrap()).collect();
    texts.retain(|text| text != "not ours");
    assert_eq!(texts.len(), 2, "{texts:?}");
    assert!(texts.iter().any(|text| text.contains("\nrun 5\n")), "{texts:?}");
}

#[test]
fn a_log_that_cannot_be_is_a_warning() {
    let case = job("--log file/logs", "echo runs; exit 3").file("file", "").status(3).stdout("runs\n");
    case.stderr_has("this run has no log").run();
}

#[test]
fn a_reader_that_hangs_stops_no_clock() {
    let flags = "--log logs --timeout 3s --kill-after 0s";
    let job = format!("{RUNJOB} {flags} -- sh -c 'echo y; echo $$ > pid; exec yes' 2>said");
    // It reads only when COMMAND is gone.
    let reader = "until [ -s pid ]; do :; done; while kill -0 $(cat pid); do :; done 2>/dev/null; head -c 2";
    let case = Case::new("bash").args(["-c", &format!("{job} | ({reader}); echo ${{PIPESTATUS[0]}}")]);
    case.stdout("y\n124\n").run();
}

#[test]
fn every_attempt_reads_the_same_input() {
    let script = "read -r line; echo $JOB_ATTEMPT $line; cat; test $JOB_ATTEMPT = 3";
    let want = "1 a\nb\n2 a\nb\n3 a\nb\n";
    let case = || job("--retries 2 --backoff 0s", script).stdout(want);
    case().stdin("a\nb\n").run();
    case().file("in", "a\nb\n").stdin_file("in").run();
    let later = format!("read -r first; exec {RUNJOB} --retries 2 --backoff 0s -- sh -c '{script}'");
    Case::new("sh").args(["-c", &later]).file("in", "zero\na\nb\n").stdin_file("in").stdout(want).run();
    let endless =
        format!("yes | {RUNJOB} --retries 1 --backoff 0s -- sh -c 'read -r line; echo $line; exit 3'");
    Case::new("sh").args(["-c", &endless]).stdout("y\ny\n").status(3).run();
}

#[test]
fn a_file_that_may_not_grow_is_a_full_disk() {
    let script =
        format!("ulimit -f 1; exec {RUNJOB} -Q -- sh -c 'head -c 3000000 /dev/zero | tr \"\\0\" x; exit 7'");
    let output = Command::new("sh").args(["-c", &script]).output().unwrap();
    assert_eq!(output.status.code(), Some(7));
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(said.contains("bytes of output were lost"), "{}", said.trim_matches('x'));
}

#[test]
fn the_words_of_the_command_are_its_own() {
    let words = ["echo", "--generate", "man"];
    Case::new(RUNJOB).args(words).stdout("--generate man\n").run();
}
