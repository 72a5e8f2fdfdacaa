//! Exit statuses and messages.

use testkit::Case;
use testkit::sshd::Sshd;

use crate::poll;

fn hostpoll() -> Case {
    Case::new(env!("CARGO_BIN_EXE_hostpoll"))
}

#[test]
fn no_host_within_reach_is_for_later() {
    hostpoll()
        .args(["127.0.0.1", "--port", "1", "--ssh-config", "none", "--format", "csv"])
        .status(75)
        .stdout_has("false,refused,connect,nothing listens on port 1 of 127.0.0.1")
        .stderr_has("hostpoll: 127.0.0.1: refused: nothing listens on port 1 of 127.0.0.1\n")
        .run();
}

#[test]
fn a_rule_about_hosts_decides_what_becomes_of_those_that_failed() {
    let Some(server) = Sshd::new().start() else { return };
    let there = server.host();
    let away = "127.0.0.2";
    let check = |rule: &str, status| {
        let case = poll(&server).args([&*there, away, "--metrics", "load", "--fail-on", rule]);
        let output = case.status(status).stdout_has("FAILED").stderr_has("").run();
        String::from_utf8(output.stderr).unwrap()
    };
    assert_eq!(check("unreachable>50%", 0), "");
    assert!(check("unreachable>=50%", 1).contains("unreachable"));
    assert!(check("failed>0", 1).contains("failed"));
    assert!(check("load1>=0", 23).contains("load1"));
}

#[test]
fn a_value_over_its_limit_is_told_with_its_host() {
    let Some(server) = Sshd::new().start() else { return };
    poll(&server)
        .args([&*server.host(), "--metrics", "mem", "--json", "--fail-on", "mem_percent>=0"])
        .status(1)
        .stdout_has("\"mem_percent\":")
        .stderr_has("hostpoll: 127.0.0.1: mem_percent is ")
        .run();
}

#[test]
fn what_cannot_be_meant_is_refused_before_any_host_is_asked() {
    let check = |args: &[&str], part: &str| {
        hostpoll().args(["127.0.0.1"]).args(args).status(2).stderr_has(part).run();
    };
    check(&["--fail-on", "cpu_persent>90"], "cpu_percent");
    check(&["--fail-on", "cpu_percent>>90"], "^");
    check(&["--command", "x"], "NAME=CMD");
    check(&["--command", "host=id"], "`host` is the name of a value");
    check(&["--command", "a=id", "--command", "a=id"], "`a` is given twice");
    check(&["--sort", "cpux"], "cpux");
    check(&["--sort", "-cpux"], "no column `cpux`");
    check(&["--metrics", "cpus"], "cpus");
    check(&["--push", "ftp://example.com/"], "http");
    check(&["--push", "http://u:p@example.com/metrics/job/x"], "password");
    check(&["--watch"], "standard output is none");
    check(&["--interval", "5"], "5");
    check(&["--interval", "0s"], "without any time between them");
    check(&["--samples", "3"], "give --interval or --watch too");
    check(&["--watch", "--samples", "3"], "standard output is none");
    check(&["--metrics", "load", "--fail-on", "cpu_percent>9"], "cpu_percent is not asked for; add cpu to");
    check(&["--fail-on", "cpu>9"], "did you mean `cpu_percent`");
    check(&["--limit", "nosuchhost"], "nosuchhost");
    check(
        &["--key", "/nonexistent/key"],
        "hostpoll: cannot read /nonexistent/key: No such file or directory",
    );
    check(&["--fail-on", "used_percent>90"], "no value `used_percent`; did you mean `disk_percent`?");
}

#[test]
fn without_any_host_it_says_how_to_name_one() {
    hostpoll().status(2).stderr_has("--hosts FILE").run();
}

#[test]
fn a_reader_that_goes_away_ends_it_in_silence() {
    let Some(server) = Sshd::new().start() else { return };
    poll(&server).args([&*server.host(), "--json", "--metrics", "load"]).stdout_closed_after(0).run();
}

#[test]
fn a_full_disk_is_told() {
    let Some(server) = Sshd::new().start() else { return };
    poll(&server)
        .args([&*server.host(), "--json", "--metrics", "load"])
        .stdout_to_full_disk()
        .status(2)
        .stderr_has("No space left on device")
        .run();
}
