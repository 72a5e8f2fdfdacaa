//! `--shard I/N`: the part of the hosts that is this collector's.
//!
//! Shards are contiguous parts of the selected hosts in their order, as even as can be: so the outputs
//! of shards 1 to N, one after the other, are the output of the whole. A hash of the names would leave
//! most hosts with their collector when one is added, but give up that order, and shards that differ by
//! tens of hosts in a thousand. What all collectors must share is the inventory and the selection.

use std::fmt::{self, Display, Formatter};
use std::ops::Range;
use std::str::FromStr;

/// One of several parts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Shard {
    /// Which, from 1 to `count`.
    number: usize,
    count: usize,
}

impl Shard {
    /// The part of `len` hosts that is this shard's: positions from 0. The first `len % N` shards have
    /// one host more than the others; with fewer hosts than shards some have none.
    #[must_use]
    pub fn of(self, len: usize) -> Range<usize> {
        let (each, more) = (len / self.count, len % self.count);
        let start = |shard: usize| shard * each + shard.min(more);
        start(self.number - 1)..start(self.number)
    }
}

impl FromStr for Shard {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let number =
            |text: &str| text.parse().ok().filter(|_| text.bytes().all(|byte| byte.is_ascii_digit()));
        let numbers = text.split_once('/').and_then(|(shard, count)| number(shard).zip(number(count)));
        match numbers {
            Some((number, count)) if (1..=count).contains(&number) => Ok(Self { number, count }),
            Some((number, count)) if count > 0 => {
                Err(format!("there is no shard {number} of {count}; they are 1 to {count}"))
            }
            _ => Err(format!("`{text}` is no shard; say I/N, such as 1/4")),
        }
    }
}

impl Display for Shard {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.number, self.count)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_shard_is_one_of_several() {
        let check = |text: &str, want: Range<usize>| {
            let shard: Shard = text.parse().unwrap();
            assert_eq!((shard.of(10), shard.to_string().as_str()), (want, text));
        };
        check("1/1", 0..10);
        check("1/4", 0..3);
        check("2/4", 3..6);
        check("4/4", 8..10);
        check("11/12", 10..10);
    }

    #[test]
    fn what_is_no_shard_is_refused() {
        let check = |text: &str, want: &str| assert_eq!(text.parse::<Shard>().unwrap_err(), want);
        check("0/4", "there is no shard 0 of 4; they are 1 to 4");
        check("5/4", "there is no shard 5 of 4; they are 1 to 4");
        check("0/0", "`0/0` is no shard; say I/N, such as 1/4");
        check("4", "`4` is no shard; say I/N, such as 1/4");
        check("+1/4", "`+1/4` is no shard; say I/N, such as 1/4");
        check("1/", "`1/` is no shard; say I/N, such as 1/4");
        check("99999999999999999999/1", "`99999999999999999999/1` is no shard; say I/N, such as 1/4");
    }

    proptest! {
        #[test]
        fn the_shards_are_the_whole_and_even(len in 0_usize..500, count in 1_usize..50) {
            let shards: Vec<_> = (1..=count).map(|number| Shard { number, count }.of(len)).collect();
            let all: Vec<usize> = shards.iter().cloned().flatten().collect();
            prop_assert_eq!(all, (0..len).collect::<Vec<_>>());
            let sizes = shards.iter().map(ExactSizeIterator::len);
            prop_assert!(sizes.clone().max().unwrap_or(0) - sizes.min().unwrap_or(0) <= 1);
        }
    }
}
