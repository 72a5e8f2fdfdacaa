//! How a credential stands in a file, as a spec says it.

use proptest::prelude::*;
use specs::{Faults, parse};

use super::*;

pub(super) fn credential(secret: &str) -> Credential {
    let public = [("user".to_owned(), "orders".to_owned())].into();
    Credential { id: "AK1".into(), secret: secret.into(), public }
}

/// The format that a consumer's table says, or its faults.
fn format(kind: &str, spec: &str) -> Result<Format, String> {
    let faults = Faults::of(spec);
    let mut table = parse(spec, &faults);
    let format = match kind {
        "file" => Format::read_whole(&mut table),
        "json" => Format::read_json(&mut table),
        _ => Format::read_env(&mut table),
    };
    table.finish();
    let told: Vec<String> =
        faults.into_sorted().iter().map(|fault| format!("{}: {}", fault.line, fault.what)).collect();
    match format {
        Some(format) if told.is_empty() => Ok(format),
        _ => Err(told.join("; ")),
    }
}

/// What `before` becomes with `secret`, and that it is read back.
#[track_caller]
fn check(format: &Format, before: Option<&str>, secret: &str, want: Result<&str, &str>) {
    let written = format.written(before.map(str::as_bytes), &credential(secret));
    let text = written.map(|bytes| String::from_utf8(bytes.to_vec()).unwrap());
    assert_eq!(text, want.map(str::to_owned).map_err(str::to_owned));
    if let Ok(text) = text {
        assert_eq!(read(format, &text), Ok(Some(secret.to_owned())));
        let again = format.written(Some(text.as_bytes()), &credential(secret)).unwrap();
        assert_eq!(again.as_slice(), text.as_bytes(), "it is not written twice");
    }
}

fn read(format: &Format, text: &str) -> Result<Option<String>, String> {
    let fields = format.read(text.as_bytes())?;
    Ok(fields.map(|fields| fields[SECRET].expose_secret().to_owned()))
}

const PEM: &str =
    "-----BEGIN OPENSSH PRIVATE KEY-----\nb3BlbnNzaC1rZXktdjEA\n-----END OPENSSH PRIVATE KEY-----";

#[test]
fn a_whole_file_is_the_template() {
    let format = format("file", "").unwrap();
    check(&format, None, "s3cret", Ok("s3cret\n"));
    check(&format, Some(""), "s3cret", Ok("s3cret\n"));
    check(&format, Some("old\n"), "s3cret", Ok("s3cret\n"));
    check(&format, Some("old"), "s3cret", Ok("s3cret"));
    check(&format, None, PEM, Ok(&format!("{PEM}\n")));
    check(&format, None, &format!("{PEM}\n"), Ok(&format!("{PEM}\n\n")));
    check(&format, Some(PEM), PEM, Ok(&format!("{PEM}\n")));
    check(&format, Some("old"), "s3cret\n", Ok("s3cret\n\n"));
    assert_eq!(read(&format, "\n"), Ok(None));
    assert_eq!(read(&format, "old"), Ok(Some("old".into())));
}

#[test]
fn a_template_says_what_else_is_there() {
    let format = format("file", "template = \"{user}:{secret}\"").unwrap();
    check(&format, None, "s3:cret", Ok("orders:s3:cret"));
    check(&format, None, "s3cret\n", Ok("orders:s3cret\n"));
    assert_eq!(read(&format, "old"), Err("it does not look like `{user}:{secret}`".into()));
    let want: Vec<String> = vec!["secret".into(), "user".into()];
    assert_eq!(format.placeholders().into_iter().collect::<Vec<_>>(), want);
    let twice = self::format("file", "template = \"{secret}:{user}\"").unwrap();
    let why = "a value contains what is to separate it from the next one, or is empty";
    check(&twice, None, "s3:cret", Err(why));
    check(&twice, None, "", Err(why));
}

#[test]
fn variables_are_set_in_one_go() {
    let spec = "set = { DB_USER = \"{user}\", DB_URL = \"pg://{user}:{secret}@db\" }";
    let format = format("env", spec).unwrap();
    check(&format, None, "s3cret", Ok("DB_URL=pg://orders:s3cret@db\nDB_USER=orders\n"));
    let before = "# db\nDB_USER='old'\nDB_URL=\"pg://old:old@db\"\n";
    check(&format, Some(before), "s3cret", Ok("# db\nDB_USER='orders'\nDB_URL=\"pg://orders:s3cret@db\"\n"));
    assert_eq!(read(&format, "DB_USER=orders\nDB_URL=\n"), Ok(None));
    assert_eq!(read(&format, "A=1\n"), Ok(None));
    let why = "`DB_USER` has another value than it has elsewhere";
    assert_eq!(read(&format, before), Ok(Some("old".into())));
    assert_eq!(read(&format, "DB_USER=new\nDB_URL=pg://old:old@db\n"), Err(why.into()));
    let why = "`DB_URL` does not look like `pg://{user}:{secret}@db`";
    assert_eq!(read(&format, "DB_URL=hunter2\n"), Err(why.into()));
}

