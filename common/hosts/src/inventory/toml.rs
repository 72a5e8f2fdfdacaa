//! TOML as a tree with lines.

use std::borrow::Cow;

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::node::{Entries, Lines, Node, Value};

/// The parser needs thirty times the memory of its text: a large text is parsed in pieces of this size.
const PIECE: usize = 256 * 1024;

/// The tree of `text`, or the line and the sentence of its first fault.
pub(super) fn read(text: &str) -> Result<Node<'_>, (u64, String)> {
    let lines = Lines::of(text);
    let entries = match in_pieces(text, &lines) {
        Some(entries) => entries,
        None => parse(text, 0, &lines)?,
    };
    Ok(Node { line: 1, value: Value::Map(entries) })
}

/// The entries of all pieces together. A piece begins with a `[[host]]`, so that it means by itself
/// what it means in its place. Where such a line is not what it seems, within a text of many lines,
/// the piece before it has no end, and cannot be parsed: `None`, and the whole is to be parsed.
fn in_pieces<'t>(text: &'t str, lines: &Lines) -> Option<Entries<'t>> {
    let mut all: Entries = Vec::new();
    let mut start = 0;
    while start < text.len() {
        let end = end_of_piece(text, start);
        for (key, node) in parse(&text[start..end], start, lines).ok()? {
            match (all.iter_mut().find(|(known, _)| *known == key), node.value) {
                (None, value) => all.push((key, Node { value, ..node })),
                (Some((_, Node { value: Value::List(known), .. })), Value::List(more)) => known.extend(more),
                // What one file must not define twice.
                (Some(_), _) => return None,
            }
        }
        start = end;
    }
    Some(all)
}

fn end_of_piece(text: &str, start: usize) -> usize {
    let from = text.len().min(start + PIECE);
    let rest = text.as_bytes().get(from..).unwrap_or_default();
    let at = rest.windows(b"\n[[host]]".len()).position(|window| window == b"\n[[host]]");
    at.map_or(text.len(), |at| from + at + 1)
}

/// The entries of `text`, which begins at the byte `start` of what `lines` are of.
fn parse<'t>(text: &'t str, start: usize, lines: &Lines) -> Result<Entries<'t>, (u64, String)> {
    match DeTable::parse(text) {
        Ok(table) => Ok(entries(table.into_inner(), &At { start, lines })),
        Err(error) => {
            let line = error.span().map_or(0, |span| lines.line(start + span.start));
            Err((line, error.message().replace('\n', ", ")))
        }
    }
}

/// Where a piece stands.
struct At<'l> {
    start: usize,
    lines: &'l Lines,
}

fn entries<'t>(table: DeTable<'t>, at: &At) -> Entries<'t> {
    table.into_iter().map(|(key, value)| (key.into_inner(), node(value, at))).collect()
}

fn node<'t>(value: Spanned<DeValue<'t>>, at: &At) -> Node<'t> {
    let line = at.lines.line(at.start + value.span().start);
    let value = match value.into_inner() {
        DeValue::String(text) => Value::Scalar(text),
        DeValue::Integer(number) => {
            let decimal = i64::from_str_radix(number.as_str(), number.radix());
            let text = decimal.map_or_else(|_| number.as_str().to_owned(), |number| number.to_string());
            Value::Scalar(Cow::Owned(text))
        }
        DeValue::Float(number) => Value::Scalar(Cow::Owned(number.as_str().to_owned())),
        DeValue::Boolean(is_true) => Value::Scalar(Cow::Borrowed(if is_true { "true" } else { "false" })),
        DeValue::Datetime(time) => Value::Scalar(Cow::Owned(time.to_string())),
        DeValue::Array(values) => Value::List(values.into_iter().map(|value| node(value, at)).collect()),
        DeValue::Table(table) => Value::Map(entries(table, at)),
    };
    Node { line, value }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check_lines(text: &str, want: &[(&str, u64)]) {
        let hosts = read(text).unwrap().into_entries().unwrap().remove(0).1;
        let Value::List(hosts) = hosts.value else { panic!("{hosts:?}") };
        let mut found = Vec::new();
        for host in hosts {
            found.push(("host".to_owned(), host.line));
            found.extend(
                host.into_entries().unwrap().into_iter().map(|(key, node)| (key.into_owned(), node.line)),
            );
        }
        let found: Vec<(&str, u64)> = found.iter().map(|(key, line)| (key.as_str(), *line)).collect();
        assert_eq!(found, want);
    }

    #[test]
    fn every_host_and_value_has_its_line() {
        let text = "# x\n[[host]]\nname = 'a'\n\n[[host]]\r\nname = 'b'\ntags.env = 1\n";
        check_lines(text, &[("host", 2), ("name", 3), ("host", 5), ("name", 6), ("tags", 7)]);
    }

    #[test]
    fn what_is_no_toml_has_a_line_and_a_sentence() {
        let (line, what) = read("a = 1\n\nb = \n").unwrap_err();
        assert_eq!(line, 3, "{what}");
        assert!(!what.contains('\n'), "{what}");
    }

    #[test]
    fn a_large_text_is_read_as_a_small_one_is() {
        let host = |index: usize| format!("[[host]]\nname = 'h{index}'\ntags.note = \"\"\"\nx\"\"\"\n");
        let count = 2 * PIECE / host(0).len() + 10;
        let many: String = (0..count).map(host).collect();
        let check = |text: &str, hosts: usize| {
            let whole = Node { line: 1, value: Value::Map(parse(text, 0, &Lines::of(text)).unwrap()) };
            assert!(read(text).unwrap() == whole);
            let first = whole.into_entries().unwrap().into_iter().find(|(key, _)| key == "host").unwrap().1;
            assert!(matches!(first.value, Value::List(nodes) if nodes.len() == hosts));
        };
        check(&format!("[defaults]\nuser = 'ops'\n{many}"), count);
        // Headings that are none: all of them stand in one text.
        check(&format!("[[host]]\nname = '''\n{}'''\n", many.replace('\'', "")), 1);
        assert!(in_pieces(&many, &Lines::of(&many)).is_some());
        let twice = format!("[defaults]\n{many}[defaults]\n");
        assert_eq!(read(&twice).unwrap_err(), (twice.lines().count() as u64, "duplicate key".to_owned()));
    }
}
