//! What stands for itself in JSON.

/// Whether a field is a JSON number, `true` or `false`, exactly.
#[inline]
pub(super) fn is_literal(raw: &[u8]) -> bool {
    match raw {
        [b'-' | b'0'..=b'9', ..] => is_number(raw),
        b"true" | b"false" => true,
        _ => false,
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
        let check = |text: &str, want: bool| assert_eq!(is_literal(text.as_bytes()), want, "{text}");
        for text in
            ["0", "-0", "10", "1.50", "-1.5e+10", "1E400", "1e-7", "9007199254740993", "true", "false"]
        {
            check(text, true);
        }
        for text in
            ["", "-", "+1", "01", "-01", ".5", "5.", "1e", "1e+", "1_0", "1 ", " 1", "null", "True", "NaN"]
        {
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
        }
    }
}
