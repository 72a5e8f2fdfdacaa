use super::*;

fn ok(body: &str) -> String {
    format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n{body}", body.len())
}

/// Asks a server of `port`, whose answers are `want`: none is a yes.
#[track_caller]
fn check(host: &mut Host, port: u16, (status, body): (u16, Option<&str>), want: Option<&str>) {
    let url = format!("http://127.0.0.1:{port}/health");
    let want = want.map_or(Answer::Yes(()), |why| no(format!("{url}: {why}")));
    host.check(&http(&url, status, body), LONG, &want);
}

#[test]
fn status_and_body_are_judged() {
    let Some(mut host) = Host::start() else { return };
    let good = answering(ok("all\nis well\n"));
    check(&mut host, good, (200, None), None);
    check(&mut host, good, (200, Some("(?m)^is w.ll$")), None);
    check(&mut host, good, (200, Some("^is")), Some("its body has nothing like `^is`"));
    check(&mut host, good, (204, None), Some("status 200, not 204"));
    check(&mut host, good, (200, Some("(")), Some("not asked: `(` is no regular expression"));
    let busy = answering("HTTP/1.1 503 Busy\r\nContent-Length: 4\r\n\r\nbusy");
    check(&mut host, busy, (200, None), Some("status 503, not 200"));
    check(&mut host, busy, (503, Some("busy")), None);
    let moved = answering("HTTP/1.1 302 Found\r\nLocation: http://127.0.0.1:1/\r\nContent-Length: 0\r\n\r\n");
    check(&mut host, moved, (200, None), Some("status 302, not 200; redirections are not followed"));
    check(&mut host, moved, (302, None), None);
    let chunks =
        answering("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nwe\r\n2\r\nll\r\n0\r\n\r\n");
    check(&mut host, chunks, (200, Some("^well$")), None);
    let to_the_end = answering("HTTP/1.0 200 OK\r\n\r\nwell");
    check(&mut host, to_the_end, (200, Some("^well$")), None);
    let bytes = answering(b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\n\xff\x00ok".to_vec());
    check(&mut host, bytes, (200, Some("ok$")), None);
}

#[test]
fn the_request_is_that_of_the_url() {
    let Some(mut host) = Host::start() else { return };
    let echo = |mut stream: TcpStream| {
        let asked = request(&mut stream);
        stream.write_all(ok(&asked).as_bytes()).unwrap();
    };
    let port = served(echo);
    let mut check = |url: &str, line: &str| {
        let how = http(url, 200, Some(&format!("(?i)(?m)^{line}\r$")));
        host.check(&how, LONG, &Answer::Yes(()));
    };
    check(&format!("http://127.0.0.1:{port}/a?b=c"), "GET /a\\?b=c HTTP/1\\.1");
    check(&format!("http://127.0.0.1:{port}"), "GET / HTTP/1\\.1");
    check(&format!("http://localhost:{port}/"), &format!("host: localhost:{port}"));
    if TcpListener::bind("[::1]:0").is_ok() {
        let port = served_at("::1", echo);
        check(&format!("http://[::1]:{port}/"), &format!("host: \\[::1\\]:{port}"));
    }
}

#[test]
fn what_is_no_url_is_not_asked() {
    let Some(mut host) = Host::start() else { return };
    for url in ["", "127.0.0.1", "/health", "ftp://127.0.0.1/", "http://", "http://:80/", "http://a b/"] {
        for from in [From::Host, From::Here] {
            let check = Check { how: http(url, 200, None), from, timeout: LONG };
            let Answer::No(why) = host.ask(&check) else { panic!("{url}") };
            assert!(why.starts_with(&format!("{url}: not asked: it is no URL")), "{why}");
        }
    }
}

#[test]
fn an_answer_that_is_not_whole_is_a_no() {
    let Some(mut host) = Host::start() else { return };
    let closed = Some("it closed the connection before its answer was whole");
    check(&mut host, answering(""), (200, None), closed);
    check(&mut host, answering("HTTP/1.1 200 OK\r\nContent-"), (200, None), closed);
    let short = answering("HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nshort");
    check(&mut host, short, (200, Some("short")), closed);
    // It is not looked at.
    check(&mut host, short, (200, None), None);
}

#[test]
fn an_answer_that_is_no_http_is_a_no() {
    let Some(mut host) = Host::start() else { return };
    for garbage in ["SSH-2.0-OpenSSH_9.2\r\n\r\n", "\0\x01\x02\r\n\r\n", "HTTP/1.1 fine OK\r\n\r\n"] {
        let port = answering(garbage);
        let url = format!("http://127.0.0.1:{port}/");
        for from in [From::Host, From::Here] {
            let Answer::No(why) = host.ask(&Check { how: http(&url, 200, None), from, timeout: LONG }) else {
                panic!("{garbage:?}")
            };
            assert!(why.starts_with(&format!("{url}: what it answered is no HTTP (")), "{why}");
        }
        host.goes_on();
    }
}

#[test]
fn of_an_endless_body_a_mebibyte_is_looked_at() {
    in_time(|| {
        let Some(mut host) = Host::start() else { return };
        let port = served(|mut stream| {
            request(&mut stream);
            let mut next = stream.write_all(b"HTTP/1.1 200 OK\r\n\r\nbegin");
            while next.is_ok() {
                next = stream.write_all(&[b'x'; 8192]);
            }
        });
        check(&mut host, port, (200, None), None);
        check(&mut host, port, (200, Some("^beginx")), None);
        let want = "the first MiB of its body has nothing like `end`";
        check(&mut host, port, (200, Some("end")), Some(want));
    });
}

#[test]
fn endless_headers_are_a_no() {
    in_time(|| {
        let Some(mut host) = Host::start() else { return };
        let port = served(|mut stream| {
            request(&mut stream);
            let mut next = stream.write_all(b"HTTP/1.1 200 OK\r\n");
            while next.is_ok() {
                next = stream.write_all(b"X-Filler: xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx\r\n");
            }
        });
        for from in [From::Host, From::Here] {
            let how = http(&format!("http://127.0.0.1:{port}/"), 200, None);
            let answer = host.ask(&Check { how, from, timeout: LONG });
            assert!(matches!(&answer, Answer::No(why) if why.contains("is no HTTP")), "{answer:?}");
        }
        host.goes_on();
    });
}

#[test]
fn the_timeout_is_that_of_the_whole_check() {
    in_time(|| {
        let Some(mut host) = Host::start() else { return };
        let pause = Duration::from_millis(20);
        let drip = |head: &'static str| {
            served(move |mut stream| {
                request(&mut stream);
                let mut next = stream.write_all(head.as_bytes());
                while next.is_ok() {
                    std::thread::sleep(pause);
                    next = stream.write_all(b"x");
                }
            })
        };
        let silent = served(|mut stream| {
            let _until_it_is_closed = stream.read_to_end(&mut Vec::new());
        });
        let drips =
            ["HTTP/1.1 200 ", "HTTP/1.1 200 OK\r\nA: ", "HTTP/1.1 200 OK\r\nContent-Length: 99999\r\n\r\n"];
        for port in drips.map(drip).into_iter().chain([silent]) {
            let url = format!("http://127.0.0.1:{port}/");
            let want = no(format!("{url}: no answer within 400ms"));
            host.check(&http(&url, 200, Some("y")), SHORT, &want);
        }
    });
}
