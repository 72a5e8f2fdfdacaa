use logs::clock::Time;
use logs::records::{After, Scanner};

use super::*;
use crate::plan::By;
use crate::tally::{Levels, Tally, Times, Words};

const LOG: &str = "2026-03-01 10:30:00 INFO start\n2026-03-01 10:30:05 WARN slow\n\
                   2026-03-01 11:00:00 ERROR down\n  at x\n  at y\n2026-03-01 11:00:01 FATAL dead\n";

fn groups<T: Tally>(plan: &Plan) -> Vec<Group> {
    let mut tally = T::new(plan, Time::from_secs(1_800_000_000));
    Scanner::new(&plan.rules).scan(LOG.as_bytes(), After::End, &mut tally);
    let key = |time| match plan.by {
        By::Nothing => Key::All,
        By::File => Key::File(Path::new("a \"b\",\\c\u{1b}\n.log").into()),
        _ => Key::Time(time),
    };
    tally.groups().into_iter().map(|(time, cells)| Group { key: key(time), cells }).collect()
}

/// What a command line makes of the log, on a terminal or not.
fn printed(flags: &str, colour: bool, bars: bool) -> String {
    let plan = crate::cli::planned(flags);
    let groups = match (plan.raw, plan.by.is_time()) {
        (false, false) => groups::<Levels>(&plan),
        (true, false) => groups::<Words>(&plan),
        (false, true) => groups::<Times<Levels>>(&plan),
        (true, true) => groups::<Times<Words>>(&plan),
    };
    let mut text = Vec::new();
    let report = Report { groups: Groups::Few(groups), is_cumulative: false };
    let mut put = |bytes: &[u8]| {
        text.extend_from_slice(bytes);
        Ok(())
    };
    write(&report, &Look { colour, bars, ..Look::of(&plan, false) }, &mut put).unwrap();
    String::from_utf8(text).unwrap()
}

#[track_caller]
fn check(flags: &str, want: &str) {
    assert_eq!(printed(flags, false, false), want, "{flags}");
}

#[test]
fn tables_are_aligned() {
    check(
        "--raw",
        "WORD   RECORDS\nERROR        1\nFATAL        1\nINFO         1\nWARN         1\ntotal        4\n",
    );
    check(
        "--raw --lines --by hour --tz UTC",
        "HOUR                   WORD  RECORDS  LINES\n\
         2026-03-01T10:00:00Z   INFO        1      1\n\
         2026-03-01T10:00:00Z   WARN        1      1\n\
         2026-03-01T11:00:00Z  ERROR        1      3\n\
         2026-03-01T11:00:00Z  FATAL        1      1\n",
    );
    check(
        "--raw --by day --tz +02:00",
        "DAY                        ERROR  FATAL  INFO  WARN  total\n2026-03-01T00:00:00+02:00      1      1     1     1      4\n",
    );
}

#[test]
fn terminals_get_bars_and_colours_and_no_control_characters() {
    let text = printed("", false, true);
    let longest = "█".repeat(40);
    assert!(text.contains(&format!("\nERROR           1  {longest}\n")), "{text}");
    assert!(text.contains("\nTRACE           0\n"), "{text}");
    assert!(!text.contains('\x1b'), "{text}");
    let text = printed("", true, true);
    assert!(text.contains(&format!("\n\x1b[31mERROR           1  {longest}\x1b[0m\n")), "{text}");
    let text = printed("--by file", false, true);
    assert!(text.contains("\na \\\"b\\\",\\\\c\\u{1b}\\n.log "), "{text}");
}

#[test]
fn json_is_one_object_for_each_group() {
    check(
        "--json --lines",
        "{\"TRACE\":0,\"DEBUG\":0,\"INFO\":1,\"NOTICE\":0,\"WARNING\":1,\"ERROR\":1,\"CRITICAL\":1,\"UNKNOWN\":0,\
         \"lines\":{\"TRACE\":0,\"DEBUG\":0,\"INFO\":1,\"NOTICE\":0,\"WARNING\":1,\"ERROR\":3,\"CRITICAL\":1,\"UNKNOWN\":0}}\n",
    );
    check(
        "--json --raw --by file",
        "{\"file\":\"a \\\"b\\\",\\\\c\\u001b\\n.log\",\"ERROR\":1,\"FATAL\":1,\"INFO\":1,\"WARN\":1}\n",
    );
    check(
        "--json --raw --by minute --tz UTC",
        "{\"minute\":\"2026-03-01T10:30:00Z\",\"INFO\":1,\"WARN\":1}\n\
         {\"minute\":\"2026-03-01T11:00:00Z\",\"ERROR\":1,\"FATAL\":1}\n",
    );
}

#[test]
fn csv_quotes_what_it_must() {
    check("--format csv --raw --lines", "word,records,lines\nERROR,1,3\nFATAL,1,1\nINFO,1,1\nWARN,1,1\n");
    let text = printed("--format csv --by file", false, false);
    let first = "file,level,records\n\"a \"\"b\"\",\\c\u{1b}\n.log\",TRACE,0\n";
    assert!(text.starts_with(first), "{text}");
}

#[test]
fn labels_are_escaped_for_prometheus() {
    let text = printed("--format prometheus --by file --lines", false, false);
    let metric = |name: &str, help: &str| format!("# HELP {name} {help} by level.\n# TYPE {name} gauge\n");
    assert!(text.starts_with(&metric("log_records", "Log records")), "{text}");
    assert!(text.contains(&metric("log_lines", "Lines of log records")), "{text}");
    let label = "file=\"a \\\"b\\\",\\\\c\u{1b}\\n.log\",level=\"error\"";
    assert!(text.contains(&format!("\nlog_records{{{label}}} 1\n")), "{text}");
    assert!(text.ends_with(&format!("\nlog_lines{{{}}} 0\n", label.replace("error", "unknown"))), "{text}");
    assert!(printed("--format prometheus --raw", false, false).contains("\nlog_records{word=\"FATAL\"} 1\n"));
}
