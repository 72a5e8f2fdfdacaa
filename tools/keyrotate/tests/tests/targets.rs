//! Who accepts what the consumers of a rotation hold.

use std::fmt::Write as _;
use std::fs;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use testkit::redis::Redis;

use crate::rig::{FOREIGN, OLD};

/// What the consumers of a server's credential hold at first. The server is told of it in command lines,
/// where another test looks for [`OLD`].
pub(crate) const FIRST: &str = "first-secret-1147-of-a-server";

/// A target.
pub(crate) trait Target: Send + Sync {
    /// The lines of `[provider]`; FOLDER is that of the rotation.
    fn provider(&self) -> String;

    /// How a consumer holds a credential.
    fn form(&self) -> &'static str {
        "{secret}"
    }

    /// What all hold at first.
    fn first(&self) -> String {
        OLD.to_owned()
    }

    /// The files that it has in the folder of the rotation.
    fn keeps(&self) -> Vec<(&'static str, String)> {
        Vec::new()
    }

    /// Whether it accepts what a consumer holds.
    fn logs_in(&self, folder: &Path, held: &str) -> bool;

    /// What is wrong with it when the rotation is over and all hold `held`.
    fn wrong(&self, folder: &Path, held: &str) -> Vec<String>;
}

/// A name that no other rotation has.
pub(crate) fn user() -> String {
    static USERS: AtomicU32 = AtomicU32::new(0);
    format!("svc{}", USERS.fetch_add(1, Ordering::Relaxed))
}

/// Says that there are others than `held` and [`FOREIGN`] in `accepted`.
fn unlike(mut accepted: Vec<String>, held: &str) -> Vec<String> {
    let mut want = [held.to_owned(), FOREIGN.to_owned()].map(|secret| {
        let is_digest = accepted.iter().all(|one| one.len() >= 64);
        if is_digest { digest(&secret) } else { secret }
    });
    want.sort();
    accepted.sort();
    if accepted == want { Vec::new() } else { vec![format!("{accepted:?} are accepted, and {held} held")] }
}

pub(crate) fn digest(secret: &str) -> String {
    use sha2::{Digest, Sha256};

    Sha256::digest(secret).iter().fold(String::new(), |mut digits, byte| {
        write!(digits, "{byte:02x}").unwrap();
        digits
    })
}

/// Lines of a file.
pub(crate) struct File;

impl Target for File {
    fn provider(&self) -> String {
        "kind = \"file\"\npath = \"FOLDER/tokens\"\n".to_owned()
    }

    fn keeps(&self) -> Vec<(&'static str, String)> {
        vec![("tokens", format!("{OLD}\n{FOREIGN}\n"))]
    }

    fn logs_in(&self, folder: &Path, held: &str) -> bool {
        fs::read_to_string(folder.join("tokens")).unwrap().lines().any(|line| line == held)
    }

    fn wrong(&self, folder: &Path, held: &str) -> Vec<String> {
        let tokens = fs::read_to_string(folder.join("tokens")).unwrap();
        unlike(tokens.lines().map(str::to_owned).collect(), held)
    }
}

/// A plug-in: the sample, or one that runs it.
pub(crate) struct Plugin(pub(crate) String);

/// The sample.
pub(crate) const TOKEN_FILE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/plugins/token-file");

impl Target for Plugin {
    fn provider(&self) -> String {
        let params = "params = { file = \"FOLDER/tokens\" }";
        format!("kind = \"exec\"\ncommand = [\"{}\"]\n{params}\n", self.0)
    }

    fn keeps(&self) -> Vec<(&'static str, String)> {
        vec![("tokens", format!("{} on\n{} on\n", digest(OLD), digest(FOREIGN)))]
    }

    fn logs_in(&self, folder: &Path, held: &str) -> bool {
        let line = format!("{} on", digest(held));
        fs::read_to_string(folder.join("tokens")).unwrap().lines().any(|other| other == line)
    }

    fn wrong(&self, folder: &Path, held: &str) -> Vec<String> {
        let tokens = fs::read_to_string(folder.join("tokens")).unwrap();
        let is_on = |line: &str| line.strip_suffix(" on").unwrap_or("off").to_owned();
        unlike(tokens.lines().map(is_on).collect(), held)
    }
}

/// A user of Redis.
pub(crate) struct User {
    server: Arc<Redis>,
    name: String,
    address: String,
}

impl User {
    /// A user of its own on `server`, which is told of it and asked at `address`.
    pub(crate) fn new(server: &Arc<Redis>, address: String) -> Self {
        let name = user();
        let words =
            ["ACL", "SETUSER", &name, "on", "~*", "+@all", &format!(">{FIRST}"), &format!(">{FOREIGN}")];
        server.ask(&words);
        server.ask(&["ACL", "SAVE"]);
        Self { server: Arc::clone(server), name, address }
    }
}

impl Target for User {
    fn provider(&self) -> String {
        format!("kind = \"redis-acl\"\naddress = [\"{}\"]\nuser = \"{}\"\n", self.address, self.name)
    }

    fn first(&self) -> String {
        FIRST.to_owned()
    }

    fn logs_in(&self, _folder: &Path, held: &str) -> bool {
        // A session may be ended with those of the old key while it begins; a client begins another.
        let answer = (0..3).find_map(|_| greeted(&self.server.address(), &self.name, held).ok());
        answer == Some(*b"+OK")
    }

    fn wrong(&self, _folder: &Path, held: &str) -> Vec<String> {
        let told = self.server.ask(&["ACL", "GETUSER", &self.name]);
        let is_digest = |word: &&str| word.len() == 64 && word.bytes().all(|byte| byte.is_ascii_hexdigit());
        unlike(told.split_ascii_whitespace().filter(is_digest).map(str::to_owned).collect(), held)
    }
}

/// What Redis answers first to a log-in.
fn greeted(address: &str, user: &str, secret: &str) -> std::io::Result<[u8; 3]> {
    let mut stream = TcpStream::connect(address)?;
    stream.write_all(format!("AUTH {user} {secret}\r\n").as_bytes())?;
    let mut answer = [0; 3];
    stream.read_exact(&mut answer).map(|()| answer)
}
