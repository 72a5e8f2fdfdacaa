//! Where rows come from and go to: pipes that close, disks that are full, files that change meanwhile.

use std::fs::{File, OpenOptions};
use std::io::{Read, Write};
use std::process::{Command, Stdio};

use testkit::Case;

use super::live::{Live, people, program};

const TOOL: &str = env!("CARGO_BIN_EXE_csvfilter");
const TEXT: &str = "id,n\n1,a\n2,b\n";

/// What a shell makes of `script`, in which `$0` is the tool.
fn sh(script: &str) -> Case {
    Case::new("sh").args(["-c", script, TOOL])
}

#[test]
fn a_reader_that_has_gone_ends_it_silently() {
    let text = people(4 << 20);
    for jobs in ["-j1", "-j4"] {
        let case = || Case::new(TOOL).file("x.csv", &text).args(["--all", "x.csv", jobs]);
        case().stdout_closed_after(10).stdout(&text[..10]).run();
        case().stdout_closed_after(0).run();
        case().args(["--json"]).stdout_closed_after(100).run();
        case().args(["--to", "table"]).stdout_closed_after(100).run();
    }
    sh("\"$0\" --all - | head -n 1").stdin(&text).stdout("id,name,age,city,status,joined\n").run();
    sh("\"$0\" --all x.csv >&-").file("x.csv", TEXT).run();
}

#[test]
fn a_full_disk_is_told() {
    let said = "csvfilter: cannot write standard output: No space left on device (os error 28)\n";
    for jobs in ["-j1", "-j4"] {
        for text in [TEXT, &people(4 << 20)] {
            let case = Case::new(TOOL).stdin(text).args(["--all", jobs]);
            case.stdout_to_full_disk().status(2).stderr(said).run();
        }
    }
    Case::new(TOOL).stdin(TEXT).args(["--all", "-c"]).stdout_to_full_disk().status(2).stderr(said).run();
}

#[test]
fn without_standard_error_the_status_still_tells() {
    let closed = |text: &str| Case::new(TOOL).stdin(text).args(["id > 0"]).stderr_closed();
    closed("id,n\n1\n2,b\n").stdout("id,n\n2,b\n").status(23).run();
    closed(TEXT).stdout(TEXT).run();
    closed("other\n1\n").status(2).run();
}

#[test]
fn an_output_that_is_an_input_is_refused() {
    let said = |output: &str, input: &str| {
        format!("csvfilter: {output} is the same file as the input {input}; name another\n")
    };
    let refused = |script: &str, input: &str| {
        sh(script).file("x.csv", TEXT).status(2).stderr(said("standard output", input)).run()
    };
    let run = refused("\"$0\" --all x.csv >> x.csv", "x.csv");
    assert_eq!(run.read("x.csv"), TEXT.as_bytes());
    refused("\"$0\" --all x.csv > x.csv", "x.csv");
    refused("ln x.csv y.csv; \"$0\" --all x.csv ./y.csv >> y.csv", "x.csv");
    refused("\"$0\" --all >> x.csv < x.csv", "standard input");
    // What is written whole can replace its input.
    let run =
        sh("\"$0\" 'id == 2' x.csv -o x.csv; cat x.csv").file("x.csv", TEXT).stdout("id,n\n2,b\n").run();
    assert_eq!(run.read("x.csv"), b"id,n\n2,b\n");
    // But not when some of it would then be nowhere.
    let torn = |files: &[&str], args: &[&str], said: &str| {
        let case = Case::new(TOOL).file("x.csv", "id,n\n1,a\n2\n").args(["--all", "-o./x.csv"]).args(files);
        let run = case.args(args).status(2).stderr_has(said).run();
        assert_eq!(run.read("x.csv"), b"id,n\n1,a\n2\n", "{args:?}");
    };
    torn(
        &["x.csv"],
        &[],
        "cannot replace the input ./x.csv: a bad row of the inputs would be lost; --reject FILE or --bad keep",
    );
    torn(
        &["x.csv", "gone"],
        &["--bad", "keep"],
        "cannot replace the input ./x.csv: not all inputs could be read",
    );
    let whole = |args: &[&str], status| {
        let case = Case::new(TOOL).file("x.csv", "id,n\n1,a\n2\n").args(["--all", "-ox.csv", "x.csv"]);
        case.args(args).status(status).stderr_has("1 bad row of 2").run()
    };
    assert_eq!(whole(&["--reject", "bad"], 23).read("x.csv"), b"id,n\n1,a\n");
    assert_eq!(whole(&["--bad", "keep"], 0).read("x.csv"), b"id,n\n1,a\n2\n");
    let text = people(4 << 20);
    let run = Case::new(TOOL).file("x.csv", &text).args(["--all", "x.csv", "-j4", "-ox.csv"]).run();
    assert!(run.read("x.csv") == text.as_bytes(), "the input lost something");
}

