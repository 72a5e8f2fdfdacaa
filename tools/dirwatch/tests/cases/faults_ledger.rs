//! A ledger that cannot be trusted, or not be had: it is refused with a sentence that names the way out,
//! and never begun anew without a word.
//!
//! Items 8, 13 and 24 of the list in [`super::faults`].

use std::fs::{self, OpenOptions, Permissions};
use std::os::unix::fs::{FileExt, PermissionsExt};
use std::path::Path;
use std::process::Command;

use rusqlite::Connection;

use super::faults::{Site, obey_modes, wait_until};

/// A ledger that knows three hundred files, which are still there.
fn known() -> Site {
    let site = Site::new();
    for number in 0..300 {
        site.put(format!("f{number}"), "x");
    }
    let (status, _, said) = Site::run(site.line(&["--once", "--batch=1000"], &["true"]));
    assert_eq!((status, said.as_str()), (0, ""));
    site
}

/// Writes these bytes over what a file has at `at`.
fn garble(path: &Path, at: u64, bytes: &[u8]) {
    OpenOptions::new().write(true).open(path).unwrap().write_all_at(bytes, at).unwrap();
}

fn truncate(path: &Path, length: u64) {
    OpenOptions::new().write(true).open(path).unwrap().set_len(length).unwrap();
}

/// Spoils a ledger: nothing is run, it says this, and what is there stays as it is.
#[track_caller]
fn check(spoil: impl Fn(&Site, &Path), want: &str) {
    let site = known();
    let ledger = site.path("state");
    spoil(&site, &ledger);
    let before = fs::read(&ledger).unwrap_or_default();
    let (status, said) = site.once(&["--batch=1000"], &[]);
    assert_eq!(status, 2, "{said}");
    assert!(said.contains(want), "{said}");
    assert!(site.notes().is_empty(), "something was run");
    assert_eq!(fs::read(&ledger).unwrap_or_default(), before, "the evidence was touched");
}

#[test]
fn a_damaged_ledger_is_refused_with_the_way_out() {
    let is_no_ledger = "is no record of dirwatch; name another file with --state";
    let is_damaged = "is damaged; save what `sqlite3";
    check(|_, ledger| garble(ledger, 0, &[0xff; 100]), is_no_ledger);
    check(|_, ledger| fs::write(ledger, "a letter to somebody\n").unwrap(), is_no_ledger);
    check(|_, ledger| truncate(ledger, 4096), is_damaged);
    check(|_, ledger| truncate(ledger, fs::metadata(ledger).unwrap().len() / 2), is_damaged);
    let all_but_the_first = |_: &Site, ledger: &Path| {
        let rest = usize::try_from(fs::metadata(ledger).unwrap().len() - 4096).unwrap();
        garble(ledger, 4096, &vec![0x5a; rest]);
    };
    check(all_but_the_first, is_damaged);
}

#[test]
fn a_ledger_of_somebody_else_is_refused() {
    let execute = |sql: &'static str| {
        move |_: &Site, ledger: &Path| Connection::open(ledger).unwrap().execute_batch(sql).unwrap()
    };
    check(execute("PRAGMA user_version = 99"), "was made by a newer version; use that, or name another file");
    check(execute("PRAGMA application_id = 7"), "name another file with --state");
    let is_folder = |_: &Site, ledger: &Path| {
        fs::remove_file(ledger).unwrap();
        fs::create_dir(ledger).unwrap();
    };
    check(is_folder, "state");
}

#[test]
fn a_ledger_that_may_not_be_written_is_refused() {
    let mut site = known();
    if !obey_modes(&mut site) {
        return;
    }
    let check = |name: &str, mode: u32, back: u32| {
        fs::set_permissions(site.path(name), Permissions::from_mode(mode)).unwrap();
        let (status, said) = site.once(&[], &[]);
        assert_eq!(status, 2, "{name}: {said}");
        assert!(said.contains("state") && site.notes().is_empty(), "{name}: {said}");
        fs::set_permissions(site.path(name), Permissions::from_mode(back)).unwrap();
    };
    check("state", 0o400, 0o600);
    check("state.run", 0o400, 0o600);
    check("state", 0, 0o600);
    let (status, said) = site.once(&[], &[]);
    assert_eq!((status, said.as_str(), site.notes().len()), (0, "", 0), "and all is known as before");
}

#[test]
fn a_second_watcher_is_told_to_come_later() {
    let mut site = Site::new();
    site.start(&[], &[]);
    site.put("a", "a");
    site.wait_noted("a");
    let (status, said) = site.once(&[], &[]);
    assert_eq!(status, 75, "{said}");
    assert!(said.contains(&format!("pid {}", site.pid())), "{said}");
    assert_eq!(site.end(), 0);
}

#[test]
fn a_ledger_that_is_taken_away_ends_its_watcher() {
    let mut site = Site::new();
    site.start(&[], &[]);
    site.put("a", "a");
    site.wait_noted("a");
    for name in ["state", "state-wal", "state-shm"] {
        fs::rename(site.path(name), site.path(format!("old-{name}"))).unwrap();
    }
    assert_eq!(site.ended(), 2, "{}", site.said());
    assert!(site.said().contains("was removed or replaced while it was used"), "{}", site.said());
}

