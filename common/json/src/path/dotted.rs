//! Dotted paths, read from left to right.

use super::{Bad, Path, Token, index_of};
use crate::string;

/// Where a path ends.
#[derive(Clone, Copy, PartialEq)]
pub(super) enum Until {
    /// With the text: `=` is part of a name.
    End,
    /// At the first `=` or `:=` outside quotes.
    Assignment,
}

/// Reads a dotted path; also tells the byte it ends before.
pub(super) fn read(text: &str, until: Until) -> Result<(Path, usize), Bad> {
    let mut reader = Reader { text, at: 0, until };
    let mut tokens = Vec::new();
    let dot = reader.take('.');
    if reader.at_end() && (dot || text.is_empty()) {
        return Ok((Path(tokens), reader.at));
    }
    loop {
        tokens.push(reader.token()?);
        if reader.at_end() {
            return Ok((Path(tokens), reader.at));
        }
        if !reader.take('.') && !reader.rest().starts_with('[') {
            return Err(reader.bad("after a quoted key or a bracket comes `.` or `[`"));
        }
    }
}

/// Where the operator begins whose `=` is at `equals`: one byte earlier when it is `:=`.
pub(super) fn before_colon(text: &str, equals: usize) -> usize {
    text[..equals].strip_suffix(':').map_or(equals, str::len)
}

struct Reader<'t> {
    text: &'t str,
    at: usize,
    until: Until,
}

impl<'t> Reader<'t> {
    fn rest(&self) -> &'t str {
        &self.text[self.at..]
    }

    fn bad(&self, reason: &'static str) -> Bad {
        Bad { at: self.at, reason: reason.into() }
    }

    fn at_end(&self) -> bool {
        let rest = self.rest();
        let operator = || rest.starts_with('=') || rest.starts_with(":=");
        rest.is_empty() || self.until == Until::Assignment && operator()
    }

    fn take(&mut self, wanted: char) -> bool {
        let found = self.rest().starts_with(wanted);
        self.at += usize::from(found) * wanted.len_utf8();
        found
    }

    fn token(&mut self) -> Result<Token, Bad> {
        match self.rest().chars().next() {
            Some('[') => self.bracket(),
            Some('"' | '\'') => Ok(Token::Name(self.quoted()?)),
            _ => Ok(Token::Name(self.bare()?)),
        }
    }

    fn bare(&mut self) -> Result<String, Bad> {
        let rest = self.rest();
        let ends = |letter| matches!(letter, '.' | '[') || letter == '=' && self.until == Until::Assignment;
        let mut end = rest.find(ends).unwrap_or(rest.len());
        if rest[end..].starts_with('=') {
            end = before_colon(rest, end);
        }
        let name = &rest[..end];
        if name.is_empty() {
            return Err(self.bad("the name is empty; write an empty key as \"\""));
        }
        if let Some(at) = name.find(['"', ']']) {
            let reason = "an odd key needs quotes around the whole of it, as in a[\"odd.key\"]".into();
            return Err(Bad { at: self.at + at, reason });
        }
        self.at += end;
        Ok(name.to_owned())
    }

    /// Reads `"odd.key"` with JSON's escapes, or `'odd.key'` as it is.
    fn quoted(&mut self) -> Result<String, Bad> {
        let quote = self.rest().as_bytes()[0];
        let inside = &self.rest()[1..];
        let end = closing(inside, quote).ok_or_else(|| self.bad("this quote is not closed"))?;
        let raw = &inside[..end];
        let name = if quote == b'"' {
            let decoded = string::decode(raw.as_bytes()).and_then(|name| String::from_utf8(name).ok());
            decoded.ok_or_else(|| self.bad("the key has an escape that JSON does not know"))?
        } else {
            raw.to_owned()
        };
        self.at += end + 2;
        Ok(name)
    }

    fn bracket(&mut self) -> Result<Token, Bad> {
        let start = self.at;
        self.at += 1;
        let token = if self.rest().starts_with(['"', '\'']) {
            Token::Name(self.quoted()?)
        } else {
            let end = self.rest().find(']').unwrap_or(self.rest().len());
            let token = element(&self.rest()[..end]).ok_or(Bad {
                at: start,
                reason: "write [0], [-1] for the last, [-] behind it, or [\"key\"]".into(),
            })?;
            self.at += end;
            token
        };
        if self.take(']') {
            return Ok(token);
        }
        Err(Bad { at: start, reason: "this `[` is not closed".into() })
    }
}

/// The element of an array that stands in brackets without quotes.
fn element(inside: &str) -> Option<Token> {
    match inside.strip_prefix('-') {
        Some("") => Some(Token::End),
        Some(digits) => index_of(digits).filter(|back| *back > 0).map(Token::Last),
        None => index_of(inside).map(Token::Index),
    }
}

/// Where the quote is that closes `inside`. Single quotes have no escapes.
fn closing(inside: &str, quote: u8) -> Option<usize> {
    let mut escaped = false;
    inside.bytes().position(|byte| {
        let closes = byte == quote && !escaped;
        escaped = quote == b'"' && byte == b'\\' && !escaped;
        closes
    })
}
