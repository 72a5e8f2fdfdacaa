//! Which files are taken.

use std::fs;
use std::os::unix::fs::symlink;
use std::os::unix::net::UnixListener;

use rustix::fs::{CWD, FileType, Mode, mknodat};

use super::desk::Desk;

/// What a pass with these flags takes, as paths below `in`.
fn check(files: &[&str], flags: &[&str], want: &[&str]) {
    let paths: Vec<String> = files.iter().map(|name| format!("in/{name}")).collect();
    let desk = Desk::with(&paths.iter().map(String::as_str).collect::<Vec<_>>());
    takes(&desk, flags, want);
}

fn takes(desk: &Desk, flags: &[&str], want: &[&str]) {
    let folder = desk.path("in");
    let want: Vec<String> = want.iter().map(|name| format!("{}\n", folder.join(name).display())).collect();
    desk.once(flags, &["echo", "{}"]).stdout(want.concat()).run();
}

const TREE: [&str; 6] = ["a.csv", "b.txt", "x/c.csv", "x/y/d.csv", "x/y/z/e.csv", "skip/f.csv"];

#[test]
fn folders_are_read_as_deep_as_is_said() {
    check(&TREE, &[], &["a.csv", "b.txt"]);
    check(&TREE, &["-r=1"], &["a.csv", "b.txt", "skip/f.csv", "x/c.csv"]);
    check(&TREE, &["--recursive=2"], &["a.csv", "b.txt", "skip/f.csv", "x/c.csv", "x/y/d.csv"]);
    check(&TREE, &["-r"], &["a.csv", "b.txt", "skip/f.csv", "x/c.csv", "x/y/d.csv", "x/y/z/e.csv"]);
}

#[test]
fn globs_choose_names_and_paths() {
    check(&TREE, &["-r", "--include=*.txt"], &["b.txt"]);
    check(&TREE, &["-r", "--include=x/*.csv"], &["x/c.csv"]);
    check(&TREE, &["-r", "--include=x/**", "--exclude=d.*"], &["x/c.csv", "x/y/z/e.csv"]);
    check(&TREE, &["-r", "--exclude=*.csv"], &["b.txt"]);
    check(&TREE, &["-r", "--exclude=x", "--exclude=b*"], &["a.csv", "skip/f.csv"]);
    check(&TREE, &["-r", "--exclude=x/y"], &["a.csv", "b.txt", "skip/f.csv", "x/c.csv"]);
    check(&TREE, &["-r", "--exclude=y/", "--exclude=skip/"], &["a.csv", "b.txt", "x/c.csv"]);
    check(&["a.csv", "b.CSV", "c.{x}"], &["--include=*.{csv,txt}"], &["a.csv"]);
    check(&["a", "b"], &["--include=a", "--include=b"], &["a", "b"]);
}

#[test]
fn hidden_and_half_written_names_are_left() {
    let names = [".hid", "a.part", "b.tmp", "c.filepart", "d~", "e.partial", "part", ".dir/f"];
    check(&names, &["-r"], &["e.partial", "part"]);
    let all = [".dir/f", ".hid", "a.part", "b.tmp", "c.filepart", "d~", "e.partial", "part"];
    check(&names, &["-r", "--all-names"], &all);
}

#[test]
fn small_files_are_left_until_they_have_grown() {
    let desk = Desk::new();
    desk.put("in/empty", "");
    desk.put("in/small", "123");
    desk.put("in/large", "1234");
    takes(&desk, &["--min-size=4B"], &["large"]);
    desk.put("in/small", "12345");
    takes(&desk, &["--min-size=4B"], &["small"]);
    takes(&desk, &[], &["empty"]);
}

#[test]
fn a_marker_may_come_before_its_file_or_after() {
    let desk = Desk::with(&["in/a.ok", "in/b", "in/c", "in/c.ok", "in/.ok"]);
    takes(&desk, &["--done-suffix=.ok"], &["c"]);
    let mut watcher = desk.watch(&["--done-suffix=.ok", "-j2"], &["echo", "{name}"]).stdout_has("").start();
    desk.put("in/a", "");
    watcher.wait_for_stdout("a\n");
    desk.put("in/b.ok", "");
    watcher.wait_for_stdout("b\n");
    watcher.terminate();
    assert_eq!(watcher.finish().stdout, b"a\nb\n");
    assert_eq!(desk.listed(), ["done a", "done b", "done c"]);
}

