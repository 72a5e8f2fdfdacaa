//! Secrets that must not leave the process by a message: each is known here in every form that it
//! could take on the way through somebody else's error text.

use std::fmt::Write as _;
use std::sync::{Mutex, PoisonError};

use base64ct::{Base64, Encoding};
use secrecy::{ExposeSecret, SecretString};
use zeroize::Zeroizing;

use crate::hex;

/// What stands in the place of a secret.
const INSTEAD: &str = "[secret]";

/// Shorter ones are part of ordinary words, and none that is made here.
const SHORTEST: usize = 4;

/// A part of a secret that is at least so long is hidden, too: others cut what they quote.
const PART: usize = 12;

/// Of a shorter secret, which was not made here, such a part may be an ordinary word.
const LONG: usize = 24;

/// Every form of every secret, the longest first.
static FORMS: Mutex<Vec<Zeroizing<String>>> = Mutex::new(Vec::new());

/// From here on no message shows `secret`, as it is or encoded. Secrets of less than 4 bytes are not
/// looked for.
pub fn secret(secret: &SecretString) {
    let text = secret.expose_secret();
    let mut known = FORMS.lock().unwrap_or_else(PoisonError::into_inner);
    for form in forms(text) {
        if form.len() >= SHORTEST && !known.iter().any(|old| **old == *form) {
            known.push(form);
        }
    }
    known.sort_by_key(|form| std::cmp::Reverse(form.len()));
}

/// `text` without the secrets that are known.
pub fn hide(text: &str) -> String {
    let known = FORMS.lock().unwrap_or_else(PoisonError::into_inner);
    let mut text = text.to_owned();
    for form in known.iter() {
        if text.contains(form.as_str()) {
            text = text.replace(form.as_str(), INSTEAD);
        }
    }
    let long: Vec<&str> = known.iter().map(|form| form.as_str()).filter(|form| form.len() >= LONG).collect();
    without_parts(&text, &long)
}

fn without_parts(text: &str, forms: &[&str]) -> String {
    let mut rest = text;
    let mut without = String::with_capacity(text.len());
    while let Some(first) = rest.chars().next() {
        let part = part(rest, forms);
        if part > 0 {
            without.push_str(INSTEAD);
        } else {
            without.push(first);
        }
        rest = rest.get(part.max(first.len_utf8())..).unwrap_or_default();
    }
    without
}

/// How many bytes at the beginning of `text` are a part of one of `forms`.
fn part(text: &str, forms: &[&str]) -> usize {
    let Some(start) = text.get(..PART) else { return 0 };
    let shared = |form: &&str| {
        let at = form.find(start)?;
        let same = form.get(at..)?.bytes().zip(text.bytes()).take_while(|(one, other)| one == other);
        let mut length = same.count();
        while !text.is_char_boundary(length) {
            length -= 1;
        }
        Some(length)
    };
    forms.iter().filter_map(shared).max().unwrap_or_default()
}

/// A text by somebody else as a message quotes it: without secrets, its first line that says something,
/// 200 characters at most.
pub fn quoted(bytes: &[u8]) -> String {
    let text = String::from_utf8_lossy(bytes);
    let text = hide(&text);
    let line = text.lines().map(str::trim).find(|line| !line.is_empty()).unwrap_or_default();
    line.chars().take(200).collect()
}

/// `text` as it is, and as JSON, `Debug`, URLs, hexadecimal and base64 write it; of several lines also
/// each by itself.
fn forms(text: &str) -> Vec<Zeroizing<String>> {
    let mut forms =
        vec![text.to_owned(), hex(text.as_bytes()), hex(text.as_bytes()).to_uppercase(), url(text)];
    forms.push(inner(&format!("{text:?}")).to_owned());
    if let Ok(json) = serde_json::to_string(text) {
        forms.push(inner(&json).to_owned());
    }
    forms.extend((0..3).map(|before| base64(text, before)));
    forms.extend((0..3).map(|before| base64(text, before).replace('+', "-").replace('/', "_")));
    // The lines of a key's file are long; a short one, such as its armour, is no secret.
    forms.extend(
        text.lines().filter(|line| line.len() >= 24 && !line.starts_with("-----")).map(str::to_owned),
    );
    forms.into_iter().map(Zeroizing::new).collect()
}

fn inner(quoted: &str) -> &str {
    quoted.strip_prefix('"').and_then(|rest| rest.strip_suffix('"')).unwrap_or(quoted)
}

/// What is in the base64 of any longer text that has `text` behind `before` bytes, modulo 3 (RFC 4648,
/// 4): the digits that stand for bits of `text` alone.
fn base64(text: &str, before: usize) -> String {
    let padded = Zeroizing::new([&[0; 2][..before], text.as_bytes()].concat());
    let digits = Zeroizing::new(Base64::encode_string(&padded));
    let first = [0, 2, 3][before];
    let last = padded.len() * 8 / 6;
    digits.get(first..last).unwrap_or_default().to_owned()
}

/// As in the query of a URL (RFC 3986, 2.1).
fn url(text: &str) -> String {
    let mut url = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'~') {
            url.push(char::from(byte));
        } else {
            let _strings_never_refuse = write!(url, "%{byte:02X}");
        }
    }
    url
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn check(text: &str, want: &str) {
        secret(&"p/ss\"w+rd\u{1f}!".into());
        secret(&"abc".into());
        assert_eq!(hide(text), want);
    }

    #[test]
    fn a_secret_is_hidden_in_every_form() {
        check("it is p/ss\"w+rd\u{1f}!.", "it is [secret].");
        check(r#"{"password":"p/ss\"w+rd\u001f!"}"#, r#"{"password":"[secret]"}"#);
        check(r#"Some("p/ss\"w+rd\u{1f}!")"#, "Some(\"[secret]\")");
        check("?password=p%2Fss%22w%2Brd%1F%21&x=1", "?password=[secret]&x=1");
        check("702f73732277 702f737322772b72641f21", "702f73732277 [secret]");
        check("abc is no secret", "abc is no secret");
    }

    #[test]
    fn a_part_of_it_is_hidden_too() {
        secret(&"Rhtsc2F-6mAWrMvbpzeZ0uov1AdTGPFwGpfj7f08W4w".into());
        check("token Rhtsc2F-6mAWrMvb... is wrong", "token [secret]... is wrong");
        check("... PFwGpfj7f08W4w is wrong", "... [secret] is wrong");
        check("token Rhtsc2F-6mA is short", "token Rhtsc2F-6mA is short");
        check("äRhtsc2F-6mAWrä", "ä[secret]ä");
    }

    #[test]
    fn what_others_say_is_one_short_line() {
        assert_eq!(quoted(b"\n  no such user \nmore\n"), "no such user");
        assert_eq!(quoted("ä".repeat(300).as_bytes()).chars().count(), 200);
    }

    proptest! {
        #[test]
        fn base64_hides_it_wherever_it_stands(
            before in "[a-z]{0,7}", text in "[!-~]{9,40}", after in "[a-z]{0,7}",
        ) {
            let whole = Base64::encode_string(format!("{before}{text}{after}").as_bytes());
            let form = base64(&text, before.len() % 3);
            prop_assert!(whole.contains(&form));
            prop_assert!(form.len() * 6 >= text.len() * 8 - 12);
        }
    }
}
