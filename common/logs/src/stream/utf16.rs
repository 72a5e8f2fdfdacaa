//! UTF-16 logs, told by their byte order mark: read as UTF-8, and written back as they were.
//!
//! A lone surrogate becomes the three bytes that a surrogate has in "generalised UTF-8" (WTF-8, so
//! that nothing is lost on the way back.

use std::io::{self, Read};

/// The byte order of a UTF-16 text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Endian {
    /// `ff fe`
    Little,
    /// `fe ff`
    Big,
}

impl Endian {
    /// What a byte order mark at the start of `head` says.
    #[must_use]
    pub fn of(head: &[u8]) -> Option<Self> {
        match head {
            [0xff, 0xfe, ..] => Some(Self::Little),
            [0xfe, 0xff, ..] => Some(Self::Big),
            _ => None,
        }
    }

    fn unit(self, bytes: [u8; 2]) -> u16 {
        match self {
            Self::Little => u16::from_le_bytes(bytes),
            Self::Big => u16::from_be_bytes(bytes),
        }
    }

    fn bytes(self, unit: u16) -> [u8; 2] {
        match self {
            Self::Little => unit.to_le_bytes(),
            Self::Big => unit.to_be_bytes(),
        }
    }
}

/// Reads UTF-16 as UTF-8; the byte order mark comes through as U+FEFF.
pub struct Units<R> {
    reader: R,
    endian: Endian,
    /// A first half of a pair that waits for its second.
    high: Option<u16>,
    raw: Vec<u8>,
    ready: Vec<u8>,
    given: usize,
}

impl<R: Read> Units<R> {
    /// Reads `reader`, which stands at its byte order mark.
    pub fn new(reader: R, endian: Endian) -> Self {
        Self { reader, endian, high: None, raw: Vec::new(), ready: Vec::new(), given: 0 }
    }

    fn refill(&mut self) -> io::Result<()> {
        (self.given, self.ready) = (0, std::mem::take(&mut self.ready));
        self.ready.clear();
        while self.ready.is_empty() {
            let kept = self.raw.len();
            self.raw.resize(kept + 64 * 1024, 0);
            let got = self.reader.read(&mut self.raw[kept..]);
            self.raw.truncate(kept + *got.as_ref().unwrap_or(&0));
            if got? == 0 {
                if let Some(high) = self.high.take() {
                    push(u32::from(high), &mut self.ready);
                }
                // An odd last byte is no unit; it is kept as it is.
                self.ready.append(&mut self.raw);
                return Ok(());
            }
            let whole = self.raw.len() / 2 * 2;
            for pair in self.raw[..whole].chunks_exact(2) {
                let unit = self.endian.unit([pair[0], pair[1]]);
                match (self.high.take(), unit) {
                    (Some(high), 0xdc00..=0xdfff) => {
                        let code = 0x10000 + ((u32::from(high) - 0xd800) << 10) + (u32::from(unit) - 0xdc00);
                        push(code, &mut self.ready);
                    }
                    (high, unit) => {
                        if let Some(high) = high {
                            push(u32::from(high), &mut self.ready);
                        }
                        match unit {
                            0xd800..=0xdbff => self.high = Some(unit),
                            unit => push(u32::from(unit), &mut self.ready),
                        }
                    }
                }
            }
            self.raw.drain(..whole);
        }
        Ok(())
    }
}

impl<R: Read> Read for Units<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.given == self.ready.len() {
            self.refill()?;
        }
        let count = buffer.len().min(self.ready.len() - self.given);
        buffer[..count].copy_from_slice(&self.ready[self.given..self.given + count]);
        self.given += count;
        Ok(count)
    }
}

/// Appends a code point, surrogates included, in up to four bytes.
fn push(code: u32, text: &mut Vec<u8>) {
    if let Some(letter) = char::from_u32(code) {
        text.extend_from_slice(letter.encode_utf8(&mut [0; 4]).as_bytes());
    } else {
        let tail = |shift: u32| 0x80 | u8::try_from((code >> shift) & 0x3f).unwrap_or_default();
        text.extend([0xe0 | u8::try_from(code >> 12).unwrap_or_default(), tail(6), tail(0)]);
    }
}

/// Writes UTF-8 from [`Units`] back as UTF-16. `text` must not end inside a letter: whole lines do.
pub fn encode(text: &[u8], endian: Endian, units: &mut Vec<u8>) {
    let mut at = 0;
    while at < text.len() {
        let (code, size) = decode(&text[at..]);
        at += size;
        match code {
            0x10000.. => {
                let code = code - 0x10000;
                for half in [0xd800 + (code >> 10), 0xdc00 + (code & 0x3ff)] {
                    units.extend(endian.bytes(u16::try_from(half).unwrap_or_default()));
                }
            }
            code => units.extend(endian.bytes(u16::try_from(code).unwrap_or_default())),
        }
    }
}

fn decode(text: &[u8]) -> (u32, usize) {
    let tail = |index: usize| u32::from(text.get(index).copied().unwrap_or_default() & 0x3f);
    match text[0] {
        byte @ 0..=0x7f => (u32::from(byte), 1),
        byte @ 0x80..=0xdf => (u32::from(byte & 0x1f) << 6 | tail(1), 2),
        byte @ 0xe0..=0xef => (u32::from(byte & 0x0f) << 12 | tail(1) << 6 | tail(2), 3),
        byte => (u32::from(byte & 0x07) << 18 | tail(1) << 12 | tail(2) << 6 | tail(3), 4),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    proptest::proptest! {
        #[test]
        fn every_sequence_of_units_comes_back(units: Vec<u16>, big: bool) {
            let endian = if big { Endian::Big } else { Endian::Little };
            let bytes: Vec<u8> = units.iter().flat_map(|unit| endian.bytes(*unit)).collect();
            let mut text = Vec::new();
            Units::new(&bytes[..], endian).read_to_end(&mut text).unwrap();
            let mut back = Vec::new();
            encode(&text, endian, &mut back);
            proptest::prop_assert_eq!(back, bytes);
        }
    }

    #[test]
    fn text_becomes_utf_8() {
        let bytes: Vec<u8> = "\u{feff}INFO ä😀\n".encode_utf16().flat_map(u16::to_le_bytes).collect();
        assert_eq!(Endian::of(&bytes), Some(Endian::Little));
        let mut text = String::new();
        Units::new(&bytes[..], Endian::Little).read_to_string(&mut text).unwrap();
        assert_eq!(text, "\u{feff}INFO ä😀\n");
    }
}
