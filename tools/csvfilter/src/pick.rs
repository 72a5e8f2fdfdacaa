//! Which of the rows that are kept go out: the first, the last, some by chance, each only once.
//!
//! Row numbers are those of a [`Block`], in ascending order; blocks come in the order of the input.

mod random;
#[cfg(test)]
mod tests;

use std::collections::hash_map::RandomState;
use std::collections::{HashSet, VecDeque};
use std::hash::{BuildHasher, BuildHasherDefault, Hasher};

use siphasher::sip128::{Hasher128, SipHasher13};

use crate::block::Block;
use random::Random;

/// The first rows, up to a number.
#[derive(Debug)]
pub struct Head {
    left: u64,
}

impl Head {
    /// The first `count` rows.
    #[must_use]
    pub fn new(count: u64) -> Self {
        Self { left: count }
    }

    /// Leaves in `kept` what is still wanted.
    pub fn narrow(&mut self, kept: &mut Vec<u32>) {
        kept.truncate(usize::try_from(self.left).unwrap_or(usize::MAX));
        self.left -= kept.len() as u64;
    }

    /// Whether all rows were seen that are wanted; there is no need to read on.
    #[must_use]
    pub fn is_full(&self) -> bool {
        self.left == 0
    }
}

/// The last rows, up to a number, as they will be written.
#[derive(Debug)]
pub struct Tail {
    count: usize,
    rows: VecDeque<Vec<u8>>,
}

impl Tail {
    /// The last `count` rows. Takes as much memory as they do.
    #[must_use]
    pub fn new(count: usize) -> Self {
        Self { count, rows: VecDeque::new() }
    }

    /// Leaves in `kept` what may be among the last: the other rows need not be written.
    pub fn narrow(&self, kept: &mut Vec<u32>) {
        kept.drain(..kept.len().saturating_sub(self.count));
    }

    /// Takes the next row.
    pub fn push(&mut self, row: &[u8]) {
        if self.count == 0 {
            return;
        }
        let is_full = self.rows.len() == self.count;
        let mut place = if is_full { self.rows.pop_front().unwrap_or_default() } else { Vec::new() };
        place.clear();
        place.extend_from_slice(row);
        self.rows.push_back(place);
    }

    /// The last rows, in order.
    pub fn into_rows(self) -> impl Iterator<Item = Vec<u8>> {
        self.rows.into_iter()
    }
}

/// Rows by chance: every row has the same, and so has every set of rows.
///
/// This is the reservoir of Vitter's algorithm R, with a random number for each row. Algorithm L
/// needs few of them, but logarithms, which are not the same on every machine; and the same seed is
/// to give the same rows everywhere.
#[derive(Debug)]
pub struct Sample {
    size: usize,
    random: Random,
    /// Rows that were offered.
    seen: u64,
    /// Rows that were chosen and not yet handed over: where they go, and their number.
    chosen: VecDeque<(usize, u64)>,
    rows: Vec<(u64, Vec<u8>)>,
}

impl Sample {
    /// A sample of `size` rows. The same seed gives the same of the same rows; without one, every
    /// run has others. Takes as much memory as the rows do.
    #[must_use]
    pub fn new(size: usize, seed: Option<u64>) -> Self {
        let random = Random::new(seed.unwrap_or_else(chance));
        Self { size, random, seen: 0, chosen: VecDeque::new(), rows: Vec::new() }
    }

    /// Leaves in `kept` the rows that are chosen for now; each must be handed to [`Sample::push`].
    pub fn narrow(&mut self, kept: &mut Vec<u32>) {
        kept.retain(|_| self.choose());
    }

    fn choose(&mut self) -> bool {
        let number = self.seen;
        self.seen += 1;
        let place = if number < self.size as u64 { number } else { self.random.below(self.seen) };
        let place = usize::try_from(place).ok().filter(|place| *place < self.size);
        self.chosen.extend(place.map(|place| (place, number)));
        place.is_some()
    }

    /// Takes the next of the chosen rows as it will be written.
    pub fn push(&mut self, row: &[u8]) {
        let Some((place, number)) = self.chosen.pop_front() else { return };
        match self.rows.get_mut(place) {
            Some(old) => {
                old.0 = number;
                old.1.clear();
                old.1.extend_from_slice(row);
            }
            None => self.rows.push((number, row.to_vec())),
        }
    }

    /// The sample, in the order of the input.
    pub fn into_rows(mut self) -> impl Iterator<Item = Vec<u8>> {
        self.rows.sort_unstable_by_key(|(number, _)| *number);
        self.rows.into_iter().map(|(_, row)| row)
    }
}

/// The first row of each that have the same values in some columns.
///
/// It remembers a hash of 128 bits for each, under a key that no input can know: some 20 to 40 bytes.
/// That two different ones have the same is less likely than 1 in 10^18 for ten thousand million.
#[derive(Debug)]
pub struct Distinct {
    /// In ascending order, each once.
    columns: Vec<usize>,
    key: (u64, u64),
    seen: HashSet<u128, BuildHasherDefault<Low>>,
}

impl Distinct {
    /// By the values of these columns, counted from 0.
    #[must_use]
    pub fn new(columns: &[usize]) -> Self {
        let mut columns = columns.to_vec();
        columns.sort_unstable();
        columns.dedup();
        Self { columns, key: (chance(), chance()), seen: HashSet::default() }
    }

    /// Leaves in `kept` the rows whose values were not seen before. What they mean is compared: the
    /// same with and without quotes is the same. A column that a row does not have is empty.
    pub fn narrow(&mut self, block: &Block, kept: &mut Vec<u32>) {
        kept.retain(|row| self.seen.insert(hash(&self.columns, self.key, block, *row)));
    }
}

fn hash(columns: &[usize], key: (u64, u64), block: &Block, row: u32) -> u128 {
    let mut hasher = SipHasher13::new_with_keys(key.0, key.1);
    let mut fields = block.fields(row as usize);
    let mut next = 0;
    for &column in columns {
        let raw = fields.nth(column - next).unwrap_or_default();
        next = column + 1;
        let value = block.dialect.value(raw);
        // With the length before it, no value runs into the next.
        hasher.write_u64(value.len() as u64);
        hasher.write(&value);
    }
    hasher.finish128().as_u128()
}

/// Takes the low half of what is a hash already.
#[derive(Debug, Default)]
struct Low(u64);

impl Hasher for Low {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        self.0 = bytes.first_chunk().map_or(0, |low| u64::from_ne_bytes(*low));
    }
}

/// A random number: the standard library takes the keys of its tables from the system.
fn chance() -> u64 {
    RandomState::new().build_hasher().finish()
}
