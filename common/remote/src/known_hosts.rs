//! sshd(8)'s file of host keys: what is known, revoked, changed.

use std::path::PathBuf;

use common::Result;

/// What the files say, read once for the whole run.
#[derive(Debug, Default)]
pub struct KnownHosts {}

/// What a host is looked up by.
#[derive(Debug, Clone, Copy)]
pub struct Peer<'a> {
    /// The name, the address, or the alias that stands for them.
    pub host: &'a str,
    /// The port; other than 22 it is part of the name, `[host]:port`.
    pub port: u16,
}

/// What the files say about a key that a host has shown.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    /// It is the host's.
    Known,
    /// No line knows the host.
    Unknown,
    /// The host is known with other keys: each with its type, its fingerprint and where it stands.
    Changed(Vec<String>),
    /// This key is revoked, and where that stands.
    Revoked(String),
    /// Only an authority for certificates is known for the host, and where that stands.
    Authority(String),
}

impl KnownHosts {
    /// Reads `files`; one that does not exist is empty, a line that cannot be read is passed over
    /// with a warning.
    ///
    /// # Errors
    /// When a file exists and cannot be read.
    pub fn read(_files: &[PathBuf]) -> Result<Self> {
        Ok(Self {})
    }

    /// The host-key algorithms to ask for, best first, as names for libssh2: those of the keys that
    /// are known for the host first, as ssh(1) does; all when none is known.
    #[must_use]
    pub fn algorithms(&self, _peer: Peer<'_>) -> Vec<&'static str> {
        Vec::new()
    }

    /// What the files say about `key`, the blob as it is sent.
    #[must_use]
    pub fn judge(&self, _peer: Peer<'_>, _key: &[u8]) -> Verdict {
        Verdict::Unknown
    }

    /// Remembers `key` for `peer` in the first file, durably, also against others that add lines at
    /// the same time; a key that has been added meanwhile is judged, not added again.
    ///
    /// # Errors
    /// When the file cannot be written.
    pub fn accept(&self, _peer: Peer<'_>, _key: &[u8]) -> Result<Verdict> {
        Ok(Verdict::Unknown)
    }
}

/// The fingerprint of a key as ssh-keygen(1) prints it, `SHA256:…`.
#[must_use]
pub fn fingerprint(_key: &[u8]) -> String {
    String::new()
}
