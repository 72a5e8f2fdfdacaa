//! Whether a file holds what was read before: by its bytes, for names and inodes come and go.

use std::fs::File;
use std::io::{self, Read};
use std::os::unix::fs::FileExt;

use common::{OrCannot, Result};

use super::listing::Found;
use super::segment::{PRINT, Print, Segment};

/// So much of the beginnings, and of the ends, of two files is compared.
const COMPARED: usize = 64 * 1024;

/// Whether a file still is the one that `segment` was read from: it has the same inode, but it may
/// have been truncated, or the inode may have been given to another file. `None` when its name has
/// gone to another file meanwhile.
///
/// # Errors
/// When it cannot be read.
pub(super) fn is_still(file: &Found, segment: &Segment) -> Result<Option<bool>> {
    let Some(source) = file.open()? else { return Ok(None) };
    let size = source.file().metadata().or_cannot("stat", &file.path)?.len();
    if let Some((plain, _)) = source.seekable() {
        return has_prints(plain, size, segment).or_cannot("read", &file.path).map(Some);
    }
    if size == 0 || size < segment.size {
        return Ok(Some(segment.offset == 0 && segment.size == 0));
    }
    let head = text_head(file, PRINT)?;
    Ok(head.map(|head| segment.head.begins(&head)))
}

/// Whether a file of another inode is a copy of what was read as `segment`, with or without more
/// behind it: what `copytruncate` made, or a packer.
///
/// # Errors
/// When it cannot be read.
pub(super) fn is_copy(file: &Found, segment: &Segment) -> Result<Option<bool>> {
    if segment.head.len == 0 || file.size == 0 {
        return Ok(Some(false));
    }
    let Some(source) = file.open()? else { return Ok(None) };
    if let Some((plain, range)) = source.seekable() {
        if range.end >= segment.offset {
            return has_prints(plain, range.end, segment).or_cannot("read", &file.path).map(Some);
        }
        // Copied before the last lines were written, which were counted from the original.
        let head = read_at(plain, 0, PRINT).or_cannot("read", &file.path)?;
        return Ok(Some(segment.head.begins(&head)));
    }
    let mut reader = source.text()?.reader;
    unpacked_has_prints(&mut reader, segment).or_cannot("read", &file.path).map(Some)
}

/// Whether `file` is a copy of `other`, which it was made from or packed from: it has nothing that
/// `other` has not.
///
/// # Errors
/// When one of them cannot be read.
pub(super) fn is_part_of(file: &Found, other: &Found) -> Result<Option<bool>> {
    let both_plain = !file.packed && !other.packed;
    if both_plain && file.size > other.size {
        return Ok(Some(false));
    }
    let Some(head) = text_head(file, COMPARED)? else { return Ok(None) };
    let Some(other_head) = text_head(other, head.len())? else { return Ok(None) };
    if head.is_empty() || head != other_head || !both_plain {
        return Ok(Some(!head.is_empty() && head == other_head));
    }
    let (Some(one), Some(two)) = (file.open()?, other.open()?) else { return Ok(None) };
    let at = file.size.saturating_sub(COMPARED as u64);
    let tail = read_at(one.file(), at, COMPARED).or_cannot("read", &file.path)?;
    let other_tail = read_at(two.file(), at, tail.len()).or_cannot("read", &other.path)?;
    Ok(Some(tail == other_tail))
}

/// The first bytes of the text of a file.
///
/// # Errors
/// When they cannot be read.
pub(super) fn text_head(file: &Found, len: usize) -> Result<Option<Vec<u8>>> {
    let Some(source) = file.open()? else { return Ok(None) };
    if let Some((plain, _)) = source.seekable() {
        return read_at(plain, 0, len).or_cannot("read", &file.path).map(Some);
    }
    let mut head = Vec::new();
    source.text()?.reader.take(len as u64).read_to_end(&mut head).or_cannot("read", &file.path)?;
    Ok(Some(head))
}

/// The prints of the first `offset` bytes of a plain file: of their beginning and of their end.
pub(super) fn prints(file: &File, offset: u64) -> io::Result<(Print, Print)> {
    let len = usize::try_from(offset).unwrap_or(PRINT).min(PRINT);
    let head = read_at(file, 0, len)?;
    let tail = read_at(file, offset - len as u64, len)?;
    Ok((Print::of(&head), Print::of(&tail)))
}

fn has_prints(file: &File, size: u64, segment: &Segment) -> io::Result<bool> {
    if size < segment.offset {
        return Ok(false);
    }
    let (head, tail) = prints(file, segment.offset)?;
    Ok(head == segment.head && (segment.tail.len == 0 || tail == segment.tail))
}

fn unpacked_has_prints(reader: &mut impl Read, segment: &Segment) -> io::Result<bool> {
    let mut head = Vec::new();
    reader.by_ref().take(segment.head.len).read_to_end(&mut head)?;
    if Print::of(&head) != segment.head {
        return Ok(false);
    }
    if segment.tail.len == 0 {
        return Ok(true);
    }
    let tail = skip(reader, segment.offset - segment.head.len, head)?;
    Ok(tail.is_none_or(|tail| Print::of(&tail) == segment.tail))
}

/// Reads `count` bytes that follow `before`, and returns the last [`PRINT`] of all of them; `None`
/// when the text ends before that.
pub(super) fn skip(reader: &mut impl Read, count: u64, before: Vec<u8>) -> io::Result<Option<Vec<u8>>> {
    let mut last = before;
    let mut left = count;
    let mut buffer = vec![0; 64 * 1024];
    while left > 0 {
        let room = usize::try_from(left).unwrap_or(usize::MAX).min(buffer.len());
        match reader.read(&mut buffer[..room]) {
            Ok(0) => return Ok(None),
            Ok(got) => {
                last.extend_from_slice(&buffer[..got]);
                last.drain(..last.len().saturating_sub(PRINT));
                left -= got as u64;
            }
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(Some(last))
}

/// Up to `len` bytes at `at`; fewer only where the file ends.
fn read_at(file: &File, at: u64, len: usize) -> io::Result<Vec<u8>> {
    let mut bytes = vec![0; len];
    let mut filled = 0;
    while filled < len {
        match file.read_at(&mut bytes[filled..], at + filled as u64) {
            Ok(0) => break,
            Ok(got) => filled += got,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    bytes.truncate(filled);
    Ok(bytes)
}
