//! What Prometheus' `node_exporter` calls what a sample says: names, types and help, to the letter, so
//! that dashboards made for it work.

use crate::sample::{Collector, Cpu, Disk, Filesystem, Interface, Sample};

/// Whether a value only grows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// It grows until the host is booted again.
    Counter,
    /// It goes up and down.
    Gauge,
}

impl Kind {
    /// The word behind `# TYPE`.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Counter => "counter",
            Self::Gauge => "gauge",
        }
    }
}

/// A family of series: one name, type and help for all hosts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Family<'a> {
    /// All of the name, or its beginning if there is a `field`.
    pub name: &'static str,
    /// The end of the name, as the host told it: letters, digits and `_` count, all else is `_`.
    pub field: &'a str,
    /// Whether it only grows.
    pub kind: Kind,
    /// The help, with `{}` for the field, and `{0}`, `{1}` for its parts before and behind the `_`.
    pub help: &'static str,
}

const fn counter(name: &'static str, help: &'static str) -> Family<'static> {
    Family { name, field: "", kind: Kind::Counter, help }
}

const fn gauge(name: &'static str, help: &'static str) -> Family<'static> {
    Family { name, field: "", kind: Kind::Gauge, help }
}

impl Family<'_> {
    /// Its whole name.
    #[must_use]
    pub fn full_name(&self) -> String {
        self.name.chars().chain(self.field.chars().map(letter)).collect()
    }

    /// Its help, on one line.
    #[must_use]
    pub fn full_help(&self) -> String {
        let name = self.full_name();
        let field = name.strip_prefix(self.name).unwrap_or_default();
        let (head, tail) = field.split_once('_').unwrap_or((field, ""));
        self.help.replace("{}", field).replace("{0}", head).replace("{1}", tail)
    }
}

/// What a name can have for `c`.
pub(crate) fn letter(c: char) -> char {
    if c.is_ascii_alphanumeric() { c } else { '_' }
}

/// Something that takes points: the family, the labels but for those of the host, the value.
pub trait Points {
    /// Takes one point.
    fn put(&mut self, family: Family<'_>, labels: &[(&str, &str)], value: f64);
}

/// How `node_exporter` calls our groups of metrics.
#[must_use]
pub fn collector_name(collector: Collector) -> &'static str {
    match collector {
        Collector::Cpu => "cpu",
        Collector::Load => "loadavg",
        Collector::Mem => "meminfo",
        Collector::Disk => "filesystem",
        Collector::Io => "diskstats",
        Collector::Net => "netdev",
        Collector::Uptime => "time",
        Collector::Procs => "processes",
        Collector::Files => "filefd",
        Collector::Sockets => "sockstat",
        Collector::Pressure => "pressure",
    }
}

/// Visits all points of a sample that `node_exporter` would have.
pub fn each(sample: &Sample, to: &mut impl Points) {
    uname(sample, to);
    if let Some(cpu) = &sample.cpu {
        cpus(cpu, to);
    }
    if let Some([one, five, fifteen]) = sample.load {
        to.put(gauge("node_load1", "1m load average."), &[], one);
        to.put(gauge("node_load5", "5m load average."), &[], five);
        to.put(gauge("node_load15", "15m load average."), &[], fifteen);
    }
    for (field, count) in sample.memory.iter().flat_map(|memory| &memory.all) {
        let help = "Memory information field {}.";
        to.put(Family { name: "node_memory_", field, kind: Kind::Gauge, help }, &[], float(*count));
    }
    sample.filesystems.iter().for_each(|one| filesystem(one, to));
    sample.disks.iter().for_each(|one| disk(one, to));
    sample.interfaces.iter().for_each(|one| interface(one, to));
    times(sample, to);
    for (field, count) in &sample.sockets {
        let help = match field.as_str() {
            "sockets_used" => "Number of IPv4 sockets in use.",
            _ => "Number of {0} sockets in state {1}.",
        };
        to.put(Family { name: "node_sockstat_", field, kind: Kind::Gauge, help }, &[], float(*count));
    }
    sample.pressure.iter().for_each(|(resource, kind, seconds)| pressure(resource, kind, *seconds, to));
}

#[allow(clippy::cast_precision_loss, reason = "the exposition has doubles")]
fn float(count: u64) -> f64 {
    count as f64
}

/// Without `version` and `domainname`, which are not asked for: an absent label is an empty one.
fn uname(sample: &Sample, to: &mut impl Points) {
    let system = &sample.system;
    if system.name.is_empty() {
        return;
    }
    let help = "Labeled system information as provided by the uname system call.";
    let labels = [
        ("machine", system.machine.as_str()),
        ("nodename", &system.node),
        ("release", &system.release),
        ("sysname", &system.name),
    ];
    to.put(gauge("node_uname_info", help), &labels, 1.0);
}

