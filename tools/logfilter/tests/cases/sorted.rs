//! Sorted files of which a part is read, and several files as one stream.

use std::fmt::Write as _;

use testkit::Case;

fn logfilter() -> Case {
    Case::new(env!("CARGO_BIN_EXE_logfilter"))
}

/// The record of one second of 2026-03-01, in UTC.
fn record(second: u32) -> String {
    let (hour, minute, second) = (second / 3600, second / 60 % 60, second % 60);
    format!("2026-03-01 {hour:02}:{minute:02}:{second:02} INFO {}\n", "what happened ".repeat(3))
}

/// One record for each second of the day: more than is read without a search.
fn day() -> String {
    (0..86_400).map(record).collect()
}

const NOON: [&str; 4] = ["-s", "2026-03-01 12:00:00", "-e", "2026-03-01 12:00:04"];

fn noon() -> String {
    (43_200..43_205).map(record).collect()
}

/// Where the run says that it began to read.
fn begins(stderr: &[u8]) -> Option<u64> {
    let said = String::from_utf8_lossy(stderr).into_owned();
    said.split_once("is read from byte ")?.1.split(' ').next()?.parse().ok()
}

#[test]
fn of_a_sorted_file_a_part_is_read() {
    let day = day();
    let run = |args: &[&str]| {
        let case = logfilter().file("day.log", &day).args(NOON).args(args).args(["-vv", "day.log"]);
        begins(&case.stdout(noon()).stderr_has("").run().stderr)
    };
    let part = run(&[]).unwrap();
    assert!(day.len() as u64 / 3 < part && part < day.len() as u64 / 2, "{part}");
    assert_eq!(run(&["--scan"]), None);
    assert!(run(&["--slack", "1s"]).unwrap() >= part);
    assert!(run(&["--slack", "3h"]).unwrap() < part);
    // A pipe cannot be searched, and an inverted range is everywhere.
    assert_eq!(
        begins(&logfilter().stdin(&day).args(NOON).stdout(noon()).stderr_has("").args(["-vv"]).run().stderr),
        None
    );
    let count = format!("{}\n", 86_400 - 5);
    logfilter().file("day.log", &day).args(NOON).args(["--not", "-c", "day.log"]).stdout(count).run();
}

#[test]
fn what_lies_outside_of_the_file() {
    let day = day();
    let run = |args: &[&str]| logfilter().file("day.log", &day).args(args).args(["-c", "day.log"]);
    run(&["-s", "2026-03-02"]).stdout("0\n").status(1).run();
    run(&["-e", "2026-02-28"]).stdout("0\n").status(1).run();
    run(&["-s", "2026-02-28"]).stdout("86400\n").run();
    run(&["-e", "2026-03-02"]).stdout("86400\n").run();
    run(&["-s", "2026-03-01 23:59:59"]).stdout("1\n").run();
    run(&["-e", "2026-03-01 00:00:00"]).stdout("1\n").run();
}

#[test]
fn an_unsorted_file_is_read_as_a_whole() {
    let day = day();
    let (morning, rest) = day.split_at(day.len() / 3 / record(0).len() * record(0).len());
    let case = logfilter().file("day.log", rest.to_owned() + morning).args(NOON).args(["-v", "day.log"]);
    case.stdout(noon()).stderr("logfilter: day.log is read as a whole: it is not sorted by time\n").run();
}

#[test]
fn neighbours_out_of_order_are_found_within_the_slack() {
    let mut late = String::new();
    for minute in 0..1440 {
        // The first half of each minute comes behind its second half.
        for second in (30..60).chain(0..30) {
            late += &record(minute * 60 + second);
        }
    }
    let want: String = ["--scan", "--slack=60s", "--slack=59s"]
        .map(|flag| {
            let case = logfilter().file("late.log", &late).args(NOON).args([flag, "late.log"]);
            String::from_utf8(case.stdout_has("").run().stdout).unwrap()
        })
        .join("");
    assert_eq!(want, noon().repeat(3));
}

