use std::collections::BTreeMap;

use super::*;
use crate::bind::{Pins, Table};
use crate::columns::Columns;
use crate::dialect::Dialect;
use crate::expr::parse;
use crate::judge::Judge;
use crate::simd::Cpu;
use crate::time::{Times, Zone};

mod random;

const CSV: Dialect = Dialect::delimited(b',');

/// A condition of columns, each called by one letter.
fn bound(expression: &str, types: &str, columns: &str) -> Condition {
    let names = columns.bytes().map(|name| vec![name]).collect();
    let columns = Columns::named(names, "table.csv");
    let pins: Vec<Pins> = types.split_terminator(' ').map(|pin| Pins::parse(pin).unwrap()).collect();
    let kinds: BTreeMap<usize, Kind> = Pins::find(&pins, &columns).unwrap();
    let table =
        Table { columns: &columns, kinds: &kinds, now: Time::from_secs(1_772_359_200), zone: Zone::Utc };
    table.bind(&parse(expression).unwrap()).unwrap()
}

/// What is said of each row: `y` and `n` for kept and dropped, `b` for a bad one, `.` for none; by
/// every processor, wherever in a block the text begins.
fn judged(condition: &Condition, columns: usize, text: &[u8], dialect: Dialect) -> String {
    let mut judged: Vec<String> = Vec::new();
    for (_, cpu) in Cpu::all() {
        let (condition, times) = (condition.clone(), Times::new(Zone::Utc));
        let law = Law { condition, columns, times, cpu };
        for begin in [0, 59] {
            let mut block = Block::scanned(text, begin, dialect, cpu);
            let mut verdict = Verdict::default();
            Judge::new(&law).judge(&mut block, &mut verdict);
            let mut rows = vec!['n'; block.rows()];
            verdict.kept.iter().for_each(|row| rows[*row as usize] = 'y');
            verdict.no_rows.iter().for_each(|row| rows[*row as usize] = '.');
            verdict.bad.iter().for_each(|bad| rows[bad.row as usize] = 'b');
            judged.push(rows.into_iter().collect());
        }
    }
    assert!(judged.iter().all(|other| *other == judged[0]), "{} {judged:?}", text.escape_ascii());
    judged.swap_remove(0)
}

/// Of a table with the columns a, b and c.
#[track_caller]
fn check(expression: &str, rows: &str, want: &str) {
    let found = judged(&bound(expression, "", "abc"), 3, rows.as_bytes(), CSV);
    assert_eq!(found, want, "{expression} {rows:?}");
}

/// Of a table with one column: each of the values, in a row of its own.
#[track_caller]
fn check_values(expression: &str, values: &[&str], want: &str) {
    let rows = values.iter().map(|value| format!("{value}\n")).collect::<Vec<_>>().concat();
    let found = judged(&bound(expression, "", "a"), 1, rows.as_bytes(), CSV);
    assert_eq!(found, want, "{expression} {values:?}");
    // The same as the first, and as the last column, with all kinds of line ends.
    let rows = |before: &str, behind: &str| {
        let row = |value: &&str| format!("{before}{value}{behind}");
        values.iter().map(row).collect::<Vec<_>>().concat()
    };
    let want = want.replace('.', "n");
    check(expression, &rows("", ",y,z\n"), &want);
    check(expression, &rows("", ",,\r\n"), &want);
    for line_end in ["\n", "\r\n"] {
        let rows = rows("y,\"\n\",", line_end);
        let in_last = bound(expression, "", "bca");
        let found = judged(&in_last, 3, rows.as_bytes(), CSV);
        assert_eq!(found, want, "{expression} {rows:?}");
        let found = judged(&in_last, 3, rows.trim_end_matches(line_end).as_bytes(), CSV);
        assert_eq!(found, want, "{expression} {rows:?} without an end");
    }
}

