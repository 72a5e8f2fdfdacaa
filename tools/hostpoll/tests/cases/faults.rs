//! Every kind of faulty host is told as what it is, within its deadline, and all others are complete.

use std::collections::BTreeMap;
use std::time::Duration;

use serde_json::Value;
use testkit::sshd::Fleet;

use crate::{objects, poll_fleet};

/// What is told of a host that fails: its name in `scripts/fleet list`, the class, a part of the
/// sentence.
const FAILING: &[(&str, &str, &str)] = &[
    ("refused", "refused", "nothing listens on port"),
    ("mute", "timeout", "it took the connection and said nothing for"),
    ("version-stall", "timeout", "it greeted, but the key exchange did not end"),
    ("kex-stall", "timeout", "it greeted, but the key exchange did not end"),
    ("blackhole", "timeout", "no answer to the connection"),
    ("http", "lost", "it answers like a web server"),
    ("tarpit", "timeout", "lines in"),
    ("hang", "timeout", "the command printed nothing for"),
    ("big", "output", "it printed more than 8388608 bytes (--max-output)"),
    ("rekey", "output", "it printed more than 8388608 bytes (--max-output)"),
    ("drop", "lost", "the connection ended in the middle of the output, after 15 bytes"),
    ("exit3", "command", "exit status 3; it said `cat: /proc/stat: Permission denied`"),
    ("signal", "command", "the command was killed by SIGTERM"),
    ("nologin", "command", "exit status 1; it said `This account is currently not available.`"),
    ("false", "command", "exit status 1"),
    ("authfail", "auth", ""),
    ("twofactor", "auth", ""),
    ("password", "auth", "password"),
    ("trickle", "timeout", "bytes of something else came"),
    ("question", "timeout", "bytes of something else came"),
    ("partition", "timeout", "bytes of something else came"),
    ("nosession", "command", "it refuses a session for the command"),
    ("wrongkey", "hostkey", "SHA256:"),
    ("legacy", "algorithms", "it offers diffie-hellman-group14-sha1"),
    ("modern", "algorithms", "it offers sntrup761x25519-sha512@openssh.com"),
    ("hostcert", "hostkey", ""),
    ("reset", "lost", "it reset the connection before it said anything"),
    ("versionclose", "lost", "it ended the connection after its greeting"),
    ("garbage", "lost", "what it sent after its greeting is no SSH"),
    ("hugepacket", "lost", "what it sent after its greeting is no SSH"),
    ("longline", "lost", "bytes that are no line and no SSH"),
    ("flood", "lost", "bytes that are no line and no SSH"),
    ("noread", "timeout", ""),
    ("ssh199", "timeout", "it greeted, but the key exchange did not end"),
    ("ssh15", "algorithms", "it speaks SSH 1.5 only"),
    ("disconnect", "lost", "it ended the connection: `"),
    ("nohup", "timeout", "the command printed nothing for"),
    ("keepalive", "timeout", "the command printed nothing for"),
    ("ignoreflood", "timeout", "it greeted, but the key exchange did not end"),
    ("escapes", "command", "it said `"),
    ("sftponly", "command", "it said `This service allows sftp connections only.`"),
    ("eof", "command", "another command was run, or none"),
    ("empty", "command", "another command was run, or none"),
    ("noend", "timeout", ""),
];

/// Hosts that are odd, and answer.
const ANSWERING: &[&str] = &[
    "binary",
    "bigstderr",
    "noisy",
    "orphan",
    "orphanerr",
    "hardened",
    "rsahost",
    "slow",
    "drip",
    "flaky",
    "rtt50",
    "prebanner",
    "marks",
    "endflood",
    "authbanner",
    "late",
    "exit255",
    "twice",
];

#[test]
fn each_kind_of_fault_is_told_as_what_it_is() {
    let Some(fleet) = Fleet::start(4, true) else { return };
    let mut case = poll_fleet(&fleet)
        .args(["--json", "--cpu-window", "0s", "--metrics", "cpu,load,mem", "--retries", "4"])
        .args(["--connect-timeout", "3s", "--handshake-timeout", "3s", "--auth-timeout", "8s"])
        .args(["--command-timeout", "8s", "--timeout", "25s"])
        .timeout(Duration::from_secs(90))
        .status(23);
    case = case.args(fleet.hosts());
    case = case.args(FAILING.iter().map(|(name, ..)| fleet.host(name)));
    case = case.args(ANSWERING.iter().map(|name| fleet.host(name)));
    let shells = ["bash", "dash", "busybox", "zsh", "tcsh", "fish", "mksh", "ksh"];
    let shells: Vec<&str> = shells.into_iter().filter(|name| fleet.has(name)).collect();
    case = case.args(shells.iter().map(|name| fleet.host(name)));
    // Each failure is told there too.
    let output = case.stdout_has("{").stderr_has("refused").run();

    let told: BTreeMap<String, Value> = objects(&output.stdout)
        .into_iter()
        .map(|object| (object["host"].as_str().unwrap().to_owned(), object))
        .collect();
    assert_eq!(told.len(), 4 + FAILING.len() + ANSWERING.len() + shells.len(), "each host is told once");
    let mut wrong = Vec::new();
    for (name, class, part) in FAILING {
        let object = &told[fleet.host(name)];
        let message = object["error"]["message"].as_str().unwrap_or_default();
        if object["error"]["class"] != *class || !message.contains(part) {
            wrong.push(format!("{name}: {object}"));
        }
    }
    let healthy = fleet.hosts();
    let names = ANSWERING.iter().chain(&shells).map(|name| fleet.host(name));
    for address in names.chain(healthy.iter().map(String::as_str)) {
        let object = &told[address];
        let has_all = ["cores", "load1", "mem_percent"].iter().all(|value| object[value].is_number());
        if object["ok"] != true || !has_all {
            wrong.push(object.to_string());
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert!(!output.stdout.contains(&0x1b) && !output.stderr.contains(&0x1b), "no host steers a terminal");
}
