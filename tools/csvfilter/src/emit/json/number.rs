//! What stands for itself in JSON.

use crate::emit::word::{others_than_digits, place};

/// Whether the first `len` bytes are a JSON number, `true` or `false`, exactly. It is fastest where
/// more bytes follow.
///
/// Branches are good here: what a column is can be foretold, and nothing waits for the answer.
#[inline]
pub(super) fn is_literal(bytes: &[u8], len: usize) -> bool {
    match bytes.first_chunk::<16>() {
        Some([b'-' | b'0'..=b'9', ..]) if len > 16 => is_any_literal(bytes, len),
        Some(chunk @ [b'-', ..]) => is_number_of(chunk, 1, len),
        Some(chunk @ [b'0'..=b'9', ..]) => is_number_of(chunk, 0, len),
        Some([b't' | b'f', ..]) | None => is_any_literal(bytes, len),
        Some(_) => false,
    }
}

/// Whether what stands between two places of a chunk is a number without a sign.
#[inline]
fn is_number_of(chunk: &[u8; 16], start: usize, end: usize) -> bool {
    let others = others_than_digits(chunk);
    let others = if start == 0 { others } else { others & others.wrapping_sub(1) };
    let whole = place(others).min(end);
    if whole == start || whole > start.wrapping_add(1) && chunk.get(start) == Some(&b'0') {
        return false;
    }
    if whole == end {
        return true;
    }
    match chunk.get(whole) {
        Some(b'.') if place(others & others.wrapping_sub(1)) >= end => whole.wrapping_add(1) < end,
        Some(b'.' | b'e' | b'E') => chunk.get(..end).is_some_and(is_number),
        _ => false,
    }
}

#[inline(never)]
fn is_any_literal(bytes: &[u8], len: usize) -> bool {
    match bytes.get(..len) {
        Some(b"true" | b"false") => true,
        Some(text) => is_number(text),
        None => false,
    }
}

/// Whether a text is a number by the grammar of RFC 8259: no `+`, no zeros in front, a digit on both
/// sides of the point.
#[inline]
pub(in crate::emit) fn is_number(text: &[u8]) -> bool {
    let text = text.strip_prefix(b"-").unwrap_or(text);
    let whole = digits(text);
    if whole == 0 || whole > 1 && text.first() == Some(&b'0') {
        return false;
    }
    match text.get(whole..) {
        Some([]) => true,
        Some([b'.', rest @ ..]) => {
            let fraction = digits(rest);
            fraction > 0 && rest.get(fraction..).is_some_and(is_exponent)
        }
        Some(rest) => is_exponent(rest),
        None => false,
    }
}

/// Whether a text is an exponent or nothing.
fn is_exponent(text: &[u8]) -> bool {
    let power = match text {
        [] => return true,
        [b'e' | b'E', b'+' | b'-', power @ ..] | [b'e' | b'E', power @ ..] => power,
        _ => return false,
    };
    !power.is_empty() && digits(power) == power.len()
}

/// How many digits a text begins with.
#[inline]
fn digits(text: &[u8]) -> usize {
    text.iter().take_while(|byte| byte.is_ascii_digit()).count()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn only_what_json_has_is_a_literal() {
        let check = |text: &str, want: bool| {
            let followed = [text.as_bytes(), b"7.,x0000000000000"].concat();
            assert_eq!(is_literal(text.as_bytes(), text.len()), want, "{text}");
            assert_eq!(is_literal(&followed, text.len()), want, "{text}");
        };
        for text in
            ["0", "-0", "10", "1.50", "-1.5e+10", "1E400", "1e-7", "90071992547409931.25e7", "true", "false"]
        {
            check(text, true);
        }
        for text in [
            "",
            "-",
            "+1",
            "01",
            "-01",
            ".5",
            "5.",
            "1e",
            "1e+",
            "1_0",
            "1 ",
            " 1",
            "null",
            "True",
            "NaN",
            "--12345678901234567",
        ] {
            check(text, false);
        }
    }

    proptest! {
        #[test]
        fn numbers_are_those_that_serde_json_reads(text in "-?[0-9+.eE-]{0,8}") {
            let read = serde_json::from_str::<serde_json::Value>(&text);
            // It refuses what no f64 can hold; the grammar knows no such limit.
            prop_assume!(!read.as_ref().is_err_and(|error| error.to_string().contains("out of range")));
            prop_assert_eq!(is_number(text.as_bytes()), read.is_ok());
            let followed = format!("{text},1.5,123456789012");
            prop_assert_eq!(is_literal(followed.as_bytes(), text.len()), read.is_ok());
            prop_assert_eq!(is_literal(text.as_bytes(), text.len()), read.is_ok());
        }
    }
}
