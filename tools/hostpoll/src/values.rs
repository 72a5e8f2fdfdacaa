//! The flat values of one poll: what tables, rows and rules speak of, each with one name.
//!
//! All of them have their place in [`METRICS`], which is the order of every report. A value that
//! cannot be told is absent; none is ever made up. Percent and rates need two readings: those of
//! the CPU come from the two of one answer, or else, as all rates, from the sample before.

mod cpu;
mod rates;
mod space;

use crate::outcome::Polled;
use crate::sample::{Collector, Extra, Sample, Value};

pub(crate) use cpu::{Shares, shares, shares_between};
pub(crate) use rates::seconds_between;
pub(crate) use space::used_percent;

/// A value that can be told of any host.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Metric {
    /// Its name, with its unit.
    pub name: &'static str,
    /// The group of metrics that it belongs to.
    pub collector: Collector,
    /// How many readings it needs.
    pub needs: Needs,
}

/// How many readings a value needs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Needs {
    /// One.
    One,
    /// Two: of one answer with a window, or of two samples.
    Window,
    /// Two samples, as `--interval` takes them.
    Samples,
}

macro_rules! metrics {
    ($($name:literal $collector:ident $needs:ident,)*) => {
        &[$(Metric { name: $name, collector: Collector::$collector, needs: Needs::$needs },)*]
    };
}

/// All values, in the order in which they are reported. `disk_mount` is text: the mount point that
/// `disk_percent` speaks of.
pub const METRICS: &[Metric] = metrics![
    "cpu_percent" Cpu Window,
    "cpu_user_percent" Cpu Window,
    "cpu_system_percent" Cpu Window,
    "cpu_iowait_percent" Cpu Window,
    "cpu_steal_percent" Cpu Window,
    "cores" Cpu One,
    "procs_running" Cpu One,
    "procs_blocked" Cpu One,
    "load1" Load One,
    "load5" Load One,
    "load15" Load One,
    "mem_percent" Mem One,
    "mem_total_bytes" Mem One,
    "mem_available_bytes" Mem One,
    "swap_percent" Mem One,
    "swap_total_bytes" Mem One,
    "disk_percent" Disk One,
    "disk_mount" Disk One,
    "inode_percent" Disk One,
    "io_percent" Io Samples,
    "io_read_bytes_per_s" Io Samples,
    "io_write_bytes_per_s" Io Samples,
    "net_receive_bytes_per_s" Net Samples,
    "net_transmit_bytes_per_s" Net Samples,
    "net_errs_per_s" Net Samples,
    "net_drops_per_s" Net Samples,
    "uptime_s" Uptime One,
    "processes" Procs One,
    "files_open" Files One,
    "files_percent" Files One,
    "sockets_tcp" Sockets One,
    "sockets_tcp_tw" Sockets One,
    "sockets_udp" Sockets One,
    "pressure_cpu_waiting_percent" Pressure Samples,
    "pressure_memory_waiting_percent" Pressure Samples,
    "pressure_memory_stalled_percent" Pressure Samples,
    "pressure_io_waiting_percent" Pressure Samples,
    "pressure_io_stalled_percent" Pressure Samples,
];

/// What a report says of a host besides its values; no `--command` can have these names, nor those
/// of [`METRICS`].
pub const RESERVED: &[&str] = &[
    "host",
    "time",
    "ok",
    "error",
    "error_class",
    "error_phase",
    "duration_ms",
    "duration_s",
    "tags",
    "system",
    "cpu",
    "filesystems",
    "disks",
    "interfaces",
    "sockets",
    "pressure",
    "failed_commands",
    "gaps",
    "unreachable",
    "failed",
];

/// Whether a `--command` cannot have this name, because a report uses it.
#[must_use]
pub fn is_taken(name: &str) -> bool {
    RESERVED.contains(&name) || METRICS.iter().any(|metric| metric.name == name)
}

/// The values of one host.
#[derive(Debug, Clone, PartialEq)]
pub struct Values<'s> {
    /// Those of [`METRICS`] that can be told, in its order; finite.
    pub numbers: Vec<(&'static str, f64)>,
    /// The mount point of the fullest file system.
    pub disk_mount: Option<&'s str>,
    /// What `--command` asked for.
    pub extras: &'s [Extra],
}

/// A value with its name, in the order of a report.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Told<'a> {
    /// A number.
    Number(f64),
    /// A line from the host: escape it before it reaches a terminal.
    Text(&'a str),
}

