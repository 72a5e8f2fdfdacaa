//! sysctl(8) and its like on FreeBSD and macOS, by the names of `node_exporter` there.

use super::{Answer, count, linux, number, space};
use crate::sample::{Collector, Cpu, Disk, Interface, Memory, Modes};

pub(super) fn read(answer: &mut Answer<'_>) {
    let is_mac = answer.sample.system.name == "Darwin";
    let sysctl = answer.sections.get("sysctl").unwrap_or_default();
    answer.sample.boot_time = value(sysctl, "kern.boottime").and_then(boot_time);
    if is_mac {
        shares(answer);
    } else {
        cpu(answer, sysctl);
    }
    if answer.wants(Collector::Load) {
        answer.sample.load = value(sysctl, "vm.loadavg").and_then(load);
        if answer.sample.load.is_none() {
            answer.gap(Collector::Load, "sysctl", "sysctl tells no vm.loadavg");
        }
    }
    memory(answer, sysctl, is_mac);
    if answer.wants(Collector::Files) {
        let used = value(sysctl, "kern.openfiles").or_else(|| value(sysctl, "kern.num_files"));
        let limit = value(sysctl, "kern.maxfiles").and_then(count);
        answer.sample.files = used.and_then(count).zip(limit);
        if answer.sample.files.is_none() {
            answer.gap(Collector::Files, "sysctl", "sysctl tells no open files");
        }
    }
    uptime(answer);
    processes(answer);
    interfaces(answer);
    if is_mac {
        answer.gap(Collector::Io, "", "hostpoll does not read the disks of macOS");
    } else {
        disks(answer);
    }
    answer.gap(Collector::Sockets, "", "hostpoll reads no sockets on BSD");
    space::read_df(answer);
}

/// The value after `NAME: `.
fn value<'a>(text: &'a str, name: &str) -> Option<&'a str> {
    text.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(':')).map(str::trim)
}

/// The number after `NAME = ` in `{ hz = 1000, tick = 1000, stathz = 127 }`.
fn field<'a>(text: &'a str, name: &str) -> Option<&'a str> {
    let words: Vec<&str> = text.split_ascii_whitespace().collect();
    let at = words.windows(2).position(|pair| pair == [name, "="])?;
    words.get(at + 2).map(|word| word.trim_end_matches(','))
}

fn boot_time(text: &str) -> Option<f64> {
    let micros = field(text, "usec").and_then(number).unwrap_or(0.0);
    Some(field(text, "sec").and_then(number)? + micros / 1e6)
}

/// `{ 0.25 0.31 0.28 }`.
fn load(text: &str) -> Option<[f64; 3]> {
    let mut words = text.trim_matches(['{', '}', ' ']).split_ascii_whitespace();
    let mut next = || number(words.next()?);
    Some([next()?, next()?, next()?])
}

fn cpu(answer: &mut Answer<'_>, sysctl: &str) {
    if !answer.wants(Collector::Cpu) {
        return;
    }
    // Ticks of the statistics clock, which most kernels let run at 127 or 128 Hz.
    let clock = value(sysctl, "kern.clockrate");
    let ticks = clock.and_then(|text| field(text, "stathz")).and_then(number).filter(|hz| *hz > 0.0);
    answer.sample.cpu = ticks.and_then(|ticks| times(sysctl, ticks));
    let before = answer.sections.get("window").zip(ticks);
    answer.sample.cpu_before = before.and_then(|(text, ticks)| times(text, ticks));
    if answer.sample.cpu.is_none() {
        answer.gap(Collector::Cpu, "sysctl", "sysctl tells no kern.cp_time");
    } else if !answer.wanted.window.is_zero() && answer.sample.cpu_before.is_none() {
        answer.gap(Collector::Cpu, "window", "sysctl told no kern.cp_time before the window");
    }
}

fn times(text: &str, ticks: f64) -> Option<Cpu> {
    let total = modes(value(text, "kern.cp_time")?, ticks).into_iter().next()?;
    let cores = modes(value(text, "kern.cp_times").unwrap_or_default(), ticks);
    Some(Cpu { total, cores: (0..).zip(cores).collect(), ..Cpu::default() })
}

/// User, nice, system, interrupts, idle; again and again for each core.
fn modes(text: &str, ticks: f64) -> Vec<Modes> {
    let words: Vec<f64> = text.split_ascii_whitespace().map_while(number).collect();
    let five = words.chunks_exact(5).map(|told| Modes {
        user: told[0] / ticks,
        nice: told[1] / ticks,
        system: told[2] / ticks,
        irq: told[3] / ticks,
        idle: told[4] / ticks,
        ..Modes::default()
    });
    five.collect()
}

