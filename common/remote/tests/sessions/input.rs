//! Commands with standard input.

use std::time::{Duration, Instant};

use remote::keys::Keyring;
use remote::{Bounds, Class, Command, Phase, Reach, Session};
use testkit::sshd::{Fleet, Sshd};

use super::reached::{bounds, open, run, target, target_at};

/// Bytes of every value, the same in each run.
fn bytes(size: usize) -> Vec<u8> {
    let mut state = 1u32;
    let next = || {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        state.to_be_bytes()[0]
    };
    std::iter::repeat_with(next).take(size).collect()
}

/// Status and output of `script` with `input`.
#[track_caller]
fn fed(session: &mut Session, script: &str, input: &[u8], bounds: &Bounds) -> (i32, Vec<u8>) {
    let command = Command::new(script, &Command::mark()).with_input(input.to_vec());
    let answer = session.run(&command, bounds, Instant::now() + bounds.command);
    let status = answer.ended.unwrap_or_else(|failure| panic!("{script}, {} bytes: {failure}", input.len()));
    (status, answer.stdout)
}

/// As `cksum` prints it there.
fn count(bytes: &[u8]) -> Vec<u8> {
    format!("{}\n", bytes.len()).into_bytes()
}

#[test]
fn input_arrives_byte_for_byte() {
    let Some(server) = Sshd::new().start() else { return };
    let reach = Reach::new(bounds(), Keyring::new(None));
    let mut session = open(&reach, &target(&server)).unwrap();
    // One session for all: no input may leave anything behind for the next.
    for size in [0, 1, 2, 4095, 32 << 10, 32_700, 32_701, 3 << 20, 5 << 20, 0, 7] {
        let input = bytes(size);
        let got = fed(&mut session, "cat", &input, &reach.bounds);
        assert!(got == (0, input), "{size} bytes came back as {}", got.1.len());
    }
    assert_eq!(run(&mut session, "echo hello", &reach.bounds).unwrap(), b"hello\n");
}

#[test]
fn output_and_input_do_not_wait_for_each_other() {
    let Some(server) = Sshd::new().start() else { return };
    let reach = Reach::new(bounds(), Keyring::new(None));
    let mut session = open(&reach, &target(&server)).unwrap();
    let input = bytes(5 << 20);
    // More than any window, before a byte is read; also where nobody keeps it.
    for script in ["head -c 6000000 /dev/zero; wc -c", "head -c 6000000 /dev/zero >&2; wc -c"] {
        let (status, output) = fed(&mut session, script, &input, &reach.bounds);
        assert!(status == 0 && output.ends_with(&count(&input)), "{script}: {} bytes", output.len());
    }
    // Both at once.
    let (_, output) = fed(&mut session, "tee /dev/stderr", &input, &reach.bounds);
    assert!(output == input);
    let (_, output) = fed(&mut session, "sleep 0.3; wc -c", &input, &reach.bounds);
    assert_eq!(String::from_utf8(output).unwrap().trim(), input.len().to_string());
}

#[test]
fn what_a_command_leaves_unread_is_lost_and_no_harm() {
    let Some(server) = Sshd::new().start() else { return };
    let reach = Reach::new(bounds(), Keyring::new(None));
    let mut session = open(&reach, &target(&server)).unwrap();
    let scripts = [
        ("exit 3", 3, ""),
        ("echo a", 0, "a\n"),
        ("exec <&-; echo a", 0, "a\n"),
        ("exec </dev/null; sleep 0.2; wc -c", 0, "0\n"),
        ("head -c 3 >/dev/null; echo b", 0, "b\n"),
        ("sleep 0.2; echo c", 0, "c\n"),
    ];
    for size in [1, 100_000, 5 << 20] {
        let input = bytes(size);
        for (script, status, output) in scripts {
            let got = fed(&mut session, script, &input, &reach.bounds);
            assert_eq!((got.0, String::from_utf8_lossy(&got.1).trim_start()), (status, output), "{script}");
        }
    }
    assert_eq!(server.log().matches("Accepted publickey").count(), 1);
}

