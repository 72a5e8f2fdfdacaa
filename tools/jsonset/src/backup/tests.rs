use std::io::{Seek, Write};
use std::os::unix::fs::{MetadataExt, PermissionsExt, symlink};

use super::*;

fn write(path: &Path, text: &str) {
    File::create(path).and_then(|mut file| file.write_all(text.as_bytes())).unwrap();
}

/// Changes the file as the transaction does: keep, replace, prune. Returns the newest backup.
fn change(path: &Path, text: &str, copies: usize) -> Id {
    keep(path, &File::open(path).unwrap()).unwrap();
    write(path, text);
    prune(path, copies).unwrap();
    history(path).unwrap()[0].kept.id
}

fn contents(path: &Path) -> Vec<String> {
    history(path).unwrap().iter().map(|backup| fs::read_to_string(&backup.kept.path).unwrap()).collect()
}

#[test]
fn the_newest_copies_stay() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("app.json");
    write(&path, "0");
    let ids: Vec<Id> = (1..6).map(|number| change(&path, &number.to_string(), 3)).collect();
    assert!(ids.is_sorted_by(|a, b| a < b));
    assert_eq!(contents(&path), ["4", "3", "2"]);
    prune(&path, 0).unwrap();
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
}

#[test]
fn the_same_bytes_are_kept_once() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("app.json");
    // Longer than a piece, and different only behind the first one.
    let long = |last: &str| "x".repeat(PIECE) + last;
    write(&path, &long("a"));
    let first = change(&path, &long("a"), 9);
    assert_eq!(change(&path, &long("b"), 9), first);
    assert_ne!(change(&path, &long("a"), 9), first);
    assert_eq!(contents(&path), [long("b"), long("a")]);
}

#[test]
fn a_backup_is_taken_back_unless_the_file_has_changed() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("app.json");
    write(&path, "old");
    let made = |path: &Path| keep(path, &File::open(path).unwrap()).unwrap().unwrap();
    made(&path).take_back(&path);
    assert_eq!(contents(&path), [""; 0]);
    let kept = made(&path);
    write(&path, "new");
    kept.take_back(&path);
    assert_eq!(contents(&path), ["old"]);
}

#[test]
fn only_exact_names_are_backups() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("app.json");
    write(&path, "now");
    for other in [
        "app.json.bak",
        "app.json.20260314T092653Z.bak",
        "b.20260314T092653.589793Z.bak",
        "app.json.20260314T092653.589793Z.bak~",
    ] {
        write(&folder.path().join(other), "not ours");
    }
    fs::create_dir(folder.path().join("app.json.20260314T092653.589794Z.bak")).unwrap();
    symlink("/etc/passwd", folder.path().join("app.json.20260314T092653.589795Z.bak")).unwrap();
    write(&folder.path().join("app.json.20260314T092653.589793Z.bak"), "ours");
    assert_eq!(contents(&path), ["ours"]);
    prune(&path, 0).unwrap();
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 7);
}

#[test]
fn a_backup_is_as_secret_as_the_file() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("app.json");
    write(&path, "secret");
    fs::set_permissions(&path, fs::Permissions::from_mode(0o640)).unwrap();
    let mut file = File::open(&path).unwrap();
    file.seek(io::SeekFrom::Start(3)).unwrap();
    keep(&path, &file).unwrap();
    assert_eq!(file.stream_position().unwrap(), 3);
    let backup = &history(&path).unwrap()[0];
    let (old, new) = (file.metadata().unwrap(), fs::metadata(&backup.kept.path).unwrap());
    assert_eq!((new.mode(), new.uid(), new.gid()), (old.mode(), old.uid(), old.gid()));
    assert_eq!(fs::read(&backup.kept.path).unwrap(), b"secret");
}

#[test]
fn behind_a_link_they_lie_beside_the_real_file() {
    let folder = tempfile::tempdir().unwrap();
    let (real, link) = (folder.path().join("real"), folder.path().join("link.json"));
    fs::create_dir(&real).unwrap();
    write(&real.join("app.json"), "1");
    symlink("real/app.json", &link).unwrap();
    change(&link, "2", 9);
    assert_eq!(contents(&real.join("app.json")), ["1"]);
    assert_eq!(contents(&link), ["1"]);
    assert_eq!(fs::read(find(&link, None).unwrap().path).unwrap(), b"1");
}

#[test]
fn rolling_back_twice_is_where_it_began() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("app.json");
    write(&path, "old");
    change(&path, "new", 9);
    for want in ["old", "new", "old"] {
        let text = fs::read_to_string(find(&path, None).unwrap().path).unwrap();
        change(&path, &text, 9);
        assert_eq!(text, want);
    }
    fs::remove_file(&path).unwrap();
    assert_eq!(fs::read(find(&path, None).unwrap().path).unwrap(), b"new");
}

#[test]
fn one_is_found_by_the_beginning_of_its_id() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("app.json");
    let check = |id: Option<&str>, want: &str| {
        let said = match find(&path, id) {
            Ok(kept) => fs::read_to_string(kept.path).unwrap(),
            Err(error) => error.to_string().replace(path.to_str().unwrap(), "F"),
        };
        assert_eq!(said, want, "{id:?}");
    };
    write(&path, "1");
    check(None, "there is no backup of F; --backup makes one with each change");
    for (id, text) in
        [("20260314T092653.000001Z", "1"), ("20260314T092653.000002Z", "1"), ("20270101T000000.000000Z", "1")]
    {
        write(&folder.path().join(format!("app.json.{id}.bak")), text);
    }
    check(None, "no backup differs from F");
    check(Some("20260314T092653.000002Z"), "1");
    check(Some("2027"), "1");
    check(Some("2028"), "there is no backup `2028` of F; --history shows what there is");
    let several = "`2026` fits 2 backups of F, 20260314T092653.000001Z among them; give more of the ID";
    check(Some("2026"), several);
}

#[test]
fn a_name_without_room_for_the_time_is_an_error() {
    let folder = tempfile::tempdir().unwrap();
    let check = |length: usize, want: Option<&str>| {
        let path = folder.path().join("x".repeat(length));
        write(&path, "1");
        let said = keep(&path, &File::open(&path).unwrap()).err().map(|error| error.to_string());
        assert_eq!(said.is_some(), want.is_some(), "{said:?}");
        assert!(said.is_none_or(|said| said.ends_with(want.unwrap_or_default())));
    };
    check(227, None);
    check(228, Some(": its name has more than 227 bytes, so a backup has no room for the time in its own"));
}

#[test]
fn they_are_listed_with_size_and_hash() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("app.json");
    assert_eq!(table(&history(&path).unwrap()), [""; 0]);
    for (id, text) in
        [("20260314T092653.000001Z", "abc".to_owned()), ("20270101T000000.000000Z", "x".repeat(200_000))]
    {
        write(&folder.path().join(format!("app.json.{id}.bak")), &text);
    }
    let all = history(&path).unwrap();
    let want = [
        "ID                         SIZE  SHA256",
        "20270101T000000.000000Z  200000  91e3faafd322",
        "20260314T092653.000001Z       3  ba7816bf8f01",
    ];
    assert_eq!(table(&all), want);
    let want = format!(
        "{{\"id\":\"20260314T092653.000001Z\",\"path\":\"{}.20260314T092653.000001Z.bak\",\"sha256\":\
         \"ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad\",\"size_bytes\":3}}",
        path.display()
    );
    assert_eq!(json_lines(&all)[1], want);
}
