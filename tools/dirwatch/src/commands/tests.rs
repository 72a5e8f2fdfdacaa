use std::ffi::OsString;
use std::fs::{self, File, Permissions};
use std::io::Write;
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use rustix::fs::OFlags;

use super::*;

const LONG: Duration = Duration::from_mins(10);

/// The bit of signal 13 in a mask.
const SIGPIPE: u64 = 1 << 12;

fn settings(command: &[&str]) -> Settings {
    let words: Vec<OsString> = command.iter().map(OsString::from).collect();
    let template = Template::parse(&words, false).unwrap();
    Settings { template, stdin: false, follow: false, timeout: None, grace: LONG }
}

fn job(path: &Path) -> Job {
    let file = JobFile { path: path.into(), key: Key([0xcd; 16]), attempt: 2, hash: None };
    Job { id: 7, files: vec![file] }
}

/// Commands, and what they have told.
struct Desk {
    commands: Commands,
    mail: Mail,
    ended: Vec<Ended>,
}

impl Desk {
    fn new(settings: Settings) -> Self {
        let (post, mail) = crate::post::open().unwrap();
        Self { commands: Commands::new(settings, post).unwrap(), mail, ended: Vec::new() }
    }

    fn start(&mut self, job: Job) {
        self.commands.start(job, &self.mail);
    }

    /// The next one that has ended.
    fn next(&mut self) -> Ended {
        let end = Instant::now() + LONG;
        while self.ended.is_empty() {
            assert!(Instant::now() < end);
            self.look(self.commands.until().unwrap_or(end));
        }
        self.ended.remove(0)
    }

    fn look(&mut self, until: Instant) {
        let names = self.mail.wait(until);
        while let Some(message) = self.mail.next() {
            let Message::Hunted(id) = message else { panic!("{message:?}") };
            self.commands.hunted(id, &self.mail);
        }
        self.ended.extend(self.commands.ended(&names, &self.mail));
    }
}

fn end_of(settings: Settings, path: &Path) -> End {
    let mut desk = Desk::new(settings);
    desk.start(job(path));
    let ended = desk.next();
    assert_eq!(ended.job.id, 7);
    ended.end
}

fn check(command: &[&str], want: &str) {
    let end = match end_of(settings(command), Path::new("/in/a")) {
        End::NotRunnable(error) => format!("NotRunnable: {error}"),
        other => format!("{other:?}"),
    };
    assert!(end.contains(want), "{command:?}: {end}");
}

fn write(path: &Path, text: &str, mode: u32) {
    File::create(path).unwrap().write_all(text.as_bytes()).unwrap();
    fs::set_permissions(path, Permissions::from_mode(mode)).unwrap();
}

#[test]
fn the_status_tells_how_it_ended() {
    check(&["true"], "Success");
    check(&["sh", "-c", "exit 3"], "Failure(\"exit status 3\")");
    check(&["sh", "-c", "kill -9 $$"], "Failure(\"killed by signal 9\")");
    check(&["sh", "-c", "no-such-command-anywhere 2>&-"], "NotRunnable: `sh` ended with status 127");
}

#[test]
fn a_command_that_cannot_be_run_is_no_fault_of_the_file() {
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name).to_str().unwrap().to_owned();
    for (name, text, mode) in [
        ("plain", "exit 0", 0o644),
        ("script", "exit 0\n", 0o755),
        ("orphan", "#! /no/such/interpreter -x\n", 0o755),
        ("dos", "#!/bin/sh\r\nexit 0\r\n", 0o755),
    ] {
        write(Path::new(&at(name)), text, mode);
    }
    check(
        &["no-such-command-anywhere"],
        "NotRunnable: cannot run no-such-command-anywhere: no such command in PATH",
    );
    check(
        &["/no/such/command"],
        "NotRunnable: cannot run /no/such/command: No such file or directory (os error 2)",
    );
    check(&[&at("plain")], "plain is not executable; give it the right with chmod +x");
    check(&[&at("plain/x")], "plain/x: Not a directory (os error 20)");
    check(&[&at("")], ": Permission denied (os error 13)");
    check(&[&at("script")], "has no `#!` line; write `sh ");
    check(
        &[&at("orphan")],
        "its interpreter /no/such/interpreter is not there; install it, or mend the first line",
    );
    check(&[&at("dos")], "its lines end with CR LF");
    let long = "x".repeat(200 << 10);
    check(&["true", &long], "Failure(\"its names are too long for one command line\")");
}

