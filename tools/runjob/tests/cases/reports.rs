//! Who is told what a run came to.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpListener;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::thread::JoinHandle;

use serde_json::Value;
use testkit::{Case, certificates};

use crate::{RUNJOB, job};

#[test]
fn the_record_is_of_this_run() {
    let flags = "--name sync --status s.json --metrics m.prom";
    let output = job(flags, "n=0; while [ $n -lt 200000 ]; do n=$((n + 1)); done; exit 3").status(3).run();
    let record: Value = serde_json::from_slice(&output.read("s.json")).unwrap();
    let is = |key: &str, want: Value| assert_eq!(record[key], want, "{record}");
    is("name", "sync".into());
    is("outcome", "failed".into());
    is("status", 3.into());
    is("attempts", 1.into());
    is("consecutive_failures", 1.into());
    is("last_success", Value::Null);
    assert!(record["peak_bytes"].as_u64().unwrap() > 100_000, "{record}");
    let number = |key: &str| record[key].as_u64().unwrap();
    assert!(number("cpu_user_ms") + number("cpu_system_ms") > 0, "{record}");
    assert!(record["began"].as_str() < record["ended"].as_str() && number("elapsed_ms") > 0, "{record}");
    let metrics = String::from_utf8(output.read("m.prom")).unwrap();
    assert!(metrics.contains("\nrunjob_last_run_status{name=\"sync\"} 3\n"), "{metrics}");

    let again = |script: &str, status: i32| {
        let run = job(flags, script).current_dir(output.dir.path()).status(status);
        run.run();
        serde_json::from_slice::<Value>(&output.read("s.json")).unwrap()
    };
    let success = again("true", 0)["last_success"].clone();
    assert!(success.is_string());
    let record = again("kill -9 $$", 137);
    assert_eq!((&record["signal"], &record["last_success"]), (&9.into(), &success));
    assert_eq!(again("true", 0)["consecutive_failures"], 0);
}

#[test]
fn what_cannot_be_told_changes_no_status() {
    let flags = "--status no/s.json --metrics no/m.prom --ping http://127.0.0.1:1/x";
    let case = job(flags, "exit 3").status(3);
    case.stderr_has("no/s.json").stderr_has("no/m.prom").stderr_has("cannot ping http://127.0.0.1:1: ").run();
    let kept = tempfile::NamedTempFile::new().unwrap();
    for flag in ["--ping-file ", "--cred a=", "--cred @9="] {
        let path = kept.path().display();
        job(&format!("{flag}{path} --metrics {path}"), "echo never")
            .status(125)
            .stderr_has("is the same file as the input")
            .run();
        assert_eq!(kept.as_file().metadata().unwrap().len(), 0, "{flag}");
    }
    job("--ping-file no/url", "exit 3").status(3).stderr_has("cannot read no/url: No such file").run();
    job("--ping-file /dev/null", "exit 3")
        .status(3)
        .stderr_has("cannot read /dev/null: it is no regular file")
        .run();
    job("--ping nonsense", "echo never")
        .status(125)
        .stderr_has("for `--ping <URL>`: it is to be a URL")
        .run();
}

#[test]
fn a_report_takes_the_place_of_nothing_else() {
    let check = |flags: &str, said: &str| {
        let case = job(flags, "echo never").file("b", "A=1\n").status(125).stderr_has(said);
        assert_eq!(case.run().read("b"), b"A=1\n", "{flags}");
    };
    check("--status b --metrics ./b", "runjob: --status and --metrics name the same file\n");
    check("--status new --metrics ./new", "--status and --metrics name the same file");
    check("--lock ./b --metrics b", "--metrics and --lock name the same file");
    check("--env-file b --status ./b", "runjob: ./b is the same file as the input b; name another\n");
}

#[test]
fn a_person_is_told_of_a_failure_and_of_its_end() {
    let folder = tempfile::tempdir().unwrap();
    let run = |script: &str, status: i32| {
        let case =
            Case::new(RUNJOB).args(["--status", "s", "--on-event", "cat >> told", "--", "sh", "-c", script]);
        case.current_dir(folder.path()).status(status).run();
    };
    run("true", 0);
    run("exit 3", 3);
    run("true", 0);
    run("true", 0);
    let told = std::fs::read_to_string(folder.path().join("told")).unwrap();
    let events: Vec<Value> = told.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let kinds: Vec<_> =
        events.iter().map(|event| (event["event"].as_str().unwrap(), &event["status"])).collect();
    assert_eq!(kinds, [("failed", &3.into()), ("recovered", &0.into())]);
}