impl<'s> Values<'s> {
    /// The values of an answer; `None` for a failure.
    #[must_use]
    pub fn of(polled: &'s Polled) -> Option<Self> {
        let sample = polled.result.as_ref().ok()?;
        let mut numbers = Vec::with_capacity(METRICS.len());
        let mut put = |name, value: Option<f64>| {
            numbers.extend(value.filter(|value| value.is_finite()).map(|value| (name, rounded(value))));
        };
        let before = polled.before.as_deref();
        cpu::put(sample, before.map(|(_, before)| before), &mut put);
        if let Some([one, five, fifteen]) = sample.load {
            put("load1", Some(one));
            put("load5", Some(five));
            put("load15", Some(fifteen));
        }
        let fullest = space::put(sample, &mut put);
        let rates = before.map(|(then, before)| rates::Between::new((*then, before), (polled.time, sample)));
        if let Some(rates) = &rates {
            rates.put_io(&mut put);
            rates.put_net(&mut put);
        }
        put_counts(sample, &mut put);
        if let Some(rates) = &rates {
            rates.put_pressure(&mut put);
        }
        Some(Self { numbers, disk_mount: fullest, extras: &sample.extras })
    }

    /// The number with this name: one of [`METRICS`], `NAME` or `NAME.key` of a `--command`.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<f64> {
        if let Some((_, number)) = self.numbers.iter().find(|(known, _)| *known == name) {
            return Some(*number);
        }
        let extra = self.extras.iter().find(|extra| is_key_of(name, &extra.name).is_some())?;
        let key = is_key_of(name, &extra.name)?;
        extra.values.iter().find(|(known, _)| known == key).and_then(|(_, value)| match value {
            Value::Number(number) => Some(*number).filter(|number| number.is_finite()),
            Value::Text(_) => None,
        })
    }

    /// Visits every value in the order of the reports, with its name.
    ///
    /// # Errors
    /// The first one that `visit` returns.
    pub fn each<E>(&self, mut visit: impl FnMut(&str, Told<'_>) -> Result<(), E>) -> Result<(), E> {
        let mut mount = self.disk_mount;
        for (name, number) in &self.numbers {
            visit(name, Told::Number(*number))?;
            if *name == "disk_percent"
                && let Some(mount) = mount.take()
            {
                visit("disk_mount", Told::Text(mount))?;
            }
        }
        let mut name = String::new();
        for (extra, key, value) in self.extra_values() {
            name.clear();
            name.push_str(extra);
            if !key.is_empty() {
                name.push('.');
                name.push_str(key);
            }
            visit(&name, value)?;
        }
        Ok(())
    }

    /// The values of all `--command`s: name, key, value. Of a key that was told twice, the last.
    pub(crate) fn extra_values(&self) -> impl Iterator<Item = (&'s str, &'s str, Told<'s>)> {
        self.extras.iter().flat_map(|extra| {
            extra.values.iter().enumerate().filter_map(|(index, (key, value))| {
                let told = match value {
                    Value::Number(number) if number.is_finite() => Told::Number(*number),
                    Value::Number(_) => return None,
                    Value::Text(text) => Told::Text(text),
                };
                let again = extra.values[index + 1..].iter().any(|(later, _)| later == key);
                (!again).then_some((extra.name.as_str(), key.as_str(), told))
            })
        })
    }
}

/// The key that `wanted` asks for, if it is `name` or `name.KEY`.
fn is_key_of<'w>(wanted: &'w str, name: &str) -> Option<&'w str> {
    match wanted.strip_prefix(name)? {
        "" => Some(""),
        key => key.strip_prefix('.'),
    }
}

#[allow(clippy::cast_precision_loss, reason = "counts stay far below 2^53")]
fn put_counts(sample: &Sample, put: &mut impl FnMut(&'static str, Option<f64>)) {
    put("uptime_s", sample.uptime);
    put("processes", sample.processes.map(|count| count as f64));
    put("files_open", sample.files.map(|(open, _)| open as f64));
    put("files_percent", sample.files.and_then(|(open, most)| percent(open as f64, most as f64)));
    let of = |names: [&str; 2]| {
        let found: Vec<u64> = sample
            .sockets
            .iter()
            .filter(|(name, _)| names.contains(&name.as_str()))
            .map(|(_, count)| *count)
            .collect();
        (!found.is_empty()).then(|| found.iter().sum::<u64>() as f64)
    };
    put("sockets_tcp", of(["TCP_inuse", "TCP6_inuse"]));
    put("sockets_tcp_tw", of(["TCP_tw", "TCP_tw"]));
    put("sockets_udp", of(["UDP_inuse", "UDP6_inuse"]));
}

/// How many hundredths of `whole` a `part` is; nothing of nothing is not told.
pub(crate) fn percent(part: f64, whole: f64) -> Option<f64> {
    (whole > 0.0).then(|| 100.0 * part / whole)
}

/// At most three digits behind the point: more of a percent or a rate is noise, and a rule that says
/// `over 90` of 90.0000001 would read as if it were wrong.
fn rounded(number: f64) -> f64 {
    if number.fract() == 0.0 { number } else { (number * 1000.0).round() / 1000.0 }
}

/// A finite number in decimal digits, as short as it can be told.
#[must_use]
pub fn plain(number: f64) -> String {
    // Adding zero takes the sign from minus zero.
    format!("{}", number + 0.0)
}

#[cfg(test)]
mod tests;
