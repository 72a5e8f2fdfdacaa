//! /proc of Linux, after proc(5), by the names of `node_exporter`.

use super::{Answer, count, devices, number, space};
use crate::sample::{Collector, Cpu, Memory, Modes};

pub(super) fn read(answer: &mut Answer<'_>) {
    let files = answer.sections.files();
    let ticks = ticks_per_second(&answer.sample.system.machine);
    if let Some(text) = files.get("stat") {
        answer.sample.boot_time = keyed(text, "btime").and_then(number);
    }
    if answer.wants(Collector::Cpu) {
        answer.sample.cpu = files.get("stat").and_then(|text| cpu(text, ticks));
        answer.sample.cpu_before = answer.sections.get("window").and_then(|text| cpu(text, ticks));
        if answer.sample.cpu.is_none() {
            answer.gap(Collector::Cpu, "files", "cannot read /proc/stat");
        } else if !answer.wanted.window.is_zero() && answer.sample.cpu_before.is_none() {
            answer.gap(Collector::Cpu, "window", "cannot read /proc/stat before the window");
        }
    }
    if answer.wants(Collector::Load) {
        answer.sample.load = files.get("loadavg").and_then(load);
        if answer.sample.load.is_none() {
            answer.gap(Collector::Load, "files", "cannot read /proc/loadavg");
        }
    }
    if answer.wants(Collector::Mem) {
        answer.sample.memory = files.get("meminfo").and_then(memory);
        if answer.sample.memory.is_none() {
            answer.gap(Collector::Mem, "files", "cannot read /proc/meminfo");
        }
    }
    if answer.wants(Collector::Files) {
        answer.sample.files = files.get("sys/fs/file-nr").and_then(open_files);
        if answer.sample.files.is_none() {
            answer.gap(Collector::Files, "files", "cannot read /proc/sys/fs/file-nr");
        }
    }
    pressure(answer);
    uptime(answer);
    processes(answer);
    devices::read(answer);
    space::read_statfs(answer);
}

/// The unit of /proc/stat, which `sysconf(_SC_CLK_TCK)` tells: 100 on all architectures of Linux
/// (include/uapi/asm-generic/param.h) but these two.
fn ticks_per_second(machine: &str) -> f64 {
    if matches!(machine, "alpha" | "ia64") { 1024.0 } else { 100.0 }
}

/// The word after `name` at the beginning of a line.
fn keyed<'a>(text: &'a str, name: &str) -> Option<&'a str> {
    text.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(' ')?.split_ascii_whitespace().next())
}

fn cpu(text: &str, ticks: f64) -> Option<Cpu> {
    let mut cpu = Cpu {
        context_switches: keyed(text, "ctxt").and_then(count),
        forks: keyed(text, "processes").and_then(count),
        running: keyed(text, "procs_running").and_then(count),
        blocked: keyed(text, "procs_blocked").and_then(count),
        ..Cpu::default()
    };
    let mut total = None;
    for line in text.lines() {
        let mut words = line.split_ascii_whitespace();
        let Some(core) = words.next().and_then(|word| word.strip_prefix("cpu")) else { continue };
        match (core, modes(words, ticks)) {
            ("", modes) => total = modes,
            (_, Some(modes)) => cpu.cores.extend(core.parse().ok().map(|core| (core, modes))),
            (_, None) => {}
        }
    }
    cpu.total = total?;
    Some(cpu)
}

/// A kernel tells the first four and as many more as it knows: steal since 2.6.11, guests since 2.6.24.
fn modes<'a>(words: impl Iterator<Item = &'a str>, ticks: f64) -> Option<Modes> {
    let mut told = [0.0; 10];
    let mut many = 0;
    for (place, word) in told.iter_mut().zip(words) {
        // A u64 of ticks, so that what is none or out of range is told apart.
        count(word)?;
        *place = number(word)? / ticks;
        many += 1;
    }
    let [user, nice, system, idle, iowait, irq, softirq, steal, guest, guest_nice] = told;
    (many >= 4).then_some(Modes { user, nice, system, idle, iowait, irq, softirq, steal, guest, guest_nice })
}

fn load(text: &str) -> Option<[f64; 3]> {
    let mut words = text.split_ascii_whitespace();
    let mut next = || number(words.next()?);
    Some([next()?, next()?, next()?])
}

