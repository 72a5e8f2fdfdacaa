//! All forms against other readers, on generated tables.

use proptest::prelude::*;
use serde_json::{Map, Value};

use super::*;

/// Texts that are mostly made of what has a meaning.
fn text() -> impl Strategy<Value = Vec<u8>> {
    let byte = prop_oneof![
        6 => prop::sample::select(&b"\",;'\t\r\n\\|# a"[..]),
        2 => prop::sample::select(&b"0123456789.-+eE"[..]),
        1 => any::<u8>(),
    ];
    let short = prop::collection::vec(byte, 0..40);
    let typed = prop::sample::select(vec!["true", "false", "null", "12", "-0.5e+3", "007", "\u{e9}\u{65e5}"]);
    prop_oneof![8 => short, 1 => typed.prop_map(|text| text.as_bytes().to_vec()), 1 => "[a-z]{30,70}".prop_map(String::into_bytes)]
}

fn dialect() -> impl Strategy<Value = Dialect> {
    let quoted = |delimiter, quote| Dialect { quote, ..Dialect::delimited(delimiter) };
    prop::sample::select(vec![
        comma(),
        Dialect::tsv(),
        quoted(b';', Some(b'"')),
        quoted(b',', Some(b'\'')),
        quoted(b'|', None),
        quoted(b'\t', Some(b'"')),
        quoted(b' ', Some(b'"')),
    ])
}

/// A text, with rows of three fields more often than chance has it.
fn table() -> impl Strategy<Value = (Vec<u8>, Dialect)> {
    let fields = prop::collection::vec(prop::collection::vec(text(), 3), 1..6);
    let anything = text().prop_map(|text| [b"x\n", text.as_slice()].concat());
    (dialect(), fields, anything, any::<bool>()).prop_map(|(dialect, rows, anything, is_table)| {
        let mut written = Vec::new();
        for row in rows {
            let fields: Vec<_> = row.iter().map(|value| Picked::new(dialect).quotable(value)).collect();
            Picked::new(dialect).fields(&fields, b"\n", &mut written);
        }
        (if is_table { written } else { anything }, dialect)
    })
}

/// What the rows of a block mean, without blank ones.
fn rows(block: &Block) -> Vec<u32> {
    (0..block.rows()).filter(|row| !block.is_blank(*row)).map(|row| u32::try_from(row).unwrap()).collect()
}

fn values(block: &Block, row: u32) -> Vec<Vec<u8>> {
    block.fields(row as usize).map(|raw| block.dialect.value(raw).into_owned()).collect()
}

fn body(block: &Block, rows: &[u32], layout: &Layout) -> Vec<u8> {
    let width = 3;
    rows_of(block, rows, Layout { width, input: block.dialect, ..layout.clone() }, None)
}

/// What becomes of a field, the plain way.
fn json(block: &Block, raw: Option<&[u8]>, infer: Infer) -> Value {
    let raw = raw.unwrap_or_default();
    let string = || Value::String(String::from_utf8_lossy(&block.dialect.value(raw)).into_owned());
    match (infer, serde_json::from_slice::<Value>(raw)) {
        (Infer::Types, _) if raw.is_empty() => Value::Null,
        (Infer::Types, Ok(value @ (Value::Bool(_) | Value::Number(_)))) if raw.trim_ascii() == raw => value,
        _ => string(),
    }
}

fn object(block: &Block, row: u32, infer: Infer) -> Value {
    let fields: Vec<&[u8]> = block.fields(row as usize).collect();
    let column =
        |column: usize| (format!("${}", column + 1), json(block, fields.get(column).copied(), infer));
    Value::Object((0..fields.len().max(3)).map(column).collect::<Map<_, _>>())
}

