//! The manual, and what it should not be burdened with.
#![allow(
    clippy::unwrap_used,
    clippy::print_stderr,
    reason = "a test fails by a panic, and says on stderr what it skips"
)]

mod cases {
    mod faults;
    mod files;
    mod hosts;
    mod keys;
    mod rounds;
    mod statuses;
    mod values;
}

use testkit::Case;
use testkit::sshd::{Fleet, Sshd};

/// The tool, for the hosts of `server`.
fn poll(server: &Sshd) -> Case {
    let config = server.path("ssh_config");
    Case::new(env!("CARGO_BIN_EXE_hostpoll")).args(["--ssh-config".into(), config])
}

/// The tool, for the hosts of `fleet`.
fn poll_fleet(fleet: &Fleet) -> Case {
    let config = fleet.path("ssh_config");
    Case::new(env!("CARGO_BIN_EXE_hostpoll")).args(["--ssh-config".into(), config])
}

/// The lines of JSON on stdout.
fn objects(stdout: &[u8]) -> Vec<serde_json::Value> {
    let lines = stdout.split(|&byte| byte == b'\n').filter(|line| !line.is_empty());
    lines.map(|line| serde_json::from_slice(line).unwrap()).collect()
}

#[test]
fn the_examples_of_the_manual_run() {
    let Some(server) = Sshd::new().start() else { return };
    let config = std::fs::read_to_string(server.path("ssh_config")).unwrap();
    let names = "Host web01 web02 db01\n  HostName 127.0.0.1\nHost web09\n  HostName 127.0.0.1\n  Port 1\n";
    testkit::readme_with(env!("CARGO_BIN_EXE_hostpoll"), "README.md", |home| {
        std::fs::create_dir(home.join(".ssh")).unwrap();
        testkit::write(home.join(".ssh/config"), format!("{names}{config}"));
    });
}
