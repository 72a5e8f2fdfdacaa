//! When there is another attempt.
//!
//! Within a run the waits are kept by the monotonic clock. What the ledger holds from an earlier run
//! is wall time, and that clock may have been set since: such a wait is never longer than one that
//! this run would begin.

use std::time::Duration;

use crate::plan::Backoff;

/// How long to wait after the `failures`-th failure in a row, counted from 1: twice as long each
/// time, from the first to the most. Half of it is fixed and half is up to `random` (0 to 1), so
/// that what failed together does not come again together.
#[must_use]
pub(crate) fn wait_after(backoff: Backoff, failures: u32, random: f64) -> Duration {
    let doublings = failures.saturating_sub(1);
    let factor = 1_u32.checked_shl(doublings).unwrap_or(u32::MAX);
    let whole = backoff.first.saturating_mul(factor).min(backoff.most);
    let random = if random.is_finite() { random.clamp(0.0, 1.0) } else { 1.0 };
    (whole / 2).saturating_add((whole / 2).mul_f64(random)).min(whole)
}

/// What is left at `now_ms` of a wait that ends at `due_ms`, both milliseconds since 1970: nothing
/// when it is over, and never more than `most`, even when the clock was set back.
#[must_use]
pub(crate) fn remaining(due_ms: i64, now_ms: i64, most: Duration) -> Duration {
    let left = u64::try_from(due_ms.saturating_sub(now_ms)).unwrap_or(0);
    Duration::from_millis(left).min(most)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const SECOND: Duration = Duration::from_secs(1);
    const USUAL: Backoff = Backoff { first: SECOND, most: Duration::from_mins(5) };

    #[test]
    fn the_wait_doubles_up_to_the_most() {
        let check = |failures: u32, random: f64, want_ms: u64| {
            assert_eq!(wait_after(USUAL, failures, random), Duration::from_millis(want_ms), "{failures}");
        };
        check(0, 1.0, 1_000);
        check(1, 1.0, 1_000);
        check(1, 0.0, 500);
        check(1, 0.5, 750);
        check(2, 1.0, 2_000);
        check(9, 1.0, 256_000);
        check(10, 1.0, 300_000);
        check(33, 0.0, 150_000);
        check(u32::MAX, f64::NAN, 300_000);
    }

    #[test]
    fn an_earlier_runs_wait_is_no_longer_than_one_of_this_run() {
        let check = |due: i64, now: i64, want_ms: u64| {
            assert_eq!(remaining(due, now, SECOND), Duration::from_millis(want_ms), "{due} at {now}");
        };
        check(5_000, 4_600, 400);
        check(5_000, 5_000, 0);
        check(5_000, 9_000_000, 0);
        check(9_000_000, 5_000, 1_000);
        check(i64::MAX, i64::MIN, 1_000);
        check(i64::MIN, i64::MAX, 0);
    }

    proptest! {
        #[test]
        fn the_wait_is_between_half_and_whole(first in 0_u64..u64::MAX, more in any::<u64>(),
                                              failures: u32, random: f64) {
            let first = Duration::from_millis(first);
            let backoff = Backoff { first, most: first.saturating_add(Duration::from_millis(more)) };
            let (least, most) = (wait_after(backoff, failures, 0.0), wait_after(backoff, failures, 1.0));
            let wait = wait_after(backoff, failures, random);
            prop_assert!(least <= wait && wait <= most && most <= backoff.most);
            prop_assert!(least >= first / 2);
        }
    }
}
