//! Files that are slow, strange, alike, or badly named.
//!
//! Items 13, 15, 16 and 18 of the list in [`super::faults`].

use std::ffi::OsStr;
use std::fs::{self, File, FileTimes};
use std::io::Write;
use std::os::unix::ffi::OsStrExt;
use std::process::{Command, Stdio};
use std::time::{Duration, SystemTime};

use rustix::fs::{CWD, Mode, OFlags, mkdirat, openat};

use super::faults::{Site, wait_until};

#[test]
fn a_time_in_the_future_or_long_ago_blocks_nothing() {
    let mut site = Site::new();
    let century = Duration::from_hours(24 * 365 * 100);
    let now = SystemTime::now();
    for (name, time) in [("future", now + century), ("past", SystemTime::UNIX_EPOCH), ("now", now)] {
        site.put(name, name);
        let file = File::options().write(true).open(site.path("in").join(name)).unwrap();
        file.set_times(FileTimes::new().set_modified(time).set_accessed(time)).unwrap();
    }
    site.start(&["--settle=300ms", "--order=time"], &[]);
    for name in ["past", "now", "future"] {
        site.wait_noted(name);
    }
    assert_eq!(site.end(), 0);
    assert!(site.noted().values().all(|attempts| *attempts == [1]), "{:?}", site.noted());
}

#[test]
fn files_that_are_alike_are_told_apart_as_is_asked() {
    let check = |identity: &str, want: [usize; 2]| {
        let site = Site::new();
        let flags = [identity, "--order=name"];
        for (name, content) in [("a", "one"), ("b", "one"), ("c", ""), ("d", "")] {
            site.put(name, content);
        }
        fs::hard_link(site.path("in/a"), site.path("in/link")).unwrap();
        let (status, said) = site.once(&flags, &[]);
        assert_eq!((status, said.as_str()), (0, ""), "{identity}");
        let first = site.notes().len();
        // The same name with other content.
        fs::remove_file(site.path("in/a")).unwrap();
        site.put("a", "two");
        let (status, said) = site.once(&flags, &[]);
        assert_eq!((status, said.as_str()), (0, ""), "{identity}");
        assert_eq!([first, site.notes().len() - first], want, "{identity} {:?}", site.noted());
    };
    check("--identity=version", [4, 1]);
    check("--identity=content", [2, 1]);
    check("--identity=path", [5, 0]);
}

/// Waits until the watcher has seen everything that was put before.
fn wait_for_all_before(site: &mut Site, probe: &str) {
    site.put(probe, probe);
    site.wait_noted(probe);
}

#[test]
fn what_is_open_for_writing_is_left_until_its_writer_is_through_or_dies() {
    let mut site = Site::new();
    site.start(&[], &[]);
    let script = "exec 3>in/dies; echo half >&3; exec 4>in/hole; truncate -s 1000000 in/hole; echo up; cat";
    let mut writer = Command::new("sh");
    let writer = writer.args(["-c", script]).current_dir(site.path(""));
    let mut writer = writer.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
    wait_until("it has begun", || site.path("in/hole").metadata().is_ok_and(|found| found.len() > 0));
    wait_for_all_before(&mut site, "one");
    wait_for_all_before(&mut site, "two");
    assert_eq!(site.noted().len(), 2, "{:?}", site.noted());
    writer.kill().unwrap();
    writer.wait().unwrap();
    site.wait_noted("dies");
    site.wait_noted("hole");
    assert_eq!(site.end(), 0);
    let sizes: Vec<_> = site.notes().iter().filter_map(|note| note.size).collect();
    assert!(sizes.contains(&5) && sizes.contains(&1_000_000), "{sizes:?}");
}

