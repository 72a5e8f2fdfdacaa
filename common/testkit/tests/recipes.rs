//! `tools/RECIPES.md`, from end to end: every command of it, and every line of a crontab or a unit.
#![allow(clippy::expect_used, reason = "a test fails by a panic")]

#[path = "recipes/fleet.rs"]
mod fleet;
#[path = "recipes/logs.rs"]
mod logs;
#[path = "recipes/monitor.rs"]
mod monitor;

use std::path::Path;

use monitor::Monitor;
use testkit::sshd::Fleet;

const TOOLS: [&str; 10] = [
    "confpush",
    "csvfilter",
    "dirwatch",
    "hostlist",
    "hostpoll",
    "jsonset",
    "keyrotate",
    "logcount",
    "logfilter",
    "runjob",
];

#[test]
fn every_recipe_runs() {
    let hosts = fleet::names();
    let Some(fleet) = Fleet::start(hosts.len(), false) else { return };
    let monitor = Monitor::start();
    let tools = TOOLS.map(testkit::tool);
    let manual = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tools/RECIPES.md");
    testkit::readme_of_a_system(&tools[0], manual, |root| {
        fleet::settle(&fleet, &hosts, root);
        logs::write_all(root);
        testkit::write(root.join("etc/shop/ping"), format!("http://{}/5f2c\n", monitor.address));
    });
    assert!(monitor.has_heard("GET /5f2c"), "the backup that succeeded has not called");
    assert!(monitor.has_heard("POST /5f2c/fail"), "the backup that failed has not called");
}
