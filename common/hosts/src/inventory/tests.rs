use std::fmt::Write;
use std::fs::File;
use std::io::Write as _;
use std::path::PathBuf;
use std::time::Duration;

use proptest::prelude::*;

use super::*;

fn testdata(name: &str) -> PathBuf {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../testdata/hosts");
    folder.canonicalize().unwrap().join(name)
}

fn file(name: &str) -> Source {
    Source::File(testdata(name))
}

fn show_host(host: &Host) -> String {
    let mut shown = format!("{}:", host.place.line);
    let user = host.user.as_ref().map(|user| format!("{user}@")).unwrap_or_default();
    let _ = write!(shown, "{} {user}{}", host.name, host.address.as_deref().unwrap_or(""));
    shown.extend(host.port.iter().map(|port| format!(" port {port}")));
    let folder = testdata("").display().to_string();
    shown.extend(
        host.keys.iter().map(|key| format!(" key {}", key.display().to_string().replace(&folder, ""))),
    );
    shown.extend(host.jump.iter().map(|jump| format!(" via {jump}")));
    for (key, values) in &host.tags {
        let _ = write!(shown, " {key}={}", values.iter().map(String::as_str).collect::<Vec<_>>().join("+"));
    }
    shown
}

fn show(finding: &Finding) -> String {
    let mark = if finding.is_error { "error" } else { "warning" };
    let file = finding.place.source.rsplit('/').next().unwrap_or_default();
    format!("{file}:{}: {mark}: {}", finding.place.line, finding.what)
        .replace(&testdata("").display().to_string(), "")
}

fn check_hosts(name: &str, want: &[&str]) -> Inventory {
    let inventory = Inventory::read(&[file(name)], None).unwrap();
    assert_eq!(inventory.hosts.iter().map(show_host).collect::<Vec<_>>(), want, "{name}");
    inventory
}

fn check_findings(found: &[Finding], want: &[&str]) {
    assert_eq!(found.iter().map(show).collect::<Vec<_>>(), want);
}

fn check_text(text: &str, format: Format, want: &[&str]) {
    let mut found = Found::new("x");
    let read = parse(text, format, &mut found);
    let mut all: Vec<String> = found.hosts.iter().map(show_host).collect();
    all.extend(found.findings.iter().map(show));
    all.extend(read.err().map(|error| error.to_string()));
    assert_eq!(all, want, "{text}");
}

#[test]
fn three_forms_of_one_fleet_are_the_same() {
    let toml = check_hosts(
        "fleet.toml",
        &[
            "8:bastion ops@bastion.example.com port 2222 env=prod region=fra role=bastion",
            "14:web01 ops@192.0.2.11 via bastion env=prod region=fra role=edge+web",
            "14:web02 ops@192.0.2.12 via bastion env=prod region=fra role=edge+web",
            "14:web03 ops@192.0.2.13 via bastion env=prod region=fra role=edge+web",
            "14:web04 ops@192.0.2.14 via bastion env=prod region=fra role=edge+web",
            "19:web05 ops@198.51.100.11 via bastion env=prod region=ams role=web",
            "19:web06 ops@198.51.100.12 via bastion env=prod region=ams role=web",
            "24:db1 ops@192.0.2.21 via bastion db=primary env=prod region=fra role=db",
            "29:db2 ops@198.51.100.21 via bastion db=replica env=prod region=ams role=db",
            "34:cache1 ops@192.0.2.31 via bastion env=prod region=fra role=cache",
            "39:mail postmaster@2001:db8::25 via none env=prod region=fra role=mail",
            "46:stage1 ops@203.0.113.5 via bastion env=stage region=fra role=db+web",
        ],
    );
    check_findings(&toml.lint(&SshConfig::default()), &[]);
    for name in ["fleet.csv", "fleet.json"] {
        let other = Inventory::read(&[file(name)], None).unwrap();
        let without_places = |inventory: &Inventory| -> Vec<Host> {
            inventory.hosts.iter().map(|host| Host { place: Place::default(), ..host.clone() }).collect()
        };
        assert_eq!(without_places(&other), without_places(&toml), "{name}");
        check_findings(&other.findings, &[]);
    }
}

