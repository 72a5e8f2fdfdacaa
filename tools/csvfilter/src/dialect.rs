//! How a text is cut into rows and fields, and what a field means.

use std::borrow::Cow;

use memchr::{memchr, memchr_iter};

/// The bytes with a meaning. A row ends with LF, or with CR LF; a lone CR is data.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Dialect {
    /// What stands between two fields.
    pub delimiter: u8,
    /// What a field begins and ends with that may contain anything; a doubled one in it stands for
    /// one. `None`: no byte has this meaning.
    pub quote: Option<u8>,
    /// A line that begins with it, where a row could begin, is no row.
    pub comment: Option<u8>,
    /// `\t`, `\n`, `\r` and `\\` stand for what cannot be written in a field: in TSV.
    pub escapes: bool,
}

impl Dialect {
    /// RFC 4180 with this delimiter.
    #[must_use]
    pub const fn delimited(delimiter: u8) -> Self {
        Self { delimiter, quote: Some(b'"'), comment: None, escapes: false }
    }

    /// Tab-separated values: no quotes, and escapes for tab and line ends.
    #[must_use]
    pub const fn tsv() -> Self {
        Self { delimiter: b'\t', quote: None, comment: None, escapes: true }
    }

    /// What the field that is written as `raw` means: without its quotes and escapes.
    ///
    /// What follows a closing quote is part of the field, as it stands: `"a"b` means `ab`. A quote
    /// within an unquoted field is a quote.
    #[must_use]
    pub fn value<'r>(&self, raw: &'r [u8]) -> Cow<'r, [u8]> {
        if self.escapes {
            return unescape(raw);
        }
        match (self.quote, raw) {
            (Some(quote), [first, inner @ ..]) if *first == quote => unquote(inner, quote),
            _ => Cow::Borrowed(raw),
        }
    }

    /// Whether the field is written in quotes.
    #[must_use]
    pub fn is_quoted(&self, raw: &[u8]) -> bool {
        self.quote.is_some() && raw.first().copied() == self.quote
    }
}

/// `inner` follows an opening quote.
fn unquote(inner: &[u8], quote: u8) -> Cow<'_, [u8]> {
    let Some(first) = memchr(quote, inner) else { return Cow::Borrowed(inner) };
    let (before, after) = (&inner[..first], &inner[first + 1..]);
    if after.is_empty() {
        return Cow::Borrowed(before);
    }
    let mut value = before.to_vec();
    let mut rest = after;
    while let [first, more @ ..] = rest {
        if *first != quote {
            break;
        }
        value.push(quote);
        let end = memchr(quote, more).unwrap_or(more.len());
        value.extend_from_slice(&more[..end]);
        rest = more.get(end + 1..).unwrap_or_default();
    }
    value.extend_from_slice(rest);
    Cow::Owned(value)
}

fn unescape(raw: &[u8]) -> Cow<'_, [u8]> {
    if memchr(b'\\', raw).is_none() {
        return Cow::Borrowed(raw);
    }
    let mut value = Vec::with_capacity(raw.len());
    let mut from = 0;
    for at in memchr_iter(b'\\', raw) {
        let meant = match raw.get(at + 1) {
            Some(b't') => b'\t',
            Some(b'n') => b'\n',
            Some(b'r') => b'\r',
            Some(b'\\') => b'\\',
            _ => continue,
        };
        if at < from {
            continue;
        }
        value.extend_from_slice(&raw[from..at]);
        value.push(meant);
        from = at + 2;
    }
    value.extend_from_slice(&raw[from..]);
    Cow::Owned(value)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(dialect: Dialect, raw: &str, want: &str) {
        assert_eq!(dialect.value(raw.as_bytes()), want.as_bytes(), "{raw}");
    }

    #[test]
    fn quotes_are_taken_away_as_the_csv_crate_does() {
        let csv = Dialect::delimited(b',');
        check(csv, "plain", "plain");
        check(csv, "", "");
        check(csv, r#""a,b""#, "a,b");
        check(csv, r#""""#, "");
        check(csv, r#""a""b""#, r#"a"b"#);
        check(csv, r#""""""#, r#"""#);
        check(csv, r#"""""""#, r#""""#);
        check(csv, r#""a"b"#, "ab");
        check(csv, r#""a"b"c"#, r#"ab"c"#);
        check(csv, r#"jo"hn"#, r#"jo"hn"#);
        check(csv, r#""never"#, "never");
        check(Dialect { quote: None, ..csv }, r#""a""#, r#""a""#);
        check(Dialect { quote: Some(b'\''), ..csv }, "'it''s'", "it's");
    }

    #[test]
    fn tsv_has_escapes_and_no_quotes() {
        check(Dialect::tsv(), r"a\tb\nc\\d\re", "a\tb\nc\\d\re");
        check(Dialect::tsv(), r"\\n\x\", r"\n\x\");
        check(Dialect::tsv(), r#""a""#, r#""a""#);
    }
}
