//! Merges, by what becomes of the text.

use std::path::Path as FilePath;

use proptest::prelude::*;
use serde_json::Value;

use super::*;
use crate::text::Text;

fn merged(document: &str, patch: &str, syntaxes: (Syntax, Syntax)) -> Result<String> {
    let mut edited = Document::new(Text::new(document.into()), syntaxes.0, FilePath::new("app.json"));
    let outcome = apply(&mut edited, patch.as_bytes(), syntaxes.1);
    let text = String::from_utf8(edited.text().all().unwrap()).unwrap();
    assert!(outcome.is_ok() || text == document, "{text}");
    outcome.map(|()| text)
}

#[track_caller]
fn check(document: &str, patch: &str, want: &str) {
    assert_eq!(merged(document, patch, (Syntax::Strict, Syntax::Strict)).unwrap(), want);
}

#[test]
fn only_the_members_that_change_are_touched() {
    let text = "\u{feff}{\r\n\t\"a\" :1.50,\r\n\t\"b\": {\"x\":\t[1 ],\"y\":\"\\u00e9\"},\"c\":{ }\r\n}";
    check(text, "{}", text);
    check(text, r#"{"b":{},"c":{},"d":null}"#, text);
    check(text, r#"{"a":1.50,"b":{"y":"é","x":[1]}}"#, text);
    check(text, r#"{"b":{"y":2}}"#, &text.replace("\"\\u00e9\"", "2"));
    check(text, r#"{"a":1.5}"#, &text.replace("1.50", "1.5"));
    check(text, r#"{"b":{"x":null},"c":{"z":null}}"#, &text.replace("\"x\":\t[1 ],", ""));
}

#[test]
fn a_new_object_looks_like_what_is_around_it() {
    let patch = r#"{"n":{"b":1,"c":{"d":[1,2],"gone":null,"e":{}},"gone":null}}"#;
    check(
        "{\n    \"a\": 1\n}\n",
        patch,
        "{\n    \"a\": 1,\n    \"n\": {\n        \"b\": 1,\n        \"c\": {\n            \"d\": [1,2],\n            \"e\": {}\n        }\n    }\n}\n",
    );
    check("{\"a\":1}", patch, r#"{"a":1,"n":{"b":1,"c":{"d":[1,2],"e":{}}}}"#);
    check("{\"a\": 1, \"b\": 2}", r#"{"n":{"x":1,"y":2}}"#, r#"{"a": 1, "b": 2, "n": {"x": 1, "y": 2}}"#);
    check(
        "{\r\n\t\"a\":1\r\n}",
        r#"{"n":{"x":1}}"#,
        "{\r\n\t\"a\":1,\r\n\t\"n\":{\r\n\t\t\"x\":1\r\n\t}\r\n}",
    );
    check("{\n  \"a\": 1\n}", r#"{"a":{"x":1}}"#, "{\n  \"a\": {\n    \"x\": 1\n  }\n}");
    check("{\"a\":1}", r#"{"a":{"x":{"y":null}}}"#, r#"{"a":{"x":{}}}"#);
    check(
        "{\n\t\"a\": {}\n}",
        "{\n  \"a\": {\n    \"t\": [\n      1\n    ]\n  }\n}",
        "{\n\t\"a\": {\n\t\t\"t\": [\n\t\t\t1\n\t\t]\n\t}\n}",
    );
}

#[test]
fn nulls_in_arrays_stay() {
    check(r#"{"a":1}"#, r#"{"a":[null,{"b":null}]}"#, r#"{"a":[null,{"b":null}]}"#);
    check("1", "[null]", "[null]");
}

#[test]
fn any_key_is_a_name() {
    check(r#"{"0":1,"-":2,"":3}"#, r#"{"0":4,"-":5,"":6}"#, r#"{"0":4,"-":5,"":6}"#);
    check(r#"{"z":1}"#, r#"{"0":{"-":{"":{"a.b/~[0]":2}}}}"#, r#"{"z":1,"0":{"-":{"":{"a.b/~[0]":2}}}}"#);
    check(r#"{"a":[7]}"#, r#"{"a":{"0":1}}"#, r#"{"a":{"0":1}}"#);
    check(r#"{"\u0061":1}"#, r#"{"a":2}"#, r#"{"\u0061":2}"#);
    check(r#"{"a":1}"#, r#"{"\u0061":2,"q\"\\\n":3}"#, r#"{"a":2,"q\"\\\n":3}"#);
    check(r#"{"a":1,"a":2}"#, r#"{"a":null}"#, "{}");
    check(r#"{"a":{"x":1},"a":{"x":2}}"#, r#"{"a":{"x":3}}"#, r#"{"a":{"x":1},"a":{"x":3}}"#);
}

#[test]
fn of_equal_keys_in_a_patch_the_last_counts() {
    check(r#"{"a":1}"#, r#"{"a":{"x":1},"b":2,"a":3}"#, r#"{"a":3,"b":2}"#);
    check(r#"{"a":1}"#, r#"{"a":2,"\u0061":null}"#, "{}");
    check(r#"{"z":1}"#, r#"{"n":{"x":1,"x":null}}"#, r#"{"z":1,"n":{}}"#);
}

#[test]
fn comments_come_only_where_they_are_allowed() {
    let patch = "{ // patch\n \"t\": [1, // one\n  2,],\n}";
    let check = |document: &str, syntax, want: &str| {
        assert_eq!(merged(document, patch, (syntax, Syntax::Comments)).unwrap(), want);
    };
    check("{\"a\":1}", Syntax::Strict, "{\"a\":1,\"t\":[1,\n  2]}");
    check("{\n  \"a\":1 // a\n}", Syntax::Comments, "{\n  \"a\":1, // a\n  \"t\":[1, // one\n  2,]\n}");
}

#[test]
fn depth_is_bounded_or_does_not_matter() {
    let objects = |depth: usize| format!("{}1{}", "{\"a\":".repeat(depth), "}".repeat(depth));
    let arrays = format!("{{\"a\":{}{}}}", "[".repeat(100_000), "]".repeat(100_000));
    let strict = (Syntax::Strict, Syntax::Strict);
    check("{\"a\":1}", &arrays, &arrays);
    assert_eq!(merged("{\"a\":1}", &objects(DEEPEST), strict).unwrap(), objects(DEEPEST));
    assert_eq!(merged(&objects(DEEPEST), &objects(DEEPEST), strict).unwrap(), objects(DEEPEST));
    let want = "cannot merge the patch: its objects are nested deeper than 1000 levels";
    for (document, patch) in
        [("{}", 100_000), ("{\"a\":1}", DEEPEST + 1)].map(|(text, depth)| (text.to_owned(), objects(depth)))
    {
        assert_eq!(merged(&document, &patch, strict).unwrap_err().to_string(), want);
    }
    let error = merged(&objects(2 * DEEPEST), &objects(DEEPEST + 1), strict).unwrap_err();
    assert_eq!(error.to_string(), want);
}

#[test]
fn what_cannot_be_merged_is_said() {
    let check = |document: &str, patch: &str, want: &str| {
        let error = merged(document, patch, (Syntax::Strict, Syntax::Strict)).unwrap_err();
        assert_eq!(error.to_string(), want);
    };
    let half = "cannot merge the key \"\\udc00x\" of the patch: it holds half a surrogate pair, which no path can name";
    check("{}", r#"{"a":1,"b":{"\udc00x":1}}"#, half);
    check(
        "{",
        "{\"a\":1}",
        "app.json:1:2 is no JSON: a key in double quotes is expected, the text ends here",
    );
}

fn value() -> impl Strategy<Value = Value> {
    let key = prop_oneof![Just("a"), Just("b"), Just("0"), Just("-"), Just(""), Just("é\"")];
    let leaf = prop_oneof![
        2 => Just(Value::Null),
        3 => (0..4).prop_map(Value::from),
        1 => "[a\"\\\\\n]{0,2}".prop_map(Value::from),
    ];
    leaf.prop_recursive(4, 20, 4, move |inner| {
        let members = proptest::collection::vec((key.clone().prop_map(str::to_owned), inner.clone()), 0..4);
        prop_oneof![
            3 => members.prop_map(|members| Value::Object(members.into_iter().collect())),
            1 => proptest::collection::vec(inner, 0..3).prop_map(Value::Array),
        ]
    })
}

proptest! {
    #[test]
    fn a_merge_is_what_it_is_elsewhere(
        document in value(),
        patch in value(),
        (is_pretty, has_pretty_patch) in any::<(bool, bool)>(),
    ) {
        let print = |value: &Value, is_pretty| {
            if is_pretty { serde_json::to_string_pretty(value) } else { serde_json::to_string(value) }.unwrap()
        };
        let (mut want, text) = (document.clone(), print(&document, is_pretty));
        json_patch::merge(&mut want, &patch);
        let ours = merged(&text, &print(&patch, has_pretty_patch), (Syntax::Strict, Syntax::Strict)).unwrap();
        prop_assert_eq!(&serde_json::from_str::<Value>(&ours).unwrap(), &want, "{}", ours);
        if want == document {
            prop_assert_eq!(ours, text);
        }
    }
}
