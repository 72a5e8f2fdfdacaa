use std::path::Path;
use std::time::Duration;

use secrecy::ExposeSecret;
use specs::{Faults, parse};

use super::*;
use crate::consumer::Named;

const SAMPLE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/plugins/git-credentials");

fn consumer(text: &str) -> Box<dyn Consumer> {
    let text = format!("name = 'ci'\nkind = 'exec'\n{text}");
    let faults = Faults::of(&text);
    let config = Config::read(parse(&text, &faults)).unwrap();
    assert_eq!(faults.into_sorted(), []);
    let place = Place {
        name: "orders",
        timeout: Duration::from_secs(10),
        jobs: 1,
        ssh: &remote::spec::Ssh::default(),
    };
    config.build(&place).unwrap().remove(0)
}

fn credential(secret: &str) -> Credential {
    Credential { id: "k2".into(), secret: secret.into(), public: [("user".into(), "a".into())].into() }
}

fn git(file: &Path) -> Box<dyn Consumer> {
    let params = format!("file = '{}', url = 'https://git.example.org', user = 'ci'", file.display());
    consumer(&format!("command = ['{SAMPLE}']\nparams = {{ {params} }}"))
}

#[test]
fn the_sample_is_a_whole_consumer() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("store");
    let mut ci = git(&file);
    let nothing = Statement { key: Named::Nothing, works: None };
    assert_eq!(ci.name(), "ci");
    assert_eq!(ci.attest(), Answer::Yes(Some(nothing)));
    assert!(matches!(ci.read(), Answer::Yes(None)));
    for secret in ["s3cret-of/git@1", "s3cret-of/git@2", "s3cret-of/git@2"] {
        let key = credential(secret);
        assert_eq!(ci.write(&key), Answer::Yes(()));
        assert_eq!(ci.reload(), Answer::Yes(()));
        let stated = Statement { key: Named::Text(key.fingerprint()), works: None };
        assert_eq!(ci.attest(), Answer::Yes(Some(stated)));
        let Answer::Yes(Some(held)) = ci.read() else { panic!() };
        assert_eq!(held["secret"].expose_secret(), secret);
        assert_eq!(std::fs::read_to_string(&file).unwrap().lines().count(), 1);
    }
    std::fs::remove_file(&file).unwrap();
    std::fs::create_dir(&file).unwrap();
    assert!(!ci.write(&credential("s3cret")).is_yes());
}

#[test]
fn a_statement_is_a_word_or_an_object() {
    let check = |script: &str, want: Answer<Option<Statement>>| {
        assert_eq!(consumer(&format!("command = '''{script}'''")).attest(), want, "{script}");
    };
    let says = |key: &str, works| Answer::Yes(Some(Statement { key: Named::Text(key.into()), works }));
    check("echo ' k2 '", says("k2", None));
    check("echo '{\"key\":\"k2\",\"works\":false}'", says("k2", Some(false)));
    check("echo '{\"key\":\"k2\"}'", says("k2", None));
    check("echo '{\"key\":null}'", Answer::Yes(Some(Statement { key: Named::Nothing, works: None })));
    check("exit 64", Answer::Yes(None));
    check("echo down >&2; exit 1", Answer::No("sh attest: down".into()));
    for unknown in ["exit 75", "exit 2", ":", "echo '{}}'", "echo '<p>502 Bad Gateway</p>'"] {
        let said = consumer(&format!("command = '''{unknown}'''")).attest();
        assert!(matches!(said, Answer::Unknown(_)), "{unknown}: {said:?}");
    }
}

#[test]
fn what_is_held_may_have_other_parts() {
    let mut one = consumer("command = '''echo s3cret-held >&4; echo \"{\\\"id\\\":\\\"k2\\\"}\"'''");
    let Answer::Yes(Some(held)) = one.read() else { panic!() };
    assert_eq!((held["secret"].expose_secret(), held["id"].expose_secret()), ("s3cret-held", "k2"));
    let mut one = consumer("command = 'exit 64'");
    assert!(matches!(one.read(), Answer::No(_)));
    assert!(matches!(one.write(&credential("s3cret")), Answer::No(_)));
    assert_eq!(one.reload(), Answer::Yes(()));
}
