use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::thread::JoinHandle;

use super::*;

/// What a server does with one connection.
#[derive(Clone, Copy)]
enum Act {
    /// Reads the request and answers this.
    Answer(&'static str),
    /// Closes without a word.
    Close,
    /// Reads and says nothing until the client goes.
    Hang,
}

/// What it was asked: the head in lower case, and the body.
type Asked = (String, Vec<u8>);

fn request(stream: &TcpStream) -> Asked {
    let mut reader = BufReader::new(stream);
    let mut head = String::new();
    while reader.read_line(&mut head).unwrap() > 2 {}
    let head = head.to_lowercase();
    let length = head.lines().find_map(|line| line.strip_prefix("content-length: ")).unwrap();
    let mut body = vec![0; length.trim().parse().unwrap()];
    reader.read_exact(&mut body).unwrap();
    (head, body)
}

/// A server that does one act for each connection, and then is gone.
fn server(acts: &[Act]) -> (String, JoinHandle<Vec<Asked>>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap().to_string();
    let acts = acts.to_vec();
    let serve = move || {
        let mut asked = Vec::new();
        for act in acts {
            let (mut stream, _) = listener.accept().unwrap();
            match act {
                Act::Close => {}
                Act::Answer(answer) => {
                    asked.push(request(&stream));
                    let close = answer.replacen("\r\n", "\r\nConnection: close\r\n", 1);
                    stream.write_all(close.as_bytes()).unwrap();
                }
                Act::Hang => {
                    asked.push(request(&stream));
                    let _until_it_goes = stream.read(&mut [0]);
                }
            }
        }
        asked
    };
    (address, std::thread::spawn(serve))
}

const OK: &str = "HTTP/1.1 204 No Content\r\n\r\n";
const BUSY: &str = "HTTP/1.1 503 Busy\r\nContent-Length: 6\r\n\r\nlater\n";

fn push(address: &str, deadline_ms: u64) -> Push {
    let url = format!("http://{address}/metrics/job/fleet");
    let mut push = Push::parse(&url, None, Duration::from_millis(deadline_ms)).unwrap();
    push.first_pause = Duration::from_millis(1);
    push
}

/// Sends to a server that acts so; returns what it was asked, and what the push says in the end.
fn sent(acts: &[Act], deadline_ms: u64) -> (Vec<Asked>, Result<()>) {
    let (address, server) = server(acts);
    let result = push(&address, deadline_ms).send(b"up 1\n");
    (server.join().unwrap(), result)
}

#[track_caller]
fn fails(acts: &[Act], deadline_ms: u64, status: u8, sentence: &str) {
    let (_, result) = sent(acts, deadline_ms);
    let error = result.unwrap_err();
    assert_eq!(error.status(), status, "{error}");
    assert!(error.to_string().contains(sentence), "{error}");
}

#[test]
fn a_busy_server_is_asked_again_until_it_takes_all() {
    let (asked, result) = sent(&[Act::Answer(BUSY), Act::Answer(BUSY), Act::Answer(OK)], 60_000);
    result.unwrap();
    assert_eq!(asked.len(), 3);
    for (head, body) in asked {
        assert!(head.starts_with("put /metrics/job/fleet http/1.1\r\n"), "{head}");
        assert!(head.contains("content-type: text/plain; version=0.0.4; charset=utf-8\r\n"), "{head}");
        assert_eq!(body, b"up 1\n");
    }
}

#[test]
fn a_lost_connection_and_a_server_that_hangs_are_passed_over() {
    let (asked, result) = sent(&[Act::Close, Act::Answer(OK)], 60_000);
    result.unwrap();
    assert_eq!(asked.len(), 1);
    let (asked, result) = sent(&[Act::Hang, Act::Answer(OK)], 2_000);
    result.unwrap();
    assert_eq!(asked.len(), 2);
}

#[test]
fn what_will_not_pass_is_told_at_once() {
    let bad = "HTTP/1.1 400 Bad Request\r\nContent-Length: 29\r\n\r\npushed metrics are invalid\nxy";
    fails(&[Act::Answer(bad)], 60_000, 2, "it answered 400: pushed metrics are invalid");
    let moved = "HTTP/1.1 301 Moved\r\nLocation: http://other/\r\nContent-Length: 0\r\n\r\n";
    fails(
        &[Act::Answer(moved)],
        60_000,
        2,
        "it answered 301, a redirection to http://other/; give the final URL",
    );
}

#[test]
fn the_deadline_ends_it() {
    let wait = "HTTP/1.1 429 Too Many\r\nRetry-After: 3600\r\nContent-Length: 0\r\n\r\n";
    fails(&[Act::Answer(wait)], 60_000, 75, "it answered 429; gave up after 1 attempt");
    let gone = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().to_string();
    let error = push(&gone, 50).send(b"").unwrap_err();
    assert_eq!(error.status(), 75, "{error}");
}

#[test]
fn the_last_attempt_has_time_for_an_answer() {
    // Half of what is left, again and again, would end with an attempt of no time at all.
    let (asked, result) = sent(&[Act::Hang, Act::Hang], 1_600);
    let error = result.unwrap_err().to_string();
    assert!(error.contains("no answer within 0.") && !error.contains("within 0.0s"), "{error}");
    assert_eq!(asked.len(), 2);
    let gone = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().to_string();
    let error = push(&gone, 50).send(b"").unwrap_err().to_string();
    assert!(error.contains(": nobody listens there; gave up after"), "{error}");
}

#[test]
fn the_token_goes_into_the_header_and_nowhere_else() {
    let mut file = tempfile::NamedTempFile::new().unwrap();
    file.write_all(b"geheim\n").unwrap();
    let (address, server) = server(&[Act::Answer("HTTP/1.1 401 No\r\nContent-Length: 0\r\n\r\n")]);
    let url = format!("http://{address}/api/v2/write?bucket=b");
    let push =
        Push::parse(&url, None, Duration::from_secs(60)).unwrap().with_token_file(file.path()).unwrap();
    let error = push.send(b"a b=1\n").unwrap_err();
    assert_eq!(error.to_string(), format!("cannot push to http://{address}/api/v2/write: it answered 401"));
    assert!(!format!("{push:?}").contains("geheim"));
    let (head, _) = server.join().unwrap().remove(0);
    assert!(head.starts_with("post /api/v2/write?bucket=b http/1.1\r\n"), "{head}");
    assert!(head.contains("\r\nauthorization: token geheim\r\n"), "{head}");
}

#[test]
fn what_speaks_no_tls_is_not_taken_for_a_server_that_does() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("https://{}/metrics/job/fleet", listener.local_addr().unwrap());
    let serve = std::thread::spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        let _hello = stream.read(&mut [0; 512]);
        stream.write_all(OK.as_bytes()).unwrap();
    });
    let mut push = Push::parse(&url, None, Duration::from_millis(500)).unwrap();
    push.first_pause = Duration::from_secs(3600);
    let error = push.send(b"up 1\n").unwrap_err().to_string();
    assert!(error.ends_with(": what it answered is no TLS; is it an http:// URL?"), "{error}");
    serve.join().unwrap();
}
