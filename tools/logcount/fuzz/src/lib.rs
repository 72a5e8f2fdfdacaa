//! What the fuzz targets share: choices drawn from the input, and lines alike but for their digits.
//!
//! Everything is drawn from the bytes themselves, so that an input is plain text, a log can seed the
//! corpus as it is, and a crash happens again.

/// Numbers drawn from a text: the same text draws the same ones.
pub struct Draw(u64);

impl Draw {
    /// A source that every byte of `text` changes (FNV-1a).
    #[must_use]
    pub fn of(text: &[u8]) -> Self {
        let hash = text.iter().fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
            (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3)
        });
        Self(hash | 1)
    }

    /// The next number (xorshift64).
    pub fn number(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0
    }

    /// A number below `bound`, which is not 0.
    pub fn below(&mut self, bound: usize) -> usize {
        usize::try_from(self.number() % bound as u64).unwrap_or_default()
    }

    /// One of `choices`, of which there is at least one.
    pub fn one_of<'c, T>(&mut self, choices: &'c [T]) -> &'c T {
        &choices[self.below(choices.len())]
    }

    /// `text` with other digits: all 0, all 9, or any.
    pub fn other_digits(&mut self, text: &[u8]) -> Vec<u8> {
        let one = *self.one_of(&[Some(b'0'), Some(b'9'), None, None]);
        let mut any = || b'0' + u8::try_from(self.below(10)).unwrap_or_default();
        text.iter()
            .map(|byte| if byte.is_ascii_digit() { one.unwrap_or_else(&mut any) } else { *byte })
            .collect()
    }
}

/// The first line of `data`, and the bytes up to the next line end: what else may stand behind the
/// level of that line.
#[must_use]
pub fn line_and_tail(data: &[u8]) -> (&[u8], &[u8]) {
    let mut lines = data.split(|byte| *byte == b'\n');
    (lines.next().unwrap_or_default(), lines.next().unwrap_or_default())
}

/// Where `part`, which must be a piece of `text`, begins in it.
///
/// # Panics
/// When it is no piece of `text`.
#[must_use]
pub fn place_of(part: &[u8], text: &[u8]) -> usize {
    let start = (part.as_ptr() as usize).checked_sub(text.as_ptr() as usize);
    let start = start.filter(|start| start + part.len() <= text.len());
    start.unwrap_or_else(|| panic!("{part:?} does not stand in {text:?}"))
}
