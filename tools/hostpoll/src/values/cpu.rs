//! What part of its time a CPU spent with what.

use crate::sample::{Cpu, Modes, Sample};

use super::percent;

/// The parts of the time between two readings, in percent; they add up to 100.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Shares {
    /// Everything but idling and waiting for disks.
    pub(crate) busy: f64,
    /// Of that, each mode; guests are in `user` and `nice`, and the rest of the modes follow.
    pub(crate) modes: Modes,
}

impl Shares {
    /// Programs, also those that were asked to be nice.
    pub(crate) fn user(&self) -> f64 {
        self.modes.user + self.modes.nice
    }

    /// The kernel, also for interrupts.
    pub(crate) fn system(&self) -> f64 {
        self.modes.system + self.modes.irq + self.modes.softirq
    }
}

/// The shares between two readings of one CPU. `None` when a counter went backwards, as after a
/// boot or when a core was taken out, or when no time passed.
pub(crate) fn shares(before: &Modes, now: &Modes) -> Option<Shares> {
    let passed = |of: fn(&Modes) -> f64| of(now) - of(before);
    let resting = passed(|modes| modes.idle + modes.iowait);
    // proc_stat(5): iowait "may decrease in certain conditions"; what it loses, idle has.
    let iowait = passed(|modes| modes.iowait).clamp(0.0, resting.max(0.0));
    let modes = Modes {
        user: passed(|modes| modes.user),
        nice: passed(|modes| modes.nice),
        system: passed(|modes| modes.system),
        idle: resting - iowait,
        iowait,
        irq: passed(|modes| modes.irq),
        softirq: passed(|modes| modes.softirq),
        steal: passed(|modes| modes.steal),
        guest: passed(|modes| modes.guest),
        guest_nice: passed(|modes| modes.guest_nice),
    };
    let all = [modes.user, modes.nice, modes.system, modes.irq, modes.softirq, modes.steal];
    if resting < 0.0 || all.iter().any(|passed| *passed < 0.0) {
        return None;
    }
    let busy: f64 = all.iter().sum();
    let total = busy + resting;
    let share = |passed: f64| percent(passed, total);
    Some(Shares {
        busy: share(busy)?,
        modes: Modes {
            user: share(modes.user)?,
            nice: share(modes.nice)?,
            system: share(modes.system)?,
            idle: share(modes.idle)?,
            iowait: share(modes.iowait)?,
            irq: share(modes.irq)?,
            softirq: share(modes.softirq)?,
            steal: share(modes.steal)?,
            guest: share(modes.guest.max(0.0))?,
            guest_nice: share(modes.guest_nice.max(0.0))?,
        },
    })
}

/// The reading to compare a sample's with: the first of its window, or that of the sample before.
pub(crate) fn first<'s>(sample: &'s Sample, before: Option<&'s Sample>) -> Option<&'s Cpu> {
    sample.cpu_before.as_ref().or_else(|| before?.cpu.as_ref())
}

/// The shares of all cores together.
pub(crate) fn shares_between(sample: &Sample, before: Option<&Sample>) -> Option<Shares> {
    match (&sample.cpu, &sample.cpu_shares) {
        (Some(now), _) => shares(&first(sample, before)?.total, &now.total),
        // What passed in each mode since the beginning of the window, by its length.
        (None, Some(passed)) => shares(&Modes::default(), passed),
        (None, None) => None,
    }
}

#[allow(clippy::cast_precision_loss, reason = "counts stay far below 2^53")]
pub(super) fn put(sample: &Sample, before: Option<&Sample>, put: &mut impl FnMut(&'static str, Option<f64>)) {
    let shares = shares_between(sample, before);
    put("cpu_percent", shares.map(|shares| shares.busy));
    put("cpu_user_percent", shares.map(|shares| shares.user()));
    put("cpu_system_percent", shares.map(|shares| shares.system()));
    put("cpu_iowait_percent", shares.map(|shares| shares.modes.iowait));
    put("cpu_steal_percent", shares.map(|shares| shares.modes.steal));
    let Some(cpu) = &sample.cpu else { return };
    put("cores", (!cpu.cores.is_empty()).then_some(cpu.cores.len() as f64));
    put("procs_running", cpu.running.map(|count| count as f64));
    put("procs_blocked", cpu.blocked.map(|count| count as f64));
}
