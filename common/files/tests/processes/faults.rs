//! A fault at every system call of a change, by strace: the kill of the process, errors, a write
//! that lies. Whatever happens, the file has its old content or the new one.

use std::collections::BTreeMap;
use std::fs;
use std::hash::{BuildHasher, Hasher, RandomState};
use std::io::Write;
use std::os::unix::fs::chown;
use std::os::unix::process::ExitStatusExt;
use std::path::Path;
use std::process::{Output, Stdio};

use common::OrCannot;
use files::{Lock, Replacement, Wait, read_whole, replace};

use crate::lock::SURELY;
use crate::replace::new_text;
use crate::{fault_count, names_in, place, start, works};

const FAULTS: [&str; 6] =
    ["signal=KILL", "error=ENOSPC", "error=EIO", "error=EDQUOT", "error=EROFS", "error=EINTR"];

/// What makes no change of files, and whose failure is that of the test harness as well.
const NOT_OF_FILES: [&str; 9] =
    ["brk", "futex", "getrandom", "madvise", "mmap", "mprotect", "mremap", "munmap", "sigaltstack"];

/// Shows in the trace, and does nothing.
fn mark(name: &str) {
    let _never_there = fs::metadata(Path::new("/dev/null").join(name));
}

#[test]
#[ignore = "meets a fault in a process of its own"]
fn replaces() {
    let Some(path) = place() else { return };
    mark("begin");
    let mut new = Replacement::begin(&path).unwrap();
    for part in new_text().chunks(3_000) {
        new.write_all(part).unwrap();
    }
    new.commit().unwrap();
    mark("end");
}

#[test]
#[ignore = "meets a fault in a process of its own"]
fn replaces_locked() {
    let Some(path) = place() else { return };
    mark("begin");
    let mut lock = Lock::acquire(&path, Wait::Not).unwrap();
    lock.read().unwrap();
    lock.replace(&new_text()).unwrap();
    mark("end");
}

#[test]
#[ignore = "meets a fault in a process of its own"]
fn replaces_and_releases() {
    let Some(path) = place() else { return };
    mark("begin");
    let mut lock = Lock::acquire(&path, Wait::Not).unwrap();
    lock.finish_with(|new| new.write_all(&new_text()).or_cannot("write", &path)).unwrap();
    mark("end");
}

#[test]
#[ignore = "meets a fault in a process of its own"]
fn writes_in_place() {
    let Some(path) = place() else { return };
    mark("begin");
    let mut lock = Lock::acquire(&path, Wait::Not).unwrap();
    lock.read().unwrap();
    lock.replace_in_place(&new_text()).unwrap();
    mark("end");
}

/// Shorter than the new text and longer, so that the file grows and shrinks.
fn old_texts() -> [Vec<u8>; 2] {
    [b"old".to_vec(), b"old".repeat(20_000)]
}

/// The system calls of the child between its marks, each with its number among those of its name.
fn calls(child: &str) -> Vec<(String, usize)> {
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name);
    fs::create_dir(at("etc")).unwrap();
    let path = at("etc/app.json");
    replace(&path, b"old").unwrap();
    let log = at("log").display().to_string();
    let run = start(&["strace", "-f", "-qq", "-o", &log], child, &path).output().unwrap();
    assert!(run.status.success());
    let text = fs::read_to_string(at("log")).unwrap();
    let mine = text.lines().find(|line| line.contains("/dev/null/begin")).unwrap();
    let mine = mine.split_whitespace().next().unwrap();
    let (mut counts, mut found, mut inside) = (BTreeMap::new(), Vec::new(), false);
    for line in text.lines().filter(|line| line.split_whitespace().next() == Some(mine)) {
        let Some((name, _)) = line[mine.len()..].trim_start().split_once('(') else { continue };
        let number = counts.entry(name.to_owned()).and_modify(|count| *count += 1).or_insert(1_usize);
        inside = (inside || line.contains("/dev/null/begin")) && !line.contains("/dev/null/end");
        if inside && !line.contains("/dev/null/") && !NOT_OF_FILES.contains(&name) {
            found.push((name.to_owned(), *number));
        }
    }
    found
}

/// Some of all combinations, evenly spread, beginning anywhere; their number is that of the turns.
fn some<T: Clone>(all: &[T]) -> Vec<T> {
    let count = (fault_count() * 2).min(all.len());
    let first = usize::try_from(RandomState::new().build_hasher().finish() >> 1).unwrap();
    (0..count).map(|index| all[(first + index * all.len() / count) % all.len()].clone()).collect()
}

fn sweep(child: &str, least: usize) {
    if !works(&["strace", "-qq", "-o", "/dev/null", "true"], "the faults at every system call") {
        return;
    }
    let calls = calls(child);
    assert!(calls.len() >= least, "{calls:?}");
    let lies = calls.iter().filter(|(name, _)| name.contains("write")).map(|call| (call.clone(), "retval=5"));
    let faults = calls.iter().flat_map(|call| FAULTS.map(|fault| (call.clone(), fault)));
    let all: Vec<_> = lies.chain(faults).collect();
    let hits =
        some(&all).into_iter().filter(|((call, nth), fault)| strike(child, (call, *nth), fault)).count();
    // A call may be missing in a run in which the kernel has other things to do.
    assert!(hits * 2 >= fault_count().min(all.len()), "{hits} hits of {}", all.len());
}

#[test]
fn a_replacement_leaves_old_or_new_whatever_fails() {
    sweep("faults::replaces", 15);
}

#[test]
fn a_locked_replacement_leaves_old_or_new_whatever_fails() {
    sweep("faults::replaces_locked", 25);
}

#[test]
fn a_last_replacement_leaves_old_or_new_whatever_fails() {
    sweep("faults::replaces_and_releases", 20);
}

#[test]
fn a_write_in_place_leaves_old_or_new_whatever_fails() {
    sweep("faults::writes_in_place", 25);
}

/// Runs the child while one of its system calls meets `fault`; false when it did not come to that.
fn strike(child: &str, (call, nth): (&str, usize), fault: &str) -> bool {
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name);
    fs::create_dir(at("etc")).unwrap();
    let path = at("etc/app.json");
    let old = &old_texts()[nth % 2];
    replace(&path, old).unwrap();
    if rustix::process::geteuid().is_root() {
        chown(&path, Some(1234), None).unwrap();
    }
    let (trace, log) = (format!("trace={call}"), at("log").display().to_string());
    let inject = format!("inject={call}:{fault}:when={nth}");
    let launcher = ["strace", "-f", "-qq", "-o", &log, "-e", &trace, "-e", &inject];
    let run = start(&launcher, child, &path).stdout(Stdio::null()).output().unwrap();
    let what = format!("{child} {inject}: {}", String::from_utf8_lossy(&run.stderr));
    let killed = killed(&run);

    let text = read_whole(&path).unwrap();
    assert!(text == new_text() || (text == *old && !run.status.success()), "{what}");
    // Only the journal may stay when it cannot be removed: its work is done.
    let left = if call.starts_with("unlink") { 2 } else { 1 };
    assert!(killed || names_in(&at("etc")).len() <= left, "{what}");
    let mut lock = Lock::acquire(&path, SURELY).unwrap();
    assert!(lock.read().unwrap().unwrap() == text, "{what}");
    lock.replace(b"after").unwrap();
    assert_eq!(names_in(&at("etc")), ["app.json"], "{what}");
    killed || fs::read_to_string(at("log")).unwrap().contains("INJECTED")
}

pub(crate) fn killed(run: &Output) -> bool {
    run.status.signal().is_some() || run.status.code() == Some(137)
}
