//! Logging in: certificates and key files, then the keys of the agent, each once.
//!
//! The key is offered at once, without the `none` request that would ask what the host takes: that is
//! a round trip, and only worth it for the sentence about a failure.

use std::collections::BTreeSet;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use crate::bounds::told;
use crate::failure::{Class, Failure, Phase};
use crate::keys::{Identities, Keyring, agent};
use crate::sign;
use crate::target::Login;
use crate::trouble::Trouble;

mod methods;
mod refused;

use refused::Refused;

/// Waits for the library. The session of a host implements it with its socket and its deadline.
pub(crate) trait Patience {
    /// Repeats `call` until it no longer asks to be called again (`LIBSSH2_ERROR_EAGAIN`).
    fn until<T>(&self, call: impl FnMut() -> Result<T, ssh2::Error>) -> Result<T, Trouble>;

    /// How long the login may take, for messages.
    fn bound(&self) -> Duration;
}

/// What a login is made with.
pub(crate) struct Attempt<'a> {
    pub(crate) user: &'a str,
    pub(crate) login: &'a Arc<Login>,
    pub(crate) ring: &'a Keyring,
}

/// `LIBSSH2_ERROR_AUTHENTICATION_FAILED`: the host does not want the key.
const UNWANTED: i32 = -18;

/// `LIBSSH2_ERROR_PUBLICKEY_UNVERIFIED`: the host wanted the key and then refused it, the key was one
/// of several that it wants, or the connection ended meanwhile.
const UNVERIFIED: i32 = -19;

/// `LIBSSH2_ERROR_METHOD_NONE`: the host takes no signature of this type of key.
const NO_SIGNATURE: i32 = -17;

/// `LIBSSH2_ERROR_SOCKET_DISCONNECT`: the host has said that it ends the connection. One that only
/// ends is another error.
const GOODBYE: i32 = -13;

/// What came of one key.
enum Step {
    /// With the key of this name.
    LoggedIn(String),
    /// Another key may do.
    Next,
    /// No other key is worth a try.
    End(Failure),
}

/// Logs in as `attempt` says, and tells what the key that did it is called; `None` when the host wanted
/// none.
///
/// # Errors
/// Class `auth` with the keys that were tried and what the host would take; class `timeout` or `lost`
/// when it did not come to that.
pub(crate) fn log_in(
    ssh: &ssh2::Session,
    attempt: &Attempt<'_>,
    patience: &impl Patience,
) -> Result<Option<String>, Failure> {
    let identities = attempt.ring.identities(attempt.login);
    let mut course = Course { ssh, attempt, patience, refused: Refused::default(), seen: BTreeSet::new() };
    for key in &identities.keys {
        let offer = || sign::log_in(ssh, attempt.user, &key.blob, &key.private);
        match course.offer(&key.label, &key.blob, offer) {
            Step::LoggedIn(label) => return Ok(Some(label)),
            Step::Next => {}
            Step::End(failure) => return Err(failure),
        }
    }
    match course.ask_agent(&identities) {
        Step::LoggedIn(label) => Ok(Some(label)),
        Step::Next => course.give_up(&identities),
        Step::End(failure) => Err(failure),
    }
}

/// A login that is under way.
struct Course<'a, P> {
    ssh: &'a ssh2::Session,
    attempt: &'a Attempt<'a>,
    patience: &'a P,
    refused: Refused,
    /// What has been offered already.
    seen: BTreeSet<Vec<u8>>,
}

