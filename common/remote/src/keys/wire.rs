//! Strings and numbers as SSH sends them (RFC 4251, section 5).

/// Takes a string off the front of `rest`; `None` when it is not whole.
pub(super) fn string<'a>(rest: &mut &'a [u8]) -> Option<&'a [u8]> {
    let length = usize::try_from(u32(rest)?).ok()?;
    let (string, behind) = rest.split_at_checked(length)?;
    *rest = behind;
    Some(string)
}

/// Takes a number off the front of `rest`.
pub(super) fn u32(rest: &mut &[u8]) -> Option<u32> {
    let (number, behind) = rest.split_first_chunk()?;
    *rest = behind;
    Some(u32::from_be_bytes(*number))
}

/// Takes a large number off the front of `rest`.
pub(super) fn u64(rest: &mut &[u8]) -> Option<u64> {
    let (number, behind) = rest.split_first_chunk()?;
    *rest = behind;
    Some(u64::from_be_bytes(*number))
}

/// Adds a string to `blob`. What is put here comes from a file of at most a megabyte.
pub(super) fn put(blob: &mut Vec<u8>, bytes: &[u8]) {
    blob.extend(u32::try_from(bytes.len()).unwrap_or_default().to_be_bytes());
    blob.extend(bytes);
}
