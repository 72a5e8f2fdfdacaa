//! Standard output that names its errors.
//!
//! `println!` panics when the reader has gone, and an ignored write error loses results silently.
//! [`Out`] is buffered, and its own `write_fmt` (which `writeln!` prefers over the trait's) returns
//! an [`Error`] that already knows what a closed pipe and a full disk mean.

mod held;

use std::fs::File;
use std::io::{self, BufWriter, IsTerminal, Write};
use std::os::fd::AsFd;

use serde::Serialize;

use crate::error::{Error, Result};
use crate::log::escape_json;

pub use held::Held;

/// As much as a pipe holds on Linux by default (pipe(7)): a larger buffer saves no system call.
const BUFFER: usize = 64 * 1024;

/// A buffered output: standard output, or any writer with a name.
pub struct Out {
    writer: BufWriter<Box<dyn Write + Send>>,
    name: String,
    terminal: bool,
}

impl Out {
    /// Standard output, buffered in blocks on terminals too: flush where a person waits.
    #[must_use]
    pub fn stdout() -> Self {
        let stdout = io::stdout();
        let terminal = stdout.is_terminal();
        // std's own handle looks for a newline in every write; a duplicate of the descriptor does not.
        let writer: Box<dyn Write + Send> = match stdout.as_fd().try_clone_to_owned() {
            Ok(fd) => Box::new(File::from(fd)),
            Err(_) => Box::new(stdout),
        };
        Self { writer: BufWriter::with_capacity(BUFFER, writer), name: "standard output".into(), terminal }
    }

    /// Any other writer; `name` is what its errors call it.
    #[must_use]
    pub fn to(writer: impl Write + Send + 'static, name: impl Into<String>) -> Self {
        Self {
            writer: BufWriter::with_capacity(BUFFER, Box::new(writer)),
            name: name.into(),
            terminal: false,
        }
    }

    /// Whether a person reads this: standard output is a terminal.
    #[must_use]
    pub fn is_terminal(&self) -> bool {
        self.terminal
    }

    /// Writes all of `bytes`.
    ///
    /// # Errors
    /// When the output cannot be written: a full disk fails, a reader that has gone is silent.
    pub fn write_all(&mut self, bytes: &[u8]) -> Result<()> {
        self.writer.write_all(bytes).map_err(|cause| self.cannot_write(cause))
    }

    /// What `write!` and `writeln!` call.
    ///
    /// # Errors
    /// As [`Out::write_all`].
    pub fn write_fmt(&mut self, text: std::fmt::Arguments<'_>) -> Result<()> {
        self.writer.write_fmt(text).map_err(|cause| self.cannot_write(cause))
    }

    /// Writes `object` as JSON on a line of its own; nothing in it steers a terminal.
    ///
    /// # Errors
    /// As [`Out::write_all`]; when JSON has no word for it.
    pub fn write_json(&mut self, object: &impl Serialize) -> Result<()> {
        let json = serde_json::to_string(object);
        let json = json.map_err(|cause| Error::failed("cannot write JSON").because(cause))?;
        writeln!(self, "{}", escape_json(&json))
    }

    /// Hands what is buffered to the system.
    ///
    /// # Errors
    /// As [`Out::write_all`].
    pub fn flush(&mut self) -> Result<()> {
        self.writer.flush().map_err(|cause| self.cannot_write(cause))
    }

    /// What a write that failed because of `cause` means.
    pub(crate) fn cannot_write(&self, cause: io::Error) -> Error {
        if cause.kind() == io::ErrorKind::BrokenPipe {
            return Error::reader_gone();
        }
        Error::failed(format!("cannot write {}", self.name)).because(cause)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Refuses(io::ErrorKind);

    impl Write for Refuses {
        fn write(&mut self, _: &[u8]) -> io::Result<usize> {
            Err(self.0.into())
        }
        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    fn flush_into(kind: io::ErrorKind) -> Error {
        let mut out = Out::to(Refuses(kind), "x.prom");
        writeln!(out, "lost").unwrap();
        out.flush().unwrap_err()
    }

    #[test]
    fn a_closed_pipe_is_silent_and_a_full_disk_is_not() {
        assert!(flush_into(io::ErrorKind::BrokenPipe).is_silent());
        let full = flush_into(io::ErrorKind::StorageFull);
        assert_eq!(full.status(), 2);
        assert_eq!(full.to_string(), "cannot write x.prom: no storage space");
    }
}
