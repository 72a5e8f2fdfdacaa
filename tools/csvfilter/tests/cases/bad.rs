//! Rows that are not as they should be: what is said of them, and what becomes of them.

use testkit::Case;

const TOOL: &str = env!("CARGO_BIN_EXE_csvfilter");

/// One of each kind, on the lines 3, 4, 5, 6, 7 and 10.
const BAD: &[u8] = b"id,n,t\n1,5,2026-01-01\n2,5\n3,abc,2026-01-01\n4,5,soon\n5,\xff\xfe,2026-01-01\n6,7,\
    2026-01-01,x\n\"7\n\",8,2026-01-01\n8,9,\"open\n9,1,2026-01-01\n";

const REASONS: [&str; 6] = [
    "x.csv:3: 2 fields instead of 3",
    "x.csv:4: column `n`: `abc` is no number",
    "x.csv:5: column `t`: `soon` is no time",
    "x.csv:6: column `n`: `\\xff\\xfe` is no UTF-8",
    "x.csv:7: 4 fields instead of 3",
    "x.csv:10: column `t`: the quote on line 10 never closes",
];

const COUNTS: &str = "6 bad rows of 9: 2 with a wrong number of fields, 1 with what is no number, 1 with what \
    is no time, 1 with bytes that are no UTF-8, 1 with a quote that never closes";

const GOOD: &str = "id,n,t\n1,5,2026-01-01\n\"7\n\",8,2026-01-01\n9,1,2026-01-01\n";

const ASKED: &str = "n > 0 and t > 2020-01-01";

/// The reasons as they are told, and a last line.
fn told(reasons: &[&str], last: &str) -> String {
    let lines = reasons.iter().chain([&last]).map(|line| format!("csvfilter: {line}\n"));
    lines.collect::<Vec<_>>().concat()
}

fn on(text: impl AsRef<[u8]>) -> Case {
    Case::new(TOOL).file("x.csv", text)
}

#[test]
fn each_kind_is_told_with_its_line_and_column() {
    let said = told(&REASONS, &format!("skipped {COUNTS}"));
    for jobs in ["-j1", "-j4"] {
        on(BAD).args([ASKED, "x.csv", jobs]).stdout(GOOD).stderr(&said).status(23).run();
    }
    let piped = said.replace("x.csv:", "standard input:");
    Case::new(TOOL).stdin(BAD).args([ASKED]).stdout(GOOD).stderr(piped).status(23).run();
    on(BAD).args([ASKED, "x.csv", "--quiet"]).stdout(GOOD).status(23).run();
    // A field behind the last column has no name to tell, nor has one without a header.
    let said = told(
        &["x.csv:2: column $3: the quote on line 2 never closes"],
        "skipped 1 bad row of 1: 1 with a quote that never closes",
    );
    on("a,b\n1,2,\"3\n").args(["--all", "x.csv"]).stdout("a,b\n").stderr(said).status(23).run();
    let text = "1,a\n2,3\n";
    let said =
        told(&["x.csv:1: column $2: `a` is no number"], "skipped 1 bad row of 2: 1 with what is no number");
    on(text).args(["$2 > 0", "x.csv", "--no-header"]).stdout("2,3\n").stderr(said).status(23).run();
}

#[test]
fn bad_rows_are_kept_where_that_is_asked_for() {
    let said = told(&REASONS, &format!("kept {COUNTS}"));
    for jobs in ["-j1", "-j4"] {
        on(BAD).args([ASKED, "x.csv", "--bad", "keep", jobs]).stdout(BAD).stderr(&said).run();
    }
    on(BAD).args(["n < 0", "x.csv", "--bad=keep", "--count"]).stdout("5\n").stderr_has("kept 5").run();
    // Also where nothing in it is compared with a number, or it does not match.
    let said = told(
        &["x.csv:3: column `m`: `\\xff` is no UTF-8"],
        "kept 1 bad row of 3: 1 with bytes that are no UTF-8",
    );
    let text = b"n,m\ny,1\ny,\xff\nx,2\n";
    for jobs in ["-j1", "-j4"] {
        let case = on(text).args(["n == 'x'", "x.csv", "--bad=keep", jobs]);
        case.stdout(b"n,m\ny,\xff\nx,2\n").stderr(&said).run();
    }
}

