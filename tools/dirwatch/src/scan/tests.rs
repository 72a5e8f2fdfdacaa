//! With real folders and a view that is a set of keys.

use std::collections::{BTreeSet, HashSet};
use std::fs;
use std::io::Write as _;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use tempfile::TempDir;

use super::*;
use crate::identity::{Identity, Key, Kind, Stamp, path_key, version_key};
use crate::message::Message;
use crate::message::{Candidate, Pass};
use crate::post::{Mail, open};
use crate::select::Which;

/// Long enough for a machine that has something else to do; nothing waits so long when all is well.
const LONG: Duration = Duration::from_secs(60);

struct Set(Arc<Mutex<HashSet<Key>>>);

impl View for Set {
    fn is_known(&mut self, key: &Key) -> Result<bool> {
        Ok(self.0.lock().unwrap().contains(key))
    }
}

fn place(root: &Path) -> Where {
    Where {
        roots: vec![root.to_owned()],
        depth: 9,
        follow: false,
        outside: Vec::new(),
        own_files: Vec::new(),
        which: Which::new(&[], &[], false, 0, None).unwrap(),
        rescan: Duration::from_secs(3600),
        once: false,
        identity: Identity::Version,
    }
}

/// A scanner, and a keeper that takes everything.
struct Scanning {
    scanner: Scanner,
    messages: Mail,
    known: Arc<Mutex<HashSet<Key>>>,
    seen: BTreeSet<PathBuf>,
    told: Vec<Candidate>,
    passed: Vec<Pass>,
    settled: usize,
}

impl Scanning {
    fn start(place: Where) -> Self {
        Self::knowing(place, HashSet::new())
    }

    fn knowing(place: Where, known: HashSet<Key>) -> Self {
        let (sender, messages) = open().unwrap();
        let known = Arc::new(Mutex::new(known));
        let view = Box::new(Set(Arc::clone(&known)));
        let scanner = Scanner::start(Arc::new(place), view, sender).unwrap();
        let (seen, told, passed) = (BTreeSet::new(), Vec::new(), Vec::new());
        Self { scanner, messages, known, seen, told, passed, settled: 0 }
    }

    /// Takes what comes until it is enough.
    fn until(&mut self, enough: impl Fn(&Self) -> bool) {
        let end = Instant::now() + LONG;
        while !enough(self) {
            assert!(Instant::now() < end, "{} seen, {} passed", self.seen.len(), self.passed.len());
            match self.messages.next_within(Duration::from_millis(20)) {
                Some(Message::Found(candidates)) => {
                    assert!(candidates.len() <= 512);
                    self.seen.extend(candidates.iter().map(|candidate| candidate.path.clone()));
                    self.told.extend(candidates);
                    self.scanner.more();
                }
                Some(Message::Passed(pass)) => self.passed.push(pass),
                Some(Message::Settled(_)) => self.settled += 1,
                Some(Message::Hints) | None => self.hints(),
                other => panic!("{other:?}"),
            }
        }
    }

    fn hints(&mut self) {
        let mut hints = Vec::new();
        self.scanner.inbox().take(&mut hints);
        for path in hints {
            match Stamp::of(&path, false).map(|stamp| stamp.kind) {
                Ok(Kind::Folder) => self.scanner.folder(path),
                Ok(Kind::File) => drop(self.seen.insert(path)),
                _ => {}
            }
        }
    }

    fn until_settled(&mut self) {
        let before = self.settled;
        self.until(|scanning| scanning.settled > before);
    }

    fn until_seen(&mut self, path: &Path) {
        self.until(|scanning| scanning.seen.contains(path));
    }

    fn has_seen(&self, root: &Path, want: &[&str]) {
        let seen: Vec<_> = self.seen.iter().map(|path| path.strip_prefix(root).unwrap()).collect();
        assert_eq!(seen, want.iter().map(Path::new).collect::<Vec<_>>());
    }
}

fn touch(path: impl AsRef<Path>) {
    fs::File::create(path).unwrap().write_all(b"1").unwrap();
}

/// A folder with these files, and the path without links.
fn folder_with(files: &[&str]) -> (TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path().canonicalize().unwrap();
    for file in files {
        fs::create_dir_all(root.join(file).parent().unwrap()).unwrap();
        touch(root.join(file));
    }
    (folder, root)
}

fn check_once(change: impl FnOnce(&mut Where), files: &[&str], want: &[&str]) {
    let (_folder, root) = folder_with(files);
    let mut place = Where { once: true, ..place(&root) };
    change(&mut place);
    let mut scanning = Scanning::start(place);
    scanning.until_settled();
    scanning.has_seen(&root, want);
    assert_eq!(scanning.passed, [Pass { root: 0, there: true, whole: true }]);
}

