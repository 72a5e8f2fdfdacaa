//! The script below every shell that is here, without a host.

use std::fs;
use std::io::Write;
use std::os::unix::fs::{MetadataExt, PermissionsExt, symlink};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use super::*;

/// What may stand behind `/bin/sh` somewhere.
const SHELLS: [&[&str]; 6] =
    [&["sh"], &["dash"], &["bash", "--posix"], &["busybox", "sh"], &["mksh"], &["ksh"]];

fn shells() -> impl Iterator<Item = &'static [&'static str]> {
    SHELLS.into_iter().filter(|shell| testkit::has(shell[0]))
}

/// The status of `script`, run by `shell` with `input`; `path` is where its programs are.
fn status(shell: &[&str], script: &str, input: &[u8], path: Option<&Path>) -> i32 {
    let mut command = Command::new(program(shell[0]));
    command.args(&shell[1..]).arg("-c").arg(script).stdin(Stdio::piped()).stderr(Stdio::null());
    if let Some(path) = path {
        command.env("PATH", path);
    }
    let mut child = command.spawn().unwrap();
    // One that ends early reads no more.
    let _is_read = child.stdin.take().unwrap().write_all(input);
    child.wait().unwrap().code().unwrap()
}

/// Where `name` is, whatever the path of the child will be.
fn program(name: &str) -> PathBuf {
    let places = ["/usr/bin", "/bin", "/usr/local/bin"].iter().map(|place| Path::new(place).join(name));
    places.into_iter().find(|path| path.exists()).unwrap_or_else(|| panic!("there is no {name}"))
}

struct Folder(tempfile::TempDir);

impl Folder {
    fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    fn remote(&self, name: &str) -> Remote {
        Remote::at(self.path(name).to_str().unwrap(), 0o640)
    }

    fn replace(&self, shell: &[&str], name: &str, was: Option<&[u8]>, is: &[u8]) -> i32 {
        let remote = self.remote(name);
        let was = was.map(|bytes| Zeroizing::new(bytes.to_vec()));
        status(shell, &remote.told(&remote.replacing()), &input(&was, is), None)
    }

    /// All names in it but those of locks.
    fn names(&self) -> Vec<String> {
        let names = fs::read_dir(self.0.path()).unwrap().map(|entry| entry.unwrap().file_name());
        let names = names.map(|name| name.into_string().unwrap());
        let mut names: Vec<_> = names.filter(|name| !name.contains(".lock")).collect();
        names.sort();
        names
    }
}

/// Programs without flock(1), as on systems that have none.
fn without_flock() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    let names = "cat chmod cksum cp id ln mkdir mv readlink rm sh sleep stat sync";
    for name in names.split(' ') {
        symlink(program(name), folder.path().join(name)).unwrap();
    }
    folder
}

/// What the lock of that process says where there is no flock(1).
fn held_by(pid: u32) -> String {
    format!("keyrotate:{}:mark:{pid}", rustix::process::geteuid().as_raw())
}

#[test]
fn a_file_is_replaced_whole() {
    for shell in shells() {
        let folder = Folder::new();
        let all: Vec<u8> = (0..=u8::MAX).cycle().take(100_000).collect();
        for name in ["it's a \"$name\"", "-n"] {
            assert_eq!(folder.replace(shell, name, None, b"one"), 0, "{shell:?}");
            let mode = fs::metadata(folder.path(name)).unwrap().mode() & 0o777;
            assert_eq!(mode, 0o640, "{shell:?}");
            for mode in [0o400, 0o604, 0o600] {
                fs::set_permissions(folder.path(name), fs::Permissions::from_mode(mode)).unwrap();
                let was = fs::read(folder.path(name)).unwrap();
                let is = [&all[..], was.as_slice()].concat();
                assert_eq!(folder.replace(shell, name, Some(&was), &is), 0, "{shell:?}");
                assert!(fs::read(folder.path(name)).unwrap() == is, "{shell:?}");
                assert_eq!(fs::metadata(folder.path(name)).unwrap().mode() & 0o777, mode, "{shell:?}");
            }
            assert_eq!(folder.replace(shell, name, None, b""), CHANGED, "{shell:?}");
        }
        assert_eq!(folder.names(), ["-n", "it's a \"$name\""], "{shell:?}");
    }
}

#[test]
fn nothing_is_lost_that_somebody_else_wrote() {
    for shell in shells() {
        let folder = Folder::new();
        testkit::write(folder.path("a"), "theirs");
        assert_eq!(folder.replace(shell, "a", Some(b"before"), b"ours"), CHANGED, "{shell:?}");
        assert_eq!(folder.replace(shell, "a", None, b"ours"), CHANGED, "{shell:?}");
        assert_eq!(folder.replace(shell, "b", Some(b""), b"ours"), CHANGED, "{shell:?}");
        assert_eq!(fs::read(folder.path("a")).unwrap(), b"theirs");
        assert_eq!(folder.names(), ["a"]);
        fs::create_dir(folder.path("folder")).unwrap();
        assert_eq!(folder.replace(shell, "folder", None, b"ours"), 1, "{shell:?}");
        assert_eq!(folder.replace(shell, "missing/a", None, b"ours"), 44, "{shell:?}");
    }
}

