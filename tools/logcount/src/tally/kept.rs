//! The counts of one file among a hundred thousand.

use super::{Cell, Cells, Levels, NAMES, Tally};

/// Counts in as little memory as they need.
#[derive(Debug, Clone)]
pub(crate) enum Kept {
    /// Records and lines of each level, in seven bits a byte: 16 bytes for a small log, where
    /// [`Levels`] has 152.
    Levels(Box<[u8]>),
    /// As they are.
    Cells(Box<Cells>),
}

impl Kept {
    /// Of a tally that has no groups of time.
    pub(crate) fn of(tally: impl Tally) -> Self {
        let cells = tally.groups().into_iter().next().map(|(_, cells)| cells);
        match cells {
            Some(Cells::Levels(levels)) => {
                let mut bytes = Vec::with_capacity(2 * NAMES.len());
                for (_, cell) in levels.rows() {
                    push(cell.records, &mut bytes);
                    push(cell.lines, &mut bytes);
                }
                Self::Levels(bytes.into())
            }
            cells => Self::Cells(Box::new(cells.unwrap_or_else(|| Cells::Levels(Levels::default())))),
        }
    }

    /// The counts.
    pub(crate) fn cells(&self) -> Cells {
        match self {
            Self::Levels(bytes) => {
                let mut bytes = bytes.iter();
                let mut levels = Levels::default();
                for name in NAMES {
                    let (records, lines) = (next(&mut bytes), next(&mut bytes));
                    levels.add(name, Cell { records, lines });
                }
                Cells::Levels(levels)
            }
            Self::Cells(cells) => (**cells).clone(),
        }
    }
}

/// Appends a number, its lowest seven bits first; the high bit says that more follow.
fn push(mut number: u64, bytes: &mut Vec<u8>) {
    while number > 0x7f {
        bytes.push(0x80 | u8::try_from(number & 0x7f).unwrap_or_default());
        number >>= 7;
    }
    bytes.push(u8::try_from(number).unwrap_or_default());
}

fn next<'a>(bytes: &mut impl Iterator<Item = &'a u8>) -> u64 {
    let mut number = 0;
    for (index, byte) in bytes.enumerate() {
        number |= u64::from(byte & 0x7f) << (7 * index);
        if byte & 0x80 == 0 {
            break;
        }
    }
    number
}

#[cfg(test)]
mod tests {
    use super::*;

    proptest::proptest! {
        #[test]
        fn what_is_kept_comes_back(numbers in proptest::collection::vec(proptest::num::u64::ANY, 16), shift in 0..64_u32) {
            let mut levels = Levels::default();
            for (name, pair) in NAMES.iter().zip(numbers.chunks(2)) {
                levels.add(name, Cell { records: pair[0] >> shift, lines: pair[1] >> (63 - shift) });
            }
            let rows: Vec<_> = levels.rows().collect();
            let Cells::Levels(back) = Kept::of(levels).cells() else { panic!("no levels") };
            proptest::prop_assert_eq!(back.rows().collect::<Vec<_>>(), rows);
        }
    }
}
