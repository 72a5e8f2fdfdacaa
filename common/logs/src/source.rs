//! Where log text comes from: a file or `-`, packed or not, in UTF-8 or UTF-16.

use std::fs::File;
use std::io::{self, Chain, Cursor, Read};
use std::ops::Range;
use std::os::unix::fs::FileExt;
use std::path::Path;

use common::input::{Input, Packing};
use common::{OrCannot, Result};

use crate::clock::Time;
use crate::stream::{Endian, Units};

/// Enough for the byte order mark of UTF-16.
const MARK: usize = 2;

/// An opened input of log text.
pub struct Source {
    input: Input,
    size: u64,
    endian: Option<Endian>,
}

/// Log text as UTF-8, from its start.
pub struct Text {
    /// The bytes, unpacked; a byte order mark comes through as U+FEFF.
    pub reader: Box<dyn Read + Send>,
    /// The byte order it is written in, where that is UTF-16.
    pub endian: Option<Endian>,
}

impl Source {
    /// Opens `path`; `-` is standard input.
    ///
    /// # Errors
    /// When it cannot be opened or its first bytes cannot be read, a directory included.
    pub fn open(path: &Path) -> Result<Self> {
        let input = Input::open(path)?;
        let mut source = Self { size: 0, endian: None, input };
        if let Some(file) = source.input.seekable() {
            let mut mark = [0; MARK];
            let got = file.read_at(&mut mark, 0).or_cannot("read", path)?;
            source.endian = Endian::of(&mark[..got]);
            source.size = file.metadata().or_cannot("stat", path)?.len();
        }
        Ok(source)
    }

    /// What messages call it: the path, or `standard input`.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.input.name
    }

    /// The opened file itself: its metadata tell device, inode, size and time.
    #[must_use]
    pub fn file(&self) -> &File {
        self.input.file()
    }

    /// Whether the bytes have to be unpacked first.
    #[must_use]
    pub fn is_packed(&self) -> bool {
        self.input.packing != Packing::Plain
    }

    /// When the text was last written to: what a stamp without a year is measured against. For a
    /// pipe it is now.
    #[must_use]
    pub fn written(&self) -> Time {
        let metadata = self.input.file().metadata().ok().filter(std::fs::Metadata::is_file);
        metadata.and_then(|metadata| metadata.modified().ok()).map_or_else(Time::now, Time::from)
    }

    /// The file and where its text lies now, for positioned reads. `None` where the text must be
    /// read in order: standard input, pipes, packed files, UTF-16, and the files of `/proc`, whose
    /// size is told as 0.
    #[must_use]
    pub fn seekable(&self) -> Option<(&File, Range<u64>)> {
        let file = self.input.seekable().filter(|_| self.endian.is_none() && self.size > 0)?;
        Some((file, 0..self.size))
    }

    /// The text from its start.
    ///
    /// # Errors
    /// When the decoder cannot be set up, or the first bytes cannot be unpacked.
    pub fn text(self) -> Result<Text> {
        let name = self.input.name.clone();
        let mut reader = self.input.reader()?;
        let mut mark = Vec::with_capacity(MARK);
        reader.by_ref().take(MARK as u64).read_to_end(&mut mark).or_cannot("read", &name)?;
        let endian = Endian::of(&mark);
        let whole: Chain<Cursor<Vec<u8>>, _> = Cursor::new(mark).chain(reader);
        let reader: Box<dyn Read + Send> = match endian {
            Some(endian) => Box::new(Units::new(whole, endian)),
            None => Box::new(whole),
        };
        Ok(Text { reader, endian })
    }
}

/// Where the text of a file begins behind NULs, from `start` on; `start` itself where there are
/// none. A writer that goes on at its old offset after somebody truncated the file leaves a hole
/// there that can be as large as the old file.
///
/// # Errors
/// When the file cannot be read.
pub fn behind_nuls(file: &File, start: u64) -> io::Result<u64> {
    let mut at = start;
    let mut buffer = vec![0; 1];
    loop {
        let got = file.read_at(&mut buffer, at)?;
        match buffer[..got].iter().position(|byte| *byte != 0) {
            Some(text) => return Ok(at + text as u64),
            None if got == 0 => return Ok(at),
            None => at += got as u64,
        }
        buffer.resize(64 * 1024, 0);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Write;

    fn write(bytes: &[u8]) -> tempfile::NamedTempFile {
        let mut file = tempfile::NamedTempFile::new().unwrap();
        file.write_all(bytes).unwrap();
        file
    }

    #[test]
    fn text_is_utf_8_however_it_was_written() {
        let utf_16 = |text: &str| text.encode_utf16().flat_map(u16::to_le_bytes).collect::<Vec<u8>>();
        let check = |bytes: &[u8], seekable: bool, want: &str| {
            let file = write(bytes);
            let source = Source::open(file.path()).unwrap();
            assert_eq!(source.seekable().is_some(), seekable, "{want}");
            let mut text = String::new();
            source.text().unwrap().reader.read_to_string(&mut text).unwrap();
            assert_eq!(text, want);
        };
        check(b"INFO x\n", true, "INFO x\n");
        check(b"I", true, "I");
        check(b"", false, "");
        check(&utf_16("\u{feff}INFO x\n"), false, "\u{feff}INFO x\n");
        let magic_of_nothing = b"\x1f\x8b";
        assert!(Source::open(write(magic_of_nothing).path()).unwrap().is_packed());
    }

    #[test]
    fn the_hole_of_a_truncated_log_is_passed_over() {
        let check = |bytes: &[u8], start: u64, want: u64| {
            assert_eq!(behind_nuls(write(bytes).as_file(), start).unwrap(), want);
        };
        check(b"INFO", 0, 0);
        check(b"", 0, 0);
        check(b"\0\0\0", 0, 3);
        check(b"x\0\0y", 1, 3);
        check(&[&vec![0; 100_000][..], b"INFO"].concat(), 0, 100_000);
    }
}