#[test]
fn a_bad_entry_is_left_out_and_told() {
    let bad = check_hosts(
        "bad.toml",
        &["9:web02  via bastoin", "36:db2 192.0.2.4 via db3", "41:db3 192.0.2.4 key no-such-key via db2"],
    );
    check_findings(
        &bad.lint(&SshConfig::default()),
        &[
            "bad.toml:2: error: there is no field `usr`; did you mean `user`?",
            "bad.toml:3: error: `name` cannot be the same for all hosts",
            "bad.toml:7: error: the port 70000 is not from 1 to 65535; `web01` is left out",
            "bad.toml:9: error: `web02` jumps through `bastoin`, which is no host of the inventory",
            "bad.toml:11: error: there is no field `prot`; did you mean `port`?",
            "bad.toml:14: error: `web02` is already there on line 9; it is left out",
            "bad.toml:17: error: the name `-oProxyCommand=reboot` begins with `-`, which ssh would take for an option; it is left out",
            "bad.toml:20: error: `05-03` at character 5 of `web[05-03]` runs backwards; it is left out",
            "bad.toml:23: error: `web[1-3]` is 3 hosts, but `192.0.2.[1-2]` is 2 addresses; it is left out",
            "bad.toml:27: error: the host has no name; it is left out",
            "bad.toml:34: error: `tags` is a single value, not a mapping; `db1` is left out",
            "bad.toml:36: error: jumps in a circle: db2 -> db3 -> db2",
            "bad.toml:41: warning: `db3` and `db2` are both at 192.0.2.4 port 22",
            "bad.toml:41: warning: cannot look at the key no-such-key: No such file or directory (os error 2)",
            "bad.toml:47: error: there is no `hots` here; did you mean `host`?",
        ],
    );
    let bad = check_hosts("bad.csv", &["6:web05  port 22 env=prod"]);
    check_findings(
        &bad.findings,
        &[
            "bad.csv:2: error: the port `ssh` is no number; the host is left out",
            "bad.csv:3: error: the line has 1 fields, the header 3; the host is left out",
            "bad.csv:4: error: the name `web 03` holds a space; it is left out",
            "bad.csv:5: error: `prod` is no tag; write env=prod;role=web; the host is left out",
        ],
    );
}

#[test]
fn a_list_of_names_is_an_inventory() {
    let names = ["2:web01.example.com ", "2:web02.example.com ", "2:web03.example.com "];
    let others = ["3:db1.example.com ops@ port 2222", "4:2001:db8::7  port 22", "5:2001:db8::8 "];
    check_findings(&check_hosts("names.txt", &[names, others].concat()).findings, &[]);
}

#[test]
fn the_names_of_an_ssh_config_are_an_inventory() {
    let config = check_hosts(
        "ssh_config",
        &[
            "1:web01 ops@web01.example.com",
            "1:web02 ops@web02.example.com",
            "5:db1 nobody@192.0.2.21 port 2222 via web01",
        ],
    );
    check_findings(&config.lint(&SshConfig::default()), &[]);
}

#[test]
fn a_program_is_no_inventory() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("hosts.py");
    File::create(&path).unwrap().write_all(b"#!/bin/sh\necho web01\n").unwrap();
    let error = Inventory::read(&[Source::File(path.clone())], None).unwrap_err();
    assert_eq!(error.to_string(), format!("{} is a program; let --hosts-command run it", path.display()));
}

