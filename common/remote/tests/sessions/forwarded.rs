//! Connections that the host makes.

use std::io::{ErrorKind, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::os::fd::OwnedFd;
use std::thread::JoinHandle;
use std::time::Duration;

use remote::keys::Keyring;
use remote::{Class, Failure, Forwarded, Phase, Reach, Session};
use rustix::net::{AddressFamily, SocketType, bind, connect, getsockname, listen, socket};
use testkit::sshd::{Builder, Sshd};

use super::reached::{bounds, open, run, target};

/// Far more than anything takes that is not to end by it.
const LONG: Duration = Duration::from_secs(60);

/// What is to end by its deadline has so long.
const SHORT: Duration = Duration::from_millis(300);

fn opened(server: &Sshd) -> (Reach, Session) {
    let reach = Reach::new(bounds(), Keyring::new(None));
    let session = open(&reach, &target(server)).unwrap();
    (reach, session)
}

#[track_caller]
fn still_runs(reach: &Reach, session: &mut Session) {
    assert!(!session.is_over());
    assert_eq!(run(session, "echo hello", &reach.bounds).unwrap(), b"hello\n");
}

/// A server of one connection.
fn served(serve: impl FnOnce(TcpStream) + Send + 'static) -> (u16, JoinHandle<()>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    (port, std::thread::spawn(move || serve(listener.accept().unwrap().0)))
}

fn forward(session: &mut Session, port: u16, time: Duration) -> Result<Forwarded, Failure> {
    session.forward("127.0.0.1", port, time)
}

#[track_caller]
fn fails(opened: Result<Forwarded, Failure>, class: Class) -> String {
    let failure = opened.err().unwrap();
    assert_eq!((failure.class, failure.phase), (class, Phase::Connect), "{failure}");
    failure.what
}

#[test]
fn bytes_go_through_and_the_session_goes_on() {
    let Some(server) = Sshd::new().start() else { return };
    let (reach, mut session) = opened(&server);
    for size in [0, 1, 70_000, 5_000_000] {
        let (port, thread) = served(move |mut stream| {
            let mut question = [0; 4];
            stream.read_exact(&mut question).unwrap();
            assert_eq!(&question, b"size");
            stream.write_all(&vec![7; size]).unwrap();
        });
        let mut stream = forward(&mut session, port, LONG).unwrap();
        stream.write_all(b"size").unwrap();
        let mut answer = Vec::new();
        stream.read_to_end(&mut answer).unwrap();
        assert!(answer.len() == size && answer.iter().all(|&byte| byte == 7));
        drop(stream);
        thread.join().unwrap();
        still_runs(&reach, &mut session);
    }
}

#[test]
fn a_connection_ends_with_its_stream() {
    let Some(server) = Sshd::new().start() else { return };
    let (reach, mut session) = opened(&server);
    for _ in 0..50 {
        let (port, thread) = served(|mut stream| {
            assert_eq!(stream.read(&mut [0; 9]).unwrap(), 0);
        });
        drop(forward(&mut session, port, LONG).unwrap());
        // Sends the end, and waits for its confirmation.
        still_runs(&reach, &mut session);
        thread.join().unwrap();
    }
}

#[test]
fn what_is_refused_leaves_the_session_as_it_is() {
    let nobody = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let check = |builder: Builder, class: Class, want: &str| {
        let Some(server) = builder.start() else { return };
        let (reach, mut session) = opened(&server);
        for _ in 0..3 {
            let what = fails(forward(&mut session, nobody, LONG), class);
            assert_eq!(what, format!("{want} 127.0.0.1:{nobody}"));
            still_runs(&reach, &mut session);
        }
    };
    check(Sshd::new(), Class::Refused, "nothing there takes a connection at");
    check(Sshd::new().setting("AllowTcpForwarding no"), Class::Config, "it forwards no connection to");
    check(Sshd::new().setting("AllowTcpForwarding remote"), Class::Config, "it forwards no connection to");
    check(Sshd::new().setting("DisableForwarding yes"), Class::Config, "it forwards no connection to");
    check(Sshd::new().setting("PermitOpen 127.0.0.1:1"), Class::Config, "it forwards no connection to");
}

#[test]
fn a_name_without_an_address_is_refused() {
    let Some(server) = Sshd::new().start() else { return };
    let (reach, mut session) = opened(&server);
    let what = fails(session.forward("no-such-host.invalid", 80, LONG), Class::Refused);
    assert_eq!(what, "nothing there takes a connection at no-such-host.invalid:80");
    fails(session.forward("a\0b", 80, LONG), Class::Config);
    still_runs(&reach, &mut session);
}

#[test]
fn a_silent_server_is_left_at_the_deadline() {
    let Some(server) = Sshd::new().start() else { return };
    let (reach, mut session) = opened(&server);
    let (port, thread) = served(|mut stream| {
        stream.read_to_end(&mut Vec::new()).unwrap();
    });
    let mut stream = forward(&mut session, port, SHORT).unwrap();
    assert_eq!(stream.read(&mut [0; 9]).unwrap_err().kind(), ErrorKind::TimedOut);
    assert_eq!(stream.write(b"late").unwrap_err().kind(), ErrorKind::TimedOut);
    drop(stream);
    still_runs(&reach, &mut session);
    thread.join().unwrap();
}

#[test]
fn a_flood_is_left_at_the_deadline() {
    let Some(server) = Sshd::new().start() else { return };
    let (reach, mut session) = opened(&server);
    let (port, thread) = served(|mut stream| while stream.write_all(&[7; 8192]).is_ok() {});
    let mut stream = forward(&mut session, port, SHORT).unwrap();
    let mut count = 0;
    let error = loop {
        match stream.read(&mut [0; 8192]) {
            Ok(more) => count += more,
            Err(error) => break error,
        }
    };
    assert_eq!(error.kind(), ErrorKind::TimedOut);
    assert!(count > 0);
    drop(stream);
    still_runs(&reach, &mut session);
    thread.join().unwrap();
}

#[test]
fn a_server_that_reads_nothing_is_left_at_the_deadline() {
    let Some(server) = Sshd::new().start() else { return };
    let (reach, mut session) = opened(&server);
    let (hold, until) = std::sync::mpsc::channel::<()>();
    let (port, thread) = served(move |stream| {
        let _never_comes = until.recv();
        drop(stream);
    });
    let mut stream = forward(&mut session, port, SHORT * 3).unwrap();
    let error = loop {
        if let Err(error) = stream.write(&[7; 8192]) {
            break error;
        }
    };
    assert_eq!(error.kind(), ErrorKind::TimedOut);
    drop(stream);
    drop(hold);
    thread.join().unwrap();
    if !session.is_over() {
        still_runs(&reach, &mut session);
    }
}

/// A port whose connections are neither taken nor refused: its queue is full.
fn full() -> (SocketAddr, Vec<OwnedFd>) {
    let listener = socket(AddressFamily::INET, SocketType::STREAM, None).unwrap();
    bind(&listener, &"127.0.0.1:0".parse::<SocketAddr>().unwrap()).unwrap();
    listen(&listener, 0).unwrap();
    let address = SocketAddr::try_from(getsockname(&listener).unwrap()).unwrap();
    let mut sockets = vec![listener];
    for _ in 0..4 {
        let waits = socket(AddressFamily::INET, SocketType::STREAM, None).unwrap();
        rustix::io::ioctl_fionbio(&waits, true).unwrap();
        let _is_under_way = connect(&waits, &address);
        sockets.push(waits);
    }
    (address, sockets)
}

#[test]
fn an_opening_that_hangs_ends_the_session() {
    let Some(server) = Sshd::new().start() else { return };
    let (_reach, mut session) = opened(&server);
    let (address, _queue) = full();
    let what = fails(forward(&mut session, address.port(), SHORT), Class::Timeout);
    assert_eq!(what, format!("it had no connection to {address} for 300ms"));
    assert!(session.is_over());
}

#[test]
fn the_end_of_the_session_is_not_the_end_of_the_stream() {
    let Some(server) = Sshd::new().start() else { return };
    let (_reach, mut session) = opened(&server);
    let (port, thread) = served(|mut stream| {
        stream.read_to_end(&mut Vec::new()).unwrap();
    });
    let mut stream = forward(&mut session, port, LONG).unwrap();
    drop(server);
    assert_eq!(stream.read(&mut [0; 9]).unwrap_err().kind(), ErrorKind::ConnectionAborted);
    drop(stream);
    thread.join().unwrap();
    assert!(session.is_over());
    fails_as_lost(&mut session, port);
}

fn fails_as_lost(session: &mut Session, port: u16) {
    let failure = forward(session, port, LONG).err().unwrap();
    assert_eq!(failure.class, Class::Lost, "{failure}");
}

#[test]
fn a_stream_outlives_its_session() {
    let Some(server) = Sshd::new().start() else { return };
    let (_reach, mut session) = opened(&server);
    let (port, thread) = served(|mut stream| {
        stream.read_to_end(&mut Vec::new()).unwrap();
    });
    let mut stream = forward(&mut session, port, LONG).unwrap();
    drop(session);
    assert_eq!(stream.read(&mut [0; 9]).unwrap_err().kind(), ErrorKind::ConnectionAborted);
    drop(stream);
    thread.join().unwrap();
}

#[test]
fn connections_from_here_try_every_address() {
    let (port, thread) = served(drop);
    // Where it has an address of IPv6, too, that comes first, and nothing listens there.
    drop(remote::forward::from_here("localhost", port, LONG).unwrap());
    thread.join().unwrap();
    let failure = remote::forward::from_here("127.0.0.1", port, LONG).unwrap_err();
    assert_eq!(failure.class, Class::Refused, "{failure}");
    let (address, _queue) = full();
    let failure = remote::forward::from_here("127.0.0.1", address.port(), SHORT);
    assert_eq!(failure.unwrap_err().class, Class::Timeout);
}