#[test]
fn numbers_of_any_length_are_compared() {
    let values = ["29", "30", "31", "030", "30.0", " 30", "+30", "-30", "\"30\"", "3e1", "x", "\"\""];
    check_values("a >= 30", &values, "nyyyyyynyybn");
    check_values("a == 30", &values, "nynyyyynyybn");
    check_values("a != 30", &values, "ynynnnnynnby");
    check_values("a < 30", &values, "ynnnnnnynnbn");
    for digits in 1..=20 {
        let nines = "9".repeat(digits);
        let (more, less) = (format!("1{}", "0".repeat(digits)), format!("{}8", &nines[1..]));
        let values = [
            &*less,
            &*nines,
            &*more,
            &*format!("{nines}.1"),
            &*format!("\"{nines}\""),
            &*format!("{nines}x"),
        ];
        check_values(&format!("a > {nines}"), &values, "nnyynb");
        check_values(&format!("a >= {nines}"), &values, "nyyyyb");
        check_values(&format!("a < {nines}"), &values, "ynnnnb");
        check_values(&format!("a <= {nines}"), &values, "yynnyb");
        check_values(&format!("a == {nines}"), &values, "nynnyb");
        check_values(&format!("a != {nines}"), &values, "ynyynb");
        check_values(&format!("a >= {nines}.5"), &values, "nnynnb");
    }
    check_values("a > -1", &["0", "-1", "-0", "-0.5", "99999999"], "ynyyy");
    check_values("a in (1, 2.50, 30)", &["1", "1.0", "2.5", "25", "\"30\"", "x", "\"\""], "yyynybn");
    check_values("a not in (1, 2)", &["1", "3", "x", "\"\""], "nyby");
}

#[test]
fn texts_are_compared_byte_by_byte() {
    let values = ["jo", "\"jo\"", "Jo", "joe", "j", "\"j\"\"o\"", "\"jo\"x", " jo"];
    check_values("a == 'jo'", &values, "yynnnnnn");
    check_values("a != 'jo'", &values, "nnyyyyyy");
    check_values("a in ('jo', 'joe', 'jox')", &values, "yynynnyn");
    check_values("a == 'j\\\"o'", &values, "nnnnnynn");
    for length in 1..=18 {
        let text = "m".repeat(length);
        let values = [&*text, &*format!("{text}m"), &*format!("{}n", &text[1..]), &*format!("\"{text}\"")];
        check_values(&format!("a == '{text}'"), &values, "ynny");
        check_values(&format!("a =~ /^{text}$/"), &values, "ynny");
        check_values(&format!("a =~ /^{text}/"), &values, "yyny");
        check_values(&format!("a =~ /{text}$/"), &values, "yyny");
        check_values(&format!("a =~ /[m]{{{length}}}/"), &values, "yyny");
    }
    check_values("a =~ /^ma/i", &["Max", "max", "\"MAx\"", "xMa", "\"\"", "ma"], "yyynny");
    check_values("a =~ /^$|x/", &["\"\"", "x", "y"], "yyn");
    check_values("contains(a, 'm')", &["m", "xmx", "\"m\"", "n"], "yyyn");
    check_values("starts(a, 'm')", &["m", "xm", "\"m\"", "mx"], "ynyy");
    check_values("ends(a, 'm')", &["m", "xm", "\"m\"", "mx"], "yyyn");
}

#[test]
fn what_is_not_asked_makes_no_row_bad() {
    let rows = "5,x,1\n,x,1\nx,x,1\n40,x,1\n";
    check("a >= 30", rows, "nnby");
    check("number(a) and a >= 30", rows, "nnny");
    check("not empty(a) and a >= 30", rows, "nnby");
    check("empty(a) or a >= 30", rows, "nyby");
    check("b == 'x' or a >= 30", rows, "yyyy");
    check("b != 'x' and a >= 30", rows, "nnnn");
    check("not (a >= 30)", rows, "yybn");
    check("not (b == 'x' and a >= 30)", rows, "yybn");
    check("a >= 30 and true", rows, "nnby");
    check("a >= 30 or c == 1 and b == 'x'", rows, "yyby");
    check("(a > 3 or a < 0) and (a < 10 or a > 100)", rows, "ynbn");
    check("true", rows, "yyyy");
    check("false", rows, "nnnn");
}

