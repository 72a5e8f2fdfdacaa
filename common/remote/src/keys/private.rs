//! Private halves, from any form that ssh-keygen(1) and openssl(1) write.

use std::sync::Arc;

use memchr::memmem::find;
use openssl::pkey::{PKey, Private};

use super::file::Fault;
use super::{openssh, public};

/// A key in the clear.
pub(super) struct Opened {
    /// As it is sent.
    pub(super) public: Vec<u8>,
    pub(super) private: Arc<PKey<Private>>,
}

/// What is wrong, and the public half where it can be read all the same.
pub(super) type Refusal = (Fault, Option<Vec<u8>>);

/// Opens the key in `bytes`.
pub(super) fn open(bytes: &[u8], passphrase: Option<&[u8]>) -> Result<Opened, Refusal> {
    let key = if find(bytes, openssh::BEGIN.as_bytes()).is_some() {
        openssh::open(bytes, passphrase)?
    } else if find(bytes, b"PRIVATE KEY-----").is_some() {
        pem(bytes, passphrase).map_err(|fault| (fault, None))?
    } else if bytes.starts_with(b"PuTTY-User-Key-File") {
        return Err((Fault::Putty, None));
    } else {
        return Err((Fault::NoKey, None));
    };
    let public = public::of(&key).map_err(|fault| (fault, None))?;
    Ok(Opened { public, private: Arc::new(key) })
}

/// PKCS#1, PKCS#8 and SEC1.
fn pem(bytes: &[u8], passphrase: Option<&[u8]>) -> Result<PKey<Private>, Fault> {
    let is_protected = find(bytes, b"ENCRYPTED").is_some();
    let passphrase = match passphrase {
        Some(passphrase) if is_protected => passphrase,
        None if is_protected => return Err(Fault::Protected),
        // Without one OpenSSL would ask the terminal.
        _ => b"",
    };
    let fault = if is_protected { Fault::WrongPassphrase } else { Fault::Damaged };
    PKey::private_key_from_pem_passphrase(bytes, passphrase).map_err(|_| fault)
}
