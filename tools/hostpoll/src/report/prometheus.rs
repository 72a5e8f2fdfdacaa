//! The text exposition of Prometheus, at the end of each round: every family once, over all hosts.
//!
//! What is kept of a host is its numbers. Names and labels are the same on most hosts and are kept
//! once, and so is the sequence of them (a *shape*), which hosts that are alike share. A host that was
//! asked twice has its last answer only.

mod store;

use common::{Out, Result};
use remote::Failure;

use super::{Options, Report, Summary, joined, shown};
use crate::families::{self, Family, Kind, Points};
use crate::outcome::Polled;
use crate::sample::Collector;
use crate::values::{Told, Values};

use store::Store;

/// Labels that the families have themselves; a tag with such a name becomes `tag_NAME`.
const TAKEN: [&str; 16] = [
    "class",
    "collector",
    "cpu",
    "device",
    "fstype",
    "instance",
    "job",
    "key",
    "machine",
    "mode",
    "mountpoint",
    "name",
    "nodename",
    "phase",
    "release",
    "sysname",
];

/// The report.
pub(super) struct Exposition {
    /// The tags that are labels, with the names of these.
    labels: Vec<(String, String)>,
    collectors: Vec<Collector>,
    store: Store,
}

impl Exposition {
    pub(super) fn new(options: Options) -> Self {
        let mut labels: Vec<(String, String)> = Vec::new();
        for key in options.labels {
            let name = label_name(&key);
            if !labels.iter().any(|(_, taken)| *taken == name) {
                labels.push((key, name));
            }
        }
        let collectors = options.wanted.collectors.into_iter().collect();
        Self { labels, collectors, store: Store::default() }
    }
}

impl Report for Exposition {
    fn host(&mut self, polled: &Polled, _: &mut Out) -> Result<()> {
        let mut labels = String::new();
        put_label(&mut labels, "instance", &polled.name);
        for (key, name) in &self.labels {
            if let Some(value) = joined(&polled.tags, key) {
                put_label(&mut labels, name, &value);
            }
        }
        let mut points = self.store.begin();
        own(polled, &mut points);
        match &polled.result {
            Ok(sample) => {
                families::each(sample, &mut points);
                for collector in &self.collectors {
                    let is_gap = sample.gaps.iter().any(|(gap, _)| gap == collector);
                    success(*collector, !is_gap, &mut points);
                }
            }
            Err(failure) => error(failure, &mut points),
        }
        points.end(&polled.name, labels);
        Ok(())
    }

    fn round(&mut self, _: &Summary, out: &mut Out) -> Result<()> {
        self.store.write(out)?;
        self.store = Store::default();
        Ok(())
    }
}

/// A gauge of our own.
const fn gauge(name: &'static str, help: &'static str) -> Family<'static> {
    Family { name, field: "", kind: Kind::Gauge, help }
}

fn own(polled: &Polled, to: &mut impl Points) {
    let up = gauge("sre_host_up", "Whether the host answered.");
    to.put(up, &[], f64::from(u8::from(polled.result.is_ok())));
    let took = &polled.took;
    let phases = [
        ("resolve", took.opening.resolve),
        ("connect", took.opening.connect),
        ("handshake", took.opening.handshake),
        ("auth", took.opening.auth),
        ("command", took.command),
    ];
    let family = gauge("sre_host_duration_seconds", "How long each phase of asking the host took.");
    for (phase, time) in phases {
        to.put(family, &[("phase", phase)], time.as_secs_f64());
    }
    let all =
        gauge("sre_host_poll_seconds", "How long asking the host took, also waiting for another attempt.");
    to.put(all, &[], took.total.as_secs_f64());
    let Some(values) = Values::of(polled) else { return };
    let probe = gauge("sre_probe", "A number that a command told.");
    for (name, key, told) in values.extra_values() {
        if let Told::Number(number) = told {
            to.put(probe, &[("name", name), ("key", key)], number);
        }
    }
    let good = gauge("sre_probe_success", "Whether a command answered, and with status 0.");
    for extra in values.extras {
        to.put(good, &[("name", &extra.name)], 1.0);
    }
    // One that ended badly may have told something nevertheless; of two points the later one counts.
    for (name, _) in polled.result.iter().flat_map(|sample| &sample.failed) {
        to.put(good, &[("name", name)], 0.0);
    }
}

fn error(failure: &Failure, to: &mut impl Points) {
    let family = gauge("sre_host_error", "Why the host has no answer.");
    to.put(family, &[("class", failure.class.name()), ("phase", failure.phase.name())], 1.0);
}

fn success(collector: Collector, is_whole: bool, to: &mut impl Points) {
    let help = "node_exporter: Whether a collector succeeded.";
    let labels = [("collector", families::collector_name(collector))];
    to.put(gauge("node_scrape_collector_success", help), &labels, f64::from(u8::from(is_whole)));
}

/// Puts `name="value"`, after a comma where something is there already. An empty value is no label.
fn put_label(to: &mut String, name: &str, value: &str) {
    if value.is_empty() {
        return;
    }
    if !to.is_empty() {
        to.push(',');
    }
    to.push_str(name);
    to.push_str("=\"");
    for c in shown(value).chars() {
        if matches!(c, '\\' | '"') {
            to.push('\\');
        }
        to.push(c);
    }
    to.push('"');
}

/// The name of the label for a tag: letters, digits and `_`, none that the families use.
fn label_name(key: &str) -> String {
    let name: String = key.chars().map(families::letter).collect();
    let is_bad = name.is_empty() || name.starts_with(|c: char| c.is_ascii_digit()) || name.starts_with("__");
    if is_bad || TAKEN.contains(&name.as_str()) { format!("tag_{name}") } else { name }
}

#[cfg(test)]
mod tests;
