//! The manual and the hard cases, run through the real binary.
#![allow(
    clippy::unwrap_used,
    clippy::disallowed_methods,
    clippy::print_stdout,
    reason = "a test fails by a panic, writes files into temporary folders, and says what it found"
)]

mod cases {
    mod attacks;
    mod away;
    mod command;
    mod desk;
    mod failures;
    pub(crate) mod faults;
    mod faults_commands;
    mod faults_disk;
    mod faults_files;
    mod faults_folders;
    mod faults_ledger;
    mod faults_limits;
    mod faults_shelf;
    mod faults_sweep;
    mod looking;
    mod losses;
    mod many;
    mod messages;
    pub(crate) mod mill;
    mod once;
    mod service;
    mod which;
}

#[test]
fn the_examples_of_the_manual_run() {
    testkit::readme(env!("CARGO_BIN_EXE_dirwatch"), "README.md");
}
