use std::io::{Read, Write};
use std::net::TcpListener;
use std::thread;

use super::*;

/// A server that answers one request with `status` and `body`, and the request.
fn once(status: u16, headers: &str, body: &str) -> (String, thread::JoinHandle<String>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}/aws/", listener.local_addr().unwrap());
    let length = body.len();
    let answer = format!(
        "HTTP/1.1 {status} X\r\n{headers}Content-Length: {length}\r\nConnection: close\r\n\r\n{body}"
    );
    let server = thread::spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        let (mut request, mut part) = (Vec::new(), [0; 4096]);
        while !String::from_utf8_lossy(&request).contains("Version=2010-05-08") {
            let count = stream.read(&mut part).unwrap();
            request.extend_from_slice(&part[..count]);
        }
        stream.write_all(answer.as_bytes()).unwrap();
        String::from_utf8(request).unwrap()
    });
    (url, server)
}

fn key() -> Credential {
    Credential { id: "AKIA1".into(), secret: "made-Of+40/characters".into(), public: [].into() }
}

fn ask(url: &str) -> Reply {
    let service = Service::iam(url, "us-east-1", Duration::from_secs(10)).unwrap();
    service.ask("ListAccessKeys", &[("UserName", "a+b")], &key())
}

fn told(reply: Reply) -> String {
    match reply {
        Reply::Done(text) => format!("done {}", *text.0),
        Reply::Refused(Refusal { code, why }) => format!("refused {code}: {why}"),
        Reply::Unknown(why) => format!("unknown: {why}"),
    }
}

fn error(code: &str, message: &str) -> String {
    let xmlns = "https://iam.amazonaws.com/doc/2010-05-08/";
    format!(
        "<ErrorResponse xmlns='{xmlns}'><Error><Type>Sender</Type><Code>{code}</Code>\
         <Message>{message}</Message></Error><RequestId>1</RequestId></ErrorResponse>"
    )
}

#[test]
fn a_refusal_is_told_from_what_passes() {
    let check = |status: u16, body: &str, want: &str| {
        let (url, server) = once(status, "", body);
        let got = told(ask(&url));
        let place = url.trim_start_matches("http://").trim_end_matches("/aws/");
        assert_eq!(got.replace(&format!("ListAccessKeys at {place}"), "L"), want);
        server.join().unwrap();
    };
    check(200, "<a/>", "done <a/>");
    check(403, &error("AccessDenied", "no"), "refused AccessDenied: L: AccessDenied: no");
    check(400, &error("Throttling", "Rate exceeded"), "unknown: L: Throttling: Rate exceeded");
    check(429, &error("Other", "slowly"), "unknown: L: Other: slowly");
    check(503, &error("ServiceUnavailable", "later"), "unknown: L: ServiceUnavailable: later");
    check(500, "<html>", "unknown: L: it answered 500 and no reason");
    check(403, "Forbidden by a proxy", "unknown: L: it answered 403 and no reason");
    check(302, "", "unknown: L: it answered 302 and no reason");
}

#[test]
fn a_clock_that_is_wrong_is_named() {
    let check = |code: &str, message: &str, headers: &str, want: &str| {
        let (url, server) = once(403, headers, &error(code, message));
        let got = told(ask(&url));
        assert!(got.starts_with("unknown") && got.contains(want), "{got}");
        server.join().unwrap();
    };
    let expired = "Signature expired: 20260101T000000Z is now earlier than 20260101T001000Z";
    let (past, future) =
        ("Date: Thu, 01 Jan 2015 00:00:00 GMT\r\n", "Date: Thu, 01 Jan 2099 00:00:00 GMT\r\n");
    check("RequestTimeTooSkewed", "x", future, "seconds behind that of AWS");
    check("SignatureDoesNotMatch", expired, past, "seconds ahead of that of AWS");
    check("SignatureDoesNotMatch", expired, "", "too far from that of AWS");
    check("SignatureDoesNotMatch", expired, "", "(RequestTimeTooSkewed: Signature expired: 2026");
}

#[test]
fn an_error_shows_no_secret() {
    conceal::secret(&key().secret);
    let (url, server) = once(403, "", &error("AccessDenied", "your secret made-Of+40/characters"));
    assert!(told(ask(&url)).ends_with("AccessDenied: your secret [secret]"));
    server.join().unwrap();
}

#[test]
fn a_request_is_a_signed_form() {
    let (url, server) = once(200, "", "<a/>");
    ask(&url);
    let request = server.join().unwrap();
    let host = url.trim_start_matches("http://").trim_end_matches("/aws/");
    assert!(request.starts_with("POST /aws HTTP/1.1\r\n"), "{request}");
    assert!(request.contains(&format!("host: {host}\r\n")), "{request}");
    assert_eq!(request.matches(host).count(), 1, "{request}");
    assert!(
        request.ends_with("\r\n\r\nAction=ListAccessKeys&Version=2010-05-08&UserName=a%2Bb"),
        "{request}"
    );
    assert!(request.contains("SignedHeaders=content-type;host;x-amz-date, Signature="), "{request}");
    assert!(!request.contains("made-Of"));
}

#[test]
fn who_is_not_there_is_unknown() {
    let free = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let got = told(ask(&format!("http://{free}")));
    assert_eq!(got, format!("unknown: ListAccessKeys at {free}: nobody listens there"));
    let got = told(ask("http://no-such-host.invalid"));
    assert!(got.starts_with("unknown: ListAccessKeys at no-such-host.invalid: "), "{got}");
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let silent = format!("http://{}", listener.local_addr().unwrap());
    let service = Service::iam(&silent, "us-east-1", Duration::from_millis(200)).unwrap();
    assert!(told(service.ask("ListAccessKeys", &[], &key())).ends_with("no answer within 200ms"));
}

#[test]
fn a_url_is_a_place() {
    let check = |url: &str, want: std::result::Result<(&str, &str), &str>| match (place(url), want) {
        (Ok(place), want) => assert_eq!(Ok((place.host.as_str(), place.path.as_str())), want),
        (Err(why), want) => assert!(want.is_err_and(|want| why.contains(want)), "{url}: {why}"),
    };
    check("https://iam.amazonaws.com", Ok(("iam.amazonaws.com", "/")));
    check("https://iam.amazonaws.com:443/", Ok(("iam.amazonaws.com", "/")));
    check("http://localhost:4566/iam/", Ok(("localhost:4566", "/iam")));
    check("http://[::1]:80", Ok(("[::1]", "/")));
    check("iam.amazonaws.com", Err("no URL"));
    check("https://me:pw@x/", Err("neither a user"));
    check("https://x/?a=b", Err("nor a query"));
    check("https://x/a b", Err("no URL"));
    check("https://x/a%20b", Err("a path of letters"));
    check("https://x/a/../b", Err("a path of letters"));
    assert!(is_here("127.0.0.2") && is_here("[::1]") && is_here("localhost"));
    assert!(!is_here("iam.amazonaws.com") && !is_here("10.0.0.1"));
}
