//! New keys.

use base64ct::{Base64, Encoding};
use common::{Error, Result};
use openssl::error::ErrorStack;
use openssl::pkey::PKey;
use zeroize::Zeroizing;

use super::wire::put;
use super::{openssh, public};

/// ssh-keygen(1) breaks lines here.
const WIDTH: usize = 70;

/// Blocks of a cipher that is none (OpenSSH's PROTOCOL.key).
const BLOCK: usize = 8;

/// A new Ed25519 key from OpenSSL's generator, as the file that ssh-keygen(1) would write without a
/// passphrase. `comment` is for people, and stands in the clear.
///
/// # Errors
/// When OpenSSL has no randomness, or no Ed25519.
pub fn ed25519(comment: &str) -> Result<Zeroizing<String>> {
    made(comment).map_err(|error| Error::failed("cannot make an Ed25519 key").because(error))
}

fn made(comment: &str) -> std::result::Result<Zeroizing<String>, ErrorStack> {
    let key = PKey::generate_ed25519()?;
    let (half, seed) = (key.raw_public_key()?, Zeroizing::new(key.raw_private_key()?));
    let mut check = [0; 4];
    openssl::rand::rand_bytes(&mut check)?;
    // With room for all of it: a vector that grows leaves copies behind.
    let mut secret = Zeroizing::new(Vec::with_capacity(256 + comment.len()));
    secret.extend([check, check].concat());
    put(&mut secret, b"ssh-ed25519");
    put(&mut secret, &half);
    let pair = Zeroizing::new([seed.as_slice(), &half].concat());
    put(&mut secret, &pair);
    put(&mut secret, comment.as_bytes());
    let padding = (BLOCK - secret.len() % BLOCK) % BLOCK;
    secret.extend((1..).take(padding));

    let mut all = Zeroizing::new(Vec::with_capacity(512 + comment.len()));
    all.extend(b"openssh-key-v1\0");
    for part in [&b"none"[..], b"none", b""] {
        put(&mut all, part);
    }
    all.extend(1u32.to_be_bytes());
    put(&mut all, &public::ed25519(&half));
    put(&mut all, &secret);
    Ok(armoured(&all))
}

fn armoured(bytes: &[u8]) -> Zeroizing<String> {
    let encoded = Zeroizing::new(Base64::encode_string(bytes));
    let mut text = Zeroizing::new(String::with_capacity(encoded.len() * 2 + 128));
    let mut rest = encoded.as_str();
    text.push_str(openssh::BEGIN);
    text.push('\n');
    while !rest.is_empty() {
        let (line, behind) = rest.split_at(WIDTH.min(rest.len()));
        text.push_str(line);
        text.push('\n');
        rest = behind;
    }
    text.push_str(openssh::END);
    text.push('\n');
    text
}
