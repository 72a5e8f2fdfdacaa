//! sshd(8)'s file of host keys: what is known, revoked, changed.
//!
//! Ten thousand hosts are looked up in tens of thousands of lines, so a line is taken apart once and
//! keys are compared as the text that they are: base64 with its padding has one form only.

use std::io::ErrorKind;
use std::path::PathBuf;

use common::{OrCannot, Result};

mod append;
mod hashed;
mod index;
mod line;
mod text;

use append::Accepted;
use index::Index;
use line::Marker;
use text::Shown;

pub use text::fingerprint;
pub(crate) use text::{described, kind, short_kind};

/// What the files say, read once for the whole run. Threads share it.
#[derive(Debug, Default)]
pub struct KnownHosts {
    files: Vec<PathBuf>,
    index: Index,
    accepted: Accepted,
}

/// What a host is looked up by.
#[derive(Debug, Clone, Copy)]
pub struct Peer<'a> {
    /// The name, the address, or the alias that stands for them; case does not matter.
    pub host: &'a str,
    /// The port; other than 22 it is part of the name, `[host]:port`. 22 for an alias
    /// (`HostKeyAlias`), which is looked up as it is.
    pub port: u16,
}

impl Peer<'_> {
    /// The name as the files have it.
    #[must_use]
    pub fn name(&self) -> String {
        let host = self.host.to_ascii_lowercase();
        if self.port == 22 { host } else { format!("[{host}]:{}", self.port) }
    }

    /// The names under which a key counts. ssh(1) takes a key that is known for the host alone when
    /// there is none for its port, but no other key there speaks against it.
    fn names(&self) -> Vec<String> {
        let mut names = vec![self.name()];
        if self.port != 22 {
            names.push(self.host.to_ascii_lowercase());
        }
        names
    }
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

/// The types that libssh2 verifies and that are still safe, as ssh(1) prefers them, each with the
/// algorithms to ask for. Host certificates are not among them: libssh2 does not verify them.
const TYPES: [(&str, &[&str]); 5] = [
    ("ssh-ed25519", &["ssh-ed25519"]),
    ("ecdsa-sha2-nistp256", &["ecdsa-sha2-nistp256"]),
    ("ecdsa-sha2-nistp384", &["ecdsa-sha2-nistp384"]),
    ("ecdsa-sha2-nistp521", &["ecdsa-sha2-nistp521"]),
    ("ssh-rsa", &["rsa-sha2-512", "rsa-sha2-256"]),
];

impl KnownHosts {
    /// Reads `files`; one that does not exist is empty, a line that cannot be read is passed over
    /// with a warning.
    ///
    /// # Errors
    /// When a file exists and cannot be read.
    pub fn read(files: &[PathBuf]) -> Result<Self> {
        let mut index = Index::default();
        for path in files {
            match std::fs::read(path) {
                Ok(bytes) => index.add(path, &bytes),
                Err(error) if error.kind() == ErrorKind::NotFound => {}
                Err(error) => return Err(error).or_cannot("read", path),
            }
        }
        index.sort();
        Ok(Self { files: files.to_vec(), index, accepted: Accepted::default() })
    }

    /// The host-key algorithms to ask for, best first, as names for libssh2: those of the keys that
    /// are known for the host, then the others.
    ///
    /// As with ssh(1), a server that has a key of a known type shows that one. The others stay: one
    /// that has none of them is reported with the key that it shows, and not as one that speaks no
    /// common language.
    #[must_use]
    pub fn algorithms(&self, peer: Peer<'_>) -> Vec<&'static str> {
        let known = self.known_types(peer);
        let (first, then): (Vec<_>, Vec<_>) =
            TYPES.iter().partition(|(kind, _)| known.iter().any(|known| known == kind));
        first.iter().chain(&then).flat_map(|(_, algorithms)| algorithms.iter().copied()).collect()
    }

    fn known_types(&self, peer: Peer<'_>) -> Vec<String> {
        for name in peer.names() {
            let mut types = self.accepted.types(&name);
            types.extend(self.index.types(&name));
            if !types.is_empty() {
                return types;
            }
        }
        Vec::new()
    }

    /// What the files say about `key`, the blob as it is sent. Revoked counts before all else.
    #[must_use]
    pub fn judge(&self, peer: Peer<'_>, key: &[u8]) -> Verdict {
        let Some(shown) = Shown::new(key) else { return Verdict::Unknown };
        let names = peer.names();
        if let Some(place) = self.index.revoked(&names, &shown) {
            return Verdict::Revoked(place);
        }
        if names.iter().any(|name| self.accepted.has(name, &shown) || self.index.knows(name, &shown)) {
            return Verdict::Known;
        }
        let lines = self.index.lines(&names[0]);
        let mut others: Vec<String> = lines
            .iter()
            .filter(|line| line.fields().marker == Marker::None)
            .filter_map(|line| Some(format!("{} ({})", described(&line.key()?), line.place())))
            .collect();
        others.extend(self.accepted.others(&names[0]));
        if !others.is_empty() {
            return Verdict::Changed(others);
        }
        let authority = names.iter().find_map(|name| self.index.authority(name));
        authority.map_or(Verdict::Unknown, Verdict::Authority)
    }

    /// Remembers `key` for `peer` in the first file, durably, also against others that add lines at
    /// the same time; a key that has been added meanwhile is judged, not added again. The file and
    /// its folder are created for the owner alone.
    ///
    /// `Known` says that it is remembered; everything else is the verdict of now.
    ///
    /// # Errors
    /// When the file cannot be locked or written; nothing is remembered then.
    pub fn accept(&self, peer: Peer<'_>, key: &[u8]) -> Result<Verdict> {
        append::accept(self, peer, key)
    }

    /// The file that takes what is accepted.
    #[must_use]
    pub fn first_file(&self) -> Option<&PathBuf> {
        self.files.first()
    }
}

#[cfg(test)]
mod tests;
