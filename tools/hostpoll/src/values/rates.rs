//! What happened between two samples, by the second.

use chrono::{DateTime, Utc};

use crate::sample::{Disk, Interface, Sample};

/// Interfaces whose traffic passes another one too: the sum of all would count it twice.
const VIRTUAL: [&str; 19] = [
    "bond", "br-", "bridge", "cali", "cilium", "cni", "docker", "dummy", "flannel", "gif", "ifb", "lo",
    "stf", "tap", "team", "tun", "utun", "veth", "virbr",
];

/// Block devices that lie on others, or in memory.
const LAYERED: [&str; 6] = ["dm-", "fd", "loop", "md", "ram", "zram"];

/// The seconds between two samples: by the host's own clock since its boot, which nobody sets, or
/// else by the clock here. `None` if none passed.
pub(crate) fn seconds_between(
    (then, before): (DateTime<Utc>, &Sample),
    (time, sample): (DateTime<Utc>, &Sample),
) -> Option<f64> {
    let here = (time - then).num_microseconds().map(|micros| {
        #[allow(clippy::cast_precision_loss, reason = "samples are days apart at most")]
        let micros = micros as f64;
        micros / 1e6
    });
    let there = sample.uptime.zip(before.uptime).map(|(now, then)| now - then);
    there.or(here).filter(|seconds| *seconds > 0.0)
}

/// Two samples of one host.
pub(super) struct Between<'s> {
    before: &'s Sample,
    now: &'s Sample,
    seconds: Option<f64>,
}

impl<'s> Between<'s> {
    pub(super) fn new(before: (DateTime<Utc>, &'s Sample), now: (DateTime<Utc>, &'s Sample)) -> Self {
        Self { before: before.1, now: now.1, seconds: seconds_between(before, now) }
    }

    fn per_second(&self, passed: f64) -> Option<f64> {
        Some(passed / self.seconds?)
    }

    /// The busiest device, and what all that are hardware read and wrote.
    pub(super) fn put_io(&self, put: &mut impl FnMut(&'static str, Option<f64>)) {
        let names: Vec<&str> = self.now.disks.iter().map(|disk| disk.device.as_str()).collect();
        let pairs: Vec<(&Disk, &Disk)> = pairs(&self.before.disks, &self.now.disks, |disk| &disk.device)
            .filter(|(_, now)| is_whole(&now.device, &names))
            .collect();
        let busiest = pairs
            .iter()
            .map(|(before, now)| now.io_time - before.io_time)
            .filter(|passed| *passed >= 0.0)
            .max_by(f64::total_cmp);
        // The kernel counts in ticks, so that a device that is always busy can be a little over.
        put(
            "io_percent",
            busiest.and_then(|passed| self.per_second(100.0 * passed)).map(|rate| rate.min(100.0)),
        );
        let total = |of: fn(&Disk) -> u64| {
            sum(pairs.iter().map(|(before, now)| (of(before), of(now)))).and_then(|sum| self.per_second(sum))
        };
        put("io_read_bytes_per_s", total(|disk| disk.read_bytes));
        put("io_write_bytes_per_s", total(|disk| disk.written_bytes));
    }

    /// What all interfaces that are hardware received and sent.
    pub(super) fn put_net(&self, put: &mut impl FnMut(&'static str, Option<f64>)) {
        let pairs: Vec<(&Interface, &Interface)> =
            pairs(&self.before.interfaces, &self.now.interfaces, |interface| &interface.device)
                .filter(|(_, now)| is_hardware(&now.device))
                .collect();
        let total = |of: fn(&Interface) -> u64| {
            sum(pairs.iter().map(|(before, now)| (of(before), of(now)))).and_then(|sum| self.per_second(sum))
        };
        put("net_receive_bytes_per_s", total(|one| one.receive_bytes));
        put("net_transmit_bytes_per_s", total(|one| one.transmit_bytes));
        put("net_errs_per_s", total(|one| one.receive_errs.saturating_add(one.transmit_errs)));
        put("net_drops_per_s", total(|one| one.receive_drop.saturating_add(one.transmit_drop)));
    }

    /// What part of the time somebody waited for a resource.
    pub(super) fn put_pressure(&self, put: &mut impl FnMut(&'static str, Option<f64>)) {
        let of = |sample: &Sample, resource: &str, kind: &str| {
            sample.pressure.iter().find(|one| one.0 == resource && one.1 == kind).map(|one| one.2)
        };
        let mut each = |name, resource, kind| {
            let passed = of(self.now, resource, kind).zip(of(self.before, resource, kind));
            let passed = passed.map(|(now, before)| now - before).filter(|passed| *passed >= 0.0);
            put(name, passed.and_then(|passed| self.per_second(100.0 * passed)).map(|rate| rate.min(100.0)));
        };
        each("pressure_cpu_waiting_percent", "cpu", "waiting");
        each("pressure_memory_waiting_percent", "memory", "waiting");
        each("pressure_memory_stalled_percent", "memory", "stalled");
        each("pressure_io_waiting_percent", "io", "waiting");
        each("pressure_io_stalled_percent", "io", "stalled");
    }
}

/// Each of `now` with the one of the same name in `before`.
fn pairs<'s, T>(
    before: &'s [T],
    now: &'s [T],
    name: fn(&T) -> &String,
) -> impl Iterator<Item = (&'s T, &'s T)> {
    now.iter().filter_map(move |one| Some((before.iter().find(|other| name(other) == name(one))?, one)))
}

/// By how much counters grew together; `None` if there are none, or one of them went backwards.
#[allow(clippy::cast_precision_loss, reason = "what is lost is far below the error of the clock")]
fn sum(counters: impl Iterator<Item = (u64, u64)>) -> Option<f64> {
    let mut total = None;
    for (before, now) in counters {
        *total.get_or_insert(0.0) += now.checked_sub(before)? as f64;
    }
    total
}

/// Whether an interface stands for hardware; VLANs (`eth0.7`, `eth0@if3`) do not.
fn is_hardware(name: &str) -> bool {
    let is_bridge =
        name.strip_prefix("br").is_some_and(|rest| rest.starts_with(|c: char| c.is_ascii_digit()));
    !is_bridge && !name.contains(['.', '@']) && !VIRTUAL.iter().any(|prefix| name.starts_with(prefix))
}

/// Whether a block device is a whole disk: neither layered nor a partition of another one.
fn is_whole(name: &str, all: &[&str]) -> bool {
    let digits = name.trim_end_matches(|c: char| c.is_ascii_digit());
    let is_part = digits.len() < name.len()
        && all.iter().any(|disk| {
            *disk != name && (*disk == digits || digits.strip_suffix('p').is_some_and(|base| base == *disk))
        });
    !is_part && !LAYERED.iter().any(|prefix| name.starts_with(prefix))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hardware_is_counted_once() {
        let all = ["sda", "sda1", "nvme0n1", "nvme0n1p2", "dm-0", "md1", "vdb", "mmcblk0", "mmcblk0p1"];
        let whole: Vec<&str> = all.into_iter().filter(|name| is_whole(name, &all)).collect();
        assert_eq!(whole, ["sda", "nvme0n1", "vdb", "mmcblk0"]);
        let all = ["lo", "eth0", "enp3s0", "veth12", "docker0", "eth0.7", "br-1a2b", "br0", "bond0", "wlan0"];
        let real: Vec<&str> = all.into_iter().filter(|name| is_hardware(name)).collect();
        assert_eq!(real, ["eth0", "enp3s0", "wlan0"]);
    }
}