#[test]
fn a_pass_finds_what_is_to_be_taken() {
    check_once(|_| {}, &["a", "b/c", ".h", ".g/x", "p.part"], &["a", "b/c"]);
    check_once(|place| place.depth = 0, &["a", "b/c"], &["a"]);
    check_once(|place| place.depth = 1, &["a", "b/c", "b/d/e"], &["a", "b/c"]);
    check_once(|place| place.outside = vec![place.roots[0].join("done")], &["a", "done/b"], &["a"]);
    check_once(|place| place.own_files = vec![place.roots[0].join("state")], &["a", "state"], &["a"]);
    let marked = Which::new(&[], &["tmp/".into()], false, 0, Some(".ok".into())).unwrap();
    check_once(|place| place.which = marked, &["a", "b", "b.ok", "tmp/c", "tmp/c.ok"], &["b"]);
}

#[test]
fn what_is_known_is_not_told() {
    let (_folder, root) = folder_with(&["a", "b", "c"]);
    let version = version_key(&root, &Stamp::of(&root.join("a"), false).unwrap());
    let known = HashSet::from([version, path_key(&root.join("b"))]);
    let mut by_version = Scanning::knowing(place(&root), known.clone());
    by_version.until_settled();
    by_version.has_seen(&root, &["b", "c"]);
    let mut by_path = Scanning::knowing(Where { identity: Identity::Path, ..place(&root) }, known);
    by_path.until_settled();
    by_path.has_seen(&root, &["a", "c"]);
    assert_eq!(by_path.told[0].stamp, Stamp::of(&by_path.told[0].path, false).unwrap());
}

#[test]
fn links_are_followed_only_when_asked_and_loops_never() {
    let (_folder, root) = folder_with(&["a/x"]);
    let (_other, elsewhere) = folder_with(&["y"]);
    symlink(root.join("a/x"), root.join("file")).unwrap();
    symlink(&elsewhere, root.join("away")).unwrap();
    symlink(&root, root.join("a/up")).unwrap();
    symlink("self", root.join("self")).unwrap();
    symlink("nowhere", root.join("dangling")).unwrap();
    for once in [true, false] {
        let mut plain = Scanning::start(Where { once, ..place(&root) });
        plain.until_settled();
        plain.has_seen(&root, &["a/x"]);
        let mut followed = Scanning::start(Where { once, follow: true, ..place(&root) });
        followed.until_settled();
        followed.has_seen(&root, &["a/x", "away/y", "file"]);
    }
}

#[test]
fn nested_folders_made_at_full_speed_lose_nothing() {
    let (_folder, root) = folder_with(&[]);
    let mut scanning = Scanning::start(place(&root));
    let at = root.clone();
    let writer = std::thread::spawn(move || {
        let mut all = BTreeSet::new();
        for number in 0..2_000 {
            let folder = at.join(format!("{}/{}/{number}", number % 10, number % 100));
            fs::create_dir_all(&folder).unwrap();
            for file in 0..10 {
                touch(folder.join(file.to_string()));
                all.insert(folder.join(file.to_string()));
            }
        }
        all
    });
    scanning.until(|scanning| scanning.seen.len() >= 20_000);
    assert!(scanning.seen == writer.join().unwrap());
}

#[test]
fn a_tree_that_is_moved_in_is_found_and_then_watched() {
    let (_folder, root) = folder_with(&[]);
    let (_other, elsewhere) = folder_with(&["t/1/2/3/x", "t/y"]);
    let mut scanning = Scanning::start(place(&root));
    scanning.until_settled();
    fs::rename(elsewhere.join("t"), root.join("t")).unwrap();
    scanning.until_seen(&root.join("t/y"));
    scanning.until_seen(&root.join("t/1/2/3/x"));
    touch(root.join("t/1/2/3/z"));
    scanning.until_seen(&root.join("t/1/2/3/z"));
    fs::rename(root.join("t"), root.join("u")).unwrap();
    scanning.until_seen(&root.join("u/1/2/3/z"));
    touch(root.join("u/1/2/3/w"));
    scanning.until_seen(&root.join("u/1/2/3/w"));
}

#[test]
fn a_folder_removed_and_made_again_is_watched_again() {
    let (_folder, root) = folder_with(&["a/b/0"]);
    let mut scanning = Scanning::start(place(&root));
    scanning.until_settled();
    for round in 1..=200 {
        fs::remove_dir_all(root.join("a")).unwrap();
        fs::create_dir_all(root.join("a/b")).unwrap();
        if round % 3 == 0 {
            scanning.scanner.everything();
        }
        let file = root.join(format!("a/b/{round}"));
        touch(&file);
        scanning.until_seen(&file);
    }
    scanning.until(|scanning| scanning.settled > 1);
    touch(root.join("a/b/last"));
    scanning.until_seen(&root.join("a/b/last"));
}

