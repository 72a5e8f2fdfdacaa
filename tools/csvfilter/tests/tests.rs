//! Cases through the binary, and of the library beside its reference.
#![allow(
    clippy::unwrap_used,
    clippy::disallowed_methods,
    clippy::print_stdout,
    reason = "a test fails by a panic, writes files into temporary folders, and says what it found"
)]

#[path = "cases/bad.rs"]
mod bad;
#[path = "cases/faults.rs"]
mod faults;
#[path = "cases/fidelity.rs"]
mod fidelity;
#[path = "cases/generated.rs"]
mod generated;
#[path = "cases/live.rs"]
mod live;
#[path = "cases/long.rs"]
mod long;
#[path = "cases/memory.rs"]
mod memory;
#[path = "cases/output.rs"]
mod output;
#[path = "cases/plainly.rs"]
mod plainly;
#[path = "cases/progress.rs"]
mod progress;
#[path = "cases/reference.rs"]
mod reference;
#[path = "cases/reject.rs"]
mod reject;
#[path = "cases/rows.rs"]
mod rows;
#[path = "cases/statuses.rs"]
mod statuses;
#[path = "cases/streams.rs"]
mod streams;
#[path = "cases/threads.rs"]
mod threads;
#[path = "cases/torn.rs"]
mod torn;

#[test]
fn the_examples_of_the_manual_run() {
    testkit::readme(env!("CARGO_BIN_EXE_csvfilter"), "README.md");
}
