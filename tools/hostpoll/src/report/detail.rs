//! The rows that a host has in a table or in CSV: one, or one for each of its file systems, devices
//! or interfaces when nothing else is asked for.

use std::borrow::Cow;

use super::Options;
use crate::outcome::Polled;
use crate::sample::{Collector, Disk, Filesystem, Interface, Sample, Wanted};
use crate::values::{METRICS, Needs, Told, Values, seconds_between, used_percent};

mod looks;

use looks::LOOKS;

/// What a row is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Detail {
    Hosts,
    Filesystems,
    Disks,
    Interfaces,
}

/// A column.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Column {
    /// What CSV calls it, with its unit.
    pub(super) key: Cow<'static, str>,
    /// What the table calls it; empty where it has no room for it.
    pub(super) title: Cow<'static, str>,
    pub(super) kind: Kind,
}

/// How the table shows what a column holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Text,
    Percent,
    Bytes,
    Count,
    Number,
    Seconds,
}

/// What stands in a row.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Cell {
    Absent,
    Number(f64),
    /// As the host told it.
    Text(String),
}

impl Cell {
    fn number(number: Option<f64>) -> Self {
        number.map_or(Self::Absent, Self::Number)
    }

    #[allow(clippy::cast_precision_loss, reason = "a double tells a petabyte to the byte")]
    fn count(count: u64) -> Self {
        Self::Number(count as f64)
    }

    pub(super) fn told(told: Told<'_>) -> Self {
        match told {
            Told::Number(number) => Self::Number(number),
            Told::Text(text) => Self::Text(text.to_owned()),
        }
    }
}

impl Detail {
    /// What the rows are about when this is asked for.
    pub(super) fn of(wanted: &Wanted) -> Self {
        if !wanted.commands.is_empty() || wanted.collectors.len() != 1 {
            return Self::Hosts;
        }
        match wanted.collectors.first() {
            Some(Collector::Disk) => Self::Filesystems,
            Some(Collector::Io) => Self::Disks,
            Some(Collector::Net) => Self::Interfaces,
            _ => Self::Hosts,
        }
    }

    /// All columns that its rows can have, but for the host and what `--command` asks for.
    pub(super) fn columns(self, options: &Options) -> Vec<Column> {
        let fixed = |columns: &[(&'static str, &'static str, Kind)]| {
            let column =
                |&(key, title, kind)| Column { key: Cow::Borrowed(key), title: Cow::Borrowed(title), kind };
            columns.iter().map(column).collect()
        };
        match self {
            Self::Hosts => host_columns(options),
            Self::Filesystems => fixed(looks::FILESYSTEMS),
            Self::Disks => fixed(looks::DISKS),
            Self::Interfaces => fixed(looks::INTERFACES),
        }
    }

    /// The rows of an answer, with a cell for each of its columns.
    pub(super) fn rows(self, columns: &[Column], polled: &Polled) -> Vec<Vec<Cell>> {
        let Ok(sample) = &polled.result else { return Vec::new() };
        let before = polled.before.as_deref();
        let between = Between {
            seconds: before
                .and_then(|(then, before)| seconds_between((*then, before), (polled.time, sample))),
            before: before.map(|(_, before)| before),
        };
        match self {
            Self::Hosts => vec![host_row(columns, polled)],
            Self::Filesystems => sample.filesystems.iter().map(filesystem).collect(),
            Self::Disks => sample.disks.iter().map(|one| disk(one, &between)).collect(),
            Self::Interfaces => sample.interfaces.iter().map(|one| interface(one, &between)).collect(),
        }
    }
}

fn host_columns(options: &Options) -> Vec<Column> {
    let wanted = &options.wanted;
    let can_be = |needs| match needs {
        Needs::One => true,
        Needs::Window => options.has_rates || !wanted.window.is_zero(),
        Needs::Samples => options.has_rates,
    };
    let is_alone = wanted.collectors.len() == 1;
    METRICS
        .iter()
        .filter(|metric| wanted.collectors.contains(&metric.collector) && can_be(metric.needs))
        .filter_map(|metric| Some((metric, LOOKS.iter().find(|look| look.name == metric.name)?)))
        .map(|(metric, look)| Column {
            key: Cow::Borrowed(metric.name),
            title: Cow::Borrowed(if look.is_brief || is_alone { look.title } else { "" }),
            kind: look.kind,
        })
        .collect()
}

