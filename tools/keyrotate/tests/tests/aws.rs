//! Access keys of AWS, through the whole of a rotation, at moto's server.

use std::io::{Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

use testkit::moto::Moto;
use testkit::{Case, Output};

/// A rotation of the keys of `orders`, whose secret stands in `app.json`, at `url`.
fn case(server: &Moto, url: &str, provider: &str) -> Case {
    let case = Case::new(env!("CARGO_BIN_EXE_keyrotate"));
    let here = case.path("").display().to_string();
    let (id, secret) = server.key("orders");
    let spec = format!(
        "name = \"orders\"\ntimeout = \"20s\"\nstate = \"{here}/state\"\n\
         [provider]\nkind = \"aws-iam\"\nuser = \"orders\"\nendpoint = \"{url}\"\n{provider}\n\
         [[consumers]]\nname = \"app\"\nkind = \"json\"\npath = \"{here}/app.json\"\nattest = \"file\"\n\
         set = {{ \"/aws/id\" = \"{{id}}\", \"/aws/secret\" = \"{{secret}}\" }}\n\
         [gates]\nchecks = 2\nwindow = \"1s\"\nsoak = \"0s\"\nwatch = \"0s\"\n"
    );
    let app = format!("{{\"aws\": {{\"id\": \"{id}\", \"secret\": \"{secret}\"}}}}\n");
    case.file("spec.toml", spec).file("app.json", app)
}

/// The id and the secret that the consumer holds.
fn held(folder: &Path) -> (String, String) {
    let text = std::fs::read_to_string(folder.join("app.json")).unwrap();
    let parts: Vec<&str> = text.split('"').collect();
    (parts[5].to_owned(), parts[9].to_owned())
}

/// Asserts that the rotation is over, and that nothing that was said holds a secret.
fn rotated(server: &Moto, done: &Output) {
    let (id, secret) = held(done.dir.path());
    let (old_id, old_secret) = server.key("orders");
    assert!(id.starts_with("AKIA") && id != old_id, "{id}");
    let said = [done.stdout.as_slice(), &done.stderr].concat();
    let said = String::from_utf8_lossy(&said);
    for secret in [secret.as_str(), old_secret] {
        assert_eq!(secret.len(), 40);
        assert!(!said.contains(secret));
    }
}

#[test]
fn keys_are_rotated_by_themselves_although_they_are_known_late() {
    let Some(server) = Moto::start(Duration::from_secs(3)) else { return };
    let case = case(&server, server.url(), "");
    // No proxy leads to this machine, whatever the environment says.
    let case = case.env("RUST_LOG", "trace").env("ALL_PROXY", "http://127.0.0.1:1");
    let run = case.args(["run", "--now", "spec.toml"]);
    let done = run.stdout_has("rotated").stderr_has("CANARY").stderr_has("POST").run();
    rotated(&server, &done);
    let said = String::from_utf8_lossy(&done.stderr);
    // ureq's rows of what goes over the wire would show an answer in pieces.
    assert!(!said.contains("<ListAccess"), "{said}");
}

#[test]
fn a_lost_answer_leaves_no_key_behind() {
    let Some(server) = Moto::start(Duration::ZERO) else { return };
    let (id, secret) = server.key("admin");
    let admin = format!("admin_id = \"{id}\"\nadmin_secret = {{ env = \"ADMIN\" }}");
    let case = case(&server, &lossy(server.url()), &admin).env("ADMIN", secret);
    let first = case.args(["run", "--now", "spec.toml"]).status(75).stderr_has("CreateAccessKey").run();
    let again = Case::new(env!("CARGO_BIN_EXE_keyrotate")).current_dir(&first.dir).env("ADMIN", secret);
    again.args(["run", "spec.toml"]).stdout_has("rotated").stderr_has("").run();
    rotated(&server, &first);
}

/// A way to `url` on which the first answer to `CreateAccessKey` is lost.
fn lossy(url: &str) -> String {
    let there = url.trim_start_matches("http://").to_owned();
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let here = format!("http://{}", listener.local_addr().unwrap());
    thread::spawn(move || {
        let is_over = Arc::new(AtomicBool::new(false));
        for client in listener.incoming().map_while(Result::ok) {
            let Ok(server) = TcpStream::connect(&there) else { return };
            let loses = Arc::new(AtomicBool::new(false));
            let (up, down) = (client.try_clone().unwrap(), server.try_clone().unwrap());
            let (is_over, is_lost) = (Arc::clone(&is_over), Arc::clone(&loses));
            let create = b"Action=CreateAccessKey";
            thread::spawn(move || {
                pass(up, down, |part| {
                    let is_it = part.windows(create.len()).any(|word| word == create);
                    if is_it && !is_over.swap(true, Ordering::SeqCst) {
                        loses.store(true, Ordering::SeqCst);
                    }
                    true
                });
            });
            thread::spawn(move || pass(server, client, |_| !is_lost.load(Ordering::SeqCst)));
        }
    });
    here
}

/// Passes bytes on for as long as `may`.
fn pass(mut from: TcpStream, mut to: TcpStream, mut may: impl FnMut(&[u8]) -> bool) {
    let mut part = [0; 4096];
    while let Ok(count @ 1..) = from.read(&mut part) {
        if !may(&part[..count]) || to.write_all(&part[..count]).is_err() {
            break;
        }
    }
    for end in [from, to] {
        let _already_closed = end.shutdown(Shutdown::Both);
    }
}
