//! What COMMAND finds when it begins.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::process::Command;

use testkit::Case;

use crate::{RUNJOB, job, wait_for_the_end_of};

#[test]
fn what_is_said_last_holds() {
    let case = |flags: &str| {
        let flags = format!("{flags} --env-file one.env --env-file two.env -e C=flag");
        let case =
            job(&flags, "echo ${HOME+home} $A $B $C $JOB_ATTEMPT").env("A", "inherited").env("D", "kept");
        case.file("one.env", "B=one\nC=one\n").file("two.env", "export B='two'\n")
    };
    case("").stdout("home inherited two flag 1\n").run();
    case("--clean-env").stdout("two flag 1\n").run();
    case("--clean-env --keep-env A --keep-env NONE").stdout("inherited two flag 1\n").run();
    let missing = case("--clean-env --require-env B --require-env D").status(125);
    missing.stderr("runjob: the environment has no D, which --require-env asks for\n").run();
    case("--require-env B --require-env D").stdout("home inherited two flag 1\n").run();
}

#[test]
fn data_is_bytes() {
    let bytes = <std::ffi::OsStr as std::os::unix::ffi::OsStrExt>::from_bytes;
    let case = Case::new(RUNJOB).args(["--env-file", "odd.env", "-e"]).args([bytes(b"B=\xfe")]);
    let case = case.file("odd.env", b"A=\xff\n").args(["--", "sh", "-c", "printf %s $A$B"]);
    case.stdout(b"\xff\xfe").run();
    let case = job("--env-file odd.env", "echo never").file("odd.env", b"A=1\nB=2\0\n").status(125);
    case.stderr("runjob: odd.env:2: is to be KEY=VALUE\n").run();
}

#[test]
fn a_secret_is_a_file_or_a_descriptor_of_this_run_alone() {
    let script = "cat $CREDENTIALS_DIRECTORY/token; cat <&5
        stat -c '%a' $CREDENTIALS_DIRECTORY $CREDENTIALS_DIRECTORY/token
        echo $CREDENTIALS_DIRECTORY > place; test $JOB_ATTEMPT = 2";
    let case = job("--cred token=secret --cred @5=secret --retries 1 --backoff 0s", script);
    let output = case.file("secret", "hunter2\n").stdout("hunter2\nhunter2\n700\n400\n".repeat(2)).run();
    let place = String::from_utf8(output.read("place")).unwrap();
    assert!(!std::path::Path::new(place.trim()).exists(), "{place}");
    let case = job("--cred token=none", "echo never").status(125);
    case.stderr("runjob: cannot open none: No such file or directory (os error 2)\n").run();
}

#[test]
fn a_secret_goes_when_runjob_is_told_to_stop() {
    let script = "echo $CREDENTIALS_DIRECTORY; exec sleep 1000";
    let case = job("--cred token=secret", script).file("secret", "hunter2\n").status(143);
    let mut running = case.stdout_has("runjob-cred-").start();
    running.wait_for_stdout("\n");
    running.terminate();
    let place = String::from_utf8(running.finish().stdout).unwrap();
    assert!(!std::path::Path::new(place.trim()).exists(), "{place}");
}

#[test]
fn a_secret_that_does_not_come_is_waited_for_until_a_signal() {
    let case = job("--lock ./lock --cred token=pipe", "echo never").status(143);
    assert!(Command::new("mkfifo").arg(case.path("pipe")).status().unwrap().success());
    let running = case.start();
    while !running.path("lock").exists() {
        std::thread::sleep(std::time::Duration::from_millis(1));
    }
    running.terminate();
    let output = running.finish();
    job("--lock ./lock", "true").current_dir(output.dir.path()).run();
}

#[test]
fn a_secret_stays_with_a_job_whose_runjob_was_killed_and_no_longer() {
    let script = "echo $$ $CREDENTIALS_DIRECTORY; while [ ! -e go ]; do sleep 0.01; done
        cat $CREDENTIALS_DIRECTORY/token > read";
    let case = job("--cred token=secret", script).file("secret", "hunter2\n").status(137);
    let mut running = case.stdout_has("runjob-cred-").start();
    running.wait_for_stdout("\n");
    running.kill();
    wait_for_the_end_of(&running.id().to_string());
    let other = || {
        job("--cred token=secret", "true").file("secret", "other\n").run();
    };
    other();
    fs::write(running.path("go"), "").unwrap();
    let output = running.finish();
    let said = String::from_utf8(output.stdout.clone()).unwrap();
    let (pid, place) = said.trim().split_once(' ').unwrap();
    wait_for_the_end_of(pid);
    assert_eq!(output.read("read"), b"hunter2\n");
    other();
    assert!(!std::path::Path::new(place).exists(), "{place}");
}

#[test]
fn the_rest_is_for_the_command_alone() {
    let flags = "--chdir sub --umask 027 --nice 3 --rlimit nofile=64 --rlimit core=0";
    let script = "basename $PWD; umask; nice; ulimit -n; ulimit -c";
    let before = Case::new("nice").stdout_has("\n").run();
    let nice: i32 = String::from_utf8_lossy(&before.stdout).trim().parse().unwrap();
    let want = format!("sub\n0027\n{}\n64\n0\n", (nice + 3).min(19));
    job(flags, script).file("sub/file", "").stdout(want).run();
    let case = job("--umask 077 --status s --log logs", "true").run();
    assert_eq!(fs::metadata(case.path("s")).unwrap().permissions().mode() & 0o777, 0o644);
}

#[test]
fn few_descriptors_are_enough() {
    let script =
        format!("ulimit -n 32; exec {RUNJOB} --lock ./lock --log logs -Q --cred a=secret -- sh -c 'exit 3'");
    Case::new("sh").args(["-c", &script]).file("secret", "").status(3).run();
}

#[test]
fn what_no_command_may_be_given_is_126() {
    // The most that one string may have is 128 KiB, with its end (execve(2)).
    let case = |length: usize| {
        let line = format!("A={}\n", "x".repeat(length));
        job("--env-file long.env", "echo ${#A}").file("long.env", line)
    };
    case(131_069).stdout("131069\n").run();
    case(131_070).status(126).stderr("runjob: cannot run sh: Argument list too long (os error 7)\n").run();
}

/// What is behind `runjob` in the line of a file that has it, with what is elsewhere put into this folder.
fn line_of(file: &str) -> String {
    let text = fs::read_to_string(format!("{}/dist/{file}", env!("CARGO_MANIFEST_DIR"))).unwrap();
    let line = text.lines().find(|line| !line.starts_with('#') && line.contains("runjob --")).unwrap();
    let (_, rest) = line.split_once("runjob ").unwrap();
    let here = rest.replace("/var/lib/runjob/", "").replace("/etc/runjob/", "./").replace("%i", "orders");
    here.replace("--lock orders", "--lock ./orders.lock")
}

#[test]
fn the_lines_that_come_with_it_run_a_job() {
    for file in ["runjob.cron", "runjob@.service"] {
        let line = line_of(file);
        let script = "#!/bin/sh\ntest $JOB_ATTEMPT = 1 -a $FENCE -gt 0 && exit 3\n";
        let case = Case::new(RUNJOB).args(line.split_whitespace()).file("orders", script).status(3);
        fs::set_permissions(case.path("orders"), fs::Permissions::from_mode(0o755)).unwrap();
        let output = case.run();
        assert!(output.path("orders.lock").exists());
        assert_eq!(output.path("orders.prom").exists(), file.ends_with("service"));
    }
}
