//! A throw-away server of Redis on the loopback.
//!
//! ```text
//! let users = "user default on nopass ~* &* +@all\nuser orders on >old-password ~* +@all\n";
//! let Some(server) = Redis::new().users(users).start() else { return };
//! server.kill();
//! server.restart();
//! ```

use std::net::{Ipv4Addr, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use tempfile::TempDir;

use crate::{port, write};

/// A server that does not listen after so long never will, also on a busy machine.
const PATIENCE: Duration = Duration::from_secs(30);

/// What is to be started: [`Redis::new`].
#[derive(Debug, Clone, Default)]
#[must_use]
pub struct Builder {
    users: Option<String>,
    settings: Vec<String>,
    is_tls: bool,
    is_volatile: bool,
}

impl Builder {
    /// Starts it without a file of settings, so that it has no place for its users.
    pub fn volatile(mut self) -> Self {
        self.is_volatile = true;
        self
    }

    /// Keeps users in a file of their own, `users.acl`, which begins as this text.
    pub fn users(mut self, lines: impl Into<String>) -> Self {
        self.users = Some(lines.into());
        self
    }

    /// Adds a line of `redis.conf`.
    pub fn setting(mut self, line: impl Into<String>) -> Self {
        self.settings.push(line.into());
        self
    }

    /// Speaks TLS alone at its port, with those who have a certificate of [`crate::certificates`].
    pub fn tls(mut self) -> Self {
        self.is_tls = true;
        self
    }

    /// Starts the server, and returns when it listens. `None`, and one line, where there is none.
    ///
    /// # Panics
    /// When it does not start: a setting that it does not know, most of all.
    #[must_use]
    #[track_caller]
    pub fn start(self) -> Option<Redis> {
        if !crate::has("redis-server") || !crate::has("redis-cli") {
            return None;
        }
        let folder = tempfile::tempdir().expect("a temporary folder can be made");
        if self.is_tls && !crate::certificates::make(folder.path()) {
            return None;
        }
        if let Some(users) = &self.users {
            write(folder.path().join("users.acl"), users);
        }
        let (child, port) = port::serve("redis-server", |port| {
            write(folder.path().join("redis.conf"), self.config(folder.path(), port));
            listening(folder.path(), port, self.is_volatile)
        });
        Some(Redis { child: Mutex::new(child), folder, port, is_volatile: self.is_volatile })
    }

    fn config(&self, folder: &Path, port: u16) -> String {
        let here = folder.display();
        let mut lines = vec![
            format!("bind {}", Ipv4Addr::LOCALHOST),
            format!("dir {here}"),
            format!("logfile {here}/redis.log"),
            format!("unixsocket {here}/redis.sock"),
            "save \"\"".to_owned(),
            "daemonize no".to_owned(),
        ];
        if self.users.is_some() {
            lines.push(format!("aclfile {here}/users.acl"));
        }
        if self.is_tls {
            lines.extend([
                "port 0".to_owned(),
                format!("tls-port {port}"),
                format!("tls-ca-cert-file {here}/ca.pem"),
                format!("tls-cert-file {here}/server.pem"),
                format!("tls-key-file {here}/server.key"),
            ]);
        } else {
            lines.push(format!("port {port}"));
        }
        lines.extend(self.settings.iter().cloned());
        lines.into_iter().map(|line| line + "\n").collect()
    }
}

/// A server that runs, until it goes out of scope.
#[derive(Debug)]
pub struct Redis {
    child: Mutex<Child>,
    folder: TempDir,
    port: u16,
    is_volatile: bool,
}

impl Redis {
    /// A server that is not started yet.
    #[allow(clippy::new_ret_no_self, reason = "what is to be started and what runs are two things")]
    pub fn new() -> Builder {
        Builder::default()
    }

    /// `127.0.0.1:PORT`.
    #[must_use]
    pub fn address(&self) -> String {
        format!("{}:{}", Ipv4Addr::LOCALHOST, self.port)
    }

    /// The port it listens at.
    #[must_use]
    pub fn port(&self) -> u16 {
        self.port
    }

    /// A file of its folder: `redis.sock`, `users.acl`, `redis.conf`, `redis.log`, certificates.
    #[must_use]
    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// What redis-cli prints when it is asked by the server's own socket as the user `default`, who needs
    /// no password.
    ///
    /// # Panics
    /// When redis-cli cannot be run.
    #[allow(clippy::must_use_candidate, reason = "it is asked to do something, too")]
    #[track_caller]
    pub fn ask(&self, words: &[&str]) -> String {
        let mut command = Command::new("redis-cli");
        command.arg("-s").arg(self.path("redis.sock")).args(words).stdin(Stdio::null());
        let output = command.output().expect("redis-cli is installed");
        String::from_utf8_lossy(&output.stdout).trim_end().to_owned()
    }

    /// Kills it as a crash does.
    ///
    /// # Panics
    /// When it has gone already.
    #[track_caller]
    pub fn kill(&self) {
        let mut child = self.child.lock().unwrap_or_else(PoisonError::into_inner);
        child.kill().and_then(|()| child.wait()).expect("the server was running");
    }

    /// Starts it again in the same place, after [`Redis::kill`].
    ///
    /// # Panics
    /// When it does not start.
    #[track_caller]
    pub fn restart(&self) {
        let again = listening(self.folder.path(), self.port, self.is_volatile);
        let child = again.unwrap_or_else(|log| panic!("redis-server does not start again: {log}"));
        *self.child.lock().unwrap_or_else(PoisonError::into_inner) = child;
    }
}

impl Drop for Redis {
    fn drop(&mut self) {
        let child = self.child.get_mut().unwrap_or_else(PoisonError::into_inner);
        let _has_ended = child.kill().and_then(|()| child.wait());
    }
}

/// Starts it; its log when it does not come to listen.
fn listening(folder: &Path, port: u16, is_volatile: bool) -> Result<Child, String> {
    write(folder.join("redis.log"), "");
    let mut command = Command::new("redis-server");
    let config = folder.join("redis.conf");
    if is_volatile {
        command.arg("-").stdin(std::fs::File::open(&config).map_err(|error| error.to_string())?);
    } else {
        command.arg(&config).stdin(Stdio::null());
    }
    command.current_dir(folder).stdout(Stdio::null()).stderr(Stdio::null());
    let mut child = command.spawn().map_err(|error| error.to_string())?;
    let log = || std::fs::read_to_string(folder.join("redis.log")).unwrap_or_default();
    let end = Instant::now() + PATIENCE;
    while Instant::now() < end && matches!(child.try_wait(), Ok(None)) {
        // Another one may have the port: it counts when ours says so.
        if log().contains("eady to accept connections")
            && TcpStream::connect((Ipv4Addr::LOCALHOST, port)).is_ok()
        {
            return Ok(child);
        }
        std::thread::sleep(Duration::from_millis(2));
    }
    let _has_ended = child.kill().and_then(|()| child.wait());
    Err(log())
}
