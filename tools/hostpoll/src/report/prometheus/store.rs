//! The points of all hosts, in little memory.

use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;

use common::{Out, Result};

use super::put_label;
use crate::families::{self, Family, Kind, Points};

/// What a point is of: its family and its labels but for those of the host, by their numbers.
type Series = (u32, u32);

/// So many numbers are kept in one piece: 512 kB, which the allocator takes from the system and keeps
/// free of the holes that samples leave, which come and go between them.
const PIECE: usize = 64 * 1024;

/// The points of all hosts.
#[derive(Default)]
pub(super) struct Store {
    families: Vec<Heading>,
    family_ids: BTreeMap<Rc<str>, u32>,
    /// Devices and mount points have the same labels in all of their families.
    labels: Vec<Rc<str>>,
    label_ids: BTreeMap<Rc<str>, u32>,
    shapes: BTreeSet<Rc<[Series]>>,
    hosts: BTreeMap<Box<str>, Block>,
    pieces: Vec<Vec<f64>>,
    /// The series of the host before, in the order in which they came: most likely they come again.
    last: Vec<Series>,
    /// Kept from host to host, or the memory of all would be full of the holes that they leave.
    points: Vec<(Series, f64)>,
    sorted: Vec<Series>,
    name: String,
    text: String,
}

/// What stands above the points of a family.
struct Heading {
    name: Rc<str>,
    help: String,
    kind: Kind,
}

/// The points of one host: its series, sorted by family, and a value for each.
struct Block {
    labels: Box<str>,
    shape: Rc<[Series]>,
    /// What is unlike on all hosts, as their names are: in the shape it would make that unlike too.
    own: Box<[(Series, f64)]>,
    /// The piece with its values, and where they begin in it.
    piece: usize,
    start: usize,
}

/// Takes the points of one host.
pub(super) struct Taking<'s> {
    store: &'s mut Store,
}

impl Store {
    /// Begins with the points of a host.
    pub(super) fn begin(&mut self) -> Taking<'_> {
        self.points.clear();
        Taking { store: self }
    }

    /// Writes all families in the order of their names, and in each all hosts in that of theirs.
    ///
    /// # Errors
    /// When the output cannot be written.
    pub(super) fn write(&self, out: &mut Out) -> Result<()> {
        for (name, family) in &self.family_ids {
            let heading = &self.families[*family as usize];
            writeln!(out, "# HELP {name} {}\n# TYPE {name} {}", heading.help, heading.kind.name())?;
            for block in self.hosts.values() {
                self.write_family(*family, block, out)?;
            }
        }
        Ok(())
    }

    fn write_family(&self, family: u32, block: &Block, out: &mut Out) -> Result<()> {
        let begin = block.shape.partition_point(|(one, _)| *one < family);
        let values = &self.pieces[block.piece][block.start..];
        let points = block.shape.iter().zip(values).skip(begin);
        for (series, value) in points.take_while(|((one, _), _)| *one == family) {
            self.write_point(*series, *value, &block.labels, out)?;
        }
        for (series, value) in block.own.iter().filter(|((one, _), _)| *one == family) {
            self.write_point(*series, *value, &block.labels, out)?;
        }
        Ok(())
    }

    fn write_point(&self, (family, labels): Series, value: f64, host: &str, out: &mut Out) -> Result<()> {
        let labels = &self.labels[labels as usize];
        out.write_all(self.families[family as usize].name.as_bytes())?;
        out.write_all(b"{")?;
        out.write_all(host.as_bytes())?;
        if !labels.is_empty() {
            out.write_all(b",")?;
            out.write_all(labels.as_bytes())?;
        }
        writeln!(out, "}} {}", value + 0.0)
    }

    /// The number of the family whose name is spelled out.
    fn family(&mut self, family: Family<'_>) -> u32 {
        if let Some(known) = self.family_ids.get(self.name.as_str()) {
            return *known;
        }
        let name: Rc<str> = Rc::from(self.name.as_str());
        let new = id(self.families.len());
        self.families.push(Heading { name: name.clone(), help: family.full_help(), kind: family.kind });
        self.family_ids.insert(name, new);
        new
    }

    /// The number of the labels that are spelled out.
    fn labels(&mut self) -> u32 {
        if let Some(known) = self.label_ids.get(self.text.as_str()) {
            return *known;
        }
        let text: Rc<str> = Rc::from(self.text.as_str());
        let new = id(self.labels.len());
        self.labels.push(text.clone());
        self.label_ids.insert(text, new);
        new
    }

    /// Keeps the values of the points; returns the piece and where they begin in it.
    fn keep_values(&mut self) -> (usize, usize) {
        let count = self.points.len();
        if self.pieces.last().is_none_or(|piece| piece.capacity() - piece.len() < count) {
            self.pieces.push(Vec::with_capacity(count.max(PIECE)));
        }
        let last = self.pieces.len() - 1;
        let start = self.pieces[last].len();
        self.pieces[last].extend(self.points.iter().map(|(_, value)| *value));
        (last, start)
    }

    /// Of two points of one series, which would make the whole exposition invalid, the later stays.
    fn drop_repeated(&mut self) {
        self.sorted.clear();
        self.sorted.extend(self.points.iter().map(|(series, _)| *series));
        self.sorted.sort_unstable();
        if self.sorted.windows(2).all(|pair| pair[0] != pair[1]) {
            return;
        }
        let mut seen = BTreeSet::new();
        self.points.reverse();
        self.points.retain(|(series, _)| seen.insert(*series));
        self.points.reverse();
    }
}

impl Points for Taking<'_> {
    fn put(&mut self, family: Family<'_>, labels: &[(&str, &str)], value: f64) {
        if !value.is_finite() {
            return;
        }
        let store = &mut *self.store;
        store.name.clear();
        store.name.push_str(family.name);
        store.name.extend(family.field.chars().map(families::letter));
        store.text.clear();
        for (name, value) in labels {
            put_label(&mut store.text, name, value);
        }
        let guess = store.last.get(store.points.len()).filter(|(family, labels)| {
            *store.families[*family as usize].name == *store.name
                && *store.labels[*labels as usize] == *store.text
        });
        let series = match guess {
            Some(series) => *series,
            None => (store.family(family), store.labels()),
        };
        store.points.push((series, value));
    }
}

impl Taking<'_> {
    /// Ends the host. `labels` are those that all of its points have.
    pub(super) fn end(self, host: &str, labels: String) {
        let store = self.store;
        store.last.clear();
        store.last.extend(store.points.iter().map(|(series, _)| *series));
        store.drop_repeated();
        // Stable, so that the points of a family stay in the order in which the host told them.
        store.points.sort_by_key(|((family, _), _)| *family);
        let families = &store.families;
        let is_own =
            |((family, _), _): &mut (Series, f64)| families[*family as usize].name.ends_with("_info");
        let own = store.points.extract_if(.., is_own).collect();
        store.sorted.clear();
        store.sorted.extend(store.points.iter().map(|(series, _)| *series));
        let shape = if let Some(known) = store.shapes.get(store.sorted.as_slice()) {
            known.clone()
        } else {
            let new: Rc<[Series]> = Rc::from(store.sorted.as_slice());
            store.shapes.insert(new.clone());
            new
        };
        let (piece, start) = store.keep_values();
        store.hosts.insert(host.into(), Block { labels: labels.into(), shape, own, piece, start });
    }
}

/// Numbers of things that are in memory: there are never more than 2^32.
fn id(count: usize) -> u32 {
    u32::try_from(count).unwrap_or(u32::MAX)
}
