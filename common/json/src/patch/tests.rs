//! Patches, by what becomes of the text.

use std::path::Path as FilePath;

use proptest::prelude::*;
use serde_json::{Value, json};

use super::*;
use crate::text::Text;

fn patched(document: &str, patch: &str, syntaxes: (Syntax, Syntax)) -> Result<Option<String>> {
    let mut edited = Document::new(Text::new(document.into()), syntaxes.0, FilePath::new("app.json"));
    let outcome = apply(&mut edited, patch.as_bytes(), syntaxes.1);
    let text = String::from_utf8(edited.text().all().unwrap()).unwrap();
    assert!(matches!(outcome, Ok(true)) || text == document, "{text}");
    outcome.map(|applied| applied.then_some(text))
}

const STRICT: (Syntax, Syntax) = (Syntax::Strict, Syntax::Strict);

#[track_caller]
fn check(document: &str, patch: &str, want: &str) {
    assert_eq!(patched(document, patch, STRICT).unwrap().as_deref(), Some(want));
}

/// A test in the patch does not hold.
#[track_caller]
fn fails(document: &str, patch: &str) {
    assert_eq!(patched(document, patch, STRICT).unwrap(), None);
}

#[track_caller]
fn refused(document: &str, patch: &str, why: &str) {
    assert_eq!(patched(document, patch, STRICT).unwrap_err().to_string(), why);
}

/// The only operation is refused.
#[track_caller]
fn impossible(document: &str, operation: &str, why: &str) {
    refused(document, &format!("[{operation}]"), &format!("cannot apply operation 1 of the patch: {why}"));
}

