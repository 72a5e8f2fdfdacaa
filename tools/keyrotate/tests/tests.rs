//! What the manual does not show.
#![allow(clippy::unwrap_used, clippy::disallowed_methods, reason = "a test fails by a panic")]

#[test]
fn the_manual_is_executed() {
    testkit::readme(env!("CARGO_BIN_EXE_keyrotate"), concat!(env!("CARGO_MANIFEST_DIR"), "/README.md"));
}

#[path = "tests/aws.rs"]
mod aws;
#[path = "tests/plugins.rs"]
mod plugins;
#[path = "tests/postgres.rs"]
mod postgres;
#[path = "tests/redis.rs"]
mod redis;
