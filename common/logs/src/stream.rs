//! Feeds a scanner: from a reader in order, or from a file in parallel.

mod chunks;
mod utf16;

use std::io::{self, Read};

use crate::records::{After, Scanner, Sink};

pub use chunks::{Merge, scan_file};
pub use utf16::{Endian, Units, encode};

/// A read of this size costs no more per byte than a larger one, and stays in the cache.
const BLOCK: usize = 256 * 1024;
/// A line is read up to here to find its level; what it has beyond is passed on unseen.
const LONGEST: usize = 4 * 1024 * 1024;

/// A buffer that keeps the unfinished end of a block for the next one.
pub struct Blocks {
    buffer: Vec<u8>,
    filled: usize,
    block: usize,
    longest: usize,
}

impl Default for Blocks {
    fn default() -> Self {
        Self::with_sizes(BLOCK, LONGEST)
    }
}

impl Blocks {
    /// Reads `block` bytes at a time, and holds lines of up to `longest` bytes whole.
    #[must_use]
    pub fn with_sizes(block: usize, longest: usize) -> Self {
        Self { buffer: Vec::new(), filled: 0, block, longest }
    }

    /// Scans all that `read` gives, to its end; returns how many bytes were scanned.
    ///
    /// `end` is [`After::End`] where the input is complete, or [`After::More`] where an unfinished
    /// last line is to be left for another time.
    ///
    /// # Errors
    /// The first error of `read`; what came before it has been scanned, but for an unfinished line.
    pub fn scan(
        &mut self,
        mut read: impl FnMut(&mut [u8]) -> io::Result<usize>,
        scanner: &mut Scanner<'_>,
        end: After,
        sink: &mut impl Sink,
    ) -> io::Result<u64> {
        let mut taken = 0;
        loop {
            let got = self.fill(&mut read)?;
            let after = match got {
                0 => end,
                _ if self.filled >= self.longest => After::Full,
                _ => After::More,
            };
            let used = scanner.scan(&self.buffer[..self.filled], after, sink);
            taken += used as u64;
            self.buffer.copy_within(used..self.filled, 0);
            self.filled -= used;
            if got == 0 {
                return Ok(taken);
            }
        }
    }

    /// Reads once, into room for at least half a block.
    fn fill(&mut self, read: &mut impl FnMut(&mut [u8]) -> io::Result<usize>) -> io::Result<usize> {
        if self.buffer.len() - self.filled < self.block / 2 + 1 {
            let wanted = (self.filled * 2).clamp(self.block, self.longest.max(self.filled + self.block));
            self.buffer.resize(wanted.max(self.filled + self.block / 2 + 1), 0);
        }
        loop {
            match read(&mut self.buffer[self.filled..]) {
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
                Ok(got) => {
                    self.filled += got;
                    return Ok(got);
                }
            }
        }
    }
}

/// Scans a reader from where it stands to its end.
///
/// # Errors
/// The reader's first error; what came before it has been scanned.
pub fn scan_reader(
    reader: &mut dyn Read,
    scanner: &mut Scanner<'_>,
    sink: &mut impl Sink,
) -> io::Result<u64> {
    Blocks::default().scan(|buffer| reader.read(buffer), scanner, After::End, sink)
}
