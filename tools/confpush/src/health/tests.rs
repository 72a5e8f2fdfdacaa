//! Checks of services that work, that do not, and that misbehave, from a real sshd and from here.

mod commands;
mod lost;
mod responses;
mod tls;

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, mpsc};

use remote::keys::Keyring;
use remote::session::Took;
use remote::settings::Myself;
use remote::target::{Login, Target, Trust};
use testkit::sshd::{Builder, Sshd};

use super::*;

/// For what ends long before.
const LONG: Duration = Duration::from_secs(60);

/// For what ends by it.
const SHORT: Duration = Duration::from_millis(400);

/// A host, and a session with it.
struct Host {
    server: Sshd,
    reach: Reach,
    session: Session,
}

impl Host {
    fn start() -> Option<Self> {
        Self::with(Sshd::new())
    }

    fn with(builder: Builder) -> Option<Self> {
        let server = builder.start()?;
        let login = Login { keys: vec![server.path("id")], ..Login::with(Vec::new()) };
        let target = Target {
            name: "host".into(),
            address: server.host(),
            port: server.port(),
            user: Myself::now().user,
            login: Arc::new(login),
            trust: Arc::new(Trust { files: vec![server.path("known_hosts")], accepts_new: false }),
            key_alias: None,
            jumps: Vec::new(),
        };
        let bounds = Bounds { connect: LONG, handshake: LONG, auth: LONG, total: LONG, ..Bounds::default() };
        let reach = Reach::new(bounds, Keyring::new(None));
        let session = reach.open(&target, Instant::now() + LONG, &mut Took::default()).unwrap();
        Some(Self { server, reach, session })
    }

    fn ask(&mut self, check: &Check) -> Answer {
        ask(check, &mut self.session, &self.reach)
    }

    /// Asserts the answer from the host and from here, and that the session goes on.
    #[track_caller]
    fn check(&mut self, how: &How, timeout: Duration, want: &Answer) {
        for from in [From::Host, From::Here] {
            let check = Check { how: how.clone(), from, timeout };
            assert_eq!(self.ask(&check), *want, "{check:?}");
        }
        self.goes_on();
    }

    #[track_caller]
    fn goes_on(&mut self) {
        assert!(!self.session.is_over());
        assert_eq!(self.ask(&command("true", LONG)), Answer::Yes(()));
    }
}

fn command(script: &str, timeout: Duration) -> Check {
    Check { how: How::Command(script.into()), from: From::Host, timeout }
}

fn http(url: &str, status: u16, body: Option<&str>) -> How {
    How::Http { url: url.into(), status, body: body.map(str::to_owned) }
}

fn no(why: impl Into<String>) -> Answer {
    Answer::No(why.into())
}

/// Serves every connection, for as long as the test runs; the port.
fn served(serve: impl Fn(TcpStream) + Send + Sync + 'static) -> u16 {
    served_at("127.0.0.1", serve)
}

fn served_at(address: &str, serve: impl Fn(TcpStream) + Send + Sync + 'static) -> u16 {
    let listener = TcpListener::bind((address, 0)).unwrap();
    let port = listener.local_addr().unwrap().port();
    let serve = Arc::new(serve);
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let serve = Arc::clone(&serve);
            std::thread::spawn(move || serve(stream.unwrap()));
        }
    });
    port
}

/// Reads a request up to the end of its headers.
fn request(stream: &mut impl Read) -> String {
    let mut text = Vec::new();
    let mut byte = [0];
    while !text.ends_with(b"\r\n\r\n") && stream.read(&mut byte).is_ok_and(|count| count == 1) {
        text.push(byte[0]);
    }
    String::from_utf8(text).unwrap()
}

/// Answers every request with `answer`, and closes.
fn answering(answer: impl Into<Vec<u8>>) -> u16 {
    let answer = answer.into();
    served(move |mut stream| {
        request(&mut stream);
        let _may_have_gone = stream.write_all(&answer);
    })
}

fn nobody() -> u16 {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

/// What the work came to; it fails when that hangs.
#[track_caller]
fn in_time<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> T {
    let (done, ends) = mpsc::channel();
    std::thread::spawn(move || done.send(work()));
    ends.recv_timeout(LONG / 2).expect("it ends by its deadline")
}
