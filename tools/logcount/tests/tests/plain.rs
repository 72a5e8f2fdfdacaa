//! Counting what is there.

use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::fs;
use std::io::Write;
use std::os::unix::ffi::OsStrExt;
use std::process::Command;

use super::{case, json};

const LOG: &str = "2026-03-01 10:30:00 INFO start\n2026-03-01 10:30:05 WARN slow\n\
                   2026-03-01 11:00:00 ERROR down\n  at x\n";

fn one_of_each() -> String {
    json(&[("INFO", 1), ("WARNING", 1), ("ERROR", 1)])
}

#[test]
fn files_and_standard_input_are_counted_alike() {
    case("--json a.log").file("a.log", LOG).stdout(one_of_each()).run();
    case("--json").stdin(LOG).stdout(one_of_each()).run();
    case("--json -").file("a.log", LOG).stdin_file("a.log").stdout(one_of_each()).run();
    case("--json").stdout(json(&[])).run();
    case("--json a.log - a.log")
        .file("a.log", LOG)
        .stdin(LOG)
        .stdout(json(&[("INFO", 3), ("WARNING", 3), ("ERROR", 3)]))
        .run();
}

#[test]
fn odd_bytes_are_no_obstacle() {
    let utf_16 = |text: &str| text.encode_utf16().flat_map(u16::to_be_bytes).collect::<Vec<u8>>();
    let check = |bytes: &[u8]| {
        case("--json a.log").file("a.log", bytes).stdout(one_of_each()).run();
        case("--json").stdin(bytes).stdout(one_of_each()).run();
    };
    check(&LOG.as_bytes()[..LOG.len() - 1]);
    check(LOG.replace('\n', "\r\n").as_bytes());
    check(&[b"\xef\xbb\xbf", LOG.as_bytes()].concat());
    check(&utf_16(&format!("\u{feff}{LOG}")));
    check(&[b"\0\0\0\0", LOG.as_bytes()].concat());
    check(&[&vec![0; 5_000_000], LOG.as_bytes()].concat()[5_000_000 - 4..]);
    check(&[LOG.as_bytes(), b"  \xff\xfe\0\xc3("].concat());
    check(LOG.replace("WARN", "\x1b[33mWARN\x1b[0m").as_bytes());
    case("--json a.log")
        .file("a.log", [&vec![0; 5_000_000], LOG.as_bytes()].concat())
        .stdout(one_of_each())
        .run();
}

#[test]
fn packed_files_are_told_by_their_bytes() {
    let mut gz = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    gz.write_all(LOG.as_bytes()).unwrap();
    let gz = gz.finish().unwrap();
    case("--json a.log").file("a.log", &gz).stdout(one_of_each()).run();
    case("--json").stdin(&gz).stdout(one_of_each()).run();
    let torn = &gz[..gz.len() - 9];
    case("--json torn.gz")
        .file("torn.gz", torn)
        .status(23)
        .stdout_has("{\"TRACE\"")
        .stderr_has("cannot read torn.gz")
        .run();
}

#[test]
fn many_threads_count_what_one_does() {
    let long = LOG.repeat(45_000);
    let run = |flags: &str| {
        let case = case(flags).file("a.log", &long).file("b.log", LOG).file("c.log", &long);
        case.stdout_has("INFO").run().stdout
    };
    for flags in ["--json --lines", "--json --by file", "--json --raw --lines", "--format csv --by minute"] {
        let one = run(&format!("{flags} --jobs 1 a.log b.log c.log"));
        assert_eq!(run(&format!("{flags} -j 3 a.log b.log c.log")), one, "{flags}");
        assert_eq!(run(&format!("{flags} a.log b.log c.log")), one, "{flags}");
    }
    let want = json(&[("INFO", 45_000), ("WARNING", 45_000), ("ERROR", 45_000)]);
    assert_eq!(run("--json a.log"), want.as_bytes());
}

#[test]
fn what_cannot_be_read_is_named_and_the_rest_is_counted() {
    let missing = "logcount: cannot open no.log: No such file or directory (os error 2)\n";
    case("no.log").status(2).stderr(missing).run();
    case("--json no.log a.log").file("a.log", LOG).status(23).stdout(one_of_each()).stderr(missing).run();
    case("--json --by file no.log a.log")
        .file("a.log", LOG)
        .status(23)
        .stdout_has("{\"file\":\"a.log\"")
        .stderr(missing)
        .run();
    let folder = "logcount: cannot count d: it is a directory; --recursive counts the files in it\n";
    case("d").file("d/a.log", LOG).status(2).stderr(folder).run();
    case("--fail-on ERROR --json no.log a.log")
        .file("a.log", LOG)
        .status(23)
        .stdout(one_of_each())
        .stderr(missing)
        .run();
    case("--format prometheus -o old.prom no.log").file("old.prom", "old").status(2).stderr(missing).run();
}