#[test]
fn who_tells_a_person_hears_signals() {
    let look = "grep -E 'Sig(Blk|Ign)' /proc/self/status";
    let without = Case::new("sh").args(["-c", look]).stdout_has("SigBlk").run();
    let case = Case::new(RUNJOB).args(["--on-event", &format!("cat > told; {look} > masks"), "--", "false"]);
    let output = case.status(1).run();
    let blocked = |text: &[u8]| String::from_utf8_lossy(text).lines().next().map(str::to_owned);
    assert_eq!(blocked(&output.read("masks")), blocked(&without.stdout));
    assert!(String::from_utf8_lossy(&output.read("masks")).contains("SigBlk:\t0000000000000000\n"));
}

#[test]
fn a_report_that_is_none_is_left_alone() {
    let case = job("--status pipe", "exit 3").status(3).stderr_has("cannot read pipe: it is no report");
    let made = Command::new("mkfifo").arg(case.path("pipe")).status().unwrap();
    assert!(made.success());
    case.run();
}

#[test]
fn a_command_may_have_any_name() {
    let odd = <std::ffi::OsStr as std::os::unix::ffi::OsStrExt>::from_bytes(b"a\"\xff\n");
    let case = Case::new(RUNJOB).args(["--status", "s", "--metrics", "m", "--log", "logs", "--"]);
    let path = case.path(odd);
    std::os::unix::fs::symlink("/bin/true", &path).unwrap();
    let output = case.args([path]).run();
    let record: Value = serde_json::from_slice(&output.read("s")).unwrap();
    assert_eq!(record["name"], "a\"\u{fffd}\n");
    let metrics = String::from_utf8(output.read("m")).unwrap();
    assert!(metrics.contains("{name=\"a\\\"\u{fffd}\\n\"} 0\n"), "{metrics}");
    let logs = std::fs::read_dir(output.path("logs")).unwrap();
    assert_eq!(logs.count(), 1);
}

/// A monitor that takes one ping; ends with what it was sent.
fn monitor() -> (String, JoinHandle<String>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}/ping/1", listener.local_addr().unwrap());
    let serve = move || {
        let (mut stream, _) = listener.accept().unwrap();
        let mut reader = BufReader::new(stream.try_clone().unwrap());
        let mut head = String::new();
        while !head.ends_with("\r\n\r\n") {
            assert!(reader.read_line(&mut head).unwrap() > 0, "{head}");
        }
        let length = head.lines().find_map(|line| line.strip_prefix("content-length: "));
        let mut body = vec![0; length.map_or(0, |length| length.parse().unwrap())];
        reader.read_exact(&mut body).unwrap();
        stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n").unwrap();
        head + &String::from_utf8(body).unwrap()
    };
    (url, std::thread::spawn(serve))
}

#[test]
fn a_monitor_hears_of_both() {
    let folder = tempfile::tempdir().unwrap();
    let (url, heard) = monitor();
    job(&format!("-Q --ping {url}"), "echo fine").run();
    assert!(heard.join().unwrap().starts_with("GET /ping/1 HTTP/1.1\r\n"));
    let (url, heard) = monitor();
    testkit::write(folder.path().join("url"), format!("{url}\n"));
    job(&format!("-Q --ping-file {}/url", folder.path().display()), "true").run();
    assert!(heard.join().unwrap().starts_with("GET /ping/1 HTTP/1.1\r\n"));
    let (url, heard) = monitor();
    job(&format!("-Q --ping {url}"), "seq 10000; exit 3").status(3).stderr_has("10000\n").run();
    let heard = heard.join().unwrap();
    assert!(heard.starts_with("POST /ping/1/fail HTTP/1.1\r\n"), "{heard}");
    let body = heard.split_once("\r\n\r\n").unwrap().1;
    assert_eq!((body.len(), body.ends_with("9999\n10000\n")), (10_000, true));
}

struct Server(Child);

impl Drop for Server {
    fn drop(&mut self) {
        let _gone = self.0.kill();
        let _waited = self.0.wait();
    }
}

/// A server that speaks TLS, and the port that it has.
fn tls(folder: &Path) -> (Server, u16) {
    let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let accept = format!("127.0.0.1:{port}");
    let args = ["s_server", "-accept", &accept, "-cert", "server.pem", "-key", "server.key", "-www"];
    let mut command = Command::new("openssl");
    command.args(args).current_dir(folder).stdout(Stdio::null()).stderr(Stdio::null());
    let server = Server(command.spawn().unwrap());
    while std::net::TcpStream::connect(("127.0.0.1", port)).is_err() {
        std::thread::yield_now();
    }
    (server, port)
}

#[test]
fn a_monitor_is_to_be_the_one_that_it_says() {
    let folder = tempfile::tempdir().unwrap();
    if !certificates::make(folder.path()) {
        return;
    }
    let (_server, port) = tls(folder.path());
    let flags = format!("--ping https://localhost:{port}/");
    job(&flags, "true").env("SSL_CERT_FILE", folder.path().join("ca.pem")).run();
    job(&flags, "true").stderr_has("its certificate is signed by nobody who is trusted here").run();
}
