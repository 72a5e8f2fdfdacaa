//! A service with a file, from its spec.

use std::collections::BTreeSet;
use std::os::unix::fs::PermissionsExt;

use specs::{Faults, parse};

use super::*;

/// The target that `spec` says, or its faults.
fn target(folder: &Path, spec: &str) -> std::result::Result<Box<dyn Provider>, String> {
    std::fs::set_permissions(folder, std::fs::Permissions::from_mode(0o755)).unwrap();
    let spec = spec.replace("DIR", folder.to_str().unwrap());
    let faults = Faults::of(&spec);
    let config = Config::read(parse(&spec, &faults));
    let told: Vec<String> =
        faults.into_sorted().iter().map(|fault| format!("{}: {}", fault.line, fault.what)).collect();
    if !told.is_empty() {
        return Err(told.join("; "));
    }
    let timeout = Duration::from_secs(20);
    let place = Place { name: "orders", timeout, jobs: 1, ssh: &remote::spec::Ssh::default() };
    Ok(config.unwrap().build(&place).unwrap())
}

/// Asks with these keys known.
fn with<T>(
    old: Option<&Credential>,
    new: Option<&Credential>,
    ask: impl FnOnce(&Context<'_>) -> Answer<T>,
) -> Answer<T> {
    let skipped = BTreeSet::new();
    ask(&Context { token: "t", old, new, prefers_new: false, skipped: &skipped })
}

fn made(target: &mut dyn Provider) -> Credential {
    match target.make(None) {
        Answer::Yes(credential) => credential,
        other => panic!("{other:?}"),
    }
}

/// A whole rotation, each effect done twice, and what the file is after each step.
#[test]
fn both_are_accepted_until_one_is_disabled() {
    let check = |spec: &str, before: &str, steps: [&str; 4]| {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("keys");
        testkit::write(&path, before);
        let mut target = target(folder.path(), &format!("path = \"DIR/keys\"\n{spec}")).unwrap();
        let target = target.as_mut();
        let (old, new) = (credential("old".into()), made(target));
        let file = || std::fs::read_to_string(&path).unwrap().replace(new.secret.expose_secret(), "NEW");
        let known = (Some(&old), Some(&new));
        assert_eq!(with(Some(&old), None, |context| target.ready(context)), Answer::Yes(()));
        assert_eq!(file(), before);
        for (step, after) in steps.iter().enumerate() {
            for _ in 0..2 {
                let done = with(known.0, known.1, |context| match step {
                    0 => target.create(context).map(|_| ()),
                    1 => target.disable(&old, context),
                    2 => target.enable(&old, context),
                    _ => target.delete(&new.id, context),
                });
                assert_eq!(done, Answer::Yes(()));
                assert_eq!(file(), *after);
            }
            let accepts = |target: &mut dyn Provider, key: &Credential| {
                with(known.0, known.1, |context| target.check(key, context)).is_yes()
            };
            let wrong = target.corrupted(&new).unwrap();
            assert!(!accepts(target, &wrong));
            assert_eq!((accepts(target, &old), accepts(target, &new)), (step != 1, step != 3));
        }
    };
    check("", "# us\nold\n", ["# us\nold\nNEW\n", "# us\nNEW\n", "# us\nNEW\nold\n", "# us\nold\n"]);
    check(
        "field = \"keys\"",
        "{\"keys\": [\"a\", \"old\"]}",
        [
            "{\"keys\": [\"a\", \"old\", \"NEW\"]}",
            "{\"keys\": [\"a\", \"NEW\"]}",
            "{\"keys\": [\"a\", \"NEW\", \"old\"]}",
            "{\"keys\": [\"a\", \"old\"]}",
        ],
    );
    check(
        "field = \"/now\"\nprevious = \"/old\"",
        "{\"now\": \"old\", \"n\": 1}",
        [
            "{\"now\": \"NEW\", \"n\": 1, \"old\": \"old\"}",
            "{\"now\": \"NEW\", \"n\": 1}",
            "{\"now\": \"NEW\", \"n\": 1, \"old\": \"old\"}",
            "{\"now\": \"old\", \"n\": 1}",
        ],
    );
}

#[test]
fn the_last_one_is_not_taken_away() {
    let folder = tempfile::tempdir().unwrap();
    testkit::write(folder.path().join("keys"), "old\n");
    let mut target = target(folder.path(), "path = \"DIR/keys\"").unwrap();
    let old = credential("old".into());
    let refused = with(Some(&old), None, |context| target.disable(&old, context));
    assert!(
        matches!(refused, Answer::No(why) if why.ends_with("cba06b5736fa is the only one that is accepted"))
    );
    // The first rotation goes back to where it began.
    let back = with(None, Some(&old), |context| target.delete(&old.id, context));
    assert_eq!((back, std::fs::read(folder.path().join("keys")).unwrap()), (Answer::Yes(()), Vec::new()));
}

#[test]
fn a_target_that_cannot_take_another_is_told_before() {
    let check = |spec: &str, file: Option<&str>, want: &str| {
        let folder = tempfile::tempdir().unwrap();
        if let Some(text) = file {
            testkit::write(folder.path().join("keys"), text);
        }
        let mut target = target(folder.path(), &format!("path = \"DIR/keys\"\n{spec}")).unwrap();
        match with(None, None, |context| target.ready(context)) {
            Answer::No(why) => assert!(why.contains(want), "{why}"),
            other => panic!("{other:?}"),
        }
        assert_eq!(folder.path().join("keys").exists(), file.is_some());
    };
    check("", None, "it is not there; its service has to own it");
    check("field = \"a\"", Some("{\"a\": \"old\"}"), "with `previous` of [provider]");
    let two = "{\"a\": \"x\", \"b\": \"y\"}";
    check("field = \"a\"\nprevious = \"b\"", Some(two), "there are two secrets already");
    check("field = \"a\"", Some("{"), "is no JSON");
}

#[test]
fn the_service_is_told_each_time() {
    let folder = tempfile::tempdir().unwrap();
    testkit::write(folder.path().join("keys"), "old\n");
    let spec = "path = \"DIR/keys\"\nreload = 'echo >>DIR/told; test ! -e DIR/broken'";
    let mut target = target(folder.path(), spec).unwrap();
    let (old, new) = (credential("old".into()), made(target.as_mut()));
    let mut create = || with(Some(&old), Some(&new), |context| target.create(context)).map(|_| ());
    assert_eq!(create(), Answer::Yes(()));
    testkit::write(folder.path().join("broken"), "");
    assert_eq!(create(), Answer::Unknown("reload: exit status 1".into()));
    assert_eq!(std::fs::read(folder.path().join("told")).unwrap(), b"\n\n");
}

#[test]
fn without_a_file_nobody_can_refuse() {
    let folder = tempfile::tempdir().unwrap();
    let mut target = target(folder.path(), "").unwrap();
    let (old, new) = (credential("old".into()), made(target.as_mut()));
    assert!(target.corrupted(&new).is_none());
    let all = with(Some(&old), Some(&new), |context| {
        Answer::all([
            target.ready(context),
            target.create(context).map(|_| ()),
            target.check(&old, context),
            target.disable(&old, context),
            target.enable(&old, context),
            target.delete(&old.id, context),
        ])
    });
    assert_eq!(all, Answer::Yes(()));
    assert_eq!(with(None, None, |context| target.list(context)), Answer::Yes(Vec::new()));
}

#[test]
fn what_a_consumer_holds_is_known_by_its_digest() {
    let folder = tempfile::tempdir().unwrap();
    let target = target(folder.path(), "").unwrap();
    let check = |held: &[(&str, &str)], want: Option<&str>| {
        let held = held.iter().map(|(name, value)| ((*name).to_owned(), (*value).into())).collect();
        match (target.recognise(&held), want) {
            (Answer::Yes(found), None) => assert_eq!(found.fingerprint(), "cba06b5736fa"),
            (Answer::No(why), Some(want)) => assert_eq!(why, want),
            (other, _) => panic!("{other:?}"),
        }
    };
    check(&[("secret", "old")], None);
    check(&[("secret", "old"), ("fingerprint", "cba06b5736fa")], None);
    check(&[("secret", "old"), ("id", "x")], Some("its {id} is not that of its {secret}"));
    check(&[("id", "x")], Some("there is no {secret} in what it holds"));
}

#[test]
fn faults_are_told_with_their_lines() {
    let folder = tempfile::tempdir().unwrap();
    let check = |spec: &str, want: &str| {
        assert_eq!(target(folder.path(), spec).err().as_deref(), Some(want));
    };
    let alone = "1: [provider] has no `path`, and so nothing that the other keys could be about";
    check("reload = \"true\"", alone);
    check("field = \"a\"", alone);
    let second = "2: `provider.previous` is a second field, beside `provider.field`";
    check("path = \"/a\"\nprevious = \"b\"", second);
    check("path = \"/a\"\nprevious = \"b\"\nfield = \"b\"", second);
    check("path = \"/a\"\nfield = \"a[-]\"", "2: `a[-]` is another place each time");
    check("path = \"a\"", "1: `path`: is to be an absolute path");
}
