//! One input, read and scanned block by block.

use std::fs::File;
use std::io::Read;
use std::ops::Range;
use std::os::unix::fs::FileExt;
use std::path::Path;

use common::{OrCannot, Result};
use logs::clock::Time;
use logs::records::{After, Scanner, Sink};
use logs::source::{Source as Opened, behind_nuls};
use logs::stream::{Blocks, Endian};

/// Where the bytes come from.
enum Feed {
    /// A plain file, read from this offset: behind the NULs that truncating an open log leaves.
    File(Opened, u64),
    Reader(Box<dyn Read + Send>),
}

/// An opened input.
pub struct Source {
    /// What messages call it.
    pub name: String,
    /// The byte order of an input in UTF-16; its records come as UTF-8 and without its mark.
    pub utf16: Option<Endian>,
    /// When it was last written: now, where it is no file.
    pub written: Time,
    /// Whether the next bytes may be a long time coming: it is a pipe, a terminal or the like.
    pub is_live: bool,
    feed: Feed,
    blocks: Blocks,
}

impl Source {
    /// Opens `path`, `-` being standard input, and unpacks it where it is packed.
    ///
    /// # Errors
    /// When it cannot be opened or its first bytes cannot be read.
    pub fn open(path: &Path, blocks: Blocks) -> Result<Self> {
        let opened = Opened::open(path)?;
        let (name, written) = (opened.name().to_owned(), opened.written());
        let is_live = !opened.file().metadata().is_ok_and(|metadata| metadata.is_file());
        if let Some((file, range)) = opened.seekable() {
            let start = behind_nuls(file, range.start).or_cannot("read", &name)?;
            return Ok(Self { name, utf16: None, written, is_live, feed: Feed::File(opened, start), blocks });
        }
        let mut text = opened.text()?;
        if text.endian.is_some() {
            // The mark is no part of the first record; the output gets one of its own.
            let mut mark = [0; '\u{feff}'.len_utf8()];
            text.reader.read_exact(&mut mark).or_cannot("read", &name)?;
        }
        Ok(Self { name, utf16: text.endian, written, is_live, feed: Feed::Reader(text.reader), blocks })
    }

    /// The file itself and where its text lies, where it can be read at any place. Before the first
    /// step only.
    #[must_use]
    pub fn plain(&self) -> Option<(&File, Range<u64>)> {
        match &self.feed {
            Feed::File(opened, at) => opened.seekable().map(|(file, range)| (file, *at..range.end)),
            Feed::Reader(_) => None,
        }
    }

    /// Goes to `offset`; only before the first step, and only where [`Source::plain`] is some.
    pub fn start_at(&mut self, offset: u64) {
        if let Feed::File(_, at) = &mut self.feed {
            *at = offset;
        }
    }

    /// Reads once and scans what is there; false at the end of the input, when all of it is scanned.
    ///
    /// # Errors
    /// When it cannot be read or unpacked; what came before has been scanned.
    pub fn step(&mut self, scanner: &mut Scanner<'_>, sink: &mut impl Sink) -> Result<bool> {
        let mut got = None;
        let feed = &mut self.feed;
        let once = |buffer: &mut [u8]| {
            if got.is_some() {
                return Ok(0);
            }
            let count = match feed {
                Feed::File(opened, at) => {
                    let count = opened.file().read_at(buffer, *at)?;
                    *at += count as u64;
                    count
                }
                Feed::Reader(reader) => reader.read(buffer)?,
            };
            got = Some(count);
            Ok(count)
        };
        self.blocks.scan(once, scanner, After::More, sink).or_cannot("read", &self.name)?;
        if got != Some(0) {
            return Ok(true);
        }
        self.blocks.scan(|_| Ok(0), scanner, After::End, sink).or_cannot("read", &self.name)?;
        Ok(false)
    }
}
