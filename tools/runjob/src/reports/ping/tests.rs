//! Against servers that answer, refuse, or hang.

use std::io::{Read, Write};
use std::net::TcpListener;
use std::thread::JoinHandle;

use super::*;

/// A server that answers each connection with the next of `answers`, and tells what it was sent; with an empty
/// one it hangs.
fn server(answers: &'static [&'static str]) -> (String, JoinHandle<Vec<String>>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}/ping/secret", listener.local_addr().unwrap());
    let serve = move || {
        let mut hung = Vec::new();
        let requests = answers.iter().map(|answer| {
            let (mut stream, _) = listener.accept().unwrap();
            let request = read_request(&mut stream);
            if answer.is_empty() {
                hung.push(stream);
            } else {
                write!(stream, "HTTP/1.1 {answer}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
                    .unwrap();
            }
            request
        });
        requests.collect()
    };
    (url, std::thread::spawn(serve))
}

/// Up to the end of the body that its length says.
fn read_request(stream: &mut impl Read) -> String {
    let mut text = String::new();
    let mut byte = [0];
    let is_whole = |text: &str| {
        text.split_once("\r\n\r\n").is_some_and(|(head, body)| {
            let length = head
                .lines()
                .find_map(|line| line.to_lowercase().strip_prefix("content-length: ").map(str::to_owned));
            body.len() >= length.map_or(0, |length| length.parse().unwrap())
        })
    };
    while !is_whole(&text) && stream.read(&mut byte).unwrap() == 1 {
        text.push(byte[0].into());
    }
    text
}

fn sent(answers: &'static [&'static str], failure: Option<&[u8]>) -> Vec<String> {
    let (url, server) = server(answers);
    tell_within(&url, failure, Duration::from_millis(500));
    server.join().unwrap()
}

#[test]
fn a_success_is_a_get_and_a_failure_has_the_output() {
    let requests = sent(&["200 OK"], None);
    assert!(requests[0].starts_with("GET /ping/secret HTTP/1.1\r\n"), "{}", requests[0]);
    let requests = sent(&["200 OK"], Some(b"no space\n"));
    assert!(requests[0].starts_with("POST /ping/secret/fail HTTP/1.1\r\n"), "{}", requests[0]);
    assert!(requests[0].ends_with("\r\n\r\nno space\n"), "{}", requests[0]);
}

#[test]
fn what_may_pass_is_tried_again() {
    assert_eq!(sent(&["500 Oops", "", "200 OK"], None).len(), 3);
    assert_eq!(sent(&["503 Busy", "503 Busy", "503 Busy"], Some(b"x")).len(), 3);
    assert_eq!(sent(&["404 Gone"], None).len(), 1);
}

#[test]
fn a_failure_is_told_below_the_path() {
    let check = |url: &str, want: &str| assert_eq!(of_failure(url), want);
    check("https://a/ping/1", "https://a/ping/1/fail");
    check("https://a/ping/1/", "https://a/ping/1/fail");
    check("https://a/ping/1?create=1", "https://a/ping/1/fail?create=1");
}

#[test]
fn only_a_url_is_taken_and_its_path_is_never_told() {
    let check = |text: &str, is_url: bool| assert_eq!(url(text).is_ok(), is_url, "{text}");
    check("https://hc.example.com/ping/1", true);
    check("http://127.0.0.1:8000/x?y=z", true);
    check("hc.example.com/ping/1", false);
    check("ftp://a/b", false);
    check("https:///b", false);
    check("", false);
    assert_eq!(place("https://jan:geheim@hc.example.com:8443/ping/1?a=b"), "https://hc.example.com:8443");
}
