//! The files that wait for a command, and those that are looked at again later.

use std::cmp::{Ordering, Reverse};
use std::collections::{BTreeMap, BinaryHeap, HashSet, VecDeque};
use std::path::Path;
use std::sync::Arc;
use std::time::Instant;

use crate::identity::Stamp;
use crate::ledger::Entry;
use crate::plan::Order;

/// A file that may be one to take; what it really is, is looked at when its turn comes.
#[derive(Debug, Clone)]
pub(crate) struct Item {
    /// Which of the watched folders it is below.
    pub(crate) root: usize,
    /// Where it is.
    pub(crate) path: Arc<Path>,
    /// Since when it waits.
    pub(crate) found: Instant,
    /// What the ledger says when this is another attempt.
    pub(crate) earlier: Option<Box<Entry>>,
    /// The BLAKE3 hash of its content in hexadecimal digits, and what it was then.
    pub(crate) hashed: Option<Box<(Stamp, blake3::Hash)>>,
    /// What an earlier look found, when it had not been quiet for long enough.
    pub(crate) seen: Option<Box<(Stamp, Instant)>>,
    /// How often it was found open for writing.
    pub(crate) busy: u32,
}

impl Item {
    /// A file that was just found.
    pub(crate) fn new(root: usize, path: Arc<Path>, found: Instant) -> Self {
        Self { root, path, found, earlier: None, hashed: None, seen: None, busy: 0 }
    }
}

#[derive(Debug)]
enum Line {
    Arrival(VecDeque<Item>),
    Name(BTreeMap<Arc<Path>, Item>),
    Time(BTreeMap<(i64, Arc<Path>), Item>),
}

/// The files that wait, each path once, in their order.
#[derive(Debug)]
pub(crate) struct Queue {
    line: Line,
    paths: HashSet<Arc<Path>>,
}

impl Queue {
    pub(crate) fn new(order: Order) -> Self {
        let line = match order {
            Order::Arrival => Line::Arrival(VecDeque::new()),
            Order::Name => Line::Name(BTreeMap::new()),
            Order::Time => Line::Time(BTreeMap::new()),
        };
        Self { line, paths: HashSet::new() }
    }

    pub(crate) fn len(&self) -> usize {
        self.paths.len()
    }

    /// Puts an item in its place; `modified` is the time of the file, for who orders by it. One whose
    /// path waits already is dropped: what it really is, is looked at once.
    pub(crate) fn push(&mut self, item: Item, modified: impl FnOnce() -> i64) {
        if !self.paths.insert(Arc::clone(&item.path)) {
            return;
        }
        match &mut self.line {
            Line::Arrival(line) => line.push_back(item),
            Line::Name(line) => drop(line.insert(Arc::clone(&item.path), item)),
            Line::Time(line) => drop(line.insert((modified(), Arc::clone(&item.path)), item)),
        }
    }

    /// Puts an item back, before all others where they stand in the order of arrival.
    pub(crate) fn push_front(&mut self, item: Item, modified: impl FnOnce() -> i64) {
        match &mut self.line {
            Line::Arrival(line) => {
                if self.paths.insert(Arc::clone(&item.path)) {
                    line.push_front(item);
                }
            }
            _ => self.push(item, modified),
        }
    }

    /// The next one.
    pub(crate) fn pop(&mut self) -> Option<Item> {
        let item = match &mut self.line {
            Line::Arrival(line) => line.pop_front(),
            Line::Name(line) => line.pop_first().map(|(_, item)| item),
            Line::Time(line) => line.pop_first().map(|(_, item)| item),
        }?;
        self.paths.remove(&item.path);
        Some(item)
    }

    /// Since when the one waits that is next.
    pub(crate) fn oldest(&self) -> Option<Instant> {
        match &self.line {
            Line::Arrival(line) => line.front(),
            Line::Name(line) => line.values().next(),
            Line::Time(line) => line.values().next(),
        }
        .map(|item| item.found)
    }
}

/// Items that are looked at again at some moment, on a clock that nobody sets.
#[derive(Debug, Default)]
pub(crate) struct Later {
    heap: BinaryHeap<Reverse<Due>>,
    /// When the first look at a path is due, of those that are no other attempt.
    looks: BTreeMap<Arc<Path>, Instant>,
    count: u64,
}

