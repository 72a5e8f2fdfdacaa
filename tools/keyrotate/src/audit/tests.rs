use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;

use proptest::prelude::*;
use tempfile::TempDir;

use super::*;

/// A log of `count` lines, and its end.
struct Log {
    _folder: TempDir,
    path: PathBuf,
    tail: Tail,
}

impl Log {
    fn new(count: usize) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join(NAME);
        let mut log = Self { _folder: folder, path, tail: Tail::default() };
        for _ in 0..count {
            log.add("ATTESTED");
            log.tail = settle(&log.path, &log.tail).unwrap();
        }
        log
    }

    fn add(&mut self, step: &str) {
        let by =
            Origin { time: "2026-03-14T09:26:53.123Z".into(), who: "jan".into(), host: "h".into(), pid: 7 };
        let entry = Entry::new(step, Outcome::Done).rotation("r1").consumer("web").why("it \"says\" so\n");
        self.tail.add_by(&entry, by);
    }

    fn bytes(&self) -> Vec<u8> {
        fs::read(&self.path).unwrap()
    }

    fn put(&self, bytes: &[u8]) {
        testkit::write(&self.path, bytes);
    }

    /// The number of the line that `check` blames.
    fn blamed(&self) -> Option<u64> {
        check(&self.path, Some(&self.tail)).unwrap().fault.map(|fault| fault.line)
    }
}

fn lines_before(bytes: &[u8], at: usize) -> u64 {
    bytes[..at].split(|&byte| byte == b'\n').count() as u64 - 1
}

#[test]
fn a_line_says_who_when_and_what() {
    let mut log = Log::new(1);
    log.add("CREATED");
    log.tail = settle(&log.path, &log.tail).unwrap();
    let text = String::from_utf8(log.bytes()).unwrap();
    let (first, second) = text.trim_end().split_once('\n').unwrap();
    let head = r#"{"n":1,"time":"2026-03-14T09:26:53.123Z","who":"jan","host":"h","pid":7,"#;
    let body =
        r#""rotation":"r1","step":"ATTESTED","consumer":"web","outcome":"done","why":"it \"says\" so\n","#;
    assert_eq!(first, format!("{head}{body}\"previous\":\"\"}}"));
    assert!(second.ends_with(&format!("\"previous\":\"{}\"}}", digest(first.as_bytes()))), "{second}");
    let mode = fs::metadata(&log.path).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
}

#[test]
fn this_process_is_named() {
    let mut tail = Tail::default();
    tail.add(&Entry::new("hold", Outcome::Done));
    let record: Record = serde_json::from_str(&tail.pending[0]).unwrap();
    assert!(!record.who.is_empty() && !record.host.is_empty(), "{record:?}");
    assert_eq!(record.pid, std::process::id());
}

#[test]
fn a_reason_holds_no_secret() {
    conceal::secret(&"hunter2-hunter2".into());
    let mut tail = Tail::default();
    tail.add(&Entry::new("CREATED", Outcome::Refused).why("ERR no hunter2-hunter2 here"));
    assert!(tail.pending[0].contains("ERR no [secret] here"), "{}", tail.pending[0]);
}

#[test]
fn every_flipped_bit_is_found_in_its_line() {
    // One that another line follows, and the last one.
    let log = Log::new(2);
    let good = log.bytes();
    assert_eq!(check(&log.path, Some(&log.tail)).unwrap(), Checked { lines: 2, fault: None });
    for at in 0..good.len() {
        for bit in 0..8 {
            let mut bad = good.clone();
            bad[at] ^= 1 << bit;
            log.put(&bad);
            assert_eq!(log.blamed(), Some(lines_before(&good, at) + 1), "bit {bit} of byte {at}");
        }
    }
}

