use super::*;

mod random;

/// The input of most cases: quotes, a delimiter and a line end in a field, a pipe, CRLF.
const PEOPLE: &str = "id,name,note\n1,\"Doe, \"\"J\"\"\",a|b\r\n02,Ü,\"two\nlines\"\n,,\"7\"";

fn comma() -> Dialect {
    Dialect { comment: Some(b'#'), ..Dialect::delimited(b',') }
}

fn layout(form: impl Into<Option<Form>>) -> Layout {
    Layout {
        form: form.into(),
        input: comma(),
        names: None,
        width: 0,
        chosen: None,
        renamed: Vec::new(),
        normalize: false,
        delimiter: None,
        keep_quotes: false,
        infer: Infer::Strings,
    }
}

/// What becomes of a text with a header, two rows to a call.
fn written(text: &[u8], mut layout: Layout) -> Vec<u8> {
    let block = Block::of(text, layout.input);
    let names: Vec<Vec<u8>> = block.fields(0).map(|raw| layout.input.value(raw).into_owned()).collect();
    layout.width = names.len();
    layout.names = Some(names);
    let rows: Vec<u32> = (1..u32::try_from(block.rows()).unwrap()).collect();
    rows_of(&block, &rows, layout, Some(block.row(0)))
}

fn rows_of(block: &Block, rows: &[u32], layout: Layout, header: Option<&[u8]>) -> Vec<u8> {
    let emit = Emit::new(layout);
    let (mut start, mut body, mut end) = (Vec::new(), Vec::new(), Vec::new());
    emit.header(header, &mut start);
    for rows in rows.chunks(2) {
        emit.rows(block, rows, &mut body);
    }
    emit.footer(&mut end);
    if !body.is_empty() {
        body.drain(..emit.separator_len());
    }
    let all = [start, body, end].concat();
    let Some(mut table) = emit.table() else { return all };
    table.add(&all);
    let mut printed = Vec::new();
    table
        .print(|piece| {
            printed.extend_from_slice(piece);
            Ok(())
        })
        .unwrap();
    printed
}

#[track_caller]
fn check(text: &str, layout: Layout, want: &str) {
    let what = format!("{text:?} {layout:?}");
    assert_eq!(String::from_utf8_lossy(&written(text.as_bytes(), layout)), want, "{what}");
}

#[test]
fn rows_stay_as_they_are() {
    check(PEOPLE, layout(None), PEOPLE);
    check(PEOPLE, layout(Form::Csv), PEOPLE);
    check("a\tb\n\\t\t\\n\r\n", Layout { input: Dialect::tsv(), ..layout(Form::Tsv) }, "a\tb\n\\t\t\\n\r\n");
    let renamed = vec![(1, b"x\"y".to_vec())];
    check("a, \"b\" ,\"c\"\r\n1,2", Layout { renamed, ..layout(None) }, "a,\"x\"\"y\",\"c\"\r\n1,2");
}

#[test]
fn chosen_fields_are_copied_as_they_are() {
    let chosen = |columns: &[usize]| Layout { chosen: Some(columns.to_vec()), ..layout(None) };
    check(PEOPLE, chosen(&[2, 0]), "note,id\na|b,1\r\n\"two\nlines\",02\n\"7\",");
    let renamed = vec![(0, b"no, or".to_vec()), (0, b"no".to_vec())];
    check(PEOPLE, Layout { renamed, ..chosen(&[0]) }, "no\n1\r\n02\n\"\"");
    check("a,b\n1\n", chosen(&[1]), "b\n\"\"\n");
    check("a,b\n1,2,3\n", chosen(&[1, 0]), "b,a\n2,1\n");
    check("a\tb\n\\t\t\\n\r\n", Layout { input: Dialect::tsv(), ..chosen(&[1]) }, "b\n\\n\r\n");
}

#[test]
fn a_field_is_written_anew_where_its_place_would_change_it() {
    let chosen = |columns: &[usize]| Layout { chosen: Some(columns.to_vec()), ..layout(None) };
    check("a,b\n1,#2\n", chosen(&[1, 0]), "b,a\n\"#2\",1\n");
    check("a,#b\n", chosen(&[1, 0]), "\"#b\",a\n");
    check("a,b\n1\r,2\n", chosen(&[1, 0]), "b,a\n2,\"1\r\"\n");
    check("a,b\n1,\"2\"x\"\n", chosen(&[1, 0]), "b,a\n\"2\"x\",1\n");
    check("a,b\n1,\"2,\"\"3\n4", chosen(&[1, 0]), "b,a\n\"2,\"\"3\n4\",1");
    let tsv = Dialect { comment: None, ..Dialect::tsv() };
    check("a\tb\n1\r\t2\n", Layout { input: tsv, ..chosen(&[1, 0]) }, "b\ta\n2\t1\\r\n");
}

