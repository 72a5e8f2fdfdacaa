//! Public halves: from the lines of a `.pub` file, and as they are sent.

use base64ct::{Base64, Encoding};
use openssl::bn::{BigNumContext, BigNumRef};
use openssl::ec::PointConversionForm;
use openssl::error::ErrorStack;
use openssl::nid::Nid;
use openssl::pkey::{Id, PKey, Private};

use crate::known_hosts::kind;

use super::file::Fault;
use super::wire::put;

/// The key or certificate in the first line of `bytes`; `None` when there is none.
pub(super) fn parse(bytes: &[u8]) -> Option<Vec<u8>> {
    let line = bytes.split(|byte| *byte == b'\n').next()?;
    let mut words = std::str::from_utf8(line).ok()?.split_ascii_whitespace();
    let stated = words.next()?;
    let blob = Base64::decode_vec(words.next()?).ok()?;
    (kind(&blob)? == stated).then_some(blob)
}

/// The public half of `key` as it is sent (RFC 4253, 5656, 8709).
pub(super) fn of(key: &PKey<Private>) -> Result<Vec<u8>, Fault> {
    let blob = match key.id() {
        Id::ED25519 => key.raw_public_key().map(|half| ed25519(&half)),
        Id::RSA => rsa(key),
        Id::EC => return ecdsa(key),
        Id::DSA => return Err(Fault::Old),
        _ => return Err(Fault::Foreign),
    };
    blob.map_err(|_| Fault::Damaged)
}

/// The public half of an Ed25519 key, which is 32 bytes, as it is sent.
pub(super) fn ed25519(half: &[u8]) -> Vec<u8> {
    let mut blob = Vec::new();
    put(&mut blob, b"ssh-ed25519");
    put(&mut blob, half);
    blob
}

fn rsa(key: &PKey<Private>) -> Result<Vec<u8>, ErrorStack> {
    let rsa = key.rsa()?;
    let mut blob = Vec::new();
    put(&mut blob, b"ssh-rsa");
    put(&mut blob, &mpint(rsa.e()));
    put(&mut blob, &mpint(rsa.n()));
    Ok(blob)
}

fn ecdsa(key: &PKey<Private>) -> Result<Vec<u8>, Fault> {
    let ec = key.ec_key().map_err(|_| Fault::Damaged)?;
    let curve = match ec.group().curve_name() {
        Some(Nid::X9_62_PRIME256V1) => "nistp256",
        Some(Nid::SECP384R1) => "nistp384",
        Some(Nid::SECP521R1) => "nistp521",
        _ => return Err(Fault::Foreign),
    };
    let point = BigNumContext::new()
        .and_then(|mut context| {
            ec.public_key().to_bytes(ec.group(), PointConversionForm::UNCOMPRESSED, &mut context)
        })
        .map_err(|_| Fault::Damaged)?;
    let mut blob = Vec::new();
    put(&mut blob, format!("ecdsa-sha2-{curve}").as_bytes());
    put(&mut blob, curve.as_bytes());
    put(&mut blob, &point);
    Ok(blob)
}

/// A positive number: with a zero before it where its first bit would be a sign.
fn mpint(number: &BigNumRef) -> Vec<u8> {
    let mut bytes = number.to_vec();
    if bytes.first().is_some_and(|first| first & 0x80 != 0) {
        bytes.insert(0, 0);
    }
    bytes
}
