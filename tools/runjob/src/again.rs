//! What follows a failure.

use std::time::Duration;

use common::units;

use crate::cli::Again;
use crate::run::End;

/// The time between attempts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Backoff {
    /// Before the second attempt.
    pub(crate) first: Duration,
    /// It doubles until it is that.
    pub(crate) most: Duration,
}

/// How an attempt may end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Cause {
    /// With this status.
    Status(u8),
    /// By a signal that was not ours.
    Signal,
    /// Its time was over.
    Timeout,
}

impl Again {
    /// Whether another attempt may help after this end.
    pub(crate) fn is_worth_it(&self, end: End) -> bool {
        let cause = match end {
            // That it is not there, or cannot be run, stays so.
            End::Exit(0 | 126 | 127) | End::NotStarted(_) => return false,
            End::Exit(status) => Cause::Status(status),
            End::Signal(_) => Cause::Signal,
            End::Late => Cause::Timeout,
        };
        (self.retry_on.is_empty() || self.retry_on.contains(&cause)) && !self.no_retry_on.contains(&cause)
    }

    /// How long to wait after this attempt; the first has number 1.
    pub(crate) fn pause(&self, attempt: u32) -> Duration {
        let doubled = 2_u32.checked_pow(attempt.saturating_sub(1)).unwrap_or(u32::MAX);
        let pause = self.backoff.first.saturating_mul(doubled).min(self.backoff.most);
        // From nothing to all of it: that spreads many hosts best that have failed together.
        if self.jitter { pause.mul_f64(fastrand::f64()) } else { pause }
    }
}

/// `1s..5m`, or `10s` for always the same.
pub(crate) fn backoff(text: &str) -> Result<Backoff, String> {
    let (first, most) = text.split_once("..").unwrap_or((text, text));
    let backoff = Backoff { first: units::duration(first)?, most: units::duration(most)? };
    if backoff.first > backoff.most {
        return Err("it begins with more than it ends with".into());
    }
    Ok(backoff)
}

/// A status from 1 to 255, `signal` or `timeout`.
pub(crate) fn cause(text: &str) -> Result<Cause, String> {
    match text {
        "signal" => Ok(Cause::Signal),
        "timeout" => Ok(Cause::Timeout),
        _ => {
            let status =
                text.parse().ok().filter(|status| !matches!(status, 0 | 126 | 127)).map(Cause::Status);
            status.ok_or_else(|| {
                "it is to be a status from 1 to 255, `signal` or `timeout`; after 126 and 127 there is never another"
                    .into()
            })
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Args;

    fn again(flags: &str) -> Again {
        Args::told(flags).again
    }

    #[test]
    fn what_is_worth_another_attempt() {
        let check = |flags: &str, end: End, want: bool| {
            assert_eq!(again(flags).is_worth_it(end), want, "{flags} {end:?}");
        };
        for end in [End::Exit(1), End::Exit(255), End::Signal(9), End::Late] {
            check("", end, true);
            check("--retry-on 75", end, false);
            check("--retry-on 1,255,signal,timeout", end, true);
            check("--no-retry-on 1,255,signal,timeout", end, false);
        }
        check("--retry-on 75 --no-retry-on 75", End::Exit(75), false);
        // A shell says that of a child that was killed; it was not itself.
        check("--retry-on signal", End::Exit(137), false);
        for end in [End::Exit(0), End::Exit(126), End::Exit(127), End::NotStarted(126), End::NotStarted(127)]
        {
            check("", end, false);
        }
    }

    #[test]
    fn the_pause_doubles_up_to_its_end() {
        let check = |flags: &str, attempt: u32, want: u64| {
            assert_eq!(again(flags).pause(attempt), Duration::from_secs(want), "{flags} {attempt}");
        };
        for (attempt, want) in [(1, 1), (2, 2), (3, 4), (9, 256), (10, 300), (33, 300), (u32::MAX, 300)] {
            check("", attempt, want);
        }
        check("--backoff 10s", 5, 10);
        check("--backoff 0s..1s", 5, 0);
    }

    #[test]
    fn jitter_takes_any_part_of_it() {
        let again = again("--jitter --backoff 8s");
        let pauses: Vec<_> = (0..1000).map(|_| again.pause(3)).collect();
        assert!(pauses.iter().all(|pause| *pause <= Duration::from_secs(8)));
        assert!(pauses.iter().any(|pause| *pause < Duration::from_secs(2)));
        assert!(pauses.iter().any(|pause| *pause > Duration::from_secs(6)));
    }

    #[test]
    fn a_flag_is_read_or_refused() {
        let check = |text: &str, want: Option<Cause>| assert_eq!(cause(text).ok(), want, "{text}");
        check("75", Some(Cause::Status(75)));
        check("255", Some(Cause::Status(255)));
        check("signal", Some(Cause::Signal));
        check("timeout", Some(Cause::Timeout));
        for bad in ["", "0", "256", "126", "127", "-1", "9.5", "SIGTERM"] {
            check(bad, None);
        }
        let seconds = |first, most| {
            Some(Backoff { first: Duration::from_secs(first), most: Duration::from_secs(most) })
        };
        let check = |text: &str, want: Option<Backoff>| assert_eq!(backoff(text).ok(), want, "{text}");
        check("1s..5m", seconds(1, 300));
        check("10s", seconds(10, 10));
        check("0s..0s", seconds(0, 0));
        for bad in ["", "..", "1s..", "5m..1s", "5", "1s...2s"] {
            check(bad, None);
        }
    }
}