/// The last line of `iostat -C -c 2 -w W` under the headings `us sy id`: percent of the window.
fn shares(answer: &mut Answer<'_>) {
    if !answer.wants(Collector::Cpu) {
        return;
    }
    answer.sample.cpu_shares = answer.sections.get("window").and_then(|text| {
        let mut lines = text.lines().map(|line| line.split_ascii_whitespace().collect::<Vec<_>>());
        let at = lines.find_map(|words| words.windows(3).position(|three| three == ["us", "sy", "id"]))?;
        // The first line after the headings is since the boot.
        let told = lines.filter(|words| !words.is_empty()).nth(1)?;
        let share = |place: usize| Some(number(told.get(at + place)?)? / 100.0);
        Some(Modes { user: share(0)?, system: share(1)?, idle: share(2)?, ..Modes::default() })
    });
    if answer.sample.cpu_shares.is_none() {
        let why = if answer.wanted.window.is_zero() {
            "macOS tells the use of its CPU over a window only; use --cpu-window 1s"
        } else {
            "iostat tells nothing of the CPU"
        };
        answer.gap(Collector::Cpu, "window", why);
    }
}

fn memory(answer: &mut Answer<'_>, sysctl: &str, is_mac: bool) {
    if !answer.wants(Collector::Mem) {
        return;
    }
    let text = answer.sections.get("memory");
    answer.sample.memory =
        text.and_then(|text| if is_mac { mac_memory(sysctl, text) } else { freebsd_memory(sysctl, text) });
    if answer.sample.memory.is_none() {
        answer.gap(
            Collector::Mem,
            "memory",
            if is_mac { "vm_stat tells nothing" } else { "sysctl tells no vm.stats.vm" },
        );
    }
}

fn freebsd_memory(sysctl: &str, swapinfo: &str) -> Option<Memory> {
    let get = |name: &str| value(sysctl, name).and_then(count);
    let page = get("vm.stats.vm.v_page_size")?;
    let bytes = |name: &str| get(&format!("vm.stats.vm.v_{name}_count"))?.checked_mul(page);
    let total = get("hw.physmem")?;
    let (free, inactive) = (bytes("free")?, bytes("inactive")?);
    // The cache queue is gone since FreeBSD 12.
    let available = free.saturating_add(inactive).saturating_add(bytes("cache").unwrap_or(0)).min(total);
    let mut all = vec![("size_bytes".to_owned(), total)];
    for (name, count) in [
        ("active", "active"),
        ("inactive", "inactive"),
        ("wired", "wire"),
        ("cache", "cache"),
        ("laundry", "laundry"),
        ("free", "free"),
    ] {
        all.extend(bytes(count).map(|value| (format!("{name}_bytes"), value)));
    }
    let (mut swap_total, mut swap_used) = (0u64, 0u64);
    for line in swapinfo.lines().filter(|line| line.starts_with("/dev/")) {
        let mut words = line.split_ascii_whitespace().skip(1).map_while(count);
        swap_total = swap_total.checked_add(words.next()?.checked_mul(1024)?)?;
        swap_used = swap_used.checked_add(words.next()?.checked_mul(1024)?)?;
    }
    all.push(("swap_size_bytes".to_owned(), swap_total));
    all.push(("swap_used_bytes".to_owned(), swap_used));
    Some(Memory { total, available, swap_total, swap_free: swap_total.saturating_sub(swap_used), all })
}

fn mac_memory(sysctl: &str, vm_stat: &str) -> Option<Memory> {
    let (_, page) = vm_stat.split_once("page size of ")?;
    let page = count(page.split_ascii_whitespace().next()?)?;
    let bytes = |name: &str| count(value(vm_stat, name)?.trim_end_matches('.'))?.checked_mul(page);
    let total = value(sysctl, "hw.memsize").and_then(count)?;
    let (free, inactive) = (bytes("Pages free")?, bytes("Pages inactive")?);
    // vm_stat has taken the speculative pages out of the free ones.
    let speculative = bytes("Pages speculative").unwrap_or(0);
    let available = free.saturating_add(inactive).saturating_add(speculative).min(total);
    let mut all = vec![("total_bytes".to_owned(), total)];
    for (name, line) in [
        ("active", "Pages active"),
        ("inactive", "Pages inactive"),
        ("wired", "Pages wired down"),
        ("free", "Pages free"),
        ("purgeable", "Pages purgeable"),
        ("compressed", "Pages occupied by compressor"),
    ] {
        all.extend(bytes(line).map(|value| (format!("{name}_bytes"), value)));
    }
    let swap = value(sysctl, "vm.swapusage").unwrap_or_default();
    let swap = |name: &str| field(swap, name).and_then(sized).unwrap_or(0);
    let (swap_total, swap_free) = (swap("total"), swap("free"));
    all.push(("swap_total_bytes".to_owned(), swap_total));
    all.push(("swap_used_bytes".to_owned(), swap("used")));
    Some(Memory { total, available, swap_total, swap_free, all })
}

