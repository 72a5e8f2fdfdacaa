//! Edits, by what becomes of the text.

mod random;
mod sound;

use super::*;

fn document(text: &str, syntax: Syntax) -> Document {
    Document::new(Text::new(text.into()), syntax, FilePath::new("app.json"))
}

fn text_of(document: &Document) -> String {
    String::from_utf8(document.text().all().unwrap()).unwrap()
}

#[track_caller]
fn check_with(syntax: Syntax, before: &str, edit: impl Fn(&mut Document) -> Result<()>, want: &str) {
    let mut edited = document(before, syntax);
    edit(&mut edited).unwrap();
    assert_eq!(text_of(&edited), want, "from {before:?}");
    edited.check(&Path::of(&[])).unwrap();
}

#[track_caller]
fn set(before: &str, path: &str, value: &str, want: &str) {
    let path = Path::parse(path).unwrap();
    check_with(Syntax::Strict, before, |document| document.set(&path, value.as_bytes()), want);
}

#[track_caller]
fn remove(before: &str, path: &str, want: &str) {
    let path = Path::parse(path).unwrap();
    check_with(Syntax::Strict, before, |document| document.remove(&path).map(|_| ()), want);
}

#[test]
fn only_the_value_changes() {
    set("{\"a\": 0}", "a", "1", "{\"a\": 1}");
    set("\u{feff}{\"a\":0}\r\n", "a", "[1]", "\u{feff}{\"a\":[1]}\r\n");
    set(" 7 ", "", "8", " 8 ");
    set("[1,[2,3]]", "[1][0]", "9", "[1,[9,3]]");
    set("[1,[2,3]]", "[-1][-2]", "9", "[1,[9,3]]");
    set("{\"a\":{\"0\":1}}", "/a/0", "2", "{\"a\":{\"0\":2}}");
    set("{\"a\": 0, \"b\": 1.50}", "b", "1.50", "{\"a\": 0, \"b\": 1.50}");
    set("{\"a\": { \"x\" :1,\"y\":2 } }", "a", "{\"y\":2,\"x\":1}", "{\"a\": { \"x\" :1,\"y\":2 } }");
    set("{\"\\u0061\":0}", "a", "1", "{\"\\u0061\":1}");
}

#[test]
fn the_last_of_equal_keys_is_the_one_that_counts() {
    set("{\"a\":{\"b\":1},\"a\":{\"b\":2}}", "a.b", "3", "{\"a\":{\"b\":1},\"a\":{\"b\":3}}");
    set("{\"a\":{\"b\":1},\"a\":{}}", "a.b", "3", "{\"a\":{\"b\":1},\"a\":{\"b\":3}}");
    remove("{\"a\":1,\"b\":2,\"a\":3}", "a", "{\"b\":2}");
}

#[test]
fn a_new_member_looks_like_the_others() {
    set("{\n  \"a\": 1\n}\n", "b", "2", "{\n  \"a\": 1,\n  \"b\": 2\n}\n");
    set("{\r\n\t\"a\":1\r\n}", "b", "2", "{\r\n\t\"a\":1,\r\n\t\"b\":2\r\n}");
    set("{\"a\":1}", "b", "2", "{\"a\":1,\"b\":2}");
    set("{\"a\": 1}", "b", "2", "{\"a\": 1, \"b\": 2}");
    set("{ \"a\" : 1 }", "b", "2", "{ \"a\" : 1, \"b\" : 2 }");
    set("{\"a\":1,  \"c\":3}", "b", "2", "{\"a\":1,  \"c\":3,  \"b\":2}");
    set(
        "{\n    \"a\": {\n        \"x\": 1\n    }\n}",
        "a.y.z",
        "[]",
        "{\n    \"a\": {\n        \"x\": 1,\n        \"y\": {\n            \"z\": []\n        }\n    }\n}",
    );
    set("{\"a\":{\"x\":1}}", "a.y.z", "2", "{\"a\":{\"x\":1,\"y\":{\"z\":2}}}");
}

#[test]
fn an_empty_container_is_filled_like_the_text_around() {
    set("{}", "a", "1", "{\n  \"a\": 1\n}");
    set("{}\n", "a[0]", "1", "{\n  \"a\": [\n    1\n  ]\n}\n");
    set("{\n\t\"a\": {},\n\t\"b\": 1\n}", "a.x", "1", "{\n\t\"a\": {\n\t\t\"x\": 1\n\t},\n\t\"b\": 1\n}");
    set("{\"a\":{}}", "a.b", "1", "{\"a\":{\"b\":1}}");
    set("{\"a\": { }}", "a.b", "1", "{\"a\": { \"b\": 1 }}");
    set(
        "{\n   \"a\": 1,\n   \"t\": []\n}",
        "/t/-",
        "\"x\"",
        "{\n   \"a\": 1,\n   \"t\": [\n      \"x\"\n   ]\n}",
    );
}