#[test]
fn a_header_that_is_no_utf_8_is_told_once() {
    let odd = b"# no\nid,\"caf\xe9\n\"\n1,a\n";
    let said = "csvfilter: x.csv:2: the name of column $2, `caf\\xe9\\n`, is no UTF-8\n";
    let case = || on(odd).file("y.csv", odd).args(["--comment=#", "x.csv", "y.csv", "--expr=$2 == 'a'"]);
    let rows = b"id,\"caf\xe9\n\"\n1,a\n1,a\n";
    for jobs in ["-j1", "-j4"] {
        case().args([jobs]).stdout(rows).stderr(said).run();
    }
    case().args(["--quiet"]).stdout(rows).run();
    let case = on(b"\xff,b,\xfe,\xfd\n1,2,3,4\n").args(["--all", "x.csv", "--json", "--select=b"]);
    let said = "csvfilter: x.csv:1: the name of column $1, `\\xff`, is no UTF-8; nor are 2 more\n";
    case.stdout("{\"b\":\"2\"}\n").stderr(said).run();
    // Without a header it is a row, and as bad as any other.
    let case = on(b"\xff,b\n1,2\n").args(["--all", "x.csv", "--no-header"]).stdout("1,2\n").status(23);
    case.stderr_has("x.csv:1: column $1: `\\xff` is no UTF-8\n").run();
}

#[test]
fn the_first_bad_row_ends_the_run_where_that_is_asked_for() {
    let case = || on(BAD).args([ASKED, "x.csv", "--bad", "fail"]).status(2);
    let said = told(&[], REASONS[0]);
    for jobs in ["-j1", "-j4"] {
        case().args([jobs]).stdout("id,n,t\n1,5,2026-01-01\n").stderr(&said).run();
    }
    let run = case().args(["-o", "out"]).file("out", "old").stderr(&said).run();
    assert_eq!(run.read("out"), b"old");
    on(GOOD).args([ASKED, "x.csv", "--bad", "fail"]).stdout(GOOD).run();
}

#[test]
fn ten_are_told_and_then_counted() {
    let lines = |count: usize| "x\n".repeat(count);
    let reason = |line: usize| format!("csvfilter: x.csv:{line}: column `n`: `x` is no number\n");
    let said = |count: usize| {
        let told = (2..=count.min(10) + 1).map(reason).collect::<Vec<_>>().concat();
        let s = if count == 1 { "" } else { "s" };
        format!(
            "{told}csvfilter: skipped {count} bad row{s} of {}: {count} with what is no number\n",
            count + 1
        )
    };
    for count in [1, 10, 11, 200_000] {
        for jobs in ["-j1", "-j4"] {
            let text = format!("n\n{}1\n", lines(count));
            on(text).args(["n > 0", "x.csv", jobs]).stdout("n\n1\n").stderr(said(count)).status(23).run();
        }
    }
    // 23 goes before 1.
    on("n\nx\n").args(["n > 0", "x.csv"]).stdout("n\n").stderr_has("skipped 1 bad row of 1").status(23).run();
}

/// 1 MiB, the least that `--max-record` can be.
const RECORD: usize = 1 << 20;

#[test]
fn a_quote_open_for_too_long_costs_its_row_only() {
    let rows = "2,b\n".repeat(RECORD / 4 + 9);
    let text = format!("id,n\n1,a\n8,\"open\n{rows}3,\"c\"\n4,\"x\ny\"\n");
    let want = format!("id,n\n1,a\n{rows}3,\"c\"\n4,\"x\ny\"\n");
    for jobs in ["-j1", "-j4"] {
        let case = on(&text).args(["id > 0", "x.csv", "--max-record=1MiB", jobs]).stdout(&want).status(23);
        case.stderr_has("x.csv:3: column `n`: the quote on line 3 never closes\n").run();
    }
    // Within the limit the quote closes with the next one, and it is one long row.
    on(&text).args(["id > 2", "x.csv", "--max-record=4MiB"]).stdout(text.replace("1,a\n", "")).run();
}

