//! The lock between processes, killed ones and `flock(1)` among them.

use std::fs::{self, File, OpenOptions};
use std::hash::{BuildHasher, Hasher, RandomState};
use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use files::{Lock, Wait};

use crate::{place, start, turns, works};

const COUNTERS: usize = 8;

/// Long enough that only a lock that is never released runs into it. Another test that starts a
/// process keeps our locks for a moment: until exec(2) the child has our descriptors.
pub(crate) const SURELY: Wait = Wait::For(Duration::from_secs(120));

fn number(bytes: &[u8]) -> usize {
    std::str::from_utf8(bytes).unwrap().strip_suffix('\n').unwrap().parse().unwrap()
}

fn increment(counter: &Path) {
    let mut lock = Lock::acquire(counter, SURELY).unwrap_or_else(|error| panic!("{error}"));
    let count = lock.read().unwrap().map_or(0, |bytes| number(&bytes));
    lock.replace(format!("{}\n", count + 1).as_bytes()).unwrap();
}

/// One byte for each increment that was acknowledged by returning.
fn acknowledged(acks: &Path) -> usize {
    fs::metadata(acks).map_or(0, |meta| usize::try_from(meta.len()).unwrap())
}

#[test]
#[ignore = "a process of the tests that count"]
fn counts() {
    let Some(acks) = place() else { return };
    let counter = acks.with_file_name("counter");
    while acknowledged(&acks) < turns() {
        increment(&counter);
        OpenOptions::new().append(true).create(true).open(&acks).unwrap().write_all(b"+").unwrap();
    }
}

fn start_counting(acks: &Path) -> Child {
    start(&[], "lock::counts", acks).stdout(Stdio::null()).spawn().unwrap()
}

/// Lets eight processes count while `kills` of them are killed and started again; returns what they
/// acknowledged. The counter does not exist at first.
fn count(folder: &Path, kills: usize) -> usize {
    let acks: Vec<PathBuf> = (0..COUNTERS).map(|number| folder.join(format!("acks{number}"))).collect();
    let mut running: Vec<Child> = acks.iter().map(|acks| start_counting(acks)).collect();
    for _ in 0..kills {
        let random = RandomState::new().build_hasher().finish();
        std::thread::sleep(Duration::from_micros(random % 16_384));
        let victim = usize::try_from(random >> 32).unwrap() % COUNTERS;
        running[victim].kill().unwrap();
        running[victim].wait().unwrap();
        running[victim] = start_counting(&acks[victim]);
    }
    assert!(running.iter_mut().all(|child| child.wait().unwrap().success()));
    acks.iter().map(|acks| acknowledged(acks)).sum()
}

#[test]
fn eight_processes_count_exactly() {
    let folder = tempfile::tempdir().unwrap();
    assert_eq!(count(folder.path(), 0), COUNTERS * turns());
    assert_eq!(number(&fs::read(folder.path().join("counter")).unwrap()), COUNTERS * turns());
}

#[test]
fn killed_processes_lose_nothing_acknowledged_and_tear_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let counter = folder.path().join("counter");
    let kills = turns() * 2;
    let over = AtomicBool::new(false);
    let sure = std::thread::scope(|scope| {
        scope.spawn(|| {
            let mut last = 0;
            while !over.load(Ordering::Relaxed) {
                let now = fs::read(&counter).map_or(0, |bytes| number(&bytes));
                assert!(now >= last, "{now} after {last}");
                last = now;
            }
        });
        let sure = count(folder.path(), kills);
        over.store(true, Ordering::Relaxed);
        sure
    });
    let found = number(&fs::read(&counter).unwrap());
    assert!((sure..=sure + kills).contains(&found), "{sure} acknowledged, {found} found");
    increment(&counter);
    let strays = crate::names_in(folder.path()).into_iter().filter(|name| name.starts_with('.')).count();
    assert_eq!(strays, 0);
}

#[test]
#[ignore = "the one that is slow between opening and locking"]
fn increments_once() {
    let Some(counter) = place() else { return };
    println!("\n{}", std::process::id());
    increment(&counter);
}

/// Waits until the process has `path` open.
fn until_open(pid: &str, path: &Path) {
    let end = Instant::now() + Duration::from_secs(60);
    let opened = || {
        let mut files = fs::read_dir(format!("/proc/{pid}/fd")).unwrap().flatten();
        files.any(|file| fs::read_link(file.path()).is_ok_and(|link| link == path))
    };
    while !opened() {
        assert!(Instant::now() < end, "{} was never opened", path.display());
        std::thread::yield_now();
    }
}

#[test]
fn what_was_replaced_between_opening_and_locking_is_opened_again() {
    let delay = ["strace", "-f", "-qq", "-o", "/dev/null", "-e", "trace=flock"];
    let delay = [&delay[..], &["-e", "inject=flock:delay_enter=300000:when=1"]].concat();
    if !works(&[&delay[..], &["true"]].concat(), "the delay between opening and locking") {
        return;
    }
    let temporary = tempfile::tempdir().unwrap();
    // As /proc shows it.
    let folder = temporary.path().canonicalize().unwrap();
    let path = folder.join("counter");
    // At first there is no file, and what is opened and locked is the folder.
    for (opens, want) in [(&folder, 2), (&path, 4)] {
        let mut slow = start(&delay, "lock::increments_once", &path).stdout(Stdio::piped()).spawn().unwrap();
        let pid = until(&mut slow, |line| line.parse::<u32>().is_ok());
        until_open(&pid, opens);
        increment(&path);
        assert!(slow.wait().unwrap().success());
        assert_eq!(number(&fs::read(&path).unwrap()), want);
    }
}

