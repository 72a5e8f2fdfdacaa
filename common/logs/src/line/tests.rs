use super::*;
use proptest::prelude::*;

fn level(line: &[u8], rules: &Rules) -> (Sort, Option<Level>) {
    let mut scratch = Scratch::default();
    let line = read(line, rules, &mut scratch);
    (line.sort, line.level)
}

fn check(line: &str, want: Option<Level>) {
    let (sort, got) = level(line.as_bytes(), &Rules::default());
    assert_eq!(got, want, "{line}");
    assert!(!matches!(sort, Sort::More | Sort::Plain), "{line}");
}

#[test]
fn structured_records_have_a_level_field() {
    check(r#"{"level":"warn","msg":"level: error"}"#, Some(Level::Warning));
    check(r#"{"level":30,"time":1741944413123,"msg":"error handler"}"#, Some(Level::Info));
    check(r#"{"ts":1741944413.1,"msg":"\"level\":\"error\"","L":"DEBUG"}"#, Some(Level::Debug));
    check(r#"{"@t":"2025-03-14T09:26:53Z","@mt":"no @l"}"#, Some(Level::Info));
    check(r#"{"t":{"$date":"2025-03-14T09:26:53.123+00:00"},"s":"W","msg":"x"}"#, Some(Level::Warning));
    check(r#"{"log":{"level":"error"},"@timestamp":"2025-03-14T09:26:53Z"}"#, Some(Level::Error));
    check(
        r#"{"timestamp":"2025-03-14 09:26:53.1 UTC","error_severity":"LOG","message":"x"}"#,
        Some(Level::Info),
    );
    check(r#"{"time":"2025-03-14T09:26:53Z","severityLevel":3,"message":"x"}"#, Some(Level::Error));
    check(r#"{"PRIORITY":"5","MESSAGE":"x"}"#, Some(Level::Notice));
    check(r#"{"severity":"DEFAULT","message":"ERROR"}"#, None);
    check(r#"{"severity":2,"signature":"x"}"#, None);
    check(r#"{"request":"/?level=error","status":500}"#, None);
    check("ts=2025-03-14T09:26:53Z caller=a.go:1 level=error msg=\"info\"", Some(Level::Error));
    check("t=2025-03-14T09:26:53+0000 lvl=dbug msg=x", Some(Level::Debug));
}

#[test]
fn wrappers_are_taken_off() {
    check(
        r#"{"log":"2025-03-14 09:26:53 WARN x\n","stream":"stderr","time":"2025-03-14T09:26:53Z"}"#,
        Some(Level::Warning),
    );
    check(
        r#"{"log":"{\"level\":\"error\"}\n","stream":"stdout","time":"2025-03-14T09:26:53Z"}"#,
        Some(Level::Error),
    );
    check(
        "2025-03-14T09:26:53.123456789Z stdout F {\"level\":\"info\",\"msg\":\"error\"}",
        Some(Level::Info),
    );
    check("2025-03-14T09:26:53.123456789Z stderr F E0314 09:26:53.123456 7 a.go:1] x", Some(Level::Error));
    check("<11>Mar 14 09:26:53 h app: INFO: the priority decides", Some(Level::Error));
    check("<165>1 2025-03-14T09:26:53Z h app 7 - - x", Some(Level::Notice));
    check("web.1@host-7   | t=2025-03-14T09:26:53+0000 lvl=eror msg=x", Some(Level::Error));
    check("api-1  | [ERROR] x", Some(Level::Error));
    check("\u{1b}[2m2025-03-14T09:26:53.1Z\u{1b}[0m \u{1b}[33m WARN\u{1b}[0m acme: x", Some(Level::Warning));
    check("\u{feff}2025-03-14 09:26:53 INFO  x", Some(Level::Info));
    check("\0\0\x002025-03-14 09:26:53 INFO  x", Some(Level::Info));
}

#[test]
fn a_format_that_was_named_rules_the_others_out() {
    let check = |line: &str, format: Format, want: (Sort, Option<Level>)| {
        let rules = Rules { format, ..Rules::default() };
        assert_eq!(level(line.as_bytes(), &rules), want, "{line} as {format:?}");
    };
    check(r#"{"level":"error"}"#, Format::Text, (Sort::Plain, None));
    check("level=error", Format::Text, (Sort::Plain, None));
    check("2025-03-14 09:26:53 ERROR x", Format::Json, (Sort::More, None));
    check("level=error", Format::Logfmt, (Sort::Record, Some(Level::Error)));
    check("a=1 b=2", Format::Logfmt, (Sort::Record, None));
    check("a=1 b=2", Format::Auto, (Sort::Plain, None));
}

/// `testdata/logs/families.tsv`: `LEVEL<tab>LINE`, where a level may also be UNKNOWN (a record
/// without one) or CONT (a line that belongs to the record above).
#[test]
fn every_family_of_the_test_data_is_read_right() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../testdata/logs/families.tsv");
    let rows = std::fs::read(path).unwrap();
    let mut count = 0;
    for row in rows.split(|b| *b == b'\n').filter(|row| !row.is_empty()) {
        let tab = row.iter().position(|b| *b == b'\t').unwrap();
        let (want, line) = (String::from_utf8_lossy(&row[..tab]), &row[tab + 1..]);
        let (sort, got) = level(line, &Rules::default());
        let got = match (sort, got) {
            (Sort::More | Sort::Plain, _) => "CONT",
            (_, Some(level)) => level.name(),
            (_, None) => "UNKNOWN",
        };
        assert_eq!(got, want, "{}", String::from_utf8_lossy(line));
        count += 1;
    }
    assert!(count >= 120, "{count} rows");
}

/// Structured and wrapped lines that the fast path may learn.
const SETTLED: [&str; 6] = [
    r#"{"level":"info","msg":"x"}"#,
    r#"{"time":"2025-03-14T09:26:53Z","level":"ERROR","msg":"x"}"#,
    r#"{"level":30,"time":1741944413123}"#,
    "ts=2025-03-14T09:26:53Z level=warn msg=x",
    "level=\"error\" msg=x",
    "api-1  | 2025-03-14 09:26:53 INFO  x",
];

#[test]
fn structured_records_are_settled() {
    for line in SETTLED {
        assert!(read(line.as_bytes(), &Rules::default(), &mut Scratch::default()).settled, "{line}");
    }
    let unsettled = [
        r#"{"level":3,"msg":"whose scale?"}"#,
        r#"{"level":"03","short_message":"as 3"}"#,
        r#"{"level":99,"levelname":"INFO","msg":"20 is a level"}"#,
        r#"{"log":{"level":99},"level":"info"}"#,
        "level=99 lvl=info msg=x",
    ];
    for line in unsettled {
        assert!(!read(line.as_bytes(), &Rules::default(), &mut Scratch::default()).settled, "{line}");
    }
}

proptest! {
    #[test]
    fn a_settled_level_depends_on_nothing_behind_it(
        index in 0..SETTLED.len(),
        digit in b'0'..=b'9',
        tail: Vec<u8>,
    ) {
        let line = SETTLED[index].as_bytes();
        let (rules, mut scratch) = (Rules::default(), Scratch::default());
        let first = read(line, &rules, &mut scratch);
        let start = first.word.as_ptr() as usize - line.as_ptr() as usize;
        let mut other = line[..=start + first.word.len()].to_vec();
        for byte in other[..start].iter_mut().filter(|b| b.is_ascii_digit()) {
            *byte = digit;
        }
        other.extend(tail.iter().filter(|b| **b != b'\n'));
        let (word, level) = (first.word.to_vec(), first.level);
        let again = read(&other, &rules, &mut scratch);
        prop_assert_eq!(again.level, level, "{}", String::from_utf8_lossy(&other));
        prop_assert_eq!(again.word, &word[..]);
        prop_assert_eq!(again.sort, Sort::Record);
    }

    #[test]
    fn no_bytes_make_it_panic(text: Vec<u8>, index in 0..Format::NAMED.len(), want_time: bool) {
        let rules = Rules { format: Format::NAMED[index].1, want_time, ..Rules::default() };
        let _level = level(&text, &rules);
    }

    #[test]
    fn no_record_makes_it_panic(
        start in r#"(\{"log":"|\{"level":|<[0-9]{1,3}>|2025-03-14T09:26:53Z std(out|err) [FP]|web  \| |level=|__CURSOR=|\x1b\[3)"#,
        text: Vec<u8>,
        index in 0..Format::NAMED.len(),
    ) {
        let rules = Rules { format: Format::NAMED[index].1, want_time: true, ..Rules::default() };
        let line = [start.as_bytes(), &text].concat();
        let _level = level(&line, &rules);
    }
}

#[test]
fn the_callers_own_words_are_levels_in_headers_and_fields() {
    let words = [("LOUD", Level::Error), ("note", Level::Debug), ("35", Level::Warning)];
    let words = words.map(|(word, level)| (word.as_bytes().to_vec(), level)).to_vec();
    let rules = Rules { keys: Keys { words, ..Keys::default() }, ..Rules::default() };
    let check = |text: &str, want: Option<Level>| {
        let mut scratch = Scratch::default();
        assert_eq!(read(text.as_bytes(), &rules, &mut scratch).level, want, "{text}");
    };
    check("2026-03-14 09:26:53 [main] LOUD it broke", Some(Level::Error));
    check("loud: it broke", Some(Level::Error));
    check("it was LOUD", None);
    check("2026-03-14 09:26:53 [main] QUIET it broke", None);
    check("{\"level\":\"loud\"}", Some(Level::Error));
    check("{\"level\":35}", Some(Level::Warning));
    check("level=LOUD msg=x", Some(Level::Error));
    check("2026-03-14T09:26:53.1Z 0 [Note] [MY-010055] [Server] x", Some(Level::Debug));
    check("2026-03-14 09:26:53 INFO LOUD", Some(Level::Info));
    check("\tat LOUD", None);
}