#[test]
fn ansible_inventories_read_as_ansible_reads_them() {
    // As `ansible-inventory --list` of ansible-core 2.19 shows them, beside what is left out on purpose.
    let ini = check_hosts(
        "ansible.ini",
        &[
            "2:mail.example.com  port 2525 env=prod note=two words role=plain",
            "5:web01.example.com ops@ via bastion.example.com env=prod group=fra+web region=fra role=plain",
            "5:web02.example.com ops@ via bastion.example.com env=prod group=fra+web region=fra role=plain",
            "5:web03.example.com ops@ via bastion.example.com env=prod group=fra+web region=fra role=plain",
            "6:web04.example.com ops@192.0.2.4 port 2222 via bastion.example.com env=prod group=fra+web region=fra role=edge",
            "9:db-a.example.com postgres@ key /etc/keys/db via bastion.example.com backup=nightly env=prod group=db+fra region=fra role=plain",
            "9:db-b.example.com postgres@ key /etc/keys/db via bastion.example.com backup=nightly env=prod group=db+fra region=fra role=plain",
        ],
    );
    check_findings(&ini.findings, &["ansible.ini:17: warning: the group `empty` has no hosts"]);
    let yaml = check_hosts(
        "ansible.yml",
        &[
            "8:mail.example.com  port 2525 env=prod note=two words",
            "18:web01.example.com  via ops@bastion.example.com env=prod group=fra+web region=fra",
            "18:web02.example.com  via ops@bastion.example.com env=prod group=fra+web region=fra",
            "18:web03.example.com  via ops@bastion.example.com env=prod group=fra+web region=fra",
            "20:web04.example.com 192.0.2.4 port 2222 via ops@bastion.example.com env=prod group=fra+web region=fra role=edge",
            "31:db-a.example.com postgres@db-a.internal.example.com via ops@bastion.example.com backup=nightly env=prod group=db+fra region=fra",
            "34:db-b.example.com  via ops@bastion.example.com backup=nightly env=prod group=db+fra region=fra",
        ],
    );
    check_findings(
        &yaml.findings,
        &[
            "ansible.yml:5: error: `ansible_user` is a template, and templates are not expanded here",
            "ansible.yml:37: warning: the group `empty` has no hosts",
            "ansible.yml:41: warning: `localhost` is not reached through SSH (ansible_connection=local); it is left out",
        ],
    );
}

#[test]
fn dynamic_inventories_and_folders_of_variables() {
    let dynamic = check_hosts(
        "dynamic.json",
        &[
            "10:web01.example.com ops@192.0.2.1 env=prod group=site+web is_live=true rack=7",
            "10:web02.example.com ops@ env=prod group=site+web is_live=true",
            "11:db01.example.com ops@ env=prod group=db+site is_live=true",
            "12:mail.example.com  env=prod",
        ],
    );
    let alone =
        "dynamic.json:5: warning: `alone.example.com` has variables, but is in no group and thus no host";
    check_findings(&dynamic.findings, &[alone]);
    let folders = check_hosts(
        "with-vars/hosts",
        &[
            "2:web01.example.com ops@ port 2222 env=prod group=site+web region=ini",
            "3:web02.example.com ops@ port 2222 env=prod group=site+web region=own",
        ],
    );
    check_findings(
        &folders.findings,
        &[
            "vault.yml:1: warning: encrypted with ansible-vault; its variables are not known here",
            "web01.example.com:1: error: variables should stand here, not a list",
        ],
    );
}

#[test]
fn what_ansible_would_refuse_is_told() {
    let bad = check_hosts("bad.ini", &[]);
    check_findings(
        &bad.findings,
        &[
            "bad.ini:2: error: the port 0 is not from 1 to 65535; its hosts are left out",
            "bad.ini:3: error: the quote ' is not closed; the host is left out",
            "bad.ini:4: error: `oops` after `web03` is no key=value; the host is left out",
            "bad.ini:5: error: `lookup` after `web04` is no key=value; the host is left out",
            "bad.ini:6: error: the name `-oProxyCommand=x` begins with `-`, which ssh would take for an option; it is left out",
            "bad.ini:7: error: `3:1` at character 5 of `web[3:1]` runs backwards; it is left out",
            "bad.ini:9: error: a section has no part `childs`; known are children, vars, hosts; its lines are passed over",
            "bad.ini:12: error: there is no group [nosuch], which has variables here",
            "bad.ini:15: error: the group `a` is, through others, a child of itself",
            "bad.ini:20: error: [ab c] names no group; its lines are passed over",
        ],
    );
    let vault = "all:\n  hosts:\n    a: {ansible_host: !vault x}\n    b: {ansible_port: '{{ p }}'}\n    b: {}\n    c:\n";
    check_text(
        vault,
        Format::AnsibleYaml,
        &[
            "6:c ",
            "x:5: error: `b` is already there on line 4; the last one counts",
            "x:3: error: `ansible_host` is encrypted with ansible-vault, which is not read here",
            "x:4: error: `ansible_port` is a template, and templates are not expanded here",
        ],
    );
}

