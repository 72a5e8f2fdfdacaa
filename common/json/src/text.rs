//! The bytes of a document: unchanged parts of the file and new ones, in order.
//!
//! An edit of a 100 MB file must not take 100 MB of memory, so what stays is not loaded: a part is a
//! range of the file, or bytes of ours. Small documents are one part in memory. Nothing is mapped: a
//! file that somebody cuts short meanwhile would kill us by SIGBUS.

mod cursor;

use std::fmt::{Debug, Formatter, Write as _};
use std::fs::File;
use std::io::Write;
use std::ops::Range;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use common::{Error, OrCannot, Result};

pub(crate) use cursor::Cursor;
use sha2::{Digest, Sha256};

/// Documents up to this size are kept in memory and stay in one part.
pub const SMALL: u64 = 1 << 20;

/// How much of a large document is in memory at a time. 64 KiB is no slower to scan than 1 MiB.
const WINDOW: usize = 1 << 16;

/// The bytes of a document.
#[derive(Clone)]
pub struct Text {
    parts: Vec<Part>,
    length: u64,
}

#[derive(Clone)]
enum Part {
    File { source: Arc<Source>, at: u64, length: u64 },
    New(Arc<[u8]>, Range<usize>),
}

struct Source {
    file: File,
    name: PathBuf,
}

impl Part {
    fn length(&self) -> u64 {
        match self {
            Self::File { length, .. } => *length,
            Self::New(_, range) => range.len() as u64,
        }
    }

    /// The part of it that `range` names.
    fn cut(&self, range: Range<u64>) -> Self {
        match self {
            Self::File { source, at, .. } => Self::File {
                source: Arc::clone(source),
                at: at + range.start,
                length: range.end - range.start,
            },
            Self::New(bytes, whole) => {
                let at = |offset: u64| whole.start + usize::try_from(offset).unwrap_or(whole.len());
                Self::New(Arc::clone(bytes), at(range.start)..at(range.end))
            }
        }
    }
}

impl Debug for Text {
    /// Without the bytes, which may hold secrets.
    fn fmt(&self, out: &mut Formatter<'_>) -> std::fmt::Result {
        write!(out, "Text({} bytes)", self.length)
    }
}

impl Text {
    /// A text in memory.
    #[must_use]
    pub fn new(bytes: Vec<u8>) -> Self {
        let length = bytes.len() as u64;
        Self { parts: vec![Part::New(bytes.into(), 0..usize::try_from(length).unwrap_or(0))], length }
    }

    /// The text of a file as long as it is now; errors call it `name`. A large one is read when it
    /// is needed.
    ///
    /// # Errors
    /// When a small file cannot be read.
    pub fn of(file: File, name: &Path) -> Result<Self> {
        let length = file.metadata().or_cannot("stat", name)?.len();
        Self::of_length(file, name, length)
    }

    /// As [`Text::of`], of the first `length` bytes.
    ///
    /// # Errors
    /// As [`Text::of`].
    pub fn of_length(file: File, name: &Path, length: u64) -> Result<Self> {
        let source = Arc::new(Source { file, name: name.into() });
        let text = Self { parts: vec![Part::File { source, at: 0, length }], length };
        if length > SMALL { Ok(text) } else { Ok(Self::new(text.read(0..length)?)) }
    }

    /// How many bytes it has.
    #[must_use]
    pub fn length(&self) -> u64 {
        self.length
    }

