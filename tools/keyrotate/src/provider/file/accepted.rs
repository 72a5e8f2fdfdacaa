//! The secrets that a service accepts, as they stand in its file. Bytes in, bytes out; what is somebody
//! else's keeps its bytes. A secret is known by its digest.

use std::path::Path as FilePath;

use json::{Document, Kind, Path, Syntax, Text};
use secrecy::{ExposeSecret, SecretString};
use sha2::{Digest, Sha256};
use zeroize::Zeroizing;

use secrets::hex;

/// How they stand there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Form {
    /// Each in a line of its own. Empty lines and those that begin with `#` are none.
    Lines,
    /// In an array of strings.
    Array(Path),
    /// In two strings: the newer one, and the one before it.
    Pair { newer: Path, older: Path },
}

/// The secret for which a place is looked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Rank {
    /// The one that is in use from now on.
    Newest,
    /// One that was accepted before, and is again.
    Another,
}

type Changed = Result<Zeroizing<Vec<u8>>, String>;

impl Form {
    /// The digests of the accepted secrets.
    ///
    /// # Errors
    /// When the file does not have this form: where, without what is there.
    pub(super) fn digests(&self, bytes: &[u8]) -> Result<Vec<String>, String> {
        match self {
            Self::Lines => Ok(lines(bytes).filter_map(secret_in).map(digest).collect()),
            Self::Array(path) => {
                let all = strings(&mut document(bytes), path)?;
                Ok(all.iter().map(|secret| digest(secret.as_bytes())).collect())
            }
            Self::Pair { newer, older } => {
                let mut document = document(bytes);
                let both = [string(&mut document, newer)?, string(&mut document, older)?];
                Ok(both.iter().flatten().map(|secret| digest(secret.as_bytes())).collect())
            }
        }
    }

    /// The file in which `secret` is accepted, beside those that are there.
    ///
    /// # Errors
    /// As [`Form::digests`]; when the form cannot hold it, or holds two others already.
    pub(super) fn with(&self, bytes: &[u8], secret: &SecretString, rank: Rank) -> Changed {
        let secret = secret.expose_secret();
        if secret.is_empty() || self.digests(bytes)?.contains(&digest(secret.as_bytes())) {
            return Ok(bytes.to_vec().into());
        }
        match self {
            Self::Lines => with_line(bytes, secret),
            Self::Array(path) => {
                let mut document = document(bytes);
                document.push_string(path, secret).map_err(|error| error.to_string())?;
                whole(document)
            }
            Self::Pair { newer, older } => {
                let mut document = document(bytes);
                let found = (string(&mut document, newer)?, string(&mut document, older)?);
                let secret = Zeroizing::new(secret.to_owned());
                let both = match (found, rank) {
                    ((None, second), _) => (Some(secret), second),
                    ((Some(first), Some(second)), _) if first != second => {
                        return Err(third(older, &second));
                    }
                    ((first, _), Rank::Newest) => (Some(secret), first),
                    ((first, _), Rank::Another) => (first, Some(secret)),
                };
                put(document, (newer, older), both)
            }
        }
    }

    /// The file in which the secret of this digest is not accepted. An older one then stands in the place
    /// of the newer, and no member stays for it: an empty one might let in who has no secret.
    ///
    /// # Errors
    /// As [`Form::digests`]; and unless it `may_be_last`, when no other would be accepted.
    pub(super) fn without(&self, bytes: &[u8], gone: &str, may_be_last: bool) -> Changed {
        let digests = self.digests(bytes)?;
        if !digests.iter().any(|digest| digest == gone) {
            return Ok(bytes.to_vec().into());
        }
        if !may_be_last && digests.iter().all(|digest| digest == gone) {
            return Err(format!("{} is the only one that is accepted", short(gone)));
        }
        let is_it = |secret: &str| digest(secret.as_bytes()) == gone;
        match self {
            Self::Lines => {
                let others =
                    lines(bytes).filter(|line| secret_in(line).is_none_or(|one| digest(one) != gone));
                let mut kept = Zeroizing::new(Vec::with_capacity(bytes.len()));
                others.for_each(|line| kept.extend_from_slice(line));
                Ok(kept)
            }
            Self::Array(path) => {
                let mut document = document(bytes);
                for secret in strings(&mut document, path)?.iter().filter(|secret| is_it(secret)) {
                    document.remove_string(path, secret).map_err(|error| error.to_string())?;
                }
                whole(document)
            }
            Self::Pair { newer, older } => {
                let mut document = document(bytes);
                let both = [string(&mut document, newer)?, string(&mut document, older)?];
                let mut kept = both.into_iter().flatten().filter(|secret| !is_it(secret));
                put(document, (newer, older), (kept.next(), kept.next()))
            }
        }
    }
}