#[test]
fn every_truncation_is_found_and_refused() {
    let log = Log::new(3);
    let good = log.bytes();
    for end in 0..good.len() {
        log.put(&good[..end]);
        assert_eq!(log.blamed(), Some(lines_before(&good, end) + 1), "cut at {end}");
        let error = settle(&log.path, &log.tail).unwrap_err();
        assert_eq!(error.status(), 11, "{error}");
        assert_eq!(log.bytes(), &good[..end], "it is left as it was");
    }
    fs::remove_file(&log.path).unwrap();
    assert_eq!(log.blamed(), Some(1));
    assert_eq!(settle(&log.path, &log.tail).unwrap_err().status(), 11);
}

#[test]
fn lines_that_are_removed_inserted_or_moved_are_found() {
    let log = Log::new(4);
    let good = log.bytes();
    let lines: Vec<&[u8]> = good.split_inclusive(|&byte| byte == b'\n').collect();
    let check = |order: &[usize], want: Option<u64>| {
        log.put(&order.iter().flat_map(|&at| lines[at]).copied().collect::<Vec<u8>>());
        assert_eq!(log.blamed(), want, "{order:?}");
    };
    check(&[0, 1, 2, 3], None);
    check(&[1, 2, 3], Some(1));
    check(&[0, 2, 3], Some(2));
    check(&[0, 1, 2], Some(4));
    check(&[0, 2, 1, 3], Some(2));
    check(&[0, 1, 1, 2, 3], Some(3));
    check(&[0, 1, 2, 3, 3], Some(5));
}

#[test]
fn a_kill_at_any_byte_of_an_append_is_healed() {
    let mut log = Log::new(2);
    let before = log.bytes();
    log.add("DISABLED");
    log.add("WATCH");
    let whole = [before.clone(), log.tail.pending_bytes()].concat();
    for end in before.len()..=whole.len() {
        log.put(&whole[..end]);
        assert_eq!(log.blamed(), None, "torn at {end}, it is only not settled yet");
        let settled = settle(&log.path, &log.tail).unwrap();
        assert_eq!(log.bytes(), whole, "torn at {end}");
        assert_eq!(settle(&log.path, &settled).unwrap(), settled);
        assert_eq!(log.bytes(), whole);
    }
}

#[test]
fn the_rubbish_of_a_power_failure_is_cut_off() {
    let mut log = Log::new(1);
    let before = log.bytes();
    log.add("SOAK");
    let whole = [before.clone(), log.tail.pending_bytes()].concat();
    for rubbish in [&[0; 500][..], b"{\"n\":2", b"\n\n", &[b'x'; 5000]] {
        log.put(&[&before, rubbish].concat());
        settle(&log.path, &log.tail).unwrap();
        assert_eq!(log.bytes(), whole);
    }
}

#[test]
fn lines_that_the_journal_does_not_know_are_kept_and_refused() {
    let mut log = Log::new(2);
    let before = log.tail.clone();
    log.add("DELETED");
    log.tail = settle(&log.path, &log.tail).unwrap();
    let more = log.bytes();
    log.tail = before;
    assert_eq!(settle(&log.path, &log.tail).unwrap_err().status(), 11);
    log.add("CONFIRMED");
    assert_eq!(settle(&log.path, &log.tail).unwrap_err().status(), 11);
    assert_eq!(log.bytes(), more);
    assert_eq!(log.blamed(), Some(3));
}

#[test]
fn what_is_pending_is_read_too() {
    let mut log = Log::new(2);
    log.add("WATCH");
    let check = |log: &Log, want: usize| {
        let lines = read(&log.path, Some(&log.tail)).unwrap();
        assert_eq!(lines.len(), want);
        assert!(lines.iter().all(|line| line.record.is_some()));
    };
    check(&log, 3);
    settle(&log.path, &log.tail).unwrap();
    check(&log, 3);
    assert!(read(&log.path.with_file_name("none"), None).unwrap().is_empty());
}

proptest! {
    #[test]
    fn no_bytes_make_it_panic(bytes: Vec<u8>, count in 0..3usize) {
        let log = Log::new(count);
        log.put(&bytes);
        let good = bytes.is_empty() && count == 0;
        prop_assert_eq!(log.blamed().is_none(), good);
        read(&log.path, Some(&log.tail)).unwrap();
        let _refused_or_cut = settle(&log.path, &log.tail);
    }
}
