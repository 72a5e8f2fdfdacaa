//! One line of ssh_config(5): its keyword, and its arguments with quotes and comments.

/// Blanks as OpenSSH has them; a form feed counts at the end of a line only.
const BLANK: [char; 4] = [' ', '\t', '\r', '\n'];

/// The keyword of a line in lower case, and what follows behind blanks and at most one `=`. `None` for
/// an empty line and a comment.
pub(super) fn keyword(line: &str) -> Option<(String, &str)> {
    let line = line.trim_end_matches([' ', '\t', '\r', '\n', '\x0c']).trim_start_matches(BLANK);
    if line.is_empty() || line.starts_with('#') {
        return None;
    }
    let end = line.find([' ', '\t', '\r', '\n', '=', '"']).unwrap_or(line.len());
    let rest = line[end..].trim_start_matches(BLANK);
    let rest = rest.strip_prefix('=').unwrap_or(rest).trim_start_matches(BLANK);
    Some((line[..end].to_ascii_lowercase(), rest))
}

/// The arguments of a keyword: split at blanks; quotes of both kinds keep blanks; a backslash takes
/// itself, a quote or a blank as it is; a `#` at the beginning of an argument begins a comment.
pub(super) fn arguments(text: &str) -> Result<Vec<String>, String> {
    let mut all = Vec::new();
    let mut letters = text.chars().peekable();
    loop {
        while letters.next_if(|letter| matches!(letter, ' ' | '\t')).is_some() {}
        if letters.peek().is_none_or(|letter| *letter == '#') {
            return Ok(all);
        }
        all.push(argument(&mut letters)?);
    }
}

fn argument(letters: &mut std::iter::Peekable<std::str::Chars<'_>>) -> Result<String, String> {
    let mut argument = String::new();
    let mut quote = None;
    while let Some(letter) = letters.next() {
        match letter {
            '\\' => {
                let escaped = letters
                    .next_if(|next| matches!(next, '\'' | '"' | '\\') || (quote.is_none() && *next == ' '));
                argument.push(escaped.unwrap_or('\\'));
            }
            ' ' | '\t' if quote.is_none() => return Ok(argument),
            '\'' | '"' if quote.is_none() => quote = Some(letter),
            _ if quote == Some(letter) => quote = None,
            _ => argument.push(letter),
        }
    }
    if quote.is_some() { Err("a quote is not closed".into()) } else { Ok(argument) }
}

/// The words of a `Match` line, which also ends a word at one `=`: `host=web*` is two words.
pub(super) fn words(text: &str) -> Result<Vec<String>, String> {
    let mut all = Vec::new();
    let mut rest = text.trim_start_matches(BLANK);
    while !rest.is_empty() && !rest.starts_with('#') {
        let end = rest.find([' ', '\t', '\r', '\n', '=', '"']).unwrap_or(rest.len());
        let mut word = rest[..end].to_owned();
        rest = &rest[end..];
        if let Some(quoted) = rest.strip_prefix('"') {
            let (inside, behind) = quoted.split_once('"').ok_or("a quote is not closed")?;
            word.push_str(inside);
            rest = behind.trim_start_matches(BLANK);
        } else {
            rest = rest.trim_start_matches(BLANK);
            rest = rest.strip_prefix('=').unwrap_or(rest).trim_start_matches(BLANK);
        }
        all.push(word);
    }
    Ok(all)
}

/// A duration of sshd_config(5) in seconds: `90`, `1m30s`, with the units s, m, h, d and w.
pub(super) fn seconds(text: &str) -> Option<u64> {
    let mut total = 0_u64;
    let mut rest = text;
    while !rest.is_empty() {
        let digits = rest.find(|letter: char| !letter.is_ascii_digit()).unwrap_or(rest.len());
        let count: u64 = rest[..digits].parse().ok()?;
        let unit = rest[digits..].chars().next();
        let scale = match unit.map(|unit| unit.to_ascii_lowercase()) {
            None | Some('s') => 1,
            Some('m') => 60,
            Some('h') => 3600,
            Some('d') => 86_400,
            Some('w') => 604_800,
            Some(_) => return None,
        };
        total = total.checked_add(count.checked_mul(scale)?)?;
        rest = &rest[digits + unit.map_or(0, char::len_utf8)..];
    }
    (!text.is_empty()).then_some(total)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn the_keyword_stands_first() {
        let check = |line: &str, want: Option<(&str, &str)>| {
            let found = keyword(line);
            assert_eq!(found.as_ref().map(|(word, rest)| (word.as_str(), *rest)), want, "{line}");
        };
        check("Port 22\r\n", Some(("port", "22")));
        check("\tport=22 \x0c", Some(("port", "22")));
        check("PORT \t = 22", Some(("port", "22")));
        check("Port", Some(("port", "")));
        check("User \"a b\" # c", Some(("user", "\"a b\" # c")));
        check("  # Port 22", None);
        check(" ", None);
        check("", None);
    }

    #[test]
    fn arguments_have_quotes_and_comments() {
        let check = |text: &str, want: &[&str]| assert_eq!(arguments(text).unwrap(), want, "{text}");
        check("a b\tc", &["a", "b", "c"]);
        check("a#b # c d", &["a#b"]);
        check("'a b' \"c d\"e", &["a b", "c de"]);
        check("a\\ b \\\"c \\x", &["a b", "\"c", "\\x"]);
        check("'it''s' \"don't\"", &["its", "don't"]);
        check("\"\"", &[""]);
        check("", &[]);
        assert!(arguments("\"a b").is_err());
    }

    #[test]
    fn words_of_a_match_end_at_an_equals_sign() {
        let check = |text: &str, want: &[&str]| assert_eq!(words(text).unwrap(), want, "{text}");
        check("host=a,b user = c", &["host", "a,b", "user", "c"]);
        check("exec \"test -f /x = y\" all", &["exec", "test -f /x = y", "all"]);
        check("all # host b", &["all"]);
        assert!(words("exec \"x").is_err());
    }

    #[test]
    fn durations_have_the_units_of_sshd() {
        let check = |text: &str, want: Option<u64>| assert_eq!(seconds(text), want, "{text}");
        check("10", Some(10));
        check("1m30s", Some(90));
        check("1W2D", Some(777_600));
        check("", None);
        check("m", None);
        check("1x", None);
        check("99999999999999999999", None);
        check("1ü", None);
    }

    proptest! {
        #[test]
        fn no_line_is_too_odd(line in "\\PC{0,40}|[ =\"'#\\\\a\t\r]{0,20}") {
            if let Some((_, rest)) = keyword(&line) {
                let _ = (arguments(rest), words(rest), seconds(rest));
            }
        }

        #[test]
        fn what_is_quoted_is_read_again(text in "[a-z '\"\\\\#=\t]{0,12}") {
            let quoted = format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\""));
            prop_assert_eq!(arguments(&quoted).unwrap(), [text]);
        }
    }
}
