//! The case builder, tried on programs that every system has: what must pass, and what must fail.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::Duration;

use testkit::Case;

fn bash(script: &str) -> Case {
    Case::new("bash").args(["-c", script])
}

/// Runs a case that must fail and returns what the failure says.
fn complaint(case: Case) -> String {
    let Err(failure) = catch_unwind(AssertUnwindSafe(|| case.run())) else { panic!("the case must fail") };
    failure.downcast_ref::<String>().cloned().unwrap_or_default()
}

#[test]
fn silence_is_expected_by_default() {
    bash("true").run();
    assert!(complaint(bash("echo x")).contains("stdout:\n    + x\\n\n"));
    assert!(complaint(bash("echo y >&2")).contains("stderr:\n    + y\\n\n"));
    assert!(complaint(bash("exit 3")).contains("status: wanted 0, got 3"));
}

#[test]
fn the_outputs_are_compared_byte_by_byte() {
    bash("printf 'a\\377'").stdout(b"a\xff").run();
    bash("echo a b c >&2; exit 2").stderr_has("a").stderr_has("c").status(2).run();
    assert!(complaint(bash("printf a").stdout("a\n")).contains("- a\\n\n    + a\n"));
    assert!(complaint(bash("echo abc").stdout_has("b").stdout_has("x")).contains("stdout has no \"x\""));
}

#[test]
fn the_environment_is_fixed() {
    bash("env | sort | grep -v -e ^PWD= -e ^SHLVL= -e ^_= -e ^OLDPWD= -e ^PATH= -e ^HOME=")
        .env("GIVEN", "yes")
        .stdout("GIVEN=yes\nLC_ALL=C.UTF-8\nTERM=dumb\nTZ=UTC\n")
        .run();
    bash("test \"$HOME\" = \"$PWD\"").run();
}

#[test]
fn files_are_put_in_and_looked_at_afterwards() {
    let output =
        bash("cat in/a.txt > out; cat; pwd > /dev/null").file("in/a.txt", "A").stdin("x").stdout("x").run();
    assert_eq!(output.read("out"), b"A");
    bash("cat out").current_dir(output.path(".")).stdout("A").run();
    bash("cat a.txt").file("in/a.txt", "A").current_dir("in").stdout("A").run();
}

#[test]
fn standard_input_may_be_a_file_that_seeks() {
    // What bash reads from a pipe it reads byte by byte; from a file it reads a block and seeks back.
    bash("test -f /dev/stdin && read first; cat").file("f", "1\n2\n").stdin_file("f").stdout("2\n").run();
    bash("test ! -f /dev/stdin").stdin("1").run();
}

#[test]
fn a_full_disk_a_closed_pipe_and_no_stderr() {
    bash("echo x").stdout_to_full_disk().status(1).stderr_has("No space left on device").run();
    bash("yes").stdout_closed_after(4).status(141).run();
    bash("yes").stdout_closed_after(4).stdout("y\ny\n").status(141).run();
    assert!(complaint(bash("echo").stdout_closed_after(4)).contains("wanted 4 bytes, got 1"));
    bash("test ! -e /proc/self/fd/2").stderr_closed().run();
    bash("test -e /proc/self/fd/2").run();
}

#[test]
fn a_program_that_hangs_is_killed() {
    let case = bash("sleep 1000").timeout(Duration::from_millis(300));
    let complaint = complaint(case);
    assert!(complaint.contains("still running"), "{complaint}");
}

#[test]
fn a_running_program_is_waited_for_and_stopped() {
    let mut running = bash("trap 'echo bye; exit' TERM; echo on; echo up >&2; sleep 1000 > f 2>&1 & wait")
        .stdout("on\nbye\n")
        .stderr("up\n")
        .start();
    running.wait_for_stdout("on\n");
    running.wait_for_stderr("up");
    running.terminate();
    running.finish();

    let mut running = bash("echo on; exec sleep 1000").stdout("on\n").status(137).start();
    running.wait_for_stdout("on\n");
    assert!(running.path(".").is_dir() && running.id() > 0);
    running.kill();
    running.finish();

    let mut ended = bash("true").start();
    let never = catch_unwind(AssertUnwindSafe(|| ended.wait_for_stdout("x")));
    assert!(never.is_err());
}
