//! The bytes outside of an edit, on documents that other tools rewrite.

use testkit::Case;

fn case() -> Case {
    Case::new(env!("CARGO_BIN_EXE_jsonset"))
}

/// 26 documents with what is odd about each, all with `"counter": 0` or `"counter":0` in them once.
fn documents() -> Vec<(&'static str, String)> {
    let member = |member: &str| format!("{{\n  {member},\n  \"counter\": 0\n}}\n");
    let nested = |depth: usize| {
        let inner = ["[".repeat(depth), "]".repeat(depth)].concat();
        format!("{{\"deep\": {inner}, \"counter\": 0}}\n")
    };
    vec![
        ("one-point-zero", member(r#""a": [1.0, 10.50, 1E2, 1e+2, 0.1e-07]"#)),
        ("beyond-2-to-the-53", member(r#""id": 9007199254740993"#)),
        (
            "thirty-digits",
            member(r#""id": 123456789012345678901234567890, "x": 0.123456789012345678901234567890"#),
        ),
        ("out-of-range", member(r#""big": 1e400, "small": 1e-400"#)),
        ("minus-zero", member(r#""a": -0, "b": -0.0"#)),
        ("equal-keys", member(r#""a": 1, "a": {"x": 1, "x": 2}, "a": 2"#)),
        ("indent-2", "{\n  \"a\": {\n    \"b\": []\n  },\n  \"counter\": 0\n}\n".into()),
        ("indent-4", "{\n    \"a\": {\n        \"b\": []\n    },\n    \"counter\": 0\n}\n".into()),
        ("tabs", "{\n\t\"a\": {\n\t\t\"b\": []\n\t},\n\t\"counter\": 0\n}\n".into()),
        ("mixed-indent", "{\n  \"a\": 1,\n\t  \"b\" :2 ,\n      \"counter\":   0\n }\n".into()),
        ("compact", "{\"z\":1,\"a\":[1,2,{\"b\":null}],\"counter\":0}".into()),
        (
            "inline-arrays",
            "{\n  \"a\": [1, 2,   3],\n  \"b\": [ {\"x\": 1}, {\"x\": 2} ],\n  \"counter\": 0\n}\n".into(),
        ),
        ("crlf", "{\r\n  \"a\": 1,\r\n  \"counter\": 0\r\n}\r\n".into()),
        ("no-final-newline", "{\n  \"counter\": 0\n}".into()),
        ("blanks-at-ends", "{  \n  \"a\": 1,  \t\n\n\n  \"counter\": 0   \n}  \n\n\n".into()),
        ("escapes", member(r#""caf\u00e9": "a\/b \u003c\u2028 \uD83D\uDE00 \b\f""#)),
        ("raw-utf-8", member("\"é😀\": \"zł €\u{2028}\u{7f}\"")),
        ("half-a-pair", member(r#""a": "\ud800", "\udc00": 1"#)),
        ("nul-escape", member(r#""a": "x\u0000y", "\u0000": 1"#)),
        ("empty-keys", member(r#""": 1, " ": 2, "a.b": 3, "a/b": 4, "~": 5, "-": 6, "0": 7"#)),
        ("byte-order-mark", "\u{feff}{\"counter\": 0}\n".into()),
        ("long-string", member(&format!("\"a\": \"{}\"", "lorem ipsum ".repeat(20_000)))),
        ("depth-600", nested(600)),
        ("depth-20000", nested(20_000)),
        (
            "comments.jsonc",
            "// head\n{ /* a, */ \"a\": 1, // \"counter\": 1\n  \"counter\": 0 // last\n}\n// foot".into(),
        ),
        ("last-comma.jsonc", "{\n  \"a\": [1, 2, ],\n  \"counter\": 0,\n}\n".into()),
    ]
}

/// The name of the file: what it may hold is known by its end.
fn file_of(name: &str) -> String {
    if name.contains(".jsonc") { name.into() } else { format!("{name}.json") }
}

#[test]
fn only_the_byte_of_the_edit_differs_in_26_documents() {
    let documents = documents();
    assert_eq!(documents.len(), 26);
    for (name, before) in documents {
        let file = file_of(name);
        let place = before.rfind("\"counter\":").unwrap();
        let zero = place + before[place..].find('0').unwrap();
        let want = [&before[..zero], "1", &before[zero + 1..]].concat();
        let run = case().args([&file, "counter=1"]).file(&file, &before).run();
        assert!(run.read(&file) == want.as_bytes(), "{name}");
        let run = case().args([&file, "--increment", "counter"]).file(&file, &before).run();
        assert!(run.read(&file) == want.as_bytes(), "{name} incremented");
    }
}

#[test]
fn a_member_that_comes_and_goes_leaves_no_trace() {
    for (name, before) in documents() {
        let file = file_of(name);
        let with = case().args([&file, "new.member=[1]"]).file(&file, &before).run();
        let between = with.read(&file);
        assert!(between != before.as_bytes(), "{name}");
        let without = case().args([&file, "--delete", "new"]).file(&file, between).run();
        // The comment behind what was the last member now stands behind a comma.
        assert_eq!(
            without.read(&file).escape_ascii().to_string(),
            before.as_bytes().escape_ascii().to_string(),
            "{name}"
        );
    }
}

#[test]
fn what_is_no_json_is_refused_with_its_place_and_stays() {
    let deep = "[".repeat(100_000);
    let in_a_large_text = format!("{{\n  \"pad\": \"{}\",\n  \"é\": 01\n}}\n", "x".repeat(2 << 20));
    let check = |bytes: &[u8], place: &str| {
        let run = case()
            .args(["a.json", "counter=1"])
            .file("a.json", bytes)
            .status(2)
            .stderr_has(format!("a.json:{place} "))
            .run();
        assert!(run.read("a.json") == bytes, "{place}");
    };
    check(b"{\"a\": 1,}", "1:8");
    check(b"{\n  // x\n}", "2:3");
    check(b"{'a': 1}", "1:2");
    check(b"{\"a\": 1\n \"b\": 2}", "2:2");
    check(b"{\"a\": \"\xc3\"}", "1:8");
    check(b"{\"a\": \"x\ny\"}", "1:9");
    check("{\"é\": \"\\q\"}".as_bytes(), "1:8");
    check(b"{\"a\": 1", "1:8");
    check(b"{}{}", "1:3");
    check(b"{\"a\": NaN}", "1:7");
    check(b"{\"a\": -01}", "1:9");
    check(b"{\"a\": 1.}", "1:9");
    check(b"\xef\xbb\xbf{", "1:2");
    check(b"\xff\xfe{\0}\0", "1:1");
    check(b"\0\0\0\0", "1:1");
    check(b"{}\0", "1:3");
    check(deep.as_bytes(), "1:100001");
    check(in_a_large_text.as_bytes(), "3:9");
}