#[test]
fn times_are_stretches() {
    let values =
        ["2026-03-01", "2026-03-01T23:59:59Z", "2026-03-02", "2026-02-28T23:00:00-02:00", "\"\"", "x"];
    check_values("a == 2026-03-01", &values, "yynynb");
    check_values("a <= 2026-03-01", &values, "yynynb");
    check_values("a > 2026-03-01", &values, "nnynnb");
    check_values("a >= 2026-03-01T12:00:00Z", &values, "nyynnb");
    check_values("time(a)", &values, "yyyynn");
    check_values("a > now - 30m", &["2026-03-01T09:31:00Z", "2026-03-01T09:29:00Z"], "yn");
}

#[test]
fn functions_make_values_of_values() {
    let values = ["\u{c4}b", "\u{e4}B", " ab ", "\"\"", "abc", "\"a\"\"b\""];
    check_values("len(a) == 2", &values, "yynnnn");
    check_values("len(a) > 2", &values, "nnynyy");
    check_values("lower(a) == '\u{e4}b'", &values, "yynnnn");
    check_values("upper(a) == 'ABC'", &values, "nnnnyn");
    check_values("trim(a) == 'ab'", &values, "nnynnn");
    check_values("len(trim(a)) == 2", &values, "yyynnn");
    check_values("lower(a) =~ /B/", &values, "nnnnnn");
}

#[test]
fn columns_are_compared_with_each_other() {
    let judge = |expression: &str, types: &str, rows: &str| {
        judged(&bound(expression, types, "abc"), 3, rows.as_bytes(), CSV)
    };
    assert_eq!(judge("a == b", "", "1,1,\n1,1.0,\n\"x\",x,\n,,\n"), "ynyy");
    assert_eq!(judge("a == b", "a=number,b=number", "1,1,\n1,1.0,\nx,1,\n,,\n,1,\n"), "yybyn");
    assert_eq!(judge("a < c", "a=number", "1,,2\r\n2,,\"1\"\n,,1\n10,,9\n"), "ynnn");
    assert_eq!(judge("a >= c", "a=time", "2026-03-01,,2026-02-28\r\n2026-03-01,,x\n"), "yb");
    assert_eq!(judge("a == 01234", "a=text", "1234,,\n01234,,\n"), "ny");
}

#[test]
fn rows_that_are_none_are_set_aside() {
    check("a == 1", "\n1,,\n\r\n1,\n1,,,\n,,\n1,\u{e9},1", ".y.bbny");
    assert_eq!(judged(&bound("a == 1", "", "abc"), 3, b"1,,\n1,\xff,\n1,,\n", CSV), "yby");
    let commented = Dialect { comment: Some(b'#'), ..CSV };
    assert_eq!(judged(&bound("a == 1", "", "a"), 1, b"#1\n1\n\n\"#1\"\n", commented), ".y.b");
    assert_eq!(judged(&bound("empty(a)", "", "a"), 1, b"\"\"\n\nx\n\"\"", CSV), "y.ny");
}

#[test]
fn escapes_of_tsv_are_values() {
    let judge = |expression: &str| {
        judged(&bound(expression, "", "ab"), 2, b"a\\tb\t1\nab\t\\\\\n\"x\"\t2\r\n", Dialect::tsv())
    };
    assert_eq!(judge("a == 'a\\tb'"), "ynn");
    assert_eq!(judge("contains(a, '\\t')"), "ynn");
    assert_eq!(judge("b == '\\\\'"), "nyn");
    assert_eq!(judge("b >= 2"), "nby");
    assert_eq!(judge("a == '\"x\"'"), "nny");
}
