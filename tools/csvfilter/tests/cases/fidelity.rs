//! What passes comes out byte for byte, however odd it is.

use std::fmt::Write as _;

use testkit::Case;

const TOOL: &str = env!("CARGO_BIN_EXE_csvfilter");

/// A run on `text` as `x.csv`, with one thread and with four.
#[track_caller]
fn check(args: &[&str], text: impl AsRef<[u8]>, want: impl AsRef<[u8]>) {
    let status = i32::from(want.as_ref().is_empty());
    for jobs in ["-j1", "-j4"] {
        let case = Case::new(TOOL).file("x.csv", &text).args(args).args([jobs, "x.csv"]);
        case.stdout(&want).status(status).run();
    }
    Case::new(TOOL).stdin(&text).args(args).stdout(&want).status(status).run();
}

/// What goes wrong before anything comes out.
#[track_caller]
fn refused(args: &[&str], text: &str, said: &str) {
    Case::new(TOOL).file("x.csv", text).args(args).args(["x.csv"]).status(2).stderr(said).run();
}

#[test]
fn a_row_comes_out_as_it_came_in() {
    let rows = [
        "1,\"plain\"\n",
        "2,jo\"hn\r\n",
        "3,\"c\"x\n",
        "4, x \t\n",
        "5,\"a\nb\r\nc\"\r\n",
        "6,a\0b\n",
        "7,\"\"\n",
        "8,\n",
        "9,\"say \"\"hi\"\"\"\r\n",
        "10,a\rb\n",
        "11,\"last\"",
    ];
    let text = format!("id,\"name\"\r\n{}", rows.concat());
    check(&["id > 0"], &text, &text);
    check(&["--all"], &text, &text);
    for (row, number) in rows.iter().zip(1..) {
        check(&[&format!("id == {number}")], &text, format!("id,\"name\"\r\n{row}"));
    }
    check(
        &["id in (1, 2, 3, 4, 9)", "--normalize"],
        &text,
        "id,name\n1,plain\n2,\"jo\"\"hn\"\n3,cx\n4, x \t\n9,\"say \"\"hi\"\"\"\n",
    );
}

#[test]
fn a_byte_order_mark_is_taken_away() {
    check(&["id == 1"], "\u{feff}id,n\n1,a\n", "id,n\n1,a\n");
    check(&["id == 1"], "\u{feff}\"id\",n\n1,a\n", "\"id\",n\n1,a\n");
    check(&["$1 == 1", "--no-header"], "\u{feff}1,a\n", "1,a\n");
    // Elsewhere it is data.
    check(&["n == '\u{feff}'"], "id,n\n1,\u{feff}\n", "id,n\n1,\u{feff}\n");
    let wide = [b"\xff\xfe", &b"i\0d\0\n\0"[..]].concat();
    Case::new(TOOL)
        .stdin(wide)
        .args(["--all"])
        .status(2)
        .stderr("csvfilter: standard input is in UTF-16; convert it first: iconv -f UTF-16 -t UTF-8\n")
        .run();
}

#[test]
fn a_cr_ends_a_row_only_at_the_very_end() {
    check(&["len(a) == 1"], "a\n1\r\n2\r", "a\n1\r\n2\r");
    check(&["len(a) == 3"], "a\n1\r2\n3\r", "a\n1\r2\n");
    check(&["--all"], "a\n1\n\r", "a\n1\n");
    check(&["--all", "--json"], "a,b\n1,\"x\"\r", "{\"a\":\"1\",\"b\":\"x\"}\n");
    on_files(&[("a", "x\n1\r"), ("b", "x\n2\r")], &["--all"]).stdout("x\n1\r\n2\r").run();
}

#[test]
fn blank_lines_and_comments_are_no_rows() {
    check(&["--all"], "\n\r\nid,n\n\n1,a\n\r\n\n2,b\n\n", "id,n\n1,a\n2,b\n");
    check(&["--all"], "id\n\n1\n\n2\n", "id\n1\n2\n");
    // A blank field in quotes is one.
    check(&["--all"], "id\n\"\"\n1\n", "id\n\"\"\n1\n");
    let text = "# \"made by x\nid,n\n#1,a\n2,#b\n\"#\",\"\n#c\"\n# end";
    check(&["--all", "--comment", "#"], text, "id,n\n2,#b\n\"#\",\"\n#c\"\n");
    check(&["--all", "--comment", ","], ",\nid;n\n,x\n1;a\n", "id;n\n1;a\n");
    check(&["--all", "--skip", "2"], "a title, \"\nof two lines\nid,n\n1,a\n", "id,n\n1,a\n");
    check(&["--all", "--skip", "9"], "id,n\n1,a\n", "");
}

#[test]
fn a_name_of_two_columns_is_none() {
    let text = "id,name,a,b,name\n1,2,3,4,5\n";
    refused(
        &["name == 2"],
        text,
        "csvfilter: `name` is the name of 2 columns in x.csv: $2 and $5; write $2\n  name == 2\n  ^^^^\n",
    );
    check(&["$2 == 2 and $5 == 5"], text, text);
    check(&["$2 == 2", "--select", "$5,id"], text, "name,id\n5,1\n");
    check(
        &["--all", "--json"],
        text,
        "{\"id\":\"1\",\"name\":\"2\",\"a\":\"3\",\"b\":\"4\",\"name_2\":\"5\"}\n",
    );
}

