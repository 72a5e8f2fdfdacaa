//! Inputs and outputs: every byte comes out as it came in, or a sentence says why not.

use super::{LOG, lines, on_log};
use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;
use testkit::Case;

fn logfilter() -> Case {
    Case::new(env!("CARGO_BIN_EXE_logfilter"))
}

/// Keeps the errors of `input`, which are `want`.
#[track_caller]
fn check(input: impl AsRef<[u8]>, want: impl AsRef<[u8]>) {
    let status = i32::from(want.as_ref().is_empty());
    let case = || logfilter().args(["--level", "ERROR"]).stdout(&want).status(status);
    case().file("a.log", &input).args(["a.log"]).run();
    case().stdin(&input).run();
    case().stdin(&input).args(["-"]).run();
    case().file("a.log", &input).stdin_file("a.log").run();
}

#[test]
fn bytes_come_out_as_they_came_in() {
    check(LOG, lines("e f"));
    check(LOG.replace('\n', "\r\n"), lines("e f").replace('\n', "\r\n"));
    check("2026-03-01 10:00:00 INFO a\n2026-03-01 10:00:00 ERROR torn", "2026-03-01 10:00:00 ERROR torn");
    check(b"2026-03-01 10:00:00 ERROR \xff\xfe\0\x80\n", b"2026-03-01 10:00:00 ERROR \xff\xfe\0\x80\n");
    check("\u{feff}2026-03-01 10:00:00 ERROR mark\n", "\u{feff}2026-03-01 10:00:00 ERROR mark\n");
    check("", "");
    let long = format!("2026-03-01 10:00:00 ERROR {}\n", "x".repeat(9_000_000));
    check(format!("{LOG}{long}{LOG}"), format!("{0}{long}{0}", lines("e f")));
}

fn utf16(text: &str, unit: fn(u16) -> [u8; 2]) -> Vec<u8> {
    text.encode_utf16().flat_map(unit).collect()
}

#[test]
fn utf_16_stays_utf_16() {
    for unit in [u16::to_le_bytes, u16::to_be_bytes] {
        let text = "\u{feff}2026-03-01 10:00:00 INFO a\r\n2026-03-01 10:00:00 ERROR ä😀\r\n";
        check(utf16(text, unit), utf16("\u{feff}2026-03-01 10:00:00 ERROR ä😀\r\n", unit));
        let long = format!("\u{feff}2026-03-01 10:00:00 ERROR {}\n", "ä😀".repeat(1_500_000));
        check(utf16(&long, unit), utf16(&long, unit));
    }
}

#[test]
fn the_first_input_decides_about_utf_16() {
    let wide = utf16("\u{feff}2026-03-01 10:00:00 ERROR ä\n", u16::to_be_bytes);
    let plain = "2026-03-01 10:00:00 ERROR ö\n";
    let run = |names: [&str; 2]| logfilter().file("16.log", &wide).file("8.log", plain).args(names);
    run(["8.log", "16.log"]).stdout(format!("{plain}2026-03-01 10:00:00 ERROR ä\n")).run();
    run(["16.log", "8.log"]).stdout([wide.clone(), utf16(plain, u16::to_be_bytes)].concat()).run();
    run(["16.log", "16.log"]).stdout([&wide[..], &wide[2..]].concat()).run();
}

#[test]
fn packed_inputs() {
    for (tool, flag) in [("gzip", "-c"), ("xz", "-c"), ("bzip2", "-c"), ("zstd", "-qc")] {
        if !testkit::has(tool) {
            continue;
        }
        let case = logfilter().file("a.log", LOG).args(["-l", "ERROR", "packed"]).stdout(lines("e f"));
        let packed = std::process::Command::new(tool).arg(flag).arg(case.path("a.log")).output().unwrap();
        case.file("packed", &packed.stdout).run();
        let torn = &packed.stdout[..packed.stdout.len() - 9];
        logfilter().file("torn", torn).args(["torn", "-c"]).status(2).stderr_has("cannot read torn").run();
    }
}

#[test]
fn several_inputs() {
    let two = || on_log(&["-l", "FATAL"]).file("b.log", LOG);
    two().args(["b.log"]).stdout(lines("f").repeat(2)).run();
    two().args(["-i", "b.log", "--input", "a.log"]).stdout(lines("f").repeat(3)).run();
    two().args(["b.log", "--max", "1"]).stdout(lines("f")).run();
    two().args(["b.log", "-c"]).stdout("2\n").run();
    let gone = "logfilter: cannot open no.log: No such file or directory (os error 2)\n";
    two().args(["no.log"]).stdout(lines("f")).stderr(gone).status(23).run();
    two().args(["no.log", "-m", "none"]).stderr(gone).status(23).run();
    logfilter().args(["no.log"]).stderr(gone).status(2).run();
    let none = format!("{gone}{gone}logfilter: no input could be read\n");
    logfilter().args(["no.log", "no.log"]).stderr(none).status(2).run();
}

#[test]
fn a_folder_is_named() {
    let case = logfilter().file("logs/a.log", LOG).args(["logs"]);
    case.status(2).stderr("logfilter: cannot read logs: Is a directory (os error 21)\n").run();
}

#[test]
fn names_need_not_be_utf_8() {
    let name = OsStr::from_bytes(b"a\xff.log");
    let case = logfilter().file(name, LOG).args(["-l", "FATAL", "-o"]).args([name]).args([name]);
    case.status(2).stderr_has("is the same file as the input").run();
    logfilter().file(name, LOG).args(["-l", "FATAL"]).args([name]).stdout(lines("f")).run();
}