#[test]
fn elements_are_appended() {
    set("{\"t\": [\"a\"]}", "/t/-", "1", "{\"t\": [\"a\", 1]}");
    set("{\"t\":[\"a\"]}", "t[-]", "1", "{\"t\":[\"a\",1]}");
    set("{\"t\": [1, 2,\n 3, 4]}", "t[4]", "5", "{\"t\": [1, 2,\n 3, 4, 5]}");
    set("[\n  1\n]", "/1", "2", "[\n  1,\n  2\n]");
    set("[1,2]", "[-]", "3", "[1,2,3]");
}

#[test]
fn a_value_of_lines_moves_to_its_place() {
    let value = "{\n  \"x\": [\n    1\n  ]\n}";
    set("{\n\t\"a\": 0\n}", "a", value, "{\n\t\"a\": {\n\t\t\"x\": [\n\t\t\t1\n\t\t]\n\t}\n}");
    set("{\n\t\"a\": 0\n}", "b", value, "{\n\t\"a\": 0,\n\t\"b\": {\n\t\t\"x\": [\n\t\t\t1\n\t\t]\n\t}\n}");
}

#[test]
fn what_is_new_looks_like_its_neighbours() {
    set("{ \"a\": 1\n, \"b\": 2\n}", "c", "3", "{ \"a\": 1\n, \"b\": 2\n, \"c\": 3\n}");
    remove("{ \"a\": 1\n, \"b\": 2\n}", "b", "{ \"a\": 1\n}");
    set("[\n  [1],\n  [2]\n]", "[-][-]", "3", "[\n  [1],\n  [2],\n  [3]\n]");
    set("{\n  \"l\": [{}]\n}", "l[-]", "{\n \"a\": 1\n}", "{\n  \"l\": [{}, {\n    \"a\": 1\n  }]\n}");
    remove("{\n  \"a\": 1,\n\n  \"b\": 2,\n\n  \"c\": 3\n}", "b", "{\n  \"a\": 1,\n\n  \"c\": 3\n}");
    remove("{\n  \"a\": 1,\n\n  \"b\": 2\n}", "a", "{\n  \"b\": 2\n}");
    remove("[1 ,\n 2\n]", "[1]", "[1\n]");
    check_with(
        Syntax::Comments,
        "[\n  1,\n  // two\n  2\n]",
        |document| document.add(&Path::parse("/1").unwrap(), b"9"),
        "[\n  1,\n  9,\n  // two\n  2\n]",
    );
}

#[test]
fn elements_are_inserted_before_others() {
    let check = |before: &str, path: &str, want: &str| {
        let path = Path::parse(path).unwrap();
        check_with(Syntax::Strict, before, |document| document.add(&path, b"0"), want);
    };
    check("[1,2]", "/0", "[0,1,2]");
    check("[1, 2]", "/1", "[1, 0, 2]");
    check("[\n  1,\n  2\n]", "/1", "[\n  1,\n  0,\n  2\n]");
    check("[1]", "/1", "[1,0]");
    check("[1]", "/-", "[1,0]");
    check("{\"a\":1}", "/a", "{\"a\":0}");
}

#[test]
fn a_removed_item_takes_its_comma_and_its_line() {
    let lines = "{\n  \"a\": 1,\n  \"b\": {\n    \"c\": 1\n  },\n  \"d\": 3\n}\n";
    remove(lines, "a", "{\n  \"b\": {\n    \"c\": 1\n  },\n  \"d\": 3\n}\n");
    remove(lines, "b", "{\n  \"a\": 1,\n  \"d\": 3\n}\n");
    remove(lines, "d", "{\n  \"a\": 1,\n  \"b\": {\n    \"c\": 1\n  }\n}\n");
    remove(lines, "b.c", "{\n  \"a\": 1,\n  \"b\": {},\n  \"d\": 3\n}\n");
    remove(lines, "x", lines);
    remove("{\"a\": 1, \"b\": 2}", "a", "{\"b\": 2}");
    remove("{\"a\": 1, \"b\": 2}", "b", "{\"a\": 1}");
    remove("{ \"a\": 1, \"b\": 2, \"c\": 3 }", "b", "{ \"a\": 1, \"c\": 3 }");
    remove("{ \"a\": 1 }", "a", "{}");
    remove("[1,2,3]", "[1]", "[1,3]");
    remove("[1,2,3]", "[-1]", "[1,2]");
    remove("{\"a\": 1,\n \"b\": 2}", "a", "{\n \"b\": 2}");
    remove("{\"a\": 1, \"b\": 2,\n \"c\": 3}", "b", "{\"a\": 1,\n \"c\": 3}");
}

