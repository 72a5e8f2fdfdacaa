//! Strings as JSON spells them.
//!
//! What is decoded is bytes and no `String`: the grammar allows half a surrogate pair (`"\ud800"`),
//! and a tool that keeps every byte must be able to name and compare such a key.

/// The text that `raw`, what stands between the quotes, spells.
///
/// Half a surrogate pair becomes the three bytes it would have in UTF-8 if it were a character
/// (WTF-8). `None` when a backslash begins no escape; bytes that are no escape pass as they are.
#[must_use]
pub fn decode(raw: &[u8]) -> Option<Vec<u8>> {
    let mut text = Vec::with_capacity(raw.len());
    let mut rest = raw;
    while let Some(at) = rest.iter().position(|byte| *byte == b'\\') {
        text.extend_from_slice(&rest[..at]);
        let escape = Escape::read(&rest[at..])?;
        text.extend_from_slice(escape.bytes());
        rest = &rest[at + escape.spelling..];
    }
    text.extend_from_slice(rest);
    Some(text)
}

/// `text` as JSON, quotes included.
///
/// Escapes what must be escaped and nothing else: `"`, `\` and the control characters below space.
#[must_use]
pub fn encode(text: &str) -> Vec<u8> {
    let mut raw = Vec::with_capacity(text.len() + 2);
    raw.push(b'"');
    for byte in text.bytes() {
        match short(byte) {
            Some(letter) => raw.extend_from_slice(&[b'\\', letter]),
            None if byte < b' ' => raw.extend_from_slice(format!("\\u{byte:04x}").as_bytes()),
            None => raw.push(byte),
        }
    }
    raw.push(b'"');
    raw
}

/// Whether `raw`, what stands between the quotes, spells `key`. Allocates nothing.
pub(crate) fn eq(raw: &[u8], key: &str) -> bool {
    // No escape is shorter than what it spells.
    if raw.len() < key.len() {
        return false;
    }
    if !raw.contains(&b'\\') {
        return raw == key.as_bytes();
    }
    let (mut raw, mut key) = (raw, key.as_bytes());
    while let Some(first) = raw.first() {
        let (spelt, used) = if *first == b'\\' {
            let Some(escape) = Escape::read(raw) else { return false };
            (key.strip_prefix(escape.bytes()), escape.spelling)
        } else {
            (key.strip_prefix(&[*first]), 1)
        };
        let Some(rest) = spelt else { return false };
        (raw, key) = (&raw[used..], rest);
    }
    key.is_empty()
}

/// The letter of the escape that has one, for `encode`.
fn short(byte: u8) -> Option<u8> {
    Some(match byte {
        b'"' | b'\\' => byte,
        b'\n' => b'n',
        b'\r' => b'r',
        b'\t' => b't',
        0x08 => b'b',
        0x0c => b'f',
        _ => return None,
    })
}

/// One escape: what it stands for, and how many bytes spell it.
struct Escape {
    bytes: [u8; 4],
    length: usize,
    spelling: usize,
}

impl Escape {
    /// Reads the escape that `raw` begins with; `None` when it begins with none.
    fn read(raw: &[u8]) -> Option<Self> {
        let code = match raw.get(1)? {
            letter @ (b'"' | b'\\' | b'/') => u32::from(*letter),
            b'n' => 0x0a,
            b'r' => 0x0d,
            b't' => 0x09,
            b'b' => 0x08,
            b'f' => 0x0c,
            b'u' => return Self::hex(raw),
            _ => return None,
        };
        Some(Self::of(code, 2))
    }

    /// Reads `\u0041`, and both halves of a pair at once.
    fn hex(raw: &[u8]) -> Option<Self> {
        let high = unit(raw)?;
        let low = raw.get(6..).and_then(unit).filter(|low| (0xdc00..0xe000).contains(low));
        Some(match low {
            Some(low) if (0xd800..0xdc00).contains(&high) => {
                Self::of(0x1_0000 + ((high - 0xd800) << 10) + (low - 0xdc00), 12)
            }
            _ => Self::of(high, 6),
        })
    }

    /// A code point, or half a surrogate pair, in UTF-8's pattern.
    fn of(code: u32, spelling: usize) -> Self {
        let mut bytes = [0; 4];
        let length = if let Some(letter) = char::from_u32(code) {
            letter.encode_utf8(&mut bytes).len()
        } else {
            // Only D800 to DFFF come here. The low byte is meant in each of the three.
            let six = |shift: u32| 0x80 | (code >> shift & 0x3f) as u8;
            bytes = [0xed, six(6), six(0), 0];
            3
        };
        Self { bytes, length, spelling }
    }

