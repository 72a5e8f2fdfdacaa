//! The grammar of JSON (RFC 8259), and of JSON with comments and trailing commas.
//!
//! The scanner checks every byte and keeps none: what it meets it names by offsets, so that an edit
//! can be spliced into the text. It has no limit of depth and needs one bit for each level.

mod run;
mod string;

use common::Error;

use crate::text::{Cursor, Text};
use run::{Levels, Place, run};

/// What is allowed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Syntax {
    /// JSON as RFC 8259 has it; a byte order mark in front is skipped.
    Strict,
    /// Also `//` and `/* */` comments, and a comma behind the last member or element.
    Comments,
}

/// What a value is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// `{…}`
    Object,
    /// `[…]`
    Array,
    /// `"…"`
    String,
    /// Whatever its size: no number is too large.
    Number,
    /// `true` or `false`
    Boolean,
    /// `null`
    Null,
}

impl Kind {
    /// Its name in messages, a word in lower case.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Object => "object",
            Self::Array => "array",
            Self::String => "string",
            Self::Number => "number",
            Self::Boolean => "boolean",
            Self::Null => "null",
        }
    }
}

/// Why a text could not be scanned.
#[derive(Debug)]
pub enum Fault {
    /// It is no JSON.
    Syntax {
        /// The byte, counted from 0.
        offset: u64,
        /// A clause for behind `is no JSON: `.
        what: String,
        /// What there is to say of the place itself.
        found: Found,
    },
    /// There is nothing but white space in it.
    Empty,
    /// It could not be read.
    Read(Error),
}

impl Fault {
    fn at(offset: u64, what: &str) -> Self {
        Self::Syntax { offset, what: what.into(), found: Found::Said }
    }
}

impl From<Error> for Fault {
    fn from(error: Error) -> Self {
        Self::Read(error)
    }
}

/// What stands where a text is no JSON.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Found {
    /// The clause says it.
    Said,
    /// A byte that does not belong there.
    Byte(u8),
    /// A comment.
    Comment,
    /// A comma behind the last item.
    LastComma,
}

/// What follows an item of a container.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Next {
    /// Another item, behind the comma at this offset.
    Item { comma: u64 },
    /// The closing bracket at this offset, perhaps behind a comma.
    Close { comma: Option<u64>, at: u64 },
}

/// What scanning returns.
pub type Scanned<T> = Result<T, Fault>;

/// A scanner at some place of a text.
#[derive(Debug)]
pub(crate) struct Scanner<'a> {
    cursor: Cursor<'a>,
    syntax: Syntax,
}

impl<'a> Scanner<'a> {
    /// A scanner at the offset `at`.
    pub(crate) fn new(text: &'a Text, syntax: Syntax, at: u64) -> Self {
        Self { cursor: text.cursor(at), syntax }
    }

    /// The offset of the next byte.
    pub(crate) fn offset(&self) -> u64 {
        self.cursor.offset()
    }

    /// The next byte.
    #[inline]
    pub(crate) fn peek(&mut self) -> Scanned<Option<u8>> {
        Ok(self.cursor.peek()?)
    }

    /// Whether the next byte was `byte`, which is then behind the scanner.
    #[inline]
    pub(crate) fn take(&mut self, byte: u8) -> Scanned<bool> {
        let is_next = self.peek()? == Some(byte);
        if is_next {
            self.cursor.advance();
        }
        Ok(is_next)
    }

    /// Goes to the value of the document.
    pub(crate) fn begin(&mut self) -> Scanned<()> {
        let window = self.cursor.window()?;
        if window.starts_with(b"\xEF\xBB\xBF") {
            self.cursor.advance_by(3);
        } else if window.starts_with(b"\xFF\xFE") || window.starts_with(b"\xFE\xFF") {
            return Err(self.fault("the text is UTF-16; JSON is UTF-8"));
        }
        self.trivia()?;
        if self.peek()?.is_none() { Err(Fault::Empty) } else { Ok(()) }
    }

