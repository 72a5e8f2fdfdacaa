use super::*;

struct Folder(tempfile::TempDir);

impl Folder {
    fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    fn path(&self) -> std::path::PathBuf {
        self.0.path().join("job.lock")
    }

    fn take(&self) -> Result<Held> {
        acquire(self.path().as_os_str(), None, "run")
    }

    fn is_busy(&self) -> bool {
        match self.take() {
            Ok(_) => false,
            Err(error) => {
                assert_eq!(error.status(), 75, "{error}");
                true
            }
        }
    }

    fn record(&self) -> Record {
        Record::read(&File::open(self.path()).unwrap()).unwrap()
    }

    /// As a runjob that was killed left it: its job is `job`, and what has the descriptor is returned.
    fn left_by_a_kill(&self, job: Option<Alive>, gone: Alive) -> File {
        let mut held = self.take().unwrap();
        held.record.wrapper = Some(gone);
        held.record.job = job;
        held.write();
        let Held { file, name, .. } = held;
        drop(name);
        file
    }
}

/// A process that has ended.
fn gone() -> Alive {
    let mut child = std::process::Command::new("true").spawn().unwrap();
    // Until it is waited for it can be looked at.
    let alive = Alive::now(child.id()).unwrap();
    child.wait().unwrap();
    alive
}

#[test]
fn one_at_a_time_and_numbers_grow() {
    let folder = Folder::new();
    let first = folder.take().unwrap();
    assert!(folder.is_busy());
    let fence = first.fence();
    first.release();
    let second = folder.take().unwrap();
    assert!(second.fence() > fence);
    let fence = second.fence();
    second.release();
    fs::remove_file(folder.path()).unwrap();
    assert!(folder.take().unwrap().fence() >= fence);
}

#[test]
fn a_release_frees_it_for_whoever_has_the_descriptor() {
    let folder = Folder::new();
    let held = folder.take().unwrap();
    let daemon = held.descriptor().try_clone_to_owned().unwrap();
    held.release();
    folder.take().unwrap().release();
    drop(daemon);
}

#[test]
fn a_lock_file_that_is_removed_frees_nothing() {
    let folder = Folder::new();
    let held = folder.take().unwrap();
    fs::remove_file(folder.path()).unwrap();
    assert!(folder.is_busy());
    fs::remove_file(folder.path()).unwrap();
    testkit::write(folder.path(), "garbage");
    assert!(folder.is_busy());
    held.release();
    assert!(!folder.is_busy());
}

#[test]
fn a_job_that_goes_on_without_its_runjob_keeps_it() {
    let folder = Folder::new();
    let me = Alive::now(std::process::id());
    // With the descriptor, and without it.
    let inherited = folder.left_by_a_kill(me, gone());
    assert!(folder.is_busy());
    drop(inherited);
    assert!(folder.is_busy());
    // Of one that was not written down nobody knows whether it has ended.
    let mut record = folder.record();
    record.job = None;
    let inherited = File::options().read(true).write(true).open(folder.path()).unwrap();
    flock(&inherited, FlockOperation::LockExclusive).unwrap();
    record.write(&inherited).unwrap();
    assert!(folder.is_busy());
    drop(inherited);
    assert!(!folder.is_busy());
}

#[test]
fn what_an_ended_job_has_left_behind_keeps_nothing() {
    let folder = Folder::new();
    let daemon = folder.left_by_a_kill(Some(gone()), gone());
    let fence = folder.record().fence;
    let held = folder.take().unwrap();
    assert!(held.fence() > fence);
    assert!(folder.is_busy());
    drop(daemon);
    assert!(folder.is_busy());
    held.release();
    assert!(!folder.is_busy());
    assert_eq!(fs::read_dir(folder.0.path()).unwrap().count(), 1);
}

#[test]
fn another_start_of_the_system_leaves_nothing() {
    let folder = Folder::new();
    let held = folder.take().unwrap();
    let mut before = serde_json::to_value(&held.record).unwrap();
    held.release();
    before["boot"] = "another".into();
    before["job"] = before["wrapper"].clone();
    let before: Record = serde_json::from_value(before).unwrap();
    before.write(&File::options().write(true).open(folder.path()).unwrap()).unwrap();
    assert!(!folder.is_busy());
}

#[test]
fn what_is_no_file_of_ours_is_told() {
    let folder = Folder::new();
    let check = |path: &Path, want: &str| {
        let error = acquire(path.as_os_str(), None, "run").unwrap_err();
        assert_eq!(error.status(), 125);
        assert!(error.to_string().contains(want), "{error}");
    };
    check(folder.0.path(), "cannot open");
    check(&folder.0.path().join("none/lock"), "cannot open");
    std::os::unix::fs::symlink("/dev/null", folder.path()).unwrap();
    check(&folder.path(), "cannot open");
}

#[test]
fn one_that_waits_gets_it() {
    let folder = Folder::new();
    let held = folder.take().unwrap();
    std::thread::scope(|scope| {
        let waiting =
            scope.spawn(|| acquire(folder.path().as_os_str(), Some(Duration::from_secs(60)), "run"));
        std::thread::sleep(Duration::from_millis(20));
        held.release();
        waiting.join().unwrap().unwrap().release();
    });
}

#[test]
fn of_another_host_or_container_nobody_knows_what_is_gone() {
    for part in ["boot", "numbers"] {
        let folder = Folder::new();
        let theirs = folder.left_by_a_kill(Some(gone()), gone());
        let mut record = serde_json::to_value(folder.record()).unwrap();
        record[part] = "another".into();
        let record: Record = serde_json::from_value(record).unwrap();
        record.write(&theirs).unwrap();
        assert!(folder.is_busy(), "{part}");
    }
}

#[test]
fn a_job_that_could_not_be_ended_keeps_it() {
    let folder = Folder::new();
    let mut held = folder.take().unwrap();
    held.starting();
    held.started(std::process::id());
    held.release();
    assert!(folder.is_busy());
}

#[test]
fn without_proc_nothing_is_taken_for_a_leftover() {
    let folder = Folder::new();
    let theirs = folder.left_by_a_kill(Some(gone()), gone());
    let mut record = serde_json::to_value(folder.record()).unwrap();
    record["boot"] = "".into();
    let record: Record = serde_json::from_value(record).unwrap();
    record.write(&theirs).unwrap();
    assert!(folder.is_busy());
}
