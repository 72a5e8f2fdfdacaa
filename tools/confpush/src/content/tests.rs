use std::path::Path;

use proptest::prelude::*;

use super::*;
use crate::spec::reader;

fn documents_of(kind: Kind, text: &str) -> String {
    match documents(kind, text.as_bytes()) {
        Ok(all) => all.iter().map(ToString::to_string).collect::<Vec<_>>().join(" "),
        Err(why) => why,
    }
}

#[test]
fn json_is_strict() {
    let check = |text: &str, want: &str| assert_eq!(documents_of(Kind::Json, text), want);
    check(r#"{"a": [1, -2, 1.5, null, true, "x"]}"#, r#"{"a":[1,-2,1.5,null,true,"x"]}"#);
    check("{\"a\": 1,\n}", "line 2, column 1: trailing comma");
    check("{\"a\": 1,\n \"a\": 2}", "line 2, column 4: the key `a` is there twice");
    check("{} x", "line 1, column 4: trailing characters");
    check("", "line 1, column 1: EOF while parsing a value");
    check("\u{feff}{}", "line 1, column 1: a byte order mark, which RFC 8259 forbids");
    check(&"[".repeat(200), "line 1, column 128: more than 127 levels deep");
}

#[test]
fn yaml_is_strict() {
    let check = |text: &str, want: &str| assert_eq!(documents_of(Kind::Yaml, text), want);
    check(
        "a: 1\nb: [x, 'y', 1.5, 0x1f, ~, no, True, '1', +5, .5]",
        r#"{"a":1,"b":["x","y",1.5,31,null,"no",true,"1",5,0.5]}"#,
    );
    check("a: 1\n---\nb: 2\n", r#"{"a":1} {"b":2}"#);
    check(
        "a: &x {n: 1, m: 2}\nb: {<<: *x, m: 3}\nc: *x",
        r#"{"a":{"m":2,"n":1},"b":{"m":3,"n":1},"c":{"m":2,"n":1}}"#,
    );
    check("", "");
    check("a: 1\nb: 2\na: 3\n", "line 3, column 1: the key `a` is there twice");
    check("a: [1\nb: 2", "line 2, column 2: illegal placement of ':' indicator");
    check("? [a]\n: b", "line 1, column 3: a key that is a list or a mapping");
    check("&a [*a]", "line 1, column 5: an alias of itself");
    check("a: *b", "line 1, column 4: while parsing node, found unknown anchor");
    check(&"[".repeat(200), "line 1, column 128: more than 127 levels deep");
    let bomb: String = (0..9).fold(String::new(), |text, at| {
        format!("{text}a{at}: &a{at} [{}]\n", format!("*a{},", at - 1).repeat(10))
    });
    let bomb = bomb.replace("*a-1", "x");
    assert!(documents_of(Kind::Yaml, &bomb).contains("more than 1000000 values"), "{bomb}");
}

#[test]
fn toml_is_strict() {
    let check = |text: &str, want: &str| assert_eq!(documents_of(Kind::Toml, text), want);
    check("a = 1\n[b]\nc = 2026-01-02\nd = inf", r#"{"a":1,"b":{"c":"2026-01-02"}}"#);
    check("a = 1\na = 2", "line 2, column 1: duplicate key");
    check("a = ", "line 1, column 5: string values must be quoted, expected literal string");
}

#[test]
fn ini_is_what_its_dialects_agree_on() {
    let good = "; c\n# c\n[mysqld]\nport = 1\nskip-name-resolve\nname: x\n[a \"b\"] # c\n\tkey = v\nlong = a\n  goes on here\nexec = a \\\n b c d\r\n\n";
    let check = |text: &str, want: &str| assert_eq!(documents_of(Kind::Ini, text), want);
    check(good, "");
    check("", "");
    check("a = 1\n<<<<<<< HEAD\n", "line 2, column 1: neither a section nor `key = value`");
    check("=======\n", "line 1, column 1: a value without a key");
    check("[a\n", "line 1, column 1: a section without `]`");
    check("[]\n", "line 1, column 1: a section without a name");
    check("[a] b\n", "line 1, column 1: something behind a section");
    check("[a]\n  two words\n", "line 2, column 3: neither a section nor `key = value`");
    check("a = \0\n", "line 1, column 5: a control character");
}

#[test]
fn what_is_no_text_is_told() {
    assert_eq!(documents(Kind::Yaml, b"a: \xff").unwrap_err(), "line 1, column 4: not UTF-8");
    assert_eq!(documents(Kind::Text, b"\xff"), Ok(Vec::new()));
    assert_eq!(place("ä\nöü".as_bytes(), 5), (2, 2));
}

/// A spec in `folder` of a file with this ending, with these lines.
fn spec(folder: &Path, ending: &str, lines: &str) -> Spec {
    let text = format!(
        "name = 'web'\nsource = 'x'\npath = '/etc/app.{ending}'\n{lines}\n[[environments]]\nname = 'e'\nhosts = 'h'"
    );
    let judged = reader::read_text(&folder.join("web.toml"), &text);
    assert_eq!(judged.faults, []);
    judged.spec.unwrap()
}

#[test]
fn a_document_follows_its_schema() {
    let folder = tempfile::tempdir().unwrap();
    let place = folder.path().display().to_string();
    let check = |ending: &str, schema: &str, text: &str, want: &str| {
        testkit::write(folder.path().join("s.json"), schema);
        testkit::write(folder.path().join("port.json"), r#"{"type": "integer", "maximum": 65535}"#);
        let spec = spec(folder.path(), ending, "schema = 's.json'");
        let judged = judge(&spec, text.as_bytes()).err().unwrap_or_default();
        assert_eq!(judged.replace(&place, "F"), want);
    };
    let port = r#"{"properties": {"port": {"$ref": "port.json"}}, "required": ["port"]}"#;
    check("json", port, r#"{"port": 80}"#, "");
    check(
        "json",
        port,
        r#"{"port": "80"}"#,
        r#"it is not as F/s.json says: /port: "80" is not of type "integer""#,
    );
    check(
        "yaml",
        port,
        "port: 70000",
        "it is not as F/s.json says: /port: 70000 is greater than the maximum of 65535",
    );
    check("yaml", port, "port: 1\n---\nx: 1", r#"it is not as F/s.json says: "port" is a required property"#);
    check("toml", port, "port = 0x50", "");
    let endless = "line 1: `port`: is to be a finite number";
    check("toml", port, "port = inf", &format!("it cannot be judged by F/s.json: {endless}"));
    check("json", "{", "{}", "F/s.json is no JSON Schema: line 1, column 1: EOF while parsing an object");
    check("json", port, "{", "it is no JSON: line 1, column 1: EOF while parsing an object");
    secrets::conceal::secret(&"c0ncealed-word".into());
    let told = r#"it is not as F/s.json says: /port: "[secret]" is not of type "integer""#;
    check("json", port, r#"{"port": "c0ncealed-word"}"#, told);
    for away in ["http://localhost:9/x.json", "../x.json", "none.json"] {
        let spec = {
            testkit::write(folder.path().join("s.json"), format!(r#"{{"$ref": "{away}"}}"#));
            spec(folder.path(), "json", "schema = 's.json'")
        };
        let why = judge(&spec, b"{}").unwrap_err();
        assert!(why.contains("nothing is fetched") || why.contains("cannot read"), "{why}");
    }
}

#[test]
fn a_command_judges_the_file() {
    let folder = tempfile::tempdir().unwrap();
    let check = |lines: &str, want: &str| {
        let spec = spec(folder.path(), "json", lines);
        let judged = judge_locally(&spec, b"{\"a\": 1}", "web01").err().unwrap_or_default();
        assert_eq!(judged, want);
    };
    check("", "");
    check("validate.local = 'test \"$(cat {})\" = \"{\\\"a\\\": 1}\"'", "");
    check("validate.local = '! test -s {}'", "`validate.local`: exit status 1");
    check("validate.local = ['grep', '-q', 'a', '{}']", "");
    check(
        "validate.local = 'echo {}: no port; exit 3'",
        "`validate.local`: exit status 3: /etc/app.json: no port",
    );
    check("validate.local = 'echo {} is bad >&2; exit 1'", "`validate.local`: /etc/app.json is bad");
    check(
        "validate.local = ['/no/such', '{}']",
        "cannot run /no/such: No such file or directory (os error 2)",
    );
    check(
        "validate = { local = 'sleep 9; true {}', timeout = '100ms' }",
        "`validate.local`: no end within 100ms",
    );
    let notes = folder.path().join("notes");
    let note = format!("validate.local = 'stat -c \"%a %n\" {{}} $(dirname {{}}) > {}'", notes.display());
    check(&note, "");
    let text = std::fs::read_to_string(notes).unwrap();
    let lines: Vec<_> = text.lines().map(|line| line.split_once(' ').unwrap()).collect();
    assert_eq!((lines[0].0, lines[1].0), ("600", "700"));
    assert!(lines[0].1.ends_with("/app.json") && lines[0].1.contains("confpush-web01-"));
    assert!(lines.iter().all(|(_, path)| !Path::new(path).exists()));
}

proptest! {
    #[test]
    fn no_bytes_make_it_panic(bytes: Vec<u8>) {
        for kind in [Kind::Text, Kind::Json, Kind::Yaml, Kind::Toml, Kind::Ini] {
            let _read_or_not = documents(kind, &bytes);
        }
    }

    #[test]
    fn no_yaml_makes_it_panic(text in "[a-b:&*<!|>'\"\\[\\]{}, \n?-]{0,40}") {
        let _read_or_not = documents(Kind::Yaml, text.as_bytes());
    }

    #[test]
    fn json_is_yaml_too(numbers in prop::collection::vec(any::<i64>(), 0..5), text in "[a-z ]{0,9}") {
        let json = serde_json::json!({ "numbers": numbers, "text": text, "flag": true, "none": null });
        prop_assert_eq!(documents(Kind::Yaml, json.to_string().as_bytes()), Ok(vec![json.clone()]));
        prop_assert_eq!(documents(Kind::Json, json.to_string().as_bytes()), Ok(vec![json]));
    }
}
