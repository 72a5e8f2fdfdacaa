//! Where bad rows go, and how many of them are too many.

use testkit::Case;

const TOOL: &str = env!("CARGO_BIN_EXE_csvfilter");

fn on(text: impl AsRef<[u8]>) -> Case {
    Case::new(TOOL).file("x.csv", text).args(["n > 0", "x.csv"])
}

/// What is in the reject file when bad rows are skipped.
#[track_caller]
fn rejected(text: impl AsRef<[u8]>, args: &[&str]) -> Vec<u8> {
    let status = if args.contains(&"keep") { 0 } else { 23 };
    let run = on(text).args(args).args(["--reject", "bad"]).stdout_has("n").stderr_has(" bad row");
    run.status(status).run().read("bad")
}

#[test]
fn bad_rows_stand_below_their_reasons_byte_for_byte() {
    let text = b"\"n\",b\r\n1,2\r\n\"x\ny\", z \r\n3\n4,\xff\r\n5,\"open";
    let want = b"\"n\",b\r\n# x.csv:3: column `n`: `x\\ny` is no number\n\"x\ny\", z \r\n\
        # x.csv:5: 1 field instead of 2\n3\n# x.csv:6: column `b`: `\\xff` is no UTF-8\n4,\xff\r\n\
        # x.csv:7: column `b`: the quote on line 7 never closes\n5,\"open\n";
    for jobs in ["-j1", "-j4"] {
        assert_eq!(rejected(text, &[jobs]).escape_ascii().to_string(), want.escape_ascii().to_string());
    }
    let kept = rejected(b"n\r\n1\r\nx\r\n", &["--bad", "keep"]);
    assert_eq!(kept, b"n\r\n# x.csv:3: column `n`: `x` is no number\nx\r\n");
}

#[test]
fn all_of_them_are_rejected_and_not_ten() {
    let text = format!("n\n{}", "x\n1\n".repeat(50_000));
    let row = |row: usize| format!("# x.csv:{}: column `n`: `x` is no number\nx\n", 2 * row + 2);
    let want = (0..50_000).map(row).collect::<Vec<_>>().concat();
    for jobs in ["-j1", "-j4"] {
        assert!(rejected(&text, &[jobs]) == format!("n\n{want}").as_bytes(), "{jobs}");
    }
}

#[test]
fn what_was_rejected_can_be_filtered_once_it_is_repaired() {
    let text = "n,b\n1,a\nx,\"b\nc\"\n2\n3,d\n";
    let first = rejected(text, &[]);
    let again = || Case::new(TOOL).file("bad", &first).args(["n > 0", "bad", "--comment=#"]);
    let run = again().args(["--reject", "bad2"]).stdout("n,b\n").status(23).stderr_has("bad:3: ").run();
    let want = "n,b\n# bad:3: column `n`: `x` is no number\nx,\"b\nc\"\n# bad:6: 1 field instead of 2\n2\n";
    assert_eq!(String::from_utf8(run.read("bad2")).unwrap(), want);
    let repaired = String::from_utf8(first).unwrap().replace("\nx,", "\n7,").replace("\n2\n", "\n2,e\n");
    let case = Case::new(TOOL).file("bad", repaired).args(["n > 0", "bad", "--comment=#"]);
    case.stdout("n,b\n7,\"b\nc\"\n2,e\n").run();
}

#[test]
fn the_reject_file_is_new_each_time() {
    let run = on("n\n1\n").file("bad", "of an earlier run").args(["--reject", "bad"]).stdout("n\n1\n").run();
    assert_eq!(run.read("bad"), b"");
    let run =
        on("n\nx\n").args(["--reject", "bad", "--bad", "fail"]).stdout("n\n").status(2).stderr_has("x.csv:2");
    assert_eq!(run.run().read("bad"), b"n\n# x.csv:2: column `n`: `x` is no number\nx\n");
}

