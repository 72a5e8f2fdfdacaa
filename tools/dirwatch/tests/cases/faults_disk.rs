//! No room: under the ledger, in a limit of file sizes, for its journal.
//!
//! Item 7 of the list in [`super::faults`].

use std::collections::BTreeSet;
use std::fs::{self, File};
use std::io::{BufRead, BufReader};
use std::process::{Command, Stdio};
use std::sync::{Arc, Mutex};
use std::thread;

use super::faults::{Mounts, Site, wait_until};

/// A site whose ledger is on a disk of its own, of so many KiB, seen as `disk/`.
fn small_disk(kib: u32) -> Option<(Site, Mounts)> {
    let mut site = Site::new();
    fs::create_dir(site.path("disk")).unwrap();
    let mounts = Mounts::new(&site, &format!("mount -t tmpfs -o size={kib}k none disk"))?;
    let launcher = mounts.launcher(&site);
    site.launch_by(&launcher.iter().map(String::as_str).collect::<Vec<_>>());
    Some((site, mounts))
}

const FULL: &str = "the disk is full; nothing is started until that is over";

/// Fills the disk to its last byte; that of nobody else.
const FILL: &str = "head -c 64M /dev/zero >disk/filler 2>/dev/null || true";

/// Fills the disk and puts files until the watcher says so; how many those were.
///
/// Records go to the journal, which has its room, until the store has shown that it has none.
fn fill(site: &mut Site, mounts: &Mounts) -> usize {
    mounts.sh(site, FILL);
    let mut put = 0;
    site.wait("it says that it is full", |site| {
        put += 1;
        site.put(format!("f{put}"), "x");
        site.said().contains(FULL)
    });
    put
}

#[test]
fn a_full_disk_stops_new_starts_loses_nothing_and_goes_on() {
    let Some((mut site, mounts)) = small_disk(16 << 10) else { return };
    site.start(&["--state=disk/state"], &[]);
    site.put("first", "x");
    site.wait_noted("first");
    let put = fill(&mut site, &mounts);
    let last = put + 200;
    for number in put..last {
        site.put(format!("f{number}"), "x");
    }
    let ran_before = site.notes().len();
    assert!(ran_before < last, "all ran with a full disk");
    mounts.sh(&site, "rm disk/filler");
    site.wait("all are noted", |site| site.noted().len() >= last);
    assert_eq!(site.end(), 0, "{}", site.said());
    assert!(site.noted().values().all(|attempts| *attempts == [1]), "{:?}", site.noted());
    assert_eq!(site.times_said(FULL), 1, "{}", site.said());
    assert_eq!(site.times_said("there is room again; going on"), 1, "{}", site.said());
}

#[test]
fn what_ends_on_a_full_disk_is_recorded_and_survives_a_kill() {
    let Some((mut site, mounts)) = small_disk(16 << 10) else { return };
    let note =
        r#"echo "$1" >>started; until test -e go; do sleep 0.01; done; echo "$1 $DIRWATCH_ATTEMPT" >>ended"#;
    let command = ["sh", "-c", note, "sh", "{name}"];
    site.start(&["--state=disk/state", "--jobs=3"], &command);
    for name in ["a", "b", "c"] {
        site.put(name, name);
    }
    let lines = |site: &Site, of: &str| fs::read_to_string(site.path(of)).unwrap_or_default().lines().count();
    site.wait("three run", |site| lines(site, "started") == 3);
    mounts.sh(&site, FILL);
    // So that the store meets the full disk while the three run.
    site.put("d", "d");
    testkit::write(site.path("go"), "");
    site.wait("it says that it is full", |site| site.said().contains(FULL));
    site.wait("three have ended", |site| lines(site, "ended") >= 3);
    site.wait("the ends are recorded", |site| {
        let (_, listed, _) = Site::run(site.tool(&["--list=done", "--state=disk/state"]));
        listed.lines().count() > 3
    });
    site.kill();
    mounts.sh(&site, "rm disk/filler");
    let (status, said) = site.once(&["--state=disk/state"], &command);
    assert_eq!(status, 0, "{said}");
    let ended = fs::read_to_string(site.path("ended")).unwrap();
    let ended: BTreeSet<&str> = ended.lines().collect();
    let repeated = ended.iter().filter(|line| !line.ends_with(" 1")).count();
    assert!(["a 1", "b 1", "c 1"].iter().all(|line| ended.contains(line)), "{ended:?}");
    assert_eq!(repeated, 0, "what had ended was run again: {ended:?}");
}

