//! Where hosts come from.

use crate::{FLEET, hostlist};

#[test]
fn hosts_come_from_the_command_line_and_standard_input() {
    hostlist("b a[1-2] b -f names").stdout("b\na1\na2\n").run();
    hostlist("- -f names").stdin("web1\n# none\nroot@web2:7\n").stdout("web1\nweb2\n").run();
    hostlist("first - --json").stdin("web1\n").stdout("{\"name\":\"first\"}\n{\"name\":\"web1\"}\n").run();
    hostlist("-H - --hosts-format toml -c").stdin(FLEET).stdout("5\n").run();
    hostlist("-H fleet.toml - -f names")
        .file("fleet.toml", FLEET)
        .stdin("WEB3\nweb1\n")
        .stdout("web3\nweb1\n")
        .run();
}

#[test]
fn a_variable_names_the_inventory_where_no_flag_does() {
    let case = |line| {
        hostlist(line).file("fleet.toml", FLEET).file("other.txt", "x\n").env("SRE_HOSTS", "fleet.toml")
    };
    case("-c").stdout("5\n").run();
    case("-c web1").stdout("1\n").run();
    case("-c -H other.txt").stdout("1\n").run();
    case("-c --hosts-format names").env("SRE_HOSTS", "").status(2).stderr_has("no hosts are told").run();
}

#[test]
fn a_command_prints_an_inventory() {
    hostlist("--hosts-command ./list -f names").status(2).stderr_has("./list").run();
    let case = hostlist("-f names --limit env=prod").args(["--hosts-command", "cat fleet.json"]);
    case.file("fleet.json", r#"[{"name":"a","tags":{"env":"prod"}},{"name":"b"}]"#).stdout("a\n").run();
}

#[test]
fn what_a_command_started_ends_with_us() {
    let folder = tempfile::tempdir().unwrap();
    let fifo = folder.path().join("fifo");
    let made = std::process::Command::new("mkfifo").arg(&fifo).status().unwrap();
    assert!(made.success());
    // It holds the fifo open for as long as it lives: its end is the end of what reads.
    let line = format!("sleep 600 >{} & wait", fifo.display());
    let mut run = std::process::Command::new(env!("CARGO_BIN_EXE_hostlist"))
        .args(["--hosts-command", &line])
        .stderr(std::process::Stdio::null())
        .spawn()
        .unwrap();
    let mut held = std::fs::File::open(&fifo).unwrap();
    let pid = run.id().to_string();
    assert!(std::process::Command::new("kill").args(["-INT", &pid]).status().unwrap().success());
    assert_eq!(run.wait().unwrap().code(), Some(130));
    assert_eq!(std::io::Read::read(&mut held, &mut [0]).unwrap(), 0);
}

#[test]
fn a_named_host_is_the_one_of_the_inventory() {
    hostlist("-H fleet.toml root@WEB1:7 --json")
        .file("fleet.toml", FLEET)
        .stdout_has("{\"name\":\"web1\",\"port\":7,\"user\":\"root\",\"keys\":[")
        .run();
}

#[test]
fn selections_hold_together() {
    let check = |limits: &str, want: &str| {
        hostlist(&format!("-H fleet.toml -f names {limits}")).file("fleet.toml", FLEET).stdout(want).run();
    };
    check("--limit env=prod,env=test", "web1\nweb2\nweb3\ndb1\n");
    check("--limit env=prod --limit !web2", "web1\nweb3\n");
    check("--limit env=prod,!web[1-2]", "web3\n");
    check("--limit role=e*,web*,!web1", "web2\nweb3\n");
    check("--limit env!=prod", "bastion\ndb1\n");
}

#[test]
fn the_outputs_of_all_shards_are_the_output_of_the_whole() {
    let whole = hostlist("h[001-103] -f names").stdout_has("").run().stdout;
    let part =
        |shard| hostlist(&format!("h[001-103] -f names --shard {shard}/7")).stdout_has("").run().stdout;
    assert_eq!((1..=7).flat_map(part).collect::<Vec<u8>>(), whole);
}

#[test]
fn names_come_back_from_their_ranges() {
    hostlist("--fold web[08-12].a db1 web[1-2] mail").stdout("web[08-12].a\ndb1\nweb[1-2]\nmail\n").run();
    let folded = hostlist("--fold h[1-20000].example.com").stdout("h[1-20000].example.com\n").run();
    hostlist("- --fold").stdin(&folded.stdout).stdout(&folded.stdout).run();
}
