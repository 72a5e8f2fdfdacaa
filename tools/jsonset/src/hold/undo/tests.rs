use std::path::Path as FilePath;

use files::Wait;

use super::*;
use crate::store::Links;

fn store() -> Store {
    Store {
        path: FilePath::new("x.json").into(),
        syntax: Syntax::Comments,
        wait: Wait::Not,
        lock_file: None,
        links: Links::Refuse,
        lifts_immutable: false,
    }
}

fn layer(before: &str, after: &str) -> Layer {
    Layer::between(&store(), Some(&Text::new(before.into())), &Text::new(after.into())).unwrap()
}

fn all(text: &Text) -> String {
    String::from_utf8(text.all().unwrap()).unwrap()
}

/// The change leads from `before` to `after`, and meets `now`.
fn check(before: &str, after: &str, now: &str, want: &str, kept: &[&str]) {
    let mut text = Text::new(now.into());
    let layer = layer(before, after);
    let undone = undo(&layer, &store(), &mut text, &[]).unwrap();
    assert_eq!(all(&text), want, "{before} -> {after}, then {now}");
    assert_eq!(undone.kept, kept);
    // A crash may come between the restored document and the end of the layer.
    if kept.is_empty() {
        undo(&layer, &store(), &mut text, &[]).unwrap();
        assert_eq!(all(&text), want, "twice: {before} -> {after}, then {now}");
    }
}

#[test]
fn what_nobody_else_touched_comes_back_byte_for_byte() {
    let check = |before: &str, after: &str| check(before, after, after, before, &[]);
    check(r#"{"a":1,"b":2}"#, r#"{"b":2}"#);
    check(r#"{"a":1, /* one */ "b":2,}"#, r#"{"a":9,"b":2}"#);
    check("{\n  \"a\": 1.0\n}\n", "{\n  \"a\": 2\n}\n");
    check("[1,2]", "{}");
}

#[test]
fn edits_of_others_are_kept() {
    check(r#"{"a":1,"b":2}"#, r#"{"a":9,"b":2}"#, r#"{"a":9,"b":3}"#, r#"{"a":1,"b":3}"#, &[]);
    check(r#"{"b":2}"#, r#"{"a":9,"b":2}"#, r#"{"a":9,"b":3}"#, r#"{"b":3}"#, &[]);
    check(r#"{"a":1,"b":2}"#, r#"{"b":2}"#, r#"{"b":3}"#, r#"{"b":3,"a":1}"#, &[]);
    check(r#"{"a":1.0,"b":2}"#, r#"{"a":2.0,"b":2}"#, r#"{"a":2,"b":3}"#, r#"{"a":1.0,"b":3}"#, &[]);
}

#[test]
fn what_others_changed_stays_theirs() {
    check(r#"{"a":1}"#, r#"{"a":2}"#, r#"{"a":3}"#, r#"{"a":3}"#, &["a"]);
    check(r#"{"a":1}"#, r#"{"a":2}"#, "{}", "{}", &["a"]);
    check(r#"{"a":{"x":1}}"#, r#"{"a":{}}"#, r#"{"b":1}"#, r#"{"b":1}"#, &["a.x"]);
    check(r#"{"a":[1]}"#, r#"{"a":[2]}"#, r#"{"a":[2,3]}"#, r#"{"a":[2,3]}"#, &["a"]);
    check(r#"{"a":1}"#, r#"{"a":2}"#, "[]", "[]", &["a"]);
    check(r#"{"a":1,"b":1}"#, r#"{"a":2,"b":2}"#, r#"{"a":3,"b":2}"#, r#"{"a":3,"b":1}"#, &["a"]);
}

#[test]
fn objects_are_undone_in_their_members() {
    check("{}", r#"{"a":{"x":1}}"#, r#"{"a":{"x":1,"y":2}}"#, r#"{"a":{"y":2}}"#, &[]);
    check("{}", r#"{"a":{"x":1,"z":0}}"#, r#"{"a":{"x":3,"z":0}}"#, r#"{"a":{"x":3}}"#, &["a.x"]);
    check(r#"{"a":{"x":1}}"#, "{}", r#"{"a":{"y":2}}"#, r#"{"a":{"y":2,"x":1}}"#, &[]);
    check(r#"{"a":{"x":1}}"#, r#"{"a":5}"#, r#"{"a":{"y":2}}"#, r#"{"a":{"y":2}}"#, &["a"]);
}

#[test]
fn a_document_that_was_made_goes_when_nothing_else_is_in_it() {
    let check = |now: &str, want: bool| {
        let layer = Layer::between(&store(), None, &Text::new(b"{\"a\":1}".into())).unwrap();
        let undone = undo(&layer, &store(), &mut Text::new(now.into()), &[]).unwrap();
        assert_eq!(undone.leaves_nothing, want, "{now}");
    };
    check(r#"{"a":1}"#, true);
    check(r#"{ "a": 1 }"#, true);
    check(r#"{"a":1,"b":2}"#, false);
}

#[test]
fn what_later_changes_cover_waits_for_them() {
    let check = |first: [&str; 2], second: [&str; 2], now: &str, want: &str, deferred: usize| {
        let (first, second) = (layer(first[0], first[1]), layer(second[0], second[1]));
        let mut text = Text::new(now.into());
        let undone = undo(&first, &store(), &mut text, &second.entries).unwrap();
        assert_eq!((all(&text).as_str(), undone.deferred.len()), (want, deferred));
    };
    let (one, two, three) = (r#"{"a":1}"#, r#"{"a":2}"#, r#"{"a":3}"#);
    check([one, two], [two, three], three, three, 1);
    let wide = r#"{"a":{"x":1,"y":1}}"#;
    check(["{}", r#"{"a":{"x":1}}"#], [r#"{"a":{"x":1}}"#, wide], wide, wide, 1);
    let (old, new) = (r#"{"a":1,"b":1}"#, r#"{"a":2,"b":2}"#);
    check([old, new], [r#"{"a":2}"#, three], r#"{"a":3,"b":2}"#, r#"{"a":3,"b":1}"#, 1);
    // A name that only begins alike is another field.
    check(
        [r#"{"a":1,"ab":0}"#, r#"{"a":2,"ab":0}"#],
        [r#"{"ab":0}"#, r#"{"ab":1}"#],
        r#"{"a":2,"ab":1}"#,
        r#"{"a":1,"ab":1}"#,
        0,
    );
}
