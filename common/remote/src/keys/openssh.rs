//! OpenSSH's own form of private keys (its file PROTOCOL.key).
//!
//! Read here since ssh-key 0.6 refuses one of 256 keys for ECDSA, those whose secret begins with a
//! zero, half of them with 521 bits.

use base64ct::{Base64, Encoding};
use memchr::memmem::find;
use openssl::bn::{BigNum, BigNumContext};
use openssl::ec::{EcGroup, EcKey, EcPoint};
use openssl::error::ErrorStack;
use openssl::nid::Nid;
use openssl::pkey::{Id, PKey, Private};
use openssl::rsa::RsaPrivateKeyBuilder;
use openssl::symm::{Cipher, Crypter, Mode, decrypt_aead};
use zeroize::Zeroizing;

use super::file::Fault;
use super::private::Refusal;
use super::public;
use super::wire::{string, u32};
use crate::known_hosts::kind;

/// The first line of such a file.
pub(super) const BEGIN: &str = "-----BEGIN OPENSSH PRIVATE KEY-----";
/// The last line.
pub(super) const END: &str = "-----END OPENSSH PRIVATE KEY-----";

/// What is in a file before its key is deciphered.
struct Sealed<'a> {
    cipher: &'a [u8],
    kdf: &'a [u8],
    options: &'a [u8],
    public: &'a [u8],
    secret: &'a [u8],
    /// What authenticates it, with ciphers that do.
    tag: &'a [u8],
}

/// Opens the key in `bytes`.
pub(super) fn open(bytes: &[u8], passphrase: Option<&[u8]>) -> Result<PKey<Private>, Refusal> {
    let bytes = decoded(bytes).ok_or((Fault::Damaged, None))?;
    let sealed = Sealed::parse(&bytes).ok_or((Fault::Damaged, None))?;
    let told = |fault| (fault, Some(sealed.public.to_vec()));
    match kind(sealed.public).ok_or((Fault::Damaged, None))? {
        "ssh-dss" => return Err(told(Fault::Old)),
        kind if kind.starts_with("sk-") => return Err(told(Fault::Token)),
        _ => {}
    }
    let is_protected = sealed.kdf != b"none";
    let clear = match passphrase {
        _ if !is_protected => Zeroizing::new(sealed.secret.to_vec()),
        Some(passphrase) => sealed.decipher(passphrase).map_err(told)?,
        None => return Err(told(Fault::Protected)),
    };
    let mut rest = &clear[..];
    // Twice the same number: whether the passphrase is the right one.
    if u32(&mut rest).is_none_or(|check| u32(&mut rest) != Some(check)) {
        return Err(told(if is_protected { Fault::WrongPassphrase } else { Fault::Damaged }));
    }
    let key = key(rest).ok().flatten().ok_or_else(|| told(Fault::Damaged))?;
    // The public half stands outside of what a passphrase protects: it must be that of the key.
    match public::of(&key) {
        Ok(own) if own == sealed.public => Ok(key),
        _ => Err(told(Fault::Damaged)),
    }
}

/// What stands between the first and the last line. What else is in the file does not matter to
/// ssh(1) either.
fn decoded(bytes: &[u8]) -> Option<Zeroizing<Vec<u8>>> {
    let begin = find(bytes, BEGIN.as_bytes())? + BEGIN.len();
    let end = begin + find(&bytes[begin..], END.as_bytes())?;
    let mut text = Zeroizing::new(Vec::with_capacity(end - begin));
    text.extend(bytes[begin..end].iter().filter(|byte| !byte.is_ascii_whitespace()));
    Base64::decode_vec(std::str::from_utf8(&text).ok()?).ok().map(Zeroizing::new)
}

impl<'a> Sealed<'a> {
    fn parse(bytes: &'a [u8]) -> Option<Self> {
        let mut rest = bytes.strip_prefix(b"openssh-key-v1\0")?;
        let (cipher, kdf, options) = (string(&mut rest)?, string(&mut rest)?, string(&mut rest)?);
        if u32(&mut rest)? != 1 {
            return None;
        }
        let (public, secret) = (string(&mut rest)?, string(&mut rest)?);
        Some(Self { cipher, kdf, options, public, secret, tag: rest })
    }

