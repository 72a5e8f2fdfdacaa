//! The examples of the standards, through the binary.

use testkit::Case;

/// A run of `flag` with `patch` on standard input, on a file with `document` in it.
fn run(document: &str, flag: &str, patch: &str) -> Case {
    Case::new(env!("CARGO_BIN_EXE_jsonset")).args(["a.json", flag, "-"]).file("a.json", document).stdin(patch)
}

#[track_caller]
fn merges(document: &str, patch: &str, want: &str) {
    let output = run(document, "--merge", patch).run();
    assert_eq!(String::from_utf8(output.read("a.json")).unwrap(), want);
}

#[track_caller]
fn patches(document: &str, patch: &str, want: &str) {
    let output = run(document, "--patch", patch).run();
    assert_eq!(String::from_utf8(output.read("a.json")).unwrap(), want);
}

/// The patch is refused with `status`, and the file stays.
#[track_caller]
fn refuses(status: i32, why: &str, document: &str, patch: &str) {
    let output = run(document, "--patch", patch).status(status).stderr_has(why).run();
    assert_eq!(String::from_utf8(output.read("a.json")).unwrap(), document);
}

#[test]
fn the_examples_of_rfc_7396_hold() {
    // RFC 7396, appendix A.
    for (document, patch, want) in [
        (r#"{"a":"b"}"#, r#"{"a":"c"}"#, r#"{"a":"c"}"#),
        (r#"{"a":"b"}"#, r#"{"b":"c"}"#, r#"{"a":"b","b":"c"}"#),
        (r#"{"a":"b"}"#, r#"{"a":null}"#, r"{}"),
        (r#"{"a":"b","b":"c"}"#, r#"{"a":null}"#, r#"{"b":"c"}"#),
        (r#"{"a":["b"]}"#, r#"{"a":"c"}"#, r#"{"a":"c"}"#),
        (r#"{"a":"c"}"#, r#"{"a":["b"]}"#, r#"{"a":["b"]}"#),
        (r#"{"a":{"b":"c"}}"#, r#"{"a":{"b":"d","c":null}}"#, r#"{"a":{"b":"d"}}"#),
        (r#"{"a":[{"b":"c"}]}"#, r#"{"a":[1]}"#, r#"{"a":[1]}"#),
        (r#"["a","b"]"#, r#"["c","d"]"#, r#"["c","d"]"#),
        (r#"{"a":"b"}"#, r#"["c"]"#, r#"["c"]"#),
        (r#"{"a":"foo"}"#, "null", "null"),
        (r#"{"a":"foo"}"#, r#""bar""#, r#""bar""#),
        (r#"{"e":null}"#, r#"{"a":1}"#, r#"{"e":null,"a":1}"#),
    ] {
        merges(document, patch, want);
    }
    // These two make a new object of the whole document, which gets lines.
    merges("[1,2]", r#"{"a":"b","c":null}"#, "{\n  \"a\": \"b\"\n}");
    merges("{}", r#"{"a":{"bb":{"ccc":null}}}"#, "{\n  \"a\": {\n    \"bb\": {}\n  }\n}");
}

#[test]
fn the_examples_of_rfc_6902_hold() {
    // RFC 6902, appendix A.1 to A.16.
    for (document, patch, want) in [
        (r#"{"foo":"bar"}"#, r#"[{"op":"add","path":"/baz","value":"qux"}]"#, r#"{"foo":"bar","baz":"qux"}"#),
        (
            r#"{"foo":["bar","baz"]}"#,
            r#"[{"op":"add","path":"/foo/1","value":"qux"}]"#,
            r#"{"foo":["bar","qux","baz"]}"#,
        ),
        (r#"{"baz":"qux","foo":"bar"}"#, r#"[{"op":"remove","path":"/baz"}]"#, r#"{"foo":"bar"}"#),
        (
            r#"{"foo":["bar","qux","baz"]}"#,
            r#"[{"op":"remove","path":"/foo/1"}]"#,
            r#"{"foo":["bar","baz"]}"#,
        ),
        (
            r#"{"baz":"qux","foo":"bar"}"#,
            r#"[{"op":"replace","path":"/baz","value":"boo"}]"#,
            r#"{"baz":"boo","foo":"bar"}"#,
        ),
        (
            r#"{"foo":{"bar":"baz","waldo":"fred"},"qux":{"corge":"grault"}}"#,
            r#"[{"op":"move","from":"/foo/waldo","path":"/qux/thud"}]"#,
            r#"{"foo":{"bar":"baz"},"qux":{"corge":"grault","thud":"fred"}}"#,
        ),
        (
            r#"{"foo":["all","grass","cows","eat"]}"#,
            r#"[{"op":"move","from":"/foo/1","path":"/foo/3"}]"#,
            r#"{"foo":["all","cows","eat","grass"]}"#,
        ),
        (
            r#"{"baz":"qux","foo":["a",2,"c"]}"#,
            r#"[{"op":"test","path":"/baz","value":"qux"},{"op":"test","path":"/foo/1","value":2}]"#,
            r#"{"baz":"qux","foo":["a",2,"c"]}"#,
        ),
        (
            r#"{"foo":"bar"}"#,
            r#"[{"op":"add","path":"/child","value":{"grandchild":{}}}]"#,
            r#"{"foo":"bar","child":{"grandchild":{}}}"#,
        ),
        (
            r#"{"foo":"bar"}"#,
            r#"[{"op":"add","path":"/baz","value":"qux","xyz":123}]"#,
            r#"{"foo":"bar","baz":"qux"}"#,
        ),
        (r#"{"/":9,"~1":10}"#, r#"[{"op":"test","path":"/~01","value":10}]"#, r#"{"/":9,"~1":10}"#),
        (
            r#"{"foo":["bar"]}"#,
            r#"[{"op":"add","path":"/foo/-","value":["abc","def"]}]"#,
            r#"{"foo":["bar",["abc","def"]]}"#,
        ),
    ] {
        patches(document, patch, want);
    }
    refuses(1, "", r#"{"baz":"qux"}"#, r#"[{"op":"test","path":"/baz","value":"bar"}]"#);
    refuses(1, "", r#"{"/":9,"~1":10}"#, r#"[{"op":"test","path":"/~01","value":"10"}]"#);
    let why = "cannot apply operation 1 of the patch: cannot add `baz.bat` in a.json: there is no `baz`";
    refuses(2, why, r#"{"foo":"bar"}"#, r#"[{"op":"add","path":"/baz/bat","value":"qux"}]"#);
    let twice = r#"[{"op":"add","path":"/baz","value":"qux","op":"remove"}]"#;
    refuses(2, "operation 1 of the patch: it has `op` more than once", r#"{"foo":"bar"}"#, twice);
}

#[test]
fn the_pointers_of_rfc_6901_lead_where_it_says() {
    // Section 5.
    let document =
        r#"{"foo":["bar","baz"],"":0,"a/b":1,"c%d":2,"e^f":3,"g|h":4,"i\\j":5,"k\"l":6," ":7,"m~n":8}"#;
    for (pointer, value) in [
        ("", document),
        ("/foo", r#"["bar","baz"]"#),
        ("/foo/0", "\"bar\""),
        ("/", "0"),
        ("/a~1b", "1"),
        ("/c%d", "2"),
        ("/e^f", "3"),
        ("/g|h", "4"),
        (r"/i\j", "5"),
        (r#"/k"l"#, "6"),
        ("/ ", "7"),
        ("/m~0n", "8"),
    ] {
        let get = Case::new(env!("CARGO_BIN_EXE_jsonset")).args(["a.json", "--get", pointer]);
        get.file("a.json", document).stdout(format!("{value}\n")).run();
    }
}
