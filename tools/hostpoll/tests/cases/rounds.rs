//! Rounds: kept sessions, a steady clock, signals.

use testkit::Case;
use testkit::sshd::{Fleet, Sshd};

use crate::{objects, poll, poll_fleet};

#[test]
fn sessions_are_kept_between_samples() {
    let Some(server) = Sshd::new().start() else { return };
    let case = poll(&server).args([&*server.host(), "--metrics", "cpu,net", "--json"]);
    let output = case.args(["--interval", "100ms", "--samples", "5"]);
    // A busy machine leaves a round out, and says so.
    let output = output.stdout_has("{").stderr_has("").run();
    let samples = objects(&output.stdout);
    assert_eq!(samples.len(), 5);
    assert!(samples.iter().all(|sample| sample["ok"] == true && sample["cpu_percent"].is_number()));
    assert!(samples[1..].iter().all(|sample| sample["net_receive_bytes_per_s"].is_number()));
    assert_eq!(server.log().matches("Accepted publickey").count(), 1, "one login for all samples");
}

#[test]
fn a_session_that_was_lost_is_opened_again() {
    let Some(server) = Sshd::new().start() else { return };
    let case = poll(&server).args([&*server.host(), "--json", "--metrics", "load"]);
    // The first command ends the server's side of its own session, once its answer is out.
    let (server_side, once) = ("p=$(cut -d\" \" -f4 /proc/$PPID/stat)", server.path("once"));
    let end = "{ sleep 0.2; kill $p; } >/dev/null 2>&1 &";
    let command =
        &*format!("x={server_side}; if mkdir {} 2>/dev/null; then {end} fi; echo 1", once.display());
    let args = ["--command", command, "--interval", "2s", "--samples", "2"];
    let output = case.args(args).stdout_has("{").run();
    let samples = objects(&output.stdout);
    assert_eq!(samples.len(), 2);
    assert!(samples.iter().all(|sample| sample["ok"] == true), "{samples:?}");
    assert_eq!(server.log().matches("Accepted publickey").count(), 2);
}

#[test]
fn what_is_not_done_at_the_deadline_is_told() {
    let Some(server) = Sshd::new().start() else { return };
    let config = std::fs::read_to_string(server.path("ssh_config")).unwrap();
    testkit::write(server.path("ssh_config"), format!("Host one two\n  HostName 127.0.0.1\n{config}"));
    let output = poll(&server)
        .args(["one", "two", "--json", "--metrics", "load", "--command", "slow=sleep 1000"])
        .args(["--jobs", "1", "--deadline", "3s", "--timeout", "1h", "--command-timeout", "1h"])
        .status(23)
        .stdout_has("\"load1\":")
        .stderr_has("one: --command slow")
        .stderr_has("two: timeout: its turn did not come before the deadline of the run (--deadline)")
        .run();
    let hosts = objects(&output.stdout);
    assert_eq!(hosts.len(), 2);
    assert_eq!((&hosts[0]["host"], &hosts[0]["ok"]), (&"one".into(), &true.into()), "{hosts:?}");
    assert_eq!(hosts[1]["error"]["phase"], "queue", "{hosts:?}");
    assert_eq!(server.log().matches("Accepted publickey").count(), 1);
}

#[test]
fn a_signal_ends_a_round_with_what_is_done() {
    let Some(fleet) = Fleet::start(1, true) else { return };
    let healthy = fleet.hosts();
    let mut running = poll_fleet(&fleet)
        .args([&*healthy[0], fleet.host("hang"), "--json", "--metrics", "load"])
        .status(143)
        .stdout_has("{")
        .stderr_has("stopped: 1 of 2 hosts are done")
        .start();
    running.wait_for_stdout("\"ok\":true");
    running.terminate();
    running.finish();
}

#[test]
fn what_a_signal_cut_short_does_not_replace_a_file() {
    let Some(fleet) = Fleet::start(1, true) else { return };
    let healthy = fleet.hosts();
    let mut running = poll_fleet(&fleet)
        .args([&*healthy[0], fleet.host("hang"), "--metrics", "load", "-o", "fleet.csv", "--format", "csv"])
        .args(["--command", "done=echo 1 >&2; echo 1", "--fail-on", "done>0"])
        .file("fleet.csv", "old\n")
        .status(143)
        .stderr_has("fleet.csv is left as it was")
        .start();
    running.wait_for_stderr("done is 1");
    running.terminate();
    assert_eq!(running.finish().read("fleet.csv"), b"old\n");
}

#[test]
fn a_signal_ends_a_push_that_hangs() {
    let Some(server) = Sshd::new().start() else { return };
    // The system takes the connection, and nobody answers.
    let silent = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}/metrics/job/fleet", silent.local_addr().unwrap());
    let running = poll(&server)
        .args([&*server.host(), "--metrics", "load", "--json", "--push", &url, "--timeout", "1h"])
        .status(143)
        .stdout_has("{")
        .stderr_has("stopped by a signal")
        .start();
    let _connection = silent.accept().unwrap();
    running.terminate();
    running.finish();
}

#[test]
fn a_signal_between_rounds_is_the_end_that_was_wanted() {
    let Some(server) = Sshd::new().start() else { return };
    let case = poll(&server).args([&*server.host(), "--json", "--metrics", "load", "--interval", "1h"]);
    let mut running = case.stdout_has("\"ok\":true").start();
    running.wait_for_stdout("\n");
    running.interrupt();
    running.finish();
}

#[test]
fn a_terminal_shows_how_far_a_long_round_is() {
    let Some(server) = Sshd::new().start() else { return };
    if !testkit::has("script") {
        return;
    }
    let shown = |flags: &str| {
        let (program, config) = (env!("CARGO_BIN_EXE_hostpoll"), server.path("ssh_config"));
        let ask = format!("{program} {} --ssh-config {} {flags}", server.host(), config.display());
        let line = format!("{ask} --json --metrics load --command 'x=sleep 2; echo 1' > answer");
        let output = Case::new("script").args(["-qec", &line, "/dev/null"]).stdout_has("").run();
        assert!(String::from_utf8_lossy(&output.read("answer")).contains("\"x\":1"));
        String::from_utf8(output.stdout).unwrap()
    };
    let told = shown("");
    let line = "\r0/1 hosts\x1b[K";
    assert!(told.starts_with(line), "{told:?}");
    assert_eq!(told.replace(line, ""), "\r\x1b[K\r1/1 hosts\x1b[K\r\x1b[K");
    assert_eq!(shown("--quiet"), "");
}
