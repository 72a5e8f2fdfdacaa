//! What differs between two documents, by field.
//!
//! Objects are compared member by member, all else as one value. Spelling counts, layout does not.

use std::ops::Range;

use common::Result;
use json::{Fault, Members, Numbers, Scanned, Syntax, Text, in_order, members, root, same};

use super::layer::Entry;

/// Objects that lie deeper are compared as one value, which keeps the stack short.
pub(super) const DEEPEST: usize = 64;

/// So much of both is in memory at a time.
const WINDOW: u64 = 1 << 16;

/// Two documents.
#[derive(Debug)]
pub(super) struct Compared<'a> {
    pub(super) before: &'a Text,
    pub(super) after: &'a Text,
    pub(super) syntax: Syntax,
}

/// The bytes of a value.
type Span = Range<u64>;

/// The fields that differ; a document without any value counts as `{}`.
///
/// # Errors
/// When one of the documents is no JSON or cannot be read.
pub(super) fn compare(compared: &Compared) -> Scanned<Vec<Entry>> {
    let nothing = Text::new(b"{}".to_vec());
    let (before, old) = match root(compared.before, compared.syntax) {
        Err(Fault::Empty) => (&nothing, 0..2),
        span => (compared.before, span?),
    };
    let after = root(compared.after, compared.syntax)?;
    let mut walk = Walk { compared: &Compared { before, ..*compared }, path: Vec::new(), found: Vec::new() };
    walk.values(old, after)?;
    Ok(walk.found)
}

struct Walk<'a> {
    compared: &'a Compared<'a>,
    path: Vec<String>,
    found: Vec<Entry>,
}

impl Walk<'_> {
    fn values(&mut self, before: Span, after: Span) -> Scanned<()> {
        let Compared { before: old, after: new, syntax } = *self.compared;
        if same_bytes((old, &before), (new, &after))? {
            return Ok(());
        }
        if self.path.len() < DEEPEST
            && let Some(before) = members(old, syntax, before.start)?
            && let Some(after) = members(new, syntax, after.start)?
        {
            return self.members(&before, &after);
        }
        if same(&old.read(before.clone())?, &new.read(after.clone())?, Numbers::Spelled) {
            return Ok(());
        }
        self.differs(Some(before), Some(after))
    }

    fn members(&mut self, before: &Members, after: &Members) -> Scanned<()> {
        for (key, span) in in_order(before) {
            self.path.push(key.clone());
            match after.get(key) {
                Some(now) => self.values(span.clone(), now.clone())?,
                None => self.differs(Some(span.clone()), None)?,
            }
            self.path.pop();
        }
        for (key, span) in in_order(after).into_iter().filter(|(key, _)| !before.contains_key(*key)) {
            self.path.push(key.clone());
            self.differs(None, Some(span.clone()))?;
            self.path.pop();
        }
        Ok(())
    }

    fn differs(&mut self, before: Option<Span>, after: Option<Span>) -> Scanned<()> {
        let value = |text: &Text, span: Option<Span>| -> Result<Option<String>> {
            let raw = span.map(|span| text.read(span)).transpose()?;
            // The scanner has seen that it is UTF-8.
            Ok(raw.map(|raw| String::from_utf8_lossy(&raw).into_owned()))
        };
        let before = value(self.compared.before, before)?;
        let after = value(self.compared.after, after)?;
        self.found.push(Entry { path: self.path.clone(), before, after });
        Ok(())
    }
}

fn same_bytes(one: (&Text, &Span), other: (&Text, &Span)) -> Result<bool> {
    let length = one.1.end - one.1.start;
    if length != other.1.end - other.1.start {
        return Ok(false);
    }
    let mut at = 0;
    while at < length {
        let end = length.min(at + WINDOW);
        let read = |(text, span): (&Text, &Span)| text.read(span.start + at..span.start + end);
        if read(one)? != read(other)? {
            return Ok(false);
        }
        at = end;
    }
    Ok(true)
}

