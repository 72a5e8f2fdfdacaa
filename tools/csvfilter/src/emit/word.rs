//! Eight bytes looked at as one number.
//!
//! What the compiler makes of a loop over bytes, and of finding the first of them, is up to four
//! times slower, and changes with what stands around it.

const ONES: u64 = u64::from_ne_bytes([1; 8]);
pub(super) const HIGHS: u64 = u64::from_ne_bytes([0x80; 8]);

/// Marks the first byte that is below a limit of at most 0x80, with its eighth bit. Of those above it
/// only as much is sure that all marks are zero if there is none: borrows go upwards.
#[inline]
pub(super) fn below(word: u64, limit: u8) -> u64 {
    word.wrapping_sub(ONES.wrapping_mul(u64::from(limit))) & !word & HIGHS
}

/// Marks the first byte that is this one, as [`below`].
#[inline]
pub(super) fn is(word: u64, byte: u8) -> u64 {
    below(word ^ ONES.wrapping_mul(u64::from(byte)), 1)
}

/// Marks the first byte that JSON wants escaped, as [`below`].
#[inline]
pub(super) fn special(word: u64) -> u64 {
    below(word, 0x20) | is(word, b'"') | is(word, b'\\')
}

/// The marks of all words of a text together. What is shorter than a word has its first byte more
/// often than once.
#[inline]
pub(super) fn all(text: &[u8], marks: impl Fn(u64) -> u64) -> u64 {
    let Some(last) = text.last_chunk::<8>() else {
        let Some(first) = text.first() else { return 0 };
        let mut word = [*first; 8];
        word.iter_mut().zip(text).for_each(|(to, byte)| *to = *byte);
        return marks(u64::from_le_bytes(word));
    };
    let words = text.as_chunks::<8>().0.iter();
    words.fold(marks(u64::from_le_bytes(*last)), |found, word| found | marks(u64::from_le_bytes(*word)))
}

/// The place of the first byte that JSON wants escaped; 16 if there is none.
#[inline]
pub(super) fn first_special(bytes: &[u8; 16]) -> usize {
    place(each(bytes, special))
}

/// Marks the bytes that are no digits, all of them; see [`place`].
#[inline]
pub(super) fn others_than_digits(bytes: &[u8; 16]) -> u128 {
    each(bytes, |word| {
        let digits = word ^ (ONES.wrapping_mul(u64::from(b'0')));
        ((digits & !HIGHS).wrapping_add(ONES.wrapping_mul(0x80 - 10)) | digits) & HIGHS
    })
}

/// The place of the first byte that is marked with its eighth bit, or 16.
#[inline]
pub(super) fn place(marks: u128) -> usize {
    marks.trailing_zeros() as usize / 8
}

/// Marks in both halves.
#[inline]
fn each(bytes: &[u8; 16], marks: impl Fn(u64) -> u64) -> u128 {
    let both = u128::from_le_bytes(*bytes);
    let low = u64::try_from(both & u128::from(u64::MAX)).unwrap_or_default();
    let high = u64::try_from(both >> 64).unwrap_or_default();
    u128::from(marks(low)) | u128::from(marks(high)) << 64
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn check(bytes: [u8; 16]) {
        let is_special = |byte: &u8| *byte < 0x20 || matches!(byte, b'"' | b'\\');
        assert_eq!(first_special(&bytes), bytes.iter().position(is_special).unwrap_or(16), "{bytes:?}");
        for text in (0..16).map(|len| &bytes[..len]) {
            assert_eq!(all(text, special) != 0, text.iter().any(is_special), "{text:?}");
            assert_eq!(all(text, |word| is(word, b'x')) != 0, text.contains(&b'x'), "{text:?}");
        }
        let mut others = others_than_digits(&bytes);
        for at in (0..16).filter(|at| !bytes[*at].is_ascii_digit()) {
            assert_eq!(place(others), at, "{bytes:?}");
            others &= others.wrapping_sub(1);
        }
        assert_eq!(others, 0, "{bytes:?}");
    }

    #[test]
    fn every_byte_is_told_at_every_place() {
        for (byte, at) in (0..=255).flat_map(|byte| (0..16).map(move |at| (byte, at))) {
            for around in *b"\x000x\xff" {
                let mut bytes = [around; 16];
                bytes[at] = byte;
                check(bytes);
            }
        }
    }

    proptest! {
        #[test]
        fn all_bytes_are_told_beside_each_other(bytes: [u8; 16]) {
            check(bytes);
        }
    }
}
