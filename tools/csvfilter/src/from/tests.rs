use std::fmt::Write as _;

use proptest::prelude::*;

use super::*;
use crate::block::Block;
use crate::dialect::Dialect;

const LIMIT: usize = 1 << 20;

/// A table from a file, and one from memory.
fn tables(text: &str, shape: Shape, limit: usize) -> [Result<Table>; 2] {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("in.json");
    std::fs::File::create(&path)
        .and_then(|mut file| io::Write::write_all(&mut file, text.as_bytes()))
        .unwrap();
    let memory = Text::Memory(text.as_bytes().into());
    let file = open(&path, "in.json", shape, limit);
    [file, of("in.json", memory, shape, limit)]
}

fn open(path: &Path, name: &str, shape: Shape, limit: usize) -> Result<Table> {
    let mut keys = Keys::new(shape, limit);
    let mut input = Input::open(path)?;
    input.name = name.into();
    let waiting = keys.read(input, path)?;
    keys.open(waiting)
}

fn of(name: &str, text: Text, shape: Shape, limit: usize) -> Result<Table> {
    let mut keys = Keys::new(shape, limit);
    keys.learn(name, &text)?;
    keys.open(Waiting { name: name.into(), place: Place::Memory(text) })
}

#[test]
fn several_inputs_have_the_columns_of_all() {
    let texts = ["{\"a\":1}\n", "{\"b\":{\"c\":2}}\nx\n{\"a\":3}\n"];
    let mut keys = Keys::new(Shape::Lines, LIMIT);
    let waiting: Vec<Waiting> = texts
        .iter()
        .map(|text| {
            let text = Text::Memory(text.as_bytes().into());
            keys.learn("in.json", &text).unwrap();
            Waiting { name: "in.json".into(), place: Place::Memory(text) }
        })
        .collect();
    let told = |table: Table| {
        let (columns, rows, lines, bad) = all(table);
        (columns, rows, lines, bad.len())
    };
    let found: Vec<_> = waiting.into_iter().map(|waiting| told(keys.open(waiting).unwrap())).collect();
    let columns = "a b.c".to_owned();
    assert_eq!(
        found,
        [(columns.clone(), "1,\n".into(), vec![1], 0), (columns, ",2\n3,\n".into(), vec![1, 3], 1)]
    );
}

#[test]
fn another_file_of_the_same_name_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("in.json");
    let write =
        |path: &Path| std::fs::File::create(path).and_then(|mut file| io::Write::write_all(&mut file, b"{}"));
    write(&path).unwrap();
    let mut keys = Keys::new(Shape::Lines, LIMIT);
    let waiting = keys.read(Input::open(&path).unwrap(), &path).unwrap();
    let other = folder.path().join("other.json");
    write(&other).unwrap();
    std::fs::rename(&other, &path).unwrap();
    let error = keys.open(waiting).err().unwrap().to_string();
    assert!(error.ends_with("in.json was replaced while its columns were read"), "{error}");
}

/// All of a table: its columns, its rows, and what the ledger says of them.
fn all(table: Table) -> (String, String, Vec<u64>, Vec<String>) {
    let Table { columns, mut rows, ledger, .. } = table;
    let names: Vec<String> = columns.into_iter().map(|name| String::from_utf8(name).unwrap()).collect();
    let mut csv = String::new();
    rows.read_to_string(&mut csv).unwrap();
    let mut ledger = ledger.lock().unwrap();
    let count = Block::of(csv.as_bytes(), Dialect::delimited(b',')).rows() as u64;
    let notes = ledger.take_last(count);
    let lines = (0..count).map(|row| notes.line(row)).collect();
    let told = |bad: Bad| {
        let Bad { before, line, column, reason, bytes } = bad;
        format!("{before} {line}:{column} {reason}: {}", String::from_utf8_lossy(&bytes))
    };
    let bad = notes.bad.into_iter().map(told).collect();
    (names.join(" "), csv, lines, bad)
}

