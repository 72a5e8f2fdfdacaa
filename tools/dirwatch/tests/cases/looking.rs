//! Looking at what is recorded, with and without a watcher, and changing it; the numbers.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::PermissionsExt;

use serde_json::Value;
use testkit::{Case, Running};

use super::desk::Desk;

/// Files of which one is done, one has failed, and one waits for another attempt.
fn looked_at() -> (Desk, Running) {
    let desk = Desk::with(&["in/done", "in/failed", "in/x\ny"]);
    let script = r#"case "$1" in done) exit 0; esac; exit 3"#;
    let watcher =
        desk.watch(&["--retries=0"], &["sh", "-c", script, "sh", "{name}"]).stderr_has("giving up").start();
    desk.wait("all three have ended", |desk| desk.listed() == ["done done", "failed failed", "failed x\ny"]);
    (desk, watcher)
}

fn json(case: Case) -> Vec<Value> {
    let ran = case.stdout_has("").run();
    let lines = ran.stdout.split_inclusive(|byte| *byte == b'\n');
    lines.map(|line| serde_json::from_slice(line).unwrap()).collect()
}

/// What every question answers, whether `pid` watches or nobody.
fn answers(desk: &Desk, pid: Option<u32>) {
    let ask = |words: &[&str]| desk.dirwatch(words);
    let [done, failed] = ["in/done", "in/failed"].map(|path| desk.path(path).display().to_string());
    let list = ask(&["--list"]).stdout_has(&done).stdout_has(format!("{failed} [exit status 3]\n")).run();
    let list = String::from_utf8(list.stdout).unwrap();
    assert!(list.starts_with("STATE ") && list.lines().count() == 4 && list.contains("x\\ny"), "{list}");
    let entries = json(ask(&["--list=failed", "--json", "in"]));
    assert_eq!(entries.len(), 2);
    assert!(entries.iter().all(|entry| entry["state"] == "failed" && entry["reason"] == "exit status 3"));
    ask(&["--list=retry"]).status(1).stdout_has("").run();
    ask(&["--list=retry", "--json"]).status(1).run();
    let watcher =
        pid.map_or("watcher      none runs\n".to_owned(), |pid| format!("watcher      held by pid {pid} "));
    ask(&["--status"])
        .stdout_has(watcher)
        .stdout_has("failed       2\n")
        .stdout_has("done         1\n")
        .run();
    let status = json(ask(&["--status", "--json"])).remove(0);
    assert_eq!((&status["watched"], &status["watcher_pid"]), (&pid.is_some().into(), &pid.into()));
    assert_eq!((&status["entries"]["failed"], &status["entries"]["retry"]), (&2.into(), &0.into()));
    assert_eq!(status["folders"][0]["path"], desk.path("in").to_str().unwrap());
    ask(&["--verify"]).run();
    ask(&["--retry", "*.none"]).status(1).stderr_has("matches `*.none`\n").run();
    ask(&["--forget", "/no/*"]).status(1).stderr_has("matches `/no/*`\n").run();
    ask(&["--retry", "done"]).status(1).stderr_has("nothing that can be asked for again matches").run();
}

#[test]
fn every_question_is_answered_with_and_without_a_watcher() {
    let (desk, watcher) = looked_at();
    answers(&desk, Some(watcher.id()));
    watcher.terminate();
    watcher.finish();
    answers(&desk, None);
}

#[test]
fn what_does_not_fit_the_folder_is_found() {
    let (desk, watcher) = looked_at();
    watcher.terminate();
    watcher.finish();
    desk.put("in/new", "");
    desk.dirwatch(["--verify"])
        .status(1)
        .stdout(format!(
            "unknown      {}: it waits, was missed, or is none that the watcher takes\n",
            desk.path("in/new").display()
        ))
        .run();
    let findings = json(desk.dirwatch(["--verify", "--json"]).status(1));
    assert_eq!((findings.len(), &findings[0]["finding"]), (1, &"unknown".into()));
    desk.once(&[], &["true"]).run();
    desk.dirwatch(["--verify"]).run();
}

