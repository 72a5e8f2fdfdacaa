//! The numbers for Prometheus, in the form that `node_exporter`'s textfile collector reads.
//!
//! Every number carries the label `ledger`: the collector refuses two files with the same names and
//! labels, and a machine may have several watchers, each with a ledger of its own.

use std::fmt::Write as _;
use std::io::Write as _;
use std::path::Path;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use common::prometheus::label_value;
use common::{OrCannot, Result};
use files::Replacement;

/// How much a watcher did since its start, and what it is at.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Numbers {
    /// Files that were found and taken up.
    pub seen: u64,
    /// Files whose command succeeded.
    pub done: u64,
    /// Files whose command failed for the last time.
    pub failed: u64,
    /// Attempts after a failure.
    pub retried: u64,
    /// Files whose command was cut off by the end of a watcher.
    pub interrupted: u64,
    /// Passes over all folders after the first.
    pub rescans: u64,
    /// Files whose command runs now.
    pub in_flight: u64,
    /// Complete files that wait for a command.
    pub queue: u64,
    /// Files that are not complete yet, or wait for another attempt.
    pub waiting: u64,
    /// How long the oldest file in the queue has been complete; zero with an empty queue.
    pub lag: Duration,
    /// Folders whose changes the kernel tells.
    pub watched: u64,
    /// Folders that are only looked at now and then.
    pub unwatched: u64,
    /// When a command last succeeded.
    pub last_success: Option<SystemTime>,
}

const COUNTER: &str = "counter";
const GAUGE: &str = "gauge";

impl Numbers {
    /// The text format of Prometheus, version 0.0.4. The time of the last success is left out while
    /// there is none.
    #[must_use]
    pub(crate) fn text(&self, ledger: &Path) -> String {
        let label = label_value(&ledger.to_string_lossy());
        let mut text = String::with_capacity(4096);
        let mut add = |name: &str, kind: &str, help: &str, value: String| {
            let _strings_never_refuse = write!(
                text,
                "# HELP {name} {help}\n# TYPE {name} {kind}\n{name}{{ledger=\"{label}\"}} {value}\n"
            );
        };
        for (name, help, value) in self.counters() {
            add(name, COUNTER, help, value.to_string());
        }
        for (name, help, value) in self.gauges() {
            add(name, GAUGE, help, value.to_string());
        }
        add(
            "dirwatch_lag_seconds",
            GAUGE,
            "How long the oldest file in the queue has been complete.",
            self.lag.as_secs_f64().to_string(),
        );
        if let Some(since) = self.last_success.and_then(|time| time.duration_since(UNIX_EPOCH).ok()) {
            add(
                "dirwatch_last_success_timestamp_seconds",
                GAUGE,
                "When a command last succeeded.",
                since.as_secs_f64().to_string(),
            );
        }
        text
    }

    fn counters(&self) -> [(&'static str, &'static str, u64); 6] {
        [
            ("dirwatch_files_seen_total", "Files that were found and taken up.", self.seen),
            ("dirwatch_files_done_total", "Files whose command succeeded.", self.done),
            ("dirwatch_files_failed_total", "Files whose command failed for the last time.", self.failed),
            ("dirwatch_retries_total", "Attempts after a failure.", self.retried),
            (
                "dirwatch_files_interrupted_total",
                "Files whose command was cut off by the end of a watcher.",
                self.interrupted,
            ),
            ("dirwatch_rescans_total", "Passes over all folders after the first.", self.rescans),
        ]
    }

    fn gauges(&self) -> [(&'static str, &'static str, u64); 5] {
        [
            ("dirwatch_files_in_flight", "Files whose command runs now.", self.in_flight),
            ("dirwatch_queue_files", "Complete files that wait for a command.", self.queue),
            (
                "dirwatch_waiting_files",
                "Files that are not complete yet, or wait for another attempt.",
                self.waiting,
            ),
            ("dirwatch_folders_watched", "Folders whose changes the kernel tells.", self.watched),
            ("dirwatch_folders_unwatched", "Folders that are only looked at now and then.", self.unwatched),
        ]
    }
}

