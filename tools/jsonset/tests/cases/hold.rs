//! `--while`: whatever ends it, the change is undone.

use std::fs;
use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};
use testkit::strace::{self, Fate, Killer};
use testkit::{Case, Running};

const BIN: &str = env!("CARGO_BIN_EXE_jsonset");

const OLD: &str = "{\n  \"a\": 1,\n  \"b\": {\"c\": 2.0}\n}\n";

/// Long enough for the slowest machine; only a hang meets it.
const DEADLINE: Duration = Duration::from_secs(30);

/// A use that lasts until somebody ends it.
fn held(edit: &str) -> Case {
    let command = ["--while", "--", "sh", "-c", "echo ready; exec sleep 1000"];
    Case::new(BIN).file("x.json", OLD).args(["x.json", edit]).args(command).stdout("ready\n")
}

fn start(case: Case) -> Running {
    let mut running = case.start();
    running.wait_for_stdout("ready");
    running
}

fn text(path: &Path) -> String {
    fs::read_to_string(path).unwrap()
}

fn wait_until(done: impl Fn() -> bool) {
    let begin = Instant::now();
    while !done() {
        assert!(begin.elapsed() < DEADLINE, "it never came to that");
        std::thread::sleep(Duration::from_millis(1));
    }
}

fn send(pid: u32, signal: Signal) {
    let pid = Pid::from_raw(i32::try_from(pid).unwrap()).unwrap();
    kill_process(pid, signal).unwrap();
}

/// A call of ours in the folder of `path`, which must succeed.
fn call(path: &Path, args: &[&str]) {
    let folder = path.parent().unwrap();
    Case::new(BIN).current_dir(folder).args(args).run();
}

/// Another use that lasts until it gets SIGTERM, in the folder of `path`.
fn beside(path: &Path, args: &[&str]) -> Running {
    let command = ["--while", "--", "sh", "-c", "echo ready; exec sleep 1000"];
    let case = Case::new(BIN).current_dir(path.parent().unwrap()).args(args).args(command);
    start(case.stdout("ready\n").status(143))
}

/// Nothing but the document is left, and that is what it was.
fn is_restored(path: &Path) -> bool {
    text(path) == OLD && !path.with_file_name(".x.json.held").exists()
}

#[test]
fn a_signal_to_the_holder_reaches_the_command_and_the_change_is_undone() {
    let signals =
        [Signal::INT, Signal::TERM, Signal::HUP, Signal::QUIT, Signal::ABORT, Signal::ALARM, Signal::USR1];
    for signal in signals {
        let running = start(held("a=5").status(128 + signal.as_raw()));
        assert!(text(&running.path("x.json")).contains("\"a\": 5"));
        send(running.id(), signal);
        let output = running.finish();
        assert!(is_restored(&output.path("x.json")), "{signal:?}");
    }
}

#[test]
fn a_broken_pipe_ends_nothing() {
    let running = start(held("a=5").status(143));
    send(running.id(), Signal::PIPE);
    assert!(text(&running.path("x.json")).contains("\"a\": 5"));
    running.terminate();
    assert!(is_restored(&running.finish().path("x.json")));
}

#[test]
fn a_killed_holder_is_followed_by_its_command_and_the_change_is_undone() {
    for _ in 0..5 {
        let said = "jsonset: what held a change of x.json has died; the change is undone\n";
        let running = start(held("a=5").status(137).stderr(said));
        let path = running.path("x.json");
        let begin = Instant::now();
        running.kill();
        wait_until(|| text(&path) == OLD);
        eprintln!("restored {:?} after SIGKILL", begin.elapsed());
        // That it ends at all says that COMMAND has ended: it holds the output.
        assert!(is_restored(&running.finish().path("x.json")));
    }
}

#[test]
fn signals_during_the_end_do_not_leave_the_change() {
    let running = start(held("a=5").status(143));
    for _ in 0..50 {
        send(running.id(), Signal::TERM);
    }
    assert!(is_restored(&running.finish().path("x.json")));
}

