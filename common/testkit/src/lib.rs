//! Tests through the real binary. A dev-dependency only: nothing of it ships.
//!
//! | item | what it tests |
//! |---|---|
//! | [`readme`] | every `console` block of a README, executed |
//! | [`Case`] | one run of a tool, with silence asserted by default |
//! | [`sshd`] | one SSH server, or a fleet of healthy and of misbehaving ones |
//! | [`redis`], [`postgres`] | a server of that kind |
//! | [`moto`] | AWS's IAM and STS, as moto plays them |
//! | [`certificates`] | for those that speak TLS |
//! | [`strace`] | what is left behind when a system call fails, or a tool is killed before it |
//! | [`arrivals`], [`notes`] | files that come into a folder, and whether a command was run once for each |
//! | [`sweep`] | the same at every system call of a run, or at some of them |
//! | `tests/recipes.rs` | the recipes, on a system of their own with a fleet of hosts |
//! | `tests/alike.rs` | what all tools do alike, through every binary |
//! | `tests/tidy.rs` | the rules of the tree: names, sizes, layers, units |
//!
//! ```text
//! use testkit::Case;
//!
//! #[test]
//! fn the_examples_of_the_manual_run() {
//!     testkit::readme(env!("CARGO_BIN_EXE_logcount"), "README.md");
//! }
//!
//! #[test]
//! fn a_missing_file_is_named() {
//!     Case::new(env!("CARGO_BIN_EXE_logcount")).args(["no.log"]).status(2).stderr_has("no.log").run();
//! }
//! ```
//!
//! The outputs in a README are never typed by hand: write the `$` lines, run the tests once with
//! `README_BLESS=1`, and read the diff before you commit it.
//!
//! Every child process gets the same small environment: `LC_ALL=C.UTF-8`, `TZ=UTC`, `TERM=dumb`,
//! `HOME` is its temporary folder, and `PATH` begins with the folder of the binary under test, where
//! cargo puts its siblings too. Nothing else is inherited, so neither `RUST_LOG` nor `NO_COLOR` nor
//! `SRE_LOG_FORMAT` of the developer changes a result. No child outlives its test.
#![allow(
    clippy::expect_used,
    clippy::missing_panics_doc,
    clippy::print_stderr,
    clippy::disallowed_methods,
    reason = "a test fails by a panic, says on stderr what it skips, and writes files into temporary folders"
)]

pub mod arrivals;
mod case;
pub mod certificates;
mod diff;
pub mod moto;
pub mod notes;
mod port;
pub mod postgres;
mod process;
mod readme;
pub mod redis;
pub mod sshd;
pub mod strace;
pub mod sweep;

use std::path::{Path, PathBuf};

pub use case::{Case, Output, Running};
pub use readme::{readme, readme_of_a_system, readme_with};

/// The workspace's `testdata/`: small files, named by what is odd about them. Read-only: [`readme`]
/// works on a copy, and a [`Case`] takes what it needs by [`Case::file`].
#[must_use]
pub fn testdata() -> PathBuf {
    workspace().join("testdata")
}

/// The root of the workspace.
fn workspace() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../..")
        .canonicalize()
        .expect("the crate lies two below the root")
}

/// A folder of real logs with published counts, named by the environment variable `SRE_TRUTH`. It
/// is no part of the project: `None`, and one line that says so, when the variable is not set; the
/// test is then to return.
///
/// # Panics
/// When the variable names no folder: a misspelt path must not pass as "not here".
#[must_use]
pub fn truth() -> Option<PathBuf> {
    let Some(folder) = std::env::var_os("SRE_TRUTH").filter(|folder| !folder.is_empty()) else {
        eprintln!("skipped: SRE_TRUTH does not name the folder of real logs");
        return None;
    };
    let folder = PathBuf::from(folder);
    assert!(folder.is_dir(), "SRE_TRUTH={} is no folder", folder.display());
    Some(folder)
}

/// The binary of the tool `name`, where cargo puts it: beside the folder of the tests that ask for it.
///
/// # Panics
/// When it is not built.
#[must_use]
#[track_caller]
pub fn tool(name: &str) -> PathBuf {
    let this = std::env::current_exe().expect("a test has a path");
    let folder = this.ancestors().nth(2).expect("tests lie in target/PROFILE/deps");
    let binary = folder.join(name);
    assert!(binary.is_file(), "{} is not built; `cargo build --workspace` does", binary.display());
    binary
}

/// Writes a whole file, and the folders above it, for a test to work on.
///
/// # Panics
/// When it cannot be written.
#[track_caller]
pub fn write(path: impl AsRef<Path>, bytes: impl AsRef<[u8]>) {
    let path = path.as_ref();
    let parent = path.parent().unwrap_or(Path::new("."));
    let written = std::fs::create_dir_all(parent).and_then(|()| std::fs::write(path, bytes));
    written.unwrap_or_else(|error| panic!("cannot write {}: {error}", path.display()));
}

/// Whether `command` is on the `PATH`; when it is not, one line says what is skipped.
#[must_use]
pub fn has(command: &str) -> bool {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let found = std::env::split_paths(&path).any(|folder| folder.join(command).is_file());
    if !found {
        eprintln!("skipped: {command} is not installed");
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_command_is_found_by_its_name_alone() {
        assert!(has("bash"));
        assert!(!has("no-such-command"));
    }

    #[test]
    fn testdata_lies_in_the_workspace() {
        assert!(workspace().join("Cargo.lock").is_file());
        assert_eq!(testdata(), workspace().join("testdata"));
    }
}
