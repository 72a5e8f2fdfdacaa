use std::sync::Arc;

use chrono::{DateTime, Utc};
use proptest::prelude::*;

use super::*;
use crate::report::fixtures::{host, sample};
use crate::sample::{Cpu, Filesystem, Modes};

fn modes(user: f64, idle: f64, iowait: f64) -> Modes {
    Modes { user, idle, iowait, ..Modes::default() }
}

fn check(before: Modes, now: Modes, want: Option<f64>) {
    assert_eq!(shares(&before, &now).map(|shares| shares.busy), want);
}

#[test]
fn busy_is_what_is_neither_idle_nor_waiting_for_a_disk() {
    check(modes(1.0, 1.0, 1.0), modes(2.0, 3.0, 2.0), Some(25.0));
    check(modes(1.0, 1.0, 1.0), modes(1.0, 2.0, 1.0), Some(0.0));
    let guest = Modes { guest: 5.0, ..modes(5.0, 5.0, 0.0) };
    check(Modes::default(), guest, Some(50.0));
}

#[test]
fn what_cannot_be_told_is_absent() {
    check(modes(1.0, 1.0, 1.0), modes(1.0, 1.0, 1.0), None);
    check(modes(2.0, 1.0, 1.0), modes(1.0, 9.0, 1.0), None);
    check(modes(1.0, 9.0, 1.0), modes(2.0, 3.0, 1.0), None);
    // iowait alone may go back a little.
    check(modes(1.0, 1.0, 1.0), modes(2.0, 2.5, 0.5), Some(50.0));
}

#[test]
fn without_a_second_reading_there_are_no_percent() {
    let mut polled = host("web01", sample());
    let at_all = |polled: &Polled, name| Values::of(polled).unwrap().get(name);
    assert!(at_all(&polled, "cpu_percent").is_some());
    assert_eq!(at_all(&polled, "net_receive_bytes_per_s"), None);
    let mut one = sample();
    one.cpu_before = None;
    polled.result = Ok(one.clone());
    assert_eq!(at_all(&polled, "cpu_percent"), None);
    let mut before = one;
    before.cpu = Some(Cpu { total: modes(0.0, 0.0, 0.0), ..Cpu::default() });
    polled.before = Some(Arc::new((polled.time - chrono::TimeDelta::seconds(10), before)));
    assert!(at_all(&polled, "cpu_percent").is_some());
}

#[test]
fn shares_of_a_window_are_percent_too() {
    let mut one = sample();
    (one.cpu, one.cpu_before) = (None, None);
    one.cpu_shares = Some(modes(0.25, 0.75, 0.0));
    assert_eq!(Values::of(&host("mac", one)).unwrap().get("cpu_percent"), Some(25.0));
}

#[test]
fn rates_are_by_the_hosts_own_clock() {
    let mut polled = host("web01", sample());
    let mut before = sample();
    before.uptime = before.uptime.map(|uptime| uptime - 10.0);
    before.interfaces[1].receive_bytes -= 5_000;
    before.disks[0].io_time -= 2.5;
    before.pressure[0].2 -= 1.0;
    polled.before = Some(Arc::new((DateTime::<Utc>::UNIX_EPOCH, before)));
    let values = Values::of(&polled).unwrap();
    assert_eq!(values.get("net_receive_bytes_per_s"), Some(500.0));
    assert_eq!(values.get("io_percent").map(plain).as_deref(), Some("25"));
    assert_eq!(values.get("pressure_cpu_waiting_percent").map(plain).as_deref(), Some("10"));
    let mut reset = polled.clone();
    let mut after = sample();
    after.interfaces[1].receive_bytes = 1;
    reset.result = Ok(after);
    assert_eq!(Values::of(&reset).unwrap().get("net_receive_bytes_per_s"), None);
}

#[test]
fn the_fullest_file_system_counts_unless_it_was_made_to_measure() {
    let fs = |mount: &str, fstype: &str, free, files_free| Filesystem {
        mountpoint: mount.into(),
        fstype: fstype.into(),
        size: 1000,
        free,
        available: free,
        files: 100,
        files_free,
        ..Filesystem::default()
    };
    let mut one = sample();
    one.filesystems =
        vec![fs("/snap", "squashfs", 0, 0), fs("/", "ext4", 500, 90), fs("/var", "xfs", 100, 99)];
    let polled = host("web01", one);
    let values = Values::of(&polled).unwrap();
    assert_eq!(values.get("disk_percent"), Some(90.0));
    assert_eq!(values.disk_mount, Some("/var"));
    assert_eq!(values.get("inode_percent"), Some(10.0));
}

#[test]
fn values_come_in_the_order_of_the_table_and_under_its_names() {
    let mut polled = host("web01", sample());
    let mut before = sample();
    before.uptime = Some(1.0);
    polled.before = Some(Arc::new((polled.time, before)));
    let values = Values::of(&polled).unwrap();
    let mut names = Vec::new();
    values
        .each(|name, _| -> Result<(), ()> {
            names.push(name.to_owned());
            Ok(())
        })
        .unwrap();
    let known: Vec<&str> = METRICS.iter().map(|metric| metric.name).collect();
    assert_eq!(names[..known.len()], known, "the sample has all of them");
    assert_eq!(names[known.len()..], ["errors", "queue.depth", "queue.state"]);
    assert_eq!(values.get("queue.depth"), Some(7.0));
    assert_eq!(values.get("errors"), Some(3.0));
    assert_eq!(values.get("queue.state"), None);
    assert!(is_taken("cpu_percent") && is_taken("host") && !is_taken("errors"));
}

#[test]
fn numbers_are_plain() {
    let check = |number: f64, want: &str| assert_eq!(plain(number), want);
    check(97.125, "97.125");
    check(12.0, "12");
    check(-0.0, "0");
    check(rounded(97.123_456), "97.123");
    check(rounded(-0.0001), "0");
    check(rounded(9_007_199_254_740_991.0), "9007199254740991");
    check(1e15, "1000000000000000");
    check(1e300, &format!("{}", 1e300));
}

proptest! {
    #[test]
    fn percent_is_never_beyond_its_bounds(before in prop::array::uniform8(0.0..1e9f64), more in prop::array::uniform8(-1.0..1e6f64)) {
        let of = |m: [f64; 8]| Modes {
            user: m[0], nice: m[1], system: m[2], idle: m[3], iowait: m[4], irq: m[5], softirq: m[6],
            steal: m[7], ..Modes::default()
        };
        let now: Vec<f64> = before.iter().zip(more).map(|(a, b)| a + b).collect();
        if let Some(shares) = shares(&of(before), &of(now.try_into().unwrap())) {
            prop_assert!((0.0..=100.000_001).contains(&shares.busy));
            let sum = shares.busy + shares.modes.idle + shares.modes.iowait;
            prop_assert!((sum - 100.0).abs() < 1e-6, "{}", sum);
        }
    }
}
