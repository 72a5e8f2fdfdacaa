//! How the tests reach their hosts.

use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use remote::session::Took;
use remote::settings::Myself;
use remote::target::{Login, Target, Trust};
use remote::{Bounds, Command, Failure, Reach, Session};
use testkit::sshd::Sshd;

/// Generous: no test waits for it but those whose host never ends.
pub(crate) fn bounds() -> Bounds {
    let long = Duration::from_secs(60);
    Bounds { connect: long, handshake: long, auth: long, command: long, total: long, ..Bounds::default() }
}

pub(crate) fn target(server: &Sshd) -> Target {
    target_at(&server.host(), server.port(), &server.path("id"), &server.path("known_hosts"))
}

pub(crate) fn target_at(address: &str, port: u16, key: &Path, known_hosts: &Path) -> Target {
    let login = Login { keys: vec![key.to_owned()], ..Login::with(Vec::new()) };
    Target {
        name: address.into(),
        address: address.to_owned(),
        port,
        user: Myself::now().user,
        login: Arc::new(login),
        trust: Arc::new(Trust { files: vec![known_hosts.to_owned()], accepts_new: false }),
        key_alias: None,
        jumps: Vec::new(),
    }
}

pub(crate) fn through(jumps: &[&Sshd], server: &Sshd) -> Target {
    let jumps = jumps.iter().map(|jump| Arc::new(target(jump))).collect();
    Target { jumps, ..target(server) }
}

pub(crate) fn open(reach: &Reach, target: &Target) -> Result<Session, Failure> {
    reach.open(target, Instant::now() + reach.bounds.total, &mut Took::default())
}

/// What the script prints there.
pub(crate) fn run(session: &mut Session, script: &str, bounds: &Bounds) -> Result<Vec<u8>, Failure> {
    let command = Command::new(script, &Command::mark());
    let answer = session.run(&command, bounds, Instant::now() + bounds.command);
    answer.ended.map(|status| {
        assert_eq!(status, 0, "{}", String::from_utf8_lossy(&answer.stderr));
        answer.stdout
    })
}

#[track_caller]
pub(crate) fn says_hello(reach: &Reach, target: &Target) {
    let mut session = open(reach, target).unwrap();
    assert_eq!(run(&mut session, "echo hello", &reach.bounds).unwrap(), b"hello\n");
}
