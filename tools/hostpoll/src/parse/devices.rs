//! /proc/diskstats and /proc/net of Linux.

use super::{Answer, count};
use crate::sample::{Collector, Disk, Interface};

pub(super) fn read(answer: &mut Answer<'_>) {
    let files = answer.sections.files();
    if answer.wants(Collector::Io) {
        match files.get("diskstats") {
            Some(text) => {
                let (disks, is_whole) = all(text.lines(), disk);
                answer.sample.disks = disks;
                broken(answer, is_whole, Collector::Io, "/proc/diskstats");
            }
            None => answer.gap(Collector::Io, "files", "cannot read /proc/diskstats"),
        }
    }
    if answer.wants(Collector::Net) {
        match files.get("net/dev") {
            Some(text) => {
                // Two lines of headings.
                let (interfaces, is_whole) = all(text.lines().skip(2), interface);
                answer.sample.interfaces = interfaces;
                broken(answer, is_whole, Collector::Net, "/proc/net/dev");
            }
            None => answer.gap(Collector::Net, "files", "cannot read /proc/net/dev"),
        }
    }
    if answer.wants(Collector::Sockets) {
        // Without IPv6 there is no sockstat6, and an old kernel has only some of the lines.
        for text in ["net/sockstat", "net/sockstat6"].into_iter().filter_map(|name| files.get(name)) {
            answer.sample.sockets.extend(text.lines().flat_map(sockets));
        }
        if answer.sample.sockets.is_empty() {
            answer.gap(Collector::Sockets, "files", "cannot read /proc/net/sockstat");
        }
    }
}

fn broken(answer: &mut Answer<'_>, is_whole: bool, collector: Collector, file: &str) {
    if !is_whole {
        answer.gap(collector, "files", &format!("a line of {file} is not understood"));
    }
}

/// What a line says: `None` for one that is not understood.
type Line<T> = Option<Said<T>>;

enum Said<T> {
    Nothing,
    One(T),
}

/// What all lines say, and whether all are understood.
fn all<'a, T>(lines: impl Iterator<Item = &'a str>, parse: impl Fn(&str) -> Line<T>) -> (Vec<T>, bool) {
    let (mut found, mut is_whole) = (Vec::new(), true);
    for line in lines.filter(|line| !line.trim().is_empty()) {
        match parse(line) {
            Some(Said::One(one)) => found.push(one),
            Some(Said::Nothing) => {}
            None => is_whole = false,
        }
    }
    (found, is_whole)
}

/// Major, minor, name, and eleven numbers or more: 4.18 added four, 5.5 two. Before 2.6.25 a partition
/// had four only (Documentation/admin-guide/iostats.rst).
fn disk(line: &str) -> Line<Disk> {
    let mut words = line.split_ascii_whitespace().skip(2);
    let device = words.next()?;
    if is_left_out(device) {
        return Some(Said::Nothing);
    }
    let told: Vec<u64> = words.map(count).collect::<Option<_>>()?;
    match *told.as_slice() {
        [_, _, _, _] => Some(Said::Nothing),
        [reads, _, read, read_ms, writes, _, written, write_ms, io_now, io_ms, weighted_ms, ..] => {
            Some(Said::One(Disk {
                device: device.to_owned(),
                reads,
                writes,
                // Sectors of 512 bytes whatever the device has.
                read_bytes: read.checked_mul(512)?,
                written_bytes: written.checked_mul(512)?,
                read_time: seconds(read_ms),
                write_time: seconds(write_ms),
                io_time: seconds(io_ms),
                io_weighted_time: seconds(weighted_ms),
                io_now,
            }))
        }
        _ => None,
    }
}

#[allow(clippy::cast_precision_loss, reason = "exact below 285,000 years of milliseconds")]
fn seconds(ms: u64) -> f64 {
    ms as f64 / 1000.0
}

/// What `node_exporter` leaves out: `^(z?ram|loop|fd|(h|s|v|xv)d[a-z]|nvme\d+n\d+p)\d+$`.
fn is_left_out(device: &str) -> bool {
    let stem = device.trim_end_matches(|char: char| char.is_ascii_digit());
    if stem.len() == device.len() {
        return false;
    }
    let is_partition = |stem: &str| {
        let letter = ["hd", "sd", "vd", "xvd"].iter().find_map(|kind| stem.strip_prefix(kind));
        letter.is_some_and(|letter| letter.len() == 1 && letter.bytes().all(|byte| byte.is_ascii_lowercase()))
    };
    let is_number = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    let is_nvme = |stem: &str| {
        let numbers = stem.strip_prefix("nvme").and_then(|rest| rest.strip_suffix('p'));
        numbers.and_then(|rest| rest.split_once('n')).is_some_and(|(a, b)| is_number(a) && is_number(b))
    };
    matches!(stem, "ram" | "zram" | "loop" | "fd") || is_partition(stem) || is_nvme(stem)
}

/// `  eth0:1234 …` or `  eth0: 1234 …`; an alias of old has a colon of its own.
fn interface(line: &str) -> Line<Interface> {
    let (device, numbers) = line.rsplit_once(':')?;
    let told: Vec<u64> = numbers.split_ascii_whitespace().map(count).collect::<Option<_>>()?;
    let [received, packets, errs, drop, _, _, _, _, sent, sent_packets, sent_errs, sent_drop, ..] = *told
    else {
        return None;
    };
    Some(Said::One(Interface {
        device: device.trim().to_owned(),
        receive_bytes: received,
        receive_packets: packets,
        receive_errs: errs,
        receive_drop: drop,
        transmit_bytes: sent,
        transmit_packets: sent_packets,
        transmit_errs: sent_errs,
        transmit_drop: sent_drop,
    }))
}

/// `TCP: inuse 4 orphan 0` is `TCP_inuse` and `TCP_orphan`.
fn sockets(line: &str) -> Vec<(String, u64)> {
    let Some((protocol, pairs)) = line.split_once(": ") else { return Vec::new() };
    let words: Vec<&str> = pairs.split_ascii_whitespace().collect();
    let pairs = words.chunks_exact(2).filter_map(|pair| Some((pair[0], count(pair[1])?)));
    pairs.map(|(name, value)| (format!("{protocol}_{name}"), value)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn leaves_out_what_node_exporter_does() {
        let check = |device, want| assert_eq!(is_left_out(device), want, "{device}");
        for device in ["ram0", "zram1", "loop12", "fd0", "sda1", "hdb15", "vdc2", "xvda1", "nvme0n1p1"] {
            check(device, true);
        }
        for device in ["sda", "xvda", "nvme0n1", "sdaa1", "dm-0", "md0", "mmcblk0p1", "sr0", "nvmen1p1", "1"]
        {
            check(device, false);
        }
    }
}
