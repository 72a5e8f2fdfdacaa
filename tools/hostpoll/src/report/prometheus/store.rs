//! The points of all hosts, in little memory.

use std::collections::BTreeMap;

use common::{Out, Result};

use super::put_label;
use crate::families::{self, Family, Kind, Points};

/// The points of all hosts.
#[derive(Default)]
pub(super) struct Store {
    families: Vec<Info>,
    family_ids: BTreeMap<String, u32>,
    series: Vec<Series>,
    series_ids: BTreeMap<Box<str>, u32>,
    shapes: Vec<Box<[u32]>>,
    shape_ids: BTreeMap<Box<[u32]>, u32>,
    hosts: BTreeMap<Box<str>, Block>,
    /// The series of the host before, in the order in which they came: most likely they come again.
    last: Vec<u32>,
    /// How many hosts there were, and of which each series was seen last and where.
    serial: u32,
}

/// What stands above the points of a family.
struct Info {
    name: String,
    help: String,
    kind: Kind,
}

struct Series {
    family: u32,
    /// The labels but for those of the host.
    labels: Box<str>,
    /// The host that has a point of it already, by its number, and where.
    seen: (u32, u32),
}

/// The points of one host.
struct Block {
    labels: Box<str>,
    shape: u32,
    values: Box<[f64]>,
}

/// Takes the points of one host.
pub(super) struct Taking<'s> {
    store: &'s mut Store,
    points: Vec<(u32, f64)>,
    key: String,
    name_end: usize,
}

impl Store {
    /// Begins with the points of a host.
    pub(super) fn begin(&mut self) -> Taking<'_> {
        self.serial += 1;
        let points = Vec::with_capacity(self.last.len());
        Taking { store: self, points, key: String::new(), name_end: 0 }
    }

    fn family(&mut self, family: Family<'_>) -> u32 {
        let name = family.full_name();
        if let Some(id) = self.family_ids.get(&name) {
            return *id;
        }
        let id = id(self.families.len());
        self.families.push(Info { name: name.clone(), help: family.full_help(), kind: family.kind });
        self.family_ids.insert(name, id);
        id
    }

    /// Writes all families in the order of their names, and in each all hosts in that of theirs.
    ///
    /// # Errors
    /// When the output cannot be written.
    pub(super) fn write(&self, out: &mut Out) -> Result<()> {
        for (name, family) in &self.family_ids {
            let info = &self.families[*family as usize];
            writeln!(out, "# HELP {name} {}\n# TYPE {name} {}", info.help, info.kind.name())?;
            for block in self.hosts.values() {
                self.write_family(*family, block, out)?;
            }
        }
        Ok(())
    }

    fn write_family(&self, family: u32, block: &Block, out: &mut Out) -> Result<()> {
        let shape = &self.shapes[block.shape as usize];
        let name = self.families[family as usize].name.as_bytes();
        let begin = shape.partition_point(|one| self.series[*one as usize].family < family);
        for (one, value) in shape.iter().zip(&block.values).skip(begin) {
            let series = &self.series[*one as usize];
            if series.family != family {
                break;
            }
            out.write_all(name)?;
            out.write_all(b"{")?;
            out.write_all(block.labels.as_bytes())?;
            if !series.labels.is_empty() {
                out.write_all(b",")?;
                out.write_all(series.labels.as_bytes())?;
            }
            writeln!(out, "}} {}", value + 0.0)?;
        }
        Ok(())
    }
}

impl Points for Taking<'_> {
    fn put(&mut self, family: Family<'_>, labels: &[(&str, &str)], value: f64) {
        if !value.is_finite() {
            return;
        }
        self.spell(family, labels);
        let series = self.series(family);
        let (serial, at) = (self.store.serial, id(self.points.len()));
        let known = &mut self.store.series[series as usize];
        if known.seen.0 == serial {
            // Two points of one series would make the whole exposition invalid: the later one counts.
            self.points[known.seen.1 as usize].1 = value;
            return;
        }
        known.seen = (serial, at);
        self.points.push((series, value));
    }
}

impl Taking<'_> {
    /// Spells what tells one series from others: name, tab, labels.
    fn spell(&mut self, family: Family<'_>, labels: &[(&str, &str)]) {
        self.key.clear();
        self.key.push_str(family.name);
        self.key.extend(family.field.chars().map(families::letter));
        self.key.push('\t');
        self.name_end = self.key.len();
        let mut text = String::new();
        for (name, value) in labels {
            put_label(&mut text, name, value);
        }
        self.key.push_str(&text);
    }

    fn series(&mut self, family: Family<'_>) -> u32 {
        let labels = &self.key[self.name_end..];
        if let Some(guess) = self.store.last.get(self.points.len()) {
            let series = &self.store.series[*guess as usize];
            let is_name = self.store.families[series.family as usize].name == self.key[..self.name_end - 1];
            if is_name && *series.labels == *labels {
                return *guess;
            }
        }
        if let Some(known) = self.store.series_ids.get(self.key.as_str()) {
            return *known;
        }
        let labels = Box::from(labels);
        let family = self.store.family(family);
        let series = id(self.store.series.len());
        self.store.series.push(Series { family, labels, seen: (0, 0) });
        self.store.series_ids.insert(self.key.as_str().into(), series);
        series
    }

    /// Ends the host. `labels` are those that all of its points have.
    pub(super) fn end(mut self, host: &str, labels: String) {
        let store = self.store;
        store.last.clear();
        store.last.extend(self.points.iter().map(|(series, _)| *series));
        // Stable, so that the points of a family stay in the order in which the host told them.
        self.points.sort_by_key(|(series, _)| store.series[*series as usize].family);
        let shape: Box<[u32]> = self.points.iter().map(|(series, _)| *series).collect();
        let values = self.points.iter().map(|(_, value)| *value).collect();
        let shape = if let Some(known) = store.shape_ids.get(&shape) {
            *known
        } else {
            let new = id(store.shapes.len());
            store.shapes.push(shape.clone());
            store.shape_ids.insert(shape, new);
            new
        };
        store.hosts.insert(host.into(), Block { labels: labels.into(), shape, values });
    }
}

/// Numbers of things that are in memory: there are never more than 2^32.
fn id(count: usize) -> u32 {
    u32::try_from(count).unwrap_or(u32::MAX)
}
