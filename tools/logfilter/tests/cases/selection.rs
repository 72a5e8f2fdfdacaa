//! Which records are kept.

use super::{check, lines, on_log};
use testkit::Case;

fn logfilter() -> Case {
    Case::new(env!("CARGO_BIN_EXE_logfilter"))
}

#[test]
fn levels() {
    check(&["--level", "WARNING"], "w e f");
    check(&["-l", "error"], "e f");
    check(&["--level", "=INFO"], "i");
    check(&["--level", "DEBUG..INFO"], "d i");
    check(&["--level", "=TRACE,NOTICE..WARNING"], "t n w");
    check(&[], "t d i n w e f nothing");
    on_log(&["--level", "loud"]).status(2).stderr_has("say one of TRACE, DEBUG, INFO").run();
}

#[test]
fn records_without_a_level() {
    check(&["--level", "FATAL", "--unknown", "keep"], "f nothing");
    check(&["--unknown", "drop", "--level", "FATAL"], "f");
    check(&["--unknown", "drop", "--start-date", "2026-03-01 10:00:06"], "f");
    let said = "logfilter: dropped records without a level=1\n";
    on_log(&["-v", "-l", "FATAL"]).stdout(lines("f")).stderr(said).run();
}

#[test]
fn times_are_included_as_far_as_they_are_told() {
    let between = |start: &str, end: &str, want: &str| check(&["-s", start, "-e", end], want);
    between("2026-03-01 10:00:02", "2026-03-01 10:00:04", "i n w");
    between("2026-03-01 10:00:02.5", "2026-03-01 10:00:04.5", "n w");
    between("2026-03-01", "2026-03-01", "t d i n w e f nothing");
    between("2026-03-01T10:00:05Z", "2026-03-01 10:00", "e f nothing");
    between("2026-03-01T11:00:05+01:00", "@1772359206", "e f");
    between("2026-02-28", "Mar 1 2026 10:00:01", "t d");
    check(&["--start-date", "2026-03-02"], "");
    check(&["--since", "2026-03-01 10:00:06"], "f nothing");
    check(&["--until", "2026-03-01 10:00:00"], "t");
    check(&["--end-date", "2026-02"], "");
}

#[test]
fn times_relative_to_now() {
    let stamp = |ago: u64| {
        let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap().as_secs();
        format!("{} INFO {ago}\n", now - ago)
    };
    let log = [3 * 86_400, 3 * 3_600, 60].map(stamp);
    let check = |args: &[&str], want: &str| {
        logfilter().file("e.log", log.concat()).args(args).args(["e.log"]).stdout(want).run();
    };
    check(&["-s", "-2h"], &log[2]);
    check(&["--since", "-4h", "--until", "-2h"], &log[1]);
    check(&["--until", "-2d"], &log[0]);
    check(&["--since", "-7d", "-e", "now"], &log.concat());
}

#[test]
fn what_is_no_time_is_told_the_forms() {
    on_log(&["-s", "soon"])
        .status(2)
        .stderr_has("logfilter: --start-date: `soon` is no time; write it as 2026-03-01, '2026-03-01 10:30'")
        .run();
    on_log(&["--until", "25:00"]).status(2).stderr_has("logfilter: --until: `25:00` is no time; write").run();
    on_log(&["--since", "5m"])
        .status(2)
        .stderr("logfilter: --since: `5m` is no time; did you mean `-5m`, so long ago?\n")
        .run();
    let said =
        "logfilter: cannot take `(` for `--match <REGEX>`: `(` is no regular expression: unclosed group\n";
    on_log(&["--match", "("]).status(2).stderr(said).run();
    on_log(&["--max", "0"])
        .status(2)
        .stderr("logfilter: cannot take `0` for `--max <N>`: it is at least 1\n")
        .run();
    on_log(&["-s", "2026-03-02", "-e", "2026-03-01"])
        .status(2)
        .stderr("logfilter: the start, 2026-03-02T00:00:00Z, lies after the end, 2026-03-01T23:59:59.999999999Z\n")
        .run();
}

