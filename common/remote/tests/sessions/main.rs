//! Sessions with a real sshd: kept ones, those behind others, every kind of key, and floods.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test fails by a panic")]

use std::fs::File;
use std::os::fd::AsRawFd;
use std::path::Path;
use std::process::Command as Process;
use std::sync::Arc;
use std::time::{Duration, Instant};

use remote::keys::{Keyring, Passphrase};
use remote::session::Took;
use remote::settings::Myself;
use remote::target::Target;
use remote::{Bounds, Class, Command, Phase, Reach};
use testkit::sshd::{Builder, Fleet, Sshd};

mod forwarded;
mod held;
mod input;
mod reached;

use reached::{bounds, open, run, says_hello, target, target_at, through};

fn keygen(args: &[&str], path: &Path) {
    let made = Process::new("ssh-keygen").arg("-q").args(args).arg(path).status();
    assert!(made.unwrap().success(), "ssh-keygen {args:?}");
}

#[test]
fn a_kept_session_leaves_no_channel_behind() {
    // A channel that stayed open would use up one of them.
    let Some(server) = Sshd::new().setting("MaxSessions 4").start() else { return };
    let reach = Reach::new(bounds(), Keyring::new(None));
    let mut session = open(&reach, &target(&server)).unwrap();
    for round in 0..300 {
        let said = run(&mut session, &format!("echo {round}; echo noise >&2"), &reach.bounds).unwrap();
        assert_eq!(said, format!("{round}\n").into_bytes());
    }
    assert_eq!(server.log().matches("Accepted publickey").count(), 1);
}

#[test]
fn what_a_failed_command_says_is_heard() {
    let Some(server) = Sshd::new().start() else { return };
    let reach = Reach::new(bounds(), Keyring::new(None));
    let mut session = open(&reach, &target(&server)).unwrap();
    for script in ["echo why >&2; exit 3", "sleep 600 & echo why >&2; exit 3"] {
        for _ in 0..20 {
            let command = Command::new(script, &Command::mark());
            let answer = session.run(&command, &reach.bounds, Instant::now() + reach.bounds.command);
            assert_eq!((answer.ended, answer.stderr.as_slice()), (Ok(3), &b"why\n"[..]), "{script}");
        }
    }
}

#[test]
fn a_host_may_stand_behind_two_others() {
    let Some(first) = Sshd::new().start() else { return };
    let Some(second) = Sshd::new().host_keys(&["ecdsa"]).start() else { return };
    let Some(last) = Sshd::new().start() else { return };
    let reach = Reach::new(bounds(), Keyring::new(None));
    says_hello(&reach, &through(&[&first, &second], &last));
    let known_wrong = Target { trust: target(&last).trust, ..target(&first) };
    let chain = Target { jumps: vec![Arc::new(known_wrong)], ..target(&last) };
    let failure = open(&Reach::new(bounds(), Keyring::new(None)), &chain).err().unwrap();
    assert_eq!((failure.class, failure.phase), (Class::Hostkey, Phase::Connect), "{failure}");
    assert!(failure.what.starts_with("jump host 127.0.0.1: its host key"), "{failure}");
}

#[test]
fn twenty_hosts_share_one_session_of_their_jump_host() {
    let Some(jump) = Sshd::new().start() else { return };
    let Some(server) = Sshd::new().start() else { return };
    let reach = Arc::new(Reach::new(bounds(), Keyring::new(None)));
    let target = Arc::new(through(&[&jump], &server));
    let threads: Vec<_> = (0..20)
        .map(|_| {
            let (reach, target) = (Arc::clone(&reach), Arc::clone(&target));
            std::thread::spawn(move || {
                let mut session = open(&reach, &target).unwrap();
                for size in [1, 300_000, 20, 4_000_000, 0] {
                    let script = format!("head -c {size} /dev/zero");
                    assert_eq!(run(&mut session, &script, &reach.bounds).unwrap().len(), size);
                }
            })
        })
        .collect();
    for thread in threads {
        thread.join().unwrap();
    }
    assert_eq!(server.log().matches("Accepted publickey").count(), 20);
    assert_eq!(jump.log().matches("Accepted publickey").count(), 1, "{}", jump.log());
}

#[test]
fn who_is_behind_a_jump_host_that_dies_hears_of_it() {
    let Some(jump) = Sshd::new().start() else { return };
    let Some(server) = Sshd::new().start() else { return };
    let reach = Reach::new(bounds(), Keyring::new(None));
    let target = through(&[&jump], &server);
    let mut session = open(&reach, &target).unwrap();
    assert_eq!(run(&mut session, "echo hello", &reach.bounds).unwrap(), b"hello\n");
    drop(jump);
    let command = Command::new("echo hello", &Command::mark());
    let answer = session.run(&command, &reach.bounds, Instant::now() + reach.bounds.command);
    let failure = answer.ended.unwrap_err();
    assert!(!answer.was_sent, "{failure}");
    assert_eq!((failure.class, failure.phase), (Class::Lost, Phase::Command), "{failure}");
    let failure = open(&reach, &target).err().unwrap();
    assert_eq!((failure.class, failure.phase), (Class::Refused, Phase::Connect), "{failure}");
}

