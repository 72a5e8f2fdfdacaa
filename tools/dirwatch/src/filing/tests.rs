use std::fs::{File, FileTimes, Permissions};
use std::io::Write;
use std::os::unix::fs::{MetadataExt, PermissionsExt, symlink};
use std::time::{Duration, SystemTime};

use tempfile::TempDir;

use super::*;
use crate::identity::Key;

/// A watched folder and one that files are put into; on another file system if there is one.
struct Place {
    watched: TempDir,
    shelf: TempDir,
}

impl Place {
    fn near() -> Self {
        Self { watched: tempfile::tempdir().unwrap(), shelf: tempfile::tempdir().unwrap() }
    }

    /// Across file systems.
    fn far() -> Self {
        let shelf = tempfile::tempdir_in("/dev/shm").unwrap();
        let place = Self { watched: tempfile::tempdir().unwrap(), shelf };
        let device = |folder: &TempDir| fs::metadata(folder.path()).unwrap().dev();
        assert_ne!(device(&place.watched), device(&place.shelf), "set TMPDIR to a file system of its own");
        place
    }

    fn file(&self, name: &str, text: &str) -> (PathBuf, Stamp) {
        let path = self.watched.path().join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        File::create(&path).unwrap().write_all(text.as_bytes()).unwrap();
        let stamp = Stamp::of(&path, false).unwrap();
        (path, stamp)
    }

    fn put(&self, path: &Path, stamp: &Stamp, why: Option<&Why>) -> Filed {
        put_away(path, stamp, &Shelf { into: self.shelf.path(), below: self.watched.path(), why }).unwrap()
    }

    fn at(&self, name: &str) -> PathBuf {
        self.shelf.path().join(name)
    }

    /// What is on the shelf, by name, with its content.
    fn check(&self, want: &[(&str, &str)]) {
        let mut found: Vec<(String, String)> = fs::read_dir(self.shelf.path())
            .unwrap()
            .map(|entry| entry.unwrap())
            .map(|entry| {
                let text = if entry.path().is_file() {
                    fs::read_to_string(entry.path()).unwrap()
                } else {
                    String::new()
                };
                (entry.file_name().into_string().unwrap(), text)
            })
            .collect();
        found.sort();
        let found: Vec<(&str, &str)> =
            found.iter().map(|(name, text)| (name.as_str(), text.as_str())).collect();
        assert_eq!(found, want);
    }
}

fn both() -> [Place; 2] {
    [Place::near(), Place::far()]
}

fn why(id: u8) -> Why {
    let (elapsed, reason) = (Duration::ZERO, "exit status 1".into());
    Why { path: "/in/a".into(), id: Key([id; 16]), attempts: 1, reason, elapsed, failed_at: 0 }
}

#[test]
fn nothing_is_ever_overwritten() {
    for place in both() {
        for (text, name) in [("1", "a.csv"), ("2", "a.1.csv"), ("3", "a.2.csv")] {
            let (path, stamp) = place.file("a.csv", text);
            assert_eq!(place.put(&path, &stamp, None), Filed::Moved(place.at(name)));
            assert!(!path.exists());
        }
        place.check(&[("a.1.csv", "2"), ("a.2.csv", "3"), ("a.csv", "1")]);
    }
}

#[test]
fn a_file_keeps_its_folder_and_its_metadata() {
    for place in both() {
        let (path, _) = place.file("x/y/a", "text");
        fs::set_permissions(&path, Permissions::from_mode(0o640)).unwrap();
        let modified = SystemTime::UNIX_EPOCH + Duration::new(1_000_000_000, 123_456_789);
        File::options()
            .write(true)
            .open(&path)
            .unwrap()
            .set_times(FileTimes::new().set_modified(modified))
            .unwrap();
        let attributes =
            rustix::fs::setxattr(&path, "user.note", b"1", rustix::fs::XattrFlags::empty()).is_ok();
        let stamp = Stamp::of(&path, false).unwrap();
        let moved = place.at("x/y/a");
        assert_eq!(place.put(&path, &stamp, None), Filed::Moved(moved.clone()));
        let found = fs::metadata(&moved).unwrap();
        assert_eq!((found.mode() & 0o7777, found.modified().unwrap()), (0o640, modified));
        // Not every file system has them.
        if attributes
            && rustix::fs::setxattr(&moved, "user.probe", b"1", rustix::fs::XattrFlags::empty()).is_ok()
        {
            assert_eq!(rustix::fs::getxattr(&moved, "user.note", &mut [0; 9]), Ok(1));
        }
    }
}

#[test]
fn another_version_stays_where_it_is() {
    for place in both() {
        let (path, stamp) = place.file("a", "text");
        File::options().append(true).open(&path).unwrap().write_all(b"more").unwrap();
        assert_eq!(place.put(&path, &stamp, Some(&why(1))), Filed::Changed);
        assert_eq!(delete(&path, &stamp).unwrap(), Filed::Changed);
        assert_eq!(fs::read(&path).unwrap(), b"textmore");
        fs::remove_file(&path).unwrap();
        assert_eq!(place.put(&path, &stamp, Some(&why(1))), Filed::Gone);
        assert_eq!(delete(&path, &stamp).unwrap(), Filed::Gone);
        place.check(&[]);
    }
}