#[test]
fn comments_stay_where_they_are() {
    let set = |before: &str, path: &str, want: &str| {
        let path = Path::parse(path).unwrap();
        check_with(Syntax::Comments, before, |document| document.set(&path, b"9"), want);
    };
    set("{ // x\n  \"a\": 1 // one\n}", "a", "{ // x\n  \"a\": 9 // one\n}");
    set("{\n  \"a\": 1 // one\n}", "b", "{\n  \"a\": 1, // one\n  \"b\": 9\n}");
    set("{\n  \"a\": 1, // one\n}", "b", "{\n  \"a\": 1, // one\n  \"b\": 9,\n}");
    set("{\n  \"a\": 1\n  // last\n}", "b", "{\n  \"a\": 1,\n  \"b\": 9\n  // last\n}");
    set("[1,2,]", "[-]", "[1,2,9,]");
    set("[1 // one\n]", "[-]", "[1, // one\n9\n]");
    set("[1 /* one */]", "[-]", "[1, /* one */ 9]");
    set("{/* none */}", "a", "{/* none */\n  \"a\": 9\n}");
    set("{\n  // none\n}", "a", "{\n  // none\n  \"a\": 9\n}");
    let remove = |before: &str, path: &str, want: &str| {
        let path = Path::parse(path).unwrap();
        check_with(Syntax::Comments, before, |document| document.remove(&path).map(|_| ()), want);
    };
    remove("{\n  // a\n  \"a\": 1, // one\n  \"b\": 2\n}", "a", "{\n  // a\n  // one\n  \"b\": 2\n}");
    remove("{\n  \"a\": 1,\n  // b\n  \"b\": 2 // two\n}", "b", "{\n  \"a\": 1\n  // b\n  // two\n}");
    remove("{\n  \"a\": 1,\n  \"b\": 2,\n}", "b", "{\n  \"a\": 1,\n}");
    remove("[1 /* one */, 2]", "[0]", "[/* one */ 2]");
    remove("[1, // one\n2 // two\n]", "[1]", "[1 // one\n// two\n]");
}

#[test]
fn what_cannot_be_set_is_said() {
    let check = |before: &str, path: &str, want: &str| {
        let error = document(before, Syntax::Strict).set(&Path::parse(path).unwrap(), b"1").unwrap_err();
        assert_eq!(error.to_string(), want);
    };
    check("{\"a\": 1}", "a.b", "cannot set `a.b` in app.json: `a` is a number, not an object");
    check("{\"a\": 1}", "a[0]", "cannot set `a[0]` in app.json: `a` is a number, not an array");
    check("{\"a\": [1]}", "a.b", "cannot set `a.b` in app.json: `a` is an array, not an object");
    check("{\"a\": {}}", "a[0]", "cannot set `a[0]` in app.json: `a` is an object, not an array");
    check("{\"a\": [1]}", "a[2]", "cannot set `a[2]` in app.json: `a` is an array of 1");
    check("[]", "[-1]", "cannot set `[-1]` in app.json: `.` is an array of 0");
    check(
        "{}",
        "/a/0",
        "cannot set `a.0` in app.json: `a` does not exist, and `0` does not say whether it is to be an object or an array",
    );
}

#[test]
fn large_texts_are_edited_as_small_ones() {
    let large = format!("{{\n  \"pad\": \"{}\",\n  \"a\": 1\n}}", "x".repeat(3 << 20));
    let mut file = tempfile::tempfile().unwrap();
    std::io::Write::write_all(&mut file, large.as_bytes()).unwrap();
    let text = Text::of(file, FilePath::new("app.json")).unwrap();
    let mut edited = Document::new(text, Syntax::Strict, FilePath::new("app.json"));
    edited.set(&Path::parse("b").unwrap(), b"2").unwrap();
    edited.set(&Path::parse("a").unwrap(), b"3").unwrap();
    let want = large.replace("\"a\": 1", "\"a\": 3,\n  \"b\": 2");
    assert!(text_of(&edited) == want);
    edited.remove(&Path::parse("pad").unwrap()).unwrap();
    assert_eq!(text_of(&edited), "{\n  \"a\": 3,\n  \"b\": 2\n}");
}
