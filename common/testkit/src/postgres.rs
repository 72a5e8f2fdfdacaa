//! A throw-away server of PostgreSQL on the loopback.
//!
//! ```text
//! let Some(server) = Postgres::new().start() else { return };
//! server.ask("CREATE ROLE orders NOLOGIN");
//! assert!(server.log().contains("CREATE ROLE"));
//! ```
//!
//! The superuser `admin` needs the password `admin-password` over TCP, and none by the socket. Every
//! statement is in the log. A server started by root runs as the user `postgres`.

use std::net::Ipv4Addr;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};
use tempfile::TempDir;

use crate::{port, write};

/// A server that does not listen after so long never will, also on a busy machine.
const PATIENCE: Duration = Duration::from_secs(60);

/// What is to be started: [`Postgres::new`].
#[derive(Debug, Clone, Default)]
#[must_use]
pub struct Builder {
    settings: Vec<String>,
    access: Vec<String>,
    is_tls: bool,
}

impl Builder {
    /// Adds a line of `postgresql.conf`.
    pub fn setting(mut self, line: impl Into<String>) -> Self {
        self.settings.push(line.into());
        self
    }

    /// Adds a line of `pg_hba.conf` before the others.
    pub fn access(mut self, line: impl Into<String>) -> Self {
        self.access.push(line.into());
        self
    }

    /// Also speaks TLS, with the certificates of [`crate::certificates`].
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
    pub fn start(self) -> Option<Postgres> {
        let programs = programs()?;
        let folder = tempfile::tempdir().expect("a temporary folder can be made");
        if self.is_tls && !crate::certificates::make(folder.path()) {
            return None;
        }
        let owner = owner();
        write(folder.path().join("password"), "admin-password\n");
        give(folder.path(), owner);
        let mut initdb = run_as(owner, &programs.join("initdb"));
        initdb.args(["-U", "admin", "-A", "scram-sha-256", "-E", "UTF8", "--locale=C", "--no-sync"]);
        initdb.arg("--pwfile").arg(folder.path().join("password"));
        initdb.arg("-D").arg(folder.path().join("data")).current_dir(folder.path());
        let output = initdb.output().expect("initdb is installed");
        assert!(output.status.success(), "initdb: {}", String::from_utf8_lossy(&output.stderr));
        self.configure(folder.path(), owner);
        let (child, port) = port::serve("postgres", |port| listening(&programs, folder.path(), port));
        Some(Postgres { child, folder, programs, port })
    }

    fn configure(&self, folder: &Path, owner: Option<(u32, u32)>) {
        let here = folder.display();
        let mut settings = vec![
            format!("unix_socket_directories = '{here}'"),
            format!("listen_addresses = '{}'", Ipv4Addr::LOCALHOST),
            "fsync = off".to_owned(),
            "log_statement = all".to_owned(),
            "log_connections = on".to_owned(),
            "logging_collector = off".to_owned(),
        ];
        if self.is_tls {
            settings.push("ssl = on".to_owned());
            for (name, file) in [("ca", "ca.pem"), ("cert", "server.pem"), ("key", "server.key")] {
                settings.push(format!("ssl_{name}_file = '{here}/{file}'"));
            }
        }
        settings.extend(self.settings.iter().cloned());
        let own = ["local all admin trust", "local all all scram-sha-256", "host all all all scram-sha-256"];
        let access = self.access.iter().map(String::as_str).chain(own);
        let lines = |lines: &mut dyn Iterator<Item = &str>| -> String {
            lines.flat_map(|line| [line, "\n"]).collect()
        };
        write(folder.join("data/postgresql.conf"), lines(&mut settings.iter().map(String::as_str)));
        write(folder.join("data/pg_hba.conf"), lines(&mut access.into_iter()));
        give(&folder.join("data/postgresql.conf"), owner);
    }
}

/// A server that runs, until it goes out of scope.
#[derive(Debug)]
pub struct Postgres {
    child: Child,
    folder: TempDir,
    programs: PathBuf,
    port: u16,
}

impl Postgres {
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

    /// The socket it listens at.
    #[must_use]
    pub fn socket(&self) -> PathBuf {
        self.path(&format!(".s.PGSQL.{}", self.port))
    }

    /// A file of its folder: certificates, and `data`.
    #[must_use]
    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// What the server wrote into its log so far: every statement, too.
    #[must_use]
    pub fn log(&self) -> String {
        log(self.folder.path())
    }

