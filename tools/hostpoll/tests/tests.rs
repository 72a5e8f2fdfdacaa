//! The manual.
#![allow(clippy::unwrap_used, reason = "a test fails by a panic")]

#[test]
fn the_examples_of_the_manual_run() {
    testkit::readme(env!("CARGO_BIN_EXE_hostpoll"), "README.md");
}
