//! Text back into UTF-16, as the input was.

use logs::stream::{Endian, encode};

/// Writes text as UTF-16 behind one byte order mark.
#[derive(Debug)]
pub(super) struct Encoder {
    endian: Endian,
    /// Whether the text was UTF-16 before, and so has its lone surrogates in it.
    was_utf16: bool,
    marked: bool,
    /// The beginning of a letter whose end is still to come.
    torn: Vec<u8>,
    units: Vec<u8>,
}

impl Encoder {
    pub(super) fn new(endian: Endian) -> Self {
        Self { endian, was_utf16: true, marked: false, torn: Vec::new(), units: Vec::new() }
    }

    /// Another input begins, or none: what is left of the last one.
    pub(super) fn reads_from(&mut self, is_utf16: bool) -> Vec<u8> {
        let torn = std::mem::take(&mut self.torn);
        self.units.clear();
        self.append(&torn);
        self.was_utf16 = is_utf16;
        std::mem::take(&mut self.units)
    }

    /// `text` in UTF-16, but for a letter that is torn at its end.
    pub(super) fn encode(&mut self, text: &[u8]) -> &[u8] {
        self.units.clear();
        if !std::mem::replace(&mut self.marked, true) {
            encode("\u{feff}".as_bytes(), self.endian, &mut self.units);
        }
        let mut whole = std::mem::take(&mut self.torn);
        whole.extend_from_slice(text);
        let end = whole.len() - torn(&whole);
        self.append(&whole[..end]);
        whole.drain(..end);
        self.torn = whole;
        &self.units
    }

    fn append(&mut self, text: &[u8]) {
        if self.was_utf16 {
            encode(text, self.endian, &mut self.units);
        } else {
            encode(String::from_utf8_lossy(text).as_bytes(), self.endian, &mut self.units);
        }
    }
}

/// How many bytes at the end of `text` are the beginning of a letter.
fn torn(text: &[u8]) -> usize {
    let tails = text.iter().rev().take(3).take_while(|byte| **byte & 0xc0 == 0x80).count();
    let size = match text.len().checked_sub(tails + 1).map(|at| text[at]) {
        Some(0xc0..=0xdf) => 2,
        Some(0xe0..=0xef) => 3,
        Some(0xf0..=0xf7) => 4,
        _ => 1,
    };
    if tails + 1 < size { tails + 1 } else { 0 }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn utf16(text: &str) -> Vec<u8> {
        text.encode_utf16().flat_map(u16::to_le_bytes).collect()
    }

    proptest! {
        #[test]
        fn wherever_it_is_cut(text in "\\PC{0,20}", cuts in prop::collection::vec(0_usize..60, 0..4), was: bool) {
            let mut encoder = Encoder::new(Endian::Little);
            let mut all = encoder.reads_from(was);
            let mut cuts: Vec<_> = cuts.into_iter().map(|cut| cut.min(text.len())).collect();
            cuts.extend([0, text.len()]);
            cuts.sort_unstable();
            for pair in cuts.windows(2) {
                all.extend_from_slice(encoder.encode(&text.as_bytes()[pair[0]..pair[1]]));
            }
            all.extend(encoder.reads_from(false));
            prop_assert_eq!(all, utf16(&format!("\u{feff}{text}")));
        }
    }

    #[test]
    fn what_is_no_utf_8_becomes_the_replacement_character() {
        let mut encoder = Encoder::new(Endian::Little);
        assert_eq!(encoder.reads_from(false), b"");
        assert_eq!(encoder.encode(b"a\xffb"), utf16("\u{feff}a\u{fffd}b"));
        assert_eq!(encoder.encode(b"\xe2\x82"), b"");
        assert_eq!(encoder.reads_from(false), utf16("\u{fffd}"));
    }
}
