//! Cases through the binary.
#![allow(
    clippy::unwrap_used,
    clippy::disallowed_methods,
    clippy::print_stdout,
    reason = "a test fails by a panic, writes files into temporary folders, and says what it skips"
)]

#[path = "cases/edits.rs"]
mod edits;
#[path = "cases/faults.rs"]
mod faults;
#[path = "cases/fidelity.rs"]
mod fidelity;
#[path = "cases/files.rs"]
mod files;
#[path = "cases/files_trouble.rs"]
mod files_trouble;
#[path = "cases/hold.rs"]
mod hold;
#[path = "cases/hold_faults.rs"]
mod hold_faults;
#[path = "cases/lock.rs"]
mod lock;
#[path = "cases/rfc.rs"]
mod rfc;

#[test]
fn the_examples_of_the_manual_run() {
    testkit::readme(env!("CARGO_BIN_EXE_jsonset"), "README.md");
}