#[test]
fn zones_of_logs_and_of_the_command_line() {
    let log = "2026-03-01 10:00:00 INFO local\n2026-03-01T10:00:00Z INFO utc\n";
    let check = |args: &[&str], want: &str| {
        logfilter().file("z.log", log).args(args).args(["z.log"]).stdout(want).run();
    };
    let [local, utc] = [0, 1].map(|at| format!("{}\n", log.lines().nth(at).unwrap()));
    check(&["--tz", "Europe/Berlin", "-s", "2026-03-01 11:00", "-e", "2026-03-01 11:00"], &utc);
    check(&["--tz", "+02:00", "-e", "2026-03-01 10:00"], &local);
    check(&["--tz", "-02:00", "-s", "2026-03-01T11:00:00Z"], &local);
    logfilter()
        .env("TZ", "Asia/Tokyo")
        .file("z.log", log)
        .args(["-e", "2026-03-01T02:00:00Z", "z.log"])
        .stdout(local)
        .run();
    logfilter().args(["--tz", "Mars"]).status(2).stderr_has("`Mars` is no time zone").run();
}

#[test]
fn years_that_are_not_told() {
    let log = "Dec 31 23:59:58 host a: old\nJan  1 00:00:01 host a: new\n";
    let [old, new] = [0, 1].map(|at| format!("{}\n", log.lines().nth(at).unwrap()));
    let run = |args: &[&str]| {
        let case = logfilter().file("y.log", log);
        let written = std::time::SystemTime::UNIX_EPOCH + std::time::Duration::from_secs(1_772_359_206);
        std::fs::File::options()
            .append(true)
            .open(case.path("y.log"))
            .unwrap()
            .set_modified(written)
            .unwrap();
        case.args(args).args(["y.log"])
    };
    run(&["-s", "2025-12-31", "-e", "2025-12-31"]).stdout(old.clone()).run();
    run(&["-s", "2026-01-01"]).stdout(new.clone()).run();
    run(&["--year", "2019", "-s", "2019-12", "-e", "2019"]).status(2).stderr_has("is no time").run();
    run(&["--year", "2019", "-e", "2019-12-31"]).stdout(old).run();
    run(&["--year", "2019", "-s", "2020-01-01", "-e", "2020-12-31"]).stdout(new).run();
}

#[test]
fn records_without_a_time() {
    let log = "INFO early\n2026-03-01 10:00:00 INFO a\n2026-02-30 10:00:00 INFO no such day\n\
               2026-03-02 10:00:00 INFO b\n";
    let at = |index: usize| format!("{}\n", log.lines().nth(index).unwrap());
    let run = |args: &[&str]| logfilter().file("n.log", log).args(args).args(["n.log"]);
    run(&["-e", "2026-03-01"]).stdout(at(1) + &at(2)).run();
    run(&["-e", "2026-03-01", "--not"]).stdout(at(0) + &at(3)).run();
    let said = "logfilter: dropped records before the first time of their file=1\n";
    run(&["-v", "-s", "2026-03-02"]).stdout(at(3)).stderr(said).run();
}

#[test]
fn patterns_see_the_whole_record() {
    check(&["--match", "at two"], "e");
    check(&["-m", r"^\tat two$"], "e");
    check(&["-m", "(?s)e.*two", "-l", "ERROR"], "e");
    check(&["-m", "e.*two"], "");
    check(&["-m", "[tn]$", "-l", "INFO..NOTICE"], "n");
    on_log(&["--match", "("]).status(2).stderr_has("unclosed group").run();
    let crlf = LOG_CRLF.replace('\n', "\r\n");
    logfilter().file("c.log", &crlf).args(["-m", "one$", "c.log"]).stdout(crlf).run();
}

const LOG_CRLF: &str = "2026-03-01 10:00:05 ERROR e\n\tat one\n\tat two\n";

#[test]
fn not_keeps_exactly_what_would_be_dropped() {
    check(&["--not", "-l", "WARNING"], "t d i n nothing");
    check(&["--not", "-m", "two"], "t d i n w f nothing");
    check(&["--not", "-l", "ERROR", "-m", "two", "-s", "2026-03-01 10:00:01"], "t d i n w f nothing");
    check(&["--not"], "");
}

