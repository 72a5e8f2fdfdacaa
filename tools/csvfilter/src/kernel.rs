//! The loops that see every byte or every row, written once for all processors.
//!
//! They are safe code; what is faster with instructions that not every processor has (to compare 64
//! bytes at a time, to find the n-th bit of a word) is handed to them by [`crate::simd`], into which
//! they are inlined.

use crate::block::Index;
use crate::dialect::Dialect;
use crate::scan::{self, Marks, State};

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

/// How many words are read at a time: what is found in them stays in the first-level cache.
const GROUP: usize = 64;

/// What is found in a group of words, beside the delimiters.
struct Group {
    quotes: [u64; GROUP],
    newlines: [u64; GROUP],
    comments: [u64; GROUP],
}

/// Adds the words of `text` to the index, from the state before them, and returns that behind them.
///
/// Quotes are paired by counting them. That is right as long as every quote that opens a pair stands
/// at the beginning of a field or behind the quote that closed the one before; where one does not,
/// these 64 bytes are read again one by one, and counting goes on behind them.
///
/// It takes several short loops over a group of words, as in a single one there would not be enough
/// registers, and what is carried from word to word would go through memory.
#[inline(always)]
#[allow(clippy::inline_always, reason = "compiled for each processor")]
pub(crate) fn scan<W: Words>(
    index: &mut Index,
    text: &[[u8; 64]],
    state: State,
    dialect: Dialect,
    words: W,
) -> State {
    let none = [0; GROUP];
    let mut group = Group { quotes: none, newlines: none, comments: none };
    let first = index.delimiters.len();
    index.delimiters.resize(first + text.len(), 0);
    index.ranks.resize(first + text.len() + 1, 0);
    let mut rank = index.ranks.get(first).copied().unwrap_or_default();
    let mut base = u32::try_from(first).unwrap_or(u32::MAX).wrapping_mul(64);
    let mut rows = index.ends.len();
    let mut carry = Carry::of(state);
    let slots = index.delimiters[first..].chunks_mut(GROUP).zip(index.ranks[first + 1..].chunks_mut(GROUP));
    for (text, (delimiters, ranks)) in text.chunks(GROUP).zip(slots) {
        let (has_quotes, high) = find(&mut group, text, delimiters, words);
        index.is_ascii &= high == 0;
        index.has_quotes |= has_quotes;
        if let Some(comment) = dialect.comment {
            for (word, slot) in text.iter().zip(&mut group.comments) {
                *slot = words.find_one(word, comment);
            }
        }
        let is_plain = !has_quotes && dialect.comment.is_none() && carry.quoted == 0;
        if is_plain {
            carry = behind(&group.newlines[..text.len()], delimiters);
        } else {
            index.newlines += sum(&group.newlines[..text.len()]);
            carry = pair(&mut group, (text, delimiters), carry, (dialect, words));
        }
        // Room for as many rows as there can be, so that nothing is asked for each word.
        index.ends.resize(index.ends.len().max(rows + GROUP * 64 + 2), 0);
        let rows_before = rows;
        rows = note_all(&group, text.len(), &mut index.ends, (rows, base));
        if is_plain {
            // Every newline ends a row.
            index.newlines += (rows - rows_before) as u64;
        }
        for (found, next_rank) in delimiters.iter().zip(ranks) {
            rank = rank.wrapping_add(found.count_ones());
            *next_rank = rank;
        }
        base = base.wrapping_add(64 * 64);
    }
    index.ends.truncate(rows);
    carry.state()
}

/// Finds what has a meaning in a group. Returns whether there is a quote, and bytes that are no
/// ASCII.
#[inline(always)]
#[allow(clippy::inline_always, reason = "compiled for each processor")]
fn find<W: Words>(group: &mut Group, text: &[[u8; 64]], delimiters: &mut [u64], words: W) -> (bool, u64) {
    let (mut quotes, mut high) = (0, 0);
    let Group { quotes: quote_slots, newlines, .. } = group;
    let slots = quote_slots.iter_mut().zip(delimiters.iter_mut().zip(newlines));
    for (word, (quote, (delimiter, newline))) in text.iter().zip(slots) {
        let found = words.find(word);
        *quote = found.quotes;
        *delimiter = found.delimiters;
        *newline = found.newlines;
        quotes |= found.quotes;
        high |= found.high;
    }
    (quotes != 0, high)
}

