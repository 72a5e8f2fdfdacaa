//! Cases through the binary.
#![allow(
    clippy::unwrap_used,
    clippy::disallowed_methods,
    reason = "a test fails by a panic, and writes files into temporary folders"
)]

#[path = "tests/follow.rs"]
mod follow;
#[path = "tests/kills.rs"]
mod kills;
#[path = "tests/messages.rs"]
mod messages;
#[path = "tests/plain.rs"]
mod plain;
#[path = "tests/rotation.rs"]
mod rotation;
#[path = "tests/state.rs"]
mod state;
#[path = "tests/truth.rs"]
mod truth;

use testkit::Case;

/// A run of the tool.
fn case(line: &str) -> Case {
    Case::new(env!("CARGO_BIN_EXE_logcount")).args(line.split_whitespace())
}

/// The object that is printed for so many records of each level.
fn json(counts: &[(&str, u64)]) -> String {
    let names = ["TRACE", "DEBUG", "INFO", "NOTICE", "WARNING", "ERROR", "CRITICAL", "UNKNOWN"];
    let count = |name: &str| counts.iter().find(|(known, _)| *known == name).map_or(0, |(_, count)| *count);
    let fields: Vec<String> = names.iter().map(|name| format!("\"{name}\":{}", count(name))).collect();
    format!("{{{}}}\n", fields.join(","))
}

/// The tour of the whole suite; it needs the other tools built beside this one.
#[test]
fn the_tour_of_the_readme_runs() {
    testkit::readme(env!("CARGO_BIN_EXE_logcount"), "../../README.md");
}

#[test]
fn the_examples_of_the_manual_run() {
    testkit::readme(env!("CARGO_BIN_EXE_logcount"), "README.md");
}
