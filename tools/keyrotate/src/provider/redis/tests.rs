use std::io::Write;
use std::os::unix::net::UnixStream;
use std::time::Duration;

use specs::{self, Faults};
use testkit::redis::Redis as Server;

use super::*;

const ADMIN: &str = "user default on nopass ~* &* +@all\n";
const NOBODY: &BTreeSet<String> = &BTreeSet::new();

fn config(text: &str) -> std::result::Result<Config, String> {
    let faults = Faults::of(text);
    let config = Config::read(specs::parse(text, &faults));
    let found: Vec<_> = faults.into_sorted().into_iter().map(|fault| fault.what).collect();
    if found.is_empty() { Ok(config.unwrap()) } else { Err(found.join("; ")) }
}

fn provider(text: &str) -> Box<dyn Provider> {
    let ssh = remote::spec::Ssh::default();
    let place = Place { name: "orders", timeout: Duration::from_secs(10), jobs: 2, ssh: &ssh };
    config(text).unwrap().build(&place).unwrap()
}

fn of(server: &Server) -> Box<dyn Provider> {
    provider(&format!("address = \"{}\"\nuser = \"orders\"", server.address()))
}

fn context<'a>(old: Option<&'a Credential>, new: Option<&'a Credential>) -> Context<'a> {
    Context { token: "t", old, new, prefers_new: false, skipped: NOBODY }
}

fn held(target: &dyn Provider, secret: &str) -> Credential {
    let Answer::Yes(credential) = target.recognise(&[("secret".to_owned(), secret.into())].into()) else {
        panic!("a secret is enough")
    };
    credential
}

fn made(target: &mut dyn Provider) -> Credential {
    let Answer::Yes(new) = target.make(None) else { panic!("a secret can always be made") };
    new
}

#[track_caller]
fn is_no<T: std::fmt::Debug>(answer: &Answer<T>, part: &str) {
    assert!(matches!(answer, Answer::No(why) if why.contains(part)), "{answer:?}");
}

#[track_caller]
fn is_unknown<T: std::fmt::Debug>(answer: &Answer<T>, part: &str) {
    assert!(matches!(answer, Answer::Unknown(why) if why.contains(part)), "{answer:?}");
}

#[test]
fn a_spec_is_read_or_its_faults_are_told() {
    let check = |text: &str, want: &str| {
        let faults = config(text).unwrap_err();
        assert!(faults.contains(want), "{faults}");
    };
    let with =
        |more: &str| format!("address = [\"db01:6379\", \"/run/redis.sock\"]\nuser = \"orders\"\n{more}");
    assert!(config(&with("")).is_ok());
    check("user = \"orders\"", "has no `address`");
    check("address = \"db01:6379\"", "has no `user`");
    check("user = \"u\"\naddress = \"db01\"", "is to be HOST:PORT or an absolute path");
    check("user = \"u\"\naddress = [\"a:1\", \"a:1\"]", "a:1 is there twice");
    check(&with("admin = \"orders\"\nadmin_password = { env = \"X\" }"), "is its own administrator");
    check(&with("tls = true"), "speaks no TLS");
    check(&with("ca = \"/etc/ca.pem\""), "are for TLS, which is off");
    check(&with("tls_ca = 1"), "there is no key `tls_ca`");
}

