//! Statuses, and attempts after a failure.

use testkit::Case;

use crate::{RUNJOB, hearing_job, job, kill};

#[test]
fn every_status_is_passed_through() {
    let all = "n=0; while [ $n -lt 256 ]; do \"$0\" -- sh -c \"exit $n\"; echo $?; n=$((n + 1)); done";
    let want: Vec<String> = (0..256).map(|status: u32| status.to_string()).collect();
    Case::new("sh").args(["-c", all, RUNJOB]).stdout(want.join("\n") + "\n").run();
}

#[test]
fn what_cannot_be_run_is_126_and_what_is_not_there_127() {
    let case = || Case::new(RUNJOB).file("text", "echo never\n").file("script", "#!/no/such\n");
    let no_such = ": No such file or directory (os error 2)\n";
    let check = |args: &[&str], status: i32, want: String| {
        case().args(args).status(status).stderr(format!("runjob: {want}")).run();
    };
    check(&["--", "no-such-command"], 127, format!("cannot run no-such-command{no_such}"));
    check(&["/no/such/command"], 127, format!("cannot run /no/such/command{no_such}"));
    check(&["./text"], 126, "cannot run ./text: Permission denied (os error 13)\n".into());
    check(
        &["-r", "3", "--backoff", "1h", "--", "/"],
        126,
        "cannot run /: Permission denied (os error 13)\n".into(),
    );

    let case = case().status(127);
    let script = case.path("script");
    mode(&script, 0o755);
    let want =
        format!("runjob: cannot run {}: the interpreter that it names is not there\n", script.display());
    case.args([script]).stderr(want).run();

    let case = Case::new(RUNJOB).file("text", "echo never\n").status(126).args(["./text"]);
    mode(&case.path("text"), 0o755);
    case.stderr(
        "runjob: cannot run ./text: it is neither a program nor begins with #!; run it as `sh FILE`\n",
    )
    .run();
}

fn mode(path: &std::path::Path, mode: u32) {
    use std::os::unix::fs::PermissionsExt;
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(mode)).unwrap();
}

#[test]
fn a_failure_of_its_own_is_125() {
    Case::new(RUNJOB).status(125).stderr_has("runjob: `<COMMAND>...` is missing").run();
    Case::new(RUNJOB).args(["--no-such-flag", "true"]).status(125).stderr_has("--no-such-flag").run();
    for flags in ["--timeout 0s", "--timeout 5", "--backoff 5m..1s", "--retry-on 127", "--retry-on 0"] {
        job(flags, "echo never").status(125).stderr_has("runjob: cannot take `").run();
    }
    Case::new(RUNJOB).args(["--chdir", "/no/such", "true"]).status(125).stderr_has("/no/such").run();
    Case::new(RUNJOB).args(["--help"]).stdout_has("--retries").run();
}

#[test]
fn arguments_are_taken_as_they_are() {
    let odd: Vec<_> = ["--", "-x", "", " ", "a b", "$HOME", "*", "--timeout", "'", "\\", "\n"].to_vec();
    let want = odd.join("|") + "|";
    Case::new(RUNJOB).args(["printf", "%s|"]).args(odd).stdout(want).run();
    let bytes = <std::ffi::OsStr as std::os::unix::ffi::OsStrExt>::from_bytes(b"\xff\xfe");
    Case::new(RUNJOB).args(["printf", "%s"]).args([bytes]).stdout(b"\xff\xfe").run();
}

#[test]
fn many_arguments_are_handed_on() {
    let many: Vec<String> = (0..20_000).map(|number| format!("{number:050}")).collect();
    Case::new(RUNJOB).args(["sh", "-c", "echo $#", "sh"]).args(&many).stdout("20000\n").run();
}

#[test]
fn it_is_run_again_until_it_succeeds() {
    let third = "echo $JOB_ATTEMPT; test $JOB_ATTEMPT -eq 3";
    job("--retries 5 --backoff 0s", third).stdout("1\n2\n3\n").run();
    job("--retries 1 --backoff 0s --jitter", third).stdout("1\n2\n").status(1).run();
    job("", third).stdout("1\n").status(1).run();
}