#[test]
fn the_output_file_is_whole_or_as_it_was() {
    let out = on_log(&["-l", "ERROR", "--output", "out.log"]).file("out.log", "old").run();
    assert_eq!(out.read("out.log"), lines("e f").as_bytes());
    let out = on_log(&["-s", "2027-01-01", "-o", "out.log"]).file("out.log", "old").status(1).run();
    assert_eq!(out.read("out.log"), b"");
    let out = on_log(&["-c", "-o", "out.log"]).run();
    assert_eq!(out.read("out.log"), b"8\n");
    let out = logfilter().file("out.log", "old").args(["-o", "out.log", "no.log"]).status(2);
    assert_eq!(out.stderr_has("no.log").run().read("out.log"), b"old");
    on_log(&["-o", "no/out.log"]).status(2).stderr_has("no").run();
}

#[test]
fn an_input_is_no_output() {
    let refused = |case: Case, output: &str| {
        let said = format!("logfilter: {output} is the same file as the input a.log; name another\n");
        let out = case.status(2).stderr(said).run();
        assert_eq!(out.read("a.log"), LOG.as_bytes());
    };
    refused(on_log(&["-o", "a.log"]), "a.log");
    refused(on_log(&["-o", "./a.log"]), "./a.log");
    let linked = on_log(&["-o", "link"]);
    std::os::unix::fs::symlink("a.log", linked.path("link")).unwrap();
    refused(linked, "link");
    let hard = on_log(&["-o", "hard"]);
    std::fs::hard_link(hard.path("a.log"), hard.path("hard")).unwrap();
    refused(hard, "hard");
    let tool = env!("CARGO_BIN_EXE_logfilter");
    let appended = Case::new("bash").file("a.log", LOG).args(["-c", &format!("{tool} a.log >> a.log")]);
    refused(appended, "standard output");
    let stdin = Case::new("bash").file("a.log", LOG).args(["-c", &format!("{tool} < a.log -o a.log")]);
    stdin.status(2).stderr_has("a.log is the same file as the input standard input").run();
}

#[test]
fn a_reader_that_has_gone_ends_the_run_in_silence() {
    let many = LOG.repeat(10_000);
    logfilter().file("a.log", &many).args(["a.log"]).stdout_closed_after(5).stdout(&many[..5]).run();
    logfilter().stdin(&many).stdout_closed_after(0).run();
}

#[test]
fn a_full_disk_is_named() {
    on_log(&[])
        .stdout_to_full_disk()
        .status(2)
        .stderr_has("cannot write standard output: No space left")
        .run();
    let many = LOG.repeat(10_000);
    let case = logfilter().file("a.log", many).args(["a.log", "a.log"]).stdout_to_full_disk();
    case.status(2).stderr_has("cannot write standard output").run();
}

#[test]
fn colours() {
    let want = "2026-03-01 10:00:05 \x1b[31mERROR\x1b[0m e\n\tat one\n\tat two\n";
    on_log(&["--color", "always", "-l", "=ERROR"]).stdout(want).run();
    on_log(&["--color", "always", "-l", "=ERROR", "-m", "two"]).stdout(want).run();
    on_log(&["-l", "=ERROR"]).env("CLICOLOR_FORCE", "1").stdout(want).run();
    on_log(&["--color", "never", "-l", "=ERROR"]).env("CLICOLOR_FORCE", "1").stdout(lines("e")).run();
    on_log(&["--color", "auto", "-l", "=ERROR"]).stdout(lines("e")).run();
    let json = "{\"time\":\"2026-03-01T10:00:00Z\",\"level\":\"error\"}\n";
    let want = "{\"time\":\"2026-03-01T10:00:00Z\",\"level\":\"\x1b[31merror\x1b[0m\"}\n";
    logfilter().stdin(json).args(["--color", "always"]).stdout(want).run();
}

#[test]
fn a_terminal_has_colours() {
    if !testkit::has("script") {
        return;
    }
    let line = format!("{} -l =ERROR a.log", env!("CARGO_BIN_EXE_logfilter"));
    let run = || Case::new("script").file("a.log", LOG).args(["-qec", &line, "/dev/null"]);
    run().env("TERM", "xterm").stdout_has("10:00:05 \x1b[31mERROR\x1b[0m e").run();
    run().env("TERM", "xterm").env("NO_COLOR", "1").stdout_has("10:00:05 ERROR e").run();
    run().stdout_has("10:00:05 ERROR e").run();
}

#[test]
fn a_pipe_is_passed_on_as_it_comes() {
    let script = format!(
        "(echo '2026-03-01 10:00:00 ERROR one'; cat go) | {} -l ERROR",
        env!("CARGO_BIN_EXE_logfilter")
    );
    let case = Case::new("bash").args(["-c", &script]).stdout("2026-03-01 10:00:00 ERROR one\n2 ERROR two\n");
    let go = case.path("go");
    assert!(std::process::Command::new("mkfifo").arg(&go).status().unwrap().success());
    let mut running = case.start();
    running.wait_for_stdout("one");
    testkit::write(&go, "2 ERROR two\n");
    running.finish();
}

#[test]
fn reading_stops_at_the_limit() {
    let script = format!("yes '2026-03-01 10:00:00 ERROR x' | {} --max 3", env!("CARGO_BIN_EXE_logfilter"));
    let want = "2026-03-01 10:00:00 ERROR x\n".repeat(3);
    Case::new("bash").args(["-c", &script]).stdout(want).run();
}
