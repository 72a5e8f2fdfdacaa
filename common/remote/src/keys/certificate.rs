//! User certificates: which key one is for, and until when.

use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use super::wire::{put, string, u32, u64};
use super::{Unusable, public};
use crate::known_hosts::kind;

/// A certificate that is valid now.
#[derive(Debug)]
pub(super) struct Valid {
    /// As it is sent.
    pub(super) blob: Vec<u8>,
    /// The public half of its key.
    pub(super) key: Vec<u8>,
    pub(super) is_used: bool,
}

/// A certificate, and its file.
pub(super) type From = (Valid, PathBuf);

/// `path-cert.pub`
pub(super) fn beside(path: &Path) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push("-cert.pub");
    PathBuf::from(name)
}

/// The certificates that were named; what is wrong with one goes to `troubles`.
pub(super) fn read(paths: &[PathBuf], troubles: &mut Vec<Unusable>) -> Vec<From> {
    let mut all = Vec::new();
    for path in paths {
        match read_one(path) {
            Ok(Some(valid)) => all.push((valid, path.clone())),
            Ok(None) => troubles.push(unusable(format!("there is no certificate {}", path.display()))),
            Err(what) => troubles.push(unusable(what)),
        }
    }
    all
}

/// The certificate in `path` for `key`, if there is one.
pub(super) fn read_beside(path: &Path, key: &[u8], troubles: &mut Vec<Unusable>) -> Option<Vec<u8>> {
    match read_one(path) {
        Ok(None) => None,
        Ok(Some(valid)) if valid.key == key => Some(valid.blob),
        Ok(Some(_)) => {
            troubles.push(unusable(format!("{} is the certificate of another key", path.display())));
            None
        }
        Err(what) => {
            troubles.push(unusable(what));
            None
        }
    }
}

fn unusable(what: String) -> Unusable {
    Unusable { what, public: None }
}

/// `None` when there is no such file.
fn read_one(path: &Path) -> Result<Option<Valid>, String> {
    let name = path.display();
    let bytes = match std::fs::read(path) {
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
        bytes => bytes.map_err(|error| format!("cannot read {name}: {error}"))?,
    };
    let no_certificate = || format!("{name} holds no certificate");
    let blob = public::parse(&bytes).ok_or_else(no_certificate)?;
    let certificate = Certificate::parse(&blob).ok_or_else(no_certificate)?;
    if !certificate.is_users {
        return Err(format!("{name} is the certificate of a host, not of a user"));
    }
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_secs();
    if now >= certificate.valid_before {
        return Err(format!("{name} expired {} ago", told(now - certificate.valid_before)));
    }
    if now < certificate.valid_after {
        return Err(format!("{name} is valid only in {}", told(certificate.valid_after - now)));
    }
    Ok(Some(Valid { key: certificate.key, blob, is_used: false }))
}

/// What a certificate says (OpenSSH's file PROTOCOL.certkeys).
struct Certificate {
    /// The public half of its key.
    key: Vec<u8>,
    is_users: bool,
    /// In seconds since 1970; the first one that is good, and the first one that is not.
    valid_after: u64,
    valid_before: u64,
}

impl Certificate {
    fn parse(blob: &[u8]) -> Option<Self> {
        let kind = kind(blob)?.strip_suffix("-cert-v01@openssh.com")?;
        let mut rest = blob;
        let (_kind, _nonce) = (string(&mut rest)?, string(&mut rest)?);
        let mut key = Vec::new();
        put(&mut key, kind.as_bytes());
        let fields = if kind == "ssh-ed25519" { 1 } else { 2 };
        for _ in 0..fields {
            put(&mut key, string(&mut rest)?);
        }
        let _serial = u64(&mut rest)?;
        let is_users = u32(&mut rest)? == 1;
        let (_id, _principals) = (string(&mut rest)?, string(&mut rest)?);
        Some(Self { key, is_users, valid_after: u64(&mut rest)?, valid_before: u64(&mut rest)? })
    }
}

/// `3 days`, `5 hours`, `20 minutes`, `7 seconds`
fn told(seconds: u64) -> String {
    let time = Duration::from_secs(seconds).as_secs();
    let (count, unit) = match time {
        172_800.. => (time / 86_400, "days"),
        7200.. => (time / 3600, "hours"),
        120.. => (time / 60, "minutes"),
        _ => (time, "seconds"),
    };
    format!("{count} {unit}")
}