#[test]
fn a_reject_file_that_would_replace_something_else_is_refused() {
    let refused = |args: &[&str], said: &str| {
        let case = on("n\nx\n").args(args).file("out", "old").file("sub/a", "").status(2);
        let run = case.stderr(format!("csvfilter: {said}\n")).run();
        assert_eq!((run.read("x.csv"), run.read("out")), (b"n\nx\n".to_vec(), b"old".to_vec()));
    };
    refused(&["--reject", "x.csv"], "x.csv is the same file as the input x.csv; name another");
    refused(&["--reject", "sub/../x.csv"], "sub/../x.csv is the same file as the input x.csv; name another");
    refused(&["--reject", "out", "-o", "./out"], "--output and --reject name the same file");
    refused(&["--reject", "new", "-o", "sub/../new"], "--output and --reject name the same file");
    refused(
        &["--reject", "no/bad"],
        "cannot open the folder of no/bad: No such file or directory (os error 2)",
    );
}

/// The last line on standard error, and the output, of a table of so many rows, the last `bad` of them
/// bad ones; or evenly among the others.
#[track_caller]
fn bounded(rows: usize, bad: usize, is_even: bool, args: &[&str]) -> (String, Vec<u8>) {
    let among = |row: usize| row * bad / rows < (row + 1) * bad / rows;
    let is_bad = |row: usize| if is_even { among(row) } else { row >= rows - bad };
    let lines = (0..rows).map(|row| if is_bad(row) { "x\n" } else { "1\n" });
    let text: String = std::iter::once("n\n").chain(lines).collect();
    let run = Case::new("sh").file("x.csv", text).args(["-c", "\"$0\" \"$@\"; echo $? >&2", TOOL]);
    let run = run.args(["n > 0", "x.csv"]).args(args).stdout_has("n\n").stderr_has("bad row").run();
    let said = String::from_utf8(run.stderr).unwrap();
    let last: Vec<&str> = said.lines().rev().take(2).collect();
    (format!("{} {}", last[0], last[1]), run.stdout)
}

#[test]
fn exactly_as_many_as_allowed_are_allowed_and_one_more_is_not() {
    let check = |rows, bad, is_even, most: &str, too_many: &str| {
        let [one, four] = ["-j1", "-j4"].map(|jobs| bounded(rows, bad, is_even, &[jobs, "--max-bad", most]));
        assert!(one == four, "{rows} {bad} {most}: {} and {}", one.0, four.0);
        let refused = format!("2 csvfilter: {too_many}, which is more than --max-bad allows");
        let allowed = format!("23 csvfilter: skipped {bad} bad rows of {rows}: {bad} with what is no number");
        assert_eq!(one.0, if too_many.is_empty() { allowed } else { refused });
    };
    for is_even in [true, false] {
        check(100, 10, is_even, "10", "");
        check(100, 10, is_even, "9", "10 bad rows among 100");
        check(100, 10, is_even, "10%", "");
        check(100, 10, is_even, "9.9999%", "10 bad rows among 100");
        check(400_000, 4_000, is_even, "1%", "");
    }
    check(100, 10, true, "0", "1 bad row among 10");
    check(100, 10, false, "0", "1 bad row among 91");
    check(400_000, 4_001, false, "1%", "4000 bad rows among 399999");
    check(400_000, 4_000, true, "0.9999%", "10 bad rows among 1000");
    check(400_000, 200_000, true, "100000", "100001 bad rows among 200002");
}

#[test]
fn too_many_bad_rows_leave_the_output_as_it_was() {
    let case = on("n\nx\n1\nx\n").args(["-o", "out", "--max-bad=1", "--reject", "bad"]).file("out", "old");
    let run = case.status(2).stderr_has("2 bad rows among 3").run();
    assert_eq!(run.read("out"), b"old");
    let want = "n\n# x.csv:2: column `n`: `x` is no number\nx\n# x.csv:4: column `n`: `x` is no number\nx\n";
    assert_eq!(String::from_utf8(run.read("bad")).unwrap(), want);
    for wrong in ["-1", "1.5", "101%", "%", ""] {
        let refused = on("n\n1\n").args([&format!("--max-bad={wrong}")]).status(2);
        refused.stderr_has("--max-bad").run();
    }
}
