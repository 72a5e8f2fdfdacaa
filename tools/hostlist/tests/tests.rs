//! The manual, and what it should not be burdened with.
#![allow(clippy::unwrap_used, reason = "a test fails by a panic")]

#[path = "cases/formats.rs"]
mod formats;
#[path = "cases/statuses.rs"]
mod statuses;
#[path = "cases/told.rs"]
mod told;

use testkit::Case;

/// A run of hostlist with this command line.
fn hostlist(line: &str) -> Case {
    Case::new(env!("CARGO_BIN_EXE_hostlist")).args(line.split_whitespace())
}

/// A small inventory, and hosts with everything that can be said of them.
const FLEET: &str = r#"
[[host]]
name = "bastion"
address = "192.0.2.1"
port = 2222

[[host]]
name = "web[1-3]"
user = "ops"
keys = ["/keys/a b", "/keys/two"]
jump = "bastion"
tags = { env = "prod", role = ["web", "edge"] }

[[host]]
name = "db1"
address = "fe80::1%eth0"
tags = { env = "test", port = "5432", note = "a \"b\", c" }
"#;

#[test]
fn the_examples_of_the_manual_run() {
    testkit::readme(env!("CARGO_BIN_EXE_hostlist"), "README.md");
}
