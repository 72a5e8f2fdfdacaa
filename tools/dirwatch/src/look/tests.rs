//! Questions to real ledgers, with and without a watcher.

use std::fs;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use common::{Out, Outcome, Result};

use super::run;
use crate::identity::{Key, Stamp, path_key, version_key};
use crate::ledger::local::Local;
use crate::ledger::store::Store;
use crate::ledger::{Entry, Ledger, State};
use crate::plan::{Look, Question};

/// A watched folder and its ledger.
struct Place {
    folder: tempfile::TempDir,
    root: PathBuf,
    state: PathBuf,
}

impl Place {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path().join("in");
        fs::create_dir(&root).unwrap();
        let place = Self { state: folder.path().join("state.db"), folder, root };
        place.record(&[]);
        place
    }

    /// A file that is there, in this state.
    fn file(&self, name: &str, state: State) -> Entry {
        let path = self.root.join(name);
        testkit::write(&path, name);
        let key = version_key(&self.root, &Stamp::of(&path, false).unwrap());
        Entry { key, path, ..self.gone(name, state) }
    }

    /// A file that was there, in this state since 2001.
    fn gone(&self, name: &str, state: State) -> Entry {
        let path = self.root.join(name);
        let key = path_key(&path);
        let (size, modified, at, due, took) = (7, 0, 1_000_000_000_000, 0, 5);
        let (attempt, failures, note) = (3, 2, String::new());
        Entry { key, path, size, modified, state, attempt, failures, at, due, took, note }
    }

    /// A watcher that has recorded these, and runs.
    fn watcher(&self, entries: &[Entry]) -> Local {
        let mut ledger = Local::open(&self.state, false).unwrap();
        ledger.watched_since(&self.root).unwrap();
        ledger.record(entries).unwrap();
        ledger
    }

    fn record(&self, entries: &[Entry]) {
        Box::new(self.watcher(entries)).close().unwrap();
    }

    fn ask(&self, question: Question, json: bool) -> (Result<Outcome>, String) {
        let look = Look { state: self.state.clone(), question, json };
        let printed = tempfile::NamedTempFile::new().unwrap();
        let mut out = Out::to(printed.reopen().unwrap(), "a file");
        let outcome = run(&look, &mut out);
        out.flush().unwrap();
        let root = self.root.to_str().unwrap();
        (outcome, fs::read_to_string(printed.path()).unwrap().replace(root, "/in"))
    }

    fn check(&self, question: Question, want: Outcome, printed: &str) {
        let (outcome, found) = self.ask(question, false);
        assert_eq!((outcome.unwrap(), &found[..]), (want, printed));
    }

    fn get(&self, key: Key) -> Option<Entry> {
        Store::open_existing(&self.state).unwrap().get(&key).unwrap()
    }

    fn state_of(&self, entry: &Entry) -> Option<State> {
        self.get(entry.key).map(|entry| entry.state)
    }
}

/// The last word of each line.
fn names(printed: &str) -> Vec<&str> {
    printed.lines().filter_map(|line| line.rsplit('/').next()).collect()
}

#[test]
fn entries_are_listed_by_path_whatever_only_the_journal_knows() {
    let place = Place::new();
    let stored: Vec<Entry> = ["c", "a", "e"].map(|name| place.gone(name, State::Done)).into();
    place.record(&stored);
    let mut changed = stored[0].clone();
    changed.state = State::Failed;
    let new = ["d", "b", "f"].map(|name| place.gone(name, State::Failed));
    // Let go without a close, as by a kill: the journal keeps what was recorded.
    let mut watcher = place.watcher(&new);
    watcher.record(&[changed]).unwrap();
    let (outcome, printed) = place.ask(Question::List(None), false);
    assert_eq!(outcome.unwrap(), Outcome::Done);
    assert_eq!(names(&printed)[1..], ["a", "b", "c", "d", "e", "f"], "{printed}");
    assert!(printed.starts_with("STATE "), "{printed}");
    let (_, failed) = place.ask(Question::List(Some(State::Failed)), true);
    let paths: Vec<String> = failed
        .lines()
        .map(|line| serde_json::from_str::<serde_json::Value>(line).unwrap()["path"].to_string())
        .collect();
    assert_eq!(paths, ["\"/in/b\"", "\"/in/c\"", "\"/in/d\"", "\"/in/f\""]);
    place.check(Question::List(Some(State::Gone)), Outcome::No, "");
}