#[test]
fn where_there_are_no_rows_the_header_comes_out() {
    let none = |args: &[&str], text: &str, want: &str| {
        Case::new(TOOL).stdin(text).args(args).stdout(want).status(1).run();
        Case::new(TOOL).file("x.csv", text).args(args).args(["x.csv"]).stdout(want).status(1).run();
    };
    none(&["a == 1"], "a,b\n", "a,b\n");
    none(&["a == 1"], "a,b", "a,b");
    none(&["--count", "a == 1"], "a,b\n", "0\n");
    none(&["--json", "a == 1"], "a,b\n", "");
    none(&["--to", "json", "a == 1"], "a,b\n", "[\n]\n");
    none(&["--to", "table", "a == 1"], "a,b\n", "a  b\n");
    // An input without a byte has not even that, and so no column is wrong.
    none(&["a == 1"], "", "");
    none(&["a == 1"], "\n\r\n", "");
    none(&["--count", "a == 1"], "", "0\n");
    none(&["--to", "json", "a == 1"], "", "[\n]\n");
    none(&["--all", "--no-header"], "", "");
    Case::new(TOOL).args(["--all", "/dev/null"]).status(1).run();
}

/// A run on these files, in this order.
fn on_files(files: &[(&str, &str)], args: &[&str]) -> Case {
    let names = files.iter().map(|(name, _)| name);
    let case = Case::new(TOOL).args(args).args(names);
    files.iter().fold(case, |case, (name, text)| case.file(name, text))
}

#[test]
fn several_files_with_one_header_are_one_table() {
    let files = [("a", "x,y\n1,2"), ("b", "\u{feff}\"x\",y\r\n3,4\r\n"), ("c", ""), ("d", "x,y\n5,6")];
    on_files(&files, &["--all"]).stdout("x,y\n1,2\n3,4\r\n5,6").run();
    on_files(&files, &["y > 2"]).stdout("x,y\n3,4\r\n5,6").run();
    on_files(&files, &["--all", "--normalize"]).stdout("x,y\n1,2\n3,4\n5,6\n").run();
    on_files(&files, &["--count", "--all"]).stdout("3\n").run();
    on_files(&[("a", "x\r\n1"), ("b", "x\n2")], &["--all"]).stdout("x\r\n1\r\n2").run();
    on_files(&[("a", "1,2\n"), ("b", "3,4\n")], &["--no-header", "$2 == 4"]).stdout("3,4\n").run();
    on_files(&[("a", "x\n1\n")], &["--all", "-"]).stdin("x\n0\n").stdout("x\n0\n1\n").run();
}

#[test]
fn another_header_is_refused_before_anything_comes_out() {
    let refused = |one: &str, other: &str, args: &[&str], said: &str| {
        let case = on_files(&[("a", one), ("b", other)], args);
        case.status(2).stderr(format!("csvfilter: {said}\n")).run();
    };
    refused("x,y\n1,2\n", "x,z\n1,2\n", &["--all"], "b has another header than a\n  $2: `z` instead of `y`");
    refused("x,y\n", "x,y,z\n", &["--all"], "b has 3 columns and a has 2\n  $3: `z` instead of no column");
    refused("x,y\n", "x\n", &["--all"], "b has 1 column and a has 2\n  $2: no column instead of `y`");
    refused(
        "x,y\n",
        "x;y\n",
        &["--all"],
        "b is delimited by ';' and a by ','; --normalize writes both alike",
    );
    let both = on_files(&[("a", "x,y\n1,2\n"), ("b", "x;y\n3;\"4,5\"\n")], &["--all", "--normalize"]);
    both.stdout("x,y\n1,2\n3,\"4,5\"\n").run();
    // Fields that go out as they stand would mean something else between other delimiters.
    refused(
        "x,y\n1,2\n",
        "x;y\n3;4,5\n",
        &["--all", "--select", "y"],
        "b is delimited by ';' and a by ','; --normalize writes both alike",
    );
    // Of standard input nothing is known before its turn.
    let late = on_files(&[("a", "x,y\n1,2\n")], &["--all"]).args(["-"]).stdin("x,z\n1,2\n").status(2);
    late.stdout("x,y\n1,2\n").stderr_has("standard input has another header than a\n  $2:").run();
}

#[test]
fn a_million_tiny_rows_and_a_hundred_thousand_columns() {
    let mut rows = String::from("a\n");
    (0..1_000_000).for_each(|row| writeln!(rows, "{}", row % 10).unwrap());
    Case::new(TOOL).stdin(&rows).args(["--count", "a >= 7"]).stdout("300000\n").run();
    let want = rows.replace("0\n", "");
    Case::new(TOOL).stdin(&rows).args(["a > 0", "-j4"]).stdout(want).run();
    let columns: Vec<String> = (1..=100_000).map(|column| format!("c{column}")).collect();
    let (header, row) = (columns.join(","), columns.join(",").replace('c', ""));
    let text = format!("{header}\n{row}\n{header}\n{row}\n");
    check(&["c100000 == 'c100000' and $99999 == 'c99999'"], &text, format!("{header}\n{header}\n"));
    check(&["$7 == '7'", "--select", "c99998,c1"], &text, "c99998,c1\n99998,1\n99998,1\n");
}