#[test]
fn a_marker_goes_where_its_file_goes() {
    let desk = Desk::with(&["in/x/a", "in/x/a.ok", "in/bad", "in/bad.ok", "in/c"]);
    let flags = ["-r", "--done-suffix=.ok", "--done-dir=done", "--failed-dir=failed", "--retries=0"];
    desk.once(&flags, &["grep", "-q", "/a", "{}"]).status(23).stderr_has("bad: exit status 1").run();
    assert_eq!((desk.names("in"), desk.names("in/x")), (vec!["c".to_owned(), "x".into()], vec![]));
    assert_eq!(desk.names("done/x"), ["a", "a.ok"]);
    assert_eq!(desk.names("failed"), ["bad", "bad.ok", "bad.why.json"]);
    let desk = Desk::with(&["in/a", "in/a.ok"]);
    desk.once(&["--done-suffix=.ok", "--delete"], &["true"]).run();
    assert_eq!(desk.names("in"), [""; 0]);
}

/// Links in `in` to a file, to a folder, to themselves, to the folder above, to nothing.
fn with_links() -> Desk {
    let desk = Desk::with(&["in/a", "out/file", "out/folder/deep"]);
    let link = |to: &str, name: &str| symlink(to, desk.path("in").join(name)).unwrap();
    link("../out/file", "to-file");
    link("../out/folder", "to-folder");
    link("../in", "to-above");
    link("to-itself", "to-itself");
    link("../nothing", "to-nothing");
    link("/dev/null", "to-device");
    desk
}

#[test]
fn links_are_followed_only_where_that_is_wanted() {
    takes(&with_links(), &["-r"], &["a"]);
    takes(&with_links(), &["-r", "--follow"], &["a", "to-file", "to-folder/deep"]);
    takes(&with_links(), &["-L"], &["a", "to-file"]);
}

#[test]
fn links_that_come_are_followed_only_where_that_is_wanted() {
    let desk = Desk::with(&["out/file", "out/folder/deep"]);
    let mut watcher = desk.watch(&["-r"], &["echo", "{name}"]).stdout("a\n").start();
    let mut follower =
        desk.dirwatch_on("other", ["--follow", "-r", "in", "--", "echo", "{name}"]).stdout_has("").start();
    symlink("../out/file", desk.path("in/to-file")).unwrap();
    symlink("../out/folder", desk.path("in/to-folder")).unwrap();
    symlink("../in", desk.path("in/to-above")).unwrap();
    symlink("nothing", desk.path("in/to-nothing")).unwrap();
    follower.wait_for_stdout("to-file\n");
    follower.wait_for_stdout("deep\n");
    desk.put("out/folder/later", "");
    follower.wait_for_stdout("later\n");
    desk.put("in/a", "");
    follower.wait_for_stdout("a\n");
    watcher.wait_for_stdout("a\n");
    for running in [watcher, follower] {
        running.terminate();
        running.finish();
    }
}

#[test]
fn what_is_no_regular_file_is_left_alone() {
    let desk = Desk::new();
    let special = |name: &str, kind: FileType, device: u64| {
        mknodat(CWD, desk.path("in").join(name), kind, Mode::from_raw_mode(0o666), device)
    };
    special("pipe", FileType::Fifo, 0).unwrap();
    let _socket = UnixListener::bind(desk.path("in/socket")).unwrap();
    // Only root may.
    let _refused = special("device", FileType::CharacterDevice, rustix::fs::makedev(1, 3));
    fs::create_dir(desk.path("in/folder")).unwrap();
    desk.put("in/file", "");
    takes(&desk, &["--all-names", "--follow"], &["file"]);
    let mut watcher = desk.watch(&["--stdin"], &["echo", "{name}"]).stdout("new\n").start();
    special("pipe2", FileType::Fifo, 0).unwrap();
    let _late = UnixListener::bind(desk.path("in/socket2")).unwrap();
    desk.put("in/new", "");
    watcher.wait_for_stdout("new\n");
    watcher.terminate();
    watcher.finish();
    assert_eq!(desk.listed(), ["done file", "done new"]);
}

#[test]
fn two_folders_are_watched_with_one_record() {
    let desk = Desk::with(&["in/a", "two/a"]);
    let flags = ["--once", "--order=name", "in", "two", "two/", "--", "echo", "{}"];
    let [one, two] = ["in/a", "two/a"].map(|path| desk.path(path));
    desk.dirwatch(flags).stdout(format!("{}\n{}\n", one.display(), two.display())).run();
    desk.dirwatch(flags).run();
}
