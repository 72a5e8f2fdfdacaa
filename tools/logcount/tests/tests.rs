//! Cases through the binary.

#[path = "tests/plain.rs"]
mod plain;

use testkit::Case;

/// A run of the tool.
fn case(line: &str) -> Case {
    Case::new(env!("CARGO_BIN_EXE_logcount")).args(line.split_whitespace())
}

#[test]
fn the_examples_of_the_manual_run() {
    testkit::readme(env!("CARGO_BIN_EXE_logcount"), "README.md");
}
