//! Counting what is new.

use std::fs::{self, File, OpenOptions};
use std::io::Write;
use std::path::PathBuf;
use std::time::{Duration, SystemTime};

use tempfile::TempDir;
use testkit::Case;

use super::{case, json};

/// A folder with a log that is counted again and again.
struct Folder(TempDir);

impl Folder {
    fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    fn append(&self, name: &str, text: impl AsRef<[u8]>) {
        let mut file = OpenOptions::new().create(true).append(true).open(self.path(name)).unwrap();
        file.write_all(text.as_ref()).unwrap();
    }

    fn rename(&self, from: &str, to: &str) {
        fs::rename(self.path(from), self.path(to)).unwrap();
    }

    /// What logrotate's copytruncate does.
    fn copy_and_truncate(&self, from: &str, to: &str) {
        fs::copy(self.path(from), self.path(to)).unwrap();
        File::options().write(true).open(self.path(from)).unwrap().set_len(0).unwrap();
    }

    /// What gzip does.
    fn pack(&self, name: &str) {
        let mut gz = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        gz.write_all(&fs::read(self.path(name)).unwrap()).unwrap();
        fs::write(self.path(&format!("{name}.gz")), gz.finish().unwrap()).unwrap();
        fs::remove_file(self.path(name)).unwrap();
    }

    /// Makes a file as old as one that nobody writes to any more.
    fn age(&self, name: &str) {
        let file = File::options().write(true).open(self.path(name)).unwrap();
        file.set_modified(SystemTime::now() - Duration::from_secs(60)).unwrap();
    }

    fn run(&self, line: &str) -> Case {
        case(line).current_dir(self.0.path())
    }

    /// Counts `app.log` and expects so many new errors, and so many new records of INFO.
    #[track_caller]
    fn check(&self, errors: u64, infos: u64) {
        self.run("--json --state s app.log").stdout(json(&[("ERROR", errors), ("INFO", infos)])).run();
    }
}

const ERROR: &str = "2026-03-01 10:30:00 ERROR down\n";
const INFO: &str = "2026-03-01 10:30:01 INFO up\n";

/// So many records of INFO, no two alike.
fn numbered(count: u32, time: &str) -> String {
    (0..count).map(|number| [time, " INFO ", &number.to_string(), "\n"].concat()).collect()
}

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
fn a_renamed_log_is_read_to_its_end() {
    let folder = Folder::new();
    folder.append("app.log", ERROR.repeat(2));
    folder.check(2, 0);
    folder.append("app.log", INFO);
    folder.rename("app.log", "app.log.1");
    folder.append("app.log", ERROR);
    folder.check(1, 1);
    // The writer has not yet opened the new file.
    folder.append("app.log.1", INFO);
    folder.check(0, 1);
    folder.rename("app.log.1", "app.log.2");
    folder.rename("app.log", "app.log.1");
    folder.append("app.log.1", INFO);
    folder.check(0, 1);
    folder.append("app.log", ERROR);
    folder.check(1, 0);
    fs::remove_file(folder.path("app.log.2")).unwrap();
    folder.check(0, 0);
}

#[test]
fn what_was_rotated_twice_between_two_runs_is_found() {
    let folder = Folder::new();
    folder.append("app.log", "1 ERROR: first\n2026-03-01 10:30:00 ERROR a\n");
    folder.run("--state s app.log").stdout_has("total").run();
    folder.append("app.log", INFO);
    folder.rename("app.log", "app-20260301.log");
    folder.append("app.log", INFO.repeat(2));
    folder.rename("app.log", "app-20260302.log");
    folder.append("app.log", ERROR);
    folder.check(1, 3);
    folder.check(0, 0);
}

#[test]
fn a_packed_log_is_the_one_that_was_read() {
    let folder = Folder::new();
    folder.append("app.log", ERROR.repeat(50));
    folder.check(50, 0);
    folder.append("app.log", INFO.repeat(3));
    folder.rename("app.log", "app.log.1");
    folder.pack("app.log.1");
    folder.append("app.log", ERROR);
    folder.check(1, 3);
    folder.rename("app.log.1.gz", "app.log.2.gz");
    folder.rename("app.log", "app.log.1");
    folder.pack("app.log.1");
    folder.append("app.log", INFO.repeat(2));
    folder.rename("app.log", "app.log.3");
    folder.pack("app.log.3");
    folder.append("app.log", INFO);
    folder.check(0, 3);
    folder.check(0, 0);
}

#[test]
fn a_packed_log_that_is_still_written_is_read_when_it_is_whole() {
    let folder = Folder::new();
    folder.append("app.log", ERROR);
    folder.check(1, 0);
    folder.append("x", numbered(20_000, "2026-03-01 10:30:00"));
    folder.pack("x");
    let whole = fs::read(folder.path("x.gz")).unwrap();
    folder.append("app.log.1.gz", &whole[..whole.len() / 2]);
    folder.check(0, 0);
    folder.append("app.log.1.gz", &whole[whole.len() / 2..]);
    folder.check(0, 20_000);
    folder.check(0, 0);
    folder.append("y", numbered(20_000, "2026-03-02 10:30:00"));
    folder.pack("y");
    let whole = fs::read(folder.path("y.gz")).unwrap();
    folder.append("app.log.2.gz", &whole[..whole.len() / 2]);
    folder.age("app.log.2.gz");
    folder.run("--json --state s app.log").status(23).stdout(json(&[])).stderr_has("cannot read").run();
}

