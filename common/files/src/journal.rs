//! The journal of a file that is written in place: both contents, so that neither can be lost.
//!
//! It lies beside its file as `.NAME.inplace.journal` and holds the new content, the old content and
//! a trailer of 48 bytes: magic, the two lengths, the inode of the file, the hash of all before, and
//! the hash of the trailer, each number 8 bytes, little-endian. The new content comes first, so that
//! who has the journal open can read it like the file itself.

use std::ffi::{OsStr, OsString};
use std::fs::File;
use std::io;
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::os::unix::fs::{FileExt, MetadataExt};
use std::path::{Path, PathBuf};

use rustix::fs::{Mode, OFlags};
use rustix::io::Errno;

use crate::path::folder_of;

const MAGIC: &[u8; 8] = b"inplace1";

const TRAILER: usize = 48;

/// What is read at once; a whole number of sectors.
const CHUNK: usize = 65_536;

/// No disk writes less at once, so that a power failure leaves each of them old or new.
pub(crate) const SECTOR: usize = 512;

/// A longer name is cut, and told from others by its hash: with `.not-applied.XXXXXX` at the end no
/// name has more than 255 bytes.
const LONGEST_NAME: usize = 190;

/// A journal that is whole.
#[derive(Debug)]
pub(crate) struct Journal {
    pub(crate) file: File,
    pub(crate) path: PathBuf,
    pub(crate) new: u64,
    pub(crate) old: u64,
    /// Of the file that it belongs to.
    pub(crate) inode: u64,
}

/// What lies where a journal would.
#[derive(Debug)]
pub(crate) enum Found {
    /// Nothing, or what is not ours to touch.
    Nothing,
    Whole(Journal),
    Damaged,
}

/// What a file holds, seen from its journal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Content {
    Old,
    New,
    /// Each part is old or new: the write was interrupted.
    Torn,
    /// Somebody else has written it since.
    Foreign,
}

/// The path of the journal of `target`.
pub(crate) fn path_of(target: &Path) -> PathBuf {
    let name = target.file_name().map(OsStr::as_bytes).unwrap_or_default();
    let mut short = name.get(..LONGEST_NAME).unwrap_or(name).to_vec();
    if short.len() < name.len() {
        short.extend_from_slice(format!(".{:016x}", hash(START, name)).as_bytes());
    }
    folder_of(target).join(OsString::from_vec([b".", &short[..], b".inplace.journal"].concat()))
}

/// The trailer for a journal of which everything else is written.
///
/// # Errors
/// When what is written cannot be read again.
pub(crate) fn trailer(file: &File, [new, old, inode]: [u64; 3]) -> io::Result<Vec<u8>> {
    let mut bytes = MAGIC.to_vec();
    for number in [new, old, inode, hash_of(file, new.saturating_add(old))?] {
        bytes.extend(number.to_le_bytes());
    }
    bytes.extend(hash(START, &bytes).to_le_bytes());
    Ok(bytes)
}

impl Journal {
    /// Looks for the journal of `target`, which is `of`. One that belongs neither to root, nor to us,
    /// nor to the owner of the file is nobody's business: whoever may write into the folder could put
    /// words into the file.
    ///
    /// # Errors
    /// When there is something that cannot be read.
    pub(crate) fn find(target: &Path, of: Option<&File>) -> io::Result<Found> {
        let path = path_of(target);
        let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC;
        let file = match rustix::fs::open(&path, flags, Mode::empty()) {
            Err(Errno::NOENT | Errno::LOOP) => return Ok(Found::Nothing),
            file => File::from(file?),
        };
        let found = file.metadata()?;
        let owner = of.map(File::metadata).transpose()?.map(|of| of.uid());
        let ours = [Some(0), Some(rustix::process::geteuid().as_raw()), owner];
        if !found.is_file() || !ours.contains(&Some(found.uid())) {
            return Ok(Found::Nothing);
        }
        let Some(end) = found.len().checked_sub(TRAILER as u64) else { return Ok(Found::Nothing) };
        let mut bytes = [0; TRAILER];
        file.read_exact_at(&mut bytes, end)?;
        if !bytes.starts_with(MAGIC) {
            return Ok(Found::Nothing);
        }
        let number =
            |index: usize| bytes[index..].first_chunk().map_or(0, |eight| u64::from_le_bytes(*eight));
        let [new, old, inode, content, itself] = [8, 16, 24, 32, 40].map(number);
        let whole = itself == hash(START, &bytes[..40])
            && new.checked_add(old) == Some(end)
            && content == hash_of(&file, end)?;
        Ok(if whole { Found::Whole(Self { file, path, new, old, inode }) } else { Found::Damaged })
    }

    /// What `file` holds. It is looked at in pieces of `unit` bytes, [`SECTOR`] or 1, each of which
    /// must be as in the old content, followed by zeros, or as in the new one, followed by the old.
    ///
    /// # Errors
    /// When one of the two cannot be read.
    pub(crate) fn content_of(&self, file: &File, unit: usize) -> io::Result<Content> {
        let length = file.metadata()?.len();
        if length < self.old.min(self.new) || length > self.old.max(self.new) {
            return Ok(Content::Foreign);
        }
        let (mut is_old, mut is_new) = (length == self.old, length == self.new);
        let mut at = 0;
        while at < length {
            let now = match piece(file, (0, length), at) {
                // It was cut at this moment: by its writer, or, when we have the lock, by a stranger.
                Err(cut) if cut.kind() == io::ErrorKind::UnexpectedEof => {
                    return Ok(if unit == SECTOR { Content::Foreign } else { Content::Torn });
                }
                now => now?,
            };
            let old = padded(piece(&self.file, (self.new, self.old), at)?, now.len());
            // Before a file is cut to a new length, the old content still follows the new.
            let mut new = piece(&self.file, (0, self.new), at)?;
            new.extend_from_slice(old.get(new.len()..).unwrap_or_default());
            let new = padded(new, now.len());
            (is_old, is_new) = (is_old && now == old, is_new && now == new);
            let either = |((now, old), new): ((&[u8], &[u8]), &[u8])| now == old || now == new;
            if !now.chunks(unit).zip(old.chunks(unit)).zip(new.chunks(unit)).all(either) {
                return Ok(Content::Foreign);
            }
            at += now.len() as u64;
        }
        Ok(match (is_old, is_new) {
            (_, true) => Content::New,
            (true, false) => Content::Old,
            (false, false) => Content::Torn,
        })
    }
}

