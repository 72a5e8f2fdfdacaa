//! What is told is what is there.

use std::path::Path;

use serde_json::Value;
use testkit::sshd::{Fleet, Sshd};

use crate::{objects, poll, poll_fleet};

/// The first number behind `name` in a file of /proc.
fn number(file: &str, name: &str) -> f64 {
    let text = std::fs::read_to_string(Path::new("/proc").join(file)).unwrap();
    let line = text.lines().find_map(|line| line.strip_prefix(name)).unwrap();
    line.split(|c: char| !c.is_ascii_digit() && c != '.')
        .find(|word| !word.is_empty())
        .unwrap()
        .parse()
        .unwrap()
}

#[test]
fn values_are_those_of_the_kernel() {
    let Some(server) = Sshd::new().start() else { return };
    let counters = || [number("stat", "ctxt"), number("stat", "processes"), number("uptime", "")];
    let before = counters();
    let output = poll(&server).args([&*server.host(), "--json", "--cpu-window", "0s"]).stdout_has("{").run();
    let after = counters();
    let object = &objects(&output.stdout)[0];
    let told = [&object["cpu"]["context_switches"], &object["cpu"]["forks"], &object["uptime_s"]];
    for ((before, told), after) in before.iter().zip(told).zip(after) {
        let told = told.as_f64().unwrap();
        assert!((*before..=after).contains(&told), "{before} <= {told} <= {after}");
    }
    let total = number("meminfo", "MemTotal:") * 1024.0;
    assert_eq!(object["mem_total_bytes"].to_string(), format!("{total}"));
    let cores = std::fs::read_to_string("/proc/stat").unwrap();
    let cores = cores.lines().filter(|line| line.starts_with("cpu")).count() - 1;
    assert_eq!(object["cores"], Value::from(cores));
}

#[test]
fn a_command_means_the_same_under_every_login_shell() {
    let Some(fleet) = Fleet::start(1, true) else { return };
    let script = "x=printf %s \"it's \\\\ a ! test\"; echo ' `$HOME' | tr -d '\n' ; true";
    let shells = ["bash", "dash", "busybox", "zsh", "tcsh", "fish", "mksh", "ksh"];
    let shells: Vec<&str> = shells.into_iter().filter(|name| fleet.has(name)).collect();
    let output = poll_fleet(&fleet)
        .args(["--json", "--metrics", "load", "--command", script])
        .args(shells.iter().map(|name| fleet.host(name)))
        .stdout_has("{")
        .run();
    let objects = objects(&output.stdout);
    assert_eq!(objects.len(), shells.len());
    for object in objects {
        assert_eq!(object["x"], "it's \\ a ! test `$HOME", "{object}");
    }
}

#[test]
fn a_command_that_fails_fails_alone() {
    let Some(server) = Sshd::new().start() else { return };
    poll(&server)
        .args([
            &*server.host(),
            "--json",
            "--metrics",
            "load",
            "--command",
            "a=exit 3",
            "--command",
            "b=echo 5",
        ])
        .status(23)
        .stdout_has("\"b\":5")
        .stderr_has("127.0.0.1: --command a: it ended with status 3")
        .run();
}

#[test]
fn a_command_that_hangs_leaves_the_rest() {
    let Some(server) = Sshd::new().start() else { return };
    poll(&server)
        .args([&*server.host(), "--json", "--metrics", "load", "--command", "slow=sleep 1000"])
        .args(["--command-timeout", "2s"])
        .status(23)
        .stdout_has("\"load1\":")
        .stderr_has("slow")
        .run();
}
