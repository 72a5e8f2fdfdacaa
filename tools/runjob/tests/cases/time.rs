//! What takes too long, and what is left behind.

use std::fs;

use testkit::Case;

use crate::{RUNJOB, is_alive, job, kill, wait_for_the_end_of};

/// Runs a job that writes the numbers of its processes to `pids` and takes too long, and asserts that none
/// of them is left.
fn check(flags: &str, script: &str, others: &str) {
    let case = job(flags, script).status(124);
    let output = case.stderr(format!("runjob: sh took longer than 1s, and was ended{others}\n")).run();
    let pids = fs::read_to_string(output.path("pids")).unwrap();
    let left: Vec<_> = pids.split_whitespace().filter(|pid| is_alive(pid)).collect();
    assert!(left.is_empty(), "{left:?} of {script}");
}

const ONE: &str = " with 1 process that it had started";

#[test]
fn a_job_that_listens_ends_by_sigterm() {
    check("--timeout 1s --kill-after 1h", "echo $$ > pids; exec sleep 1000", "");
    check("--timeout 1s --kill-after 1h", "echo $$ > pids; sleep 1000 & echo $! >> pids; wait", ONE);
    // Whatever it then says.
    check("--timeout 1s --kill-after 1h", "trap 'exit 0' TERM; echo $$ > pids; sleep 1000 & wait", ONE);
}

#[test]
fn one_that_is_stopped_ends_too() {
    check("--timeout 1s --kill-after 1h", "echo $$ > pids; kill -STOP $$", "");
}

#[test]
fn one_that_ignores_sigterm_is_killed() {
    check(
        "--timeout 1s --kill-after 0s",
        "trap '' TERM; echo $$ > pids; sleep 1000 & echo $! >> pids; wait",
        ONE,
    );
    check("--timeout 1s --kill-after 10ms", "trap '' TERM; echo $$ > pids; exec sleep 1000", "");
}

#[test]
fn one_that_ignores_sigterm_is_killed_without_a_flag_for_it() {
    check("--timeout 1s", "trap '' TERM; echo $$ > pids; exec sleep 1000", "");
}

#[test]
fn no_session_and_no_second_fork_helps() {
    let session = "echo $$ > pids; setsid sh -c 'echo $$ >> pids; exec sleep 1000' & wait";
    check("--timeout 1s --kill-after 1h", session, ONE);
    let daemon =
        "echo $$ > pids; (setsid sh -c 'echo $$ >> pids; exec env -i sleep 1000' &); exec sleep 1000";
    check("--timeout 1s --kill-after 1h", daemon, ONE);
    let both =
        "trap '' TERM; echo $$ > pids; (setsid sh -c 'echo $$ >> pids; exec sleep 1000' &); exec sleep 1000";
    check("--timeout 1s --kill-after 20ms", both, ONE);
}

#[test]
fn what_multiplies_while_it_is_killed_is_ended() {
    let bomb = "trap '' TERM; echo $$ > pids
        bomb() { n=$1; while [ $n -gt 0 ]; do n=$((n - 1)); bomb $n & echo $! >> pids; done; sleep 1000; }
        bomb 6 & sleep 1; n=300; while [ $n -gt 0 ]; do n=$((n - 1)); sleep 1000 & echo $! >> pids; done; wait";
    let case = job("--timeout 1s --kill-after 0s", bomb).status(124);
    let output = case.stderr_has("took longer than 1s, and was ended with").run();
    let pids = fs::read_to_string(output.path("pids")).unwrap();
    assert!(pids.lines().count() > 50, "{pids}");
    let left: Vec<_> = pids.split_whitespace().filter(|pid| is_alive(pid)).collect();
    assert!(left.is_empty(), "{left:?}");
}

#[test]
fn who_ends_in_time_is_not_late() {
    job("--timeout 1h", "exit 5").status(5).run();
    job("--timeout 1h --kill-after 0s", "exit 0").run();
}

#[test]
fn nor_is_who_ended_in_time_while_runjob_was_held_up() {
    let script = "(sleep 2; kill -CONT $PPID) & kill -STOP $PPID; exit 5";
    job("--timeout 1s", script).status(5).run();
}

#[test]
fn what_a_late_one_has_printed_is_shown() {
    let want = "before\nrunjob: sh took longer than 3s, and was ended\n";
    job("-Q --timeout 3s", "echo before; exec sleep 1000").status(124).stderr(want).run();
}

/// A job that leaves a daemon behind and ends with status 3.
const LEAVES: &str = "(setsid sh -c 'echo $$ > pid; mv pid pids; exec sleep SECONDS' >&- 2>&- <&- &)
    while [ ! -e pids ]; do sleep 0.01; done; exit 3";

#[test]
fn what_is_left_behind_goes_on() {
    let output = job("", &LEAVES.replace("SECONDS", "1000")).status(3).run();
    let pids = fs::read_to_string(output.path("pids")).unwrap();
    assert!(is_alive(&pids));
    kill("KILL", &pids);
    wait_for_the_end_of(&pids);
}

#[test]
fn or_it_is_ended() {
    let output = job("--leftovers kill --kill-after 1h", &LEAVES.replace("SECONDS", "1000")).status(3).run();
    assert!(!is_alive(&fs::read_to_string(output.path("pids")).unwrap()));
    let deaf = LEAVES.replace("SECONDS", "1000").replace("echo $$", "trap \"\" TERM; echo $$");
    let output = job("--leftovers kill --kill-after 10ms", &deaf).status(3).run();
    assert!(!is_alive(&fs::read_to_string(output.path("pids")).unwrap()));
}

#[test]
fn or_it_is_waited_for_in_time() {
    let output = job("--leftovers wait", &LEAVES.replace("SECONDS", "0.3")).status(3).run();
    assert!(!is_alive(&fs::read_to_string(output.path("pids")).unwrap()));
    let case = job("--leftovers wait --timeout 1s", &LEAVES.replace("SECONDS", "1000")).status(124);
    let output = case.stderr(format!("runjob: sh took longer than 1s, and was ended{ONE}\n")).run();
    assert!(!is_alive(&fs::read_to_string(output.path("pids")).unwrap()));
}

#[test]
fn orphans_that_end_do_not_pile_up() {
    // 100 of them, and then as many zombies as runjob has.
    let script = "n=0; while [ $n -lt 100 ]; do (true &); n=$((n + 1)); done
        zombies() { cat /proc/[0-9]*/stat 2>&- | grep -c \" Z $PPID \"; }
        while [ \"$(zombies)\" != 0 ]; do sleep 0.01; done";
    job("", script).run();
}

#[test]
fn children_from_before_are_left_alone() {
    // A shell that has become runjob: its background job is no part of the command.
    let script = "setsid sleep 1000 <&- >&- 2>&- & echo $! > before
        exec \"$0\" --timeout 1s --leftovers kill -- sleep 999";
    let case = Case::new("sh").args(["-c", script, RUNJOB]).status(124);
    let output = case.stderr("runjob: sleep took longer than 1s, and was ended\n").run();
    let before = fs::read_to_string(output.path("before")).unwrap();
    assert!(is_alive(&before));
    kill("KILL", &before);
}
