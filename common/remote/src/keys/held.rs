//! A private key that is in memory only.

use std::cmp::Ordering;
use std::fmt::{self, Debug, Formatter};
use std::sync::Arc;

use base64ct::{Base64, Encoding};
use common::{Error, Result};
use openssl::pkey::{PKey, Private};

use super::file::Fault;
use super::{Key, private};
use crate::known_hosts::{fingerprint, kind};

/// A private key without a file, ready to sign: that of a vault, or one that was just made. Copies
/// share it; OpenSSL wipes its memory with the last one. Two with the same public half and the same
/// name are equal.
#[derive(Clone)]
pub struct Held {
    name: Arc<str>,
    public: Arc<[u8]>,
    private: Arc<PKey<Private>>,
}

impl Held {
    /// The key in `text`, in any form that ssh-keygen(1) writes and without a passphrase. Messages call
    /// it `name`.
    ///
    /// # Errors
    /// When `text` holds no such key. The message holds nothing of `text`.
    pub fn open(name: &str, text: &[u8]) -> Result<Self> {
        let opened = private::open(text, None)
            .map_err(|(fault, _)| Error::failed(format!("{name} {}", told(fault))))?;
        Ok(Self { name: Arc::from(name), public: Arc::from(opened.public), private: opened.private })
    }

    /// What messages call it.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Its public half as a line of `authorized_keys`, without options and comment: `ssh-ed25519 AAAA…`.
    #[must_use]
    pub fn public(&self) -> String {
        format!("{} {}", kind(&self.public).unwrap_or_default(), Base64::encode_string(&self.public))
    }

    /// Its fingerprint as ssh-keygen(1) prints it, `SHA256:…`.
    #[must_use]
    pub fn fingerprint(&self) -> String {
        fingerprint(&self.public)
    }

    pub(super) fn key(&self) -> Key {
        let (blob, private) = (self.public.to_vec(), Arc::clone(&self.private));
        Key { blob, private, label: self.name.to_string() }
    }
}

impl Debug for Held {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Held").field(&self.name).finish()
    }
}

impl PartialEq for Held {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other) == Ordering::Equal
    }
}

impl Eq for Held {}

impl PartialOrd for Held {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Held {
    fn cmp(&self, other: &Self) -> Ordering {
        (&self.public, &self.name).cmp(&(&other.public, &other.name))
    }
}

/// Why it cannot be used.
fn told(fault: Fault) -> &'static str {
    match fault {
        Fault::Protected | Fault::WrongPassphrase | Fault::Cipher => {
            "is protected with a passphrase, which nobody can give here"
        }
        Fault::Damaged => "is damaged",
        Fault::Old => "is a DSA key, which no host takes any more",
        Fault::Token => "belongs to a security token (FIDO), which cannot be used here",
        Fault::Foreign => "is a key of a type that SSH does not use",
        Fault::Putty => "is a key of PuTTY, and not of OpenSSH",
        Fault::NoKey => "is no private key",
    }
}
