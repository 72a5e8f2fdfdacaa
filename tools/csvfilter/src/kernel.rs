//! The loops that see every byte or every row, written once for all processors.
//!
//! They are safe code; what is faster with instructions that not every processor has (to compare 64
//! bytes at a time, to find the n-th bit of a word) is handed to them by [`crate::simd`], into which
//! they are inlined.

use crate::block::Index;
use crate::dialect::Dialect;
use crate::scan::{self, State};

/// Where the bytes with a meaning are in 64 bytes; one bit for each.
pub(crate) struct Found {
    pub(crate) quotes: u64,
    pub(crate) delimiters: u64,
    pub(crate) newlines: u64,
    /// No ASCII.
    pub(crate) high: u64,
}

/// What a processor does in its own way.
pub(crate) trait Words: Copy {
    /// Finds the three bytes in a word; a quote of `None` is nowhere.
    fn find(self, word: &[u8; 64]) -> Found;
    /// Finds one byte in a word.
    fn find_one(self, word: &[u8; 64], byte: u8) -> u64;
    /// Each bit is the parity of the bits of `bits` up to itself.
    fn parity(self, bits: u64) -> u64;
    /// Where the bit is of which `bits` has `rank` bits below; 64 where there is none.
    fn select(self, bits: u64, rank: u32) -> u32;
}

/// Adds the words of `text` to the index, from the state before them, and returns that behind them.
///
/// Quotes are paired by counting them. That is right as long as every quote that opens a pair stands
/// at the beginning of a field or behind the quote that closed the one before; where one does not,
/// these 64 bytes are read again one by one, and counting goes on behind them.
#[inline(always)]
#[allow(clippy::inline_always, reason = "compiled for each processor")]
pub(crate) fn scan<W: Words>(
    index: &mut Index,
    text: &[[u8; 64]],
    state: State,
    dialect: &Dialect,
    words: W,
) -> State {
    let mut carry = Carry::of(state);
    let first = index.delimiters.len();
    index.delimiters.resize(first + text.len(), 0);
    index.ranks.resize(first + text.len() + 1, 0);
    let mut rank = index.ranks.get(first).copied().unwrap_or_default();
    let mut base = u32::try_from(first).unwrap_or(u32::MAX).wrapping_mul(64);
    let mut rows = index.ends.len();
    index.ends.resize(index.ends.capacity(), 0);
    let (mut lines, mut high) = (0, 0);
    let slots = index.delimiters[first..].iter_mut().zip(&mut index.ranks[first + 1..]);
    for (word, (delimiters, next_rank)) in text.iter().zip(slots) {
        let found = words.find(word);
        lines += u64::from(found.newlines.count_ones());
        high |= found.high;
        let quoted = words.parity(found.quotes) ^ carry.quoted;
        let mut marks =
            scan::Marks { delimiters: found.delimiters & !quoted, ends: found.newlines & !quoted };
        let after_fresh = marks.delimiters | marks.ends | found.quotes;
        let mut odd = found.quotes & quoted & !(after_fresh << 1 | carry.fresh);
        if let Some(comment) = dialect.comment {
            odd |= words.find_one(word, comment) & (marks.ends << 1 | carry.row) | carry.comment;
        }
        if odd == 0 {
            carry = Carry {
                quoted: 0_u64.wrapping_sub(quoted >> 63),
                fresh: after_fresh >> 63,
                row: marks.ends >> 63,
                comment: 0,
            };
        } else {
            let after;
            (marks, after) = scan::exact(word, carry.state(), dialect);
            carry = Carry::of(after);
        }
        *delimiters = marks.delimiters;
        rank = rank.wrapping_add(marks.delimiters.count_ones());
        *next_rank = rank;
        rows = note(&mut index.ends, rows, marks.ends, base);
        base = base.wrapping_add(64);
    }
    index.ends.truncate(rows);
    index.newlines += lines;
    index.is_ascii &= high == 0;
    carry.state()
}

/// A [`State`] as the loop of [`scan`] wants it.
struct Carry {
    /// All bits: within quotes.
    quoted: u64,
    /// One bit: a quote here would open.
    fresh: u64,
    /// One bit: a row begins here.
    row: u64,
    /// All bits: within a comment.
    comment: u64,
}

impl Carry {
    fn of(state: State) -> Self {
        let all = |yes: bool| if yes { u64::MAX } else { 0 };
        Self {
            quoted: all(state == State::Quoted),
            fresh: u64::from(matches!(state, State::Row | State::Fresh)),
            row: u64::from(state == State::Row),
            comment: all(state == State::Comment),
        }
    }

    fn state(&self) -> State {
        match self {
            Self { quoted: 1.., .. } => State::Quoted,
            Self { comment: 1.., .. } => State::Comment,
            Self { row: 1.., .. } => State::Row,
            Self { fresh: 1.., .. } => State::Fresh,
            _ => State::Field,
        }
    }
}

