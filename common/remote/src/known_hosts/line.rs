//! One line of the file, after the format of `ssh_known_hosts` in sshd(8).

use hosts::glob::wild;

/// What a line says about its key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Marker {
    /// It is the key of the hosts.
    None,
    /// `@revoked`
    Revoked,
    /// `@cert-authority`
    Authority,
}

/// A line, taken apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Fields<'a> {
    pub(super) marker: Marker,
    /// Patterns with commas between them, or one hash.
    pub(super) names: &'a [u8],
    pub(super) kind: &'a [u8],
    /// In base64.
    pub(super) key: &'a [u8],
}

/// Takes `line` apart; `None` for a comment, an empty line, or a key of the first SSH protocol.
///
/// # Errors
/// What is wrong with it.
pub(super) fn parse(line: &[u8]) -> Result<Option<Fields<'_>>, &'static str> {
    let mut words = line.split(|byte| matches!(byte, b' ' | b'\t' | b'\r')).filter(|word| !word.is_empty());
    let Some(mut first) = words.next() else { return Ok(None) };
    if first.starts_with(b"#") {
        return Ok(None);
    }
    let marker = match first {
        b"@revoked" => Marker::Revoked,
        b"@cert-authority" => Marker::Authority,
        _ if first.starts_with(b"@") => return Err("its marker is none of @revoked and @cert-authority"),
        _ => Marker::None,
    };
    if marker != Marker::None {
        first = words.next().ok_or("there are no hosts in it")?;
    }
    if first.starts_with(b"@") {
        return Err("there are two markers in it");
    }
    let kind = words.next().filter(|kind| !kind.starts_with(b"#")).ok_or("there is no key in it")?;
    if kind.iter().all(u8::is_ascii_digit) {
        return Ok(None);
    }
    let key = words.next().ok_or("there is no key in it")?;
    Ok(Some(Fields { marker, names: first, kind, key }))
}

/// Whether the list of patterns `names` means `host`, in whatever case: one of them does, and none
/// with `!` does.
pub(super) fn matches(names: &[u8], host: &[u8]) -> bool {
    let (names, host) = (names.to_ascii_lowercase(), host.to_ascii_lowercase());
    let mut found = false;
    for pattern in names.split(|byte| *byte == b',') {
        match pattern.strip_prefix(b"!") {
            Some(pattern) if wild(pattern, &host) => return false,
            Some(_) => {}
            None => found = found || wild(pattern, &host),
        }
    }
    found
}