fn check(text: &str, shape: Shape, columns: &str, csv: &str) {
    for table in tables(text, shape, LIMIT) {
        let (found, rows, _, bad) = all(table.unwrap());
        assert_eq!((found.as_str(), rows.as_str(), bad), (columns, csv, vec![]), "{text}");
    }
}

#[test]
fn columns_are_the_union_of_the_keys() {
    check("{\"a\":1}\n\n{\"b\":2,\"a\":3}\r\n \t\n{}", Shape::Lines, "a b", "1,\n3,2\n,\n");
    check("[{\"a\":1},\n {\"b\":2}]", Shape::Json, "a b", "1,\n,2\n");
    check("{\"a\":1}{\"b\":2} [] [{\"a\":3}]\n", Shape::Json, "a b", "1,\n,2\n3,\n");
    check("\u{feff}{\n  \"a\": {\"b\": {\"c\": 1}, \"\": 2}\n}", Shape::Json, "a.b.c a.", "1,2\n");
    check("\u{feff}{\"a\":1}", Shape::Lines, "a", "1\n");
    check("{\"\\u00e9 \\\"x\\\"\":1}", Shape::Lines, "é \"x\"", "1\n");
    check("{\"a\":{\"b\":1}}\n{\"a.b\":2}\n{\"a\":3}", Shape::Lines, "a.b a", "1,\n2,\n,3\n");
    for nothing in ["", " \n", "[]", "[ ] \n", "{}", "[{}, {}]"] {
        check(nothing, Shape::Json, "", "");
    }
}

