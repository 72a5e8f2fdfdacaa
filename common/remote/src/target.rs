//! Everything that is needed to reach one host.

use std::path::PathBuf;
use std::sync::Arc;

use crate::keys::Held;

/// A host, settled: nothing is left to look up but its address.
#[derive(Debug, Clone)]
pub struct Target {
    /// What results and messages call it.
    pub name: Arc<str>,
    /// A name for DNS or an IP address.
    pub address: String,
    /// The port of its sshd.
    pub port: u16,
    /// The user to log in as.
    pub user: String,
    /// How to prove who we are.
    pub login: Arc<Login>,
    /// How to know the host.
    pub trust: Arc<Trust>,
    /// The name under which its host key is known (`HostKeyAlias`), when not its address.
    pub key_alias: Option<String>,
    /// The hosts to go through, the first one first.
    pub jumps: Vec<Arc<Target>>,
}

/// How to prove who we are. Equal ones are shared among hosts.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Login {
    /// Keys that are in memory only, in the order in which they are tried, before all others.
    pub held: Vec<Held>,
    /// Files with private keys, in the order in which they are tried.
    pub keys: Vec<PathBuf>,
    /// Files with certificates for them.
    pub certificates: Vec<PathBuf>,
    /// Whether a key file that is missing is passed over: so with the default names.
    pub is_default: bool,
    /// The socket of the agent whose keys are tried after the files.
    pub agent: Option<PathBuf>,
    /// Whether of the agent's keys only those are tried whose file is among `keys`.
    pub identities_only: bool,
}

impl Login {
    /// With these keys and nothing else: no file, no agent.
    #[must_use]
    pub fn with(held: Vec<Held>) -> Self {
        let (keys, certificates) = (Vec::new(), Vec::new());
        Self { held, keys, certificates, is_default: false, agent: None, identities_only: true }
    }
}

/// How to know a host. Equal ones are shared among hosts.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Trust {
    /// Files of known hosts; the first one takes what is accepted.
    pub files: Vec<PathBuf>,
    /// Whether an unknown host is accepted and remembered. A changed key never is.
    pub accepts_new: bool,
}