#[test]
fn the_status_tells_who_watches() {
    let place = Place::new();
    let waits = place.gone("w", State::Retry);
    place.record(&[place.gone("a", State::Done), place.gone("b", State::Done), waits]);
    let (_, text) = place.ask(Question::Status, false);
    let lines: Vec<&str> = text.lines().skip(1).collect();
    assert_eq!(lines[0], "watcher      none runs");
    assert!(lines[1].starts_with("folder       /in since 2") && lines[1].ends_with("not dealt with yet"));
    let rest = ["retry        1", "done         2", "oldest       retry since 2001-09-09T01:46:40Z: /in/w"];
    assert_eq!(lines[2..], rest);
    let _watcher = place.watcher(&[]);
    let (outcome, json) = place.ask(Question::Status, true);
    assert_eq!(outcome.unwrap(), Outcome::Done);
    let found: serde_json::Value = serde_json::from_str(&json).unwrap();
    assert_eq!((&found["watched"], &found["watcher_pid"]), (&true.into(), &std::process::id().into()));
    assert_eq!((&found["entries"]["done"], &found["entries"]["gone"]), (&2.into(), &0.into()));
    assert_eq!(
        (&found["oldest_open"]["path"], &found["folders"][0]["path"]),
        (&"/in/w".into(), &"/in".into())
    );
    let (_, text) = place.ask(Question::Status, false);
    let own = format!("held by pid {}", std::process::id());
    assert!(text.lines().nth(1).unwrap().contains(&own), "{text}");
}

#[test]
fn what_failed_is_taken_again() {
    let place = Place::new();
    let retried = [State::Failed, State::Interrupted, State::Retry, State::Left, State::Gone];
    let entries: Vec<Entry> = retried.iter().map(|state| place.file(state.word(), *state)).collect();
    let others = [place.file("done", State::Done), place.gone("lost", State::Failed)];
    place.record(&entries);
    place.record(&others);
    place.check(Question::Retry("x*".into()), Outcome::No, "");
    place.check(Question::Retry("done".into()), Outcome::No, "");
    place.check(Question::Retry("*".into()), Outcome::Done, "");
    for entry in &entries {
        let found = place.get(entry.key).unwrap();
        let want = (State::Again, 0, 3);
        assert_eq!((found.state, found.failures, found.attempt), want, "{:?}", entry.state);
    }
    for entry in &others {
        assert_eq!(place.get(entry.key).as_ref(), Some(entry));
    }
    let (error, _) = place.ask(Question::Retry("in/x".into()), false);
    assert_eq!(error.unwrap_err().status(), 2);
}

#[test]
fn a_watcher_that_runs_is_told() {
    let place = Place::new();
    let failed = place.file("a", State::Failed);
    let mut watcher = place.watcher(std::slice::from_ref(&failed));
    // What was recorded a moment ago is waited for, so somebody must store it meanwhile.
    let state = place.state.clone();
    let asked = std::thread::spawn(move || {
        let question = Question::Retry("a".into());
        let mut out = Out::to(Vec::new(), "nowhere");
        run(&Look { state, question, json: false }, &mut out)
    });
    let mut told = false;
    while !asked.is_finished() {
        told |= watcher.tend().unwrap().changed;
        std::thread::sleep(Duration::from_millis(5));
    }
    assert_eq!(asked.join().unwrap().unwrap(), Outcome::Done);
    let end = Instant::now() + Duration::from_secs(30);
    while !told && Instant::now() < end {
        told = watcher.tend().unwrap().changed;
        std::thread::sleep(Duration::from_millis(5));
    }
    assert!(told);
    assert_eq!(watcher.open_entries().unwrap()[0].state, State::Again);
}

#[test]
fn what_is_forgotten_is_new_apart_from_what_runs() {
    let place = Place::new();
    let (done, runs) = (place.file("a.csv", State::Done), place.gone("b.csv", State::Started));
    place.record(&[done.clone(), runs.clone(), place.gone("c.txt", State::Done)]);
    let watcher = place.watcher(&[]);
    place.check(Question::Forget("*.csv".into()), Outcome::Done, "");
    assert_eq!((place.state_of(&done), place.state_of(&runs)), (None, Some(State::Started)));
    place.check(Question::Forget("*.csv".into()), Outcome::No, "");
    Box::new(watcher).close().unwrap();
    place.check(Question::Forget("*.csv".into()), Outcome::Done, "");
    assert_eq!(place.state_of(&runs), None);
    let (_, rest) = place.ask(Question::List(None), false);
    assert_eq!(names(&rest)[1..], ["c.txt"]);
}

