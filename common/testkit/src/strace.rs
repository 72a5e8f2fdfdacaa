//! Lets a chosen system call of a tool fail, come late or be its last one, to see what is left behind.
//!
//! `strace` does it when the call is entered, so a call that fails, or before which the tool is killed,
//! does not happen: killed before `rename`, the old file must still be there. It needs no cooperation
//! of the tool, and meets every place where a power cut, a full disk or a race could.
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
//!
//! Where no call is to be forgotten, [`Killer::calls`] tells what a good run does, and each of these
//! calls is the [`Call::point`] of a [`Killer::strike`] with any [`Fault`].

use std::collections::BTreeMap;
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

/// A system call of a program: the `nth` one of `syscall`, counted from 1.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Point<'a> {
    /// The name of the system call. One that this processor does not have is never met.
    pub syscall: &'a str,
    /// Which of the calls; 0 is each of them. Each thread counts for itself, and so does each child
    /// process: a point may be met more than once.
    pub nth: u32,
}

impl fmt::Display for Point<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.nth {
            0 => write!(f, "every {}", self.syscall),
            nth => write!(f, "{} number {nth}", self.syscall),
        }
    }
}

/// What happens at a point.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault<'a> {
    /// SIGKILL, before the call does anything.
    Kill,
    /// The call does nothing and returns this error, such as `ENOSPC`.
    Error(&'a str),
    /// The call does nothing and returns this number: a `write` that lies.
    Returns(u32),
    /// The call waits this long before it does what it does.
    Delay(Duration),
}

impl fmt::Display for Fault<'_> {
    /// As strace wants it.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Kill => f.write_str("signal=KILL"),
            Self::Error(name) => write!(f, "error={name}"),
            Self::Returns(number) => write!(f, "retval={number}"),
            Self::Delay(time) => write!(f, "delay_enter={}", time.as_micros()),
        }
    }
}

/// How a run ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fate {
    /// It was killed at the point.
    Killed,
    /// It ended with this status.
    Finished(i32),
}

/// What a run with a fault did.
#[derive(Debug)]
pub struct Struck {
    /// How it ended.
    pub fate: Fate,
    /// Whether it came to the point at all.
    pub hit: bool,
    /// What it printed.
    pub stdout: Vec<u8>,
    /// What it said.
    pub stderr: Vec<u8>,
}

/// A system call of a good run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Call {
    /// The name of the system call.
    pub syscall: String,
    /// Which of the calls of this name, in its thread.
    pub nth: u32,
    /// Which thread or child process made it, in the order of their first calls; 0 is the first.
    pub thread: usize,
    /// The call with its arguments and its result, as strace prints it.
    pub text: String,
}

impl Call {
    /// Where the same call is met again.
    #[must_use]
    pub fn point(&self) -> Point<'_> {
        Point { syscall: &self.syscall, nth: self.nth }
    }
}

/// A program that is going to meet a fault.
#[derive(Debug)]
#[must_use = "nothing happens before run(), strike() or calls()"]
pub struct Killer {
    program: PathBuf,
    args: Vec<OsString>,
    stdin: Vec<u8>,
    current_dir: PathBuf,
    launcher: Vec<OsString>,
}

