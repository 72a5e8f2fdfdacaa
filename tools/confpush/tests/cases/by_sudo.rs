//! Everything on the host is done by another user.

use std::fs;
use std::os::unix::fs::PermissionsExt;

use testkit::sshd::Sshd;

use super::rig::{NEW, OLD, Rig, Spec, said};

/// Whatever is run on a host says by whom.
const AS_ROOT: &str = "[validate]\nremote = \"echo judge $BY >>FOLDER/by; test -f {}\"\n\
                       [reload]\ncommand = \"echo read $BY >>FOLDER/by\"\n\
                       [[health]]\ncommand = \"echo check $BY >>FOLDER/by\"\n";

/// Hosts that have this `sudo`.
fn start(sudo: &str) -> Option<Rig> {
    let server = Sshd::new().setting("PermitUserEnvironment PATH").start()?;
    let bin = server.path("bin");
    fs::create_dir(&bin).unwrap();
    testkit::write(bin.join("sudo"), format!("#!/bin/sh\n{sudo}\n"));
    fs::set_permissions(bin.join("sudo"), fs::Permissions::from_mode(0o755)).unwrap();
    let key = fs::read_to_string(server.path("id.pub")).unwrap();
    let key = format!("environment=\"PATH={}:/usr/bin:/bin\" {key}", bin.display());
    testkit::write(server.path("authorized_keys"), key);
    let mut spec = Spec::three().with(AS_ROOT);
    spec.head = "become = true".into();
    Some(Rig::at(server, spec))
}

#[test]
fn all_of_it_is_done_by_sudo() {
    let sudo = "[ \"$1 $2\" = '-n --' ] || exit 9\nshift 2\nBY=root exec \"$@\"";
    let Some(rig) = start(&format!("export BY\n{sudo}")) else { return };
    rig.expect(0, &["apply", "web.toml"]);
    rig.all_have(NEW);
    rig.is_clean();
    rig.expect(0, &["rollback", "web.toml"]);
    rig.all_have(OLD);
    rig.is_clean();
    let by = fs::read_to_string(rig.path("by")).unwrap();
    for what in ["judge root", "read root", "check root"] {
        assert!(by.lines().filter(|line| *line == what).count() >= 6, "{by}");
    }
    assert!(by.lines().all(|line| line.ends_with(" root")), "{by}");
}

#[test]
fn a_sudo_that_wants_a_password_is_told_and_nothing_is_touched() {
    let Some(rig) = start("echo 'sudo: a password is required' >&2\nexit 1") else { return };
    let run = rig.run(&["apply", "web.toml"]);
    assert_eq!(run.status.code(), Some(2), "{}", said(&run));
    assert!(said(&run).contains("web02: sudo: a password is required"), "{}", said(&run));
    rig.all_have(OLD);
    assert!(!rig.path("store").exists() && !rig.path("by").exists());
}
