//! How runs end, and what they say.

use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;

use testkit::Case;

use crate::{FLEET, hostlist};

#[test]
fn no_host_is_an_error_that_says_why() {
    let check = |line: &str, want: &str| {
        hostlist(line)
            .file("fleet.toml", FLEET)
            .file("none.txt", "# none\n")
            .status(2)
            .stderr_has(want)
            .run();
    };
    check("", "hostlist: no hosts are told; name them, or an inventory with --hosts FILE or SRE_HOSTS\n");
    check("--lint", "no inventory is told");
    check("-H fleet.toml --limit env=none", "`env=none` means none of the 5 hosts; there is `env=");
    check("-H fleet.toml --limit env=prdo", "means none of the 5 hosts; did you mean `env=prod`?\n");
    check(
        "-H fleet.toml ./fleet.toml",
        "`./fleet.toml` is a file and no host; an inventory is told with -H\n",
    );
    check(
        "-H ~/fleet.toml",
        "cannot open ~/fleet.toml: No such file or directory (os error 2); ~ is the shell's",
    );
    check("-H fleet.toml --limit !*", "no host is selected: `!*` means none of the 5 hosts\n");
    check("-H fleet.toml --limit @none.txt", "no host is selected");
    check("-H fleet.toml --shard 6/6", "shard 6/6 has no host: there are only 5\n");
    check("-H none.txt", "there is no host in none.txt\n");
    check("-", "there is no host in standard input\n");
    check("-H missing.toml", "cannot open missing.toml: No such file");
    check("web1 --limit web1,,", "no term at character 6 of `web1,,`");
    check("web1 --limit @missing", "cannot open missing: No such file");
    check("web1 --shard 0/2", "there is no shard 0 of 2");
    check("web1 --effective --ssh-config missing", "cannot read missing: No such file");
    check("-H fleet.toml --by env -f names", "cannot show counts in this format");
    check("-H fleet.toml --lint -f csv", "cannot show findings in this format");
    check("web1 --json --format csv", "cannot be used with");
    check("web1 --lint", "cannot be used with");
}

#[test]
fn a_name_that_is_empty_is_told_as_what_it_is() {
    let said = "hostlist: the name of a host is empty; is a variable of the shell not set?\n";
    hostlist("web1").args([""]).status(2).stderr(said).run();
    let said = "hostlist: the value of `--limit <EXPR>` is empty; is a variable of the shell not set?\n";
    hostlist("web1 --limit").args([""]).status(2).stderr(said).run();
}

#[test]
fn a_broken_ssh_configuration_stops_only_what_needs_it() {
    let case = |line| hostlist(line).file("config", "Host *\nPort abc\n");
    case("web1 --effective --ssh-config config")
        .status(2)
        .stderr("hostlist: config:2: `abc` is no port\n")
        .run();
    case("web1 --ssh-config config -f names").stdout("web1\n").run();
    hostlist("web1 --effective --ssh-config config --json")
        .file("config", "Match exec \"touch ran\"\nPort 1\nHost *\nPort 2\n")
        .stderr("hostlist: config:1: `match exec` is not asked here; its block is passed over\n")
        .stdout("{\"name\":\"web1\",\"port\":2}\n")
        .run();
    hostlist("web1 --effective --json")
        .file(".ssh/config", "Host web1\nHostName 10.0.0.1\nIdentityFile ~/k\nProxyJump none\n")
        .stdout_has("\"address\":\"10.0.0.1\"")
        .stdout_has("\"jump\":\"none\"")
        .run();
}

#[test]
fn a_term_without_a_host_is_a_warning_with_what_is_near() {
    hostlist("-H fleet.toml -f names --limit env=prdo,web1,env=test,bd1,db1")
        .file("fleet.toml", FLEET)
        .stdout("db1\n")
        .stderr(
            "hostlist: --limit `env=prdo` means no host; did you mean `env=prod`?\n\
             hostlist: --limit `bd1` is the name of no host and no group; did you mean `db1`?\n",
        )
        .run();
    hostlist("-H fleet.toml -f names bastoin web9")
        .file("fleet.toml", FLEET)
        .stdout("bastoin\nweb9\n")
        .stderr(
            "hostlist: `bastoin` is not in the inventory and is taken as a host; did you mean `bastion`?\n",
        )
        .run();
}

#[test]
fn thousands_of_unknown_names_are_not_each_compared_with_each() {
    let names = |letter: char| (0..2000).map(|at| format!("{letter}{at}")).collect::<Vec<_>>().join("\n");
    hostlist("-H known.txt -c -")
        .file("known.txt", names('a'))
        .stdin(names('b'))
        .stdout("2000\n")
        .stderr_has("hostlist: 1500 more names are not in the inventory and are taken as hosts\n")
        .run();
}

#[test]
fn an_entry_that_cannot_be_meant_is_a_warning_once() {
    let text = "name,port\nweb1,22\nweb2,70000\nweb2,70000\n";
    hostlist("-H a.csv -H a.csv -f names").file("a.csv", text).stdout("web1\n").stderr_has("a.csv:3: ").run();
    let lint = hostlist("-H a.csv --lint").file("a.csv", text).status(1).stdout_has("a.csv:4: ").run();
    assert_eq!(lint.stdout.split_inclusive(|byte| *byte == b'\n').count(), 2);
    hostlist("-H a.csv --lint").file("a.csv", "name\nweb1\n").run();
    hostlist("-H a.csv --lint --json")
        .file("a.csv", text)
        .status(1)
        .stdout_has("\"line\":3,\"level\":\"error\"")
        .run();
}

#[test]
fn a_reader_that_goes_is_no_error_and_a_full_disk_is() {
    hostlist("h[1-100000]").stdout_closed_after(10).run();
    hostlist("h[1-100000] --json").stdout_closed_after(0).run();
    hostlist("h1")
        .stdout_to_full_disk()
        .status(2)
        .stderr_has("cannot write standard output: No space left")
        .run();
    hostlist("h1 --limit h2").stderr_closed().status(2).run();
}

#[test]
fn names_of_files_may_be_any_bytes() {
    let name = OsStr::from_bytes(b"fl\xffeet.toml");
    Case::new(env!("CARGO_BIN_EXE_hostlist"))
        .args([OsStr::new("-c"), OsStr::new("-H"), name])
        .file(name, FLEET)
        .stdout("5\n")
        .run();
}

#[test]
fn what_an_inventory_says_cannot_steer_a_terminal() {
    let text = "[[host]]\nname = \"a\"\ntags = { note = \"\\u001b[31m\\nred\" }\n";
    hostlist("-H a.toml").file("a.toml", text).stdout("NAME  TAGS\na     note=\\u{1b}[31m\\nred\n").run();
    let high = "[[host]]\nname = \"a\"\ntags = { note = \"\\u009b31m\\u007f\" }\n";
    let json = "{\"name\":\"a\",\"tags\":{\"note\":[\"\\u009b31m\\u007f\"]}}\n";
    hostlist("-H a.toml --json").file("a.toml", high).stdout(json).run();
    hostlist("-H a.toml --by note").file("a.toml", text).stdout_has("\\u{1b}[31m\\nred").run();
}
