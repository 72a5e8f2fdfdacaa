//! The lines of a file from any place in it.

use std::fs::File;
use std::io::{self, ErrorKind};
use std::os::unix::fs::FileExt;

use memchr::memchr;

/// A line is read up to here, as a scan does; what it has beyond is passed over.
const LONGEST: usize = 4 * 1024 * 1024;

/// Reads lines one by one.
pub(super) struct Lines<'f> {
    file: &'f File,
    window: usize,
    /// Where `buffer` begins in the file.
    base: u64,
    buffer: Vec<u8>,
    /// How much of `buffer` has been given out.
    used: usize,
    /// What comes first is the rest of a line.
    inside: bool,
}

impl<'f> Lines<'f> {
    /// From the first line that begins at or after `offset`.
    pub(super) fn from(file: &'f File, offset: u64, window: usize) -> Self {
        // A line begins at the offset if the byte before it ends one.
        let (base, inside) = (offset.saturating_sub(1), offset > 0);
        Self { file, window, base, buffer: Vec::new(), used: 0, inside }
    }

    /// The offset of the next line, and the line without its line end.
    pub(super) fn next(&mut self) -> io::Result<Option<(u64, &[u8])>> {
        while self.inside {
            let newline = memchr(b'\n', &self.buffer[self.used..]);
            self.used = newline.map_or(self.buffer.len(), |newline| self.used + newline + 1);
            self.inside = newline.is_none();
            if self.inside && !self.fill()? {
                return Ok(None);
            }
        }
        let mut looked_at = 0;
        let (end, next) = loop {
            let rest = &self.buffer[self.used..];
            if let Some(newline) = memchr(b'\n', &rest[looked_at..]) {
                let newline = looked_at + newline;
                let end = if rest[..newline].ends_with(b"\r") { newline - 1 } else { newline };
                break (end, newline + 1);
            }
            looked_at = rest.len();
            if looked_at >= LONGEST {
                self.inside = true;
                break (looked_at, looked_at);
            }
            if !self.fill()? {
                break (looked_at, looked_at);
            }
        };
        if next == 0 {
            return Ok(None);
        }
        let start = self.used;
        self.used += next;
        Ok(Some((self.base + start as u64, &self.buffer[start..start + end])))
    }

    /// Reads on, so that long lines take few reads; false at the end of the file.
    fn fill(&mut self) -> io::Result<bool> {
        self.buffer.drain(..self.used);
        self.base += self.used as u64;
        self.used = 0;
        let more =
            block(self.file, self.base + self.buffer.len() as u64, self.window.max(self.buffer.len()))?;
        self.buffer.extend_from_slice(&more);
        Ok(!more.is_empty())
    }
}

/// `size` bytes from `offset` on, or as many as there are.
pub(super) fn block(file: &File, offset: u64, size: usize) -> io::Result<Vec<u8>> {
    let mut bytes = vec![0; size];
    let mut filled = 0;
    while filled < size {
        match file.read_at(&mut bytes[filled..], offset + filled as u64) {
            Ok(0) => break,
            Ok(got) => filled += got,
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    bytes.truncate(filled);
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::io::Write;

    proptest! {
        #[test]
        fn every_line_behind_every_offset(text in "[a\r\n]{0,40}", window in 1_usize..9, from in 0_u64..44) {
            let mut file = tempfile::tempfile().unwrap();
            file.write_all(text.as_bytes()).unwrap();
            let mut lines = Lines::from(&file, from, window);
            let mut got = Vec::new();
            while let Some((at, line)) = lines.next().unwrap() {
                got.push((at, String::from_utf8(line.to_vec()).unwrap()));
            }
            let mut want = Vec::new();
            let mut at = 0;
            for line in text.split_inclusive('\n') {
                if at >= from {
                    let bare = line.strip_suffix("\r\n").or(line.strip_suffix('\n')).unwrap_or(line);
                    want.push((at, bare.to_owned()));
                }
                at += line.len() as u64;
            }
            prop_assert_eq!(got, want);
        }
    }

    #[test]
    fn a_line_without_end_is_cut() {
        let mut file = tempfile::tempfile().unwrap();
        file.write_all(&[b"x".repeat(LONGEST * 3), b"\nnext\n".to_vec()].concat()).unwrap();
        let mut lines = Lines::from(&file, 0, 8192);
        let (at, line) = lines.next().unwrap().unwrap();
        assert!(at == 0 && (LONGEST..LONGEST * 3).contains(&line.len()), "{}", line.len());
        assert_eq!(lines.next().unwrap().unwrap(), (LONGEST as u64 * 3 + 1, &b"next"[..]));
        assert_eq!(lines.next().unwrap(), None);
    }
}
