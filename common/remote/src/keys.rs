//! Private keys and certificates, read and decrypted once for the whole run.
//!
//! A key that is protected with a passphrase costs some 90 ms of CPU to open, and libssh2 would open
//! it twice for each host. So it is opened here, and libssh2 gets it in the clear: as PKCS#8, which it
//! reads in less than half the time of OpenSSH's own form when it is RSA (2.8 ms instead of 6.7 ms
//! for a login with 3072 bits), and with its public half, without which it reads it twice.

use std::collections::BTreeMap;
use std::fmt::{self, Debug, Formatter};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use openssl::pkey::{PKey, Private};

use crate::target::Login;

pub(crate) mod agent;
mod certificate;
mod file;
mod held;
mod made;
mod openssh;
mod passphrase;
mod private;
mod public;
mod wire;

use agent::Agents;
use file::{KeyFile, Trouble};

pub use held::Held;
pub use made::ed25519;
pub use passphrase::Passphrase;

/// The keys of a run. Threads share it.
#[derive(Debug, Default)]
pub struct Keyring {
    passphrase: Option<Passphrase>,
    files: Mutex<BTreeMap<PathBuf, Arc<KeyFile>>>,
    logins: Mutex<BTreeMap<Arc<Login>, Arc<Identities>>>,
    pub(crate) agents: Agents,
}

/// A private key that is ready to sign.
pub(crate) struct Key {
    /// The public half or a certificate, as it is sent.
    pub(crate) blob: Vec<u8>,
    /// The private half; OpenSSL clears its memory when it is dropped.
    pub(crate) private: Arc<PKey<Private>>,
    /// What messages call it: its file.
    pub(crate) label: String,
}

impl Debug for Key {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.debug_struct("Key").field("label", &self.label).finish_non_exhaustive()
    }
}

/// What the files of a login came to.
#[derive(Debug, Default)]
pub(crate) struct Identities {
    /// The keys in the order in which they are tried, a certificate before its key.
    pub(crate) keys: Vec<Key>,
    /// The public halves of all files, also of those whose private half an agent may have.
    pub(crate) publics: Vec<Vec<u8>>,
    /// What cannot be used.
    pub(crate) troubles: Vec<Unusable>,
}

/// A file that cannot be used.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Unusable {
    /// A sentence with the name of the file.
    pub(crate) what: String,
    /// Its public half where that is known: an agent may have the key.
    pub(crate) public: Option<Vec<u8>>,
}

impl Keyring {
    /// A ring whose protected keys are opened with `passphrase`.
    #[must_use]
    pub fn new(passphrase: Option<Passphrase>) -> Self {
        Self { passphrase, ..Self::default() }
    }

    /// What the files of `login` come to. They are read, checked and decrypted at the first call;
    /// who comes meanwhile waits for that.
    pub(crate) fn identities(&self, login: &Arc<Login>) -> Arc<Identities> {
        let mut logins = self.logins.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(identities) = logins.get(login) {
            return Arc::clone(identities);
        }
        let identities = Arc::new(self.read(login));
        logins.insert(Arc::clone(login), Arc::clone(&identities));
        identities
    }

    fn read(&self, login: &Login) -> Identities {
        let mut all = Identities::default();
        let mut certificates = certificate::read(&login.certificates, &mut all.troubles);
        all.keys.extend(login.held.iter().map(Held::key));
        for path in &login.keys {
            let file = self.file(path);
            if file.is_missing && login.is_default {
                continue;
            }
            all.add(path, &file, &mut certificates);
        }
        for (certificate, path) in certificates.iter().filter(|(certificate, _)| !certificate.is_used) {
            let what = format!("{} is the certificate of none of the keys", path.display());
            all.troubles.push(Unusable { what, public: Some(certificate.blob.clone()) });
        }
        for trouble in &all.troubles {
            log::debug!("{}", trouble.what);
        }
        all
    }

    fn file(&self, path: &Path) -> Arc<KeyFile> {
        let mut files = self.files.lock().unwrap_or_else(PoisonError::into_inner);
        let read = || Arc::new(KeyFile::read(path, self.passphrase.as_ref()));
        Arc::clone(files.entry(path.to_owned()).or_insert_with(read))
    }
}

impl Identities {
    fn add(&mut self, path: &Path, file: &KeyFile, certificates: &mut [certificate::From]) {
        self.publics.extend(file.public.clone());
        let private = match &file.private {
            Ok(private) => private,
            Err(Trouble(what)) => {
                self.troubles.push(Unusable { what: what.clone(), public: file.public.clone() });
                return;
            }
        };
        let Some(blob) = &file.public else { return };
        let key =
            |blob: &[u8], label: String| Key { blob: blob.to_vec(), private: Arc::clone(private), label };
        for (certificate, from) in certificates.iter_mut().filter(|(one, _)| one.key == *blob) {
            certificate.is_used = true;
            self.keys.push(key(&certificate.blob, from.display().to_string()));
        }
        let beside = certificate::beside(path);
        if let Some(certificate) = certificate::read_beside(&beside, blob, &mut self.troubles)
            && !self.keys.iter().any(|key| key.blob == certificate)
        {
            self.keys.push(key(&certificate, beside.display().to_string()));
        }
        self.keys.push(key(blob, path.display().to_string()));
    }
}

#[cfg(test)]
mod tests;
