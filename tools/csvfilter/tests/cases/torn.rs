//! Inputs that cannot be read, or not to their end: what is said of them, and when, is the same with
//! every number of threads, however far they read ahead.

use std::io::Write as _;

use testkit::Case;

/// Several blocks of rows, the last of them bad.
fn long() -> String {
    format!("a,b\n{}1,2,3\n", "1,2\n".repeat(200_000))
}

/// Three quarters of a packed table; what is whole of it is not much.
fn torn() -> Vec<u8> {
    let mut gzip = flate2::write::GzEncoder::new(b"".to_vec(), flate2::Compression::fast());
    writeln!(gzip, "a,b").unwrap();
    for row in 0_u32..60_000 {
        writeln!(gzip, "{},5", row.wrapping_mul(2_654_435_761)).unwrap();
    }
    let mut packed = gzip.finish().unwrap();
    packed.truncate(packed.len() * 3 / 4);
    packed
}

/// The status and what is said, four times for each number of threads.
#[track_caller]
fn check(args: &[&str], status: i32, stderr: &str) {
    for jobs in ["1", "2", "3", "8"].repeat(4) {
        Case::new(env!("CARGO_BIN_EXE_csvfilter"))
            .file("long.csv", long())
            .file("torn.gz", torn())
            .file("short.csv", "a,b\n1,2\n3,4\n")
            .file("other.csv", "a,c\n1,2\n")
            .args(["--all", "--count", "--jobs", jobs])
            .args(args)
            .status(status)
            .stdout_has("")
            .stderr(stderr)
            .run();
    }
}

const TORN: &str = "csvfilter: cannot read torn.gz: incomplete deflate stream\n";
const NONE: &str = "csvfilter: cannot open none: No such file or directory (os error 2)\n";
const BAD: &str = "csvfilter: long.csv:200002: 3 fields instead of 2\n";

#[test]
fn an_input_is_told_of_when_its_turn_comes() {
    let rows = |bad: &str, rows: u32| {
        format!("csvfilter: skipped {bad} of {rows}: 1 with a wrong number of fields\n")
    };
    let sum = rows("1 bad row", 200_003);
    check(&["long.csv", "none", "short.csv"], 23, &[BAD, NONE, &sum].concat());
    check(&["none", "long.csv", "short.csv"], 23, &[NONE, BAD, &sum].concat());
    check(&["short.csv", "torn.gz"], 23, TORN);
    check(&["torn.gz"], 2, TORN);
    check(&["torn.gz", "none"], 2, &[TORN, NONE, "csvfilter: no input could be read\n"].concat());
}

#[test]
fn nothing_is_told_of_what_is_behind_the_last_row() {
    check(&["--head", "2", "short.csv", "torn.gz", "none"], 0, "");
    check(&["--head", "9", "short.csv", "torn.gz", "none"], 0, "");
    check(&["--head", "4", "short.csv", "none", "long.csv"], 23, NONE);
}

#[test]
fn of_json_that_breaks_off_comes_what_is_whole() {
    let on = |args: &[&str]| {
        Case::new(env!("CARGO_BIN_EXE_csvfilter"))
            .file("a.json", "{\"a\":1}")
            .file("b.json", "[{\"b\":1},")
            .file("c.json", "[{\"c\":1},\n{\"b\":")
            .args(["--all", "--from", "json"])
            .args(args)
    };
    let told = "csvfilter: b.json:1: column 10: the array does not end\n\
                csvfilter: c.json:2: column 1: what begins here does not end\n\
                csvfilter: skipped 2 bad rows of 5: 2 that are no JSON object\n";
    let all = ["--to", "csv", "a.json", "b.json", "c.json"];
    let run =
        on(&all).args(["--reject", "bad"]).status(23).stdout("a,b,c\n1,,\n,1,\n,,1\n").stderr(told).run();
    assert!(String::from_utf8(run.read("bad")).unwrap().ends_with("does not end\n{\"b\":\n"));
    for jobs in ["-j1", "-j4"] {
        on(&["b.json", jobs])
            .status(23)
            .stdout("[\n{\"b\":1}\n]\n")
            .stderr_has("skipped 1 bad row of 2")
            .run();
    }
    on(&["c.json", "--bad", "fail"]).status(2).stdout_has("").stderr_has("c.json:2: column 1: what").run();
    let broken = on(&["a.json", "x.json"]).file("x.json", "[{\"b\":1} {\"b\":2}]").status(23);
    let broken = broken.stdout_has("\"a\":1");
    broken.stderr_has("cannot read x.json: line 1, column 10: expected `,` or `]`").run();
}
