//! The throw-away servers: that they answer, differ by their settings, and leave nothing behind.

use std::panic::catch_unwind;
use std::path::Path;
use std::process::{Command, Output, Stdio};
use std::time::{Duration, Instant};

use testkit::sshd::{Fleet, Sshd};

fn ssh(config: &Path, host: &str, command: &str) -> Output {
    let mut ssh = Command::new("ssh");
    ssh.arg("-F").arg(config).args([host, command]).stdin(Stdio::null());
    ssh.output().unwrap_or_else(|error| panic!("cannot run ssh: {error}"))
}

#[track_caller]
fn check(config: &Path, host: &str, command: &str, want: (i32, &str)) {
    let output = ssh(config, host, command);
    let said = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(want.0), "{host}: {command}: {said}");
    assert_eq!(String::from_utf8_lossy(&output.stdout), want.1, "{host}: {command}: {said}");
}

/// Whether a process with `mark` in its environment is there, or goes within a while.
fn is_left(mark: &str) -> bool {
    let carries = || {
        let processes = std::fs::read_dir("/proc").into_iter().flatten().flatten();
        let environments = processes.filter_map(|one| std::fs::read(one.path().join("environ")).ok());
        environments.into_iter().any(|text| String::from_utf8_lossy(&text).contains(mark))
    };
    let end = Instant::now() + Duration::from_secs(10);
    while carries() && Instant::now() < end {
        std::thread::sleep(Duration::from_millis(20));
    }
    carries()
}

#[test]
fn one_server_answers_with_its_own_settings() {
    let Some(server) = Sshd::new().setting("ForceCommand echo forced; exit 3").start() else { return };
    check(&server.path("ssh_config"), &server.host(), "true", (3, "forced\n"));
    assert!(server.log().contains("Accepted publickey"), "{}", server.log());
}

#[test]
fn two_servers_know_nothing_of_each_other() {
    let Some(one) = Sshd::new().start() else { return };
    let Some(other) = Sshd::new().host_keys(&["ecdsa"]).client_key("ecdsa").start() else { return };
    assert_ne!(one.port(), other.port());
    check(&one.path("ssh_config"), &one.host(), "echo one", (0, "one\n"));
    check(&other.path("ssh_config"), &other.host(), "echo other", (0, "other\n"));
    // The key of the one is none of the other, whose own known_hosts this is.
    let key = format!("IdentityFile={}", one.path("id").display());
    let mut command = Command::new("ssh");
    command.arg("-F").arg(other.path("ssh_config")).args(["-o", &key, &other.host(), "true"]);
    let stranger = std::fs::read_to_string(other.path("authorized_keys")).unwrap();
    std::fs::remove_file(other.path("id")).unwrap();
    assert_eq!(command.output().unwrap().status.code(), Some(255), "{stranger}");
}

#[test]
fn nothing_is_left_of_a_server() {
    let Some(server) = Sshd::new().start() else { return };
    let (config, folder) = (server.path("ssh_config"), server.path(""));
    let command = "trap '' HUP TERM; echo up; sleep 3600 & sleep 3600";
    let mut ssh = Command::new("ssh");
    ssh.arg("-F").arg(&config).args([&server.host(), command]).stdin(Stdio::null()).stdout(Stdio::piped());
    let mut session = ssh.spawn().unwrap();
    let mut up = [0; 3];
    std::io::Read::read_exact(session.stdout.as_mut().unwrap(), &mut up).unwrap();
    let mark = format!("FLEET_SESSION={}", folder.display());
    let mark = mark.trim_end_matches('/').to_owned();
    drop(server);
    assert!(!session.wait().unwrap().success());
    assert!(!is_left(&mark), "{mark}");
    assert!(!folder.exists());
}

#[test]
fn a_setting_that_sshd_does_not_know_is_told() {
    let started = catch_unwind(|| Sshd::new().setting("NoSuchSetting 1").start());
    let Err(failure) = started else {
        assert!(matches!(started, Ok(None)), "sshd takes any setting");
        return;
    };
    let said = failure.downcast_ref::<String>().cloned().unwrap_or_default();
    assert!(said.contains("Bad configuration option: NoSuchSetting"), "{said}");
}

#[test]
fn a_fleet_has_hosts_that_answer_and_others() {
    let Some(fleet) = Fleet::start(17, true) else { return };
    let config = fleet.path("ssh_config.curve25519");
    let hosts = fleet.hosts();
    assert_eq!(hosts.len(), 17);
    // The last one is a server of its own.
    check(&config, &hosts[0], "echo up", (0, "up\n"));
    check(&config, &hosts[16], "echo up", (0, "up\n"));
    check(&config, fleet.host("exit3"), "echo up", (3, ""));
    check(&config, fleet.host("refused"), "echo up", (255, ""));
    check(&config, fleet.host("ssh15"), "echo up", (255, ""));
    check(&config, fleet.host("bash"), "echo up", (0, "up\n"));
    let mark = format!("FLEET_SESSION={}", fleet.path("").display()).trim_end_matches('/').to_owned();
    // Its session ends at once, and what it started does not.
    let mut orphan = Command::new("ssh");
    orphan
        .arg("-F")
        .arg(&config)
        .args([fleet.host("orphan"), "echo up"])
        .stdin(Stdio::null())
        .stdout(Stdio::piped());
    let mut orphan = orphan.spawn().unwrap();
    let mut up = [0; 3];
    std::io::Read::read_exact(orphan.stdout.as_mut().unwrap(), &mut up).unwrap();
    drop(fleet);
    orphan.wait().unwrap();
    assert!(!is_left(&mark), "{mark}");
}