fn cpus(cpu: &Cpu, to: &mut impl Points) {
    let family = counter("node_cpu_seconds_total", "Seconds the CPUs spent in each mode.");
    let help = "Seconds the CPUs spent in guests (VMs) for each mode.";
    let guests = counter("node_cpu_guest_seconds_total", help);
    for (number, modes) in &cpu.cores {
        let number = number.to_string();
        let each = [
            ("user", modes.user),
            ("nice", modes.nice),
            ("system", modes.system),
            ("idle", modes.idle),
            ("iowait", modes.iowait),
            ("irq", modes.irq),
            ("softirq", modes.softirq),
            ("steal", modes.steal),
        ];
        for (mode, seconds) in each {
            to.put(family, &[("cpu", &number), ("mode", mode)], seconds);
        }
        for (mode, seconds) in [("user", modes.guest), ("nice", modes.guest_nice)] {
            to.put(guests, &[("cpu", &number), ("mode", mode)], seconds);
        }
    }
    let counts = [
        (counter("node_context_switches_total", "Total number of context switches."), cpu.context_switches),
        (counter("node_forks_total", "Total number of forks."), cpu.forks),
        (gauge("node_procs_running", "Number of processes in runnable state."), cpu.running),
        (
            gauge("node_procs_blocked", "Number of processes blocked waiting for I/O to complete."),
            cpu.blocked,
        ),
    ];
    for (family, count) in counts {
        if let Some(count) = count {
            to.put(family, &[], float(count));
        }
    }
}

fn filesystem(one: &Filesystem, to: &mut impl Points) {
    let labels = [("device", one.device.as_str()), ("fstype", &one.fstype), ("mountpoint", &one.mountpoint)];
    let mut put = |name, help, value| to.put(gauge(name, help), &labels, value);
    let help = "Filesystem space available to non-root users in bytes.";
    put("node_filesystem_avail_bytes", help, float(one.available));
    put("node_filesystem_files", "Filesystem total file nodes.", float(one.files));
    put("node_filesystem_files_free", "Filesystem total free file nodes.", float(one.files_free));
    put("node_filesystem_free_bytes", "Filesystem free space in bytes.", float(one.free));
    put("node_filesystem_readonly", "Filesystem read-only status.", f64::from(u8::from(one.is_readonly)));
    put("node_filesystem_size_bytes", "Filesystem size in bytes.", float(one.size));
}

fn disk(one: &Disk, to: &mut impl Points) {
    let labels = [("device", one.device.as_str())];
    let help = "The number of I/Os currently in progress.";
    to.put(gauge("node_disk_io_now", help), &labels, float(one.io_now));
    let mut put = |name, help, value| to.put(counter(name, help), &labels, value);
    put("node_disk_io_time_seconds_total", "Total seconds spent doing I/Os.", one.io_time);
    let help = "The weighted # of seconds spent doing I/Os.";
    put("node_disk_io_time_weighted_seconds_total", help, one.io_weighted_time);
    let help = "The total number of bytes read successfully.";
    put("node_disk_read_bytes_total", help, float(one.read_bytes));
    let help = "The total number of seconds spent by all reads.";
    put("node_disk_read_time_seconds_total", help, one.read_time);
    let help = "The total number of reads completed successfully.";
    put("node_disk_reads_completed_total", help, float(one.reads));
    let help = "This is the total number of seconds spent by all writes.";
    put("node_disk_write_time_seconds_total", help, one.write_time);
    let help = "The total number of writes completed successfully.";
    put("node_disk_writes_completed_total", help, float(one.writes));
    let help = "The total number of bytes written successfully.";
    put("node_disk_written_bytes_total", help, float(one.written_bytes));
}

fn interface(one: &Interface, to: &mut impl Points) {
    let labels = [("device", one.device.as_str())];
    let mut put = |name, help, count| to.put(counter(name, help), &labels, float(count));
    macro_rules! each {
        ($($name:ident)*) => {
            $(put(
                concat!("node_network_", stringify!($name), "_total"),
                concat!("Network device statistic ", stringify!($name), "."),
                one.$name,
            );)*
        };
    }
    each!(receive_bytes receive_packets receive_errs receive_drop);
    each!(transmit_bytes transmit_packets transmit_errs transmit_drop);
}

fn times(sample: &Sample, to: &mut impl Points) {
    let each = [
        (gauge("node_boot_time_seconds", "Node boot time, in unixtime."), sample.boot_time),
        (gauge("node_time_seconds", "System time in seconds since epoch (1970)."), sample.time),
        (gauge("node_processes_pids", "Number of PIDs"), sample.processes.map(float)),
        (
            gauge("node_filefd_allocated", "File descriptor statistics: allocated."),
            sample.files.map(|(open, _)| float(open)),
        ),
        (
            gauge("node_filefd_maximum", "File descriptor statistics: maximum."),
            sample.files.map(|(_, most)| float(most)),
        ),
    ];
    for (family, value) in each {
        if let Some(value) = value {
            to.put(family, &[], value);
        }
    }
}

fn pressure(resource: &str, kind: &str, seconds: f64, to: &mut impl Points) {
    let family = match (resource, kind) {
        ("cpu", "waiting") => counter(
            "node_pressure_cpu_waiting_seconds_total",
            "Total time in seconds that processes have waited for CPU time",
        ),
        ("io", "waiting") => counter(
            "node_pressure_io_waiting_seconds_total",
            "Total time in seconds that processes have waited due to IO congestion",
        ),
        ("io", "stalled") => counter(
            "node_pressure_io_stalled_seconds_total",
            "Total time in seconds no process could make progress due to IO congestion",
        ),
        ("memory", "waiting") => counter(
            "node_pressure_memory_waiting_seconds_total",
            "Total time in seconds that processes have waited for memory",
        ),
        ("memory", "stalled") => counter(
            "node_pressure_memory_stalled_seconds_total",
            "Total time in seconds no process could make progress due to memory congestion",
        ),
        // Newer kernels tell of other resources, for which node_exporter has no name.
        _ => return,
    };
    to.put(family, &[], seconds);
}