#[test]
fn an_hour_that_clocks_show_twice_is_found_twice() {
    // From 02:00 to 04:00 of the morning when the clocks go from 03:00 back to 02:00.
    let minutes = (120..180).chain(120..180).chain(180..240);
    let rest = format!("INFO {}\n", "what happened ".repeat(4));
    let mut text = String::new();
    for minute in (0..120).chain(minutes).chain(240..600) {
        let (hour, minute) = (minute / 60, minute % 60);
        (0..60).for_each(|second| {
            write!(text, "2025-10-26 {hour:02}:{minute:02}:{second:02} {rest}").unwrap();
        });
    }
    for minute in (0..300).step_by(7) {
        let time = format!("2025-10-26 {:02}:{:02}", minute / 60, minute % 60);
        let count = if (120..180).contains(&minute) { "120\n" } else { "60\n" };
        let case = logfilter().file("fold.log", &text).args(["--tz", "Europe/Berlin", "-c", "fold.log"]);
        case.args(["-s", &time, "-e", &time]).stdout(count).run();
    }
    let case = logfilter().file("fold.log", &text).args(["--tz", "Europe/Berlin", "-c", "fold.log"]);
    case.args(["-s", "2025-10-26 01:30", "-e", "2025-10-26 03:29"]).stdout("10800\n").run();
}

/// A run on `text` as `a.log`, last written at `secs`: times without a date or year go by that.
fn written_at(text: &str, secs: u64) -> Case {
    let case = logfilter().file("a.log", text);
    let time = std::time::UNIX_EPOCH + std::time::Duration::from_secs(secs);
    let file = std::fs::File::options().append(true).open(case.path("a.log"));
    assert!(file.is_ok_and(|file| file.set_modified(time).is_ok()));
    case
}

#[test]
fn times_without_a_date_are_not_searched_for() {
    // Of 2026-03-01, written until just before midnight.
    let text = day().replace("2026-03-01 ", "");
    let range = ["-s", "2026-03-01 12:00", "-e", "2026-03-01 12:09", "-c", "-v", "a.log"];
    let said = "logfilter: a.log is read as a whole: its times tell no date\n";
    written_at(&text, 1_772_409_599).args(range).stdout("600\n").stderr(said).run();
}

#[test]
fn times_without_a_year_that_begin_anew_are_not_searched_for() {
    // A record for each hour from the beginning of 2025 on.
    let check = |days: u64, month: &str, count: &str| {
        let hours = (0..).map(|hour| 1_735_689_600 + hour * 3_600);
        let stamps = hours.take(usize::try_from(days).unwrap() * 24).map(logs::clock::Time::from_secs);
        let text: String = stamps.map(|stamp| syslog(&stamp.to_string())).collect();
        let case = written_at(&text, 1_735_689_599 + days * 86_400);
        case.args(["-s", month, "-e", month, "-c", "a.log"]).stdout(count).run();
    };
    check(100, "2025-02", "672\n");
    check(365, "2025-08", "744\n");
    check(405, "2025-08", "744\n");
}

/// A line of syslog at the time of this stamp, long enough to be searched for.
fn syslog(stamp: &str) -> String {
    let names = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
    let month = stamp[5..7].parse().map_or("", |month: usize| names[month - 1]);
    let day = stamp[8..10].trim_start_matches('0');
    format!("{month} {day:>2} {} host app[1]: {}\n", &stamp[11..19], "what happened ".repeat(16))
}

#[test]
fn disorder_in_what_is_read_is_told() {
    let mut text = day();
    let place = text.find(&record(43_300)).unwrap();
    text.insert_str(place, &record(40_000));
    let case = logfilter().file("day.log", text).args([
        "-s",
        "2026-03-01 12:00",
        "-e",
        "2026-03-01 12:10",
        "-c",
        "day.log",
    ]);
    let said = "day.log is not sorted by time; its first ";
    case.stdout("660\n").stderr_has(said).stderr_has("--scan reads all").run();
}

#[test]
fn the_hole_of_a_truncated_log_is_passed_over() {
    let hole = vec![0; 5_000_000];
    let log = [&hole[..], day().as_bytes()].concat();
    let run = |args: &[&str]| logfilter().file("day.log", &log).args(args).args(["day.log"]);
    run(&["--max", "1"]).stdout(record(0)).run();
    run(&NOON).stdout(noon()).run();
    run(&["-e", "2026-03-01 00:00:01"]).stdout(record(0) + &record(1)).run();
}

