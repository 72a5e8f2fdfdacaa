//! The fast way over text that stands in memory and is nothing special.
//!
//! A scanner that asks for each byte whether it must be read first, and what its error would be, takes
//! three times as long. This one looks at a window of the text only, knows no errors, and stops where
//! it is not sure: at the end of the window, at a comment, an escape, or what is wrong.

use super::string::end_of;

/// Where a scanner is between two tokens.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Place {
    /// At the first byte of a value.
    Value,
    /// Behind a value.
    Behind,
}

/// Goes over tokens of `window`, from `place` on and at most to the end of the value outside of the
/// `open` containers: how far it went, and where that is.
pub(super) fn run(window: &[u8], open: &mut Levels, mut place: Place) -> (usize, Place) {
    let mut at = 0;
    loop {
        let step = match place {
            Place::Value => value(window, at, open),
            Place::Behind => behind(window, at, open),
        };
        let Some(step) = step else { return (at, place) };
        (at, place) = step;
    }
}

#[inline]
fn value(window: &[u8], at: usize, open: &mut Levels) -> Option<(usize, Place)> {
    let end = match *window.get(at)? {
        b'"' => end_of(window, at + 1)?,
        b'-' | b'0'..=b'9' => number(window, at)?,
        b't' => word(window, at, b"true")?,
        b'f' => word(window, at, b"false")?,
        b'n' => word(window, at, b"null")?,
        b'{' => return container(window, at + 1, open, true),
        b'[' => return container(window, at + 1, open, false),
        _ => return None,
    };
    Some((end, Place::Behind))
}

#[inline]
fn container(window: &[u8], from: usize, open: &mut Levels, is_object: bool) -> Option<(usize, Place)> {
    let first = blanks(window, from);
    if *window.get(first)? == super::closer(is_object) {
        return Some((first + 1, Place::Behind));
    }
    let value = if is_object { key(window, first)? } else { begin(window, first)? };
    open.push(is_object);
    Some((value, Place::Value))
}

#[inline]
fn behind(window: &[u8], at: usize, open: &mut Levels) -> Option<(usize, Place)> {
    let is_object = open.last()?;
    let at = blanks(window, at);
    match *window.get(at)? {
        b',' => {}
        byte if byte == super::closer(is_object) => {
            open.pop();
            return Some((at + 1, Place::Behind));
        }
        _ => return None,
    }
    let item = blanks(window, at + 1);
    if is_object {
        return Some((key(window, item)?, Place::Value));
    }
    Some((begin(window, item)?, Place::Value))
}

/// Over a key and its colon to the value.
#[inline]
fn key(window: &[u8], at: usize) -> Option<usize> {
    if *window.get(at)? != b'"' {
        return None;
    }
    let colon = blanks(window, end_of(window, at + 1)?);
    if *window.get(colon)? != b':' {
        return None;
    }
    begin(window, blanks(window, colon + 1))
}

/// The place itself, unless the window ends there, so that more blanks may follow, or what stands there
/// is a comment or nothing behind a last comma.
#[inline]
fn begin(window: &[u8], at: usize) -> Option<usize> {
    (!matches!(window.get(at)?, b'/' | b']')).then_some(at)
}

#[inline]
fn blanks(window: &[u8], mut at: usize) -> usize {
    while let Some(b' ' | b'\n' | b'\t' | b'\r') = window.get(at) {
        at += 1;
        while window.get(at..at + 8).is_some_and(|eight| eight == b"        ") {
            at += 8;
        }
    }
    at
}

fn word(window: &[u8], at: usize, word: &[u8]) -> Option<usize> {
    window.get(at..)?.starts_with(word).then_some(at + word.len())
}

/// A number is over only where another byte shows it.
#[inline]
fn number(window: &[u8], mut at: usize) -> Option<usize> {
    at += usize::from(window[at] == b'-');
    at = if *window.get(at)? == b'0' { at + 1 } else { digits(window, at)? };
    if *window.get(at)? == b'.' {
        at = digits(window, at + 1)?;
    }
    if matches!(window.get(at)?, b'e' | b'E') {
        at += 1;
        at = digits(window, at + usize::from(matches!(window.get(at)?, b'+' | b'-')))?;
    }
    (at < window.len()).then_some(at)
}

#[inline]
fn digits(window: &[u8], from: usize) -> Option<usize> {
    let mut at = from;
    while window.get(at)?.is_ascii_digit() {
        at += 1;
    }
    (at > from).then_some(at)
}

/// Which of the open containers are objects, a bit each: hostile text can open a hundred million.
#[derive(Debug, Default)]
pub(super) struct Levels {
    words: Vec<u64>,
    depth: usize,
}

impl Levels {
    pub(super) fn push(&mut self, is_object: bool) {
        let (word, bit) = (self.depth / 64, self.depth % 64);
        if word == self.words.len() {
            self.words.push(0);
        }
        self.words[word] = self.words[word] & !(1 << bit) | (u64::from(is_object) << bit);
        self.depth += 1;
    }

    pub(super) fn last(&self) -> Option<bool> {
        let place = self.depth.checked_sub(1)?;
        Some(self.words[place / 64] >> (place % 64) & 1 == 1)
    }

    pub(super) fn pop(&mut self) {
        self.depth -= 1;
    }
}