/// Leaves of a group only the delimiters and newlines that are outside quotes and comments.
#[inline(always)]
#[allow(clippy::inline_always, reason = "compiled for each processor")]
fn pair<W: Words>(
    group: &mut Group,
    (text, delimiters): (&[[u8; 64]], &mut [u64]),
    mut carry: Carry,
    (dialect, words): (Dialect, W),
) -> Carry {
    let Group { quotes, newlines, comments } = group;
    let slots = delimiters.iter_mut().zip(newlines.iter_mut());
    let found = quotes.iter().zip(&*comments);
    for ((word, (delimiters, newlines)), (&quotes, &comments)) in text.iter().zip(slots).zip(found) {
        let quoted = words.parity(quotes) ^ carry.quoted;
        let marks = Marks { delimiters: *delimiters & !quoted, ends: *newlines & !quoted };
        let fresh = marks.delimiters | marks.ends | quotes;
        let odd = quotes & quoted & !(fresh << 1 | carry.fresh)
            | comments & (marks.ends << 1 | carry.row)
            | carry.comment;
        let marks = if odd == 0 {
            carry.quoted = 0_u64.wrapping_sub(quoted >> 63);
            carry.fresh = fresh >> 63;
            carry.row = marks.ends >> 63;
            marks
        } else {
            let marks;
            (marks, carry) = exactly(word, carry, dialect);
            marks
        };
        (*delimiters, *newlines) = (marks.delimiters, marks.ends);
    }
    carry
}

/// Reads a word byte by byte.
#[cold]
#[inline(never)]
fn exactly(word: &[u8; 64], carry: Carry, dialect: Dialect) -> (Marks, Carry) {
    let (marks, after) = scan::exact(word, carry.state(), dialect);
    (marks, Carry::of(after))
}

/// What is carried on behind a group without quotes and comments.
fn behind(newlines: &[u64], delimiters: &[u64]) -> Carry {
    let last_of = |bits: &[u64]| bits.last().map_or(0, |bits| bits >> 63);
    let row = last_of(newlines);
    Carry { quoted: 0, fresh: row | last_of(delimiters), row, comment: 0 }
}

#[inline(always)]
#[allow(clippy::inline_always, reason = "compiled for each processor")]
fn sum(words: &[u64]) -> u64 {
    words.iter().map(|bits| u64::from(bits.count_ones())).sum()
}

/// A [`State`] as the loop of [`scan`] wants it.
#[derive(Clone, Copy)]
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

/// Writes where rows end, as told by the newlines of a group that begins at `base`, behind the first
/// `rows` of `ends`; returns how many there are then.
#[inline(always)]
#[allow(clippy::inline_always, reason = "compiled for each processor")]
fn note_all(group: &Group, length: usize, ends: &mut [u32], (mut rows, base): (usize, u32)) -> usize {
    let mut behind = base.wrapping_add(1);
    for &newlines in group.newlines.iter().take(length) {
        let mut bits = newlines;
        let Some([first, second, more @ ..]) = ends.get_mut(rows..) else { break };
        // 64 bytes seldom hold more than two line ends: two are written always, which costs less
        // than asking how many there are.
        *first = behind.wrapping_add(bits.trailing_zeros());
        bits &= bits.wrapping_sub(1);
        *second = behind.wrapping_add(bits.trailing_zeros());
        bits &= bits.wrapping_sub(1);
        if bits != 0 {
            for slot in more {
                *slot = behind.wrapping_add(bits.trailing_zeros());
                bits &= bits.wrapping_sub(1);
                if bits == 0 {
                    break;
                }
            }
        }
        rows = rows.wrapping_add(newlines.count_ones() as usize);
        behind = behind.wrapping_add(64);
    }
    rows
}

