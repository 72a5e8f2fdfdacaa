//! Numbers of few digits, read a word at a time.

/// The most digits that always fit an `i64`.
const DIGITS: usize = 18;

/// 10^`exponent`; `exponent` is at most 18.
pub(super) fn power(exponent: u32) -> i64 {
    10_i64.wrapping_pow(exponent)
}

/// The value of the first `len` bytes of a word that was loaded from memory with the first byte in
/// its lowest place; `None` if one of them is no digit, or if `len` is not from 1 to 8.
#[must_use]
#[inline]
pub(crate) fn small(word: u64, len: usize) -> Option<u64> {
    const EACH: u64 = 0x0101_0101_0101_0101;
    if len.wrapping_sub(1) > 7 {
        return None;
    }
    // What is not asked for goes out at the top, and zeros come in before the first digit.
    let shift = (8 - len) * 8;
    let digits = (word << shift) ^ ((EACH * 0x30) << shift);
    if (digits.wrapping_add(EACH * 0x76) | digits) & (EACH * 0x80) != 0 {
        return None;
    }
    // Neighbours are joined: to four numbers below 100, then two below 10,000, then one.
    let pairs = (digits.wrapping_mul((10 << 8) + 1) >> 8) & 0x00ff_00ff_00ff_00ff;
    let fours = (pairs.wrapping_mul((100 << 16) + 1) >> 16) & 0x0000_ffff_0000_ffff;
    Some(fours.wrapping_mul((10_000 << 32) + 1) >> 32)
}

/// At most 8 bytes as a word, the first in its lowest place.
#[inline]
fn word(text: &[u8]) -> u64 {
    if let Some(whole) = text.first_chunk() {
        return u64::from_le_bytes(*whole);
    }
    // Two loads that overlap, as their common bytes are the same: a copy of unknown length is a call.
    if let (Some(first), Some(last)) = (text.first_chunk(), text.last_chunk()) {
        let shift = (text.len() - 4) * 8;
        return u64::from(u32::from_le_bytes(*first)) | u64::from(u32::from_le_bytes(*last)) << shift;
    }
    // With less than four, the first, the middle and the last are all there are.
    let at = |at: usize| text.get(at).map_or(0, |byte| u64::from(*byte) << (at * 8));
    at(0) | at(text.len() / 2) | at(text.len().saturating_sub(1))
}

/// The value of a run of 1 to 19 digits that fits, and of nothing else.
#[inline]
pub(super) fn whole(text: &[u8]) -> Option<i64> {
    if text.len() <= 8 {
        return small(word(text), text.len()).map(u64::cast_signed);
    }
    long(text)
}

fn long(text: &[u8]) -> Option<i64> {
    let (rest, last) = text.split_last_chunk::<8>()?;
    let low = small(u64::from_le_bytes(*last), 8)?;
    let high = match rest.split_last_chunk::<8>() {
        None => small(word(rest), rest.len())?,
        Some((first, middle)) => {
            let middle = small(u64::from_le_bytes(*middle), 8)?;
            match first.len() {
                0 => middle,
                1..=3 => small(word(first), first.len())? * 100_000_000 + middle,
                _ => return None,
            }
        }
    };
    i64::try_from(high * 100_000_000 + low).ok()
}

/// The value of a number of at most 18 digits with a sign or a point, and without an exponent: the
/// digits as one integer, and how many of them are behind the point.
#[inline]
pub(super) fn signed(text: &[u8]) -> Option<(i64, u32)> {
    let (is_negative, text) = match text {
        [b'-', rest @ ..] => (true, rest),
        [b'+', rest @ ..] => (false, rest),
        _ => (false, text),
    };
    let (value, places) = match whole(text) {
        Some(value) => (value, 0),
        None => pointed(text)?,
    };
    Some((if is_negative { -value } else { value }, places))
}

/// Digits with a point among them.
fn pointed(text: &[u8]) -> Option<(i64, u32)> {
    const POINTS: u64 = 0x2e2e_2e2e_2e2e_2e2e;
    if text.len() > 8 {
        return pointed_long(text);
    }
    let word = word(text);
    let other = word ^ POINTS;
    // The lowest byte that is zero now; a borrow can only mark bytes above it.
    let found = other.wrapping_sub(0x0101_0101_0101_0101) & !other & 0x8080_8080_8080_8080;
    let at = found.trailing_zeros() / 8;
    let below = u64::MAX.checked_shr(64 - at * 8).unwrap_or_default();
    let places = text.len().checked_sub(at as usize + 1)?;
    let digits = small(word & below | word >> 8 & !below, text.len() - 1)?;
    Some((digits.cast_signed(), u32::try_from(places).ok()?))
}

fn pointed_long(text: &[u8]) -> Option<(i64, u32)> {
    if text.len() > DIGITS + 1 {
        return None;
    }
    let at = text.iter().position(|byte| *byte == b'.')?;
    let (before, behind) = (&text[..at], &text[at + 1..]);
    let part = |digits: &[u8]| if digits.is_empty() { Some(0) } else { whole(digits) };
    let places = u32::try_from(behind.len()).ok()?;
    Some((part(before)? * power(places) + part(behind)?, places))
}
