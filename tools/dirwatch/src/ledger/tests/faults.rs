//! Full disks, files that are no ledgers, and others that hold them.

use std::process::Command;

use rusqlite::Connection;

use super::*;

fn refusal(path: &Path) -> (u8, String) {
    let error = Local::open(path, false).unwrap_err();
    (error.status(), error.to_string().replace(&path.display().to_string(), "STATE"))
}

#[test]
fn the_second_watcher_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("state");
    let _first = open(&path);
    let (status, said) = refusal(&path);
    let pid = std::process::id();
    assert_eq!(status, 75);
    assert!(said.starts_with("STATE.run is locked by another process"), "{said}");
    assert!(said.contains(&format!("held by pid {pid} (")), "{said}");
}

#[test]
fn what_cannot_be_used_is_told_in_one_sentence() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("state");
    let check = |want: &str| {
        let (status, said) = refusal(&path);
        assert_eq!((status, said.as_str()), (2, want));
    };
    fs::create_dir(&path).unwrap();
    check("the record STATE is a folder; name a file with --state");
    fs::remove_dir(&path).unwrap();
    files::replace(&path, &b"key,value\n".repeat(100)).unwrap();
    check("STATE is no record of dirwatch; name another file with --state");
    fs::remove_file(&path).unwrap();
    Connection::open(&path).unwrap().execute_batch("CREATE TABLE t (a)").unwrap();
    check("STATE is a database of another program; name another file with --state");
    fs::remove_file(&path).unwrap();
    let mut ledger = open(&path);
    ledger.record(&entries(0..5000, State::Done)).unwrap();
    close(ledger);
    Connection::open(&path).unwrap().execute_batch("PRAGMA user_version = 2").unwrap();
    check("the record STATE was made by a newer version; use that, or name another file with --state");
    Connection::open(&path).unwrap().execute_batch("PRAGMA user_version = 1").unwrap();
    let mut bytes = fs::read(&path).unwrap();
    bytes[4096..].fill(0x5a);
    files::replace(&path, &bytes).unwrap();
    let way_out = "save what `sqlite3 STATE .recover` finds, or move it away: then every file is new";
    check(&format!("the record STATE is damaged; {way_out}"));
}

#[test]
fn a_ledger_that_is_taken_away_is_missed() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("state");
    let mut ledger = open(&path);
    fs::remove_file(&path).unwrap();
    let end = Instant::now() + Duration::from_secs(30);
    let said = loop {
        if let Err(error) = ledger.tend() {
            break error.to_string();
        }
        assert!(Instant::now() < end);
        std::thread::sleep(Duration::from_millis(50));
    };
    assert_eq!(said, format!("{} was removed or replaced while it was used", path.display()));
}

/// A file system in memory of 6 MiB; `None` where none may be mounted.
struct Small(tempfile::TempDir);

impl Small {
    fn mount() -> Option<Self> {
        let folder = tempfile::tempdir().unwrap();
        let mut mount = Command::new("mount");
        mount.args(["-t", "tmpfs", "-o", "size=6M", "tmpfs"]).arg(folder.path());
        let done = mount.output().is_ok_and(|done| done.status.success());
        if !done {
            eprintln!("not tested: no file system can be mounted here");
        }
        done.then_some(Self(folder))
    }

    fn remount(&self, options: &str) {
        let mut mount = Command::new("mount");
        mount.args(["-o", &format!("remount,{options}")]).arg(self.0.path());
        assert!(mount.status().unwrap().success());
    }
}

impl Drop for Small {
    fn drop(&mut self) {
        let _left = Command::new("umount").arg("-l").arg(self.0.path()).status();
    }
}

#[test]
fn on_a_full_disk_nothing_is_started_and_nothing_lost() {
    let Some(disk) = Small::mount() else { return };
    let path = disk.0.path().join("state");
    let mut ledger = open(&path);
    ledger.record(&entries(0..10, State::Done)).unwrap();
    let full = vec![0; 6 << 20];
    let filler = disk.0.path().join("filler");
    let mut file = fs::File::create(&filler).unwrap();
    assert!(std::io::Write::write_all(&mut file, &full).is_err());
    drop(file);
    let mut claimed = 10;
    let refused = loop {
        match ledger.claim(&[entry(claimed, State::Started)]) {
            Ok(()) => claimed += 1,
            Err(refused) => break refused,
        }
        // The commands end as they would; a hundred run.
        if claimed > 110 {
            ledger.record(&[entry(claimed - 101, State::Done)]).unwrap();
        }
        assert!(claimed < 100_000);
    };
    let Refused::NoRoom(why) = refused else { panic!("{refused:?}") };
    assert!(why.to_string().ends_with("state: the disk is full"), "{why}");
    assert!(ledger.tend().unwrap().trouble.is_some());
    for number in claimed - 100..claimed {
        ledger.record(&[entry(number, State::Passed)]).unwrap();
        ledger.record(&[entry(number, State::Done)]).unwrap();
    }
    let all_are_done = |ledger: &mut Local| {
        let found = states(ledger, 0..claimed);
        assert_eq!(found.iter().position(|state| *state != Some(State::Done)), None);
    };
    all_are_done(&mut ledger);
    // Killed, and started anew on the full disk: still nothing is lost, and nothing overwritten.
    drop(ledger);
    let mut ledger = open(&path);
    assert!(matches!(ledger.claim(&[entry(claimed, State::Started)]), Err(Refused::NoRoom(_))));
    all_are_done(&mut ledger);
    fs::remove_file(&filler).unwrap();
    tend_until(&mut ledger, |ledger, tidings| {
        tidings.trouble.is_none() && ledger.claim(&[entry(claimed, State::Started)]).is_ok()
    });
    all_are_done(&mut ledger);
    close(ledger);
    assert_eq!(stored(&path, claimed - 1).unwrap().state, State::Done);
}

#[test]
fn a_disk_without_room_or_for_reading_only_is_told() {
    let Some(disk) = Small::mount() else { return };
    let path = disk.0.path().join("state");
    close(open(&path));
    disk.remount("ro");
    let (status, said) = refusal(&path);
    assert_eq!((status, said.as_str()), (2, "cannot create STATE.run: Read-only file system (os error 30)"));
    let other = disk.0.path().join("other");
    disk.remount("rw,size=4M");
    let (status, said) = refusal(&other);
    assert_eq!((status, said.as_str()), (2, "cannot write STATE.run: No space left on device (os error 28)"));
}