    /// What psql prints when `admin` runs `sql`: values without headings, a line for each row.
    ///
    /// # Panics
    /// When the server refuses it.
    #[allow(clippy::must_use_candidate, reason = "it is asked to do something, too")]
    #[track_caller]
    pub fn ask(&self, sql: &str) -> String {
        let mut psql = self.psql("admin", "");
        let output = psql.arg("-c").arg(sql).output().expect("psql is installed");
        assert!(output.status.success(), "{sql}: {}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8_lossy(&output.stdout).trim_end().to_owned()
    }

    /// psql as `user` over TCP, by the socket without a password; what it runs is to be added.
    #[must_use]
    pub fn psql(&self, user: &str, password: &str) -> Command {
        let mut psql = Command::new(self.programs.join("psql"));
        let socket = self.folder.path().display().to_string();
        let host = if password.is_empty() { socket } else { Ipv4Addr::LOCALHOST.to_string() };
        psql.args(["-X", "-q", "-A", "-t", "-v", "ON_ERROR_STOP=1", "-d", "postgres", "-U", user, "-h"])
            .arg(host);
        psql.arg("-p").arg(self.port.to_string()).env("PGPASSWORD", password).stdin(Stdio::null());
        psql
    }
}

impl Drop for Postgres {
    fn drop(&mut self) {
        end(&mut self.child);
    }
}

/// Has it end without ceremony: nothing of it is needed any more. Its children go with it.
fn end(child: &mut Child) {
    let pid = i32::try_from(child.id()).ok().and_then(Pid::from_raw);
    let _is_there = pid.map(|pid| kill_process(pid, Signal::QUIT));
    let limit = Instant::now() + PATIENCE;
    while matches!(child.try_wait(), Ok(None)) && Instant::now() < limit {
        std::thread::sleep(Duration::from_millis(2));
    }
    let _has_ended = child.kill().and_then(|()| child.wait());
}

/// The folder with `postgres` and `initdb`, which Debian keeps off the path.
fn programs() -> Option<PathBuf> {
    let versions = std::fs::read_dir("/usr/lib/postgresql").into_iter().flatten().flatten();
    let mut folders: Vec<PathBuf> = versions.map(|version| version.path().join("bin")).collect();
    folders.sort();
    let path = std::env::var_os("PATH").unwrap_or_default();
    folders.extend(std::env::split_paths(&path));
    let is_whole =
        |folder: &PathBuf| ["postgres", "initdb", "psql"].iter().all(|name| folder.join(name).is_file());
    let found = folders.into_iter().rev().find(is_whole);
    if found.is_none() {
        eprintln!("skipped: PostgreSQL is not installed");
    }
    found
}

/// The user and group `postgres` where we are root, as whom the server does not start.
fn owner() -> Option<(u32, u32)> {
    if !rustix::process::geteuid().is_root() {
        return None;
    }
    let passwd = std::fs::read_to_string("/etc/passwd").expect("there are users");
    let line = passwd.lines().find(|line| line.starts_with("postgres:"));
    let mut fields = line.expect("there is a user postgres").split(':').skip(2);
    let mut number = || fields.next().and_then(|field| field.parse().ok()).expect("a user has numbers");
    Some((number(), number()))
}

/// Gives a folder or file, and what is in it, to the user that runs the server.
fn give(path: &Path, owner: Option<(u32, u32)>) {
    let Some((user, group)) = owner else { return };
    std::os::unix::fs::chown(path, Some(user), Some(group)).expect("root may give files away");
    for entry in std::fs::read_dir(path).into_iter().flatten().flatten() {
        give(&entry.path(), owner);
    }
}

fn run_as(owner: Option<(u32, u32)>, program: &Path) -> Command {
    let mut command = Command::new(program);
    if let Some((user, group)) = owner {
        command.uid(user).gid(group);
    }
    command.stdin(Stdio::null()).env_clear().env("PATH", "/usr/bin:/bin").env("LC_ALL", "C.UTF-8");
    command
}

/// Starts it; its log when it does not come to listen.
fn listening(programs: &Path, folder: &Path, port: u16) -> Result<Child, String> {
    let file = std::fs::File::create(folder.join("log")).map_err(|error| error.to_string())?;
    let mut command = run_as(owner(), &programs.join("postgres"));
    command.arg("-D").arg(folder.join("data")).arg("-p").arg(port.to_string()).current_dir(folder);
    let mut child = command.stdout(Stdio::null()).stderr(file).spawn().map_err(|error| error.to_string())?;
    let limit = Instant::now() + PATIENCE;
    while Instant::now() < limit && matches!(child.try_wait(), Ok(None)) {
        if log(folder).contains("database system is ready to accept connections") {
            return Ok(child);
        }
        std::thread::sleep(Duration::from_millis(5));
    }
    end(&mut child);
    Err(log(folder))
}

fn log(folder: &Path) -> String {
    std::fs::read(folder.join("log"))
        .map(|bytes| String::from_utf8_lossy(&bytes).into_owned())
        .unwrap_or_default()
}
