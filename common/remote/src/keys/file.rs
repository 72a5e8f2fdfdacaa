//! One key file: whether it may be used, and what form it has.

use std::fs::File;
use std::io::{self, Read};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use openssl::pkey::{PKey, Private};
use zeroize::Zeroizing;

use super::passphrase::Passphrase;
use super::{private, public};

/// A key of 16,384 bits has 12 kB; what is larger is something else.
const LARGEST: u64 = 1 << 20;

/// What a file came to.
#[derive(Debug)]
pub(super) struct KeyFile {
    pub(super) is_missing: bool,
    /// The public half as it is sent, from the private half itself; from the file beside it where
    /// the private half cannot be opened.
    pub(super) public: Option<Vec<u8>>,
    /// The private half in the clear.
    pub(super) private: Result<Arc<PKey<Private>>, Trouble>,
}

/// Why a file cannot be used, in one sentence with its name.
#[derive(Debug, Clone)]
pub(super) struct Trouble(pub(super) String);

/// What can be wrong with the bytes of a key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Fault {
    /// It is protected, and there is no passphrase.
    Protected,
    /// It is protected with another passphrase.
    WrongPassphrase,
    /// It is protected with a cipher that is not known here.
    Cipher,
    Damaged,
    /// DSA.
    Old,
    /// A key in a security token.
    Token,
    /// A key that SSH knows nothing about.
    Foreign,
    Putty,
    NoKey,
}

impl KeyFile {
    pub(super) fn read(path: &Path, passphrase: Option<&Passphrase>) -> Self {
        let bytes = match read(path) {
            Ok(bytes) => bytes,
            Err(error) => {
                let is_missing = error.kind() == io::ErrorKind::NotFound;
                let what = format!("cannot read {}: {error}", path.display());
                return Self { is_missing, public: beside(path), private: Err(Trouble(what)) };
            }
        };
        // ssh(1) takes a public key for the name of a key that the agent has.
        if let Some(blob) = public::parse(&bytes) {
            let what = format!("{} is a public key, and no agent has its other half", path.display());
            return Self { is_missing: false, public: Some(blob), private: Err(Trouble(what)) };
        }
        let unusable = |public: Option<Vec<u8>>, what: String| Self {
            is_missing: false,
            public: public.or_else(|| beside(path)),
            private: Err(Trouble(what)),
        };
        if let Some(what) = seen_by_others(path) {
            log::warn!("{what}");
            return unusable(None, what);
        }
        match private::open(&bytes, passphrase.map(Passphrase::bytes)) {
            Ok(opened) => {
                Self { is_missing: false, public: Some(opened.public), private: Ok(opened.private) }
            }
            Err((fault, public)) => unusable(public, told(fault, path)),
        }
    }
}

/// The bytes of `path`, which is a file, or a pipe as shells make of `<(command)`.
fn read(path: &Path) -> io::Result<Zeroizing<Vec<u8>>> {
    let file = File::open(path)?;
    let mut bytes = Zeroizing::new(Vec::with_capacity(16 * 1024));
    file.take(LARGEST).read_to_end(&mut bytes)?;
    Ok(bytes)
}

/// As ssh(1): a key of our own that others can read or write is no secret.
fn seen_by_others(path: &Path) -> Option<String> {
    let metadata = path.metadata().ok()?;
    let mode = metadata.mode() & 0o777;
    let is_ours = metadata.uid() == rustix::process::geteuid().as_raw();
    (is_ours && mode & 0o077 != 0).then(|| {
        let path = path.display();
        format!("{path} is not used: others may read it (mode {mode:04o}); `chmod 600 {path}`")
    })
}

/// The public half in the file beside it, for finding the key in an agent; never for signing.
fn beside(path: &Path) -> Option<Vec<u8>> {
    let mut name = path.as_os_str().to_owned();
    name.push(".pub");
    public::parse(&read(&PathBuf::from(name)).ok()?)
}

fn told(fault: Fault, path: &Path) -> String {
    let path = path.display();
    match fault {
        Fault::Protected => {
            format!("{path} has a passphrase; give it with --passphrase-fd, or the key to an agent")
        }
        Fault::WrongPassphrase => format!("{path} has another passphrase"),
        Fault::Cipher => format!(
            "{path} is protected with a cipher that is not known here; \
             `ssh-keygen -p -Z aes256-ctr -f {path}` changes it"
        ),
        Fault::Damaged => format!("{path} is damaged"),
        Fault::Old => format!("{path} is a DSA key, which no host takes any more; make an ed25519 key"),
        Fault::Token => format!("{path} belongs to a security token (FIDO), which cannot be used here"),
        Fault::Foreign => format!("{path} is a key of a type that SSH does not use"),
        Fault::Putty => {
            format!("{path} is a key of PuTTY; `puttygen {path} -O private-openssh -o NEW` makes it usable")
        }
        Fault::NoKey => format!("{path} holds no private key"),
    }
}
