//! Rows longer than `--max-record` come in parts, and how many there are must not show.

use std::io::Write as _;

use testkit::Case;

/// Three MiB in one row, and one behind it.
fn long() -> String {
    format!("a,b\n1,{}\n1,2\n", "x".repeat(3 << 20))
}

/// What is said and printed, from a file and from a pipe, by one thread and by three.
#[track_caller]
fn check(text: &str, args: &[&str], (status, stdout, stderr): (i32, &str, &str)) {
    for jobs in ["1", "3"] {
        for is_pipe in [false, true] {
            let name = if is_pipe { "standard input" } else { "long.csv" };
            let case = Case::new(env!("CARGO_BIN_EXE_csvfilter"))
                .args(["--all", "--max-record", "1MiB", "--jobs", jobs])
                .args(args)
                .status(status)
                .stdout(stdout)
                .stderr(stderr.replace("NAME", name));
            let case = if is_pipe { case.stdin(text) } else { case.file(name, text).args([name]) };
            case.run();
        }
    }
}

const TOLD: &str = "csvfilter: NAME:2: the row is longer than --max-record\n";
const SKIPPED: &str = "csvfilter: skipped 1 bad row of 2: 1 longer than --max-record\n";
const KEPT: &str = "csvfilter: kept 1 bad row of 2: 1 longer than --max-record\n";

#[test]
fn a_row_too_long_is_one_row() {
    let (skipped, kept) = ([TOLD, SKIPPED].concat(), [TOLD, KEPT].concat());
    check(&long(), &[], (23, "a,b\n1,2\n", &skipped));
    check(&long(), &["--bad", "keep", "--count"], (0, "2\n", &kept));
    check(&long(), &["--bad", "keep"], (0, &long(), &kept));
}

#[test]
fn where_a_row_too_long_cannot_be_kept_it_is_missing() {
    let skipped = [TOLD, SKIPPED].concat();
    for args in [&["--tail", "5"][..], &["--head", "5"], &["--distinct", "a"], &["--normalize"]] {
        check(&long(), &[&["--bad", "keep"], args].concat(), (23, "a,b\n1,2\n", &skipped));
    }
    check(&long(), &["--bad", "keep", "--json"], (23, "{\"a\":\"1\",\"b\":\"2\"}\n", &skipped));
}

#[test]
fn a_header_too_long_is_refused() {
    let text = format!("a,{}\n1,2\n", "x".repeat(3 << 19));
    let refused = "csvfilter: the first row of NAME does not end within --max-record; is it a table, and is \
                   the quote right?\n";
    check(&text, &[], (2, "", refused));
}

#[test]
fn nothing_is_told_of_what_is_behind_the_head() {
    let text = format!("a,b\n{}1,2,3\n{}", "1,2\n".repeat(10), "1,2\n".repeat(200_000));
    check(&text, &["--head", "3"], (0, "a,b\n1,2\n1,2\n1,2\n", ""));
    check(&text, &["--head", "10", "--count"], (0, "10\n", ""));
    let told = "csvfilter: NAME:12: 3 fields instead of 2\n\
                csvfilter: skipped 1 bad row of 12: 1 with a wrong number of fields\n";
    check(&text, &["--head", "11", "--count"], (23, "11\n", told));
}

#[test]
fn an_input_torn_within_a_row_too_long_ends() {
    let mut gzip = flate2::write::GzEncoder::new(b"".to_vec(), flate2::Compression::fast());
    let row: Vec<u8> =
        (0_u32..3 << 20).map(|at| b'a' + (at.wrapping_mul(2_654_435_761) >> 28) as u8).collect();
    gzip.write_all(&[b"a,b\n1,", &row[..], b"\n1,2\n"].concat()).unwrap();
    let packed = gzip.finish().unwrap();
    for jobs in ["1", "3"] {
        Case::new(env!("CARGO_BIN_EXE_csvfilter"))
            .file("long.gz", &packed[..packed.len() * 3 / 4])
            .args(["--all", "--max-record", "1MiB", "--jobs", jobs, "long.gz"])
            .status(2)
            .stdout("a,b\n")
            .stderr_has("long.gz:2: the row is longer than --max-record\n")
            .stderr_has("cannot read long.gz: incomplete deflate stream\n")
            .run();
    }
}
