//! The lock, between real processes: counting, waiting, and what others do meanwhile.
//!
//! `SRE_CONTENTION` is how often each of eight processes counts, 10 unless set and 1 at least.

use std::fs;
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, Output, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use serde_json::Value;
use testkit::Case;
use testkit::strace::{Fate, Fault, Killer, Point};

const TOOL: &str = env!("CARGO_BIN_EXE_jsonset");
const PROCESSES: usize = 8;
const COUNTER: &str = "{\n  \"name\": \"shop\",\n  \"n\": 0\n}\n";

fn turns() -> usize {
    std::env::var("SRE_CONTENTION").ok().and_then(|text| text.parse().ok()).unwrap_or(10).max(1)
}

/// A way to add one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum By {
    Replacing,
    InPlace,
    /// With a pause right before the rename.
    Slowly,
    /// Under a lock file of its own.
    Beside,
    /// A shell that edits in place under `flock LOCK`.
    FlockBeside,
    /// A shell that edits in place under `flock FILE`, and looks whether that is still the file.
    Flock,
}

/// Edits in place, as who knows no better way, and fails where it cannot read a number.
const EDIT: &str = r#"n=$(grep -o '[0-9][0-9]*' c.json) && printf '{\n  "name": "shop",\n  "n": %d\n}\n' $((n + 1)) >c.json"#;

impl By {
    fn add_one(self, folder: &Path) {
        let run = |program: &str, args: &[&str]| {
            let run = Command::new(program).args(args).current_dir(folder).output().unwrap();
            assert!(run.status.success(), "{self:?}: {run:?}");
        };
        let tool = |args: &[&str]| {
            run(TOOL, &[&["c.json", "--increment", "n", "--lock-timeout=60s"], args].concat());
        };
        match self {
            Self::Replacing => tool(&[]),
            Self::InPlace => tool(&["--in-place"]),
            Self::Beside => tool(&["--lock-file=lock"]),
            Self::FlockBeside => run("flock", &["lock", "sh", "-c", EDIT]),
            Self::Flock => {
                let compare = "flock 9 && if [ c.json -ef /proc/self/fd/9 ]; then";
                run(
                    "sh",
                    &["-c", &format!("until ( {compare} {EDIT}; else false; fi ) 9<c.json; do :; done")],
                );
            }
            Self::Slowly => {
                let killer = Killer::new(TOOL).args(["c.json", "--increment", "n", "--lock-timeout=60s"]);
                let every = Point { syscall: "rename", nth: 0 };
                let struck = killer.current_dir(folder).strike(every, Fault::Delay(Duration::from_millis(3)));
                let said = String::from_utf8_lossy(&struck.stderr);
                assert!(struck.hit && struck.fate == Fate::Finished(0), "{struck:?} {said}");
            }
        }
    }
}

/// Lets eight processes at a time count, each in turn in one of these ways, and one read meanwhile.
fn count(ways: &[By]) {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("c.json");
    testkit::write(&file, COUNTER);
    testkit::write(folder.path().join("lock"), "");
    let over = AtomicBool::new(false);
    // Who edits in place under flock(1) shows everybody an empty file for a moment.
    let torn_by_others = ways.iter().any(|way| matches!(way, By::Flock | By::FlockBeside));
    // And who writes in place, to those who do not ask for the journal.
    let plain = !ways.contains(&By::InPlace);
    thread::scope(|scope| {
        if !torn_by_others {
            scope.spawn(|| read_until(&over, &file, plain));
        }
        let counters: Vec<_> = (0..PROCESSES)
            .map(|number| {
                let folder = folder.path();
                scope.spawn(move || {
                    (0..turns()).for_each(|turn| ways[(number + turn) % ways.len()].add_one(folder));
                })
            })
            .collect();
        let failed = counters.into_iter().map(thread::ScopedJoinHandle::join).filter(Result::is_err).count();
        over.store(true, Ordering::Relaxed);
        assert_eq!(failed, 0);
    });
    let want = COUNTER.replace('0', &(PROCESSES * turns()).to_string());
    assert_eq!(fs::read_to_string(&file).unwrap(), want, "{ways:?}");
    let names = fs::read_dir(folder.path()).unwrap().count();
    assert_eq!(names, 2, "litter");
}

/// Reads on and on: the file is always whole, and the number never becomes smaller.
fn read_until(over: &AtomicBool, file: &Path, plain: bool) {
    let mut last = 0;
    while !over.load(Ordering::Relaxed) {
        let bytes = if plain {
            fs::read(file).unwrap()
        } else {
            let run = Command::new(TOOL).arg(file).args(["--get", "."]).output().unwrap();
            assert!(run.status.success(), "{run:?}");
            run.stdout
        };
        let found: Value = serde_json::from_slice(&bytes).unwrap();
        let now = found["n"].as_u64().unwrap();
        assert!(now >= last, "{now} after {last}");
        last = now;
    }
}

#[test]
fn eight_processes_count_exactly() {
    count(&[By::Replacing]);
}

#[test]
fn eight_processes_count_exactly_in_place() {
    count(&[By::InPlace]);
}

