//! Private keys and certificates, read and decrypted once for the whole run.

use std::path::Path;
use std::sync::Arc;

/// The keys of a run.
#[derive(Debug, Default)]
pub struct Keyring {}

/// A private key that is ready to sign.
pub struct Key {
    /// The public half, a line as in a `.pub` file or a certificate: libssh2 parses the private key
    /// twice without it.
    pub public: String,
    /// The private half, PEM in the clear.
    pub private: String,
}

impl Keyring {
    /// The key in `path`, with the certificate beside it (`path-cert.pub`) or in `certificates`, as
    /// one more key before it. Read, checked and decrypted at the first call only.
    ///
    /// # Errors
    /// A sentence: the file is missing, not private enough, no key, or needs a passphrase.
    pub fn keys(&self, _path: &Path) -> Result<Arc<Vec<Key>>, Arc<str>> {
        Err(Arc::from("no key"))
    }
}
