//! The agent: its keys, read once for the run.
//!
//! libssh2 asks it over a socket that knows no deadline. So it is asked here first, with one: an agent
//! that hangs, such as one behind a connection that is gone, is never asked by the library.

use std::collections::BTreeMap;
use std::io::{self, ErrorKind, Read, Write};
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use super::wire::{string, u32};
use crate::known_hosts::{kind, short_kind};

/// An agent answers in a millisecond.
const AGENT: Duration = Duration::from_secs(3);

/// `SSH_AGENTC_REQUEST_IDENTITIES` and its answer (draft-ietf-sshm-ssh-agent).
const ASK: u8 = 11;
const ANSWER: u8 = 12;

/// As much as OpenSSH takes in one message.
const LARGEST: usize = 256 * 1024;

/// A key of an agent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct AgentKey {
    /// The public half as it is sent.
    pub(crate) blob: Vec<u8>,
}

type Listed = Arc<Result<Vec<AgentKey>, String>>;

/// The agents of a run, by their sockets.
#[derive(Debug, Default)]
pub(crate) struct Agents {
    listed: Mutex<BTreeMap<PathBuf, Listed>>,
}

impl Agents {
    /// The keys of the agent behind `path`, asked for at the first call; who comes meanwhile waits.
    pub(crate) fn keys(&self, path: &Path) -> Listed {
        let mut listed = self.listed.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(keys) = listed.get(path) {
            return Arc::clone(keys);
        }
        let keys = Arc::new(list(path).map_err(|error| told(path, &error)));
        listed.insert(path.to_owned(), Arc::clone(&keys));
        keys
    }
}

fn told(path: &Path, error: &io::Error) -> String {
    match error.kind() {
        ErrorKind::WouldBlock | ErrorKind::TimedOut => {
            format!("the agent {} does not answer", path.display())
        }
        _ => format!("the agent {} cannot be asked: {error}", path.display()),
    }
}

fn list(path: &Path) -> io::Result<Vec<AgentKey>> {
    let end = Instant::now() + AGENT;
    let mut stream = connect_to(path)?;
    stream.set_write_timeout(Some(AGENT))?;
    stream.write_all(&[0, 0, 0, 1, ASK])?;
    let mut head = [0; 4];
    read(&mut stream, &mut head, end)?;
    let length = usize::try_from(u32::from_be_bytes(head)).unwrap_or(usize::MAX);
    if length > LARGEST {
        return Err(nonsense());
    }
    let mut answer = vec![0; length];
    read(&mut stream, &mut answer, end)?;
    parse(&answer).ok_or_else(nonsense)
}

/// Connecting to a socket whose queue is full waits without end, so it is done in a thread that is
/// left behind then.
fn connect_to(path: &Path) -> io::Result<UnixStream> {
    let (sender, receiver) = std::sync::mpsc::channel();
    let path = path.to_owned();
    std::thread::Builder::new().name("agent".into()).stack_size(64 * 1024).spawn(move || {
        let _is_heard = sender.send(UnixStream::connect(path));
    })?;
    receiver.recv_timeout(AGENT).unwrap_or_else(|_| Err(ErrorKind::TimedOut.into()))
}

fn nonsense() -> io::Error {
    io::Error::new(ErrorKind::InvalidData, "it answers with something else than keys")
}

