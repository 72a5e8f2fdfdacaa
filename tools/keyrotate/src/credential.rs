//! A credential: its id, its secret, and what else belongs to it.

use std::collections::BTreeMap;
use std::fmt::{self, Debug, Formatter};

use secrecy::{ExposeSecret, SecretString};
use sha2::{Digest, Sha256};

/// What a consumer holds or writes, by the name of its placeholder: `secret`, and the public parts.
pub(crate) type Fields = BTreeMap<String, SecretString>;

/// A credential as it is handed to consumers. Neither its `Debug` nor any error shows the secret.
#[derive(Clone)]
pub(crate) struct Credential {
    /// How the target calls it, such as an access key's id or a public key's fingerprint; never secret.
    pub(crate) id: String,
    /// What proves who its holder is.
    pub(crate) secret: SecretString,
    /// The parts that are no secret, by the name of their placeholder, such as `user`.
    pub(crate) public: BTreeMap<String, String>,
}

/// How many hexadecimal digits a fingerprint has.
const DIGITS: usize = 12;

impl Credential {
    /// The first 12 digits of `printf %s SECRET | sha256sum`: what a consumer can tell of it.
    pub(crate) fn fingerprint(&self) -> String {
        let mut digits = self.digest();
        digits.truncate(DIGITS);
        digits
    }

    /// All 64 digits of `printf %s SECRET | sha256sum`.
    pub(crate) fn digest(&self) -> String {
        secrets::hex(&Sha256::digest(self.secret.expose_secret().as_bytes()))
    }

    /// For people: the id, of a digest so many digits as a fingerprint has.
    pub(crate) fn told(&self) -> String {
        if self.id == self.digest() { self.fingerprint() } else { self.id.clone() }
    }

    /// Whether a consumer that names `key` means this one: by its id, or by 12 or more digits of the
    /// digest.
    pub(crate) fn is_named(&self, key: &str) -> bool {
        let key = key.trim();
        let is_digest = key.len() >= DIGITS && self.digest().starts_with(&key.to_ascii_lowercase());
        key == self.id || is_digest
    }

    /// The value of a placeholder: `secret`, `id`, `fingerprint`, or one of the public parts.
    pub(crate) fn part(&self, name: &str) -> Option<SecretString> {
        match name {
            "secret" => Some(self.secret.clone()),
            "id" => Some(self.id.clone().into()),
            "fingerprint" => Some(self.fingerprint().into()),
            _ => self.public.get(name).map(|value| value.clone().into()),
        }
    }

    /// Whether both are the same, their secrets included.
    pub(crate) fn is(&self, other: &Self) -> bool {
        self.id == other.id && self.secret.expose_secret() == other.secret.expose_secret()
    }
}

impl Debug for Credential {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.debug_struct("Credential").field("id", &self.id).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn credential() -> Credential {
        let public = [("user".to_owned(), "orders".to_owned())].into();
        Credential { id: "AK1".into(), secret: "abc".into(), public }
    }

    #[test]
    fn the_fingerprint_is_that_of_sha256sum() {
        // printf %s abc | sha256sum (FIPS 180-2, appendix B.1)
        assert_eq!(credential().fingerprint(), "ba7816bf8f01");
    }

    #[test]
    fn a_consumer_names_it_by_id_or_digest() {
        let check = |key: &str, want: bool| assert_eq!(credential().is_named(key), want, "{key}");
        check("AK1", true);
        check(" AK1\n", true);
        check("BA7816BF8F01", true);
        check("ba7816bf8f01cfea", true);
        check(&credential().digest(), true);
        check("ba7816bf8f0", false);
        check("ba7816bf8f02", false);
        check("", false);
        check("AK", false);
    }

    #[test]
    fn people_see_few_digits_of_a_digest() {
        let digest = Credential { id: credential().digest(), ..credential() };
        assert_eq!((credential().told().as_str(), digest.told().as_str()), ("AK1", "ba7816bf8f01"));
    }

    #[test]
    fn debug_shows_no_secret() {
        assert_eq!(format!("{:?}", credential()), "Credential { id: \"AK1\", .. }");
    }
}
