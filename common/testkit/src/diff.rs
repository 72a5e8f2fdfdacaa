//! What differs between two texts, line by line.

use std::fmt::Write as _;

/// Lines of agreement shown before and after the difference.
const CONTEXT: usize = 2;

/// Lines shown of either side: a wrong run may print a million.
const SHOWN: usize = 40;

/// The differing middle of two texts: `-` was wanted, `+` was got.
pub(crate) fn diff(want: &[String], got: &[String]) -> String {
    let before = want.iter().zip(got).take_while(|(want, got)| want == got).count();
    let (want_rest, got_rest) = (&want[before..], &got[before..]);
    let after =
        want_rest.iter().rev().zip(got_rest.iter().rev()).take_while(|(want, got)| want == got).count();
    let mut text = String::new();
    section(&mut text, ' ', &want[before.saturating_sub(CONTEXT)..before]);
    section(&mut text, '-', &want_rest[..want_rest.len() - after]);
    section(&mut text, '+', &got_rest[..got_rest.len() - after]);
    let tail = want.len() - after;
    section(&mut text, ' ', &want[tail..want.len().min(tail + CONTEXT)]);
    text
}

/// The lines of `bytes` with every control character visible, the newline included: a missing one at
/// the end is a difference like any other.
pub(crate) fn exact_lines(bytes: &[u8]) -> Vec<String> {
    let visible = |line: &[u8]| match std::str::from_utf8(line) {
        Ok(line) => line.replace('\\', "\\\\").replace('\n', "\\n").replace('\r', "\\r"),
        Err(_) => line.escape_ascii().to_string(),
    };
    bytes.split_inclusive(|&byte| byte == b'\n').map(visible).collect()
}

fn section(text: &mut String, sign: char, lines: &[String]) {
    for line in lines.iter().take(SHOWN) {
        let _strings_never_refuse = writeln!(text, "    {sign} {line}");
    }
    if lines.len() > SHOWN {
        let _strings_never_refuse = writeln!(text, "    {sign} … {} more lines", lines.len() - SHOWN);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(want: &str, got: &str, text: &str) {
        assert_eq!(diff(&exact_lines(want.as_bytes()), &exact_lines(got.as_bytes())), text);
    }

    #[test]
    fn only_the_middle_that_differs_is_shown() {
        check("", "x\n", "    + x\\n\n");
        check("a\nb\nc\nd\n", "a\nb\nX\nd\n", "      a\\n\n      b\\n\n    - c\\n\n    + X\\n\n      d\\n\n");
        check("a\na\n", "a\n", "      a\\n\n    - a\\n\n");
    }

    #[test]
    fn a_missing_newline_is_a_difference() {
        check("a\n", "a", "    - a\\n\n    + a\n");
    }

    #[test]
    fn a_million_lines_are_cut() {
        let text = diff(&[], &vec!["x".to_owned(); 1_000_000]);
        assert!(text.ends_with("    + … 999960 more lines\n"), "{}", text.len());
    }
}