#[test]
fn the_status_of_the_command_passes_through() {
    let check = |command: &[&str], status: i32, said: &str| {
        let case = Case::new(BIN).file("x.json", OLD).args(["x.json", "a=5", "--while", "--"]);
        let case = case.args(command).status(status).stderr_has(said);
        assert!(is_restored(&case.run().path("x.json")), "{command:?}");
    };
    check(&["true"], 0, "");
    check(&["sh", "-c", "exit 7"], 7, "");
    check(&["sh", "-c", "exit 255"], 255, "");
    for signal in [1, 2, 3, 6, 9, 11, 13, 15] {
        check(&["sh", "-c", &format!("kill -{signal} $$")], 128 + signal, "");
    }
    check(&["no-such-command"], 127, "cannot run no-such-command: No such file");
    check(&["/etc/passwd"], 126, "cannot run /etc/passwd: Permission denied");
}

#[test]
fn without_a_change_there_is_no_command() {
    let check = |edits: &[&str], status: i32, said: &str| {
        let case = Case::new(BIN).file("x.json", OLD).args(["x.json"]).args(edits);
        let case = case.args(["--while", "--", "echo", "ran"]).status(status);
        let case = if said.is_empty() { case } else { case.stderr_has(said) };
        assert!(is_restored(&case.run().path("x.json")), "{edits:?}");
    };
    check(&["a=5", "--if", "a=2"], 1, "");
    check(&["a.x=5"], 125, "cannot set `a.x` in x.json: `a` is a number, not an object");
    check(&["a=@nowhere"], 125, "cannot read nowhere: No such file");
    check(&["a=5", "--validate", "false {}"], 125, "x.json is unchanged");
}

#[test]
fn a_change_that_changes_nothing_runs_the_command() {
    let case = Case::new(BIN).file("x.json", OLD).args(["x.json", "a=1", "--while", "--", "ls", "-A"]);
    assert!(is_restored(&case.stdout("x.json\n").run().path("x.json")));
}

#[test]
fn the_lock_is_free_and_edits_of_others_are_kept() {
    let running = start(held("a=5").status(143));
    let path = running.path("x.json");
    call(&path, &["x.json", "d=true", "b.c=3", "--lock-timeout", "0s"]);
    running.terminate();
    let output = running.finish();
    assert_eq!(text(&output.path("x.json")), "{\n  \"a\": 1,\n  \"b\": {\"c\": 3},\n  \"d\": true\n}\n");
    assert!(!output.path(".x.json.held").exists());
}

#[test]
fn what_somebody_else_made_of_the_field_stays() {
    let said = "jsonset: `a` in x.json was changed by somebody else meanwhile and stays as it is\n";
    let running = start(held("a=5").status(143).stderr(said));
    call(&running.path("x.json"), &["x.json", "a=7"]);
    running.terminate();
    let output = running.finish();
    assert_eq!(text(&output.path("x.json")), OLD.replace('1', "7"));
    assert!(!output.path(".x.json.held").exists());
}

#[test]
fn nested_uses_stack() {
    let inner = "jsonset x.json --get a; jsonset x.json --get b";
    let output = Case::new(BIN)
        .file("x.json", OLD)
        .args([
            "x.json",
            "a=2",
            "--while",
            "--",
            "jsonset",
            "x.json",
            "a=3",
            "--delete",
            "b",
            "--default",
            "b=0",
        ])
        .args(["--while", "--", "sh", "-c", inner])
        .stdout("3\n0\n")
        .run();
    assert!(is_restored(&output.path("x.json")));
    let inner = "jsonset x.json a=3 --while -- true; jsonset x.json --get a";
    let case = Case::new(BIN).file("x.json", OLD).args(["x.json", "a=2", "--while", "--", "sh", "-c", inner]);
    assert!(is_restored(&case.stdout("2\n").run().path("x.json")));
}

