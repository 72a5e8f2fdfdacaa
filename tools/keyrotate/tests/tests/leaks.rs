//! Where the secret must not be: in what is printed and said, on the error paths too, in the audit log,
//! in the command line and the environment of any process, and in a journal that has done with it.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;

use crate::rig::{OLD, Rig};

/// The command lines and environments of all processes, looked at as fast as it goes.
struct Watcher {
    ends: Arc<AtomicBool>,
    thread: JoinHandle<BTreeSet<Vec<u8>>>,
}

impl Watcher {
    fn begin() -> Self {
        let ends = Arc::new(AtomicBool::new(false));
        let end = Arc::clone(&ends);
        let thread = std::thread::spawn(move || {
            let mut seen = BTreeSet::new();
            while !end.load(Ordering::Relaxed) {
                for entry in fs::read_dir("/proc").unwrap().flatten() {
                    // Its own command line is the test's, and names nothing.
                    if entry.file_name().to_str().is_some_and(|name| name.parse::<u32>().is_ok()) {
                        seen.extend(fs::read(entry.path().join("cmdline")));
                        seen.extend(fs::read(entry.path().join("environ")));
                    }
                }
            }
            seen
        });
        Self { ends, thread }
    }

    fn end(self) -> Vec<u8> {
        self.ends.store(true, Ordering::Relaxed);
        self.thread.join().unwrap().into_iter().flatten().collect()
    }
}

/// The forms of `secret` that are looked for.
fn forms(secret: &str) -> Vec<String> {
    let hex = secret.bytes().fold(String::new(), |mut hex, byte| {
        write!(hex, "{byte:02x}").unwrap();
        hex
    });
    let base64 = |before: &str| {
        let mut child = Command::new("sh");
        let run = child
            .args(["-c", "printf %s \"$0\" | base64 -w0", &format!("{before}{secret}")])
            .output()
            .unwrap();
        let text = String::from_utf8(run.stdout).unwrap();
        text.trim_end_matches('=').get(6..text.len() - 6).unwrap().to_owned()
    };
    vec![secret.into(), hex.to_uppercase(), hex, base64(""), base64("x"), base64("xx")]
}

fn assert_none(place: &str, bytes: &[u8], secrets: &BTreeSet<String>) {
    let text = String::from_utf8_lossy(bytes);
    for form in secrets.iter().flat_map(|secret| forms(secret)) {
        assert!(!text.contains(&form), "{form} is in {place}: {text}");
    }
}

/// Runs it as often as it takes, as talkative as it can be; all that it said, printed and showed.
fn told(rig: &Rig, program: &Path, secrets: &mut BTreeSet<String>) -> Vec<u8> {
    let mut told = Vec::new();
    let spec = rig.path("spec.toml").display().to_string();
    let event = format!("cat >>{}", rig.path("events").display());
    for task in [
        vec!["-vvv", "run", &spec, "--on-event", &event],
        vec!["-vvv", "--log-format", "json", "run", &spec, "--json", "--on-event", &event],
        vec!["-vvv", "verify", &spec],
        vec!["status", "--json", &spec],
        vec!["log", &spec],
        vec!["-vvv", "--log-format", "long", "rollback", &spec, "--reason", "a test"],
        vec!["log", &spec, "--json"],
    ] {
        let watcher = Watcher::begin();
        let run = rig.run(program, &task);
        // What the test itself hands to base64 is seen after this.
        secrets.extend(rig.holds());
        told.extend(watcher.end());
        told.extend(run.stdout.into_iter().chain(run.stderr));
    }
    told.extend(fs::read(rig.path("state/rig/audit.jsonl")).unwrap());
    told.extend(fs::read(rig.path("events")).unwrap_or_default());
    told
}

#[test]
fn the_secret_is_nowhere_but_where_it_belongs() {
    let program = PathBuf::from(env!("CARGO_BIN_EXE_keyrotate"));
    let shout =
        "cat FOLDER/a.secret >&2; base64 FOLDER/a.secret >&2; od -An -tx1 FOLDER/a.secret | tr -d ' \\n' >&2";
    for (what, reload) in [
        ("a good rotation", "true".to_owned()),
        ("a consumer that shouts it and fails", format!("{shout}; exit 1")),
        ("one that shouts it and does not end", format!("{shout}; kill -9 $$")),
        ("one that shouts it first thing in base64", "base64 FOLDER/a.secret >&2; exit 3".to_owned()),
    ] {
        let rig = Rig::file();
        rig.with_reload("a", &reload);
        let mut secrets = BTreeSet::from([OLD.to_owned()]);
        let told = told(&rig, &program, &mut secrets);
        assert!(secrets.len() > 1, "{what}: it made no secret");
        assert_none(what, &told, &secrets);
    }
}