fn memory(text: &str) -> Option<Memory> {
    let all: Vec<(String, u64)> = text.lines().filter_map(memory_line).collect();
    let get = |name: &str| all.iter().find(|(one, _)| one == name).map(|(_, value)| *value);
    let free = get("MemFree_bytes");
    let total = get("MemTotal_bytes")?;
    // MemAvailable is told since 3.14. What is shared lies in Cached and cannot be had.
    let estimate = || {
        let more = ["Buffers_bytes", "Cached_bytes", "SReclaimable_bytes"];
        let sum = more.iter().fold(free?, |sum, name| sum.saturating_add(get(name).unwrap_or(0)));
        Some(sum.saturating_sub(get("Shmem_bytes").unwrap_or(0)))
    };
    let available = get("MemAvailable_bytes").or_else(estimate)?.min(total);
    let (swap_total, swap_free) = (get("SwapTotal_bytes").unwrap_or(0), get("SwapFree_bytes").unwrap_or(0));
    Some(Memory { total, available, swap_total, swap_free, all })
}

/// `Active(anon):  5 kB` is `Active_anon_bytes`; without a unit it is a number of pages, and stays it.
fn memory_line(line: &str) -> Option<(String, u64)> {
    let (name, rest) = line.split_once(':')?;
    let mut words = rest.split_ascii_whitespace();
    let value = count(words.next()?)?;
    let mut name = name.replace('(', "_").replace(')', "");
    let is_name = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_';
    if name.is_empty() || !name.bytes().all(is_name) {
        return None;
    }
    match words.next() {
        None => Some((name, value)),
        Some("kB") => {
            name.push_str("_bytes");
            Some((name, value.checked_mul(1024)?))
        }
        Some(_) => None,
    }
}

/// Allocated, unused (always 0 since 2.6), and the limit.
fn open_files(text: &str) -> Option<(u64, u64)> {
    let mut words = text.split_ascii_whitespace();
    let (used, _, limit) = (count(words.next()?)?, words.next()?, count(words.next()?)?);
    Some((used, limit))
}

/// A kernel before 4.20, or without pressure information, tells nothing: that is no gap.
fn pressure(answer: &mut Answer<'_>) {
    let files = answer.sections.files();
    // For the CPU as a whole `full` is undefined, and reported as 0 for compatibility (psi.rst).
    let told = [
        ("cpu", "some", "waiting"),
        ("memory", "some", "waiting"),
        ("memory", "full", "stalled"),
        ("io", "some", "waiting"),
        ("io", "full", "stalled"),
    ];
    for (resource, line, kind) in told {
        let text = files.get(&format!("pressure/{resource}")).filter(|_| answer.wants(Collector::Pressure));
        let total = text.and_then(|text| {
            let line = text.lines().find(|one| one.split_ascii_whitespace().next() == Some(line))?;
            line.split_ascii_whitespace().find_map(|word| word.strip_prefix("total=")).and_then(number)
        });
        if let Some(total) = total {
            answer.sample.pressure.push((resource.to_owned(), kind, total / 1e6));
        }
    }
    if answer.sample.pressure.is_empty() && answer.sections.stopped_before("files").is_some() {
        answer.gap(Collector::Pressure, "files", "");
    }
}

fn uptime(answer: &mut Answer<'_>) {
    if !answer.wants(Collector::Uptime) {
        return;
    }
    let uptime = answer.sections.files().get("uptime");
    answer.sample.uptime = uptime.and_then(|text| number(text.split_ascii_whitespace().next()?));
    answer.sample.time = answer.sections.get("clock").and_then(clock);
    if answer.sample.uptime.is_none() {
        answer.gap(Collector::Uptime, "files", "cannot read /proc/uptime");
    }
    if answer.sample.time.is_none() {
        answer.gap(Collector::Uptime, "clock", "date tells no time");
    }
}

/// Seconds since 1970. A date(1) without `%N` prints something else after the point.
pub(super) fn clock(text: &str) -> Option<f64> {
    let text = text.trim();
    number(text).or_else(|| number(text.split_once('.')?.0))
}

/// The number of processes and the first of them: where it is not that of init, some are hidden.
fn processes(answer: &mut Answer<'_>) {
    if !answer.wants(Collector::Procs) {
        return;
    }
    let mut words = answer.sections.get("processes").unwrap_or_default().split_ascii_whitespace();
    let (many, first) = (words.next().and_then(count), words.next());
    match first {
        Some("/proc/1") => answer.sample.processes = many,
        Some(first) if !first.contains('[') => {
            let why = "/proc hides the processes of other users (hidepid)";
            answer.gap(Collector::Procs, "processes", why);
        }
        _ => answer.gap(Collector::Procs, "processes", "cannot read /proc"),
    }
}
