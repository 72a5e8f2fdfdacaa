//! Counting on.

use std::fs::OpenOptions;
use std::io::Write;
use std::process::{Command, Stdio};

use super::case;

const ERROR: &str = "2026-03-01 10:30:00 ERROR down\n";

fn append(path: &std::path::Path, text: &str) {
    OpenOptions::new().create(true).append(true).open(path).unwrap().write_all(text.as_bytes()).unwrap();
}

#[test]
fn new_records_are_printed_until_it_is_stopped() {
    let follow = case("--follow --interval 20ms --format csv --raw app.log").file("app.log", ERROR);
    let mut run = follow.stdout_has("time,word,records\n").start();
    run.wait_for_stdout(",ERROR,1\n");
    let log = run.path("app.log");
    append(&log, &ERROR.repeat(2));
    run.wait_for_stdout(",ERROR,2\n");
    append(&log, &ERROR.repeat(3));
    std::fs::rename(&log, run.path("app.log.1")).unwrap();
    append(&log, &ERROR.replace("ERROR", "WARN"));
    run.wait_for_stdout(",ERROR,3\n");
    run.wait_for_stdout(",WARN,1\n");
    run.terminate();
    let out = run.finish();
    let titles = out.stdout.windows(5).filter(|window| window == b"time,").count();
    assert_eq!(titles, 1);
}

#[test]
fn every_form_has_the_time() {
    let first = |flags: &str, want: &str| {
        let mut run =
            case(&format!("--follow {flags} app.log")).file("app.log", ERROR).stdout_has(want).start();
        run.wait_for_stdout(want);
        run.interrupt();
        run.finish();
    };
    first(
        "--tz UTC",
        "TIME                  TRACE  DEBUG  INFO  NOTICE  WARNING  ERROR  CRITICAL  UNKNOWN  total\n",
    );
    first("--tz UTC --by file", "TIME                  FILE     TRACE  DEBUG");
    first("--json --raw --tz UTC", "Z\",\"ERROR\":1}\n");
    first("--json --raw --by day --tz UTC", "Z\",\"day\":\"2026-03-01T00:00:00Z\",\"ERROR\":1}\n");
}

#[test]
fn a_state_is_kept_between_two_follows() {
    let folder = tempfile::tempdir().unwrap();
    append(&folder.path().join("app.log"), ERROR);
    for want in ["\"ERROR\":1,", "\"ERROR\":0,"] {
        let follow = case("--follow --json --state s app.log").current_dir(folder.path());
        let mut run = follow.stdout_has(want).start();
        run.wait_for_stdout(want);
        run.terminate();
        run.finish();
    }
}

#[test]
fn counters_are_replaced_every_time() {
    let follow =
        case("--follow --interval 10ms --format prometheus -o x.prom app.log").file("app.log", ERROR);
    let run = follow.start();
    let wait_for = |want: &str| {
        let deadline = std::time::Instant::now() + std::time::Duration::from_secs(60);
        while !std::fs::read_to_string(run.path("x.prom")).is_ok_and(|text| text.contains(want)) {
            assert!(std::time::Instant::now() < deadline, "{want}");
            std::thread::yield_now();
        }
    };
    wait_for("log_records_total{level=\"error\"} 1\n");
    append(&run.path("app.log"), ERROR);
    wait_for("log_records_total{level=\"error\"} 2\n");
    run.terminate();
    run.finish();
}

#[test]
fn a_pipe_is_followed_to_its_end() {
    case("--follow --json --raw").stdin(ERROR.repeat(3)).stdout_has(",\"ERROR\":3}\n").run();
    case("--follow --json --raw -").stdin("").stdout_has("\"}\n").run();

    let mut command = Command::new(env!("CARGO_BIN_EXE_logcount"));
    command.args(["--follow", "--interval", "10ms", "--json", "--raw"]);
    let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
    let mut input = child.stdin.take().unwrap();
    let mut lines = std::io::BufRead::lines(std::io::BufReader::new(child.stdout.take().unwrap()));
    for count in 1..4_usize {
        input.write_all(ERROR.repeat(count).as_bytes()).unwrap();
        let mut seen = 0;
        while seen < count {
            let line = lines.next().unwrap().unwrap();
            seen += line
                .split("\"ERROR\":")
                .nth(1)
                .map_or(0, |n| n.trim_end_matches('}').parse::<usize>().unwrap());
        }
        assert_eq!(seen, count);
    }
    drop(input);
    assert!(child.wait().unwrap().success());
}

#[test]
fn what_is_missing_at_the_start_is_an_error_and_later_is_not() {
    case("--follow no.log").status(2).stderr_has("cannot open").run();
    let follow =
        case("--follow --interval 10ms --json app.log b.log").file("app.log", ERROR).file("b.log", ERROR);
    let mut run = follow.stdout_has("\"ERROR\":2").stderr_has("cannot open").start();
    run.wait_for_stdout("\"ERROR\":2");
    std::fs::remove_file(run.path("b.log")).unwrap();
    run.wait_for_stderr("cannot open");
    append(&run.path("app.log"), &ERROR.repeat(7));
    run.wait_for_stdout("\"ERROR\":7");
    run.terminate();
    run.finish();
}
