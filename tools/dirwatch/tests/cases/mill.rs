//! A folder into which files come, the watcher of it, and the notes of the command that is run for each.
//!
//! `SRE_FILES` is how many files come, 2,000 unless set and 100 at least. The command is `bench/note_file.c`,
//! compiled once: cargo has a C compiler at hand, as `SQLite` is one of the sources.

use std::fs::{self, File};
use std::io::Read;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::OnceLock;
use std::thread::sleep;
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};
use tempfile::TempDir;
use testkit::arrivals::{Arrival, Mode, Plan};
use testkit::notes::{self, Note, Verdict};

/// How long nothing may happen before a test gives up: far more than any step needs.
const PATIENCE: Duration = Duration::from_secs(60);

/// Serial numbers of files that show that the watcher watches.
const PROBES: u64 = 1_000_000_000;

/// How many files come.
pub(crate) fn files() -> u64 {
    number("SRE_FILES", 2000).max(100)
}

/// A number from the environment.
pub(crate) fn number(name: &str, otherwise: u64) -> u64 {
    match std::env::var(name) {
        Ok(text) => text.parse().unwrap_or_else(|_| panic!("{name}={text} is no number")),
        Err(_) => otherwise,
    }
}

/// A watched folder. Dropped, it kills its watcher.
pub(crate) struct Mill {
    top: TempDir,
    watcher: Option<Child>,
    probes: Vec<Arrival>,
    tail: Tail,
}

impl Mill {
    pub(crate) fn new() -> Self {
        let top = tempfile::tempdir().unwrap();
        fs::create_dir(top.path().join("in")).unwrap();
        let notes = top.path().join("notes");
        let file = File::options().read(true).append(true).create_new(true).open(notes).unwrap();
        Self { top, watcher: None, probes: Vec::new(), tail: Tail { file, lines: 0 } }
    }

    /// Where files come, without a link in the path, as the notes have it.
    pub(crate) fn folder(&self) -> PathBuf {
        self.top.path().canonicalize().unwrap().join("in")
    }

    /// Starts a watcher, which may not be ready when this returns.
    pub(crate) fn start(&mut self, flags: &[&str]) {
        assert!(self.watcher.is_none(), "one watches already");
        self.watcher = Some(self.command(flags).spawn().unwrap());
    }

    fn command(&self, flags: &[&str]) -> Command {
        let errors = File::options().append(true).create(true).open(self.top.path().join("errors")).unwrap();
        let mut command = Command::new(env!("CARGO_BIN_EXE_dirwatch"));
        // The look at everything that comes anyway would find what was lost.
        command
            .args(flags)
            .arg("--rescan=1h")
            .arg("--state")
            .arg(self.top.path().join("state"))
            .arg(self.folder());
        command.arg("--").arg(note_file()).arg(self.top.path().join("notes")).arg("{}");
        command.env_remove("RUST_LOG").env("HOME", self.top.path());
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(errors);
        command
    }

    /// Starts a watcher, and waits until it was seen to take a file.
    pub(crate) fn watch(&mut self, flags: &[&str]) {
        self.start(flags);
        let first = PROBES + self.probes.len() as u64;
        let mut probes = Vec::new();
        let plan = Plan { first, ..Plan::new(Mode::Burst, self.folder(), 1) };
        plan.make(|arrival| probes.push(arrival.clone())).unwrap();
        self.probes.append(&mut probes);
        self.wait_for(self.tail.lines + 1);
    }

    /// Waits until so many commands have noted something.
    pub(crate) fn wait_for(&mut self, lines: u64) {
        let mut since = Instant::now();
        while self.tail.lines < lines {
            self.must_watch();
            if self.tail.grew() {
                since = Instant::now();
            }
            let said = self.said();
            assert!(since.elapsed() < PATIENCE, "{} of {lines} notes, and no more\n{said}", self.tail.lines);
            sleep(Duration::from_millis(1));
        }
    }

    /// How many commands have noted something.
    pub(crate) fn noted(&mut self) -> u64 {
        self.tail.grew();
        self.tail.lines
    }

    fn must_watch(&mut self) {
        let ended = self.watcher.as_mut().unwrap().try_wait().unwrap();
        assert!(ended.is_none(), "it ended with {ended:?}\n{}", self.said());
    }

    /// Sends the watcher a signal.
    pub(crate) fn signal(&self, signal: Signal) {
        kill_process(Pid::from_child(self.watcher.as_ref().unwrap()), signal).unwrap();
    }