#[test]
fn attempts_belong_to_one_run() {
    let case =
        job("--retries 2 --backoff 0s --lock ./lock", "echo $JOB_RUN $FENCE >> seen; exit 9").status(9);
    let output = case.run();
    let seen = std::fs::read_to_string(output.path("seen")).unwrap();
    let mut runs: Vec<_> = seen.lines().collect();
    assert_eq!(runs.len(), 3);
    runs.dedup();
    assert_eq!(runs.len(), 1, "{seen}");
    let (id, fence) = runs[0].split_once(' ').unwrap();
    assert!(fence.parse::<u64>().is_ok_and(|fence| fence > 0), "{seen}");
    let (time, random) = id.rsplit_once('-').unwrap();
    assert_eq!(time.replace(|c: char| c.is_ascii_digit(), "9"), "99999999T999999Z", "{id}");
    assert!(random.len() == 6 && random.bytes().all(|byte| byte.is_ascii_hexdigit()), "{id}");
}

#[test]
fn only_some_ends_are_worth_it() {
    let check = |flags: &str, script: &str, attempts: &str, status: i32| {
        let flags = format!("--retries 1 --backoff 0s {flags}");
        let case = job(&flags, &format!("echo $JOB_ATTEMPT; {script}")).stdout(attempts).status(status);
        (if status == 124 { case.stderr_has("took longer") } else { case }).run();
    };
    check("--retry-on 75,69", "exit 69", "1\n2\n", 69);
    check("--retry-on 75,69", "exit 1", "1\n", 1);
    check("--no-retry-on 2", "exit 2", "1\n", 2);
    check("--retry-on signal", "kill -9 $$", "1\n2\n", 137);
    check("--retry-on 75", "kill -9 $$", "1\n", 137);
    check("--retry-on timeout --timeout 50ms", "sleep 1000", "1\n2\n", 124);
    check("--no-retry-on timeout --timeout 50ms", "sleep 1000", "1\n", 124);
    check("", "exit 126", "1\n", 126);
}

#[test]
fn it_says_what_it_does_when_asked() {
    let want = "runjob: sh: attempt 1 ended with status 3; again in 1ms\n\
                runjob: sh: attempt 2 ended with status 3; again in 2ms\n";
    job("-v --retries 2 --backoff 1ms..2ms", "exit 3").status(3).stderr(want).run();
}

#[test]
fn no_attempt_follows_a_stop() {
    let mut running = job("--retries 9 --backoff 0s", "echo $JOB_ATTEMPT; exec sleep 1000")
        .status(143)
        .stdout("1\n")
        .start();
    running.wait_for_stdout("1");
    running.terminate();
    running.finish();

    for signal in ["TERM", "INT", "HUP", "QUIT"] {
        let case =
            hearing_job("-v --retries 9 --backoff 1h", "echo $JOB_ATTEMPT; exit 4").status(4).stdout("1\n");
        let mut running = case.stderr_has("again in").start();
        running.wait_for_stderr("again in");
        // This one is for a command that runs, and asks for no end.
        kill("USR1", &running.id().to_string());
        kill(signal, &running.id().to_string());
        running.finish();
    }
}

#[test]
fn what_cannot_be_started_again_keeps_its_status() {
    // Out of descriptors, which is not the fault of the command.
    let script = "echo $JOB_ATTEMPT; prlimit --pid $PPID --nofile=4:; exit 6";
    let case = job("-Q --retries 2 --backoff 0s", script).status(6);
    case.stderr_has("sh: no other attempt: ").stderr_has("Too many open files").stderr_has("\n1\n").run();
    // The command itself has gone: that is its last word.
    let script = "#!/bin/sh\nrm job; exit 6\n";
    let case = Case::new(RUNJOB).args(["--retries", "2", "--backoff", "0s", "./job"]).file("job", script);
    mode(&case.path("job"), 0o755);
    case.status(127).stderr("runjob: cannot run ./job: No such file or directory (os error 2)\n").run();
}