proptest! {
    #[test]
    fn csv_that_is_written_anew_is_read_by_the_csv_crate((text, dialect) in table(), keep_quotes: bool) {
        let block = Block::of(&text, dialect);
        let rows = rows(&block);
        let layout = Layout { delimiter: Some(b';'), normalize: true, keep_quotes, ..layout(Form::Csv) };
        let written = body(&block, &rows, &layout);
        let mut reader = csv::ReaderBuilder::new().delimiter(b';').flexible(true).has_headers(false).from_reader(&*written);
        let found: Vec<csv::ByteRecord> = reader.byte_records().map(Result::unwrap).collect();
        let want: Vec<_> = rows.iter().map(|row| csv::ByteRecord::from(values(&block, *row))).collect();
        prop_assert_eq!(found, want, "{:?}", String::from_utf8_lossy(&written));
    }

    #[test]
    fn tsv_is_read_back((text, dialect) in table()) {
        let block = Block::of(&text, dialect);
        let rows = rows(&block);
        let written = body(&block, &rows, &Layout { normalize: true, ..layout(Form::Tsv) });
        let back = Block::of(&written, Dialect::tsv());
        prop_assert_eq!(back.rows(), rows.len());
        for (row, at) in rows.iter().zip(0..) {
            prop_assert_eq!(values(&back, at), values(&block, *row));
        }
    }

    #[test]
    fn chosen_fields_mean_what_they_meant((text, dialect) in table(), chosen in prop::collection::vec(0_usize..4, 1..4)) {
        let block = Block::of(&text, dialect);
        let rows = rows(&block);
        let wanted = |row: &u32| {
            let values = values(&block, *row);
            chosen.iter().map(|column| values.get(*column).cloned().unwrap_or_default()).collect::<Vec<_>>()
        };
        let written = body(&block, &rows, &Layout { chosen: Some(chosen.clone()), ..layout(None) });
        let back = Block::of(&written, dialect);
        let found: Vec<_> = self::rows(&back).into_iter().map(|row| values(&back, row)).collect();
        let want: Vec<_> = rows.iter().map(wanted).collect();
        // Without quotes nothing keeps the end of a row, and what is empty, from being taken for less.
        if dialect.quote.is_some() {
            prop_assert_eq!(found, want, "{:?}", String::from_utf8_lossy(&written));
        } else if chosen.len() > 1 && !text.contains(&b'\r') {
            prop_assert_eq!(found, want, "{:?}", String::from_utf8_lossy(&written));
        }
    }

    #[test]
    fn json_lines_are_what_serde_json_makes_of_them((text, dialect) in table(), typed: bool) {
        let infer = if typed { Infer::Types } else { Infer::Strings };
        let block = Block::of(&text, dialect);
        let rows = rows(&block);
        let written = body(&block, &rows, &Layout { infer, ..layout(Form::Jsonl) });
        let lines = written.split_inclusive(|byte| *byte == b'\n');
        let found: Vec<Value> = lines.map(|line| serde_json::from_slice(line).unwrap()).collect();
        let want: Vec<Value> = rows.iter().map(|row| object(&block, *row, infer)).collect();
        prop_assert_eq!(found, want, "{:?}", String::from_utf8_lossy(&written));
        let array = body(&block, &rows, &Layout { infer, ..layout(Form::Json) });
        let found: Vec<Value> = serde_json::from_slice(&array).unwrap();
        prop_assert_eq!(found.len(), rows.len());
    }

    #[test]
    fn strings_are_spelled_as_serde_json_spells_them((text, dialect) in table()) {
        let block = Block::of(&text, dialect);
        for row in rows(&block) {
            let written = body(&block, &[row], &layout(Form::Jsonl));
            let want = serde_json::to_string(&object(&block, row, Infer::Strings)).unwrap() + "\n";
            // Its map is sorted by the key, as ours are by the column, up to `$9`.
            if values(&block, row).len() < 10 {
                prop_assert_eq!(String::from_utf8(written).unwrap(), want);
            }
        }
    }

    #[test]
    fn a_row_is_a_line_of_a_table((text, dialect) in table(), is_markdown: bool) {
        let block = Block::of(&text, dialect);
        let rows = rows(&block);
        let form = if is_markdown { Form::Markdown } else { Form::Table };
        let written = body(&block, &rows, &layout(form));
        let lines = written.split_inclusive(|byte| *byte == b'\n').count();
        prop_assert_eq!(lines, rows.len() + if is_markdown { 2 } else { 0 });
    }
}
