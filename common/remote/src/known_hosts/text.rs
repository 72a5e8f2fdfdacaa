//! Keys as the files and the messages have them.

use base64ct::{Base64, Base64Unpadded, Encoding};
use sha2::{Digest, Sha256};

/// A key that a host has shown, as a line of the file has it.
#[derive(Debug)]
pub(super) struct Shown {
    pub(super) kind: String,
    pub(super) text: String,
}

impl Shown {
    /// `None` when the blob does not begin with the name of a type.
    pub(super) fn new(blob: &[u8]) -> Option<Self> {
        Some(Self { kind: kind(blob)?.to_owned(), text: Base64::encode_string(blob) })
    }
}

/// The type of a key, which is the first string in it (RFC 4253, section 6.6).
pub(crate) fn kind(blob: &[u8]) -> Option<&str> {
    let (length, rest) = blob.split_first_chunk::<4>()?;
    let length = usize::try_from(u32::from_be_bytes(*length)).ok()?;
    let kind = std::str::from_utf8(rest.get(..length)?).ok()?;
    let is_word = !kind.is_empty() && kind.bytes().all(|byte| byte.is_ascii_graphic());
    is_word.then_some(kind)
}

/// The blob that `text` stands for; `None` when it is no base64 in its one form, or of another type.
pub(super) fn decoded(stated: &[u8], text: &[u8]) -> Option<Vec<u8>> {
    let blob = Base64::decode_vec(std::str::from_utf8(text).ok()?).ok()?;
    (kind(&blob)?.as_bytes() == stated).then_some(blob)
}

/// The fingerprint of a key as ssh-keygen(1) prints it, `SHA256:…`.
#[must_use]
pub fn fingerprint(key: &[u8]) -> String {
    format!("SHA256:{}", Base64Unpadded::encode_string(&Sha256::digest(key)))
}

/// Type and fingerprint, for messages.
pub(crate) fn described(key: &[u8]) -> String {
    format!("{} {}", short_kind(kind(key).unwrap_or("key")), fingerprint(key))
}

/// The type as ssh-keygen(1) prints it.
pub(crate) fn short_kind(kind: &str) -> &str {
    match kind {
        "ssh-ed25519" => "ED25519",
        "ssh-rsa" => "RSA",
        "ssh-dss" => "DSA",
        _ if kind.starts_with("ecdsa-sha2-") => "ECDSA",
        _ => kind,
    }
}
