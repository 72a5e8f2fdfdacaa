//! What people write who know another language, and what it is called here.

/// Operators of other languages, and longer ones before those that they begin with.
pub(super) const FOREIGN: [(&str, &str); 22] = [
    ("===", "write `==`"),
    ("!==", "write `!=`"),
    ("<=>", "write `==`, `<` or `>`"),
    ("<>", "write `!=`"),
    ("=>", "write `>=`"),
    ("=<", "write `<=`"),
    ("=!", "write `!=`"),
    ("~=", "write `=~`"),
    ("~~", "write `=~`"),
    ("~*", "write `=~ /regex/i`"),
    ("~", "write `=~`"),
    ("\u{2260}", "write `!=`"),
    ("\u{2264}", "write `<=`"),
    ("\u{2265}", "write `>=`"),
    ("\u{ac}", "write `not`"),
    ("\u{2227}", "write `and`"),
    ("\u{2228}", "write `or`"),
    ("\u{2212}", "write `-`, which is ASCII"),
    ("[", "a list stands in parentheses: in (\"a\", \"b\")"),
    ("{", "a list stands in parentheses: in (\"a\", \"b\")"),
    (";", "write `and` or `or` between two conditions"),
    (":", "write `==`"),
];

/// Words between two values.
const WORDS: [(&str, &str); 32] = [
    ("eq", "write `==`"),
    ("equals", "write `==`"),
    ("ne", "write `!=`"),
    ("neq", "write `!=`"),
    ("lt", "write `<`"),
    ("le", "write `<=`"),
    ("lte", "write `<=`"),
    ("gt", "write `>`"),
    ("ge", "write `>=`"),
    ("gte", "write `>=`"),
    ("is", "write `==`, or empty(x) for one without a value"),
    ("isnot", "write `!=`, or not empty(x) for one with a value"),
    ("like", "write =~ /regex/, or contains(x, \"s\")"),
    ("ilike", "write =~ /regex/i"),
    ("rlike", "write =~ /regex/"),
    ("regexp", "write =~ /regex/"),
    ("regex", "write =~ /regex/"),
    ("match", "write =~ /regex/"),
    ("matches", "write =~ /regex/"),
    ("contains", "write contains(x, \"s\")"),
    ("includes", "write contains(x, \"s\")"),
    ("has", "write contains(x, \"s\")"),
    ("starts", "write starts(x, \"s\")"),
    ("startswith", "write starts(x, \"s\")"),
    ("starts_with", "write starts(x, \"s\")"),
    ("begins", "write starts(x, \"s\")"),
    ("ends", "write ends(x, \"s\")"),
    ("endswith", "write ends(x, \"s\")"),
    ("ends_with", "write ends(x, \"s\")"),
    ("between", "write x >= 1 and x <= 9"),
    ("xor", "write (a or b) and not (a and b)"),
    ("then", "write a condition only"),
];

/// What is written instead of a word that stands where an operator is wanted.
pub(super) fn instead_of(word: &str) -> Option<&'static str> {
    let folded = word.to_lowercase();
    WORDS.iter().find(|(known, _)| *known == folded).map(|(_, way_out)| *way_out)
}

/// What is wrong with a character that nothing begins with.
pub(super) fn about(c: char) -> String {
    match c {
        '\u{201c}' | '\u{201d}' | '\u{201e}' | '\u{ab}' | '\u{bb}' | '\u{2018}' | '\u{2019}' | '\u{201a}' => {
            format!("`{c}` is a typographic quote; write a text in \"...\" or '...'")
        }
        '+' | '-' | '*' | '%' | '^' => {
            format!(
                "`{c}` is no operator, there is no arithmetic but `now - 2h`; a name with it stands in \
                 backticks"
            )
        }
        '\\' => "`\\` stands only in a text or a pattern".into(),
        c if c.is_control() || c.is_alphanumeric() || c.is_ascii() => {
            format!("`{c}` means nothing here; a text stands in quotes, an odd name in backticks")
        }
        c => format!(
            "`{c}` (U+{:04X}) means nothing here; a text stands in quotes, an odd name in backticks",
            u32::from(c)
        ),
    }
}
