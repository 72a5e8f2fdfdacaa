//! A throw-away sshd on the loopback, and a fleet of them.
//!
//! [`Sshd`] is one server with settings of its own, up within some tens of milliseconds. [`Fleet`] is
//! what `scripts/fleet` starts: many hosts, and those that misbehave. Both lie in a temporary folder,
//! have a port that nobody else has, let the user of the test in with a key of their own, and are ended
//! with all their sessions when they go out of scope.
//!
//! ```text
//! let Some(server) = Sshd::new().setting("MaxSessions 0").start() else { return };
//! Case::new(env!("CARGO_BIN_EXE_hostpoll"))
//!     .args(["--ssh-config", server.path("ssh_config")])
//!     .arg(server.host())
//!     .status(2)
//!     .run();
//! ```

use std::net::{Ipv4Addr, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use tempfile::TempDir;

use crate::{port, workspace, write};

mod fleet;
mod kill;

pub use fleet::Fleet;

/// A server that does not listen after so long never will, also on a busy machine.
const PATIENCE: Duration = Duration::from_secs(30);

/// What is to be started: [`Sshd::new`].
#[derive(Debug, Clone, Default)]
#[must_use]
pub struct Builder {
    settings: Vec<String>,
    host_keys: Vec<&'static str>,
    client_key: Option<&'static str>,
}

impl Builder {
    /// Adds a line of `sshd_config`. What stands in it counts, whatever the defaults here are: sshd
    /// takes the first of several, and these come first. A `Match` and what belongs to it comes last.
    pub fn setting(mut self, line: impl Into<String>) -> Self {
        self.settings.push(line.into());
        self
    }

    /// Makes host keys of these types, of which `rsa` takes some tenths of a second: `ed25519` alone
    /// unless this is called.
    pub fn host_keys(mut self, types: &[&'static str]) -> Self {
        self.host_keys = types.to_vec();
        self
    }

    /// Makes the key of the client of this type: `ed25519` unless this is called.
    pub fn client_key(mut self, kind: &'static str) -> Self {
        self.client_key = Some(kind);
        self
    }

    /// Starts the server, and returns when it listens. `None`, and one line, where there is no sshd.
    ///
    /// # Panics
    /// When it does not start: a setting that it does not know, most of all.
    #[must_use]
    #[track_caller]
    pub fn start(self) -> Option<Sshd> {
        let program = program()?;
        let folder = tempfile::tempdir().expect("a temporary folder can be made");
        let client = self.client_key.unwrap_or("ed25519");
        let hosts = if self.host_keys.is_empty() { &["ed25519"][..] } else { &self.host_keys };
        make_key(client, &folder.path().join("id"));
        for kind in hosts {
            make_key(kind, &folder.path().join(format!("host_{kind}")));
        }
        write(folder.path().join("authorized_keys"), read(&folder.path().join("id.pub")));
        std::fs::create_dir(folder.path().join("home")).expect("the folder is new");
        let (child, port) = port::serve("sshd", |port| {
            write(folder.path().join("sshd_config"), self.config(folder.path(), hosts, port));
            listening(&program, folder.path(), port)
        });
        let server = Sshd { child, folder, port };
        server.write_client_files(hosts);
        Some(server)
    }

    fn config(&self, folder: &Path, hosts: &[&str], port: u16) -> String {
        let here = folder.display();
        let (matches, settings): (Vec<_>, Vec<_>) = {
            let first = self
                .settings
                .iter()
                .position(|line| line.starts_with("Match "))
                .unwrap_or(self.settings.len());
            let (before, after) = self.settings.split_at(first);
            (after.to_vec(), before.to_vec())
        };
        let keys = hosts.iter().map(|kind| format!("HostKey {here}/host_{kind}"));
        let defaults = [
            format!("ListenAddress {}:{port}", Sshd::HOST),
            format!("AuthorizedKeysFile {here}/authorized_keys"),
            // bash below sshd reads ~/.bashrc at depth 0; the other one tells whose sessions these are.
            format!("SetEnv HOME={here}/home SHLVL=1 FLEET_SESSION={here}"),
            // Of the folder above nothing is known.
            "StrictModes no".to_owned(),
            "UsePAM no".to_owned(),
            "PasswordAuthentication no".to_owned(),
            "KbdInteractiveAuthentication no".to_owned(),
            "PermitRootLogin yes".to_owned(),
            "UseDNS no".to_owned(),
            // From 10 on sshd drops connections at random.
            "MaxStartups 1000".to_owned(),
            "MaxSessions 100".to_owned(),
            "PidFile none".to_owned(),
            "LogLevel VERBOSE".to_owned(),
        ];
        let lines = settings.into_iter().chain(keys).chain(defaults).chain(matches);
        lines.map(|line| line + "\n").collect()
    }
}

/// A server that listens, until it goes out of scope.
#[derive(Debug)]
pub struct Sshd {
    child: Child,
    folder: TempDir,
    port: u16,
}

impl Sshd {
    const HOST: Ipv4Addr = Ipv4Addr::LOCALHOST;

    /// A server that is not started yet.
    #[allow(clippy::new_ret_no_self, reason = "what is to be started and what runs are two things")]
    pub fn new() -> Builder {
        Builder::default()
    }

    /// The address it listens at.
    #[must_use]
    pub fn host(&self) -> String {
        Self::HOST.to_string()
    }

    /// The port it listens at.
    #[must_use]
    pub fn port(&self) -> u16 {
        self.port
    }

    /// A file of its folder: `id` and `id.pub` are the key that may log in, `authorized_keys` says so,
    /// `host_TYPE.pub` are its keys, `known_hosts` has them, `ssh_config` names all of that.
    #[must_use]
    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// What sshd wrote into its log so far.
    #[must_use]
    pub fn log(&self) -> String {
        read(&self.path("sshd.log"))
    }

    fn write_client_files(&self, hosts: &[&str]) {
        let keys = hosts.iter().map(|kind| {
            let key = read(&self.path(&format!("host_{kind}.pub")));
            format!("[{}]:{} {key}", Self::HOST, self.port)
        });
        write(self.path("known_hosts"), keys.collect::<String>());
        let config = format!(
            "Host *\n  Port {}\n  IdentityFile {}\n  IdentitiesOnly yes\n  IdentityAgent none\n  UserKnownHostsFile {}\n  \
             GlobalKnownHostsFile /dev/null\n  StrictHostKeyChecking yes\n  BatchMode yes\n",
            self.port,
            self.path("id").display(),
            self.path("known_hosts").display(),
        );
        write(self.path("ssh_config"), config);
    }
}

impl Drop for Sshd {
    fn drop(&mut self) {
        let below = kill::descendants(self.child.id());
        kill::end(&[self.child.id()], || matches!(self.child.try_wait(), Ok(None)));
        let left = kill::carriers(self.folder.path());
        kill::end(&[below, left].concat(), || false);
    }
}

/// The server, by an absolute path: without one it cannot start itself again for a session.
fn program() -> Option<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let folders = std::env::split_paths(&path).chain(["/usr/sbin".into(), "/usr/local/sbin".into()]);
    let found = folders.map(|folder| folder.join("sshd")).find(|program| program.is_file());
    if found.is_none() || !crate::has("ssh-keygen") {
        eprintln!("skipped: sshd is not installed");
        return None;
    }
    // Where it locks its unprivileged half in; only root may make it, and only root's sshd asks for it.
    let _exists_or_is_not_needed = std::fs::create_dir("/run/sshd");
    found
}

fn make_key(kind: &str, path: &Path) {
    let made =
        Command::new("ssh-keygen").args(["-q", "-t", kind, "-N", "", "-C", "test", "-f"]).arg(path).status();
    assert!(made.is_ok_and(|status| status.success()), "ssh-keygen makes no key of type {kind}");
}

/// Starts it; its log when it does not come to listen.
fn listening(program: &Path, folder: &Path, port: u16) -> Result<Child, String> {
    let log = folder.join("sshd.log");
    let mut command = Command::new(program);
    command.arg("-D").arg("-f").arg(folder.join("sshd_config")).arg("-E").arg(&log);
    command
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .env_clear()
        .env("PATH", "/usr/bin:/bin");
    let mut child = command.spawn().map_err(|error| error.to_string())?;
    let end = Instant::now() + PATIENCE;
    while Instant::now() < end && matches!(child.try_wait(), Ok(None)) {
        // Another one may have the port: it counts when ours says so.
        if read(&log).contains("Server listening on") && TcpStream::connect((Sshd::HOST, port)).is_ok() {
            return Ok(child);
        }
        std::thread::sleep(Duration::from_millis(2));
    }
    kill::end(&[child.id()], || matches!(child.try_wait(), Ok(None)));
    Err(read(&log))
}

fn read(path: &Path) -> String {
    std::fs::read(path).map(|bytes| String::from_utf8_lossy(&bytes).into_owned()).unwrap_or_default()
}