    fn bytes(&self) -> &[u8] {
        &self.bytes[..self.length]
    }
}

/// The number in the `\u0041` that `raw` begins with.
fn unit(raw: &[u8]) -> Option<u32> {
    let digits = raw.strip_prefix(b"\\u")?.get(..4)?;
    digits.iter().try_fold(0, |sum, digit| Some(sum << 4 | char::from(*digit).to_digit(16)?))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn check(raw: &str, want: Option<&[u8]>) {
        assert_eq!(decode(raw.as_bytes()).as_deref(), want, "{raw}");
        if let Some(want) = want.and_then(|want| std::str::from_utf8(want).ok()) {
            assert!(eq(raw.as_bytes(), want), "{raw}");
            assert!(!eq(raw.as_bytes(), &format!("{want}x")), "{raw}");
            assert!(!eq(format!("{raw}x").as_bytes(), want), "{raw}");
        }
    }

    #[test]
    fn an_escape_is_what_it_stands_for() {
        check("", Some(b""));
        check("plain", Some(b"plain"));
        check(r#"\"\\\/\b\f\n\r\t"#, Some(b"\"\\/\x08\x0c\n\r\t"));
        check(r"a\u0000b", Some(b"a\0b"));
        check(r"caf\u00e9", Some("café".as_bytes()));
        check(r"caf\u00E9 é", Some("café é".as_bytes()));
        check(r"\u20ac", Some("€".as_bytes()));
        check(r"x\ud83d\ude00y", Some("x😀y".as_bytes()));
        check(r"\\u0041", Some(br"\u0041"));
    }

    #[test]
    fn half_a_pair_keeps_its_number() {
        check(r"\ud800", Some(b"\xed\xa0\x80"));
        check(r"\udfff.", Some(b"\xed\xbf\xbf."));
        check(r"\ud800\u0041", Some(b"\xed\xa0\x80A"));
        check(r"\udc00\ud800", Some(b"\xed\xb0\x80\xed\xa0\x80"));
        check(r"\ud800\ud83d\ude00", Some(b"\xed\xa0\x80\xf0\x9f\x98\x80"));
    }

    #[test]
    fn what_is_no_escape_is_refused() {
        for bad in [r"\", r"\x", r"\u", r"\u12", r"\u12g4", r"\u+123", "\\\n", r"\U0041"] {
            check(bad, None);
            assert!(!eq(bad.as_bytes(), ""), "{bad}");
        }
    }

    #[test]
    fn only_what_must_be_escaped_is() {
        assert_eq!(encode("a/b é \u{7f}\u{2028}"), "\"a/b é \u{7f}\u{2028}\"".as_bytes());
        assert_eq!(encode("\"\\\n\r\t\u{8}\u{c}\u{1b}\0"), br#""\"\\\n\r\t\b\f\u001b\u0000""#);
    }

    proptest! {
        #[test]
        fn what_was_encoded_is_decoded(text in any::<String>()) {
            let raw = encode(&text);
            prop_assert_eq!(serde_json::from_slice::<String>(&raw).unwrap(), text.clone());
            let inside = &raw[1..raw.len() - 1];
            prop_assert!(eq(inside, &text));
            prop_assert_eq!(decode(inside).unwrap(), text.into_bytes());
        }

        #[test]
        fn any_escapes_mean_what_they_mean_elsewhere(raw in r#"([a-c/é]|\\["\\/bfnrt]|\\u(00[46]1|20ac|d83d|de00|[0-9a-fA-F]{4})){0,8}"#) {
            let ours = decode(raw.as_bytes()).unwrap();
            // serde_json refuses half a pair in a String.
            if let Ok(want) = serde_json::from_str::<String>(&format!("\"{raw}\"")) {
                prop_assert!(eq(raw.as_bytes(), &want));
                prop_assert_eq!(ours, want.into_bytes());
            } else {
                prop_assert!(String::from_utf8(ours).is_err());
            }
        }

        #[test]
        fn no_bytes_panic(raw in proptest::collection::vec(prop_oneof![Just(b'\\'), Just(b'u'), Just(b'd'), any::<u8>()], 0..20), key in any::<String>()) {
            let same = decode(&raw).is_some_and(|text| text == key.as_bytes());
            prop_assert_eq!(eq(&raw, &key), same);
        }
    }
}
