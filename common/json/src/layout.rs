//! How the text around an edit is laid out, so that what is new looks like it.

use crate::path::Token;
use crate::string;

/// What stands between the parts of something new.
#[derive(Debug, Clone)]
pub(crate) struct Style {
    /// Items stand on lines of their own; else all on one.
    pub(crate) lines: Option<Lines>,
    /// From the end of a key to its value.
    pub(crate) colon: Vec<u8>,
    /// Behind a comma that ends no line.
    pub(crate) space: Vec<u8>,
}

/// The lines of a text.
#[derive(Debug, Clone)]
pub(crate) struct Lines {
    pub(crate) newline: &'static [u8],
    /// In front of an item.
    pub(crate) indent: Vec<u8>,
    /// What a level more adds.
    pub(crate) unit: Vec<u8>,
}

impl Lines {
    /// A line break and the indentation of a line so many levels further in.
    pub(crate) fn begin(&self, levels: usize) -> Vec<u8> {
        [self.newline, &self.indent, &self.unit.repeat(levels)].concat()
    }
}

impl Style {
    /// An item: its key, where it has one, and `value` inside of new containers that `tokens` name.
    pub(crate) fn item(&self, key: Option<&str>, tokens: &[Token], value: &[u8]) -> Vec<u8> {
        let mut text = self.key(key);
        for (level, token) in tokens.iter().enumerate() {
            let name = name_of(token);
            text.push(if name.is_some() { b'{' } else { b'[' });
            text.extend(self.lines.as_ref().map(|lines| lines.begin(level + 1)).unwrap_or_default());
            text.extend(self.key(name));
        }
        text.extend(self.value(value, tokens.len()));
        for (level, token) in tokens.iter().enumerate().rev() {
            text.extend(self.lines.as_ref().map(|lines| lines.begin(level)).unwrap_or_default());
            text.push(if name_of(token).is_some() { b'}' } else { b']' });
        }
        text
    }

    fn key(&self, key: Option<&str>) -> Vec<u8> {
        key.map(|key| [&string::encode(key)[..], &self.colon].concat()).unwrap_or_default()
    }

    /// A value as it is written, its further lines indented to where it stands now.
    pub(crate) fn value(&self, value: &[u8], levels: usize) -> Vec<u8> {
        let Some(lines) = &self.lines else { return value.to_vec() };
        let mut rows = value.split(|byte| *byte == b'\n').map(|row| row.strip_suffix(b"\r").unwrap_or(row));
        let mut text = rows.next().unwrap_or_default().to_vec();
        let rows: Vec<_> = rows.map(split_indent).collect();
        let (outer, unit) = indents(&rows);
        for (indent, row) in rows {
            text.extend_from_slice(lines.newline);
            if row.is_empty() {
                continue;
            }
            let inner = indent.get(outer.len()..).unwrap_or_default();
            let deeper = inner.len().checked_div(unit).unwrap_or(0);
            text.extend_from_slice(&lines.begin(levels + deeper)[lines.newline.len()..]);
            text.extend_from_slice(&inner[deeper * unit..]);
            text.extend_from_slice(row);
        }
        text
    }
}

/// What an object made for this token has as its key; `None` asks for an array.
fn name_of(token: &Token) -> Option<&str> {
    match token {
        Token::Name(name) if name != "-" => Some(name),
        _ => None,
    }
}

fn split_indent(row: &[u8]) -> (&[u8], &[u8]) {
    row.split_at(row.iter().take_while(|byte| matches!(byte, b' ' | b'\t')).count())
}

/// The indentation that all rows have, and how much a level adds to it.
fn indents<'a>(rows: &[(&'a [u8], &'a [u8])]) -> (&'a [u8], usize) {
    let used = || rows.iter().filter(|(_, row)| !row.is_empty()).map(|(indent, _)| *indent);
    let outer = used().min_by_key(|indent| indent.len()).unwrap_or_default();
    let unit = used().map(|indent| indent.len() - outer.len()).filter(|more| *more > 0).min();
    (outer, unit.unwrap_or(0))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn style(lines: Option<(&'static str, &str, &str)>) -> Style {
        let lines = lines.map(|(newline, indent, unit)| Lines {
            newline: newline.as_bytes(),
            indent: indent.into(),
            unit: unit.into(),
        });
        Style { lines, colon: b": ".to_vec(), space: b" ".to_vec() }
    }

    #[test]
    fn new_containers_are_laid_out_like_the_text_around() {
        let name = |name: &str| Token::Name(name.to_owned());
        let check = |lines, tokens: &[Token], want: &str| {
            let text = style(lines).item(Some("a"), tokens, b"1");
            assert_eq!(String::from_utf8(text).unwrap(), want);
        };
        check(None, &[], "\"a\": 1");
        check(None, &[name("b"), Token::End], "\"a\": {\"b\": [1]}");
        check(Some(("\n", "  ", "  ")), &[name("b")], "\"a\": {\n    \"b\": 1\n  }");
        check(Some(("\r\n", "\t", "\t")), &[Token::Index(0)], "\"a\": [\r\n\t\t1\r\n\t]");
    }

    #[test]
    fn a_value_of_several_lines_is_indented_again() {
        let check = |lines, value: &str, want: &str| {
            assert_eq!(String::from_utf8(style(lines).value(value.as_bytes(), 0)).unwrap(), want);
        };
        let four = Some(("\n", "    ", "    "));
        check(four, "{\n  \"a\": [\n    1\n  ]\n}", "{\n        \"a\": [\n            1\n        ]\n    }");
        check(four, "{\r\n\t\"a\": 1\r\n}", "{\n        \"a\": 1\n    }");
        check(four, "[\n\n1]", "[\n\n    1]");
        check(None, "{\n  \"a\": 1\n}", "{\n  \"a\": 1\n}");
        check(Some(("\r\n", "", "\t")), "[\n      1,\n      2\n    ]", "[\r\n\t1,\r\n\t2\r\n]");
    }
}
