use std::fs;
use std::io::Write as _;
use std::process::Stdio;
use std::time::Instant;

use super::*;

const LONG: Duration = Duration::from_secs(60);

/// Runs `command` on content `{"a":1}`; the sentence with `F` for the folder, or nothing.
fn judge(command: &str, limit: Duration) -> (String, String) {
    let folder = tempfile::tempdir().unwrap();
    let content = folder.path().join("it's new.tmp");
    File::create(&content).unwrap().write_all(b"{\"a\":1}").unwrap();
    let file = folder.path().join("app.json");
    // Held open as the lock is: a command that had it would keep the lock.
    let _locked = File::create(&file).unwrap();
    // What on_change sees.
    fs::copy(&content, &file).unwrap();
    let folder = folder.path().to_str().unwrap();
    let said = |done: Result<()>| {
        done.map_or_else(|error| error.to_string().replace(folder, "F"), |()| String::new())
    };
    (said(validate(command, &content, &file, limit)), said(on_change(command, &file, limit)))
}

fn check(command: &str, limit: Duration, want: [&str; 2]) {
    let (validate, on_change) = judge(command, limit);
    assert_eq!([&*validate, &*on_change], want, "{command}");
}

#[test]
fn the_sentence_says_what_became_of_the_file() {
    check("true", LONG, ["", ""]);
    let no = [
        "`exit 3` says no: exit status 3; F/app.json is unchanged",
        "F/app.json is changed, but `exit 3` failed: exit status 3",
    ];
    check("exit 3", LONG, no);
    let killed = [
        "`kill -9 $$` says no: killed by signal 9; F/app.json is unchanged",
        "F/app.json is changed, but `kill -9 $$` failed: killed by signal 9",
    ];
    check("kill -9 $$", LONG, killed);
    let late = [
        "`sleep 60` did not end within 50ms; F/app.json is unchanged",
        "F/app.json is changed, but `sleep 60` did not end within 50ms",
    ];
    check("sleep 60", Duration::from_millis(50), late);
}

#[test]
fn who_judges_may_not_write() {
    let refused = |command: &str| {
        let no = format!("`{command}` has changed what it may only read; F/app.json is unchanged");
        check(command, LONG, [&no, ""]);
    };
    refused("echo >> {}");
    refused("cp {} {}.new && mv {}.new {}");
    refused("rm {} && ln -s app.json {}");
    refused("rm {}");
}

#[test]
fn the_command_finds_the_content_by_name_and_on_its_input() {
    let yes = |command: &str| check(command, LONG, ["", ""]);
    yes("grep -q a {} && test -f {}");
    yes("grep -q a");
    yes("cmp - {}");
    yes("case $JSONSET_FILE in /*/app.json) ;; *) exit 1;; esac");
}

#[test]
fn the_command_has_no_descriptor_but_three() {
    // Its standard output is our standard error.
    check("test /proc/$$/fd/1 -ef /proc/$$/fd/2", LONG, ["", ""]);
    check(
        "for fd in /proc/$$/fd/[1-9]*; do test $fd -ef $JSONSET_FILE && exit 7; done; true",
        LONG,
        ["", ""],
    );
}

#[test]
fn a_path_is_one_word() {
    let check = |command: &str, path: &str, want: &str| {
        assert_eq!(filled(command, Path::new(path)), want);
    };
    check("cat {}; wc '{}' {", "/etc/app.json", "cat /etc/app.json; wc '/etc/app.json' {");
    check("cat {}{}", "/a b", "cat '/a b''/a b'");
    check("cat {}", "/a'b$(x)\n", "cat '/a'\\''b$(x)\n'");
    check("cat", "/a", "cat");
}

/// Whether the process whose number stands in `file` has ended; a zombie has.
fn has_ended(file: &Path) -> bool {
    let pid: u32 = fs::read_to_string(file).unwrap().trim().parse().unwrap();
    let stat = fs::read_to_string(format!("/proc/{pid}/stat"));
    stat.map_or(true, |stat| stat.rsplit(')').next().unwrap().trim_start().starts_with('Z'))
}

#[track_caller]
fn until(what: impl Fn() -> bool) {
    let begin = Instant::now();
    while !what() {
        assert!(begin.elapsed() < LONG, "it never came");
        std::thread::sleep(Duration::from_millis(5));
    }
}

#[test]
fn the_whole_family_ends_at_the_deadline() {
    let folder = tempfile::tempdir().unwrap();
    let pid = folder.path().join("pid");
    let command = format!("trap '' TERM; sleep 600 & echo $! > {}; wait", pid.display());
    // Long enough for the shell to write the number, whatever else the machine does.
    let late = validate(&command, Path::new("/dev/null"), &pid, Duration::from_secs(2)).unwrap_err();
    assert!(late.to_string().contains("did not end within 2s"), "{late}");
    until(|| has_ended(&pid));
}

/// Not a test by itself: what the one below starts in a process of its own.
#[test]
fn a_process_that_waits_for_a_command() {
    let Some(pid) = std::env::var_os("WAIT_FOR_A_COMMAND") else { return };
    let command = "echo $$ > $JSONSET_FILE.part; mv $JSONSET_FILE.part $JSONSET_FILE; exec sleep 600";
    let _never_returns = validate(command, Path::new("/dev/null"), Path::new(&pid), 10 * LONG);
}

#[test]
fn a_signal_ends_the_command_and_then_us() {
    for signal in [Signal::INT, Signal::TERM, Signal::HUP] {
        let folder = tempfile::tempdir().unwrap();
        let pid = folder.path().join("pid");
        let mut us = Command::new(std::env::current_exe().unwrap());
        us.args(["--exact", "command::tests::a_process_that_waits_for_a_command"]);
        us.env("WAIT_FOR_A_COMMAND", &pid).stdout(Stdio::null());
        let mut us = us.spawn().unwrap();
        until(|| pid.exists());
        rustix::process::kill_process(Pid::from_child(&us), signal).unwrap();
        assert_eq!(us.wait().unwrap().signal(), Some(signal.as_raw()));
        assert!(has_ended(&pid), "{signal:?}");
    }
}
