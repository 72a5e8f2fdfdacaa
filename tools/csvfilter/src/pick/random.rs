//! Random numbers that are the same for the same seed, on every machine and in every version.

/// `SplitMix64` (Steele, Lea and Flood 2014).
#[derive(Debug)]
pub(super) struct Random(u64);

impl Random {
    pub(super) fn new(seed: u64) -> Self {
        Self(seed)
    }

    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ self.0 >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ mixed >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ mixed >> 31
    }

    /// A number below `end`, each as likely as the others (Lemire 2019); 0 if `end` is 0.
    pub(super) fn below(&mut self, end: u64) -> u64 {
        loop {
            let product = u128::from(self.next()) * u128::from(end);
            let low = u64::try_from(product & u128::from(u64::MAX)).unwrap_or_default();
            // Only the lowest of the remainders are drawn once too often, and only near here is it
            // worth a division to know which.
            if low >= end || low >= end.wrapping_neg().checked_rem(end).unwrap_or_default() {
                return u64::try_from(product >> 64).unwrap_or_default();
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_numbers_are_those_of_the_paper() {
        let mut random = Random::new(1_234_567);
        let first = [6_457_827_717_110_365_317, 3_203_168_211_198_807_973, 9_817_491_932_198_370_423];
        assert_eq!([random.next(), random.next(), random.next()], first);
    }

    #[test]
    fn every_number_below_comes_as_often() {
        let (mut random, mut counts) = (Random::new(7), [0_u32; 6]);
        for _ in 0..60_000 {
            counts[usize::try_from(random.below(6)).unwrap()] += 1;
        }
        assert!(counts.iter().all(|count| (9_700..10_300).contains(count)), "{counts:?}");
        assert_eq!((random.below(1), random.below(0)), (0, 0));
        assert!(random.below(u64::MAX) < u64::MAX);
    }
}
