//! SIGTERM: what waits with nothing to undo dies of it, what goes on for ever ends well, and what has
//! something to put back does that first.

use std::fs::OpenOptions;
use std::net::{SocketAddr, TcpListener};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

use testkit::sshd::Sshd;
use testkit::{Case, Running, tool};

use crate::table::desk;

/// So long until a tool is at what it is to be stopped in.
const PATIENCE: Duration = Duration::from_secs(60);

const TERMINATED: i32 = 128 + 15;

fn of(name: &str) -> Case {
    desk(&tool(name), None)
}

/// Waits until `is_so`.
#[track_caller]
fn until(name: &str, mut is_so: impl FnMut() -> bool) {
    let end = Instant::now() + PATIENCE;
    while !is_so() {
        assert!(Instant::now() < end, "{name} never came to that");
        std::thread::sleep(Duration::from_millis(2));
    }
}

/// Whether the process has `path` open.
fn has_open(running: &Running, path: &Path) -> bool {
    let folder = std::fs::read_dir(format!("/proc/{}/fd", running.id()));
    let links =
        folder.into_iter().flatten().flatten().filter_map(|entry| std::fs::read_link(entry.path()).ok());
    links.into_iter().any(|link| link == path)
}

#[test]
fn what_reads_dies_of_it() {
    for (name, args) in [
        ("csvfilter", &["--all", "pipe"][..]),
        ("hostlist", &["-H", "pipe"]),
        ("logcount", &["pipe"]),
        ("logfilter", &["pipe"]),
    ] {
        let case = of(name).args(args).status(TERMINATED);
        let pipe = case.path("pipe").canonicalize().unwrap_or_else(|_| case.path("pipe"));
        assert!(Command::new("mkfifo").arg(&pipe).status().is_ok_and(|status| status.success()));
        // Both ends at once: neither side waits for the other to open it.
        let _writer = OpenOptions::new().read(true).write(true).open(&pipe).expect("the pipe opens");
        let running = case.start();
        until(name, || has_open(&running, &pipe));
        running.terminate();
        running.finish();
    }
}

#[test]
fn what_waits_for_a_host_dies_of_it() {
    let mute = TcpListener::bind(("127.0.0.1", 0)).expect("the loopback has a free port");
    let address = mute.local_addr().expect("it is bound");
    mute.set_nonblocking(true).expect("the listener is ours");
    let config = format!("Port {}\nStrictHostKeyChecking no\nUserKnownHostsFile /dev/null\n", address.port());
    for (name, args, said) in [
        ("confpush", &["plan", "web.toml"][..], ""),
        ("hostpoll", &["-H", "hosts.txt"], "hostpoll: stopped: 0 of 1 hosts are done\n"),
        ("keyrotate", &["verify", "redis.toml"], ""),
    ] {
        let case = of(name).file(".ssh/config", &config).file("key", "first-key-of-all");
        let case = of_redis(case, address).args(args).status(TERMINATED).stderr(said);
        let running = case.start();
        let mut taken = Vec::new();
        until(name, || mute.accept().map(|connection| taken.push(connection)).is_ok());
        running.terminate();
        running.finish();
    }
}

/// `case` with a spec of keyrotate for a Redis at `address`.
fn of_redis(case: Case, address: SocketAddr) -> Case {
    let key = case.path("key");
    std::fs::set_permissions(&key, std::fs::Permissions::from_mode(0o600)).expect("the file is ours");
    let spec = format!(
        "name = \"r\"\nstate = \"/nowhere\"\n[provider]\nkind = \"redis-acl\"\naddress = \"{address}\"\nuser = \"u\"\n\
         admin_password = {{ env = \"ADMIN\" }}\n[[consumers]]\nname = \"c\"\nkind = \"file\"\nattest = \"file\"\n\
         path = \"{}\"\n",
        key.display()
    );
    case.file("redis.toml", spec).env("ADMIN", "of-the-admin")
}

#[test]
fn what_goes_on_ends_well() {
    let mut watch = of("dirwatch")
        .args(["--state", "s.db", "in", "--", "echo", "got", "{name}"])
        .stdout("got file\n")
        .start();
    watch.wait_for_stdout("got file\n");
    watch.terminate();
    watch.finish();
    let mut follow = of("logcount").args(["--follow", "a.log"]).stdout_has("total").start();
    follow.wait_for_stdout("total");
    follow.terminate();
    follow.finish();
    let Some(server) = Sshd::new().start() else { return };
    let poll = desk(&tool("hostpoll"), Some(&server));
    let args = ["-H", "hosts.txt", "--metrics", "load", "--interval", "1h", "--format", "csv"];
    let mut poll = poll.args(args).stdout_has("127.0.0.1,").start();
    poll.wait_for_stdout("127.0.0.1,");
    poll.terminate();
    poll.finish();
}

#[test]
fn what_runs_a_command_ends_it_first() {
    let job = "trap 'echo ended; exit 7' TERM; echo begun; while :; do sleep 0.01; done";
    for (name, args) in
        [("jsonset", &["a.json", "a=2", "--while", "--"][..]), ("runjob", &["--lock", "./lock", "--"])]
    {
        let case = of(name).args(args).args(["sh", "-c", job]);
        let mut running = case.status(7).stdout("begun\nended\n").start();
        running.wait_for_stdout("begun\n");
        running.terminate();
        let ran = running.finish();
        let config = std::fs::read_to_string(ran.path("a.json")).expect("it is still there");
        assert_eq!(config, "{\"a\": 1}\n", "{name}");
    }
}