#[test]
fn a_rotation_from_end_to_end() {
    let users = format!("{ADMIN}user orders on >old-password ~* +get +acl|whoami\n");
    let Some(server) = Server::new().users(users).start() else { return };
    let mut target = of(&server);
    let (old, new) = (held(&*target, "old-password"), made(&mut *target));
    let both = context(Some(&old), Some(&new));
    assert!(target.ready(&both).is_yes());
    is_no(&target.check(&new, &both), "orders is refused: WRONGPASS");

    assert!(target.create(&both).is_yes() && target.create(&both).is_yes());
    assert!(target.check(&old, &both).is_yes() && target.check(&new, &both).is_yes());
    let wrong = target.corrupted(&new).unwrap();
    is_no(&target.check(&wrong, &both), "WRONGPASS");
    let Answer::Yes(keys) = target.list(&both) else { panic!() };
    assert_eq!(keys.len(), 2);
    assert!(keys.iter().all(|key| key.is_enabled && (key.id == old.id || key.id == new.id)));

    server.kill();
    is_unknown(&target.check(&new, &both), &format!("{}: cannot connect", server.address()));
    server.restart();
    assert!(target.check(&new, &both).is_yes());

    assert!(target.disable(&old, &both).is_yes() && target.disable(&old, &both).is_yes());
    is_no(&target.check(&old, &both), "WRONGPASS");
    server.kill();
    server.restart();
    is_no(&target.check(&old, &both), "WRONGPASS");
    assert!(target.enable(&old, &both).is_yes());
    assert!(target.check(&old, &both).is_yes());
    assert!(target.delete(&old.id, &both).is_yes() && target.delete(&old.id, &both).is_yes());
    is_no(&target.check(&old, &both), "WRONGPASS");
    assert!(target.check(&new, &both).is_yes());
    is_no(&target.delete("allkeys", &both), "is not the digest of a password");
}

#[test]
fn a_crash_before_the_users_are_saved_is_healed_by_repeating() {
    let users = format!("{ADMIN}user orders on >old-password ~* +@all\n");
    let Some(server) = Server::new().users(users).start() else { return };
    let mut target = of(&server);
    let (old, new) = (held(&*target, "old-password"), made(&mut *target));
    let both = context(Some(&old), Some(&new));
    // Half of `create`, as a kill in its midst leaves it.
    server.ask(&["ACL", "SETUSER", "orders", &format!("#{}", new.id)]);
    assert!(target.check(&new, &both).is_yes());
    server.kill();
    server.restart();
    is_no(&target.check(&new, &both), "WRONGPASS");
    assert!(target.create(&both).is_yes());
    server.kill();
    server.restart();
    assert!(target.check(&new, &both).is_yes());
    // Half of `delete`: gone from memory, and still in the file.
    server.ask(&["ACL", "SETUSER", "orders", &format!("!{}", old.id)]);
    assert!(target.delete(&old.id, &both).is_yes());
    server.kill();
    server.restart();
    is_no(&target.check(&old, &both), "WRONGPASS");
}

#[test]
fn users_in_redis_conf_are_kept_there() {
    let Some(server) = Server::new().setting("user orders on >old-password ~* +@all").start() else { return };
    let mut target = of(&server);
    let new = made(&mut *target);
    let both = context(None, Some(&new));
    assert!(target.ready(&both).is_yes());
    assert!(target.create(&both).is_yes());
    server.kill();
    server.restart();
    assert!(target.check(&new, &both).is_yes());
}

#[test]
fn a_user_that_administers_itself_goes_over_to_the_new_password() {
    let Some(server) = Server::new().setting("requirepass old-password").start() else { return };
    let mut target = provider(&format!("address = \"{}\"\nuser = \"default\"", server.address()));
    let (old, new) = (held(&*target, "old-password"), made(&mut *target));
    let both = context(Some(&old), Some(&new));
    assert!(target.ready(&both).is_yes());
    assert!(target.create(&both).is_yes() && target.check(&new, &both).is_yes());
    assert!(target.disable(&old, &both).is_yes() && target.disable(&old, &both).is_yes());
    assert!(target.delete(&old.id, &both).is_yes());
    server.kill();
    server.restart();
    is_no(&target.check(&old, &both), "WRONGPASS");
    assert!(target.check(&new, &both).is_yes());
}

