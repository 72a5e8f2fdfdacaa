//! Keys, known hosts, and the file that takes the result.

use testkit::Case;
use testkit::sshd::Sshd;

use crate::poll;

#[test]
fn a_file_takes_the_result_whole() {
    let Some(server) = Sshd::new().start() else { return };
    let output = poll(&server)
        .args([&*server.host(), "--metrics", "load,uptime", "--format", "prometheus", "-o", "fleet.prom"])
        .file("fleet.prom", "old\n")
        .run();
    let text = String::from_utf8(output.read("fleet.prom")).unwrap();
    assert!(text.starts_with("# HELP ") && text.contains("\nnode_load1{instance=\"127.0.0.1\"} "), "{text}");
}

#[test]
fn the_inventory_is_no_place_for_the_result() {
    let refused = |args: &[&str], variable: &str| {
        let case = Case::new(env!("CARGO_BIN_EXE_hostpoll")).file("fleet", "127.0.0.1\n").args(args);
        let case = case.env("SRE_HOSTS", variable).args(["--port", "1", "-o", "./fleet"]).status(2);
        let run =
            case.stderr_has("hostpoll: ./fleet is the same file as the input fleet; name another\n").run();
        assert_eq!(run.read("fleet"), b"127.0.0.1\n");
    };
    refused(&["-H", "fleet"], "");
    refused(&["--hosts-format", "names"], "fleet");
    refused(&["web1", "--ssh-config", "fleet"], "");
}

#[test]
fn a_file_that_cannot_be_written_is_told_and_left() {
    let Some(server) = Sshd::new().start() else { return };
    poll(&server)
        .args([&*server.host(), "--metrics", "load", "-o", "no/such/folder/x"])
        .status(2)
        .stderr_has("no/such/folder/x")
        .run();
}

#[test]
fn an_unknown_host_is_refused_and_with_accept_new_remembered() {
    let Some(server) = Sshd::new().start() else { return };
    let host = server.host();
    let known = server.path("known");
    let ask = |args: &[&str]| {
        let case = poll(&server).args([&*host, "--metrics", "load", "--format", "csv", "--known-hosts"]);
        case.args([known.as_os_str()]).args(args)
    };
    ask(&[]).status(75).stdout_has("hostkey").stderr_has("--accept-new").run();
    ask(&["--accept-new"]).stdout_has("true").run();
    ask(&[]).stdout_has("true").run();
    let line = std::fs::read_to_string(&known).unwrap();
    assert!(line.starts_with(&format!("[127.0.0.1]:{} ssh-ed25519 ", server.port())), "{line}");

    // Another key under the same name: never taken.
    let Some(other) = Sshd::new().start() else { return };
    let stolen = std::fs::read_to_string(other.path("known_hosts")).unwrap();
    let stolen = stolen.replace(&format!("]:{} ", other.port()), &format!("]:{} ", server.port()));
    testkit::write(&known, &stolen);
    let told = ask(&["--accept-new"]).status(75).stdout_has("hostkey").stderr_has("SHA256:").run();
    let told = String::from_utf8(told.stderr).unwrap();
    assert_eq!(told.matches("SHA256:").count(), 2, "both fingerprints: {told}");
    assert_eq!(std::fs::read_to_string(&known).unwrap(), stolen);
}

#[test]
fn a_private_key_that_others_can_read_is_refused() {
    use std::os::unix::fs::PermissionsExt;
    let Some(server) = Sshd::new().start() else { return };
    std::fs::set_permissions(server.path("id"), std::fs::Permissions::from_mode(0o644)).unwrap();
    poll(&server)
        .args([&*server.host(), "--metrics", "load", "--json"])
        .status(75)
        .stdout_has("\"class\":\"auth\"")
        .stderr_has("chmod 600")
        .run();
}

#[test]
fn all_kinds_of_keys_log_in() {
    for kind in ["ed25519", "ecdsa", "rsa"] {
        let Some(server) = Sshd::new().client_key(kind).start() else { return };
        poll(&server).args([&*server.host(), "--metrics", "load", "--json"]).stdout_has("\"ok\":true").run();
    }
}