/// What `file` holds `at` bytes after the beginning of a part (first byte, length) of it, to the end
/// of the part, but no more than a chunk.
pub(crate) fn piece(file: &File, (start, length): (u64, u64), at: u64) -> io::Result<Vec<u8>> {
    let left = usize::try_from(length.saturating_sub(at)).unwrap_or(CHUNK);
    let mut bytes = vec![0; left.min(CHUNK)];
    file.read_exact_at(&mut bytes, start + at)?;
    Ok(bytes)
}

fn padded(mut bytes: Vec<u8>, length: usize) -> Vec<u8> {
    bytes.resize(length, 0);
    bytes
}

/// The start of FNV-1a, which finds accidents and no forgeries.
const START: u64 = 0xcbf2_9ce4_8422_2325;

fn hash(start: u64, bytes: &[u8]) -> u64 {
    bytes.iter().fold(start, |hash, byte| (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3))
}

/// The hash of the first `length` bytes.
fn hash_of(file: &File, length: u64) -> io::Result<u64> {
    let (mut sum, mut at) = (START, 0);
    while at < length {
        let bytes = piece(file, (0, length), at)?;
        sum = hash(sum, &bytes);
        at += bytes.len() as u64;
    }
    Ok(sum)
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use super::*;

    fn file_of(bytes: &[u8]) -> File {
        let mut file = tempfile::tempfile().unwrap();
        file.write_all(bytes).unwrap();
        file
    }

    #[test]
    fn what_is_neither_old_nor_new_is_somebody_elses() {
        let long = |byte: u8, length: usize| vec![byte; length];
        let (old, new) = (long(b'o', 2000), long(b'n', 3000));
        let check = |[old, new, now]: [&[u8]; 3], unit: usize, want: Content| {
            let [new_length, old_length] = [new, old].map(|bytes| bytes.len() as u64);
            let file = file_of(&[new, old].concat());
            let journal = Journal { file, path: PathBuf::new(), new: new_length, old: old_length, inode: 0 };
            assert_eq!(journal.content_of(&file_of(now), unit).unwrap(), want, "{}", now.len());
        };
        for (old, new) in [(&old, &new), (&new, &old)] {
            let both = |at: usize, length: usize| {
                let mut now = [&new[..at], old.get(at..).unwrap_or_default()].concat();
                now.resize(length, 0);
                now
            };
            check([old, new, old], SECTOR, Content::Old);
            check([old, new, new], SECTOR, Content::New);
            check([old, new, &both(512, old.len())], SECTOR, Content::Torn);
            check([old, new, &both(700, old.len())], SECTOR, Content::Foreign);
            check([old, new, &both(new.len().min(old.len()), old.len())], SECTOR, Content::Torn);
            check([old, new, &both(700, old.len())], 1, Content::Torn);
            check([old, new, &both(1024, 2500)], SECTOR, Content::Torn);
            check([old, new, &old[..1999]], SECTOR, Content::Foreign);
            check([old, new, &both(512, 3001)], SECTOR, Content::Foreign);
            check([old, new, &[&b"x"[..], &new[1..]].concat()], 1, Content::Foreign);
        }
        check([b"", b"", b""], SECTOR, Content::New);
        check([b"", &new, b""], SECTOR, Content::Old);
        let large = [long(b'n', CHUNK), long(b'o', CHUNK)].concat();
        check([&long(b'o', 2 * CHUNK), &long(b'n', 2 * CHUNK), &large], SECTOR, Content::Torn);
    }

    #[test]
    fn only_a_whole_journal_counts() {
        let folder = tempfile::tempdir().unwrap();
        let target = folder.path().join("app.json");
        let path = path_of(&target);
        assert_eq!(path, folder.path().join(".app.json.inplace.journal"));
        let whole = [&b"newold"[..], &trailer(&file_of(b"newold"), [3, 3, 7]).unwrap()].concat();
        let check = |bytes: &[u8], want: &str| {
            File::create(&path).unwrap().write_all(bytes).unwrap();
            let found = match Journal::find(&target, None).unwrap() {
                Found::Nothing => "nothing",
                Found::Whole(journal) => {
                    assert_eq!((journal.new, journal.old, journal.inode), (3, 3, 7));
                    "whole"
                }
                Found::Damaged => "damaged",
            };
            assert_eq!(found, want, "{bytes:?}");
        };
        check(&whole, "whole");
        check(b"", "nothing");
        check(&whole[1..], "damaged");
        check(&whole[..whole.len() - 1], "nothing");
        for place in 0..whole.len() {
            let mut bytes = whole.clone();
            bytes[place] ^= 1;
            check(&bytes, if (6..14).contains(&place) { "nothing" } else { "damaged" });
        }
    }

    #[test]
    fn long_names_have_journals_of_their_own() {
        let [one, two] = ["a", "b"].map(|end| path_of(&PathBuf::from("x".repeat(254) + end)));
        assert_ne!(one, two);
        assert!(one.file_name().unwrap().len() + ".not-applied.123456".len() <= 255);
    }
}
