//! Which delimiter a table has, told by its first row.

use crate::block::without_line_end;
use crate::dialect::Dialect;
use crate::scan::State;

/// What is tried; of two that occur alike the first is taken.
const CANDIDATES: [u8; 4] = [b',', b'\t', b';', b'|'];

/// So many bytes are looked at, however much there is: by the rules of a delimiter that is not the
/// one, a quote may never close. No header is as long.
const MOST: usize = 1 << 20;

/// The delimiter of the table that begins with `start`: the one that stands most often between
/// fields in the first row that is no comment and not blank. A comma where there is none, unless that
/// has another meaning.
///
/// One by whose rules all quotes open or close a field goes before one that finds quotes within
/// fields: `id;"a,b,c"` has semicolons.
///
/// `ended` says that there is nothing behind `start`. Where there may be more, and that may change
/// the answer, it is `None`; so it is the same however the input comes in.
#[must_use]
pub fn delimiter(start: &[u8], quote: Option<u8>, comment: Option<u8>, ended: bool) -> Option<u8> {
    let is_all = ended || start.len() >= MOST;
    let start = start.get(..MOST).unwrap_or(start);
    let is_free = |delimiter: &u8| ![quote, comment].contains(&Some(*delimiter));
    let mut found = (First::default(), CANDIDATES.into_iter().find(is_free)?);
    for delimiter in CANDIDATES.into_iter().filter(is_free) {
        let dialect = Dialect { quote, comment, ..Dialect::delimited(delimiter) };
        let (first, is_whole) = first(start, dialect);
        if !is_whole && !is_all {
            return None;
        }
        if first > found.0 && first.delimiters > 0 {
            found = (first, delimiter);
        }
    }
    Some(found.1)
}

/// The first row by the rules of one delimiter; the greater one is more like a row.
#[derive(Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
struct First {
    /// No quote is within a field that is not quoted.
    is_clean: bool,
    delimiters: usize,
}

/// What the first row is by these rules, and whether its end was seen. Where a quote is open at the
/// end of what is known, these are not the rules of the table.
fn first(start: &[u8], dialect: Dialect) -> (First, bool) {
    let (mut state, mut begin) = (State::Row, 0);
    let mut first = First { is_clean: true, delimiters: 0 };
    for (at, &byte) in start.iter().enumerate() {
        let next = state.after(byte, dialect);
        if next == State::Row {
            let row = start.get(begin..=at).unwrap_or_default();
            if state != State::Comment && !without_line_end(row).is_empty() {
                return (first, true);
            }
            begin = at + 1;
        }
        first.is_clean &= state != State::Field || dialect.quote != Some(byte);
        let is_one = byte == dialect.delimiter && state.delimits() && next == State::Fresh;
        first.delimiters += usize::from(is_one);
        state = next;
    }
    (if state == State::Quoted { First::default() } else { first }, false)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn check(start: &str, want: u8) {
        assert_eq!(delimiter(start.as_bytes(), Some(b'"'), Some(b'#'), true), Some(want), "{start:?}");
    }

    #[test]
    fn the_delimiter_that_stands_most_often_is_it() {
        check("a,b,c\n1;2;3;4\n", b',');
        check("a\tb\n", b'\t');
        check("a;b;c,d\r\n", b';');
        check("a|b|c", b'|');
        check("a;b,c", b',');
        check("a|b;c\n", b';');
        check("name\nx;y\n", b',');
        check("", b',');
        check("\n\r\n# a|b|c\n#\nx;y\n", b';');
        check("# only,a comment", b',');
    }

    #[test]
    fn what_is_quoted_delimits_nothing() {
        check("\"a,b,c\";d\n", b';');
        check("\"a\n,,,\";\"b\nc\";d\n", b';');
        check("size|\"a,b,c,d\"\n", b'|');
        check("5\"|6\"|7\",8\"\n", b'|');
        check("\"a;b\",\"c;d;e\"\n", b',');
        // By the rules of a comma, no quote opens here.
        check("a;\"b\n,\";c\n", b';');
        assert_eq!(delimiter(b"'a;b;c',d\n", Some(b'\''), None, true), Some(b','));
        assert_eq!(delimiter(b"'a;b;c',d\n", None, None, true), Some(b';'));
        assert_eq!(delimiter(b"|a;b|,c|d|\n", Some(b'|'), None, true), Some(b','));
    }

    #[test]
    fn what_has_another_meaning_delimits_nothing() {
        assert_eq!(delimiter(b"a,b,c;d\n", Some(b'"'), Some(b','), true), Some(b';'));
        assert_eq!(delimiter(b"a\n", Some(b','), Some(b'\t'), true), Some(b';'));
    }

    #[test]
    fn the_end_of_the_row_is_waited_for_but_not_for_ever() {
        let ask = |start: &[u8]| delimiter(start, Some(b'"'), None, false);
        assert_eq!(ask(b""), None);
        assert_eq!(ask(b"a,b"), None);
        assert_eq!(ask(b"a,b\n"), Some(b','));
        assert_eq!(ask(b"a,\"b\n"), None);
        let mut open = b"a;b;c,\"d\n".to_vec();
        open.resize(MOST - 1, b'x');
        assert_eq!(ask(&open), None);
        open.extend(b"x,;,;,;");
        assert_eq!(ask(&open), Some(b';'));
    }

    proptest! {
        #[test]
        fn an_answer_does_not_change_with_what_follows(text in "([ab,;|\t\"]{0,6}(\n|\r\n|)){0,6}", cut in 0_usize..30) {
            let ask = |start: &[u8], ended| delimiter(start, Some(b'"'), Some(b'a'), ended);
            let whole = text.as_bytes();
            if let Some(early) = ask(&whole[..cut.min(whole.len())], false) {
                prop_assert_eq!(ask(whole, true), Some(early));
            }
        }
    }
}