/// `2048.00M`.
#[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "not negative, below 2^63")]
fn sized(word: &str) -> Option<u64> {
    let bytes = number(word.strip_suffix('M')?)? * 1024.0 * 1024.0;
    (bytes < 9e18).then_some(bytes as u64)
}

fn uptime(answer: &mut Answer<'_>) {
    if !answer.wants(Collector::Uptime) {
        return;
    }
    answer.sample.time = answer.sections.get("clock").and_then(linux::clock);
    match (answer.sample.time, answer.sample.boot_time) {
        (Some(time), Some(boot)) => answer.sample.uptime = Some((time - boot).max(0.0)),
        (None, _) => answer.gap(Collector::Uptime, "clock", "date tells no time"),
        (_, None) => answer.gap(Collector::Uptime, "sysctl", "sysctl tells no kern.boottime"),
    }
}

/// One line of ps(1) per process; ps itself is among them.
pub(super) fn processes(answer: &mut Answer<'_>) {
    if !answer.wants(Collector::Procs) {
        return;
    }
    let text = answer.sections.get("processes").unwrap_or_default();
    let many = text.lines().filter(|line| count(line.trim()).is_some()).count();
    answer.sample.processes = u64::try_from(many).ok().filter(|many| *many > 0);
    if many == 0 {
        answer.gap(Collector::Procs, "processes", "ps tells of no process");
    }
}

fn interfaces(answer: &mut Answer<'_>) {
    if !answer.wants(Collector::Net) {
        return;
    }
    let mut lines = answer.sections.get("network").unwrap_or_default().lines();
    let heads: Vec<&str> = lines.next().unwrap_or_default().split_ascii_whitespace().collect();
    answer.sample.interfaces = lines.filter_map(|line| interface(&heads, line)).collect();
    if answer.sample.interfaces.is_empty() {
        answer.gap(Collector::Net, "network", "netstat tells of no interface");
    }
}

/// Name, MTU, `<Link#1>`, an address or none, and the numbers under their headings from the right.
fn interface(heads: &[&str], line: &str) -> Option<Interface> {
    let words: Vec<&str> = line.split_ascii_whitespace().collect();
    words.get(2)?.strip_prefix("<Link#")?;
    let get = |head: &str| {
        let from_right = heads.len() - heads.iter().position(|one| *one == head)?;
        count(words.get(words.len().checked_sub(from_right)?)?)
    };
    Some(Interface {
        // A star marks one that is down.
        device: words[0].trim_end_matches('*').to_owned(),
        receive_bytes: get("Ibytes")?,
        receive_packets: get("Ipkts")?,
        receive_errs: get("Ierrs")?,
        receive_drop: get("Idrop").unwrap_or(0),
        transmit_bytes: get("Obytes")?,
        transmit_packets: get("Opkts")?,
        transmit_errs: get("Oerrs")?,
        transmit_drop: get("Drop").unwrap_or(0),
    })
}

fn disks(answer: &mut Answer<'_>) {
    if !answer.wants(Collector::Io) {
        return;
    }
    let mut lines = answer.sections.get("devices").unwrap_or_default().lines();
    let heads: Option<Vec<&str>> =
        lines.find(|line| line.starts_with("device")).map(|line| line.split_ascii_whitespace().collect());
    let heads = heads.unwrap_or_default();
    answer.sample.disks = lines.filter_map(|line| disk(&heads, line)).collect();
    if answer.sample.disks.is_empty() {
        answer.gap(Collector::Io, "devices", "iostat tells of no disk");
    }
}

/// `iostat -Ix`: reads, writes, kilobytes of both, queue, seconds of all requests, seconds busy.
#[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "not negative, below 2^63")]
fn disk(heads: &[&str], line: &str) -> Option<Disk> {
    let words: Vec<&str> = line.split_ascii_whitespace().collect();
    let get = |head: &str| {
        let value = number(words.get(heads.iter().position(|one| *one == head)?)?)?;
        Some(value).filter(|value| *value < 9e15)
    };
    Some(Disk {
        device: (*words.first()?).to_owned(),
        reads: get("r/i")? as u64,
        writes: get("w/i")? as u64,
        read_bytes: (get("kr/i")? * 1024.0) as u64,
        written_bytes: (get("kw/i")? * 1024.0) as u64,
        io_time: get("sb/i")?,
        io_weighted_time: get("tsvc_t/i")?,
        io_now: get("qlen")? as u64,
        ..Disk::default()
    })
}