#[test]
fn a_busy_program_is_tried_again_later() {
    let folder = tempfile::tempdir().unwrap();
    let program = folder.path().join("true");
    fs::copy("/bin/true", &program).unwrap();
    let writer = File::options().append(true).open(&program).unwrap();
    let end = end_of(settings(&[program.to_str().unwrap()]), Path::new("/in/a"));
    assert!(matches!(&end, End::NoRoom(cause) if cause.raw_os_error() == Some(26)), "{end:?}");
    drop(writer);
    check(&[program.to_str().unwrap()], "Success");
}

#[test]
fn a_program_that_is_replaced_is_run_and_one_that_is_removed_is_not() {
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name);
    let program = at("program");
    write(&program, "#!/bin/sh\nexit 3\n", 0o755);
    let mut desk = Desk::new(settings(&[program.to_str().unwrap()]));
    let mut run = || {
        desk.start(job(Path::new("/in/a")));
        format!("{:?}", desk.next().end)
    };
    assert!(run().contains("exit status 3"));
    write(&at("new"), "#!/bin/sh\nexit 4\n", 0o755);
    fs::rename(at("new"), &program).unwrap();
    assert!(run().contains("exit status 4"));
    fs::remove_file(&program).unwrap();
    assert!(run().contains("NotRunnable"));
}

#[test]
fn names_arrive_byte_for_byte() {
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("out");
    let script = format!(
        "printf '%s|' \"$@\" \"$DIRWATCH_PATH\" \"$DIRWATCH_ATTEMPT\" \"$DIRWATCH_ID\" >{}",
        out.display()
    );
    for name in [&b"a\nb"[..], b"-rf", b"'\"$(exit 9)`\\*", b"\xff\xfe", b" "] {
        let path = Path::new("/in").join(std::ffi::OsStr::from_bytes(name));
        assert!(matches!(
            end_of(settings(&["sh", "-c", &script, "sh", "{}", "{name}"]), &path),
            End::Success
        ));
        let id = "cd".repeat(16);
        let path = path.into_os_string().into_vec();
        let want = [&path[..], b"|", name, b"|", &path[..], b"|2|", id.as_bytes(), b"|"].concat();
        assert_eq!(fs::read(&out).unwrap(), want);
    }
}

#[test]
fn a_command_starts_with_clean_signals_and_no_input() {
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("out");
    let script = format!(
        "grep -E '^Sig(Blk|Ign)' /proc/self/status >{0}; readlink /proc/self/fd/0 >>{0};
        ls /proc/self/fd | wc -l >>{0}; ps -o pgid= $$ | tr -d ' ' >>{0}; echo $$ >>{0}",
        out.display()
    );
    let end = end_of(settings(&["sh", "-c", &script]), Path::new("/in/a"));
    assert!(matches!(end, End::Success), "{end:?}");
    let told = fs::read_to_string(&out).unwrap();
    let lines: Vec<&str> = told.lines().collect();
    assert_eq!((lines[0], lines[2]), ("SigBlk:\t0000000000000000", "/dev/null"));
    // The runtime ignores SIGPIPE in this process; all else is as whoever started us wanted it.
    let ignored = |text: &str| {
        let line = text.lines().find_map(|line| line.strip_prefix("SigIgn:\t")).unwrap();
        // 32 and 33 are the C library's own: whatever it spawns begins with these ignored.
        u64::from_str_radix(line, 16).unwrap() & 0x7fff_ffff
    };
    let ours = ignored(&fs::read_to_string("/proc/self/status").unwrap());
    assert_eq!((ours & SIGPIPE, ignored(&told)), (SIGPIPE, ours & !SIGPIPE));
    assert_eq!(lines[4], lines[5], "it leads its group");
    // Three standard ones, the folder that ls reads, and what whoever runs the tests has left open.
    assert_eq!(lines[3], (4 + inherited()).to_string());
}