#[test]
fn standard_input_named_twice_is_read_once() {
    Case::new(TOOL).stdin(TEXT).args(["--all", "-", "-"]).stdout(TEXT).run();
    Case::new(TOOL).file("x.csv", TEXT).stdin_file("x.csv").args(["--all", "-", "-"]).stdout(TEXT).run();
    // A file of its name is another one.
    let case = Case::new(TOOL).file("x.csv", TEXT).file("-", TEXT).stdin(TEXT);
    case.args(["--all", "x.csv", "-"]).stdout(format!("{TEXT}{}", &TEXT[5..])).run();
}

#[test]
fn rows_from_a_pipe_are_passed_on_as_they_come() {
    for jobs in ["-j1", "-j4"] {
        let mut run = Live::start(&["id > 0", jobs]);
        run.say("id,n\n1,with the header\n");
        run.wait_for("id,n\n1,with the header\n");
        for id in 1..50 {
            let row = format!("{id},a\n");
            run.say(format!("0,no\n{row}{id},be"));
            assert_eq!(run.wait_for(&row), row.as_bytes());
            run.say("gun\n");
            run.wait_for("begun\n");
        }
        run.say("1,\"in\nquotes\"\n2");
        run.wait_for("1,\"in\nquotes\"\n");
        run.say(",last");
        assert_eq!(run.end(), (Some(0), b"2,last".to_vec()));
    }
    let mut run = Live::start(&["id > 0", "--json"]);
    run.say("id,n\n1,a\n");
    run.wait_for("{\"id\":\"1\",\"n\":\"a\"}\n");
    assert_eq!(run.end(), (Some(0), Vec::new()));
}

#[test]
fn what_is_not_wanted_is_not_waited_for() {
    for jobs in ["-j1", "-j4"] {
        let mut run = Live::start(&["--all", "--head", "2", jobs]);
        run.say("a\n1\n");
        run.wait_for("a\n1\n");
        run.say("2\n");
        assert_eq!(run.ends(), (Some(0), b"2\n".to_vec()), "{jobs}");
    }
}

#[test]
fn rows_from_a_pipe_behind_a_file_are_passed_on_too() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("x.csv");
    testkit::write(&file, "id,name\n1,a\n");
    for jobs in ["-j1", "-j4"] {
        let mut run = Live::start(&["--all", jobs, file.to_str().unwrap(), "-"]);
        run.wait_for("id,name\n1,a\n");
        run.say("id,name\n");
        for row in ["3,c\n", "4,d\n"] {
            run.say(row);
            run.wait_for(row);
        }
        assert_eq!(run.end().0, Some(0));
    }
}

/// The output and the status of a run on a file of 8 MiB to which `change` happens while it is read.
fn while_read(jobs: &str, text: &str, change: impl FnOnce(&mut File)) -> (Vec<u8>, Option<i32>) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("x.csv");
    testkit::write(&path, text);
    let mut command = Command::new(program());
    command.args(["--all", jobs]).arg(&path).stdout(Stdio::piped()).stderr(Stdio::null());
    let mut child = command.spawn().unwrap();
    let mut stdout = child.stdout.take().unwrap();
    // It has begun; and as nobody reads on, it cannot come to the end.
    let mut printed = vec![0; 100];
    stdout.read_exact(&mut printed).unwrap();
    change(&mut OpenOptions::new().append(true).open(&path).unwrap());
    stdout.read_to_end(&mut printed).unwrap();
    (printed, child.wait().unwrap().code())
}