#[test]
fn who_is_stopped_on_a_full_disk_says_so_and_the_next_start_knows_all() {
    let Some((mut site, mounts)) = small_disk(16 << 10) else { return };
    site.start(&["--state=disk/state"], &[]);
    site.put("first", "x");
    site.wait_noted("first");
    let put = fill(&mut site, &mounts);
    assert_eq!(site.end(), 2, "what is not in the store is not claimed to be: {}", site.said());
    // There is no room for anything, and nothing is started.
    let ran = site.notes().len();
    let (status, _, said) = Site::run(site.tool(&["--status", "--state=disk/state"]));
    assert_eq!(status, 0, "{said}");
    mounts.sh(&site, "rm disk/filler");
    let (status, said) = site.once(&["--state=disk/state"], &[]);
    assert_eq!(status, 0, "{said}");
    assert!(site.notes().len() > ran || site.noted().len() == put + 1);
    assert!(site.noted().values().all(|attempts| *attempts == [1]), "{:?}", site.noted());
    assert_eq!(site.noted().len(), put + 1);
}

#[test]
fn without_room_for_a_journal_nothing_starts() {
    let Some((site, mounts)) = small_disk(1 << 10) else { return };
    site.put("a", "a");
    let (status, said) = site.once(&["--state=disk/state"], &[]);
    assert_eq!(status, 2, "{said}");
    assert!(said.contains("disk/state.run") && said.contains("No space left on device"), "{said}");
    assert!(site.notes().is_empty());
    mounts.sh(&site, "mount -o remount,size=16m disk");
    let (status, said) = site.once(&["--state=disk/state"], &[]);
    assert_eq!((status, said.as_str()), (0, ""));
    assert_eq!(site.noted()["a"], [1]);
}

/// So many files with long names do not fit into a ledger that is no longer than its journal.
const MANY: usize = 12_000;

#[test]
fn a_limit_of_file_sizes_is_as_a_full_disk() {
    if !testkit::has("prlimit") {
        return;
    }
    let mut site = Site::new();
    // More than the journal has.
    site.launch_by(&["prlimit", "--fsize=2200000:unlimited", "--"]);
    let name = |number: usize| format!("{number:05}{}", "x".repeat(235));
    for number in 0..MANY {
        File::create(site.path("in").join(name(number))).unwrap();
    }
    let mut line = site.tool(&["--events", "--state=state", "in"]);
    let errors = File::create(site.path("errors")).unwrap();
    let mut watcher = line.stdout(Stdio::piped()).stderr(errors).spawn().unwrap();
    let events = Arc::new(Mutex::new(Vec::new()));
    let (output, told) = (watcher.stdout.take().unwrap(), Arc::clone(&events));
    let reader = thread::spawn(move || {
        BufReader::new(output).lines().for_each(|line| told.lock().unwrap().push(line.unwrap()));
    });
    let count = || events.lock().unwrap().len();
    wait_until("it meets the limit", || {
        assert!(count() < MANY && watcher.try_wait().unwrap().is_none(), "{}", site.said());
        site.said().contains("nothing is started until that is over")
    });
    let pid = format!("--pid={}", watcher.id());
    let raised = Command::new("prlimit").args([&pid, "--fsize=unlimited"]).stdout(Stdio::null()).status();
    assert!(raised.unwrap().success());
    wait_until("all are told", || count() >= MANY);
    watcher.kill().unwrap();
    watcher.wait().unwrap();
    reader.join().unwrap();
    let events = events.lock().unwrap();
    let names: BTreeSet<&String> = events.iter().collect();
    assert_eq!((names.len(), events.len()), (MANY, MANY));
    assert_eq!(site.times_said("nothing is started until that is over"), 1, "{}", site.said());
}
