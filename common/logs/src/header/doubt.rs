//! Whether something in front of a level could have been one.
//!
//! Readers that look at the value of a digit (`%ASA-4-106023`, `DEBUG5`, `trace8`, `PRIORITY=3`) pass
//! over what says nothing to them. A level that stands behind is not settled: with other digits, the
//! level would be theirs. Nor is one behind Android's `W/tag`, which is a level where a `: ` follows,
//! however far.

use crate::fields;

/// Would `before`, with other digits or another text behind it, hold a level?
pub(super) fn is_in(before: &[u8]) -> bool {
    let is_tagged =
        |three: &[u8]| three[2] == b'/' && three[1].is_ascii_uppercase() && !three[0].is_ascii_alphanumeric();
    if before.windows(3).any(is_tagged) {
        return true;
    }
    let mut digits = before.iter().enumerate().filter(|(_, byte)| byte.is_ascii_digit());
    digits.any(|(at, _)| {
        let front = &before[..at];
        let named =
            |name: &[u8]| front.len() >= name.len() && front[at - name.len()..].eq_ignore_ascii_case(name);
        // White space around a value does not count.
        let value = front.trim_ascii_end();
        let value = value.strip_suffix(b"\"").unwrap_or(value);
        if value.strip_suffix(b"=").is_some_and(is_level_key) {
            return true;
        }
        match front.last() {
            Some(b'-') => front.contains(&b'%'),
            Some(b'g' | b'G') => named(b"debug"),
            Some(b'e' | b'E') => named(b"trace"),
            Some(b'x') => named(b"(0x"),
            _ => false,
        }
    })
}

/// Does the bracket that `before` begins with end behind the level? Its own does not count.
pub(super) fn is_open(before: &[u8]) -> bool {
    let (open, close) = match before.first() {
        Some(b'[') => (b'[', b']'),
        Some(b'(') => (b'(', b')'),
        Some(b'<') => (b'<', b'>'),
        Some(b'{') => (b'{', b'}'),
        _ => return false,
    };
    let front = before.trim_ascii_end();
    let front = front.strip_suffix(b"[").unwrap_or(front);
    let mut depth = 0_usize;
    for byte in front {
        match *byte {
            byte if byte == open => depth += 1,
            byte if byte == close => depth = depth.saturating_sub(1),
            _ => {}
        }
        if depth == 0 {
            return false;
        }
    }
    !front.is_empty()
}

/// Does `front` end with the name of a level field?
fn is_level_key(front: &[u8]) -> bool {
    let length = front.iter().rev().take_while(|b| b.is_ascii_alphanumeric() || b"_.@-/".contains(b)).count();
    fields::is_level_key(&front[front.len() - length..])
}
