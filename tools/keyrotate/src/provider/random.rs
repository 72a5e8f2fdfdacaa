//! Secrets that we make, and copies of secrets that a target must refuse.

use std::thread;
use std::time::Duration;

use base64ct::{Base64UrlUnpadded, Encoding};
use secrecy::{ExposeSecret, SecretString};
use zeroize::Zeroizing;

use secrets::conceal;

/// A new secret: more than 263 bits as 44 characters of `A-Za-z0-9-_`, which no shell, URL or configuration
/// file takes for anything else; and not first a `-`, which a command would take for a flag. No message
/// shows it from here on.
pub(crate) fn password() -> SecretString {
    let mut text = Zeroizing::new([0; 44]);
    loop {
        let bytes = bytes();
        let text = Base64UrlUnpadded::encode(&*bytes, &mut *text).unwrap_or_default();
        if !text.starts_with('-') {
            let secret = SecretString::from(text);
            conceal::secret(&secret);
            return secret;
        }
    }
}

/// A secret of the same length and of the same characters that is another one.
pub(crate) fn altered(secret: &SecretString) -> SecretString {
    let mut chars: Zeroizing<Vec<char>> = Zeroizing::new(Vec::with_capacity(secret.expose_secret().len()));
    chars.extend(secret.expose_secret().chars());
    // In the middle: some of the bits of the last character of base64 are none of the secret's.
    let (middle, last) = (chars.len() / 2, chars.len().saturating_sub(1));
    let differs = |&at: &usize| chars[at] != chars[at + 1];
    match (0..last).filter(differs).min_by_key(|at| at.abs_diff(middle)) {
        Some(at) => chars.swap(at, at + 1),
        // One and the same character all along. Both of each such pair are as long in UTF-8.
        None => chars.iter_mut().take(1).for_each(|char| {
            *char = char::from_u32(u32::from(*char) ^ 1).unwrap_or_default();
        }),
    }
    let mut text = Zeroizing::new(String::with_capacity(secret.expose_secret().len()));
    text.extend(chars.iter());
    let altered = SecretString::from(text.as_str());
    conceal::secret(&altered);
    altered
}

/// Bytes by the kernel, which gives none before it has gathered enough.
fn bytes() -> Zeroizing<[u8; 33]> {
    let mut bytes = Zeroizing::new([0; 33]);
    // Only where neither getrandom(2) nor /dev/urandom is there; nothing else is to take its place.
    while let Err(cause) = getrandom::fill(&mut *bytes) {
        log::warn!("cannot read random bytes: {cause}; trying again");
        thread::sleep(Duration::from_secs(1));
    }
    bytes
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_password_has_44_characters_and_is_no_flag() {
        let passwords: BTreeSet<String> = (0..1000).map(|_| password().expose_secret().to_owned()).collect();
        assert_eq!(passwords.len(), 1000);
        for password in passwords {
            assert_eq!(password.len(), 44);
            assert!(!password.starts_with('-'));
            let mut bytes = [0; 33];
            assert_eq!(Base64UrlUnpadded::decode(&password, &mut bytes).map(<[u8]>::len), Ok(33));
            assert_eq!(conceal::hide(&password), "[secret]");
        }
    }

    #[test]
    fn an_altered_secret_is_made_of_the_same_characters() {
        let check = |secret: &str, want: &str| assert_eq!(altered(&secret.into()).expose_secret(), want);
        check("cafe0123", "cafe1023");
        check("aaab", "aaba");
        check("ab", "ba");
        check("aaaa", "`aaa");
        check("\u{7ff}", "\u{7fe}");
    }

    proptest! {
        #[test]
        fn an_altered_secret_is_as_long_and_another(secret in ".{1,60}") {
            let altered = altered(&secret.as_str().into());
            prop_assert_eq!(altered.expose_secret().len(), secret.len());
            prop_assert_ne!(altered.expose_secret(), secret.as_str());
        }
    }
}