#[derive(Debug)]
struct Due {
    at: Instant,
    /// Two of the same moment keep their order.
    number: u64,
    item: Item,
}

impl PartialEq for Due {
    fn eq(&self, other: &Self) -> bool {
        self.number == other.number
    }
}

impl Eq for Due {}

impl PartialOrd for Due {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Due {
    fn cmp(&self, other: &Self) -> Ordering {
        (self.at, self.number).cmp(&(other.at, other.number))
    }
}

impl Later {
    pub(crate) fn len(&self) -> usize {
        self.heap.len()
    }

    /// Whether it is looked at then: not when its path is looked at before that anyway. Else each hint
    /// and each pass would add one for a file that is written for hours.
    pub(crate) fn push(&mut self, at: Instant, item: Item) -> bool {
        if item.earlier.is_none() {
            if self.looks.get(&item.path).is_some_and(|first| *first <= at) {
                return false;
            }
            self.looks.insert(Arc::clone(&item.path), at);
        }
        self.count += 1;
        self.heap.push(Reverse(Due { at, number: self.count, item }));
        true
    }

    /// When the next one is due.
    pub(crate) fn next(&self) -> Option<Instant> {
        self.heap.peek().map(|due| due.0.at)
    }

    /// The next one that is due at `now`.
    pub(crate) fn pop(&mut self, now: Instant) -> Option<Item> {
        if self.next()? > now {
            return None;
        }
        let Reverse(due) = self.heap.pop()?;
        if due.item.earlier.is_none() && self.looks.get(&due.item.path) == Some(&due.at) {
            self.looks.remove(&due.item.path);
        }
        Some(due.item)
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    fn item(name: &str) -> Item {
        Item::new(0, Path::new(name).into(), Instant::now())
    }

    #[test]
    fn each_path_waits_once_and_in_order() {
        let check = |order, want: &[&str]| {
            let mut queue = Queue::new(order);
            for (name, modified) in [("c", 2), ("a", 3), ("b", 1), ("a", 0)] {
                queue.push(item(name), || modified);
            }
            assert_eq!(queue.len(), 3);
            let first = queue.pop().unwrap();
            queue.push_front(first, || 9);
            let mut got = Vec::new();
            while let Some(item) = queue.pop() {
                got.push(item.path.display().to_string());
            }
            assert_eq!(got, want, "{order:?}");
            assert_eq!((queue.len(), queue.oldest()), (0, None));
        };
        check(Order::Arrival, &["c", "a", "b"]);
        check(Order::Name, &["a", "b", "c"]);
        check(Order::Time, &["c", "a", "b"]);
    }

    #[test]
    fn what_is_due_comes_in_the_order_of_its_time() {
        let mut later = Later::default();
        let start = Instant::now();
        let at = |second| start + Duration::from_secs(second);
        for (second, name) in [(3, "c"), (1, "a"), (2, "b"), (1, "z")] {
            later.push(at(second), item(name));
        }
        assert_eq!((later.len(), later.next()), (4, Some(at(1))));
        assert!(later.pop(start).is_none());
        let mut got = Vec::new();
        while let Some(item) = later.pop(at(2)) {
            got.push(item.path.display().to_string());
        }
        assert_eq!(got, ["a", "z", "b"]);
    }

    #[test]
    fn a_path_is_looked_at_once_at_its_first_moment() {
        let start = Instant::now();
        let after = |seconds| start + Duration::from_secs(seconds);
        let mut later = Later::default();
        let pushed = [5, 7, 5, 3].map(|seconds| later.push(after(seconds), item("a")));
        assert_eq!((pushed, later.len()), ([true, false, false, true], 2));
        assert!(later.pop(after(3)).is_some() && later.pop(after(4)).is_none());
        assert!(later.push(after(4), item("a")) && later.push(after(9), item("b")));
        assert_eq!(std::iter::from_fn(|| later.pop(after(9))).count(), 3);
        assert!(later.looks.is_empty() && later.push(after(9), item("a")));
    }
}
