//! What the ledger promises, through its trait.

use std::fs;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use super::local::Local;
use super::store::Store;
use super::{Entry, Ledger, Refused, State, Tidings};
use crate::identity::Key;

mod faults;

/// An entry with this number as its key and its size.
pub(crate) fn entry(number: u64, state: State) -> Entry {
    let mut key = [0; 16];
    key[..8].copy_from_slice(&number.to_be_bytes());
    Entry {
        key: Key(key),
        path: PathBuf::from(format!("/srv/incoming/2024-05/upload-{number:08}.csv")),
        size: number,
        modified: 1_700_000_000_000_000_000,
        state,
        attempt: 1,
        failures: 0,
        at: 1_700_000_000_000,
        due: 0,
        took: 12,
        note: String::new(),
    }
}

fn entries(numbers: std::ops::Range<u64>, state: State) -> Vec<Entry> {
    numbers.map(|number| entry(number, state)).collect()
}

fn open(path: &Path) -> Local {
    Local::open(path, false).unwrap()
}

fn close(ledger: Local) {
    Box::new(ledger).close().unwrap();
}

/// What the ledger has of each: the states.
fn states(ledger: &mut Local, numbers: std::ops::Range<u64>) -> Vec<Option<State>> {
    let of = |number| ledger.get(&entry(number, State::Done).key).unwrap().map(|entry| entry.state);
    numbers.map(of).collect()
}

/// Tends until `is_so`, at most half a minute.
fn tend_until(ledger: &mut Local, mut is_so: impl FnMut(&mut Local, &Tidings) -> bool) {
    let end = Instant::now() + Duration::from_secs(30);
    loop {
        let tidings = ledger.tend().unwrap();
        if is_so(ledger, &tidings) {
            return;
        }
        assert!(Instant::now() < end, "{tidings:?}");
        std::thread::sleep(Duration::from_millis(20));
    }
}

/// What is in the database itself.
fn stored(path: &Path, number: u64) -> Option<Entry> {
    let mut store = Store::open_existing(path).unwrap();
    store.pending.entries.clear();
    store.get(&entry(number, State::Done).key).unwrap()
}

#[test]
fn what_was_recorded_is_known_at_once_and_for_ever() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("new/folder/state");
    let mut ledger = open(&path);
    let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
    let journal = super::journal::beside(&path);
    assert_eq!([mode(path.parent().unwrap()), mode(&path), mode(&journal)], [0o700, 0o600, 0o600]);
    let mut odd = entry(1, State::Started);
    odd.path = Path::new("/in").join(std::ffi::OsStr::from_bytes(b"-a\n\xff\"'"));
    odd.note = "exit status 1".into();
    let mut long = entry(2, State::Started);
    long.path = PathBuf::from(format!("/{}", "x/".repeat(2047)));
    ledger.claim(&[odd.clone(), long.clone()]).unwrap();
    ledger.record(&[entry(1, State::Done)]).unwrap();
    ledger.record(&[odd.clone()]).unwrap();
    assert_eq!(ledger.get(&odd.key).unwrap(), Some(odd.clone()));
    assert_eq!(ledger.get(&entry(3, State::Done).key).unwrap(), None);
    assert_eq!(ledger.open_entries().unwrap(), [odd.clone(), long.clone()]);
    close(ledger);
    assert_eq!(stored(&path, 1), Some(odd.clone()));
    let mut ledger = open(&path);
    assert_eq!(ledger.get(&long.key).unwrap(), Some(long));
    assert!(ledger.view().unwrap().is_known(&odd.key).unwrap());
    assert!(!ledger.view().unwrap().is_known(&entry(3, State::Done).key).unwrap());
}