#[test]
fn what_came_between_look_and_move_is_put_back() {
    for place in both() {
        let (path, stamp) = place.file("a", "old");
        fs::remove_file(&path).unwrap();
        place.file("a", "newer");
        assert_eq!(shift(&path, &stamp, &place.at("a")).unwrap(), Step::Changed);
        assert_eq!(fs::read(&path).unwrap(), b"newer");
        fs::remove_file(&path).unwrap();
        assert_eq!(shift(&path, &stamp, &place.at("a")).unwrap(), Step::Gone);
        place.check(&[]);
        let (path, stamp) = place.file("b", "ours");
        File::create(place.at("b")).unwrap().write_all(b"theirs").unwrap();
        assert_eq!(shift(&path, &stamp, &place.at("b")).unwrap(), Step::Taken);
        place.check(&[("b", "theirs")]);
    }
}

#[test]
fn a_file_is_deleted() {
    let place = Place::near();
    let (path, stamp) = place.file("a", "text");
    assert_eq!(delete(&path, &stamp).unwrap(), Filed::Deleted);
    assert!(!path.exists());
}

#[test]
fn a_link_is_moved_and_not_what_it_leads_to() {
    for place in both() {
        let (path, stamp) = place.file("a", "text");
        let link = place.watched.path().join("link");
        symlink("a", &link).unwrap();
        assert_eq!(place.put(&link, &stamp, None), Filed::Moved(place.at("link")));
        assert_eq!(fs::read_link(place.at("link")).unwrap(), Path::new("a"));
        assert!(path.exists() && link.symlink_metadata().is_err());
    }
}

#[test]
fn no_file_is_without_its_reason() {
    for place in both() {
        for (id, name) in [(1, "a"), (2, "a.1")] {
            let (path, stamp) = place.file("a", "text");
            let moved = place.at(name);
            assert_eq!(place.put(&path, &stamp, Some(&why(id))), Filed::Moved(moved.clone()));
            assert!(why(id).is_in(&why::path_of(&moved)));
        }
        // A sidecar of somebody else keeps its name as well.
        let (path, stamp) = place.file("b", "text");
        File::create(place.at("b.why.json")).unwrap();
        assert_eq!(place.put(&path, &stamp, Some(&why(3))), Filed::Moved(place.at("b.1")));
        let long = "l".repeat(255);
        let (path, stamp) = place.file(&long, "text");
        assert_eq!(place.put(&path, &stamp, Some(&why(4))), Filed::Moved(place.at(&long[..246])));
    }
}

#[test]
fn whatever_a_killed_run_left_the_next_one_ends_with_one_file() {
    for place in both() {
        let (path, stamp) = place.file("a", "text");
        // Killed after the sidecar, and with a draft of another.
        why::Sidecar::put(&place.at("a"), Some(&why(1))).unwrap().unwrap().keep();
        File::create(place.at(&format!(".{}.why.tmp", Key([1; 16])))).unwrap();
        assert_eq!(place.put(&path, &stamp, Some(&why(1))), Filed::Moved(place.at("a")));
        let json = fs::read_to_string(place.at("a.why.json")).unwrap();
        place.check(&[("a", "text"), ("a.why.json", &json)]);
        // Killed after the move.
        assert_eq!(place.put(&path, &stamp, Some(&why(1))), Filed::Gone);
    }
}

#[test]
fn a_copy_whose_file_was_not_deleted_is_found_again() {
    let place = Place::far();
    let (path, stamp) = place.file("a", "text");
    let kept = place.watched.path().join("kept");
    fs::hard_link(&path, &kept).unwrap();
    let reason = why(1);
    assert_eq!(place.put(&path, &stamp, Some(&reason)), Filed::Moved(place.at("a")));
    // Killed in a copy before: it holds no lock any more.
    File::create(place.at(".a.00c0de.replace.tmp")).unwrap();
    fs::rename(&kept, &path).unwrap();
    assert_eq!(place.put(&path, &stamp, Some(&reason)), Filed::Moved(place.at("a")));
    assert!(!path.exists());
    // The same bytes of another file are another file.
    let (path, stamp) = place.file("a", "text");
    assert_eq!(place.put(&path, &stamp, Some(&why(2))), Filed::Moved(place.at("a.1")));
}

#[test]
fn a_full_or_closed_shelf_leaves_everything_as_it_was() {
    let place = Place::near();
    let (path, stamp) = place.file("a", "text");
    File::create(place.at("file")).unwrap();
    let shelf = Shelf { into: &place.at("file"), below: place.watched.path(), why: None };
    let error = put_away(&path, &stamp, &shelf).unwrap_err();
    assert!(error.to_string().starts_with("cannot make "), "{error}");
    assert!(path.exists());
}

#[test]
fn a_file_is_no_copy_of_itself() {
    let place = Place::near();
    let (path, stamp) = place.file("a", "one");
    let way_round = place.shelf.path().join("way-round");
    symlink(place.watched.path(), &way_round).unwrap();
    for into in [place.watched.path(), &way_round] {
        let shelf = Shelf { into, below: place.watched.path(), why: None };
        let moved = put_away(&path, &stamp, &shelf).unwrap();
        assert_eq!(moved, Filed::Moved(into.join("a.1")));
        fs::rename(into.join("a.1"), &path).unwrap();
    }
    assert_eq!(fs::read_to_string(&path).unwrap(), "one");
}