/// Writes where rows end, as told by the bits of a word that begins at `base`, behind the first
/// `count` of `ends`; returns how many there are then.
#[inline(always)]
#[allow(clippy::inline_always, reason = "compiled for each processor")]
fn note(ends: &mut Vec<u32>, count: usize, mut bits: u64, base: u32) -> usize {
    if ends.len() < count + 64 {
        ends.resize((count + 64).max(1024) * 2, 0);
    }
    let behind = base.wrapping_add(1);
    let after = count + bits.count_ones() as usize;
    let Some(slots) = ends.get_mut(count..count + 64) else { return count };
    // 64 bytes seldom hold more than two line ends: two are written always, which costs less than
    // asking how many there are.
    slots[0] = behind.wrapping_add(bits.trailing_zeros());
    bits &= bits.wrapping_sub(1);
    slots[1] = behind.wrapping_add(bits.trailing_zeros());
    bits &= bits.wrapping_sub(1);
    let mut at = 2;
    while bits != 0 && at < 64 {
        slots[at] = behind.wrapping_add(bits.trailing_zeros());
        bits &= bits.wrapping_sub(1);
        at += 1;
    }
    after
}

/// Writes how many delimiters there are before the end of each row into `index.before_end`, and
/// into `odd` the rows that have another number of them than `expected`.
#[inline(always)]
#[allow(clippy::inline_always, reason = "compiled for each processor")]
pub(crate) fn measure(index: &mut Index, expected: u32, odd: &mut Vec<u32>) {
    let Index { delimiters, ranks, ends, before_end, .. } = index;
    before_end.clear();
    before_end.reserve(ends.len());
    let mut before = 0;
    before_end.extend((0..).zip(&*ends).map(|(row, &end)| {
        let word = (end / 64) as usize;
        let below = delimiters.get(word).map_or(0, |bits| bits & !(u64::MAX << (end % 64)));
        let rank = ranks.get(word).copied().unwrap_or_default().wrapping_add(below.count_ones());
        if rank.wrapping_sub(before) != expected {
            odd.push(row);
        }
        before = rank;
        rank
    }));
}

/// Where a field is in the bytes of a block: its first byte, and behind its last one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Place {
    pub(crate) start: u32,
    pub(crate) end: u32,
}

/// Which of the fields of a row: its number, counted from 0, and whether it is the last one.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Which {
    pub(crate) column: u32,
    pub(crate) is_last: bool,
}

/// Finds the field `which` of each of `rows`; the last one of a row comes with the line end.
/// [`measure`] was called before, and the rows have as many fields as they should.
#[inline(always)]
#[allow(clippy::inline_always, reason = "compiled for each processor")]
pub(crate) fn locate<W: Words>(index: &Index, rows: &[u32], which: Which, words: W, places: &mut Vec<Place>) {
    places.clear();
    places.extend(rows.iter().map(|&row| {
        let end = index.ends.get(row as usize).copied().unwrap_or_default();
        let (start, rank) = match row.checked_sub(1) {
            None => (0, 0),
            Some(before) => (
                index.ends.get(before as usize).copied().unwrap_or_default(),
                index.before_end.get(before as usize).copied().unwrap_or_default(),
            ),
        };
        let mut word = (start / 64) as usize;
        let mut delimiter = |rank: u32| {
            while index.ranks.get(word + 1).is_some_and(|after| *after <= rank) {
                word += 1;
            }
            let bits = index.delimiters.get(word).copied().unwrap_or_default();
            let below = index.ranks.get(word).copied().unwrap_or_default();
            let bit = words.select(bits, rank.wrapping_sub(below));
            u32::try_from(word).unwrap_or_default().wrapping_mul(64).wrapping_add(bit)
        };
        let rank = rank.wrapping_add(which.column);
        let start = if which.column == 0 { start } else { delimiter(rank.wrapping_sub(1)).wrapping_add(1) };
        let end = if which.is_last { end } else { delimiter(rank) };
        Place { start, end }
    }));
}

/// Copies the rows to the end of `out`.
#[inline(always)]
#[allow(clippy::inline_always, reason = "compiled for each processor")]
pub(crate) fn copy(bytes: &[u8], ends: &[u32], rows: &[u32], out: &mut Vec<u8>) {
    let mut at = out.len();
    out.resize(at + bytes.len() + CHUNK, 0);
    for &row in rows {
        let start =
            row.checked_sub(1).map_or(0, |before| ends.get(before as usize).map_or(0, |end| *end as usize));
        let end = ends.get(row as usize).map_or(0, |end| *end as usize);
        let length = end.wrapping_sub(start);
        // A short row is copied with whatever follows it, as a copy of fixed length needs no loop.
        let fixed = bytes.get(start..).and_then(|from| from.first_chunk::<CHUNK>());
        let room = out.get_mut(at..).and_then(|room| room.first_chunk_mut::<CHUNK>());
        match (fixed, room) {
            (Some(fixed), Some(room)) if length <= CHUNK => *room = *fixed,
            _ => {
                if let (Some(row), Some(room)) =
                    (bytes.get(start..end), out.get_mut(at..at.wrapping_add(length)))
                {
                    room.copy_from_slice(row);
                }
            }
        }
        at = at.wrapping_add(length);
    }
    out.truncate(at);
}

/// How many bytes [`copy`] copies at a time.
const CHUNK: usize = 128;