    fn decipher(&self, passphrase: &[u8]) -> Result<Zeroizing<Vec<u8>>, Fault> {
        let cipher = match self.cipher {
            b"aes256-ctr" => Cipher::aes_256_ctr(),
            b"aes192-ctr" => Cipher::aes_192_ctr(),
            b"aes128-ctr" => Cipher::aes_128_ctr(),
            b"aes256-cbc" => Cipher::aes_256_cbc(),
            b"aes192-cbc" => Cipher::aes_192_cbc(),
            b"aes128-cbc" => Cipher::aes_128_cbc(),
            b"aes256-gcm@openssh.com" => Cipher::aes_256_gcm(),
            b"aes128-gcm@openssh.com" => Cipher::aes_128_gcm(),
            _ => return Err(Fault::Cipher),
        };
        let mut options = self.options;
        let salt = string(&mut options).ok_or(Fault::Damaged)?;
        let rounds = u32(&mut options).ok_or(Fault::Damaged)?;
        let mut made = Zeroizing::new(vec![0; cipher.key_len() + cipher.iv_len().unwrap_or_default()]);
        bcrypt_pbkdf::bcrypt_pbkdf(passphrase, salt, rounds, &mut made).map_err(|_| Fault::Damaged)?;
        let (key, iv) = made.split_at(cipher.key_len());
        if self.tag.is_empty() {
            return plain(cipher, key, iv, self.secret).map_err(|_| Fault::Damaged);
        }
        let clear = decrypt_aead(cipher, key, Some(iv), &[], self.secret, self.tag);
        clear.map(Zeroizing::new).map_err(|_| Fault::WrongPassphrase)
    }
}

/// Without OpenSSL's padding: OpenSSH has its own.
fn plain(cipher: Cipher, key: &[u8], iv: &[u8], secret: &[u8]) -> Result<Zeroizing<Vec<u8>>, ErrorStack> {
    let mut crypter = Crypter::new(cipher, Mode::Decrypt, key, Some(iv))?;
    crypter.pad(false);
    let mut clear = Zeroizing::new(vec![0; secret.len() + cipher.block_size()]);
    let mut count = crypter.update(secret, &mut clear)?;
    count += crypter.finalize(&mut clear[count..])?;
    clear.truncate(count);
    Ok(clear)
}

/// The key behind the check numbers; `None` when it is not whole, or of no type that is known.
fn key(mut rest: &[u8]) -> Result<Option<PKey<Private>>, ErrorStack> {
    let mut next = || string(&mut rest).unwrap_or_default();
    match next() {
        b"ssh-ed25519" => {
            let (_public, secret) = (next(), next());
            let Some((seed, _public)) = secret.split_first_chunk::<32>() else { return Ok(None) };
            PKey::private_key_from_raw_bytes(seed, Id::ED25519).map(Some)
        }
        b"ssh-rsa" => rsa([(); 6].map(|()| next())),
        kind if kind.starts_with(b"ecdsa-sha2-") => ecdsa([(); 3].map(|()| next())),
        _ => Ok(None),
    }
}

fn rsa(numbers: [&[u8]; 6]) -> Result<Option<PKey<Private>>, ErrorStack> {
    let [modulus, public, secret, inverse, first, second] = numbers.map(BigNum::from_slice);
    let (modulus, public, secret, first, second) = (modulus?, public?, secret?, first?, second?);
    let one = BigNum::from_u32(1)?;
    let mut context = BigNumContext::new()?;
    let mut product = BigNum::new()?;
    product.checked_mul(&first, &second, &mut context)?;
    if product != modulus || first <= one || second <= one {
        return Ok(None);
    }
    let mut rest_of = |prime: &BigNum| -> Result<BigNum, ErrorStack> {
        let (mut less, mut rest) = (BigNum::new()?, BigNum::new()?);
        less.checked_sub(prime, &one)?;
        rest.nnmod(&secret, &less, &mut context)?;
        Ok(rest)
    };
    let (rest_of_first, rest_of_second) = (rest_of(&first)?, rest_of(&second)?);
    let rsa = RsaPrivateKeyBuilder::new(modulus, public, secret)?
        .set_factors(first, second)?
        .set_crt_params(rest_of_first, rest_of_second, inverse?)?;
    PKey::from_rsa(rsa.build()).map(Some)
}

fn ecdsa([curve, point, secret]: [&[u8]; 3]) -> Result<Option<PKey<Private>>, ErrorStack> {
    let curve = match curve {
        b"nistp256" => Nid::X9_62_PRIME256V1,
        b"nistp384" => Nid::SECP384R1,
        b"nistp521" => Nid::SECP521R1,
        _ => return Ok(None),
    };
    let group = EcGroup::from_curve_name(curve)?;
    let mut context = BigNumContext::new()?;
    let point = EcPoint::from_bytes(&group, point, &mut context)?;
    let key = EcKey::from_private_components(&group, &*BigNum::from_slice(secret)?, &point)?;
    key.check_key()?;
    PKey::from_ec_key(key).map(Some)
}
