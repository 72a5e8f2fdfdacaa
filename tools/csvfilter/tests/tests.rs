//! Cases through the binary, and of the library beside its reference.
#![allow(clippy::unwrap_used, reason = "a test fails by a panic")]

#[path = "cases/reference.rs"]
mod reference;

#[test]
fn the_examples_of_the_manual_run() {
    testkit::readme(env!("CARGO_BIN_EXE_csvfilter"), "README.md");
}
