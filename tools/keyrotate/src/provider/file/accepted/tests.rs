//! What a file becomes.

use proptest::prelude::*;

use super::*;

fn path(text: &str) -> Path {
    Path::parse(text).unwrap()
}

fn pair() -> Form {
    Form::Pair { newer: path("password"), older: path("/previous/0") }
}

fn text(changed: Changed) -> Result<String, String> {
    changed.map(|bytes| String::from_utf8(bytes.to_vec()).unwrap())
}

#[track_caller]
fn added(form: &Form, before: &str, rank: Rank, want: Result<&str, &str>) {
    let after = text(form.with(before.as_bytes(), &"new".into(), rank));
    assert_eq!(after.as_deref().map_err(String::as_str), want);
    if let Ok(after) = after {
        assert!(form.digests(after.as_bytes()).unwrap().contains(&digest(b"new")));
        let again = text(form.with(after.as_bytes(), &"new".into(), rank));
        assert_eq!(again, Ok(after), "it is there already");
    }
}

#[track_caller]
fn removed(form: &Form, before: &str, want: Result<&str, &str>) {
    let after = text(form.without(before.as_bytes(), &digest(b"old"), false));
    assert_eq!(after.as_deref().map_err(String::as_str), want);
    if let Ok(after) = after {
        assert!(!form.digests(after.as_bytes()).unwrap().contains(&digest(b"old")));
    }
}

const ONLY: &str = "cba06b5736fa is the only one that is accepted";

#[test]
fn a_line_is_a_secret() {
    let new = Rank::Newest;
    added(&Form::Lines, "", new, Ok("new\n"));
    added(&Form::Lines, "# mine\n\nold\n", new, Ok("# mine\n\nold\nnew\n"));
    added(&Form::Lines, "old", new, Ok("old\nnew\n"));
    added(&Form::Lines, "old\r\na", new, Ok("old\r\na\r\nnew\r\n"));
    added(&Form::Lines, "#new\n new\n", new, Ok("#new\n new\nnew\n"));
    added(&Form::Lines, "new\r\nold", new, Ok("new\r\nold"));
    removed(&Form::Lines, "a\nold\n#old\n old\nold", Ok("a\n#old\n old\n"));
    removed(&Form::Lines, "old\r\na\r\n", Ok("a\r\n"));
    removed(&Form::Lines, "#a\nold\nold\n", Err(ONLY));
    removed(&Form::Lines, "", Ok(""));
    let check = |secret: &str| {
        let why = "a line cannot hold such a secret";
        assert_eq!(text(Form::Lines.with(b"", &secret.into(), Rank::Newest)), Err(why.into()));
    };
    check("a\nb");
    check("#a");
    check("a\r");
    check(" ");
}

#[test]
fn an_array_has_them_all() {
    let form = Form::Array(path("auth.keys"));
    let new = Rank::Newest;
    added(
        &form,
        "{\"auth\": {\"keys\": [\"old\"]}} // x",
        new,
        Ok("{\"auth\": {\"keys\": [\"old\", \"new\"]}} // x"),
    );
    added(&form, "{\"auth\": {}}", new, Ok("{\"auth\": {\"keys\": [\"new\"]}}"));
    let one = "`auth.keys` is one string, so there would be no time in which two secrets are accepted; \
               with `previous` of [provider] the one before it stands in another field";
    added(&form, "{\"auth\": {\"keys\": \"old\"}}", new, Err(one));
    let number = "cannot use the file:1:19: `auth.keys[0]` is of type number, not string";
    added(&form, "{\"auth\": {\"keys\":[7]}}", new, Err(number));
    added(&form, "", new, Err("the file is empty; at least {} or 0 is expected"));
    removed(&form, "{\"auth\": {\"keys\": [\"a\", \"o\\u006cd\"]}}", Ok("{\"auth\": {\"keys\": [\"a\"]}}"));
    removed(&form, "{\"auth\": {\"keys\": [\"old\"]}}", Err(ONLY));
}

