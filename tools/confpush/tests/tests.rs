//! The manual, and what it should not be burdened with.
#![allow(
    clippy::unwrap_used,
    clippy::format_push_string,
    clippy::print_stderr,
    clippy::disallowed_methods,
    reason = "a test fails by a panic, writes files into temporary folders, and says what it skips"
)]

mod cases {
    mod by_sudo;
    mod decided;
    mod down;
    mod elsewhere;
    mod ended;
    mod faults;
    mod fleet;
    mod gates;
    mod kills;
    mod lost;
    mod mount;
    mod readers;
    mod rig;
    mod secrets;
    mod several;
    mod spare;
    mod stuck;
    mod whole;
}

use testkit::sshd::Sshd;

#[test]
fn the_examples_of_the_manual_run() {
    let Some(server) = Sshd::new().start() else { return };
    let config = std::fs::read_to_string(server.path("ssh_config")).unwrap();
    let names = "Host web01 web02 web03\n  HostName 127.0.0.1\n";
    testkit::readme_with(env!("CARGO_BIN_EXE_confpush"), "README.md", |home| {
        std::fs::create_dir(home.join(".ssh")).unwrap();
        testkit::write(home.join(".ssh/config"), format!("{names}{config}"));
    });
}
