//! What Telegraf calls what a sample says.

use super::line::Writer;
use crate::sample::{Cpu, Disk, Filesystem, Interface, Memory, Modes, Sample};
use crate::values::{Shares, shares, shares_between};

/// The lines of /proc/meminfo that Telegraf's `mem` tells, by its names.
const MEMORY: [(&str, &str); 24] = [
    ("MemFree_bytes", "free"),
    ("Buffers_bytes", "buffered"),
    ("Cached_bytes", "cached"),
    ("Active_bytes", "active"),
    ("Inactive_bytes", "inactive"),
    ("Slab_bytes", "slab"),
    ("Shmem_bytes", "shared"),
    ("Dirty_bytes", "dirty"),
    ("Writeback_bytes", "write_back"),
    ("Mapped_bytes", "mapped"),
    ("SReclaimable_bytes", "sreclaimable"),
    ("SUnreclaim_bytes", "sunreclaim"),
    ("PageTables_bytes", "page_tables"),
    ("CommitLimit_bytes", "commit_limit"),
    ("Committed_AS_bytes", "committed_as"),
    ("SwapCached_bytes", "swap_cached"),
    ("SwapTotal_bytes", "swap_total"),
    ("SwapFree_bytes", "swap_free"),
    ("VmallocTotal_bytes", "vmalloc_total"),
    ("VmallocUsed_bytes", "vmalloc_used"),
    ("VmallocChunk_bytes", "vmalloc_chunk"),
    ("HugePages_Total", "huge_pages_total"),
    ("HugePages_Free", "huge_pages_free"),
    ("Hugepagesize_bytes", "huge_page_size"),
];

/// Writes all lines of a sample.
pub(super) fn put(writer: &mut Writer, sample: &Sample, before: Option<&Sample>) {
    if let Some(now) = &sample.cpu {
        cpus(writer, sample, now, before);
    }
    if let Some(memory) = &sample.memory {
        mem(writer, memory);
    }
    sample.filesystems.iter().for_each(|one| disk(writer, one));
    sample.disks.iter().for_each(|one| diskio(writer, one));
    sample.interfaces.iter().for_each(|one| net(writer, one));
    system(writer, sample);
    counts(writer, sample);
}

fn cpus(writer: &mut Writer, sample: &Sample, now: &Cpu, before: Option<&Sample>) {
    cpu(writer, "cpu-total", &now.total, shares_between(sample, before));
    let first = sample.cpu_before.as_ref().or_else(|| before?.cpu.as_ref());
    for (core, modes) in &now.cores {
        let earlier = first.and_then(|first| first.cores.iter().find(|(number, _)| number == core));
        let shares = earlier.and_then(|(_, earlier)| shares(earlier, modes));
        cpu(writer, &format!("cpu{core}"), modes, shares);
    }
}