/// What of `before` is not in `after`, between the bytes that both begin and end with, and how long
/// it is there.
///
/// # Errors
/// When one cannot be read.
pub(super) fn difference(before: &Text, after: &Text) -> Result<(Range<u64>, u64)> {
    let shorter = before.length().min(after.length());
    let begin = alike(shorter, |at, end| {
        let (old, new) = (before.read(at..end)?, after.read(at..end)?);
        Ok(old.iter().zip(&new).take_while(|(old, new)| old == new).count())
    })?;
    let end = alike(shorter - begin, |at, end| {
        let tail = |text: &Text| text.read(text.length() - end..text.length() - at);
        let (old, new) = (tail(before)?, tail(after)?);
        Ok(old.iter().rev().zip(new.iter().rev()).take_while(|(old, new)| old == new).count())
    })?;
    Ok((begin..before.length() - end, after.length() - end - begin))
}

/// How far `count` goes on, which compares a window.
fn alike(most: u64, count: impl Fn(u64, u64) -> Result<usize>) -> Result<u64> {
    let mut at = 0;
    while at < most {
        let end = most.min(at + WINDOW);
        let same = count(at, end)? as u64;
        at += same;
        if at < end {
            break;
        }
    }
    Ok(at)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(before: &str, after: &str, want: &[(&str, Option<&str>, Option<&str>)]) {
        let (before, after) = (Text::new(before.into()), Text::new(after.into()));
        let compared = Compared { before: &before, after: &after, syntax: Syntax::Comments };
        let found = compare(&compared).unwrap();
        let found: Vec<_> = found
            .iter()
            .map(|entry| (entry.path.join("/"), entry.before.as_deref(), entry.after.as_deref()))
            .collect();
        let want: Vec<_> = want.iter().map(|(path, old, new)| ((*path).to_owned(), *old, *new)).collect();
        assert_eq!(found, want);
    }

    #[test]
    fn fields_differ_one_by_one() {
        check("{}", "{}", &[]);
        check("", r#"{"a":1}"#, &[("a", None, Some("1"))]);
        check(
            r#"{"a":1,"b":{"c":2}}"#,
            r#"{"b":{"c":3,"d":4}}"#,
            &[("a", Some("1"), None), ("b/c", Some("2"), Some("3")), ("b/d", None, Some("4"))],
        );
        check(r#"{"a":[1,2]}"#, r#"{"a":[1,3]}"#, &[("a", Some("[1,2]"), Some("[1,3]"))]);
        check("[1]", "{}", &[("", Some("[1]"), Some("{}"))]);
        check(r#"{"z":1,"a":2}"#, "{}", &[("z", Some("1"), None), ("a", Some("2"), None)]);
    }

    #[test]
    fn layout_and_comments_do_not_differ_but_spelling_does() {
        check("{\"a\": {\"b\":1}} // x", "{ \"a\":{ \"b\" : 1 } }", &[]);
        check(r#"{"a":[1, /* 2 */ 3]}"#, r#"{"a":[1,3,]}"#, &[]);
        check(r#"{"a":1.0}"#, r#"{"a":1}"#, &[("a", Some("1.0"), Some("1"))]);
        check(r#"{"a":1,"a":2}"#, r#"{"a":2}"#, &[]);
        check(r#"{"k\u0041":1}"#, r#"{"kA":2}"#, &[("kA", Some("1"), Some("2"))]);
    }

    #[test]
    fn what_no_path_can_name_differs_as_a_whole() {
        let (old, new) = (r#"{"\ud800":1}"#, r#"{"\ud800":2}"#);
        check(&format!(r#"{{"a":{old}}}"#), &format!(r#"{{"a":{new}}}"#), &[("a", Some(old), Some(new))]);
        let deep = |value: &str| format!("{}{value}{}", r#"{"a":"#.repeat(100), "}".repeat(100));
        let (old, new) = (deep("1"), deep("2"));
        let rest = |text: &str| text[64 * 5..text.len() - 64].to_owned();
        check(&old, &new, &[(&["a"; 64].join("/"), Some(&rest(&old)), Some(&rest(&new)))]);
    }

    #[test]
    fn the_difference_is_as_short_as_it_can_be() {
        let check = |before: &[u8], after: &[u8], want: (Range<u64>, u64)| {
            let found = difference(&Text::new(before.into()), &Text::new(after.into())).unwrap();
            assert_eq!(found, want);
        };
        check(b"abc", b"abc", (3..3, 0));
        check(b"abc", b"aXYc", (1..2, 2));
        check(b"aaa", b"aaaa", (3..3, 1));
        check(b"", b"ab", (0..0, 2));
        let long = vec![b'x'; 200_000];
        check(&[&long[..], b"1", &long].concat(), &[&long[..], b"22", &long].concat(), (200_000..200_001, 2));
    }
}
