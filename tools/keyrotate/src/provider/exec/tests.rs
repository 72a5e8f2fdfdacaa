use std::collections::BTreeSet;
use std::path::Path;
use std::time::Duration;

use std::result::Result;

use specs::{Faults, parse};

use super::*;

const SAMPLE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/plugins/token-file");

fn config(text: &str) -> Result<Config, Vec<String>> {
    let faults = Faults::of(text);
    let config = Config::read(parse(text, &faults));
    let faults: Vec<_> = faults.into_sorted().into_iter().map(|fault| fault.what).collect();
    config.filter(|_| faults.is_empty()).ok_or(faults)
}

fn provider(text: &str) -> Box<dyn Provider> {
    let place = Place {
        name: "orders",
        timeout: Duration::from_secs(10),
        jobs: 1,
        ssh: &remote::spec::Ssh::default(),
    };
    config(text).unwrap().build(&place).unwrap()
}

fn context<'a>(new: Option<&'a Credential>, skipped: &'a BTreeSet<String>) -> Context<'a> {
    Context { token: "t0ken", old: None, new, prefers_new: false, skipped }
}

fn token_file(file: &Path) -> Box<dyn Provider> {
    provider(&format!("command = ['{SAMPLE}']\nparams = {{ file = '{}' }}\n", file.display()))
}

#[test]
fn the_sample_is_a_whole_target() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("tokens");
    testkit::write(&file, "0123456789abcdef on\n");
    let skipped = BTreeSet::new();
    let mut target = token_file(&file);
    let new = match target.make(None) {
        Answer::Yes(new) => new,
        other => panic!("{other:?}"),
    };
    let context = context(Some(&new), &skipped);
    let key = |id: &str, is_enabled| Key { id: id.into(), is_enabled, made: None };
    let other = key("0123456789ab", true);
    assert_eq!(target.ready(&context), Answer::Yes(()));
    assert_eq!(target.check(&new, &context), Answer::No("token-file check: exit status 1".into()));
    for _again in 0..2 {
        assert!(target.create(&context).is_yes());
        assert_eq!(target.list(&context), Answer::Yes(vec![other.clone(), key(&new.id, true)]));
        assert_eq!(target.check(&new, &context), Answer::Yes(()));
    }
    let wrong = target.corrupted(&new).unwrap();
    assert!(matches!(target.check(&wrong, &context), Answer::No(_)));
    for _again in 0..2 {
        assert_eq!(target.disable(&new, &context), Answer::Yes(()));
        assert_eq!(target.list(&context), Answer::Yes(vec![other.clone(), key(&new.id, false)]));
        assert!(matches!(target.check(&new, &context), Answer::No(_)));
    }
    assert_eq!(target.enable(&new, &context), Answer::Yes(()));
    assert_eq!(target.check(&new, &context), Answer::Yes(()));
    assert_eq!(target.usage(&new, &context), Answer::Yes(Usage::NotTold));
    for _again in 0..2 {
        assert_eq!(target.delete(&new.id, &context), Answer::Yes(()));
        assert_eq!(target.list(&context), Answer::Yes(vec![other.clone()]));
    }
    let secret = new.secret.expose_secret();
    assert!(!std::fs::read_to_string(&file).unwrap().contains(secret));
    std::fs::remove_file(&file).unwrap();
    assert!(matches!(target.check(&new, &context), Answer::Unknown(_)));
    assert!(matches!(target.list(&context), Answer::Unknown(_)));
}

/// A target that is one line of shell.
fn inline(script: &str) -> Box<dyn Provider> {
    provider(&format!("makes = 'target'\ncommand = '''{script}'''\nparams = {{ a = \"b'\" }}\n"))
}