fn modes(modes: &Modes) -> [(&'static str, f64); 10] {
    [
        ("user", modes.user),
        ("system", modes.system),
        ("idle", modes.idle),
        ("nice", modes.nice),
        ("iowait", modes.iowait),
        ("irq", modes.irq),
        ("softirq", modes.softirq),
        ("steal", modes.steal),
        ("guest", modes.guest),
        ("guest_nice", modes.guest_nice),
    ]
}

fn cpu(writer: &mut Writer, name: &str, now: &Modes, shares: Option<Shares>) {
    let mut line = writer.line("cpu", &[("cpu", name)]);
    if let Some(Shares { modes: mut share, .. }) = shares {
        // Telegraf tells guests beside user and nice, the kernel within them.
        share.user = (share.user - share.guest).max(0.0);
        share.nice = (share.nice - share.guest_nice).max(0.0);
        for (mode, percent) in modes(&share) {
            line.number(&format!("usage_{mode}"), percent);
        }
    }
    for (mode, seconds) in modes(now) {
        line.number(&format!("time_{mode}"), seconds);
    }
    line.end();
}

#[allow(clippy::cast_precision_loss, reason = "a double tells a petabyte to the byte")]
fn mem(writer: &mut Writer, memory: &Memory) {
    let share = |part: u64, whole: u64| if whole == 0 { 0.0 } else { 100.0 * part as f64 / whole as f64 };
    let used = memory.total.saturating_sub(memory.available);
    let mut line = writer.line("mem", &[]);
    line.count("total", memory.total);
    line.count("available", memory.available);
    line.count("used", used);
    line.number("used_percent", share(used, memory.total));
    line.number("available_percent", share(memory.available, memory.total));
    for (name, count) in &memory.all {
        if let Some((_, field)) = MEMORY.iter().find(|(known, _)| known == name) {
            line.count(field, *count);
        }
    }
    line.end();
    let used = memory.swap_total.saturating_sub(memory.swap_free);
    let mut line = writer.line("swap", &[]);
    line.count("total", memory.swap_total);
    line.count("free", memory.swap_free);
    line.count("used", used);
    line.number("used_percent", share(used, memory.swap_total));
    line.end();
}

fn disk(writer: &mut Writer, one: &Filesystem) {
    let mode = if one.is_readonly { "ro" } else { "rw" };
    let device = one.device.strip_prefix("/dev/").unwrap_or(&one.device);
    let tags =
        [("path", one.mountpoint.as_str()), ("device", device), ("fstype", &one.fstype), ("mode", mode)];
    let mut line = writer.line("disk", &tags);
    line.count("total", one.size);
    // As df(1) has it, what is kept for root is neither free nor used.
    line.count("free", one.available);
    line.count("used", one.size.saturating_sub(one.free));
    if let Some(percent) = crate::values::used_percent(one) {
        line.number("used_percent", percent);
    }
    line.count("inodes_total", one.files);
    line.count("inodes_free", one.files_free);
    line.count("inodes_used", one.files.saturating_sub(one.files_free));
    line.end();
}

fn diskio(writer: &mut Writer, one: &Disk) {
    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "the cast saturates")]
    let millis = |seconds: f64| (seconds * 1000.0).round() as u64;
    let mut line = writer.line("diskio", &[("name", &one.device)]);
    line.count("reads", one.reads);
    line.count("writes", one.writes);
    line.count("read_bytes", one.read_bytes);
    line.count("write_bytes", one.written_bytes);
    line.count("read_time", millis(one.read_time));
    line.count("write_time", millis(one.write_time));
    line.count("io_time", millis(one.io_time));
    line.count("weighted_io_time", millis(one.io_weighted_time));
    line.count("iops_in_progress", one.io_now);
    line.end();
}

fn net(writer: &mut Writer, one: &Interface) {
    let mut line = writer.line("net", &[("interface", &one.device)]);
    line.count("bytes_sent", one.transmit_bytes);
    line.count("bytes_recv", one.receive_bytes);
    line.count("packets_sent", one.transmit_packets);
    line.count("packets_recv", one.receive_packets);
    line.count("err_in", one.receive_errs);
    line.count("err_out", one.transmit_errs);
    line.count("drop_in", one.receive_drop);
    line.count("drop_out", one.transmit_drop);
    line.end();
}

#[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "the cast saturates")]
fn system(writer: &mut Writer, sample: &Sample) {
    let mut line = writer.line("system", &[]);
    if let Some([one, five, fifteen]) = sample.load {
        line.number("load1", one);
        line.number("load5", five);
        line.number("load15", fifteen);
    }
    if let Some(cpu) = sample.cpu.as_ref().filter(|cpu| !cpu.cores.is_empty()) {
        line.count("n_cpus", cpu.cores.len() as u64);
    }
    if let Some(uptime) = sample.uptime {
        line.count("uptime", uptime as u64);
    }
    line.end();
    let mut line = writer.line("kernel", &[]);
    if let Some(boot_time) = sample.boot_time {
        line.count("boot_time", boot_time as u64);
    }
    if let Some(cpu) = &sample.cpu {
        cpu.context_switches.iter().for_each(|count| line.count("context_switches", *count));
        cpu.forks.iter().for_each(|count| line.count("processes_forked", *count));
    }
    line.end();
}

fn counts(writer: &mut Writer, sample: &Sample) {
    let mut line = writer.line("processes", &[]);
    sample.processes.iter().for_each(|count| line.count("total", *count));
    if let Some(cpu) = &sample.cpu {
        cpu.running.iter().for_each(|count| line.count("running", *count));
        cpu.blocked.iter().for_each(|count| line.count("blocked", *count));
    }
    line.end();
    let mut line = writer.line("linux_sysctl_fs", &[]);
    if let Some((open, most)) = sample.files {
        line.count("file-nr", open);
        line.count("file-max", most);
    }
    line.end();
    let mut line = writer.line("sockstat", &[]);
    sample.sockets.iter().for_each(|(name, count)| line.count(&name.to_lowercase(), *count));
    line.end();
    for (resource, kind, seconds) in &sample.pressure {
        let kind = if *kind == "stalled" { "full" } else { "some" };
        let mut line = writer.line("pressure", &[("resource", resource), ("type", kind)]);
        #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "the cast saturates")]
        line.count("total", (seconds * 1e6).round() as u64);
        line.end();
    }
}
