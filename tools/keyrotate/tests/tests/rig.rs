//! A rotation in a temporary folder: a target, consumers in three formats, and an outside prober that
//! logs in every 10 ms with what each consumer holds.

use std::fmt::Write as _;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;
use std::time::Duration;

use serde_json::Value;

use crate::targets::{File, Target, digest};

/// What the consumers hold at first, where the target is no server.
pub(crate) const OLD: &str = "old-secret-4711-of-everybody";

/// Somebody else's, accepted by the same target.
pub(crate) const FOREIGN: &str = "foreign-secret-0815";

/// A rotation that is ready to run.
pub(crate) struct Rig {
    pub(crate) folder: tempfile::TempDir,
    target: Arc<dyn Target>,
}

/// Gates that nobody waits at, and only one thread: a sweep counts system calls by threads.
const OPEN: &str = "timeout = \"20s\"\njobs = 1\n[gates]\nchecks = 2\ntries = 3\nwindow = \"0s\"\nsoak = \"0s\"\nwatch = \"0s\"\n";

impl Rig {
    /// With a target that is a file of accepted secrets.
    pub(crate) fn file() -> Self {
        Self::new(File)
    }

    /// As [`Rig::file`], with a last consumer that works with no key but the old one.
    pub(crate) fn with_a_broken_consumer() -> Self {
        let rig = Self::new(File);
        // Others look for the secret in the command lines of all processes.
        let works = format!("grep -q '^PASSWORD=old-' FOLDER/c.env && echo {}", digest(OLD));
        rig.with_attest("c", &works);
        rig
    }

    /// With this target.
    pub(crate) fn new(target: impl Target + 'static) -> Self {
        let rig = Self { folder: tempfile::tempdir().unwrap(), target: Arc::new(target) };
        let (form, first) = (rig.target.form(), rig.target.first());
        rig.keep("a.secret", &format!("{first}\n"));
        rig.keep("b.json", &format!("{{\"db\": {{\"password\": \"{first}\"}}, \"n\": 1}}\n"));
        rig.keep("c.env", &format!("# the service\nPASSWORD={first}\nN=1\n"));
        for (name, content) in rig.target.keeps() {
            rig.keep(name, &content);
        }
        let mut spec = format!("name = \"rig\"\n{OPEN}[provider]\n{}", rig.target.provider());
        for (name, kind, more) in [
            ("a", "file", format!("path = \"FOLDER/a.secret\"\ntemplate = \"{form}\\n\"")),
            ("b", "json", format!("path = \"FOLDER/b.json\"\nset = {{ \"/db/password\" = \"{form}\" }}")),
            ("c", "env", format!("path = \"FOLDER/c.env\"\nset = {{ PASSWORD = \"{form}\" }}")),
        ] {
            let lines = format!("name = \"{name}\"\nkind = \"{kind}\"\n{more}\nattest = \"file\"");
            writeln!(spec, "[[consumers]]\n{lines}").unwrap();
        }
        let here = rig.folder.path().display().to_string();
        testkit::write(rig.path("spec.toml"), spec.replace("FOLDER", &here));
        rig
    }

    /// Has the consumer `name` take up its key by this command of the shell.
    pub(crate) fn with_reload(&self, name: &str, command: &str) {
        let spec = fs::read_to_string(self.path("spec.toml")).unwrap();
        let command = command.replace("FOLDER", &self.folder.path().display().to_string());
        let line = format!("name = \"{name}\"\n");
        let more = format!("{line}reload = '''{command}'''\n");
        testkit::write(self.path("spec.toml"), spec.replace(&line, &more));
    }

    /// Makes a file that holds a secret.
    pub(crate) fn keep(&self, name: &str, content: &str) {
        testkit::write(self.path(name), content);
        fs::set_permissions(self.path(name), fs::Permissions::from_mode(0o600)).unwrap();
    }

