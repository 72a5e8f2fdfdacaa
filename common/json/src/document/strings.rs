//! Strings, and arrays of strings, for a caller that knows what its document holds.
//!
//! What is something else is an error and never taken for nothing. No error shows a string: it may be
//! a secret.

use std::ops::Range;

use common::{Error, Result};

use super::{Document, Path, Token, complaint};
use crate::find::Value;
use crate::members::parts;
use crate::scan::{Kind, Scanner};
use crate::string;

impl Document {
    /// The string at `path`; `None` where there is nothing.
    ///
    /// # Errors
    /// When something else is there, or half a surrogate pair in it; when the document is no JSON or
    /// cannot be read.
    pub fn string(&mut self, path: &Path) -> Result<Option<String>> {
        let Some((path, value)) = self.value(path)? else { return Ok(None) };
        self.expect(&path, &value, Kind::String)?;
        self.decoded(&path, value.span).map(Some)
    }

    /// The strings that the array at `path` holds, in their order; `None` where there is nothing.
    ///
    /// # Errors
    /// When something else is there or among them; and as [`Document::string`].
    pub fn strings(&mut self, path: &Path) -> Result<Option<Vec<String>>> {
        let Some((path, value)) = self.value(path)? else { return Ok(None) };
        self.expect(&path, &value, Kind::Array)?;
        let mut scanner = Scanner::new(&self.text, self.syntax, value.span.start);
        let parts = parts(&mut scanner).map_err(|fault| self.complain(fault))?;
        let mut strings = Vec::with_capacity(parts.len());
        for (index, part) in parts.into_iter().enumerate() {
            let path = path.child(Token::Index(index));
            let value = Value { kind: part.kind, span: part.span };
            self.expect(&path, &value, Kind::String)?;
            strings.push(self.decoded(&path, value.span)?);
        }
        Ok(Some(strings))
    }

    /// Makes `text` the string at `path`, as [`Document::set`] does.
    ///
    /// # Errors
    /// As [`Document::set`]; the document is then as it was.
    pub fn set_string(&mut self, path: &Path, text: &str) -> Result<()> {
        self.set(path, &string::encode(text))
    }

    /// Adds `text` behind the strings of the array at `path`, which is made where there is none; false
    /// where it is among them.
    ///
    /// # Errors
    /// As [`Document::strings`] and [`Document::set`]; the document is then as it was.
    pub fn push_string(&mut self, path: &Path, text: &str) -> Result<bool> {
        if self.strings(path)?.is_some_and(|strings| strings.iter().any(|string| string == text)) {
            return Ok(false);
        }
        self.set_string(&path.child(Token::End), text)?;
        Ok(true)
    }

    /// Removes `text`, however it is spelled and as often as it is there, from the strings of the array
    /// at `path`, which stays when it is empty; false where it is not among them.
    ///
    /// # Errors
    /// As [`Document::strings`]; the document is then as it was.
    pub fn remove_string(&mut self, path: &Path, text: &str) -> Result<bool> {
        let strings = self.strings(path)?.unwrap_or_default();
        let mut is_removed = false;
        // From the end, so that no place changes before its turn.
        for index in (0..strings.len()).rev().filter(|index| strings[*index] == text) {
            is_removed |= self.remove(&path.child(Token::Index(index)))?;
        }
        Ok(is_removed)
    }

    fn value(&mut self, path: &Path) -> Result<Option<(Path, Value)>> {
        let (path, route) = self.route(path)?;
        let value = route.value(path.tokens().len()).cloned();
        Ok(value.map(|value| (path, value)))
    }

    fn expect(&self, path: &Path, value: &Value, wanted: Kind) -> Result<()> {
        if value.kind == wanted {
            return Ok(());
        }
        let why = format!("`{path}` is of type {}, not {}", value.kind.name(), wanted.name());
        Err(self.unfit(value.span.start, &why))
    }

