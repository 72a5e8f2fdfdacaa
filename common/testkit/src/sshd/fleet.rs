//! Many hosts, and those that misbehave.

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use tempfile::TempDir;

use super::{program, read, workspace};

/// What `scripts/fleet` started, until it goes out of scope.
#[derive(Debug)]
pub struct Fleet {
    folder: TempDir,
    port: u16,
    faults: Vec<(String, String)>,
}

impl Fleet {
    /// Starts so many healthy hosts, and with `faults` those that misbehave and one for each login
    /// shell, which takes two more seconds. `None`, and one line, where there is no sshd or Python.
    ///
    /// # Panics
    /// When they do not start.
    #[must_use]
    #[track_caller]
    pub fn start(hosts: usize, faults: bool) -> Option<Self> {
        program()?;
        if !crate::has("python3") {
            return None;
        }
        let folder = tempfile::tempdir().expect("a temporary folder can be made");
        let hosts = hosts.to_string();
        let more: &[&str] = if faults { &["--faults"] } else { &[] };
        // What is up already when the rest fails is ended with this one.
        let mut fleet = Self { folder, port: 0, faults: Vec::new() };
        fleet.ask(&[&["up", hosts.as_str()], more].concat());
        fleet.port = read(&fleet.path("port")).trim().parse().expect("the port is a number");
        let list = fleet.ask(&["list"]);
        let rows = list.lines().filter_map(|line| {
            let (address, rest) = line.split_once(' ')?;
            Some((rest.split_whitespace().next()?.to_owned(), address.to_owned()))
        });
        fleet.faults = rows.collect();
        Some(fleet)
    }

    /// The port of all of them.
    #[must_use]
    pub fn port(&self) -> u16 {
        self.port
    }

    /// The addresses of the healthy ones.
    #[must_use]
    pub fn hosts(&self) -> Vec<String> {
        read(&self.path("hosts")).lines().map(str::to_owned).collect()
    }

    /// The address of the host of this name in `scripts/fleet list`: `hang`, `wrongkey`, or `zsh`.
    ///
    /// # Panics
    /// When there is none: a misspelt name, or a shell that is not installed.
    #[must_use]
    #[track_caller]
    pub fn host(&self, name: &str) -> &str {
        let found = self.faults.iter().find(|(known, _)| known == name);
        &found.unwrap_or_else(|| panic!("scripts/fleet list has no `{name}`")).1
    }

    /// Whether there is a host of this name: shells are not installed everywhere.
    #[must_use]
    pub fn has(&self, name: &str) -> bool {
        self.faults.iter().any(|(known, _)| known == name)
    }

    /// A file of its folder: `keys/id_ed25519`, `known_hosts`, `ssh_config`, `hosts`, `log/hosts0.log`
    /// and what else `scripts/fleet` makes.
    #[must_use]
    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// What the script prints.
    #[track_caller]
    fn ask(&self, args: &[&str]) -> String {
        let output = script(self.folder.path(), args);
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "scripts/fleet {}: {said}", args.join(" "));
        String::from_utf8_lossy(&output.stdout).into_owned()
    }
}

impl Drop for Fleet {
    fn drop(&mut self) {
        script(self.folder.path(), &["down"]);
    }
}

fn script(folder: &Path, args: &[&str]) -> Output {
    let mut command = Command::new(workspace().join("scripts/fleet"));
    command.args(args).arg("--dir").arg(folder);
    command.output().unwrap_or_else(|error| panic!("cannot run scripts/fleet: {error}"))
}
