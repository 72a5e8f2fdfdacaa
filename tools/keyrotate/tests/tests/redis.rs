//! Rotations of a user of Redis, through the binary.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::path::Path;
use std::process::{Command, Output, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Weak};

use tempfile::TempDir;
use testkit::redis::Redis;

const USERS: &str = "user default on nopass ~* &* +@all\nuser orders on >old-password ~* +@all\n";

/// A rotation in a folder: one consumer, which holds user and password in JSON.
fn rotation(addresses: &str, gates: &str) -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    let here = folder.path().display();
    let spec = format!(
        "name = \"orders\"\ntimeout = \"5s\"\nstate = \"{here}/state\"\n\
         [provider]\nkind = \"redis-acl\"\naddress = [{addresses}]\nuser = \"orders\"\n\
         [[consumers]]\nname = \"web\"\nkind = \"json\"\npath = \"{here}/app.json\"\nattest = \"file\"\n\
         set = {{ \"/user\" = \"{{user}}\", \"/password\" = \"{{secret}}\" }}\n\
         [gates]\nchecks = 2\nwindow = \"0s\"\n{gates}"
    );
    testkit::write(folder.path().join("orders.toml"), spec);
    testkit::write(
        folder.path().join("app.json"),
        "{\"user\": \"orders\", \"password\": \"old-password\"}\n",
    );
    folder
}

const AT_ONCE: &str = "soak = \"0s\"\nwatch = \"0s\"\n";

#[track_caller]
fn keyrotate(folder: &TempDir, task: &[&str], status: i32) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_keyrotate"));
    command.arg(task[0]).arg(folder.path().join("orders.toml")).args(&task[1..]);
    let output = command.output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(status), "{said}{}", String::from_utf8_lossy(&output.stdout));
    output
}

fn said(output: &Output) -> String {
    [&output.stdout[..], &output.stderr].map(String::from_utf8_lossy).concat()
}

/// What the consumer holds.
fn held(folder: &TempDir) -> String {
    let text = std::fs::read_to_string(folder.path().join("app.json")).unwrap();
    let json: serde_json::Value = serde_json::from_str(&text).unwrap();
    assert_eq!(json["user"], "orders");
    json["password"].as_str().unwrap().to_owned()
}

/// Whether a log-in with this password is good, and as whom.
fn logs_in(server: &Redis, password: &str) -> bool {
    let mut cli = Command::new("redis-cli");
    cli.arg("-s").arg(server.path("redis.sock")).stdin(Stdio::piped()).stdout(Stdio::piped());
    let mut child = cli.spawn().unwrap();
    let mut stdin = child.stdin.take().unwrap();
    writeln!(stdin, "AUTH orders {password}\nACL WHOAMI").unwrap();
    drop(stdin);
    let said = String::from_utf8(child.wait_with_output().unwrap().stdout).unwrap();
    said.starts_with("OK\n") && said.contains("\norders")
}

/// A connection of a program that logged in long ago.
fn session(server: &Redis, password: &str) -> BufReader<TcpStream> {
    let mut session = BufReader::new(TcpStream::connect(server.address()).unwrap());
    assert_eq!(asked(&mut session, &format!("AUTH orders {password}")).unwrap(), "+OK\r\n");
    session
}

/// The line that a session answers; none when it has ended.
fn asked(session: &mut BufReader<TcpStream>, words: &str) -> Option<String> {
    session.get_mut().write_all(format!("{words}\r\n").as_bytes()).ok()?;
    let mut line = String::new();
    session.read_line(&mut line).ok().filter(|&count| count > 0).map(|_| line)
}

#[test]
fn both_servers_get_the_new_password_and_old_sessions_end() {
    let servers = [0, 1].map(|_| Redis::new().users(USERS).start());
    let [Some(first), Some(second)] = servers else { return };
    let socket = second.path("redis.sock");
    let folder = rotation(&format!("\"{}\", \"{}\"", first.address(), socket.display()), AT_ONCE);
    let mut old = session(&first, "old-password");
    keyrotate(&folder, &["run"], 0);
    let new = held(&folder);
    assert_eq!(new.len(), 44);
    assert_eq!(asked(&mut old, "PING"), None);
    for server in [&first, &second] {
        server.kill();
        server.restart();
        assert!(logs_in(server, &new) && !logs_in(server, "old-password"));
    }
    keyrotate(&folder, &["run", "--now"], 0);
    assert!(logs_in(&first, &held(&folder)) && !logs_in(&first, &new));
}