impl Killer {
    /// A run of `program`, in the current folder unless [`Killer::current_dir`] says otherwise.
    pub fn new(program: impl AsRef<Path>) -> Self {
        let program = program.as_ref().to_owned();
        Self { program, args: Vec::new(), stdin: Vec::new(), current_dir: ".".into(), launcher: Vec::new() }
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

    /// Has this command start strace and the program, which are its last arguments: it makes the
    /// mounts or limits that they live in, and meets no fault itself. It must end by `exec "$@"`, so
    /// that their end is its own.
    pub fn launcher<A: AsRef<OsStr>>(mut self, command: impl IntoIterator<Item = A>) -> Self {
        self.launcher = command.into_iter().map(|word| word.as_ref().to_owned()).collect();
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
        self.strike(point, Fault::Kill).fate
    }

    /// Runs the program, which meets `fault` at `point`, in the fixed environment of all tests.
    ///
    /// # Panics
    /// As [`Killer::run`].
    #[must_use = "a fault that was not met has tested nothing"]
    #[track_caller]
    pub fn strike(self, point: Point<'_>, fault: Fault<'_>) -> Struck {
        let call = point.syscall;
        let when = if point.nth == 0 { String::new() } else { format!(":when={}", point.nth) };
        let rules = [format!("trace=?{call}"), format!("inject=?{call}:{fault}{when}")];
        let (struck, trace) = self.trace(&rules, &format!("{fault} at {point}"));
        // A call that it was killed at has no result that could say so; nor has that of a child of it.
        let is_killed = struck.fate == Fate::Killed
            || matches!(fault, Fault::Kill) && trace.contains("+++ killed by SIGKILL +++");
        let hit = is_killed || trace.lines().any(|line| line.contains("(INJECTED)"));
        Struck { hit: hit || (matches!(fault, Fault::Delay(_)) && trace.contains("(DELAYED)")), ..struck }
    }

    /// The system calls of a run that nothing happens to, in their order. The first one of each
    /// program is its `execve`.
    ///
    /// # Panics
    /// As [`Killer::run`]; and when the run fails, for then it tells nothing.
    #[must_use]
    #[track_caller]
    pub fn calls(self) -> Vec<Call> {
        self.calls_until(0)
    }

    /// As [`Killer::calls`], of a run that ends with `status`.
    ///
    /// # Panics
    /// As [`Killer::run`]; and when the run ends otherwise.
    #[must_use]
    #[track_caller]
    pub fn calls_until(self, status: i32) -> Vec<Call> {
        let (struck, trace) = self.trace(&["trace=all".to_owned()], "traced");
        let said = String::from_utf8_lossy(&struck.stderr);
        assert_eq!(struck.fate, Fate::Finished(status), "the run that is to be learnt from says: {said}");
        parse(&trace)
    }

    /// Runs it under strace with these expressions; `hit` is still open. Returns the trace too.
    #[track_caller]
    fn trace(self, rules: &[String], what: &str) -> (Struck, String) {
        let log = tempfile::NamedTempFile::new().expect("a temporary file");
        let strace = ["strace", "-f", "-qq", "-o"].map(OsString::from);
        let mut line: Vec<OsString> = self.launcher.into_iter().chain(strace).collect();
        line.push(log.path().into());
        line.extend(rules.iter().flat_map(|rule| ["-e".into(), rule.into()]));
        line.extend(["--".into(), self.program.clone().into()].into_iter().chain(self.args));
        let mut command = Command::new(&line[0]);
        clean_env(&mut command, &self.current_dir, &self.program);
        command.args(&line[1..]).current_dir(&self.current_dir);
        let mut process = Process::start(command, Stdin::Bytes(self.stdin), Stdout::Read, TIMEOUT);
        let status = process.finish().unwrap_or_else(|late| panic!("{what}: {late}"));
        // strace dies of the signal that its child died of.
        let fate = if status == 128 + 9 { Fate::Killed } else { Fate::Finished(status) };
        let (stdout, stderr) = (std::mem::take(&mut process.stdout), std::mem::take(&mut process.stderr));
        let trace = std::fs::read(log.path()).expect("strace writes its log");
        let trace = String::from_utf8_lossy(&trace).into_owned();
        (Struck { fate, hit: false, stdout, stderr }, trace)
    }
}

/// The calls of a trace: lines like `4711 rename("a", "b") = 0`, where one that was interrupted by
/// another thread's goes on in a line that begins with `<...`.
fn parse(trace: &str) -> Vec<Call> {
    let mut threads: Vec<&str> = Vec::new();
    let mut counts = BTreeMap::new();
    let mut calls = Vec::new();
    for line in trace.lines() {
        let Some((pid, text)) = line.split_once(' ') else { continue };
        let text = text.trim_start();
        let Some((name, _)) = text.split_once('(') else { continue };
        if !name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_') {
            continue;
        }
        let thread = threads.iter().position(|known| *known == pid).unwrap_or_else(|| {
            threads.push(pid);
            threads.len() - 1
        });
        let nth = counts.entry((thread, name)).and_modify(|count| *count += 1).or_insert(1);
        calls.push(Call { syscall: name.to_owned(), nth: *nth, thread, text: text.to_owned() });
    }
    calls
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
    fn what_fails_or_comes_late_says_so() {
        if !works() {
            return;
        }
        let folder = tempfile::tempdir().unwrap();
        let strike = |syscall: &str, nth: u32, fault: Fault<'_>| {
            crate::write(folder.path().join("a"), "text");
            let cat = Killer::new("cat").args(["a"]).current_dir(folder.path());
            let struck = cat.strike(Point { syscall, nth }, fault);
            (struck.fate, struck.hit, String::from_utf8(struck.stdout).unwrap(), struck.stderr)
        };
        let (fate, hit, printed, said) = strike("write", 1, Fault::Error("ENOSPC"));
        assert_eq!((fate, hit, printed.as_str()), (Fate::Finished(1), true, ""));
        assert!(String::from_utf8(said).unwrap().contains("No space left on device"));
        let text = "text".to_owned();
        let silent = |delayed: bool| (Fate::Finished(0), delayed, text.clone(), Vec::new());
        assert_eq!(strike("write", 1, Fault::Delay(Duration::from_millis(1))), silent(true));
        assert_eq!(strike("write", 9, Fault::Error("ENOSPC")), silent(false));
        assert_eq!(strike("write", 0, Fault::Returns(4)).2, "");
    }

    #[test]
    fn the_calls_of_a_run_are_met_again() {
        if !works() {
            return;
        }
        let folder = tempfile::tempdir().unwrap();
        let mv = || {
            crate::write(folder.path().join("a"), "text");
            Killer::new("mv").args(["-f", "a", "b"]).current_dir(folder.path())
        };
        let calls = mv().calls();
        assert_eq!((calls[0].syscall.as_str(), calls[0].nth), ("execve", 1));
        let rename = calls.iter().find(|call| call.syscall.starts_with("rename")).unwrap();
        assert!(rename.text.contains("\"a\""), "{rename:?}");
        assert_eq!(mv().run(rename.point()), Fate::Killed);
        let inside = mv().launcher(["sh", "-c", "mv a c; mv c a; exec \"$@\"", "sh"]);
        assert!(inside.strike(rename.point(), Fault::Error("EROFS")).hit);
    }

    #[test]
    fn each_thread_counts_for_itself() {
        let trace = "7 execve(\"a\") = 0\n7 read(3, \"\", 1 <unfinished ...>\n8    read(4) = 0\n\
                     7 <... read resumed>) = 0\n8 read(4) = 0\n7 --- SIGCHLD {(} ---\n7 +++ exited (0) +++\n";
        let found = parse(trace);
        let shown: Vec<_> = found.iter().map(|call| format!("{} {}", call.thread, call.point())).collect();
        let want = ["0 execve number 1", "0 read number 1", "1 read number 1", "1 read number 2"];
        assert_eq!(shown, want);
        assert_eq!(found[2].text, "read(4) = 0");
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
