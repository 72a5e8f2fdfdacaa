//! Samples built by hand, for the tests of everything that reports.

use std::io::Write;
use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, Utc};
use common::out::Held;
use remote::{Class, Failure, Phase, session};

use super::{Format, Options, Report, Sort, Summary};
use crate::outcome::{Polled, Took};
use crate::sample::{
    Collector, Cpu, Disk, Extra, Filesystem, Interface, Memory, Modes, Sample, System, Value, Wanted,
};

pub(crate) fn modes(scale: f64) -> Modes {
    Modes {
        user: 10.0 * scale,
        nice: 1.0,
        system: 5.0 * scale,
        idle: 80.0 * scale,
        iowait: 2.0 * scale,
        irq: 0.0,
        softirq: 1.0 * scale,
        steal: 2.0 * scale,
        guest: 0.5,
        guest_nice: 0.0,
    }
}

fn cpu(scale: f64) -> Cpu {
    Cpu {
        total: modes(scale),
        cores: vec![(0, modes(scale / 2.0)), (1, modes(scale / 2.0))],
        context_switches: Some(123_456),
        forks: Some(4711),
        running: Some(2),
        blocked: Some(0),
    }
}

fn filesystems() -> Vec<Filesystem> {
    let fs = |device: &str, mountpoint: &str, size: u64| Filesystem {
        device: device.into(),
        mountpoint: mountpoint.into(),
        fstype: "ext4".into(),
        size,
        free: size / 5,
        available: size / 10,
        files: 1000,
        files_free: 900,
        is_readonly: false,
    };
    let mut other = fs("/dev/sdb1", "/srv/a \"b\\c", 1 << 40);
    other.free = other.size / 2;
    vec![fs("/dev/sda1", "/", 50 << 30), other]
}

fn disks() -> Vec<Disk> {
    vec![Disk {
        device: "sda".into(),
        reads: 100,
        writes: 200,
        read_bytes: 409_600,
        written_bytes: 819_200,
        read_time: 1.5,
        write_time: 2.25,
        io_time: 3.5,
        io_weighted_time: 4.0,
        io_now: 0,
    }]
}

fn interfaces() -> Vec<Interface> {
    let net = |device: &str, bytes| Interface {
        device: device.into(),
        receive_bytes: bytes,
        receive_packets: 1000,
        transmit_bytes: bytes / 2,
        transmit_packets: 500,
        receive_drop: 3,
        ..Interface::default()
    };
    vec![net("lo", 10_000), net("eth0", 1_000_000)]
}

fn extras() -> Vec<Extra> {
    let queue = vec![
        ("depth".to_owned(), Value::Number(7.0)),
        ("state".to_owned(), Value::Text("over,flow=\"1\"".into())),
    ];
    vec![
        Extra { name: "errors".into(), status: 0, values: vec![(String::new(), Value::Number(3.0))] },
        Extra { name: "queue".into(), status: 0, values: queue },
    ]
}

/// A sample that has everything.
pub(crate) fn sample() -> Sample {
    let sockets =
        [("TCP_inuse", 12), ("TCP_tw", 3), ("UDP_inuse", 4), ("TCP6_inuse", 2), ("sockets_used", 99)];
    let pressure = [
        ("cpu", "waiting"),
        ("memory", "waiting"),
        ("memory", "stalled"),
        ("io", "waiting"),
        ("io", "stalled"),
    ];
    Sample {
        time: Some(1_767_323_045.25),
        system: System {
            name: "Linux".into(),
            release: "6.1.0-18-amd64".into(),
            machine: "x86_64".into(),
            node: "web".into(),
        },
        cpu: Some(cpu(2.0)),
        cpu_before: Some(cpu(1.0)),
        cpu_shares: None,
        load: Some([0.5, 0.25, 0.125]),
        memory: Some(Memory {
            total: 16 << 30,
            available: 4 << 30,
            swap_total: 2 << 30,
            swap_free: 1 << 30,
            all: vec![
                ("MemTotal_bytes".into(), 16 << 30),
                ("MemFree_bytes".into(), 1 << 30),
                ("MemAvailable_bytes".into(), 4 << 30),
                ("Buffers_bytes".into(), 1 << 20),
                ("Cached_bytes".into(), 2 << 30),
                ("HugePages_Total".into(), 0),
            ],
        }),
        filesystems: filesystems(),
        disks: disks(),
        interfaces: interfaces(),
        boot_time: Some(1_767_000_000.0),
        uptime: Some(323_045.25),
        processes: Some(123),
        files: Some((1000, 100_000)),
        sockets: sockets.map(|(name, count)| (name.to_owned(), count)).to_vec(),
        pressure: pressure.map(|(resource, kind)| (resource.to_owned(), kind, 1.5)).to_vec(),
        extras: extras(),
        failed: vec![("queue".into(), "it ended with status 1".into())],
        gaps: vec![(Collector::Disk, "df: timed out".into())],
    }
}