/// Both are in the order of the table of metrics, so that one walk finds all.
fn host_row(columns: &[Column], polled: &Polled) -> Vec<Cell> {
    let Some(values) = Values::of(polled) else { return Vec::new() };
    let mut numbers = values.numbers.iter().peekable();
    let mut cell = |column: &Column| {
        if column.key == "disk_mount" {
            return values.disk_mount.map_or(Cell::Absent, |mount| Cell::Text(mount.to_owned()));
        }
        match numbers.peek() {
            Some((name, number)) if column.key == *name => {
                numbers.next();
                Cell::Number(*number)
            }
            // What was not asked for may have been told nevertheless.
            Some(_) => Cell::number(values.get(&column.key)),
            None => Cell::Absent,
        }
    };
    columns.iter().map(&mut cell).collect()
}

fn filesystem(one: &Filesystem) -> Vec<Cell> {
    vec![
        Cell::Text(one.mountpoint.clone()),
        Cell::Text(one.device.clone()),
        Cell::Text(one.fstype.clone()),
        Cell::count(one.size),
        Cell::count(one.size.saturating_sub(one.free)),
        Cell::count(one.available),
        Cell::number(used_percent(one)),
        Cell::count(one.files),
        Cell::count(one.files.saturating_sub(one.files_free)),
        Cell::Number(f64::from(u8::from(one.is_readonly))),
    ]
}

/// What came before a sample.
struct Between<'s> {
    before: Option<&'s Sample>,
    seconds: Option<f64>,
}

impl Between<'_> {
    #[allow(clippy::cast_precision_loss, reason = "what is lost is far below the error of the clock")]
    fn rate(&self, before: Option<u64>, now: u64) -> Cell {
        let passed = before.and_then(|before| now.checked_sub(before));
        Cell::number(passed.zip(self.seconds).map(|(passed, seconds)| passed as f64 / seconds))
    }
}

fn disk(one: &Disk, between: &Between<'_>) -> Vec<Cell> {
    let before =
        between.before.and_then(|before| before.disks.iter().find(|other| other.device == one.device));
    let busy = before.map(|before| one.io_time - before.io_time).filter(|passed| *passed >= 0.0);
    let percent = busy.zip(between.seconds).map(|(passed, seconds)| (100.0 * passed / seconds).min(100.0));
    vec![
        Cell::Text(one.device.clone()),
        Cell::number(percent),
        between.rate(before.map(|before| before.read_bytes), one.read_bytes),
        between.rate(before.map(|before| before.written_bytes), one.written_bytes),
        between.rate(before.map(|before| before.reads), one.reads),
        between.rate(before.map(|before| before.writes), one.writes),
        Cell::count(one.reads),
        Cell::count(one.writes),
        Cell::count(one.read_bytes),
        Cell::count(one.written_bytes),
        Cell::Number(one.read_time),
        Cell::Number(one.write_time),
        Cell::Number(one.io_time),
        Cell::Number(one.io_weighted_time),
        Cell::count(one.io_now),
    ]
}

fn interface(one: &Interface, between: &Between<'_>) -> Vec<Cell> {
    let before =
        between.before.and_then(|before| before.interfaces.iter().find(|other| other.device == one.device));
    vec![
        Cell::Text(one.device.clone()),
        between.rate(before.map(|before| before.receive_bytes), one.receive_bytes),
        between.rate(before.map(|before| before.transmit_bytes), one.transmit_bytes),
        Cell::count(one.receive_bytes),
        Cell::count(one.transmit_bytes),
        Cell::count(one.receive_packets),
        Cell::count(one.transmit_packets),
        Cell::count(one.receive_errs),
        Cell::count(one.transmit_errs),
        Cell::count(one.receive_drop),
        Cell::count(one.transmit_drop),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::fixtures::{host, only, options, sample, wanted};

    #[test]
    fn every_metric_has_its_look() {
        let names: Vec<&str> = METRICS.iter().map(|metric| metric.name).collect();
        assert_eq!(names, LOOKS.iter().map(|look| look.name).collect::<Vec<_>>());
    }

    #[test]
    fn a_row_has_a_cell_for_each_column() {
        let polled = host("web01", sample());
        for wanted in
            [wanted(), only(Collector::Disk), only(Collector::Io), only(Collector::Net), only(Collector::Mem)]
        {
            let detail = Detail::of(&wanted);
            let columns = detail.columns(&options(wanted));
            let rows = detail.rows(&columns, &polled);
            assert!(!rows.is_empty() && rows.iter().all(|row| row.len() == columns.len()), "{detail:?}");
        }
    }

    #[test]
    fn what_was_told_unasked_hides_nothing() {
        let columns = Detail::Hosts.columns(&options(only(Collector::Mem)));
        let rows = Detail::Hosts.rows(&columns, &host("web01", sample()));
        assert_eq!(rows[0][0], Cell::Number(75.0), "mem_percent, behind those of the CPU");
    }
}
