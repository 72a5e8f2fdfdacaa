//! The words of Rust code, without what only talks about them.

/// `text` with comments and literals as white space; lines stay where they are.
fn without_prose(text: &str) -> String {
    let mut code = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(first) = rest.chars().next() {
        let after_word = code.ends_with(|c: char| c.is_alphanumeric() || c == '_');
        let prose = prose_at(rest, after_word);
        let (taken, left) = rest.split_at(if prose > 0 { prose } else { first.len_utf8() });
        code.extend(taken.chars().map(|c| if prose > 0 && c != '\n' { ' ' } else { c }));
        rest = left;
    }
    code
}

/// The length of the comment or literal that `rest` begins with; 0 for code.
fn prose_at(rest: &str, after_word: bool) -> usize {
    let upto = |end: &str, from: usize| {
        rest.get(from..).and_then(|tail| tail.find(end)).map_or(rest.len(), |at| from + at + end.len())
    };
    if rest.starts_with("//") {
        return rest.find('\n').unwrap_or(rest.len());
    }
    if rest.starts_with("/*") {
        return upto("*/", 2);
    }
    if rest.starts_with('"') {
        return quoted(rest, '"');
    }
    if rest.starts_with('\'') {
        let mut chars = rest.chars().skip(1);
        // `'a` is a lifetime, `'a'` and `'\n'` are characters.
        let is_char = chars.next() == Some('\\') || chars.next() == Some('\'');
        return if is_char { quoted(rest, '\'') } else { 0 };
    }
    let raw = ["r", "br", "cr"].iter().find_map(|prefix| rest.strip_prefix(prefix));
    let Some(raw) = raw.filter(|_| !after_word) else { return 0 };
    let hashes = raw.len() - raw.trim_start_matches('#').len();
    if !raw[hashes..].starts_with('"') {
        return 0;
    }
    let end = format!("\"{}", "#".repeat(hashes));
    upto(&end, rest.len() - raw.len() + hashes + 1)
}

/// The length of a literal in quotes that may be escaped.
fn quoted(rest: &str, quote: char) -> usize {
    let mut escaped = false;
    for (at, c) in rest.char_indices().skip(1) {
        if c == quote && !escaped {
            return at + 1;
        }
        escaped = c == '\\' && !escaped;
    }
    rest.len()
}

/// Whether the code of `text` contains the word.
pub(crate) fn has_word(text: &str, word: &str) -> bool {
    words(&without_prose(text)).any(|(_, found, _)| found == word)
}

/// Whether the code of `text` names something of the crate `name`: `name::`, or `use name`.
pub(crate) fn names_crate(text: &str, name: &str) -> bool {
    words(&without_prose(text)).any(|(before, word, after)| {
        let is_root = !before.ends_with("::") && !before.ends_with('.');
        let is_used =
            ["use", "crate"].iter().any(|keyword| before.ends_with(keyword)) || after.starts_with("::");
        word == name && is_root && is_used
    })
}

/// Each word, with the text before and behind it, white space at the seams removed.
fn words(code: &str) -> impl Iterator<Item = (&str, &str, &str)> {
    let is_part = |c: char| c.is_alphanumeric() || c == '_';
    let mut at = 0;
    std::iter::from_fn(move || {
        let start = at + code[at..].find(is_part)?;
        let end = code[start..].find(|c| !is_part(c)).map_or(code.len(), |length| start + length);
        at = end;
        Some((code[..start].trim_end(), &code[start..end], code[end..].trim_start()))
    })
}

#[test]
fn code_is_told_from_prose() {
    let check = |text: &str, want: bool| assert_eq!(has_word(text, "bad"), want, "{text}");
    check("let bad = 1;", true);
    check("// bad\n/* bad */ good", false);
    check("// x\nbad", true);
    check("\"bad \\\" bad\"", false);
    check("\"x\" bad \"x\"", true);
    check("r#\"bad \" bad\"# + \"x\"", false);
    check("r\"\\\" bad", true);
    check("'\"' bad '\\''", true);
    check("fn f<'a>(x: &'a str) { bad }", true);
    check("bad_code(); notbad()", false);
}

#[test]
fn a_crate_is_named_by_a_path_and_not_by_a_method() {
    let check = |text: &str, want: bool| assert_eq!(names_crate(text, "notify"), want, "{text}");
    check("use notify;", true);
    check("use notify::Event;", true);
    check("use { notify::Event };", true);
    check("let x: notify :: Event;", true);
    check("sd_notify::notify(&[])", false);
    check("use sd_notify::notify;", false);
    check("condvar.notify(); fn notify() {}", false);
    check("// use notify::Event;", false);
}