/// A host that answered.
pub(crate) fn host(name: &str, sample: Sample) -> Polled {
    let tags = [("env", "prod"), ("group", "a"), ("group", "b")];
    Polled {
        name: Arc::from(name),
        tags: Arc::new(tags.map(|(key, value)| (key.to_owned(), value.to_owned())).to_vec()),
        time: DateTime::<Utc>::from_timestamp(1_767_323_045, 250_000_000).unwrap(),
        took: Took {
            opening: session::Took {
                resolve: Duration::from_millis(1),
                connect: Duration::from_millis(2),
                handshake: Duration::from_micros(30_500),
                auth: Duration::from_millis(4),
            },
            command: Duration::from_millis(50),
            total: Duration::from_micros(87_500),
        },
        result: Ok(sample),
        is_cut: false,
        before: None,
    }
}

/// A host of which the load is known, and nothing else.
pub(super) fn loaded(name: &str, load: f64) -> Polled {
    host(name, Sample { load: Some([load; 3]), ..Sample::default() })
}

/// A host that did not.
pub(crate) fn failed(name: &str) -> Polled {
    let what = "no answer within 5s while logging in\n\u{1b}[31m; see --timeout";
    let mut polled = host(name, Sample::default());
    polled.result = Err(Failure::new(Class::Timeout, Phase::Auth, what));
    polled.took.command = Duration::ZERO;
    polled
}

/// All collectors.
pub(crate) fn wanted() -> Wanted {
    Wanted {
        collectors: Collector::ALL.iter().map(|(_, one)| *one).collect(),
        window: Duration::from_secs(1),
        commands: vec![("errors".into(), "true".into()), ("queue".into(), "true".into())],
    }
}

/// One collector alone.
pub(crate) fn only(collector: Collector) -> Wanted {
    Wanted { collectors: [collector].into(), window: Duration::from_secs(1), commands: Vec::new() }
}

pub(crate) fn options(wanted: Wanted) -> Options {
    Options {
        wanted,
        has_rates: false,
        colour: false,
        width: None,
        height: None,
        sort: Sort::default(),
        top: None,
        labels: vec!["env".into(), "group".into()],
    }
}

/// What a report writes of rounds of hosts.
pub(crate) fn written(report: &mut dyn Report, rounds: &[&[Polled]]) -> String {
    let mut held = Held::new("test");
    for hosts in rounds {
        let mut summary = Summary { took: Duration::from_secs(1), ..Summary::default() };
        for polled in *hosts {
            summary.add(polled);
            report.host(polled, held.out()).unwrap();
        }
        report.round(&summary, held.out()).unwrap();
    }
    String::from_utf8(held.take().unwrap()).unwrap()
}

/// The same in a format.
pub(crate) fn text(format: Format, options: Options, hosts: &[Polled]) -> String {
    written(&mut *super::new(format, options), &[hosts])
}

/// Compares with a golden file beside the tests; `BLESS=1` writes it anew.
#[track_caller]
pub(crate) fn golden(name: &str, text: &str) {
    let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden").join(name);
    if std::env::var_os("BLESS").is_some() {
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::File::create(&path).unwrap().write_all(text.as_bytes()).unwrap();
    }
    assert_eq!(std::fs::read_to_string(&path).unwrap(), text, "{name}");
}