#[test]
fn csv_that_is_written_anew_has_the_quotes_that_it_needs() {
    let anew = Layout { normalize: true, ..layout(None) };
    let text = "a,\"b\"\r\n\"x\",\"y,\"\n\"1\"\"\",jo\"hn\n\"#\",\"#\"\n1\r,2\n1\n1,2,3";
    let want = "a,b\nx,\"y,\"\n\"1\"\"\",\"jo\"\"hn\"\n\"#\",#\n\"1\r\",2\n1\n1,2,3\n";
    check(text, anew.clone(), want);
    check("\"a\"\n\"\"\n", anew.clone(), "a\n\"\"\n");
    check("a,b\n\"1\",2\n3,\"\"\n", Layout { keep_quotes: true, ..anew.clone() }, "a,b\n\"1\",2\n3,\"\"\n");
    check("a;b\n\"1,\";2\n", Layout { input: Dialect::delimited(b';'), ..anew.clone() }, "a;b\n1,;2\n");
    check("a,b\n1;,2\n", Layout { delimiter: Some(b';'), ..layout(Form::Csv) }, "a;b\n\"1;\";2\n");
    check(
        "a\tb\n1,\t\"2\\n\"\n",
        Layout { input: Dialect::tsv(), ..layout(Form::Csv) },
        "a,b\n\"1,\",\"\"\"2\n\"\"\"\n",
    );
    check("a,b\n1,\n", Layout { chosen: Some(vec![1]), ..anew }, "b\n\"\"\n");
}

#[test]
fn tsv_has_escapes() {
    check(PEOPLE, layout(Form::Tsv), "id\tname\tnote\n1\tDoe, \"J\"\ta|b\n02\tÜ\ttwo\\nlines\n\t\t7\n");
    check("a,b\n\\,\"\t\r\n\"\n", layout(Form::Tsv), "a\tb\n\\\\\t\\t\\r\\n\n");
    let anew = Layout { input: Dialect::tsv(), normalize: true, ..layout(None) };
    check("a\tb\n\\t\\x\t2\r\n", anew, "a\tb\n\\t\\\\x\t2\n");
}

#[test]
fn json_has_an_object_for_each_row() {
    let want = "{\"id\":\"1\",\"name\":\"Doe, \\\"J\\\"\",\"note\":\"a|b\"}\n\
                {\"id\":\"02\",\"name\":\"Ü\",\"note\":\"two\\nlines\"}\n\
                {\"id\":\"\",\"name\":\"\",\"note\":\"7\"}\n";
    check(PEOPLE, layout(Form::Jsonl), want);
    let chosen = Layout { chosen: Some(vec![2, 0]), renamed: vec![(2, b"n".to_vec())], ..layout(Form::Json) };
    let want = "[\n{\"n\":\"a|b\",\"id\":\"1\"},\n{\"n\":\"two\\nlines\",\"id\":\"02\"},\n{\"n\":\"7\",\"id\":\"\"}\n]\n";
    check(PEOPLE, chosen, want);
    check("a\n", layout(Form::Json), "[\n]\n");
    check("a\n", layout(Form::Jsonl), "");
    check(
        "a\n\"\u{1}\u{8}\u{c}\u{1f}\u{7f}\t\\/\"\n",
        layout(Form::Jsonl),
        "{\"a\":\"\\u0001\\b\\f\\u001f\u{7f}\\t\\\\/\"}\n",
    );
}

#[test]
fn json_has_types_where_they_are_wanted() {
    let typed = |form| Layout { infer: Infer::Types, ..layout(form) };
    check(
        "a,b\n1,\n-2.50e1,true\n",
        typed(Form::Jsonl),
        "{\"a\":1,\"b\":null}\n{\"a\":-2.50e1,\"b\":true}\n",
    );
    check(
        "a,b\n01,\"1\"\n\"\",\"true\"\n",
        typed(Form::Json),
        "[\n{\"a\":\"01\",\"b\":\"1\"},\n{\"a\":\"\",\"b\":\"true\"}\n]\n",
    );
    check(
        "a,b\n1e999\n\"x\",2,,z\n",
        typed(Form::Jsonl),
        "{\"a\":1e999,\"b\":null}\n{\"a\":\"x\",\"b\":2,\"$3\":null,\"$4\":\"z\"}\n",
    );
}

#[test]
fn json_keys_are_unique() {
    check(
        "a,a,a_2,a\n1,2,3,4\n",
        layout(Form::Jsonl),
        "{\"a\":\"1\",\"a_3\":\"2\",\"a_2\":\"3\",\"a_4\":\"4\"}\n",
    );
    check("$3,\"\"\"\"\n1,2,3\n", layout(Form::Jsonl), "{\"$3\":\"1\",\"\\\"\":\"2\",\"$3_2\":\"3\"}\n");
    // As many as would take minutes if each tried all numbers before its own.
    let many = "a,".repeat(150_000);
    let row = "1,".repeat(150_000);
    let written = self::written(format!("{many}b\n{row}2\n").as_bytes(), layout(Form::Jsonl));
    assert!(written.ends_with(b",\"a_150000\":\"1\",\"b\":\"2\"}\n"));
    let twice = Layout { chosen: Some(vec![0, 0]), ..layout(Form::Jsonl) };
    check("a,b\n1,2\n", twice, "{\"a\":\"1\",\"a_2\":\"1\"}\n");
}