#[test]
fn a_file_that_shrinks_or_grows_is_read_to_the_end_that_it_has_then() {
    let text = people(8 << 20);
    let cut = text[..6 << 20].rfind('\n').unwrap() + 1;
    for jobs in ["-j1", "-j2", "-j4"] {
        let (shrunk, status) = while_read(jobs, &text, |file| file.set_len(cut as u64).unwrap());
        assert_eq!(status, Some(2), "{jobs}: rows that were there are lost");
        assert!(shrunk == text.as_bytes()[..cut], "{jobs}: shrunk to {cut}, and {} came out", shrunk.len());
        let more = "1,Grace,30,Boston,active,2026-01-01\n".repeat(50_000);
        let (grown, status) = while_read(jobs, &text, |file| file.write_all(more.as_bytes()).unwrap());
        assert_eq!(status, Some(0), "{jobs}");
        assert!(grown == (text.clone() + &more).as_bytes(), "{jobs}: grown, and {} came out", grown.len());
    }
}

#[test]
fn an_input_that_cannot_be_read_does_not_stop_the_others() {
    let case = |args: &[&str]| Case::new(TOOL).file("x.csv", TEXT).file("d/x", "").args(["--all"]).args(args);
    let missing = "csvfilter: cannot open no.csv: No such file or directory (os error 2)\n";
    let folder = "csvfilter: cannot read d: Is a directory (os error 21)\n";
    let twice = format!("{TEXT}{}", &TEXT[5..]);
    case(&["no.csv"]).status(2).stderr(missing).run();
    case(&["d"]).status(2).stderr(folder).run();
    case(&["no.csv", "x.csv"]).status(23).stdout(TEXT).stderr(missing).run();
    case(&["x.csv", "d", "x.csv"]).status(23).stdout(&twice).stderr(folder).run();
    case(&["x.csv", "no.csv", "-j4"]).status(23).stdout(TEXT).stderr(missing).run();
    let none = format!("{missing}{folder}csvfilter: no input could be read\n");
    case(&["no.csv", "d"]).status(2).stderr(none).run();
    // 23 goes before 1, and 2 before 23.
    case(&["no.csv", "x.csv", "--not"]).status(23).stdout("id,n\n").stderr(missing).run();
    case(&["no.csv", "x.csv", "--select", "zz"]).status(2).stderr_has("no column `zz` in x.csv").run();
}

#[test]
fn of_a_torn_archive_comes_what_is_before_the_tear() {
    let text = people(1 << 20);
    let said = "csvfilter: cannot read torn.gz: incomplete deflate stream\n";
    for jobs in ["-j1", "-j4"] {
        let torn = |args: &str| {
            let script = format!("gzip -c x.csv | head -c 100000 > torn.gz; \"$0\" --all {jobs} {args}");
            sh(&script).file("x.csv", &text).file("out", "old").stderr(said)
        };
        let alone = torn("torn.gz").stdout_has("id,name").status(2).run().stdout;
        assert!(alone.len() > 100_000 && text.as_bytes().starts_with(&alone), "{jobs}: {}", alone.len());
        assert!(alone.ends_with(b"\n"), "{jobs}: half a row came out");
        let both = torn("torn.gz x.csv").stdout_has("id,name").status(23).run().stdout;
        let rows = &text[text.find('\n').unwrap() + 1..];
        assert!(both == [&alone, rows.as_bytes()].concat(), "{jobs}: {}", both.len());
        assert_eq!(torn("torn.gz -o out").status(2).run().read("out"), b"old");
        // Whoever names others too is told by the status that something is missing.
        assert_ne!(torn("x.csv torn.gz -o out").status(23).run().read("out"), b"old");
    }
}
