use proptest::prelude::*;
use serde_json::Value;

use super::*;

fn check(one: &str, other: &str, want: bool) {
    for (one, other) in [(one, other), (other, one)] {
        assert_eq!(same(one.as_bytes(), other.as_bytes(), Numbers::Equal), want, "{one} {other}");
    }
}

#[test]
fn layout_does_not_matter() {
    check("1", " 1\r\n", true);
    check("\u{feff}{}", "{ }", true);
    check(r#"{"a":[1,{"b":null}]}"#, "{ \"a\" :\t[ 1 ,\n{\"b\" : null } ] }\n", true);
    check("[1,2]", "[1, // ]\n2, /* , \" */ ] // end", true);
    check("[1/2]", "[1/**/]", false);
    check("[]", "[/***/]/", true);
    check("[1]", "[1/*x*/]", true);
    check("[\"/*\",1]", "[\"/*\" /*\"*/,1//]", false);
    check("[\"/*\",1]", "[\"/*\" /*\"*/,1]", true);
}

#[test]
fn members_have_no_order_and_elements_have() {
    check(r#"{"a":1,"b":2,"c":{}}"#, r#"{"c":{},"b":2,"a":1}"#, true);
    check(r#"{"a":1,"b":2}"#, r#"{"a":2,"b":1}"#, false);
    check("[1,2]", "[2,1]", false);
    check("[1]", "[1,1]", false);
    check("[[1],2]", "[[1,2]]", false);
    check("[[],[]]", "[[[]]]", false);
    check("[]", "{}", false);
    check(r#"["a",1]"#, r#"{"a":1}"#, false);
    check(r#"{"a":{},"b":{}}"#, r#"{"a":{"b":{}}}"#, false);
}

#[test]
fn the_last_of_equal_keys_counts() {
    check(r#"{"a":1,"b":0,"a":2}"#, r#"{"b":0,"a":2}"#, true);
    check(r#"{"a":1,"\u0061":2}"#, r#"{"a":2}"#, true);
    check(r#"{"a":1,"a":2}"#, r#"{"a":1}"#, false);
    check(r#"{"a":{"a":1,"a":3},"a":{"a":2}}"#, r#"{"a":{"a":2}}"#, true);
}

#[test]
fn a_string_is_what_it_spells() {
    check(r#""caf\u00e9\/""#, "\"café/\"", true);
    check(r#""\\""#, r#""\\\\""#, false);
    check(r#"["\\",1]"#, r#"["\u005c",1]"#, true);
    check(r#""\ud800""#, r#""\uD800""#, true);
    check(r#""\ud800""#, r#""\ud801""#, false);
    check(r#""a""#, r#""a\u0000""#, false);
    check("\"1\"", "1", false);
    check("\"null\"", "null", false);
    for length in [29, 30, 31, 32, 1000] {
        let text = "x".repeat(length);
        check(&format!("\"{text}\""), &format!("\"\\u0078{}\"", &text[1..]), true);
        check(&format!("\"{text}\""), &format!("\"\\u0079{}\"", &text[1..]), false);
        check(&format!("\"{text}\""), &format!("\"{text}x\""), false);
    }
}

#[test]
fn numbers_are_compared_as_asked() {
    let spelled = |one: &str, other: &str| same(one.as_bytes(), other.as_bytes(), Numbers::Spelled);
    check("[1,-0]", "[1.0, 0e9]", true);
    check("1e99999999999999999999", "10e99999999999999999998", true);
    check("9007199254740993", "9007199254740992", false);
    assert!(spelled("[1.0]", "[ 1.0 ]"));
    assert!(!spelled("[1.0]", "[1]"));
    assert!(!spelled("-0", "0"));
}

#[test]
fn what_is_not_valid_is_never_the_same_as_what_is() {
    for bad in ["", "[", "]", "1 2", "[1]]", "{\"a\":1", "// 1", "[1] 2"] {
        check(bad, "1", false);
        check(bad, "[1]", false);
    }
}

#[test]
fn a_hundred_thousand_levels_are_no_burden() {
    let nested = |inside: &str, space: &str| {
        let (open, close) = (format!("[{space}{{\"a\":"), format!("}}{space}]"));
        format!("{}{inside}{}", open.repeat(50_000), close.repeat(50_000))
    };
    check(&nested("1", ""), &nested("1.0", " "), true);
    check(&nested("1", ""), &nested("2", ""), false);
    let last = |value: &str| format!("{}{value}{}", "{\"x\":0,\"a\":".repeat(100_000), "}".repeat(100_000));
    check(&last("1"), &last(" 1"), true);
    check(&last("1"), &last("\"1\""), false);
}

/// Where a space or a comment may stand, and where a comma may trail.
const GAP: char = '\u{1}';
const TRAIL: char = '\u{2}';

/// Texts of few different values, so that two are often equal, with spellings and repeated keys.
fn text() -> impl Strategy<Value = String> {
    const LEAVES: [&str; 8] = ["1", "-2", "true", "null", "\"a\"", r#""\u0061""#, r#""\"]""#, "\"//\""];
    let leaf = proptest::sample::select(LEAVES.as_slice()).prop_map(str::to_owned);
    leaf.prop_recursive(4, 24, 3, |inner| {
        let key = proptest::sample::select(["a", r"\u0061", "b", "c", r"\/*"].as_slice());
        let member =
            (key, inner.clone()).prop_map(|(key, value)| format!("{GAP}\"{key}\"{GAP}:{GAP}{value}{GAP}"));
        let list = |items: Vec<String>, open, close| {
            let trail = if items.is_empty() { String::new() } else { TRAIL.to_string() };
            format!("{open}{GAP}{}{trail}{GAP}{close}", items.join(&format!("{GAP},{GAP}")))
        };
        prop_oneof![
            proptest::collection::vec(inner, 0..3).prop_map(move |items| list(items, '[', ']')),
            proptest::collection::vec(member, 0..4).prop_map(move |items| list(items, '{', '}')),
        ]
    })
}

fn filled(text: &str, gap: &str, trail: &str) -> String {
    text.replace(GAP, gap).replace(TRAIL, trail)
}

/// `value` again with the members of each object the other way round, behind a member that does not
/// count.
fn turned(value: &Value) -> String {
    match value {
        Value::Array(items) => format!("[{}]", items.iter().map(turned).collect::<Vec<_>>().join(",")),
        Value::Object(members) => {
            let written =
                |(key, value): (&String, &Value)| format!("{}:{}", Value::from(key.as_str()), turned(value));
            let first = members.iter().next().map(|(key, _)| format!("{}:[0]", Value::from(key.as_str())));
            let members = first.into_iter().chain(members.iter().map(written).rev());
            format!("{{{}}}", members.collect::<Vec<_>>().join(","))
        }
        Value::Number(number) => format!("{number}0e-1"),
        other => other.to_string(),
    }
}

proptest! {
    #[test]
    fn texts_are_the_same_when_their_values_are(one in text(), other in text(), gap in proptest::sample::select(["", " ", "\r\n", "/* \"]}, */", "// {[\"\n"].as_slice())) {
        let value = |text: &str| serde_json::from_str::<Value>(&filled(text, " ", "")).unwrap();
        let (left, right) = (filled(&one, gap, ","), filled(&other, "\t", ""));
        prop_assert_eq!(same(left.as_bytes(), right.as_bytes(), Numbers::Spelled), value(&one) == value(&other));
        prop_assert!(same(left.as_bytes(), filled(&one, "", "").as_bytes(), Numbers::Spelled));
        prop_assert!(same(left.as_bytes(), turned(&value(&one)).as_bytes(), Numbers::Equal));
    }

    #[test]
    fn no_bytes_panic(one in "[\\[\\]{}\",:/*\\\\a1\n]{0,12}", other in "[\\[\\]{}\",:/*\\\\a1\n]{0,12}") {
        prop_assert_eq!(
            same(one.as_bytes(), other.as_bytes(), Numbers::Equal),
            same(other.as_bytes(), one.as_bytes(), Numbers::Equal)
        );
    }
}