#[test]
fn a_command_that_takes_no_input_any_more_ends_at_its_deadline() {
    let Some(server) = Sshd::new().start() else { return };
    let short = Bounds { command: Duration::from_secs(1), ..bounds() };
    let reach = Reach::new(bounds(), Keyring::new(None));
    for script in ["sleep 600", "head -c 1000 >/dev/null; sleep 600", "kill -STOP $$"] {
        let mut session = open(&reach, &target(&server)).unwrap();
        let command = Command::new(script, &Command::mark()).with_input(bytes(5 << 20));
        let answer = session.run(&command, &short, Instant::now() + short.command);
        let failure = answer.ended.unwrap_err();
        assert_eq!((failure.class, failure.phase), (Class::Timeout, Phase::Command), "{script}: {failure}");
        assert!(answer.was_sent && !failure.is_refusal());
    }
}

#[test]
fn a_host_that_falls_silent_in_the_middle_ends_at_the_deadline() {
    let Some(fleet) = Fleet::start(1, true) else { return };
    let reach = Reach::new(Bounds { retries: 0, ..bounds() }, Keyring::new(None));
    let short = Bounds { command: Duration::from_secs(1), ..bounds() };
    let key = fleet.path("keys/id_ed25519");
    let at = |name: &str| target_at(fleet.host(name), fleet.port(), &key, &fleet.path("known_hosts"));
    // Takes all bytes, and answers no more after 300 kB of its own.
    let mut session = open(&reach, &at("partition")).unwrap();
    let command = Command::new("cat", &Command::mark()).with_input(bytes(5 << 20));
    let failure = session.run(&command, &short, Instant::now() + short.command).ended.unwrap_err();
    assert_eq!((failure.class, failure.phase), (Class::Timeout, Phase::Command), "{failure}");
    // 250 ms each way, and 2 kB/s from there: both windows are waited for.
    for (name, size) in [("slow", 5 << 20), ("rekey", 3 << 20), ("drip", 1 << 10)] {
        let mut session = open(&reach, &at(name)).unwrap();
        let script = if name == "drip" { "cat" } else { "wc -c" };
        let command = Command::new(script, &Command::mark()).with_input(bytes(size));
        let answer = session.run(&command, &reach.bounds, Instant::now() + reach.bounds.command);
        match name {
            // It runs a command of its own, with new keys each megabyte.
            "rekey" => assert!(answer.ended.is_err_and(|failure| failure.class != Class::Timeout)),
            "drip" => assert!(answer.stdout == bytes(size)),
            _ => assert_eq!(String::from_utf8(answer.stdout).unwrap().trim(), size.to_string()),
        }
    }
}

#[test]
fn new_session_keys_in_the_middle_lose_nothing() {
    let Some(server) = Sshd::new().setting("RekeyLimit 256K").start() else { return };
    let reach = Reach::new(bounds(), Keyring::new(None));
    let mut session = open(&reach, &target(&server)).unwrap();
    let input = bytes(5 << 20);
    for _ in 0..3 {
        assert!(fed(&mut session, "cat", &input, &reach.bounds) == (0, input.clone()));
        let (_, output) = fed(&mut session, "wc -c", &input, &reach.bounds);
        assert_eq!(String::from_utf8(output).unwrap().trim(), input.len().to_string());
    }
}

#[test]
fn every_login_shell_leaves_the_input_alone() {
    let Some(fleet) = Fleet::start(1, true) else { return };
    let reach = Reach::new(bounds(), Keyring::new(None));
    let key = fleet.path("keys/id_ed25519");
    let shells = ["bash", "dash", "busybox", "zsh", "tcsh", "fish", "mksh", "ksh"];
    for shell in shells.into_iter().filter(|name| fleet.has(name)) {
        let there = target_at(fleet.host(shell), fleet.port(), &key, &fleet.path("known_hosts"));
        let mut session = open(&reach, &there).unwrap();
        let input = [b"first 'line'!\n$second\\n`x`\n".as_slice(), &bytes(200_000)].concat();
        // Plain, and with the characters that make it travel in octal.
        for script in ["cat", "IFS= read -r a; printf '%s\n' \"$a\"; exec 3<&0; ! cat <&3"] {
            let command = Command::new(script, &Command::mark()).with_input(input.clone());
            let answer = session.run(&command, &reach.bounds, Instant::now() + reach.bounds.command);
            assert!(answer.ended.is_ok(), "{shell}: {:?}", answer.ended);
            assert!(answer.stdout == input, "{shell}: {script}: {} bytes", answer.stdout.len());
        }
        let (status, output) = fed(&mut session, "cat", b"", &reach.bounds);
        assert_eq!((status, output.as_slice()), (0, &b""[..]), "{shell}");
    }
}
