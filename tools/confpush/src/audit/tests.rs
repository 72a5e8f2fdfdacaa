use std::fs::{self, OpenOptions};
use std::io::Write;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::Path;

use super::*;

fn deed(id: &str, hosts: usize) -> Deed {
    let hosts = (0..hosts).map(|number| HostRecord {
        host: format!("web{number:04}"),
        outcome: Word::Done,
        before: None,
        after: Some("0".repeat(64)),
        why: None,
    });
    Deed {
        spec: "web".into(),
        env: "prod".into(),
        action: Action::Apply,
        id: id.into(),
        version: "ab".into(),
        back_to: None,
        outcome: Word::Done,
        why: None,
        seconds: Some(1.5),
        hosts: hosts.collect(),
    }
}

fn log(folder: &Path) -> Log {
    Log::new(folder.join("state"))
}

fn ids(folder: &Path) -> Vec<(u64, String)> {
    read(&folder.join("state")).unwrap().into_iter().map(|record| (record.n, record.deed.id)).collect()
}

fn write(folder: &Path, bytes: &[u8]) {
    let path = log(folder).path();
    OpenOptions::new().append(true).open(path).unwrap().write_all(bytes).unwrap();
}

#[test]
fn what_was_told_is_read_again() {
    let folder = tempfile::tempdir().unwrap();
    assert_eq!(ids(folder.path()), []);
    // The line of 1,000 hosts is longer than the window.
    for (id, hosts) in [("a", 1), ("b", 1000), ("c", 0)] {
        log(folder.path()).append(&deed(id, hosts)).unwrap();
    }
    assert_eq!(ids(folder.path()), [(1, "a".into()), (2, "b".into()), (3, "c".into())]);
    let record = &read(&folder.path().join("state")).unwrap()[1];
    assert_eq!(record.deed, deed("b", 1000));
    assert_eq!(record.pid, std::process::id());
    let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!((mode(&folder.path().join("state")), mode(&log(folder.path()).path())), (0o700, 0o600));
}

#[test]
fn a_line_is_flat_and_says_what_is_known() {
    let mut told = deed("a", 1);
    told.why = Some("x".repeat(2000));
    let by =
        Origin { time: "2026-03-14T09:26:53.000Z".into(), who: "jan".into(), host: "box".into(), pid: 7 };
    let record = Record::new(4, by, &told);
    assert_eq!(record.deed.why.as_ref().unwrap().len(), LONGEST_WHY);
    let line = serde_json::to_string(&Record { deed: deed("a", 1), ..record }).unwrap();
    let want = format!(
        concat!(
            r#"{{"n":4,"time":"2026-03-14T09:26:53.000Z","who":"jan","host":"box","pid":7,"spec":"web","env":"prod","#,
            r#""action":"apply","id":"a","version":"ab","outcome":"done","seconds":1.5,"#,
            r#""hosts":[{{"host":"web0000","outcome":"done","before":null,"after":"{}"}}]}}"#
        ),
        "0".repeat(64)
    );
    assert_eq!(line, want);
}

#[test]
fn a_torn_line_counts_for_nothing_and_is_cut_off() {
    for torn in ["{", r#"{"n":2,"time":"#, "\0\0\0"] {
        let folder = tempfile::tempdir().unwrap();
        log(folder.path()).append(&deed("a", 1)).unwrap();
        write(folder.path(), torn.as_bytes());
        assert_eq!(ids(folder.path()).len(), 1, "{torn}");
        log(folder.path()).append(&deed("b", 1)).unwrap();
        assert_eq!(ids(folder.path()), [(1, "a".into()), (2, "b".into())], "{torn}");
    }
    // Also the first one.
    let folder = tempfile::tempdir().unwrap();
    log(folder.path()).append(&deed("a", 1)).unwrap();
    OpenOptions::new().write(true).open(log(folder.path()).path()).unwrap().set_len(20).unwrap();
    log(folder.path()).append(&deed("b", 1)).unwrap();
    assert_eq!(ids(folder.path()), [(1, "b".into())]);
}

#[test]
fn what_others_wrote_is_passed_over() {
    let folder = tempfile::tempdir().unwrap();
    log(folder.path()).append(&deed("a", 1)).unwrap();
    write(folder.path(), b"hello\n");
    log(folder.path()).append(&deed("b", 1)).unwrap();
    assert_eq!(ids(folder.path()), [(1, "a".into()), (1, "b".into())]);
}

#[test]
fn several_write_to_one_log() {
    let folder = tempfile::tempdir().unwrap();
    std::thread::scope(|scope| {
        for name in ["a", "b", "c", "d"] {
            let path = folder.path();
            scope.spawn(move || (0..10).for_each(|_| log(path).append(&deed(name, 3)).unwrap()));
        }
    });
    let found = ids(folder.path());
    assert_eq!(found.iter().map(|(n, _)| *n).collect::<Vec<_>>(), (1..=40).collect::<Vec<_>>());
}

#[test]
fn a_link_or_a_folder_that_is_a_file_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    fs::create_dir(folder.path().join("state")).unwrap();
    symlink("/dev/full", log(folder.path()).path()).unwrap();
    let error = log(folder.path()).append(&deed("a", 1)).unwrap_err();
    assert_eq!(error.status(), 2);
    let file = folder.path().join("file");
    testkit::write(&file, "");
    let error = Log::new(file.clone()).append(&deed("a", 1)).unwrap_err();
    assert!(error.to_string().starts_with(&format!("cannot create {}: ", file.display())), "{error}");
}
