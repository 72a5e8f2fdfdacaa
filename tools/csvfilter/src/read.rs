//! Reads an input, so and so many bytes at a time.

use std::fs::File;
use std::io::{self, ErrorKind, Read};
use std::os::unix::fs::FileExt as _;
use std::sync::Arc;

use crate::block::Block;
use crate::gate::Gate;

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
    source: Source,
    /// What was read before.
    start: Vec<u8>,
}

/// Where bytes come from.
pub(crate) enum Source {
    /// From a file that can be read at any place: it goes on at `offset`, and had `size` bytes when
    /// it was opened.
    File { file: Arc<File>, offset: u64, size: u64 },
    /// From anything that is read from its beginning to its end.
    Stream(Box<dyn Read + Send>),
    /// From a pipe or a terminal: bytes are wanted as soon as they are there. `pipe` is what `stream`
    /// reads.
    Pipe { stream: Box<dyn Read + Send>, pipe: File },
}

/// What is to be read, or was.
#[derive(Debug)]
pub(crate) struct Piece {
    /// Where what was read ends in the block.
    pub(crate) filled: usize,
    pub(crate) end: End,
    /// What is still to be read, by [`Piece::fetch`]: a file, and from where.
    later: Option<(Arc<File>, u64)>,
}

impl Default for Piece {
    fn default() -> Self {
        Self { filled: HEAD, end: End::No, later: None }
    }
}

impl Piece {
    /// Nothing, with this behind it.
    pub(crate) fn empty(end: End) -> Self {
        Self { end, ..Self::default() }
    }

    /// Reads what was put off: no other thread has to wait for that.
    ///
    /// # Errors
    /// When it cannot be read; what was read before the fault is there.
    pub(crate) fn fetch(&mut self, block: &mut Block) -> io::Result<()> {
        let Some((file, offset)) = self.later.take() else { return Ok(()) };
        let mut at = Offset { file: &file, offset };
        self.end = End::Torn;
        match fill(&mut at, block, &mut self.filled, false)? {
            // There was more behind it when the file was opened.
            End::Whole => Err(shrunk()),
            end => {
                self.end = end;
                Ok(())
            }
        }
    }
}

/// A file, read from a place of our own: its position is shared with whoever else has it open.
struct Offset<'f> {
    file: &'f File,
    offset: u64,
}

impl Read for Offset<'_> {
    fn read(&mut self, to: &mut [u8]) -> io::Result<usize> {
        let count = self.file.read_at(to, self.offset)?;
        self.offset += count as u64;
        Ok(count)
    }
}

impl Reader {
    /// Of a source, of which `start` was read before.
    pub(crate) fn new(source: Source, start: Vec<u8>) -> Self {
        Self { source, start }
    }

    /// Waits until there is something to read, or nobody wants it any more; then `false`.
    pub(crate) fn is_wanted(&self, gate: Option<&Gate>) -> bool {
        match (&self.source, gate) {
            (Source::Pipe { pipe, .. }, Some(gate)) if self.start.is_empty() => gate.wait(pipe),
            _ => true,
        }
    }

    /// Reads into `block`, from [`HEAD`] on, or says what is to be read there.
    ///
    /// # Errors
    /// When the input cannot be read; the piece then has what was read before the fault.
    pub(crate) fn read(&mut self, block: &mut Block) -> (Piece, io::Result<()>) {
        block.grow(HEAD + self.start.len().max(BLOCK));
        let mut piece = Piece { filled: HEAD + self.start.len(), ..Piece::default() };
        block.bytes[HEAD..piece.filled].copy_from_slice(&self.start);
        self.start = Vec::new();
        let read = match &mut self.source {
            Source::File { file, offset, size } => {
                let wanted = (HEAD + BLOCK).saturating_sub(piece.filled) as u64;
                if *offset + wanted < *size {
                    piece.later = Some((Arc::clone(file), *offset));
                    *offset += wanted;
                    return (piece, Ok(()));
                }
                // Near its end it may have grown.
                let mut at = Offset { file: &*file, offset: *offset };
                let read = fill(&mut at, block, &mut piece.filled, false);
                *offset = at.offset;
                match read {
                    // The size of some files in /sys is a lie, and stays the same one.
                    Ok(End::Whole) if at.offset < *size && length(file) < *size => Err(shrunk()),
                    read => read,
                }
            }
            // Rows that came together with the header do not wait for others.
            Source::Pipe { .. } if piece.filled > HEAD => Ok(End::No),
            Source::Pipe { stream, .. } => fill(stream, block, &mut piece.filled, true),
            Source::Stream(stream) => fill(stream, block, &mut piece.filled, false),
        };
        piece.end = *read.as_ref().unwrap_or(&End::Torn);
        (piece, read.map(|_| ()))
    }
}

/// Rows that were there when the file was opened are lost: logrotate's copytruncate does that.
fn shrunk() -> io::Error {
    io::Error::new(ErrorKind::UnexpectedEof, "it became shorter while it was read")
}

fn length(file: &File) -> u64 {
    file.metadata().map_or(u64::MAX, |about| about.len())
}

/// Fills the block up to [`BLOCK`] bytes behind its head; from a pipe, reads once.
fn fill(source: &mut impl Read, block: &mut Block, filled: &mut usize, is_live: bool) -> io::Result<End> {
    let wanted = HEAD + BLOCK;
    while *filled < wanted {
        match source.read(&mut block.bytes[*filled..wanted]) {
            Ok(0) => return Ok(End::Whole),
            Ok(count) => *filled += count,
            Err(error) if error.kind() == ErrorKind::Interrupted => continue,
            Err(error) => return Err(error),
        }
        if is_live {
            break;
        }
    }
    Ok(End::No)
}

const _: () = assert!(BLOCK.is_multiple_of(64) && HEAD.is_multiple_of(64), "blocks are whole words");

#[cfg(test)]
mod tests {
    use std::io::Write as _;

    use super::*;

    /// What is read of a file of `length` bytes that had `size` bytes when it was opened.
    fn check(length: usize, size: usize, want: Option<ErrorKind>) {
        let mut file = tempfile::tempfile().unwrap();
        file.write_all(&vec![b'\n'; length]).unwrap();
        let source = Source::File { file: Arc::new(file), offset: 0, size: size as u64 };
        let mut reader = Reader::new(source, Vec::new());
        let mut block = Block::default();
        loop {
            let (mut piece, read) = reader.read(&mut block);
            let read = read.and_then(|()| piece.fetch(&mut block));
            if piece.end != End::No {
                let found = read.err().map(|cause| cause.kind());
                assert_eq!((found, piece.end == End::Torn), (want, want.is_some()), "{length} {size}");
                break;
            }
            read.unwrap();
        }
    }

    #[test]
    fn a_file_that_became_shorter_is_not_whole() {
        for size in [1, BLOCK, 3 * BLOCK, 3 * BLOCK + 1] {
            check(size, size, None);
            check(size + 1, size, None);
            check(size - 1, size, Some(ErrorKind::UnexpectedEof));
            check(0, size, Some(ErrorKind::UnexpectedEof));
        }
        check(BLOCK, 3 * BLOCK, Some(ErrorKind::UnexpectedEof));
    }
}