/// A journal with the records of commands that were killed together with their watcher.
fn killed() -> Site {
    let mut site = Site::new();
    site.start(&["--jobs=4"], &["sh", "-c", "echo x >>begun; exec sleep 1000"]);
    for name in ["a", "b", "c", "d"] {
        site.put(name, name);
    }
    site.wait("all have begun", |site| {
        fs::read_to_string(site.path("begun")).unwrap_or_default().lines().count() == 4
    });
    site.kill();
    let folder = site.path("");
    let is_ours = |pid: &str| fs::read_link(format!("/proc/{pid}/cwd")).is_ok_and(|cwd| cwd == folder);
    let pids = || super::faults::names_in(Path::new("/proc")).into_iter().filter(|pid| is_ours(pid));
    for pid in pids() {
        let _gone = Command::new("kill").args(["-KILL", &pid]).status();
    }
    wait_until("the commands are gone", || pids().next().is_none());
    site
}

#[test]
fn a_journal_that_ends_early_or_is_garbled_loses_no_file() {
    // The attempt is told of those whose record is still there.
    let check = |spoil: &dyn Fn(&Path), told: std::ops::RangeInclusive<usize>| {
        let site = killed();
        spoil(&site.path("state.run"));
        let (status, said) = site.once(&["--backoff=1ms"], &[]);
        assert_eq!(status, 0, "{said}");
        let noted = site.noted();
        assert_eq!(noted.len(), 4, "{noted:?}");
        let repeated = noted.values().filter(|attempts| **attempts == [2]).count();
        assert!(told.contains(&repeated), "{noted:?} {said}");
        assert_eq!(site.look("--verify").0, 0);
    };
    check(&|_| {}, 4..=4);
    // What has come into the database before that is known from there.
    check(&|journal| truncate(journal, 4096 + 10), 0..=4);
    check(&|journal| truncate(journal, 4096), 0..=4);
    check(&|journal| garble(journal, 4096 + 150, &[0x55; 4000]), 0..=4);
    check(&|journal| garble(journal, 4096, &vec![0xee; 2 << 20]), 0..=4);
}

#[test]
fn a_journal_that_is_none_is_refused() {
    let check = |spoil: &dyn Fn(&Path), want: &str| {
        let site = killed();
        let journal = site.path("state.run");
        spoil(&journal);
        let before = fs::read(&journal).unwrap();
        let (status, said) = site.once(&[], &[]);
        assert_eq!(status, 2, "{said}");
        assert!(said.contains(want), "{said}");
        assert!(site.notes().is_empty());
        assert_eq!(fs::read(&journal).unwrap(), before, "the evidence was touched");
    };
    let want = "state.run is no journal that this version can read; move it away";
    check(&|journal| garble(journal, 0, b"something else"), want);
    check(&|journal| garble(journal, 9, &[0x77]), want);
    check(&|journal| fs::write(journal, "a letter\n").unwrap(), want);
}

#[test]
fn a_journal_without_its_ledger_is_not_dropped_without_a_word() {
    let site = killed();
    for name in ["state", "state-wal", "state-shm"] {
        let _there_or_not = fs::remove_file(site.path(name));
    }
    let (status, said) = site.once(&[], &[]);
    assert_eq!(status, 0, "{said}");
    assert!(said.contains("was left by another record; what it held is dropped"), "{said}");
    assert_eq!(site.noted().len(), 4, "all files are new");
}

#[test]
fn a_wait_from_before_the_clock_was_set_back_is_no_longer_than_any() {
    let mut site = Site::new();
    site.put("a", "a");
    let (status, said) = site.once(&["--backoff=1ms"], &["false"]);
    assert_eq!(status, 23, "{said}");
    let ledger = Connection::open(site.path("state")).unwrap();
    let ten_years = 315_360_000_000_i64;
    let changed = ledger.execute("UPDATE file SET due = due + ?1, at = at + ?1", [ten_years]).unwrap();
    assert_eq!(changed, 1);
    drop(ledger);
    site.start(&["--backoff=10ms..20ms"], &[]);
    site.wait_noted("a");
    assert_eq!(site.noted()["a"], [2]);
    assert_eq!(site.end(), 0);
}

#[test]
fn a_command_that_has_survived_its_watcher_is_waited_for() {
    let mut site = Site::new();
    let wait = r#"echo x >>begun; until test -e go; do sleep 0.01; done; echo x >>ended; exec "$@""#;
    let notes = site.path("notes").display().to_string();
    let note = super::mill::note_file().display().to_string();
    let command = ["sh", "-c", wait, "sh", note.as_str(), notes.as_str(), "{}"];
    site.put("a", "a");
    site.start(&[], &command);
    site.wait("it has begun", |site| site.path("begun").exists());
    site.kill();
    site.start(&[], &command);
    site.wait_said("still runs since the last start");
    let begun = fs::read_to_string(site.path("begun")).unwrap();
    assert_eq!(begun.lines().count(), 1, "it runs twice at a time");
    testkit::write(site.path("go"), "");
    site.wait("it was repeated, and told so", |site| site.noted().get("a").is_some_and(|a| *a == [1, 2]));
    assert_eq!(site.end(), 0);
}

#[test]
fn a_start_whose_command_is_gone_waits_for_no_stranger() {
    // No process number is recorded, so whoever has it now does not matter, nor which boot it was.
    let site = killed();
    let (status, said) = site.once(&[], &[]);
    assert_eq!(status, 0, "{said}");
    assert!(!said.contains("still runs") && said.matches("was interrupted").count() == 4, "{said}");
    assert!(site.noted().values().all(|attempts| *attempts == [2]), "{:?}", site.noted());
}