#[test]
fn a_row_longer_than_the_limit_is_a_bad_one() {
    let long = format!("2,{}\n", "y".repeat(3 * RECORD));
    let text = format!("id,n\n1,a\n{long}3,c\n");
    let said = "csvfilter: x.csv:3: the row is longer than --max-record\n\
        csvfilter: skipped 1 bad row of 3: 1 longer than --max-record\n";
    for jobs in ["-j1", "-j4"] {
        let case = || on(&text).args(["id > 0", "x.csv", jobs]);
        let limited = || case().args(["--max-record=1MiB"]);
        let run =
            limited().args(["--reject", "bad"]).stdout("id,n\n1,a\n3,c\n").stderr(said).status(23).run();
        let want = format!("id,n\n# x.csv:3: the row is longer than --max-record\n{long}");
        assert!(run.read("bad") == want.as_bytes(), "the row is not in the reject file as it was");
        limited().args(["--bad=keep"]).stdout(&text).stderr_has("kept 1 bad row of 3").run();
        limited().args(["--max-bad=1"]).stdout_has("3,c").stderr(said).status(23).run();
        case().stdout(&text).run();
    }
    for wrong in ["1", "1023KiB", "3GiB", "x"] {
        let refused = on(&text).args(["--all", "x.csv", "--max-record", wrong]).status(2);
        refused.stderr_has("for `--max-record <SIZE>`").run();
    }
}

#[test]
fn broken_lines_of_json_are_bad_rows() {
    let text = "{\"a\":1}\nnope\n{\"a\":2}\n[1]\n\n{\"a\":3}{\n{\"a\":1,\"a\":2}\n{\"a\":\"x\"}\n{\"a\":4}";
    let case = || Case::new(TOOL).file("x.jsonl", text).args(["--from=jsonl", "a >= 2", "x.jsonl"]);
    for jobs in ["-j1", "-j4"] {
        let run = case().args([jobs, "--reject", "bad"]).stdout("{\"a\":2}\n{\"a\":4}\n").status(23);
        let run =
            run.stderr_has("skipped 5 bad rows of 8: 1 with what is no number, 4 that are no JSON object\n");
        let run = run.stderr_has("x.jsonl:2: column 2: expected ident\n").run();
        let said = String::from_utf8(run.stderr.clone()).unwrap();
        let lines: Vec<&str> = said.lines().filter_map(|line| line.split(':').nth(2)).collect();
        assert_eq!(lines[..5], ["2", "4", "6", "7", "8"], "{said}");
        let rejected = String::from_utf8(run.read("bad")).unwrap();
        for row in ["\nnope\n", "\n[1]\n", "\n{\"a\":3}{\n", "\n{\"a\":1,\"a\":2}\n", "\nx\n"] {
            assert!(rejected.contains(row), "{row:?} is not in\n{rejected}");
        }
    }
    case()
        .args(["--bad=fail"])
        .stdout("")
        .status(2)
        .stderr("csvfilter: x.jsonl:2: column 2: expected ident\n")
        .run();
    case().args(["--max-bad=4"]).stdout("{\"a\":2}\n").status(2).stderr_has("more than --max-bad").run();
}

#[test]
fn what_is_no_object_behind_the_last_row_stays_there() {
    let text = "{\"a\":1}\n{\"a\":\"x\"}\n{\"a\":3}\nnope\n";
    let case = || Case::new(TOOL).file("x.jsonl", text).args(["--from=jsonl", "x.jsonl", "--expr"]);
    let last = "x.jsonl:4: column 2: expected ident";
    let counts = "skipped 2 bad rows of 4: 1 with what is no number, 1 that are no JSON object";
    let said = told(&["x.jsonl:2: column `a`: `x` is no number", last], counts);
    let rows = "{\"a\":1}\n{\"a\":\"x\"}\n{\"a\":3}\n";
    for jobs in ["-j1", "-j4"] {
        case().args(["a > 0", jobs]).stdout("{\"a\":1}\n{\"a\":3}\n").stderr(&said).status(23).run();
        case().args(["true", "--bad=fail", jobs]).stdout(rows).stderr(told(&[], last)).status(2).run();
        case().args(["true", "--head=3", jobs]).stdout(rows).run();
    }
}

#[test]
fn a_share_of_json_is_told_at_the_record_that_is_too_many() {
    let rows = |count| "{\"a\":1}\n".repeat(count);
    let text = format!("{}{}{}", rows(1000), "nope\n".repeat(20), rows(9000));
    let case = Case::new(TOOL).file("x.jsonl", text).args(["--from=jsonl", "--all", "x.jsonl"]);
    let said = "11 bad rows among 1011, which is more than --max-bad allows";
    case.args(["--max-bad=1%"]).stdout(rows(1000)).stderr_has(said).status(2).run();
}