#[test]
fn what_is_old_and_gone_is_pruned() {
    let place = Place::new();
    let there = place.file("a", State::Done);
    let renamed = place.file("b", State::Failed);
    fs::rename(&renamed.path, place.root.join(".c")).unwrap();
    let waits = place.gone("w", State::Retry);
    let mut young = place.gone("y", State::Done);
    young.at = super::change::now() - 60_000;
    let gone = place.gone("g", State::Same);
    place.record(&[there.clone(), renamed.clone(), waits.clone(), young.clone(), gone.clone()]);
    place.check(Question::Prune(Duration::from_secs(3600)), Outcome::Done, "");
    let kept = [there, renamed, waits, young.clone()];
    assert!(kept.iter().all(|entry| place.state_of(entry) == Some(entry.state)));
    assert_eq!(place.state_of(&gone), None);
    place.check(Question::Prune(Duration::ZERO), Outcome::Done, "");
    assert_eq!(place.state_of(&young), None);
}

#[test]
fn nothing_is_pruned_below_a_folder_that_is_missing() {
    let place = Place::new();
    let other = place.folder.path().join("other");
    fs::create_dir(&other).unwrap();
    let (mut watcher, gone) = (place.watcher(&[]), place.gone("a", State::Done));
    watcher.watched_since(&other).unwrap();
    let elsewhere = Entry { key: Key([5; 16]), path: other.join("a"), ..gone.clone() };
    watcher.record(&[gone.clone(), elsewhere.clone()]).unwrap();
    Box::new(watcher).close().unwrap();
    fs::remove_dir(&place.root).unwrap();
    place.check(Question::Prune(Duration::ZERO), Outcome::Partial, "");
    assert_eq!((place.state_of(&gone), place.state_of(&elsewhere)), (Some(State::Done), None));
    place.check(Question::Forget("/**/in/a".into()), Outcome::Done, "");
    place.check(Question::Prune(Duration::ZERO), Outcome::Done, "");
}

#[test]
fn a_ledger_is_verified() {
    let place = Place::new();
    place.record(&[place.file("known", State::Done)]);
    testkit::write(place.root.join(".hidden"), "");
    testkit::write(place.root.join("a.part"), "");
    fs::create_dir(place.root.join("never")).unwrap();
    testkit::write(place.root.join("never/taken"), "");
    place.check(Question::Verify, Outcome::Done, "");
    testkit::write(place.root.join("missed"), "");
    let twice = [1, 2].map(|byte| Entry { key: Key([byte; 16]), ..place.file("t", State::Retry) });
    place.record(&[twice[0].clone(), twice[1].clone(), place.gone("g", State::Again)]);
    place.record(&[place.file("s", State::Started), place.file("t", State::Done)]);
    let want = "interrupted  /in/s: started 2001-09-09T01:46:40Z, and no watcher runs; the next one sees to it\n\
                missing      /in/g: again since 2001-09-09T01:46:40Z\n\
                twice        /in/t: retry as 01010101010101010101010101010101 and retry as \
                02020202020202020202020202020202\n\
                unknown      /in/missed: it waits, was missed, or is none that the watcher takes\n";
    let sorted = |text: &str| {
        let mut lines: Vec<String> = text.lines().map(str::to_owned).collect();
        lines.sort();
        lines
    };
    let (outcome, printed) = place.ask(Question::Verify, false);
    assert_eq!((outcome.unwrap(), sorted(&printed)), (Outcome::No, sorted(want)));
    let (_, json) = place.ask(Question::Verify, true);
    let first: serde_json::Value = serde_json::from_str(json.lines().next().unwrap()).unwrap();
    assert_eq!((&first["finding"], &first["path"]), (&"missing".into(), &"/in/g".into()));
    fs::remove_dir_all(&place.root).unwrap();
    let (outcome, printed) = place.ask(Question::Verify, false);
    assert_eq!(outcome.unwrap(), Outcome::No);
    assert!(printed.contains("unreadable   /in: cannot read the folder /in: No such file"), "{printed}");
}

#[test]
fn while_a_watcher_runs_what_has_just_come_is_no_finding() {
    let place = Place::new();
    place.record(&[place.gone("s", State::Started), place.gone("p", State::Passed)]);
    testkit::write(place.root.join("young"), "");
    let _watcher = place.watcher(&[]);
    place.check(Question::Verify, Outcome::Done, "");
}

#[test]
fn without_a_ledger_there_is_a_sentence() {
    let place = Place::new();
    fs::remove_file(&place.state).unwrap();
    for question in [Question::Status, Question::Verify, Question::Prune(Duration::ZERO)] {
        let error = place.ask(question, false).0.unwrap_err();
        assert_eq!((error.status(), error.to_string().contains("state.db")), (2, true), "{error}");
    }
}