#[test]
fn a_kill_at_any_moment_loses_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("state");
    // Strict or not is the same for a kill.
    for (round, strict) in [(0, true), (1, false), (2, false)] {
        let mut ledger = Local::open(&path, strict).unwrap();
        for number in 0..2000 {
            ledger.claim(&[entry(round * 2000 + number, State::Started)]).unwrap();
            if number % 3 > 0 {
                ledger.record(&[entry(round * 2000 + number, State::Done)]).unwrap();
            }
            if strict && number == 20 {
                break;
            }
        }
        drop(ledger);
        let count = if strict { 21 } else { 2000 };
        let check = |found: Vec<Option<State>>| {
            for (number, state) in found.into_iter().enumerate() {
                let want = if number % 3 > 0 { State::Done } else { State::Started };
                assert_eq!(state, Some(want), "{round} {number}");
            }
        };
        let looked = Store::open_existing(&path).unwrap();
        let numbers = round * 2000..round * 2000 + count;
        let look = |number| looked.get(&entry(number, State::Done).key).unwrap().map(|entry| entry.state);
        check(numbers.clone().map(look).collect());
        drop(looked);
        let mut ledger = open(&path);
        check(states(&mut ledger, numbers.clone()));
        let open = ledger.open_entries().unwrap();
        let here = open.iter().filter(|entry| numbers.contains(&entry.size)).count();
        assert_eq!(here, usize::try_from(count).unwrap().div_ceil(3));
        drop(ledger);
    }
}

#[test]
fn what_others_change_is_told_and_not_undone() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("state");
    let mut ledger = open(&path);
    ledger.record(&entries(0..4, State::Failed)).unwrap();
    tend_until(&mut ledger, |_, _| stored(&path, 3).is_some());
    let mut other = Store::open_existing(&path).unwrap();
    assert_eq!(other.retry(&[entry(0, State::Done).key], 5).unwrap(), 1);
    assert_eq!(other.delete(&[entry(1, State::Done).key, entry(9, State::Done).key]).unwrap(), 1);
    let want = [Some(State::Again), None, Some(State::Failed)];
    tend_until(&mut ledger, |ledger, tidings| {
        tidings.changed && states(ledger, 0..3) == want && ledger.open_entries().unwrap().len() == 1
    });
    assert!(!ledger.tend().unwrap().changed, "told once");
    drop(ledger);
    let mut ledger = open(&path);
    assert_eq!(states(&mut ledger, 0..3), want, "and the journal is not applied again");
    let again = ledger.get(&entry(0, State::Done).key).unwrap().unwrap();
    assert_eq!((again.failures, again.at), (0, 5));
}

#[test]
fn a_dead_ledger_is_listed_and_changed_with_what_is_in_its_journal() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("state");
    let said = Store::open_existing(&path).unwrap_err().to_string();
    assert_eq!(
        said,
        format!(
            "there is no record {}; name the directories, or --state, as the watcher does",
            path.display()
        )
    );
    let mut ledger = open(&path);
    ledger.record(&entries(0..1200, State::Done)).unwrap();
    close(ledger);
    let mut ledger = open(&path);
    assert!(super::inspect::holder(&path).unwrap().is_some_and(|said| said.contains("held by pid")));
    // The scribe has no time for these.
    ledger.record(&entries(600..602, State::Failed)).unwrap();
    ledger.record(&entries(5000..5001, State::Failed)).unwrap();
    drop(ledger);
    assert_eq!(super::inspect::holder(&path).unwrap(), None);
    let bytes = fs::read(super::journal::beside(&path)).unwrap();
    let mut store = Store::open_existing(&path).unwrap();
    let list = |store: &Store, state| {
        let mut found = Vec::new();
        let mut note = |entry: Entry| {
            found.push(entry.size);
            Ok(())
        };
        store.each(state, &mut note).unwrap();
        found
    };
    assert_eq!(list(&store, Some(State::Failed)), [600, 601, 5000]);
    assert_eq!(list(&store, None), (0..1200).chain([5000]).collect::<Vec<_>>());
    assert_eq!(store.counts().unwrap().into_iter().collect::<Vec<_>>(), [("done", 1198), ("failed", 3)]);
    assert_eq!(fs::read(super::journal::beside(&path)).unwrap(), bytes);
    let keys = [entry(600, State::Done).key, entry(5000, State::Done).key];
    assert_eq!(store.retry(&keys, 5).unwrap(), 2);
    assert_eq!(store.retry(&keys, 5).unwrap(), 0, "once is enough");
    let all: Vec<Key> = entries(0..600, State::Done).into_iter().map(|entry| entry.key).collect();
    assert_eq!(store.delete(&all).unwrap(), 600);
    assert_eq!(store.integrity().unwrap(), Vec::<String>::new());
    drop(store);
    let mut ledger = open(&path);
    let want = [None, Some(State::Again), Some(State::Failed), Some(State::Done)];
    assert_eq!(states(&mut ledger, 599..603), want);
}

