//! Cases through the binary.
#![allow(
    clippy::unwrap_used,
    clippy::disallowed_methods,
    reason = "a test fails by a panic, and writes files into temporary folders"
)]

#[path = "cases/edits.rs"]
mod edits;

#[test]
fn the_examples_of_the_manual_run() {
    testkit::readme(env!("CARGO_BIN_EXE_jsonset"), "README.md");
}