#[test]
fn a_pair_has_the_newer_and_the_older() {
    let full = "{\"password\": \"new\", \"previous\": [\"old\"]}";
    let form = pair();
    added(&form, "{\"password\": \"old\", \"previous\": [\"\"]}", Rank::Newest, Ok(full));
    added(&form, "{\"password\": \"old\", \"previous\": [null]}", Rank::Newest, Ok(full));
    added(&form, "{\"password\": \"old\", \"previous\": [\"old\"]}", Rank::Newest, Ok(full));
    added(&form, full, Rank::Newest, Ok(full));
    added(&form, "{\"password\": \"\", \"previous\": [\"old\"]}", Rank::Newest, Ok(full));
    let back = "{\"password\": \"old\", \"previous\": [\"new\"]}";
    added(&form, "{\"password\": \"old\", \"previous\": []}", Rank::Another, Ok(back));
    added(&form, back, Rank::Newest, Ok(back));
    let third =
        "there are two secrets already; remove the one in `previous.0`, 355b1bbfc967, if nobody uses it";
    added(&form, "{\"password\": \"a\", \"previous\": [\"cc\"]}", Rank::Newest, Err(third));
    removed(&form, full, Ok("{\"password\": \"new\", \"previous\": []}"));
    removed(&form, back, Ok("{\"password\": \"new\", \"previous\": []}"));
    removed(&form, "{\"password\": \"old\"}", Err(ONLY));
    removed(&form, "{\"password\": \"old\", \"previous\": [\"old\"]}", Err(ONLY));
}

#[test]
fn the_first_one_may_be_the_last_one() {
    let check = |form: &Form, before: &str, after: &str| {
        let digest = digest(b"old");
        assert_eq!(text(form.without(before.as_bytes(), &digest, true)), Ok(after.into()));
    };
    check(&Form::Lines, "old\n", "");
    check(&Form::Array(path("a")), "{\"a\":[\"old\"]}", "{\"a\":[]}");
    check(&pair(), "{\"password\": \"old\"}", "{}");
}

#[test]
fn nothing_that_is_there_is_told() {
    for form in [Form::Array(path("a")), pair()] {
        for before in
            ["hunter2", "{\"a\": hunter2}", "{\"password\": [\"hunter2\"]}", "{\"a\": {\"hunter2\": 1}}"]
        {
            let told = [
                text(form.with(before.as_bytes(), &"new".into(), Rank::Newest)),
                text(form.without(before.as_bytes(), "", true)),
            ];
            for error in told.into_iter().filter_map(Result::err) {
                assert!(!error.contains("hunter2"), "{error}");
            }
        }
    }
}

proptest! {
    #[test]
    fn what_is_added_and_removed_leaves_the_rest(
        lines in proptest::collection::vec("[a-c# ]{0,3}\r?", 0..6),
        secret in "[!-\"$-~]{1,20}",
    ) {
        let before = lines.iter().flat_map(|line| [line, "\n"]).collect::<String>();
        let gone = digest(secret.as_bytes());
        prop_assume!(!Form::Lines.digests(before.as_bytes()).unwrap().contains(&gone));
        let with = Form::Lines.with(before.as_bytes(), &secret.as_str().into(), Rank::Newest).unwrap();
        prop_assert!(with.starts_with(before.as_bytes()));
        prop_assert_eq!(text(Form::Lines.without(&with, &gone, true)), Ok(before.clone()));
        let array = serde_json::to_string(&lines).unwrap();
        let form = Form::Array(path("."));
        let with = form.with(array.as_bytes(), &secret.as_str().into(), Rank::Newest).unwrap();
        prop_assert_eq!(form.digests(&with).unwrap().len(), lines.len() + 1);
        prop_assert_eq!(text(form.without(&with, &gone, true)), Ok(array));
    }

    #[test]
    fn no_bytes_panic(bytes in proptest::collection::vec(any::<u8>(), 0..40), json in "[{}a:\",\\[\\]0 ]{0,16}") {
        for form in [Form::Lines, Form::Array(path("a")), Form::Array(path("")), pair()] {
            for bytes in [&bytes[..], json.as_bytes()] {
                let _any = form.with(bytes, &"s3cret".into(), Rank::Another);
                let _any = form.without(bytes, &digest(b"a"), true);
            }
        }
    }
}
