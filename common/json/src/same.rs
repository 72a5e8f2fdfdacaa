//! Whether two values are equal.
//!
//! Each value gets a mark of 32 bytes, small ones themselves and large ones a SHA-256 over the marks
//! of what they hold, so that any depth takes one pass and no recursion. Who could make two different
//! values equal could break SHA-256 (248 bits of it are kept).

use sha2::{Digest, Sha256};

use crate::{number, string};

/// When two numbers are one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Numbers {
    /// When they are spelt alike: 1 and 1.0 differ.
    Spelled,
    /// When their values are, exactly: 1 and 1.0 are one (RFC 6902, section 4.6).
    Equal,
}

/// Whether two valid JSON texts, with or without comments and trailing commas, hold the same value.
///
/// Members have no order, and of those with one key the last counts; strings are what they spell.
/// Takes one pass over each text, and memory for their depth and for the members of the objects that
/// are open at one time. Texts that are not valid are the same when their bytes are; otherwise the
/// answer has no meaning.
#[must_use]
pub fn same(one: &[u8], other: &[u8], numbers: Numbers) -> bool {
    one == other || mark(one, numbers).is_some_and(|one| mark(other, numbers) == Some(one))
}

/// What stands for a value: equal values have equal marks.
type Mark = [u8; 32];

/// The most bytes that are their own mark, behind their number and their kind.
const SMALL: usize = 30;

fn mark(text: &[u8], numbers: Numbers) -> Option<Mark> {
    let mut tokens = Tokens { text, at: 0 };
    tokens.byte_order_mark();
    let mut open = Open::default();
    while let Some(token) = tokens.next() {
        match token {
            Token::Array => open.frames.push(Frame::Array(Sha256::new_with_prefix(b"["))),
            Token::Object => {
                open.frames.push(Frame::Object { start: open.members.len(), key: None });
            }
            Token::Close => open.close()?,
            Token::String(raw) => open.put(of_string(raw))?,
            Token::Other(raw) => open.put(of_other(raw, numbers))?,
        }
    }
    open.whole.filter(|_| open.frames.is_empty())
}

/// The arrays and objects that are not closed yet.
#[derive(Default)]
struct Open {
    frames: Vec<Frame>,
    /// The members of all open objects, the innermost at the end.
    members: Vec<(Mark, Mark)>,
    whole: Option<Mark>,
}

enum Frame {
    Array(Sha256),
    Object { start: usize, key: Option<Mark> },
}

impl Open {
    /// Takes a key or a value; `None` where there is room for neither.
    fn put(&mut self, mark: Mark) -> Option<()> {
        match self.frames.last_mut() {
            None if self.whole.is_some() => return None,
            None => self.whole = Some(mark),
            Some(Frame::Array(hash)) => hash.update(mark),
            Some(Frame::Object { key, .. }) => match key.take() {
                Some(key) => self.members.push((key, mark)),
                None => *key = Some(mark),
            },
        }
        Some(())
    }

    fn close(&mut self) -> Option<()> {
        let mark = match self.frames.pop()? {
            Frame::Array(hash) => large(hash),
            Frame::Object { start, .. } => {
                let mark = of_members(&mut self.members[start..]);
                self.members.truncate(start);
                mark
            }
        };
        self.put(mark)
    }
}

fn of_members(members: &mut [(Mark, Mark)]) -> Mark {
    // Stable, so that of one key the last member stays the last.
    members.sort_by_key(|member| member.0);
    let mut hash = Sha256::new_with_prefix(b"{");
    for (place, (key, value)) in members.iter().enumerate() {
        let again = members.get(place + 1).is_some_and(|next| next.0 == *key);
        if !again {
            hash.update(key);
            hash.update(value);
        }
    }
    large(hash)
}

fn of_string(raw: &[u8]) -> Mark {
    if !raw.contains(&b'\\') {
        return of_bytes(b'"', raw);
    }
    match string::decode(raw) {
        Some(text) => of_bytes(b'"', &text),
        None => of_bytes(b'\\', raw),
    }
}

fn of_other(raw: &[u8], numbers: Numbers) -> Mark {
    match numbers {
        Numbers::Equal => of_bytes(b'0', &number::canonical(raw)),
        Numbers::Spelled => of_bytes(b'0', raw),
    }
}

fn of_bytes(kind: u8, bytes: &[u8]) -> Mark {
    let Some(length) = u8::try_from(bytes.len()).ok().filter(|_| bytes.len() <= SMALL) else {
        return large(Sha256::new_with_prefix([kind]).chain_update(bytes));
    };
    let mut mark = [0; 32];
    mark[0] = length;
    mark[1] = kind;
    mark[2..2 + bytes.len()].copy_from_slice(bytes);
    mark
}

/// A mark that no small value has: none has this length.
fn large(hash: Sha256) -> Mark {
    let mut mark: Mark = hash.finalize().into();
    mark[0] = u8::MAX;
    mark
}

/// What a text consists of, but for what a valid one needs no look at: space, comments, `,` and `:`.
struct Tokens<'t> {
    text: &'t [u8],
    at: usize,
}

enum Token<'t> {
    Array,
    Object,
    Close,
    /// What stands between the quotes.
    String(&'t [u8]),
    /// A number, `true`, `false` or `null`.
    Other(&'t [u8]),
}

impl<'t> Tokens<'t> {
    fn byte_order_mark(&mut self) {
        if self.text.starts_with(b"\xef\xbb\xbf") {
            self.at = 3;
        }
    }

    fn next(&mut self) -> Option<Token<'t>> {
        loop {
            let first = *self.text.get(self.at)?;
            self.at += 1;
            return Some(match first {
                b' ' | b'\t' | b'\n' | b'\r' | b',' | b':' => continue,
                b'/' => {
                    self.comment();
                    continue;
                }
                b'[' => Token::Array,
                b'{' => Token::Object,
                b']' | b'}' => Token::Close,
                b'"' => self.string(),
                _ => self.other(),
            });
        }
    }

    /// Takes what `length` says of the rest, or all of it.
    fn take(&mut self, length: impl Fn(&[u8]) -> Option<usize>) -> &'t [u8] {
        let rest = &self.text[self.at..];
        let length = length(rest).unwrap_or(rest.len());
        self.at += length;
        &rest[..length]
    }

    fn comment(&mut self) {
        if self.text.get(self.at) == Some(&b'*') {
            self.at += 1;
            self.take(|rest| rest.windows(2).position(|pair| pair == b"*/").map(|end| end + 2));
        } else {
            self.take(|rest| rest.iter().position(|byte| *byte == b'\n'));
        }
    }

    fn string(&mut self) -> Token<'t> {
        let raw = self.take(|rest| {
            let mut end = 0;
            loop {
                end += rest.get(end..)?.iter().position(|byte| matches!(byte, b'"' | b'\\'))?;
                if rest[end] == b'"' {
                    return Some(end);
                }
                end += 2;
            }
        });
        self.at += 1;
        Token::String(raw)
    }

    fn other(&mut self) -> Token<'t> {
        self.at -= 1;
        Token::Other(self.take(|rest| {
            let ends =
                |byte: &u8| matches!(byte, b' ' | b'\t' | b'\n' | b'\r' | b',' | b':' | b'/' | b']' | b'}');
            rest.iter().position(ends)
        }))
    }
}

#[cfg(test)]
mod tests;
