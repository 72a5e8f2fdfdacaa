use std::collections::BTreeSet;
use std::fmt::Debug;
use std::io::Write;
use std::process::{Child, Stdio};

use specs::{self, Faults};
use testkit::postgres::Postgres as Host;

use super::*;

const ROLES: &str = "roles = [\"orders_a\", \"orders_b\"]";
const PAIR: &str = "CREATE ROLE orders NOLOGIN; \
                    CREATE ROLE orders_a LOGIN PASSWORD 'old-password' IN ROLE orders; \
                    CREATE ROLE orders_b NOLOGIN IN ROLE orders";
const NOBODY: &BTreeSet<String> = &BTreeSet::new();

fn config(text: &str) -> std::result::Result<Config, String> {
    let faults = Faults::of(text);
    let config = Config::read(specs::parse(text, &faults));
    let found: Vec<_> = faults.into_sorted().into_iter().map(|fault| fault.what).collect();
    if found.is_empty() { Ok(config.unwrap()) } else { Err(found.join("; ")) }
}

fn provider(address: &str, more: &str) -> Box<dyn Provider> {
    provider_by(address, &format!("admin = \"admin\"\n{more}"))
}

fn provider_by(address: &str, more: &str) -> Box<dyn Provider> {
    let ssh = remote::spec::Ssh::default();
    let place = Place { name: "orders", timeout: Duration::from_secs(10), jobs: 2, ssh: &ssh };
    config(&format!("address = \"{address}\"\n{ROLES}\n{more}")).unwrap().build(&place).unwrap()
}

/// The target, with the administrator by the socket.
fn of(host: &Host) -> Box<dyn Provider> {
    provider(&host.socket().display().to_string(), "")
}

fn context<'a>(old: Option<&'a Credential>, new: Option<&'a Credential>) -> Context<'a> {
    Context { token: "t", old, new, prefers_new: false, skipped: NOBODY }
}

fn held(target: &dyn Provider, user: &str, secret: &str) -> Credential {
    let held = [("user".to_owned(), user.into()), ("secret".to_owned(), secret.into())].into();
    let Answer::Yes(credential) = target.recognise(&held) else { panic!("both parts are there") };
    credential
}

fn made(target: &mut dyn Provider, old: &Credential) -> Credential {
    let Answer::Yes(new) = target.make(Some(old)) else { panic!("a secret can always be made") };
    new
}

#[track_caller]
fn is_yes<T: Debug>(answer: &Answer<T>) {
    assert!(matches!(answer, Answer::Yes(_)), "{answer:?}");
}

#[track_caller]
fn is_no<T: Debug>(answer: &Answer<T>, part: &str) {
    assert!(matches!(answer, Answer::No(why) if why.contains(part)), "{answer:?}");
}

#[track_caller]
fn is_unknown<T: Debug>(answer: &Answer<T>, part: &str) {
    assert!(matches!(answer, Answer::Unknown(why) if why.contains(part)), "{answer:?}");
}

/// A session of another program, which has begun when this returns.
fn session(host: &Host, user: &str, password: &str) -> Child {
    let mut psql = host.psql(user, password).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
    writeln!(psql.stdin.as_mut().unwrap(), "SELECT 1;").unwrap();
    let mut answer = [0; 2];
    std::io::Read::read_exact(psql.stdout.as_mut().unwrap(), &mut answer).unwrap();
    psql
}

