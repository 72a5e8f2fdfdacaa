//! Counting what is new.

use std::fs::{self, File, OpenOptions};
use std::io::Write;
use std::path::PathBuf;
use std::time::{Duration, SystemTime};

use tempfile::TempDir;
use testkit::Case;

use super::{case, json};

/// A folder with a log that is counted again and again.
pub(crate) struct Folder(pub(crate) TempDir);

impl Folder {
    pub(crate) fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    pub(crate) fn append(&self, name: &str, text: impl AsRef<[u8]>) {
        let mut file = OpenOptions::new().create(true).append(true).open(self.path(name)).unwrap();
        file.write_all(text.as_ref()).unwrap();
    }

    pub(crate) fn rename(&self, from: &str, to: &str) {
        fs::rename(self.path(from), self.path(to)).unwrap();
    }

    /// What logrotate's copytruncate does.
    pub(crate) fn copy_and_truncate(&self, from: &str, to: &str) {
        fs::copy(self.path(from), self.path(to)).unwrap();
        File::options().write(true).open(self.path(from)).unwrap().set_len(0).unwrap();
    }

    /// What gzip does.
    pub(crate) fn pack(&self, name: &str) {
        let mut gz = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        gz.write_all(&fs::read(self.path(name)).unwrap()).unwrap();
        fs::write(self.path(&format!("{name}.gz")), gz.finish().unwrap()).unwrap();
        fs::remove_file(self.path(name)).unwrap();
    }

    /// Makes a file as old as one that nobody writes to any more.
    pub(crate) fn age(&self, name: &str) {
        let file = File::options().write(true).open(self.path(name)).unwrap();
        file.set_modified(SystemTime::now() - Duration::from_secs(60)).unwrap();
    }

    pub(crate) fn run(&self, line: &str) -> Case {
        case(line).current_dir(self.0.path())
    }

    /// Counts `app.log` and expects so many new errors, and so many new records of INFO.
    #[track_caller]
    pub(crate) fn check(&self, errors: u64, infos: u64) {
        self.run("--json --state s app.log").stdout(json(&[("ERROR", errors), ("INFO", infos)])).run();
    }
}

pub(crate) const ERROR: &str = "2026-03-01 10:30:00 ERROR down\n";
pub(crate) const INFO: &str = "2026-03-01 10:30:01 INFO up\n";

#[test]
fn only_what_was_appended_is_counted() {
    let folder = Folder::new();
    folder.append("app.log", ERROR);
    folder.check(1, 0);
    folder.check(0, 0);
    folder.append("app.log", INFO.repeat(3));
    folder.check(0, 3);
    folder.append("app.log", &ERROR[..12]);
    folder.check(0, 0);
    folder.append("app.log", &ERROR[12..]);
    folder.check(1, 0);
    folder.append("app.log", INFO.repeat(100_000));
    folder.check(0, 100_000);
}

#[test]
fn what_follows_belongs_to_the_record_before() {
    let folder = Folder::new();
    let lines = |records: u64, lines: u64| {
        let want = json(&[("ERROR", records)]);
        let want = format!(
            "{},\"lines\":{}}}\n",
            want.trim_end().trim_end_matches('}'),
            json(&[("ERROR", lines)]).trim()
        );
        folder.run("--json --lines --state s app.log").stdout(want).run();
    };
    folder.append("app.log", ERROR);
    lines(1, 1);
    folder.append("app.log", "  at x\njava.lang.X: INFO\n");
    lines(0, 2);
    let words = |want: &str| {
        folder.run("--json --raw --lines --by hour --tz UTC --state w app.log").stdout(want).run();
    };
    words("{\"hour\":\"2026-03-01T10:00:00Z\",\"ERROR\":1,\"lines\":{\"ERROR\":3}}\n");
    folder.append("app.log", "  at y\n{\"level\":\"info\"}\n");
    words("{\"hour\":\"2026-03-01T10:00:00Z\",\"ERROR\":0,\"info\":1,\"lines\":{\"ERROR\":1,\"info\":1}}\n");
}

