//! Rotations of the key of an account over its hosts, through the binary.

use std::fmt::Write as _;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::sync::atomic::{AtomicBool, Ordering};

use tempfile::TempDir;
use testkit::sshd::{Builder, Sshd};

/// Names that the SSH configuration gives to servers of the test.
pub(crate) const NAMES: [&str; 3] = ["alpha", "beta", "gamma"];
pub(crate) const AT_ONCE: &str = "soak = \"0s\"\nwatch = \"0s\"\n";

/// Hosts with an account, whose key two consumers hold: a file here, and one on the first host.
pub(crate) struct Rotation {
    servers: Vec<Sshd>,
    folder: TempDir,
}

impl Rotation {
    pub(crate) fn start(servers: impl IntoIterator<Item = Builder>, gates: &str) -> Option<Self> {
        let servers = servers.into_iter().map(Builder::start).collect::<Option<Vec<_>>>()?;
        let all = Self { servers, folder: tempfile::tempdir().unwrap() };
        let made = Command::new("ssh-keygen")
            .args(["-q", "-t", "ed25519", "-N", "", "-C", "before", "-f"])
            .arg(all.path("key"))
            .status();
        assert!(made.unwrap().success());
        let public = all.text("key.pub");
        fs::remove_file(all.path("key.pub")).unwrap();
        let mut config = String::new();
        for (name, server) in NAMES.iter().zip(&all.servers) {
            let operator = fs::read_to_string(server.path("id.pub")).unwrap();
            testkit::write(
                server.path("authorized_keys"),
                format!("# ours\n{operator}restrict,pty {public}"),
            );
            let at = |file: &str| server.path(file).display().to_string();
            let port = server.port();
            writeln!(config, "Host {name}\n HostName 127.0.0.1\n Port {port}").unwrap();
            writeln!(config, " UserKnownHostsFile {}\n IdentityFile {}", at("known_hosts"), at("id"))
                .unwrap();
        }
        config += "Host *\n IdentityAgent none\n GlobalKnownHostsFile /dev/null\n";
        // ssh(1) would try the operator's key behind any other.
        let is_probe = |line: &&str| !line.contains("IdentityFile");
        let probe: Vec<&str> = config.lines().filter(is_probe).collect();
        testkit::write(all.path("probe_config"), probe.join("\n") + "\n");
        testkit::write(all.path("ssh_config"), config);
        let remote = all.servers[0].path("home/key");
        fs::copy(all.path("key"), &remote).unwrap();
        all.spec(&remote, gates);
        Some(all)
    }