    /// The bytes of `range`, which lies in the text.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub fn read(&self, range: Range<u64>) -> Result<Vec<u8>> {
        let mut bytes = vec![0; usize::try_from(range.end - range.start).unwrap_or(0)];
        let read = self.fill(range.start, &mut bytes)?;
        bytes.truncate(read);
        Ok(bytes)
    }

    /// All of it.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub fn all(&self) -> Result<Vec<u8>> {
        self.read(0..self.length)
    }

    /// Puts `new` in the place of `range`.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub fn splice(&mut self, range: Range<u64>, new: Vec<u8>) -> Result<()> {
        let end = new.len();
        let mut parts = self.between(0..range.start);
        parts.push(Part::New(new.into(), 0..end));
        parts.extend(self.between(range.end..self.length));
        parts.retain(|part| part.length() > 0);
        self.length = parts.iter().map(Part::length).sum();
        self.parts = parts;
        if self.length <= SMALL && self.parts.len() > 1 {
            *self = Self::new(self.all()?);
        }
        Ok(())
    }

    fn between(&self, range: Range<u64>) -> Vec<Part> {
        let mut parts = Vec::with_capacity(self.parts.len() + 2);
        let mut at = 0;
        for part in &self.parts {
            let (from, to) = (range.start.max(at), range.end.min(at + part.length()));
            if from < to {
                parts.push(part.cut(from - at..to - at));
            }
            at += part.length();
        }
        parts
    }

    /// Writes it to `out`.
    ///
    /// # Errors
    /// When the file cannot be read; when `out` cannot be written, with `name` as its name.
    pub fn write_to(&self, out: &mut impl Write, name: &Path) -> Result<()> {
        self.for_each_window(|bytes| out.write_all(bytes).or_cannot("write", name))
    }

    /// Shows all of it to `see`, a window at a time.
    ///
    /// # Errors
    /// When the file cannot be read, and what `see` returns.
    pub fn for_each_window(&self, mut see: impl FnMut(&[u8]) -> Result<()>) -> Result<()> {
        let mut window = Vec::new();
        for part in &self.parts {
            if let Part::New(bytes, range) = part {
                see(&bytes[range.clone()])?;
                continue;
            }
            window.resize(WINDOW, 0);
            let mut done = 0;
            while done < part.length() {
                let read = read_part(part, done, &mut window)?;
                see(&window[..read])?;
                done += read as u64;
            }
        }
        Ok(())
    }

    /// The SHA-256 of it in hexadecimal digits.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub fn sha256(&self) -> Result<String> {
        let mut digest = Sha256::new();
        self.for_each_window(|bytes| {
            digest.update(bytes);
            Ok(())
        })?;
        let mut hash = String::with_capacity(64);
        for byte in digest.finalize() {
            let _strings_never_refuse = write!(hash, "{byte:02x}");
        }
        Ok(hash)
    }

    /// Whether the bytes of both are the same.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub fn same_as(&self, other: &Self) -> Result<bool> {
        if self.length != other.length {
            return Ok(false);
        }
        let window = usize::try_from(self.length).unwrap_or(WINDOW).min(WINDOW);
        let (mut mine, mut theirs) = (vec![0; window], vec![0; window]);
        let mut at = 0;
        while at < self.length {
            let shared = self.shared(other, at);
            if shared > 0 {
                at += shared;
                continue;
            }
            let read = self.fill(at, &mut mine)?;
            if other.fill(at, &mut theirs)? != read || mine[..read] != theirs[..read] {
                return Ok(false);
            }
            at += read as u64;
        }
        Ok(true)
    }

    /// How many bytes both have in common at the offset `at` without a look at them, because they are
    /// the same place of one file.
    fn shared(&self, other: &Self, at: u64) -> u64 {
        match (self.part_at(at), other.part_at(at)) {
            (
                Some((Part::File { source, at: mine, length }, skip)),
                Some((Part::File { source: other, at: theirs, length: most }, jump)),
            ) if Arc::ptr_eq(source, other) && mine + skip == theirs + jump => {
                (length - skip).min(most - jump)
            }
            _ => 0,
        }
    }

    /// The part of the offset `at`, and how far in it that is.
    fn part_at(&self, at: u64) -> Option<(&Part, u64)> {
        let mut skip = at;
        for part in &self.parts {
            if skip < part.length() {
                return Some((part, skip));
            }
            skip -= part.length();
        }
        None
    }

    /// Fills `buffer` from the offset `at` on; less only at the end.
    fn fill(&self, at: u64, buffer: &mut [u8]) -> Result<usize> {
        let (mut skip, mut filled) = (at, 0);
        for part in &self.parts {
            if skip >= part.length() {
                skip -= part.length();
                continue;
            }
            while skip < part.length() && filled < buffer.len() {
                let read = read_part(part, skip, &mut buffer[filled..])?;
                skip += read as u64;
                filled += read;
            }
            if filled == buffer.len() {
                break;
            }
            skip = 0;
        }
        Ok(filled)
    }

    /// A cursor that begins at the offset `at`.
    pub(crate) fn cursor(&self, at: u64) -> Cursor<'_> {
        Cursor::new(self, at)
    }
}

/// Reads from `part` at the offset `from` in it: at least a byte.
fn read_part(part: &Part, from: u64, buffer: &mut [u8]) -> Result<usize> {
    match part {
        Part::New(bytes, range) => {
            let rest = &bytes[range.clone()][usize::try_from(from).unwrap_or(0)..];
            let length = rest.len().min(buffer.len());
            buffer[..length].copy_from_slice(&rest[..length]);
            Ok(length)
        }
        Part::File { source, at, length } => {
            let most = usize::try_from(length - from).unwrap_or(usize::MAX).min(buffer.len());
            let read = loop {
                match source.file.read_at(&mut buffer[..most], at + from) {
                    Err(cause) if cause.kind() == std::io::ErrorKind::Interrupted => {}
                    read => break read,
                }
            };
            match read.or_cannot("read", &source.name)? {
                0 => Err(Error::retry(format!("{} was cut short while it was read", source.name.display()))),
                read => Ok(read),
            }
        }
    }
}

#[cfg(test)]
mod tests;