#[test]
fn a_spec_is_read_or_its_faults_are_told() {
    let check = |text: &str, want: &str| {
        let faults = config(text).unwrap_err();
        assert!(faults.contains(want), "{faults}");
    };
    let with = |more: &str| format!("address = \"db01:5432\"\nadmin = \"x\"\n{ROLES}\n{more}");
    assert!(config(&with("sslmode = \"verify-full\"\nca = \"/etc/ca.pem\"")).is_ok());
    check(ROLES, "has no `address`");
    check(&format!("address = [\"db01:5432\", \"db02:5432\"]\n{ROLES}"), "is to be one");
    for roles in ["[\"a\"]", "[\"a\", \"a\"]", "[\"a\", \"b\", \"c\"]", "[\"a\", \"\"]"] {
        check(&format!("address = \"db01:5432\"\nadmin = \"x\"\nroles = {roles}"), "the names of two roles");
    }
    check("address = \"db01:5432\"\nadmin = \"a\"\nroles = [\"a\", \"b\"]", "cannot end its own");
    check(&with("sslmode = \"on\""), "it is to be `disable`, `prefer`, `require` or `verify-full`");
    check(&with("ca = \"/etc/ca.pem\""), "every server is trusted here");
    check(&with("sslmode = \"disable\"\ncert = \"/c\"\nkey = \"/k\""), "which is off");
}

#[test]
fn what_a_consumer_holds_is_a_role_and_its_password() {
    let target = provider("127.0.0.1:1", "");
    let check = |fields: &[(&str, &str)], want: &str| {
        let held = fields.iter().map(|(name, value)| ((*name).to_owned(), (*value).into())).collect();
        is_no(&target.recognise(&held), want);
    };
    check(&[("secret", "old-password")], "both {user} and {secret}");
    check(&[("user", "orders"), ("secret", "old-password")], "neither orders_a nor orders_b");
    let old = held(&*target, "orders_b", "old-password");
    assert_eq!((old.id.as_str(), old.public.get("user").map(String::as_str)), ("orders_b", Some("orders_b")));
}

#[test]
fn a_rotation_from_end_to_end() {
    let Some(host) = Host::new().start() else { return };
    host.ask(PAIR);
    let mut target = of(&host);
    let old = held(&*target, "orders_a", "old-password");
    let new = made(&mut *target, &old);
    assert_eq!(new.id, "orders_b");
    let both = context(Some(&old), Some(&new));
    is_yes(&target.ready(&both));
    is_no(&target.check(&new, &both), "orders_b is refused: password authentication failed");
    is_yes(&target.create(&both));
    is_yes(&target.create(&both));
    is_yes(&target.check(&old, &both));
    is_yes(&target.check(&new, &both));
    let wrong = target.corrupted(&new).unwrap();
    is_no(&target.check(&wrong, &both), "password authentication failed");
    // Of the password itself the server has heard nothing, though it writes down every statement.
    let log = host.log();
    assert!(log.contains("ALTER ROLE \"orders_b\" LOGIN PASSWORD 'SCRAM-SHA-256$4096:"));
    assert!(!log.contains(new.secret.expose_secret()) && !log.contains(wrong.secret.expose_secret()));

    is_yes(&target.disable(&old, &both));
    is_no(&target.check(&old, &both), "orders_a is refused: role \"orders_a\" is not permitted to log in");
    is_yes(&target.enable(&old, &both));
    is_yes(&target.check(&old, &both));
    is_yes(&target.delete(&old.id, &both));
    is_yes(&target.delete(&old.id, &both));
    is_no(&target.check(&old, &both), "refused");
    is_yes(&target.check(&new, &both));
    let key = |id: &str, is_enabled: bool| Key { id: id.into(), is_enabled, made: None };
    assert_eq!(target.list(&both), Answer::Yes(vec![key("orders_a", false), key("orders_b", true)]));
    is_no(&target.delete("admin", &both), "none of the roles that take turns");

    // The next turn.
    let next = made(&mut *target, &new);
    let both = context(Some(&new), Some(&next));
    assert_eq!(next.id, "orders_a");
    is_yes(&target.ready(&both));
    is_yes(&target.create(&both));
    is_yes(&target.check(&next, &both));
}

