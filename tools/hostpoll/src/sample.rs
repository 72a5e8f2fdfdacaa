//! What one answer of one host says: numbers as the kernel counts them, not yet percent.

use std::collections::BTreeSet;
use std::time::Duration;

/// A group of metrics that `--metrics` chooses and that can fail on its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Collector {
    /// CPU time per mode and core, context switches, forks, processes that run or are blocked.
    Cpu,
    /// Load averages.
    Load,
    /// Memory and swap.
    Mem,
    /// Space and inodes of local file systems.
    Disk,
    /// Reads and writes of block devices.
    Io,
    /// Traffic of network interfaces.
    Net,
    /// Time since the boot, and of the clock.
    Uptime,
    /// How many processes there are.
    Procs,
    /// Open files.
    Files,
    /// Sockets in use.
    Sockets,
    /// Pressure stall information.
    Pressure,
}

impl Collector {
    /// All of them with their names, in the order in which they are reported.
    pub const ALL: [(&str, Self); 11] = [
        ("cpu", Self::Cpu),
        ("load", Self::Load),
        ("mem", Self::Mem),
        ("disk", Self::Disk),
        ("io", Self::Io),
        ("net", Self::Net),
        ("uptime", Self::Uptime),
        ("procs", Self::Procs),
        ("files", Self::Files),
        ("sockets", Self::Sockets),
        ("pressure", Self::Pressure),
    ];

    /// Its name, as `--metrics` takes it.
    #[must_use]
    pub fn name(self) -> &'static str {
        Self::ALL.iter().find(|(_, one)| *one == self).map_or("", |(name, _)| name)
    }
}

/// One answer of one host. What was not asked for, or what its kernel does not tell, is `None` or
/// empty; what was asked for and failed is in `gaps` too.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Sample {
    /// The host's clock when it answered, in seconds since 1970.
    pub time: Option<f64>,
    /// What it is.
    pub system: System,
    /// CPU times at the end of the window, in total and per core.
    pub cpu: Option<Cpu>,
    /// The same at its beginning.
    pub cpu_before: Option<Cpu>,
    /// Shares of the window in each mode, from 0 to 1, where the system tells no CPU times (macOS).
    pub cpu_shares: Option<Modes>,
    /// Load averages of 1, 5 and 15 minutes.
    pub load: Option<[f64; 3]>,
    /// Memory and swap.
    pub memory: Option<Memory>,
    /// Local file systems, each mount point once.
    pub filesystems: Vec<Filesystem>,
    /// Block devices.
    pub disks: Vec<Disk>,
    /// Network interfaces.
    pub interfaces: Vec<Interface>,
    /// When it was booted, in seconds since 1970. Told with `cpu` too: counters begin again then.
    pub boot_time: Option<f64>,
    /// Seconds since then.
    pub uptime: Option<f64>,
    /// How many processes there are.
    pub processes: Option<u64>,
    /// Open files: in use, and how many there can be.
    pub files: Option<(u64, u64)>,
    /// Sockets in use, by the names of `node_exporter`: `("TCP_inuse", 12)`.
    pub sockets: Vec<(String, u64)>,
    /// Pressure: resource (`cpu`, `memory`, `io`), kind (`waiting`, `stalled`), seconds in total.
    pub pressure: Vec<(String, &'static str, f64)>,
    /// What `--command` asked for: its name, and its values by key; a single number has the key "".
    pub extras: Vec<Extra>,
    /// Which of those have no answer to rely on, and why: it ended with another status than 0, said
    /// nothing, or was not reached. One that ended badly and said something is in `extras` too.
    pub failed: Vec<(String, String)>,
    /// What was asked for, could have been told, and is missing: why.
    pub gaps: Vec<(Collector, String)>,
}

/// What a host is, as uname(1) tells.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct System {
    /// `Linux`, `Darwin`, `FreeBSD`.
    pub name: String,
    /// `6.1.0-18-amd64`.
    pub release: String,
    /// `x86_64`.
    pub machine: String,
    /// What it calls itself.
    pub node: String,
}

/// CPU times since the boot, in seconds.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Cpu {
    /// Of all cores together.
    pub total: Modes,
    /// Of each core, with its number.
    pub cores: Vec<(u32, Modes)>,
    /// Context switches since the boot.
    pub context_switches: Option<u64>,
    /// Processes begun since the boot.
    pub forks: Option<u64>,
    /// Processes that can run now.
    pub running: Option<u64>,
    /// Processes that wait for a disk now.
    pub blocked: Option<u64>,
}

/// Seconds in each mode. `user` and `nice` are as the kernel tells them: guests are in them.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
#[allow(missing_docs, reason = "proc_stat(5) names them")]
pub struct Modes {
    pub user: f64,
    pub nice: f64,
    pub system: f64,
    pub idle: f64,
    pub iowait: f64,
    pub irq: f64,
    pub softirq: f64,
    pub steal: f64,
    pub guest: f64,
    pub guest_nice: f64,
}

/// Memory and swap in bytes.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Memory {
    /// All of it.
    pub total: u64,
    /// What can be had without swapping; from free, buffers and cached where the kernel is too old.
    pub available: u64,
    /// Swap space.
    pub swap_total: u64,
    /// Unused swap space.
    pub swap_free: u64,
    /// Every line of /proc/meminfo, by the names of `node_exporter` (`MemFree_bytes`, `HugePages_Total`).
    pub all: Vec<(String, u64)>,
}

/// A mounted file system, in bytes.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[allow(missing_docs, reason = "statvfs(3) names them")]
pub struct Filesystem {
    pub device: String,
    pub mountpoint: String,
    pub fstype: String,
    pub size: u64,
    pub free: u64,
    pub available: u64,
    pub files: u64,
    pub files_free: u64,
    pub is_readonly: bool,
}

/// What a block device has done since the boot. FreeBSD tells neither `read_time` nor `write_time`:
/// they are 0 there.
#[derive(Debug, Clone, Default, PartialEq)]
#[allow(missing_docs, reason = "the names say it; times are seconds")]
pub struct Disk {
    pub device: String,
    pub reads: u64,
    pub writes: u64,
    pub read_bytes: u64,
    pub written_bytes: u64,
    pub read_time: f64,
    pub write_time: f64,
    pub io_time: f64,
    pub io_weighted_time: f64,
    pub io_now: u64,
}

/// What a network interface has done since it came up.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[allow(missing_docs, reason = "the names say it")]
pub struct Interface {
    pub device: String,
    pub receive_bytes: u64,
    pub receive_packets: u64,
    pub receive_errs: u64,
    pub receive_drop: u64,
    pub transmit_bytes: u64,
    pub transmit_packets: u64,
    pub transmit_errs: u64,
    pub transmit_drop: u64,
}

/// The answer of one `--command`.
#[derive(Debug, Clone, PartialEq)]
pub struct Extra {
    /// Its NAME.
    pub name: String,
    /// Its exit status.
    pub status: i32,
    /// Its values by key, in their order; the key of a single number is empty. Nested JSON is dotted.
    pub values: Vec<(String, Value)>,
}

/// A value of a `--command`.
#[derive(Debug, Clone, PartialEq)]
pub enum Value {
    /// A number, or a truth value as 0 or 1.
    Number(f64),
    /// Anything else, at most a line.
    Text(String),
}

/// What is asked for.
#[derive(Debug, Clone, PartialEq)]
pub struct Wanted {
    /// The groups of metrics.
    pub collectors: BTreeSet<Collector>,
    /// The time between the two readings of the CPU; zero for one reading.
    pub window: Duration,
    /// `--command NAME=CMD`.
    pub commands: Vec<(String, String)>,
}