/// Writes how many delimiters there are before the end of each row into `index.before_end`, and
/// into `odd` the rows that have another number of them than `expected`.
#[inline(always)]
#[allow(clippy::inline_always, reason = "compiled for each processor")]
pub(crate) fn measure(index: &mut Index, expected: u32, odd: &mut Vec<u32>) {
    let Index { delimiters, ranks, ends, before_end, .. } = index;
    before_end.resize(ends.len(), 0);
    let mut before = 0;
    for ((row, &end), slot) in (0..).zip(&*ends).zip(before_end) {
        let word = (end / 64) as usize;
        let below = delimiters.get(word).map_or(0, |bits| bits & !(u64::MAX << (end % 64)));
        let rank = ranks.get(word).copied().unwrap_or_default().wrapping_add(below.count_ones());
        if rank.wrapping_sub(before) != expected {
            odd.push(row);
        }
        before = rank;
        *slot = rank;
    }
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
    places.resize(rows.len(), Place::default());
    let Index { begin, delimiters, ranks, ends, before_end, .. } = index;
    for (&row, place) in rows.iter().zip(places) {
        let (start, rank) = match (row as usize).checked_sub(1) {
            None => (*begin, 0),
            Some(before) => (
                ends.get(before).copied().unwrap_or_default(),
                before_end.get(before).copied().unwrap_or_default(),
            ),
        };
        let mut word = start / 64;
        let bits_of = |word: u32| delimiters.get(word as usize).copied().unwrap_or_default();
        let mut bits = bits_of(word);
        place.start = if which.column == 0 {
            bits &= u64::MAX << (start % 64);
            start
        } else {
            let rank = rank.wrapping_add(which.column - 1);
            let is_beyond = |word: u32| ranks.get(word as usize + 1).is_some_and(|after| *after <= rank);
            // In which of three words it is cannot be foretold: two steps without a branch.
            word = word.wrapping_add(u32::from(is_beyond(word)));
            word = word.wrapping_add(u32::from(is_beyond(word)));
            while is_beyond(word) {
                word = word.wrapping_add(1);
            }
            bits = bits_of(word);
            let below = ranks.get(word as usize).copied().unwrap_or_default();
            let bit = words.select(bits, rank.wrapping_sub(below));
            bits &= (u64::MAX - 1).wrapping_shl(bit);
            at(word, bit).wrapping_add(1)
        };
        place.end = if which.is_last {
            ends.get(row as usize).copied().unwrap_or_default()
        } else {
            while bits == 0 && (word as usize) < delimiters.len() {
                word = word.wrapping_add(1);
                bits = bits_of(word);
            }
            at(word, bits.trailing_zeros())
        };
    }
}

/// The position of a bit of a word.
#[inline]
fn at(word: u32, bit: u32) -> u32 {
    word.wrapping_mul(64).wrapping_add(bit)
}

/// Copies the rows to the beginning of `out`, which grows where it must and never shrinks, and
/// returns how many bytes they are.
#[inline(always)]
#[allow(clippy::inline_always, reason = "compiled for each processor")]
pub(crate) fn copy(bytes: &[u8], index: &Index, rows: &[u32], out: &mut Vec<u8>) -> usize {
    let (ends, begin) = (&index.ends, index.begin as usize);
    let most = ends.last().map_or(0, |end| *end as usize) + CHUNK;
    if out.len() < most {
        out.resize(most, 0);
    }
    let mut at = 0_usize;
    for &row in rows {
        let end_of = |row: u32| ends.get(row as usize).map_or(0, |end| *end as usize);
        let (start, end) = (row.checked_sub(1).map_or(begin, end_of), end_of(row));
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
    at
}

/// How many bytes [`copy`] copies at a time.
const CHUNK: usize = 128;