#[test]
fn the_first_may_end_before_the_second() {
    // The last two hold the same value, or one that lies in the other.
    for (first, second, field) in [("a=2", "a=3", "a"), ("a=2", "a=2", "a"), ("a:={}", "a.x=4", "a.x")] {
        let one = start(held(first).status(143));
        let path = one.path("x.json");
        let folder = path.parent().unwrap().to_owned();
        let two = beside(&path, &["x.json", second]);
        one.terminate();
        let one = one.finish();
        let get = Case::new(BIN).current_dir(&folder).args(["x.json", "--get", field]);
        let value = &second[second.len() - 1..];
        get.stdout(format!("{value}\n")).run();
        two.terminate();
        two.finish();
        assert_eq!(text(&one.path("x.json")), OLD, "{first}, then {second}");
        assert!(is_restored(&path));
    }
}

/// Ends holder, watcher and COMMAND at once, as a power failure does.
fn cut_power(running: Running) -> testkit::Output {
    let children = fs::read_to_string(format!("/proc/{0}/task/{0}/children", running.id())).unwrap();
    let children: Vec<u32> = children.split_whitespace().map(|pid| pid.parse().unwrap()).collect();
    assert_eq!(children.len(), 2, "the watcher and COMMAND");
    send(running.id(), Signal::STOP);
    for child in children {
        send(child, Signal::KILL);
    }
    running.kill();
    running.finish()
}

#[test]
fn after_a_power_failure_the_next_call_undoes_the_change() {
    let output = cut_power(start(held("a=5").status(137)));
    let path = output.path("x.json");
    assert!(text(&path).contains("\"a\": 5") && path.with_file_name(".x.json.held").exists());
    call(&path, &["x.json", "--recover"]);
    assert!(is_restored(&path));
    call(&path, &["x.json", "--recover"]);
    assert!(is_restored(&path));

    let output = cut_power(start(held("a=5").status(137)));
    let path = output.path("x.json");
    call(&path, &["x.json", "--delete", "b"]);
    assert_eq!(text(&path), "{\n  \"a\": 1\n}\n");
    assert!(!path.with_file_name(".x.json.held").exists());
}

#[test]
fn a_document_that_became_no_json_meanwhile_can_be_reset() {
    let output = cut_power(start(held("a=5").status(137)));
    let path = output.path("x.json");
    testkit::write(&path, "{");
    let later = "x.json is no JSON now; a change of a --while in it is undone later";
    let recover = Case::new(BIN).current_dir(output.dir.path()).args(["x.json", "--recover"]);
    recover.status(2).stderr_has(later).stderr_has("x.json:1:2 is no JSON").run();
    let args = ["x.json", "z=1", "--reset-invalid"];
    Case::new(BIN).current_dir(output.dir.path()).args(args).stderr_has(later).run();
    assert_eq!(text(&path), "{\n  \"z\": 1\n}\n");
    let stays = "`a` in x.json was changed by somebody else meanwhile and stays as it is";
    Case::new(BIN).current_dir(output.dir.path()).args(["x.json", "z=2"]).stderr_has(stays).run();
    assert!(!path.with_file_name(".x.json.held").exists());
}

#[test]
fn two_uses_that_a_power_failure_ended_are_undone_in_their_order() {
    let one = start(held("a=2").status(137));
    let path = one.path("x.json");
    let args = ["x.json", "a=3", "b=0", "--while", "--", "sh", "-c", "echo ready; exec sleep 1000"];
    let two = Case::new(BIN).current_dir(path.parent().unwrap()).args(args).stdout("ready\n").status(137);
    let two = start(two);
    let (one, _two) = (cut_power(one), cut_power(two));
    call(&one.path("x.json"), &["x.json", "--recover"]);
    assert!(is_restored(&one.path("x.json")));
}

#[test]
fn the_links_and_the_mode_of_the_document_count_for_the_layer_too() {
    use std::os::unix::fs::PermissionsExt;
    let case = held("a=5").file("real/y.json", OLD).status(137);
    fs::remove_file(case.path("x.json")).unwrap();
    std::os::unix::fs::symlink("real/y.json", case.path("x.json")).unwrap();
    let secret = fs::Permissions::from_mode(0o600);
    fs::set_permissions(case.path("real/y.json"), secret).unwrap();
    let output = cut_power(start(case));
    let layer = output.path("real/.y.json.held/00000001");
    assert_eq!(fs::metadata(layer).unwrap().permissions().mode() & 0o777, 0o600);
    call(&output.path("x.json"), &["x.json", "--recover"]);
    assert_eq!(text(&output.path("real/y.json")), OLD);
    assert_eq!(fs::read_dir(output.path("real")).unwrap().count(), 1);
}

