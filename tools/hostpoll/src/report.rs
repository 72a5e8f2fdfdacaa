//! What is told of the hosts: a table, JSON Lines, CSV, Prometheus exposition, `InfluxDB` lines.
//!
//! A report is told of every host as it ends, in any order, and of the end of each round. JSON and
//! `InfluxDB` lines, and rows of CSV, are written as hosts end; the others at the end of the round.

mod csv;
mod detail;
mod influx;
mod json;
mod prometheus;
mod sort;
mod table;

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::time::Duration;

use common::{Out, Result};
use remote::Class;

use crate::outcome::Polled;
use crate::sample::Wanted;

pub use sort::Sort;

/// How results look.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// For people.
    Table,
    /// JSON Lines: an object for each host.
    Json,
    /// RFC 4180 with a header: a row for each host, file system, device or interface.
    Csv,
    /// The text exposition 0.0.4, with the names of `node_exporter`.
    Prometheus,
    /// The line protocol, with the names of Telegraf.
    Influx,
}

/// What the look of results depends on.
#[derive(Debug, Clone)]
pub struct Options {
    /// What is asked for.
    pub wanted: Wanted,
    /// Whether there is more than one round, so that there can be rates.
    pub has_rates: bool,
    /// Whether the table has colours and bars.
    pub colour: bool,
    /// How many columns of a terminal the table may have; `None` for any number.
    pub width: Option<usize>,
    /// How many lines of a terminal the table may have, when each replaces the one before; `None` for
    /// any number.
    pub height: Option<usize>,
    /// What the table is sorted by.
    pub sort: Sort,
    /// How many rows the table has at most.
    pub top: Option<usize>,
    /// The tags that are labels of the exposition.
    pub labels: Vec<String>,
}

/// How a round ended.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Summary {
    /// How many hosts were asked.
    pub total: usize,
    /// How many answered.
    pub ok: usize,
    /// How many did not, by class.
    pub failed: BTreeMap<Class, usize>,
    /// How many of those could not be spoken to.
    pub unreachable: usize,
    /// How long the round took.
    pub took: Duration,
}

impl Summary {
    /// Counts one host.
    pub fn add(&mut self, polled: &Polled) {
        self.total += 1;
        match &polled.result {
            Ok(_) => self.ok += 1,
            Err(failure) => {
                *self.failed.entry(failure.class).or_default() += 1;
                self.unreachable += usize::from(failure.class.is_unreachable());
            }
        }
    }

    /// How many hosts have no answer, for whatever reason.
    #[must_use]
    pub fn failures(&self) -> usize {
        self.failed.values().sum()
    }
}

/// Something that tells of hosts. What it has written may still be in the buffer of `out`: flush
/// that when a person or a pipe waits.
pub trait Report {
    /// Tells of a host, as soon as it has ended.
    ///
    /// # Errors
    /// When the output cannot be written.
    fn host(&mut self, polled: &Polled, out: &mut Out) -> Result<()>;

    /// Tells of the end of a round. The next one begins empty.
    ///
    /// # Errors
    /// When the output cannot be written.
    fn round(&mut self, summary: &Summary, out: &mut Out) -> Result<()>;
}

/// The report in this format.
#[must_use]
pub fn new(format: Format, options: Options) -> Box<dyn Report> {
    match format {
        Format::Table => Box::new(table::Table::new(options)),
        Format::Json => Box::new(json::Lines::default()),
        Format::Csv => Box::new(csv::Rows::new(&options)),
        Format::Prometheus => Box::new(prometheus::Exposition::new(options)),
        Format::Influx => Box::new(influx::Lines::default()),
    }
}

/// Text from a host, as one line that cannot steer a terminal, wherever it ends up.
fn shown(text: &str) -> Cow<'_, str> {
    // Nearly all of it is plain, and the look at each character costs more than this one.
    if text.bytes().all(|byte| matches!(byte, b' '..=b'~')) {
        return Cow::Borrowed(text);
    }
    Cow::Owned(common::log::escape(text))
}

/// The values of a tag that a host has more than once, as one.
fn joined(tags: &[(String, String)], key: &str) -> Option<String> {
    let values: Vec<&str> =
        tags.iter().filter(|(one, _)| one == key).map(|(_, value)| value.as_str()).collect();
    (!values.is_empty()).then(|| values.join(","))
}

/// The keys of tags, each once, in their order.
fn keys(tags: &[(String, String)]) -> impl Iterator<Item = &str> {
    tags.iter()
        .enumerate()
        .filter(|(index, (key, _))| !tags[..*index].iter().any(|(earlier, _)| earlier == key))
        .map(|(_, (key, _))| key.as_str())
}

#[cfg(test)]
pub(crate) mod fixtures;
