//! Which hosts are asked, and how they are reached.

use testkit::sshd::Fleet;

use crate::{objects, poll_fleet};

fn names(stdout: &[u8]) -> Vec<String> {
    let hosts = objects(stdout).into_iter().map(|object| object["host"].as_str().unwrap().to_owned());
    let mut names: Vec<String> = hosts.collect();
    names.sort();
    names
}

/// How many logins there were at one of the first hosts, which share a server and its log.
fn logins(fleet: &Fleet, host: &str) -> usize {
    let log = std::fs::read_to_string(fleet.path("log/hosts0.log")).unwrap();
    // `Connection from 127.0.0.1 port 51000 on 127.0.1.1 port 22000 …`
    let place = format!(" on {host} port ");
    let connections =
        log.lines().filter_map(|line| line.strip_prefix("Connection from ")?.split_once(&place));
    let from: Vec<&str> = connections.map(|(from, _)| from).collect();
    let is_here = |line: &&str| from.iter().any(|from| line.contains(&format!(" from {from} ssh2")));
    log.lines().filter(|line| line.starts_with("Accepted publickey")).filter(is_here).count()
}

#[test]
fn the_parts_of_a_shard_are_the_whole() {
    let Some(fleet) = Fleet::start(7, false) else { return };
    let hosts = fleet.hosts();
    let mut all = Vec::new();
    for part in ["1/3", "2/3", "3/3"] {
        let case = poll_fleet(&fleet).args(["--json", "--metrics", "load", "--shard", part]).args(&hosts);
        all.extend(names(&case.stdout_has("{").run().stdout));
    }
    all.sort();
    assert_eq!(all, {
        let mut hosts = hosts;
        hosts.sort();
        hosts
    });
}

#[test]
fn hosts_behind_a_jump_host_share_one_session() {
    let Some(fleet) = Fleet::start(20, false) else { return };
    let hosts = fleet.hosts();
    let output = poll_fleet(&fleet)
        .args(["--json", "--metrics", "load", "--jump", &*hosts[0]])
        .args(&hosts[1..])
        .stdout_has("{")
        .run();
    assert_eq!(names(&output.stdout).len(), 19);
    assert!(objects(&output.stdout).iter().all(|object| object["ok"] == true));
    assert_eq!(logins(&fleet, &hosts[0]), 1, "all through one session of the jump host");
    assert_eq!(logins(&fleet, &hosts[1]), 1);
}

#[test]
fn a_jump_host_that_is_away_is_named_by_all_behind_it() {
    let Some(fleet) = Fleet::start(2, true) else { return };
    let output = poll_fleet(&fleet)
        .args(["--json", "--metrics", "load", "--jump", fleet.host("refused")])
        .args(fleet.hosts())
        .status(75)
        .stdout_has("{")
        .stderr_has("jump host 127.0.2.1: nothing listens")
        .run();
    assert!(objects(&output.stdout).iter().all(|object| object["error"]["class"] == "refused"));
}

#[test]
fn what_is_away_behind_a_jump_host_holds_up_nobody() {
    let Some(fleet) = Fleet::start(4, true) else { return };
    let hosts = fleet.hosts();
    let output = poll_fleet(&fleet)
        .args(["--json", "--metrics", "load", "--connect-timeout", "4s", "--jump", &*hosts[0]])
        .args([fleet.host("blackhole"), fleet.host("refused")])
        .args(&hosts[1..])
        .status(23)
        .stdout_has("{")
        .stderr_has("had no connection to 127.0.2.5")
        .run();
    let ok = objects(&output.stdout).iter().filter(|object| object["ok"] == true).count();
    assert_eq!(ok, 3);
}
