//! Signals, the service manager, folders that go and come.

use std::fs;
use std::io::ErrorKind;
use std::os::unix::net::UnixDatagram;
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process, test_kill_process};
use testkit::{Case, Running};

use super::desk::Desk;

/// A command that says that it runs, and waits for the file `go`.
const WAIT: [&str; 3] = ["sh", "-c", "echo here; until [ -e go ]; do sleep 0.01; done; echo there"];

fn signal(watcher: &Running, signal: Signal) {
    let pid = Pid::from_raw(watcher.id().cast_signed()).unwrap();
    kill_process(pid, signal).unwrap();
}

#[test]
fn what_runs_is_finished_and_nothing_new_is_taken() {
    let desk = Desk::with(&["in/a", "in/b"]);
    let mut watcher = desk.watch(&["-v"], &WAIT).stdout("here\nthere\n").stderr_has("stopping").start();
    watcher.wait_for_stdout("here");
    watcher.terminate();
    watcher.wait_for_stderr("stopping; 1 command may go on for 30s");
    desk.put("in/c", "");
    desk.put("go", "");
    watcher.finish();
    let done = desk.listed();
    assert!(done == ["done a"] || done == ["done b"], "{done:?}");
    desk.once(&[], &["echo", "{name}"]).stdout_has("c\n").run();
    assert_eq!(desk.listed(), ["done a", "done b", "done c"]);
}

#[test]
fn what_runs_longer_than_the_grace_is_ended_and_taken_again() {
    let desk = Desk::with(&["in/a"]);
    let script = "echo $$ >pid; echo here; sleep 1000 & wait";
    let mut watcher = desk
        .watch(&["--grace=10ms"], &["sh", "-c", script])
        .stdout("here\n")
        .stderr_has("ending 1 command still running; their files are taken again by the next start\n")
        .start();
    watcher.wait_for_stdout("here");
    watcher.terminate();
    watcher.finish();
    let pid = Pid::from_raw(desk.read("pid").trim().parse().unwrap()).unwrap();
    let stat = fs::read_to_string(format!("/proc/{pid}/status")).unwrap_or_default();
    assert!(test_kill_process(pid).is_err() || stat.contains("State:\tZ"));
    desk.once(&[], &["sh", "-c", "echo $DIRWATCH_ATTEMPT"]).stdout("2\n").stderr_has("interrupted").run();
}

#[test]
fn a_second_signal_ends_it_at_once() {
    let desk = Desk::with(&["in/a"]);
    let script = "exec >/dev/null 2>&1; echo $$ >pid.new; mv pid.new pid; sleep 1000 & wait";
    let mut watcher = desk.watch(&["-v"], &["sh", "-c", script]).status(143).stderr_has("stopping").start();
    desk.wait_for("pid");
    watcher.terminate();
    watcher.wait_for_stderr("stopping");
    // One that comes too soon is the first one, told twice.
    let own = Pid::from_raw(watcher.id().cast_signed()).unwrap();
    desk.wait("it ends", |_| {
        let _already_gone = kill_process(own, Signal::TERM);
        fs::read_to_string(format!("/proc/{own}/status")).map_or(true, |text| text.contains("State:\tZ"))
    });
    watcher.finish();
    let pid = Pid::from_raw(desk.read("pid").trim().parse().unwrap()).unwrap();
    // Nobody ended the command; the next start would wait for it.
    rustix::process::kill_process_group(pid, Signal::KILL).unwrap();
    desk.once(&[], &["sh", "-c", "echo $DIRWATCH_ATTEMPT"]).stdout("2\n").stderr_has("interrupted").run();
}

#[test]
fn an_idle_watcher_ends_at_once() {
    for end in [Signal::TERM, Signal::INT] {
        let desk = Desk::with(&["in/a"]);
        let mut watcher = desk.watch(&[], &["echo", "{name}"]).stdout("a\n").start();
        watcher.wait_for_stdout("a\n");
        signal(&watcher, end);
        watcher.finish();
    }
}

/// In a user namespace of its own, where there are no watches, nobody is told of anything.
fn unwatched(desk: &Desk, rescan: &str) -> Option<Case> {
    let probe = ["-c", "unshare -U -r sh -c 'echo 0 >/proc/sys/user/max_inotify_watches'"];
    if !std::process::Command::new("sh").args(probe).output().is_ok_and(|probe| probe.status.success()) {
        println!("skipped: this system has no user namespaces for us");
        return None;
    }
    let script = "echo 0 >/proc/sys/user/max_inotify_watches && exec \"$0\" \"$@\"";
    let case = Case::new("unshare").current_dir(desk.path("")).args(["-U", "-r", "sh", "-c", script]);
    let case = case.args([env!("CARGO_BIN_EXE_dirwatch"), "--state=state", rescan, "in", "--"]);
    Some(case.args(["echo", "{name}"]).stderr_has("the limit of watches is reached"))
}

