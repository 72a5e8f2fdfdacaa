//! Words of a line as the shell, and Python's shlex, take them.

/// The words of `line`: quotes are taken off, an unquoted `#` begins a comment.
pub(super) fn words(line: &str) -> Result<Vec<String>, String> {
    let mut words = Vec::new();
    let mut word: Option<String> = None;
    let mut quote: Option<char> = None;
    let mut rest = line.chars().peekable();
    while let Some(one) = rest.next() {
        match (quote, one) {
            (Some(open), _) if one == open => quote = None,
            (Some('"'), '\\') if matches!(rest.peek(), Some('"' | '\\')) => {
                word.get_or_insert_default().extend(rest.next());
            }
            (None, '#') => break,
            (None, '\'' | '"') => {
                quote = Some(one);
                word.get_or_insert_default();
            }
            (None, '\\') => word.get_or_insert_default().extend(rest.next()),
            (None, _) if one.is_whitespace() => words.extend(word.take()),
            (_, _) => word.get_or_insert_default().push(one),
        }
    }
    if let Some(open) = quote {
        return Err(format!("the quote {open} is not closed"));
    }
    words.extend(word);
    Ok(words)
}

/// The value of a variable in INI, a literal of Python where it is one: `"a"` is a. `None` for a
/// list, a mapping or None.
pub(super) fn literal(text: &str) -> Option<&str> {
    match text.as_bytes() {
        [b'[' | b'{' | b'(', ..] if !text.starts_with("{{") => return None,
        _ if text == "None" => return None,
        [quote @ (b'\'' | b'"'), ..] => {
            let inner = &text[1..];
            if let Some((inner, after)) = inner.split_once(char::from(*quote))
                && (after.trim().is_empty() || after.trim_start().starts_with('#'))
                && !inner.contains('\\')
            {
                return Some(inner);
            }
        }
        _ => {}
    }
    Some(text)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn check(line: &str, want: &[&str]) {
        assert_eq!(words(line).unwrap(), want, "{line}");
    }

    #[test]
    fn words_are_those_of_shlex() {
        check("web01 a=1  b=x", &["web01", "a=1", "b=x"]);
        check("w a='-J x -o \"P y\"' b=\"c d\" # rest", &["w", "a=-J x -o \"P y\"", "b=c d"]);
        check("w a=b#c d", &["w", "a=b"]);
        check("w a=\"#\\\"\\x\" b=\\# ''", &["w", "a=#\"\\x", "b=#", ""]);
        assert_eq!(words("a 'b"), Err("the quote ' is not closed".into()));
    }

    #[test]
    fn literals_are_those_of_python() {
        for (text, want) in [
            ("a b", Some("a b")),
            ("\"a b\"", Some("a b")),
            ("'a' # why", Some("a")),
            ("'a' 'b'", Some("'a' 'b'")),
            ("'", Some("'")),
            ("[1, 2]", None),
            ("{{ x }}", Some("{{ x }}")),
            ("None", None),
        ] {
            assert_eq!(literal(text), want, "{text}");
        }
    }

    proptest! {
        #[test]
        fn no_text_is_a_panic(text in any::<String>()) {
            let _ = (words(&text), literal(&text));
        }
    }
}
