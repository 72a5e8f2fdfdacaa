//! The pipe as COMMAND has it: written to by a shell.

use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};

use rustix::event::{PollFd, poll};

use super::*;

fn quiet() -> cli::Output {
    cli::Output { quiet_unless_fails: true, log: None, keep: 7, max_output: None }
}

/// All that is shown of what the shell prints.
fn shown(keeper: &Keeper) -> String {
    let mut found = Vec::new();
    let read = keeper.store.read(&mut |piece| {
        found.extend_from_slice(piece);
        Ok(())
    });
    read.unwrap();
    String::from_utf8(found).unwrap()
}

/// Has a shell run `script`, and pumps until it is over.
fn run(keeper: &mut Keeper, script: &str) {
    let writer = || Stdio::from(keeper.writer().unwrap());
    let mut shell =
        Command::new("sh").args(["-c", script]).stdout(writer()).stderr(writer()).spawn().unwrap();
    while shell.try_wait().unwrap().is_none() {
        let limit = rustix::event::Timespec { tv_sec: 0, tv_nsec: 5_000_000 };
        poll(&mut [PollFd::from_borrowed_fd(keeper.descriptor(), keeper.events())], Some(&limit)).unwrap();
        keeper.pump().unwrap();
    }
    keeper.drain().unwrap();
}

fn check(output: &cli::Output, script: &str, want: &str) {
    let mut keeper = Keeper::new(output, None).unwrap().unwrap();
    keeper.begin_attempt(1, 1);
    run(&mut keeper, script);
    assert_eq!(shown(&keeper), want, "{script}");
}

#[test]
fn both_streams_are_kept_in_their_order() {
    check(&quiet(), "true", "");
    check(&quiet(), "echo 1; echo 2 >&2; echo 3; echo 4 >&2", "1\n2\n3\n4\n");
    let lines: Vec<_> = (1..=300_000).map(|line| line.to_string()).collect();
    check(&quiet(), "seq 300000", &(lines.join("\n") + "\n"));
    let cut = cli::Output { max_output: Some(10), ..quiet() };
    let want = "1\n2\n3\n--- 32 bytes of output were left out, by --max-output\n9\n10\n";
    check(&cut, "seq 10; seq 10", want);
}

#[test]
fn a_daemon_that_keeps_the_pipe_is_not_waited_for() {
    let mut keeper = Keeper::new(&quiet(), None).unwrap().unwrap();
    run(&mut keeper, "(while :; do echo daemon; done) & echo $!; sleep 0.1");
    let text = shown(&keeper);
    let daemon = text.lines().find(|line| line.parse::<i32>().is_ok()).unwrap();
    Command::new("kill").arg(daemon).status().unwrap();
}

#[test]
fn each_attempt_after_the_first_has_a_line() {
    let mut keeper = Keeper::new(&quiet(), None).unwrap().unwrap();
    keeper.begin_attempt(1, 3);
    run(&mut keeper, "printf one");
    keeper.begin_attempt(2, 3);
    run(&mut keeper, "echo two");
    assert_eq!(shown(&keeper), "one\n--- attempt 2 of 3\ntwo\n");
    assert_eq!(keeper.tail(6), b"3\ntwo\n");
}

#[test]
fn what_is_not_quiet_is_taken_only_for_a_log() {
    let output = cli::Output { quiet_unless_fails: false, ..quiet() };
    assert!(Keeper::new(&output, None).unwrap().is_none());
    let cut = cli::Output { max_output: Some(10), ..output };
    let error = Keeper::new(&cut, None).unwrap_err();
    assert!(error.to_string().contains("it needs --quiet-unless-fails or --log DIR"), "{error}");
}

fn logged(output: &cli::Output, script: &str) -> String {
    let folder = tempfile::tempdir().unwrap();
    let output = cli::Output { log: Some(folder.path().into()), ..*output };
    let log = logs::File::begin(folder.path(), "n", "1", 7).unwrap();
    let mut keeper = Keeper::new(&output, Some(log)).unwrap().unwrap();
    keeper.begin_attempt(1, 1);
    run(&mut keeper, script);
    keeper.end(&Run {
        name: "n".into(),
        id: "1".into(),
        began: std::time::UNIX_EPOCH,
        ended: std::time::UNIX_EPOCH,
        took: std::time::Duration::ZERO,
        end: crate::run::End::Exit(0),
        attempts: 1,
        usage: crate::run::Usage::default(),
        fence: None,
    });
    let text = fs::read_to_string(Path::new(folder.path()).join("n-1.log")).unwrap();
    let lines: Vec<_> = text.lines().collect();
    lines[1..lines.len() - 1].join("\n")
}

#[test]
fn a_log_has_all_of_it_or_both_ends() {
    assert_eq!(logged(&quiet(), "echo 1; echo 2 >&2"), "1\n2");
    let cut = |most| cli::Output { max_output: Some(most), ..quiet() };
    assert_eq!(logged(&cut(1000), "seq 3"), "1\n2\n3");
    assert_eq!(
        logged(&cut(8), "printf 'abcdefghij\n'"),
        "abcd\n--- 3 bytes of output were left out, by --max-output\nhij"
    );
    let loud = cli::Output { quiet_unless_fails: false, ..cut(8) };
    assert_eq!(logged(&loud, "printf abcdef"), "abcdef");
    assert_eq!(
        logged(&loud, "printf 'abcdefghij\n'"),
        "abcd\n--- 3 bytes of output were left out, by --max-output\nhij"
    );
}