#[test]
fn a_target_that_makes_keys_writes_them_to_4() {
    let skipped = BTreeSet::new();
    let context = context(None, &skipped);
    let check = |script: &str, want: &Result<&str, &str>| match (inline(script).create(&context), want) {
        (Answer::Yes(made), Ok(want)) => {
            assert_eq!(format!("{}:{}", made.id, made.secret.expose_secret()), *want);
        }
        (Answer::Unknown(why), Err(want)) => assert!(why.contains(want), "{why}"),
        (other, _) => panic!("{script}: {other:?}"),
    };
    check(r#"echo s3cret-k1 >&4; echo '{"id":"k1"}'"#, &Ok("k1:s3cret-k1"));
    check(r#"printf %s-s3cret $1 >&4; echo '{"id":"k1"}'"#, &Ok("k1:create-s3cret"));
    check(r#"echo '{"id":"k1"}'"#, &Err("wrote no secret to descriptor 4"));
    check("echo s3cret-k1 >&4; echo s3cret-k1", &Err("what it printed is not as it should be"));
    check("exit 75", &Err("sh create: exit status 75"));
}

#[test]
fn a_request_is_one_line_without_a_secret() {
    let skipped = BTreeSet::new();
    let old = Credential { id: "k1".into(), secret: "abc".into(), public: [("u".into(), "v".into())].into() };
    let answer = inline("cat >&2; exit 1").check(&old, &context(None, &skipped));
    let want = r#"sh check: {"verb":"check","token":"t0ken","name":"orders","id":"k1","fingerprint":"ba7816bf8f01","public":{"u":"v"},"params":{"a":"b'"}}"#;
    assert_eq!(answer, Answer::No(want.into()));
}

#[test]
fn use_is_told_in_four_ways() {
    let skipped = BTreeSet::new();
    let old = Credential { id: "k1".into(), secret: "abc".into(), public: BTreeMap::new() };
    let check = |printed: &str, want: Answer<Usage>| {
        assert_eq!(inline(printed).usage(&old, &context(None, &skipped)), want, "{printed}");
    };
    check("echo '{\"at\":1700000000}'", Answer::Yes(Usage::At(1_700_000_000)));
    check("echo '{\"now\":\"3 sessions\"}'", Answer::Yes(Usage::Now("3 sessions".into())));
    check("echo '{\"count\":7}'", Answer::Yes(Usage::Count(7)));
    check("echo '{}'", Answer::Yes(Usage::None));
    check("exit 64", Answer::Yes(Usage::NotTold));
    check("exit 75", Answer::Unknown("sh last-used: exit status 75".into()));
}

#[test]
fn a_verb_that_is_not_known_is_no_refusal_of_a_key() {
    let skipped = BTreeSet::new();
    let old = Credential { id: "k1".into(), secret: "abc".into(), public: BTreeMap::new() };
    let context = context(None, &skipped);
    let unsupported = "sh check: the plug-in does not know this verb (status 64)";
    assert_eq!(inline("exit 64").check(&old, &context), Answer::Unknown(unsupported.into()));
    assert!(matches!(inline("exit 64").ready(&context), Answer::No(_)));
}

#[test]
fn a_consumer_holds_a_secret_and_for_keys_of_the_target_an_id() {
    let check = |makes: &str, held: &[(&str, &str)], want: &str| {
        let target = provider(&format!("command = 'x'\nmakes = '{makes}'\n"));
        let held = held.iter().map(|(name, value)| ((*name).to_owned(), (*value).into())).collect();
        match target.recognise(&held) {
            Answer::Yes(key) => assert_eq!(format!("{} {:?}", key.id, key.public), want),
            Answer::No(why) | Answer::Unknown(why) => assert!(why.contains(want), "{why}"),
        }
    };
    check("us", &[("secret", "abc"), ("user", "a")], "ba7816bf8f01 {\"user\": \"a\"}");
    check("us", &[("secret", "abc"), ("id", "k1"), ("fingerprint", "x")], "k1 {}");
    check("target", &[("secret", "abc")], "there is no id in it");
    check("target", &[("id", "k1")], "there is no secret in it");
}

#[test]
fn the_spec_is_read() {
    assert_eq!(config("makes = 'us'"), Err(vec!["the spec has no `command`".into()]));
    let faults = config("command = 'x'\nmake = 'us'\nparams = { a = 1 }").unwrap_err();
    assert_eq!(faults.len(), 2, "{faults:?}");
}
