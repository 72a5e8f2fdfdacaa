//! A rotation in a temporary folder: a target, consumers in three formats, and an outside prober that
//! logs in every 10 ms with what each consumer holds.

use std::fmt::Write as _;
use std::fs;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::sync::atomic::{AtomicBool, AtomicU32, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;
use std::time::Duration;

use serde_json::Value;
use testkit::redis::Redis;

/// What the consumers hold at first.
pub(crate) const OLD: &str = "old-secret-4711-of-everybody";

/// Somebody else's, accepted by the same target.
pub(crate) const FOREIGN: &str = "foreign-secret-0815";

/// The target.
#[derive(Clone)]
pub(crate) enum Target {
    /// Lines of a file.
    File,
    /// A user of this server.
    Redis(Arc<Redis>, String),
}

/// A rotation that is ready to run.
pub(crate) struct Rig {
    pub(crate) folder: tempfile::TempDir,
    target: Target,
}

static USERS: AtomicU32 = AtomicU32::new(0);

/// Gates that nobody waits at, and only one thread: a sweep counts system calls by threads.
const OPEN: &str = "timeout = \"20s\"\njobs = 1\n[gates]\nchecks = 2\ntries = 3\nwindow = \"0s\"\nsoak = \"0s\"\nwatch = \"0s\"\n";

impl Rig {
    /// With a target that is a file of accepted secrets.
    pub(crate) fn file() -> Self {
        Self::new(Target::File, "")
    }

    /// With a user of its own on `server`.
    pub(crate) fn redis(server: &Arc<Redis>) -> Self {
        let user = format!("svc{}", USERS.fetch_add(1, Ordering::Relaxed));
        let words =
            ["ACL", "SETUSER", &user, "on", "~*", "+@all", &format!(">{OLD}"), &format!(">{FOREIGN}")];
        server.ask(&words);
        server.ask(&["ACL", "SAVE"]);
        Self::new(Target::Redis(Arc::clone(server), user), "")
    }

    /// As [`Rig::file`], with a last consumer that works with no key but the old one.
    pub(crate) fn with_a_broken_consumer() -> Self {
        Self::new(Target::File, "c")
    }

    fn new(target: Target, broken: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let rig = Self { folder, target };
        rig.keep("a.secret", &format!("{OLD}\n"));
        rig.keep("b.json", &format!("{{\"db\": {{\"password\": \"{OLD}\"}}, \"n\": 1}}\n"));
        rig.keep("c.env", &format!("# the service\nPASSWORD={OLD}\nN=1\n"));
        rig.keep("tokens", &format!("{OLD}\n{FOREIGN}\n"));
        let provider = match &rig.target {
            Target::File => format!("kind = \"file\"\npath = \"{}\"\n", rig.path("tokens").display()),
            Target::Redis(server, user) => {
                format!("kind = \"redis-acl\"\naddress = [\"{}\"]\nuser = \"{user}\"\n", server.address())
            }
        };
        let mut spec = format!("name = \"rig\"\n{OPEN}[provider]\n{provider}");
        for (name, kind, more) in [
            ("a", "file", "path = \"FOLDER/a.secret\"\n"),
            ("b", "json", "path = \"FOLDER/b.json\"\nset = { \"/db/password\" = \"{secret}\" }\n"),
            ("c", "env", "path = \"FOLDER/c.env\"\nset = { PASSWORD = \"{secret}\" }\n"),
        ] {
            let attest = if name == broken {
                format!(
                    "attest = [\"sh\", \"-c\", \"grep -q '^PASSWORD={OLD}$' FOLDER/c.env && printf %s {OLD} | sha256sum\"]"
                )
            } else {
                "attest = \"file\"".to_owned()
            };
            writeln!(spec, "[[consumers]]\nname = \"{name}\"\nkind = \"{kind}\"\n{more}{attest}").unwrap();
        }
        testkit::write(
            rig.path("spec.toml"),
            spec.replace("FOLDER", &rig.folder.path().display().to_string()),
        );
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
        let accepted = self.accepted();
        if holds.iter().any(|one| *one != holds[0]) {
            wrong.push(format!("they hold {holds:?}"));
        }
        let mut ours = accepted.clone();
        ours.retain(|one| !is_of(FOREIGN, one));
        if accepted.len() != 2 || ours.len() != 1 || !is_of(&holds[0], &ours[0]) {
            wrong.push(format!("{accepted:?} are accepted, and {holds:?} held"));
        }
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
        if names != ["a.secret", "b.json", "c.env", "spec.toml", "state", "tokens"] {
            wrong.push(format!("there are {names:?}"));
        }
        let journal = fs::read_to_string(self.path("state/rig/journal")).unwrap_or_default();
        if journal.contains(&holds[0]) || journal.contains(OLD) {
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
        let read = |name: &str| fs::read_to_string(self.path(name)).unwrap();
        let a = read("a.secret").trim_end().to_owned();
        let b: Value = serde_json::from_str(&read("b.json")).unwrap();
        let c = read("c.env");
        let c = c.lines().find_map(|line| line.strip_prefix("PASSWORD=")).unwrap().to_owned();
        vec![a, b["db"]["password"].as_str().unwrap().to_owned(), c]
    }

    /// What the target accepts: secrets, or the digests of secrets.
    fn accepted(&self) -> Vec<String> {
        match &self.target {
            Target::File => {
                fs::read_to_string(self.path("tokens")).unwrap().lines().map(str::to_owned).collect()
            }
            Target::Redis(server, user) => {
                let told = server.ask(&["ACL", "GETUSER", user]);
                let is_digest =
                    |word: &&str| word.len() == 64 && word.bytes().all(|byte| byte.is_ascii_hexdigit());
                told.split_ascii_whitespace().filter(is_digest).map(str::to_owned).collect()
            }
        }
    }

    /// Begins to log in with what each consumer holds, every 10 ms.
    pub(crate) fn prober(&self) -> Prober {
        let (ends, tries, failures) = (Arc::new(AtomicBool::new(false)), Arc::default(), Arc::default());
        let looker = Self { folder: tempfile::tempdir().unwrap(), target: self.target.clone() };
        let path = self.folder.path().to_owned();
        let (end, count, failed) = (Arc::clone(&ends), Arc::clone(&tries), Arc::clone(&failures));
        let thread = std::thread::spawn(move || {
            while !end.load(Ordering::Relaxed) {
                looker.probe(&path, &failed);
                let _: usize = AtomicUsize::fetch_add(&count, 1, Ordering::Relaxed);
                std::thread::sleep(Duration::from_millis(10));
            }
        });
        Prober { ends, tries, failures, thread: Some(thread) }
    }

    fn probe(&self, path: &Path, failed: &Mutex<Vec<String>>) {
        let held = || Self::held_in(path);
        for (at, secret) in held().into_iter().enumerate() {
            // A service that is refused looks again: it may have been given another one just now.
            if !self.logs_in(path, &secret) && held()[at] == secret && !self.logs_in(path, &secret) {
                failed.lock().unwrap().push(format!("consumer {at} with {secret}"));
            }
        }
    }

    fn held_in(path: &Path) -> Vec<String> {
        let read = |name: &str| fs::read_to_string(path.join(name)).unwrap();
        let a = read("a.secret").trim_end().to_owned();
        let b: Value = serde_json::from_str(&read("b.json")).unwrap();
        let c =
            read("c.env").lines().find_map(|line| line.strip_prefix("PASSWORD=").map(str::to_owned)).unwrap();
        vec![a, b["db"]["password"].as_str().unwrap().to_owned(), c]
    }

    fn logs_in(&self, path: &Path, secret: &str) -> bool {
        match &self.target {
            Target::File => {
                fs::read_to_string(path.join("tokens")).unwrap().lines().any(|line| line == secret)
            }
            Target::Redis(server, user) => {
                // A session may be ended with those of the old key while it begins; a client begins another.
                let answer = (0..3).find_map(|_| greeted(&server.address(), user, secret).ok());
                answer == Some(*b"+OK")
            }
        }
    }
}

/// What Redis answers first to a log-in.
fn greeted(address: &str, user: &str, secret: &str) -> std::io::Result<[u8; 3]> {
    let mut stream = TcpStream::connect(address)?;
    stream.write_all(format!("AUTH {user} {secret}\r\n").as_bytes())?;
    let mut answer = [0; 3];
    stream.read_exact(&mut answer).map(|()| answer)
}

/// Whether `listed` is `secret` or its digest.
fn is_of(secret: &str, listed: &str) -> bool {
    use sha2::{Digest, Sha256};

    let digest = Sha256::digest(secret).iter().fold(String::new(), |mut digits, byte| {
        write!(digits, "{byte:02x}").unwrap();
        digits
    });
    listed == secret || listed == digest
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
