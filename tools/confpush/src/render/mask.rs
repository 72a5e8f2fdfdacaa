//! Which lines of a file hold a secret.
//!
//! A template may take a secret through any filter, so the file is made once more with other secrets in
//! their places: lines that differ then hold something of a secret. What is equal by chance is found by
//! looking for the secret itself.

use std::collections::BTreeSet;

/// Another text of the same kind as `secret`, and one character longer: a letter for a letter, a digit for
/// a digit, and marks as they are, since a template may split at them.
pub(super) fn disguised(secret: &str) -> String {
    let mut other = String::with_capacity(secret.len() + 4);
    for letter in secret.chars() {
        let next = match letter {
            'z' => 'a',
            'Z' => 'A',
            '9' => '1',
            'a'..='y' | 'A'..='Y' | '0'..='8' => char::from(u8::try_from(letter).unwrap_or(b'w') + 1),
            // Of another alphabet.
            _ if letter.is_alphanumeric() => 'w',
            _ => letter,
        };
        if other.is_empty() {
            other.push(next);
        }
        other.push(next);
    }
    other
}

/// The lines of `bytes`, from 0, that are not in `other`, too. When the two have not the same number of
/// lines, all between the first that differs and the last.
pub(super) fn differing(bytes: &[u8], other: &[u8]) -> BTreeSet<usize> {
    let split = |bytes| <[u8]>::split(bytes, |byte| *byte == b'\n').collect::<Vec<_>>();
    let (ours, theirs) = (split(bytes), split(other));
    let pairs = ours.iter().zip(&theirs);
    if ours.len() == theirs.len() {
        return pairs.enumerate().filter(|(_, (one, other))| one != other).map(|(line, _)| line).collect();
    }
    let before = pairs.take_while(|(one, other)| one == other).count();
    let most = ours.len().min(theirs.len()) - before;
    let pairs = ours.iter().rev().zip(theirs.iter().rev()).take(most);
    let behind = pairs.take_while(|(one, other)| one == other).count();
    (before..ours.len() - behind).collect()
}

/// The lines of `bytes`, from 0, in which `secret` stands or goes on.
pub(super) fn holding(bytes: &[u8], secret: &str) -> BTreeSet<usize> {
    let secret = secret.as_bytes();
    let more = secret.split(|byte| *byte == b'\n').count() - 1;
    let mut lines = BTreeSet::new();
    let mut line = 0;
    for (at, byte) in bytes.iter().enumerate() {
        if bytes.get(at..).is_some_and(|rest| !secret.is_empty() && rest.starts_with(secret)) {
            lines.extend(line..=line + more);
        }
        line += usize::from(*byte == b'\n');
    }
    lines
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn lines_that_differ_are_found() {
        let check = |bytes: &str, other: &str, want: &[usize]| {
            assert!(differing(bytes.as_bytes(), other.as_bytes()).iter().eq(want), "{bytes:?} {other:?}");
        };
        check("a\nb\nc\n", "a\nx\nc\n", &[1]);
        check("a\nb\nc\n", "a\nb\nc\n", &[]);
        check("a\nb\nc", "a\nx\ny\nc", &[1]);
        check("a\nb\nb\nc", "a\nb\nc", &[2]);
        check("a\nc", "a\nx\nc", &[]);
        check("", "x\ny", &[0]);
    }

    #[test]
    fn a_secret_is_found_where_it_stands() {
        let check = |bytes: &str, secret: &str, want: &[usize]| {
            assert!(holding(bytes.as_bytes(), secret).iter().eq(want), "{bytes:?}");
        };
        check("a\npw=s3cr\nb s3crs3cr", "s3cr", &[1, 2]);
        check("x\na\nb\nc\n", "a\nb", &[1, 2]);
        check("x", "s3cr", &[]);
    }

    proptest! {
        #[test]
        fn no_letter_of_a_secret_stays(secret in "[a-zA-Z0-9äß-]{1,30}") {
            let other = disguised(&secret);
            prop_assert_eq!(other.chars().count(), secret.chars().count() + 1);
            prop_assert!(secret.chars().zip(other.chars().skip(1)).all(|(one, other)| one != other || one == '-'));
        }

        #[test]
        fn nothing_differs_from_itself_and_all_lines_are_there(one in "[ab\n]{0,12}", other in "[ab\n]{0,12}") {
            prop_assert!(differing(one.as_bytes(), one.as_bytes()).is_empty());
            let lines = one.split('\n').count();
            prop_assert!(differing(one.as_bytes(), other.as_bytes()).iter().all(|line| *line < lines));
        }
    }
}
