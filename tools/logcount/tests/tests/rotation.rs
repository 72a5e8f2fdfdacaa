//! Counting what is new in logs that are rotated.

use std::fs::{self, File};
use std::io::Write;

use super::json;
use super::state::{ERROR, Folder, INFO};

/// So many records of INFO, no two alike.
fn numbered(count: u32, time: &str) -> String {
    (0..count).map(|number| [time, " INFO ", &number.to_string(), "\n"].concat()).collect()
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