#[test]
fn what_is_there_is_kept_and_what_is_gone_is_pruned() {
    let (desk, watcher) = looked_at();
    fs::remove_file(desk.path("in/failed")).unwrap();
    desk.dirwatch(["--prune=1h"]).run();
    assert_eq!(desk.listed().len(), 3);
    desk.dirwatch(["--prune=0s"]).run();
    assert_eq!(desk.listed(), ["done done", "failed x\ny"]);
    watcher.terminate();
    watcher.finish();
    fs::remove_file(desk.path("in/x\ny")).unwrap();
    desk.dirwatch(["--prune=0s", "-v"]).stderr_has("").run();
    assert_eq!(desk.listed(), ["done done"]);
    desk.once(&[], &["echo", "{name}"]).run();
}

#[test]
fn what_is_asked_for_is_taken_by_the_next_start() {
    let (desk, watcher) = looked_at();
    watcher.terminate();
    watcher.finish();
    desk.dirwatch(["--retry", desk.path("in/fai*").to_str().unwrap(), "-v"])
        .stderr_has("1 files were asked for again")
        .run();
    assert_eq!(desk.listed(), ["again failed", "done done", "failed x\ny"]);
    desk.dirwatch(["--forget", "done"]).run();
    let script = r#"echo "$1 $DIRWATCH_ATTEMPT""#;
    desk.once(&[], &["sh", "-c", script, "sh", "{name}"]).stdout("done 1\nfailed 2\n").run();
}

/// The numbers, by their names; their label must be the ledger.
fn numbers(desk: &Desk) -> BTreeMap<String, f64> {
    let text = fs::read_to_string(desk.path("numbers.prom")).unwrap_or_default();
    let label = format!("{{ledger=\"{}\"}} ", desk.path("state").display());
    let samples = text.lines().filter(|line| !line.starts_with('#'));
    samples
        .map(|line| {
            let (name, value) = line.split_once(&label).unwrap_or_else(|| panic!("{line}"));
            assert!(text.contains(&format!("# TYPE {name} ")) && text.contains(&format!("# HELP {name} ")));
            (name.to_owned(), value.parse().unwrap())
        })
        .collect()
}

#[test]
fn the_numbers_are_told_while_it_runs_and_at_its_end() {
    let desk = Desk::with(&["in/a", "in/b", "in/c", "in/d"]);
    let script = r#"case "$1" in a) exit 0;; b) exit 1; esac; until [ -e go ]; do sleep 0.01; done"#;
    let watcher = desk
        .watch(
            &["--metrics=numbers.prom", "--order=name", "--retries=0"],
            &["sh", "-c", script, "sh", "{name}"],
        )
        .stderr_has("giving up")
        .start();
    let is = |desk: &Desk, want: &[(&str, f64)]| {
        let found = numbers(desk);
        want.iter().all(|(name, value)| found.get(*name) == Some(value))
    };
    let middle = [
        ("dirwatch_files_seen_total", 3.0),
        ("dirwatch_files_done_total", 1.0),
        ("dirwatch_files_failed_total", 1.0),
        ("dirwatch_files_in_flight", 1.0),
        ("dirwatch_queue_files", 1.0),
        ("dirwatch_folders_watched", 1.0),
        ("dirwatch_folders_unwatched", 0.0),
    ];
    desk.wait("c runs, and d waits", |desk| is(desk, &middle));
    let found = numbers(&desk);
    assert!(found["dirwatch_lag_seconds"] > 0.0 && found["dirwatch_last_success_timestamp_seconds"] > 1e9);
    desk.put("go", "");
    desk.wait("all have ended", |desk| desk.listed() == ["done a", "done c", "done d", "failed b"]);
    watcher.terminate();
    watcher.finish();
    let end = [
        ("dirwatch_files_seen_total", 4.0),
        ("dirwatch_files_done_total", 3.0),
        ("dirwatch_files_in_flight", 0.0),
        ("dirwatch_queue_files", 0.0),
        ("dirwatch_lag_seconds", 0.0),
    ];
    assert!(is(&desk, &end), "{:?}", numbers(&desk));
    let mode = fs::metadata(desk.path("numbers.prom")).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o644, "the collector is another user");
}
