//! An input: a file or `-`, plain or compressed, told by its first bytes and not by its name.

use std::fs::File;
use std::io::{self, Chain, Cursor, IsTerminal, Read};
use std::os::fd::AsFd;
use std::path::Path;

use crate::error::{OrCannot, Result};

/// How the bytes of an input are packed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Packing {
    /// Not at all.
    Plain,
    /// gzip, RFC 1952: `1f 8b`.
    Gzip,
    /// Zstandard, RFC 8878: `28 b5 2f fd`.
    Zstd,
    /// xz: `fd 37 7a 58 5a 00`.
    Xz,
    /// bzip2: `BZh1` to `BZh9`.
    Bzip2,
}

/// Enough for the longest magic number, and for a byte order mark.
const MAGIC: usize = 6;

impl Packing {
    /// What the first bytes of a file say.
    #[must_use]
    pub fn of(head: &[u8]) -> Self {
        match head {
            [0x1f, 0x8b, ..] => Self::Gzip,
            [0x28, 0xb5, 0x2f, 0xfd, ..] => Self::Zstd,
            [0xfd, b'7', b'z', b'X', b'Z', 0, ..] => Self::Xz,
            // A text may well begin with BZh; the magic of a block or of the end follows in an archive.
            [b'B', b'Z', b'h', b'1'..=b'9', 0x31, 0x41] | [b'B', b'Z', b'h', b'1'..=b'9', 0x17, 0x72] => {
                Self::Bzip2
            }
            _ => Self::Plain,
        }
    }
}

/// As much of the beginning as tells the packing: from a pipe, text may come bit by bit, and what
/// cannot become a magic number is not waited for.
fn head_of(file: &mut File) -> io::Result<Vec<u8>> {
    let magics: [&[u8]; 4] =
        [&[0x1f, 0x8b], &[0x28, 0xb5, 0x2f, 0xfd], &[0xfd, b'7', b'z', b'X', b'Z', 0], b"BZh"];
    let may_be_packed = |head: &[u8]| {
        magics.iter().any(|magic| head.iter().zip(*magic).all(|(found, wanted)| found == wanted))
    };
    let mut head = [0; MAGIC];
    let mut filled = 0;
    while filled < MAGIC && may_be_packed(&head[..filled]) {
        match file.read(&mut head[filled..]) {
            Ok(0) => break,
            Ok(count) => filled += count,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(head[..filled].to_vec())
}

/// An opened input.
pub struct Input {
    /// What messages call it: the path, or `standard input`.
    pub name: String,
    /// The packing that was found.
    pub packing: Packing,
    head: Vec<u8>,
    file: File,
}

impl Input {
    /// Opens `path`; `-` is standard input.
    ///
    /// # Errors
    /// When it cannot be opened or its first bytes cannot be read, a directory included.
    pub fn open(path: &Path) -> Result<Self> {
        if path.as_os_str() == "-" {
            let stdin = io::stdin();
            if stdin.is_terminal() {
                log::info!("reading standard input from the terminal; end it with Ctrl-D");
            }
            let file = stdin.as_fd().try_clone_to_owned().or_cannot("open", "standard input")?;
            return Self::new(File::from(file), "standard input".into());
        }
        let file = File::open(path).or_cannot("open", path)?;
        Self::new(file, path.display().to_string())
    }

    fn new(mut file: File, name: String) -> Result<Self> {
        let head = head_of(&mut file).or_cannot("read", &name)?;
        Ok(Self { packing: Packing::of(&head), name, head, file })
    }

    /// The file itself where it can be read at any place: regular and not packed. Its own position
    /// is undefined; use positioned reads.
    #[must_use]
    pub fn seekable(&self) -> Option<&File> {
        let regular = self.file.metadata().is_ok_and(|meta| meta.is_file());
        (regular && self.packing == Packing::Plain && !self.is_standard_input()).then_some(&self.file)
    }

    /// Standard input may be a regular file whose position is not at its start (`{ read x; tool; } < f`).
    fn is_standard_input(&self) -> bool {
        self.name == "standard input"
    }

    /// The opened file: its metadata tell device, inode, size and time.
    #[must_use]
    pub fn file(&self) -> &File {
        &self.file
    }

    /// The unpacked bytes from the start. Concatenated members (`cat a.gz b.gz`) are one stream; a
    /// torn end is an error, after all bytes before it.
    ///
    /// # Errors
    /// When the decoder cannot be set up.
    pub fn reader(self) -> Result<Box<dyn Read + Send>> {
        let whole: Chain<Cursor<Vec<u8>>, File> = Cursor::new(self.head).chain(self.file);
        Ok(match self.packing {
            Packing::Plain => Box::new(whole),
            Packing::Gzip => Box::new(flate2::read::MultiGzDecoder::new(large(whole))),
            Packing::Zstd => Box::new(zstd::Decoder::new(whole).or_cannot("unpack", &self.name)?),
            Packing::Xz => Box::new(liblzma::read::XzDecoder::new_multi_decoder(large(whole))),
            Packing::Bzip2 => Box::new(bzip2::read::MultiBzDecoder::new(large(whole))),
        })
    }
}

/// The decoders read 8 to 32 KiB at a time by themselves; half the system calls at no cost.
fn large(reader: impl Read) -> impl Read {
    io::BufReader::with_capacity(128 * 1024, reader)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Write;

    #[test]
    fn the_bytes_tell_the_packing_and_not_the_name() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("app.log");
        let check = |bytes: &[u8], packing: Packing, want: &str| {
            File::create(&path).unwrap().write_all(bytes).unwrap();
            let input = Input::open(&path).unwrap();
            assert_eq!(input.packing, packing);
            assert_eq!(input.seekable().is_some(), packing == Packing::Plain);
            let mut text = String::new();
            input.reader().unwrap().read_to_string(&mut text).unwrap();
            assert_eq!(text, want);
        };
        check(b"", Packing::Plain, "");
        check(b"INFO", Packing::Plain, "INFO");
        check(b"BZh9 is no archive", Packing::Plain, "BZh9 is no archive");
        let mut twice = Vec::new();
        for part in ["one\n", "two\n"] {
            let mut gz = flate2::write::GzEncoder::new(&mut twice, flate2::Compression::fast());
            gz.write_all(part.as_bytes()).unwrap();
            gz.finish().unwrap();
        }
        check(&twice, Packing::Gzip, "one\ntwo\n");
        check(&zstd::encode_all(&b"zst\n"[..], 1).unwrap(), Packing::Zstd, "zst\n");
        let mut xz = liblzma::write::XzEncoder::new(Vec::new(), 1);
        xz.write_all(b"xz\n").unwrap();
        check(&xz.finish().unwrap(), Packing::Xz, "xz\n");
        let mut bz = bzip2::write::BzEncoder::new(Vec::new(), bzip2::Compression::fast());
        bz.write_all(b"bz\n").unwrap();
        check(&bz.finish().unwrap(), Packing::Bzip2, "bz\n");
    }

    #[test]
    fn a_directory_is_refused_with_its_name() {
        let folder = tempfile::tempdir().unwrap();
        let error = Input::open(folder.path()).err().unwrap();
        assert!(error.to_string().contains(&folder.path().display().to_string()), "{error}");
    }
}
