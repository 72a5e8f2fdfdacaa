//! Keys that only a passphrase or an agent opens, and every form in which hosts are known.

use std::process::Command;

use testkit::Case;
use testkit::sshd::Sshd;

use crate::poll;

const PROGRAM: &str = env!("CARGO_BIN_EXE_hostpoll");

fn keygen<const N: usize>(args: [&str; N]) {
    let made = Command::new("ssh-keygen").arg("-q").args(args).output().unwrap();
    assert!(made.status.success(), "{args:?}: {}", String::from_utf8_lossy(&made.stderr));
}

#[test]
fn a_passphrase_comes_through_its_descriptor() {
    let Some(server) = Sshd::new().start() else { return };
    keygen(["-p", "-P", "", "-N", "open sesame", "-f", server.path("id").to_str().unwrap()]);
    let ask = |redirection: &str, flags: &str| {
        let script = format!("exec \"$0\" \"$@\" {flags} {redirection}");
        let config = server.path("ssh_config");
        let case = Case::new("sh").args(["-c", &script, PROGRAM, &server.host(), "--ssh-config"]);
        case.args([config.as_os_str()]).args(["--metrics", "load", "--json"]).stdin("open sesame\nrest\n")
    };
    ask("", "--passphrase-fd 0").stdout_has("\"ok\":true").run();
    ask("3<&0 </dev/null", "--passphrase-fd 3").stdout_has("\"ok\":true").run();
    ask("3<&-", "--passphrase-fd 3").status(2).stderr_has("descriptor 3: Bad file descriptor").run();
    let refused = |case: Case| case.status(75).stdout_has("\"class\":\"auth\"").stderr_has("passphrase");
    refused(ask("", "")).stderr_has("--passphrase-fd").run();
    refused(ask("3<<.\nanother\n.\n", "--passphrase-fd 3")).run();
}

#[test]
fn the_last_key_of_an_agent_may_be_the_one() {
    let Some(server) = Sshd::new().start() else { return };
    let config = std::fs::read_to_string(server.path("ssh_config")).unwrap();
    let lines: Vec<_> = config.lines().filter(|line| !line.contains("Identit")).collect();
    testkit::write(server.path("ssh_config"), lines.join("\n"));
    let mut keys: Vec<_> = ["one", "two", "three"].map(|name| server.path(name)).into();
    for key in &keys {
        keygen(["-t", "ed25519", "-N", "", "-f", key.to_str().unwrap()]);
    }
    keys.push(server.path("id"));
    let script = "ssh-add -q \"$1\" && ssh-add -q \"$2\" && ssh-add -q \"$3\" && ssh-add -q \"$4\" || exit 9
        shift 4; \"$@\"; status=$?; kill \"$SSH_AGENT_PID\"; exit $status";
    let ask = |flags: &[&str]| {
        let case = Case::new("ssh-agent").args(["sh", "-c", script, "sh"]).args(&keys);
        let case = case.args([PROGRAM, &server.host(), "--metrics", "load", "--json", "--ssh-config"]);
        case.args([server.path("ssh_config")]).args(flags)
    };
    ask(&[]).stdout_has("\"ok\":true").run();
    let log = server.log();
    assert_eq!(log.matches("Failed publickey for").count(), 3, "{log}");
    assert_eq!(log.matches("Accepted publickey for").count(), 1, "{log}");
    ask(&["--no-agent"]).status(75).stdout_has("\"class\":\"auth\"").stderr_has("auth").run();
}

#[test]
fn hosts_are_known_in_every_form() {
    let (Some(server), Some(other)) = (Sshd::new().start(), Sshd::new().start()) else { return };
    let known = server.path("known");
    let name = format!("[{}]:{}", server.host(), server.port());
    let line = std::fs::read_to_string(server.path("known_hosts")).unwrap();
    let key = line.strip_prefix(&format!("{name} ")).unwrap();
    let stolen = std::fs::read_to_string(other.path("host_ed25519.pub")).unwrap();
    let hashed = |text: &str| {
        testkit::write(&known, text);
        keygen(["-H", "-f", known.to_str().unwrap()]);
        let hashed = std::fs::read_to_string(&known).unwrap();
        assert!(hashed.starts_with("|1|") && !hashed.contains(&name), "{hashed}");
        hashed
    };
    let check = |text: &str, refusal: Option<&str>| {
        testkit::write(&known, text);
        let case = poll(&server).args([&*server.host(), "--metrics", "load", "--json", "--known-hosts"]);
        let case = case.args([known.as_os_str()]);
        match refusal {
            None => case.stdout_has("\"ok\":true").run(),
            Some(part) => case.status(75).stdout_has("\"class\":\"hostkey\"").stderr_has(part).run(),
        };
    };
    check(&hashed(&line), None);
    check(&hashed(&format!("{name} {stolen}")), Some("its host key has changed"));
    check(&format!("{line}@revoked * {stolen}"), None);
    check(&format!("{line}@revoked * {key}"), Some("/known:2): whoever has it may not be the host"));
    check(&format!("{line}@cert-authority * {stolen}"), None);
    check(&format!("@cert-authority * {stolen}"), Some("known by a certificate only (@cert-authority, "));
    // An authority's own key is no host's.
    check(&format!("@cert-authority * {key}"), Some("known by a certificate only (@cert-authority, "));
}