/// How many descriptors of this process, beside the standard ones, its children inherit.
fn inherited() -> usize {
    let numbers = fs::read_dir("/proc/self/fdinfo").unwrap().map(|entry| entry.unwrap());
    let numbers = numbers.filter(|entry| entry.file_name().to_str().unwrap().parse::<u32>().unwrap() > 2);
    let flags = numbers.filter_map(|entry| {
        let info = fs::read_to_string(entry.path()).ok()?;
        let flags = info.lines().find_map(|line| line.strip_prefix("flags:"))?.trim().to_owned();
        u32::from_str_radix(&flags, 8).ok()
    });
    flags.filter(|flags| flags & OFlags::CLOEXEC.bits() == 0).count()
}

#[test]
fn the_content_can_be_the_input() {
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name);
    write(&at("a"), "content", 0o644);
    std::os::unix::fs::symlink("a", at("link")).unwrap();
    let pipe = at("pipe");
    assert!(std::process::Command::new("mkfifo").arg(&pipe).status().unwrap().success());
    let check = |name: &str, follow: bool, want: &str| {
        let settings = settings(&["sh", "-c", "test \"$(cat)\" = content"]);
        let end = end_of(Settings { stdin: true, follow, ..settings }, &at(name));
        assert!(format!("{end:?}").contains(want), "{name}: {end:?}");
    };
    check("a", false, "Success");
    check("link", true, "Success");
    check("link", false, "Unreadable(Os { code: 40");
    check("gone", false, "Unreadable(Os { code: 2");
    check("pipe", false, "it is not a regular file any more");
    check(".", false, "it is not a regular file any more");
}

#[test]
fn a_command_whose_time_is_over_is_ended_with_all_it_started() {
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("out");
    let script = format!(
        "trap '' TERM; setsid sleep 1000 & echo $! >{0}; sleep 1000 & echo $! >>{0}; wait; exit 0",
        out.display()
    );
    let timeout = Some(Duration::from_millis(300));
    let settings = Settings { timeout, grace: Duration::from_millis(50), ..settings(&["sh", "-c", &script]) };
    let end = end_of(settings, Path::new("/in/a"));
    assert!(matches!(&end, End::Failure(why) if why == "timed out after 300ms"), "{end:?}");
    let told = fs::read_to_string(&out).unwrap();
    assert_eq!(told.lines().count(), 2);
    for pid in told.lines() {
        let stat = fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
        assert!(stat.is_empty() || stat.contains(") Z "), "{stat}");
    }
}

#[test]
fn what_is_interrupted_is_no_failure() {
    let mut desk = Desk::new(settings(&["sh", "-c", "echo >{}; trap 'exit 0' TERM; sleep 1000 & wait"]));
    let folder = tempfile::tempdir().unwrap();
    let paths = ["a", "b", "c"].map(|name| folder.path().join(name));
    for (id, path) in paths.iter().enumerate().take(2) {
        desk.start(Job { id: id as u64, ..job(path) });
    }
    while !(paths[0].exists() && paths[1].exists()) {
        thread::yield_now();
    }
    desk.commands.end_all(&desk.mail);
    desk.start(Job { id: 2, ..job(&paths[2]) });
    for _ in 0..3 {
        let ended = desk.next();
        assert!(matches!(ended.end, End::Interrupted), "{ended:?}");
    }
    assert!(!paths[2].exists(), "what had not begun does not begin");
}

#[test]
fn many_jobs_end_once_each_and_leave_nothing_open() {
    let mut desk = Desk::new(settings(&["true", "{}"]));
    let open = || fs::read_dir("/proc/self/fd").unwrap().count();
    let mut ids = Vec::new();
    for id in 0..200 {
        desk.start(Job { id, ..job(Path::new("/in/a")) });
        if id % 8 == 7 {
            ids.extend((0..8).map(|_| desk.next().job.id));
        }
    }
    ids.sort_unstable();
    assert_eq!(ids, (0..200).collect::<Vec<_>>());
    desk.look(Instant::now());
    assert!(desk.ended.is_empty() && open() < 200);
}

#[test]
fn without_a_descriptor_the_end_is_seen_too() {
    let mut desk = Desk::new(settings(&["sh", "-c", "sleep 0.1; exit 3"]));
    desk.start(job(Path::new("/in/a")));
    let one = desk.commands.running.get_mut(&7).unwrap();
    let fd = one.fd.take().unwrap();
    desk.mail.unwatch(&fd);
    assert!(matches!(desk.next().end, End::Failure(why) if why == "exit status 3"));
}
