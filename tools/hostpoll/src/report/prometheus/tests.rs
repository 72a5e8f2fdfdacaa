use std::collections::{BTreeMap, BTreeSet};
use std::io::Write;
use std::process::{Command, Stdio};

use proptest::prelude::*;

use super::label_name;
use crate::report::Format;
use crate::report::fixtures::{failed, golden, host, options, sample, text, wanted};

fn exposition() -> String {
    let mut second = host("web02", sample());
    if let Ok(sample) = &mut second.result {
        sample.disks[0].device = "vda".into();
        sample.filesystems[1].mountpoint = "/new\nline \u{1b}[2J".into();
        sample.filesystems.push(sample.filesystems[0].clone());
    }
    // The first one was asked twice, and answered the second time.
    let hosts = [failed("web01"), second, failed("web03"), host("web01", sample())];
    text(Format::Prometheus, options(wanted()), &hosts)
}

/// The name and labels of each point, strictly read; families must be whole, series unique.
fn series(text: &str) -> Vec<String> {
    let (mut seen, mut done, mut family) = (BTreeSet::new(), BTreeMap::new(), String::new());
    let mut all = Vec::new();
    for line in text.lines() {
        if let Some(rest) = line.strip_prefix("# HELP ") {
            family = rest.split(' ').next().unwrap().to_owned();
            assert!(done.insert(family.clone(), 0).is_none(), "{family} begins again");
            continue;
        }
        if let Some(rest) = line.strip_prefix("# TYPE ") {
            let (name, kind) = rest.split_once(' ').unwrap();
            assert!(name == family && matches!(kind, "counter" | "gauge"), "{line}");
            assert_eq!(kind == "counter", name.ends_with("_total"), "{line}");
            continue;
        }
        let (series, value) = line.rsplit_once(' ').unwrap();
        assert!(value.parse::<f64>().unwrap().is_finite(), "{line}");
        assert!(series.strip_prefix(&family).unwrap().starts_with('{'), "{line}");
        assert!(seen.insert(series.to_owned()), "twice: {line}");
        all.push(series.to_owned());
    }
    all
}

#[test]
fn families_are_whole_and_series_unique() {
    let text = exposition();
    golden("hosts.prom", &text);
    let series = series(&text);
    let has = |one: &str| assert!(series.iter().any(|other| other == one), "{one} in\n{text}");
    has(r#"node_cpu_seconds_total{instance="web01",env="prod",group="a,b",cpu="1",mode="steal"}"#);
    has(
        r#"node_filesystem_avail_bytes{instance="web01",env="prod",group="a,b",device="/dev/sdb1",fstype="ext4",mountpoint="/srv/a \"b\\c"}"#,
    );
    has(r#"sre_host_error{instance="web03",env="prod",group="a,b",class="timeout",phase="auth"}"#);
    has(r#"node_memory_HugePages_Total{instance="web02",env="prod",group="a,b"}"#);
    assert!(!text.contains(r#"sre_host_error{instance="web01""#), "its second answer counts");
    assert!(text.contains("# HELP node_sockstat_TCP_inuse Number of TCP sockets in state inuse.\n"));
    assert!(text.contains("# HELP node_memory_MemFree_bytes Memory information field MemFree_bytes.\n"));
}

#[test]
fn the_order_of_the_answers_does_not_matter() {
    let hosts = [host("a", sample()), failed("b"), host("c", sample())];
    let turned = [hosts[2].clone(), hosts[1].clone(), hosts[0].clone()];
    let write = |hosts: &[_]| text(Format::Prometheus, options(wanted()), hosts);
    assert_eq!(write(&hosts), write(&turned));
}

#[test]
fn labels_of_tags_have_names_of_their_own() {
    let check = |key: &str, want: &str| assert_eq!(label_name(key), want);
    check("env", "env");
    check("data-center", "data_center");
    check("device", "tag_device");
    check("7", "tag_7");
    check("__x", "tag___x");
    check("", "tag_");
}

/// Feeds `text` to a checker; `None` when there is none on this machine.
fn judged(command: &mut Command, text: &str) -> Option<(bool, String)> {
    let spawned = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn();
    let mut child = spawned.ok()?;
    let mut stdin = child.stdin.take().unwrap();
    let owned = text.to_owned();
    let feeder = std::thread::spawn(move || stdin.write_all(owned.as_bytes()));
    let output = child.wait_with_output().unwrap();
    let _it_may_have_read_enough = feeder.join().unwrap();
    let said = [output.stdout, output.stderr].concat();
    Some((output.status.success(), String::from_utf8_lossy(&said).into_owned()))
}

#[test]
fn parsers_of_prometheus_take_it() {
    let text = exposition();
    let points = series(&text).len();
    let script = "import sys
try: from prometheus_client.parser import text_string_to_metric_families as parse
except ImportError: sys.exit(77)
print(sum(len(family.samples) for family in parse(sys.stdin.read())))";
    let python = std::env::var_os("SRE_PYTHON").unwrap_or_else(|| "python3".into());
    match judged(Command::new(python).args(["-c", script]), &text) {
        Some((true, said)) => assert_eq!(said.trim(), points.to_string()),
        Some((false, said)) if said.is_empty() => println!("skipped: no prometheus_client for Python"),
        Some((false, said)) => panic!("{said}"),
        None => println!("skipped: no Python"),
    }
    // It also finds fault with the names that node_exporter gives, which are as they are: those end
    // with 3, what cannot be parsed with 1.
    match judged(Command::new("promtool").args(["check", "metrics"]), &text) {
        Some((is_fine, said)) => {
            let faults: Vec<&str> = said.lines().filter(|line| !line.starts_with("node_")).collect();
            assert!(is_fine || faults.is_empty(), "{said}");
        }
        None => println!("skipped: no promtool"),
    }
}

proptest! {
    #[test]
    fn no_text_from_a_host_breaks_the_exposition(
        name in any::<String>(), mount in any::<String>(), field in any::<String>(), socket in any::<String>(),
    ) {
        let mut polled = host(&name, sample());
        if let Ok(sample) = &mut polled.result {
            sample.filesystems[0].mountpoint = mount;
            sample.memory.as_mut().unwrap().all.push((field, 1));
            sample.sockets.push((socket, 1));
        }
        let text = text(Format::Prometheus, options(wanted()), &[polled]);
        for one in series(&text) {
            let labels = one.split_once('{').unwrap().1;
            let quotes = labels.replace("\\\\", "").replace("\\\"", "").matches('"').count();
            prop_assert!(quotes % 2 == 0 && labels.ends_with('}'), "{}", one);
        }
    }
}
