//! Kills a tool before a chosen system call, to see what a crash leaves behind.
//!
//! `strace` sends SIGKILL when the call is entered, so the call itself does not happen: killed before
//! `rename`, the old file must still be there. It needs no cooperation of the tool, and meets every
//! place where a power cut could.
//!
//! ```text
//! if !testkit::strace::works() {
//!     return;
//! }
//! let kills = strace::everywhere(&["write", "fsync", "rename"], |point| {
//!     let folder = prepare();
//!     let fate = Killer::new(env!("CARGO_BIN_EXE_jsonset")).args([…]).current_dir(&folder).run(point);
//!     assert!(is_old(&folder) || is_new(&folder), "killed before {point}");
//!     fate
//! });
//! assert!(kills >= 3);
//! ```

use std::ffi::{OsStr, OsString};
use std::fmt;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;
use std::time::Duration;

use crate::process::{Process, Stdin, Stdout, clean_env};

/// A run under strace is tens of times slower; this is still only met by a hang.
const TIMEOUT: Duration = Duration::from_secs(60);

/// More kills than any test asks for at one system call; a loop that comes here does not end.
const ENDLESS: u32 = 100_000;

/// Where a program is killed: before its `nth` call of `syscall`, counted from 1.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Point<'a> {
    /// The name of the system call. One that this processor does not have is never met.
    pub syscall: &'a str,
    /// Which of the calls. Each thread counts for itself, and so does each child process.
    pub nth: u32,
}

impl fmt::Display for Point<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} number {}", self.syscall, self.nth)
    }
}

/// How a run ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fate {
    /// It was killed at the point.
    Killed,
    /// It never came to the point, and ended with this status.
    Finished(i32),
}

/// A program that is going to be killed.
#[derive(Debug)]
#[must_use = "nothing happens before run()"]
pub struct Killer {
    program: PathBuf,
    args: Vec<OsString>,
    stdin: Vec<u8>,
    current_dir: PathBuf,
}

impl Killer {
    /// A run of `program`, in the current folder unless [`Killer::current_dir`] says otherwise.
    pub fn new(program: impl AsRef<Path>) -> Self {
        let program = program.as_ref().to_owned();
        Self { program, args: Vec::new(), stdin: Vec::new(), current_dir: ".".into() }
    }

    /// Adds arguments after those that were given.
    pub fn args<A: AsRef<OsStr>>(mut self, args: impl IntoIterator<Item = A>) -> Self {
        self.args.extend(args.into_iter().map(|arg| arg.as_ref().to_owned()));
        self
    }

    /// Feeds `bytes` through a pipe.
    pub fn stdin(mut self, bytes: impl AsRef<[u8]>) -> Self {
        bytes.as_ref().clone_into(&mut self.stdin);
        self
    }

    /// Runs in this folder, which is also its `HOME`.
    pub fn current_dir(mut self, path: impl AsRef<Path>) -> Self {
        path.as_ref().clone_into(&mut self.current_dir);
        self
    }

    /// Runs the program up to `point`, in the fixed environment of all tests. What it prints is
    /// thrown away: the files it leaves are what counts.
    ///
    /// # Panics
    /// When strace cannot be run, or the program does not end within 60 seconds.
    #[must_use = "killed or not is what the test asks"]
    #[track_caller]
    pub fn run(self, point: Point<'_>) -> Fate {
        let mut command = Command::new("strace");
        clean_env(&mut command, &self.current_dir, &self.program);
        let call = point.syscall;
        command.args(["-f", "-qq", "-o", "/dev/null", "-e", &format!("trace=?{call}"), "-e"]);
        command.arg(format!("inject=?{call}:signal=KILL:when={}", point.nth));
        command.arg("--").arg(&self.program).args(&self.args).current_dir(&self.current_dir);
        let mut process = Process::start(command, Stdin::Bytes(self.stdin), Stdout::Read, TIMEOUT);
        let status = process.finish().unwrap_or_else(|late| panic!("killed before {point}: {late}"));
        // strace dies of the signal that its child died of.
        if status == 128 + 9 { Fate::Killed } else { Fate::Finished(status) }
    }
}

/// Calls `run` for the first, second, third… of each of `syscalls`, until a run finishes. Returns the
/// number of kills: assert it, for where nobody was killed nothing was tested.
///
/// # Panics
/// When a system call is met without end.
pub fn everywhere(syscalls: &[&str], mut run: impl FnMut(Point<'_>) -> Fate) -> u32 {
    let mut kills = 0;
    for syscall in syscalls {
        let killed = (1..=ENDLESS).take_while(|&nth| run(Point { syscall, nth }) == Fate::Killed).count();
        let killed = u32::try_from(killed).unwrap_or(ENDLESS);
        assert!(killed < ENDLESS, "{syscall} is met without end");
        kills += killed;
    }
    kills
}

/// Whether strace is here and may trace (a container can forbid it); when not, one line says what is
/// skipped.
#[must_use]
pub fn works() -> bool {
    static WORKS: OnceLock<bool> = OnceLock::new();
    *WORKS.get_or_init(|| {
        let traced = Command::new("strace").args(["-o", "/dev/null", "true"]).output();
        let works = traced.is_ok_and(|output| output.status.success());
        if !works {
            eprintln!("skipped: strace is not installed, or may not trace here");
        }
        works
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_call_it_is_killed_at_does_not_happen() {
        if !works() {
            return;
        }
        let kills = everywhere(&["rename", "renameat", "renameat2"], |point| {
            let folder = tempfile::tempdir().unwrap();
            for name in ["a", "b"] {
                crate::write(folder.path().join(name), name);
            }
            let fate = Killer::new("mv").args(["-f", "a", "b"]).current_dir(folder.path()).run(point);
            let moved = std::fs::read(folder.path().join("b")).unwrap() == b"a";
            assert_eq!(moved, fate == Fate::Finished(0), "killed before {point}");
            fate
        });
        assert!(kills > 0);
    }

    #[test]
    fn what_finishes_tells_its_status_and_reads_its_input() {
        if !works() {
            return;
        }
        let bash = || Killer::new("bash").args(["-c", "read x; exit $x"]);
        let never = Point { syscall: "rename", nth: 1 };
        assert_eq!(bash().stdin("23\n").run(never), Fate::Finished(23));
        let read = Point { syscall: "read", nth: 1 };
        assert_eq!(bash().stdin("23\n").run(read), Fate::Killed);
        assert_eq!(Killer::new("true").run(Point { syscall: "no_such_call", nth: 1 }), Fate::Finished(0));
    }

    #[test]
    fn every_call_has_its_turn() {
        let mut seen = Vec::new();
        let kills = everywhere(&["write", "rename"], |point| {
            seen.push(point.to_string());
            if point.nth < 3 && point.syscall == "write" { Fate::Killed } else { Fate::Finished(0) }
        });
        assert_eq!(kills, 2);
        assert_eq!(seen.join(", "), "write number 1, write number 2, write number 3, rename number 1");
    }
}