#[test]
fn values_are_added() {
    let add = |path: &str, value: &str| format!(r#"[{{"op":"add","path":"{path}","value":{value}}}]"#);
    check("{}", &add("/", "1"), "{\n  \"\": 1\n}");
    check(r#"{"foo":{}}"#, &add("/foo/", "1"), r#"{"foo":{"":1}}"#);
    check(r#"{"foo":null}"#, &add("/foo", "1"), r#"{"foo":1}"#);
    check(r#"{"foo":1}"#, &add("/0", "null"), r#"{"foo":1,"0":null}"#);
    check(r#"{"foo":1}"#, &add("/FOO", "true"), r#"{"foo":1,"FOO":true}"#);
    check(r#"{"foo":1}"#, &add("/-", "2"), r#"{"foo":1,"-":2}"#);
    check(r#"["a","b"]"#, &add("/2", "[1]"), r#"["a","b",[1]]"#);
    check("[1,[2,[3]]]", &add("/1/1/-", "4"), "[1,[2,[3,4]]]");
    check("[{\"a\":1}]", &add("/0/b", "2"), "[{\"a\":1,\"b\":2}]");
    check("{\"a\":1}", &add("", "[]"), "[]");
    check("[]", &add("/0", "1e400"), "[\n  1e400\n]");
}

#[test]
fn values_are_removed_and_replaced() {
    check("[1,2,3,4]", r#"[{"op":"remove","path":"/1"},{"op":"remove","path":"/2"}]"#, "[1,3]");
    check("[1,1]", r#"[{"op":"remove","path":"/0"}]"#, "[1]");
    check(r#"{"a":1,"b":2,"a":3}"#, r#"[{"op":"remove","path":"/a"}]"#, r#"{"b":2}"#);
    check(r#"[{"q":"x"}]"#, r#"[{"op":"replace","path":"/0/q","value":1.0}]"#, r#"[{"q":1.0}]"#);
    check("[1]", r#"[{"op":"replace","path":"","value":null}]"#, "null");
    check("{\"a\":0}", r#"[{"op":"replace","path":"/a","value":0}]"#, "{\"a\":0}");
}

#[test]
fn values_move_and_are_copied() {
    let from = |op: &str, from: &str, to: &str| format!(r#"[{{"op":"{op}","from":"{from}","path":"{to}"}}]"#);
    check(r#"{"a":1}"#, &from("move", "/a", "/a"), r#"{"a":1}"#);
    check(r#"{"a":null}"#, &from("move", "/a", "/b"), r#"{"b":null}"#);
    check(r#"{"a":1,"b":2}"#, &from("move", "/a", "/b"), r#"{"b":1}"#);
    check(r#"{"a":[{"q":1}],"b":2}"#, &from("move", "/a/0/q", "/a/1"), r#"{"a":[{},1],"b":2}"#);
    check(r#"{"a":{"b":{"c":1}}}"#, &from("move", "/a/b", "/a"), r#"{"a":{"c":1}}"#);
    check(r#"{"a":{"b":1}}"#, &from("move", "/a/b", ""), "1");
    check(r#"{"a":{"b":1}}"#, &from("move", "/a", "/aa"), r#"{"aa":{"b":1}}"#);
    check(r#"{"a":[1],"b":2}"#, &from("move", "/b", "/a/-"), r#"{"a":[1,2]}"#);
    check(r#"[{"a":1}]"#, &from("copy", "/0", "/0/b"), r#"[{"a":1,"b":{"a":1}}]"#);
    check("[1,2]", &from("copy", "/1", "/0"), "[2,1,2]");
    check("[1]", &from("copy", "", "/0"), "[[1],1]");
    check(
        "{\n  \"a\": {\n    \"b\": [\n      1.50\n    ]\n  },\n  \"c\": 2\n}",
        &from("move", "/a/b", "/d"),
        "{\n  \"a\": {},\n  \"c\": 2,\n  \"d\": [\n    1.50\n  ]\n}",
    );
}

#[test]
fn a_test_compares_values() {
    let test = |path: &str, value: &str| format!(r#"[{{"op":"test","path":"{path}","value":{value}}}]"#);
    let document = r#"{"a":{"x":1,"y":[null,"\u0041"]},"n":100,"1e0":2}"#;
    check(document, &test("/a", r#"{"y":[null,"A"],"x":1.0}"#), document);
    check(document, &test("/n", "1e2"), document);
    check(document, &test("/1e0", "2"), document);
    fails(document, &test("/a", r#"{"y":[null,"A"]}"#));
    fails(document, &test("/a/y", "[\"A\",null]"));
    fails(document, &test("/n", "\"100\""));
    for nowhere in ["/b", "/a/y/2", "/a/y/-", "/a/y/00", "/a/y/1e0", "/n/x"] {
        fails(document, &test(nowhere, "null"));
    }
}

#[test]
fn nothing_is_done_unless_everything_is() {
    fails("{\"a\":1}", r#"[{"op":"replace","path":"/a","value":2},{"op":"test","path":"/a","value":1}]"#);
    refused(
        "{\"a\":1}",
        r#"[{"op":"replace","path":"/a","value":2},{"op":"remove","path":"/b"}]"#,
        "cannot apply operation 2 of the patch: cannot remove `b` in app.json: there is none",
    );
    check("{\"a\":1}", "[]", "{\"a\":1}");
}

#[test]
fn what_cannot_be_done_is_said() {
    let none = |verb: &str, path: &str| format!("cannot {verb} `{path}` in app.json: there is none");
    let document = r#"{"a":{"b":1},"t":[1,2]}"#;
    impossible(document, r#"{"op":"replace","path":"/a/c","value":1}"#, &none("replace", "a.c"));
    impossible(document, r#"{"op":"replace","path":"/x/y","value":1}"#, &none("replace", "x.y"));
    impossible(document, r#"{"op":"replace","path":"/t/-","value":1}"#, &none("replace", "t.-"));
    for index in ["2", "-", "-1", "00", "1e0", "18446744073709551616"] {
        impossible(
            document,
            &format!(r#"{{"op":"remove","path":"/t/{index}"}}"#),
            &none("remove", &format!("t.{index}")),
        );
    }
    impossible(document, r#"{"op":"remove","path":"/a/b/c"}"#, &none("remove", "a.b.c"));
    impossible(document, r#"{"op":"copy","from":"/t/-","path":"/c"}"#, &none("copy", "t.-"));
    impossible(document, r#"{"op":"move","from":"/t/01","path":"/c"}"#, &none("move", "t.01"));
    let inside = "cannot move `a` in app.json: `a.b` is inside of it";
    impossible(document, r#"{"op":"move","from":"/a","path":"/a/b"}"#, inside);
    let whole = "cannot remove `.` in app.json: it is the whole document";
    impossible(document, r#"{"op":"remove","path":""}"#, whole);
    let add = |path: &str| format!(r#"{{"op":"add","path":"{path}","value":0}}"#);
    let beyond = "cannot set `t.3` in app.json: `t` is an array of 2";
    impossible(document, &add("/t/3"), beyond);
    for key in ["-1", "01", "1e0", "x"] {
        let why = format!("cannot set `t.{key}` in app.json: `t` is an array, not an object");
        impossible(document, &add(&format!("/t/{key}")), &why);
    }
    impossible(document, &add("/a/b/c"), "cannot add `a.b.c` in app.json: `a.b` is a number, not an object");
}

#[test]
fn what_is_no_operation_is_refused() {
    let check = |operation: &str, why: &str| impossible("[1]", operation, why);
    check("1", "it is no object");
    check("{}", "it has no `op`");
    check(r#"{"op":1}"#, "its `op` is no string");
    let unknown = "there is no operation `spam`, only add, remove, replace, move, copy and test";
    check(r#"{"op":"spam","path":"/a","value":1}"#, unknown);
    check(r#"{"op":"Add","path":"/a","value":1}"#, &unknown.replace("spam", "Add"));
    for op in ["add", "replace", "test"] {
        check(&format!(r#"{{"op":"{op}","path":"/0"}}"#), "it has no `value`");
    }
    for op in ["copy", "move"] {
        check(&format!(r#"{{"op":"{op}","path":""}}"#), "it has no `from`");
    }
    check(r#"{"op":"add","value":1}"#, "it has no `path`");
    check(r#"{"op":"add","path":null,"value":1}"#, "its `path` is no string");
    check(r#"{"op":"add","path":"a","value":1}"#, "`a` is no JSON Pointer; begin it with `/`");
    let tilde = "`/~2` is no path: character 2: `~` stands alone; write ~0 for `~` and ~1 for `/`";
    check(r#"{"op":"remove","path":"/~2"}"#, tilde);
    check(r#"{"op":"remove","path":"/\ud800"}"#, "its `path` holds half a surrogate pair");
    check(r#"{"op":"remove","path":"/0","p\u0061th":"/0"}"#, "it has `path` more than once");
    refused("1", "{\"op\":\"remove\"}", "cannot apply the patch: it is no array of operations");
    let second = r#"[{"op":"test","path":"","value":0},{"op":"spam"}]"#;
    refused("1", second, &format!("cannot apply operation 2 of the patch: {unknown}"));
}

#[test]
fn a_patch_is_read_at_any_depth_and_with_comments() {
    let deep = "[".repeat(100_000) + &"]".repeat(100_000);
    check(
        "{\"a\":1}",
        &format!(r#"[{{"op":"add","path":"/a","value":{deep}}}]"#),
        &format!("{{\"a\":{deep}}}"),
    );
    refused("1", &deep, "cannot apply operation 1 of the patch: it is no object");
    let patch = "[ // one\n {\"op\": /**/ \"add\", \"path\": \"/a\", \"value\": [1, // one\n],},\n]";
    let strict = patched("{\"a\":0}", patch, (Syntax::Strict, Syntax::Comments)).unwrap();
    assert_eq!(strict.as_deref(), Some("{\"a\":[1\n]}"));
    let comments = patched("{\"a\":0,}", patch, (Syntax::Comments, Syntax::Comments)).unwrap();
    assert_eq!(comments.as_deref(), Some("{\"a\":[1, // one\n],}"));
}

fn value() -> impl Strategy<Value = Value> {
    let key = prop_oneof![Just("a"), Just("b"), Just("0"), Just("-"), Just("")];
    let leaf = prop_oneof![Just(Value::Null), (0..3).prop_map(Value::from), "[a~/]?".prop_map(Value::from)];
    leaf.prop_recursive(3, 12, 3, move |inner| {
        let members = proptest::collection::vec((key.clone().prop_map(str::to_owned), inner.clone()), 0..4);
        prop_oneof![
            members.prop_map(|members| Value::Object(members.into_iter().collect())),
            proptest::collection::vec(inner, 0..4).prop_map(Value::Array),
        ]
    })
}

fn operation() -> impl Strategy<Value = Value> {
    let pointer = || "(/(a|b|0|1|2|-|01|)){0,3}";
    let op = proptest::sample::select(&["add", "add", "remove", "replace", "move", "copy", "test"][..]);
    (op, pointer(), pointer(), value())
        .prop_map(|(op, path, from, value)| json!({"op": op, "path": path, "from": from, "value": value}))
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1000))]

    #[test]
    fn a_patch_does_what_it_does_elsewhere(
        document in value(),
        operations in proptest::collection::vec(operation(), 1..4),
        is_pretty in any::<bool>(),
    ) {
        // The other one refuses to move the whole document to where it is.
        let is_idle = |operation: &Value| {
            operation["op"] == "move" && operation["from"] == "" && operation["path"] == ""
        };
        prop_assume!(!operations.iter().any(is_idle));
        let print = if is_pretty { serde_json::to_string_pretty } else { serde_json::to_string };
        let text = print(&document).unwrap();
        let patch = Value::Array(operations);
        let mut want = document.clone();
        let operations: json_patch::Patch = serde_json::from_value(patch.clone()).unwrap();
        // The other function of that crate panics on some patches when it undoes what was done.
        let theirs = json_patch::patch_unsafe(&mut want, &operations);
        let ours = patched(&text, &patch.to_string(), STRICT);
        prop_assert_eq!(theirs.is_ok(), matches!(ours, Ok(Some(_))), "{:?} {:?}", theirs, ours);
        if let Ok(Some(ours)) = ours {
            prop_assert_eq!(serde_json::from_str::<Value>(&ours).unwrap(), want, "{}", ours);
        }
    }
}