#[test]
fn sessions_end_with_the_old_role() {
    let Some(host) = Host::new().start() else { return };
    host.ask(PAIR);
    let mut target = of(&host);
    let old = held(&*target, "orders_a", "old-password");
    let new = made(&mut *target, &old);
    let both = context(Some(&old), Some(&new));
    is_yes(&target.create(&both));
    assert_eq!(target.usage(&old, &both), Answer::Yes(Usage::None));
    let mut clients =
        [session(&host, "orders_a", "old-password"), session(&host, "orders_a", "old-password")];
    let mut other = session(&host, "orders_b", new.secret.expose_secret());
    assert_eq!(target.usage(&old, &both), Answer::Yes(Usage::Now("2 sessions".into())));
    is_yes(&target.disable(&old, &both));
    is_yes(&target.disable(&old, &both));
    assert_eq!(target.usage(&old, &both), Answer::Yes(Usage::None));
    assert_eq!(target.usage(&new, &both), Answer::Yes(Usage::Now("1 session".into())));
    for client in &mut clients {
        drop(client.stdin.take());
        client.wait().unwrap();
    }
    drop(other.stdin.take());
    assert!(other.wait().unwrap().success());
}

#[test]
fn a_role_that_somebody_else_takes_meanwhile_is_left_to_him() {
    let Some(host) = Host::new().start() else { return };
    host.ask(PAIR);
    let mut target = of(&host);
    let old = held(&*target, "orders_a", "old-password");
    let new = made(&mut *target, &old);
    let both = context(Some(&old), Some(&new));
    is_yes(&target.ready(&both));
    host.ask("ALTER ROLE orders_b LOGIN PASSWORD 'of-another'");
    let mut other = session(&host, "orders_b", "of-another");
    is_no(&target.create(&both), "orders_b was idle, and is in use now (1 sessions)");
    is_yes(&target.delete("orders_b", &both));
    let theirs = held(&*target, "orders_b", "of-another");
    is_yes(&target.check(&theirs, &both));
    other.kill().unwrap();
    other.wait().unwrap();
}

#[test]
fn what_cannot_be_rotated_is_said_first() {
    let Some(host) = Host::new().start() else { return };
    host.ask(PAIR);
    let mut target = of(&host);
    let old = held(&*target, "orders_a", "old-password");
    let mut check = |change: &str, undo: &str, want: &str| {
        host.ask(change);
        is_no(&target.ready(&context(Some(&old), None)), want);
        host.ask(undo);
        is_yes(&target.ready(&context(Some(&old), None)));
    };
    let same = "make them the same";
    check(
        "ALTER ROLE orders_b CONNECTION LIMIT 5",
        "ALTER ROLE orders_b CONNECTION LIMIT -1",
        "is -1 and 5; make",
    );
    check("ALTER ROLE orders_b VALID UNTIL '2020-01-01'", "ALTER ROLE orders_b VALID UNTIL 'infinity'", same);
    check(
        "ALTER ROLE orders_a SET role = orders",
        "ALTER ROLE orders_a RESET role",
        "settings is role=orders and none",
    );
    check(
        "ALTER ROLE orders_b IN DATABASE postgres SET work_mem = '8MB'",
        "ALTER ROLE orders_b IN DATABASE postgres RESET ALL",
        "settings is none and postgres: work_mem=8MB",
    );
    check("REVOKE orders FROM orders_b", "GRANT orders TO orders_b", "membership is orders and none");
    check("ALTER ROLE orders_a CREATEDB", "ALTER ROLE orders_a NOCREATEDB", "CREATEDB is true and false");
    check(
        "CREATE TABLE t (); GRANT SELECT ON t TO orders_a",
        "DROP TABLE t",
        "different rights of their own",
    );
    check("CREATE TABLE t (); ALTER TABLE t OWNER TO orders_b", "DROP TABLE t", "REASSIGN OWNED BY orders_b");
    check(
        "ALTER ROLE orders_b LOGIN PASSWORD 'x'",
        "ALTER ROLE orders_b NOLOGIN",
        "ALTER ROLE orders_b NOLOGIN",
    );

    host.ask("ALTER ROLE orders_b LOGIN PASSWORD 'other-password'");
    let mut other = session(&host, "orders_b", "other-password");
    is_no(&target.ready(&context(Some(&old), None)), "it is in use (1 sessions)");
    drop(other.stdin.take());
    other.wait().unwrap();
    host.ask("ALTER ROLE orders_b NOLOGIN");
    is_no(&target.ready(&context(None, None)), "orders_a is the role whose turn is next");
}