#[test]
fn members_are_set_in_one_go() {
    let spec = "set = { \"/redis/user\" = \"{user}\", \"redis.url\" = \"redis://{user}:{secret}@h/0\" }";
    let format = format("json", spec).unwrap();
    let before =
        "{ // r\n  \"redis\": { \"user\": \"old\", \"url\" :\"redis://old:old@h/0\", \"n\": 1e400 },\n}\r\n";
    let after = "{ // r\n  \"redis\": { \"user\": \"orders\", \"url\" :\"redis://orders:s\\\"cret@h/0\", \"n\": 1e400 },\n}\r\n";
    check(&format, Some(before), "s\"cret", Ok(after));
    let made =
        "{\n  \"redis\": {\n    \"user\": \"orders\",\n    \"url\": \"redis://orders:s3cret@h/0\"\n  }\n}";
    check(&format, Some("{}"), "s3cret", Ok(made));
    check(&format, None, "s3cret", Err("it is not there; a file with {} is needed at least"));
    check(&format, Some(""), "s3cret", Err("the file is empty; at least {} or 0 is expected"));
    check(
        &format,
        Some("{\n hunter2}"),
        "x",
        Err("the file:2:2 is no JSON: a key in double quotes is expected"),
    );
    let through = "cannot set `redis.user` in the file: `redis` is a string, not an object";
    check(&format, Some("{\"redis\": \"hunter2\"}"), "x", Err(through));
    assert_eq!(read(&format, before), Ok(Some("old".into())));
    assert_eq!(read(&format, "{\"redis\": {\"user\": \"orders\", \"url\": null}}"), Ok(None));
    let number = "{\"redis\": {\"url\": 7}}";
    let why = "cannot use the file:1:19: `redis.url` is of type number, not string";
    assert_eq!(read(&format, number), Err(why.into()));
}

#[test]
fn faults_are_told_with_their_lines() {
    let check = |kind: &str, spec: &str, want: &str| {
        assert_eq!(format(kind, spec).unwrap_err(), want);
    };
    check("file", "\ntemplate = \"{user}\"", "2: `template` has no {secret}");
    check("file", "template = \"{secret}}\"", "1: a `}` by itself is written `}}`");
    check("file", "template = 7", "1: `template`: is to be a text in quotes");
    let everywhere = "1: `tags[-]` is another place each time";
    check("json", "set = { \"tags[-]\" = \"{secret}\" }", everywhere);
    check("json", "set = \"x\"", "1: `set`: is to be a table");
    check("env", "", "1: the spec has no `set`");
    check("env", "set = {}", "1: `set` is empty");
    check("env", "[set]\nA = \"{id}\"", "1: `set` has no {secret}");
    check(
        "env",
        "[set]\n9A = \"{secret}\"\nB = \"{user}\\n{secret}\"",
        "2: `9A`: the name of a variable has letters, digits and `_`, and begins with no digit; \
         3: `B`: a variable has no line breaks and the like",
    );
}

proptest! {
    #[test]
    fn what_is_written_is_read(
        before in proptest::option::of("[{]\"a\": (null|[{][}]|\\[\"x\"\\]|7)[}]|(A=1\r?\n|S='x'\n|S=y\n|U=z\n|# S=\n){0,5}|\\PC{0,9}"),
        secret in "[!-~]{1,40}|[ -~\n]{1,40}",
    ) {
        let credential = credential(&secret);
        for (kind, spec) in [
            ("file", ""),
            ("file", "template = \"{user}={secret}\\n\\n\""),
            ("env", "set = { S = \"{secret}\", U = \"{user}\" }"),
            ("json", "set = { \"/a/0\" = \"{user} {secret}\", \"/a/1\" = \"{id}\" }"),
        ] {
            let format = format(kind, spec).unwrap();
            let Ok(bytes) = format.written(before.as_deref().map(str::as_bytes), &credential) else { continue };
            let fields = format.read(&bytes).unwrap().unwrap();
            prop_assert_eq!(fields[SECRET].expose_secret(), secret.as_str());
            let again = format.written(Some(&bytes), &credential).unwrap();
            prop_assert_eq!(again, bytes);
        }
    }

    #[test]
    fn no_bytes_panic(bytes in proptest::collection::vec(any::<u8>(), 0..60)) {
        for (kind, spec) in [("file", ""), ("json", "set = { a = \"{secret}\" }"), ("env", "set = { A = \"{secret}\" }")] {
            let format = format(kind, spec).unwrap();
            let _any = format.read(&bytes);
            let _any = format.written(Some(&bytes), &credential("s3cret"));
        }
    }
}
