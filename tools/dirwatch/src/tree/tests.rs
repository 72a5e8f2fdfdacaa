use std::os::unix::process::CommandExt;
use std::process::{Child, Command, Stdio};

use super::*;

/// Starts a shell with a token of its own, and waits until it has written a line for each process.
fn start(script: &str, token: &str, id: Key) -> Child {
    let mut command = Command::new("sh");
    command.args(["-c", script]).env(TOKEN, token).env("DIRWATCH_ID", id.to_string());
    command.process_group(0).stdout(Stdio::piped()).spawn().unwrap()
}

/// The numbers that a script has printed, up to an empty line.
fn numbers(child: &mut Child) -> Vec<u32> {
    use std::io::{BufRead, BufReader};
    let lines = BufReader::new(child.stdout.take().unwrap()).lines();
    lines.map(Result::unwrap).take_while(|line| !line.is_empty()).map(|line| line.parse().unwrap()).collect()
}

fn is_alive(pid: u32) -> bool {
    Process::of(pid).is_some_and(|process| !process.ended)
}

fn check(script: &str, grace: Duration, processes: usize) {
    let token = format!("{}-{processes}-{}", std::process::id(), script.len());
    let mut child = start(script, &token, Key([1; 16]));
    let pids = numbers(&mut child);
    assert_eq!(pids.len(), processes, "{script}");
    assert!(pids.iter().all(|pid| is_alive(*pid)), "{script}");
    assert!(end(Pid::from_child(&child), &token, grace), "{script}");
    child.wait().unwrap();
    let left: Vec<_> = pids.iter().filter(|pid| is_alive(**pid)).collect();
    assert!(left.is_empty(), "{left:?} of {script}");
}

const LONG: Duration = Duration::from_mins(10);

#[test]
fn a_command_that_listens_ends_at_once() {
    check("echo $$; echo; exec sleep 1000", LONG, 1);
    check("echo $$; sleep 1000 & echo $!; echo; wait", LONG, 2);
}

#[test]
fn a_stopped_one_is_ended_too() {
    check("sleep 1000 & echo $!; kill -STOP $!; echo $$; echo; wait", LONG, 2);
}

#[test]
fn who_ignores_the_first_signal_gets_the_second() {
    check("trap '' TERM; echo $$; sleep 1000 & echo $!; echo; wait", Duration::from_millis(60), 2);
}

#[test]
fn nobody_gets_away_with_a_session_or_a_lost_parent() {
    check("setsid sh -c 'echo $$; exec sleep 1000' & echo $$; sleep 0.1; echo; wait", LONG, 2);
    // Its parent has ended, and its environment tells.
    check("(setsid sh -c 'echo $$; echo; exec sleep 1000' &) ; sleep 1000", LONG, 1);
    // The command itself has ended.
    check("setsid sh -c 'trap \"\" TERM; echo $$; echo; while :; do sleep 1; done' &", Duration::ZERO, 1);
}

#[test]
fn what_multiplies_is_ended() {
    let script =
        "bomb() { trap '' TERM; n=$1; while [ $n -gt 0 ]; do n=$((n - 1)); bomb $n & done; sleep 1000; }
        bomb 5 & echo $!; echo $$; sleep 0.2; echo; wait";
    check(script, Duration::from_millis(10), 2);
}

#[test]
fn strangers_are_left_alone() {
    let mut stranger = start("echo $$; echo; exec sleep 1000", "another token", Key([2; 16]));
    numbers(&mut stranger);
    check("echo $$; echo; exec sleep 999", LONG, 1);
    assert!(is_alive(stranger.id()));
    assert!(end(Pid::from_child(&stranger), "another token", LONG));
    stranger.wait().unwrap();
}

#[test]
fn a_number_that_is_used_again_is_another_process() {
    let mut child = start("echo $$; echo; exec sleep 1000", "reused", Key([3; 16]));
    numbers(&mut child);
    let now = Process::of(child.id()).unwrap();
    Process { started: now.started - 1, ..now }.signal(&[Signal::KILL]);
    assert!(is_alive(child.id()));
    now.signal(&[Signal::KILL]);
    child.wait().unwrap();
}

#[test]
fn survivors_of_an_earlier_run_are_found() {
    let (id, other) = (Key([0x5a; 16]), Key([0x5b; 16]));
    let mut child = start("echo $$; echo; exec sleep 1000", "survivor", id);
    numbers(&mut child);
    assert_eq!(survivors(&[id, other]), BTreeMap::from([(id, child.id())]));
    child.kill().unwrap();
    child.wait().unwrap();
    assert_eq!(survivors(&[id, other]), BTreeMap::new());
}