#[test]
fn what_cannot_be_rotated_is_said_first() {
    let users = format!(
        "{ADMIN}user open on nopass ~* +@all\nuser shut off >old-password ~* +@all\n\
         user weak on >weak-password ~* +acl|getuser +config|get +acl|setuser\nuser orders on >old-password\n"
    );
    let Some(server) = Server::new().users(users).start() else { return };
    let folder = tempfile::tempdir().unwrap();
    let password = folder.path().join("admin");
    let check = |lines: &str, admin: &str, want: &str| {
        testkit::write(&password, admin);
        std::fs::set_permissions(&password, std::os::unix::fs::PermissionsExt::from_mode(0o600)).unwrap();
        let file = format!("admin_password = {{ file = \"{}\" }}", password.display());
        let more = if admin.is_empty() { "" } else { &file };
        let mut target = provider(&format!("address = \"{}\"\n{lines}\n{more}", server.address()));
        is_no(&target.ready(&context(None, None)), want);
    };
    check("user = \"nobody\"", "", "there is no user nobody");
    check("user = \"open\"", "", "ACL SETUSER open resetpass");
    check("user = \"shut\"", "", "ACL SETUSER shut on");
    check("user = \"orders\"\nadmin = \"weak\"", "weak-password", "CLIENT KILL: NOPERM");
    check("user = \"orders\"\nadmin = \"weak\"", "wrong-password", "weak is refused: WRONGPASS");

    let Some(server) = Server::new().volatile().start() else { return };
    server.ask(&["ACL", "SETUSER", "orders", "on", ">old-password"]);
    is_no(&of(&server).ready(&context(None, None)), "it forgets its users when it restarts");
}

#[test]
fn an_administrator_needs_few_rights() {
    let check = |keeper: &str, rights: &str| {
        let users = [
            "user default on nopass ~* &* +@all".to_owned(),
            format!(
                "user rotator on >admin-password -@all +acl|getuser +acl|setuser +acl|log +client|kill {rights}"
            ),
            "user orders on >old-password ~* +@all".to_owned(),
        ];
        let server = match keeper {
            "aclfile" => Server::new().users(users.join("\n") + "\n").start(),
            _ => users.into_iter().fold(Server::new(), testkit::redis::Builder::setting).start(),
        };
        let Some(server) = server else { return };
        let password = server.path("admin");
        testkit::write(&password, "admin-password\n");
        std::fs::set_permissions(&password, std::os::unix::fs::PermissionsExt::from_mode(0o600)).unwrap();
        let mut target = provider(&format!(
            "address = \"{}\"\nuser = \"orders\"\nadmin = \"rotator\"\nadmin_password = {{ file = \"{}\" }}",
            server.address(),
            password.display()
        ));
        let (old, new) = (held(&*target, "old-password"), made(&mut *target));
        let both = context(Some(&old), Some(&new));
        assert!(target.ready(&both).is_yes() && target.create(&both).is_yes());
        assert!(target.disable(&old, &both).is_yes() && target.delete(&old.id, &both).is_yes());
        assert_eq!(target.refusals(&both), Answer::Yes(Some(0)));
        is_no(&target.check(&old, &both), "WRONGPASS");
        assert!(target.check(&new, &both).is_yes());
    };
    check("aclfile", "+acl|save +config|get");
    check("redis.conf", "+config|get +config|rewrite +info");
}

#[test]
fn a_user_without_a_password_is_caught_by_the_negative_control() {
    let users = format!("{ADMIN}user orders on nopass ~* +@all\n");
    let Some(server) = Server::new().users(users).start() else { return };
    let mut target = of(&server);
    let right = held(&*target, "old-password");
    let wrong = target.corrupted(&right).unwrap();
    assert!(target.check(&wrong, &context(None, None)).is_yes());
}

#[test]
fn sessions_end_with_the_old_password() {
    let users = format!("{ADMIN}user orders on >old-password ~* +@all\nuser other on >other ~* +@all\n");
    let Some(server) = Server::new().users(users).start() else { return };
    let session = |user: &str, secret: &str| {
        let mut stream = std::io::BufReader::new(UnixStream::connect(server.path("redis.sock")).unwrap());
        stream.get_mut().write_all(format!("AUTH {user} {secret}\r\n").as_bytes()).unwrap();
        assert_eq!(reply::Reply::read(&mut stream).unwrap(), reply::Reply::Status("OK".into()));
        stream
    };
    let lives = |stream: &mut std::io::BufReader<UnixStream>| {
        stream.get_mut().write_all(b"PING\r\n").is_ok() && reply::Reply::read(stream).is_ok()
    };
    let (mut ours, mut other) = (session("orders", "old-password"), session("other", "other"));
    assert!(lives(&mut ours) && lives(&mut other));
    let mut target = of(&server);
    let old = held(&*target, "old-password");
    assert!(target.disable(&old, &context(Some(&old), None)).is_yes());
    assert!(!lives(&mut ours) && lives(&mut other));
}