#[test]
fn values_stay_as_they_are_written() {
    let cell = |json: &str, want: &str| {
        check(&format!("{{\"a\":{json},\"b\":0}}"), Shape::Lines, "a b", &format!("{want},0\n"));
        check(&format!("[ {{ \"a\" : {json} , \"b\" : 0 }} ]"), Shape::Json, "a b", &format!("{want},0\n"));
    };
    for same in ["1.50", "1e400", "12345678901234567890", "-0", "1E+2", "true", "false", "{}", "[]"] {
        cell(same, same);
    }
    cell("null", "");
    cell(r#""""#, r#""""#);
    for text in ["1.50", " 7 ", "+1", ".5", "true", "false", "null", "1e5"] {
        cell(&format!("\"{text}\""), &format!("\"{text}\""));
    }
    cell(r#""True""#, "True");
    cell(r#""x y""#, "x y");
    cell(r#""a,b""#, r#""a,b""#);
    cell(r#""a\"b\nc\u00e9\\""#, "\"a\"\"b\ncé\\\"");
    cell(r#"[1, "a b\" ]", { "x" : null } ]"#, r#""[1,""a b\"" ]"",{""x"":null}]""#);
    cell("{ \t}", "{}");
    check("{\"a\":null}\n{\"a\":\"\"}", Shape::Lines, "a", "\"\"\n\"\"\n");
}

#[test]
fn bad_records_are_told_and_the_others_read() {
    let check = |text: &str, shape, csv: &str, want: &[&str]| {
        for table in tables(text, shape, 60) {
            let (_, rows, _, bad) = all(table.unwrap());
            assert_eq!(
                (rows.as_str(), &bad.iter().map(String::as_str).collect::<Vec<_>>()[..]),
                (csv, want),
                "{text}"
            );
        }
    };
    check(
        "{\"a\":1}\n{\"a\":2\nx\n{\"a\":3}\n",
        Shape::Lines,
        "1\n3\n",
        &["1 2:1 column 6: EOF while parsing an object: {\"a\":2", "1 3:1 column 1: expected value: x"],
    );
    check(
        " 42 \r\n[{\"a\":1}]\n{\"a\":1} {}\nnull",
        Shape::Lines,
        "",
        &[
            "0 1:2 the record is no object: 42",
            "0 2:1 the record is no object: [{\"a\":1}]",
            "0 3:1 column 9: trailing characters: {\"a\":1} {}",
            "0 4:1 the record is no object: null",
        ],
    );
    check(
        "[{\"a\":1}, 7,\n \"x]\", {\"b\":1,\"b\":2}, [{}]]",
        Shape::Json,
        "1\n",
        &[
            "1 1:11 the record is no object: 7",
            "1 2:2 the record is no object: \"x]\"",
            "1 2:8 column `b` is told twice: {\"b\":1,\"b\":2}",
            "1 2:23 the record is no object: [{}]",
        ],
    );
    check(
        "{\"a\":{\"b\":1},\"a.b\":2}\n{\"c\":\"\\ud800\"}\n{\"d\":1}",
        Shape::Lines,
        "1\n",
        &[
            "0 1:1 column `a.b` is told twice: {\"a\":{\"b\":1},\"a.b\":2}",
            "0 2:1 unexpected end of hex escape: {\"c\":\"\\ud800\"}",
        ],
    );
    let long = format!("{{\"a\":\"{}\"}}", "x".repeat(60));
    let told = format!("0 1:1 the record is longer than --max-record: {}", &long[..60]);
    check(&format!("{long}\n{{\"a\":1}}"), Shape::Lines, "1\n", &[&told]);
    let most = format!("{{\"a\":\"{}\"}}", "x".repeat(52));
    check(&format!("{most}\r\n{most}"), Shape::Lines, &format!("{0}\n{0}\n", "x".repeat(52)), &[]);
}

#[test]
fn deep_nesting_and_wrong_bytes_make_a_record_a_bad_one() {
    let deep = |levels: usize| format!("{}1{}", "{\"a\":".repeat(levels), "}".repeat(levels));
    let text = [deep(128), deep(129), "[".repeat(50_000)].join("\n");
    let [table, _] = tables(&text, Shape::Lines, LIMIT);
    let (columns, csv, lines, bad) = all(table.unwrap());
    assert_eq!((columns.len(), csv.as_str(), &lines[..]), (255, "1\n", &[1][..]));
    assert!(bad[0].starts_with("1 2:1 objects are nested deeper than 128 levels: "), "{}", bad[0]);
    assert!(bad[1].starts_with("1 3:1 column 50000: EOF while parsing a list: "));
    let bytes = b"[{\"a\":\"\xff\"},{\"a\":\"1\"}]";
    let table = of("in.json", Text::Memory(bytes[..].into()), Shape::Json, LIMIT).unwrap();
    let (_, csv, _, bad) = all(table);
    assert_eq!((csv.as_str(), bad.len()), ("\"1\"\n", 1));
    assert!(bad[0].starts_with("0 1:2 the record is not UTF-8: "), "{}", bad[0]);
}

#[test]
fn what_is_no_json_is_told_with_its_place() {
    let check = |text: &str, want: &str| {
        for table in tables(text, Shape::Json, 60) {
            assert_eq!(table.err().unwrap().to_string(), format!("cannot read in.json: {want}"), "{text}");
        }
    };
    check("[{\"a\":1}\n {\"a\":2}]", "line 2, column 2: expected `,` or `]`");
    check("[\n{\"a\":1},\n]", "line 3, column 1: expected a value");
    check("{\"a\":1},{}", "line 1, column 8: expected a value");
    check("\n [{\n  \"a\": x}]", "line 3, column 8: expected value");
    check("[ {\"a\" 1}]", "line 1, column 8: expected `:`");
    check("{\"a\":1}]", "line 1, column 8: expected a value");
    check("hello", "line 1, column 1: expected value");
    check(
        &format!("[1, \"{}\"]", "x".repeat(60)),
        "line 1, column 5: the record that begins here is longer than --max-record",
    );
    let wide = of("in.json", Text::Memory(b"\xff\xfe{\0}\0"[..].into()), Shape::Json, 9);
    assert!(wide.err().unwrap().to_string().starts_with("in.json is in UTF-16; convert it first"));
}

#[test]
fn rows_know_their_lines() {
    let text = "\n[\n {\"a\":\n 1}, {\"a\":\"x\\ny\"},\n {\"a\":2}]\n{\"a\":3}";
    let [table, _] = tables(text, Shape::Json, LIMIT);
    assert_eq!(all(table.unwrap()).2, [3, 4, 5, 6]);
    let [table, _] = tables("{\"a\":1}\n\nx\n{\"a\":2}\n", Shape::Lines, LIMIT);
    assert_eq!(all(table.unwrap()).2, [1, 4]);
}

#[test]
fn a_key_that_comes_between_the_readings_is_noticed() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("in.json");
    let write = |text: &str| {
        std::fs::File::create(&path).and_then(|mut file| io::Write::write_all(&mut file, text.as_bytes()))
    };
    write("{\"a\":1}\n").unwrap();
    let mut table = open(&path, "in.json", Shape::Lines, LIMIT).unwrap();
    write("{\"b\":1}\n{\"c\":1}\n").unwrap();
    let error = table.rows.read(&mut [0; 10]).unwrap_err();
    assert_eq!(error.to_string(), "it was changed while it was read");
}

/// A value, its numbers as they are written.
#[derive(Debug, Clone)]
enum Json {
    Plain(String),
    Text(String),
    Array(Vec<Json>),
    Object(Vec<(String, Json)>),
}

impl Json {
    /// As text, with `gap` wherever white space may be.
    fn print(&self, gap: &str, to: &mut String) {
        let brackets = |to: &mut String, open, close, items: &[(Option<&str>, &Json)]| {
            to.push(open);
            for (at, (key, value)) in items.iter().enumerate() {
                to.push_str(if at > 0 { "," } else { "" });
                let key = key.map(|key| format!("{gap}{}{gap}:", serde_json::to_string(key).unwrap()));
                to.push_str(&key.unwrap_or_default());
                to.push_str(gap);
                value.print(gap, to);
            }
            to.push_str(gap);
            to.push(close);
        };
        match self {
            Self::Plain(text) => to.push_str(text),
            Self::Text(text) => to.write_str(&serde_json::to_string(text).unwrap()).unwrap(),
            Self::Array(items) => {
                brackets(to, '[', ']', &items.iter().map(|item| (None, item)).collect::<Vec<_>>());
            }
            Self::Object(members) => {
                brackets(
                    to,
                    '{',
                    '}',
                    &members.iter().map(|(key, value)| (Some(key.as_str()), value)).collect::<Vec<_>>(),
                );
            }
        }
    }

    /// Its cells: the value, and whether it is in quotes because of what it says.
    fn cells(&self, path: &str, to: &mut Vec<(String, String, bool)>) {
        let mut text = String::new();
        match self {
            Self::Object(members) if !members.is_empty() => {
                for (key, value) in members {
                    value.cells(&format!("{path}.{key}"), to);
                }
                return;
            }
            Self::Text(own) => text.push_str(own),
            Self::Plain(own) if own == "null" => {}
            _ => self.print("", &mut text),
        }
        let reads_otherwise = text.is_empty()
            || ["true", "false", "null"].contains(&text.as_str())
            || text.parse::<i64>().is_ok();
        to.push((path.to_owned(), text, matches!(self, Self::Text(_)) && reads_otherwise));
    }
}

fn object(value: impl Strategy<Value = Json> + Clone) -> impl Strategy<Value = Json> {
    let keys = proptest::sample::subsequence(vec!["a", "b", "c", "", "é\"\\\n,"], 0..4);
    let member = (keys, proptest::collection::vec(value, 4));
    member.prop_map(|(keys, values)| Json::Object(keys.into_iter().map(str::to_owned).zip(values).collect()))
}

fn value() -> impl Strategy<Value = Json> + Clone {
    let text =
        prop_oneof!["[-0-9]{0,3}", "true|false|null", "[a\"\\\\,\n\r\té{}\\[\\] ]{0,6}", any::<String>()];
    let plain = "true|false|null|-?(0|[1-9][0-9]{0,25})(\\.[0-9]{1,3})?([eE][+-]?[0-9]{1,4})?";
    let leaf = prop_oneof![plain.prop_map(Json::Plain), text.prop_map(Json::Text)];
    leaf.prop_recursive(4, 20, 4, |inner| {
        let array = proptest::collection::vec(inner.clone(), 0..3).prop_map(Json::Array);
        prop_oneof![array, object(inner)].boxed()
    })
}

proptest! {
    #[test]
    fn the_csv_crate_reads_the_same_cells(
        records in proptest::collection::vec(object(value()), 0..6),
        gap in "[ \t]{0,2}",
        is_lines: bool,
    ) {
        let (mut texts, mut wanted) = (vec![], vec![]);
        for record in &records {
            let (mut text, mut cells) = (String::new(), vec![]);
            record.print(&gap, &mut text);
            if !matches!(record, Json::Object(members) if members.is_empty()) {
                record.cells("", &mut cells);
            }
            texts.push(text);
            wanted.push(cells);
        }
        let text = if is_lines { texts.join("\n") } else { format!("[{}]", texts.join(" ,\n\n")) };
        let [table, _] = tables(&text, if is_lines { Shape::Lines } else { Shape::Json }, LIMIT);
        let Table { columns, mut rows, .. } = table.unwrap();
        let mut csv = Vec::new();
        rows.read_to_end(&mut csv).unwrap();
        let mut names: Vec<Vec<u8>> = vec![];
        for (path, ..) in wanted.iter().flatten() {
            let name = path.as_bytes()[1..].to_vec();
            if !names.contains(&name) {
                names.push(name);
            }
        }
        prop_assert_eq!(&columns, &names);
        let block = Block::of(&csv, Dialect::delimited(b','));
        let read: Vec<csv::StringRecord> =
            csv::ReaderBuilder::new().has_headers(false).from_reader(&csv[..]).records().map(|record| record.unwrap()).collect();
        prop_assert_eq!(read.len(), if names.is_empty() { 0 } else { records.len() });
        for ((row, found), cells) in read.iter().enumerate().zip(&wanted) {
            let raw: Vec<&[u8]> = block.fields(row).collect();
            for (column, name) in names.iter().enumerate() {
                let cell = cells.iter().find(|(path, ..)| path.as_bytes()[1..] == name[..]);
                prop_assert_eq!(&found[column], cell.map_or("", |(_, value, _)| value));
                if names.len() > 1 && (found[column].is_empty() || cell.is_some_and(|(_, _, is_quoted)| *is_quoted)) {
                    prop_assert_eq!(raw[column].starts_with(b"\""), cell.is_some_and(|(_, _, is_quoted)| *is_quoted));
                }
            }
        }
    }

    #[test]
    fn nothing_makes_it_panic(bytes: Vec<u8>, text in "[\\[\\]{}\",:a1n \n\\\\]{0,40}", limit in 0_usize..20) {
        for bytes in [&bytes[..], text.as_bytes()] {
            for shape in [Shape::Lines, Shape::Json] {
                if let Ok(table) = of("x", Text::Memory(bytes.into()), shape, limit) {
                    all(table);
                }
            }
        }
    }

    #[test]
    fn the_array_and_the_lines_are_the_same_table(lines in proptest::collection::vec("\\{(\"a\":([0-9]|\"x\"|\\{\"b\":1\\}))?\\}", 0..9)) {
        let [one, _] = tables(&lines.join("\n"), Shape::Lines, LIMIT);
        let [other, _] = tables(&format!("[{}]", lines.join(",\n")), Shape::Json, LIMIT);
        prop_assert_eq!(all(one.unwrap()), all(other.unwrap()));
    }
}
