//! Output that is kept.

use std::io::{self, Write};
use std::sync::{Arc, Mutex, PoisonError};

use super::Out;
use crate::error::Result;

/// An [`Out`] whose bytes are kept in memory until they are taken.
pub struct Held {
    out: Out,
    bytes: Bytes,
}

impl Held {
    /// Nothing yet; `name` is what errors call it.
    #[must_use]
    pub fn new(name: impl Into<String>) -> Self {
        let bytes = Bytes::default();
        Self { out: Out::to(bytes.clone(), name), bytes }
    }

    /// Where to write to.
    pub fn out(&mut self) -> &mut Out {
        &mut self.out
    }

    /// Takes what has been written since the last time.
    ///
    /// # Errors
    /// As [`Out::flush`].
    pub fn take(&mut self) -> Result<Vec<u8>> {
        self.out.flush()?;
        Ok(std::mem::take(&mut *self.bytes.0.lock().unwrap_or_else(PoisonError::into_inner)))
    }
}

#[derive(Clone, Default)]
struct Bytes(Arc<Mutex<Vec<u8>>>);

impl Write for Bytes {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_taken_is_gone() {
        let mut held = Held::new("memory");
        writeln!(held.out(), "one").unwrap();
        assert_eq!(held.take().unwrap(), b"one\n");
        writeln!(held.out(), "two").unwrap();
        assert_eq!(held.take().unwrap(), b"two\n");
    }
}
