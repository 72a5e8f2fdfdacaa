//! Reads an input, so and so many bytes at a time.

use std::io::{self, ErrorKind, Read};

use crate::block::Block;

/// How many bytes are read at a time: a fraction of the second-level cache, so that a block is still
/// there when its rows are looked at. 128 KiB to 1 MiB are equally fast.
pub(crate) const BLOCK: usize = 256 * 1024;

/// How many bytes of a block are left free before what is read: for the row that began before it.
/// Longer rows are copied once more.
pub(crate) const HEAD: usize = 16 * 1024;

/// Whether there is more behind what was read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) enum End {
    /// Perhaps.
    #[default]
    No,
    /// That was all.
    Whole,
    /// There is, but it cannot be read.
    Torn,
}

/// The rest of an input.
pub(crate) struct Reader {
    source: Box<dyn Read + Send>,
    /// What was read before.
    start: Vec<u8>,
    /// Bytes are wanted as soon as they are there: a pipe.
    is_live: bool,
}

impl Reader {
    /// Of a source, of which `start` was read before.
    pub(crate) fn new(source: Box<dyn Read + Send>, start: Vec<u8>, is_live: bool) -> Self {
        Self { source, start, is_live }
    }

    /// Reads into `block`, from [`HEAD`] on; returns where that ends, and how it went. A fault comes
    /// together with what was read before it.
    pub(crate) fn read(&mut self, block: &mut Block) -> (usize, io::Result<End>) {
        block.grow(HEAD + self.start.len().max(BLOCK));
        let mut filled = HEAD + self.start.len();
        block.bytes[HEAD..filled].copy_from_slice(&self.start);
        self.start = Vec::new();
        let wanted = HEAD + BLOCK;
        while filled < wanted {
            match self.source.read(&mut block.bytes[filled..wanted]) {
                Ok(0) => return (filled, Ok(End::Whole)),
                Ok(count) => filled += count,
                Err(error) if error.kind() == ErrorKind::Interrupted => continue,
                Err(error) => return (filled, Err(error)),
            }
            if self.is_live {
                break;
            }
        }
        (filled, Ok(End::No))
    }
}

const _: () = assert!(BLOCK.is_multiple_of(64) && HEAD.is_multiple_of(64), "blocks are whole words");