#[test]
fn refusals_are_counted_until_the_log_is_full() {
    let users = format!("{ADMIN}user orders on >old-password ~* +get\n");
    let Some(server) = Server::new().users(users).setting("acllog-max-len 12").start() else { return };
    let mut target = of(&server);
    let wrong = held(&*target, "wrong-password");
    let none = context(None, None);
    assert_eq!(target.refusals(&none), Answer::Yes(Some(0)));
    for _ in 0..3 {
        is_no(&target.check(&wrong, &none), "WRONGPASS");
    }
    assert_eq!(target.refusals(&none), Answer::Yes(Some(3)));
    for user in 0..11 {
        server.ask(&["AUTH", &user.to_string(), "x"]);
    }
    assert_eq!(target.refusals(&none), Answer::Yes(None));
    // This user may not ask who it is.
    assert!(target.check(&held(&*target, "old-password"), &none).is_yes());
}

#[test]
fn every_server_must_say_yes() {
    let users = format!("{ADMIN}user orders on >old-password ~* +@all\n");
    let servers = [0, 1].map(|_| Server::new().users(users.clone()).start());
    let [Some(first), Some(second)] = servers else { return };
    let socket = second.path("redis.sock").display().to_string();
    let mut target =
        provider(&format!("address = [\"{}\", \"{socket}\"]\nuser = \"orders\"", first.address()));
    assert_eq!(target.sites(), [first.address(), socket.clone()]);
    let (old, new) = (held(&*target, "old-password"), made(&mut *target));
    let both = context(Some(&old), Some(&new));
    assert!(target.create(&both).is_yes() && target.check(&new, &both).is_yes());
    second.ask(&["ACL", "SETUSER", "orders", &format!("!{}", new.id)]);
    is_no(&target.check(&new, &both), &format!("{socket}: orders is refused"));
    let Answer::Yes(keys) = target.list(&both) else { panic!() };
    let enabled: Vec<_> = keys.iter().filter(|key| key.is_enabled).map(|key| &key.id).collect();
    assert_eq!((keys.len(), enabled), (2, vec![&old.id]));
    second.kill();
    is_unknown(&target.create(&both), &format!("{socket}: cannot connect"));
    let given_up = [socket].into();
    assert!(target.create(&Context { skipped: &given_up, ..both }).is_yes());
    let all = target.sites().into_iter().collect();
    is_no(&target.check(&new, &Context { skipped: &all, ..both }), "every server was given up");
}

#[test]
fn tls_is_spoken_with_whom_the_authority_has_signed() {
    let users = format!("{ADMIN}user orders on >old-password ~* +@all\n");
    let Some(server) = Server::new().users(users).tls().start() else { return };
    let (here, port) = (server.path("").display().to_string(), server.port());
    let at = |host: &str, lines: &str| {
        let mut target =
            provider(&format!("address = \"{host}:{port}\"\nuser = \"orders\"\ntls = true\n{lines}"));
        let old = held(&*target, "old-password");
        target.check(&old, &context(None, None))
    };
    let ca = format!("ca = \"{here}ca.pem\"");
    let client = format!("{ca}\ncert = \"{here}client.pem\"\nkey = \"{here}client.key\"");
    assert!(at("localhost", &client).is_yes());
    is_unknown(&at("localhost", ""), "certificate verify failed");
    is_unknown(&at("127.0.0.2", &client), "cannot");
    is_unknown(&at("localhost", &ca), "cannot log in");
}
