//! What is printed is read again as the same.

use std::process::Command;

use crate::{FLEET, hostlist};

/// FLEET in another form.
fn printed(flags: &str) -> Vec<u8> {
    hostlist(&format!("-H fleet.toml {flags}")).file("fleet.toml", FLEET).stdout_has("web1").run().stdout
}

#[test]
fn csv_and_json_are_the_same_inventory_again() {
    let json = printed("--json");
    hostlist("-H a.csv --json").file("a.csv", printed("-f csv")).stdout(&json).run();
    hostlist("-H a.json --json").file("a.json", &json).stdout(&json).run();
    hostlist("-H - --json").stdin(&json).stdout(&json).run();
    hostlist("--json").args(["--hosts-command", "cat a"]).file("a", &json).stdout(&json).run();
    let list = format!("[{}]", String::from_utf8(json.clone()).unwrap().trim_end().replace('\n', ","));
    hostlist("-H a.json --json").file("a.json", list).stdout(&json).run();
    let one = hostlist("-H fleet.toml --json db1").file("fleet.toml", FLEET).stdout_has("db1").run().stdout;
    hostlist("-H a.json --json").file("a.json", &one).stdout(&one).run();
}

#[test]
fn an_ssh_config_is_the_same_inventory_but_for_its_tags() {
    let config = printed("-f ssh_config");
    let hosts = printed("--json");
    let hosts = String::from_utf8(hosts).unwrap();
    let without_tags = |line: &str| match line.split_once(",\"tags\"") {
        Some((host, _)) => format!("{host}}}\n"),
        None => format!("{line}\n"),
    };
    let without_tags: Vec<String> = hosts.lines().map(without_tags).collect();
    hostlist("-H a.config --hosts-format ssh_config --json")
        .file("a.config", &config)
        .stdout(without_tags.concat())
        .run();
}

#[test]
fn ssh_takes_the_ssh_config() {
    if !testkit::has("ssh") {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("config");
    testkit::write(&path, printed("-f ssh_config --limit web1,db1"));
    let said = |name: &str| {
        let output = Command::new("ssh").arg("-G").arg("-F").arg(&path).arg(name).output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).unwrap()
    };
    let check = |name: &str, wanted: &[&str]| {
        let said = said(name);
        for line in wanted {
            assert!(said.lines().any(|one| one == *line), "{line} is not in\n{said}");
        }
    };
    check("web1", &["user ops", "identityfile /keys/a b", "identityfile /keys/two", "proxyjump bastion"]);
    check("db1", &["hostname fe80::1%eth0"]);
    check("bastion", &["hostname 192.0.2.1", "port 2222"]);
}

#[test]
fn a_chain_of_groups_has_an_end() {
    let chain: Vec<String> = (0..5000).map(|at| format!("[g{at}:children]\ng{}", at + 1)).collect();
    hostlist("-H a.ini -f names")
        .file("a.ini", format!("{}\n[g5000]\nh\n", chain.join("\n")))
        .stdout("h\n")
        .stderr_has("the group `g200` is, through others, in more than 200, which are passed over")
        .run();
}

#[test]
fn counts_have_their_forms() {
    let check = |flags: &str, want: &str| {
        hostlist(&format!("-H fleet.toml --by env {flags}")).file("fleet.toml", FLEET).stdout(want).run();
    };
    check("", "ENV     HOSTS\n(none)      1\nprod        3\ntest        1\ntotal       5\n");
    check(
        "--json",
        "{\"env\":null,\"hosts\":1}\n{\"env\":\"prod\",\"hosts\":3}\n{\"env\":\"test\",\"hosts\":1}\n",
    );
    check("-f csv", "env,hosts\n,1\nprod,3\ntest,1\n");
    hostlist("-H fleet.toml --by rloe -f csv")
        .file("fleet.toml", FLEET)
        .stdout("rloe,hosts\n,5\n")
        .stderr("hostlist: no host has a tag `rloe`; did you mean `role`?\n")
        .run();
    check("--by role -f csv --limit web*", "env,role,hosts\nprod,edge,3\nprod,web,3\n");
}
