//! A walk through a text, a window at a time.

use common::Result;

use super::{Text, WINDOW};

/// Walks through a text byte by byte.
#[derive(Debug)]
pub(crate) struct Cursor<'a> {
    text: &'a Text,
    window: Vec<u8>,
    /// The next byte in the window.
    place: usize,
    /// Where the window begins in the text.
    begin: u64,
}

impl<'a> Cursor<'a> {
    /// A cursor that begins at the offset `at`.
    pub(super) fn new(text: &'a Text, at: u64) -> Self {
        Self { text, window: Vec::new(), place: 0, begin: at }
    }

    /// The offset of the next byte.
    #[inline]
    pub(crate) fn offset(&self) -> u64 {
        self.begin + self.place as u64
    }

    /// The next byte, without going on; `None` at the end.
    ///
    /// # Errors
    /// When the file cannot be read.
    #[inline]
    pub(crate) fn peek(&mut self) -> Result<Option<u8>> {
        match self.window.get(self.place) {
            Some(byte) => Ok(Some(*byte)),
            None => self.refill(),
        }
    }

    /// Goes on by one byte, which [`Cursor::peek`] has shown.
    #[inline]
    pub(crate) fn advance(&mut self) {
        self.place += 1;
    }

    /// What is in memory from the next byte on; empty only at the end.
    ///
    /// # Errors
    /// When the file cannot be read.
    #[inline]
    pub(crate) fn window(&mut self) -> Result<&[u8]> {
        self.peek()?;
        Ok(&self.window[self.place..])
    }

    /// Goes on by so many bytes of the window.
    #[inline]
    pub(crate) fn advance_by(&mut self, count: usize) {
        self.place += count;
    }

    #[cold]
    fn refill(&mut self) -> Result<Option<u8>> {
        let at = self.offset();
        let left = usize::try_from(self.text.length.saturating_sub(at)).unwrap_or(usize::MAX);
        self.window.resize(left.min(WINDOW), 0);
        let filled = self.text.fill(at, &mut self.window)?;
        self.window.truncate(filled);
        (self.begin, self.place) = (at, 0);
        Ok(self.window.first().copied())
    }
}
