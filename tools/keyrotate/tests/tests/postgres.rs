//! Rotations between two roles of PostgreSQL, through the binary.

use std::process::{Command, Output, Stdio};

use tempfile::TempDir;
use testkit::postgres::Postgres;

const PAIR: &str = "CREATE ROLE orders NOLOGIN; \
                    CREATE ROLE orders_a LOGIN PASSWORD 'old-password' IN ROLE orders; \
                    CREATE ROLE orders_b NOLOGIN IN ROLE orders";

const AT_ONCE: &str = "soak = \"0s\"\nwatch = \"0s\"\n";

/// A rotation in a folder: one consumer, which holds role and password in the lines of an environment.
fn rotation(server: &Postgres, gates: &str) -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    let here = folder.path().display();
    let spec = format!(
        "name = \"orders\"\ntimeout = \"10s\"\nstate = \"{here}/state\"\n\
         [provider]\nkind = \"postgres\"\naddress = \"{}\"\nroles = [\"orders_a\", \"orders_b\"]\n\
         admin = \"admin\"\nadmin_password = {{ file = \"{here}/admin\" }}\n\
         [[consumers]]\nname = \"web\"\nkind = \"env\"\npath = \"{here}/app.env\"\nattest = \"file\"\n\
         set = {{ PGUSER = \"{{user}}\", PGPASSWORD = \"{{secret}}\" }}\n\
         [gates]\nchecks = 2\nwindow = \"0s\"\n{gates}",
        server.address()
    );
    testkit::write(folder.path().join("orders.toml"), spec);
    testkit::write(folder.path().join("app.env"), "PGUSER=orders_a\nPGPASSWORD=old-password\n");
    testkit::write(folder.path().join("admin"), "admin-password\n");
    for name in ["app.env", "admin"] {
        let private = std::os::unix::fs::PermissionsExt::from_mode(0o600);
        std::fs::set_permissions(folder.path().join(name), private).unwrap();
    }
    folder
}

#[track_caller]
fn keyrotate(folder: &TempDir, task: &[&str], status: i32) -> String {
    let mut command = Command::new(env!("CARGO_BIN_EXE_keyrotate"));
    command.arg(task[0]).arg(folder.path().join("orders.toml")).args(&task[1..]);
    let Output { status: ended, stdout, stderr } = command.output().unwrap();
    let said = [stdout, stderr].map(|bytes| String::from_utf8_lossy(&bytes).into_owned()).concat();
    assert_eq!(ended.code(), Some(status), "{said}");
    said
}

/// The role and the password that the consumer holds.
fn held(folder: &TempDir) -> (String, String) {
    let text = std::fs::read_to_string(folder.path().join("app.env")).unwrap();
    let value = |name: &str| text.lines().find_map(|line| line.strip_prefix(name)).unwrap().to_owned();
    (value("PGUSER="), value("PGPASSWORD="))
}

fn logs_in(server: &Postgres, (role, password): &(String, String)) -> bool {
    let output = server.psql(role, password).args(["-c", "SELECT session_user"]).output().unwrap();
    output.status.success() && output.stdout == format!("{role}\n").into_bytes()
}

#[test]
fn the_roles_take_turns_and_no_log_has_a_password() {
    let Some(server) = Postgres::new().start() else { return };
    server.ask(PAIR);
    let folder = rotation(&server, AT_ONCE);
    let old = held(&folder);
    let mut sleeper = server.psql("orders_a", "old-password");
    let sleeper = sleeper.args(["-c", "SELECT pg_sleep(3600)"]).stdout(Stdio::null()).stderr(Stdio::piped());
    let sleeper = sleeper.spawn().unwrap();
    let is_there =
        "SELECT count(*) FROM pg_stat_activity WHERE usename = 'orders_a' AND wait_event = 'PgSleep'";
    while server.ask(is_there) != "1" {}

    keyrotate(&folder, &["run"], 0);
    let new = held(&folder);
    assert_eq!((new.0.as_str(), new.1.len()), ("orders_b", 44));
    assert!(logs_in(&server, &new) && !logs_in(&server, &old));
    let ended = sleeper.wait_with_output().unwrap();
    assert!(String::from_utf8_lossy(&ended.stderr).contains("terminating connection"));

    keyrotate(&folder, &["run", "--now"], 0);
    let third = held(&folder);
    assert_eq!(third.0, "orders_a");
    assert!(logs_in(&server, &third) && !logs_in(&server, &new) && !logs_in(&server, &old));
    let log = server.log();
    assert_eq!(log.matches("LOGIN PASSWORD 'SCRAM-SHA-256$4096:").count(), 2);
    assert!(!log.contains(&new.1) && !log.contains(&third.1));
    let passwords = "SELECT count(*) FROM pg_authid WHERE rolname LIKE 'orders%' AND rolpassword IS NOT NULL";
    assert_eq!(server.ask(passwords), "1");
}

#[test]
fn an_old_role_that_is_in_use_does_not_go() {
    let Some(server) = Postgres::new().start() else { return };
    server.ask(PAIR);
    let folder = rotation(&server, "soak = \"0s\"\nunused = \"1h\"\n");
    let mut user = server.psql("orders_a", "old-password");
    let mut user = user.args(["-c", "SELECT pg_sleep(3600)"]).stdout(Stdio::null()).spawn().unwrap();
    while server.ask("SELECT count(*) FROM pg_stat_activity WHERE usename = 'orders_a'") != "1" {}
    let said = keyrotate(&folder, &["run"], 12);
    assert!(said.contains("1 session"), "{said}");
    user.kill().unwrap();
    user.wait().unwrap();
}

#[test]
fn the_way_back_shuts_the_new_role() {
    let Some(server) = Postgres::new().start() else { return };
    server.ask(PAIR);
    let folder = rotation(&server, "soak = \"1h\"\n");
    let old = held(&folder);
    keyrotate(&folder, &["run"], 12);
    let new = held(&folder);
    assert!(logs_in(&server, &old) && logs_in(&server, &new) && new.0 == "orders_b");
    keyrotate(&folder, &["rollback", "--reason", "a test"], 0);
    assert_eq!(held(&folder), old);
    assert!(logs_in(&server, &old) && !logs_in(&server, &new));
    keyrotate(&folder, &["run", "--now"], 12);
    assert!(logs_in(&server, &old) && logs_in(&server, &held(&folder)));
}

#[test]
fn a_server_that_trusts_everybody_proves_nothing() {
    let Some(server) = Postgres::new().access("host all orders_b all trust").start() else { return };
    server.ask(PAIR);
    let folder = rotation(&server, AT_ONCE);
    let said = keyrotate(&folder, &["run"], 10);
    assert!(said.contains("accepts a secret that is wrong"), "{said}");
    assert_eq!(held(&folder), ("orders_a".to_owned(), "old-password".to_owned()));
    assert!(logs_in(&server, &held(&folder)));
    assert_eq!(server.ask("SELECT rolcanlogin FROM pg_roles WHERE rolname = 'orders_b'"), "f");
}

#[test]
fn what_cannot_be_rotated_is_left_alone() {
    let Some(server) = Postgres::new().start() else { return };
    server.ask(PAIR);
    server.ask("CREATE TABLE t (); ALTER TABLE t OWNER TO orders_a");
    let folder = rotation(&server, AT_ONCE);
    let said = keyrotate(&folder, &["run"], 11);
    assert!(said.contains("REASSIGN OWNED BY orders_a"), "{said}");
    assert_eq!(server.ask("SELECT rolcanlogin FROM pg_roles WHERE rolname = 'orders_b'"), "f");
    assert_eq!(held(&folder).0, "orders_a");
}
