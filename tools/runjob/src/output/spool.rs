//! Bytes by their position: the first of them in memory, the others in a file that has no name.

use std::env;
use std::fs::File;
use std::io;
use std::path::Path;

use rustix::fs::{Mode, OFlags, open, unlink};
use rustix::io::{Errno, pread, pwrite};

/// As much as is read back from the file at once.
const CHUNK: usize = 64 * 1024;

/// What keeps bytes at positions.
#[derive(Debug)]
pub(crate) struct Spool {
    memory: Vec<u8>,
    /// So many of the first bytes are in memory.
    most: usize,
    /// Made when it is needed first.
    file: Option<File>,
}

/// Some of it was kept, and why the rest was not.
pub(crate) type Short = (usize, io::Error);

impl Spool {
    /// Keeps the bytes before position `most` in memory.
    pub(crate) fn new(most: usize) -> Self {
        Self { memory: Vec::new(), most, file: None }
    }

    /// Keeps `bytes` at `at`, which is not beyond what was kept so far.
    ///
    /// # Errors
    /// When there is no room for a file: so many of the bytes are kept.
    pub(crate) fn write(&mut self, at: u64, bytes: &[u8]) -> Result<(), Short> {
        let place = usize::try_from(at).map_or(self.most, |at| at.min(self.most));
        let (near, far) = bytes.split_at(bytes.len().min(self.most - place));
        if !near.is_empty() {
            let end = place + near.len();
            self.memory.resize(self.memory.len().max(end), 0);
            self.memory[place..end].copy_from_slice(near);
        }
        if far.is_empty() {
            return Ok(());
        }
        let at = (at + near.len() as u64) - self.most as u64;
        self.write_file(at, far).map_err(|(kept, why)| (near.len() + kept, why))
    }

    fn write_file(&mut self, at: u64, bytes: &[u8]) -> Result<(), Short> {
        let file = match &mut self.file {
            Some(file) => file,
            None => self.file.insert(nameless().map_err(|why| (0, why))?),
        };
        let mut kept = 0;
        while kept < bytes.len() {
            match pwrite(&*file, &bytes[kept..], at + kept as u64) {
                Ok(0) => return Err((kept, Errno::NOSPC.into())),
                Ok(count) => kept += count,
                Err(Errno::INTR) => {}
                Err(why) => return Err((kept, why.into())),
            }
        }
        Ok(())
    }

    /// Hands on the bytes from `from` to before `to`, in pieces.
    ///
    /// # Errors
    /// When the file cannot be read, or `take` refuses a piece.
    pub(crate) fn read(
        &self,
        (from, to): (u64, u64),
        take: &mut dyn FnMut(&[u8]) -> io::Result<()>,
    ) -> io::Result<()> {
        let within = |at: u64| usize::try_from(at).map_or(self.memory.len(), |at| at.min(self.memory.len()));
        let near = &self.memory[within(from)..within(to)];
        if !near.is_empty() {
            take(near)?;
        }
        let mut at = from + near.len() as u64;
        let Some(file) = self.file.as_ref().filter(|_| at < to) else { return Ok(()) };
        let mut piece = vec![0; CHUNK];
        while at < to {
            let most = usize::try_from(to - at).map_or(CHUNK, |left| left.min(CHUNK));
            match pread(file, &mut piece[..most], at - self.most as u64) {
                Ok(0) => return Err(io::ErrorKind::UnexpectedEof.into()),
                Ok(count) => {
                    take(&piece[..count])?;
                    at += count as u64;
                }
                Err(Errno::INTR) => {}
                Err(why) => return Err(why.into()),
            }
        }
        Ok(())
    }
}

/// A file that nobody else can open and that is gone with this process, however it ends: in `$TMPDIR`, or
/// in `/var/tmp`, since `/tmp` is often memory.
///
/// # Errors
/// When neither takes a file: that of the first.
pub(crate) fn nameless() -> io::Result<File> {
    let asked = env::var_os("TMPDIR").filter(|folder| !folder.is_empty());
    match asked {
        Some(folder) => nameless_in(Path::new(&folder))
            .or_else(|why| nameless_in(Path::new("/var/tmp")).map_err(|_| why.into())),
        None => nameless_in(Path::new("/var/tmp")).map_err(Into::into),
    }
}

fn nameless_in(folder: &Path) -> Result<File, Errno> {
    let mode = Mode::RUSR | Mode::WUSR;
    match open(folder, OFlags::TMPFILE | OFlags::RDWR | OFlags::CLOEXEC, mode) {
        Ok(file) => Ok(file.into()),
        // Not every file system can do that: overlayfs learnt it in Linux 6.1, NFS never.
        Err(Errno::OPNOTSUPP | Errno::ISDIR) => {
            let path = folder.join(format!(".runjob-{}-{:x}", std::process::id(), fastrand::u64(..)));
            let how = OFlags::CREATE | OFlags::EXCL | OFlags::RDWR | OFlags::CLOEXEC | OFlags::NOFOLLOW;
            let file = open(&path, how, mode)?;
            unlink(&path)?;
            Ok(file.into())
        }
        Err(why) => Err(why),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn all(spool: &Spool, range: (u64, u64)) -> Vec<u8> {
        let mut found = Vec::new();
        let mut take = |piece: &[u8]| {
            found.extend_from_slice(piece);
            Ok(())
        };
        spool.read(range, &mut take).unwrap();
        found
    }

    #[test]
    fn what_is_over_goes_into_a_file_and_comes_back() {
        let mut spool = Spool::new(4);
        spool.write(0, b"abc").unwrap();
        assert!(spool.file.is_none());
        spool.write(3, b"defgh").unwrap();
        spool.write(8, b"ij").unwrap();
        assert_eq!((spool.memory.len(), spool.file.is_some()), (4, true));
        let check = |from, to, want: &[u8]| assert_eq!(all(&spool, (from, to)), want, "{from}..{to}");
        check(0, 10, b"abcdefghij");
        check(2, 6, b"cdef");
        check(5, 7, b"fg");
        check(1, 3, b"bc");
        check(4, 4, b"");
        spool.write(2, b"CDEF").unwrap();
        assert_eq!(all(&spool, (0, 10)), b"abCDEFghij");
    }

    #[test]
    fn a_folder_that_is_not_there_is_an_error() {
        assert_eq!(nameless_in(Path::new("/nowhere")).unwrap_err(), Errno::NOENT);
        assert!(nameless_in(Path::new("/var/tmp")).is_ok());
    }
}
