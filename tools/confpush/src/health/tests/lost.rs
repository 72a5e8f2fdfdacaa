use super::*;

fn asked_of(port: u16) -> [How; 2] {
    [How::Tcp(format!("127.0.0.1:{port}")), http(&format!("http://127.0.0.1:{port}/"), 200, None)]
}

#[test]
fn a_port_that_takes_a_connection_is_a_yes() {
    let Some(mut host) = Host::start() else { return };
    let port = served(drop);
    host.check(&How::Tcp(format!("127.0.0.1:{port}")), LONG, &Answer::Yes(()));
    host.check(&How::Tcp(format!("localhost:{port}")), LONG, &Answer::Yes(()));
    let why = "`127.0.0.1` is no HOST:PORT";
    host.check(&How::Tcp("127.0.0.1".into()), LONG, &no(format!("127.0.0.1: {why}")));
    if let Ok(listener) = TcpListener::bind("[::1]:0") {
        let port = listener.local_addr().unwrap().port();
        host.check(&How::Tcp(format!("[::1]:{port}")), LONG, &Answer::Yes(()));
    }
}

#[test]
fn nobody_listening_is_a_no() {
    let Some(mut host) = Host::start() else { return };
    let port = nobody();
    for how in asked_of(port) {
        let label = if let How::Tcp(place) = &how { place } else { &format!("http://127.0.0.1:{port}/") };
        let there = Check { how: how.clone(), from: From::Host, timeout: LONG };
        let why = "nothing takes a connection there, or the host has no way to it";
        assert_eq!(host.ask(&there), no(format!("{label}: {why}")));
        host.goes_on();
        let here = Check { from: From::Here, ..there };
        assert_eq!(host.ask(&here), no(format!("{label}: nothing listens on port {port} of 127.0.0.1")));
    }
    let here = Check { how: How::Tcp("no-such-host.invalid:80".into()), from: From::Here, timeout: LONG };
    assert!(!host.ask(&here).is_yes());
}

#[test]
fn a_host_that_forwards_nothing_has_not_been_asked() {
    let Some(mut host) = Host::with(Sshd::new().setting("AllowTcpForwarding no")) else { return };
    let port = answering("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
    for how in asked_of(port) {
        let check = Check { how, from: From::Host, timeout: LONG };
        let Answer::Unknown(why) = host.ask(&check) else { panic!("{check:?}") };
        assert!(why.contains("does not forward to it (AllowTcpForwarding"), "{why}");
        host.goes_on();
        assert_eq!(host.ask(&Check { from: From::Here, ..check }), Answer::Yes(()));
    }
}

#[test]
fn a_session_that_is_lost_is_an_unknown() {
    in_time(|| {
        let Some(Host { server, reach, mut session }) = Host::start() else { return };
        let (heard, comes) = mpsc::channel();
        let heard = std::sync::Mutex::new(heard);
        let port = served(move |mut stream| {
            request(&mut stream);
            heard.lock().unwrap().send(()).unwrap();
            let _ends_with_sshd = stream.read(&mut [0]);
        });
        let kill = std::thread::spawn(move || {
            comes.recv().unwrap();
            drop(server);
        });
        let url = format!("http://127.0.0.1:{port}/");
        let check = Check { how: http(&url, 200, None), from: From::Host, timeout: LONG };
        let want = format!("{url}: the connection to the host ended before there was an answer");
        assert_eq!(ask(&check, &mut session, &reach), Answer::Unknown(want));
        kill.join().unwrap();
        assert!(session.is_over());
        for check in [check, command("true", LONG)] {
            let answer = ask(&check, &mut session, &reach);
            assert!(matches!(answer, Answer::Unknown(_)), "{answer:?}");
        }
    });
}

#[test]
fn a_host_that_dies_before_it_is_asked_is_an_unknown() {
    in_time(|| {
        let Some(Host { server, reach, mut session }) = Host::start() else { return };
        drop(server);
        for how in asked_of(nobody()) {
            let check = Check { how, from: From::Host, timeout: LONG };
            let answer = ask(&check, &mut session, &reach);
            assert!(matches!(answer, Answer::Unknown(_)), "{answer:?}");
        }
    });
}