#[test]
fn folders_are_watched_since_the_first_time() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("state");
    let mut ledger = open(&path);
    let (seen, since) = ledger.watched_since(Path::new("/in")).unwrap();
    assert!(!seen && since > 1_700_000_000_000);
    ledger.backlog_seen(Path::new("/in")).unwrap();
    ledger.watched_since(Path::new("/a")).unwrap();
    drop(ledger);
    let mut ledger = open(&path);
    assert_eq!(ledger.watched_since(Path::new("/in")).unwrap(), (true, since));
    assert!(!ledger.watched_since(Path::new("/a")).unwrap().0);
    drop(ledger);
    let roots = Store::open_existing(&path).unwrap().roots().unwrap();
    assert_eq!(roots, [Path::new("/a"), Path::new("/in")]);
}

#[test]
fn a_batch_of_any_size_is_claimed() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("state");
    let mut ledger = open(&path);
    ledger.record(&entries(0..30_000, State::Left)).unwrap();
    ledger.claim(&entries(0..20_000, State::Started)).unwrap();
    let refused = ledger.claim(&entries(20_000..120_000, State::Started));
    assert!(matches!(refused, Err(Refused::NoRoom(_))), "{refused:?}");
    ledger.record(&entries(0..20_000, State::Passed)).unwrap();
    ledger.record(&entries(0..20_000, State::Done)).unwrap();
    drop(ledger);
    let mut ledger = open(&path);
    assert_eq!(states(&mut ledger, 0..20_000), vec![Some(State::Done); 20_000]);
    assert_eq!(states(&mut ledger, 20_000..30_000), vec![Some(State::Left); 10_000]);
    assert_eq!(states(&mut ledger, 30_000..30_001), [None]);
}

#[test]
fn who_pages_through_a_list_does_not_let_the_wal_grow() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("state");
    let mut ledger = open(&path);
    // In no order: each record changes a page of its own.
    let scattered = |number: u64| entry(number * 7_368_787 % 100_000_007, State::Done);
    ledger.record(&(0..20_000).map(scattered).collect::<Vec<_>>()).unwrap();
    let store = Store::open_existing(&path).unwrap();
    let mut view = ledger.view().unwrap();
    assert!(view.is_known(&scattered(0).key).unwrap());
    let (mut told, mut longest) = (0, 0);
    let mut page = |_entry: Entry| {
        told += 1;
        for number in (20_000..110_000).step_by(500).take_while(|_| told == 1) {
            let records: Vec<Entry> = (number..number + 500).map(scattered).collect();
            ledger.record(&records).unwrap();
            longest = longest.max(fs::metadata(folder.path().join("state-wal")).unwrap().len());
        }
        Ok(())
    };
    store.each(None, &mut page).unwrap();
    assert!(told >= 20_000, "{told}");
    // It was 17 MB, and 63 with a list that holds on to what it began with.
    assert!(longest < 32 << 20, "{longest}");
}

#[test]
fn room_grows_with_what_is_in_flight() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("state");
    let mut ledger = open(&path);
    for batch in 0..4 {
        ledger.claim(&entries(batch * 1000..(batch + 1) * 1000, State::Started)).unwrap();
    }
    ledger.record(&entries(0..2000, State::Done)).unwrap();
    // As after a kill: nothing is closed, and the journal is all that is told.
    let found = Store::open_existing(&path).unwrap();
    let state = |number| found.get(&entry(number, State::Done).key).unwrap().map(|entry| entry.state);
    assert!((0..2000).all(|number| state(number) == Some(State::Done)));
    assert!((2000..4000).all(|number| state(number) == Some(State::Started)));
}