#[test]
fn what_is_mapped_is_left_until_it_is_not() {
    const MAP: &str = "import mmap, sys
f = open('in/mapped', 'wb+'); f.truncate(8192); m = mmap.mmap(f.fileno(), 8192); f.close()
print('up', flush=True); sys.stdin.read(); m[0:4] = b'last'; m.close()";
    let mut site = Site::new();
    let mut python = Command::new("python3");
    let python = python.args(["-c", MAP]).current_dir(site.path(""));
    let Ok(mut writer) = python.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn() else {
        println!("skipped: python3 is not installed");
        return;
    };
    let mut line = String::new();
    std::io::BufRead::read_line(&mut std::io::BufReader::new(writer.stdout.take().unwrap()), &mut line)
        .unwrap();
    assert_eq!(line, "up\n");
    site.start(&[], &["cp", "{}", "copy-{name}"]);
    site.put("probe", "x");
    site.wait("the probe is taken", |site| site.look("--list=done").1.contains("in/probe"));
    assert!(!site.path("copy-mapped").exists(), "it was taken while it was mapped");
    drop(writer.stdin.take());
    assert!(writer.wait().unwrap().success());
    site.wait("it is taken", |site| site.look("--list=done").1.contains("in/mapped"));
    assert_eq!(site.end(), 0);
    assert_eq!(&fs::read(site.path("copy-mapped")).unwrap()[..4], b"last");
}

#[test]
fn a_writer_that_opens_its_file_again_is_waited_for() {
    let mut site = Site::new();
    site.start(&["--settle=2s"], &[]);
    site.put("f", "1");
    for part in 2..6 {
        let mut file = File::options().append(true).open(site.path("in/f")).unwrap();
        file.write_all(b"+").unwrap();
        drop(file);
        wait_for_quiet(part);
    }
    site.wait_noted("f");
    assert_eq!(site.end(), 0);
    let sizes: Vec<_> = site.notes().iter().map(|note| note.size).collect();
    assert_eq!(sizes, [Some(5)]);
}

/// A gap far below the settle.
fn wait_for_quiet(_part: u32) {
    let since = std::time::Instant::now();
    wait_until("a moment has passed", || since.elapsed() > Duration::from_millis(50));
}

#[test]
fn any_name_arrives_as_it_is() {
    let site = Site::new();
    let longest = "n".repeat(255);
    let names: [&[u8]; 9] = [
        b"-rf",
        b"--help",
        b"new\nline",
        b"quote'\"$(touch hacked)`",
        b" blank ",
        b"\xff\xfe\x80",
        b"\x1b[31mred",
        b"{name}{{}}",
        longest.as_bytes(),
    ];
    for name in names {
        site.put(OsStr::from_bytes(name), "x");
    }
    let (status, said) = site.once(
        &["--done-dir=done"],
        &["sh", "-c", r#"cat "$1" >/dev/null; printf '%s\0' "$2" >>names"#, "sh", "{}", "{name}"],
    );
    assert_eq!((status, said.as_str()), (0, ""));
    let mut want: Vec<&[u8]> = names.to_vec();
    want.sort_unstable();
    let told = fs::read(site.path("names")).unwrap();
    let mut told: Vec<&[u8]> = told.split(|&byte| byte == 0).filter(|name| !name.is_empty()).collect();
    told.sort_unstable();
    assert_eq!(told, want);
    let mut done: Vec<_> =
        fs::read_dir(site.path("done")).unwrap().map(|one| one.unwrap().file_name()).collect();
    done.sort();
    assert_eq!(done.iter().map(|name| name.as_bytes()).collect::<Vec<_>>(), want);
    assert!(!site.path("hacked").exists());
    let (status, listed, _) = site.look("--list");
    assert_eq!((status, listed.lines().skip(1).count()), (0, names.len()), "{listed}");
}

#[test]
fn a_path_that_is_too_long_for_the_system_is_said_once_and_left() {
    let mut site = Site::new();
    let name = "d".repeat(250);
    let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
    let mut folder = openat(CWD, site.path("in"), flags, Mode::empty()).unwrap();
    for level in 0..20 {
        let create = OFlags::WRONLY | OFlags::CREATE | OFlags::CLOEXEC;
        drop(openat(&folder, format!("f{level}"), create, Mode::RUSR | Mode::WUSR).unwrap());
        mkdirat(&folder, &name, Mode::RWXU).unwrap();
        folder = openat(&folder, &name, flags, Mode::empty()).unwrap();
    }
    site.start(&["--recursive", "--rescan=100ms"], &[]);
    site.wait_noted("f0");
    site.wait_said("paths of more than 4095 bytes, which nothing can open; they are left");
    site.put("late", "x");
    site.wait_noted("late");
    site.wait_noted("f14");
    assert_eq!(site.end(), 0);
    assert_eq!(site.times_said("are paths of more than"), 1, "{}", site.said());
    let noted = site.noted();
    assert!(!noted.contains_key("f17") && noted.values().all(|attempts| *attempts == [1]), "{noted:?}");
}
