//! Any condition on any rows, beside one that is told row by row.

use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::select;

use super::*;

/// A condition that can be written down, and told of a row.
#[derive(Debug, Clone)]
enum Asked {
    Number(usize, &'static str, &'static str),
    Text(usize, bool, &'static str),
    Among(usize, Vec<&'static str>),
    Length(usize, &'static str, usize),
    Matches(usize, &'static str),
    Has(&'static str, usize, &'static str),
    Empty(usize),
    Same(usize, usize),
    Not(Box<Asked>),
    All(Vec<Asked>),
    Any(Vec<Asked>),
}

const NAMES: [&str; 3] = ["a", "b", "c"];
const NUMBERS: &[&str] = &["0", "7", "30", "-3", "2.5", "99999999", "100000000", "12345678901", "7.0"];
const TEXTS: &[&str] =
    &["", "m", "30", "mn", "M", "eightlet", "ninelette", "a longer text, with more", "\u{e9}"];
const PATTERNS: &[&str] = &["m", "^m", "m$", "^mn?$", "^$", "[0-9]+", "^(m|ni)", "(?i)^m", "t.*e$", "\u{e9}"];

/// The value in millionths, of a number of at most six places.
fn millionths(text: &str) -> Option<i128> {
    let text = text.trim();
    let digits = text.strip_prefix(['-', '+']).unwrap_or(text);
    let (whole, places) = digits.split_once('.').unwrap_or((digits, ""));
    let all = format!("{whole}{places:0<6}");
    let is_number = all.bytes().all(|byte| byte.is_ascii_digit()) && !(whole.is_empty() && places.is_empty());
    let value: i128 = all.parse().ok().filter(|_| is_number)?;
    Some(if text.starts_with('-') { -value } else { value })
}

fn ordered(order: &str, found: Ordering) -> bool {
    match order {
        "==" => found.is_eq(),
        "!=" => found.is_ne(),
        "<" => found.is_lt(),
        "<=" => found.is_le(),
        ">" => found.is_gt(),
        _ => found.is_ge(),
    }
}

impl Asked {
    /// As an expression.
    fn written(&self) -> String {
        let joined = |parts: &[Self], word: &str| {
            parts.iter().map(|part| format!("({})", part.written())).collect::<Vec<_>>().join(word)
        };
        match self {
            Self::Number(at, order, number) => format!("{} {order} {number}", NAMES[*at]),
            Self::Text(at, is_same, text) => {
                format!("{} {} '{text}'", NAMES[*at], if *is_same { "==" } else { "!=" })
            }
            Self::Among(at, list) => format!("{} in ({})", NAMES[*at], list.join(", ")),
            Self::Length(at, order, length) => format!("len({}) {order} {length}", NAMES[*at]),
            Self::Matches(at, pattern) => format!("{} =~ /{pattern}/", NAMES[*at]),
            Self::Has(function, at, text) => format!("{function}({}, '{text}')", NAMES[*at]),
            Self::Empty(at) => format!("empty({})", NAMES[*at]),
            Self::Same(one, other) => format!("{} == {}", NAMES[*one], NAMES[*other]),
            Self::Not(inner) => format!("not ({})", inner.written()),
            Self::All(parts) => joined(parts, " and "),
            Self::Any(parts) => joined(parts, " or "),
        }
    }

    /// Whether it holds; `None` for a row that is bad by it.
    fn holds(&self, row: &[String]) -> Option<bool> {
        Some(match self {
            Self::Number(at, order, _) if row[*at].is_empty() => *order == "!=",
            Self::Number(at, order, number) => {
                ordered(order, millionths(&row[*at])?.cmp(&millionths(number).unwrap()))
            }
            Self::Text(at, is_same, text) => (row[*at] == *text) == *is_same,
            Self::Among(at, _) if row[*at].is_empty() => false,
            Self::Among(at, list) => {
                let value = millionths(&row[*at])?;
                list.iter().any(|number| millionths(number) == Some(value))
            }
            Self::Length(at, order, length) => ordered(order, row[*at].chars().count().cmp(length)),
            Self::Matches(at, pattern) => regex::Regex::new(pattern).unwrap().is_match(&row[*at]),
            Self::Has("contains", at, text) => row[*at].contains(text),
            Self::Has("starts", at, text) => row[*at].starts_with(text),
            Self::Has(_, at, text) => row[*at].ends_with(text),
            Self::Empty(at) => row[*at].is_empty(),
            Self::Same(one, other) => row[*one] == row[*other],
            Self::Not(inner) => !inner.holds(row)?,
            Self::All(parts) => {
                for part in parts {
                    if !part.holds(row)? {
                        return Some(false);
                    }
                }
                true
            }
            Self::Any(parts) => {
                for part in parts {
                    if part.holds(row)? {
                        return Some(true);
                    }
                }
                false
            }
        })
    }
}

fn asked() -> impl Strategy<Value = Asked> {
    let orders = || select(vec!["==", "!=", "<", "<=", ">", ">="]);
    let functions = select(vec!["contains", "starts", "ends"]);
    let at = || 0_usize..3;
    let leaf = prop_oneof![
        4 => (at(), orders(), select(NUMBERS)).prop_map(|(at, order, number)| Asked::Number(at, order, number)),
        2 => (at(), any::<bool>(), select(TEXTS)).prop_map(|(at, is_same, text)| Asked::Text(at, is_same, text)),
        1 => (at(), vec(select(NUMBERS), 1..4)).prop_map(|(at, list)| Asked::Among(at, list)),
        1 => (at(), orders(), 0_usize..10).prop_map(|(at, order, length)| Asked::Length(at, order, length)),
        2 => (at(), select(PATTERNS)).prop_map(|(at, pattern)| Asked::Matches(at, pattern)),
        1 => (functions, at(), select(TEXTS)).prop_map(|(name, at, text)| Asked::Has(name, at, text)),
        1 => at().prop_map(Asked::Empty),
        1 => (at(), at()).prop_map(|(one, other)| Asked::Same(one, other)),
    ];
    leaf.prop_recursive(3, 12, 3, |inner| {
        prop_oneof![
            inner.clone().prop_map(|inner| Asked::Not(Box::new(inner))),
            vec(inner.clone(), 2..4).prop_map(Asked::All),
            vec(inner, 2..4).prop_map(Asked::Any),
        ]
    })
}

fn value() -> impl Strategy<Value = String> {
    let number = (select(NUMBERS), select(vec!["", " ", "0", ".0", "1"])).prop_map(|(number, more)| {
        if number.contains('.') { number.into() } else { format!("{number}{more}") }
    });
    let text = (select(TEXTS), select(vec!["", "", "m", "\n", "\""]))
        .prop_map(|(text, more)| format!("{text}{more}"));
    prop_oneof![3 => number, 3 => text, 1 => "[0-9mn ,\"]{0,12}"]
}

/// Rows as they are written: in quotes where they must be, and where they need not.
fn written(rows: &[(Vec<String>, bool, bool)]) -> String {
    let mut text = String::new();
    for (row, is_quoted, is_crlf) in rows {
        let field = |value: &String| {
            let must_be = value.contains([',', '"', '\n']);
            if must_be || *is_quoted { format!("\"{}\"", value.replace('"', "\"\"")) } else { value.clone() }
        };
        text += &row.iter().map(field).collect::<Vec<_>>().join(",");
        text += if *is_crlf { "\r\n" } else { "\n" };
    }
    text
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1500))]

    #[test]
    fn rows_are_judged_as_one_by_one(
        asked in asked(),
        rows in vec((vec(value(), 3), any::<bool>(), any::<bool>()), 1..30),
    ) {
        let want: String = rows.iter().map(|(row, ..)| match asked.holds(row) {
            Some(true) => 'y',
            Some(false) => 'n',
            None => 'b',
        }).collect();
        let expression = asked.written();
        let text = written(&rows);
        let found = judged(&bound(&expression, "", "abc"), 3, text.as_bytes(), CSV);
        prop_assert_eq!(found, want, "{} {:?}", expression, text);
    }
}
