//! JSON as a tree with lines.
//!
//! serde tells no places. Each level is therefore split into the raw texts of its parts, whose
//! addresses within the whole are their places; an inventory is three or four levels deep.

use std::borrow::Cow;
use std::fmt::{self, Formatter};

use serde::Deserialize;
use serde::de::{MapAccess, Visitor};
use serde_json::Deserializer;
use serde_json::value::RawValue;

use super::node::{DEEPEST, Lines, Node, Value};

/// The tree of `text`, or the line and the sentence of its first fault. Several values, as in JSON
/// Lines, are a list of them.
pub(super) fn read(text: &str) -> Result<Node<'_>, (u64, String)> {
    let reader = Reader { text, lines: Lines::of(text) };
    let mut nodes = Vec::new();
    let values = Deserializer::from_str(text).into_iter::<&RawValue>();
    for value in values {
        let node = match value {
            Ok(raw) => reader.node(raw, 0)?,
            Err(error) => return Err((error.line() as u64, without_place(&error))),
        };
        nodes.push(node);
    }
    if nodes.is_empty() {
        return Err((1, "there is nothing in it".into()));
    }
    if nodes.len() > 1 {
        return Ok(Node { line: nodes[0].line, value: Value::List(nodes) });
    }
    Ok(nodes.remove(0))
}

/// serde ends its sentence with ` at line 3 column 7`.
fn without_place(error: &serde_json::Error) -> String {
    let sentence = error.to_string();
    sentence.rfind(" at line ").map_or(sentence.clone(), |end| sentence[..end].to_owned())
}

struct Reader<'t> {
    text: &'t str,
    lines: Lines,
}

impl<'t> Reader<'t> {
    fn node(&self, raw: &'t RawValue, depth: usize) -> Result<Node<'t>, (u64, String)> {
        let text = raw.get();
        let line = self.lines.line(text.as_ptr().addr() - self.text.as_ptr().addr());
        if depth > DEEPEST {
            return Err((line, format!("nested more than {DEEPEST} deep")));
        }
        let failed = |error: serde_json::Error| (line, without_place(&error));
        let value = match text.as_bytes().first() {
            Some(b'{') => {
                let Fields(fields) = serde_json::from_str(text).map_err(failed)?;
                let entry = |(key, raw)| Ok((key, self.node(raw, depth + 1)?));
                Value::Map(fields.into_iter().map(entry).collect::<Result<_, _>>()?)
            }
            Some(b'[') => {
                let items: Vec<&RawValue> = serde_json::from_str(text).map_err(failed)?;
                Value::List(items.into_iter().map(|raw| self.node(raw, depth + 1)).collect::<Result<_, _>>()?)
            }
            Some(b'"') => Value::Scalar(serde_json::from_str::<Text>(text).map_err(failed)?.0),
            Some(b'n') => Value::Nothing,
            _ => Value::Scalar(Cow::Borrowed(text)),
        };
        Ok(Node { line, value })
    }
}

#[derive(Deserialize)]
struct Text<'t>(#[serde(borrow)] Cow<'t, str>);

struct Fields<'t>(Vec<(Cow<'t, str>, &'t RawValue)>);

impl<'de> Deserialize<'de> for Fields<'de> {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct InOrder;
        impl<'de> Visitor<'de> for InOrder {
            type Value = Fields<'de>;

            fn expecting(&self, f: &mut Formatter) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
                let mut fields = Vec::new();
                while let Some((Text(key), raw)) = map.next_entry()? {
                    fields.push((key, raw));
                }
                Ok(Fields(fields))
            }
        }
        deserializer.deserialize_map(InOrder)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn check_wrong(text: &str, want: (u64, &str)) {
        let (line, what) = read(text).unwrap_err();
        assert_eq!((line, what.as_str()), want, "{text}");
    }

    #[test]
    fn values_have_their_lines() {
        let text = "{\n \"a\": [1,\n null, \"x\\u00e9\"],\n\"b\": true, \"b\": 1e9}";
        let node = read(text).unwrap();
        assert_eq!(node.twice(), [(4, "`b` is already there on line 4; the last one counts".to_owned())]);
        let entries = node.into_entries().unwrap();
        let lines: Vec<u64> = entries.iter().map(|(_, node)| node.line).collect();
        assert_eq!(lines, [2, 4, 4]);
        let Value::List(items) = &entries[0].1.value else { panic!("{entries:?}") };
        let items: Vec<_> = items.iter().map(|node| (node.line, node.scalar())).collect();
        assert_eq!(items, [(2, Some("1")), (3, None), (3, Some("xé"))]);
    }

    #[test]
    fn what_is_no_json_has_a_line_and_a_sentence() {
        check_wrong("{\n\"a\" 1}", (2, "expected `:`"));
        check_wrong("[1,\n", (2, "EOF while parsing a value"));
        check_wrong(&"[".repeat(100_000), (1, "EOF while parsing a list"));
        let deep = "[".repeat(70) + &"]".repeat(70);
        check_wrong(&deep, (1, "nested more than 64 deep"));
    }

    #[test]
    fn several_values_are_a_list() {
        let node = read("{\"name\": \"a\"}\n\n{\"name\":\n\"b\"} \"c\"\n").unwrap();
        let Value::List(items) = node.value else { panic!("{node:?}") };
        assert_eq!(items.iter().map(|node| node.line).collect::<Vec<_>>(), [1, 3, 4]);
        check_wrong("{}\n{\"a\"\n", (3, "EOF while parsing an object"));
        check_wrong("{}\nx\n", (2, "expected value"));
        check_wrong(" \n", (1, "there is nothing in it"));
    }

    proptest! {
        #[test]
        fn no_text_is_a_panic(text in "[\\[\\]{}\",:0-9a-z\\\\ \n]{0,40}") {
            let _ = read(&text);
        }
    }
}