#[test]
fn the_way_back_leaves_the_old_password_alone() {
    let Some(server) = Redis::new().users(USERS).start() else { return };
    let folder = rotation(&format!("\"{}\"", server.address()), "soak = \"1h\"\n");
    keyrotate(&folder, &["run"], 12);
    let new = held(&folder);
    let mut old = session(&server, "old-password");
    assert!(logs_in(&server, &new) && new != "old-password");
    keyrotate(&folder, &["rollback", "--reason", "a test"], 0);
    assert_eq!(held(&folder), "old-password");
    assert_eq!(asked(&mut old, "PING").unwrap(), "+PONG\r\n");
    server.kill();
    server.restart();
    assert!(logs_in(&server, "old-password") && !logs_in(&server, &new));
}

#[test]
fn a_server_killed_before_it_saves_its_users_costs_nothing() {
    let Some(server) = Redis::new().users(USERS).start() else { return };
    let server = Arc::new(server);
    let is_armed = Arc::new(AtomicBool::new(true));
    let address = killer(&server, Arc::clone(&is_armed));
    let folder = rotation(&format!("\"{address}\""), AT_ONCE);
    keyrotate(&folder, &["run"], 75);
    assert!(!is_armed.load(Ordering::SeqCst));
    assert_eq!(held(&folder), "old-password");
    keyrotate(&folder, &["run"], 75);
    server.restart();
    assert!(!server.ask(&["ACL", "LIST"]).contains(&staged(folder.path())));
    keyrotate(&folder, &["run"], 0);
    server.kill();
    server.restart();
    assert!(logs_in(&server, &held(&folder)) && !logs_in(&server, "old-password"));
}

/// The id of the new password as the journal has it.
fn staged(folder: &Path) -> String {
    let log = std::fs::read_to_string(folder.join("state/orders/audit.jsonl")).unwrap();
    let is_digest = |word: &&str| word.len() == 64 && word.bytes().all(|byte| byte.is_ascii_hexdigit());
    let line = log.lines().find(|line| line.contains("STAGED")).unwrap();
    line.split('"').find(is_digest).unwrap().to_owned()
}

/// Stands before the server, and kills it instead of handing on the first request to save its users. It
/// outlives the test, and must not keep the server from ending with it.
fn killer(server: &Arc<Redis>, is_armed: Arc<AtomicBool>) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap().to_string();
    let (server, behind) = (Arc::downgrade(server), server.address());
    std::thread::spawn(move || {
        for client in listener.incoming() {
            let (client, server, is_armed) = (client.unwrap(), Weak::clone(&server), Arc::clone(&is_armed));
            let Ok(behind) = TcpStream::connect(&behind) else { continue };
            std::thread::spawn(move || hand_on([client, behind], &server, &is_armed));
        }
    });
    address
}

fn hand_on([mut client, mut behind]: [TcpStream; 2], server: &Weak<Redis>, is_armed: &AtomicBool) {
    let (mut answers, mut to) = (behind.try_clone().unwrap(), client.try_clone().unwrap());
    let back = std::thread::spawn(move || {
        let _either_may_end = std::io::copy(&mut answers, &mut to);
        let _is_closed = to.shutdown(Shutdown::Both);
    });
    let mut request = [0; 4096];
    while let Ok(count @ 1..) = client.read(&mut request) {
        let is_save = request[..count].windows(4).any(|word| word == b"SAVE");
        if is_save && is_armed.swap(false, Ordering::SeqCst) {
            server.upgrade().unwrap().kill();
            break;
        }
        if behind.write_all(&request[..count]).is_err() {
            break;
        }
    }
    let _are_closed = (behind.shutdown(Shutdown::Both), client.shutdown(Shutdown::Both));
    back.join().unwrap();
}

#[test]
fn what_cannot_be_rotated_is_left_alone() {
    let check = |user: &str, want: &str| {
        let users = format!("user default on nopass ~* &* +@all\n{user}");
        let Some(server) = Redis::new().users(users).start() else { return };
        let before = server.ask(&["ACL", "LIST"]);
        let folder = rotation(&format!("\"{}\"", server.address()), AT_ONCE);
        let output = said(&keyrotate(&folder, &["run"], 11));
        assert!(output.contains(want), "{output}");
        assert_eq!(server.ask(&["ACL", "LIST"]), before);
        assert_eq!(held(&folder), "old-password");
    };
    check("user orders on nopass ~* +@all\n", "orders needs no password at all (nopass)");
    check("user orders off >old-password ~* +@all\n", "which the target is not seen to accept");
    check("", "which the target is not seen to accept");
}
