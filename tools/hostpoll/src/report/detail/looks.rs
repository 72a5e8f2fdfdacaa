//! What the columns are called.

use super::Kind::{self, Bytes, Count, Number, Percent, Seconds, Text};

/// How the table shows a metric.
pub(super) struct Look {
    pub(super) name: &'static str,
    pub(super) title: &'static str,
    pub(super) kind: Kind,
    /// Whether it is shown among others; those that are not are shown when their group is alone.
    pub(super) is_brief: bool,
}

const fn brief(name: &'static str, title: &'static str, kind: Kind) -> Look {
    Look { name, title, kind, is_brief: true }
}

const fn more(name: &'static str, title: &'static str, kind: Kind) -> Look {
    Look { name, title, kind, is_brief: false }
}

/// In the order of the table of metrics.
pub(super) const LOOKS: &[Look] = &[
    brief("cpu_percent", "CPU%", Percent),
    more("cpu_user_percent", "USER%", Percent),
    more("cpu_system_percent", "SYS%", Percent),
    more("cpu_iowait_percent", "IOWAIT%", Percent),
    more("cpu_steal_percent", "STEAL%", Percent),
    more("cores", "CORES", Count),
    more("procs_running", "RUN", Count),
    more("procs_blocked", "BLOCKED", Count),
    brief("load1", "LOAD1", Number),
    more("load5", "LOAD5", Number),
    more("load15", "LOAD15", Number),
    brief("mem_percent", "MEM%", Percent),
    more("mem_total_bytes", "MEM", Bytes),
    more("mem_available_bytes", "AVAIL", Bytes),
    brief("swap_percent", "SWAP%", Percent),
    more("swap_total_bytes", "SWAP", Bytes),
    brief("disk_percent", "DISK%", Percent),
    brief("disk_mount", "FULLEST", Text),
    brief("inode_percent", "INODE%", Percent),
    brief("io_percent", "IO%", Percent),
    more("io_read_bytes_per_s", "READ/s", Bytes),
    more("io_write_bytes_per_s", "WRITE/s", Bytes),
    brief("net_receive_bytes_per_s", "RX/s", Bytes),
    brief("net_transmit_bytes_per_s", "TX/s", Bytes),
    more("net_errs_per_s", "ERRS/s", Number),
    more("net_drops_per_s", "DROPS/s", Number),
    brief("uptime_s", "UPTIME", Seconds),
    brief("processes", "PROCS", Count),
    more("files_open", "FILES", Count),
    brief("files_percent", "FILES%", Percent),
    brief("sockets_tcp", "TCP", Count),
    more("sockets_tcp_tw", "TCP-TW", Count),
    more("sockets_udp", "UDP", Count),
    brief("pressure_cpu_waiting_percent", "PSI-CPU%", Percent),
    brief("pressure_memory_waiting_percent", "PSI-MEM%", Percent),
    more("pressure_memory_stalled_percent", "PSI-MEM-ALL%", Percent),
    brief("pressure_io_waiting_percent", "PSI-IO%", Percent),
    more("pressure_io_stalled_percent", "PSI-IO-ALL%", Percent),
];

/// Of each file system.
pub(super) const FILESYSTEMS: &[(&str, &str, Kind)] = &[
    ("mountpoint", "MOUNT", Text),
    ("device", "DEVICE", Text),
    ("fstype", "TYPE", Text),
    ("size_bytes", "SIZE", Bytes),
    ("used_bytes", "USED", Bytes),
    ("available_bytes", "AVAIL", Bytes),
    ("used_percent", "USED%", Percent),
    ("inodes", "INODES", Count),
    ("inodes_used", "IUSED", Count),
    ("is_readonly", "", Count),
];

/// Of each block device.
pub(super) const DISKS: &[(&str, &str, Kind)] = &[
    ("device", "DEVICE", Text),
    ("io_percent", "IO%", Percent),
    ("read_bytes_per_s", "READ/s", Bytes),
    ("written_bytes_per_s", "WRITE/s", Bytes),
    ("reads_per_s", "READS/s", Number),
    ("writes_per_s", "WRITES/s", Number),
    ("reads", "READS", Count),
    ("writes", "WRITES", Count),
    ("read_bytes", "READ", Bytes),
    ("written_bytes", "WRITTEN", Bytes),
    ("read_time_s", "", Number),
    ("write_time_s", "", Number),
    ("io_time_s", "", Number),
    ("io_weighted_time_s", "", Number),
    ("io_now", "NOW", Count),
];

/// Of each network interface.
pub(super) const INTERFACES: &[(&str, &str, Kind)] = &[
    ("device", "DEVICE", Text),
    ("receive_bytes_per_s", "RX/s", Bytes),
    ("transmit_bytes_per_s", "TX/s", Bytes),
    ("receive_bytes", "RX", Bytes),
    ("transmit_bytes", "TX", Bytes),
    ("receive_packets", "RX-PKTS", Count),
    ("transmit_packets", "TX-PKTS", Count),
    ("receive_errs", "RX-ERRS", Count),
    ("transmit_errs", "TX-ERRS", Count),
    ("receive_drop", "RX-DROP", Count),
    ("transmit_drop", "TX-DROP", Count),
];
