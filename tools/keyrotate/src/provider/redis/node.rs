//! One server of Redis, and what is asked of it.

use std::time::Duration;

use native_tls::TlsConnector;
use secrecy::{ExposeSecret, SecretString};
use secrets::conceal;
use zeroize::Zeroizing;

use super::reply::{Reply, request};
use crate::provider::wire::{Address, Fault, Told, Wire};

/// How a server is reached.
#[derive(Clone)]
pub(super) struct Node {
    /// Where it is.
    pub(super) address: Address,
    /// What speaks TLS with it, where it does.
    pub(super) tls: Option<TlsConnector>,
    /// How long it may take for an answer.
    pub(super) timeout: Duration,
}

/// A connection to it.
pub(super) struct Session {
    wire: Wire,
}

/// Errors that pass by themselves. `ERR max number` is that of connections.
const PASSING: &[&str] =
    &["LOADING", "BUSY", "MASTERDOWN", "TRYAGAIN", "CLUSTERDOWN", "MISCONF", "OOM", "ERR max number"];

impl Node {
    /// A connection that has not logged in.
    pub(super) fn connect(&self) -> Told<Session> {
        let wire = Wire::connect(&self.address, self.timeout)?;
        let wire = match (&self.tls, self.address.host()) {
            (Some(connector), Some(host)) => wire.secured(connector, host)?,
            _ => wire,
        };
        Ok(Session { wire })
    }
}

impl Session {
    /// Logs in; without the user's name nobody is (`default` would be).
    ///
    /// # Errors
    /// A no is a refusal of this user with this secret, and nothing else is.
    pub(super) fn log_in(&mut self, user: &str, secret: &SecretString) -> Told {
        let request = Zeroizing::new(request(&[b"AUTH", user.as_bytes(), secret.expose_secret().as_bytes()]));
        match self.exchange("log in", &request)? {
            Reply::Status(text) if text == "OK" => Ok(()),
            Reply::Error(error) if error.starts_with("WRONGPASS ") => {
                Err(Fault::No(format!("{user} is refused: {}", told(&error))))
            }
            reply => Err(Fault::Unknown(format!("cannot log in as {user}: {}", describe(&reply)))),
        }
    }

    /// What the server answers to `words`, errors included.
    pub(super) fn try_ask(&mut self, words: &[&str]) -> Told<Reply> {
        let words: Vec<&[u8]> = words.iter().map(|word| word.as_bytes()).collect();
        self.exchange("ask", &request(&words))
    }

    /// What the server answers to `words`.
    ///
    /// # Errors
    /// A no when it refuses them; unknown when it cannot answer now.
    pub(super) fn ask(&mut self, words: &[&str]) -> Told<Reply> {
        match self.try_ask(words)? {
            Reply::Error(error) => Err(refusal(words, &error)),
            reply => Ok(reply),
        }
    }

    fn exchange(&mut self, done: &str, request: &[u8]) -> Told<Reply> {
        let broken = |error: std::io::Error| Fault::broken(done, &error);
        self.wire.send(request).map_err(broken)?;
        Reply::read(&mut self.wire).map_err(broken)
    }
}

/// What an error in answer to `words` means.
pub(super) fn refusal(words: &[&str], error: &str) -> Fault {
    // Only the command: what follows may be the digest of a password.
    let command = words.iter().take(2).copied().collect::<Vec<_>>().join(" ");
    let sentence = format!("{command}: {}", told(error));
    if PASSING.iter().any(|word| error.starts_with(word)) {
        Fault::Unknown(sentence)
    } else {
        Fault::No(sentence)
    }
}

/// The sentence of an error.
fn told(error: &str) -> String {
    conceal::quoted(error.as_bytes())
}

fn describe(reply: &Reply) -> String {
    match reply {
        Reply::Error(error) => told(error),
        _ => "the answer is not OK".into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_passes_by_itself_is_no_refusal() {
        let check = |error: &str, is_no: bool| {
            assert_eq!(matches!(refusal(&["ACL", "SAVE"], error), Fault::No(_)), is_no, "{error}");
        };
        check("NOPERM this user has no permissions to run the 'acl|save' command", true);
        check("NOAUTH Authentication required.", true);
        check("ERR unknown command `ACL`", true);
        check("LOADING Redis is loading the dataset in memory", false);
        check("BUSY Redis is busy running a script.", false);
        check("MASTERDOWN Link with MASTER is down", false);
        check("ERR max number of clients reached", false);
    }
}