#[test]
#[ignore = "the holder that is killed"]
fn holds() {
    let Some(path) = place() else { return };
    let _lock = Lock::acquire(&path, Wait::Not).unwrap();
    println!("\nheld");
    std::thread::sleep(Duration::from_secs(600));
}

/// Waits for the line of the child's output that is `wanted`.
fn until(child: &mut Child, wanted: impl Fn(&str) -> bool) -> String {
    let lines = BufReader::new(child.stdout.as_mut().unwrap()).lines();
    lines.map_while(Result::ok).find(|line| wanted(line)).unwrap()
}

#[test]
fn the_death_of_its_holder_releases_the_lock() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("app.json");
    for exists in [false, true] {
        let mut holder = start(&[], "lock::holds", &path).stdout(Stdio::piped()).spawn().unwrap();
        until(&mut holder, |line| line == "held");
        let error = Lock::acquire(&path, Wait::Not).unwrap_err();
        assert_eq!(error.status(), 75);
        assert!(error.to_string().contains(&format!("; held by pid {} (`", holder.id())), "{error}");
        holder.kill().unwrap();
        let lock = Lock::acquire(&path, SURELY).unwrap();
        assert_eq!(lock.read().unwrap().is_some(), exists);
        holder.wait().unwrap();
        File::create(&path).unwrap();
    }
}

#[test]
fn who_waited_gets_the_new_file() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("app.json");
    for before in [None, Some("old")] {
        let _gone = fs::remove_file(&path);
        if let Some(text) = before {
            files::replace(&path, text.as_bytes()).unwrap();
        }
        let mut lock = Lock::acquire(&path, SURELY).unwrap();
        std::thread::scope(|scope| {
            let waiters = [(); 4].map(|()| scope.spawn(|| increment_text(&path)));
            lock.replace(b"new").unwrap();
            drop(lock);
            for waiter in waiters {
                waiter.join().unwrap();
            }
        });
        assert_eq!(fs::read(&path).unwrap(), b"new++++");
    }
}

fn increment_text(path: &Path) {
    let mut lock = Lock::acquire(path, SURELY).unwrap();
    let mut text = lock.read().unwrap().unwrap();
    text.push(b'+');
    lock.replace(&text).unwrap();
}

#[test]
fn flock_takes_part() {
    if !works(&["flock", "--version"], "the lock beside flock(1)") {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("app.json");
    files::replace(&path, b"old").unwrap();
    let mut other = Command::new("flock");
    other.arg(&path).args(["sh", "-c", "echo held; read line"]);
    let mut other = other.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
    until(&mut other, |line| line == "held");
    let error = Lock::acquire(&path, Wait::For(Duration::from_millis(1))).unwrap_err();
    let want = format!("another process (waited 1ms); held by pid {} (`flock`, running since 20", other.id());
    assert!(error.to_string().contains(&want), "{error}");
    drop(other.stdin.take());
    let mut lock = Lock::acquire(&path, SURELY).unwrap();
    other.wait().unwrap();

    let free = || Command::new("flock").arg("-n").arg(&path).arg("true").status().unwrap().success();
    assert!(!free());
    lock.replace(b"new").unwrap();
    assert!(!free(), "the new file must be locked as soon as it has the name");
    drop(lock);
    assert!(free());
}

/// Counts in a process in which flock(2) meets `fault`; returns what it said.
fn counts_with(fault: &str, counter: &Path) -> Option<String> {
    let inject = format!("inject=flock:{fault}");
    let launcher = ["strace", "-f", "-qq", "-o", "/dev/null", "-e", "trace=flock", "-e", &inject];
    if !works(&[&launcher[..], &["true"]].concat(), "the file system that locks otherwise") {
        return None;
    }
    let run = start(&launcher, "lock::increments_once", counter).output().unwrap();
    Some(String::from_utf8_lossy(&run.stderr).into_owned())
}

#[test]
fn where_only_files_open_for_writing_are_locked_they_are_opened_so() {
    let folder = tempfile::tempdir().unwrap();
    let counter = folder.path().join("counter");
    let Some(said) = counts_with("error=EBADF:when=1", &counter) else { return };
    let want = "its file system locks no folders; create it first: Is a directory (os error 21)";
    let want = format!("cannot lock {}: it does not exist, and {want}", counter.display());
    assert!(said.contains(&want), "{said}");
    files::replace(&counter, b"1\n").unwrap();
    counts_with("error=EBADF:when=1", &counter);
    assert_eq!(number(&fs::read(&counter).unwrap()), 2);
    counts_with("error=EBADF", &counter);
    assert_eq!(number(&fs::read(&counter).unwrap()), 2);
}

#[test]
fn where_there_are_no_locks_one_elsewhere_is_asked_for() {
    let folder = tempfile::tempdir().unwrap();
    let counter = folder.path().join("counter");
    files::replace(&counter, b"1\n").unwrap();
    for error in ["EOPNOTSUPP", "ENOSYS", "ENOLCK"] {
        let Some(said) = counts_with(&format!("error={error}"), &counter) else { return };
        let want = "its file system keeps no locks, a lock file on another one would do: ";
        assert!(said.contains(&format!("cannot lock {}: {want}", counter.display())), "{said}");
    }
    assert_eq!(fs::read(&counter).unwrap(), b"1\n");
}

#[test]
fn who_waits_for_a_file_without_a_name_gets_the_one_that_has_it() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("app.json");
    files::replace(&path, b"old").unwrap();
    let held = Lock::acquire(&path, SURELY).unwrap();
    std::thread::scope(|scope| {
        let waiter = scope.spawn(|| increment_text(&path));
        // An editor that knows no locks; the lock on the old file is still held when the wait ends.
        files::replace(&path, b"new").unwrap();
        waiter.join().unwrap();
    });
    assert_eq!(fs::read(&path).unwrap(), b"new+");
    drop(held);
}