/// The first 12 digits, as sentences have them.
fn short(digest: &str) -> &str {
    digest.get(..12).unwrap_or(digest)
}

fn digest(secret: &[u8]) -> String {
    hex(&Sha256::digest(secret))
}

fn third(older: &Path, secret: &str) -> String {
    let digest = digest(secret.as_bytes());
    let digest = short(&digest);
    format!("there are two secrets already; remove the one in `{older}`, {digest}, if nobody uses it")
}

fn lines(bytes: &[u8]) -> impl Iterator<Item = &[u8]> {
    bytes.split_inclusive(|byte| *byte == b'\n')
}

/// The secret that is a line, without the line's end.
fn secret_in(line: &[u8]) -> Option<&[u8]> {
    let line = line.strip_suffix(b"\n").unwrap_or(line);
    let line = line.strip_suffix(b"\r").unwrap_or(line);
    (!line.trim_ascii().is_empty() && !line.starts_with(b"#")).then_some(line)
}

fn with_line(bytes: &[u8], secret: &str) -> Changed {
    if secret_in(secret.as_bytes()) != Some(secret.as_bytes()) || secret.contains('\n') {
        return Err("a line cannot hold such a secret".into());
    }
    let is_crlf = lines(bytes).next().is_some_and(|line| line.ends_with(b"\r\n"));
    let end: &[u8] = if is_crlf { b"\r\n" } else { b"\n" };
    let before = if bytes.is_empty() || bytes.ends_with(b"\n") { &b""[..] } else { end };
    Ok([bytes, before, secret.as_bytes(), end].concat().into())
}

fn document(bytes: &[u8]) -> Document {
    Document::new(Text::new(bytes.to_vec()), Syntax::Comments, FilePath::new("the file")).discreet()
}

fn whole(document: Document) -> Changed {
    document.into_text().all().map(Zeroizing::new).map_err(|error| error.to_string())
}

/// The strings in the array at `path`; none where there is nothing.
fn strings(document: &mut Document, path: &Path) -> Result<Vec<Zeroizing<String>>, String> {
    if document.kind(path).map_err(|error| error.to_string())? == Some(Kind::String) {
        return Err(format!(
            "`{path}` is one string, so there would be no time in which two secrets are accepted; \
             with `previous` of [provider] the one before it stands in another field"
        ));
    }
    let strings = document.strings(path).map_err(|error| error.to_string())?;
    Ok(strings.unwrap_or_default().into_iter().map(Zeroizing::new).collect())
}

/// The string at `path`; `None` where there is nothing, null, or an empty one.
fn string(document: &mut Document, path: &Path) -> Result<Option<Zeroizing<String>>, String> {
    if document.kind(path).map_err(|error| error.to_string())? == Some(Kind::Null) {
        return Ok(None);
    }
    let string = document.string(path).map_err(|error| error.to_string())?;
    Ok(string.filter(|string| !string.is_empty()).map(Zeroizing::new))
}

type Secret = Option<Zeroizing<String>>;

/// Puts the two secrets of a pair in their places.
fn put(mut document: Document, (newer, older): (&Path, &Path), both: (Secret, Secret)) -> Changed {
    for (path, secret) in [(newer, both.0), (older, both.1)] {
        match secret {
            Some(secret) => document.set_string(path, &secret),
            None => document.remove(path).map(|_| ()),
        }
        .map_err(|error| error.to_string())?;
    }
    whole(document)
}

#[cfg(test)]
mod tests;