#[test]
fn utf_16_is_counted_on() {
    let utf_16 = |text: &str| text.encode_utf16().flat_map(u16::to_le_bytes).collect::<Vec<u8>>();
    let folder = Folder::new();
    folder.append("app.log", utf_16(&format!("\u{feff}{ERROR}")));
    folder.check(1, 0);
    folder.append("app.log", &utf_16(INFO)[..21]);
    folder.check(0, 0);
    folder.append("app.log", &utf_16(INFO)[21..]);
    folder.check(0, 1);
    folder.rename("app.log", "app.log.1");
    folder.append("app.log.1", utf_16(INFO));
    folder.append("app.log", ERROR);
    folder.check(1, 1);
    folder.check(0, 0);
}

#[test]
fn counters_never_go_back() {
    let folder = Folder::new();
    folder.append("app.log", ERROR.repeat(2));
    folder.append("b.log", ERROR);
    let counters = |flags: &str, want: &str| {
        let out = folder.run(&format!("--format prometheus --state s {flags} -o x.prom")).run();
        drop(out);
        let text = fs::read_to_string(folder.path("x.prom")).unwrap();
        assert!(text.contains(want), "{text}");
        assert!(text.contains("# TYPE log_records_total counter\n"), "{text}");
    };
    counters("app.log", "\nlog_records_total{level=\"error\"} 2\n");
    counters("app.log b.log", "\nlog_records_total{level=\"error\"} 3\n");
    folder.append("app.log", ERROR);
    counters("b.log", "\nlog_records_total{level=\"error\"} 3\n");
    counters("app.log --lines", "\nlog_lines_total{level=\"error\"} 4\n");
    fs::remove_file(folder.path("b.log")).unwrap();
    let label = format!("file=\"{}\",level=\"error\"", folder.path("app.log").display());
    counters("app.log --by file", &format!("\nlog_records_total{{{label}}} 3\n"));
    folder
        .run("--format prometheus --state s app.log")
        .stdout_has("log_records_total{level=\"error\"} 4\n")
        .run();
}

#[test]
fn two_runs_at_once_wait_for_each_other() {
    let folder = Folder::new();
    folder.append("app.log", ERROR);
    folder.append("s", "");
    let holder =
        folder.run("--follow --interval 60s --json --state s app.log").stdout_has("\"ERROR\":1").status(0);
    let mut holder = holder.start();
    holder.wait_for_stdout("ERROR");
    let busy = folder.run("--state s --lock-timeout 50ms app.log").status(75);
    busy.stderr_has("s is locked by another process (waited 50ms)").run();
    let waits = folder.run("--json --state s --lock-timeout 30s app.log").stdout(json(&[])).start();
    holder.terminate();
    holder.finish();
    waits.finish();
}

#[test]
fn what_was_not_printed_is_not_counted() {
    let folder = Folder::new();
    folder.append("app.log", ERROR);
    folder.run("--json --state s app.log").stdout_to_full_disk().status(2).stderr_has("cannot write").run();
    folder
        .run("--json --state s -o no/x app.log")
        .status(2)
        .stderr_has("cannot open the folder of no/x")
        .run();
    folder.run("--json --state s app.log").stdout_closed_after(0).run();
    folder.check(1, 0);
}

#[test]
fn a_log_that_is_missing_is_told_and_the_state_stays() {
    let folder = Folder::new();
    folder.append("app.log", ERROR);
    folder.check(1, 0);
    folder.rename("app.log", "elsewhere");
    folder.run("--json --state s app.log").status(2).stderr_has("cannot open").run();
    folder.append("b.log", INFO);
    folder
        .run("--json --state s app.log b.log")
        .status(23)
        .stdout(json(&[("INFO", 1)]))
        .stderr_has("cannot open")
        .run();
    folder.rename("elsewhere", "app.log");
    folder.append("app.log", INFO);
    folder.check(0, 1);
    folder.append("t", "{\"version\":9,\"logs\":[]}");
    folder.run("--state t app.log").status(2).stderr_has("of version 9 and not 1").run();
    folder.run("--state s /dev/null").status(2).stderr_has("it is not a regular file").run();
}

#[test]
fn a_threshold_looks_at_what_is_new() {
    let folder = Folder::new();
    folder.append("app.log", ERROR.repeat(2));
    folder.run("--json --fail-on ERROR=2 --state s app.log").status(1).stdout_has("\"ERROR\":2").run();
    folder.append("app.log", ERROR);
    folder.run("--json --fail-on ERROR=2 --state s app.log").stdout_has("\"ERROR\":1").run();
}