#[test]
fn json_is_utf8_whatever_the_rows_are() {
    let check = |text: &[u8], want: &str| {
        assert_eq!(String::from_utf8(written(text, layout(Form::Jsonl))).unwrap(), want);
    };
    check(b"\xff,b\n\xc3,\x28\xa9\n", "{\"\u{fffd}\":\"\u{fffd}\",\"b\":\"(\u{fffd}\"}\n");
    check(b"a\n\"\"\"\xe2\x82\"\n", "{\"a\":\"\\\"\u{fffd}\"}\n");
}

#[test]
fn markdown_has_a_line_for_each_row() {
    check(
        PEOPLE,
        layout(Form::Markdown),
        "| id | name | note |\n| --- | --- | --- |\n| 1 | Doe, \"J\" | a\\|b |\n\
         | 02 | Ü | two<br>lines |\n|  |  | 7 |\n",
    );
    check(
        "a\x1b[2J\n\u{9b}1m\u{202e}ü\n",
        layout(Form::Markdown),
        "| a\\u{1b}[2J |\n| --- |\n| \\u{9b}1m\\u{202e}ü |\n",
    );
    check(
        "a\n\"\\|\\x\\\\\r\n\r\"\n1,2\n",
        layout(Form::Markdown),
        "| a |\n| --- |\n| \\\\\\|\\x\\\\\\<br><br> |\n| 1 | 2 |\n",
    );
}

#[test]
fn tables_are_aligned() {
    check(
        PEOPLE,
        layout(Form::Table),
        "id  name      note\n1   Doe, \"J\"  a|b\n02  Ü         two\\nlines\n              7\n",
    );
    check(
        "size,name,\n1.5,日本,\n-20,\"\u{1b}[1m\t\"\n,é\n1,2,3,4\n",
        layout(Form::Table),
        "size  name\n 1.5  日本\n -20  \\u{1b}[1m\\t\n      é\n   1  2            3  4\n",
    );
}

#[test]
fn columns_without_names_are_numbered() {
    let block = Block::of(b"1,x\n2,y\n", comma());
    let check = |form, want: &str| {
        let layout = Layout { width: 2, renamed: vec![(1, b"n".to_vec())], ..layout(form) };
        assert_eq!(String::from_utf8(rows_of(&block, &[0, 1], layout, None)).unwrap(), want);
    };
    check(Form::Csv, "1,x\n2,y\n");
    check(Form::Tsv, "1\tx\n2\ty\n");
    check(Form::Jsonl, "{\"$1\":\"1\",\"n\":\"x\"}\n{\"$1\":\"2\",\"n\":\"y\"}\n");
    check(Form::Markdown, "| $1 | n |\n| --- | --- |\n| 1 | x |\n| 2 | y |\n");
    check(Form::Table, "1  x\n2  y\n");
}

#[test]
fn names_make_a_header_where_none_came_in() {
    let block = Block::of(b"1,x\n", comma());
    let check = |chosen: Option<Vec<usize>>, want: &str| {
        let names = Some(vec![b"a,b".to_vec(), b"#".to_vec()]);
        let layout = Layout { width: 2, names, chosen, ..layout(None) };
        assert_eq!(String::from_utf8(rows_of(&block, &[0], layout, None)).unwrap(), want);
    };
    check(None, "\"a,b\",#\n1,x\n");
    check(Some(vec![1]), "\"#\"\nx\n");
}

#[test]
fn a_row_is_the_same_whichever_were_kept_before_it() {
    let row = |at: usize| format!("{at},\"{}\",{}\n", "x".repeat(at % 150), ["", ",", ",,,,,,,,,,"][at % 3]);
    let text: String = (0..2500).map(row).collect();
    let block = Block::of(text.as_bytes(), comma());
    let layout = Layout { width: 3, ..layout(Form::Jsonl) };
    let one = |row: u32| rows_of(&block, &[row], layout.clone(), None);
    let each: Vec<Vec<u8>> = (0..2500).map(one).collect();
    for step in [1, 2, 3, 7, 600] {
        let emit = Emit::new(layout.clone());
        let kept: Vec<u32> = (0..2500).step_by(step).collect();
        let mut together = Vec::new();
        emit.rows(&block, &kept, &mut together);
        let apart: Vec<u8> = each.iter().step_by(step).flatten().copied().collect();
        assert!(together == apart, "every {step}. row");
    }
}

#[test]
fn workers_can_share_it() {
    fn check<T: Send + Sync>(_: &T) {}
    check(&Emit::new(layout(None)));
}
