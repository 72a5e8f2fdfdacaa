//! One run of a tool, and everything that is expected of it.

use std::ffi::{OsStr, OsString};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use rustix::process::Signal;
use tempfile::TempDir;

use crate::diff::{diff, exact_lines};
use crate::process::{Process, Stdin, Stdout, clean_env};

/// How long a run may take: far more than any needs, so that only a hang meets it.
const TIMEOUT: Duration = Duration::from_secs(60);

/// A run of a program in a temporary folder of its own.
///
/// What is not expected must not happen: without further words the status is 0 and both outputs are
/// empty. A test that expects nothing of an output asserts its silence.
///
/// ```text
/// Case::new(env!("CARGO_BIN_EXE_logcount"))
///     .file("app.log", "ERROR disk\n")
///     .args(["--json", "app.log"])
///     .stdout("{\"ERROR\":1}\n")
///     .run();
/// ```
#[derive(Debug)]
#[must_use = "a case runs with run() or start()"]
pub struct Case {
    program: PathBuf,
    args: Vec<OsString>,
    env: Vec<(OsString, OsString)>,
    folder: TempDir,
    current_dir: PathBuf,
    stdin: Stdin,
    stdout_to: Stdout,
    stderr_closed: bool,
    timeout: Duration,
    want: Want,
}

#[derive(Debug)]
struct Want {
    status: i32,
    stdout: Text,
    stderr: Text,
}

#[derive(Debug)]
enum Text {
    Exactly(Vec<u8>),
    Has(Vec<Vec<u8>>),
    /// So many bytes, whatever they are: the part before the pipe was closed.
    Long(usize),
}

