//! What Redis answers: RESP, version 2 (redis.io, "Redis serialization protocol specification").
//!
//! Four crates speak it, none of them with what is needed here and little else: they wait for a TLS
//! handshake without end, log in without the name of the user where that one is refused, or bring some
//! thirty packages for the few lines below.

use std::io::{self, BufRead, Read};

/// An answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Reply {
    /// `+OK` and the like.
    Status(String),
    /// An error: a word in capitals, and a sentence.
    Error(String),
    /// A number.
    Number(i64),
    /// Bytes.
    Bytes(Vec<u8>),
    /// Nothing there.
    Nil,
    /// Several.
    List(Vec<Self>),
}

/// A longer line, or more bytes, are none of the answers to what is asked here.
const LONGEST: usize = 16 * 1024 * 1024;

/// So many parts in one answer are the log of refusals at its longest.
const MOST: usize = 1024 * 1024;

/// Answers are lists of lists of values.
const DEEPEST: usize = 8;

impl Reply {
    /// Reads one answer.
    ///
    /// # Errors
    /// When the connection breaks, or what comes is no RESP.
    pub(super) fn read(from: &mut impl BufRead) -> io::Result<Self> {
        Self::below(from, DEEPEST)
    }

    fn below(from: &mut impl BufRead, depth: usize) -> io::Result<Self> {
        let line = line(from)?;
        let (kind, rest) = line.split_at_checked(1).ok_or_else(strange)?;
        match kind {
            "+" => Ok(Self::Status(rest.to_owned())),
            "-" => Ok(Self::Error(rest.to_owned())),
            ":" => rest.parse().map(Self::Number).map_err(|_| strange()),
            "$" => bytes(from, rest),
            "*" if depth > 0 => {
                let Some(count) = count(rest, MOST)? else { return Ok(Self::Nil) };
                (0..count).map(|_| Self::below(from, depth - 1)).collect::<io::Result<_>>().map(Self::List)
            }
            _ => Err(strange()),
        }
    }

    /// The text that it is; bytes that are no UTF-8 are replaced.
    pub(super) fn text(&self) -> Option<String> {
        match self {
            Self::Status(text) => Some(text.clone()),
            Self::Bytes(bytes) => Some(String::from_utf8_lossy(bytes).into_owned()),
            _ => None,
        }
    }

    /// Its parts.
    pub(super) fn parts(&self) -> &[Self] {
        match self {
            Self::List(parts) => parts,
            _ => &[],
        }
    }

    /// What follows `name` in a list of names and values.
    pub(super) fn field(&self, name: &str) -> Option<&Self> {
        let pairs = self.parts().chunks_exact(2);
        pairs.filter(|pair| pair[0].text().as_deref() == Some(name)).map(|pair| &pair[1]).next()
    }
}

/// How `words` are sent; the buffer is as long as it will be, so that no copy of a secret is left behind
/// while it grows.
pub(super) fn request(words: &[&[u8]]) -> Vec<u8> {
    let mut request = Vec::with_capacity(words.iter().map(|word| word.len() + 32).sum::<usize>() + 32);
    request.extend(format!("*{}\r\n", words.len()).bytes());
    for word in words {
        request.extend(format!("${}\r\n", word.len()).bytes());
        request.extend(*word);
        request.extend(b"\r\n");
    }
    request
}

fn strange() -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, "what it answers is not Redis's protocol")
}

fn line(from: &mut impl BufRead) -> io::Result<String> {
    let mut line = Vec::new();
    from.take(LONGEST as u64).read_until(b'\n', &mut line)?;
    if line.is_empty() {
        return Err(io::ErrorKind::UnexpectedEof.into());
    }
    let line = line.strip_suffix(b"\r\n").ok_or_else(strange)?;
    Ok(String::from_utf8_lossy(line).into_owned())
}

/// A length; -1 is that of nothing.
fn count(digits: &str, most: usize) -> io::Result<Option<usize>> {
    if digits == "-1" {
        return Ok(None);
    }
    let count: usize = digits.parse().map_err(|_| strange())?;
    if count > most { Err(strange()) } else { Ok(Some(count)) }
}

fn bytes(from: &mut impl BufRead, length: &str) -> io::Result<Reply> {
    let Some(length) = count(length, LONGEST)? else { return Ok(Reply::Nil) };
    // Not to be taken at its word: memory is for what has come.
    let mut bytes = Vec::new();
    from.take(length as u64 + 2).read_to_end(&mut bytes)?;
    if bytes.len() < length + 2 {
        return Err(io::ErrorKind::UnexpectedEof.into());
    }
    if !bytes.ends_with(b"\r\n") {
        return Err(strange());
    }
    bytes.truncate(length);
    Ok(Reply::Bytes(bytes))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn check(bytes: &[u8], want: &str) {
        let got = match Reply::read(&mut &*bytes) {
            Ok(reply) => format!("{reply:?}"),
            Err(error) => error.kind().to_string(),
        };
        assert_eq!(got, want);
    }

    #[test]
    fn an_answer_is_read_or_refused() {
        check(b"+OK\r\n", "Status(\"OK\")");
        check(b"-WRONGPASS no\r\n", "Error(\"WRONGPASS no\")");
        check(b":-7\r\n", "Number(-7)");
        check(b"$3\r\na\nb\r\n", "Bytes([97, 10, 98])");
        check(b"$-1\r\n", "Nil");
        check(b"*-1\r\n", "Nil");
        check(b"*2\r\n:1\r\n*1\r\n$0\r\n\r\n", "List([Number(1), List([Bytes([])])])");
        for strange in ["", "\r", "OK\r", "%1\r", ":x\r", "$x\r", "$-2\r", "$99999999\r", "*9999999\r", "+OK"]
        {
            check(format!("{strange}\n").as_bytes(), "invalid data");
        }
        check("*1\r\n".repeat(9).as_bytes(), "invalid data");
        check(b"$1\r\nab\r\n", "invalid data");
        for torn in ["", "$3\r\nab", "*2\r\n:1\r\n"] {
            check(torn.as_bytes(), "unexpected end of file");
        }
    }

    #[test]
    fn a_field_is_found_by_its_name() {
        let list = Reply::read(&mut &b"*4\r\n$1\r\na\r\n:1\r\n+b\r\n:2\r\n"[..]).unwrap();
        assert_eq!(list.field("b"), Some(&Reply::Number(2)));
        assert_eq!((list.field("c"), Reply::Nil.field("a")), (None, None));
    }

    proptest! {
        #[test]
        fn a_request_is_a_list_of_bytes(words in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..9), 1..9)) {
            let sent = request(&words.iter().map(Vec::as_slice).collect::<Vec<_>>());
            prop_assert_eq!(Reply::read(&mut &*sent).unwrap(), Reply::List(words.into_iter().map(Reply::Bytes).collect()));
        }

        #[test]
        fn nothing_that_comes_is_a_panic(bytes in prop::collection::vec(prop::sample::select(&b"+-:$*0123\r\nab"[..]), 0..40)) {
            let _either_way = Reply::read(&mut &*bytes);
        }
    }
}