#[test]
fn eight_processes_count_exactly_some_in_place() {
    count(&[By::Replacing, By::InPlace, By::Replacing]);
}

#[test]
fn eight_processes_count_exactly_when_the_rename_is_slow() {
    if testkit::strace::works() {
        count(&[By::Slowly, By::Replacing, By::InPlace]);
    }
}

#[test]
fn eight_processes_count_exactly_beside_users_of_flock() {
    if testkit::has("flock") {
        count(&[By::Beside, By::FlockBeside]);
        count(&[By::Replacing, By::Flock, By::InPlace]);
    }
}

#[test]
fn nobody_starves_among_sixty_four() {
    let folder = tempfile::tempdir().unwrap();
    testkit::write(folder.path().join("c.json"), COUNTER);
    let begun = Instant::now();
    let one = || {
        let run = Command::new(TOOL).args(["c.json", "--increment", "n"]).current_dir(folder.path()).output();
        (run.unwrap(), begun.elapsed())
    };
    let runs: Vec<(Output, Duration)> = thread::scope(|scope| {
        let threads: Vec<_> = (0..64).map(|_| scope.spawn(one)).collect();
        threads.into_iter().map(|thread| thread.join().unwrap()).collect()
    });
    assert!(runs.iter().all(|(run, _)| run.status.success()), "{runs:?}");
    println!("the last of 64 was done after {:?}", runs.iter().map(|(_, done)| *done).max().unwrap());
    assert_eq!(fs::read_to_string(folder.path().join("c.json")).unwrap(), COUNTER.replace('0', "64"));
}

/// Holds the lock on `path` until it is killed.
fn hold(path: &Path) -> Child {
    let mut command = Command::new("flock");
    command.arg("--no-fork").arg(path).args(["sh", "-c", "echo held; exec sleep 600"]);
    let mut holder = command.stdout(Stdio::piped()).spawn().unwrap();
    let mut line = String::new();
    BufReader::new(holder.stdout.as_mut().unwrap()).read_line(&mut line).unwrap();
    assert_eq!(line, "held\n");
    holder
}

#[test]
fn who_holds_the_lock_is_named() {
    if !testkit::has("flock") {
        return;
    }
    for (locked, flags) in [("c.json", &[][..]), ("lock", &["--lock-file", "lock"])] {
        let case =
            Case::new(TOOL).file("c.json", COUNTER).file("lock", "").args(["c.json", "n=1"]).args(flags);
        let mut holder = hold(&case.path(locked));
        let said =
            format!("{locked} is locked by another process (waited 20ms); held by pid {} (`", holder.id());
        let run = case.args(["--lock-timeout", "20ms"]).status(75).stderr_has(said).run();
        assert_eq!(run.read("c.json"), COUNTER.as_bytes());
        let again = || Case::new(TOOL).current_dir(run.dir.path()).args(["c.json"]);
        let at_once = || again().args(["n=1", "--lock-timeout=0s"]).args(flags);
        at_once().status(75).stderr_has("held by pid").run();
        again().args(["--get", "n"]).stdout("0\n").run();
        holder.kill().unwrap();
        holder.wait().unwrap();
        at_once().run();
    }
}

/// Starts a daemon that outlives its parent, and says its pid.
const DAEMON: &str = "setsid sleep 600 </dev/null >/dev/null 2>&1 & echo $! >pid";

fn kill_daemon(folder: &Path) {
    let pid = fs::read_to_string(folder.join("pid")).unwrap();
    let killed = Command::new("kill").args(["-9", pid.trim()]).status().unwrap();
    assert!(killed.success(), "the daemon was gone, so it could have held nothing");
}

#[test]
fn no_child_inherits_the_lock() {
    if !testkit::has("setsid") {
        return;
    }
    for flag in ["--validate", "--on-change"] {
        for way in ["--in-place", "--break-links", "--lock-file=lock"] {
            let case = Case::new(TOOL).file("c.json", COUNTER);
            let run = case.args(["c.json", "n=1", way, flag, DAEMON]).run();
            let next = ["c.json", "n=2", "--lock-timeout=0s", way];
            Case::new(TOOL).current_dir(run.dir.path()).args(next).run();
            kill_daemon(run.dir.path());
        }
    }
}

#[test]
fn a_killed_holder_leaves_no_lock_whatever_its_child_does() {
    let case = Case::new(TOOL).file("c.json", COUNTER).status(137).stderr_has("");
    let validate = "echo $$ >pid; echo judging; exec sleep 600 >/dev/null 2>&1";
    let mut running = case.args(["c.json", "n=1", "--validate", validate]).start();
    running.wait_for_stderr("judging");
    running.kill();
    let run = running.finish();
    Case::new(TOOL).current_dir(run.dir.path()).args(["c.json", "n=2", "--lock-timeout=0s"]).run();
    kill_daemon(run.dir.path());
    assert_eq!(run.read("c.json"), COUNTER.replace('0', "2").as_bytes());
    assert_eq!(fs::read_dir(run.dir.path()).unwrap().count(), 2, "litter");
}