impl Case {
    /// A run of `program`: `env!("CARGO_BIN_EXE_…")`, or a name to be looked up in `PATH`.
    pub fn new(program: impl AsRef<Path>) -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let nothing = || Text::Exactly(Vec::new());
        Self {
            program: program.as_ref().to_owned(),
            args: Vec::new(),
            env: Vec::new(),
            current_dir: folder.path().to_owned(),
            folder,
            stdin: Stdin::Bytes(Vec::new()),
            stdout_to: Stdout::Read,
            stderr_closed: false,
            timeout: TIMEOUT,
            want: Want { status: 0, stdout: nothing(), stderr: nothing() },
        }
    }

    /// Adds arguments after those that were given.
    pub fn args<A: AsRef<OsStr>>(mut self, args: impl IntoIterator<Item = A>) -> Self {
        self.args.extend(args.into_iter().map(|arg| arg.as_ref().to_owned()));
        self
    }

    /// Sets a variable on top of the fixed environment (see the crate's documentation).
    pub fn env(mut self, name: impl AsRef<OsStr>, value: impl AsRef<OsStr>) -> Self {
        self.env.push((name.as_ref().to_owned(), value.as_ref().to_owned()));
        self
    }

    /// Feeds `bytes` through a pipe. Without this, standard input is a pipe that is at its end.
    pub fn stdin(mut self, bytes: impl AsRef<[u8]>) -> Self {
        self.stdin = Stdin::Bytes(bytes.as_ref().to_owned());
        self
    }

    /// Makes a file standard input itself, as `< path` does; relative to the case's folder.
    pub fn stdin_file(mut self, path: impl AsRef<Path>) -> Self {
        self.stdin = Stdin::File(self.path(path));
        self
    }

    /// Puts a file into the case's folder, with the folders above it.
    pub fn file(self, name: impl AsRef<Path>, bytes: impl AsRef<[u8]>) -> Self {
        crate::write(self.path(name), bytes);
        self
    }

    /// Where `name` lies in the case's folder; for what [`Case::file`] cannot prepare.
    #[must_use]
    pub fn path(&self, name: impl AsRef<Path>) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Runs in another folder: an absolute one (such as the folder of an earlier [`Output`]), or one
    /// below the case's own.
    pub fn current_dir(mut self, path: impl AsRef<Path>) -> Self {
        self.current_dir = self.path(path);
        self
    }

    /// Standard output is `/dev/full`, where every write fails with ENOSPC.
    pub fn stdout_to_full_disk(mut self) -> Self {
        self.stdout_to = Stdout::FullDisk;
        self
    }

    /// Reads `count` bytes of standard output and closes it, as `head -c` does; with 0 it is closed
    /// before the program starts. Exactly so many bytes are expected unless [`Case::stdout`] says
    /// which. Linux takes up to 64 KiB into a pipe before a writer waits, so a program that prints
    /// less may never notice.
    pub fn stdout_closed_after(mut self, count: usize) -> Self {
        self.stdout_to = Stdout::ClosedAfter(count);
        if matches!(&self.want.stdout, Text::Exactly(bytes) if bytes.is_empty()) {
            self.want.stdout = Text::Long(count);
        }
        self
    }

    /// Starts with descriptor 2 closed, as `2>&-` does.
    pub fn stderr_closed(mut self) -> Self {
        self.stderr_closed = true;
        self
    }

    /// Kills the program and fails after `timeout` instead of 60 seconds.
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.timeout = timeout;
        self
    }

    /// Expects this exit status, 128+n after signal n.
    pub fn status(mut self, status: i32) -> Self {
        self.want.status = status;
        self
    }

    /// Expects exactly these bytes (or this text) on standard output.
    pub fn stdout(mut self, bytes: impl AsRef<[u8]>) -> Self {
        self.want.stdout = Text::Exactly(bytes.as_ref().to_owned());
        self
    }

    /// Expects `part` somewhere on standard output; may be said more than once.
    pub fn stdout_has(mut self, part: impl AsRef<[u8]>) -> Self {
        self.want.stdout.must_have(part.as_ref());
        self
    }

    /// Expects exactly these bytes (or this text) on standard error.
    pub fn stderr(mut self, bytes: impl AsRef<[u8]>) -> Self {
        self.want.stderr = Text::Exactly(bytes.as_ref().to_owned());
        self
    }

    /// Expects `part` somewhere on standard error; may be said more than once.
    pub fn stderr_has(mut self, part: impl AsRef<[u8]>) -> Self {
        self.want.stderr.must_have(part.as_ref());
        self
    }

    /// Runs the program to its end.
    ///
    /// # Panics
    /// When anything is not as expected, with all that differs.
    #[allow(clippy::must_use_candidate, reason = "most cases are over when nothing differs")]
    #[track_caller]
    pub fn run(self) -> Output {
        self.start().finish()
    }

    /// Starts the program and returns while it runs, for what follows, waits or is to be stopped.
    #[track_caller]
    pub fn start(self) -> Running {
        let mut command = Command::new(if self.stderr_closed { Path::new("sh") } else { &self.program });
        if self.stderr_closed {
            command.args(["-c", r#"exec "$0" "$@" 2>&-"#]).arg(&self.program);
        }
        clean_env(&mut command, self.folder.path(), &self.program);
        command.args(&self.args).envs(self.env).current_dir(&self.current_dir);
        let line = format!("{} {:?}", self.program.display(), self.args);
        let process = Process::start(command, self.stdin, self.stdout_to, self.timeout);
        Running { process, line, folder: self.folder, want: self.want }
    }
}

/// A program that was started and not yet judged.
///
/// Dropped without [`Running::finish`] it is killed, and nothing is asserted.
#[must_use = "finish() asserts what the case expects"]
pub struct Running {
    process: Process,
    line: String,
    folder: TempDir,
    want: Want,
}

impl Running {
    /// Waits until `part` was printed on standard output.
    ///
    /// # Panics
    /// When the program ends, or its time does, before that.
    #[track_caller]
    pub fn wait_for_stdout(&mut self, part: impl AsRef<[u8]>) {
        let seen = self.process.read_until(|process| contains(&process.stdout, part.as_ref()));
        assert!(seen, "never printed \"{}\"\n{}", part.as_ref().escape_ascii(), self.said());
    }

    /// Waits until `part` was printed on standard error.
    ///
    /// # Panics
    /// As [`Running::wait_for_stdout`].
    #[track_caller]
    pub fn wait_for_stderr(&mut self, part: impl AsRef<[u8]>) {
        let seen = self.process.read_until(|process| contains(&process.stderr, part.as_ref()));
        assert!(seen, "never said \"{}\"\n{}", part.as_ref().escape_ascii(), self.said());
    }

    /// Sends SIGINT, as Ctrl-C does.
    pub fn interrupt(&self) {
        self.process.signal(Signal::INT);
    }

    /// Sends SIGTERM, as systemd does.
    pub fn terminate(&self) {
        self.process.signal(Signal::TERM);
    }

    /// The same, and waits until the signal has been delivered: what happens afterwards happens to a
    /// process that knows of it. Not for a process that has blocked the signal.
    pub fn terminate_now(&self) {
        self.terminate();
        let path = format!("/proc/{}/status", self.id());
        let is_pending = || {
            let text = std::fs::read_to_string(&path).unwrap_or_default();
            // proc_pid_status(5): signals that wait for a thread of the process, and for all of it.
            let masks = text.lines().filter(|line| line.starts_with("SigPnd") || line.starts_with("ShdPnd"));
            masks.filter_map(|line| line.split_whitespace().nth(1)).any(|mask| mask.contains(|c| c != '0'))
        };
        while is_pending() {
            std::thread::sleep(std::time::Duration::from_millis(1));
        }
    }

    /// Sends SIGKILL: the status is then 137.
    pub fn kill(&self) {
        self.process.signal(Signal::KILL);
    }

    /// The process id.
    #[must_use]
    pub fn id(&self) -> u32 {
        self.process.id()
    }

    /// Where `name` lies in the case's folder.
    #[must_use]
    pub fn path(&self, name: impl AsRef<Path>) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Waits for the end and compares it with what the case expects.
    ///
    /// # Panics
    /// When anything is not as expected, with all that differs.
    #[allow(clippy::must_use_candidate, reason = "most cases are over when nothing differs")]
    #[track_caller]
    pub fn finish(mut self) -> Output {
        let status = match self.process.finish() {
            Ok(status) => status,
            Err(late) => panic!("{}\n  {late}\n{}", self.line, self.said()),
        };
        let mut wrong = String::new();
        if status != self.want.status {
            wrong = format!("  status: wanted {}, got {status}\n", self.want.status);
        }
        wrong += &self.want.stdout.difference("stdout", &self.process.stdout);
        wrong += &self.want.stderr.difference("stderr", &self.process.stderr);
        assert!(wrong.is_empty(), "{}\n{wrong}\n{}", self.line, self.said());
        let stdout = std::mem::take(&mut self.process.stdout);
        let stderr = std::mem::take(&mut self.process.stderr);
        Output { dir: self.folder, stdout, stderr, status }
    }

    fn said(&self) -> String {
        let lines = |bytes: &[u8]| diff(&[], &exact_lines(bytes));
        format!(
            "  all of stdout:\n{}  all of stderr:\n{}",
            lines(&self.process.stdout),
            lines(&self.process.stderr)
        )
    }
}

/// What a run left behind. Its folder lives as long as this value.
#[derive(Debug)]
pub struct Output {
    /// The folder the program ran in, with its files.
    pub dir: TempDir,
    /// What it printed.
    pub stdout: Vec<u8>,
    /// What it said.
    pub stderr: Vec<u8>,
    /// Its exit status, 128+n after signal n.
    pub status: i32,
}

impl Output {
    /// Where `name` lies in the case's folder.
    #[must_use]
    pub fn path(&self, name: impl AsRef<Path>) -> PathBuf {
        self.dir.path().join(name)
    }

    /// The bytes of a file in the case's folder.
    ///
    /// # Panics
    /// When it cannot be read.
    #[must_use]
    #[track_caller]
    pub fn read(&self, name: impl AsRef<Path>) -> Vec<u8> {
        let path = self.path(name);
        std::fs::read(&path).unwrap_or_else(|error| panic!("cannot read {}: {error}", path.display()))
    }
}

impl Text {
    fn must_have(&mut self, part: &[u8]) {
        match self {
            Self::Has(parts) => parts.push(part.to_owned()),
            Self::Exactly(_) | Self::Long(_) => *self = Self::Has(vec![part.to_owned()]),
        }
    }

    /// What is wrong with `got`; empty when nothing is.
    fn difference(&self, name: &str, got: &[u8]) -> String {
        match self {
            Self::Exactly(want) if want == got => String::new(),
            Self::Exactly(want) => format!("  {name}:\n{}", diff(&exact_lines(want), &exact_lines(got))),
            Self::Long(want) if *want == got.len() => String::new(),
            Self::Long(want) => format!("  {name}: wanted {want} bytes, got {}\n", got.len()),
            Self::Has(parts) => {
                let missing = parts.iter().filter(|part| !contains(got, part));
                let told = missing.map(|part| format!("  {name} has no \"{}\"\n", part.escape_ascii()));
                told.collect::<Vec<_>>().concat()
            }
        }
    }
}

fn contains(text: &[u8], part: &[u8]) -> bool {
    part.is_empty() || text.windows(part.len()).any(|window| window == part)
}
