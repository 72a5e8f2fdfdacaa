//! JSON with comments as JSON, for readers that know none: at the same offsets, or without gaps.

use std::borrow::Cow;

/// The same text with spaces in the place of comments, of commas behind a last item, and of a byte
/// order mark: every value keeps its offset. `json` has been scanned.
#[must_use]
pub fn plain(json: &[u8]) -> Cow<'_, [u8]> {
    let has_mark = json.starts_with(b"\xEF\xBB\xBF");
    if !has_mark && !json.contains(&b'/') && !json.contains(&b',') {
        return Cow::Borrowed(json);
    }
    let mut text = json.to_vec();
    if has_mark {
        text[..3].fill(b' ');
    }
    let (mut at, mut comma) = (0, None);
    while let Some(byte) = text.get(at).copied() {
        let length = match byte {
            b'"' => string(&text[at..]),
            b'/' => comment(&text[at..]),
            _ => 1,
        };
        let end = (at + length).min(text.len());
        match byte {
            b'/' => text[at..end].iter_mut().filter(|byte| **byte != b'\n').for_each(|byte| *byte = b' '),
            b',' => comma = Some(at),
            b']' | b'}' => comma.take().into_iter().for_each(|comma| text[comma] = b' '),
            b' ' | b'\t' | b'\r' | b'\n' => {}
            _ => comma = None,
        }
        at = end;
    }
    if text == json { Cow::Borrowed(json) } else { Cow::Owned(text) }
}

/// A value without its comments and trailing commas; a line that held nothing else goes with them.
#[must_use]
pub fn strict(value: &[u8]) -> Vec<u8> {
    let mut text: Vec<u8> = Vec::with_capacity(value.len());
    // Where a comma stands that nothing has followed yet.
    let mut comma = None;
    let mut at = 0;
    while let Some(&byte) = value.get(at) {
        let rest = &value[at..];
        if byte == b'/' {
            at += comment(rest);
            let blanks = text.iter().rev().take_while(|byte| matches!(byte, b' ' | b'\t')).count();
            if !matches!(value.get(at), Some(b'\n' | b'\r')) {
                continue;
            }
            text.truncate(text.len() - blanks);
            if text.ends_with(b"\n") {
                at += if value[at..].starts_with(b"\r\n") { 2 } else { 1 };
            }
            continue;
        }
        if let (b']' | b'}', Some(comma)) = (byte, comma) {
            text.remove(comma);
        }
        if !matches!(byte, b' ' | b'\t' | b'\r' | b'\n') {
            comma = (byte == b',').then_some(text.len());
        }
        let length = if byte == b'"' { string(rest) } else { 1 };
        text.extend_from_slice(&rest[..length]);
        at += length;
    }
    text
}

/// How long the comment is that `text` begins with, without the end of its line.
fn comment(text: &[u8]) -> usize {
    let (end, more): (&[u8], _) = if text.starts_with(b"//") { (b"\n", 0) } else { (b"*/", 2) };
    let found = text.windows(end.len()).skip(2).position(|bytes| bytes == end);
    let length = found.map_or(text.len(), |length| length + 2 + more);
    if more == 0 && text[..length].ends_with(b"\r") { length - 1 } else { length }
}

/// How long the string is that `text` begins with.
fn string(text: &[u8]) -> usize {
    let mut at = 1;
    while let Some(byte) = text.get(at) {
        match byte {
            b'"' => return at + 1,
            b'\\' => at += 2,
            _ => at += 1,
        }
    }
    text.len()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::same::{Numbers, same};

    #[test]
    fn comments_and_last_commas_become_spaces() {
        let check = |text: &str, want: &str| assert_eq!(plain(text.as_bytes()), want.as_bytes());
        check("{\"a\": 1}", "{\"a\": 1}");
        check("[1,2,]", "[1,2 ]");
        check("{\"a,]//\": [1, /* x,] */ 2, // }\n],}", "{\"a,]//\": [1,           2      \n] }");
        check("[\"\\\"//\", 1]", "[\"\\\"//\", 1]");
        check("\u{feff}[] // x", "   []     ");
        check("/* a\n*/[,", "    \n  [,");
    }

    #[test]
    fn a_text_without_them_is_not_copied() {
        assert!(matches!(plain(b"{\"a\": [1, 2]}"), Cow::Borrowed(_)));
    }

    #[test]
    fn comments_and_trailing_commas_are_left_out() {
        let check = |value: &str, want: &str| {
            assert_eq!(String::from_utf8(strict(value.as_bytes())).unwrap(), want, "{value}");
        };
        check("[1, 2]", "[1, 2]");
        check("[1, /* two */ 2,]", "[1,  2]");
        check("[\n  1, // one\n  // two\n  2,\r\n  // end\r\n]", "[\n  1,\n  2\r\n]");
        check(
            "{\"// no\": \"/* no */\", \"a\\\"\": \"//\\\\\" /**/, }",
            "{\"// no\": \"/* no */\", \"a\\\"\": \"//\\\\\"  }",
        );
        check("[[1,],[],{},]", "[[1],[],{}]");
        check("[1,/*\n*/]", "[1]");
        check("[1,//]\n]", "[1\n]");
        check("/**/1", "1");
        check("[/*/ ,] */ 1]", "[ 1]");
    }

    /// JSON with comments in all the places where they may be.
    fn loose() -> impl Strategy<Value = String> {
        let space = || {
            prop_oneof![
                Just(""),
                Just(" "),
                Just("\n  "),
                Just("/* ,] \" */"),
                Just(" // [\n"),
                Just("\t//\r\n")
            ]
        };
        let scalar = prop_oneof![Just("1"), Just("\"//\\\"\""), Just("null"), Just("{}"), Just("[]")];
        scalar.prop_map(str::to_owned).prop_recursive(4, 24, 4, move |inner| {
            let items = proptest::collection::vec((space(), inner, space()), 1..4);
            (items, any::<bool>(), any::<bool>(), space()).prop_map(|(items, is_object, comma, end)| {
                let item = |(before, value, after): &(&str, String, &str)| {
                    let key = if is_object { format!("\"{}\"{after}:", value.len()) } else { String::new() };
                    format!("{before}{key}{before}{value}{after}")
                };
                let items: Vec<String> = items.iter().map(item).collect();
                let inside = items.join(",") + if comma { "," } else { "" } + end;
                if is_object { format!("{{{inside}}}") } else { format!("[{inside}]") }
            })
        })
    }

    proptest! {
        #[test]
        fn what_is_left_is_strict_and_the_same_value(text in loose()) {
            let value = strict(text.as_bytes());
            let shown = String::from_utf8_lossy(&value).into_owned();
            prop_assert!(serde_json::from_slice::<serde::de::IgnoredAny>(&value).is_ok(), "{}", shown);
            prop_assert!(same(&value, text.as_bytes(), Numbers::Spelled), "{}", shown);
        }
    }
}