impl<P: Patience> Course<'_, P> {
    fn offer(&mut self, label: &str, blob: &[u8], call: impl FnMut() -> Result<(), ssh2::Error>) -> Step {
        if !self.seen.insert(blob.to_vec()) {
            return Step::Next;
        }
        let trouble = match self.patience.until(call) {
            Ok(()) => return Step::LoggedIn(label.to_owned()),
            Err(trouble) => trouble,
        };
        if matches!(trouble, Trouble::Late) {
            return Step::End(self.late());
        }
        if trouble.is_loss() {
            return Step::End(lost());
        }
        match trouble.code() {
            UNWANTED => self.refused.keys.push(label.to_owned()),
            UNVERIFIED => match methods::of(self.ssh, self.attempt.user, self.patience) {
                Ok(methods) => {
                    self.refused.parts.push(label.to_owned());
                    self.refused.methods = Some(methods);
                }
                Err(Trouble::Late) => return Step::End(self.late()),
                Err(trouble) if trouble.code() == GOODBYE => {
                    return Step::End(self.refused.sent_away(label));
                }
                Err(_) => return Step::End(lost()),
            },
            NO_SIGNATURE => self.refused.others.push(format!("it takes no signature of the type of {label}")),
            code => self.refused.others.push(format!("{label} cannot be used (libssh2 says {code})")),
        }
        Step::Next
    }

    /// Offers the keys of the agent.
    fn ask_agent(&mut self, identities: &Identities) -> Step {
        let Some(path) = self.attempt.login.agent.as_deref() else { return Step::Next };
        let listed = match &*self.attempt.ring.agents.keys(path) {
            Ok(keys) => keys.clone(),
            Err(what) => {
                self.refused.others.push(what.clone());
                return Step::Next;
            }
        };
        let is_wanted =
            |blob: &Vec<u8>| !self.attempt.login.identities_only || identities.publics.contains(blob);
        let listed: Vec<_> = listed.into_iter().filter(|key| is_wanted(&key.blob)).collect();
        if listed.is_empty() && !self.attempt.login.identities_only {
            self.refused.others.push("the agent has no keys".into());
        }
        if listed.iter().all(|key| self.seen.contains(&key.blob)) {
            return Step::Next;
        }
        let agent = match connect(self.ssh, path, self.patience) {
            Ok(agent) => agent,
            Err(what) => {
                self.refused.others.push(what);
                return Step::Next;
            }
        };
        // Read again, since the library signs only with what it has listed itself.
        for key in agent.identities().unwrap_or_default() {
            if !listed.iter().any(|listed| listed.blob == key.blob()) {
                continue;
            }
            let label = agent::label(key.comment(), key.blob());
            if let Some(why) = agent::unusable(key.blob()) {
                self.refused.others.push(format!("{label} {why}"));
                continue;
            }
            match self.offer(&label, key.blob(), || agent.userauth(self.attempt.user, &key)) {
                Step::Next => {}
                end => return end,
            }
        }
        Step::Next
    }

    fn late(&self) -> Failure {
        let what = format!("the login did not end within {}", told(self.patience.bound()));
        Failure::new(Class::Timeout, Phase::Auth, what)
    }

    /// When all keys were refused. There are hosts that let everybody in, which shows only here.
    fn give_up(mut self, identities: &Identities) -> Result<Option<String>, Failure> {
        if self.refused.methods.is_none() {
            match methods::of(self.ssh, self.attempt.user, self.patience) {
                Ok(_) if self.ssh.authenticated() => return Ok(None),
                Ok(methods) => self.refused.methods = Some(methods),
                Err(Trouble::Late) => return Err(self.late()),
                Err(_) => {}
            }
        }
        for trouble in &identities.troubles {
            // What an agent had was tried from there.
            if !trouble.public.as_ref().is_some_and(|public| self.seen.contains(public)) {
                self.refused.others.push(trouble.what.clone());
            }
        }
        Err(self.refused.told(self.attempt.user))
    }
}

fn lost() -> Failure {
    Failure::new(Class::Lost, Phase::Auth, "it ended the connection during the login")
}

/// The library's own connection to the agent, with its keys listed.
fn connect(ssh: &ssh2::Session, path: &Path, patience: &impl Patience) -> Result<ssh2::Agent, String> {
    let failed = |_| format!("the agent {} cannot be asked", path.display());
    let mut agent = ssh.agent().map_err(failed)?;
    agent.set_identity_path(path).map_err(failed)?;
    agent.connect().map_err(failed)?;
    let asked = patience.until(|| agent.list_identities());
    asked.map_err(|_| format!("the agent {} cannot be asked", path.display()))?;
    Ok(agent)
}
