use native_tls::{Identity, TlsAcceptor};
use ureq::tls::Certificate;

use super::*;

const NOT_TRUSTED: &str = "its certificate is signed by nobody who is trusted here, or for another name";

/// A server for `localhost` and 127.0.0.1, and who has signed for it.
fn secure() -> Option<(u16, RootCerts)> {
    let folder = tempfile::tempdir().unwrap();
    if !testkit::certificates::make(folder.path()) {
        return None;
    }
    let read = |name: &str| std::fs::read(folder.path().join(name)).unwrap();
    let identity = Identity::from_pkcs8(&read("server.pem"), &read("server.key")).unwrap();
    let acceptor = TlsAcceptor::new(identity).unwrap();
    let port = served_at("0.0.0.0", move |stream| {
        if let Ok(mut stream) = acceptor.accept(stream) {
            request(&mut stream);
            stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok").unwrap();
            let _says_goodbye = stream.shutdown();
        }
    });
    Some((port, RootCerts::new_with_certs(&[Certificate::from_pem(&read("ca.pem")).unwrap()])))
}

#[track_caller]
fn check(host: &mut Host, url: &str, roots: &RootCerts, want: Option<&str>) {
    let want = want.map_or(Answer::Yes(()), |why| no(format!("{url}: {why}")));
    for from in [From::Host, From::Here] {
        let check = Check { how: http(url, 200, Some("^ok$")), from, timeout: LONG };
        let answer = asked(&check, Some((&mut host.session, &host.reach)), roots.clone());
        assert_eq!(answer, want, "{check:?}");
    }
    host.goes_on();
}

#[test]
fn a_certificate_has_to_be_trusted_and_for_the_name() {
    let Some(mut host) = Host::start() else { return };
    let Some((port, roots)) = secure() else { return };
    check(&mut host, &format!("https://localhost:{port}/"), &roots, None);
    check(&mut host, &format!("https://127.0.0.1:{port}/"), &roots, None);
    let platform = RootCerts::PlatformVerifier;
    check(&mut host, &format!("https://localhost:{port}/"), &platform, Some(NOT_TRUSTED));
    check(&mut host, &format!("https://127.0.0.2:{port}/"), &roots, Some(NOT_TRUSTED));
}

#[test]
fn what_speaks_no_tls_is_a_no() {
    let Some(mut host) = Host::start() else { return };
    let plain = served(|mut stream| {
        let _may_have_gone = stream.write_all(b"HTTP/1.1 400 Bad Request\r\n\r\n");
        let _until_it_is_closed = stream.read_to_end(&mut Vec::new());
    });
    let want = "what it answered is no TLS; is it an http:// URL?";
    check(&mut host, &format!("https://127.0.0.1:{plain}/"), &RootCerts::PlatformVerifier, Some(want));
    let Some((port, _)) = secure() else { return };
    let url = format!("http://127.0.0.1:{port}/");
    let answer = host.ask(&Check { how: http(&url, 200, None), from: From::Host, timeout: LONG });
    assert!(matches!(answer, Answer::No(_)), "{answer:?}");
}

#[test]
fn a_handshake_ends_by_the_timeout() {
    in_time(|| {
        let Some(mut host) = Host::start() else { return };
        let silent = served(|mut stream| {
            let _until_it_is_closed = stream.read_to_end(&mut Vec::new());
        });
        let url = format!("https://127.0.0.1:{silent}/");
        let want = no(format!("{url}: no answer within 400ms"));
        host.check(&http(&url, 200, None), SHORT, &want);
    });
}

#[test]
fn the_name_of_the_url_is_asked_for() {
    in_time(|| {
        let Some(mut host) = Host::start() else { return };
        let (said, hears) = mpsc::channel();
        let said = std::sync::Mutex::new(said);
        let port = served(move |mut stream| {
            let mut hello = [0; 1024];
            let count = stream.read(&mut hello).unwrap();
            said.lock().unwrap().send(String::from_utf8_lossy(&hello[..count]).into_owned()).unwrap();
        });
        for (name, is_named) in [("localhost", true), ("127.0.0.1", false)] {
            let how = http(&format!("https://{name}:{port}/"), 200, None);
            let answer = host.ask(&Check { how, from: From::Host, timeout: LONG });
            assert!(matches!(answer, Answer::No(_)), "{answer:?}");
            // Of addresses RFC 6066 wants none.
            assert_eq!(hears.recv().unwrap().contains(name), is_named, "{name}");
        }
    });
}
