//! Signals, descriptors, and what else COMMAND inherits.

use std::fs;
use std::os::unix::process::ExitStatusExt;
use std::process::Command;

use testkit::Case;

use crate::{RUNJOB, hearing_job, job, kill, wait_for_the_end_of};

#[test]
fn it_dies_as_its_command_dies() {
    let folder = tempfile::tempdir().unwrap();
    for signal in [1, 2, 3, 6, 9, 10, 11, 13, 14, 15, 24, 31] {
        let mut command = Command::new(RUNJOB);
        command.args(["--", "sh", "-c", &format!("kill -{signal} $$")]).current_dir(&folder);
        assert_eq!(command.status().unwrap().signal(), Some(signal));
    }
    assert_eq!(fs::read_dir(&folder).unwrap().count(), 0, "no core of ours");
    // One that no program can be made to die of by its name is a status, as a shell has it.
    job("", "kill -35 $$").status(128 + 35).run();
}

#[test]
fn a_signal_is_passed_on() {
    let check = |signal: &str| {
        let case = hearing_job(
            "",
            &format!("trap 'echo {signal}; exit 5' {signal}; echo $PPID; while :; do sleep 0.01; done"),
        );
        let mut running = case.status(5).stdout_has(signal).start();
        running.wait_for_stdout("\n");
        kill(signal, &running.id().to_string());
        running.finish();
    };
    ["TERM", "INT", "HUP", "QUIT", "USR1", "USR2"].into_iter().for_each(check);
}

#[test]
fn one_that_is_stopped_wakes_to_end() {
    let mut running = job("", "echo $$; kill -STOP $$").status(143).stdout_has("\n").start();
    running.wait_for_stdout("\n");
    running.terminate();
    running.finish();
}

#[test]
fn who_does_not_end_when_told_is_killed_with_all_of_his() {
    let script =
        "trap '' TERM; setsid sleep 1000 & echo $! $$ > pids; echo ready; while :; do sleep 0.01; done";
    let mut running = job("--grace 0s", script).status(137).stdout("ready\n").start();
    running.wait_for_stdout("ready");
    running.terminate();
    let output = running.finish();
    let pids = fs::read_to_string(output.path("pids")).unwrap();
    assert!(pids.split_whitespace().all(|pid| !crate::is_alive(pid)), "{pids}");
}

#[test]
fn the_job_goes_on_when_the_wrapper_is_killed() {
    let script = "echo $$; while [ ! -e go ]; do sleep 0.01; done; echo gone on > done";
    let mut running = job("--timeout 1h", script).status(137).stdout_has("\n").start();
    running.wait_for_stdout("\n");
    running.kill();
    wait_for_the_end_of(&running.id().to_string());
    fs::write(running.path("go"), "").unwrap();
    while !running.path("done").exists() {
        std::thread::sleep(std::time::Duration::from_millis(1));
    }
    running.finish();
}

#[test]
fn a_wrapper_that_was_stopped_goes_on() {
    job("--timeout 1h", "kill -STOP $PPID; sleep 0.05; kill -CONT $PPID; exit 6").status(6).run();
    job("", "(sleep 0.05; kill -CONT $$) & kill -STOP $$; exit 6").status(6).run();
}

#[test]
fn what_is_ignored_stays_so() {
    let script = "trap '' HUP; exec \"$0\" -- sh -c 'echo $PPID; kill -HUP $PPID; kill -HUP $$; exit 8'";
    Case::new("sh").args(["-c", script, RUNJOB]).status(8).stdout_has("\n").run();
    // Nor does it forget how its children end when it was started so.
    let script = "exec env --ignore-signal=CHLD \"$0\" -- sh -c 'exit 3'";
    Case::new("sh").args(["-c", script, RUNJOB]).status(3).run();
}

#[test]
fn the_command_inherits_the_mask_and_nothing_else() {
    // The upper ones are for the C library's own signals, some of which it ignores in what it starts.
    let look = "sed -n 's/^\\(Sig[BI][a-z]*\\).*\\(.......\\)$/\\1 \\2/p' /proc/self/status; ls /proc/self/fd | wc -l";
    let without = Case::new("sh").args(["-c", look]).stdout_has("SigIgn 0000000\n").run();
    job("", look).stdout(&without.stdout).run();
}

#[test]
fn it_is_one_process_with_one_thread() {
    let look = "ls /proc/$PPID/task | wc -l; cat /proc/$PPID/task/$PPID/children | wc -w; exit 4";
    job("--lock ./lock --timeout 1h -Q --status s", look).status(4).stderr("1\n1\n").run();
}

#[test]
fn it_runs_without_its_standard_descriptors() {
    let script = "\"$0\" -- sh -c 'echo x; exit 4' <&- >&- 2>&-";
    Case::new("sh").args(["-c", script, RUNJOB]).status(4).run();
    Case::new("sh").args(["-c", "\"$0\" -- cat <&-", RUNJOB]).run();
    Case::new(RUNJOB).args(["--", "no-such-command"]).stderr_closed().status(127).run();
}

#[test]
fn outputs_are_those_of_the_command() {
    job("", "cat; echo out; echo err >&2").stdin("in\n").stdout("in\nout\n").stderr("err\n").run();
    job("", "echo x").stdout_to_full_disk().status(1).stderr_has("sh:").run();
    job("", "yes").stdout_closed_after(2).stdout("y\n").status(141).run();
}

#[test]
fn ctrl_c_reaches_the_command_once() {
    if !testkit::has("script") {
        return;
    }
    let keyboard = "(while [ ! -e ready ]; do sleep 0.01; done; printf '\\003'
        while [ ! -e done ]; do sleep 0.01; done) | script -qec \"exec env --default-signal=INT $0 -- sh job\" /dev/null";
    let counts = "n=0; trap 'n=$((n + 1))' INT; : > ready; while [ $n = 0 ]; do sleep 0.01; done
        sleep 0.3; echo got $n; : > done; exit 7";
    let case = Case::new("sh").args(["-c", keyboard, RUNJOB]).file("job", counts).status(7);
    case.stdout_has("got 1").run();
}