#[test]
fn what_is_no_inventory_is_an_error() {
    check_text(
        "a = \n",
        Format::Toml,
        &["cannot read x:1 as toml: string values must be quoted, expected literal string"],
    );
    check_text("{", Format::Json, &["cannot read x:1 as json: EOF while parsing an object"]);
    check_text(
        "a: [\n",
        Format::AnsibleYaml,
        &["cannot read x:2 as yaml: while parsing a node, did not find expected node content"],
    );
    check_text("", Format::Csv, &["cannot read x:1 as csv: the first line names no column `name`"]);
    check_text("name,a,a\n", Format::Csv, &["cannot read x:1 as csv: the column `a` is there twice"]);
    check_text(
        "7",
        Format::AnsibleYaml,
        &["cannot read x:1 as yaml: groups or hosts should stand here, not a single value"],
    );
    let plugin = "let --hosts-command run `ansible-inventory --list -i` with it";
    let want = format!("cannot read x:1 as yaml: this configures the inventory plugin aws_ec2; {plugin}");
    check_text("plugin: aws_ec2\n", Format::AnsibleYaml, &[&want]);
    check_text("", Format::Names, &["x:0: warning: there is no host in it"]);
    check_text(
        "[\"ops@a:22\", 7, [], \"b c\"]",
        Format::Json,
        &[
            "1:a ops@ port 22",
            "1:7 ",
            "x:1: error: a host is a list, not a mapping",
            "x:1: error: the name `b c` holds a space; it is left out",
        ],
    );
    let error =
        Inventory::read(&[Source::Names(vec!["a".into(), "-b".into()])], None).unwrap_err().to_string();
    let cannot = "cannot take the hosts of the command line: the name `-b` begins with `-`, which ssh would take for an option";
    assert_eq!(error, cannot);
}

#[test]
fn the_first_source_that_says_a_field_counts() {
    let command =
        "echo '[{\"name\": \"web01\", \"port\": 7, \"user\": \"x\", \"tags\": {\"role\": \"new\"}}]'";
    let sources = [
        Source::Names(vec!["web01:2222".into()]),
        Source::Command { line: command.into(), timeout: Duration::from_secs(60) },
        file("fleet.toml"),
    ];
    let inventory = Inventory::read(&sources, None).unwrap();
    let want = "0:web01 x@192.0.2.11 port 2222 via bastion env=prod region=fra role=edge+new+web";
    assert_eq!(show_host(&inventory.hosts[0]), want);
    assert_eq!(inventory.hosts.len(), 12);
    assert_eq!(inventory.hosts[0].place, Place::default());
}

#[test]
fn keys_and_jumps_are_looked_at() {
    let folder = tempfile::tempdir().unwrap();
    let key = folder.path().join("key");
    let open = File::create(&key).unwrap();
    open.set_permissions(std::os::unix::fs::PermissionsExt::from_mode(0o640)).unwrap();
    let path = folder.path().join("hosts.toml");
    let text = "[[host]]\nname='a'\nkey='key'\njump='ops@x,b.example.com,y:22,b'\n[[host]]\nname='b'\njump='b'\n[[host]]\nname='c'\njump='none'\nkey='key'\n";
    File::create(&path).unwrap().write_all(text.as_bytes()).unwrap();
    let found = Inventory::read(&[Source::File(path)], None).unwrap().lint(&SshConfig::default());
    let key = format!("others may use the key {} (mode 0640); run chmod go= on it", key.display());
    let want = [&format!("hosts.toml:1: warning: {key}"), "hosts.toml:5: error: jumps in a circle: b -> b"];
    check_findings(&found, &want);
}

proptest! {
    #[test]
    fn no_text_is_a_panic_in_any_format(text in "[\\[\\]{}()a-c=:,;\"'#$@\n \\\\0-9-]{0,60}") {
        for format in Format::ALL {
            let mut found = Found::new("x");
            let _ = parse(&text, format, &mut found);
        }
    }
}

#[test]
fn names_of_an_ssh_config_are_names_as_all_others() {
    use std::io::Write as _;
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("config");
    let mut file = std::fs::File::create(&path).unwrap();
    file.write_all(b"Host \"a\x1bb\" web01 -oProxyCommand=reboot\n  User ops\n").unwrap();
    let inventory = Inventory::read(&[Source::File(path)], Some(Format::SshConfig)).unwrap();
    let names: Vec<&str> = inventory.hosts.iter().map(|host| host.name.as_str()).collect();
    assert_eq!(names, ["web01"]);
    assert_eq!(inventory.findings.iter().filter(|finding| finding.is_error).count(), 2);
}