#[test]
fn directories_are_searched() {
    let files = |line: &str| case(line).file("d/a.log", LOG).file("d/e/b.log", LOG).file("d/e/c.txt", LOG);
    let two = json(&[("INFO", 2), ("WARNING", 2), ("ERROR", 2)]);
    let three = json(&[("INFO", 3), ("WARNING", 3), ("ERROR", 3)]);
    files("--json --recursive d").stdout(&three).run();
    files("--json -r --glob *.log d").stdout(&two).run();
    files("--json -r --glob a.* --glob *.txt d").stdout(&two).run();
    files("--json -r d/a.log d/e").stdout(&three).run();
    files("--json -r --glob *.nothing d").stdout(json(&[])).run();
    files("-r --glob [ d").status(2).stderr_has("cannot read --glob").run();
    let out = files("--json --by file -r d").stdout_has("{\"file\":\"d/a.log\",").run();
    let names: Vec<&[u8]> =
        out.stdout.split(|b| *b == b',').filter(|field| field.ends_with(b"log\"")).collect();
    assert_eq!(names.len(), 2);
}

#[test]
fn the_caller_can_say_how_to_read() {
    let check = |flags: &str, log: &str, counts: &[(&str, u64)]| {
        case(&format!("--json {flags} a.log")).file("a.log", log).stdout(json(counts)).run();
    };
    let json_line = "{\"level\":\"error\",\"lvl\":\"debug\"}\n";
    check("", json_line, &[("ERROR", 1)]);
    check("--level-key lvl", json_line, &[("DEBUG", 1)]);
    check("--input-format text", json_line, &[("UNKNOWN", 1)]);
    check("--input-format json", "{\"level\":\"info\"}\nERROR x\n", &[("INFO", 1)]);
    check("--level-pattern sev=(\\w+)", "x sev=error\ny sev=loud\n", &[("ERROR", 1), ("UNKNOWN", 1)]);
    check(
        "--level-pattern sev=(\\w+) --map loud=CRITICAL",
        "x sev=error\ny sev=loud\n",
        &[("ERROR", 1), ("CRITICAL", 1)],
    );
    check("--map error=INFO --map x=DEBUG", json_line, &[("INFO", 1)]);
    check("--map loud=CRITICAL", "{\"level\":\"loud\"}\n2026-03-01 10:30:00 [loud] x\n", &[("CRITICAL", 2)]);
    case("--level-pattern ERROR a.log").file("a.log", LOG).status(2).stderr_has("it has 0 captures").run();
}

#[test]
fn every_output_has_its_form() {
    let run = |flags: &str| case(&format!("{flags} a.log")).file("a.log", LOG);
    run("--raw")
        .stdout("WORD   RECORDS\nERROR        1\nINFO         1\nWARN         1\ntotal        3\n")
        .run();
    run("--raw --lines --format csv").stdout("word,records,lines\nERROR,1,2\nINFO,1,1\nWARN,1,1\n").run();
    run("--raw --json").stdout("{\"ERROR\":1,\"INFO\":1,\"WARN\":1}\n").run();
    case("--raw --json").stdin("{\"msg\":1}\n").stdout("{\"(none)\":1}\n").run();
    run("--format prometheus")
        .stdout_has("\nlog_records{level=\"error\"} 1\n")
        .stdout_has("# TYPE log_records gauge\n")
        .run();
    run("--raw --json --by day --tz +02:00")
        .stdout("{\"day\":\"2026-03-01T00:00:00+02:00\",\"ERROR\":1,\"INFO\":1,\"WARN\":1}\n")
        .run();
    run("--raw --json --by hour")
        .env("TZ", "Asia/Tokyo")
        .stdout_has("{\"hour\":\"2026-03-01T10:00:00+09:00\",")
        .run();
    let yearless = "Mar  1 10:30:00 h p[1]: <3>x\n";
    case("--json --raw --by minute --year 2019 --tz UTC")
        .stdin(yearless)
        .stdout_has("{\"minute\":\"2019-03-01T10:30:00Z\",")
        .run();
    run("--color always").stdout_has("\x1b[31mERROR ").run();
    run("--color never").env("CLICOLOR_FORCE", "1").stdout_has("\nERROR ").run();
    run("").env("CLICOLOR_FORCE", "1").stdout_has("\x1b[31mERROR ").run();
}

#[test]
fn a_terminal_gets_bars() {
    if !testkit::has("script") {
        return;
    }
    let binary = env!("CARGO_BIN_EXE_logcount");
    let script =
        |command: &str| testkit::Case::new("script").args(["-qec", command, "/dev/null"]).file("a.log", LOG);
    script(&format!("{binary} a.log")).stdout_has("ERROR           1  ████").run();
    script(&format!("TERM=xterm {binary} a.log")).stdout_has("\x1b[31mERROR           1  ████").run();
    script(&format!("TERM=xterm NO_COLOR=1 {binary} a.log")).stdout_has("\nERROR           1  ████").run();
}