    /// Stops the watcher in its tracks, and waits until it stands.
    pub(crate) fn freeze(&self) {
        self.signal(Signal::STOP);
        let tasks = format!("/proc/{}/task", self.watcher.as_ref().unwrap().id());
        let stands = || {
            let states = fs::read_dir(&tasks).unwrap().map(|task| task.unwrap().path().join("status"));
            states.filter_map(|path| fs::read_to_string(path).ok()).all(|text| text.contains("\nState:\tT"))
        };
        let since = Instant::now();
        while !stands() {
            assert!(since.elapsed() < PATIENCE, "it does not stop");
            sleep(Duration::from_millis(1));
        }
    }

    /// Kills the watcher with SIGKILL.
    pub(crate) fn kill(&mut self) {
        self.must_watch();
        let mut watcher = self.watcher.take().unwrap();
        watcher.kill().unwrap();
        watcher.wait().unwrap();
    }

    /// Waits until every arrival was noted or nothing moves any more, ends the watcher, and judges.
    ///
    /// After that a run with `--once` must find nothing to do: what was taken is known, all of it.
    pub(crate) fn finish(mut self, flags: &[&str], arrivals: &[Arrival]) -> (Verdict, Vec<Note>) {
        let all: Vec<Arrival> = self.probes.iter().chain(arrivals).cloned().collect();
        let mut since = Instant::now();
        loop {
            self.must_watch();
            let grew = self.tail.grew();
            let may_be_all = self.tail.lines >= all.len() as u64;
            if may_be_all && notes::judge(&all, &self.notes()).lost.is_empty() || since.elapsed() > PATIENCE {
                break;
            }
            if grew {
                since = Instant::now();
            }
            sleep(Duration::from_millis(20));
        }
        self.signal(Signal::TERM);
        self.must_end("SIGTERM");
        let notes = self.notes();
        self.start(&[flags, &["--once"]].concat());
        self.must_end("--once");
        let verdict = notes::judge(&all, &notes);
        let more = self.notes().len() - notes.len();
        assert!(more == 0, "--once ran {more} commands after {}\n{}", verdict.told(), self.said());
        (verdict, notes)
    }

    fn must_end(&mut self, why: &str) {
        let since = Instant::now();
        let ended = loop {
            let ended = self.watcher.as_mut().unwrap().try_wait().unwrap();
            if ended.is_some() || since.elapsed() > PATIENCE {
                break ended;
            }
            sleep(Duration::from_millis(1));
        };
        assert!(
            ended.is_some_and(|status| status.success()),
            "{why} ended it with {ended:?}\n{}",
            self.said()
        );
        self.watcher = None;
    }

    /// As [`Mill::finish`], and everything must have been taken once and whole.
    pub(crate) fn must_be_clean(self, flags: &[&str], arrivals: &[Arrival]) {
        let errors = self.top.path().join("errors");
        let said = move || fs::read_to_string(errors).unwrap_or_default();
        let (verdict, _) = self.finish(flags, arrivals);
        assert!(verdict.is_clean(), "{}\n{}", verdict.told(), said());
    }

    pub(crate) fn notes(&self) -> Vec<Note> {
        notes::read(&self.top.path().join("notes")).unwrap()
    }

    /// What the watchers said.
    pub(crate) fn said(&self) -> String {
        let text = fs::read(self.top.path().join("errors")).unwrap_or_default();
        let last = text.len().saturating_sub(4000);
        String::from_utf8_lossy(&text[last..]).into_owned()
    }
}

impl Drop for Mill {
    fn drop(&mut self) {
        if let Some(mut watcher) = self.watcher.take() {
            let _already_gone = watcher.kill();
            let _nothing_to_do = watcher.wait();
        }
    }
}

/// Counts lines of a file that grows.
struct Tail {
    file: File,
    lines: u64,
}

impl Tail {
    /// Reads on; whether there was something.
    fn grew(&mut self) -> bool {
        let mut bytes = Vec::new();
        self.file.read_to_end(&mut bytes).unwrap();
        self.lines += bytes.split(|&byte| byte == b'\n').skip(1).count() as u64;
        !bytes.is_empty()
    }
}

/// The command. Without the loader where the C library has what that takes: it starts in half the time.
pub(crate) fn note_file() -> &'static Path {
    static BUILT: OnceLock<PathBuf> = OnceLock::new();
    BUILT.get_or_init(|| {
        let source = concat!(env!("CARGO_MANIFEST_DIR"), "/bench/note_file.c");
        let built = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("note_file-{}", std::process::id()));
        let compile = |flags: &[&str]| {
            let mut cc = Command::new("cc");
            cc.args(["-O2", "-o"])
                .arg(&built)
                .arg(source)
                .args(flags)
                .output()
                .is_ok_and(|run| run.status.success())
        };
        assert!(compile(&["-static"]) || compile(&[]), "cc cannot compile {source}");
        // The same path for every run, put in place whole: another test process may be at it too.
        let path = built.with_file_name("note_file");
        fs::rename(&built, &path).unwrap();
        path
    })
}