#[test]
fn an_administrator_who_may_not_is_told_first() {
    let Some(host) = Host::new().start() else { return };
    host.ask(PAIR);
    host.ask("CREATE ROLE weak LOGIN CREATEROLE PASSWORD 'weak-password'");
    let password = tempfile::NamedTempFile::new().unwrap();
    let by = |secret: &str| {
        testkit::write(password.path(), secret);
        let admin =
            format!("admin = \"weak\"\nadmin_password = {{ file = \"{}\" }}", password.path().display());
        provider_by(&host.address(), &admin)
    };
    let mut target = by("weak-password");
    let old = held(&*target, "orders_a", "old-password");
    let new = made(&mut *target, &old);
    let both = context(Some(&old), Some(&new));
    is_no(&target.ready(&both), "GRANT pg_signal_backend TO it");
    is_no(&by("wrong-password").ready(&both), "password authentication failed");
    host.ask("GRANT pg_signal_backend TO weak");
    is_yes(&target.ready(&both));
    is_yes(&target.create(&both));
    is_yes(&target.check(&new, &both));
    let mut client = session(&host, "orders_a", "old-password");
    is_yes(&target.disable(&old, &both));
    drop(client.stdin.take());
    client.wait().unwrap();
    is_yes(&target.delete(&old.id, &both));
    host.ask("ALTER ROLE weak NOCREATEROLE");
    is_no(&target.ready(&context(Some(&new), None)), "permission denied");
}

#[test]
fn the_second_role_is_made_like_the_first() {
    let Some(host) = Host::new().start() else { return };
    host.ask(
        "CREATE ROLE \"a, \"\"b\" NOLOGIN; CREATE ROLE orders NOLOGIN; GRANT CREATE ON SCHEMA public TO orders; \
         CREATE ROLE orders_a LOGIN PASSWORD 'old-password' CREATEDB CONNECTION LIMIT 7 \
         VALID UNTIL '2099-01-01 00:00:00+00' IN ROLE orders; GRANT \"a, \"\"b\" TO orders_a WITH ADMIN OPTION",
    );
    let mut target = of(&host);
    let old = held(&*target, "orders_a", "old-password");
    let new = made(&mut *target, &old);
    let both = context(Some(&old), Some(&new));
    is_yes(&target.ready(&both));
    is_yes(&target.create(&both));
    is_yes(&target.create(&both));
    is_yes(&target.check(&new, &both));
    host.ask("DROP ROLE orders_b; CREATE TABLE t (); GRANT SELECT ON t TO orders_a");
    is_no(&target.ready(&both), "rights of its own, which are not copied");
    is_yes(&target.delete("orders_b", &both));
    host.ask("DROP TABLE t; DROP ROLE orders_a");
    is_no(&target.ready(&both), "there is no role orders_a");
}

#[test]
fn names_are_quoted() {
    let Some(host) = Host::new().start() else { return };
    host.ask(
        "CREATE ROLE \"a'; DROP ROLE x; --\" LOGIN PASSWORD 'old-password'; \
         CREATE ROLE \"B\"\"\\; DROP ROLE x\" NOLOGIN; CREATE ROLE x",
    );
    let text = format!(
        "address = \"{}\"\nadmin = \"admin\"\nroles = [\"a'; DROP ROLE x; --\", 'B\"\\; DROP ROLE x']",
        host.socket().display()
    );
    let ssh = remote::spec::Ssh::default();
    let place = Place { name: "orders", timeout: Duration::from_secs(10), jobs: 2, ssh: &ssh };
    let mut target = config(&text).unwrap().build(&place).unwrap();
    let old = held(&*target, "a'; DROP ROLE x; --", "old-password");
    let new = made(&mut *target, &old);
    let both = context(Some(&old), Some(&new));
    is_yes(&target.ready(&both));
    is_yes(&target.create(&both));
    is_yes(&target.check(&new, &both));
    is_yes(&target.disable(&old, &both));
    is_yes(&target.delete(&old.id, &both));
    assert_eq!(host.ask("SELECT count(*) FROM pg_roles WHERE rolname = 'x'"), "1");
}