/// Fills `into` before `end`, also when it comes byte by byte.
fn read(stream: &mut UnixStream, mut into: &mut [u8], end: Instant) -> io::Result<()> {
    while !into.is_empty() {
        let left = end.saturating_duration_since(Instant::now());
        if left.is_zero() {
            return Err(ErrorKind::TimedOut.into());
        }
        stream.set_read_timeout(Some(left))?;
        match stream.read(into) {
            Ok(0) => return Err(ErrorKind::UnexpectedEof.into()),
            Ok(count) => into = &mut into[count..],
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(())
}

/// The keys in an answer.
fn parse(answer: &[u8]) -> Option<Vec<AgentKey>> {
    let (&number, mut rest) = answer.split_first()?;
    if number != ANSWER {
        return None;
    }
    let count = u32(&mut rest)?;
    let mut keys = Vec::new();
    for _ in 0..count {
        let blob = string(&mut rest)?.to_vec();
        string(&mut rest)?;
        keys.push(AgentKey { blob });
    }
    Some(keys)
}

/// Why a key of an agent cannot be used, as the end of a sentence.
pub(crate) fn unusable(blob: &[u8]) -> Option<&'static str> {
    let kind = kind(blob).unwrap_or_default();
    if kind.starts_with("sk-") {
        // libssh2 leaves the counter out of what the agent has signed.
        return Some("belongs to a security token (FIDO), which cannot be used here");
    }
    (kind == "ssh-dss").then_some("is a DSA key, which no host takes any more")
}

/// What messages call a key of an agent.
pub(crate) fn label(comment: &str, blob: &[u8]) -> String {
    let comment: String = comment.chars().take(80).collect();
    if comment.is_empty() {
        return format!("agent key {}", short_kind(kind(blob).unwrap_or("key")));
    }
    format!("agent key `{comment}`")
}

#[cfg(test)]
mod tests {
    use std::os::unix::net::UnixListener;

    use proptest::prelude::*;

    use super::*;

    /// What an agent that answers with `bytes` is told to be.
    fn check(bytes: &'static [u8], want: Result<usize, &str>) {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("agent");
        let listener = UnixListener::bind(&path).unwrap();
        let answer = std::thread::spawn(move || {
            let (mut stream, _) = listener.accept().unwrap();
            let mut asked = [0; 5];
            stream.read_exact(&mut asked).unwrap();
            stream.write_all(bytes).unwrap();
        });
        let keys = Agents::default().keys(&path);
        answer.join().unwrap();
        let got = match &*keys {
            Ok(keys) => Ok(keys.len()),
            Err(what) => Err(what.replace(path.to_str().unwrap(), "A")),
        };
        assert_eq!(got.as_ref().map_err(String::as_str), want.as_ref().map_err(|what| *what));
    }

    #[test]
    fn an_agent_is_asked_once_and_never_trusted() {
        check(b"\0\0\0\x05\x0c\0\0\0\0", Ok(0));
        check(b"\0\0\0\x0f\x0c\0\0\0\x01\0\0\0\x01k\0\0\0\x01c", Ok(1));
        let nonsense = "the agent A cannot be asked: it answers with something else than keys";
        check(b"\0\0\0\x05\x0c\0\0\0\x09", Err(nonsense));
        check(b"\0\0\0\x01\x05", Err(nonsense));
        check(b"\xff\xff\xff\xff", Err(nonsense));
        check(b"\0\0\0\x05\x0c", Err("the agent A cannot be asked: unexpected end of file"));
        let missing = Agents::default().keys(Path::new("/nowhere/agent"));
        let want = "the agent /nowhere/agent cannot be asked: No such file or directory (os error 2)";
        assert_eq!(*missing, Err(want.to_owned()));
    }

    #[test]
    fn what_the_library_cannot_sign_with_is_not_tried() {
        let blob = |kind: &str| [&[0, 0, 0, u8::try_from(kind.len()).unwrap()], kind.as_bytes()].concat();
        assert!(unusable(&blob("sk-ssh-ed25519@openssh.com")).is_some());
        assert!(unusable(&blob("ssh-dss")).is_some());
        assert!(unusable(&blob("ssh-ed25519")).is_none());
    }

    proptest! {
        #[test]
        fn no_answer_does_harm(answer in prop::collection::vec(any::<u8>(), 0..60)) {
            let mut framed = vec![ANSWER, 0, 0, 0, 2];
            framed.extend(&answer);
            prop_assert!(parse(&framed).is_none_or(|keys| keys.len() == 2));
            prop_assert!(parse(&answer).is_none() || answer[0] == ANSWER);
        }
    }
}
