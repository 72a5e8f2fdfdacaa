//! Consumers on a real host, from their spec.

use std::fs;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::Path;
use std::time::Duration;

use secrecy::ExposeSecret;
use specs::{Faults, parse};
use testkit::sshd::Sshd;

use super::*;
use crate::consumer::Named;

fn credential(secret: &str) -> Credential {
    Credential { id: "AK1".into(), secret: secret.into(), public: std::collections::BTreeMap::new() }
}

/// The consumer that `spec` says on `server`, in whose folder `DIR` is.
fn consumer(server: &Sshd, spec: &str) -> Box<dyn Consumer> {
    let spec = format!(
        "[ssh]\nconfig = {:?}\n[web]\nname = \"web\"\nhosts = [\"127.0.0.1\"]\n{}",
        server.path("ssh_config").display(),
        spec.replace("DIR", server.path("home").to_str().unwrap())
    );
    let faults = Faults::of(&spec);
    let mut table = parse(&spec, &faults);
    let ssh = ::remote::spec::Ssh::read(table.table("ssh").unwrap());
    let config = Config::read(table.table("web").unwrap()).unwrap();
    assert_eq!(faults.into_sorted(), []);
    let place = Place { name: "orders", timeout: Duration::from_secs(20), jobs: 1, ssh: &ssh };
    let mut all = config.build(&place).unwrap();
    assert_eq!(all.len(), 1);
    all.remove(0)
}

fn text(path: &Path) -> String {
    fs::read_to_string(path).unwrap()
}

#[test]
fn what_it_was_given_is_what_it_holds() {
    let Some(server) = Sshd::new().start() else { return };
    let check = |kind: &str, before: Option<&str>, after: &str| {
        let path = server.path("home/it's a key");
        match before {
            Some(text) => testkit::write(&path, text),
            None => fs::remove_file(&path).unwrap_or_default(),
        }
        let mut web = consumer(&server, &format!("{kind}\npath = \"DIR/it's a key\"\nattest = \"file\""));
        assert_eq!(web.name(), "web@127.0.0.1");
        for _ in 0..2 {
            assert_eq!(web.write(&credential("s3cret")), Answer::Yes(()));
            assert_eq!(web.reload(), Answer::Yes(()));
            assert_eq!(text(&path), after);
            let Answer::Yes(Some(fields)) = web.read() else { panic!("nothing is read") };
            assert_eq!(fields["secret"].expose_secret(), "s3cret");
        }
        assert_eq!(web.attest(), Answer::Yes(None));
    };
    check("kind = \"file\"", None, "s3cret\n");
    check("kind = \"file\"\ntemplate = \"{id} {secret}\"", Some("AK0 old"), "AK1 s3cret");
    check("kind = \"json\"\nset = { a = \"{secret}\" }", Some("{\"b\": 1}"), "{\"b\": 1, \"a\": \"s3cret\"}");
    check("kind = \"env\"\nset = { A = \"{secret}\" }", Some("A=old\n"), "A=s3cret\n");
    let long = "x".repeat(300_000);
    check(
        "kind = \"env\"\nset = { A = \"{secret}\" }",
        Some(&format!("B={long}\n")),
        &format!("B={long}\nA=s3cret\n"),
    );
}

#[test]
fn nothing_is_only_where_there_is_a_folder() {
    let Some(server) = Sshd::new().start() else { return };
    let mut web =
        consumer(&server, "kind = \"file\"\npath = \"DIR/key\"\nmode = \"0640\"\nattest = \"file\"");
    assert_eq!(web.read().map(|fields| fields.is_none()), Answer::Yes(true));
    assert_eq!(web.write(&credential("s3cret")), Answer::Yes(()));
    assert_eq!(fs::metadata(server.path("home/key")).unwrap().mode() & 0o777, 0o640);
    fs::set_permissions(server.path("home/key"), fs::Permissions::from_mode(0o604)).unwrap();
    assert_eq!(web.write(&credential("other")), Answer::Yes(()));
    assert_eq!(fs::metadata(server.path("home/key")).unwrap().mode() & 0o777, 0o604);
    let mut web = consumer(&server, "kind = \"file\"\npath = \"DIR/not/here\"\nattest = \"file\"");
    for answer in [web.read().map(drop), web.write(&credential("s3cret"))] {
        let Answer::Unknown(why) = answer else { panic!("{answer:?}") };
        assert!(why.starts_with("there is no folder /") && why.contains("mounted"), "{why}");
    }
    let mut web = consumer(&server, "kind = \"file\"\npath = \"DIR\"\nattest = \"file\"");
    let Answer::No(why) = web.read() else { panic!("a folder is read") };
    assert!(why.ends_with("home is no file"), "{why}");
    drop(server);
    for answer in [web.read().map(drop), web.write(&credential("s3cret")), web.attest().map(drop)] {
        assert!(matches!(&answer, Answer::Yes(()) | Answer::Unknown(_)), "{answer:?}");
    }
    let Answer::Unknown(why) = web.read() else { panic!("a host that is down has said something") };
    assert!(why.starts_with("nothing listens on port"), "{why}");
}

#[test]
fn its_commands_run_there() {
    let Some(server) = Sshd::new().start() else { return };
    testkit::write(server.path("home/key"), "old\n");
    let spec = |reload: &str, attest: &str| {
        format!("kind = \"file\"\npath = \"DIR/key\"\nreload = {reload}\nattest = {attest}")
    };
    let args = "[\"sh\", \"-c\", \"cat; echo \\\"$0\\\" >DIR/reloaded; echo why >&2; exit $1\", \"a 'b'\", \"STATUS\"]";
    let named = |key: &str, works| Answer::Yes(Some(Statement { key: Named::Text(key.into()), works }));
    for status in [0, 1, 3] {
        let reload = args.replace("STATUS", &status.to_string());
        let mut web = consumer(&server, &spec(&reload, "\"sha256sum <DIR/key | cut -c 1-12\""));
        assert_eq!(web.write(&credential("s3cret")), Answer::Yes(()));
        let logins = server.log().matches("Accepted publickey").count();
        let want = match status {
            0 => Answer::Yes(()),
            1 => Answer::No("reload: why".into()),
            _ => Answer::Unknown("reload: exit status 3: why".into()),
        };
        assert_eq!(web.reload(), want);
        // The session of the write was still there.
        assert_eq!(server.log().matches("Accepted publickey").count(), logins);
        assert_eq!(text(&server.path("home/reloaded")), "a 'b'\n");
        // printf 's3cret\n' | sha256sum
        assert_eq!(web.attest(), named("82ba9d712d21", None));
        assert_eq!(web.reload(), want);
    }
    let mut web = consumer(&server, &spec("\"true\"", "\"echo AK1; exit 1\""));
    assert_eq!(web.attest(), named("AK1", Some(false)));
    let mut web = consumer(&server, &spec("\"true\"", "\"echo out of order >&2; exit 2\""));
    assert_eq!(web.attest(), Answer::Unknown("attest: exit status 2: out of order".into()));
}
