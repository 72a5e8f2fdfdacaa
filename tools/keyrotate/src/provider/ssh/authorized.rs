//! The file `authorized_keys` (sshd(8)), as lines that stay byte for byte but for the one that is meant.

use base64ct::{Base64, Base64Unpadded, Encoding};
use remote::known_hosts::fingerprint;

/// What stands before a line that is disabled: for sshd a comment, for us a line to come back.
pub(super) const MARK: &[u8] = b"#keyrotate-disabled# ";

/// A key that may log in, or may again.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Listed {
    /// Its fingerprint, `SHA256:…`.
    pub(super) id: String,
    /// Whether sshd takes it.
    pub(super) is_enabled: bool,
}

/// A line of the file, with the newline at its end if it has one.
#[derive(Clone, Copy)]
struct Line<'a> {
    whole: &'a [u8],
    key: Option<Key<'a>>,
}

/// The key that a line lets in.
#[derive(Clone, Copy)]
struct Key<'a> {
    /// What stands before the type: the options and the blanks behind them.
    options: &'a [u8],
    /// The key itself in base64.
    encoded: &'a [u8],
    is_enabled: bool,
}

/// The keys in `file`, in its order. Certificate authorities are none.
pub(super) fn keys(file: &[u8]) -> Vec<Listed> {
    let listed = |key: Key<'_>| Some(Listed { id: key.id()?, is_enabled: key.is_enabled });
    lines(file).filter_map(|line| listed(line.key?)).collect()
}

/// `file` with the key `new`, `TYPE BASE64 COMMENT`, whose id is `new_id`: with the options of the key
/// `old` and behind it; at the end, without options, when there is none. `None`: it is there already.
///
/// # Errors
/// When `old` is not there: nobody knows which options the new key is to have.
pub(super) fn add(
    file: &[u8],
    (new_id, new): (&str, &str),
    old: Option<&str>,
) -> Result<Option<Vec<u8>>, String> {
    if keys(file).iter().any(|key| key.id == new_id) {
        return Ok(set(file, new_id, true));
    }
    let Some(old) = old else {
        let mut all = ended(file);
        all.extend([new.as_bytes(), b"\n"].concat());
        return Ok(Some(all));
    };
    let mut all = Vec::with_capacity(file.len() + 512);
    let mut is_there = false;
    for line in lines(file) {
        all.extend_from_slice(line.whole);
        let Some(key) = line.key.filter(|key| key.is(old)) else { continue };
        is_there = true;
        all = ended(&all);
        let end: &[u8] = if line.whole.ends_with(b"\r\n") { b"\r\n" } else { b"\n" };
        all.extend([key.options, new.as_bytes(), end].concat());
    }
    if is_there {
        Ok(Some(all))
    } else {
        Err("the old key is not in the file, and its options not known".into())
    }
}

/// `file` with the key `id` enabled or disabled; `None`: it is so already, or the key is not there.
pub(super) fn set(file: &[u8], id: &str, enabled: bool) -> Option<Vec<u8>> {
    change(file, |line, key| {
        if key.is_enabled == enabled || !key.is(id) {
            return None;
        }
        let bare = line.strip_prefix(MARK);
        Some(bare.map_or_else(|| [MARK, line].concat(), <[u8]>::to_vec))
    })
}

/// `file` without the key `id`; `None`: it is not there.
pub(super) fn remove(file: &[u8], id: &str) -> Option<Vec<u8>> {
    change(file, |_, key| key.is(id).then(Vec::new))
}

/// `file` with what `make` says in the place of lines with keys; `None`: nothing was changed.
fn change(file: &[u8], make: impl Fn(&[u8], Key<'_>) -> Option<Vec<u8>>) -> Option<Vec<u8>> {
    let mut all = Vec::with_capacity(file.len() + 64);
    let mut is_changed = false;
    for line in lines(file) {
        match line.key.and_then(|key| make(line.whole, key)) {
            Some(replaced) => {
                is_changed = true;
                all.extend(replaced);
            }
            None => all.extend_from_slice(line.whole),
        }
    }
    is_changed.then_some(all)
}

/// `file` with a newline at its end, unless it is empty.
fn ended(file: &[u8]) -> Vec<u8> {
    let mut all = file.to_vec();
    if !file.is_empty() && !file.ends_with(b"\n") {
        all.push(b'\n');
    }
    all
}

fn lines(file: &[u8]) -> impl Iterator<Item = Line<'_>> {
    file.split_inclusive(|&byte| byte == b'\n').map(|whole| Line { whole, key: key(whole) })
}

impl Key<'_> {
    fn id(&self) -> Option<String> {
        blob(self.encoded).map(|blob| fingerprint(&blob))
    }

    fn is(&self, id: &str) -> bool {
        self.id().as_deref() == Some(id)
    }
}

/// The key in `line`, read as sshd reads it: options are there when the line does not begin with a key.
fn key(line: &[u8]) -> Option<Key<'_>> {
    let (line, is_enabled) = line.strip_prefix(MARK).map_or((line, true), |rest| (rest, false));
    let start = line.len() - line.trim_ascii_start().len();
    if line.get(start) == Some(&b'#') {
        return None;
    }
    let found = |at: usize| {
        let encoded = encoded(line.get(at..)?)?;
        Some(Key { options: line.get(..at)?, encoded, is_enabled })
    };
    if let Some(key) = found(start) {
        return Some(key);
    }
    let end = start + options_length(line.get(start..)?);
    let options = line.get(start..end)?;
    let at = end + line.get(end..)?.iter().take_while(|byte| is_blank(**byte)).count();
    found(at).filter(|_| !is_authority(options))
}

/// Up to the first blank that is in no quotes.
fn options_length(text: &[u8]) -> usize {
    let (mut is_quoted, mut at) = (false, 0);
    while let Some(&byte) = text.get(at) {
        match byte {
            b'\\' if text.get(at + 1) == Some(&b'"') => at += 1,
            b'"' => is_quoted = !is_quoted,
            _ if is_blank(byte) && !is_quoted => break,
            _ => {}
        }
        at += 1;
    }
    at.min(text.len())
}

/// The base64 of `TYPE BASE64`, when the key is of that type.
fn encoded(text: &[u8]) -> Option<&[u8]> {
    let end = text.iter().position(|&byte| is_blank(byte))?;
    let (kind, rest) = text.split_at(end);
    let rest = rest.trim_ascii_start();
    let end = rest.iter().position(u8::is_ascii_whitespace).unwrap_or(rest.len());
    let encoded = rest.get(..end)?;
    let blob = blob(encoded)?;
    let length = u32::from_be_bytes(*blob.first_chunk()?);
    let own = blob.get(4..)?.get(..usize::try_from(length).ok()?)?;
    (own == kind).then_some(encoded)
}

fn blob(encoded: &[u8]) -> Option<Vec<u8>> {
    let text = std::str::from_utf8(encoded).ok()?;
    Base64::decode_vec(text).or_else(|_| Base64Unpadded::decode_vec(text.trim_end_matches('='))).ok()
}

/// Whether the key signs certificates instead of logging in.
fn is_authority(options: &[u8]) -> bool {
    let text = String::from_utf8_lossy(options).to_ascii_lowercase();
    text.split(',').any(|option| option == "cert-authority")
}

fn is_blank(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t')
}

#[cfg(test)]
mod tests;