    /// Makes sure that nothing follows the value of the document.
    pub(crate) fn finish(&mut self) -> Scanned<()> {
        self.trivia()?;
        if self.peek()?.is_some() { Err(self.unexpected("the end of the text")) } else { Ok(()) }
    }

    /// Skips white space, and comments where they are allowed.
    #[inline]
    pub(crate) fn trivia(&mut self) -> Scanned<()> {
        loop {
            match self.peek()? {
                Some(b' ' | b'\n' | b'\t' | b'\r') => self.cursor.advance(),
                Some(b'/') if self.syntax == Syntax::Comments => self.comment()?,
                _ => return Ok(()),
            }
        }
    }

    #[cold]
    fn comment(&mut self) -> Scanned<()> {
        let begin = self.offset();
        self.cursor.advance();
        if self.take(b'/')? {
            // A lone CR ends no line in the editors that made this form.
            while self.peek()?.is_some_and(|byte| byte != b'\n') {
                self.cursor.advance();
            }
            return Ok(());
        }
        if !self.take(b'*')? {
            return Err(self.unexpected("`//` or `/*`"));
        }
        while self.peek()?.is_some() {
            if self.take(b'*')? {
                if self.take(b'/')? {
                    return Ok(());
                }
            } else {
                self.cursor.advance();
            }
        }
        Err(Fault::at(begin, "this comment does not end"))
    }

    /// Skips a value.
    pub(crate) fn value(&mut self) -> Scanned<Kind> {
        let kind = self.kind()?;
        let mut open = Levels::default();
        let mut place = Place::Value;
        loop {
            let (count, reached) = run(self.cursor.window()?, &mut open, place);
            self.cursor.advance_by(count);
            place = match (reached, open.last()) {
                (Place::Value, _) => self.begin_value(&mut open)?,
                (Place::Behind, None) => return Ok(kind),
                (Place::Behind, Some(is_object)) => match self.next(is_object)? {
                    Next::Item { .. } => self.over_key(is_object)?,
                    Next::Close { .. } => {
                        open.pop();
                        Place::Behind
                    }
                },
            };
        }
    }

    /// Goes over a scalar or an empty container, or to the first value in a container.
    fn begin_value(&mut self, open: &mut Levels) -> Scanned<Place> {
        let Some(is_object) = self.open()? else {
            self.scalar()?;
            return Ok(Place::Behind);
        };
        if self.first(is_object)?.is_some() {
            return Ok(Place::Behind);
        }
        open.push(is_object);
        self.over_key(is_object)
    }

    /// Goes over the key that an item of an object begins with.
    fn over_key(&mut self, is_object: bool) -> Scanned<Place> {
        if is_object {
            self.key(None)?;
        }
        Ok(Place::Value)
    }

    /// Goes into the container that begins here: whether it is an object.
    #[inline]
    pub(crate) fn open(&mut self) -> Scanned<Option<bool>> {
        let byte = self.peek()?;
        if !matches!(byte, Some(b'{' | b'[')) {
            return Ok(None);
        }
        self.cursor.advance();
        Ok(Some(byte == Some(b'{')))
    }

    /// Goes to the first item of a container whose bracket is behind; the offset of the closing one
    /// where it has none.
    #[inline]
    pub(crate) fn first(&mut self, is_object: bool) -> Scanned<Option<u64>> {
        self.trivia()?;
        let at = self.offset();
        Ok(self.take(closer(is_object))?.then_some(at))
    }

