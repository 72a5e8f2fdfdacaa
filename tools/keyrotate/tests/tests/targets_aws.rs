//! Access keys of a user of AWS, at moto's server, which administer themselves.

use std::fmt::Write as _;
use std::io::{self, Read, Write};
use std::net::TcpStream;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;
use testkit::moto::Moto;

use crate::targets::{Target, digest, user};

/// A user with a key.
pub(crate) struct Account {
    server: Arc<Moto>,
    name: String,
    first: String,
}

impl Account {
    /// A user of its own on `server`.
    pub(crate) fn new(server: &Arc<Moto>) -> Self {
        let name = user();
        let all = "{\"Statement\":[{\"Effect\":\"Allow\",\"Action\":\"iam:*AccessKey*\",\"Resource\":\"*\"}],\
                   \"Version\":\"2012-10-17\"}";
        let admin = server.key("admin");
        let ask = |parameters: &[(&str, &str)]| {
            let user = [parameters, &[("UserName", &name)]].concat();
            let answer = asked(server.url(), "iam", admin, &user).unwrap();
            assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
            answer
        };
        ask(&[("Action", "CreateUser")]);
        ask(&[("Action", "PutUserPolicy"), ("PolicyName", "keys"), ("PolicyDocument", all)]);
        let made = ask(&[("Action", "CreateAccessKey")]);
        let part = |name: &str| {
            let (_, after) = made.split_once(&format!("<{name}>")).unwrap();
            after.split_once('<').unwrap().0.to_owned()
        };
        let first = format!("{}:{}", part("AccessKeyId"), part("SecretAccessKey"));
        let account = Self { server: Arc::clone(server), name, first };
        while !account.logs_in(Path::new(""), &account.first) {
            std::thread::sleep(Duration::from_millis(50));
        }
        account
    }
}

impl Target for Account {
    fn provider(&self) -> String {
        let url = self.server.url();
        format!("kind = \"aws-iam\"\nuser = \"{}\"\nendpoint = \"{url}\"\n", self.name)
    }

    fn form(&self) -> &'static str {
        "{id}:{secret}"
    }

    fn first(&self) -> String {
        self.first.clone()
    }

    fn logs_in(&self, _folder: &Path, held: &str) -> bool {
        let who = [("Action", "GetCallerIdentity")];
        let answer = asked(self.server.url(), "sts", held.split_once(':').unwrap(), &who);
        answer.is_ok_and(|answer| answer.contains(&format!("/{}</Arn>", self.name)))
    }

    fn wrong(&self, folder: &Path, held: &str) -> Vec<String> {
        let user = [("Action", "ListAccessKeys"), ("UserName", &self.name)];
        let keys = asked(self.server.url(), "iam", self.server.key("admin"), &user).unwrap();
        let id = held.split_once(':').unwrap().0;
        let is_alone = keys.matches("<AccessKeyId>").count() == 1 && keys.contains("<Status>Active<");
        if is_alone && keys.contains(id) && self.logs_in(folder, held) {
            return Vec::new();
        }
        vec![format!("{id} is held, and there are {keys}")]
    }
}

/// The answer to a request that is signed with `key` (Signature Version 4).
fn asked(url: &str, service: &str, key: (&str, &str), parameters: &[(&str, &str)]) -> io::Result<String> {
    let host = url.trim_start_matches("http://");
    let version = if service == "iam" { "2010-05-08" } else { "2011-06-15" };
    let form = parameters.iter().map(|(name, value)| format!("{name}={}", encoded(value)));
    let body = form.collect::<Vec<_>>().join("&") + "&Version=" + version;
    let time = chrono::Utc::now().format("%Y%m%dT%H%M%SZ").to_string();
    let scope = format!("{}/us-east-1/{service}/aws4_request", &time[..8]);
    let kind = "application/x-www-form-urlencoded";
    let headers = format!("content-type:{kind}\nhost:{host}\nx-amz-date:{time}\n");
    let names = "content-type;host;x-amz-date";
    let canonical = format!("POST\n/\n\n{headers}\n{names}\n{}", digest(&body));
    let to_sign = format!("AWS4-HMAC-SHA256\n{time}\n{scope}\n{}", digest(&canonical));
    let first = format!("AWS4{}", key.1).into_bytes();
    let signing = scope.split('/').fold(first, |key, part| mac(&key, part));
    let signature = mac(&signing, &to_sign).iter().fold(String::new(), |mut digits, byte| {
        write!(digits, "{byte:02x}").unwrap();
        digits
    });
    let credential = format!("AWS4-HMAC-SHA256 Credential={}/{scope}", key.0);
    let mut stream = TcpStream::connect(host)?;
    write!(
        stream,
        "POST / HTTP/1.1\r\nHost: {host}\r\nContent-Type: {kind}\r\nX-Amz-Date: {time}\r\n\
         Authorization: {credential}, SignedHeaders={names}, Signature={signature}\r\n\
         Content-Length: {}\r\nConnection: close\r\n\r\n{body}",
        body.len()
    )?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer).map(|_| answer)
}

fn mac(key: &[u8], text: &str) -> Vec<u8> {
    let mut mac = Hmac::<Sha256>::new_from_slice(key).unwrap();
    mac.update(text.as_bytes());
    mac.finalize().into_bytes().to_vec()
}

/// As it stands in a form.
fn encoded(text: &str) -> String {
    let byte = |byte: u8| match byte {
        b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => char::from(byte).to_string(),
        _ => format!("%{byte:02X}"),
    };
    text.bytes().map(byte).collect()
}