#[test]
fn a_hangup_finds_what_nobody_told_of() {
    let desk = Desk::with(&["in/a"]);
    let Some(case) = unwatched(&desk, "--rescan=1h") else { return };
    let mut watcher = case.stdout_has("").start();
    watcher.wait_for_stdout("a");
    desk.put("in/b", "");
    signal(&watcher, Signal::HUP);
    watcher.wait_for_stdout("b");
    watcher.terminate();
    watcher.finish();
}

#[test]
fn a_service_manager_is_told() {
    let desk = Desk::with(&["in/a"]);
    let socket = UnixDatagram::bind(desk.path("notify")).unwrap();
    socket.set_read_timeout(Some(Duration::from_secs(50))).unwrap();
    let mut heard = String::new();
    let mut hear = |part: &str, times: usize| {
        while heard.matches(part).count() < times {
            let mut bytes = [0; 4096];
            let length = match socket.recv(&mut bytes) {
                Err(again) if again.kind() == ErrorKind::Interrupted => continue,
                read => read.unwrap_or_else(|error| panic!("no {part}: {error}: {heard}")),
            };
            heard += std::str::from_utf8(&bytes[..length]).unwrap();
        }
    };
    let script = r#"echo "[$NOTIFY_SOCKET$WATCHDOG_USEC$WATCHDOG_PID]"; test "$1" = a"#;
    let watcher = desk
        .watch(&["--retries=0", "--grace=7s"], &["sh", "-c", script, "sh", "{name}"])
        .env("NOTIFY_SOCKET", desk.path("notify"))
        .env("WATCHDOG_USEC", "600000")
        .stdout("[]\n[]\n")
        .stderr_has("giving up")
        .start();
    hear("READY=1\n", 1);
    hear("WATCHDOG=1\n", 1);
    desk.put("in/b", "");
    hear("STATUS=1 done, 1 failed, 0 running, 0 waiting\n", 1);
    // And on, with nothing to do.
    hear("WATCHDOG=1\n", 10);
    watcher.terminate();
    hear("STOPPING=1\nEXTEND_TIMEOUT_USEC=7000000\n", 1);
    watcher.finish();
}

#[test]
fn a_folder_may_go_and_come_again() {
    let desk = Desk::with(&["in/a"]);
    let mut watcher =
        desk.dirwatch(["-v", "-r", "in", "--", "echo", "{}"]).stdout_has("").stderr_has("").start();
    watcher.wait_for_stdout("in/a\n");
    for round in ["one", "two"] {
        fs::remove_dir_all(desk.path("in")).unwrap();
        desk.put(format!("in/x/{round}"), "");
        watcher.wait_for_stdout(format!("in/x/{round}\n"));
        desk.put(format!("in/x/{round}-later"), "");
        watcher.wait_for_stdout(format!("in/x/{round}-later\n"));
    }
    // Another folder in its place, while what was in the old one goes on living elsewhere.
    fs::rename(desk.path("in"), desk.path("away")).unwrap();
    desk.put("away/x/strange", "");
    desk.put("in/three", "");
    watcher.wait_for_stdout("in/three\n");
    watcher.terminate();
    let ran = watcher.finish();
    assert!(!String::from_utf8(ran.stdout).unwrap().contains("strange"));
}

#[test]
fn a_folder_that_is_not_there_is_waited_for() {
    let desk = Desk::new();
    let missing = desk.path("no/where");
    let mut watcher = desk
        .dirwatch(["in", "no/where", "--", "echo", "{name}"])
        .stdout_has("")
        .stderr(format!(
            "dirwatch: {} is not there: No such file or directory (os error 2); it is waited for\n",
            missing.display()
        ))
        .start();
    watcher.wait_for_stderr("it is waited for");
    desk.put("in/a", "");
    watcher.wait_for_stdout("a\n");
    desk.put("no/where/b", "");
    watcher.wait_for_stdout("b\n");
    desk.put("no/where/c", "");
    watcher.wait_for_stdout("c\n");
    watcher.terminate();
    watcher.finish();
    let cannot = |name: &str| {
        format!(
            "dirwatch: cannot read {}: No such file or directory (os error 2)\n",
            desk.path(name).display()
        )
    };
    let once = |dirs: &[&str], want: String| {
        let case = desk.dirwatch(["--once"]).args(dirs).args(["--", "true"]);
        case.status(75).stderr(want).run();
    };
    once(&["in", "nothing"], cannot("nothing"));
    once(&["none", "in", "nothing"], cannot("none") + &cannot("nothing"));
}