#[test]
fn counts_and_limits() {
    let count = |args: &[&str], want: &str, status: i32| {
        on_log(args).stdout(format!("{want}\n")).status(status).run();
    };
    count(&["--count", "-l", "WARNING"], "3", 0);
    count(&["-c", "-s", "2026-03-02"], "0", 1);
    count(&["-c", "--max", "2"], "2", 0);
    check(&["--max", "1", "-l", "ERROR"], "e");
    check(&["--max", "2", "-m", "[we]$"], "w e");
    on_log(&["--max", "0"]).status(2).stderr_has("--max").run();
}

#[test]
fn where_the_level_stands_can_be_told() {
    let json = "{\"time\":\"2026-03-01T10:00:00Z\",\"grade\":\"error\",\"level\":\"info\"}\n\
                {\"time\":\"2026-03-01T10:00:00Z\",\"grade\":\"info\",\"level\":\"error\"}\n";
    let at = |text: &str, index: usize| format!("{}\n", text.lines().nth(index).unwrap());
    let run = |text: &str, args: &[&str]| logfilter().file("x.log", text).args(args).args(["x.log"]);
    run(json, &["-l", "ERROR"]).stdout(at(json, 1)).run();
    run(json, &["-l", "ERROR", "--level-key", "grade"]).stdout(at(json, 0)).run();
    let loud = json.replace("\"info\",\"level\"", "\"loud\",\"level\"");
    let mapped = ["-l", "FATAL", "--level-key", "grade", "--map", "loud=FATAL"];
    run(&loud, &mapped).stdout(at(&loud, 1)).run();
    run(json, &["-l", "ERROR", "--input-format", "text"]).status(1).run();
    run(json, &["-l", "ERROR", "--input-format", "loud"])
        .status(2)
        .stderr_has("it is none of `auto`, `text`")
        .run();
    let own = "10:00 <3> disk\n10:01 <7> cpu\n";
    let pattern = ["-l", "ERROR", "--level-pattern", "<([0-9])>", "--map", "3=ERROR", "--map", "7=debug"];
    run(own, &pattern).stdout(at(own, 0)).run();
    run(own, &["--level-pattern", "<[0-9]>"]).status(2).stderr_has("has 0 captures").run();
    run(own, &["--map", "3"]).status(2).stderr_has("write it as WORD=LEVEL").run();
}

#[test]
fn each_line_can_tell_its_input() {
    let logs = || {
        let case = logfilter()
            .file("a.log", "2026-03-01 10:00:00 ERROR one\n\tat A\n2026-03-01 10:00:03 ERROR three");
        case.file("b.log", "2026-03-01 10:00:02 ERROR two\r\n2026-03-01 10:00:04 WARN four\n")
    };
    let one_by_one = "a.log: 2026-03-01 10:00:00 ERROR one\na.log: \tat A\na.log: 2026-03-01 10:00:03 ERROR three\n\
         b.log: 2026-03-01 10:00:02 ERROR two\r\n";
    logs().args(["--with-name", "-l", "ERROR", "a.log", "b.log"]).stdout(one_by_one).run();
    let merged = "a.log: 2026-03-01 10:00:00 ERROR one\na.log: \tat A\nb.log: 2026-03-01 10:00:02 ERROR two\r\n\
         a.log: 2026-03-01 10:00:03 ERROR three\nb.log: 2026-03-01 10:00:04 WARN four\n";
    logs().args(["--with-name", "--merge", "a.log", "b.log"]).stdout(merged).run();
    let coloured = "a.log: 2026-03-01 10:00:03 \x1b[31mERROR\x1b[0m three";
    logs().args(["--with-name", "--color", "always", "-m", "three", "a.log"]).stdout(coloured).run();
    let piped = "standard input: ERROR a\nstandard input: b\n";
    logfilter().stdin("ERROR a\nb\n").args(["--with-name"]).stdout(piped).run();
    logs().args(["--with-name", "--count", "a.log"]).status(2).stderr_has("cannot be used with").run();
}