#[test]
fn a_document_that_was_made_for_the_command_goes_with_it() {
    let case = || Case::new(BIN).args(["y.json", "a=5", "--create", "--while", "--", "sh", "-c"]);
    let output = case().args(["jsonset y.json --get a"]).stdout("5\n").run();
    assert_eq!(fs::read_dir(output.dir.path()).unwrap().count(), 0);
    let output = case().args(["jsonset y.json b=6"]).run();
    assert_eq!(text(&output.path("y.json")), "{\n  \"b\": 6\n}\n");
    // Who comes while it is there may stay longer.
    let command = ["--while", "--", "sh", "-c", "echo ready; exec sleep 1000"];
    let one = Case::new(BIN).args(["y.json", "a=5", "--create"]).args(command).stdout("ready\n").status(143);
    let one = start(one);
    let path = one.path("y.json");
    let two = beside(&path, &["y.json", "b=6"]);
    one.terminate();
    let _folder = one.finish();
    assert_eq!(text(&path), "{\n  \"b\": 6\n}\n");
    two.terminate();
    two.finish();
    assert_eq!(fs::read_dir(path.parent().unwrap()).unwrap().count(), 0);
}

#[test]
fn signals_that_were_ignored_stay_ignored() {
    let holder =
        format!("trap '' HUP CHLD; {BIN} x.json a=5 --while -- sh -c 'kill -HUP $$; echo alive; exit 3'");
    let case = Case::new("sh").file("x.json", OLD).args(["-c", &holder]).stdout("alive\n").status(3);
    assert!(is_restored(&case.run().path("x.json")));
}

#[test]
fn wherever_the_holder_alone_is_killed_the_watcher_undoes_the_change() {
    if !strace::works() {
        return;
    }
    let calls =
        ["flock", "mkdir", "fsync", "rename", "renameat2", "unlink", "rmdir", "write", "clone3", "wait4"];
    let kills = strace::everywhere(&calls, |point| {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("x.json");
        testkit::write(&path, OLD);
        let inject = format!("inject=?{}:signal=KILL:when={}", point.syscall, point.nth);
        let mut strace = Command::new("strace");
        // Without -f: neither the watcher nor COMMAND is traced.
        strace.args(["-qq", "-o", "/dev/null", "-e", &format!("trace=?{}", point.syscall), "-e", &inject]);
        strace.args([BIN, "x.json", "a=5", "--delete", "b", "--while", "--", "sleep", "0.01"]);
        let status = strace.current_dir(folder.path()).output().unwrap().status;
        wait_until(|| is_restored(&path));
        if status.success() { Fate::Finished(0) } else { Fate::Killed }
    });
    assert!(kills > 20, "{kills}");
}

#[test]
fn wherever_it_is_killed_the_change_is_undone() {
    if !strace::works() {
        return;
    }
    let calls = [
        "flock",
        "mkdir",
        "fsync",
        "rename",
        "renameat2",
        "unlink",
        "rmdir",
        "write",
        "clone3",
        "vfork",
        "wait4",
    ];
    let kills = strace::everywhere(&calls, |point| {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("x.json");
        testkit::write(&path, OLD);
        let args = ["x.json", "a=5", "b.c=3", "--delete", "b", "--while", "--", "true"];
        let fate = Killer::new(BIN).args(args).current_dir(folder.path()).run(point);
        if fate != Fate::Finished(0) {
            // The watcher is counted and killed too, as by a power failure.
            let status = Command::new(BIN).args(["x.json", "--recover"]).current_dir(folder.path()).status();
            assert!(status.unwrap().success(), "killed before {point}");
        }
        assert!(is_restored(&path), "killed before {point}: {}", text(&path));
        let names = fs::read_dir(folder.path()).unwrap().count();
        assert!(names == 1 || fate == Fate::Killed, "killed before {point}: {names} names");
        fate
    });
    assert!(kills > 20, "{kills}");
}