    fn spec(&self, remote: &Path, gates: &str) {
        let here = self.folder.path().display();
        let hosts: Vec<String> = NAMES[..self.servers.len()].iter().map(|name| format!("{name:?}")).collect();
        let spec = format!(
            "name = \"deploy\"\ntimeout = \"60s\"\nstate = \"{here}/state\"\n\
             [provider]\nkind = \"ssh-ed25519\"\nhosts = [{}]\nfile = \"../authorized_keys\"\n\
             [[consumers]]\nname = \"here\"\nkind = \"file\"\npath = \"{here}/key\"\nattest = \"file\"\n\
             [[consumers]]\nname = \"there\"\nkind = \"file\"\nhosts = [\"alpha\"]\npath = \"{}\"\nattest = \"file\"\n\
             reload = [\"touch\", \"{here}/reloaded\"]\n\
             [ssh]\nconfig = \"{here}/ssh_config\"\n\
             [gates]\nchecks = 2\nwindow = \"0s\"\n{gates}",
            hosts.join(", "),
            remote.display()
        );
        testkit::write(self.path("deploy.toml"), spec);
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    pub(crate) fn text(&self, name: &str) -> String {
        fs::read_to_string(self.path(name)).unwrap()
    }

    /// What says who may log in, on each host.
    pub(crate) fn lines(&self) -> Vec<String> {
        self.servers
            .iter()
            .map(|server| fs::read_to_string(server.path("authorized_keys")).unwrap())
            .collect()
    }

    /// What the consumer on the first host holds.
    pub(crate) fn there(&self) -> String {
        fs::read_to_string(self.servers[0].path("home/key")).unwrap()
    }

    #[track_caller]
    fn keyrotate(&self, task: &[&str], status: i32) -> String {
        let mut command = Command::new(env!("CARGO_BIN_EXE_keyrotate"));
        let output = command.arg(task[0]).arg(self.path("deploy.toml")).args(&task[1..]).output().unwrap();
        let said = said(&output);
        assert_eq!(output.status.code(), Some(status), "{said}");
        // The lines of the key that is in use, without those that all keys have.
        for line in self.text("key").lines().filter(|line| !line.starts_with("-----")).skip(1) {
            assert!(!said.contains(line), "{said}");
        }
        said
    }

    /// Whether ssh(1) logs in with the key in `file`, and nothing else.
    pub(crate) fn logs_in(&self, host: &str, file: &Path) -> bool {
        let mut ssh = Command::new("ssh");
        ssh.arg("-F").arg(self.path("probe_config")).args([
            "-o",
            "BatchMode=yes",
            "-o",
            "IdentitiesOnly=yes",
        ]);
        ssh.arg("-i").arg(file).args([host, "true"]);
        ssh.output().unwrap().status.success()
    }

    /// The key in `text`, in a file of its own.
    pub(crate) fn kept(&self, name: &str, text: &str) -> PathBuf {
        testkit::write(self.path(name), text);
        fs::set_permissions(self.path(name), fs::Permissions::from_mode(0o600)).unwrap();
        self.path(name)
    }
}

fn said(output: &Output) -> String {
    [&output.stdout[..], &output.stderr].map(String::from_utf8_lossy).concat()
}

#[test]
fn nobody_who_holds_the_key_is_ever_refused() {
    let Some(all) = Rotation::start([Sshd::new(), Sshd::new(), Sshd::new()], AT_ONCE) else { return };
    let before = all.text("key");
    let is_over = AtomicBool::new(false);
    let tries = std::thread::scope(|scope| {
        let prober = scope.spawn(|| {
            let mut tries = 0;
            while !is_over.load(Ordering::SeqCst) {
                let held = all.kept("held", &[all.text("key"), all.there()][tries % 2]);
                assert!(all.logs_in(NAMES[tries % 3], &held), "try {tries}");
                tries += 1;
            }
            tries
        });
        for task in [&["run"][..], &["run", "--now"]] {
            all.keyrotate(task, 0);
        }
        is_over.store(true, Ordering::SeqCst);
        prober.join().unwrap()
    });
    assert!(tries > 0);
    let new = all.text("key");
    assert!(
        new != before && new.starts_with("-----BEGIN OPENSSH PRIVATE KEY-----\n") && new.ends_with("-----\n")
    );
    assert_eq!(all.there(), new);
    assert!(all.path("reloaded").exists());
    let old = all.kept("old", &before);
    let held = all.kept("held", &new);
    for (name, lines) in NAMES.iter().zip(all.lines()) {
        assert!(all.logs_in(name, &held) && !all.logs_in(name, &old), "{name}");
        // One key for another, with the options of the first one; all else as it was.
        assert_eq!(lines.matches("\nrestrict,pty ssh-ed25519 ").count(), 1, "{lines}");
        assert_eq!((lines.lines().count(), lines.starts_with("# ours\n")), (3, true), "{lines}");
    }
}

#[test]
fn a_public_key_beside_the_private_one_is_in_the_way_on_its_host_too() {
    let Some(all) = Rotation::start([Sshd::new(), Sshd::new()], AT_ONCE) else { return };
    let before = (all.there(), all.text("key"), all.lines());
    let public = all.servers[0].path("home/key.pub");
    testkit::write(&public, "ssh-ed25519 AAAA before\n");
    let said = all.keyrotate(&["run"], 11);
    let want = format!("there@alpha: ssh(1) offers what it finds in {}", public.display());
    assert!(said.contains(&want), "{said}");
    assert_eq!((all.there(), all.text("key"), all.lines()), before);
    fs::remove_file(public).unwrap();
    all.keyrotate(&["run"], 0);
    assert_ne!(all.there(), before.0);
}

#[test]
fn the_way_back_leaves_no_trace() {
    let Some(all) = Rotation::start([Sshd::new(), Sshd::new()], "soak = \"1h\"\n") else { return };
    let (key, lines) = (all.text("key"), all.lines());
    all.keyrotate(&["run"], 12);
    assert!(all.text("key") != key && all.lines() != lines);
    all.keyrotate(&["rollback", "--reason", "a test"], 0);
    assert_eq!((all.text("key"), all.there(), all.lines()), (key.clone(), key, lines));
}

#[test]
fn a_host_that_is_down_keeps_the_old_key_until_it_is_given_up() {
    let Some(mut all) = Rotation::start([Sshd::new(), Sshd::new()], "soak = \"1h\"\n") else { return };
    let before = all.kept("old", &all.text("key"));
    all.keyrotate(&["run"], 12);
    all.spec(&all.servers[0].path("home/key"), AT_ONCE);
    let new = all.kept("new", &all.text("key"));
    let down = all.servers.remove(1);
    drop(down);
    // The spec still has two hosts.
    let spec =
        all.text("deploy.toml").replace("hosts = [\"alpha\"]\nfile", "hosts = [\"alpha\", \"beta\"]\nfile");
    testkit::write(all.path("deploy.toml"), spec);
    let said = all.keyrotate(&["run"], 23);
    assert!(said.contains("beta: nothing listens on port") && !said.contains("alpha: nothing"), "{said}");
    assert!(all.logs_in("alpha", &before) && all.logs_in("alpha", &new));
    all.keyrotate(&["skip", "beta", "--reason", "scrapped"], 0);
    all.keyrotate(&["run"], 0);
    assert!(!all.logs_in("alpha", &before) && all.logs_in("alpha", &new));
}

#[test]
fn a_host_that_takes_every_key_proves_nothing() {
    if !rustix::process::geteuid().is_root() || !Path::new("/usr/bin/echo").exists() {
        // Only root's sshd runs a command for keys.
        return;
    }
    let gullible = Sshd::new()
        .setting("AuthorizedKeysCommand /usr/bin/echo %t %k")
        .setting("AuthorizedKeysCommandUser nobody");
    let Some(all) = Rotation::start([gullible, Sshd::new()], AT_ONCE) else { return };
    let (key, lines) = (all.text("key"), all.lines());
    let said = all.keyrotate(&["run"], 10);
    assert!(said.contains("alpha: it accepts SHA256:"), "{said}");
    assert_eq!((all.there(), all.text("key"), all.lines()), (key.clone(), key, lines));
}