#[test]
fn a_watched_folder_may_go_and_come() {
    let (folder, root) = folder_with(&[]);
    let root = root.join("in");
    let mut scanning = Scanning::start(place(&root));
    scanning.until_settled();
    assert_eq!(scanning.passed, [Pass { root: 0, there: false, whole: false }]);
    for round in 0..3 {
        fs::create_dir(&root).unwrap();
        touch(root.join(round.to_string()));
        scanning.until_seen(&root.join(round.to_string()));
        scanning
            .until(|scanning| scanning.passed.last() == Some(&Pass { root: 0, there: true, whole: true }));
        let away = folder.path().join(format!("away-{round}"));
        fs::rename(&root, away).unwrap();
        scanning.scanner.everything();
        scanning
            .until(|scanning| scanning.passed.last() == Some(&Pass { root: 0, there: false, whole: false }));
    }
}

#[test]
fn a_folder_that_cannot_be_read_stops_no_other() {
    let (_folder, root) = folder_with(&["a/x", "b/y"]);
    fs::set_permissions(root.join("a"), fs::Permissions::from_mode(0o0)).unwrap();
    let is_root = fs::read_dir(root.join("a")).is_ok();
    let mut scanning = Scanning::start(place(&root));
    scanning.until_settled();
    scanning.has_seen(&root, if is_root { &["a/x", "b/y"] } else { &["b/y"] });
    fs::set_permissions(root.join("a"), fs::Permissions::from_mode(0o755)).unwrap();
    scanning.scanner.everything();
    scanning.until_seen(&root.join("a/x"));
}

#[test]
fn the_scanner_waits_for_a_keeper_and_ends_all_the_same() {
    let (_folder, root) = folder_with(&[]);
    for number in 0..3_000 {
        touch(root.join(number.to_string()));
    }
    let (sender, messages) = open().unwrap();
    let view = Box::new(Set(Arc::default()));
    let scanner = Scanner::start(Arc::new(place(&root)), view, sender).unwrap();
    let next = || messages.next_within(LONG).unwrap();
    let mut count = 0;
    for _ in 0..4 {
        let Message::Found(candidates) = next() else { panic!("{count} found") };
        count += candidates.len();
    }
    assert_eq!(count, 4 * 512);
    assert!(messages.next_within(Duration::from_millis(50)).is_none(), "a fifth chunk");
    scanner.more();
    assert!(matches!(next(), Message::Found(_)));
    scanner.stop();
    drop(scanner);
    let end = Instant::now() + LONG;
    while !messages.is_alone() {
        assert!(Instant::now() < end);
    }
}

#[test]
fn a_second_pass_tells_what_is_still_unknown() {
    let (_folder, root) = folder_with(&["a", "b"]);
    let mut scanning = Scanning::start(place(&root));
    scanning.until_settled();
    scanning.known.lock().unwrap().insert(version_key(&root, &Stamp::of(&root.join("a"), false).unwrap()));
    scanning.scanner.everything();
    scanning.until_settled();
    let told: Vec<_> = scanning.told.iter().map(|candidate| candidate.path.clone()).collect();
    assert_eq!(told.iter().filter(|path| path.ends_with("a")).count(), 1);
    assert_eq!(told.iter().filter(|path| path.ends_with("b")).count(), 2);
}

#[test]
fn one_pass_follows_another_only_when_it_is_time() {
    let (_folder, root) = folder_with(&["a"]);
    let mut scanning = Scanning::start(place(&root));
    scanning.until_settled();
    // A second pass would have begun at once, before the look that is asked for here.
    fs::create_dir(root.join("b")).unwrap();
    touch(root.join("b/x"));
    scanning.until_seen(&root.join("b/x"));
    assert_eq!((scanning.settled, scanning.passed.len()), (1, 1));
    let mut often = Scanning::start(Where { rescan: Duration::from_millis(10), ..place(&root) });
    often.until(|scanning| scanning.settled >= 3);
}

#[test]
fn a_path_that_is_too_long_is_left() {
    let (_folder, root) = folder_with(&["a"]);
    let name = "d".repeat(250);
    let mut folder = rustix::fs::open(&root, rustix::fs::OFlags::PATH, rustix::fs::Mode::empty()).unwrap();
    for _ in 0..20 {
        rustix::fs::mkdirat(&folder, name.as_str(), 0o755.into()).unwrap();
        folder =
            rustix::fs::openat(&folder, name.as_str(), rustix::fs::OFlags::PATH, rustix::fs::Mode::empty())
                .unwrap();
    }
    let mut scanning = Scanning::start(Where { depth: 99, ..place(&root) });
    scanning.until_settled();
    scanning.has_seen(&root, &["a"]);
    assert!(std::process::Command::new("rm").arg("-r").arg(&root).status().unwrap().success());
}
