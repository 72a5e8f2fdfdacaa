//! A consumer on this host, from its spec.

use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use secrecy::ExposeSecret;
use specs::{Faults, parse};

use super::*;
use crate::consumer::Named;

fn credential(secret: &str) -> Credential {
    Credential { id: "AK1".into(), secret: secret.into(), public: std::collections::BTreeMap::new() }
}

/// The consumer that `spec` says, in `folder`.
fn consumer(folder: &Path, spec: &str) -> Box<dyn Consumer> {
    std::fs::set_permissions(folder, std::fs::Permissions::from_mode(0o755)).unwrap();
    let spec = format!("name = \"web\"\n{}", spec.replace("DIR", folder.to_str().unwrap()));
    let faults = Faults::of(&spec);
    let config = Config::read(parse(&spec, &faults)).unwrap();
    assert!(faults.into_sorted().is_empty());
    let place = Place {
        name: "orders",
        timeout: Duration::from_secs(20),
        jobs: 1,
        ssh: &remote::spec::Ssh::default(),
    };
    let mut all = config.build(&place).unwrap();
    assert_eq!(all.len(), 1);
    all.remove(0)
}

#[test]
fn what_it_was_given_is_what_it_holds() {
    let check = |kind: &str, before: Option<&str>, after: &str| {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("key");
        if let Some(text) = before {
            testkit::write(&path, text);
        }
        let mut web = consumer(folder.path(), &format!("{kind}\npath = \"DIR/key\"\nattest = \"file\""));
        assert_eq!(web.name(), "web");
        for _ in 0..2 {
            assert_eq!(web.write(&credential("s3cret")), Answer::Yes(()));
            assert_eq!(web.reload(), Answer::Yes(()));
            assert_eq!(std::fs::read_to_string(&path).unwrap(), after);
            let Answer::Yes(Some(fields)) = web.read() else { panic!("nothing is read") };
            assert_eq!(fields["secret"].expose_secret(), "s3cret");
        }
        assert_eq!(web.attest(), Answer::Yes(None));
    };
    check("kind = \"file\"", None, "s3cret\n");
    check("kind = \"file\"\ntemplate = \"{id} {secret}\"", Some("AK0 old"), "AK1 s3cret");
    check("kind = \"json\"\nset = { a = \"{secret}\" }", Some("{\"b\": 1}"), "{\"b\": 1, \"a\": \"s3cret\"}");
    check("kind = \"env\"\nset = { A = \"{secret}\" }", Some("A=old\n"), "A=s3cret\n");
}

#[test]
fn what_cannot_be_read_is_no_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("key");
    let mut web = consumer(
        folder.path(),
        "kind = \"env\"\npath = \"DIR/key\"\nset = { A = \"{secret}\" }\nattest = \"file\"",
    );
    assert!(matches!(web.read(), Answer::Yes(None)));
    testkit::write(&path, "A=hunter2 # x\n");
    let (Answer::No(read), Answer::No(written)) = (web.read(), web.write(&credential("s3cret"))) else {
        panic!("it is ambiguous")
    };
    let why = "line 1: not all readers take this value for the same: there may be a comment behind it";
    assert_eq!(read, format!("cannot read {}: {why}", path.display()));
    assert_eq!(written, format!("cannot write {}: {why}", path.display()));
    testkit::write(&path, "A=\n");
    assert!(matches!(web.read(), Answer::Yes(None)));
}

#[test]
fn its_commands_are_asked() {
    let folder = tempfile::tempdir().unwrap();
    let check = |reload: &str, attest: &str, want: (Answer, Answer<Option<Statement>>)| {
        let commands = format!("reload = '{reload}'\nattest = '{attest}'");
        let mut web = consumer(folder.path(), &format!("kind = \"file\"\npath = \"DIR/key\"\n{commands}"));
        assert_eq!((web.reload(), web.attest()), want);
    };
    let said = |key: &str, works| Answer::Yes(Some(Statement { key: Named::Text(key.into()), works }));
    check("exit 0", "echo AK1", (Answer::Yes(()), said("AK1", None)));
    let down = Answer::No("reload: the unit is masked".into());
    check("echo the unit is masked >&2; exit 1", "echo AK1; exit 1", (down, said("AK1", Some(false))));
    let late = Answer::Unknown("reload: exit status 7".into());
    let killed = Answer::Unknown("attest: killed by signal 15".into());
    check("exit 7", "echo AK1; kill $$", (late, killed));
    let mut web = consumer(
        folder.path(),
        "kind = \"file\"\npath = \"DIR/key\"\nreload = [\"/no/such\"]\nattest = \"file\"",
    );
    assert!(matches!(web.reload(), Answer::Unknown(why) if why.starts_with("reload: cannot run /no/such: ")));
}
