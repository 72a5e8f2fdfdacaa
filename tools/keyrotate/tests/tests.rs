//! Cases through the binary.
#![allow(
    clippy::unwrap_used,
    clippy::disallowed_methods,
    clippy::print_stdout,
    reason = "a test fails by a panic, writes files into temporary folders, and says what it skips"
)]

#[path = "tests/aws.rs"]
mod aws;
#[path = "tests/commands.rs"]
mod commands;
#[path = "tests/files.rs"]
mod files;
#[path = "tests/flaps.rs"]
mod flaps;
#[path = "tests/full.rs"]
mod full;
#[path = "tests/kills.rs"]
mod kills;
#[path = "tests/kills_plugin.rs"]
mod kills_plugin;
#[path = "tests/kills_ssh.rs"]
mod kills_ssh;
#[path = "tests/kills_targets.rs"]
mod kills_targets;
#[path = "tests/leaks.rs"]
mod leaks;
#[path = "tests/lost.rs"]
mod lost;
#[path = "tests/many.rs"]
mod many;
#[path = "tests/plugins.rs"]
mod plugins;
#[path = "tests/postgres.rs"]
mod postgres;
#[path = "tests/redis.rs"]
mod redis;
#[path = "tests/rig.rs"]
mod rig;
#[path = "tests/ssh.rs"]
mod ssh;
#[path = "tests/targets.rs"]
mod targets;
#[path = "tests/targets_aws.rs"]
mod targets_aws;
#[path = "tests/targets_postgres.rs"]
mod targets_postgres;

#[test]
fn the_examples_of_the_manual_run() {
    testkit::readme(env!("CARGO_BIN_EXE_keyrotate"), "README.md");
}