#[test]
fn a_copied_and_truncated_log_is_read_to_its_end() {
    let folder = Folder::new();
    folder.append("app.log", ERROR.repeat(60));
    folder.check(60, 0);
    folder.append("app.log", INFO);
    folder.copy_and_truncate("app.log", "app.log.1");
    folder.check(0, 1);
    folder.append("app.log", ERROR);
    folder.check(1, 0);
    folder.append("app.log", ERROR.repeat(100));
    fs::remove_file(folder.path("app.log.1")).unwrap();
    folder.copy_and_truncate("app.log", "app.log.1");
    folder.append("app.log", INFO.repeat(400));
    folder.check(100, 400);
    folder.copy_and_truncate("app.log", "app.log.2");
    folder.pack("app.log.2");
    folder.append("app.log", ERROR);
    folder.check(1, 0);
    folder.check(0, 0);
}

#[test]
fn a_copy_of_what_is_still_there_is_not_counted() {
    let folder = Folder::new();
    folder.append("app.log", ERROR.repeat(3));
    folder.check(3, 0);
    folder.append("app.log", INFO);
    fs::copy(folder.path("app.log"), folder.path("app.log.bak")).unwrap();
    folder.check(0, 1);
    folder.check(0, 0);
    folder.append("app.log", INFO);
    folder.check(0, 1);
    File::options().write(true).open(folder.path("app.log")).unwrap().set_len(0).unwrap();
    folder.run("--json --state s app.log").stdout(json(&[])).stderr_has("the end of ").run();
    folder.check(0, 0);
}

#[test]
fn a_truncated_log_is_counted_from_its_start_and_the_loss_is_told() {
    let folder = Folder::new();
    folder.append("app.log", ERROR.repeat(3));
    folder.check(3, 0);
    let truncate = || File::options().write(true).open(folder.path("app.log")).unwrap().set_len(0).unwrap();
    truncate();
    folder.append("app.log", INFO);
    let told = "logcount: the end of ";
    folder.run("--json --state s app.log").stdout(json(&[("INFO", 1)])).stderr_has(told).run();
    folder.check(0, 0);
    // Longer than before, and different.
    truncate();
    folder.append("app.log", ERROR.repeat(9));
    folder.run("--json --state s app.log").stdout(json(&[("ERROR", 9)])).stderr_has(told).run();
    // A writer that does not append leaves a hole.
    File::options().write(true).open(folder.path("app.log")).unwrap().set_len(0).unwrap();
    let mut file = File::options().write(true).open(folder.path("app.log")).unwrap();
    file.set_len(6_000_000).unwrap();
    std::io::Seek::seek(&mut file, std::io::SeekFrom::End(0)).unwrap();
    file.write_all(ERROR.as_bytes()).unwrap();
    folder.run("--json --state s app.log").stdout(json(&[("ERROR", 1)])).stderr_has(told).run();
    folder.check(0, 0);
}

#[test]
fn rotated_files_that_were_there_before_are_not_counted() {
    let folder = Folder::new();
    folder.append("app.log", ERROR);
    folder.append("app.log.1", INFO.repeat(5));
    folder.append("app.log.3", INFO.repeat(7));
    folder.pack("app.log.3");
    folder.append("app.log.2", INFO.repeat(6));
    folder.check(1, 0);
    folder.append("app.log.1", INFO);
    folder.check(0, 1);
    folder.rename("app.log.3.gz", "app.log.4.gz");
    folder.pack("app.log.2");
    folder.rename("app.log.2.gz", "app.log.3.gz");
    folder.rename("app.log.1", "app.log.2");
    folder.rename("app.log", "app.log.1");
    folder.append("app.log", ERROR);
    folder.check(1, 0);
    // But whoever names them wants them.
    folder.run("--json --state t app.log.1 app.log").stdout(json(&[("ERROR", 2)])).run();
    let all = folder.run("--json --by file --state u --recursive --glob app.log*").args([folder.0.path()]);
    all.stdout_has("app.log\",\"TRACE\":0,\"DEBUG\":0,\"INFO\":19,\"NOTICE\":0,\"WARNING\":0,\"ERROR\":2,")
        .run();
}

#[test]
fn an_unfinished_line_of_a_rotated_log_is_counted_once_it_rests() {
    let folder = Folder::new();
    folder.append("app.log", [INFO, ERROR.trim_end()].concat());
    folder.check(0, 1);
    folder.rename("app.log", "app.log.1");
    folder.append("app.log", "");
    folder.check(0, 0);
    folder.age("app.log.1");
    folder.check(1, 0);
    folder.append("app.log.1", " after all\n");
    folder.append("app.log.1", INFO);
    folder.check(0, 1);
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
    folder.run("--json --state s -o no/x app.log").status(2).stderr_has("cannot open no").run();
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
    folder.run("--state t app.log").status(2).stderr_has("its version is 9").run();
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

#[test]
fn a_link_leads_to_the_rotated_files() {
    let folder = Folder::new();
    fs::create_dir(folder.path("pods")).unwrap();
    folder.append("pods/0.log", ERROR);
    std::os::unix::fs::symlink("pods/0.log", folder.path("app.log")).unwrap();
    folder.check(1, 0);
    folder.append("pods/0.log", INFO);
    folder.rename("pods/0.log", "pods/0.log.20260301-103000");
    folder.append("pods/0.log", ERROR);
    folder.check(1, 1);
}