    /// The text that the string of these bytes spells.
    fn decoded(&self, path: &Path, span: Range<u64>) -> Result<String> {
        let begin = span.start;
        let raw = self.text.read(span)?;
        let text = raw.get(1..raw.len().saturating_sub(1)).and_then(string::decode);
        text.and_then(|text| String::from_utf8(text).ok())
            .ok_or_else(|| self.unfit(begin, &format!("`{path}` holds half a surrogate pair")))
    }

    /// `cannot use FILE:LINE:COLUMN: WHY`.
    fn unfit(&self, offset: u64, why: &str) -> Error {
        let name = self.name.display();
        complaint::place_of(offset, &self.text).map_or_else(
            |error| error,
            |(line, column, _)| Error::failed(format!("cannot use {name}:{line}:{column}: {why}")),
        )
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path as FilePath;

    use proptest::prelude::*;

    use super::*;
    use crate::{Syntax, Text};

    /// What is returned, or the sentence.
    type Told<T> = std::result::Result<T, &'static str>;

    fn document(text: &str) -> Document {
        Document::new(Text::new(text.into()), Syntax::Comments, FilePath::new("app.json")).discreet()
    }

    fn path(text: &str) -> Path {
        Path::parse(text).unwrap()
    }

    fn text_of(document: &Document) -> String {
        String::from_utf8(document.text().all().unwrap()).unwrap()
    }

    /// What `edit` returns and makes of `before`; where it fails, nothing has changed.
    #[track_caller]
    fn check<T: PartialEq + std::fmt::Debug>(
        before: &str,
        edit: impl Fn(&mut Document) -> Result<T>,
        want: (Told<T>, &str),
    ) {
        let mut edited = document(before);
        let result = edit(&mut edited);
        assert!(result.as_ref().err().is_none_or(|error| error.excerpt().is_empty()));
        let sentence = result.map_err(|error| error.to_string());
        assert_eq!(sentence, want.0.map_err(str::to_owned), "{before}");
        assert_eq!(text_of(&edited), want.1, "{before}");
    }

    #[track_caller]
    fn read(text: &str, at: &str, want: Told<Option<&str>>) {
        let want = want.map(|found| found.map(str::to_owned));
        check(text, |document| document.string(&path(at)), (want, text));
    }

    #[track_caller]
    fn read_all(text: &str, at: &str, want: Told<Option<&[&str]>>) {
        let want = want.map(|found| found.map(|found| found.iter().map(|one| (*one).to_owned()).collect()));
        check(text, |document| document.strings(&path(at)), (want, text));
    }

    #[test]
    fn a_string_is_read_or_something_else_is_told() {
        read("{\"a\": {\"b\": \"caf\\u00e9\\n\"}}", "a.b", Ok(Some("café\n")));
        read("{\"a\": \"x\"}", "b", Ok(None));
        read("{\"a\": \"x\"}", "a.b", Ok(None));
        read("[\"x\", \"y\"]", "/1", Ok(Some("y")));
        read("[\"x\", \"y\"]", "[-2]", Ok(Some("x")));
        read("{\n  \"a\": 7}", "a", Err("cannot use app.json:2:8: `a` is of type number, not string"));
        read("{\"a\": null}", "/a", Err("cannot use app.json:1:7: `a` is of type null, not string"));
        read(
            "{\"a\": \"hunter2\\ud800\"}",
            "a",
            Err("cannot use app.json:1:7: `a` holds half a surrogate pair"),
        );
        read("{\"a\": hunter2}", "a", Err("app.json:1:7 is no JSON: a value is expected"));
        read("", "a", Err("app.json is empty; at least {} or 0 is expected"));
    }

    #[test]
    fn an_array_holds_strings_only() {
        read_all("{\"a\": [\"x\", /* old */ \"\\u0079\",]}", "a", Ok(Some(&["x", "y"])));
        read_all("{\"a\": []}", "a", Ok(Some(&[])));
        read_all("{\"a\": []}", "b", Ok(None));
        read_all("\"x\"", "", Err("cannot use app.json:1:1: `.` is of type string, not array"));
        let mixed = "{\"a\": [\"hunter2\",\n [\"x\"]]}";
        read_all(mixed, "a", Err("cannot use app.json:2:2: `a[1]` is of type array, not string"));
    }

    #[test]
    fn a_string_is_set() {
        let set = |before: &str, at: &str, want: Told<()>, after: &str| {
            check(before, |document| document.set_string(&path(at), "a\"b"), (want, after));
        };
        set("{ \"k\" : \"old\" } // x", "k", Ok(()), "{ \"k\" : \"a\\\"b\" } // x");
        set("{\"k\": \"\\u0061\\u0022b\"}", "k", Ok(()), "{\"k\": \"\\u0061\\u0022b\"}");
        set(
            "{\n  \"k\": 1\n}\n",
            "previous.key",
            Ok(()),
            "{\n  \"k\": 1,\n  \"previous\": {\n    \"key\": \"a\\\"b\"\n  }\n}\n",
        );
        let why = "cannot set `k.x` in app.json: `k` is a string, not an object";
        set("{\"k\": \"hunter2\"}", "k.x", Err(why), "{\"k\": \"hunter2\"}");
    }

    #[test]
    fn a_string_is_pushed_once() {
        let push = |before: &str, want: Told<bool>, after: &str| {
            check(before, |document| document.push_string(&path("k"), "new"), (want, after));
        };
        push("{\"k\": [\"old\"]}", Ok(true), "{\"k\": [\"old\", \"new\"]}");
        push("{\"k\": [\n  \"old\" // 1\n]}", Ok(true), "{\"k\": [\n  \"old\", // 1\n  \"new\"\n]}");
        push("{\"k\": []}", Ok(true), "{\"k\": [\"new\"]}");
        push("{\"b\":1}", Ok(true), "{\"b\":1,\"k\":[\"new\"]}");
        push("{\"k\": [\"n\\u0065w\"]}", Ok(false), "{\"k\": [\"n\\u0065w\"]}");
        let why = "cannot use app.json:1:7: `k` is of type string, not array";
        push("{\"k\": \"old\"}", Err(why), "{\"k\": \"old\"}");
        let why = "cannot use app.json:1:8: `k[0]` is of type number, not string";
        push("{\"k\": [7]}", Err(why), "{\"k\": [7]}");
    }

    #[test]
    fn a_string_is_removed_wherever_it_stands() {
        let remove = |before: &str, want: Told<bool>, after: &str| {
            check(before, |document| document.remove_string(&path("k"), "old"), (want, after));
        };
        remove("{\"k\": [\"old\", \"new\"]}", Ok(true), "{\"k\": [\"new\"]}");
        remove("{\"k\": [\"\\u006fld\", \"new\", \"old\"]}", Ok(true), "{\"k\": [\"new\"]}");
        remove("{\"k\": [\n  \"a\", // 1\n  \"old\"\n]}", Ok(true), "{\"k\": [\n  \"a\" // 1\n]}");
        remove("{\"k\": [\"old\"]}", Ok(true), "{\"k\": []}");
        remove("{\"k\": [\"older\"]}", Ok(false), "{\"k\": [\"older\"]}");
        remove("{}", Ok(false), "{}");
        let why = "cannot use app.json:1:15: `k[1]` is of type boolean, not string";
        remove("{\"k\": [\"old\", true]}", Err(why), "{\"k\": [\"old\", true]}");
    }

    proptest! {
        #[test]
        fn what_is_written_is_read(one in any::<String>(), other in any::<String>(), key in any::<String>()) {
            let mut edited = document("{\n  \"a\": 1 // one\n}\n");
            let key = Path::pointer(&[key]);
            edited.set_string(&key, &one).unwrap();
            prop_assert_eq!(edited.string(&key).unwrap(), Some(one.clone()));
            edited.remove(&key).unwrap();
            prop_assert!(edited.push_string(&key, &one).unwrap());
            let before = text_of(&edited);
            prop_assert_eq!(edited.push_string(&key, &other).unwrap(), one != other);
            prop_assert_eq!(edited.remove_string(&key, &other).unwrap(), true);
            if one != other {
                prop_assert_eq!(edited.strings(&key).unwrap(), Some(vec![one]));
                prop_assert_eq!(text_of(&edited), before);
            }
        }
    }
}