#[test]
fn who_lets_everybody_in_is_caught_by_the_negative_control() {
    let Some(host) = Host::new().access("host all orders_a all trust").start() else { return };
    host.ask(PAIR);
    let mut target = provider(&host.address(), "");
    let right = held(&*target, "orders_a", "old-password");
    let wrong = target.corrupted(&right).unwrap();
    is_yes(&target.check(&wrong, &context(None, None)));
}

#[test]
fn a_server_that_cannot_say_is_not_taken_for_a_refusal() {
    let Some(host) = Host::new().access("host all orders_b all password").start() else { return };
    host.ask(PAIR);
    host.ask("ALTER ROLE orders_a CONNECTION LIMIT 0; ALTER ROLE orders_b LOGIN PASSWORD 'old-password'");
    let none = context(None, None);
    let mut target = provider(&host.address(), "");
    let [a, b] = ["orders_a", "orders_b"].map(|user| held(&*target, user, "old-password"));
    is_unknown(&target.check(&a, &none), "too many connections for role");
    is_unknown(&target.check(&b, &none), "wants the password as it is, for all to hear");
    is_no(&target.ready(&none), "the server asks for the password of admin");
    is_unknown(&provider(&host.address(), "database = \"nowhere\"").check(&b, &none), "cannot log in");
    is_unknown(
        &provider("127.0.0.1:1", "").check(&a, &none),
        "127.0.0.1:1: cannot log in as orders_a: cannot connect",
    );
    host.ask("ALTER ROLE orders_a CONNECTION LIMIT -1");
    is_unknown(&provider(&host.address(), "sslmode = \"require\"").check(&a, &none), "speaks no TLS");
    is_yes(&provider(&host.address(), "sslmode = \"prefer\"").check(&a, &none));
}

#[test]
fn tls_is_spoken_with_whom_the_authority_has_signed() {
    let access = "hostssl all orders_a all scram-sha-256 clientcert=verify-ca";
    let host = Host::new().tls().access(access).access("host all orders_b all password").start();
    let Some(host) = host else { return };
    host.ask(PAIR);
    host.ask("ALTER ROLE orders_b LOGIN PASSWORD 'old-password'");
    let at = |name: &str, user: &str, lines: &str| {
        let mut target = provider(&format!("{name}:{}", host.port()), lines);
        let old = held(&*target, user, "old-password");
        target.check(&old, &context(None, None))
    };
    let file = |name: &str| host.path(name).display().to_string();
    let verified = format!("sslmode = \"verify-full\"\nca = \"{}\"", file("ca.pem"));
    let client = format!("cert = \"{}\"\nkey = \"{}\"", file("client.pem"), file("client.key"));
    is_yes(&at("localhost", "orders_a", &format!("{verified}\n{client}")));
    is_yes(&at("localhost", "orders_a", &format!("sslmode = \"require\"\n{client}")));
    is_yes(&at("localhost", "orders_b", &verified));
    is_no(&at("localhost", "orders_a", &verified), "requires a valid client certificate");
    is_unknown(&at("localhost", "orders_b", "sslmode = \"verify-full\""), "certificate verify failed");
    is_unknown(&at("localhost", "orders_b", "sslmode = \"disable\""), "for all to hear");
    assert!(host.log().contains("SSL enabled"));
}