    /// Has the consumer `name` say which key it uses by this command of the shell.
    pub(crate) fn with_attest(&self, name: &str, command: &str) {
        let spec = fs::read_to_string(self.path("spec.toml")).unwrap();
        let command = command.replace("FOLDER", &self.folder.path().display().to_string());
        let (before, after) = spec.split_once(&format!("name = \"{name}\"\n")).unwrap();
        let after = after.replacen("attest = \"file\"", &format!("attest = '''{command}'''"), 1);
        testkit::write(self.path("spec.toml"), format!("{before}name = \"{name}\"\n{after}"));
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// The arguments that run it.
    pub(crate) fn args(&self) -> Vec<String> {
        let (state, spec) =
            (self.path("state").display().to_string(), self.path("spec.toml").display().to_string());
        vec!["--state".into(), state, "run".into(), spec]
    }

    /// A run that nothing happens to.
    pub(crate) fn run(&self, program: &Path, task: &[&str]) -> Output {
        let mut command = Command::new(program);
        command.arg("--state").arg(self.path("state")).args(task).output().unwrap()
    }

    /// Runs it until it is over, and says what is wrong with the end.
    pub(crate) fn converges(&self, program: &Path) -> Vec<String> {
        let spec = self.path("spec.toml").display().to_string();
        let mut said = Vec::new();
        for _ in 0..4 {
            let run = self.run(program, &["run", &spec]);
            said.push(format!("{:?} {}", run.status.code(), String::from_utf8_lossy(&run.stderr).trim()));
            let status = self.run(program, &["status", "--json", &spec]);
            let status: Value = serde_json::from_slice(&status.stdout).unwrap_or_default();
            if run.status.code().is_some_and(|code| code == 0 || code == 10) && status["phase"].is_null() {
                break;
            }
        }
        self.wrong(program).into_iter().map(|wrong| format!("{wrong} after {said:?}")).collect()
    }

    /// What is wrong with a rotation that is over.
    fn wrong(&self, program: &Path) -> Vec<String> {
        let mut wrong = Vec::new();
        let holds = self.holds();
        if holds.iter().any(|one| *one != holds[0]) {
            wrong.push(format!("they hold {holds:?}"));
        }
        wrong.extend(self.target.wrong(self.folder.path(), &holds[0]));
        let b = fs::read_to_string(self.path("b.json")).unwrap();
        let c = fs::read_to_string(self.path("c.env")).unwrap();
        if b != format!("{{\"db\": {{\"password\": \"{}\"}}, \"n\": 1}}\n", holds[0]) {
            wrong.push(format!("b.json is {b}"));
        }
        if c != format!("# the service\nPASSWORD={}\nN=1\n", holds[0]) {
            wrong.push(format!("c.env is {c}"));
        }
        let mut names: Vec<String> = fs::read_dir(self.folder.path())
            .unwrap()
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect();
        names.sort();
        let mut known = vec!["a.secret", "b.json", "c.env", "spec.toml", "state"];
        known.extend(self.target.keeps().into_iter().map(|(name, _)| name));
        known.sort_unstable();
        if names != known {
            wrong.push(format!("there are {names:?}"));
        }
        let journal = fs::read_to_string(self.path("state/rig/journal")).unwrap_or_default();
        let secret = holds[0].rsplit(':').next().unwrap();
        let first = self.target.first();
        if journal.contains(secret) || journal.contains(first.rsplit(':').next().unwrap()) {
            wrong.push("the journal still holds a secret".into());
        }
        let spec = self.path("spec.toml").display().to_string();
        let check = self.run(program, &["log", &spec, "--check"]);
        if check.status.code() != Some(0) {
            wrong.push(format!("the audit log: {}", String::from_utf8_lossy(&check.stderr)));
        }
        wrong
    }

    /// What the consumers hold.
    pub(crate) fn holds(&self) -> Vec<String> {
        held_in(self.folder.path())
    }

    /// Begins to log in with what each consumer holds, every 10 ms.
    pub(crate) fn prober(&self) -> Prober {
        let (ends, tries, failures) = (Arc::new(AtomicBool::new(false)), Arc::default(), Arc::default());
        let (target, path) = (Arc::clone(&self.target), self.folder.path().to_owned());
        let (end, count, failed) = (Arc::clone(&ends), Arc::clone(&tries), Arc::clone(&failures));
        let thread = std::thread::spawn(move || {
            while !end.load(Ordering::Relaxed) {
                probe(target.as_ref(), &path, &failed);
                let _: usize = AtomicUsize::fetch_add(&count, 1, Ordering::Relaxed);
                std::thread::sleep(Duration::from_millis(10));
            }
        });
        Prober { ends, tries, failures, thread: Some(thread) }
    }
}

fn probe(target: &dyn Target, path: &Path, failed: &Mutex<Vec<String>>) {
    for (at, held) in held_in(path).into_iter().enumerate() {
        // A service that is refused looks again: it may have been given another one just now.
        let is_same = || held_in(path)[at] == held;
        if !target.logs_in(path, &held) && is_same() && !target.logs_in(path, &held) {
            failed.lock().unwrap().push(format!("consumer {at} with {held}"));
        }
    }
}

fn held_in(path: &Path) -> Vec<String> {
    let read = |name: &str| fs::read_to_string(path.join(name)).unwrap();
    let a = read("a.secret").trim_end().to_owned();
    let b: Value = serde_json::from_str(&read("b.json")).unwrap();
    let c = read("c.env");
    let c = c.lines().find_map(|line| line.strip_prefix("PASSWORD=")).unwrap().to_owned();
    vec![a, b["db"]["password"].as_str().unwrap().to_owned(), c]
}

/// Somebody who logs in with what the consumers hold.
pub(crate) struct Prober {
    ends: Arc<AtomicBool>,
    tries: Arc<AtomicUsize>,
    failures: Arc<Mutex<Vec<String>>>,
    thread: Option<JoinHandle<()>>,
}

impl Prober {
    /// Who was refused; that anybody was tried at all is asserted.
    pub(crate) fn end(mut self) -> Vec<String> {
        self.ends.store(true, Ordering::Relaxed);
        self.thread.take().unwrap().join().unwrap();
        assert!(self.tries.load(Ordering::Relaxed) > 0);
        let failures = self.failures.lock().unwrap().clone();
        failures.into_iter().map(|who| format!("refused: {who}")).collect()
    }
}