#[test]
fn several_files_as_one_stream() {
    let a = "2026-03-01 10:00:00 INFO a1\n\ttrace of a1\n2026-03-01 10:00:05 ERROR a2\n";
    let b = "2026-03-01T10:00:00Z WARN b1\n2026-03-01T10:00:03Z INFO b2\r\n2026-03-01T10:00:06Z INFO b3";
    let run = |args: &[&str]| {
        logfilter().file("a.log", a).file("b.log", b).args(["--merge", "--tz", "UTC"]).args(args)
    };
    let all = "2026-03-01 10:00:00 INFO a1\n\ttrace of a1\n2026-03-01T10:00:00Z WARN b1\n\
               2026-03-01T10:00:03Z INFO b2\r\n2026-03-01 10:00:05 ERROR a2\n2026-03-01T10:00:06Z INFO b3";
    run(&["a.log", "b.log"]).stdout(all).run();
    run(&["a.log", "--input", "-"]).stdin(b).stdout(all).run();
    run(&["-l", "WARNING", "b.log", "a.log"])
        .stdout("2026-03-01T10:00:00Z WARN b1\n2026-03-01 10:00:05 ERROR a2\n")
        .run();
    run(&["-m", "trace", "--color", "always", "a.log", "b.log"])
        .stdout("2026-03-01 10:00:00 \x1b[32mINFO\x1b[0m a1\n\ttrace of a1\n")
        .run();
    run(&["--max", "2", "a.log", "b.log"]).stdout(&all[..all.find("2026-03-01T10:00:03").unwrap()]).run();
    run(&["-c", "-e", "2026-03-01 10:00:05", "a.log", "b.log"]).stdout("4\n").run();
    let gone = "logfilter: cannot open no.log: No such file or directory (os error 2)\n";
    run(&["a.log", "no.log", "b.log"]).stdout(all).stderr(gone).status(23).run();
    run(&["no.log"]).stderr(gone).status(2).run();
}

#[test]
fn standard_input_is_one_stream() {
    let said = "logfilter: standard input cannot be merged with itself; name `-` once\n";
    logfilter().stdin("2026-03-01 INFO a\n").args(["--merge", "-", "-"]).stderr(said).status(2).run();
    logfilter().stdin("2026-03-01 INFO a\n").args(["--merge", "-"]).stdout("2026-03-01 INFO a\n").run();
    logfilter().stdin("2026-03-01 INFO a\n").args(["-", "-"]).stdout("2026-03-01 INFO a\n").run();
}

#[test]
fn a_stream_keeps_the_order_within_each_file() {
    let mut files = [String::new(), String::new(), String::new()];
    for number in 0..20_000_u32 {
        // The seconds go back and forth by a few, so no file is sorted.
        let second = number / 2 + number * 7 % 5;
        let text = record(second).replace("INFO", &format!("INFO {number}"));
        files[(number % 3) as usize].extend([text.as_str(), "\ttrace\n"]);
    }
    let [a, b, c] = &files;
    let case = logfilter().file("a", a).file("b", b).file("c", c).args(["--merge", "a", "b", "c"]);
    let out = case.stdout_has("").run().stdout;
    let out = String::from_utf8(out).unwrap();
    assert_eq!(out.len(), a.len() + b.len() + c.len());
    for (index, file) in files.iter().enumerate() {
        let of_file = |line: &&str| {
            let number = line.split(' ').nth(3).and_then(|word| word.parse::<usize>().ok());
            number.is_some_and(|number| number % 3 == index)
        };
        assert!(out.lines().filter(of_file).eq(file.lines().filter(of_file)));
    }
    assert!(out.split_inclusive("\ttrace\n").all(|record| record.matches('\n').count() == 2));
}

#[test]
fn streams_in_utf_16_and_not() {
    let wide: Vec<u8> =
        "\u{feff}2026-03-01 10:00:01 INFO ä\n".encode_utf16().flat_map(u16::to_le_bytes).collect();
    let plain = "2026-03-01 10:00:00 INFO ö\n2026-03-01 10:00:02 INFO ü\n";
    let case = logfilter().file("16.log", wide).file("8.log", plain).args(["--merge", "8.log", "16.log"]);
    case.stdout("2026-03-01 10:00:00 INFO ö\n2026-03-01 10:00:01 INFO ä\n2026-03-01 10:00:02 INFO ü\n").run();
}