#[test]
fn the_output_file_is_replaced_whole() {
    let run = |flags: &str| case(&format!("{flags} a.log")).file("a.log", LOG).file("out", "old").run();
    for flags in ["--json -o out", "--json --output new"] {
        let out = run(flags);
        let name = flags.rsplit(' ').next().unwrap();
        assert_eq!(out.read(name), one_of_each().as_bytes());
        assert_eq!(fs::read_dir(out.dir.path()).unwrap().count(), if name == "out" { 2 } else { 3 });
    }
    let out = run("--explain --format csv -o out");
    assert!(out.read("out").starts_with(b"file,line,column,word,level,rule\na.log,1,21,INFO,INFO,"));
    case("-o no/out a.log").file("a.log", LOG).status(2).stderr_has("cannot open the folder of no/out").run();
}

#[test]
fn a_threshold_is_a_status() {
    let check = |flags: &str, status: i32| {
        case(&format!("--json {flags} a.log")).file("a.log", LOG).status(status).stdout(one_of_each()).run();
    };
    check("--fail-on ERROR", 1);
    check("--fail-on error=2", 0);
    check("--fail-on warning=2", 1);
    check("--fail-on warning=3", 0);
    check("--fail-on FATAL", 0);
}

#[test]
fn a_rule_is_shown_for_each_record() {
    let run = |flags: &str| case(&format!("{flags} a.log")).file("a.log", LOG);
    let all = run("--explain").stdout_has("a.log:3:21  ERROR  ERROR    ").run();
    assert_eq!(all.stdout.split(|byte| *byte == b'\n').count(), 3 + 1);
    let two = run("--explain=2").stdout_has("a.log:2:21  WARN  WARNING  ").run();
    assert_eq!(two.stdout.split(|byte| *byte == b'\n').count(), 2 + 1);
    run("--explain=1 --json")
        .stdout_has(
            "{\"file\":\"a.log\",\"line\":1,\"column\":21,\"word\":\"INFO\",\"level\":\"INFO\",\"rule\":",
        )
        .run();
    case("--explain").stdin("{\"a\":1}\n").stdout_has("-:1  (none)  UNKNOWN  ").run();
    case("--explain no.log a.log")
        .file("a.log", LOG)
        .status(23)
        .stdout_has("a.log:1:21")
        .stderr_has("no.log")
        .run();
}

#[test]
fn a_closed_pipe_is_silent_and_a_full_disk_is_not() {
    case("a.log").file("a.log", LOG).stdout_closed_after(0).run();
    case("a.log")
        .file("a.log", LOG)
        .stdout_to_full_disk()
        .status(2)
        .stderr_has("cannot write standard output")
        .run();
    case("--json no.log a.log").file("a.log", LOG).stderr_closed().status(23).stdout(one_of_each()).run();
}

#[test]
fn names_need_not_be_text() {
    use std::os::unix::ffi::OsStrExt;
    let name = std::ffi::OsStr::from_bytes(b"a\xff\x1b.log");
    case("--json --raw --by file")
        .args([name])
        .file(name, LOG)
        .stdout("{\"file\":\"a\u{fffd}\\u001b.log\",\"ERROR\":1,\"INFO\":1,\"WARN\":1}\n")
        .run();
}

#[test]
fn real_logs_have_the_counts_that_their_makers_published() {
    let Some(truth) = testkit::truth() else { return };
    let folder = truth.join("loghub");
    let published = fs::read_to_string(folder.join("truth.tsv")).unwrap();
    let mut sets: BTreeMap<&str, BTreeMap<String, u64>> = BTreeMap::new();
    for line in published.lines().skip(1) {
        let [set, level, count] = line.split('\t').collect::<Vec<_>>().try_into().unwrap();
        let level = logs::Level::of_value(level.as_bytes()).map_or("UNKNOWN", logs::Level::name);
        *sets.entry(set).or_default().entry(level.to_owned()).or_default() += count.parse::<u64>().unwrap();
    }
    assert!(!sets.is_empty());
    for (set, counts) in sets {
        let counts: Vec<_> = counts.iter().map(|(level, count)| (level.as_str(), *count)).collect();
        let path = folder.join(set).join(format!("{set}_2k.log"));
        case("--json").args([&path]).stdout(json(&counts)).run();
    }
}

#[test]
fn no_sample_for_prometheus_is_there_twice() {
    let folder = tempfile::tempdir().unwrap();
    let names = [b"a\xfe.log", b"a\xff.log"].map(|name| OsStr::from_bytes(name));
    for name in names {
        fs::write(folder.path().join(name), LOG).unwrap();
    }
    let out = Command::new(env!("CARGO_BIN_EXE_logcount"))
        .current_dir(folder.path())
        .args(["--by", "file", "--format", "prometheus"])
        .args(names)
        .args(names)
        .output()
        .unwrap();
    let text = String::from_utf8(out.stdout).unwrap();
    let errors: Vec<&str> = text.lines().filter(|line| line.contains("error")).collect();
    let want = ["fe", "ff"].map(|x| format!("log_records{{file=\"a\\\\x{x}.log\",level=\"error\"}} 1"));
    assert_eq!(errors, want);
}
