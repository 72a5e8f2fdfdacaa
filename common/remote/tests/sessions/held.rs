//! Log-ins with keys that are in memory only.

use std::sync::Arc;

use remote::keys::{self, Held, Keyring};
use remote::target::{Login, Target};
use remote::{Class, Phase, Reach};
use testkit::sshd::{Fleet, Sshd};

use super::reached::{bounds, open, run, target, target_at};

fn new(name: &str) -> Held {
    Held::open(name, keys::ed25519("").unwrap().as_bytes()).unwrap()
}

fn with(target: &Target, held: &[&Held]) -> Target {
    let held = held.iter().map(|key| (*key).clone()).collect();
    Target { login: Arc::new(Login::with(held)), ..target.clone() }
}

/// Lets `key` in.
fn allow(server: &Sshd, key: &Held) {
    let old = std::fs::read_to_string(server.path("authorized_keys")).unwrap();
    testkit::write(server.path("authorized_keys"), format!("{old}{} test\n", key.public()));
}

#[test]
fn exactly_the_keys_in_memory_are_tried() {
    let Some(server) = Sshd::new().start() else { return };
    let (right, wrong) = (new("the new key"), new("the control"));
    let there = target(&server);
    let reach = Reach::new(bounds(), Keyring::new(None));
    let refused = open(&reach, &with(&there, &[&right])).err().unwrap();
    assert!(refused.is_refusal(), "{refused}");
    assert!(refused.what.ends_with("in with the new key"), "{refused}");
    allow(&server, &right);
    let mut session = open(&reach, &with(&there, &[&right])).unwrap();
    assert_eq!(session.key(), Some("the new key"));
    assert_eq!(run(&mut session, "echo hello", &reach.bounds).unwrap(), b"hello\n");
    // What the operator could log in with is not touched, and neither is the agent.
    let refused = open(&reach, &with(&there, &[&wrong])).err().unwrap();
    assert!(refused.is_refusal() && refused.what.ends_with("in with the control"), "{refused}");
    // A negative control in the same session.
    let session = open(&reach, &with(&there, &[&wrong, &right])).unwrap();
    assert_eq!(session.key(), Some("the new key"));
    assert_eq!(open(&reach, &there).unwrap().key(), server.path("id").to_str());
}

#[test]
fn only_the_host_itself_refuses_a_key() {
    let Some(fleet) = Fleet::start(1, true) else { return };
    let reach = Reach::new(remote::Bounds { retries: 0, ..short() }, Keyring::new(None));
    let key = std::fs::read(fleet.path("keys/id_ed25519")).unwrap();
    let right = Held::open("right", &key).unwrap();
    let at = |name: &str| {
        target_at(fleet.host(name), fleet.port(), &fleet.path("none"), &fleet.path("known_hosts"))
    };
    let fails = |name: &str| {
        let opened = open(&reach, &with(&at(name), &[&right]));
        opened.err().unwrap_or_else(|| panic!("{name} lets it in"))
    };
    for name in ["authfail", "password"] {
        let failure = fails(name);
        assert!(failure.is_refusal(), "{name}: {failure}");
    }
    // No answer, another's answer, or half a yes.
    for name in ["refused", "mute", "kex-stall", "blackhole", "reset", "wrongkey", "twofactor"] {
        let failure = fails(name);
        assert!(!failure.is_refusal(), "{name}: {failure}");
    }
    let healthy = fleet.hosts().remove(0);
    let healthy = target_at(&healthy, fleet.port(), &fleet.path("none"), &fleet.path("known_hosts"));
    let healthy = with(&healthy, &[&right]);
    assert_eq!(open(&reach, &healthy).unwrap().key(), Some("right"));
    let jump = Arc::new(with(&at("authfail"), &[&right]));
    let failure = open(&reach, &Target { jumps: vec![jump], ..healthy }).err().unwrap();
    assert_eq!((failure.class, failure.phase), (Class::Auth, Phase::Connect), "{failure}");
    assert!(!failure.is_refusal(), "{failure}");
}

fn short() -> remote::Bounds {
    let short = std::time::Duration::from_secs(3);
    remote::Bounds { connect: short, handshake: short, auth: short, ..bounds() }
}