/// Puts the numbers of the watcher that holds `ledger` into `path`, whole or not at all.
///
/// A new file can be read by everybody, whatever the umask: the collector is another user. The mode
/// of one that exists is kept. It is brought to the disk, so this may wait for one.
///
/// # Errors
/// When it cannot be written; the old numbers are then still there.
pub(crate) fn write(path: &Path, ledger: &Path, numbers: &Numbers) -> Result<()> {
    // One that appears in between fails the commit, and the next time finds it there.
    let mut new = Replacement::begin_or_create(path, 0o644)?;
    new.write_all(numbers.text(ledger).as_bytes()).or_cannot("write", path)?;
    new.commit()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;
    use std::fs;
    use std::os::unix::fs::PermissionsExt;

    use proptest::prelude::*;

    use super::*;

    /// Reads the format back: the type and the value of each name, and the one label.
    fn parse(text: &str) -> (BTreeMap<&str, (&str, f64)>, String) {
        let (mut numbers, mut ledger) = (BTreeMap::new(), String::new());
        let mut lines = text.lines();
        while let Some(help) = lines.next() {
            let name = help.strip_prefix("# HELP ").unwrap().split(' ').next().unwrap();
            let kind = lines.next().unwrap().strip_prefix(&format!("# TYPE {name} ")).unwrap();
            let sample = lines.next().unwrap().strip_prefix(&format!("{name}{{ledger=\"")).unwrap();
            let (label, value) = sample.rsplit_once("\"} ").unwrap();
            ledger = unquoted(label);
            assert!(numbers.insert(name, (kind, value.parse().unwrap())).is_none(), "{name} twice");
        }
        (numbers, ledger)
    }

    fn unquoted(label: &str) -> String {
        let mut chars = label.chars();
        let mut text = String::new();
        while let Some(c) = chars.next() {
            assert_ne!(c, '"');
            match (c, c == '\\') {
                (_, true) => text.push(chars.next().map(|c| if c == 'n' { '\n' } else { c }).unwrap()),
                _ => text.push(c),
            }
        }
        text
    }

    #[test]
    fn what_was_written_can_be_read_back() {
        let numbers = Numbers {
            seen: 12,
            done: 7,
            queue: 3,
            lag: Duration::from_millis(1500),
            last_success: Some(UNIX_EPOCH + Duration::from_secs(1_800_000_000)),
            ..Numbers::default()
        };
        let text = numbers.text(Path::new("/var/lib/dirwatch/in.db"));
        let (found, ledger) = parse(&text);
        assert_eq!(ledger, "/var/lib/dirwatch/in.db");
        let check = |name: &str, kind: &str, value: f64| assert_eq!(found[name], (kind, value), "{name}");
        check("dirwatch_files_seen_total", "counter", 12.0);
        check("dirwatch_files_done_total", "counter", 7.0);
        check("dirwatch_files_failed_total", "counter", 0.0);
        check("dirwatch_queue_files", "gauge", 3.0);
        check("dirwatch_lag_seconds", "gauge", 1.5);
        check("dirwatch_last_success_timestamp_seconds", "gauge", 1.8e9);
        for (name, (kind, _)) in &found {
            assert_eq!(name.ends_with("_total"), *kind == "counter", "{name}");
        }
        let never = Numbers::default().text(Path::new("a"));
        assert!(!parse(&never).0.contains_key("dirwatch_last_success_timestamp_seconds"));
    }

    proptest! {
        #[test]
        fn any_ledger_stands_in_its_label(ledger: String) {
            prop_assume!(!ledger.contains('\r'));
            let text = Numbers::default().text(Path::new(&ledger));
            prop_assert_eq!(parse(&text).1, ledger);
        }
    }

    #[test]
    fn everybody_may_read_what_is_new_and_the_mode_stays() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("dirwatch.prom");
        let mode = || fs::metadata(&path).unwrap().permissions().mode() & 0o777;
        write(&path, Path::new("a"), &Numbers::default()).unwrap();
        assert_eq!(mode(), 0o644);
        fs::set_permissions(&path, fs::Permissions::from_mode(0o640)).unwrap();
        write(&path, Path::new("a"), &Numbers { seen: 5, ..Numbers::default() }).unwrap();
        assert_eq!(mode(), 0o640);
        let text = fs::read_to_string(&path).unwrap();
        assert_eq!(parse(&text).0["dirwatch_files_seen_total"], ("counter", 5.0));
        let error = write(&folder.path().join("no/x.prom"), Path::new("a"), &Numbers::default()).unwrap_err();
        assert!(error.to_string().contains("no/x.prom"), "{error}");
    }
}