    /// Goes from behind an item of a container to the next one, or behind the closing bracket.
    #[inline]
    pub(crate) fn next(&mut self, is_object: bool) -> Scanned<Next> {
        self.trivia()?;
        let comma = self.offset();
        if self.take(closer(is_object))? {
            return Ok(Next::Close { comma: None, at: comma });
        }
        if !self.take(b',')? {
            return Err(self.unexpected(if is_object { "`,` or `}`" } else { "`,` or `]`" }));
        }
        self.trivia()?;
        let at = self.offset();
        if self.peek()? != Some(closer(is_object)) {
            return Ok(Next::Item { comma });
        }
        if self.syntax == Syntax::Strict {
            let what = "nothing follows this comma".into();
            return Err(Fault::Syntax { offset: comma, what, found: Found::LastComma });
        }
        self.cursor.advance();
        Ok(Next::Close { comma: Some(comma), at })
    }

    /// Reads a key up to the value behind it; what stands between its quotes goes to `keep`. Returns
    /// the offset behind its last quote.
    #[inline]
    pub(crate) fn key(&mut self, keep: Option<&mut Vec<u8>>) -> Scanned<u64> {
        if self.peek()? != Some(b'"') {
            return Err(self.unexpected("a key in double quotes"));
        }
        self.string(keep)?;
        let end = self.offset();
        self.trivia()?;
        if !self.take(b':')? {
            return Err(self.unexpected("`:`"));
        }
        self.trivia()?;
        Ok(end)
    }

    /// What the next value is, by its first byte.
    pub(crate) fn kind(&mut self) -> Scanned<Kind> {
        Ok(match self.peek()? {
            Some(b'{') => Kind::Object,
            Some(b'[') => Kind::Array,
            Some(b'"') => Kind::String,
            Some(b'-' | b'0'..=b'9') => Kind::Number,
            Some(b't' | b'f') => Kind::Boolean,
            Some(b'n') => Kind::Null,
            _ => return Err(self.unexpected("a value")),
        })
    }

    #[inline]
    fn scalar(&mut self) -> Scanned<()> {
        match self.peek()? {
            Some(b'"') => self.string(None),
            Some(b'-' | b'0'..=b'9') => self.number(),
            Some(b't') => self.word("true"),
            Some(b'f') => self.word("false"),
            Some(b'n') => self.word("null"),
            _ => Err(self.unexpected("a value")),
        }
    }

    fn word(&mut self, word: &str) -> Scanned<()> {
        for byte in word.bytes() {
            if !self.take(byte)? {
                return Err(self.unexpected(&format!("`{word}`")));
            }
        }
        Ok(())
    }

    fn number(&mut self) -> Scanned<()> {
        self.take(b'-')?;
        if !self.take(b'0')? {
            self.digits()?;
        }
        if self.take(b'.')? {
            self.digits()?;
        }
        if self.take(b'e')? || self.take(b'E')? {
            let _signed = self.take(b'+')? || self.take(b'-')?;
            self.digits()?;
        }
        Ok(())
    }

    fn digits(&mut self) -> Scanned<()> {
        if !self.peek()?.is_some_and(|byte| byte.is_ascii_digit()) {
            return Err(self.unexpected("a digit"));
        }
        while self.peek()?.is_some_and(|byte| byte.is_ascii_digit()) {
            self.cursor.advance();
        }
        Ok(())
    }

    /// A fault here.
    pub(crate) fn fault(&self, what: &str) -> Fault {
        Fault::at(self.offset(), what)
    }

    /// A fault here, where `wanted` should be.
    #[cold]
    pub(crate) fn unexpected(&mut self, wanted: &str) -> Fault {
        let found = match self.peek() {
            Err(read) => return read,
            Ok(None) => return self.fault(&format!("{wanted} is expected, the text ends here")),
            Ok(Some(b'/')) if self.syntax == Syntax::Strict => Found::Comment,
            Ok(Some(byte)) => Found::Byte(byte),
        };
        Fault::Syntax { offset: self.offset(), what: format!("{wanted} is expected"), found }
    }
}

#[inline]
fn closer(is_object: bool) -> u8 {
    if is_object { b'}' } else { b']' }
}

#[cfg(test)]
mod tests;