#[test]
fn what_is_cut_off_on_the_way_never_gets_the_name() {
    for shell in shells() {
        let folder = Folder::new();
        testkit::write(folder.path("a"), "before");
        let remote = folder.remote("a");
        let whole = input(&Some(Zeroizing::new(b"before".to_vec())), b"the new content");
        for end in 0..whole.len() {
            assert_eq!(
                status(shell, &remote.told(&remote.replacing()), &whole[..end], None),
                CUT,
                "{shell:?}: {end}"
            );
        }
        assert_eq!(fs::read(folder.path("a")).unwrap(), b"before");
        assert_eq!(folder.names(), ["a"], "{shell:?}");
        assert_eq!(status(shell, &remote.told(&remote.replacing()), &whole, None), 0, "{shell:?}");
    }
}

/// So many at once, each of which adds a line until it is there.
fn race(folder: &Folder, shell: &'static [&'static str], path: Option<&Path>) {
    const WRITERS: usize = 5;
    testkit::write(folder.path("a"), "foreign\n");
    std::thread::scope(|scope| {
        for writer in 0..WRITERS {
            scope.spawn(move || {
                let remote = folder.remote("a");
                for _ in 0..100 {
                    let was = fs::read(folder.path("a")).unwrap();
                    let is = [was.as_slice(), format!("{writer}\n").as_bytes()].concat();
                    let input = input(&Some(Zeroizing::new(was)), &is);
                    match status(shell, &remote.told(&remote.replacing()), &input, path) {
                        0 => return,
                        CHANGED | LOCKED => {}
                        status => panic!("{shell:?}: {status}"),
                    }
                }
                panic!("{shell:?}: it never came to write");
            });
        }
    });
    let text = fs::read_to_string(folder.path("a")).unwrap();
    let mut lines: Vec<&str> = text.lines().collect();
    lines.sort_unstable();
    assert_eq!(lines, ["0", "1", "2", "3", "4", "foreign"], "{shell:?}");
    assert_eq!(folder.names(), ["a"], "{shell:?}");
}

#[test]
fn writers_do_not_overwrite_each_other() {
    let without = without_flock();
    for shell in shells() {
        race(&Folder::new(), shell, None);
    }
    for shell in shells().filter(|shell| shell[0] != "busybox") {
        let folder = Folder::new();
        // Of one that was killed: nobody has this number.
        symlink(held_by(99_999_999), folder.path(".a.lock.by")).unwrap();
        testkit::write(folder.path(".a.keyrotate-mark"), "half of it");
        race(&folder, shell, Some(without.path()));
        assert!(fs::symlink_metadata(folder.path(".a.lock.by")).is_err(), "{shell:?}");
    }
}

#[test]
fn a_lock_that_is_held_is_waited_for_and_told() {
    let (folder, without) = (Folder::new(), without_flock());
    testkit::write(folder.path("a"), "before");
    let remote = folder.remote("a");
    let script = remote.told(&remote.replacing()).replace(&format!("-lt {TRIES}"), "-lt 3");
    let input = input(&Some(Zeroizing::new(b"before".to_vec())), b"after");
    symlink(held_by(std::process::id()), folder.path(".a.lock.by")).unwrap();
    assert_eq!(status(&["sh"], &script, &input, Some(without.path())), LOCKED);
    if testkit::has("flock") {
        // Our own lock, and that of another program.
        for name in [".a.lock", "a"] {
            let mut held = Command::new("flock")
                .arg(folder.path(name))
                .args(["sh", "-c", "echo; read -r _"])
                .stdin(Stdio::piped())
                .stdout(Stdio::piped())
                .spawn()
                .unwrap();
            std::io::Read::read_exact(held.stdout.as_mut().unwrap(), &mut [0]).unwrap();
            assert_eq!(status(&["sh"], &script, &input, None), LOCKED, "{name}");
            drop(held.stdin.take());
            held.wait().unwrap();
        }
    }
    assert_eq!(fs::read(folder.path("a")).unwrap(), b"before");
    fs::remove_file(folder.path(".a.lock.by")).unwrap();
    assert_eq!(status(&["sh"], &script, &input, None), 0);
}

#[test]
fn a_link_leads_to_the_file_that_is_replaced() {
    for shell in shells() {
        let folder = Folder::new();
        fs::create_dir(folder.path("real")).unwrap();
        testkit::write(folder.path("real/a"), "before");
        symlink("real/a", folder.path("link")).unwrap();
        assert_eq!(folder.replace(shell, "link", Some(b"before"), b"after"), 0, "{shell:?}");
        assert!(fs::symlink_metadata(folder.path("link")).unwrap().is_symlink());
        assert_eq!(fs::read(folder.path("real/a")).unwrap(), b"after");
    }
}