#[test]
fn every_kind_of_key_logs_in() {
    let check = |builder: Builder, protect: bool| {
        let Some(server) = builder.start() else { return };
        let mut ring = Keyring::new(None);
        if protect {
            keygen(&["-p", "-P", "", "-N", "secret", "-f"], &server.path("id"));
            let failure = open(&Reach::new(bounds(), ring), &target(&server)).err().unwrap();
            assert_eq!(failure.class, Class::Auth, "{failure}");
            testkit::write(server.path("passphrase"), "secret\n");
            let file = File::open(server.path("passphrase")).unwrap();
            ring = Keyring::new(Some(Passphrase::read(file.as_raw_fd()).unwrap()));
        }
        says_hello(&Reach::new(bounds(), ring), &target(&server));
    };
    for kind in ["ed25519", "ecdsa", "rsa"] {
        check(Sshd::new().client_key(kind), false);
    }
    check(Sshd::new(), true);
    check(Sshd::new().client_key("rsa").setting("PubkeyAcceptedAlgorithms rsa-sha2-512"), false);
}

#[test]
fn a_certificate_beside_its_key_logs_in() {
    let folder = tempfile::tempdir().unwrap();
    let authority = folder.path().join("ca");
    let user = Myself::now().user;
    for kind in ["ed25519", "ecdsa", "rsa"] {
        let trusted = format!("TrustedUserCAKeys {}.pub", authority.display());
        let builder = Sshd::new().client_key(kind).setting(trusted).setting("AuthorizedKeysFile none");
        if !authority.exists() && testkit::has("ssh-keygen") {
            keygen(&["-t", "ed25519", "-N", "", "-f"], &authority);
        }
        let Some(server) = builder.start() else { return };
        let sign = ["-s", authority.to_str().unwrap(), "-I", "test", "-n", &user];
        keygen(&sign, &server.path("id.pub"));
        says_hello(&Reach::new(bounds(), Keyring::new(None)), &target(&server));
        assert!(server.log().contains("Accepted certificate ID"), "{kind}: {}", server.log());
    }
}

#[test]
fn no_flood_outlives_its_deadline() {
    let Some(fleet) = Fleet::start(1, true) else { return };
    let short = Duration::from_secs(1);
    let bounds = Bounds { handshake: short, command: short, retries: 0, ..bounds() };
    let key = fleet.path("keys/id_ed25519");
    let reach = Reach::new(bounds, Keyring::new(None));
    let at = |name: &str| target_at(fleet.host(name), fleet.port(), &key, &fleet.path("known_hosts"));
    for (name, class) in [("ignoreflood", Class::Timeout), ("mute", Class::Timeout), ("flood", Class::Lost)] {
        let failure = open(&reach, &at(name)).err().unwrap();
        assert_eq!((failure.class, failure.phase), (class, Phase::Handshake), "{name}: {failure}");
    }
    says_hello(&reach, &at("bigstderr"));
}

#[test]
fn a_command_that_floods_is_told_as_late() {
    let Some(server) = Sshd::new().start() else { return };
    let bounds = Bounds { command: Duration::from_secs(1), ..bounds() };
    let reach = Reach::new(bounds, Keyring::new(None));
    for script in ["exec yes >&2", "sleep 600"] {
        let mut session = open(&reach, &target(&server)).unwrap();
        let command = Command::new(script, &Command::mark());
        let answer = session.run(&command, &reach.bounds, Instant::now() + reach.bounds.command);
        let failure = answer.ended.unwrap_err();
        assert_eq!((failure.class, failure.phase), (Class::Timeout, Phase::Command), "{script}: {failure}");
        assert!(answer.was_sent, "{failure}");
    }
    let mut session = open(&reach, &target(&server)).unwrap();
    let failure = run(&mut session, "exec yes", &reach.bounds).unwrap_err();
    assert_eq!((failure.class, failure.phase), (Class::Output, Phase::Command), "{failure}");
}

#[test]
fn who_waits_for_a_jump_host_keeps_its_own_deadline() {
    let silent = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let Some(server) = Sshd::new().start() else { return };
    let mut jump = target(&server);
    jump.port = silent.local_addr().unwrap().port();
    let target = Arc::new(Target { jumps: vec![Arc::new(jump)], ..target(&server) });
    let reach = Arc::new(Reach::new(bounds(), Keyring::new(None)));
    let first = {
        let (reach, target) = (Arc::clone(&reach), Arc::clone(&target));
        std::thread::spawn(move || {
            let end = Instant::now() + Duration::from_secs(8);
            reach.open(&target, end, &mut Took::default()).err().unwrap()
        })
    };
    // The first one has connected: it is the one that opens.
    let (_held, _) = silent.accept().unwrap();
    let second = reach.open(&target, Instant::now() + Duration::from_millis(50), &mut Took::default());
    let second = second.err().unwrap();
    assert_eq!((second.class, second.phase), (Class::Timeout, Phase::Connect), "{second}");
    // Not what the first one has to say in the end.
    assert!(second.what.ends_with("the login there did not end in time"), "{second}");
    assert_eq!(first.join().unwrap().class, Class::Timeout);
}
