//! A folder in which watchers run one after the other, with one ledger.

use std::ffi::OsStr;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::thread::sleep;
use std::time::{Duration, Instant};

use tempfile::TempDir;
use testkit::Case;

/// How long something may take before a test gives up: far more than any needs.
const PATIENCE: Duration = Duration::from_secs(50);

/// A folder with an empty folder `in`.
pub(crate) struct Desk {
    top: TempDir,
}

impl Desk {
    pub(crate) fn new() -> Self {
        let top = tempfile::tempdir().unwrap();
        fs::create_dir(top.path().join("in")).unwrap();
        Self { top }
    }

    /// One with these files, each of which has its own path as content.
    pub(crate) fn with(paths: &[&str]) -> Self {
        let desk = Self::new();
        for path in paths {
            desk.put(path, path);
        }
        desk
    }

    /// A path without links in it, as commands are told it.
    pub(crate) fn path(&self, path: impl AsRef<Path>) -> PathBuf {
        self.top.path().canonicalize().unwrap().join(path)
    }

    pub(crate) fn put(&self, path: impl AsRef<Path>, bytes: impl AsRef<[u8]>) {
        testkit::write(self.path(path), bytes);
    }

    pub(crate) fn read(&self, path: impl AsRef<Path>) -> String {
        fs::read_to_string(self.path(path)).unwrap()
    }

    pub(crate) fn has(&self, path: impl AsRef<Path>) -> bool {
        self.path(path).symlink_metadata().is_ok()
    }

    /// The names in a folder, in order.
    pub(crate) fn names(&self, path: &str) -> Vec<String> {
        let mut names: Vec<String> = fs::read_dir(self.path(path))
            .unwrap()
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect();
        names.sort();
        names
    }

    /// A run of dirwatch here, on the ledger `state`.
    pub(crate) fn dirwatch<A: AsRef<OsStr>>(&self, args: impl IntoIterator<Item = A>) -> Case {
        self.dirwatch_on("state", args)
    }

    /// A run of dirwatch here, on a ledger of its own.
    pub(crate) fn dirwatch_on<A: AsRef<OsStr>>(
        &self,
        state: &str,
        args: impl IntoIterator<Item = A>,
    ) -> Case {
        let case = Case::new(env!("CARGO_BIN_EXE_dirwatch")).current_dir(self.path(""));
        case.args(["--state", state]).args(args)
    }

    /// A single pass over `in`, in the order of names.
    pub(crate) fn once(&self, flags: &[&str], command: &[&str]) -> Case {
        self.dirwatch(["--once", "--order=name"]).args(flags).args(["in", "--"]).args(command)
    }

    /// A watcher of `in`. Nothing is found by a look at everything that comes anyway.
    pub(crate) fn watch(&self, flags: &[&str], command: &[&str]) -> Case {
        self.dirwatch(["--rescan=1h"]).args(flags).args(["in", "--"]).args(command)
    }

    /// What is recorded, as `STATE NAME`, in order.
    pub(crate) fn listed(&self) -> Vec<String> {
        let mut list = Command::new(env!("CARGO_BIN_EXE_dirwatch"));
        let listed = list.args(["--list", "--json", "--state"]).arg(self.path("state")).output().unwrap();
        // Nothing is there yet when a watcher has only just started.
        let mut lines: Vec<String> = String::from_utf8(listed.stdout)
            .unwrap()
            .lines()
            .map(|line| {
                let entry: serde_json::Value = serde_json::from_str(line).unwrap();
                let path = Path::new(entry["path"].as_str().unwrap());
                format!("{} {}", entry["state"].as_str().unwrap(), path.file_name().unwrap().display())
            })
            .collect();
        lines.sort();
        lines
    }

    /// Waits until something is so.
    #[track_caller]
    pub(crate) fn wait(&self, what: &str, is_so: impl Fn(&Self) -> bool) {
        let since = Instant::now();
        while !is_so(self) {
            assert!(since.elapsed() < PATIENCE, "never: {what}");
            sleep(Duration::from_millis(5));
        }
    }

    /// Waits until a file is there.
    #[track_caller]
    pub(crate) fn wait_for(&self, path: &str) {
        self.wait(path, |desk| desk.has(path));
    }
}
