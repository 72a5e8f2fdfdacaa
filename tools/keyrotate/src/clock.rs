//! Time that a wrong clock cannot shorten.
//!
//! A soak of a day is a day although somebody sets the clock forward by an hour: what counts is the
//! lesser of the wall clock's time and that of the clock of the boot. After a reboot the time before it
//! counts, and the time that the machine was off does not.

use std::fs;
use std::time::Duration;

use rustix::time::{ClockId, clock_gettime};
use serde::{Deserialize, Serialize};

/// A moment by both clocks.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Now {
    /// Milliseconds since 1970.
    pub(crate) wall_ms: i64,
    /// Milliseconds since the machine was started, sleep included.
    pub(crate) boot_ms: i64,
    /// Which start that was.
    pub(crate) boot: String,
}

impl Now {
    /// This moment.
    pub(crate) fn read() -> Self {
        let ms = |id| {
            let time = clock_gettime(id);
            time.tv_sec.saturating_mul(1000).saturating_add(time.tv_nsec / 1_000_000)
        };
        // Where there is no such file the time of the boot clock alone tells two starts apart: see `passed`.
        let boot = fs::read_to_string("/proc/sys/kernel/random/boot_id").unwrap_or_default();
        Self { wall_ms: ms(ClockId::Realtime), boot_ms: ms(ClockId::Boottime), boot: boot.trim().into() }
    }

    /// Seconds since 1970.
    pub(crate) fn seconds(&self) -> i64 {
        self.wall_ms.div_euclid(1000)
    }
}

/// A time in seconds since 1970 as people and RFC 3339 write it, in UTC.
pub(crate) fn told(seconds: i64) -> String {
    let time = chrono::DateTime::from_timestamp(seconds, 0).unwrap_or_default();
    time.to_rfc3339_opts(chrono::SecondsFormat::Secs, true)
}

/// How long something has lasted, over runs and reboots.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Timer {
    passed_ms: u64,
    at: Now,
}

impl Timer {
    /// One that begins now.
    pub(crate) fn begin(now: &Now) -> Self {
        Self { passed_ms: 0, at: now.clone() }
    }

    /// The same with the time until now.
    pub(crate) fn until(&self, now: &Now) -> Self {
        let wall = now.wall_ms.saturating_sub(self.at.wall_ms);
        let is_same_boot = now.boot == self.at.boot && now.boot_ms >= self.at.boot_ms;
        let boot = if is_same_boot { now.boot_ms - self.at.boot_ms } else { now.boot_ms };
        let more = u64::try_from(wall.min(boot)).unwrap_or_default();
        Self { passed_ms: self.passed_ms.saturating_add(more), at: now.clone() }
    }

    /// How long it has lasted.
    pub(crate) fn passed(&self) -> Duration {
        Duration::from_millis(self.passed_ms)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn now(wall_s: i64, boot_s: i64, boot: &str) -> Now {
        Now { wall_ms: wall_s * 1000, boot_ms: boot_s * 1000, boot: boot.into() }
    }

    fn check(moments: &[(i64, i64, &str)], want_s: u64) {
        let mut timer = Timer::begin(&now(1000, 50, "a"));
        for &(wall, boot, id) in moments {
            timer = timer.until(&now(wall, boot, id));
        }
        assert_eq!(timer.passed(), Duration::from_secs(want_s), "{moments:?}");
    }

    #[test]
    fn no_clock_shortens_a_time() {
        check(&[(1010, 60, "a")], 10);
        check(&[(1010, 60, "a"), (1030, 80, "a")], 30);
        // Set forward, set back.
        check(&[(4610, 60, "a"), (4620, 70, "a")], 20);
        check(&[(900, 60, "a"), (910, 70, "a")], 10);
        // Two reboots: the time that it was off is not counted.
        check(&[(1010, 60, "a"), (1100, 20, "b"), (1200, 10, "c")], 40);
        // A machine without an id of its boots.
        check(&[(1100, 20, "a")], 20);
    }

    #[test]
    fn this_moment_is_after_the_one_before() {
        let first = Now::read();
        let second = Now::read();
        assert!(first.boot_ms <= second.boot_ms && first.boot == second.boot && first.wall_ms > 0);
    }
}
